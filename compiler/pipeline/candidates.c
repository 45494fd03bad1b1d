/* candidates.c - the one cycle of the compile, cut in one place: ring degree -> layout -> depth ->
 * parameters -> price. Only programs without weights are made; the winner's come later. */
#include "pipeline/internal.h"

#include "layout/layout.h"
#include "linearize/linearize.h"
#include "lower/lower.h"
#include "ola/plan.h"
#include "params/params.h"
#include "schedule/schedule.h"

#include <math.h>

/* Times that a program with too much memory must be faster to be preferred. */
#define HEAVY 1.5
/* Bits of the largest output left above the modelled noise of one operation. */
#define PRECISION_BITS 15.0

struct attempt {
    struct he_program *program;
    const char *levels; /* where the levels go, when the parameters do not hold them */
    uint32_t depth;
    double missing; /* bits of modulus */
    double leanest; /* bytes of a program that takes more than --max-ram; 0: none did */
};

double
pipeline_precision(const struct compile_options *o)
{
    return o->precision_bits > 0 ? o->precision_bits : PRECISION_BITS;
}

static bool
choose_params(struct arena *a, const struct compile_options *o, struct he_program *p,
              struct schedule_levels *levels, double output_range, uint32_t log_n, double *missing)
{
    struct params_request r = {
        .log_n = log_n,
        .security = o->security ? o->security : 128,
        .depth = levels->depth,
        .insecure_toy = o->insecure_toy,
        .costs = o->costs,
        .precision_bits = pipeline_precision(o),
        .output_bits = output_range <= 1 ? 0 : log2(output_range),
        .output_fixed = !levels->outputs_free,
        .switches = levels->switches,
    };
    return params_choose(a, &r, &p->params, missing);
}

/* What programs are made from: a tensor program; or (t NULL) programs that are lowered already,
 * with polynomials of these degrees. */
struct source {
    const struct tp *t;
    const struct pipeline_prices *prices;
    const uint32_t *degree;
};

/* Whether so many levels are too many for levels alone in this ring. */
static bool
hopeless(struct arena *a, const struct compile_options *o, uint32_t depth, const struct tp *t,
         uint32_t log_n, struct attempt *out)
{
    uint32_t security = o->security ? o->security : 128;
    double limit = ola_plan_max_log_qp(log_n, security);
    if (o->insecure_toy || depth * (log_n + 9.0) <= limit)
        return false;
    out->levels = t ? tp_depth_text(a, t) : NULL;
    out->depth = t ? tp_depth(t) : depth;
    out->missing = out->depth * (log_n + 12.0) - limit;
    return true;
}

/* The ring is not worth a layout. */
static bool
skipped(struct arena *a, const struct compile_options *o, const struct source *from, uint32_t log_n,
        struct attempt *out)
{
    if (!from->t)
        return !pipeline_lowered(from->prices, log_n);
    return log_n < PIPELINE_DEEP_LOG_N &&
           hopeless(a, o, tp_depth_least(from->t), from->t, log_n, out);
}

/* The program by levels alone; NULL when the ring is too small for it. */
static struct he_program *
shallow(struct arena *a, const struct compile_options *o, struct he_program *p,
        const struct tp *placed, double output_range, struct attempt *out)
{
    struct schedule_levels levels;
    schedule_levels(p, &levels);
    out->depth = levels.depth;
    if (!placed && hopeless(a, o, levels.depth, NULL, p->params.log_n, out))
        return NULL;
    if (choose_params(a, o, p, &levels, output_range, p->params.log_n, &out->missing))
        return p;
    out->levels = placed ? tp_depth_text(a, placed) : NULL;
    return NULL;
}

/* The lowered program, its layouts in *placed where it is a new one; NULL after an error. */
static struct he_program *
lowered(struct arena *a, const struct compile_options *o, const struct source *from, uint32_t log_n,
        struct tp **placed, struct diag *d)
{
    *placed = NULL;
    if (!from->t)
        return pipeline_with_degrees(a, from->prices, log_n, from->degree);
    *placed = tp_copy(a, from->t);
    if (!layout(*placed, log_n, d))
        return NULL;
    pipeline_dump_tp(o, "layout", *placed);
    struct he_program *p = lower_plan(a, *placed, log_n, d);
    if (p)
        pipeline_dump_he(o, "lower", p);
    return p;
}

/* False after an error; out->program stays NULL when the ring is too small. */
static bool
attempt(struct arena *a, const struct compile_options *o, const struct source *from,
        double output_range, uint32_t log_n, struct attempt *out, struct diag *d)
{
    struct tp *placed;
    struct he_program *p = lowered(a, o, from, log_n, &placed, d), *chosen = NULL;

    if (!p)
        return false;
    p->ram = o->max_ram;
    if (!from->t || !hopeless(a, o, tp_depth_least(from->t), from->t, log_n, out)) {
        struct he_program *copy = he_copy(p);
        chosen = shallow(a, o, copy, placed, output_range, out);
    }
    if (!chosen && pipeline_deep(a, o, p, &out->leanest))
        chosen = p;
    if (chosen && !schedule_scales(chosen, output_range, d))
        return false;
    if (chosen && o->max_ram > 0 && (double)chosen->peak_bytes > o->max_ram) {
        out->leanest = (double)chosen->peak_bytes;
        return true;
    }
    if (chosen)
        pipeline_dump_he(o, "schedule", chosen);
    out->program = chosen;
    return true;
}

static void
too_deep(struct diag *d, const struct compile_options *o, const struct attempt *last,
         uint32_t log_n)
{
    if (last->leanest > 0) {
        diag_error(d, E_MEMORY, PLACE_FILE(o->model),
                   "an evaluation takes about %.0f MB at its leanest, and --max-ram allows %.0f MB",
                   last->leanest / 1e6, o->max_ram / 1e6);
        diag_hint(d, "allow more, or use --degree with a lower degree");
        return;
    }
    uint32_t short_of = (uint32_t)ceil(last->missing / fmax(20, log_n + 12.0));
    diag_error(
        d, o->log_n ? E_INSECURE : E_TOO_DEEP, PLACE_FILE(o->model),
        "the network needs %u levels; at %u-bit security a ring of 2^%u is %.0f bits of modulus "
        "short, about %u level%s; they go to: %s",
        last->depth, o->security ? o->security : 128, log_n, last->missing, short_of,
        short_of == 1 ? "" : "s", last->levels ? last->levels : "-");
    diag_hint(d, o->log_n ? "leave out --log-n, or use --degree with a lower degree"
                          : "use --degree with a lower degree, or fewer layers");
}

/* A modulus that leaves room for wide digits: a larger ring could not be faster. */
static bool
roomy(const struct he_program *p)
{
    return p && p->refreshes.len == 0 && he_digits(&p->params, p->params.q.len - 1) <= 4;
}

double
pipeline_cost(const struct he_program *p)
{
    return p->seconds * (schedule_heavy(p) ? HEAVY : 1);
}

/* An attempt in memory of its own. */
struct trial {
    struct arena *arena; /* NULL: not tried yet */
    struct attempt attempt;
    bool ok;
};

/* Tries a ring, and beside it the next one where most networks ask for both: those too deep for the
 * smaller rings. trial: [log N]. */
static void
try_rings(struct arena *a, const struct compile_options *o, const struct source *from,
          double output_range, uint32_t log_n, uint32_t hi, struct trial *trial)
{
    uint32_t n = log_n >= PIPELINE_DEEP_LOG_N && log_n < hi && !o->dump ? 2 : 1;

    for (uint32_t k = 0; k < n; k++)
        trial[log_n + k].arena = arena_child(a);
#pragma omp parallel for schedule(dynamic) num_threads(2)
    for (uint32_t k = 0; k < n; k++) {
        struct trial *at = &trial[log_n + k];
        struct diag *quiet = diag_new();
        at->ok = attempt(at->arena, o, from, output_range, log_n + k, &at->attempt, quiet);
        diag_free(quiet);
    }
}

/* The cheapest of all rings. */
static struct he_program *
cheapest(struct arena *a, const struct compile_options *o, const struct source *from,
         double output_range, struct diag *d)
{
    uint32_t lo = o->log_n ? o->log_n : PIPELINE_LEAST_LOG_N,
             hi = o->log_n ? o->log_n : PIPELINE_MOST_LOG_N;
    struct trial trial[OLA_MAX_LOG_N + 1] = {{NULL, {0}, false}};
    struct attempt best = {0}, last = {0};

    for (uint32_t log_n = lo; log_n <= hi && !roomy(best.program); log_n++) {
        if (skipped(a, o, from, log_n, &last))
            continue;
        if (!trial[log_n].arena)
            try_rings(a, o, from, output_range, log_n, hi, trial);
        struct attempt now = trial[log_n].attempt;
        if (!trial[log_n].ok) { /* once more, for what there is to say */
            attempt(a, o, from, output_range, log_n, &now, d);
            return NULL;
        }
        if (best.program && !now.program)
            break;
        bool second = best.program != NULL;
        if (now.program && (!second || pipeline_cost(now.program) < pipeline_cost(best.program)))
            best = now;
        if (last.leanest > 0 && (now.leanest == 0 || now.leanest > last.leanest))
            now.leanest = last.leanest;
        last = now;
        if (second)
            break;
    }
    if (!best.program)
        too_deep(d, o, &last, hi);
    for (uint32_t k = lo; best.program && k <= hi; k++)
        if (trial[k].arena && trial[k].attempt.program != best.program)
            arena_reset(trial[k].arena);
    return best.program;
}

struct he_program *
pipeline_candidates(struct arena *a, const struct compile_options *o, const struct tp *t,
                    double output_range, struct diag *d)
{
    if (o->log_n && (o->log_n < OLA_MIN_LOG_N || o->log_n > OLA_MAX_LOG_N)) {
        diag_error(d, E_INSECURE, PLACE_FILE(o->model), "--log-n must be from %d to %d",
                   OLA_MIN_LOG_N, OLA_MAX_LOG_N);
        return NULL;
    }
    if (o->throughput)
        return pipeline_batches(a, o, t, output_range, d);
    return cheapest(a, o, &(struct source){.t = t}, output_range, d);
}

/* Without files of what the passes made. */
static struct compile_options
quietly(const struct compile_options *o)
{
    struct compile_options quiet = *o;

    quiet.dump = NULL;
    quiet.dump_out = NULL;
    return quiet;
}

double
pipeline_price(const struct compile_options *o, struct graph *g, const float *images, uint32_t n,
               double output_range)
{
    struct compile_options own = quietly(o);
    struct arena *a = arena_new();
    struct diag *quiet = diag_new();
    const struct he_program *p = NULL;
    struct tp *t = linearize(a, g, quiet);
    if (t)
        pipeline_bounds(t, images, n < PIPELINE_REFERENCE ? n : PIPELINE_REFERENCE);
    if (t)
        p = pipeline_candidates(a, &own, t, output_range, quiet);
    double seconds = p ? p->seconds : INFINITY;
    diag_free(quiet);
    arena_free(a);
    return seconds;
}

double
pipeline_price_degrees(const struct compile_options *o, const struct pipeline_prices *prices,
                       const uint32_t *degree, double output_range, uint32_t *log_n)
{
    struct compile_options own = quietly(o);
    struct arena *a = arena_new();
    struct diag *quiet = diag_new();
    const struct he_program *p = cheapest(
        a, &own, &(struct source){.prices = prices, .degree = degree}, output_range, quiet);
    double seconds = p ? p->seconds : INFINITY;

    *log_n = p && p->count_refreshes ? p->params.log_n : 0;
    diag_free(quiet);
    arena_free(a);
    return seconds;
}
