/* prune.c - which weights are zero: those with the least scores of all layers. A score is the
 * weight's square over the sum of the squares not below it in its layer, so that layers of any size
 * and scale can be compared and none loses its largest weight; less where it is used more often, as
 * a kernel's are at every position, since an operation on ciphertexts is what it costs. */
#include "tune/internal.h"

#include <math.h>
#include <stdlib.h>

/* 0 would count weights, 1 operations. Settled on held-out training images. */
#define BY_USE 0.7

struct score {
    double value;
    size_t at;
};

static int
by_value(const void *a, const void *b)
{
    const struct score *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

void
tune_prune(struct training *t, double share)
{
    struct arena *a = arena_new();
    struct score *s = ARENA_ARRAY(a, struct score, t->size + 1);
    size_t n = 0;

    for (uint32_t k = 0; k < t->n_params; k++) {
        const struct learner_param *p = &t->params[k];
        size_t first = n;
        double sum = 0, by_use = pow(p->uses, BY_USE);
        if (p->kind == LEARN_BIAS)
            continue;
        for (uint32_t i = 0; i < p->n; i++)
            s[n++] = (struct score){pow((double)t->latent[p->first + i], 2), p->first + i};
        qsort(s + first, p->n, sizeof *s, by_value);
        for (size_t i = n; i-- > first;) {
            double square = s[i].value;
            sum += square;
            s[i].value = !(sum > 0) ? 0 : i + 1 == n ? 1 : square / sum / by_use;
        }
    }
    qsort(s, n, sizeof *s, by_value);
    for (size_t i = 0; i < n; i++)
        t->entry[s[i].at] = (double)i < floor(share * (double)n) ? PRUNED : FREE;
    arena_free(a);
}
