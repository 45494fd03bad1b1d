/* reference.c - a few images with the outputs that the compiled network must give, for its
 * self-test. */
#include "pipeline/internal.h"

#include "op/interpret.h"

#include <math.h>

#define REFERENCE_IMAGES 2

/* A fixed pattern in [0, 1) for networks that were compiled without data. */
static float
made_up(uint32_t image, int64_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u + image * 40503u; /* Knuth's multiplicative hash */
    return (float)((x >> 16) & 0xff) / 256.0f;
}

bool
pipeline_reference(struct arena *a, const struct compiled *c, float **in, float **out, uint32_t *n,
                   double *output_max, struct diag *d)
{
    struct graph *g = c->graph;
    struct interpret_options o = {.poly = true};
    int64_t size_in = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    int64_t size_out = shape_size(&graph_value(g, g->outputs.at[0])->shape);

    *n = c->n_calib && c->n_calib < REFERENCE_IMAGES ? c->n_calib : REFERENCE_IMAGES;
    *in = ARENA_ARRAY(a, float, (size_t)(*n * size_in));
    *out = ARENA_ARRAY(a, float, (size_t)(*n * size_out));
    for (uint32_t k = 0; k < *n; k++)
        for (int64_t i = 0; i < size_in; i++)
            (*in)[k * size_in + i] = c->n_calib ? c->calib_images[k * size_in + i] : made_up(k, i);
    if (!interpret_many(g, &o, *in, *n, *out, d))
        return false;
    *output_max = 0;
    for (int64_t i = 0; i < *n * size_out; i++)
        *output_max = fmax(*output_max, fabs((double)(*out)[i]));
    return true;
}
