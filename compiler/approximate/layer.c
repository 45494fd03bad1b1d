/* layer.c - see layer.h. The target of channel c at input x is the mean of what the clean network's
 * activation made where the approximated network was fed x: that wins back part of what the layers
 * before lost. */
#include "approximate/layer.h"
#include "approximate/fit.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* Values that a normal guess of the distribution is worth. */
#define PRIOR 32.0
/* Weight of the guards' values, the images' being 1. Measured on ResNet-20: ten times more costs a
 * point of accuracy, and this holds as much. */
#define GUARD_SHARE 0.002
/* Guards count as far as so many times the images' range (or the layer's deviation, where that is
 * more) beyond it. What is further has run away already; holding it would cost the images
 * everything. The first layer of ResNet-20 sees guards 0.9 times as far. */
#define GUARD_REACH 4.0
/* Of its range, what noise may move a value by before a layer has little else to say. */
#define NOISE_MOST 0.5

/* A channel's values on all images, one after the other; see run_of. */
struct channel {
    struct op_ctx ctx;
    const struct op *op;
    const struct layer_data *data;
    uint32_t first;                       /* image */
    int64_t size, outer, inner, channels; /* elements of the value = outer * channels * inner */
    int64_t channel;                      /* -1: all of them */
    /* where the function goes on as its tangent, away from 0; 0: nowhere */
    double edge;
};

static double
value_of(const void *user, double x)
{
    const struct channel *c = user;
    uint32_t channel = c->channel < 0 ? 0 : (uint32_t)c->channel;
    double at = c->edge > 0 ? fmax(x, c->edge) : c->edge < 0 ? fmin(x, c->edge) : x;
    double y = c->op->fn(&c->ctx, channel, at);

    return at == x ? y : y + c->op->derivative(&c->ctx, channel, at) * (x - at);
}

/* Elements k, k + 1 ... of the channel that lie one after the other: where they begin among the
 * elements of all images; *n becomes how many there are, at most *n. */
static int64_t
run_of(const struct channel *c, uint64_t k, uint32_t *n)
{
    if (c->channel < 0)
        return c->first * c->size + (int64_t)k;
    int64_t per_image = c->outer * c->inner, e = (int64_t)k % per_image;
    int64_t left = c->inner - e % c->inner;
    *n = left < *n ? (uint32_t)left : *n;
    return (c->first + (int64_t)k / per_image) * c->size +
           (e / c->inner * c->channels + c->channel) * c->inner + e % c->inner;
}

static void
get(void *user, uint64_t first, uint32_t n, double *x, double *y)
{
    const struct channel *c = user;
    uint32_t channel = c->channel < 0 ? 0 : (uint32_t)c->channel;

    for (uint32_t run; n; first += run, n -= run, x += run) {
        run = n;
        int64_t at = run_of(c, first, &run);
        for (uint32_t k = 0; k < run; k++)
            x[k] = (double)c->data->fed[at + k];
        if (!y)
            continue;
        for (uint32_t k = 0; c->edge != 0 && k < run; k++)
            y[k] = value_of(c, (double)c->data->clean[at + k]);
        for (uint32_t k = 0; c->edge == 0 && k < run; k++)
            y[k] = c->op->fn(&c->ctx, channel, (double)c->data->clean[at + k]);
        y += run;
    }
}

/* The least and the largest of `count` values. */
static void
range_of(struct channel *c, uint64_t count, double *lo, double *hi)
{
    double x[FIT_PAIRS];

    *lo = INFINITY;
    *hi = -INFINITY;
    for (uint64_t first = 0; first < count; first += FIT_PAIRS) {
        uint32_t n = count - first < FIT_PAIRS ? (uint32_t)(count - first) : FIT_PAIRS;
        get(c, first, n, x, NULL);
        for (uint32_t k = 0; k < n; k++) {
            *lo = fmin(*lo, x[k]);
            *hi = fmax(*hi, x[k]);
        }
    }
}

/* A function that ends at 0 (Reciprocal, Rsqrt, Log) may be fed values at 0 or beyond it by the
 * polynomials before it, where the clean network stays on one side. Nearer to 0 than half of what
 * the clean one feeds, its tangent serves. */
static double
edge_of(const struct channel *c)
{
    uint64_t count = (uint64_t)(c->channel < 0 ? c->size : c->outer * c->inner) * c->data->n;
    struct channel fed = *c, clean = *c;
    struct layer_data twice = {c->data->clean, c->data->clean, c->data->n, 0, 0};
    double lo, hi, fed_lo, fed_hi;

    if (isfinite(value_of(c, 0)))
        return 0;
    clean.data = &twice;
    range_of(&fed, count, &fed_lo, &fed_hi);
    range_of(&clean, count, &lo, &hi);
    if (lo > 0 && fed_lo < lo / 2)
        return lo / 2;
    return hi < 0 && fed_hi > hi / 2 ? hi / 2 : 0;
}

/* PRelu with more than one slope. */
static bool
differs_by_channel(const struct graph *g, const struct node *n)
{
    return n->op == OP_prelu && shape_size(&graph_value(g, n->in.at[1])->shape) > 1;
}

/* What is fed to channel 0 is fed to all of them. */
static bool
repeated(const struct graph *g, const struct node *n)
{
    const struct node *from = graph_producer(g, n->in.at[0]);
    const struct shape *s = from && from->op == OP_expand ? &graph_value(g, from->in.at[0])->shape
                                                          : &graph_value(g, n->in.at[0])->shape;
    int axis;

    graph_channels(&graph_value(g, n->in.at[0])->shape, &axis);
    return from && from->op == OP_expand && s->rank > axis && s->dim[axis] == 1;
}

static struct channel
channel_of(struct graph *g, const struct node *n, const struct layer_data *data, bool pooled)
{
    const struct shape *s = &graph_value(g, n->in.at[0])->shape;
    struct channel c = {.op = op_row(n->op)->op, .data = data, .size = shape_size(s)};
    int axis;

    c.ctx = (struct op_ctx){g, n, NULL, NULL};
    c.channels = graph_channels(s, &axis);
    c.outer = c.inner = 1;
    for (int d = 0; d < s->rank; d++) {
        c.outer *= d < axis ? s->dim[d] : 1;
        c.inner *= d > axis ? s->dim[d] : 1;
    }
    c.channel = pooled ? -1 : 0;
    return c;
}

struct row {
    enum fit_status status;
    bool values;          /* all finite */
    bool varied, drowned; /* values differ; noise moves them by half as much */
    struct fit fit;
    struct arena *arena;
};

/* Weighs every bin by 1 / y^2, so that the fit is to the error's share of the value; gives what the
 * fit's mean square error is to be multiplied with. */
static double
by_share(struct fit_data *data)
{
    double sum = 0;

    for (uint32_t b = 0; b < data->n; b++) {
        data->weight[b] /= fmax(data->y[b] * data->y[b], 1e-30);
        sum += data->weight[b];
    }
    for (uint32_t b = 0; b < data->n; b++)
        data->weight[b] /= sum;
    return sum;
}

/* Values of some images that lie within reach of what the others feed, and what the activation
 * should make of them. */
struct some {
    double lo, hi;
    double *x, *y;
    uint64_t n;
};

static struct some
within_reach(struct arena *a, const struct channel *c, uint32_t first, uint32_t images,
             const struct fit_data *data, double reach)
{
    struct channel of = *c;
    struct some s = {.lo = INFINITY, .hi = -INFINITY};
    uint64_t all = (uint64_t)(c->channel < 0 ? c->size : c->outer * c->inner) * images;
    double x[FIT_PAIRS], y[FIT_PAIRS];

    of.first = first;
    s.x = ARENA_ARRAY(a, double, all + 1);
    s.y = ARENA_ARRAY(a, double, all + 1);
    for (uint64_t at = 0; at < all; at += FIT_PAIRS) {
        uint32_t n = all - at < FIT_PAIRS ? (uint32_t)(all - at) : FIT_PAIRS;
        get(&of, at, n, x, y);
        for (uint32_t k = 0; k < n; k++) {
            if (!(x[k] >= data->lo - reach && x[k] <= data->hi + reach))
                continue;
            s.x[s.n] = x[k];
            s.y[s.n++] = y[k];
            s.lo = fmin(s.lo, x[k]);
            s.hi = fmax(s.hi, x[k]);
        }
    }
    return s;
}

static void
get_some(void *user, uint64_t first, uint32_t n, double *x, double *y)
{
    const struct some *s = user;

    memcpy(x, s->x + first, n * sizeof *x);
    if (y)
        memcpy(y, s->y + first, n * sizeof *y);
}

/* Fits with what the guards are fed; false where there are none, or they leave the domain. */
static bool
held_by_guards(struct row *row, struct channel c, const struct fit_data *data,
               const struct fit_options *o)
{
    struct fit_data both = *data, guard;
    struct fit_function f = {value_of, &c};
    double reach = GUARD_REACH * fmax(data->hi - data->lo, data->spread);
    struct some s = within_reach(row->arena, &c, c.data->n, c.data->guards, data, reach);

    if (!s.n || !fit_collect(row->arena, s.n, get_some, &s, &guard))
        return false;
    fit_guard(row->arena, &both, &guard, GUARD_SHARE);
    row->status = fit_polynomial(row->arena, &both, f, o, &row->fit);
    return row->status == FIT_OK;
}

/* How far noise takes the channel's values; on what ran away before, nothing is known. */
static void
widen_by_noise(struct row *row, const struct channel *c, struct fit_data *data)
{
    uint32_t first = c->data->n + c->data->guards;
    double most = fmax(1, fmax(fabs(data->lo), fabs(data->hi)));
    double reach = GUARD_REACH * fmax(most, data->spread);
    struct some s = within_reach(row->arena, c, first, c->data->noisy, data, reach);

    data->noise_below = fmax(0, data->lo - s.lo);
    data->noise_above = fmax(0, s.hi - data->hi);
    row->varied = data->hi > data->lo;
    row->drowned = row->varied &&
                   fmax(data->noise_below, data->noise_above) > NOISE_MOST * (data->hi - data->lo);
}

static void
fit_row(struct row *row, struct channel c, const struct fit_options *o, double spread)
{
    struct fit_data data;
    uint64_t per_image = (uint64_t)(c.channel < 0 ? c.size : c.outer * c.inner);
    struct fit_function f = {value_of, &c};

    c.edge = edge_of(&c);
    row->arena = arena_new();
    row->values = fit_collect(row->arena, per_image * c.data->n, get, &c, &data);
    row->status = FIT_OK;
    /* neighbours in an image are alike: their number counts by its root */
    data.independent = c.data->n * sqrt((double)per_image);
    data.spread = spread;
    if (row->values)
        widen_by_noise(row, &c, &data);
    bool factor = op_row(c.ctx.node->op)->traits & FACTOR;
    double share = row->values && factor ? by_share(&data) : 1;
    if (!row->values || (!factor && !o->grid && held_by_guards(row, c, &data, o)))
        return;
    /* no guards, or ones that are not in the function's domain */
    row->status = (o->grid ? fit_powers : fit_polynomial)(row->arena, &data, f, o, &row->fit);
    row->fit.square_error *= share;
}

/* Reports the first row that failed; true when none did. */
static bool
rows_ok(const struct graph *g, const struct node *n, const struct row *rows, uint32_t n_rows,
        struct diag *d)
{
    struct place at = n->place;

    at.node = n->name;
    at.file = at.file ? at.file : g->file;
    for (uint32_t r = 0; r < n_rows; r++) {
        if (!rows[r].values) {
            diag_error(d, E_APPROX_VALUES, at, "%s: channel %u is fed values that are not finite",
                       op_row(n->op)->onnx, r);
            return false;
        }
        if (rows[r].status == FIT_DOMAIN) {
            diag_error(d, E_APPROX_DOMAIN, at,
                       "%s: it has no value on the whole range that the "
                       "calibration images feed to channel %u",
                       op_row(n->op)->onnx, r);
            diag_hint(d,
                      "keep its input away from where the function ends, as by adding a constant");
            return false;
        }
        if (rows[r].status != FIT_OK) {
            diag_error(d, E_APPROX_FIT, at, "%s: no polynomial could be fitted for channel %u",
                       op_row(n->op)->onnx, r);
            return false;
        }
    }
    return true;
}

static struct poly *
poly_of(struct arena *a, const struct row *rows, uint32_t n_rows, uint32_t degree)
{
    struct poly *p = ARENA_NEW(a, struct poly);
    double square = 0;

    p->degree = degree;
    p->rows = n_rows;
    p->coef = ARENA_ARRAY(a, double, (size_t)n_rows *(degree + 1));
    p->center = ARENA_ARRAY(a, double, n_rows);
    p->radius = ARENA_ARRAY(a, double, n_rows);
    for (uint32_t r = 0; r < n_rows; r++) {
        for (uint32_t k = 0; k <= degree; k++)
            p->coef[r * (degree + 1) + k] = rows[r].fit.coef[k];
        p->center[r] = rows[r].fit.center;
        p->radius[r] = rows[r].fit.radius;
        square += rows[r].fit.square_error / n_rows;
    }
    p->error = sqrt(square);
    return p;
}

static bool
mostly_drowned(const struct row *rows, uint32_t n_rows)
{
    uint32_t varied = 0, drowned = 0;

    for (uint32_t r = 0; r < n_rows; r++) {
        varied += rows[r].varied;
        drowned += rows[r].drowned;
    }
    return 2 * drowned > varied;
}

/* Sums are kept in so many parts. */
enum { LANES = 8 };

static inline double
power_of(double x, int pass)
{
    return pass ? x * x : x;
}

/* Deviation of all values of the layer; 0 when they are not finite. Sums are of images, and added
 * in their order, whatever the threads. */
static double
spread_of(const struct channel *c)
{
    int64_t n = c->size * c->data->n;
    struct arena *scratch = arena_new();
    double *sum = ARENA_ARRAY(scratch, double, c->data->n + 1), total = 0;

    for (int pass = 0; pass < 2; pass++) {
        double mean = total / (double)n;
#pragma omp parallel for schedule(static)
        for (uint32_t i = 0; i < c->data->n; i++) {
            const float *x = c->data->fed + i * c->size;
            double part[LANES] = {0};
            int64_t k = 0;
            for (; k + LANES <= c->size; k += LANES)
                for (int l = 0; l < LANES; l++)
                    part[l] += power_of((double)x[k + l] - mean, pass);
            for (int l = 0; k < c->size; k++, l++)
                part[l] += power_of((double)x[k] - mean, pass);
            sum[i] = 0;
            for (int l = 0; l < LANES; l++)
                sum[i] += part[l];
        }
        total = 0;
        for (uint32_t i = 0; i < c->data->n; i++)
            total += sum[i];
    }
    arena_free(scratch);
    return n && isfinite(total) ? sqrt(total / (double)n) : 0;
}

struct poly *
layer_fit(struct graph *g, uint32_t node, const struct layer_data *data,
          const struct layer_options *o, struct diag *d)
{
    const struct node *n = &g->nodes.at[node];
    bool pooled = (o->per_layer || o->grid) && !differs_by_channel(g, n);
    struct channel c = channel_of(g, n, data, pooled);
    struct fit_options fit = {.degree = o->degree,
                              .widen = o->widen,
                              .hold = o->hold,
                              .beyond = o->beyond,
                              .grid = o->grid,
                              .prior = PRIOR};
    uint32_t n_rows = pooled || repeated(g, n) ? 1 : (uint32_t)c.channels;
    struct arena *scratch = arena_new();
    struct row *rows = ARENA_ARRAY(scratch, struct row, n_rows + 1);
    double spread = spread_of(&c);
    struct poly *p = NULL;

    /* a channel is one thread's: BLAS' own threads would only wait for one another */
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
#pragma omp parallel for schedule(dynamic)
    for (uint32_t r = 0; r < n_rows; r++) {
        struct channel mine = c;
        mine.channel = pooled ? -1 : (int64_t)r;
        fit_row(&rows[r], mine, &fit, spread);
    }
    openblas_set_num_threads(blas_threads);
    if (rows_ok(g, n, rows, n_rows, d)) {
        bool linear = o->lower;
        for (uint32_t r = 0; r < n_rows; r++)
            linear = linear && rows[r].fit.linear;
        p = poly_of(g->arena, rows, n_rows, linear && o->degree > 1 ? 1 : o->degree);
        if (o->drowned)
            *o->drowned = mostly_drowned(rows, n_rows);
        for (uint32_t r = 0; o->error && r < (uint32_t)c.channels; r++)
            o->error[r] = rows[r < n_rows ? r : 0].fit.square_error;
    }
    for (uint32_t r = 0; r < n_rows; r++)
        arena_free(rows[r].arena);
    arena_free(scratch);
    return p;
}
