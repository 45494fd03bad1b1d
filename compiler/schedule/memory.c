/* memory.c - programs that would take much memory: fewer keys, by baby steps in two parts, and
 * diagonals kept as their coefficients. Both take time, so that small programs do without. */
#include "schedule/internal.h"

#include "schedule/schedule.h"

#include "ola/plan.h"

#include <string.h>

/* Bytes of a whole evaluation as predicted, to which a process adds some 60 MB of its own; keys for
 * bootstrapping alone take more than the first. */
#define MEMORY_WANTED      432e6
#define MEMORY_WANTED_DEEP 3.9e9
#define MEMORY_SHARE       0.95  /* of what is allowed: prediction is not exact */
#define MEMORY_PRICE       4e-10 /* seconds an evaluation may take longer for a byte less of keys */

/* A map, and the steps that all others need keys for. */
struct babies {
    struct he_program *p;
    struct he_map *m;
    const uint32_t *others;
    uint32_t *steps;
};

/* What a split of the map's baby steps costs: only its own time and the keys differ by it. */
static double
cost_of(const struct babies *b, uint32_t coarse)
{
    struct he_program *p = b->p;
    struct ola_literal l = he_literal(&p->params);
    double seconds = 0, bytes = 0;

    b->m->coarse = coarse;
    memcpy(b->steps, b->others, p->params.slots * sizeof *b->steps);
    for (uint32_t k = 0; k < p->insts.len; k++)
        if (p->insts.at[k].op == HE_linear && &p->maps.at[p->insts.at[k].data] == b->m) {
            seconds += he_price_scheduled(p, k);
            schedule_map_keys(p, k, b->steps);
        }
    for (uint32_t s = 1; s < p->params.slots; s++)
        bytes += b->steps[s] ? (double)ola_plan_key_bytes(&l, b->steps[s] - 1) : 0;
    return seconds + MEMORY_PRICE * bytes;
}

/* The best of all baby steps, and of the powers of two, to split the baby steps of a map by. */
static void
split_babies(struct he_program *p, struct he_map *m)
{
    struct arena *a = arena_new();
    bool *tried = ARENA_ARRAY(a, bool, p->params.slots);
    uint32_t *others = ARENA_ARRAY(a, uint32_t, p->params.slots), best = 0, steps = 0;
    struct babies b = {p, m, others, ARENA_ARRAY(a, uint32_t, p->params.slots)};

    schedule_keys(p, m, others);
    double least = cost_of(&b, 0);
    for (uint32_t k = 0; k < m->diagonals.len && steps < 256; k++) {
        uint32_t step = m->diagonals.at[k].baby;
        steps += step && !tried[step];
        tried[step] = true;
    }
    for (uint32_t step = 2; step < p->params.slots && steps > 2; step++) {
        if (!tried[step] && (step & (step - 1)) != 0)
            continue;
        double cost = cost_of(&b, step);
        if (cost < least * (1 - 1e-9)) {
            least = cost;
            best = step;
        }
    }
    m->coarse = best;
    arena_free(a);
}

/* The map with the most bytes in diagonals that are not compact yet; NULL when there is none. */
static struct he_map *
largest_map(struct he_program *p)
{
    struct he_map *most = NULL;
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < p->maps.len; k++) {
        struct he_map *m = &p->maps.at[k];
        if (m->compact || he_map_bytes(&p->params, m) <= bytes)
            continue;
        bytes = he_map_bytes(&p->params, m);
        most = m;
    }
    return most;
}

static double
wanted_of(const struct he_program *p)
{
    if (p->ram > 0)
        return MEMORY_SHARE * p->ram;
    return p->refreshes.len ? MEMORY_WANTED_DEEP : MEMORY_WANTED;
}

bool
schedule_heavy(const struct he_program *p)
{
    return (double)p->peak_bytes > wanted_of(p);
}

void
schedule_memory(struct he_program *p)
{
    double wanted = wanted_of(p);
    if ((double)p->peak_bytes > wanted)
        for (uint32_t k = 0; k < p->maps.len; k++)
            split_babies(p, &p->maps.at[k]);
    schedule_price(p);
    for (struct he_map *m; (double)p->peak_bytes > wanted && (m = largest_map(p)) != NULL;) {
        m->compact = true;
        he_price(p);
    }
}
