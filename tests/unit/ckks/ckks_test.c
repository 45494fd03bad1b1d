/* ckks_test.c - see ckks_test.h. */
#include "ckks_test.h"

void
world_open(struct world *w, const struct world_spec *spec)
{
    struct ola_literal *l = &w->literal;
    memset(w, 0, sizeof *w);
    l->log_n = spec->log_n;
    l->n_q = spec->n_q;
    l->n_p = spec->n_p;
    l->digit_limbs = spec->digit_limbs;
    l->insecure_toy = spec->toy;
    cr_assert(ola_plan_primes(l->log_n, spec->p_bits, l->n_p, NULL, 0, l->p));
    cr_assert(ola_plan_primes(l->log_n, spec->bits + 6 < 49 ? spec->bits + 6 : 49, 1, l->p, l->n_p,
                              l->q));
    uint64_t taken[OLA_MAX_P + 1];
    memcpy(taken, l->p, l->n_p * sizeof *taken);
    taken[l->n_p] = l->q[0];
    cr_assert(ola_plan_primes(l->log_n, spec->bits, l->n_q - 1, taken, l->n_p + 1, l->q + 1));
    OK(ola_params_new(l, &w->params));
    OK(ola_client_new(w->params, &w->client));
    uint32_t levels[24];
    for (uint32_t k = 0; k < spec->n_steps; k++)
        levels[k] = l->n_q - 1;
    struct ola_key_plan plan = {l->n_q - 1, spec->n_steps, spec->steps, levels};
    OK(ola_client_keys(w->client, &plan, &w->keys));
    OK(ola_server_new(w->params, w->keys, &w->server));
    w->slots = ola_params_slots(w->params);
    w->scale = ldexp(1.0, (int)spec->bits);
}

void
world_close(struct world *w)
{
    ola_server_free(w->server);
    ola_keys_free(w->keys);
    ola_client_free(w->client);
    ola_params_free(w->params);
}

void
fill_random(double *v, uint32_t n, uint64_t seed)
{
    uint64_t x = seed * 2654435769u + 88172645463325252u;
    for (uint32_t t = 0; t < n; t++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        v[t] = (double)(x >> 11) * 0x1p-52 - 1.0;
    }
}

ola_ct *
empty(const struct world *w)
{
    ola_ct *ct;
    OK(ola_ct_new(w->params, &ct));
    return ct;
}

ola_ct *
encrypt(const struct world *w, const double *v, uint32_t level, double scale)
{
    ola_ct *ct = empty(w);
    OK(ola_encrypt(w->client, ct, v, w->slots, level, scale));
    return ct;
}

double
distance(const struct world *w, const ola_ct *ct, const double *want)
{
    double *got = malloc(w->slots * sizeof *got), largest = 0.0;
    OK(ola_decrypt(w->client, ct, got, w->slots));
    for (uint32_t t = 0; t < w->slots; t++)
        largest = fmax(largest, fabs(got[t] - want[t]));
    free(got);
    return largest;
}

double
bound_fresh(const struct world *w, double scale)
{
    return 6 * 3.2 * sqrt(2.0 * w->slots) / scale;
}

/* Each part is rounded: deviation sqrt(1/12), and one is multiplied with a secret of 2N/3 terms
 * of 1. */
double
bound_rounding(const struct world *w, double scale)
{
    double n = 2.0 * w->slots;
    return 6 * sqrt(n / 12 * (1 + 2 * n / 3)) / scale;
}

/* A digit of half its product at most, uniform, times noise of 3.2, over all digits, divided by P;
 * then rounded. */
double
bound_switch(const struct world *w, double scale)
{
    const struct ola_literal *l = &w->literal;
    double n = 2.0 * w->slots, log_p = 0, variance = 0;
    for (uint32_t k = 0; k < l->n_p; k++)
        log_p += log2((double)l->p[k]);
    for (uint32_t k = 0, end = 0; k < l->n_q; k = end) {
        double log_d = -log_p;
        end = ola_plan_digit_end(l, k);
        for (uint32_t i = k; i < end; i++)
            log_d += log2((double)l->q[i]);
        variance += exp2(2 * log_d) / 12 * n * 3.2 * 3.2;
    }
    return 6 * sqrt(n * variance) / scale + bound_rounding(w, scale);
}
