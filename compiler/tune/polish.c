/* polish.c - see polish.h. Adam (Kingma and Ba, arXiv 1412.6980) on the learner of tune/.
 * Coefficients move in coordinates in which the values that a channel is fed make them orthonormal,
 * so that a step changes every polynomial's values by about the same share of its layer's error. */
#include "tune/polish.h"
#include "op/interpret.h"
#include "tune/augment.h"
#include "tune/learner.h"

#include <cblas.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

#define BATCH 32
#define RATE  0.015
#define HOLD  1.0
#define GUARD 0.1  /* of an image's hold, that of a guard */
#define LOST  1e12 /* what stands out: beyond, numbers end */
#define FAR   10   /* what an image counts at most */
#define LANES 4    /* parts of a batch, whose gradients are added in order */
#define HELD  5    /* every fifth image judges */
#define NEAR  0.3  /* of the outputs' root mean square: beyond, by the root of the distance */
#define ORTHO 128  /* images that say what is orthogonal */
#define TAIL  1e-2 /* weight of equal values over the range beside them */
#define CLIP  2.0  /* of the mean norm of the gradients so far */
#define WARM  20   /* steps until the full rate */
#define SAFE  8    /* steps between two of which the parameters are kept */
#define AWAY  5    /* of the mean loss: it has run away */

struct part {
    struct learner_run *run;
    float *x, *slope, *gradient, *weight;
    uint32_t rows;
    const float **from, **want; /* [rows]; want NULL: a guard */
    double *outside, loss;
};

struct work {
    struct arena *a;
    struct graph *g; /* a copy, the learner's own */
    struct polish_options o;
    struct learner *net;
    const struct learner_param *params;
    uint32_t n_params;
    bool *learns; /* of each parameter */
    size_t size;
    int64_t inputs, outputs;
    uint32_t n, n_held; /* of the pool, judging */
    float *x, *want;    /* pool */
    float *held, *held_want;
    double near;                /* square */
    double **triangle;          /* of each parameter: [rows][terms][terms], NULL */
    double *unit;               /* of each parameter: the step at a rate of 1 */
    double *at, *mean, *square; /* coordinates, moments */
    double *safe, *move;        /* coefficients some steps ago; a step */
    double slower;              /* than asked for, since the last time that it ran away */
    uint32_t done;              /* steps since then */
    struct part part[LANES];
    double norm; /* mean norm so far */
};

/* ---- images ------------------------------------------------------------------------------- */

static void
random_words(uint64_t seed, uint32_t *w, size_t n)
{
    unsigned char key[randombytes_SEEDBYTES] = {'p', 'o', 'l'};

    memcpy(key + 8, &seed, sizeof seed);
    randombytes_buf_deterministic(w, n * sizeof *w, key);
}

static bool
outputs_of(struct graph *g, const float *x, uint32_t n, float *out, struct diag *d)
{
    struct interpret_options exact = {0};

    return interpret_many(g, &exact, x, n, out, d);
}

/* Those that learn, and a changed copy of each; those that judge; what the float network makes of
 * them. */
static bool
set_images(struct work *w, struct graph *g, const float *images, uint32_t n, struct diag *d)
{
    const struct shape *s = &graph_value(w->g, w->g->inputs.at[0].value)->shape;
    bool copies = w->o.augment > 0 && s->rank == 4;
    size_t in = (size_t)w->inputs;
    w->x = ARENA_ARRAY(w->a, float, 2 * in * n + 1);
    w->held = ARENA_ARRAY(w->a, float, in *(n / HELD + 1));
    uint32_t *words = ARENA_ARRAY(w->a, uint32_t, 8 * (size_t)n + 1);
    struct augment *augment = copies ? augment_new(w->a, s, w->o.augment) : NULL;

    random_words(w->o.seed, words, 8 * (size_t)n);
    for (uint32_t k = 0; k < n; k++) {
        const float *from = images + k * in;
        if (k % HELD == HELD - 1) {
            memcpy(w->held + w->n_held++ * in, from, in * sizeof *from);
            continue;
        }
        memcpy(w->x + w->n++ * in, from, in * sizeof *from);
        if (copies)
            augment_image(augment, (const uint8_t *)(words + 8 * (size_t)k), from,
                          w->x + w->n++ * in);
    }
    w->want = ARENA_ARRAY(w->a, float, (size_t)(w->n * w->outputs) + 1);
    w->held_want = ARENA_ARRAY(w->a, float, (size_t)(w->n_held * w->outputs) + 1);
    if (!outputs_of(g, w->x, w->n, w->want, d) ||
        !outputs_of(g, w->held, w->n_held, w->held_want, d))
        return false;
    double sum = 0;
    for (int64_t k = 0; k < w->n * w->outputs; k++)
        sum += (double)w->want[k] * (double)w->want[k];
    w->near = NEAR * NEAR * fmax(sum / (double)(w->n * w->outputs), 1e-30);
    return true;
}

/* The distance of one image's outputs; dL/dz of `share` of it. */
static double
distance(const struct work *w, const float *z, const float *want, double share, float *slope)
{
    double sum = 0;

    for (int64_t i = 0; i < w->outputs; i++)
        sum += ((double)z[i] - (double)want[i]) * ((double)z[i] - (double)want[i]);
    double by = sum / ((double)w->outputs * w->near), root = sqrt(1 + by);
    for (int64_t i = 0; slope && i < w->outputs; i++)
        slope[i] = (float)(share * ((double)z[i] - (double)want[i]) /
                           ((double)w->outputs * w->near * root));
    return isfinite(root) ? root - 1 : 1e30;
}

/* ---- coordinates -------------------------------------------------------------------------- */

/* The lower triangle of a Cholesky decomposition, in place. */
static void
cholesky(double *m, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t i = j; i < n; i++) {
            double sum = m[i * n + j];
            for (uint32_t k = 0; k < j; k++)
                sum -= m[i * n + k] * m[j * n + k];
            m[i * n + j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / m[j * n + j];
        }
}

/* What is orthogonal: of the values that calibration feeds, and a little of equal ones. */
static void
set_triangles(struct work *w)
{
    uint32_t some = w->n < ORTHO ? w->n : ORTHO, step = (w->o.batch + LANES - 1) / LANES;
    uint64_t *count = ARENA_ARRAY(w->a, uint64_t, w->n_params + 1);

    for (uint32_t k = 0; k < w->n_params; k++)
        if (w->params[k].kind == LEARN_POLY) {
            const struct poly *p = w->g->nodes.at[w->params[k].node].poly;
            w->triangle[k] = ARENA_ARRAY(w->a, double, (size_t)w->params[k].n *(p->degree + 1));
        }
    for (uint32_t first = 0; first < some; first += step) {
        learner_forward(w->part[0].run, w->x + (size_t)first * (size_t)w->inputs,
                        some - first < step ? some - first : step);
        for (uint32_t k = 0; k < w->n_params; k++)
            if (w->triangle[k])
                count[k] += learner_gram(w->part[0].run, k, w->triangle[k]);
    }
    for (uint32_t k = 0; k < w->n_params; k++) {
        if (!w->triangle[k])
            continue;
        const struct poly *p = w->g->nodes.at[w->params[k].node].poly;
        uint32_t terms = p->degree + 1;
        for (uint32_t r = 0; r < p->rows; r++) {
            double *m = w->triangle[k] + (size_t)r * terms * terms;
            for (uint32_t i = 0; i < terms * terms; i++)
                m[i] /= (double)count[k];
            for (uint32_t i = 0; i < terms; i++)
                m[i * terms + i] += i ? TAIL / 2 : TAIL;
            cholesky(m, terms);
        }
    }
}

/* v = L^-1 v, or with back v = L^-T v. */
static void
solve(const double *l, uint32_t n, bool back, double *v)
{
    for (uint32_t s = 0; s < n; s++) {
        uint32_t i = back ? n - 1 - s : s;
        for (uint32_t k = back ? i + 1 : 0; k < (back ? n : i); k++)
            v[i] -= (back ? l[k * n + i] : l[i * n + k]) * v[k];
        v[i] /= l[i * n + i];
    }
}

/* To coordinates (of a gradient: L^-1; of coefficients: L^T), and back to coefficients. */
static void
turn(const struct work *w, uint32_t param, bool back, double *v)
{
    if (!w->triangle[param])
        return;
    const struct poly *p = w->g->nodes.at[w->params[param].node].poly;
    uint32_t terms = p->degree + 1;
    for (uint32_t r = 0; r < p->rows; r++)
        solve(w->triangle[param] + (size_t)r * terms * terms, terms, back, v + (size_t)r * terms);
}

/* ---- steps -------------------------------------------------------------------------------- */

/* The network on the rows of a part; those that run beyond all numbers drop out, and count as if
 * they were far off. Sums of what stands out of ranges to l->outside. */
static const float *
forward(const struct work *w, struct part *l)
{
    size_t in = (size_t)w->inputs;

    for (;;) {
        uint32_t kept = 0;
        for (uint32_t k = 0; k < l->rows; k++)
            memcpy(l->x + k * in, l->from[k], in * sizeof *l->x);
        const float *z = l->rows ? learner_forward(l->run, l->x, l->rows) : NULL;
        if (l->rows)
            learner_outside(l->run, l->outside);
        for (uint32_t k = 0; k < l->rows; k++) {
            if (!(l->outside[k] < LOST)) {
                l->loss += l->want[k] ? FAR : 0;
                continue;
            }
            l->from[kept] = l->from[k];
            l->want[kept++] = l->want[k];
        }
        if (kept == l->rows)
            return z;
        l->rows = kept;
    }
}

/* Loss and gradient of the rows of a part. */
static void
lane(const struct work *w, struct part *l)
{
    size_t out = (size_t)w->outputs;
    double share = 1.0 / w->o.batch;

    memset(l->gradient, 0, w->size * sizeof *l->gradient);
    l->loss = 0;
    const float *z = forward(w, l);
    if (!z)
        return;
    memset(l->slope, 0, l->rows * out * sizeof *l->slope);
    for (uint32_t k = 0; k < l->rows; k++) {
        double root = sqrt(1 + l->outside[k]), hold = w->o.hold * (l->want[k] ? 1 : GUARD);
        l->weight[k] = (float)(hold * share / (2 * root));
        if (l->want[k])
            l->loss +=
                hold * (root - 1) + distance(w, z + k * out, l->want[k], share, l->slope + k * out);
    }
    learner_backward_held(l->run, l->slope, l->weight, l->gradient);
}

/* Images of the order, and a guard for each part; the gradient in the first part's. */
static double
batch(struct work *w, const uint32_t *order, const uint32_t *guard)
{
    double loss = 0;
    uint32_t each = w->o.batch / LANES;

#pragma omp parallel for schedule(static)
    for (uint32_t k = 0; k < LANES; k++) {
        struct part *l = &w->part[k];
        for (l->rows = 0; l->rows < each; l->rows++) {
            uint32_t image = order[k * each + l->rows];
            l->from[l->rows] = w->x + image * (size_t)w->inputs;
            l->want[l->rows] = w->want + image * (size_t)w->outputs;
        }
        if (w->o.n_guard) {
            l->from[l->rows] = w->o.guard + guard[k] * (size_t)w->inputs;
            l->want[l->rows++] = NULL;
        }
        lane(w, l);
    }
    for (uint32_t k = 0; k < LANES; k++) {
        if (k)
            cblas_saxpy((int)w->size, 1, w->part[k].gradient, 1, w->part[0].gradient, 1);
        loss += w->part[k].loss;
    }
    return loss / w->o.batch;
}

/* The gradient in coordinates, and its norm in units. */
static double
to_coordinates(const struct work *w, double *v)
{
    const float *gradient = w->part[0].gradient;
    double sum = 0;

    for (uint32_t k = 0; k < w->n_params; k++) {
        const struct learner_param *p = &w->params[k];
        if (!w->learns[k])
            continue;
        for (uint32_t i = 0; i < p->n; i++)
            v[p->first + i] = (double)gradient[p->first + i];
        turn(w, k, false, v + p->first);
        for (uint32_t i = 0; i < p->n; i++)
            sum += pow(w->unit[k] * v[p->first + i], 2);
    }
    return sqrt(sum);
}

/* The parameters as they were when the last step that was kept had been done. */
static void
go_back(struct work *w)
{
    memcpy(w->at, w->safe, w->size * sizeof *w->at);
    memset(w->mean, 0, w->size * sizeof *w->mean);
    memset(w->square, 0, w->size * sizeof *w->square);
    w->done = 0;
    w->slower /= 2;
}

static void
adam(struct work *w, double rate)
{
    double bias1 = 1 - pow(0.9, w->done + 1), bias2 = 1 - pow(0.99, w->done + 1), scale = 1;
    double norm = to_coordinates(w, w->move);

    if (!isfinite(norm)) {
        go_back(w);
        return;
    }
    if (w->norm > 0 && norm > CLIP * w->norm)
        scale = CLIP * w->norm / norm;
    w->norm = w->norm > 0 ? 0.95 * w->norm + 0.05 * norm * scale : norm;
    for (uint32_t k = 0; k < w->n_params; k++) {
        const struct learner_param *p = &w->params[k];
        if (!w->learns[k])
            continue;
        for (size_t i = p->first; i < p->first + p->n; i++) {
            double by = scale * w->move[i] * w->unit[k];
            w->mean[i] = 0.9 * w->mean[i] + 0.1 * by;
            w->square[i] = 0.99 * w->square[i] + 0.01 * by * by;
            w->move[i] = -rate * w->slower * w->unit[k] * (w->mean[i] / bias1) /
                         (sqrt(w->square[i] / bias2) + 1e-12);
        }
        turn(w, k, true, w->move + p->first);
        for (uint32_t i = 0; i < p->n; i++)
            w->at[p->first + i] += w->move[p->first + i];
    }
    w->done++;
}

/* Parameters to where the network reads them. */
static void
apply(struct work *w)
{
    for (uint32_t k = 0; k < w->n_params; k++) {
        const struct learner_param *p = &w->params[k];
        for (uint32_t i = 0; i < p->n && w->learns[k]; i++)
            p->data[i] = (float)w->at[p->first + i];
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

static double
judge(struct work *w)
{
    uint32_t each = w->o.batch / LANES;
    double *of = ARENA_ARRAY(w->a, double, w->n_held + 1), sum = 0;
    size_t in = (size_t)w->inputs, out = (size_t)w->outputs;

#pragma omp parallel for schedule(static)
    for (uint32_t k = 0; k < LANES; k++)
        for (uint32_t first = k * each; first < w->n_held; first += LANES * each) {
            struct part *l = &w->part[k];
            uint32_t n = w->n_held - first < each ? w->n_held - first : each;
            const float *z = learner_forward(l->run, w->held + first * in, n);
            learner_outside(l->run, l->outside);
            for (uint32_t i = 0; i < n; i++)
                of[first + i] =
                    fmin(distance(w, z + i * out, w->held_want + (first + i) * out, 1, NULL) +
                             w->o.hold * (sqrt(1 + fmin(l->outside[i], LOST)) - 1),
                         FAR);
        }
    for (uint32_t k = 0; k < w->n_held; k++)
        sum += of[k];
    return sum / w->n_held;
}

/* Root of the mean error of all layers, for what has none of its own. */
static void
set_units(struct work *w)
{
    double sum = 0;
    uint32_t n = 0;

    for (uint32_t k = 0; k < w->n_params; k++)
        if (w->params[k].kind == LEARN_POLY) {
            w->unit[k] = fmax(w->g->nodes.at[w->params[k].node].poly->error, 1e-9);
            sum += w->unit[k];
            n++;
        }
    for (uint32_t k = 0; k < w->n_params; k++)
        if (w->params[k].kind == LEARN_BIAS)
            w->unit[k] = n ? sum / n : 0;
}

/* A bias that others read besides its node stays: the graph has one place for what the learner has
 * one of for each node. */
static bool
may_learn(const struct work *w, const struct graph *g, const struct learner_param *p)
{
    return p->kind == LEARN_POLY || (p->kind == LEARN_BIAS && !w->o.keep_biases &&
                                     graph_uses(g, g->nodes.at[p->node].in.at[2]) == 1);
}

static void
prepare(struct work *w, const struct graph *g)
{
    uint32_t most = w->o.batch / LANES + 1;

    w->params = learner_params(w->net, &w->n_params);
    w->size = learner_size(w->net);
    w->learns = ARENA_ARRAY(w->a, bool, w->n_params + 1);
    for (uint32_t k = 0; k < w->n_params; k++)
        w->learns[k] = may_learn(w, g, &w->params[k]);
    w->triangle = ARENA_ARRAY(w->a, double *, w->n_params + 1);
    w->unit = ARENA_ARRAY(w->a, double, w->n_params + 1);
    w->at = ARENA_ARRAY(w->a, double, w->size + 1);
    w->safe = ARENA_ARRAY(w->a, double, w->size + 1);
    w->move = ARENA_ARRAY(w->a, double, w->size + 1);
    w->mean = ARENA_ARRAY(w->a, double, w->size + 1);
    w->square = ARENA_ARRAY(w->a, double, w->size + 1);
    for (int k = 0; k < LANES; k++) {
        struct part *l = &w->part[k];
        l->run = learner_run_new(w->a, w->net, most);
        l->x = ARENA_ARRAY(w->a, float, (size_t)(most * w->inputs));
        l->slope = ARENA_ARRAY(w->a, float, (size_t)(most * w->outputs));
        l->gradient = ARENA_ARRAY(w->a, float, w->size + 1);
        l->weight = ARENA_ARRAY(w->a, float, most);
        l->outside = ARENA_ARRAY(w->a, double, most);
        l->from = ARENA_ARRAY(w->a, const float *, most);
        l->want = ARENA_ARRAY(w->a, const float *, most);
    }
    for (uint32_t k = 0; k < w->n_params; k++)
        for (uint32_t i = 0; i < w->params[k].n; i++)
            w->at[w->params[k].first + i] = (double)w->params[k].data[i];
    w->slower = 1;
    set_triangles(w);
    set_units(w);
}

static void
learn(struct work *w)
{
    uint32_t guards = w->o.n_guard ? LANES : 0, words_a_step = w->o.batch + guards;
    struct arena *a = arena_new();
    uint32_t *words = ARENA_ARRAY(a, uint32_t, (size_t)words_a_step * (w->o.steps + 1));

    double mean = 0;

    memcpy(w->safe, w->at, w->size * sizeof *w->at);
    random_words(w->o.seed + 1, words, (size_t)words_a_step * w->o.steps);
    for (uint32_t s = 0; s < w->o.steps; s++) {
        uint32_t *of = words + (size_t)s * words_a_step;
        for (uint32_t k = 0; k < w->o.batch; k++)
            of[k] = of[k] % w->n;
        for (uint32_t k = 0; k < guards; k++)
            of[w->o.batch + k] = of[w->o.batch + k] % w->o.n_guard;
        double loss = batch(w, of, of + w->o.batch);
        double rate =
            w->o.rate * fmin(1, (w->done + 1.0) / WARM) * (1 + cos(M_PI * s / w->o.steps)) / 2;
        if (loss < AWAY * (mean > 0 ? mean : loss + 1)) {
            if (s % SAFE == 0)
                memcpy(w->safe, w->at, w->size * sizeof *w->at);
            mean = mean > 0 ? 0.9 * mean + 0.1 * loss : loss;
            adam(w, rate);
        } else
            go_back(w);
        apply(w);
        if (w->o.progress)
            w->o.progress(w->o.user, "polishing", s + 1, w->o.steps);
    }
    arena_free(a);
}

/* From the copy to the graph: its nodes are the same ones. */
static void
put_back(const struct work *w, struct graph *g)
{
    for (uint32_t k = 0; k < w->n_params; k++) {
        const struct learner_param *p = &w->params[k];
        struct node *n = &g->nodes.at[p->node];
        if (!w->learns[k])
            continue;
        if (p->kind == LEARN_POLY) {
            struct poly *own = ARENA_NEW(g->arena, struct poly);
            *own = *n->poly;
            own->coef = ARENA_ARRAY(g->arena, double, p->n);
            for (uint32_t i = 0; i < p->n; i++)
                own->coef[i] = (double)p->data[i];
            n->poly = own;
            continue;
        }
        struct value *v = graph_value(g, n->in.at[2]);
        if (!v->trained.f)
            v->trained = v->data;
        v->data = tensor_new(g->arena, v->dtype, v->shape);
        memcpy(v->data.f, p->data, p->n * sizeof *p->data);
    }
}

bool
polish(struct graph *g, const float *images, uint32_t n, const struct polish_options *o,
       struct polish_report *r, struct diag *d)
{
    struct work w = {.a = arena_new(), .o = *o};
    struct learner_options lo = {.polys = true, .frozen = true};
    bool ok = true;

    *r = (struct polish_report){0};
    w.o.batch = o->batch ? (o->batch + LANES - 1) / LANES * LANES : BATCH;
    w.o.rate = o->rate > 0 ? o->rate : RATE;
    w.o.hold = o->hold > 0 ? o->hold : HOLD;
    w.g = graph_copy(w.a, g);
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    w.net = learner_new(w.a, w.g, &lo, d);
    ok = w.net != NULL;
    if (ok) {
        w.inputs = learner_inputs(w.net);
        w.outputs = learner_outputs(w.net);
        ok = set_images(&w, g, images, n, d);
    }
    r->unjudged = ok && !w.n_held;
    if (ok && w.n_held) {
        prepare(&w, g);
        r->before = judge(&w);
        learn(&w);
        r->after = judge(&w);
        r->kept = r->after < r->before;
        if (r->kept)
            put_back(&w, g);
    }
    openblas_set_num_threads(blas_threads);
    arena_free(w.a);
    return ok;
}
