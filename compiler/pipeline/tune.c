/* tune.c - training: the front of the pipeline, polynomials where they are asked for, weights. */
#include "pipeline/pipeline.h"

#include "pipeline/internal.h"
#include "simplify/simplify.h"

/* Polynomials are fitted on so many images at most. */
#define FITTED 1000u

bool
pipeline_tune(const struct compile_options *o, const struct tune_data *data,
              const struct tune_options *t, struct compiled *c, struct tune_report *r,
              struct diag *d)
{
    struct approximate_options ao = o->approximate;
    uint32_t n = data->n < FITTED ? data->n : FITTED;

    if (!simplify(c->graph, d) || !graph_check(c->graph, STAGE_SIMPLIFIED, d))
        return false;
    if ((ao.grid || ao.degree) && !approximate(c->graph, data->x, n, &ao, &c->approximation, d))
        return false;
    if (!tune(c->graph, data, t, r, d))
        return false;
    tune_expand(c->graph);
    return graph_check(c->graph, STAGE_IMPORTED, d);
}
