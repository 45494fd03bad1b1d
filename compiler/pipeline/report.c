/* report.c - gathers what the page of report/ shows, after a compile. */
#include "pipeline/internal.h"

#include "base/file.h"
#include "choose/choose.h"
#include "linearize/linearize.h"
#include "op/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Impacts and errors are means over so many images. */
#define WEIGHED_IMAGES 256u
/* A network with more activations is not priced once more for every neighbour of its plan. */
#define PRICED_MOST 16u
/* Points of the predicted curve. */
#define FRONTIER_MOST 256u
/* Of all inputs, drawn: what lies between these quantiles. */
#define TAIL 5e-4

struct gather {
    struct arena *a;
    const struct compile_options *o;
    const struct compiled *c;
    struct choice choice; /* n 0: not known */
    bool weighed;         /* with impacts */
    double output_range;
    struct report *r;
};

static uint32_t
levels_of(uint32_t degree)
{
    uint32_t l = 0;

    while (degree > 1 && (UINT64_C(1) << l) < (uint64_t)degree + 1)
        l++;
    return l; /* a line becomes part of a map */
}

/* ---- what the degrees were, or could have been, chosen from -------------------------------------
 */

/* Without --max-drop or --max-latency nothing was weighed: it is done now, on a copy. */
static void
weigh(struct gather *s)
{
    const struct compiled *c = s->c;
    uint32_t n = c->n_calib < WEIGHED_IMAGES ? c->n_calib : WEIGHED_IMAGES;
    struct diag *quiet = diag_new();

    if (c->chosen.judged) {
        s->choice = c->chosen.choice;
        s->weighed = true;
    } else if (n) {
        struct graph *g = graph_copy(s->a, c->graph);
        struct approximate_options ao = s->o->approximate;
        ao.progress = s->o->progress;
        ao.user = s->o->user;
        if (!approximate_errors(g, c->calib_images, n, &ao, &s->choice, quiet))
            s->choice.n = 0;
        s->weighed =
            s->choice.n && choose(g, c->calib_images, n, c->calib.labels, &s->choice, quiet);
    }
    diag_free(quiet);
}

static struct report_plan
plan_of(const struct choose_plan *p, uint32_t uniform)
{
    return (struct report_plan){.uniform = uniform,
                                .levels = p->levels,
                                .deepest = p->deepest,
                                .cost = p->cost,
                                .drop = NAN,
                                .seconds = NAN};
}

static void
judged_plans(struct gather *s)
{
    const struct chosen *ch = &s->c->chosen;

    s->r->plan = ARENA_ARRAY(s->a, struct report_plan, ch->n_tried + 1);
    for (uint32_t k = 0; k < ch->n_tried; k++) {
        const struct chosen_plan *t = &ch->tried[k];
        s->r->plan[s->r->n_plans++] =
            (struct report_plan){.uniform = t->uniform,
                                 .levels = t->levels,
                                 .deepest = t->deepest,
                                 .cost = t->cost,
                                 .drop = isfinite(t->drop) ? t->drop : NAN,
                                 .seconds = isfinite(t->drop) ? t->seconds : NAN,
                                 .chosen = t->degree == ch->plan.degree};
    }
}

/* The one degree that all have, among those that they could have. */
static void
uniform_plans(struct gather *s)
{
    static const uint32_t degrees[] = {3, 7, 15};
    uint32_t own = s->c->approximation.degree;
    struct choose_plan p;

    s->r->plan = ARENA_ARRAY(s->a, struct report_plan, 4);
    for (uint32_t k = 0; k < 4; k++) {
        uint32_t degree = k < 3 ? degrees[k] : own;
        if (k < 3 && degree == own)
            continue;
        choose_uniform(s->a, s->c->graph, &s->choice, degree, &p);
        struct report_plan *to = &s->r->plan[s->r->n_plans++];
        *to = plan_of(&p, degree);
        to->chosen = k == 3;
        if (to->chosen) {
            to->drop = 1 - s->c->approximation.agree;
            to->seconds = s->c->program ? s->c->program->seconds : INFINITY;
        }
    }
}

static void
frontier(struct gather *s)
{
    uint32_t least, most;
    struct choose_plan p;

    choose_range(s->c->graph, &s->choice, &least, &most);
    uint32_t every = (most - least) / FRONTIER_MOST + 1;
    s->r->frontier = ARENA_ARRAY(s->a, struct report_plan, FRONTIER_MOST + 2);
    for (uint32_t b = least; b <= most; b += every) {
        struct report_plan *last = s->r->n_frontier ? &s->r->frontier[s->r->n_frontier - 1] : NULL;
        if (choose_within(s->a, s->c->graph, &s->choice, b, &p) &&
            !(last && last->deepest == p.deepest))
            s->r->frontier[s->r->n_frontier++] = plan_of(&p, 0);
    }
}

/* ---- activations
 * ------------------------------------------------------------------------------------ */

static const struct choice_layer *
layer_of(const struct gather *s, uint32_t node)
{
    for (uint32_t k = 0; k < s->choice.n; k++)
        if (s->choice.layers[k].node == node)
            return &s->choice.layers[k];
    return NULL;
}

static const struct histogram_layer *
histograms_of(const struct gather *s, uint32_t node)
{
    const struct calibration *c = s->c->calibration;

    for (uint32_t k = 0; c && k < c->n; k++)
        if (c->layers[k].node == node)
            return &c->layers[k];
    return NULL;
}

static double
root_mean(const double *v, uint32_t n)
{
    double sum = 0;

    for (uint32_t k = 0; k < n; k++)
        sum += v[k];
    return n ? sqrt(sum / n) : NAN;
}

/* The range that nearly all inputs lie in, and how they lie there. */
static void
draw_histogram(struct report_activation *to, const struct histogram_layer *l)
{
    struct arena *scratch = arena_new();
    struct histogram all = {0};
    uint64_t count, below = 0;
    uint32_t n;
    double share[REPORT_BINS], inside = 0;

    for (uint32_t c = 0; c < l->channels; c++)
        histogram_merge(scratch, &all, &l->channel[c]);
    count = histogram_count(&all);
    const struct histogram_bin *bin = histogram_bins(scratch, &all, &n);
    to->hi = (double)all.hi;
    for (uint32_t k = 0; k < n; k++) {
        double before = (double)below / (double)count;
        below += bin[k].count;
        double after = (double)below / (double)count;
        if (before <= TAIL && after > TAIL)
            to->lo = bin[k].lo;
        if (before < 1 - TAIL && after >= 1 - TAIL)
            to->hi = bin[k].hi;
    }
    double room = 0.03 * (to->hi - to->lo);
    room = room > 0 ? room : fmax(1e-3, 1e-3 * fabs(to->lo));
    to->lo -= room;
    to->hi += room;
    for (uint32_t c = 0; c < l->channels; c++) {
        double weight = (double)histogram_count(&l->channel[c]) / (double)count;
        histogram_shares(&l->channel[c], to->lo, to->hi, REPORT_BINS, share);
        for (int k = 0; k < REPORT_BINS; k++) {
            to->bin[k] += weight * share[k];
            inside += weight * share[k];
        }
    }
    to->outside = inside < 1 - 1e-9 ? 1 - inside : 0;
    arena_free(scratch);
}

static int
ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* The channel of median error (the lower one of two). */
static uint32_t
typical(const double *error, uint32_t n)
{
    struct arena *scratch = arena_new();
    double *sorted = ARENA_ARRAY(scratch, double, n + 1);
    uint32_t at = 0;

    memcpy(sorted, error, n * sizeof *error);
    qsort(sorted, n, sizeof *sorted, ascending);
    while (at + 1 < n && error[at] != sorted[(n - 1) / 2])
        at++;
    arena_free(scratch);
    return at;
}

static void
options_of(const struct gather *s, const struct choice_layer *l, struct report_activation *to)
{
    const struct poly *p = to->poly;

    to->option = ARENA_ARRAY(s->a, struct report_option, l->n + 1);
    to->n_options = l->n;
    to->impact = s->weighed ? 0 : NAN;
    for (uint32_t c = 0; s->weighed && c < l->channels; c++)
        to->impact += l->impact[c];
    for (uint32_t k = 0; k < l->n; k++) {
        const struct choice_option *from = &l->option[k];
        to->option[k] = (struct report_option){.degree = from->degree,
                                               .levels = from->levels,
                                               .error = root_mean(from->error, l->channels),
                                               .cost = s->weighed ? choose_cost(l, k) : NAN,
                                               .seconds = NAN};
        if (from->degree != p->degree && !(from->levels == 0 && p->degree == 1))
            continue;
        to->chosen = k;
        to->error = to->option[k].error;
        to->cost = to->option[k].cost;
        if (p->rows == l->channels)
            to->typical = typical(from->error, l->channels);
    }
}

static void
activation(struct gather *s, uint32_t node, struct report_activation *to)
{
    const struct node *n = &s->c->graph->nodes.at[node];
    const struct choice_layer *l = layer_of(s, node);
    const struct histogram_layer *h = histograms_of(s, node);
    const struct op_ctx ctx = {s->c->graph, n, NULL, NULL};
    const struct he_program *p = s->c->program;

    *to = (struct report_activation){.name = n->name,
                                     .function = op_row(n->op)->onnx,
                                     .poly = n->poly,
                                     .levels = levels_of(n->poly->degree),
                                     .error = n->poly->error,
                                     .impact = NAN,
                                     .cost = NAN,
                                     .seconds = p ? 0 : NAN,
                                     .chosen = NONE};
    if (l)
        options_of(s, l, to);
    to->lo = n->poly->center[to->typical] - n->poly->radius[to->typical];
    to->hi = n->poly->center[to->typical] + n->poly->radius[to->typical];
    if (h)
        draw_histogram(to, h);
    to->f = ARENA_ARRAY(s->a, double, REPORT_POINTS);
    for (int k = 0; k < REPORT_POINTS; k++)
        to->f[k] = op_row(n->op)->op->fn(&ctx, to->typical,
                                         to->lo + (to->hi - to->lo) * k / (REPORT_POINTS - 1));
    for (uint32_t k = 0; p && k < p->insts.len; k++)
        if (p->insts.at[k].op == HE_poly && p->insts.at[k].node &&
            strcmp(p->insts.at[k].node, n->name) == 0)
            to->seconds += p->insts.at[k].seconds;
}

/* What the network would take with another degree here: a stand-in of that degree is priced. */
static void
price_options(const struct gather *s, uint32_t node, struct report_activation *to)
{
    struct arena *scratch = arena_new();
    struct graph *g = graph_copy(scratch, s->c->graph);
    const struct poly *own = g->nodes.at[node].poly;

    for (uint32_t k = 0; k < to->n_options; k++) {
        struct report_option *i = &to->option[k];
        struct poly *other = ARENA_NEW(scratch, struct poly);
        if (k == to->chosen)
            i->seconds = s->c->program->seconds;
        if (k == to->chosen || to->chosen == NONE || k + 1 < to->chosen || k > to->chosen + 1)
            continue;
        *other = *own;
        other->degree = i->degree;
        other->coef = ARENA_ARRAY(scratch, double, (size_t)own->rows *(i->degree + 1));
        for (uint32_t r = 0; r < own->rows; r++)
            for (uint32_t d = 1; d <= i->degree; d++)
                other->coef[r * (i->degree + 1) + d] = 1.0 / i->degree;
        g->nodes.at[node].poly = other;
        i->seconds = pipeline_price(s->o, g, s->c->calib_images, s->c->n_calib, s->output_range);
    }
    arena_free(scratch);
}

static void
activations(struct gather *s)
{
    const struct graph *g = s->c->graph;

    s->r->activation = ARENA_ARRAY(s->a, struct report_activation, g->nodes.len + 1);
    for (uint32_t k = 0; k < g->nodes.len; k++)
        if (g->nodes.at[k].poly)
            activation(s, k, &s->r->activation[s->r->n_activations++]);
    if (!s->c->program || s->r->n_activations > PRICED_MOST)
        return;
    for (uint32_t k = 0, i = 0; k < g->nodes.len; k++)
        if (g->nodes.at[k].poly) {
            if (s->o->progress)
                s->o->progress(s->o->user, "pricing other degrees", i, s->r->n_activations);
            price_options(s, k, &s->r->activation[i++]);
        }
}

/* ---- steps
 * ------------------------------------------------------------------------------------------ */

static enum report_kind
kind_of(enum he_op op)
{
    return op == HE_poly                                        ? REPORT_POLY
           : op == HE_mul || op == HE_relin || op == HE_rescale ? REPORT_PRODUCT
           : op == HE_add || op == HE_sub || op == HE_add_plain ? REPORT_SUM
                                                                : REPORT_MAP;
}

static void
steps_of_program(struct gather *s)
{
    const struct he_program *p = s->c->program;

    s->r->step = ARENA_ARRAY(s->a, struct report_step, p->insts.len + 1);
    s->r->depth = p->params.q.len - 1;
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        if (i->op == HE_input || i->op == HE_output || i->op == HE_drop)
            continue;
        uint32_t before = p->insts.at[i->args.at[0]].level;
        struct he_counts n = he_count(p, k);
        s->r->step[s->r->n_steps++] =
            (struct report_step){.name = i->node ? i->node : "",
                                 .kind = i->level > before ? REPORT_REFRESH : kind_of(i->op),
                                 .before = before,
                                 .after = i->level,
                                 .seconds = i->seconds,
                                 .noise = i->noise,
                                 .rotations = n.rotations,
                                 .products = n.products,
                                 .plain_products = n.plain_products + n.scalar_products};
    }
    for (uint32_t k = 0; k < p->maps.len; k++)
        s->r->weight_bytes += he_map_bytes(&p->params, &p->maps.at[k]);
    struct he_scaling *cores = ARENA_NEW(s->a, struct he_scaling);
    he_price_cores(p, cores);
    s->r->cores = cores;
}

/* Without a program: the levels that the tensor program would take. */
static void
steps_of_tensors(struct gather *s)
{
    struct diag *quiet = diag_new();
    struct tp *t = linearize(s->a, s->c->graph, quiet);
    uint32_t n = t ? t->nodes.len : 0, *used = ARENA_ARRAY(s->a, uint32_t, n + 1);

    s->r->depth = t ? tp_depth(t) : 0;
    s->r->step = ARENA_ARRAY(s->a, struct report_step, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        const struct tp_node *i = &t->nodes.at[k];
        uint32_t before = 0;
        for (uint32_t j = 0; j < i->args.len; j++)
            before = used[i->args.at[j].value] > before ? used[i->args.at[j].value] : before;
        used[k] = before + (i->kind == TP_INPUT  ? 0
                            : i->kind == TP_POLY ? levels_of(i->poly->degree)
                                                 : 1);
        if (i->kind != TP_INPUT && used[k] <= s->r->depth)
            s->r->step[s->r->n_steps++] =
                (struct report_step){.name = i->name ? i->name : "",
                                     .kind = i->kind == TP_POLY  ? REPORT_POLY
                                             : i->kind == TP_MUL ? REPORT_PRODUCT
                                                                 : REPORT_MAP,
                                     .before = s->r->depth - before,
                                     .after = s->r->depth - used[k],
                                     .seconds = NAN,
                                     .noise = NAN};
    }
    diag_free(quiet);
}

static const char *
hex(struct arena *a, const uint8_t *bytes, size_t n)
{
    char *text = ARENA_ARRAY(a, char, 2 * n + 1);

    for (size_t k = 0; k < n; k++) {
        text[2 * k] = "0123456789abcdef"[bytes[k] >> 4];
        text[2 * k + 1] = "0123456789abcdef"[bytes[k] & 15];
    }
    return text;
}

struct report *
pipeline_report(struct arena *a, const struct compile_options *o, const struct compiled *c)
{
    struct report *r = ARENA_NEW(a, struct report);
    struct gather s = {.a = a, .o = o, .c = c, .r = r};

    *r = (struct report){.network = c->graph->name,
                         .model = file_basename(o->model),
                         .options = pipeline_options_text(a, o, c),
                         .version = "",
                         .hash = hex(a, c->graph->hash, sizeof c->graph->hash),
                         .images = c->calibration ? c->calibration->images : c->n_calib,
                         .agree = c->n_calib ? c->approximation.agree : NAN,
                         .judged = c->chosen.judged,
                         .labels = c->chosen.labels,
                         .max_drop = o->max_drop,
                         .max_latency = o->max_latency,
                         .program = c->program};
    s.output_range = pipeline_output_range(c->approximation.output_max);
    weigh(&s);
    if (s.weighed) {
        if (c->chosen.judged)
            judged_plans(&s);
        else
            uniform_plans(&s);
        frontier(&s);
    }
    activations(&s);
    if (c->program)
        steps_of_program(&s);
    else
        steps_of_tensors(&s);
    return r;
}
