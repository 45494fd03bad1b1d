/* template.h - the files of templates/: where they come from and how marked lines are filled in.
 * The language is described in templates/README.md. Inside emit/. */
#ifndef OLAC_EMIT_TEMPLATE_H
#define OLAC_EMIT_TEMPLATE_H

#include "base/diag.h"
#include "base/str.h"

/* The templates built into the compiler, ending with a NULL name; made at build time. */
struct template_builtin {
    const char *name, *text;
};
extern const struct template_builtin template_builtins[];

/* What the words on marked lines mean; data is handed through. */
struct template_words {
    void *data;
    /* Writes what stands in place of a mark; false: no such mark. out NULL: only asks. */
    bool (*mark)(void *data, const char *word, struct str *out);
    /* Sets *holds; false: no such condition. */
    bool (*condition)(void *data, const char *word, bool *holds);
    const char *name, *capitals; /* what the words net and NET become */
};

/* The text of a template: of `folder` when that is not NULL and holds one, else the built-in one.
 * *place: how messages call it. E_TEMPLATE. */
bool template_text(struct arena *a, const char *folder, const char *name, const char **text,
                   const char **place, struct diag *d);
/* Every file in the folder must be a template (README.md aside). E_TEMPLATE, E_TEMPLATE_NAME. */
bool template_check_folder(const char *folder, struct diag *d);

/* Fills in. `required`: the marks without which it makes no sense, separated by blanks. All
 * problems at once: E_TEMPLATE_MARK, E_TEMPLATE_MISSING, E_TEMPLATE_BLOCK with place and line. */
bool template_fill(const char *text, const char *place, const char *required,
                   const struct template_words *words, struct str *out, struct diag *d);

/* text with the words net and net_* (NET and NET_*) renamed. */
void template_rename(const char *text, size_t length, const char *name, const char *capitals,
                     struct str *out);

#endif
