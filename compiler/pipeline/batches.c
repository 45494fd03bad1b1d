/* batches.c - the ring of a batch: for each degree the wanted scale is the least that is precise
 * enough, and more where that costs no prime; the ring that takes least time an image wins. */
#include "pipeline/internal.h"

#include "batch/batch.h"
#include "ola/plan.h"
#include "params/params.h"
#include "schedule/schedule.h"

#include <math.h>

#define LEAST_LOG_N 12
#define MOST_LOG_N  16
/* Bits of the largest value left above the modelled noise of one operation. */
#define PRECISION_BITS 15.0
/* Bits of scale that are taken beyond that where they are free. */
#define FREE_BITS 8
/* Bits that reductions may leave above the wanted scale to save a prime: what is tried. */
static const double slacks[] = {0, 4, 8, 12};
/* A larger ring takes twice the memory for twice the images: it must be this much faster. */
#define WORTH 0.7

struct attempt {
    struct he_program *program; /* NULL: the ring is too small */
    uint32_t scale_bits;
    double slack;
    uint32_t primes;
    double missing; /* bits of modulus */
};

static uint32_t
security(const struct compile_options *o)
{
    return o->security ? o->security : 128;
}

/* Up to the parameters. False after an error. */
static bool
plan(struct arena *a, const struct compile_options *o, const struct tp *t, double output_range,
     uint32_t log_n, uint32_t scale_bits, double slack, struct attempt *out, struct diag *d)
{
    struct schedule_levels levels;
    struct batch_chain chain = {0};
    struct he_program *p = batch_lower(a, t, log_n, d);
    *out = (struct attempt){.scale_bits = scale_bits, .slack = slack, .missing = INFINITY};
    if (!p)
        return false;
    batch_depths(p, scale_bits, slack);
    schedule_levels(p, &levels);
    if (!batch_chain(p, scale_bits, output_range, &chain))
        return true;
    struct params_chain r = {.log_n = log_n,
                             .security = security(o),
                             .insecure_toy = o->insecure_toy,
                             .costs = o->costs,
                             .n = chain.n,
                             .bits = chain.bits,
                             .switches = chain.switches};
    out->primes = chain.n;
    if (params_chain(a, &r, &p->params, &out->missing)) {
        out->program = p;
        out->primes += p->params.p.len;
    }
    return true;
}

static bool
attempt(struct arena *a, const struct compile_options *o, const struct tp *t, double output_range,
        uint32_t log_n, struct attempt *out, struct diag *d)
{
    double precision = o->precision_bits > 0 ? o->precision_bits : PRECISION_BITS;
    uint32_t least = params_least_scale(log_n, precision);
    *out = (struct attempt){.missing = INFINITY};
    for (size_t k = 0; k < sizeof slacks / sizeof *slacks; k++) {
        struct attempt now;
        if (!plan(a, o, t, output_range, log_n, least, slacks[k], &now, d))
            return false;
        if (now.program ? !out->program || now.primes < out->primes
                        : !out->program && now.missing < out->missing)
            *out = now;
    }
    for (uint32_t more = 1; out->program && more <= FREE_BITS; more++) {
        struct attempt better;
        if (!plan(a, o, t, output_range, log_n, least + more, out->slack, &better, d))
            return false;
        if (!better.program || better.primes > out->primes)
            break;
        *out = better;
    }
    if (!out->program)
        return true;
    pipeline_dump_he(o, "lower", out->program);
    batch_scales(out->program, out->scale_bits, output_range);
    bool ok = schedule_batch(out->program, d);
    pipeline_dump_he(o, "schedule", out->program);
    return ok;
}

static double
seconds_an_image(const struct he_program *p)
{
    return p->seconds / p->batch;
}

struct he_program *
pipeline_batches(struct arena *a, const struct compile_options *o, const struct tp *t,
                 double output_range, struct diag *d)
{
    uint32_t lo = o->log_n ? o->log_n : LEAST_LOG_N, hi = o->log_n ? o->log_n : MOST_LOG_N;
    struct he_program *best = NULL;
    struct attempt now = {0};

    for (uint32_t log_n = lo; log_n <= hi; log_n++) {
        if (!attempt(a, o, t, output_range, log_n, &now, d))
            return NULL;
        bool better = now.program &&
                      (!best || seconds_an_image(now.program) < WORTH * seconds_an_image(best));
        if (best && !better)
            break;
        best = better ? now.program : best;
    }
    if (best)
        return best;
    diag_error(d, o->log_n ? E_INSECURE : E_TOO_DEEP, PLACE_FILE(o->model),
               "packed for throughput the network needs %u primes; at %u-bit security a ring of "
               "2^%u is %.0f bits of modulus short",
               now.primes, security(o), hi, fmin(now.missing, 9999));
    diag_hint(d, o->log_n ? "leave out --log-n, or use --degree with a lower degree"
                          : "use --degree with a lower degree, or weights that are powers of two");
    return NULL;
}
