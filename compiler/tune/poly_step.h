/* poly_step.h - an activation whose polynomials learn: values, and derivatives by its input and by
 * its coefficients. Private to tune/. */
#ifndef OLAC_TUNE_POLY_STEP_H
#define OLAC_TUNE_POLY_STEP_H

#include "tune/step.h"

/* value, slope: as step.h has them; coef: [rows][degree + 1] as in struct poly, whose center and
 * radius stay. */
void poly_step_forward(const struct graph *g, const struct step *s, const float *coef,
                       float *const *value, uint32_t images);
/* Adds to the slopes of the input, and dL/dcoef to `gradient`. L has excess[image] (NULL: 0) times
 * what poly_step_outside adds up. */
void poly_step_backward(const struct graph *g, const struct step *s, const float *coef,
                        const float *excess, float *const *value, float *const *slope,
                        float *gradient, uint32_t images);
/* Adds to sum[image] the squares of what every input, brought to [-1, 1], stands out of that. */
void poly_step_outside(const struct graph *g, const struct step *s, float *const *value,
                       uint32_t images, double *sum);
/* Adds the sums over the inputs of T_j T_k to gram [rows][degree + 1][degree + 1]; returns how many
 * inputs there were in a row. */
uint64_t poly_step_gram(const struct graph *g, const struct step *s, float *const *value,
                        uint32_t images, double *gram);

#endif
