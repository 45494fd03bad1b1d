/* impact.c - see impact.h. Images go through the network some hundred at a time: forwards each on
 * its own, keeping what derivatives are taken at; backwards all of them node by node, so that an
 * operator's matrix is made once for all and freed again. Gradients lie element by element with
 * the LANES images of a block side by side. */
#include "choose/impact.h"
#include "choose/backward.h"

#include "op/interpret.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* For kept values and gradients of the images that are in work. */
#define BYTES ((double)(1 << 29))

static uint32_t
layer_of(const struct choice *c, uint32_t node)
{
    for (uint32_t k = 0; k < c->n; k++)
        if (c->layers[k].node == node)
            return k;
    return NONE;
}

/* Where the channels of a layer begin in an image's row of all channels. */
struct layers {
    const struct choice *c;
    uint64_t *first, row;
};

static struct layers
layers_of(struct arena *a, const struct choice *c)
{
    struct layers l = {.c = c, .first = ARENA_ARRAY(a, uint64_t, c->n + 1)};

    for (uint32_t k = 0; k < c->n; k++) {
        l.first[k] = l.row;
        l.row += c->layers[k].channels;
    }
    return l;
}

/* ---- what is needed
 * ------------------------------------------------------------------------------------- */

/* Values that some activation before them feeds: only their gradients lead to an impact. */
static void
mark_wanted(struct backward *w)
{
    const struct graph *g = w->g;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        bool any = op_row(n->op)->class == NONLIN;
        for (uint32_t i = 0; i < n->in.len; i++)
            any = any || (n->in.at[i] != NONE && w->wanted[n->in.at[i]]);
        for (uint32_t i = 0; i < n->out.len; i++)
            if (n->out.at[i] != NONE)
                w->wanted[n->out.at[i]] = any;
    }
}

static void
keep(struct backward *w, struct graph *forward, uint32_t value)
{
    if (value == NONE || !op_encrypted(w->g, value) || w->place[value] != NONE)
        return;
    w->place[value] = forward->outputs.len;
    vec_push(forward->arena, &forward->outputs, value);
}

/* A copy of the graph whose outputs are all values that derivatives are taken at; place says
 * where. */
static struct graph *
forward_graph(struct backward *w, struct arena *a)
{
    struct graph *f = graph_copy(a, w->g);

    f->outputs.len = 0;
    memset(w->place, 0xff, (w->g->values.len + 1) * sizeof *w->place);
    keep(w, f, w->g->outputs.at[0]);
    for (uint32_t k = 0; k < w->g->nodes.len; k++) {
        const struct node *n = &w->g->nodes.at[k];
        bool product = n->op == OP_mul || n->op == OP_pow || backward_two_matrices(w->g, n);
        bool wanted = n->out.len && n->out.at[0] != NONE && w->wanted[n->out.at[0]];
        if (op_row(n->op)->class == NONLIN || (product && wanted))
            for (uint32_t i = 0; i < n->in.len; i++)
                keep(w, f, n->in.at[i]);
    }
    return f;
}

/* How many images fit, a multiple of LANES. */
static uint32_t
chunk_of(const struct graph *g, const struct graph *forward, uint32_t n)
{
    double kept = 0, largest = 0;

    for (uint32_t k = 0; k < forward->outputs.len; k++)
        kept += (double)shape_size(&graph_value(g, forward->outputs.at[k])->shape);
    for (uint32_t v = 0; v < g->values.len; v++)
        if (g->values.at[v].kind == VALUE_NODE)
            largest = fmax(largest, (double)shape_size(&g->values.at[v].shape));
    double fit = BYTES / (sizeof(float) * kept + 4 * sizeof(double) * largest + 1);
    uint32_t rows = (n + LANES - 1) / LANES * LANES;
    if (fit < rows)
        rows = fit < 2 * LANES ? 2 * LANES : (uint32_t)fit / LANES * LANES;
    return rows;
}

/* ---- the loss
 * ------------------------------------------------------------------------------------------ */

/* dL/dz of one image to g[i * LANES]. */
static void
loss_gradient(const float *z, int64_t n, int64_t label, double *g)
{
    int64_t best = 0;
    double sum = 0;

    if (n == 1) {
        g[0] = 1;
        return;
    }
    for (int64_t i = 1; i < n; i++)
        best = z[i] > z[best] ? i : best;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)z[i] - (double)z[best]);
    for (int64_t i = 0; i < n; i++)
        g[i * LANES] =
            exp((double)z[i] - (double)z[best]) / sum - (i == (label < 0 ? best : label));
}

/* ---- backwards
 * ------------------------------------------------------------------------------------------ */

/* What a FACTOR's gradient is multiplied by, for errors that are shares of the value: the value. */
static double
value_at(const struct backward *w, uint32_t node, uint32_t channel, int64_t block, int64_t size,
         int64_t element, int64_t lane)
{
    const struct node *n = &w->g->nodes.at[node];
    const struct op_ctx ctx = {w->g, n, NULL, NULL};
    int64_t image = block * LANES + lane;

    if (image >= w->n)
        return 0;
    float x = w->kept[w->place[n->in.at[0]]][image * size + element];
    return op_row(n->op)->op->fn(&ctx, channel, (double)x);
}

/* A layer's share of the rows of the images in work: channel k at to[image * row + k]. */
static void
write_impact(const struct backward *w, uint32_t node, const double *grad, float *to, uint64_t row)
{
    const struct shape *s = &graph_value(w->g, w->g->nodes.at[node].out.at[0])->shape;
    int64_t size = shape_size(s), inner = 1;
    int axis;
    uint32_t channels = graph_channels(s, &axis);
    bool factor = op_row(w->g->nodes.at[node].op)->traits & FACTOR;

    for (int k = axis + 1; k < s->rank; k++)
        inner *= s->dim[k];
#pragma omp parallel for schedule(static)
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t b = 0; b < w->blocks; b++) {
            double sum[LANES] = {0};
            for (int64_t e = (int64_t)c * inner; e < size; e += inner * channels)
                for (int64_t i = 0; i < inner; i++)
                    for (int l = 0; l < LANES; l++) {
                        double v = grad[(b * size + e + i) * LANES + l];
                        if (factor)
                            v *= value_at(w, node, c, b, size, e + i, l);
                        sum[l] += v * v;
                    }
            for (uint32_t l = 0; l < LANES && b * LANES + l < w->n; l++)
                to[(b * LANES + l) * row + c] = (float)fmin(sum[l], (double)FLT_MAX);
        }
}

static bool
chunk(struct backward *w, struct graph *f, const float *images, const int64_t *labels,
      const struct layers *c, float *each)
{
    uint32_t z = w->g->outputs.at[0];
    int64_t size = shape_size(&graph_value(w->g, z)->shape);

    const struct interpret_options o = {0};

    if (!interpret_rows(f, &o, &images, w->n, w->kept, w->d))
        return false;
    if (!w->wanted[z])
        return true;
    double *top = backward_gradient(w, z);
    for (uint32_t k = 0; k < w->n; k++)
        loss_gradient(w->kept[w->place[z]] + k * size, size, labels ? labels[k] : -1,
                      top + k / LANES * size * LANES + k % LANES);
    bool ok = true;
    for (uint32_t k = w->g->nodes.len; ok && k-- > 0;) {
        const struct node *n = &w->g->nodes.at[k];
        uint32_t layer = op_row(n->op)->class == NONLIN ? layer_of(c->c, k) : NONE;
        if (layer != NONE && w->grad[n->out.at[0]].data)
            write_impact(w, k, w->grad[n->out.at[0]].data, each + c->first[layer], c->row);
        ok = backward_node(w, k);
        for (uint32_t i = 0; i < n->out.len; i++)
            if (n->out.at[i] != NONE)
                backward_release(w, n->out.at[i]);
    }
    for (uint32_t v = 0; v < w->g->values.len; v++)
        backward_release(w, v);
    return ok;
}

static bool
labels_fit(const struct graph *g, const int64_t *labels, uint32_t n, struct diag *d)
{
    int64_t classes = shape_size(&graph_value(g, g->outputs.at[0])->shape);

    for (uint32_t k = 0; labels && k < n && classes > 1; k++)
        if (labels[k] < 0 || labels[k] >= classes) {
            diag_error(d, E_CHOOSE_LABELS, PLACE_FILE(g->file),
                       "label %u is %lld; the network has %lld classes", k, (long long)labels[k],
                       (long long)classes);
            return false;
        }
    return true;
}

bool
impact(struct graph *g, const float *images, uint32_t n, const int64_t *labels,
       const struct choice *c, float *each, struct diag *d)
{
    if (!labels_fit(g, labels, n, d))
        return false;
    struct arena *a = arena_new();
    struct backward w = {.g = g, .d = d};
    int64_t size = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    w.wanted = ARENA_ARRAY(a, bool, g->values.len + 1);
    w.place = ARENA_ARRAY(a, uint32_t, g->values.len + 1);
    w.grad = ARENA_ARRAY(a, struct gradient, g->values.len + 1);
    mark_wanted(&w);
    struct graph *f = forward_graph(&w, a);
    uint32_t rows = chunk_of(g, f, n);
    w.kept = ARENA_ARRAY(a, float *, f->outputs.len + 1);
    for (uint32_t k = 0; k < f->outputs.len; k++)
        w.kept[k] = ARENA_ARRAY(a, float,
                                rows *(size_t)shape_size(&graph_value(g, f->outputs.at[k])->shape));
    const struct layers layers = layers_of(a, c);
    bool ok = true;
    memset(each, 0, n * layers.row * sizeof *each);
    for (uint32_t first = 0; ok && first < n; first += rows) {
        w.n = n - first < rows ? n - first : rows;
        w.blocks = (w.n + LANES - 1) / LANES;
        ok = chunk(&w, f, images + (int64_t)first * size, labels ? labels + first : NULL, &layers,
                   each + first * layers.row);
    }
    arena_free(a);
    return ok;
}
