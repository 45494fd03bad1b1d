/* moments.h - what the calibration images tell of one layer's inputs and outputs. */
#ifndef OLAC_QUANTIZE_MOMENTS_H
#define OLAC_QUANTIZE_MOMENTS_H

#include "op/weighted.h"
#include "quantize/solve.h"

/* Group `group` of a layer whose input is `fed` in the network being rounded and `clean` in the
 * float one, n rows of its size each; weights and bias are the float ones, y = scale W x +
 * bias_scale b. Same sums at any number of threads. */
struct solve_moments moments_of(struct arena *a, const struct weighted *w, int64_t group,
                                const float *weight, const float *bias, const float *clean,
                                const float *fed, int64_t size, uint32_t n);

#endif
