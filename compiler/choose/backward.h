/* backward.h - one node of the float network, backwards: from the gradients of its outputs to
 * those of its inputs. */
#ifndef OLAC_CHOOSE_BACKWARD_H
#define OLAC_CHOOSE_BACKWARD_H

#include "op/op.h"

enum { LANES = 8 };

/* dL/dv of the images in work, [block][element][lane], image = block * LANES + lane; lanes beyond
 * the last image are 0. */
struct gradient {
    struct arena *arena; /* NULL: all 0, not there */
    double *data;
};

struct backward {
    struct graph *g;
    struct diag *d;
    uint32_t n, blocks;    /* images in work */
    bool *wanted;          /* of each value: its gradient leads to an activation */
    uint32_t *place;       /* of each value: its place in kept, NONE */
    float **kept;          /* [place][image][element], as the float network computed them */
    struct gradient *grad; /* of each value */
};

/* The gradient of a value, made zero when it is not there yet. */
double *backward_gradient(struct backward *w, uint32_t value);
void backward_release(struct backward *w, uint32_t value);
/* A MatMul of two encrypted tensors, whose derivatives are taken at both. */
bool backward_two_matrices(const struct graph *g, const struct node *n);
/* Adds to the gradients of the wanted inputs. Linear operators by the transposes of their
 * matrices. False after E_CHOOSE_FORM, E_MATRIX_SIZE or an error of the operator. */
bool backward_node(struct backward *w, uint32_t node);

#endif
