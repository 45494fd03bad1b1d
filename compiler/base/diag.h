/* diag.h - what goes wrong is collected, with its place and a stable code, and printed at the end.
 * Nothing below main prints or exits. A function that reports an error returns false (or NULL);
 * it goes on as long as that makes sense, so that a user sees all problems at once. */
#ifndef OLAC_BASE_DIAG_H
#define OLAC_BASE_DIAG_H

#include "base/arena.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>

enum severity { SEV_NOTE, SEV_WARNING, SEV_ERROR };

/* E_xxx for each row of codes.def */
enum code {
#define CODE(id, name, title, text) name = id,
#include "base/codes.def"
#undef CODE
};

/* Where: a file with line and column (0: unknown), or a node of a model, or both; all optional.
 * source is the text of the line, for a caret below it. */
struct place {
    const char *file;
    int line, col;
    const char *node;   /* the name of the ONNX node */
    const char *source; /* the offending line, NUL-terminated, or NULL */
};

struct message {
    enum severity severity;
    enum code code;
    struct place place; /* strings owned by the diag's arena */
    const char *text;
    const char *hint; /* the nearest thing that would work, or NULL */
};

struct diag;

/* At most DIAG_MAX errors are kept; a note says how many more there were. */
#define DIAG_MAX 100

struct diag *diag_new(void);
void diag_free(struct diag *d);
void diag_error(struct diag *d, enum code code, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void diag_warning(struct diag *d, enum code code, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Attached to the newest message. */
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
uint32_t diag_errors(const struct diag *d);
uint32_t diag_count(const struct diag *d);
const struct message *diag_at(const struct diag *d, uint32_t i);
/* "file:line:col: error[E123]: text" and, when there is one, source line, caret and hint. */
void diag_print(const struct diag *d, struct str *out);
/* A JSON array of {severity, code, file, line, col, node, message, hint}. */
void diag_json(const struct diag *d, struct str *out);
/* Title and explanation of a code; false when there is no such code. */
bool diag_explain(int code, const char **title, const char **text);

#define PLACE_NONE    ((struct place){0})
#define PLACE_FILE(f) ((struct place){.file = (f)})

#endif
