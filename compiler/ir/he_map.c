/* he_map.c - the rotations that the runtime makes of a linear map (ola_linear). */
#include "ir/he.h"

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

/* A rotation of an input. */
struct turn {
    uint32_t input, step;
};

/* Sorts turns, each left once; how many there are then. Inputs and steps are small numbers: a bit
 * for each that may be. */
static uint32_t
distinct(struct arena *a, struct turn *turns, uint32_t n)
{
    uint32_t inputs = 0, steps = 0, count = 0;

    for (uint32_t k = 0; k < n; k++) {
        inputs = turns[k].input >= inputs ? turns[k].input + 1 : inputs;
        steps = turns[k].step >= steps ? turns[k].step + 1 : steps;
    }
    size_t words = steps / 64 + 1;
    uint64_t *seen = ARENA_ARRAY(a, uint64_t, words * inputs + 1);
    for (uint32_t k = 0; k < n; k++)
        seen[turns[k].input * words + turns[k].step / 64] |= UINT64_C(1) << turns[k].step % 64;
    for (uint32_t i = 0; i < inputs; i++)
        for (size_t w = 0; w < words; w++)
            for (uint64_t left = seen[i * words + w]; left; left &= left - 1)
                turns[count++] =
                    (struct turn){i, (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left)};
    return count;
}

uint32_t
he_map_coarse(struct arena *a, const struct he_map *m, struct he_coarse **list)
{
    struct turn *turns = ARENA_ARRAY(a, struct turn, m->diagonals.len + 1);
    uint32_t n = 0;
    for (uint32_t k = 0; k < m->diagonals.len; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        uint32_t coarse = he_map_baby(m, d->baby).coarse;
        if (coarse)
            turns[n++] = (struct turn){d->arg * m->in_cts + d->in_ct, coarse};
    }
    n = distinct(a, turns, n);
    *list = ARENA_ARRAY(a, struct he_coarse, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        bool chained = k && turns[k - 1].input == turns[k].input;
        (*list)[k] =
            (struct he_coarse){turns[k].input, turns[k].step, chained ? turns[k - 1].step : 0};
    }
    return n;
}

struct he_rotations
he_map_rotations(const struct he_map *m)
{
    struct arena *a = arena_new();
    uint32_t n = m->diagonals.len, fine = 0, raised = 0;
    struct turn run = {UINT32_MAX, UINT32_MAX};
    struct turn *f = ARENA_ARRAY(a, struct turn, n + 1);
    struct turn *r = ARENA_ARRAY(a, struct turn, 2 * (size_t)n + 1);
    struct he_coarse *c;
    struct he_rotations out = {.folds = m->folds.len * m->out_cts};

    for (uint32_t k = 0; k < n; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        struct he_baby b = he_map_baby(m, d->baby);
        uint32_t input = d->arg * m->in_cts + d->in_ct;
        if (b.fine) {
            f[fine++] = (struct turn){input, d->baby};
            r[raised++] = (struct turn){input, b.coarse};
        }
        bool opens = !k || d[-1].giant != d->giant || d[-1].out_ct != d->out_ct;
        out.runs += opens || run.input != input || run.step != b.coarse;
        run = (struct turn){input, b.coarse};
        out.giants += he_map_giant(m, k) != 0;
        out.rotated += d->giant && (k + 1 == n || d[1].out_ct != d->out_ct);
    }
    out.coarse = he_map_coarse(a, m, &c);
    for (uint32_t k = 0; k < out.coarse; k++)
        r[raised++] = (struct turn){c[k].input, c[k].from};
    out.fine = distinct(a, f, fine);
    out.raised = distinct(a, r, raised);
    arena_free(a);
    return out;
}

uint32_t
he_rotations_sum(const struct he_rotations *r)
{
    return r->coarse + r->fine + r->giants + r->folds;
}
