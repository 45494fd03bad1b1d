/* refit.c - see refit.h. Ridge regression towards the trained weights: the images are cut into
 * chunks, the even and the odd ones each choose weights that the others judge, and the stiffness
 * that does best is solved for on all. */
#include "approximate/refit.h"
#include "approximate/weights.h"
#include "op/shifted.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#define CHUNKS  8 /* sums are added chunk after chunk, so that threads don't matter */
#define BLOCK   256
#define SAMPLES ((uint64_t)1 << 15) /* outputs of a channel that are looked at, about */
#define TAPS    1200                /* beyond, the equations cost more than the network */
#define LEAST   32                  /* images, below which nothing can be said */

/* Of the square error, that a change must win on images it was not made from: less is as likely
 * lost on others. Measured on ResNet-20: a margin of a twentieth loses a quarter of a point. */
#define MARGIN 0.01

/* Of the mean square of what the weights meet. */
static const double stiffness[] = {1e-3, 1e-2, 1e-1, 1};
enum { STIFFNESSES = sizeof stiffness / sizeof *stiffness };

/* Normal equations of the change of the weights: a [k][across], upper half; b [k][along]. */
struct sums {
    float *a, *b;
    double square; /* of what is missing */
};

struct work {
    const struct weights *w;
    const struct weight_group *group;
    const struct refit_data *data;
    int64_t in_size, out_size;
    uint32_t k, r;          /* columns: the taps and a 1 for the bias; channels */
    uint32_t across, along; /* k and r with what rounds rows up for shifted_product */
    const float *w0;        /* [k][along]: as trained */
    struct sums chunk[CHUNKS];
};

/* ---- sums ------------------------------------------------------------------ */

struct block {
    uint32_t n;
    float *fed, *missing;  /* [BLOCK][across], [BLOCK][k]: what is fed, and how the clean differs */
    float *turned;         /* [k][BLOCK]: fed */
    float *target;         /* [BLOCK][along] */
    uint32_t *row, *along; /* where rows of `fed` and of `target` begin; of w0: */
    uint32_t *trained;
};

static struct block
block_new(struct arena *a, const struct work *w)
{
    struct block b = {.fed = ARENA_ARRAY(a, float, (size_t)BLOCK * w->across),
                      .missing = ARENA_ARRAY(a, float, (size_t)BLOCK * w->k),
                      .turned = ARENA_ARRAY(a, float, (size_t)BLOCK * w->k),
                      .target = ARENA_ARRAY(a, float, (size_t)BLOCK * w->along),
                      .row = ARENA_ARRAY(a, uint32_t, BLOCK),
                      .along = ARENA_ARRAY(a, uint32_t, BLOCK),
                      .trained = ARENA_ARRAY(a, uint32_t, w->k)};

    for (uint32_t k = 0; k < BLOCK; k++) {
        b.row[k] = k * w->across;
        b.along[k] = k * w->along;
    }
    for (uint32_t k = 0; k < w->k; k++)
        b.trained[k] = k * w->along;
    return b;
}

/* to[k][n] = from[n][k] */
static void
turn(const float *from, uint32_t n, uint32_t k, uint32_t pitch, float *to)
{
    for (uint32_t first = 0; first < k; first += SHIFTED_BLOCK)
        for (uint32_t row = 0; row < n; row++)
            for (uint32_t i = first; i < k && i < first + SHIFTED_BLOCK; i++)
                to[(size_t)i * n + row] = from[(size_t)row * pitch + i];
}

static void
flush(const struct work *w, struct block *b, struct sums *s)
{
    uint32_t n = b->n, k = w->k;

    if (!n)
        return;
    /* what is missing: clean outputs (and the gap that target holds) less what is made now */
    shifted_product(b->missing, n, w->w0, b->trained, k, b->target, w->r, w->along);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < w->r; c++)
            s->square += (double)b->target[(size_t)i * w->along + c] *
                         (double)b->target[(size_t)i * w->along + c];
    turn(b->fed, n, k, w->across, b->turned);
    for (uint32_t i = 0; i < k; i += SHIFTED_ROWS) {
        uint32_t rows = k - i < SHIFTED_ROWS ? k - i : SHIFTED_ROWS;
        uint32_t first = i / SHIFTED_BLOCK * SHIFTED_BLOCK;
        shifted_product(b->turned + (size_t)i * n, rows, b->fed + first, b->row, n,
                        s->a + (size_t)i * w->across + first, k - first, w->across);
    }
    shifted_product(b->turned, k, b->target, b->along, n, s->b, w->r, w->along);
    b->n = 0;
}

static void
sample(const struct work *w, struct block *b, uint32_t image, uint32_t position)
{
    const struct refit_data *d = w->data;
    const uint32_t *from = w->group->from + (size_t)position * w->w->taps;
    const float *mine = d->fed + image * w->in_size, *clean = d->clean + image * w->in_size;
    float *fed = b->fed + (size_t)b->n * w->across, *missing = b->missing + (size_t)b->n * w->k;
    float *target = b->target + (size_t)b->n * w->along;

    for (uint32_t t = 0; t < w->w->taps; t++) {
        fed[t] = from[t] == NONE ? 0 : mine[from[t]];
        missing[t] = from[t] == NONE ? 0 : clean[from[t]] - mine[from[t]];
    }
    if (w->group->bias) {
        fed[w->k - 1] = 1;
        missing[w->k - 1] = 0;
    }
    for (uint32_t c = 0; c < w->r; c++) {
        int64_t o = image * w->out_size + w->group->out[(size_t)c * w->w->positions + position];
        target[c] = d->added ? d->added_clean[o] - d->added[o] : 0;
    }
    b->n++;
}

static void
add_chunk(const struct work *w, uint32_t chunk, struct sums *s)
{
    uint32_t n = w->data->n, p = w->w->positions;
    uint32_t first = (uint32_t)((uint64_t)chunk * n / CHUNKS);
    uint32_t end = (uint32_t)((uint64_t)(chunk + 1) * n / CHUNKS);
    uint32_t step = (uint32_t)((uint64_t)n * p / SAMPLES);
    struct arena *a = arena_new();
    struct block b = block_new(a, w);

    step = step < 1 ? 1 : step > p ? p : step;
    for (uint32_t image = first; image < end; image++)
        for (uint32_t position = image % step; position < p; position += step) {
            sample(w, &b, image, position);
            if (b.n == BLOCK)
                flush(w, &b, s);
        }
    flush(w, &b, s);
    arena_free(a);
}

/* ---- solving ------------------------------------------------------------------ */

struct equations {
    uint32_t k, r;
    double *a, *b; /* [k][k], upper half; [k][r] */
};

/* The chunks whose number is `part` modulo `of`. */
static struct equations
gather(struct arena *a, const struct work *w, uint32_t part, uint32_t of)
{
    struct equations e = {.k = w->k, .r = w->r};

    e.a = ARENA_ARRAY(a, double, (size_t)w->k * w->k);
    e.b = ARENA_ARRAY(a, double, (size_t)w->k * w->r);
    for (uint32_t c = part; c < CHUNKS; c += of) {
        const struct sums *s = &w->chunk[c];
        for (size_t i = 0; i < w->k; i++) {
            for (size_t j = i; j < w->k; j++)
                e.a[i * w->k + j] += (double)s->a[i * w->across + j];
            for (size_t j = 0; j < w->r; j++)
                e.b[i * w->r + j] += (double)s->b[i * w->along + j];
        }
    }
    return e;
}

/* The change of the weights [k][r]; false when there is none to be had. */
static bool
solve(const struct equations *e, bool bias, double stiff, double *change)
{
    struct arena *scratch = arena_new();
    double *a = ARENA_ARRAY(scratch, double, (size_t)e->k * e->k);
    uint32_t taps = e->k - bias;
    double mean = 0;

    memcpy(a, e->a, (size_t)e->k * e->k * sizeof *a);
    memcpy(change, e->b, (size_t)e->k * e->r * sizeof *change);
    for (uint32_t k = 0; k < taps; k++)
        mean += e->a[k * (e->k + 1)] / taps;
    for (uint32_t k = 0; k < e->k; k++)
        a[k * (e->k + 1)] += k < taps ? stiff * mean : 1e-6 * a[k * (e->k + 1)];
    bool ok = mean > 0 && isfinite(mean) &&
              LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (lapack_int)e->k, (lapack_int)e->r, a,
                            (lapack_int)e->k, change, (lapack_int)e->r) == 0;
    for (size_t i = 0; ok && i < (size_t)e->k * e->r; i++)
        ok = isfinite(change[i]);
    arena_free(scratch);
    return ok;
}

/* By how much a change adds to the square error that the equations stand for. */
static double
added_error(const struct equations *e, const double *change)
{
    struct arena *scratch = arena_new();
    size_t n = (size_t)e->k * e->r;
    double *product = ARENA_ARRAY(scratch, double, n), sum = 0;

    cblas_dsymm(CblasRowMajor, CblasLeft, CblasUpper, (int)e->k, (int)e->r, 1, e->a, (int)e->k,
                change, (int)e->r, 0, product, (int)e->r);
    for (size_t i = 0; i < n; i++)
        sum += change[i] * (product[i] - 2 * e->b[i]);
    arena_free(scratch);
    return sum;
}

/* The change that does best on what it was not made from; false when none does better than the
 * trained weights on both halves, by a margin. */
static bool
best_change(struct arena *a, const struct work *w, double *change)
{
    bool bias = w->group->bias != NULL;
    struct equations half[2] = {gather(a, w, 0, 2), gather(a, w, 1, 2)}, all = gather(a, w, 0, 1);
    double least = 0, best = -1, error[2 * STIFFNESSES];

    for (int c = 0; c < CHUNKS; c++)
        least -= MARGIN * w->chunk[c].square;

#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < 2 * STIFFNESSES; k++) {
        const struct equations *made = &half[k % 2], *judge = &half[1 - k % 2];
        struct arena *scratch = arena_new();
        double *trial = ARENA_ARRAY(scratch, double, (size_t)w->k * w->r);
        error[k] =
            solve(made, bias, stiffness[k / 2], trial) ? added_error(judge, trial) : INFINITY;
        arena_free(scratch);
    }
    for (int s = 0; s < STIFFNESSES; s++)
        if (error[2 * s] < 0 && error[2 * s + 1] < 0 && error[2 * s] + error[2 * s + 1] < least) {
            least = error[2 * s] + error[2 * s + 1];
            best = stiffness[s];
        }
    return best > 0 && solve(&all, bias, best, change);
}

/* ---- the constants ------------------------------------------------------------------ */

static float *
own_data(struct graph *g, uint32_t value)
{
    struct value *v = graph_value(g, value);
    size_t n = (size_t)shape_size(&v->shape);

    if (!v->trained.f) {
        v->trained = v->data;
        v->data = tensor_new(g->arena, v->dtype, v->shape);
        memcpy(v->data.f, v->trained.f, n * sizeof(float));
    }
    return v->data.f;
}

static void
change_weights(struct graph *g, uint32_t node, const struct work *w, const double *change)
{
    const struct node *n = &g->nodes.at[node];
    const struct weight_group *group = w->group;
    uint32_t taps = w->w->taps;
    float *weight = own_data(g, n->in.at[1]), *bias = group->bias ? own_data(g, n->in.at[2]) : NULL;

    for (uint32_t c = 0; c < w->r; c++) {
        for (uint32_t t = 0; t < taps; t++)
            weight[group->weight[(size_t)c * taps + t]] += (float)change[(size_t)t * w->r + c];
        if (bias)
            bias[group->bias[c]] += (float)change[(size_t)taps * w->r + c];
    }
}

static float *
trained(struct arena *a, const struct graph *g, const struct node *n, const struct work *w)
{
    const struct weight_group *group = w->group;
    const float *weight = graph_value(g, n->in.at[1])->data.f;
    const float *bias = group->bias ? graph_value(g, n->in.at[2])->data.f : NULL;
    float *w0 = ARENA_ARRAY(a, float, (size_t)w->k * w->along);

    for (uint32_t c = 0; c < w->r; c++) {
        for (uint32_t t = 0; t < w->w->taps; t++)
            w0[(size_t)t * w->along + c] = weight[group->weight[(size_t)c * w->w->taps + t]];
        if (bias)
            w0[(size_t)(w->k - 1) * w->along + c] = bias[group->bias[c]];
    }
    return w0;
}

static void
refit_group(struct graph *g, uint32_t node, struct work *w)
{
    struct arena *a = arena_new();
    const struct node *n = &g->nodes.at[node];

    w->k = w->w->taps + (w->group->bias != NULL);
    w->r = w->group->channels;
    w->across = (w->k + SHIFTED_BLOCK - 1) / SHIFTED_BLOCK * SHIFTED_BLOCK;
    w->along = (w->r + SHIFTED_BLOCK - 1) / SHIFTED_BLOCK * SHIFTED_BLOCK;
    w->w0 = trained(a, g, n, w);
    for (int c = 0; c < CHUNKS; c++) {
        w->chunk[c].a = ARENA_ARRAY(a, float, (size_t)w->k * w->across);
        w->chunk[c].b = ARENA_ARRAY(a, float, (size_t)w->k * w->along);
    }
#pragma omp parallel for schedule(dynamic)
    for (uint32_t c = 0; c < CHUNKS; c++)
        add_chunk(w, c, &w->chunk[c]);
    double *change = ARENA_ARRAY(a, double, (size_t)w->k * w->r);
    if (best_change(a, w, change))
        change_weights(g, node, w, change);
    arena_free(a);
}

void
refit_map(struct graph *g, uint32_t node, const struct refit_data *data)
{
    const struct node *n = &g->nodes.at[node];
    struct arena *a = arena_new();
    struct weights weights;
    struct work w = {.w = &weights,
                     .data = data,
                     .in_size = shape_size(&graph_value(g, n->in.at[0])->shape),
                     .out_size = shape_size(&graph_value(g, n->out.at[0])->shape)};

    bool changed =
        memcmp(data->fed, data->clean, (size_t)(w.in_size * data->n) * sizeof *data->fed) != 0;
    if (data->n >= LEAST && changed && weights_read(a, g, node, &weights) && weights.taps <= TAPS) {
        int blas_threads = openblas_get_num_threads();
        openblas_set_num_threads(1);
        for (uint32_t k = 0; k < weights.n; k++) {
            w.group = &weights.group[k];
            refit_group(g, node, &w);
        }
        openblas_set_num_threads(blas_threads);
    }
    arena_free(a);
}

void
refit_undo(struct graph *g)
{
    for (uint32_t v = 0; v < g->values.len; v++)
        if (graph_value(g, v)->trained.f) {
            graph_value(g, v)->data = graph_value(g, v)->trained;
            graph_value(g, v)->trained = (struct tensor){0};
        }
}
