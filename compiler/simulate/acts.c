/* acts.c - see acts.h. */
#include "simulate/acts.h"
#include "base/wide.h"

#include "simulate/simulate.h"

#include <math.h>

struct acts
acts_find(struct arena *a, const struct graph *g)
{
    struct acts s = {.g = g};

    s.node = ARENA_ARRAY(a, uint32_t, g->nodes.len + 1);
    for (uint32_t k = 0; k < g->nodes.len; k++)
        if (g->nodes.at[k].poly)
            s.node[s.n++] = k;
    s.watch = ARENA_ARRAY(a, uint32_t, 2 * s.n + 1);
    s.size = ARENA_ARRAY(a, int64_t, s.n + 1);
    s.first = ARENA_ARRAY(a, int64_t, s.n + 1);
    for (uint32_t k = 0; k < s.n; k++) {
        const struct node *n = &g->nodes.at[s.node[k]];
        s.watch[k] = n->out.at[0];
        s.watch[s.n + k] = n->in.at[0];
        s.size[k] = shape_size(&graph_value(g, n->out.at[0])->shape);
        s.first[k] = s.row;
        s.row += s.size[k];
    }
    return s;
}

/* How many of n values are further from the middle than `most`, or no number. */
WIDE static int64_t
beyond(const float *x, int64_t n, double middle, double most)
{
    int64_t count = 0;

    for (int64_t k = 0; k < n; k++)
        count += !(fabs((double)x[k] - middle) <= most);
    return count;
}

bool
acts_leaves_range(const struct acts *s, uint32_t k, const float *x)
{
    const struct node *n = &s->g->nodes.at[s->node[k]];
    const struct shape *shape = &graph_value(s->g, n->in.at[0])->shape;
    const struct poly *p = n->poly;
    int64_t inner = 1;
    int axis;
    uint32_t channels = graph_channels(shape, &axis);

    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    if (p->rows == 1)
        return beyond(x, s->size[k], p->center[0], SIMULATE_RANGE * p->radius[0]) > 0;
    for (int64_t e = 0, row = 0; e < s->size[k]; e += inner) {
        if (beyond(x + e, inner, p->center[row], SIMULATE_RANGE * p->radius[row]))
            return true;
        row = row + 1 == channels ? 0 : row + 1;
    }
    return false;
}

bool
acts_runs_away(const float *out, int64_t n, double largest)
{
    for (int64_t k = 0; k < n; k++)
        if (!(fabs((double)out[k]) <= SIMULATE_OUTPUT_FACTOR * largest))
            return true;
    return false;
}
