/* tune.c - training: the front of the pipeline, polynomials where they are asked for, weights. */
#include "pipeline/internal.h"

#include "op/interpret.h"
#include "simplify/simplify.h"

/* Polynomials are fitted on so many images at most. */
#define FITTED 1000u

/* Trains all of a network. */
static bool
train(struct graph *g, const struct compile_options *o, const struct tune_data *data,
      const struct tune_options *t, struct compiled *c, struct tune_report *r, struct diag *d)
{
    struct approximate_options ao = o->approximate;
    uint32_t n = data->n < FITTED ? data->n : FITTED;

    if ((ao.grid || ao.degree) && !approximate(g, data->x, n, &ao, &c->approximation, d))
        return false;
    return tune(g, data, t, r, d);
}

/* The part's constants and polynomials into the nodes of the same names. */
static void
put_back(struct graph *g, const struct graph *part)
{
    for (uint32_t n = 0; n < part->nodes.len; n++) {
        const struct node *from = &part->nodes.at[n];
        uint32_t at;
        if (!map_get(&g->node_names, from->name, &at))
            continue;
        g->nodes.at[at].poly = from->poly;
        for (uint32_t k = 0; k < from->in.len; k++) {
            const struct value *v =
                from->in.at[k] == NONE ? NULL : graph_value(part, from->in.at[k]);
            if (!v || v->kind != VALUE_CONST)
                continue;
            uint32_t value = graph_const(g, v->name, v->data);
            g->nodes.at[at].in.at[k] = value;
        }
    }
}

/* Only what stands behind a node, on what the node makes of the images. */
static bool
train_head(struct arena *a, const char *node, const struct compile_options *o,
           const struct tune_data *data, const struct tune_options *t, struct compiled *c,
           struct tune_report *r, struct diag *d)
{
    struct graph *front, *back;
    struct interpret_options io = {0};

    if (!pipeline_split(a, c->graph, node, &front, &back, d))
        return false;
    size_t size = (size_t)shape_size(&graph_value(front, front->outputs.at[0])->shape);
    if (size * data->n > OLAC_MAX_BYTES / sizeof(float)) {
        diag_error(d, E_TUNE_OPTION, (struct place){.file = c->graph->file, .node = node},
                   "%zu features of %u images are too many", size, data->n);
        return false;
    }
    float *features = ARENA_ARRAY(a, float, size * data->n + 1);
    struct tune_data seen = {features, data->labels, data->n};
    if (!interpret_many(front, &io, data->x, data->n, features, d) ||
        !train(back, o, &seen, t, c, r, d))
        return false;
    put_back(c->graph, back);
    return true;
}

/* The teacher's network, beside the one that learns. NULL after an error. */
static struct graph *
read_teacher(struct arena *a, const struct compile_options *o, const char *path, struct diag *d)
{
    struct compile_options other = *o;
    struct compiled *c = ARENA_NEW(a, struct compiled);

    other.model = path;
    other.pins = NULL;
    other.n_pins = 0;
    if (!pipeline_float(a, &other, c, d) || !simplify(c->graph, d) ||
        !graph_check(c->graph, STAGE_SIMPLIFIED, d))
        return NULL;
    return c->graph;
}

bool
pipeline_tune(struct arena *a, const struct compile_options *o, const struct tune_data *data,
              const char *head, const char *teacher, const struct tune_options *t,
              struct compiled *c, struct tune_report *r, struct diag *d)
{
    struct tune_options with = *t;

    if (teacher && (head || t->epsilon > 0)) {
        diag_error(d, E_TUNE_OPTION, PLACE_FILE(teacher),
                   "--teacher goes neither with --head nor with --dp");
        return false;
    }
    if (teacher && !(with.teacher = read_teacher(a, o, teacher, d)))
        return false;
    if (!simplify(c->graph, d) || !graph_check(c->graph, STAGE_SIMPLIFIED, d))
        return false;
    if (!(head ? train_head(a, head, o, data, &with, c, r, d)
               : train(c->graph, o, data, &with, c, r, d)))
        return false;
    tune_expand(c->graph);
    return graph_check(c->graph, STAGE_IMPORTED, d);
}
