/* augment.c - see augment.h. Where a pixel comes from is an affine map of its place plus a field of
 * cubic B-splines over a lattice of random offsets. */
#include "tune/augment.h"

#include "base/wide.h"

#include <math.h>
#include <sodium.h>

#define TURN   0.1745f /* 10 degrees */
#define SCALE  0.1f
#define SHIFT  2.0f /* pixels */
#define BEND   3.0f /* pixels at a point of the lattice; the splines leave a third of it */
#define CELLS  4    /* of the lattice along an edge of the image */
#define POINTS (CELLS + 3)
#define AFFINE 6

struct augment {
    int64_t channels, h, w;
    float amount;
    float *down,
        *across;  /* [POINTS][h], [POINTS][w]: what a pixel of an edge takes of each point */
    float *y, *x; /* [h * w]: where pixels come from */
};

/* Of n pixels along an edge; each takes of four points. */
static float *
splines(struct arena *a, int64_t n)
{
    float *s = ARENA_ARRAY(a, float, (size_t)n *POINTS);

    for (int64_t i = 0; i < n; i++) {
        double t = CELLS * ((double)i + 0.5) / (double)n, f = t - floor(t), e = 1 - f;
        double by[4] = {e * e * e / 6, 2.0 / 3 - f * f * (2 - f) / 2, 2.0 / 3 - e * e * (2 - e) / 2,
                        f * f * f / 6};
        for (int k = 0; k < 4; k++)
            s[((int)t + k) * n + i] = (float)by[k];
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

/* to[x] += the sum over the points of what pixel x takes of each times its offset. */
WIDE static void
bend(const float *restrict across, int64_t w, const float offset[POINTS], float *restrict to)
{
    for (int k = 0; k < POINTS; k++)
        for (int64_t x = 0; x < w; x++)
            to[x] += across[k * w + x] * offset[k];
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
        float line[2][POINTS] = {{0}}, v = ((float)y - middle_y) * by_y;
        float *to_y = m->y + y * m->w, *to_x = m->x + y * m->w;
        for (int q = 0; q < POINTS; q++) {
            float by = BEND * a * m->down[q * m->h + y];
            for (int p = 0; by > 0 && p < POINTS; p++) {
                line[0][p] += by * offset[0][q * POINTS + p];
                line[1][p] += by * offset[1][q * POINTS + p];
            }
        }
        for (int64_t x = 0; x < m->w; x++) {
            float u = ((float)x - middle_x) * by_x + slant * v;
            to_y[x] = middle_y + c * v + sn * u + SHIFT * a * r[4];
            to_x[x] = middle_x - sn * v + c * u + SHIFT * a * r[5];
        }
        bend(m->across, m->w, line[0], to_y);
        bend(m->across, m->w, line[1], to_x);
    }
}

/* Between four pixels; beyond the border its nearest pixel. Places are below 2^31: images are in
 * memory. */
WIDE static void
sample(const struct augment *m, const float *restrict plane, float *restrict to)
{
    const float *restrict from_y = m->y, *restrict from_x = m->x;
    float last_y = (float)(m->h - 1), last_x = (float)(m->w - 1);
    int32_t w = (int32_t)m->w, h = (int32_t)m->h, n = h * w;

    for (int32_t k = 0; k < n; k++) {
        float y = from_y[k] > 0 ? from_y[k] : 0, x = from_x[k] > 0 ? from_x[k] : 0;
        y = y < last_y ? y : last_y;
        x = x < last_x ? x : last_x;
        int32_t top = (int32_t)y, left = (int32_t)x, at = top * w + left;
        int32_t below = top + 1 < h ? w : 0, right = left + 1 < w ? 1 : 0;
        float v = y - (float)top, u = x - (float)left;
        float upper = plane[at] + u * (plane[at + right] - plane[at]);
        float lower = plane[at + below] + u * (plane[at + below + right] - plane[at + below]);
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
