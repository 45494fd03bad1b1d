/* he_map.c - the rotations that the runtime makes of a linear map (ola_linear), counted. */
#include "ir/he.h"

#include <stdlib.h>

struct he_baby
he_map_baby(const struct he_map *m, uint32_t step)
{
    uint32_t fine = m->coarse ? step % m->coarse : step;
    return (struct he_baby){step - fine, fine};
}

uint32_t
he_map_giant(const struct he_map *m, uint32_t k)
{
    const struct he_diagonal *d = &m->diagonals.at[k];
    return d->giant - (k && d[-1].out_ct == d->out_ct ? d[-1].giant : 0);
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint32_t
distinct(uint64_t *keys, uint32_t n)
{
    uint32_t count = 0;
    if (n)
        qsort(keys, n, sizeof *keys, compare);
    for (uint32_t k = 0; k < n; k++)
        count += k == 0 || keys[k] != keys[k - 1];
    return count;
}

struct he_rotations
he_map_rotations(const struct he_map *m)
{
    struct arena *a = arena_new();
    uint32_t n = m->diagonals.len, coarse = 0, fine = 0, raised = 0;
    uint64_t *c = ARENA_ARRAY(a, uint64_t, n + 1), *f = ARENA_ARRAY(a, uint64_t, n + 1);
    uint64_t *r = ARENA_ARRAY(a, uint64_t, 2 * (size_t)n + 1);
    struct he_rotations out = {.folds = m->folds.len * m->out_cts};

    for (uint32_t k = 0; k < n; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        struct he_baby b = he_map_baby(m, d->baby);
        uint64_t input = ((uint64_t)d->arg * m->in_cts + d->in_ct) << 32;
        if (b.coarse) {
            c[coarse++] = input | b.coarse;
            r[raised++] = input;
        }
        if (b.fine) {
            f[fine++] = input | d->baby;
            r[raised++] = input | b.coarse;
        }
        out.giants += he_map_giant(m, k) != 0;
    }
    out.coarse = distinct(c, coarse);
    out.fine = distinct(f, fine);
    out.raised = distinct(r, raised);
    arena_free(a);
    return out;
}

uint32_t
he_rotations_sum(const struct he_rotations *r)
{
    return r->coarse + r->fine + r->giants + r->folds;
}
