/* round.c - progressive rounding, and what the network computes with. */
#include "tune/internal.h"

#include "base/wide.h"

#include <math.h>
#include <stdlib.h>

struct size {
    double value;
    uint32_t at;
};

static int
largest_first(const void *a, const void *b)
{
    const struct size *x = a, *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static void
round_layer(struct training *t, uint32_t k, double share, struct size *s)
{
    const struct learner_param *p = &t->params[k];
    struct pow2_grid *grid = &t->grid[k];
    uint32_t n = 0, fixed = 0, live;
    double largest = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        double w = fabs((double)t->latent[p->first + i]);
        if (t->entry[p->first + i] == FREE)
            s[n++] = (struct size){w, i};
        fixed += t->entry[p->first + i] == FIXED;
        largest = t->entry[p->first + i] == PRUNED ? largest : fmax(largest, w);
    }
    if (!grid->terms && !pow2_grid(largest, t->o.bits, t->o.terms, grid))
        return; /* all zero: nothing to round */
    live = n + fixed;
    qsort(s, n, sizeof *s, largest_first);
    for (uint32_t i = 0; i < n && fixed < ceil(share * live); i++, fixed++) {
        float *w = &t->latent[p->first + s[i].at];
        *w = (float)pow2_round(grid, (double)*w);
        t->entry[p->first + s[i].at] = FIXED;
    }
}

void
tune_round(struct training *t, double share)
{
    struct arena *a = arena_new();
    struct size *s = ARENA_ARRAY(a, struct size, t->size + 1);

    for (uint32_t k = 0; k < t->n_params; k++)
        if (t->params[k].kind != LEARN_BIAS)
            round_layer(t, k, share, s);
    arena_free(a);
}

WIDE static void
apply(uint32_t n, const uint8_t *restrict entry, const float *restrict latent, float *restrict to)
{
    for (uint32_t i = 0; i < n; i++)
        to[i] = entry[i] == PRUNED ? 0 : latent[i];
}

void
tune_apply(struct training *t)
{
    for (uint32_t k = 0; k < t->n_params; k++) {
        const struct learner_param *p = &t->params[k];
        apply(p->n, t->entry + p->first, t->latent + p->first, p->data);
    }
}
