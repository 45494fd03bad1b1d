/* learner.h - the network as something that learns: a batch of images forwards and backwards,
 * gradients of weights and biases. Reverse mode, one step a node. */
#ifndef OLAC_TUNE_LEARNER_H
#define OLAC_TUNE_LEARNER_H

#include "op/weighted.h"

enum learner_kind { LEARN_WEIGHT, LEARN_BIAS, LEARN_POLY };

/* What learns: a weight or a bias, whose data are those of a constant of the graph that is the
 * node's own; or the coefficients of an activation's polynomials, data beside the graph. */
struct learner_param {
    uint32_t node, value; /* value: NONE for polynomials */
    enum learner_kind kind;
    uint32_t n;
    double uses; /* of each of them, for one image: the positions of a kernel */
    float *data;
    size_t first; /* of its entries in a gradient of all parameters */
};

struct learner;

/* One thread's work on at most `images` images at a time. */
struct learner_run;

struct learner_options {
    bool polys;  /* polynomials learn */
    bool frozen; /* weights do not: their gradients stay 0 */
};

/* Activations that have a polynomial are computed by it; o NULL: only weights and biases learn.
 * NULL after E_TUNE_FORM: a node that has no derivative here. Changes the graph: weights and biases
 * become the nodes' own. */
struct learner *learner_new(struct arena *a, struct graph *g, const struct learner_options *o,
                            struct diag *d);
const struct learner_param *learner_params(const struct learner *n, uint32_t *count);
size_t learner_size(const struct learner *n);    /* entries of all parameters together */
int64_t learner_inputs(const struct learner *n); /* elements of one image */
int64_t learner_outputs(const struct learner *n);

struct learner_run *learner_run_new(struct arena *a, const struct learner *n, uint32_t images);
/* Outputs of `images` rows, in the run's own memory until the next call. */
const float *learner_forward(struct learner_run *r, const float *x, uint32_t images);
/* After learner_forward: dL/dparams of these images is added to `gradient`, from dL/doutputs. */
void learner_backward(struct learner_run *r, const float *slope, float *gradient);
/* After learner_forward, of polynomials that learn: to sum[image] the squares of what all their
 * inputs, brought to [-1, 1], stand out of that. */
void learner_outside(const struct learner_run *r, double *sum);
/* learner_backward of a loss that has weight[image] times these sums besides. */
void learner_backward_held(struct learner_run *r, const float *slope, const float *weight,
                           float *gradient);

/* After learner_forward: adds the sums of T_j T_k over the inputs of the polynomials of a parameter
 * to gram [rows][degree + 1][degree + 1], the lower half; returns how many there were in a row. */
uint64_t learner_gram(const struct learner_run *r, uint32_t param, double *gram);

#endif
