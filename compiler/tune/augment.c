/* augment.c - see augment.h. Where a pixel comes from is an affine map of its place plus a field of
 * cubic B-splines over a lattice of random offsets. */
#include "tune/augment.h"

#include <math.h>
#include <sodium.h>

#define TURN   0.1745f /* 10 degrees */
#define SCALE  0.1f
#define SHIFT  2.0f /* pixels */
#define BEND   3.0f /* pixels at a point of the lattice; the splines leave a third of it */
#define CELLS  4    /* of the lattice along an edge of the image */
#define POINTS (CELLS + 3)
#define AFFINE 6

/* What a pixel of an edge takes of the points cell .. cell + 3. */
struct spline {
    int cell;
    float by[4];
};

struct augment {
    int64_t channels, h, w;
    float amount;
    struct spline *down, *across; /* [h], [w] */
    float *y, *x;                 /* [h * w]: where pixels come from */
};

static struct spline *
splines(struct arena *a, int64_t n)
{
    struct spline *s = ARENA_ARRAY(a, struct spline, (size_t)n);

    for (int64_t i = 0; i < n; i++) {
        double t = CELLS * ((double)i + 0.5) / (double)n, f = t - floor(t), e = 1 - f;
        s[i] = (struct spline){(int)t,
                               {(float)(e * e * e / 6), (float)(2.0 / 3 - f * f * (2 - f) / 2),
                                (float)(2.0 / 3 - e * e * (2 - e) / 2), (float)(f * f * f / 6)}};
    }
    return s;
}

struct augment *
augment_new(struct arena *a, const struct shape *s, double amount)
{
    struct augment *m = ARENA_NEW(a, struct augment);

    *m = (struct augment){s->dim[1], s->dim[2], s->dim[3], (float)amount, NULL, NULL, NULL, NULL};
    m->down = splines(a, m->h);
    m->across = splines(a, m->w);
    m->y = ARENA_ARRAY(a, float, (size_t)(m->h * m->w));
    m->x = ARENA_ARRAY(a, float, (size_t)(m->h * m->w));
    return m;
}

/* r: AFFINE numbers in [-1, 1), then offsets down and across of POINTS x POINTS. */
static void
places(struct augment *m, const float *r)
{
    float a = m->amount, turn = TURN * a * r[0], c = cosf(turn), sn = sinf(turn);
    float by_y = 1 + SCALE * a * r[1], by_x = 1 + SCALE * a * r[2], slant = SCALE * a * r[3];
    float middle_y = (float)(m->h - 1) / 2, middle_x = (float)(m->w - 1) / 2;
    const float *offset[2] = {r + AFFINE, r + AFFINE + POINTS * POINTS};

    for (int64_t y = 0; y < m->h; y++) {
        const struct spline *d = &m->down[y];
        float line[2][POINTS], v = ((float)y - middle_y) * by_y;
        for (int k = 0; k < 2; k++)
            for (int p = 0; p < POINTS; p++) {
                const float *o = offset[k] + d->cell * POINTS + p;
                line[k][p] = BEND * a *
                             (d->by[0] * o[0] + d->by[1] * o[POINTS] + d->by[2] * o[2 * POINTS] +
                              d->by[3] * o[3 * POINTS]);
            }
        for (int64_t x = 0; x < m->w; x++) {
            const struct spline *s = &m->across[x];
            const float *p = line[0] + s->cell, *q = line[1] + s->cell;
            float u = ((float)x - middle_x) * by_x + slant * v;
            m->y[y * m->w + x] = middle_y + c * v + sn * u + SHIFT * a * r[4] + s->by[0] * p[0] +
                                 s->by[1] * p[1] + s->by[2] * p[2] + s->by[3] * p[3];
            m->x[y * m->w + x] = middle_x - sn * v + c * u + SHIFT * a * r[5] + s->by[0] * q[0] +
                                 s->by[1] * q[1] + s->by[2] * q[2] + s->by[3] * q[3];
        }
    }
}

static float
within(float v, float most)
{
    v = v > 0 ? v : 0;
    return v < most ? v : most;
}

/* Between four pixels; beyond the border its nearest pixel. */
static void
sample(const struct augment *m, const float *plane, float *to)
{
    float last_y = (float)(m->h - 1), last_x = (float)(m->w - 1);

    for (int64_t k = 0; k < m->h * m->w; k++) {
        float y = within(m->y[k], last_y), x = within(m->x[k], last_x);
        int64_t top = (int64_t)y, left = (int64_t)x;
        const float *p = plane + top * m->w + left;
        int64_t below = top + 1 < m->h ? m->w : 0, right = left + 1 < m->w;
        float v = y - (float)top, u = x - (float)left;
        float upper = p[0] + u * (p[right] - p[0]);
        float lower = p[below] + u * (p[below + right] - p[below]);
        to[k] = upper + v * (lower - upper);
    }
}

void
augment_image(struct augment *m, const uint8_t seed[32], const float *from, float *to)
{
    uint32_t words[AFFINE + 2 * POINTS * POINTS];
    float random[AFFINE + 2 * POINTS * POINTS];

    randombytes_buf_deterministic(words, sizeof words, seed);
    for (size_t k = 0; k < sizeof random / sizeof *random; k++)
        random[k] = (float)((double)words[k] * 0x1p-31 - 1);
    places(m, random);
    for (int64_t channel = 0; channel < m->channels; channel++)
        sample(m, from + channel * m->h * m->w, to + channel * m->h * m->w);
}
