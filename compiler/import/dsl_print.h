/* dsl_print.h - the canonical print of a graph and its hash; private to import/. The door,
 * dsl_print itself, is in import.h. */
#ifndef OLAC_IMPORT_DSL_PRINT_H
#define OLAC_IMPORT_DSL_PRINT_H

#include "ir/graph.h"

/* A constant that goes to a file of its own. */
struct print_file {
    const char *name;
    const struct tensor *data;
};

struct printer {
    const struct graph *g;
    struct arena *a;
    struct str out; /* all but the first lines */
    VEC(struct print_file) files;
    struct map taken;    /* file names in lower case */
    struct map counters; /* stem of a file name -> suffixes tried */
    bool *done;          /* values that are printed */
    bool *output;        /* values that are outputs of the network */
    uint32_t *input;     /* of values that are inputs: which */
};

/* BLAKE2b-256 of the print without its `origin` line and of all weight files with their names. */
void print_hash(const struct graph *g, uint8_t hash[32]);
/* 64 hexadecimal digits. */
const char *print_hex(struct arena *a, const uint8_t hash[32]);

/* f32[2, 3] */
void print_type(struct str *out, enum dtype dtype, const struct shape *shape);
/* " = [1, 2]", or " = file "name.npy"" (then in p->files); nothing when that is the file
 * `short_name`.npy. */
void print_data(struct printer *p, const struct tensor *t, const char *base,
                const char *short_name);
/* A float that reads back bit for bit; with a point or exponent when `point`. */
void print_float(struct str *out, float x, bool point);
/* What stands right of "=": a + b, conv(x, "conv1", stride 2), Conv(x, w; strides [2, 2]). */
void print_call(struct printer *p, const struct node *n);

#endif
