/* bench_boot.c - bootstrapping on this machine: for each parameter set the time, the error of the
 * result beside the modelled one, levels left, keys and memory. Usage: bench_boot [SET
 * [LOG_PERIOD]] (a number of ola_plan_boot_set, default all; default all slots), OMP_NUM_THREADS as
 * wanted; milliseconds, least of the repeats. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "boot/boot_impl.h"
#include "ola/client.h"

#define REPEATS 3

static void
must(ola_status s, const char *what)
{
    if (s != OLA_OK) {
        fprintf(stderr, "bench_boot: %s: %s\n", what, ola_status_text(s));
        exit(1);
    }
}

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double
cpu_ms(void)
{
    return 1e3 * (double)clock() / CLOCKS_PER_SEC;
}

struct bench {
    struct ola_literal l;
    struct ola_boot_plan plan;
    uint32_t slots, period;
    double in, out;
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_boot *boot;
    ola_ct *a, *b;
    double *v; /* [slots] */
};

static void
make_keys(struct bench *b)
{
    uint32_t step[OLA_MAX_BOOT_ROTATIONS], level[OLA_MAX_BOOT_ROTATIONS];
    const struct ola_boot_plan *plan = &b->plan;
    uint64_t wire = ola_plan_boot_key_wire_bytes(&b->l);
    wire += ola_plan_key_wire_bytes(&b->l, plan->eval_level);
    for (uint32_t k = 0; k < plan->n_rotations; k++) {
        step[k] = plan->rotation[k].step;
        level[k] = plan->rotation[k].level;
        wire += ola_plan_key_wire_bytes(&b->l, level[k]);
    }
    const struct ola_key_plan key_plan = {UINT32_MAX, plan->n_rotations, step, level};
    const double start = now_ms();
    must(ola_client_keys(b->client, &key_plan, &b->keys), "keys");
    printf("  %u rotation keys; all keys %.0f MB in memory, %.0f MB to send; made in %.0f ms\n",
           plan->n_rotations, 1e-6 * (double)ola_keys_bytes(b->keys), 1e-6 * (double)wire,
           now_ms() - start);
}

static void
bench_open(struct bench *b, uint32_t set, uint32_t log_period)
{
    uint64_t before, after, peak, x = 1;
    *b = (struct bench){0};
    must(ola_plan_boot_set(set, &b->l, &b->in, &b->out) ? OLA_OK : OLA_ERR_PARAM, "set");
    b->slots = 1u << (b->l.log_n - 1);
    b->period = log_period < b->l.log_n ? 1u << log_period : b->slots;
    must(ola_params_new(&b->l, &b->params), "parameters");
    must(ola_plan_boot(&b->l, b->period, &b->plan) ? OLA_OK : OLA_ERR_PARAM, "plan");
    printf(
        "set %u: N = 2^%u, %u slots, log QP %.0f, %u bits, %u limbs, %u digits; %u levels left\n",
        set, b->l.log_n, b->period, ola_params_log_qp(b->params), ola_params_security(b->params),
        b->l.n_q, ola_plan_digits(&b->l, b->plan.top), b->plan.out_level - b->plan.in_level);
    must(ola_client_new(b->params, &b->client), "client");
    make_keys(b);
    must(ola_server_new(b->params, b->keys, &b->server), "server");
    ola_memory(&before, &peak);
    const double start = now_ms();
    must(ola_boot_new(b->params, b->period, b->in, b->out, &b->boot), "boot");
    ola_memory(&after, &peak);
    printf("  prepared in %.0f ms, %.1f MB\n", now_ms() - start, 1e-6 * (double)(after - before));
    b->v = malloc(b->slots * sizeof *b->v);
    for (uint32_t t = 0; t < b->slots; t++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        b->v[t] = t < b->period ? (double)(int64_t)x * 0x1p-63 : b->v[t - b->period];
    }
    must(ola_ct_new(b->params, &b->a), "ciphertext");
    must(ola_ct_new(b->params, &b->b), "ciphertext");
    must(ola_encrypt(b->client, b->a, b->v, b->period, b->plan.in_level, b->in), "encrypt");
}

static void
bench_close(struct bench *b)
{
    ola_ct_free(b->a);
    ola_ct_free(b->b);
    ola_boot_free(b->boot);
    ola_server_free(b->server);
    ola_keys_free(b->keys);
    ola_client_free(b->client);
    ola_params_free(b->params);
    free(b->v);
}

static void
report_error(const struct bench *b)
{
    double *got = malloc(b->slots * sizeof *got), sum = 0.0, bent = 0.0, most = 0.0;
    const double turn = 2.0 * M_PI * b->in / (double)b->l.q[0];
    must(ola_decrypt(b->client, b->b, got, b->slots), "decrypt");
    for (uint32_t t = 0; t < b->slots; t++) {
        const double e = got[t] - b->v[t], sine = got[t] - sin(turn * b->v[t]) / turn;
        sum += e * e;
        bent += sine * sine;
        most = fmax(most, fabs(e));
    }
    printf("  error: deviation 2^%.2f, largest 2^%.2f; from the sine 2^%.2f (modelled 2^%.2f)\n",
           log2(sqrt(sum / b->slots)), log2(most), log2(sqrt(bent / b->slots)),
           log2(ola_plan_boot_noise(&b->l, b->period, b->in, b->out)));
    free(got);
}

/* The steps one by one: CPU milliseconds, least of the repeats. */
static void
report_steps(struct bench *b)
{
    static const char *const name[4] = {"SlotsToCoeffs", "ModRaise", "CoeffsToSlots", "EvalMod"};
    double least[4] = {INFINITY, INFINITY, INFINITY, INFINITY};
    for (int k = 0; k < REPEATS; k++) {
        struct ola_boot_turns t = {&b->server->held[0], &b->server->held[1]};
        double at[5] = {cpu_ms()};
        must(ola_boot_slots_to_coeffs(b->server, b->boot, b->a, &t), name[0]);
        at[1] = cpu_ms();
        must(ola_boot_raise_modulus(b->server, b->boot, &t), name[1]);
        at[2] = cpu_ms();
        must(ola_boot_coeffs_to_slots(b->server, b->boot, &t), name[2]);
        at[3] = cpu_ms();
        must(ola_boot_eval_mod(b->server, b->boot, t.now), name[3]);
        at[4] = cpu_ms();
        for (int step = 0; step < 4; step++)
            least[step] = fmin(least[step], at[step + 1] - at[step]);
    }
    for (int step = 0; step < 4; step++)
        printf("  %s %.0f%s", name[step], least[step], step == 3 ? " ms of CPU\n" : ",");
}

static void
run(uint32_t set, uint32_t log_period)
{
    struct bench b;
    uint64_t now, peak;
    double wall = INFINITY, cpu = INFINITY;
    bench_open(&b, set, log_period);
    for (int k = 0; k < REPEATS; k++) {
        const double wall_start = now_ms(), cpu_start = cpu_ms();
        must(ola_bootstrap(b.server, b.boot, b.b, b.a), "bootstrap");
        wall = fmin(wall, now_ms() - wall_start);
        cpu = fmin(cpu, cpu_ms() - cpu_start);
    }
    ola_memory(&now, &peak);
    printf("  a bootstrap: %.0f ms, %.0f of CPU; memory so far %.0f MB\n", wall, cpu,
           1e-6 * (double)peak);
    report_steps(&b);
    report_error(&b);
    bench_close(&b);
}

int
main(int argc, char **argv)
{
    printf("libola %s, %s; milliseconds, least of %d\n", OLA_VERSION, ola_backend_name(), REPEATS);
    const uint32_t log_period = argc > 2 ? (uint32_t)atoi(argv[2]) : UINT32_MAX;
    struct ola_literal l;
    double in, out;
    for (uint32_t k = 0; ola_plan_boot_set(k, &l, &in, &out); k++) {
        if (argc < 2 || atoi(argv[1]) == (int)k)
            run(k, log_period);
    }
    return 0;
}
