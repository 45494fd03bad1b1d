/* he_map.c - the rotations that the runtime makes of a linear map (ola_linear). */
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

void
he_map_zeros(const struct he_map *m, uint32_t ct, uint32_t slots, bool *zero)
{
    struct arena *a = arena_new();
    bool *before = ARENA_ARRAY(a, bool, slots);
    for (uint32_t t = 0; t < slots; t++)
        zero[t] = true;
    for (uint32_t k = 0; k < m->diagonals.len; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        for (uint32_t t = 0; d->out_ct == ct && t < slots; t++)
            zero[t] &= d->value && d->value[(t + d->giant) & (d->period - 1)] == 0;
    }
    for (uint32_t f = 0; f < m->folds.len; f++) {
        memcpy(before, zero, slots * sizeof *zero);
        for (uint32_t t = 0; t < slots; t++)
            zero[t] &= before[(t + m->folds.at[f]) & (slots - 1)];
    }
    for (uint32_t t = 0; m->bias && t < slots; t++)
        zero[t] &= m->bias[ct][t & (m->bias_period - 1)] == 0;
    arena_free(a);
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Sorts keys, each left once; how many there are then. */
static uint32_t
distinct(uint64_t *keys, uint32_t n)
{
    uint32_t count = 0;
    if (n)
        qsort(keys, n, sizeof *keys, compare);
    for (uint32_t k = 0; k < n; k++)
        if (count == 0 || keys[k] != keys[count - 1])
            keys[count++] = keys[k];
    return count;
}

static uint64_t
key_of(uint32_t input, uint32_t step)
{
    return (uint64_t)input << 32 | step;
}

uint32_t
he_map_coarse(struct arena *a, const struct he_map *m, struct he_coarse **list)
{
    uint64_t *keys = ARENA_ARRAY(a, uint64_t, m->diagonals.len + 1);
    uint32_t n = 0;
    for (uint32_t k = 0; k < m->diagonals.len; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        uint32_t coarse = he_map_baby(m, d->baby).coarse;
        if (coarse)
            keys[n++] = key_of(d->arg * m->in_cts + d->in_ct, coarse);
    }
    n = distinct(keys, n);
    *list = ARENA_ARRAY(a, struct he_coarse, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t input = (uint32_t)(keys[k] >> 32), before = k ? k - 1 : 0;
        bool chained = k && (*list)[before].input == input;
        (*list)[k] =
            (struct he_coarse){input, (uint32_t)keys[k], chained ? (*list)[before].step : 0};
    }
    return n;
}

struct he_rotations
he_map_rotations(const struct he_map *m)
{
    struct arena *a = arena_new();
    uint32_t n = m->diagonals.len, fine = 0, raised = 0;
    uint64_t run = UINT64_MAX;
    uint64_t *f = ARENA_ARRAY(a, uint64_t, n + 1);
    uint64_t *r = ARENA_ARRAY(a, uint64_t, 2 * (size_t)n + 1);
    struct he_coarse *c;
    struct he_rotations out = {.folds = m->folds.len * m->out_cts};

    for (uint32_t k = 0; k < n; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        struct he_baby b = he_map_baby(m, d->baby);
        uint32_t input = d->arg * m->in_cts + d->in_ct;
        if (b.fine) {
            f[fine++] = key_of(input, d->baby);
            r[raised++] = key_of(input, b.coarse);
        }
        bool opens = !k || d[-1].giant != d->giant || d[-1].out_ct != d->out_ct;
        out.runs += opens || run != key_of(input, b.coarse);
        run = key_of(input, b.coarse);
        out.giants += he_map_giant(m, k) != 0;
        out.rotated += d->giant && (k + 1 == n || d[1].out_ct != d->out_ct);
    }
    out.coarse = he_map_coarse(a, m, &c);
    for (uint32_t k = 0; k < out.coarse; k++)
        r[raised++] = key_of(c[k].input, c[k].from);
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
