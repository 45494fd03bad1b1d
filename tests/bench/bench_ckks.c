/* bench_ckks.c - times of the scheme's operations on this machine: milliseconds a call, the
 * least and the median of the repeats. Usage: bench_ckks [LIMBS [BITS]] (of the ciphertext,
 * default 8 of 40 bits), OMP_NUM_THREADS as wanted. Every ring is 128-bit secure: fewer limbs
 * are taken where the table asks for it, and the line says so. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ola/client.h"
#include "ola/ola.h"

#define REPEATS   15
#define BABIES    16u
#define GIANTS    8u
#define DIAGONALS (BABIES * GIANTS)

struct bench {
    struct ola_literal literal;
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_map *map, *hoisted;
    ola_poly *poly;
    ola_ct *a, *b, *c;
    double *v, scale;
    uint32_t slots, level;
};

static void
must(ola_status s, const char *what)
{
    if (s != OLA_OK) {
        fprintf(stderr, "bench_ckks: %s: %s\n", what, ola_status_text(s));
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

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
measure(const char *name, void (*run)(struct bench *), struct bench *b)
{
    double t[REPEATS];
    run(b);
    for (int k = 0; k < REPEATS; k++) {
        double start = now_ms();
        run(b);
        t[k] = now_ms() - start;
    }
    qsort(t, REPEATS, sizeof *t, ascending);
    printf("  %-34s %9.3f %9.3f\n", name, t[0], t[REPEATS / 2]);
}

/* The largest set of at most `limbs` that the table allows; digits of as many limbs as there are
 * special primes. */
static bool
choose(struct ola_literal *l, uint32_t log_n, uint32_t limbs, uint32_t bits, uint32_t special)
{
    for (; limbs >= 2; limbs--) {
        for (uint32_t n_p = special; n_p >= 1; n_p--) {
            *l = (struct ola_literal){.log_n = log_n, .n_q = limbs, .n_p = n_p, .digit_limbs = n_p};
            if (!ola_plan_primes(log_n, bits, limbs, NULL, 0, l->q) ||
                !ola_plan_primes(log_n, bits + 1 < 49 ? bits + 1 : 49, n_p, l->q, limbs, l->p))
                continue;
            ola_params *p;
            if (ola_params_new(l, &p) == OLA_OK) {
                ola_params_free(p);
                return true;
            }
        }
    }
    return false;
}

/* A map of one ciphertext to one: giants x babies diagonals of full length. */
static ola_map *
make_map(const struct bench *b, uint32_t giants, uint32_t babies, bool sums)
{
    const uint32_t n = giants * babies;
    struct ola_weights_map head = {
        .args = 1, .in_cts = 1, .out_cts = 1, .n_diagonals = n, .free_of_level = sums};
    const size_t values = sizeof head + n * sizeof(struct ola_weights_diagonal);
    const size_t size = values + (sums ? 0 : (size_t)n * b->slots * sizeof(float));
    unsigned char *section = malloc(size);
    memcpy(section, &head, sizeof head);
    for (uint32_t k = 0; k < n; k++) {
        struct ola_weights_diagonal d = {
            .giant = k / babies * babies,
            .baby = k % babies,
            .period = b->slots,
            .count = sums ? 0 : b->slots,
            .offset = sums ? 0 : values + (size_t)k * b->slots * sizeof(float)};
        memcpy(section + sizeof head + k * sizeof d, &d, sizeof d);
        for (uint32_t t = 0; !sums && t < b->slots; t++) {
            float v = (float)cos(k + 0.1 * t);
            memcpy(section + d.offset + t * sizeof v, &v, sizeof v);
        }
    }
    struct ola_map_desc desc = {b->level, b->scale, b->scale, false, 0};
    ola_map *map;
    must(ola_map_new(b->params, &desc, section, size, &map), "map");
    free(section);
    return map;
}

static ola_poly *
make_poly(const struct bench *b)
{
    struct ola_weights_poly head = {.degree = 7, .cts = 1, .period = 1};
    unsigned char section[sizeof head + 8 * 8];
    memcpy(section, &head, sizeof head);
    for (uint32_t k = 0; k <= 7; k++) {
        const uint32_t one = 1;
        const float v = 0.1f * (float)(k + 1);
        memcpy(section + sizeof head + 8 * k, &one, 4);
        memcpy(section + sizeof head + 8 * k + 4, &v, 4);
    }
    struct ola_map_desc desc = {b->level, b->scale, b->scale, false, 0};
    ola_poly *poly;
    must(ola_poly_new(b->params, &desc, section, sizeof section, &poly), "poly");
    return poly;
}

static void
bench_open(struct bench *b)
{
    uint32_t step[BABIES + GIANTS], level[BABIES + GIANTS], n = 0;
    double start = now_ms();
    must(ola_params_new(&b->literal, &b->params), "params");
    must(ola_client_new(b->params, &b->client), "client");
    b->slots = ola_params_slots(b->params);
    b->level = b->literal.n_q - 1;
    b->scale = (double)b->literal.q[1] / 8; /* q[0] is no larger than the others */
    for (uint32_t k = 1; k < BABIES; k++)
        step[n++] = k;
    for (uint32_t k = 1; k < GIANTS; k++)
        step[n++] = k * BABIES;
    for (uint32_t k = 0; k < n; k++)
        level[k] = b->level;
    double keys = now_ms();
    struct ola_key_plan plan = {b->level, n, step, level};
    must(ola_client_keys(b->client, &plan, &b->keys), "keys");
    double end = now_ms();
    must(ola_server_new(b->params, b->keys, &b->server), "server");
    printf("N = 2^%u, %u limbs, %u special, digits of %u, log QP %.0f, %u bits of security\n",
           b->literal.log_n, b->literal.n_q, b->literal.n_p, b->literal.digit_limbs,
           ola_params_log_qp(b->params), ola_params_security(b->params));
    printf("  %-34s %9.3f\n  %-34s %9.3f (%u keys, %.1f MB)\n", "parameters and secret",
           keys - start, "a key", (end - keys) / (n + 1), n + 1,
           1e-6 * (double)ola_keys_bytes(b->keys));
    b->v = malloc(b->slots * sizeof *b->v);
    for (uint32_t t = 0; t < b->slots; t++)
        b->v[t] = sin(0.3 * t);
    must(ola_ct_new(b->params, &b->a), "ciphertext");
    must(ola_ct_new(b->params, &b->b), "ciphertext");
    must(ola_ct_new(b->params, &b->c), "ciphertext");
    must(ola_encrypt(b->client, b->a, b->v, b->slots, b->level, b->scale), "encrypt");
    must(ola_ct_copy(b->b, b->a), "copy");
    start = now_ms();
    b->map = make_map(b, GIANTS, BABIES, false);
    printf("  %-34s %9.3f\n", "encode a diagonal", (now_ms() - start) / DIAGONALS);
    b->hoisted = make_map(b, 1, BABIES, true);
    b->poly = b->level >= 3 ? make_poly(b) : NULL;
}

static void
bench_close(struct bench *b)
{
    uint64_t now, peak;
    ola_memory(&now, &peak);
    printf("  %-34s %9.1f MB\n", "memory", 1e-6 * (double)peak);
    ola_map_free(b->map);
    ola_map_free(b->hoisted);
    ola_poly_free(b->poly);
    ola_ct_free(b->a);
    ola_ct_free(b->b);
    ola_ct_free(b->c);
    ola_server_free(b->server);
    ola_keys_free(b->keys);
    ola_client_free(b->client);
    ola_params_free(b->params);
    free(b->v);
}

static void
run_rotate(struct bench *b)
{
    must(ola_rotate(b->server, b->c, b->a, 1), "rotate");
}

static void
run_hoisted(struct bench *b)
{
    must(ola_linear(b->server, b->hoisted, (const ola_ct *[]){b->a}, &b->c), "linear");
}

static void
run_linear(struct bench *b)
{
    must(ola_linear(b->server, b->map, (const ola_ct *[]){b->a}, &b->c), "linear");
}

static void
run_mul(struct bench *b)
{
    must(ola_mul(b->server, b->c, b->a, b->b), "mul");
    must(ola_relinearise(b->server, b->c, b->c), "relinearise");
    must(ola_rescale(b->server, b->c, b->c), "rescale");
}

static void
run_tensor(struct bench *b)
{
    must(ola_mul(b->server, b->c, b->a, b->b), "mul");
}

static void
run_rescale(struct bench *b)
{
    must(ola_rescale(b->server, b->c, b->a), "rescale");
}

static void
run_add(struct bench *b)
{
    must(ola_add(b->server, b->c, b->a, b->b), "add");
}

static void
run_add_plain(struct bench *b)
{
    must(ola_add_plain(b->server, b->c, b->a, b->v, b->slots), "add_plain");
}

static void
run_poly(struct bench *b)
{
    must(ola_poly_eval(b->server, b->poly, (const ola_ct *[]){b->a}, &b->c), "poly");
}

static void
run_encrypt(struct bench *b)
{
    must(ola_encrypt(b->client, b->a, b->v, b->slots, b->level, b->scale), "encrypt");
}

static void
run_decrypt(struct bench *b)
{
    must(ola_decrypt(b->client, b->a, b->v, b->slots), "decrypt");
}

int
main(int argc, char **argv)
{
    uint32_t limbs = argc > 1 ? (uint32_t)atoi(argv[1]) : 8,
             bits = argc > 2 ? (uint32_t)atoi(argv[2]) : 40;
    uint32_t special = argc > 3 ? (uint32_t)atoi(argv[3]) : 3;
    printf("libola %s, %s; milliseconds, least and median of %d\n", OLA_VERSION, ola_backend_name(),
           REPEATS);
    for (uint32_t log_n = 13; log_n <= 15; log_n++) {
        struct bench b = {0};
        if (!choose(&b.literal, log_n, limbs, bits, special))
            continue;
        bench_open(&b);
        measure("rotation", run_rotate, &b);
        measure("15 hoisted rotations, summed", run_hoisted, &b);
        measure("mul", run_tensor, &b);
        measure("mul, relinearise, rescale", run_mul, &b);
        measure("rescale", run_rescale, &b);
        measure("add", run_add, &b);
        measure("encode and add_plain", run_add_plain, &b);
        measure("linear map, 128 diagonals (16 x 8)", run_linear, &b);
        if (b.poly != NULL)
            measure("polynomial of degree 7", run_poly, &b);
        measure("encrypt", run_encrypt, &b);
        measure("decrypt", run_decrypt, &b);
        bench_close(&b);
    }
    return 0;
}
