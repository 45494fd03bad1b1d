/* guard.c - images made up of the input's range alone (noise, flat, saturated ...), on which
 * polynomials may not run away. */
#include "pipeline/internal.h"

#include "simulate/stress.h"

#define GUARDS     100u
#define GUARD_SEED 1

void
pipeline_guard(struct arena *a, const struct compiled *c, struct approximate_options *ao)
{
    const struct graph *g = c->graph;
    struct stress_options o = {.seed = GUARD_SEED, .data = c->calib_images, .n_data = c->n_calib};

    ao->n_guard = c->n_calib / 4 < GUARDS ? c->n_calib / 4 : GUARDS;
    if (!ao->n_guard || g->inputs.len != 1)
        return;
    o.images = ao->n_guard;
    o.range = stress_range_of(a, g, c->calib_images, c->n_calib);
    size_t size = (size_t)shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    float *x = ARENA_ARRAY(a, float, size * ao->n_guard + 1);
    for (uint32_t k = 0; k < ao->n_guard; k++)
        stress_image(g, &o, k, x + k * size);
    ao->guard = x;
}
