/* deep.c - programs that are deeper than any chain of primes: parameters and places of the
 * bootstrappings together, by the least predicted time. */
#include "pipeline/internal.h"

#include "ola/plan.h"
#include "params/params.h"
#include "schedule/schedule.h"

#include <math.h>

#define MOST_DIGITS 12 /* of a key switch */
#define MOST_LEVELS 40 /* between two bootstrappings */
/* Of the memory allowed, for the keys of bootstrapping: the rest is for those of the maps, encoded
 * weights and scratch. */
#define KEY_SHARE 0.6

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

bool
pipeline_deep(struct arena *a, const struct compile_options *o, struct he_program *p,
              double *leanest)
{
    struct params_deep_request r = request(o, p);
    struct he_params best = {0}, lowered = p->params;
    const struct he_rotations *rotations = schedule_rotations(a, p);
    double least = -1;

    if (r.log_n < PIPELINE_DEEP_LOG_N && !o->insecure_toy)
        return false;
    for (r.digits = 1; r.digits <= MOST_DIGITS; r.digits++)
        for (r.out_level = 3; r.out_level <= MOST_LEVELS; r.out_level++) {
            if (!params_deep(a, &r, &p->params))
                break;
            double seconds = schedule_deep(p, rotations, false),
                   lean = key_bytes(&p->params) / KEY_SHARE;
            if (seconds >= 0 && p->ram > 0 && lean > p->ram) {
                *leanest = *leanest > 0 ? fmin(*leanest, lean) : lean;
                continue;
            }
            if (seconds < 0 || (least >= 0 && seconds >= least))
                continue;
            least = seconds;
            best = p->params;
        }
    p->params = least < 0 ? lowered : best;
    return least >= 0 && schedule_deep(p, rotations, true) >= 0;
}

void
pipeline_deep_front(struct arena *a, const struct compile_options *o, const struct he_program *p,
                    const struct schedule_options *options, struct schedule_front *out)
{
    struct params_deep_request r = request(o, p);
    struct he_program own[MOST_DIGITS * MOST_LEVELS];
    struct schedule_front front[MOST_DIGITS * MOST_LEVELS] = {{0}};
    struct arena *mine[MOST_DIGITS * MOST_LEVELS];
    const struct he_rotations *rotations = schedule_rotations(a, p);
    uint32_t n = 0;

    for (r.digits = 1; r.digits <= MOST_DIGITS; r.digits++)
        for (r.out_level = 3; r.out_level <= MOST_LEVELS; r.out_level++) {
            own[n] = *p;
            if (!params_deep(a, &r, &own[n].params))
                break;
            if (o->max_ram > 0 && key_bytes(&own[n].params) / KEY_SHARE > o->max_ram)
                continue;
            mine[n++] = arena_child(a);
        }
#pragma omp parallel for schedule(dynamic)
    for (uint32_t k = 0; k < n; k++)
        schedule_front(mine[k], &own[k], rotations, options, &front[k]);
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t f = 0; f < front[k].len; f++)
            vec_push(a, out, front[k].at[f]);
}
