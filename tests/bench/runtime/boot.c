/* boot.c - rows of a bootstrap and its steps: N = 2^15, the compiler's shape, all slots. Each step
 * works on what the one before left. */
#include <math.h>
#include <stdlib.h>

#include "bench.h"
#include "boot/boot_impl.h"
#include "ola/client.h"

#define LOG_N  15u
#define PERIOD (1u << (LOG_N - 1))
#define SCALE  0x1p28

struct boot {
    struct ola_literal literal;
    struct ola_boot_plan plan;
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *server[BENCH_THREADS];
    ola_boot *boot;
    ola_ct *in, *out;
    ola_ct *at[4]; /* what the steps begin with */
};

static void
choose(struct ola_literal *l)
{
    static const uint32_t q[] = {36, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
                                 33, 35, 38, 38, 39, 41, 43, 36, 37, 37, 37};
    enum { N_Q = sizeof q / sizeof *q, N_P = 3, P_BITS = 41 };
    uint64_t prime[N_Q + N_P];
    bool found = true;
    *l = (struct ola_literal){
        .log_n = LOG_N, .n_q = N_Q, .n_p = N_P, .digit_limbs = N_P, .boot = {2, 3, 30, 3, 16, 0}};
    for (uint32_t k = 0; k < N_Q + N_P; k++) {
        found &= ola_plan_primes(LOG_N, k < N_Q ? q[k] : P_BITS, 1, prime, k, prime + k);
        *(k < N_Q ? &l->q[k] : &l->p[k - N_Q]) = prime[k];
    }
    bench_must(found ? OLA_OK : OLA_ERR_PRIME, "primes");
    l->boot.out_level =
        N_Q - 1 - l->boot.cts - ola_plan_poly_depth(l->boot.degree) - l->boot.doubles;
}

static void
boot_open(struct boot *b, uint32_t threads)
{
    uint32_t step[OLA_MAX_BOOT_ROTATIONS], level[OLA_MAX_BOOT_ROTATIONS];
    double *v = malloc(PERIOD * sizeof *v);
    bench_must(v == NULL ? OLA_ERR_NOMEM : OLA_OK, "vector");
    choose(&b->literal);
    bench_must(ola_params_new(&b->literal, &b->params), "params");
    bench_must(ola_plan_boot(&b->literal, PERIOD, &b->plan) ? OLA_OK : OLA_ERR_PARAM, "plan");
    bench_must(ola_client_new(b->params, &b->client), "client");
    for (uint32_t k = 0; k < b->plan.n_rotations; k++) {
        step[k] = b->plan.rotation[k].step;
        level[k] = b->plan.rotation[k].level;
    }
    const struct ola_key_plan keys = {UINT32_MAX, b->plan.n_rotations, step, level};
    bench_must(ola_client_keys(b->client, &keys, &b->keys), "keys");
    for (uint32_t t = 0; t < threads; t++)
        bench_must(ola_server_make(b->params, b->keys, (int)t + 1, &b->server[t]), "server");
    bench_must(ola_boot_new(b->params, PERIOD, SCALE, SCALE, &b->boot), "boot");
    bench_must(ola_ct_new(b->params, &b->in), "ciphertext");
    bench_must(ola_ct_new(b->params, &b->out), "ciphertext");
    for (uint32_t k = 0; k < 4; k++)
        bench_must(ola_ct_new(b->params, &b->at[k]), "ciphertext");
    for (uint32_t t = 0; t < PERIOD; t++)
        v[t] = sin(0.3 * t);
    bench_must(ola_encrypt(b->client, b->in, v, PERIOD, b->plan.in_level, SCALE), "encrypt");
    free(v);
}

static void
boot_close(struct boot *b)
{
    for (uint32_t k = 0; k < 4; k++)
        ola_ct_free(b->at[k]);
    ola_ct_free(b->in);
    ola_ct_free(b->out);
    ola_boot_free(b->boot);
    for (uint32_t t = 0; t < BENCH_THREADS; t++)
        ola_server_free(b->server[t]);
    ola_keys_free(b->keys);
    ola_client_free(b->client);
    ola_params_free(b->params);
    ola_memory_trim();
}

static void
step(struct boot *b, uint32_t t, uint32_t k, struct ola_boot_turns *turns)
{
    struct ola_server *s = b->server[t];
    int status = OLA_OK;
    if (k == 0)
        status = ola_boot_slots_to_coeffs(s, b->boot, b->in, turns);
    else if (k == 1)
        status = ola_boot_raise_modulus(s, b->boot, turns);
    else if (k == 2)
        status = ola_boot_coeffs_to_slots(s, b->boot, turns);
    else
        status = ola_boot_eval_mod(s, b->boot, turns->now);
    bench_must(status, "bootstrap");
}

/* One step from where the last whole run was before it. */
static void
run_step(struct boot *b, uint32_t t, uint32_t k)
{
    struct ola_boot_turns turns = {&b->server[t]->held[0], &b->server[t]->held[1]};
    if (k != 0)
        bench_must(ola_ct_copy(turns.now, b->at[k]), "copy");
    step(b, t, k, &turns);
}

#define STEP(name, k)                                                                              \
    static void name(void *context, uint32_t t)                                                    \
    {                                                                                              \
        run_step(context, t, k);                                                                   \
    }
STEP(run_slots_to_coeffs, 0)
STEP(run_raise, 1)
STEP(run_coeffs_to_slots, 2)
STEP(run_eval_mod, 3)

static void
run_all(void *context, uint32_t t)
{
    struct boot *b = context;
    bench_must(ola_bootstrap(b->server[t], b->boot, b->out, b->in), "bootstrap");
}

static void
note_steps(struct boot *b)
{
    struct ola_boot_turns turns = {&b->server[0]->held[0], &b->server[0]->held[1]};
    for (uint32_t k = 0; k < 4; k++) {
        if (k != 0)
            bench_must(ola_ct_copy(b->at[k], turns.now), "copy");
        step(b, 0, k, &turns);
    }
}

/* ---- costs ---- */

static struct cost
cost_maps(struct ola_map *const *map, uint32_t count)
{
    struct cost sum = {0};
    for (uint32_t k = 0; k < count; k++)
        sum = cost_add(sum, cost_map(map[k]));
    return sum;
}

/* All limbs of both parts from one; a key switch of one digit each way. */
static struct cost
cost_raise_modulus(const struct boot *b)
{
    struct shape top = shape_at(b->params, b->plan.top);
    top.digit = top.limbs;
    const struct cost limb = cost_add(cost_convert(LOG_N, 1), cost_ntt(LOG_N));
    return cost_add(cost_times(2.0 * (top.limbs + 1) + top.special, limb), cost_hoisted(&top));
}

static struct cost
cost_eval_mod(const struct boot *b)
{
    const struct ola_boot_shape *shape = &b->literal.boot;
    const uint32_t level = b->plan.eval_level;
    const struct shape first = shape_at(b->params, level);
    struct cost sum =
        cost_add(cost_product(&first), cost_poly(b->params, shape->degree / 2, level - 1));
    for (uint32_t k = 0; k < shape->doubles; k++) {
        const struct shape at = shape_at(b->params, shape->out_level + 1 + k);
        sum = cost_add(sum, cost_product(&at));
    }
    return sum;
}

/* Sums over a rotation and its conjugate come on top of the maps. */
static struct cost
cost_coeffs_to_slots(const struct boot *b)
{
    const struct shape last = shape_at(b->params, b->plan.eval_level);
    return cost_add(cost_maps(b->boot->cts, b->literal.boot.cts), cost_rotation(&last));
}

void
bench_bootstrap(struct bench *b)
{
    struct boot boot = {0};
    char text[160];
    boot_open(&boot, b->threads);
    note_steps(&boot);
    snprintf(text, sizeof text,
             "-- N = 2^%u, %u slots, %u + %u primes, log QP %.0f, digits of %u limbs, %u bits of "
             "security; %u levels left",
             LOG_N, PERIOD, boot.literal.n_q, boot.literal.n_p, ola_params_log_qp(boot.params),
             boot.literal.digit_limbs, ola_params_security(boot.params),
             boot.plan.out_level - boot.plan.in_level);
    bench_note(b, text);
    const struct cost cost[4] = {cost_maps(boot.boot->stc, boot.literal.boot.stc),
                                 cost_raise_modulus(&boot), cost_coeffs_to_slots(&boot),
                                 cost_eval_mod(&boot)};
    const struct cost all = cost_add(cost_add(cost[0], cost[1]), cost_add(cost[2], cost[3]));
    const struct operation row[] = {
        {"bootstrap: slots to coefficients", LOG_N, true, cost[0], run_slots_to_coeffs},
        {"bootstrap: raise the modulus", LOG_N, true, cost[1], run_raise},
        {"bootstrap: coefficients to slots", LOG_N, true, cost[2], run_coeffs_to_slots},
        {"bootstrap: take the modulus", LOG_N, true, cost[3], run_eval_mod},
        {"bootstrap", LOG_N, true, all, run_all},
    };
    for (size_t r = 0; r < sizeof row / sizeof *row; r++)
        bench_row(b, &row[r], &boot);
    boot_close(&boot);
}
