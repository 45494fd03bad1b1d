/* augment.h - images as they might as well have been. Private to tune/. */
#ifndef OLAC_TUNE_AUGMENT_H
#define OLAC_TUNE_AUGMENT_H

#include "ir/graph.h"

struct augment;

/* For images of a shape [1, C, H, W]. amount 1: turned by up to 10 degrees, scaled and slanted by
 * up to 10 %, moved by up to 2 pixels, and bent: every point moves by about one pixel on its own,
 * smoothly (Simard, Steinkraus, Platt, 2003, by splines). Scratch of one thread. */
struct augment *augment_new(struct arena *a, const struct shape *s, double amount);
/* One image, changed by what 32 bytes say. */
void augment_image(struct augment *m, const uint8_t seed[32], const float *from, float *to);

#endif
