/* interpret.h - the float interpreter: what the network computes in the clear.
 * With poly set, an activation that has a polynomial is computed by it, and constants are as
 * refitted to it. CBLAS inside; images of a
 * batch run on all cores (OpenMP), with the same result at any number of threads. */
#ifndef OLAC_OP_INTERPRET_H
#define OLAC_OP_INTERPRET_H

#include "op/op.h"

struct interpreter;

struct interpret_options {
    bool poly;             /* use node->poly where there is one (double Clenshaw recurrence) */
    int threads;           /* 0: all */
    const uint32_t *watch; /* values whose data are handed to `see` for every image */
    uint32_t n_watch;
    /* Called for each image and watched value, from any thread, in no order of images: data of
     * shape_size(shape) floats. May be NULL. */
    void (*see)(void *user, uint32_t image, uint32_t watch_index, const float *data);
    /* Called after a node was computed, may change its (float) outputs in place (noise); may be
     * NULL. */
    void (*after)(void *user, uint32_t image, uint32_t node, uint32_t output, float *data,
                  int64_t n);
    void (*progress)(void *user, uint32_t done, uint32_t all);
    void *user;
};

/* One image through the graph: inputs[k] for graph input k, any dtype as declared; outputs in
 * arena `a`, one for each graph output. */
bool interpret_one(struct graph *g, const struct interpret_options *o, struct arena *a,
                   const struct tensor *inputs, struct tensor *outputs, struct diag *d);
/* `images` rows of the single float input, row-major, each of the input's size; out receives the
 * rows of output 0. Memory O(threads x one image), not O(images). */
bool interpret_many(struct graph *g, const struct interpret_options *o, const float *in,
                    uint32_t images, float *out, struct diag *d);
/* The same with in[k] rows of graph input k and out[k] rows of output k (NULL: not wanted);
 * integers as floats. */
bool interpret_rows(struct graph *g, const struct interpret_options *o, const float *const *in,
                    uint32_t images, float *const *out, struct diag *d);

#endif
