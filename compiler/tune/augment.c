/* augment.c - an image as it might as well have been: turned, scaled, slanted and moved a
 * little. */
#include "tune/internal.h"

#include <math.h>

#define TURN  0.1745 /* 10 degrees */
#define SCALE 0.1
#define SHIFT 2.0 /* pixels */

/* Between four pixels; beyond the border its nearest pixel. */
static float
sample(const float *plane, int64_t h, int64_t w, double y, double x)
{
    double top = floor(y), left = floor(x), sum = 0;

    for (int k = 0; k < 4; k++) {
        double at_y = top + k / 2, at_x = left + k % 2;
        double weight = (1 - fabs(y - at_y)) * (1 - fabs(x - at_x));
        at_y = fmin(fmax(at_y, 0), (double)(h - 1));
        at_x = fmin(fmax(at_x, 0), (double)(w - 1));
        sum += weight * (double)plane[(int64_t)at_y * w + (int64_t)at_x];
    }
    return (float)sum;
}

void
tune_augment(const struct shape *s, double amount, const float *random, const float *from,
             float *to)
{
    int64_t h = s->dim[2], w = s->dim[3];
    double r[6], middle_y = (double)(h - 1) / 2, middle_x = (double)(w - 1) / 2;

    for (int k = 0; k < 6; k++)
        r[k] = amount * (double)random[k];
    double turn = TURN * r[0], c = cos(turn), sn = sin(turn);
    double by_y = 1 + SCALE * r[1], by_x = 1 + SCALE * r[2], slant = SCALE * r[3];
    for (int64_t channel = 0; channel < s->dim[1]; channel++, from += h * w)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++) {
                double v = ((double)y - middle_y) * by_y, u = ((double)x - middle_x) * by_x;
                u += slant * v;
                *to++ = sample(from, h, w, middle_y + c * v + sn * u + SHIFT * r[4],
                               middle_x - sn * v + c * u + SHIFT * r[5]);
            }
}
