/* approximate.c - the door: refuses what has no polynomial, then fits activation after activation
 * in the order of the graph, at one degree or at the smallest that leaves the network's answers as
 * they are. */
#include "approximate/approximate.h"
#include "approximate/layer.h"
#include "approximate/refit.h"
#include "approximate/refuse.h"
#include "approximate/weights.h"
#include "ola/plan.h"
#include "op/answer.h"
#include "op/lockstep.h"

#include <math.h>
#include <string.h>

#define AGREE 0.985
#define WIDEN 1.2
/* In chains of so many activations, polynomials are held so far beyond their ranges (fit.h), in
 * shorter ones less far. */
#define DEEP   16.0
#define BEYOND 1.2
/* From so many images on, a fifth of them is tried first. */
#define SCREEN_FROM 500
/* Images whose values carry noise, up to this share of the largest value of their tensor: four
 * deviations of a bootstrapping of 13 bits whose range is four times what images showed. What it
 * moves an activation's input by, that activation's range must hold. */
#define NOISY       16u
#define NOISE_SHARE 0x1p-9

/* The degrees that use a depth of 2, 3, 4, 5 up: depth is ceil(log2(degree + 1)). */
static const uint32_t candidates[] = {3, 7, 15, 31};
/* Those that a polynomial with coefficients on a grid may have. */
static const uint32_t grid_candidates[] = {2, 3};

struct work {
    struct graph *g;
    const float *images; /* and, after them, the guards and the noisy ones */
    uint32_t n, guards, noisy;
    const struct approximate_options *o;
    const uint32_t *candidates; /* ascending */
    uint32_t n_candidates;
    struct arena *scratch;
    uint32_t *acts, n_acts; /* nodes of class NONLIN */
    /* these, the nodes behind them, and linear maps whose weights may be refitted */
    uint32_t *stops, n_stops;
    struct diag *d;
};

static uint32_t
degree_of(const struct work *w, uint32_t node, uint32_t uniform, bool *pinned)
{
    const struct pins *p = &w->g->nodes.at[node].pins;
    uint32_t set = w->o->set_degree ? w->o->set_degree[node] : 0, degree = uniform;

    if (w->o->plan && w->o->plan[node])
        degree = w->o->plan[node];
    *pinned = set || p->degree_min;
    if (set)
        return set;
    if (p->degree_max && degree > p->degree_max)
        degree = p->degree_max;
    return degree < p->degree_min ? p->degree_min : degree;
}

/* How near to the function a polynomial is held, in deviations of its input, with so many
 * activations before it and so many still to come: an error at the edge of a range drives the next
 * input out of its own, so the further from the end, or from the next norm, the nearer; and what
 * many have brought off already may stand anywhere. Measured on unseen training images: 0.4
 * deviations outwards keep a ResNet-20 together (0.6 at its end); with one or two activations four
 * deviations lose nothing and leave the body of the fit free. */
static double
hold_of(uint32_t before, uint32_t to_come)
{
    return fmax(0.4, 4.0 / fmax(to_come, 1) / (1 + before / 3.0));
}

static bool
checks(const struct work *w, uint32_t act)
{
    return op_row(w->g->nodes.at[w->acts[act]].op)->traits & FACTOR;
}

/* Activations before it since a norm or a quotient brought to its range what had run off. */
static uint32_t
unchecked_before(const struct work *w, uint32_t act)
{
    uint32_t n = 0;

    while (n < act && !checks(w, act - n - 1))
        n++;
    return n;
}

/* Activations to come until the next one does. */
static uint32_t
unchecked_after(const struct work *w, uint32_t act)
{
    uint32_t n = 0;

    for (uint32_t k = act + 1; k < w->n_acts; k++, n++)
        if (checks(w, k))
            return n + 1;
    return n;
}

static struct layer_options
options_of(const struct work *w, uint32_t act, uint32_t uniform)
{
    struct layer_options o = {.per_layer = w->o->per_layer, .grid = w->o->grid};
    bool pinned;

    o.widen = w->o->widen > 0 ? w->o->widen : WIDEN;
    o.degree = degree_of(w, w->acts[act], uniform, &pinned);
    o.lower = !pinned;
    uint32_t before = unchecked_before(w, act), after = unchecked_after(w, act);
    o.hold = hold_of(before, after);
    o.beyond = 1 + (BEYOND - 1) * fmin(1, (before + after) / DEEP);
    return o;
}

static void
compare(const struct work *w, const struct lockstep *s, struct approximate_report *r)
{
    uint32_t v = w->g->outputs.at[0];
    const float *clean = lockstep_value(s, v, true), *ours = lockstep_value(s, v, false);
    int64_t size = shape_size(&graph_value(w->g, v)->shape);
    uint32_t same = 0;

    r->agree = 1;
    r->output_max = 0;
    if (!clean || !ours || size == 0)
        return;
    struct answer_rule rule = answer_rule(clean, w->n, size);
    for (uint32_t k = 0; k < w->n; k++)
        same += answer_agrees(&rule, clean + k * size, ours + k * size);
    for (int64_t k = 0; k < size * w->n; k++)
        r->output_max = fmax(r->output_max, fabs((double)ours[k]));
    r->agree = (double)same / w->n;
}

static bool
fit_activation(const struct work *w, const struct lockstep *s, uint32_t act, uint32_t uniform,
               struct approximate_report *r)
{
    uint32_t node = w->acts[act], x = w->g->nodes.at[node].in.at[0];
    struct layer_options o = options_of(w, act, uniform);
    struct layer_data data = {lockstep_value(s, x, false), lockstep_value(s, x, true), w->n,
                              w->guards, w->noisy};
    bool drowned = false;

    o.drowned = &drowned;
    w->g->nodes.at[node].poly = layer_fit(w->g, node, &data, &o, w->d);
    if (drowned && !r->drowned++)
        r->drowned_node = node;
    return w->g->nodes.at[node].poly != NULL;
}

/* The value that is added to what the node makes, when only one sum reads that and the value is
 * there already; else NONE. */
static uint32_t
added_to(const struct work *w, const struct lockstep *s, uint32_t node)
{
    uint32_t out = w->g->nodes.at[node].out.at[0], other = NONE;

    if (graph_uses(w->g, out) != 1)
        return NONE;
    for (uint32_t k = node + 1; k < w->g->nodes.len && other == NONE; k++) {
        const struct node *n = &w->g->nodes.at[k];
        if (n->op == OP_add && (n->in.at[0] == out || n->in.at[1] == out))
            other = n->in.at[n->in.at[0] == out];
    }
    return other != NONE && other != out && lockstep_value(s, other, false) &&
                   shape_equal(&graph_value(w->g, other)->shape, &graph_value(w->g, out)->shape)
               ? other
               : NONE;
}

static void
refit_node(const struct work *w, const struct lockstep *s, uint32_t node)
{
    uint32_t x = w->g->nodes.at[node].in.at[0], added = added_to(w, s, node);
    struct refit_data data = {
        .fed = lockstep_value(s, x, false), .clean = lockstep_value(s, x, true), .n = w->n};

    if (added != NONE) {
        data.added = lockstep_value(s, added, false);
        data.added_clean = lockstep_value(s, added, true);
    }
    refit_map(w->g, node, &data);
}

static bool
refittable(const struct work *w, uint32_t node)
{
    return w->n_acts && node > w->acts[0] && !w->o->keep_weights && weights_possible(w->g, node);
}

/* Polynomials for all activations, `uniform` where no pin says otherwise, and how they do. */
static bool
fit_all(const struct work *w, uint32_t uniform, struct approximate_report *r)
{
    struct lockstep *s = lockstep_new(w->g, w->g, w->images, w->n + w->guards + w->noisy);
    uint32_t act = 0;
    bool ok = true;
    const char *what = w->o->plan ? "fitting the chosen degrees"
                                  : arena_printf(w->g->arena, "fitting degree %u", uniform);

    r->drowned = 0;
    refit_undo(w->g);
    for (uint32_t k = 0; k < w->n_acts; k++)
        w->g->nodes.at[w->acts[k]].poly = NULL;
    for (uint32_t k = 0; ok && k < w->n_stops; k++) {
        ok = lockstep_advance(s, w->stops[k], w->d);
        if (ok && act && w->stops[k] == w->acts[act - 1] + 1)
            lockstep_disturb(s, w->g->nodes.at[w->acts[act - 1]].out.at[0], w->n, w->n + w->guards,
                             NOISE_SHARE);
        if (ok && w->stops[k] != w->acts[act]) {
            if (refittable(w, w->stops[k]))
                refit_node(w, s, w->stops[k]);
            continue;
        }
        ok = ok && fit_activation(w, s, act++, uniform, r);
        if (ok && w->o->progress)
            w->o->progress(w->o->user, what, act, w->n_acts);
    }
    ok = ok && lockstep_advance(s, w->g->nodes.len, w->d);
    if (ok) {
        compare(w, s, r);
        r->degree = uniform;
    }
    lockstep_free(s);
    return ok;
}

/* A fifth of the images, of the guards and of the noisy ones: without guards a low degree does much
 * better than it will. */
static struct work
some_rows(const struct work *w)
{
    size_t size = (size_t)shape_size(&graph_value(w->g, w->g->inputs.at[0].value)->shape);
    struct work some = *w;

    some.n = w->n / 5;
    some.guards = w->guards / 5;
    some.noisy = w->noisy / 5;
    float *to = ARENA_ARRAY(w->scratch, float, (some.n + some.guards + some.noisy) * size + 1);
    some.images = to;
    memcpy(to, w->images, some.n * size * sizeof *to);
    to += some.n * size;
    memcpy(to, w->images + w->n * size, some.guards * size * sizeof *to);
    to += some.guards * size;
    memcpy(to, w->images + (w->n + w->guards) * size, some.noisy * size * sizeof *to);
    return some;
}

/* A fifth of the images tells that a degree is out of the question: 5 points below what is wanted.
 * Fitted to fewer images it does better on them than it will on all. */
static bool
hopeless(const struct work *w, uint32_t degree, double wanted, struct approximate_report *r,
         bool *ok)
{
    if (w->n < SCREEN_FROM || degree == w->candidates[w->n_candidates - 1])
        return false;
    struct work some = some_rows(w);
    *ok = fit_all(&some, degree, r);
    return *ok && r->agree < wanted - 0.05;
}

/* The smallest degree whose network agrees often enough, else the one that agrees most. */
static bool
choose(const struct work *w, struct approximate_report *r)
{
    double wanted = w->o->agree > 0 ? w->o->agree : AGREE, most = -1;
    uint32_t best = 0;
    bool ok = true;

    for (uint32_t k = 0; k < w->n_candidates; k++) {
        if (hopeless(w, w->candidates[k], wanted, r, &ok))
            continue;
        if (!ok || !fit_all(w, w->candidates[k], r))
            return false;
        if (r->agree >= wanted)
            return true;
        if (r->agree > most) {
            most = r->agree;
            best = k;
        }
    }
    diag_warning(w->d, W_APPROX_AGREE, PLACE_FILE(w->g->file),
                 "no degree up to %u keeps the answers of %.1f %% of the calibration images: "
                 "degree %u keeps most, %.1f %%",
                 w->candidates[w->n_candidates - 1], 100 * wanted, w->candidates[best], 100 * most);
    return best == w->n_candidates - 1 || fit_all(w, w->candidates[best], r);
}

static bool
check_data(const struct work *w, const float *images, uint32_t n_images)
{
    const struct graph *g = w->g;

    if (w->o->widen != 0 && !(w->o->widen >= 1)) {
        diag_error(w->d, E_APPROX_DEGREE, PLACE_FILE(g->file),
                   "a range cannot be made narrower than seen");
        return false;
    }
    if (!images || !n_images) {
        diag_error(w->d, E_APPROX_DATA, PLACE_FILE(g->file),
                   "%u activations need calibration data, and there are none", w->n_acts);
        diag_hint(w->d, "give some hundred typical inputs with --calib");
        return false;
    }
    if (g->inputs.len != 1) {
        diag_error(w->d, E_INPUT_DATA, PLACE_FILE(g->file),
                   "the network has %u inputs; calibration data are for one", g->inputs.len);
        return false;
    }
    return true;
}

/* ---- candidates ------------------------------------------------------------------ */

/* The candidates of one activation, which is fed data. */
static bool
layer_errors(const struct work *w, uint32_t act, const struct layer_data *data,
             struct choice_layer *l)
{
    int axis;
    uint32_t node = w->acts[act];

    l->node = node;
    l->channels = graph_channels(&graph_value(w->g, w->g->nodes.at[node].in.at[0])->shape, &axis);
    for (uint32_t k = 0; k < w->n_candidates; k++) {
        struct layer_options o = options_of(w, act, w->candidates[k]);
        struct choice_option *c = &l->option[l->n];
        if (l->n && l->option[l->n - 1].degree == o.degree)
            continue;
        c->error = o.error = ARENA_ARRAY(w->g->arena, double, l->channels);
        struct poly *p = layer_fit(w->g, node, data, &o, w->d);
        if (!p)
            return false;
        c->poly = p;
        c->degree = o.degree;
        c->levels = p->degree > 1 ? ola_plan_poly_depth(p->degree) : 0;
        l->n++;
        if (p->degree == 1)
            break;
    }
    return true;
}

static bool
all_errors(const struct work *w, struct choice *out)
{
    struct lockstep *s = lockstep_new(w->g, w->g, w->images, w->n);
    bool ok = true;

    refit_undo(w->g);
    for (uint32_t k = 0; k < w->n_acts; k++)
        w->g->nodes.at[w->acts[k]].poly = NULL;
    for (uint32_t k = 0; ok && k < w->n_acts; k++) {
        uint32_t x = w->g->nodes.at[w->acts[k]].in.at[0];
        ok = lockstep_advance(s, w->acts[k], w->d);
        if (!ok)
            break;
        struct layer_data data = {lockstep_value(s, x, true), lockstep_value(s, x, true), w->n, 0,
                                  0};
        ok = layer_errors(w, k, &data, &out->layers[k]);
        if (w->o->progress)
            w->o->progress(w->o->user, "errors of all degrees", k + 1, w->n_acts);
    }
    lockstep_free(s);
    return ok;
}

bool
approximate_check(const struct graph *g, const struct approximate_options *o, struct diag *d)
{
    return refuse(g, o ? o->set_degree : NULL, d);
}

/* On the grid there are degrees 2 and 3. */
static bool
grid_degrees(const struct work *w)
{
    bool ok = true;

    for (uint32_t k = 0; w->o->grid && k < w->g->nodes.len; k++) {
        const struct node *n = &w->g->nodes.at[k];
        uint32_t set = w->o->set_degree ? w->o->set_degree[k] : 0, low = n->pins.degree_min;
        uint32_t high = n->pins.degree_max ? n->pins.degree_max : 2;
        uint32_t degree = set ? set : low ? low : w->o->degree ? w->o->degree : 2;
        if (op_row(n->op)->class != NONLIN || (degree >= 2 && degree <= 3 && high >= 2))
            continue;
        diag_error(w->d, E_APPROX_GRID, (struct place){.file = w->g->file, .node = n->name},
                   "degree %u: polynomials with coefficients of powers of two have degree 2 or 3",
                   high < 2 ? high : degree);
        ok = false;
    }
    return ok;
}

/* How many images, guards and noisy images fit, and their rows one after the other. */
static void
set_rows(struct work *w, uint32_t n, uint32_t guards)
{
    size_t size = (size_t)shape_size(&graph_value(w->g, w->g->inputs.at[0].value)->shape);
    uint32_t noisy = n < NOISY ? n : NOISY;
    uint64_t asked = (uint64_t)n + guards + noisy;
    uint32_t all = lockstep_images(w->g, w->stops, w->n_stops, (uint32_t)asked);

    w->guards = (uint32_t)((uint64_t)all * guards / asked);
    w->noisy = (uint32_t)((uint64_t)all * noisy / asked);
    w->n = all - w->guards - w->noisy;
    if (w->n > n)
        w->n = n;
    all = w->n + w->guards + w->noisy;
    float *rows = ARENA_ARRAY(w->scratch, float, all *size);
    memcpy(rows, w->images, w->n * size * sizeof *rows);
    if (w->guards)
        memcpy(rows + w->n * size, w->o->guard, w->guards * size * sizeof *rows);
    memcpy(rows + (w->n + w->guards) * size, w->images, w->noisy * size * sizeof *rows);
    lockstep_disturb_rows(rows, size, w->n, w->n + w->guards, all, NOISE_SHARE);
    w->images = rows;
}

/* Finds the activations, and how many images fit; with no activation no data are asked for. */
static bool
begin(struct work *w, const float *images, uint32_t n_images)
{
    struct graph *g = w->g;

    if (!refuse(g, w->o->set_degree, w->d))
        return false;
    w->candidates = w->o->grid ? grid_candidates : candidates;
    w->n_candidates = w->o->grid ? sizeof grid_candidates / sizeof *grid_candidates
                                 : sizeof candidates / sizeof *candidates;
    if (!grid_degrees(w))
        return false;
    refit_undo(g);
    w->acts = ARENA_ARRAY(g->arena, uint32_t, g->nodes.len + 1);
    w->stops = ARENA_ARRAY(g->arena, uint32_t, g->nodes.len + 1);
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        bool act = op_row(g->nodes.at[k].op)->class == NONLIN;
        bool behind = w->n_acts && w->acts[w->n_acts - 1] + 1 == k;
        if (act)
            w->acts[w->n_acts++] = k;
        if (act || behind || refittable(w, k))
            w->stops[w->n_stops++] = k;
    }
    w->acts[w->n_acts] = NONE;
    if (w->n_acts == 0)
        return true;
    if (!check_data(w, images, n_images))
        return false;
    set_rows(w, n_images, w->o->guard ? w->o->n_guard : 0);
    return true;
}

bool
approximate_errors(struct graph *g, const float *images, uint32_t n_images,
                   const struct approximate_options *o, struct choice *out, struct diag *d)
{
    struct work w = {.g = g, .images = images, .o = o, .d = d, .scratch = arena_new()};
    bool ok = begin(&w, images, n_images);

    if (ok) {
        out->n = w.n_acts;
        out->layers = ARENA_ARRAY(g->arena, struct choice_layer, w.n_acts + 1);
        ok = w.n_acts == 0 || all_errors(&w, out);
    }
    arena_free(w.scratch);
    return ok;
}

bool
approximate(struct graph *g, const float *images, uint32_t n_images,
            const struct approximate_options *o, struct approximate_report *r, struct diag *d)
{
    struct work w = {.g = g, .images = images, .o = o, .d = d, .scratch = arena_new()};

    *r = (struct approximate_report){.agree = 1};
    bool ok = begin(&w, images, n_images);
    if (ok && w.n_acts > 0) {
        r->images = w.n;
        ok = o->degree || o->plan ? fit_all(&w, o->degree, r) : choose(&w, r);
    }
    arena_free(w.scratch);
    return ok;
}

void
approximate_take(struct arena *a, const struct graph *g, struct approximated *out)
{
    out->poly = ARENA_ARRAY(a, struct poly *, g->nodes.len + 1);
    out->data = ARENA_ARRAY(a, struct tensor, g->values.len + 1);
    for (uint32_t k = 0; k < g->nodes.len; k++)
        out->poly[k] = g->nodes.at[k].poly;
    for (uint32_t v = 0; v < g->values.len; v++)
        if (graph_value(g, v)->trained.f)
            out->data[v] = graph_value(g, v)->data;
}

void
approximate_put(struct graph *g, const struct approximated *from)
{
    refit_undo(g);
    for (uint32_t k = 0; k < g->nodes.len; k++)
        g->nodes.at[k].poly = from->poly[k];
    for (uint32_t v = 0; v < g->values.len; v++)
        if (from->data[v].f) {
            graph_value(g, v)->trained = graph_value(g, v)->data;
            graph_value(g, v)->data = from->data[v];
        }
}
