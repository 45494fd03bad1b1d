/* step.h - the steps of a network that learns that have no parameters: activations, sums and
 * products of two tensors, every other linear operator by its matrix. Private to tune/. */
#ifndef OLAC_TUNE_STEP_H
#define OLAC_TUNE_STEP_H

#include "ir/matrix.h"
#include "op/weighted.h"

enum step_kind {
    STEP_CONV,
    STEP_DENSE,
    STEP_ACTIVATION,
    STEP_POLY,
    STEP_SUM,
    STEP_PRODUCT,
    STEP_LINEAR
};

/* Coefficients of 1, x, x^2, x^3, for polynomials of low degree. */
struct cubic {
    float c[4];
};

#define STEP_INPUTS 16

struct step {
    enum step_kind kind;
    uint32_t node, y, x[STEP_INPUTS], n_x; /* values that are no constants */
    struct weighted w;                     /* CONV, DENSE */
    uint32_t weight, bias, poly;           /* parameters, NONE */
    const struct matrix *m[STEP_INPUTS];   /* LINEAR: of each input; NULL: the identity */
    float *add;                            /* LINEAR: what is added to y, NULL */
    float sign;                            /* SUM: of the second */
    const struct cubic *cubic; /* ACTIVATION: of each row of a polynomial of degree <= 3 */
};

/* One step each from a node; false when it is not of the kind, or too large. */
void step_activation(struct graph *g, uint32_t node, struct step *s);
bool step_eltwise(const struct graph *g, uint32_t node, struct step *s);
bool step_linear(struct graph *g, uint32_t node, uint32_t output, struct step *s, struct diag *d);
/* The kinds above. value, slope: [value of the graph][image][element]; slopes that are wanted are
 * there and are added to, the others NULL. */
void step_forward(struct graph *g, const struct step *s, float *const *value, uint32_t images);
void step_backward(struct graph *g, const struct step *s, float *const *value, float *const *slope,
                   uint32_t images);

#endif
