/* impact.h - how much the loss feels an error of each activation, by reverse-mode derivatives of
 * the float network. */
#ifndef OLAC_CHOOSE_IMPACT_H
#define OLAC_CHOOSE_IMPACT_H

#include "ir/choice.h"

/* each[image * channels + channel], channels of all layers of c in order: the sum of (dL/da)^2 over
 * the channel's elements a, the activation's outputs. Images: n >= 1 rows of the one float input.
 * What is said of an image does not depend on the others. The loss is the cross entropy of the
 * softmax of the outputs against labels[k] or, where labels are NULL, against the largest output;
 * of a single output its own square error, whose impact is E_data[(dy/da)^2]. The same at any
 * number of threads; memory for some hundred images and one operator's matrix at a time. False
 * after E_CHOOSE_FORM, E_CHOOSE_LABELS, E_MATRIX_SIZE or an error of the interpreter. Source: arXiv
 * 2310.10349, first order. */
bool impact(struct graph *g, const float *images, uint32_t n, const int64_t *labels,
            const struct choice *c, float *each, struct diag *d);

#endif
