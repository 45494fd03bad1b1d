/* costs.c - what the runtime takes on this machine: built and run by olac bench against libola.
 * Times a few public operations at N = 2^14 and several levels, solves them for the unit costs
 * that the compiler prices with, and writes these to the file that it is given.
 *
 * With L limbs, D digits of W limbs, A limbs with the special primes, one thread takes
 *   product of two ciphertexts   4 L multiply
 *   rescaling                    2 L transform + 2 (L - 1) multiply
 *   rotation                     (D A + 2 A) transform + D A inner + (D W (A - W) + 2 L (P + 1))
 *                                multiply */
#define _POSIX_C_SOURCE 200809L

#include <ola/client.h>

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_N   14
#define TOP     8
#define DIGIT   2
#define SPECIAL 2
#define LEVELS  4                 /* that are measured: 2, 4, 6, 8 */
#define SCALE   0x1p30            /* two of them, and a value, fit level 2 */
#define LEAST   0.1               /* seconds of one measurement */
#define WORDS   ((size_t)1 << 25) /* twice 256 MB: larger than any cache */
#define ROUNDS  8

enum operation { PRODUCT, RESCALE, ROTATE, OPERATIONS };

struct bench {
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *one, *all; /* threads */
    ola_ct *in[LEVELS], *large[LEVELS], *out;
    double seconds[OPERATIONS][LEVELS];
    double transform, multiply, inner, speedup, memory;
};

static int
level_of(int k)
{
    return 2 * (k + 1);
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- what is measured
 * ------------------------------------------------------------------------------- */

static ola_status
make_params(struct bench *b)
{
    struct ola_literal l = {.log_n = LOG_N, .n_q = TOP + 1, .n_p = SPECIAL, .digit_limbs = DIGIT};
    uint64_t all[TOP + 1 + SPECIAL];
    if (!ola_plan_primes(LOG_N, 36, 1, NULL, 0, all) ||
        !ola_plan_primes(LOG_N, 30, TOP, all, 1, all + 1) ||
        !ola_plan_primes(LOG_N, 37, SPECIAL, all, TOP + 1, all + TOP + 1))
        return OLA_ERR_PARAM;
    memcpy(l.q, all, (TOP + 1) * sizeof *all);
    memcpy(l.p, all + TOP + 1, SPECIAL * sizeof *all);
    return ola_params_new(&l, &b->params);
}

static ola_status
make_server(struct bench *b, int threads, ola_server **out)
{
    omp_set_num_threads(threads);
    return ola_server_new(b->params, b->keys, out);
}

static ola_status
set_up(struct bench *b, int threads)
{
    const uint32_t step[] = {1}, level[] = {TOP};
    const struct ola_key_plan plan = {UINT32_MAX, 1, step, level};
    const double value = 0.5;
    ola_status status = make_params(b);
    if (status == OLA_OK)
        status = ola_client_new(b->params, &b->client);
    if (status == OLA_OK)
        status = ola_client_keys(b->client, &plan, &b->keys);
    if (status == OLA_OK)
        status = make_server(b, threads, &b->all);
    if (status == OLA_OK)
        status = make_server(b, 1, &b->one);
    if (status == OLA_OK)
        status = ola_ct_new(b->params, &b->out);
    for (int k = 0; k < LEVELS && status == OLA_OK; k++) {
        status = ola_ct_new(b->params, &b->in[k]);
        if (status == OLA_OK)
            status = ola_ct_new(b->params, &b->large[k]);
        if (status == OLA_OK)
            status = ola_encrypt(b->client, b->in[k], &value, 1, (uint32_t)level_of(k), SCALE);
        if (status == OLA_OK) /* what is rescaled has twice the scale's bits */
            status = ola_relabel(b->one, b->large[k], b->in[k], 1 / SCALE);
    }
    return status;
}

static void
tear_down(struct bench *b)
{
    for (int k = 0; k < LEVELS; k++) {
        ola_ct_free(b->in[k]);
        ola_ct_free(b->large[k]);
    }
    ola_ct_free(b->out);
    ola_server_free(b->one);
    ola_server_free(b->all);
    ola_keys_free(b->keys);
    ola_client_free(b->client);
    ola_params_free(b->params);
}

static ola_status
operate(struct bench *b, ola_server *s, enum operation what, int k)
{
    switch (what) {
    case PRODUCT:
        return ola_mul(s, b->out, b->in[k], b->in[k]);
    case RESCALE:
        return ola_rescale(s, b->out, b->large[k]);
    default:
        return ola_rotate(s, b->out, b->in[k], 1);
    }
}

/* The shortest time: others on the machine can only lengthen it. */
static ola_status
measure(struct bench *b, ola_server *s, enum operation what, int k, double *seconds)
{
    double begin = now(), best = INFINITY;
    for (int n = 0; n < 5 || now() - begin < LEAST; n++) {
        double start = now();
        ola_status status = operate(b, s, what, k);
        if (status != OLA_OK)
            return status;
        best = fmin(best, now() - start);
    }
    *seconds = best;
    return OLA_OK;
}

/* Bytes a second that memory gives to all threads together, in sums of two vectors: two words are
 * read and one is written for each. The fastest of some rounds. */
static ola_status
measure_memory(struct bench *b, int threads)
{
    double best = INFINITY;
    uint64_t *x = malloc(WORDS * sizeof *x), *y = malloc(WORDS * sizeof *y);
    ola_status status = x && y ? OLA_OK : OLA_ERR_NOMEM;
    if (status == OLA_OK) { /* maps the pages */
        memset(x, 1, WORDS * sizeof *x);
        memset(y, 2, WORDS * sizeof *y);
    }
    for (int n = 0; status == OLA_OK && n < ROUNDS; n++) {
        double start = now();
#pragma omp parallel for schedule(static) num_threads(threads)
        for (size_t k = 0; k < WORDS; k++)
            y[k] += x[k];
        best = fmin(best, now() - start);
    }
    if (status == OLA_OK && y[WORDS / 2] != y[0]) /* looks at the sums, which are all the same */
        status = OLA_ERR_PARAM;
    b->memory = 3.0 * WORDS * sizeof *x / best;
    free(x);
    free(y);
    return status;
}

/* ---- what follows
 * ----------------------------------------------------------------------------------- */

/* Least squares of relative errors over rescalings and rotations for transform and inner. A key's
 * digit is multiplied and added, so `inner` is at least `multiply`. */
static void
solve(struct bench *b)
{
    double products = 0, limbs_of_products = 0, tt = 0, ti = 0, ii = 0, t = 0, i = 0;
    for (int k = 0; k < LEVELS; k++) {
        products += b->seconds[PRODUCT][k];
        limbs_of_products += 4 * (level_of(k) + 1);
    }
    b->multiply = products / limbs_of_products;
    for (int what = RESCALE; what <= ROTATE; what++)
        for (int k = 0; k < LEVELS; k++) {
            double limbs = level_of(k) + 1, all = limbs + SPECIAL, seconds = b->seconds[what][k];
            double digits = ceil(limbs / DIGIT);
            double multiplies = what == RESCALE
                                    ? 2 * (limbs - 1)
                                    : digits * DIGIT * (all - DIGIT) + 2 * limbs * (SPECIAL + 1);
            double x = (what == RESCALE ? 2 * limbs : (digits + 2) * all) / seconds;
            double y = what == RESCALE ? 0 : digits * all / seconds;
            double z = 1 - multiplies * b->multiply / seconds;
            tt += x * x;
            ti += x * y;
            ii += y * y;
            t += x * z;
            i += y * z;
        }
    b->inner = fmax((i * tt - t * ti) / (tt * ii - ti * ti), b->multiply);
    b->transform = (t - b->inner * ti) / tt;
}

static ola_status
measure_all(struct bench *b, int threads)
{
    double together;
    ola_status status = OLA_OK;
    for (int what = 0; what < OPERATIONS; what++)
        for (int k = 0; k < LEVELS && status == OLA_OK; k++)
            status = measure(b, b->one, (enum operation)what, k, &b->seconds[what][k]);
    if (status != OLA_OK)
        return status;
    solve(b);
    status = measure(b, b->all, ROTATE, LEVELS - 1, &together);
    if (status == OLA_OK)
        status = measure_memory(b, threads);
    b->speedup = threads > 1 ? b->seconds[ROTATE][LEVELS - 1] / together : 1;
    return status;
}

/* The processor's name, of letters that need no escape in JSON. */
static void
machine(char *name, size_t size)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(name, size, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        size_t n = 0;
        if (!colon || strncmp(line, "model name", 10) != 0)
            continue;
        for (const char *p = colon + 2; *p && n + 1 < size; p++)
            if (*p >= ' ' && *p <= '~' && *p != '"' && *p != '\\')
                name[n++] = *p;
        name[n] = 0;
        break;
    }
    if (f)
        fclose(f);
}

static int
write_table(const struct bench *b, int threads, const char *path)
{
    char name[128];
    FILE *f = fopen(path, "w");
    if (!f)
        return 1;
    machine(name, sizeof name);
    fprintf(f,
            "{\n  \"format\": \"olac costs 1\",\n  \"machine\": \"%s\",\n  \"backend\": \"%s\",\n"
            "  \"threads\": %d,\n  \"transform_seconds\": %.4g,\n  \"multiply_seconds\": %.4g,\n"
            "  \"inner_seconds\": %.4g,\n  \"speedup\": %.4g,\n"
            "  \"memory_bytes_a_second\": %.4g\n}\n",
            name, ola_backend_name(), threads, b->transform, b->multiply, b->inner, b->speedup,
            b->memory);
    int failed = ferror(f);
    return fclose(f) != 0 || failed;
}

int
main(int argc, char **argv)
{
    struct bench b = {0};
    int threads = omp_get_max_threads();
    ola_status status = argc == 2 ? set_up(&b, threads) : OLA_ERR_PARAM;
    if (status == OLA_OK)
        status = measure_all(&b, threads);
    tear_down(&b);
    if (status == OLA_OK && write_table(&b, threads, argv[1]))
        status = OLA_ERR_IO;
    if (status != OLA_OK)
        fprintf(stderr, "bench: %s\n", ola_status_text(status));
    return status != OLA_OK;
}
