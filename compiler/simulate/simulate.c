/* simulate.c - see simulate.h. Images go through in blocks, so that the activations of the float
 * network can be kept until the approximated one made its own. */
#include "simulate/simulate.h"
#include "op/answer.h"
#include "op/interpret.h"
#include "simulate/noise.h"

#include <math.h>

#define BLOCK_BYTES (64.0 * (1 << 20)) /* activations of the float network kept at a time */
#define DEPARTS     0.1

/* The activations of a graph that are polynomials. */
struct acts {
    const struct graph *g;
    uint32_t n;
    uint32_t *node, *watch; /* watch[k]: output of activation k, watch[n + k]: its input */
    int64_t *size,
        *first; /* elements, and where they begin in a row of all activations' elements */
    int64_t row;
};

/* What one pass over a block writes; rows are images, so that threads never meet. */
struct pass {
    const struct acts *acts;
    float *clean; /* block x row: outputs of the float network, written or compared with */
    bool compare;
    double *error, *sum,
        *square;       /* block x n: sums over elements of (ours - clean)^2, clean, clean^2 */
    uint32_t *outside; /* block: the first activation whose input left its range, or n */
    const double *noise;
    uint64_t seed;
};

static struct acts
find_acts(struct arena *a, const struct graph *g)
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

/* Some element is outside of [-SIMULATE_RANGE, SIMULATE_RANGE] once normalised, or no number. */
static bool
leaves_range(const struct acts *s, uint32_t k, const float *x)
{
    const struct node *n = &s->g->nodes.at[s->node[k]];
    const struct shape *shape = &graph_value(s->g, n->in.at[0])->shape;
    const struct poly *p = n->poly;
    int64_t inner = 1;
    int axis;
    uint32_t channels = graph_channels(shape, &axis);

    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    for (int64_t e = 0; e < s->size[k]; e++) {
        int64_t row = p->rows == 1 ? 0 : e / inner % channels;
        if (!(fabs((double)x[e] - p->center[row]) <= SIMULATE_RANGE * p->radius[row]))
            return true;
    }
    return false;
}

static void
see(void *user, uint32_t image, uint32_t watched, const float *data)
{
    struct pass *p = user;
    const struct acts *s = p->acts;

    if (watched >= s->n) {
        uint32_t k = watched - s->n;
        if (p->outside && k < p->outside[image] && leaves_range(s, k, data))
            p->outside[image] = k;
        return;
    }
    if (!p->clean)
        return;
    float *clean = p->clean + (int64_t)image * s->row + s->first[watched];
    double error = 0, sum = 0, square = 0;
    for (int64_t e = 0; e < s->size[watched]; e++) {
        if (!p->compare) {
            clean[e] = data[e];
            continue;
        }
        double c = (double)clean[e], off = (double)data[e] - c;
        error += off * off;
        sum += c;
        square += c * c;
    }
    if (p->compare) {
        p->error[image * s->n + watched] = error;
        p->sum[image * s->n + watched] = sum;
        p->square[image * s->n + watched] = square;
    }
}

static void
after(void *user, uint32_t image, uint32_t node, uint32_t output, float *data, int64_t n)
{
    const struct pass *p = user;

    if (p->noise[node] > 0)
        noise_add(data, n, p->noise[node], p->seed, image, node, output);
}

struct work {
    const struct simulate_options *o;
    struct simulate_report *r;
    const float *images;
    int64_t in_size;
    struct diag *d;
    struct arena *scratch;
    uint32_t *outside[SIMULATE_KINDS]; /* images: the first activation out of range, NONE */
    double *error, *sum, *square;      /* of each layer, over the images that stay in range */
    uint32_t counted;                  /* those images */
};

/* Images [base, base + n) through a graph, watched. */
static bool
run(const struct work *w, struct graph *g, enum simulate_kind kind, struct pass *p, uint32_t base,
    uint32_t n)
{
    struct interpret_options io = {.poly = kind != SIMULATE_FLOAT,
                                   .threads = w->o->threads,
                                   .user = p,
                                   .see = see,
                                   .watch = p->acts->watch,
                                   .n_watch = 2 * p->acts->n};

    return interpret_many(g, &io, w->images + (int64_t)base * w->in_size, n,
                          w->r->run[kind].outputs + (int64_t)base * w->r->n_outputs, w->d);
}

/* All images through a graph, with noise when it is given. */
static bool
run_whole(struct work *w, struct graph *g, enum simulate_kind kind, const double *noise)
{
    struct acts acts = find_acts(w->scratch, g);
    struct pass p = {
        .acts = &acts, .noise = noise, .seed = w->o->seed, .outside = w->outside[kind]};
    struct interpret_options io = {.poly = kind != SIMULATE_FLOAT,
                                   .threads = w->o->threads,
                                   .user = &p,
                                   .see = see,
                                   .watch = acts.watch,
                                   .n_watch = 2 * acts.n,
                                   .after = noise ? after : NULL};

    return interpret_many(g, &io, w->images, w->r->images, w->r->run[kind].outputs, w->d);
}

/* The float network's activations, then those of the approximated one against them. */
static bool
run_block(struct work *w, struct acts *acts, float *clean, uint32_t base, uint32_t n)
{
    struct arena *a = arena_new();
    struct pass p = {.acts = acts, .clean = clean};
    bool ok = true;

    p.error = ARENA_ARRAY(a, double, (size_t)n * acts->n + 1);
    p.sum = ARENA_ARRAY(a, double, (size_t)n * acts->n + 1);
    p.square = ARENA_ARRAY(a, double, (size_t)n * acts->n + 1);
    ok = run(w, w->o->approximated, SIMULATE_FLOAT, &p, base, n);
    p.compare = true;
    p.outside = w->outside[SIMULATE_APPROXIMATED] + base;
    ok = ok && run(w, w->o->approximated, SIMULATE_APPROXIMATED, &p, base, n);
    for (uint32_t k = 0; ok && k < n * acts->n; k++) { /* in the order of images: one result */
        if (p.outside[k / acts->n] != NONE)
            continue;
        w->counted += k % acts->n == 0;
        w->error[k % acts->n] += p.error[k];
        w->sum[k % acts->n] += p.sum[k];
        w->square[k % acts->n] += p.square[k];
    }
    arena_free(a);
    return ok;
}

static bool
run_layers(struct work *w, struct acts *acts)
{
    double fit = BLOCK_BYTES / (sizeof(float) * (double)(acts->row ? acts->row : 1));
    uint32_t images = w->r->images, block = fit < 1 ? 1 : fit < images ? (uint32_t)fit : images;
    float *clean = ARENA_ARRAY(w->scratch, float, (size_t)block *(size_t)acts->row + 1);
    bool ok = true;

    for (uint32_t base = 0; ok && base < images; base += block) {
        ok = run_block(w, acts, clean, base, images - base < block ? images - base : block);
        if (w->o->progress)
            w->o->progress(w->o->user, "simulating", base < images - block ? base + block : images,
                           images);
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
report_layers(struct arena *a, struct work *w, const struct acts *acts)
{
    struct simulate_report *r = w->r;

    r->n_layers = acts->n;
    r->layers = ARENA_ARRAY(a, struct simulate_layer, acts->n + 1);
    r->departs = NONE;
    for (uint32_t k = 0; k < acts->n; k++) {
        const struct node *n = &acts->g->nodes.at[acts->node[k]];
        double count = fmax((double)acts->size[k] * w->counted, 1), mean = w->sum[k] / count;
        double sd = sqrt(fmax(w->square[k] / count - mean * mean, 0));
        struct simulate_layer *l = &r->layers[k];

        l->name = n->name;
        l->degree = n->poly->degree;
        l->levels = levels(n->poly->degree);
        l->error = sqrt(w->error[k] / count);
        l->relative = sd > 0 ? l->error / sd : l->error > 0 ? INFINITY : 0;
        for (uint32_t i = 0; i < r->images; i++)
            l->outside += w->outside[SIMULATE_APPROXIMATED][i] == k;
        if (r->departs == NONE && !(l->relative <= DEPARTS))
            r->departs = k;
    }
}

static bool
image_diverged(const struct work *w, enum simulate_kind kind, uint32_t image, double largest)
{
    const float *out = w->r->run[kind].outputs + (int64_t)image * w->r->n_outputs;

    for (int64_t k = 0; k < w->r->n_outputs; k++)
        if (!(fabs((double)out[k]) <= SIMULATE_OUTPUT_FACTOR * largest))
            return true;
    return kind != SIMULATE_FLOAT && w->outside[kind][image] != NONE;
}

static void
score(const struct work *w, const int64_t *labels)
{
    struct simulate_report *r = w->r;
    struct answer_rule rule = answer_rule(r->run[SIMULATE_FLOAT].outputs, r->images, r->n_outputs);
    bool classes = labels && (rule.n > 1 || rule.probability);

    for (int kind = 0; kind < SIMULATE_KINDS; kind++) {
        struct simulate_run *run_of = &r->run[kind];
        run_of->accuracy = NAN;
        for (uint32_t k = 0; run_of->outputs && k < r->images; k++) {
            const float *ours = run_of->outputs + (int64_t)k * r->n_outputs;
            const float *exact = r->run[SIMULATE_FLOAT].outputs + (int64_t)k * r->n_outputs;
            run_of->correct += classes && answer_class(&rule, ours) == labels[k];
            run_of->agree += answer_agrees(&rule, exact, ours);
            run_of->diverged += image_diverged(w, (enum simulate_kind)kind, k, rule.largest);
        }
        if (classes && run_of->outputs && r->images)
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

static bool
run_kinds(struct arena *a, struct work *w, struct acts *acts)
{
    const struct simulate_options *o = w->o;
    size_t size = (size_t)w->r->images * (size_t)w->r->n_outputs;
    struct graph *encoded = o->quantised ? o->quantised : o->approximated;

    for (int kind = 0; kind < SIMULATE_KINDS; kind++) {
        w->outside[kind] = ARENA_ARRAY(w->scratch, uint32_t, w->r->images + 1);
        for (uint32_t k = 0; k < w->r->images; k++)
            w->outside[kind][k] = NONE;
        if (kind != SIMULATE_NOISY || o->noise)
            w->r->run[kind].outputs = ARENA_ARRAY(a, float, size + 1);
    }
    w->error = ARENA_ARRAY(w->scratch, double, acts->n + 1);
    w->sum = ARENA_ARRAY(w->scratch, double, acts->n + 1);
    w->square = ARENA_ARRAY(w->scratch, double, acts->n + 1);
    if (!run_layers(w, acts) || (o->exact && !run_whole(w, o->exact, SIMULATE_FLOAT, NULL)))
        return false;
    if (encoded != o->approximated) {
        if (!run_whole(w, encoded, SIMULATE_QUANTISED, NULL))
            return false;
    } else {
        w->r->run[SIMULATE_QUANTISED].outputs = w->r->run[SIMULATE_APPROXIMATED].outputs;
        w->outside[SIMULATE_QUANTISED] = w->outside[SIMULATE_APPROXIMATED];
    }
    return !o->noise || run_whole(w, encoded, SIMULATE_NOISY, o->noise);
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
    struct acts acts = find_acts(w.scratch, g);
    bool ok = run_kinds(a, &w, &acts);
    if (ok) {
        report_layers(a, &w, &acts);
        score(&w, labels);
    }
    arena_free(w.scratch);
    return ok;
}
