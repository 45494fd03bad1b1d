/* reference.c - a few images with the outputs that the compiled network must give, for its
 * self-test. */
#include "pipeline/internal.h"

#include "op/interpret.h"

#include <math.h>

/* Values may be this much larger than any that calibration saw before they leave the modulus. */
#define HEADROOM 4.0
/* Every ring that is tried holds so many levels: such a network is not refreshed. */
#define SHALLOW 10

double
pipeline_output_range(double output_max)
{
    return fmax(1, HEADROOM * output_max);
}

void
pipeline_bounds(struct tp *t, const float *images, uint32_t n)
{
    struct arena *scratch = arena_new();
    size_t size = 0;
    double **values = ARENA_ARRAY(scratch, double *, t->nodes.len + 1);

    for (uint32_t k = 0; k < t->nodes.len; k++)
        if (t->nodes.at[k].kind == TP_INPUT)
            size = t->nodes.at[k].n;
    for (uint32_t image = 0; image < n && tp_depth_least(t) > SHALLOW; image++) {
        const float *in[] = {images + image * size};
        tp_eval(t, scratch, in, values);
        for (uint32_t k = 0; k < t->nodes.len; k++)
            for (uint32_t e = 0; e < t->nodes.at[k].n; e++)
                t->nodes.at[k].bound = fmax(t->nodes.at[k].bound, fabs(values[k][e]));
    }
    for (uint32_t k = 0; k < t->nodes.len; k++)
        t->nodes.at[k].bound *= HEADROOM;
    arena_free(scratch);
}

/* A fixed pattern in [0, 1) for networks that were compiled without data. */
static float
made_up(uint32_t image, int64_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u + image * 40503u; /* Knuth's multiplicative hash */
    return (float)((x >> 16) & 0xff) / 256.0f;
}

bool
pipeline_reference(struct arena *a, const struct compiled *c, struct reference *r, struct diag *d)
{
    struct graph *g = c->graph, *first = c->front ? c->front : g;
    struct interpret_options exact = {0}, poly = {.poly = true};
    int64_t size = shape_size(&graph_value(first, first->inputs.at[0].value)->shape);
    int64_t size_in = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    int64_t size_out = shape_size(&graph_value(g, g->outputs.at[0])->shape);
    const float *seen = c->front ? c->calib_plain : c->calib_images;

    r->n = c->n_calib && c->n_calib < PIPELINE_REFERENCE ? c->n_calib : PIPELINE_REFERENCE;
    r->images = ARENA_ARRAY(a, float, (size_t)(r->n * size));
    r->in = c->front ? ARENA_ARRAY(a, float, (size_t)(r->n * size_in)) : r->images;
    r->out = ARENA_ARRAY(a, float, (size_t)(r->n * size_out));
    for (uint32_t k = 0; k < r->n; k++)
        for (int64_t i = 0; i < size; i++)
            r->images[k * size + i] = c->n_calib ? seen[k * size + i] : made_up(k, i);
    if ((c->front && !interpret_many(c->front, &exact, r->images, r->n, r->in, d)) ||
        !interpret_many(g, &poly, r->in, r->n, r->out, d))
        return false;
    r->output_max = 0;
    for (int64_t i = 0; i < r->n * size_out; i++)
        r->output_max = fmax(r->output_max, fabs((double)r->out[i]));
    return true;
}
