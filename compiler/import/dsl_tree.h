/* dsl_tree.h - what scanner and parser of grammar/ make of a text: a tree, in an arena, with
 * places. Private to import/. Nothing is checked here but the grammar; dsl_build.c makes the graph
 * of it. */
#ifndef OLAC_IMPORT_DSL_TREE_H
#define OLAC_IMPORT_DSL_TREE_H

#include "base/diag.h"
#include "base/map.h"
#include "base/vec.h"

#define DSL_DEPTH    200               /* of brackets, and of an expression's tree */
#define DSL_MAX_TEXT ((size_t)4 << 20) /* bytes of a model's text */
#define DSL_MAX_NAME 4096              /* bytes of a name that is put together */

/* Where something starts (1-based, columns in bytes) and its bytes [start, end) in the text. */
struct dsl_loc {
    int line, col;
    uint32_t start, end;
};

enum dsl_kind {
    X_NAME,   /* text */
    X_STRING, /* text, unquoted */
    X_NUMBER, /* text as written; inf, nan, nan(0x7fc00001), true, false too */
    X_DIMS,   /* text: 3x3 */
    X_LIST,   /* items */
    X_NONE,   /* _ */
    X_CALL,   /* text(items) */
    X_BINARY, /* a op b; op 'n': -a */
    X_OPTION, /* text a; a NULL for a bare word */
    X_TYPED,  /* text a: ints [] */
    X_TENSOR, /* type = a */
    X_FILE,   /* text: a file's name */
    X_FROM,   /* from text / a; a NULL: not divided */
    X_AS,     /* as text */
    X_PIN     /* @text(low .. high) with low in a, high in b, NULL for open */
};

struct dsl_list {
    struct dsl_expr **at;
    uint32_t len, cap;
};

struct dsl_type {
    struct dsl_loc loc;
    const char *name;
    struct dsl_list dims;
};

struct dsl_expr {
    enum dsl_kind kind;
    struct dsl_loc loc;
    const char *text;
    char op;
    uint32_t depth; /* of the tree below, at most DSL_DEPTH */
    struct dsl_expr *a, *b;
    struct dsl_list items;
    struct dsl_type *type;
};

enum dsl_stmt_kind {
    S_NETWORK, /* network name items (options) */
    S_ORIGIN,  /* origin a word b: items are two strings */
    S_INPUT,   /* input name : type items (clauses) */
    S_OUTPUT,  /* output items (names) */
    S_ASSIGN,  /* items (targets) = value post */
    S_CONST,   /* const name : type = value */
    S_BLOCK,   /* block name(items) { body } */
    S_RETURN   /* return value */
};

struct dsl_body {
    struct dsl_stmt **at;
    uint32_t len, cap;
};

struct dsl_stmt {
    enum dsl_stmt_kind kind;
    struct dsl_loc loc;
    const char *name;
    struct dsl_list items, post;
    struct dsl_expr *value;
    struct dsl_type *type; /* NULL where it may be left out */
    struct dsl_body body;
    bool output; /* S_ASSIGN: the values are outputs of the network */
};

/* One text being read. */
struct dsl {
    struct arena *arena;
    struct diag *diag;
    const char *file, *text;
    size_t size;
    uint32_t errors_before; /* of diag, when reading began */
    struct dsl_body body;   /* the result */
    struct map poison;      /* names of statements that could not be read */

    /* the scanner's */
    uint32_t offset;
    int line, col;
    int last; /* token, 0 at the start */
    int open; /* brackets */
    uint32_t end_of_last;
};

/* Parses p->text (set arena, diag, file, text, size before; the rest zero but line = col = 1).
 * False when there were errors; the tree then holds what could be read. */
bool dsl_parse(struct dsl *p);
/* Reports bytes that are not UTF-8 and NULs: one error a line. */
void dsl_check_text(struct dsl *p);
/* For messages: file, line, column and the text of the line. */
struct place dsl_place(const struct dsl *p, struct dsl_loc at);
/* Ends the process: only for a scanner that has no memory. */
void dsl_fatal(const char *message) __attribute__((noreturn));

/* ---- for the scanner */
bool dsl_at_start(const struct dsl *p);
/* A line's end is a token unless brackets are open and the next line does not start a statement. */
bool dsl_line_ends(struct dsl *p);
/* Whether "-" before a number is its sign. */
bool dsl_is_sign(const struct dsl *p, struct dsl_loc at);
/* The token of a word that is special where a statement starts, or 0. */
int dsl_word(const struct dsl *p, const char *word);
/* Without quotes and escapes (\\ \" \` \n \t \r \xHH); NULL after an error. */
const char *dsl_unquote(struct dsl *p, struct dsl_loc at, const char *quoted, size_t n);

/* ---- for the parser: constructors */
struct dsl_expr *dsl_text(struct dsl *p, enum dsl_kind kind, struct dsl_loc at, const char *text);
struct dsl_expr *dsl_items(struct dsl *p, enum dsl_kind kind, struct dsl_loc at, const char *text,
                           struct dsl_list items);
struct dsl_expr *dsl_binary(struct dsl *p, struct dsl_loc at, char op, struct dsl_expr *a,
                            struct dsl_expr *b);
struct dsl_expr *dsl_option(struct dsl *p, struct dsl_loc at, const char *name,
                            struct dsl_expr *value);
struct dsl_expr *dsl_typed(struct dsl *p, struct dsl_loc at, const char *name,
                           struct dsl_expr *list);
struct dsl_expr *dsl_tensor(struct dsl *p, struct dsl_loc at, struct dsl_type *type,
                            struct dsl_expr *value);
struct dsl_expr *dsl_file_value(struct dsl *p, struct dsl_loc at, const char *word,
                                struct dsl_loc name_at, const char *name);
struct dsl_expr *dsl_from(struct dsl *p, struct dsl_loc at, const char *type,
                          struct dsl_expr *divisor);
struct dsl_expr *dsl_pin(struct dsl *p, struct dsl_loc at, const char *low, const char *high);
struct dsl_type *dsl_type(struct dsl *p, struct dsl_loc at, const char *name,
                          struct dsl_expr *dims);
struct dsl_list dsl_one(struct dsl *p, struct dsl_expr *e);
struct dsl_list dsl_add(struct dsl *p, struct dsl_list list, struct dsl_expr *e);
struct dsl_stmt *dsl_stmt(struct dsl *p, enum dsl_stmt_kind kind, struct dsl_loc at,
                          const char *name, struct dsl_list items, struct dsl_expr *value);
struct dsl_stmt *dsl_typed_stmt(struct dsl *p, enum dsl_stmt_kind kind, struct dsl_loc at,
                                const char *name, struct dsl_type *type, struct dsl_list items,
                                struct dsl_expr *value);
struct dsl_stmt *dsl_assign(struct dsl *p, struct dsl_loc at, struct dsl_list targets,
                            struct dsl_expr *value, struct dsl_list post, bool output);
struct dsl_stmt *dsl_block(struct dsl *p, struct dsl_loc at, const char *name,
                           struct dsl_list params, struct dsl_body body);
struct dsl_stmt *dsl_origin(struct dsl *p, struct dsl_loc at, const char *origin,
                            struct dsl_loc word_at, const char *word, const char *text);
struct dsl_body dsl_add_stmt(struct dsl *p, struct dsl_body body, struct dsl_stmt *s);
void dsl_poison(struct dsl *p, const char *name);
void dsl_poison_all(struct dsl *p, const struct dsl_list *names);
void dsl_poison_stmt(struct dsl *p, const struct dsl_stmt *s);
void dsl_syntax_error(struct dsl *p, struct dsl_loc at, const char *const *expected, int n);

#endif
