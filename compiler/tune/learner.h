/* learner.h - the network as something that learns: a batch of images forwards and backwards,
 * gradients of weights and biases. Reverse mode, one step a node. */
#ifndef OLAC_TUNE_LEARNER_H
#define OLAC_TUNE_LEARNER_H

#include "op/weighted.h"

/* A weight or a bias that learns. Its data are those of a constant of the graph that is the node's
 * own. */
struct learner_param {
    uint32_t node, value;
    bool bias;
    uint32_t n;
    float *data;
    size_t first; /* of its entries in a gradient of all parameters */
};

struct learner;

/* One thread's work on at most `images` images at a time. */
struct learner_run;

/* Activations that have a polynomial are computed by it. NULL after E_TUNE_FORM: a node that has no
 * derivative here. Changes the graph: weights and biases become the nodes' own. */
struct learner *learner_new(struct arena *a, struct graph *g, struct diag *d);
const struct learner_param *learner_params(const struct learner *n, uint32_t *count);
size_t learner_size(const struct learner *n);    /* entries of all parameters together */
int64_t learner_inputs(const struct learner *n); /* elements of one image */
int64_t learner_outputs(const struct learner *n);

struct learner_run *learner_run_new(struct arena *a, const struct learner *n, uint32_t images);
/* Outputs of `images` rows, in the run's own memory until the next call. */
const float *learner_forward(struct learner_run *r, const float *x, uint32_t images);
/* After learner_forward: dL/dparams of these images is added to `gradient`, from dL/doutputs. */
void learner_backward(struct learner_run *r, const float *slope, float *gradient);

#endif
