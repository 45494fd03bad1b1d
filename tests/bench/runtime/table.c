/* table.c - timing, and the table in text and JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "ola/ola.h"

#define BUDGET  25e3 /* microseconds for an operation at a number of threads */
#define LEAST   3    /* runs that are timed, however long they take */
#define REPEATS 40

void
bench_must(int status, const char *what)
{
    if (status == OLA_OK)
        return;
    fprintf(stderr, "bench_runtime: %s: %s\n", what, ola_status_text((ola_status)status));
    exit(1);
}

/* Processor time of this thread, which works alone, or time elapsed. */
static double
now(uint32_t t)
{
    struct timespec s;
    clock_gettime(t == 0 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &s);
    return 1e6 * (double)s.tv_sec + 1e-3 * (double)s.tv_nsec;
}

double
bench_time(void (*run)(void *context, uint32_t t), void *context, uint32_t t)
{
    double start = now(t), least = INFINITY;
    run(context, t);
    const double once = fmax(now(t) - start, 0.1), begin = now(t);
    const int runs = once > 100 ? 1 : (int)(100 / once) + 1;
    for (int r = 0; r < REPEATS && (r < LEAST || now(t) - begin < BUDGET); r++) {
        start = now(t);
        for (int i = 0; i < runs; i++)
            run(context, t);
        least = fmin(least, (now(t) - start) / runs);
    }
    return least;
}

/* Issue of speed: what one core of the reference machine should reach; microseconds. */
static const struct target {
    const char *name;
    uint32_t log_n;
    double us;
} targets[] = {
    {"forward NTT", 14, 24},
    {"forward NTT", 15, 52},
    {"forward NTT", 16, 115},
    {"rotation", 15, 12e3},
    {"rotation", 16, 45e3},
    {"further hoisted rotation", 15, 5e3},
    {"product, relinearised and rescaled", 15, 14e3},
};

static double
target_of(const char *name, uint32_t log_n)
{
    for (size_t k = 0; k < sizeof targets / sizeof *targets; k++)
        if (targets[k].log_n == log_n && strcmp(targets[k].name, name) == 0)
            return targets[k].us;
    return NAN;
}

/* A number of the JSON text, null where there is none. */
static void
json_number(const char *key, double v)
{
    if (isfinite(v))
        printf(", \"%s\": %.4g", key, v);
    else
        printf(", \"%s\": null", key);
}

static void
text_number(double v, int width, int places)
{
    if (isfinite(v))
        printf(" %*.*f", width, places, v);
    else
        printf(" %*s", width, "");
}

static void
begin_json(const struct bench *b)
{
    printf("{\"version\": \"%s\", \"backend\": \"%s\", \"multiplier\": \"%s\", \"threads\": [",
           OLA_VERSION, ola_backend_name(), machine_multiplier());
    for (uint32_t t = 0; t < b->threads; t++) {
        printf("%s\n {\"threads\": %u, \"mults_per_us\": %.0f, \"bytes_per_us\": {", t ? "," : "",
               t + 1, b->machine.mults[t]);
        for (uint32_t k = 0; k < BENCH_SIZES; k++)
            printf("%s\"%lu\": %.0f", k ? ", " : "", 1ul << (14 + k), b->machine.bytes[t][k]);
        printf("}}");
    }
    printf("],\n \"rows\": [");
}

void
bench_begin(struct bench *b)
{
    machine_measure(&b->machine, b->threads);
    if (b->json) {
        begin_json(b);
        return;
    }
    printf("libola %s, %s. Microseconds, least of the repeats: one thread, processor time; two, "
           "elapsed.\nfloor: multiplications at the multiplier's rate (%s), or bytes at that of "
           "streaming reads\nfrom a working set as large, or those of a file at BLAKE2b's (%.2f "
           "GB/s); all measured now:\n",
           OLA_VERSION, ola_backend_name(), machine_multiplier(), b->machine.hashed * 1e-3);
    for (uint32_t t = 0; t < b->threads; t++) {
        printf("  %u thread%s %.1f G multiplications/s; GB/s:", t + 1, t ? "s:" : ": ",
               b->machine.mults[t] * 1e-3);
        for (uint32_t k = 0; k < BENCH_SIZES; k += t == 0 || k + 4 < BENCH_SIZES ? 3 : 1)
            printf(" %.0f (%u KiB)", b->machine.bytes[t][k] * 1e-3, 1u << (4 + k));
        printf("\n");
    }
    printf("\n%-36s %5s %11s %11s %6s %11s %7s %9s\n", "", "N", "1 thread", "floor", "ratio",
           "2 threads", "speedup", "target");
}

void
bench_note(struct bench *b, const char *text)
{
    if (!b->json)
        printf("%s\n", text);
}

void
bench_row(struct bench *b, const struct operation *op, void *context)
{
    double us[BENCH_THREADS] = {NAN, NAN}, floor = NAN;
    if (b->only != NULL && strstr(op->name, b->only) == NULL)
        return;
    for (uint32_t t = 0; t < b->threads && (t == 0 || op->parallel); t++)
        us[t] = bench_time(op->run, context, t);
    if (op->cost.bytes > 0)
        floor = machine_floor(&b->machine, op->cost, 0);
    const double target = target_of(op->name, op->log_n);
    if (b->json) {
        printf("%s\n  {\"name\": \"%s\", \"log_n\": %u", b->rows ? "," : "", op->name, op->log_n);
        json_number("us", us[0]);
        json_number("mults", op->cost.mults);
        json_number("bytes", op->cost.bytes);
        json_number("hashed", op->cost.hashed);
        json_number("floor_us", floor);
        json_number("ratio", us[0] / floor);
        json_number("us_2_threads", us[1]);
        json_number("target_us", target);
        printf("}");
    } else {
        printf("%-36s  2^%u", op->name, op->log_n);
        text_number(us[0], 11, 2);
        text_number(floor, 11, 2);
        text_number(us[0] / floor, 6, 2);
        text_number(us[1], 11, 2);
        text_number(us[0] / us[1], 7, 2);
        text_number(target, 9, 0);
        printf("\n");
    }
    fflush(stdout);
    b->rows++;
}

void
bench_end(struct bench *b)
{
    if (b->json)
        printf("\n ]}\n");
}
