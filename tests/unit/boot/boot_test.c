/* boot_test.c - see boot_test.h. */
#include "boot_test.h"

struct ola_literal
literal_of(uint32_t log_n, const uint32_t *q, uint32_t n_q, const uint32_t *p, uint32_t n_p,
           struct ola_boot_shape boot)
{
    struct ola_literal l = {
        .log_n = log_n, .n_q = n_q, .n_p = n_p, .digit_limbs = n_p + 2, .boot = boot};
    uint64_t prime[OLA_MAX_Q + OLA_MAX_P];
    for (uint32_t k = 0; k < n_q + n_p; k++)
        cr_assert(ola_plan_primes(log_n, k < n_q ? q[k] : p[k - n_q], 1, prime, k, prime + k));
    memcpy(l.q, prime, n_q * sizeof *prime);
    memcpy(l.p, prime + n_q, n_p * sizeof *prime);
    l.boot.out_level = n_q - 1 - boot.cts - ola_plan_poly_depth(boot.degree) - boot.doubles;
    return l;
}

struct ola_literal
toy_of(uint32_t log_n, uint32_t stc, uint32_t cts)
{
    const uint32_t n_q = 2 + stc + cts + 8, p[2] = {48, 48};
    uint32_t q[32];
    for (uint32_t k = 0; k < n_q; k++)
        q[k] = 45;
    struct ola_literal l =
        literal_of(log_n, q, n_q, p, 2, (struct ola_boot_shape){stc, cts, 30, 3, 16, 0});
    l.insecure_toy = true;
    return l;
}

void
world_open(struct world *w, struct ola_literal l, uint32_t period, double in_scale,
           double out_scale, uint32_t missing)
{
    uint32_t step[OLA_MAX_BOOT_ROTATIONS], level[OLA_MAX_BOOT_ROTATIONS], n = 0;
    memset(w, 0, sizeof *w);
    w->l = l;
    w->slots = 1u << (l.log_n - 1);
    w->period = period;
    w->in_scale = in_scale;
    w->out_scale = out_scale;
    OK(ola_params_new(&l, &w->p));
    OK(ola_client_new(w->p, &w->client));
    cr_assert(ola_plan_boot(&l, period, &w->plan));
    for (uint32_t k = 0; k < w->plan.n_rotations; k++) {
        if (k == missing)
            continue;
        step[n] = w->plan.rotation[k].step;
        level[n++] = w->plan.rotation[k].level;
    }
    const struct ola_key_plan keys = {UINT32_MAX, n, step, level};
    OK(ola_client_keys(w->client, &keys, &w->keys));
    OK(ola_server_new(w->p, w->keys, &w->server));
    OK(ola_boot_new(w->p, period, in_scale, out_scale, &w->boot));
    OK(ola_ct_new(w->p, &w->a));
    OK(ola_ct_new(w->p, &w->b));
    OK(ola_ct_new(w->p, &w->c));
    w->x = malloc(w->slots * sizeof *w->x);
    cr_assert_not_null(w->x);
    uint64_t state = period;
    for (uint32_t t = 0; t < w->slots; t++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        w->x[t] = t < period ? (double)(int64_t)state * 0x1p-63 : w->x[t - period];
    }
}

void
world_close(struct world *w)
{
    ola_ct_free(w->a);
    ola_ct_free(w->b);
    ola_ct_free(w->c);
    ola_boot_free(w->boot);
    ola_server_free(w->server);
    ola_keys_free(w->keys);
    ola_client_free(w->client);
    ola_params_free(w->p);
    free(w->x);
}

double
deviation(const struct world *w, const ola_ct *ct, const double *want)
{
    double *got = malloc(w->slots * sizeof *got), sum = 0.0;
    OK(ola_decrypt(w->client, ct, got, w->slots));
    for (uint32_t t = 0; t < w->slots; t++)
        sum += (got[t] - want[t]) * (got[t] - want[t]);
    free(got);
    return sqrt(sum / w->slots);
}

uint32_t
reversed(uint32_t j, uint32_t bits)
{
    uint32_t r = 0;
    for (uint32_t k = 0; k < bits; k++)
        r |= (j >> k & 1) << (bits - 1 - k);
    return r;
}
