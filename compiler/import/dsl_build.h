/* dsl_build.h - from the tree of a text to the graph: what the parts dsl_build.c (statements,
 * blocks), dsl_call.c (calls) and dsl_literal.c (numbers, shapes, tensors, weight files) share. */
#ifndef OLAC_IMPORT_DSL_BUILD_H
#define OLAC_IMPORT_DSL_BUILD_H

#include "import/dsl_tree.h"
#include "ir/graph.h"

/* Limits on what a short text may blow up into. */
#define DSL_MAX_NODES   100000u
#define DSL_MAX_STEPS   200000 /* expressions evaluated, beyond those of the text itself */
#define DSL_MAX_DEPTH   1000   /* of expressions inside blocks inside blocks */
#define DSL_MAX_BLOCKS  64     /* blocks inside blocks */
#define DSL_MAX_PARAMS  64     /* parameters of a block */
#define DSL_MAX_OPTIONS 256    /* options of a call */

/* What an expression stands for. */
enum thing_kind {
    T_BAD,    /* an error was reported already */
    T_VALUE,  /* of the graph */
    T_TEXT,   /* a string */
    T_NUMBER, /* text as written */
    T_DIMS,   /* text as written: 3x3 */
    T_LIST,   /* items */
    T_NONE    /* _ */
};

struct thing {
    enum thing_kind kind;
    struct dsl_loc loc;
    uint32_t value;
    const char *text;
    const struct thing *items;
    uint32_t n;
};

/* How the node of an expression is to be called. out[k] "": not wanted. node NULL: as out[0]. */
struct want {
    const char *const *out;
    uint32_t n;
    const char *node;
};

/* The names that can be seen: the text's own, or those of one use of a block. */
struct scope {
    struct map names; /* -> things */
    VEC(struct thing) things;
    uint32_t blocks;         /* the first so many blocks can be used */
    const char *prefix;      /* of all names made inside a block; NULL outside */
    const char *current;     /* of names made up inside the present statement */
    const char *returned;    /* the local name that gets the block's result's name */
    const struct want *want; /* of the block's result */
};

struct build {
    struct dsl *p;
    struct arena *arena;
    struct diag *diag;
    struct graph *graph;
    const char *dir; /* of weight files; NULL: none can be read */
    struct scope top;
    struct map counters; /* base of a name -> suffixes tried */
    struct map reserved; /* top-level names -> the line that makes them */
    struct map blocks;   /* -> index into block_list */
    VEC(struct dsl_stmt *) block_list;
    int64_t steps; /* left */
    int depth, block_depth;
    bool named, output;               /* `network`, `output` was seen */
    bool stopped;                     /* a limit was reached: only the first is reported */
    size_t loaded;                    /* bytes of constants */
    const char *origin, *origin_text; /* hexadecimal hashes, NULL when not given */
    struct dsl_loc origin_at;
};

/* Reports an error at a place of the text; always false. */
bool build_error(struct build *b, enum code code, struct dsl_loc at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- dsl_import.c */
/* as NAME of a statement, NULL when there is none. */
const char *build_as(const struct dsl_stmt *st);
/* @degree, @pow2 and `as` of a statement whose expression added the nodes from `before` on. */
void build_post(struct build *b, const struct dsl_stmt *st, uint32_t before, struct thing result);

/* ---- dsl_build.c */
struct thing build_eval(struct build *b, struct scope *s, const struct dsl_expr *e,
                        const struct want *want);
/* Whether one more hint would be shown. */
bool build_hints(const struct build *b);
/* A value name that is free: base, base.1, base.2 ... */
const char *build_unique(struct build *b, const char *base);
/* scope->current + "." + what, made free. */
const char *build_made_up(struct build *b, const struct scope *s, const char *what);
/* The result of block number `index`, its nodes added. */
struct thing build_inline(struct build *b, struct scope *s, const struct dsl_expr *call,
                          uint32_t index, const struct want *want);
void build_bind(struct build *b, struct scope *s, const char *name, struct thing t);

/* ---- dsl_call.c: results[k] for want->out[k]; all T_BAD after an error. */
void build_call(struct build *b, struct scope *s, const struct dsl_expr *call,
                const struct want *want, struct thing *results);
/* A node with the names wanted, results as values. False when there are too many nodes. */
bool build_node(struct build *b, enum op_id op, const uint32_t *in, uint32_t n_in,
                const struct want *want, struct dsl_loc at, struct thing *results);
/* A thing as a value of the graph: numbers and lists become constants. False after an error. */
bool build_value(struct build *b, struct scope *s, struct thing t, uint32_t *value);

/* ---- dsl_literal.c; all false after an error */
bool literal_is_int(const char *text);
bool literal_int(struct build *b, struct thing t, int64_t *out);
bool literal_float(struct build *b, struct thing t, float *out);
bool literal_double(struct build *b, struct thing t, double *out);
/* 3x3 or [1, 2] or 5 -> at most `most` integers; *n stays 0 for a single number that is no list. */
bool literal_ints(struct build *b, struct thing t, int64_t *out, uint32_t most, uint32_t *n);
bool literal_shape(struct build *b, const struct dsl_type *type, enum dtype *dtype,
                   struct shape *shape);
/* type = value; value NULL: the file `name`.npy; type NULL: as the file says. */
bool literal_tensor(struct build *b, struct scope *s, const struct dsl_type *type,
                    const struct dsl_expr *value, const char *name, struct dsl_loc at,
                    struct tensor *out);
/* A weight file. dtype DT_NONE, shape NULL: as the file says, floats as f32. */
bool literal_file(struct build *b, struct dsl_loc at, const char *file, enum dtype dtype,
                  const struct shape *shape, struct tensor *out);

#endif
