/* encoded.c - the network with its numbers rounded as they are encoded, for simulate; see data.h.
 */
#include "cli/data.h"

#include <math.h>
#include <string.h>

/* The plaintexts of a map have the scale that takes in_scale to out_scale over one rescaling. */
static double
map_scale(const struct he_program *p, const struct he_map *m)
{
    return m->out_scale * (double)p->params.q.at[m->level] / m->in_scale;
}

/* How far apart the grid of a map's weights lies, over the largest of them: what was folded into
 * the map (the range of an activation, a mean of pixels) changes the weights and not this. */
static double
map_step(const struct he_program *p, const struct he_map *m)
{
    return m->free_of_level || !(m->largest > 0)
               ? 0
               : sqrt((double)p->params.slots * 2) / map_scale(p, m) / m->largest;
}

/* Whether a map, polynomial or sparse map ("NUMBER_NODE") is a node's. */
static bool
is_of(const char *name, const char *node)
{
    const char *end = name ? strchr(name, '_') : NULL;
    return end && strcmp(end + 1, node) == 0;
}

/* The weights of a batch are integers times a unit; powers of two are exact. */
static double
sparse_step(const struct he_sparse *s)
{
    double most = 0;
    for (uint32_t k = 0; k < s->m->start[s->m->rows]; k++)
        most = fmax(most, fabs((double)s->m->val[k]));
    return s->shifts || !(most > 0) ? 0 : s->unit / most;
}

/* The step of a node's weights; `otherwise` where no map is the node's alone. */
static double
step_of(const struct he_program *p, const char *node, double otherwise)
{
    for (uint32_t k = 0; k < p->maps.len; k++)
        if (is_of(p->maps.at[k].name, node))
            return map_step(p, &p->maps.at[k]);
    for (uint32_t k = 0; k < p->sparse.len; k++)
        if (is_of(p->sparse.at[k].name, node))
            return sparse_step(&p->sparse.at[k]);
    return otherwise;
}

static double
coarsest(const struct he_program *p)
{
    double most = 0;
    for (uint32_t k = 0; k < p->maps.len; k++)
        most = fmax(most, map_step(p, &p->maps.at[k]));
    for (uint32_t k = 0; k < p->sparse.len; k++)
        most = fmax(most, sparse_step(&p->sparse.at[k]));
    return most;
}

static void
round_constant(struct graph *g, uint32_t v, double relative)
{
    struct value *value = graph_value(g, v);
    if (!value || value->kind != VALUE_CONST || !value->data.f)
        return;
    struct tensor t = tensor_new(g->arena, value->data.dtype, value->data.shape);
    double most = 0;
    int64_t n = shape_size(&t.shape);
    for (int64_t k = 0; k < n; k++)
        most = fmax(most, fabs((double)value->data.f[k]));
    for (int64_t k = 0; k < n; k++) {
        double step = relative * most, x = (double)value->data.f[k];
        t.f[k] = (float)(step > 0 ? step * nearbyint(x / step) : x);
    }
    value->data = t;
}

static void
round_poly(struct graph *g, struct node *n, double step)
{
    struct poly *p = ARENA_NEW(g->arena, struct poly);
    size_t count = (size_t)n->poly->rows * (n->poly->degree + 1);
    *p = *n->poly;
    p->coef = ARENA_ARRAY(g->arena, double, count);
    for (size_t k = 0; k < count; k++)
        p->coef[k] = step * nearbyint(n->poly->coef[k] / step);
    n->poly = p;
}

struct graph *
cli_encoded(struct arena *a, const struct compiled *c)
{
    const struct he_program *p = c->program;
    struct graph *g = graph_copy(a, c->graph);
    double most = coarsest(p);
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        struct node *n = &g->nodes.at[k];
        double step = step_of(p, n->name, most);
        for (uint32_t i = 0; i < n->in.len; i++)
            round_constant(g, n->in.at[i], step);
        for (uint32_t i = 0; n->poly && i < p->polys.len; i++)
            if (is_of(p->polys.at[i].name, n->name))
                round_poly(g, n, sqrt((double)p->params.slots * 2) / p->polys.at[i].in_scale);
    }
    return g;
}
