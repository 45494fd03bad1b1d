/* interpolate.h - resampling of a grid along each axis, for Resize and Upsample. An output element
 * is a weighted sum of at most 4 input elements an axis; the weights of the axes multiply. */
#ifndef OLAC_OP_INTERPOLATE_H
#define OLAC_OP_INTERPOLATE_H

#include "op/op.h"

enum interpolate_mode { MODE_NEAREST, MODE_LINEAR, MODE_CUBIC };
enum interpolate_coord {
    COORD_ASYMMETRIC,
    COORD_HALF_PIXEL,
    COORD_PYTORCH_HALF_PIXEL,
    COORD_ALIGN_CORNERS,
    COORD_TF_NEAREST,
    COORD_CROP
};
enum interpolate_round { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, ROUND_FLOOR, ROUND_CEIL };

struct interpolate {
    enum interpolate_mode mode;
    enum interpolate_coord place;
    enum interpolate_round round; /* of nearest */
    double cubic;                 /* the coefficient a of the cubic kernel */
    bool exclude_outside;
    double extrapolation;     /* outside of the crop */
    float scale[MAX_RANK];    /* output over input, > 0 */
    float crop[2 * MAX_RANK]; /* starts, then ends, in [0, 1] of the input */
};

bool interpolate_eval(struct op_ctx *c, const struct interpolate *p, const struct tensor *x,
                      struct tensor *out);
bool interpolate_linear(struct op_ctx *c, const struct interpolate *p,
                        const struct linear_sink *sink);

/* No axis may be longer. */
#define INTERPOLATE_MAX ((int64_t)1 << 22)

/* Output sizes from scales, floor(input * scale); reports what is wrong. n must be the rank. */
bool interpolate_scales(struct op_ctx *c, struct interpolate *p, const float *scales, uint32_t n,
                        struct shape *out);

#endif
