/* deep.c - programs that are deeper than any chain of primes: parameters and places of the
 * bootstrappings together, by the least predicted time. */
#include "pipeline/internal.h"

#include "ola/plan.h"
#include "params/params.h"
#include "schedule/schedule.h"

#include <math.h>
#include <stdlib.h>

#define MOST_DIGITS 12 /* of a key switch */
#define MOST_LEVELS 40 /* between two bootstrappings */
/* Of the memory allowed, for the keys of bootstrapping: the rest is for those of the maps, encoded
 * weights and scratch. */
#define KEY_SHARE 0.6
/* So many of the fastest parameters are priced with their memory, of those that are this near. */
#define CLOSE       4
#define CLOSE_SHARE 1.1

/* Bytes of the keys of a bootstrapping: most of what such a program holds in memory. */
static double
key_bytes(const struct he_params *p)
{
    struct ola_literal l = he_literal(p);
    struct ola_boot_plan plan;
    double sum = (double)ola_plan_boot_key_bytes(&l);
    if (!ola_plan_boot(&l, p->slots, &plan))
        return 0;
    for (uint32_t k = 0; k < plan.n_rotations; k++)
        sum += (double)ola_plan_key_bytes(&l, plan.rotation[k].level);
    return sum + (double)ola_plan_key_bytes(&l, ola_plan_relin_level(&l, UINT32_MAX));
}

static struct params_deep_request
request(const struct compile_options *o, const struct he_program *p)
{
    return (struct params_deep_request){
        .log_n = p->params.log_n,
        .security = o->security ? o->security : 128,
        .insecure_toy = o->insecure_toy,
        .costs = o->costs,
        .scale_bits = (uint32_t)ceil(params_rounding_bits(p->params.log_n) + pipeline_precision(o)),
    };
}

/* Parameters with the seconds of the program before its memory is looked at. */
struct combination {
    struct he_params params;
    double seconds;
    uint32_t order;
};
struct combinations {
    struct combination *at;
    uint32_t len, cap;
};

static int
by_seconds(const void *a, const void *b)
{
    const struct combination *x = a, *y = b;

    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* All that the program fits, the fastest first; *leanest: the bytes of the leanest that takes too
 * much memory, if any does. */
static struct combinations
combinations(struct arena *a, const struct compile_options *o, struct he_program *p,
             const struct he_rotations *rotations, double *leanest)
{
    struct params_deep_request r = request(o, p);
    struct combinations all = {0};

    for (r.digits = 1; r.digits <= MOST_DIGITS; r.digits++)
        for (r.out_level = 3; r.out_level <= MOST_LEVELS; r.out_level++) {
            if (!params_deep(a, &r, &p->params))
                break;
            double seconds = schedule_deep(p, rotations, false),
                   lean = key_bytes(&p->params) / KEY_SHARE;
            if (seconds >= 0 && p->ram > 0 && lean > p->ram)
                *leanest = *leanest > 0 ? fmin(*leanest, lean) : lean;
            else if (seconds >= 0)
                vec_push(a, &all, (struct combination){p->params, seconds, all.len});
        }
    if (all.len)
        qsort(all.at, all.len, sizeof *all.at, by_seconds);
    uint32_t kept = 0;
    for (uint32_t k = 0; k < all.len; k++) /* asked for more digits, the same come again */
        if (!kept || all.at[k].seconds != all.at[kept - 1].seconds)
            all.at[kept++] = all.at[k];
    all.len = kept;
    return all;
}

/* What the whole program costs with these parameters, memory and all. */
static double
whole_cost(const struct he_program *p, const struct he_rotations *rotations,
           const struct he_params *params)
{
    struct arena *a = arena_new();
    struct diag *quiet = diag_new();
    struct he_program shell = *p;
    double cost = INFINITY;

    shell.arena = a;
    shell.params = *params;
    struct he_program *own = he_copy(&shell);
    if (schedule_deep(own, rotations, true) >= 0 && schedule_scales(own, 1, quiet))
        cost = pipeline_cost(own);
    diag_free(quiet);
    arena_free(a);
    return cost;
}

bool
pipeline_deep(struct arena *a, const struct compile_options *o, struct he_program *p,
              double *leanest)
{
    struct he_params lowered = p->params;
    const struct he_rotations *rotations = schedule_rotations(a, p);
    double cost[CLOSE] = {0};
    uint32_t n = 0, best = 0;

    if (p->params.log_n < PIPELINE_DEEP_LOG_N && !o->insecure_toy)
        return false;
    struct combinations all = combinations(a, o, p, rotations, leanest);
    p->params = lowered;
    if (!all.len)
        return false;
    while (n < CLOSE && n < all.len && all.at[n].seconds <= CLOSE_SHARE * all.at[0].seconds)
        n++;
#pragma omp parallel for schedule(dynamic)
    for (uint32_t k = 0; k < n; k++)
        cost[k] = n > 1 ? whole_cost(p, rotations, &all.at[k].params) : 0;
    for (uint32_t k = 1; k < n; k++)
        best = cost[k] < cost[best] ? k : best;
    p->params = all.at[best].params;
    return schedule_deep(p, rotations, true) >= 0;
}

/* Adds the front of the parameters, at times as the program of the lowest degrees has them. */
static void
add_front(struct arena *a, const struct he_program *p, const struct he_rotations *rotations,
          const struct schedule_options *options, struct schedule_front *out)
{
    struct he_program *own = he_copy(p);
    double before = schedule_deep(own, rotations, false);
    double whole = before > 0 ? whole_cost(p, rotations, &p->params) : INFINITY;

    if (!isfinite(whole))
        return;
    schedule_front(a, p, rotations, options, out);
    for (uint32_t k = 0; k < out->len; k++)
        out->at[k].seconds *= whole / before;
}

void
pipeline_deep_front(struct arena *a, const struct compile_options *o, const struct he_program *p,
                    const struct schedule_options *options, struct schedule_front *out)
{
    struct params_deep_request r = request(o, p);
    uint32_t most = MOST_DIGITS * MOST_LEVELS;
    struct he_program *own = ARENA_ARRAY(a, struct he_program, most);
    struct schedule_front *front = ARENA_ARRAY(a, struct schedule_front, most);
    const struct he_rotations *rotations = schedule_rotations(a, p);
    uint32_t n = 0;

    for (r.digits = 1; r.digits <= MOST_DIGITS; r.digits++)
        for (r.out_level = 3; r.out_level <= MOST_LEVELS; r.out_level++) {
            own[n] = *p;
            if (!params_deep(a, &r, &own[n].params))
                break;
            if (o->max_ram > 0 && key_bytes(&own[n].params) / KEY_SHARE > o->max_ram)
                continue;
            own[n++].arena = arena_child(a);
        }
#pragma omp parallel for schedule(dynamic)
    for (uint32_t k = 0; k < n; k++)
        add_front(own[k].arena, &own[k], rotations, options, &front[k]);
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t f = 0; f < front[k].len; f++)
            vec_push(a, out, front[k].at[f]);
}
