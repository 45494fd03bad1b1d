/* simulate.c - see simulate.h. A block of images goes through one network after the other; what
 * each makes of an activation is compared with what the one before made of it, and takes its
 * place. */
#include "simulate/simulate.h"
#include "base/wide.h"
#include "op/answer.h"
#include "op/interpret.h"
#include "simulate/acts.h"
#include "simulate/noise.h"

#include <math.h>

#define BLOCK_BYTES (64.0 * (1 << 20)) /* activations kept at a time */
#define DEPARTS     0.1

const char *
simulate_kind_name(enum simulate_kind kind)
{
    static const char *const names[] = {"float", "approximated", "quantised", "noisy"};

    return names[kind];
}

/* What a pass over a block writes; rows are images, so that threads never meet. */
struct pass {
    const struct acts *acts;
    enum simulate_kind kind;
    uint32_t base; /* the image that the block begins with */
    uint64_t seed;
    const double *noise;           /* of the noisy kind */
    float *kept;                   /* block x row: outputs of the kind before, then of this one */
    double *error[SIMULATE_KINDS]; /* block x n: sums over elements of the squares of the change */
    double *sum, *square;          /* the same of the float activations and of their squares */
    uint32_t *outside;             /* images: the first activation out of its range, NONE */
};

/* Sums of a layer of an image, value k into part k modulo PARTS: they can be added side by side. */
enum { PARTS = 16 };

struct sums {
    double error, sum, square;
};

/* kept <- data; what that changes, and the data's own sums. */
WIDE static struct sums
replace(const float *data, float *kept, int64_t n)
{
    double error[PARTS] = {0}, sum[PARTS] = {0}, square[PARTS] = {0};
    struct sums s = {0, 0, 0};
    int64_t k = 0;

    for (; k + PARTS <= n; k += PARTS)
        for (int l = 0; l < PARTS; l++) {
            double x = (double)data[k + l], off = x - (double)kept[k + l];
            error[l] += off * off;
            sum[l] += x;
            square[l] += x * x;
            kept[k + l] = data[k + l];
        }
    for (int l = 0; k < n; k++, l++) {
        double x = (double)data[k], off = x - (double)kept[k];
        error[l] += off * off;
        sum[l] += x;
        square[l] += x * x;
        kept[k] = data[k];
    }
    for (int l = 0; l < PARTS; l++) {
        s.error += error[l];
        s.sum += sum[l];
        s.square += square[l];
    }
    return s;
}

static void
see(void *user, uint32_t image, uint32_t watched, const float *data)
{
    struct pass *p = user;
    const struct acts *s = p->acts;

    if (watched >= s->n) {
        uint32_t k = watched - s->n, *first = &p->outside[p->base + image];
        if (p->kind != SIMULATE_FLOAT && k < *first && acts_leaves_range(s, k, data))
            *first = k;
        return;
    }
    struct sums sums =
        replace(data, p->kept + (int64_t)image * s->row + s->first[watched], s->size[watched]);
    uint32_t at = image * s->n + watched;
    p->error[p->kind][at] = sums.error;
    if (p->kind == SIMULATE_FLOAT) {
        p->sum[at] = sums.sum;
        p->square[at] = sums.square;
    }
}

static void
after(void *user, uint32_t image, uint32_t node, uint32_t output, float *data, int64_t n)
{
    const struct pass *p = user;

    if (p->noise[node] > 0)
        noise_add(data, n, p->noise[node], p->seed, p->base + image, node, output);
}

struct work {
    const struct simulate_options *o;
    struct simulate_report *r;
    const float *images;
    int64_t in_size;
    struct diag *d;
    struct arena *scratch;
    struct acts acts;
    struct graph *graph[SIMULATE_KINDS]; /* NULL: not run */
    uint32_t *outside[SIMULATE_KINDS];   /* images: the first activation out of range, NONE */
    /* of each layer, over the images that stay in range */
    double *error[SIMULATE_KINDS], *sum, *square;
    uint32_t counted; /* those images */
};

static bool
run(const struct work *w, struct graph *g, struct pass *p, uint32_t n)
{
    const struct simulate_run *to = &w->r->run[p->kind];
    struct interpret_options io = {.poly = p->kind != SIMULATE_FLOAT,
                                   .threads = w->o->threads,
                                   .user = p,
                                   .see = see,
                                   .watch = w->acts.watch,
                                   .n_watch = 2 * w->acts.n,
                                   .after = p->kind == SIMULATE_NOISY ? after : NULL};

    if (g == w->o->exact) { /* its activations bear other names */
        io.see = NULL;
        io.n_watch = 0;
    }
    return interpret_many(g, &io, w->images + (int64_t)p->base * w->in_size, n,
                          to->outputs + (int64_t)p->base * w->r->n_outputs, w->d);
}

static bool
any_outside(const struct work *w, uint32_t image)
{
    for (int kind = 0; kind < SIMULATE_KINDS; kind++)
        if (w->outside[kind][image] != NONE)
            return true;
    return false;
}

/* Images [base, base + n) through every network. */
static bool
run_block(struct work *w, float *kept, uint32_t base, uint32_t n)
{
    struct arena *a = arena_new();
    uint32_t layers = w->acts.n;
    struct pass p = {.acts = &w->acts, .base = base, .seed = w->o->seed, .noise = w->o->noise};
    bool ok = true;

    p.kept = kept;
    p.sum = ARENA_ARRAY(a, double, (size_t)n *layers + 1);
    p.square = ARENA_ARRAY(a, double, (size_t)n *layers + 1);
    for (int kind = 0; ok && kind < SIMULATE_KINDS; kind++) {
        p.kind = (enum simulate_kind)kind;
        p.outside = w->outside[kind];
        p.error[kind] = ARENA_ARRAY(a, double, (size_t)n *layers + 1);
        ok = !w->graph[kind] || run(w, w->graph[kind], &p, n);
        if (ok && kind == SIMULATE_FLOAT && w->o->exact)
            ok = run(w, w->o->exact, &p, n);
    }
    for (uint32_t i = 0; ok && i < n; i++) { /* in the order of images: one result */
        if (any_outside(w, base + i))
            continue;
        w->counted++;
        for (uint32_t k = 0; k < layers; k++) {
            w->sum[k] += p.sum[i * layers + k];
            w->square[k] += p.square[i * layers + k];
            for (int kind = 1; kind < SIMULATE_KINDS; kind++)
                w->error[kind][k] += p.error[kind][i * layers + k];
        }
    }
    arena_free(a);
    return ok;
}

static bool
run_blocks(struct work *w)
{
    double fit = BLOCK_BYTES / (sizeof(float) * (double)(w->acts.row ? w->acts.row : 1));
    uint32_t images = w->r->images, block = fit < 1 ? 1 : fit < images ? (uint32_t)fit : images;
    float *kept = ARENA_ARRAY(w->scratch, float, (size_t)block *(size_t)w->acts.row + 1);
    bool ok = true;

    for (uint32_t base = 0; ok && base < images; base += block) {
        uint32_t n = images - base < block ? images - base : block;
        ok = run_block(w, kept, base, n);
        if (w->o->progress)
            w->o->progress(w->o->user, "simulating", base + n, images);
    }
    return ok;
}

static uint32_t
levels(uint32_t degree)
{
    uint32_t l = 0;

    while ((UINT64_C(1) << l) < (uint64_t)degree + 1)
        l++;
    return l;
}

static void
report_layer(const struct work *w, uint32_t k, struct simulate_layer *l)
{
    const struct node *n = &w->acts.g->nodes.at[w->acts.node[k]];
    double count = fmax((double)w->acts.size[k] * w->counted, 1), mean = w->sum[k] / count;

    l->name = n->name;
    l->degree = n->poly->degree;
    l->levels = levels(n->poly->degree);
    l->spread = sqrt(fmax(w->square[k] / count - mean * mean, 0));
    for (int kind = 1; kind < SIMULATE_KINDS; kind++) {
        l->error[kind] = w->graph[kind] ? sqrt(w->error[kind][k] / count) : NAN;
        l->total = hypot(l->total, w->graph[kind] ? l->error[kind] : 0);
    }
    l->relative = l->spread > 0 ? l->total / l->spread : l->total > 0 ? INFINITY : 0;
    for (uint32_t i = 0; i < w->r->images; i++)
        l->outside += w->outside[SIMULATE_APPROXIMATED][i] == k;
}

static void
report_layers(struct arena *a, const struct work *w)
{
    struct simulate_report *r = w->r;

    r->n_layers = w->acts.n;
    r->layers = ARENA_ARRAY(a, struct simulate_layer, w->acts.n + 1);
    r->departs = NONE;
    for (uint32_t k = 0; k < w->acts.n; k++) {
        struct simulate_layer *l = &r->layers[k];
        report_layer(w, k, l);
        if (r->departs != NONE || l->relative <= DEPARTS)
            continue;
        r->departs = k;
        r->departs_by = SIMULATE_APPROXIMATED;
        for (int kind = SIMULATE_QUANTISED; kind < SIMULATE_KINDS; kind++)
            if (l->error[kind] > l->error[r->departs_by])
                r->departs_by = (enum simulate_kind)kind;
    }
}

static void
report_strays(struct arena *a, const struct work *w, enum simulate_kind kind)
{
    struct simulate_run *run_of = &w->r->run[kind];

    run_of->stray = ARENA_ARRAY(a, struct simulate_stray, w->r->images + 1);
    for (uint32_t i = 0; i < w->r->images; i++) {
        const float *out = run_of->outputs + (int64_t)i * w->r->n_outputs;
        uint32_t layer = w->outside[kind][i];
        if (layer != NONE || acts_runs_away(out, w->r->n_outputs, w->r->largest))
            run_of->stray[run_of->diverged++] = (struct simulate_stray){i, layer};
    }
}

static void
score(struct arena *a, const struct work *w, const int64_t *labels)
{
    struct simulate_report *r = w->r;
    struct answer_rule rule = answer_rule(r->run[SIMULATE_FLOAT].outputs, r->images, r->n_outputs);
    bool classes = labels && (rule.n > 1 || rule.probability);

    r->largest = rule.largest;
    for (int kind = 0; kind < SIMULATE_KINDS; kind++) {
        struct simulate_run *run_of = &r->run[kind];
        run_of->accuracy = NAN;
        if (!run_of->outputs)
            continue;
        for (uint32_t k = 0; k < r->images; k++) {
            const float *ours = run_of->outputs + (int64_t)k * r->n_outputs;
            const float *exact = r->run[SIMULATE_FLOAT].outputs + (int64_t)k * r->n_outputs;
            run_of->correct += classes && answer_class(&rule, ours) == labels[k];
            run_of->agree += answer_agrees(&rule, exact, ours);
        }
        report_strays(a, w, (enum simulate_kind)kind);
        if (classes && r->images)
            run_of->accuracy = (double)run_of->correct / r->images;
    }
}

static bool
check(const struct simulate_options *o, const int64_t *labels, uint32_t n, int64_t n_outputs,
      struct diag *d)
{
    const struct graph *g = o->approximated;
    int64_t classes = n_outputs > 1 ? n_outputs : 2;

    if (g->inputs.len != 1 || g->outputs.len < 1) {
        diag_error(d, E_INPUT_DATA, PLACE_FILE(g->file), "the network has %u inputs, not one",
                   g->inputs.len);
        return false;
    }
    for (uint32_t k = 0; labels && k < n; k++)
        if (labels[k] < 0 || labels[k] >= classes) {
            diag_error(d, E_SIM_LABELS, PLACE_FILE(g->file),
                       "the label of image %u is %lld; the network knows %lld classes", k,
                       (long long)labels[k], (long long)classes);
            return false;
        }
    return true;
}

static void
prepare(struct arena *a, struct work *w)
{
    const struct simulate_options *o = w->o;
    size_t size = (size_t)w->r->images * (size_t)w->r->n_outputs;

    w->graph[SIMULATE_FLOAT] = w->graph[SIMULATE_APPROXIMATED] = o->approximated;
    w->graph[SIMULATE_QUANTISED] = o->quantised;
    if (o->noise)
        w->graph[SIMULATE_NOISY] = o->quantised ? o->quantised : o->approximated;
    w->acts = acts_find(w->scratch, o->approximated);
    w->sum = ARENA_ARRAY(w->scratch, double, w->acts.n + 1);
    w->square = ARENA_ARRAY(w->scratch, double, w->acts.n + 1);
    for (int kind = 0; kind < SIMULATE_KINDS; kind++) {
        w->error[kind] = ARENA_ARRAY(w->scratch, double, w->acts.n + 1);
        w->outside[kind] = ARENA_ARRAY(w->scratch, uint32_t, w->r->images + 1);
        for (uint32_t k = 0; k < w->r->images; k++)
            w->outside[kind][k] = NONE;
        if (w->graph[kind])
            w->r->run[kind].outputs = ARENA_ARRAY(a, float, size + 1);
    }
}

bool
simulate(struct arena *a, const float *images, const int64_t *labels, uint32_t n_images,
         const struct simulate_options *o, struct simulate_report *r, struct diag *d)
{
    struct work w = {.o = o, .r = r, .images = images, .d = d};
    const struct graph *g = o->approximated;
    int64_t n_outputs = g->outputs.len ? shape_size(&graph_value(g, g->outputs.at[0])->shape) : 0;

    *r = (struct simulate_report){.images = n_images, .n_outputs = n_outputs, .departs = NONE};
    if (!check(o, labels, n_images, n_outputs, d))
        return false;
    w.in_size = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    w.scratch = arena_new();
    prepare(a, &w);
    bool ok = run_blocks(&w);
    if (ok) {
        score(a, &w, labels);
        report_layers(a, &w);
    }
    arena_free(w.scratch);
    return ok;
}
