/* bench_batch.c - a batch of 4,096 images through the CryptoNets network (conv 5x5 stride 2, 5 maps
 * - square - dense 845-100 - square - dense 100-10), N = 2^13, 128-bit secure: milliseconds of each
 * part, the least of the repeats, and of the processor's time the same; images a second. Once with
 * few weights that are powers of two, once with all weights as integers of 12 bits. The weights are
 * drawn: what they are changes nothing but the answers.
 * Usage: bench_batch [CONV FC1 FC2], shares of weights that are left (default 0.5 0.09 0.3: 90 % of
 * all are pruned). OMP_NUM_THREADS as wanted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ola/client.h"
#include "ola/ola.h"

#define REPEATS 5
#define LOG_N   13

enum { PASS, REDUCE, PASS2, REDUCE2, PARTS };

struct layer {
    uint32_t cols, rows;
    bool squared;
    int exponent; /* of the largest weight */
    unsigned char *section;
    size_t size;
    uint32_t terms;
};

struct bench {
    bool powers;
    uint64_t state;
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    struct layer layer[3];
    ola_sparse *map[3];
    ola_ct *in[784], *mid[100], *out[10];
    double wall[PARTS], cpu[PARTS];
};

static void
must(ola_status s, const char *what)
{
    if (s != OLA_OK) {
        fprintf(stderr, "bench_batch: %s: %s\n", what, ola_status_text(s));
        exit(1);
    }
}

static double
clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double
draw(struct bench *b)
{
    b->state = b->state * 6364136223846793005u + 1442695040888963407u;
    return (double)(b->state >> 40) / (double)(1 << 24);
}

/* ---- sections -------------------------------------------------------------------------------- */

struct weights {
    uint32_t *start, *column;
    int64_t *weight;
    uint32_t rows, terms;
};

static void
add_weight(struct bench *b, struct weights *w, uint32_t column)
{
    int64_t size = b->powers ? (int64_t)1 << (int)(7 * draw(b)) : 1 + (int64_t)(4095 * draw(b));
    w->column[w->terms] = column;
    w->weight[w->terms++] = draw(b) < 0.5 ? -size : size;
}

/* Weights that are left are the same in every place of a convolution. */
static void
make_conv(struct bench *b, struct weights *w, double share)
{
    int64_t kernel[5][25];
    for (int k = 0; k < 125; k++) {
        struct weights one = {.column = &(uint32_t){0}, .weight = &kernel[k / 25][k % 25]};
        bool left = draw(b) < share;
        add_weight(b, &one, 0);
        kernel[k / 25][k % 25] *= left;
    }
    for (uint32_t r = 0; r < 845; r++) {
        for (int k = 0; k < 25; k++) {
            int y = (int)(r % 169 / 13) * 2 - 1 + k / 5, x = (int)(r % 13) * 2 - 1 + k % 5;
            if (kernel[r / 169][k] == 0 || y < 0 || x < 0 || y > 27 || x > 27)
                continue;
            w->column[w->terms] = (uint32_t)(28 * y + x);
            w->weight[w->terms++] = kernel[r / 169][k];
        }
        w->start[++w->rows] = w->terms;
    }
}

static void
make_dense(struct bench *b, struct weights *w, const struct layer *l, double share)
{
    for (uint32_t r = 0; r < l->rows; r++) {
        for (uint32_t c = 0; c < l->cols; c++)
            if (draw(b) < share)
                add_weight(b, w, c);
        w->start[++w->rows] = w->terms;
    }
}

static void *
put(void *to, const void *from, size_t size)
{
    return (char *)memcpy(to, from, size) + size;
}

static void
make_section(struct layer *l, const struct weights *w, bool powers)
{
    struct ola_weights_sparse head = {.cols = l->cols,
                                      .rows = l->rows,
                                      .terms = w->terms,
                                      .kind = powers ? OLA_SPARSE_SHIFTS : OLA_SPARSE_INTEGERS,
                                      .squared = l->squared};
    size_t n = w->terms;
    l->terms = w->terms;
    l->size = sizeof head + 4 * (w->rows + 1) + 4 * n + (powers ? (n + 3) / 4 * 4 : 8 * n);
    l->section = calloc(1, l->size);
    if (!l->section)
        abort();
    unsigned char *at = put(l->section, &head, sizeof head);
    at = put(at, w->start, 4 * (w->rows + 1));
    at = put(at, w->column, 4 * n);
    for (size_t t = 0; t < n && powers; t++)
        *at++ = (unsigned char)(__builtin_ctzll((uint64_t)llabs(w->weight[t])) |
                                (w->weight[t] < 0 ? OLA_SPARSE_NEGATIVE : 0));
    if (!powers)
        put(at, w->weight, 8 * n);
}

static void
make_layers(struct bench *b, const double share[3])
{
    const struct layer shape[3] = {{784, 845, false, 0, NULL, 0, 0},
                                   {845, 100, true, 0, NULL, 0, 0},
                                   {100, 10, true, 0, NULL, 0, 0}};
    for (int k = 0; k < 3; k++) {
        struct weights w = {calloc(846, sizeof *w.start), calloc(845 * 100, sizeof *w.column),
                            calloc(845 * 100, sizeof *w.weight), 0, 0};
        if (!w.start || !w.column || !w.weight)
            abort();
        b->layer[k] = shape[k];
        if (k == 0)
            make_conv(b, &w, share[0]);
        else
            make_dense(b, &w, &b->layer[k], share[k]);
        make_section(&b->layer[k], &w, b->powers);
        free(w.start);
        free(w.column);
        free(w.weight);
    }
}

/* ---- the run --------------------------------------------------------------------------------- */

/* Scales as compiler/batch makes them: 2^24 in, grown by the weights, 2^26 behind a reduction. */
static void
open(struct bench *b)
{
    const uint32_t powers[] = {33, 33, 44}, floats[] = {33, 38, 35, 35};
    const uint32_t n = b->powers ? 3 : 4, *bits = b->powers ? powers : floats;
    const double grow = b->powers ? 6 : 12;
    struct ola_literal l = {.log_n = LOG_N, .n_q = n, .n_p = 1, .digit_limbs = 1};
    for (uint32_t k = 0; k < n; k++)
        if (!ola_plan_primes(LOG_N, bits[k], 1, l.q, k, &l.q[k]))
            abort();
    if (!ola_plan_primes(LOG_N, b->powers ? 47 : 41, 1, l.q, n, l.p))
        abort();
    must(ola_params_new(&l, &b->params), "parameters");
    must(ola_client_new(b->params, &b->client), "client");
    struct ola_key_plan plan = {.relin_level = n - 1};
    must(ola_client_keys(b->client, &plan, &b->keys), "keys");
    must(ola_server_new(b->params, b->keys, &b->server), "server");
    double first = exp2(24), second = exp2(24 + grow), third = second * second * exp2(grow);
    double mid = third / (double)l.q[n - 1] / (b->powers ? 1 : (double)l.q[n - 2]);
    struct ola_sparse_desc d[3] = {
        {n - 1, first, second}, {n - 1, second, third}, {1, mid, mid * mid * exp2(grow)}};
    for (int k = 0; k < 3; k++)
        must(ola_sparse_new(b->params, &d[k], b->layer[k].section, b->layer[k].size, &b->map[k]),
             "map");
    double *v = calloc(1u << (LOG_N - 1), sizeof *v);
    for (int k = 0; k < 784; k++) {
        must(ola_ct_new(b->params, &b->in[k]), "ciphertext");
        if (k == 0)
            must(ola_encrypt(b->client, b->in[0], v, 1u << (LOG_N - 1), n - 1, first), "encrypt");
        else
            must(ola_ct_copy(b->in[k], b->in[0]), "copy");
    }
    free(v);
    for (int k = 0; k < 100; k++)
        must(ola_ct_new(b->params, &b->mid[k]), "ciphertext");
    for (int k = 0; k < 10; k++)
        must(ola_ct_new(b->params, &b->out[k]), "ciphertext");
}

static void
run_part(struct bench *b, int part)
{
    const ola_sparse *const *maps = (const ola_sparse *const *)b->map;
    const ola_ct *const *in = (const ola_ct *const *)b->in, *const *mid =
                                                                (const ola_ct *const *)b->mid;
    if (part == PASS)
        must(ola_sparse_eval(b->server, maps, 2, in, b->mid), "pass");
    if (part == REDUCE)
        must(ola_reduce(b->server, b->mid, mid, 100, 1), "reduce");
    if (part == PASS2)
        must(ola_sparse_eval(b->server, maps + 2, 1, mid, b->out), "second pass");
    if (part == REDUCE2)
        must(ola_reduce(b->server, b->out, (const ola_ct *const *)b->out, 10, 1), "reduce");
}

static void
run(struct bench *b)
{
    for (int k = 0; k <= REPEATS; k++)
        for (int part = 0; part < PARTS; part++) {
            double wall = clock_ms(CLOCK_MONOTONIC), cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
            run_part(b, part);
            wall = clock_ms(CLOCK_MONOTONIC) - wall;
            cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
            if (k == 1 || (k > 1 && wall < b->wall[part]))
                b->wall[part] = wall;
            if (k == 1 || (k > 1 && cpu < b->cpu[part]))
                b->cpu[part] = cpu;
        }
}

static void
print(const struct bench *b, const char *name)
{
    static const char *const parts[] = {"conv, square, dense", "100 reductions", "square, dense",
                                        "10 reductions"};
    struct ola_counts n;
    double wall = 0, cpu = 0;
    ola_server_counts(b->server, &n);
    printf("%s: %u + %u + %u weights, %u primes, %.0f bits\n", name, b->layer[0].terms,
           b->layer[1].terms, b->layer[2].terms, ola_params_literal(b->params)->n_q,
           ola_params_log_qp(b->params));
    for (int k = 0; k < PARTS; k++) {
        printf("  %-22s %9.2f %9.2f\n", parts[k], b->wall[k], b->cpu[k]);
        wall += b->wall[k];
        cpu += b->cpu[k];
    }
    printf("  %-22s %9.2f %9.2f  %.0f images a second; %llu operations in maps\n", "all", wall, cpu,
           (1 << (LOG_N - 1)) * 1e3 / wall,
           (unsigned long long)((n.additions + n.scalar_products) / (REPEATS + 1)));
}

static void
close_all(struct bench *b)
{
    for (int k = 0; k < 784; k++)
        ola_ct_free(b->in[k]);
    for (int k = 0; k < 100; k++)
        ola_ct_free(b->mid[k]);
    for (int k = 0; k < 10; k++)
        ola_ct_free(b->out[k]);
    for (int k = 0; k < 3; k++) {
        ola_sparse_free(b->map[k]);
        free(b->layer[k].section);
    }
    ola_server_free(b->server);
    ola_keys_free(b->keys);
    ola_client_free(b->client);
    ola_params_free(b->params);
}

int
main(int argc, char **argv)
{
    double share[3] = {0.5, 0.09, 0.3}, all[3] = {1, 1, 1};
    for (int k = 0; k < 3 && k + 1 < argc; k++)
        share[k] = atof(argv[k + 1]);
    printf("libola %s, %s; milliseconds, of the clock and of the processor\n", OLA_VERSION,
           ola_backend_name());
    for (int powers = 1; powers >= 0; powers--) {
        struct bench b = {.powers = powers, .state = 7};
        make_layers(&b, powers ? share : all);
        open(&b);
        run(&b);
        print(&b, powers ? "powers of two, pruned" : "12 bits, dense");
        close_all(&b);
    }
    return 0;
}
