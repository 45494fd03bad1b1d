/* quantize.c - the door: layer after layer, each fed by those before it as already rounded. */
#include "quantize/quantize.h"

#include "op/lockstep.h"
#include "quantize/moments.h"

#include <math.h>
#include <string.h>

#define BITS 5
/* Added to the diagonal of the second moments, as a share of its mean. */
#define DAMP 0.01

struct work {
    struct graph *g;
    const struct quantize_options *o;
    const float *images;
    uint32_t n; /* images */
    uint32_t n_layers;
    struct weighted *layers;
    struct quantize_report *r;
    struct diag *d;
};

static struct place
at(const struct work *w, uint32_t layer)
{
    return (struct place){.file = w->g->file, .node = w->r->layers[layer].name};
}

bool
quantize_pinned(const struct graph *g)
{
    bool any = false;

    for (uint32_t k = 0; k < g->nodes.len; k++)
        any = any || g->nodes.at[k].pins.pow2_bits;
    return any;
}

/* The layers, with constants of their own; what was asked for each. */
static void
find_layers(struct work *w)
{
    struct weighted l;

    w->layers = ARENA_ARRAY(w->g->arena, struct weighted, w->g->nodes.len + 1);
    w->r->layers = ARENA_ARRAY(w->g->arena, struct quantize_layer, w->g->nodes.len + 1);
    for (uint32_t k = 0; k < w->g->nodes.len; k++) {
        const struct node *n = &w->g->nodes.at[k];
        if (!weighted_read(w->g, k, &l))
            continue;
        struct quantize_layer *out = &w->r->layers[w->n_layers];
        *out = (struct quantize_layer){.name = n->name,
                                       .terms = w->o->terms,
                                       .bits = w->o->bits ? w->o->bits : BITS,
                                       .weights = (uint32_t)(l.groups * l.rows * l.depth)};
        if (n->pins.pow2_bits) {
            out->terms = w->o->terms ? w->o->terms : 1;
            out->bits = n->pins.pow2_bits;
        }
        weighted_own(w->g, &l);
        w->layers[w->n_layers++] = l;
    }
    w->r->n = w->n_layers;
}

static bool
check(const struct work *w)
{
    for (uint32_t k = 0; k < w->n_layers; k++) {
        const struct quantize_layer *l = &w->r->layers[k];
        const struct weighted *s = &w->layers[k];
        double kept = l->weights - floor(w->o->prune * l->weights);
        if (l->terms && (l->bits < POW2_BITS_MIN || l->bits > POW2_BITS_MAX))
            diag_error(w->d, E_QUANT_BITS, at(w, k),
                       "a grid of powers of two has %d to %d bits, not %u", POW2_BITS_MIN,
                       POW2_BITS_MAX, l->bits);
        if (w->o->prune > 0 && kept < (double)(s->groups * s->rows)) {
            diag_error(w->d, E_QUANT_PRUNE, at(w, k),
                       "pruning %.4g %% leaves %.0f of its %u weights for %lld outputs: the layer "
                       "would be dead",
                       100 * w->o->prune, kept, l->weights, (long long)(s->groups * s->rows));
            diag_hint(w->d, "--prune %.4g at most",
                      floor(1e3 * (1 - (double)(s->groups * s->rows) / l->weights)) / 1e3);
        }
    }
    if (w->n_layers && (!w->images || !w->n)) {
        diag_error(w->d, E_QUANT_DATA, PLACE_FILE(w->g->file),
                   "weights are rounded by what calibration images feed them, and there are none");
        diag_hint(w->d, "give some hundred typical inputs with --calib");
    }
    return diag_errors(w->d) == 0;
}

/* One group's weights and bias as rows of the solver, as they multiply x. */
static void
to_rows(const struct work *w, const struct weighted *l, int64_t group, float *weight, float *bias)
{
    const float *data = graph_value(w->g, l->weight)->data.f;
    const float *b = l->bias == NONE ? NULL : graph_value(w->g, l->bias)->data.f;

    for (int64_t r = 0; r < l->rows; r++) {
        for (int64_t c = 0; c < l->depth; c++)
            weight[r * l->depth + c] =
                (float)(l->scale * (double)data[weighted_at(l, group, r, c)]);
        if (b)
            bias[r] = (float)(l->bias_scale * (double)b[group * l->rows + r]);
    }
}

static void
from_rows(const struct work *w, const struct weighted *l, int64_t group, const double *rows,
          size_t cols)
{
    float *data = graph_value(w->g, l->weight)->data.f;
    float *b = l->bias == NONE ? NULL : graph_value(w->g, l->bias)->data.f;

    for (int64_t r = 0; r < l->rows; r++) {
        const double *row = rows + (size_t)r * cols;
        for (int64_t c = 0; c < l->depth; c++)
            data[weighted_at(l, group, r, c)] = (float)(row[c] / l->scale);
        if (b)
            b[group * l->rows + r] = (float)(row[l->depth] / l->bias_scale);
    }
}

struct group {
    double *rows; /* rows x cols, solved for */
    double off, off_nearest, yy;
};

/* The error of rounding each weight to the nearest. */
static double
nearest_error(struct arena *a, const struct solve_moments *m, const struct pow2_grid *grid,
              const double *rows)
{
    double *w = ARENA_ARRAY(a, double, m->rows * m->cols);

    for (size_t i = 0; i < m->rows * m->cols; i++)
        w[i] = grid && i % m->cols < m->cols - m->bias ? pow2_round(grid, rows[i]) : rows[i];
    return solve_error(m, w);
}

static bool
solve_group(const struct work *w, uint32_t layer, int64_t group, const struct pow2_grid *grid,
            const float *clean, const float *fed, struct arena *a, struct group *out)
{
    const struct weighted *l = &w->layers[layer];
    float *weight = ARENA_ARRAY(a, float, (size_t)(l->rows * l->depth));
    float *bias = l->bias == NONE ? NULL : ARENA_ARRAY(a, float, (size_t)l->rows);
    int64_t size = shape_size(&graph_value(w->g, l->x)->shape);

    to_rows(w, l, group, weight, bias);
    struct solve_moments m = moments_of(a, l, group, weight, bias, clean, fed, size, w->n);
    out->rows = ARENA_ARRAY(a, double, m.rows *m.cols);
    for (size_t r = 0; r < m.rows; r++)
        for (size_t c = 0; c < m.cols; c++)
            out->rows[r * m.cols + c] =
                c < (size_t)l->depth ? (double)weight[r * (size_t)l->depth + c] : (double)bias[r];
    struct solve_options o = {grid, w->o->prune, DAMP};
    out->yy = m.yy;
    out->off_nearest = nearest_error(a, &m, grid, out->rows);
    if (!solve(&m, &o, out->rows))
        return false;
    out->off = solve_error(&m, out->rows);
    from_rows(w, l, group, out->rows, m.cols);
    return true;
}

static double
largest_weight(const struct work *w, const struct weighted *l)
{
    const float *data = graph_value(w->g, l->weight)->data.f;
    double largest = 0;

    for (int64_t k = 0; k < l->groups * l->rows * l->depth; k++)
        largest = fmax(largest, fabs((double)data[k] * l->scale));
    return largest;
}

static bool
layer(const struct work *w, uint32_t k, const float *clean, const float *fed)
{
    const struct weighted *l = &w->layers[k];
    struct quantize_layer *out = &w->r->layers[k];
    struct pow2_grid grid;
    double off = 0, nearest = 0, yy = 0;

    if (out->terms && !pow2_grid(largest_weight(w, l), out->bits, out->terms, &grid)) {
        diag_error(w->d, E_QUANT_VALUES, at(w, k), "its weights are all zero, or not finite");
        return false;
    }
    out->lo = out->terms ? grid.lo : 0;
    out->hi = out->terms ? grid.hi : 0;
    for (int64_t group = 0; group < l->groups; group++) {
        struct arena *a = arena_new();
        struct group s;
        bool ok = solve_group(w, k, group, out->terms ? &grid : NULL, clean, fed, a, &s);
        if (ok) {
            off += s.off;
            nearest += s.off_nearest;
            yy += s.yy;
        }
        arena_free(a);
        if (!ok || !isfinite(yy)) {
            diag_error(w->d, E_QUANT_VALUES, at(w, k),
                       "what calibration feeds it is not finite, or too large");
            return false;
        }
    }
    out->error = yy > 0 ? fmax(0, off / yy) : 0;
    out->nearest = yy > 0 ? fmax(0, nearest / yy) : 0;
    const float *data = graph_value(w->g, l->weight)->data.f;
    for (uint32_t i = 0; i < out->weights; i++)
        out->zeros += data[i] == 0;
    return true;
}

bool
quantize(struct graph *g, const float *images, uint32_t n_images, const struct quantize_options *o,
         struct quantize_report *r, struct diag *d)
{
    struct work w = {.g = g, .o = o, .images = images, .n = n_images, .r = r, .d = d};
    struct graph *clean = graph_copy(g->arena, g);
    uint32_t *stops;
    bool ok;

    *r = (struct quantize_report){0};
    find_layers(&w);
    if (!check(&w))
        return false;
    stops = ARENA_ARRAY(g->arena, uint32_t, w.n_layers + 1);
    for (uint32_t k = 0; k < w.n_layers; k++)
        stops[k] = w.layers[k].node;
    r->images = w.n = lockstep_images(g, stops, w.n_layers, n_images);
    struct lockstep *s = lockstep_new(clean, g, images, w.n);
    ok = true;
    for (uint32_t k = 0; ok && k < w.n_layers; k++) {
        uint32_t x = w.layers[k].x;
        if (!r->layers[k].terms && !(o->prune > 0))
            continue;
        ok = lockstep_advance(s, stops[k], d) &&
             layer(&w, k, lockstep_value(s, x, true), lockstep_value(s, x, false));
        if (o->progress)
            o->progress(o->user, "rounding weights", k + 1, w.n_layers);
    }
    lockstep_free(s);
    return ok;
}
