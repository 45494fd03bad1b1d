/* measure.c - see choose.h. What a polynomial does to the answers alone, with everything else
 * exact: of all orders, and with what its errors have in common, which derivatives do not see. */
#include "choose/choose.h"
#include "op/lockstep.h"

#include <math.h>

/* The logarithm of the sum of exponentials. */
static double
log_sum(const float *z, int64_t n)
{
    double most = (double)z[0], sum = 0;

    for (int64_t i = 1; i < n; i++)
        most = fmax(most, (double)z[i]);
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)z[i] - most);
    return most + log(sum);
}

/* By how much the loss of answers z exceeds that of z0, if z0 are the probabilities: the divergence
 * of Kullback and Leibler; of a single output its square difference. */
static double
excess(const float *z0, const float *z, int64_t n)
{
    double sum0 = log_sum(z0, n), sum1 = log_sum(z, n), sum = 0;

    if (n == 1)
        return pow((double)z[0] - (double)z0[0], 2);
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)z0[i] - sum0) * ((double)z0[i] - sum0 - (double)z[i] + sum1);
    return sum;
}

/* An answer that is not finite counts as this. */
#define RAN_AWAY 1e3

/* What the answers lose on average. */
static double
mean_excess(const float *clean, const float *ours, uint32_t n, int64_t size)
{
    double sum = 0;

    for (uint32_t image = 0; image < n; image++) {
        double e = excess(clean + image * size, ours + image * size, size);
        sum += isfinite(e) ? fmin(fmax(e, 0), RAN_AWAY) : RAN_AWAY;
    }
    return sum / n;
}

bool
choose_measure(struct graph *g, const float *images, uint32_t n, struct choice *c,
               void (*progress)(void *user, const char *what, uint32_t done, uint32_t all),
               void *user, struct diag *d)
{
    struct arena *a = arena_new();
    struct interpret_options exact = {0};
    int64_t size = shape_size(&graph_value(g, g->outputs.at[0])->shape);
    float *clean = ARENA_ARRAY(a, float, (size_t)(n * size) + 1);
    float *ours = ARENA_ARRAY(a, float, (size_t)(n * size) + 1);
    struct lockstep *s = lockstep_new(g, g, images, n);
    bool ok = interpret_many(g, &exact, images, n, clean, d);

    for (uint32_t k = 0; ok && k < c->n; k++) {
        struct choice_layer *l = &c->layers[k];
        /* what stands before the activation is the same for all candidates */
        ok = lockstep_advance(s, l->node, d);
        for (uint32_t i = 0; ok && i < l->n; i++) {
            g->nodes.at[l->node].poly = l->option[i].poly;
            ok = lockstep_rest(s, ours, d);
            l->option[i].measured = ok ? mean_excess(clean, ours, n, size) : 0;
            if (progress)
                progress(user, "measuring degrees", k * l->n + i + 1, c->n * l->n);
        }
        g->nodes.at[l->node].poly = NULL;
        l->measured = ok;
    }
    lockstep_free(s);
    arena_free(a);
    return ok;
}
