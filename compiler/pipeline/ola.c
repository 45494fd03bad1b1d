/* ola.c - degrees layer by layer under --max-drop and --max-latency. Impacts and errors give the
 * best plan for every budget of levels; each plan that is tried is fitted on one half of the
 * calibration images, judged on the other and priced as a whole program, and so are the uniform
 * degrees that it has to beat. */
#include "pipeline/internal.h"

#include "choose/choose.h"
#include "op/answer.h"
#include "op/interpret.h"

#include <math.h>
#include <string.h>

/* Errors and impacts are means over so many images; more do not change them by much. */
#define WEIGHED_IMAGES 256u
/* Images through the network to measure candidates, all together, and of one candidate at least. */
#define MEASURED       8000u
#define MEASURED_LEAST 32u
/* So many budgets below the one that halving found are tried too: the drop is not quite monotonic.
 */
#define BELOW 1u
/* Of so few budgets each is tried, from the least up. */
#define FEW 16u

static const uint32_t uniform_degrees[CHOSEN_UNIFORM] = {3, 7, 15};

/* Rows of images with what is known of them. */
struct half {
    uint32_t n;
    float *x;
    int64_t *labels; /* NULL: unknown */
};

struct search {
    struct arena *a;
    const struct compile_options *o;
    struct approximate_options ao;
    struct graph *g;
    struct diag *d;
    struct half fit, judge;
    int64_t size;   /* of an output */
    float *answers; /* of the float network on judge */
    struct answer_rule rule;
    struct choice choice;
    VEC(struct chosen_plan) tried;
    VEC(uint32_t) budgets; /* of tried; 0 for uniform ones */
};

/* ---- the two halves
 * --------------------------------------------------------------------------------------- */

static struct half
half_of(struct arena *a, const float *x, const int64_t *labels, uint32_t n, int64_t size,
        uint32_t first)
{
    struct half h = {.n = (n - first + 1) / 2};

    h.x = ARENA_ARRAY(a, float, (size_t)h.n *(size_t)size);
    h.labels = labels ? ARENA_ARRAY(a, int64_t, h.n) : NULL;
    for (uint32_t k = 0; k < h.n; k++) {
        memcpy(h.x + k * size, x + (int64_t)(first + 2 * k) * size, (size_t)size * sizeof *x);
        if (labels)
            h.labels[k] = labels[first + 2 * k];
    }
    return h;
}

static bool
options_ok(const struct compile_options *o, uint32_t n, struct diag *d)
{
    if (o->approximate.degree || o->approximate.agree > 0)
        diag_error(d, E_CHOOSE_OPTION, PLACE_FILE(o->model),
                   "--%s asks for one degree everywhere, --max-%s for a degree a layer",
                   o->approximate.degree ? "degree" : "agree",
                   o->max_drop > 0 ? "drop" : "latency");
    else if (o->max_drop >= 1)
        diag_error(d, E_CHOOSE_OPTION, PLACE_FILE(o->model),
                   "--max-drop is a share below 1; write 0.5%% for half a point");
    else if (n < 2)
        diag_error(d, E_CHOOSE_DATA, PLACE_FILE(o->model),
                   "there %s; at least 2 are needed, some hundred are better",
                   n ? "is one calibration image" : "are no calibration images");
    else
        return true;
    return false;
}

static bool
read_labels(struct arena *a, const struct compile_options *o, const struct compiled *c,
            const int64_t **labels, struct diag *d)
{
    uint32_t n;

    *labels = c->calib.labels;
    if (!o->calib_labels)
        return true;
    if (!data_labels(a, o->calib_labels, labels, &n, d))
        return false;
    if (n >= c->n_calib)
        return true;
    diag_error(d, E_CHOOSE_LABELS, PLACE_FILE(o->calib_labels),
               "%u label%s for %u calibration images", n, n == 1 ? "" : "s", c->n_calib);
    return false;
}

/* Outputs of the judging half. */
static bool
judge_outputs(const struct search *s, bool poly, float *out, struct diag *d)
{
    struct interpret_options o = {.poly = poly};

    return interpret_many(s->g, &o, s->judge.x, s->judge.n, out, d);
}

/* Impacts of the candidates: from the calibration, where it has them, else from the images. */
static bool
weigh(struct search *s, const struct calibration *c, uint32_t n)
{
    if (!c || !c->weighed || c->n != s->choice.n)
        return choose(s->g, s->fit.x, n, s->fit.labels, &s->choice, s->d);
    const float **each = ARENA_ARRAY(s->a, const float *, c->weighed);
    for (uint32_t k = 0; k < c->weighed; k++)
        each[k] = c->sample[k].impact;
    choose_weigh(s->a, &s->choice, each, c->weighed);
    return true;
}

/* What each candidate costs alone, where that does not take long: it chooses better than first
 * derivatives do (ResNet-20 on 1,000 held back training images: 1.0, 1.7 and 2.6 % of answers lost
 * on 54, 50 and 47 levels, against 1.1, 2.1 and 2.7 %). Else the impacts decide. */
static bool
measure(struct search *s, uint32_t n)
{
    uint32_t options = 0;

    for (uint32_t k = 0; k < s->choice.n; k++)
        options += s->choice.layers[k].n;
    if (!options || MEASURED / options < MEASURED_LEAST)
        return true;
    n = n < MEASURED / options ? n : MEASURED / options;
    return choose_measure(s->g, s->fit.x, n, &s->choice, s->ao.progress, s->ao.user, s->d);
}

static bool
prepare(struct search *s, const struct compiled *c, const int64_t *labels)
{
    int64_t in = shape_size(&graph_value(s->g, s->g->inputs.at[0].value)->shape);

    s->size = shape_size(&graph_value(s->g, s->g->outputs.at[0])->shape);
    s->fit = half_of(s->a, c->calib_images, labels, c->n_calib, in, 0);
    s->judge = half_of(s->a, c->calib_images, labels, c->n_calib, in, 1);
    s->answers = ARENA_ARRAY(s->a, float, (size_t)(s->judge.n * s->size) + 1);
    if (!judge_outputs(s, false, s->answers, s->d))
        return false;
    s->rule = answer_rule(s->answers, s->judge.n, s->size);
    if (s->size == 1 && !s->rule.probability)
        s->judge.labels = NULL; /* no classes */
    uint32_t n = s->fit.n < WEIGHED_IMAGES ? s->fit.n : WEIGHED_IMAGES;
    return approximate_errors(s->g, s->fit.x, n, &s->ao, &s->choice, s->d) &&
           weigh(s, c->calibration, n) && measure(s, n);
}

/* ---- one plan
 * ---------------------------------------------------------------------------------------------- */

/* Share of the judging images that the polynomials lose against float; negative when they win
 * some. */
static double
drop_of(const struct search *s, const float *out)
{
    int64_t lost = 0;

    for (uint32_t k = 0; k < s->judge.n; k++) {
        const float *clean = s->answers + k * s->size, *ours = out + k * s->size;
        if (s->judge.labels)
            lost += (answer_class(&s->rule, clean) == s->judge.labels[k]) -
                    (answer_class(&s->rule, ours) == s->judge.labels[k]);
        else
            lost += !answer_agrees(&s->rule, clean, ours);
    }
    return (double)lost / s->judge.n;
}

static bool
within(const struct search *s, const struct chosen_plan *p, bool drop, bool latency)
{
    return isfinite(p->drop) &&
           (!drop || s->o->max_drop <= 0 || p->drop <= s->o->max_drop + 1e-12) &&
           (!latency || s->o->max_latency <= 0 || p->seconds <= s->o->max_latency);
}

/* Fits, judges and prices; the result is the newest of s->tried. */
static void
try_plan(struct search *s, const struct choose_plan *p, uint32_t uniform, uint32_t budget,
         struct diag *d)
{
    struct chosen_plan t = {.uniform = uniform,
                            .deepest = p->deepest,
                            .levels = p->levels,
                            .cost = p->cost,
                            .degree = p->degree,
                            .drop = INFINITY,
                            .seconds = INFINITY};
    struct approximate_options ao = s->ao;
    struct arena *scratch = arena_new();
    float *out = ARENA_ARRAY(scratch, float, (size_t)(s->judge.n * s->size) + 1);

    ao.plan = p->degree;
    if (approximate(s->g, s->fit.x, s->fit.n, &ao, &t.report, d) &&
        judge_outputs(s, true, out, d)) {
        t.drop = drop_of(s, out);
        /* where it matters: it takes longer than all else */
        if (s->o->polish && !(s->o->max_drop > 0 && within(s, &t, true, false)) &&
            pipeline_polish(s->o, &ao, s->g, s->fit.x, s->fit.n, &t.report, &t.polished, d) &&
            judge_outputs(s, true, out, d))
            t.drop = drop_of(s, out);
        /* a plan that loses too much is out, whatever its price */
        if (uniform || s->o->max_drop <= 0 || within(s, &t, true, false))
            t.seconds = pipeline_price(s->o, s->g, s->judge.x, s->judge.n,
                                       pipeline_output_range(t.report.output_max));
        approximate_take(s->a, s->g, &t.fit);
    }
    vec_push(s->a, &s->tried, t);
    vec_push(s->a, &s->budgets, budget);
    arena_free(scratch);
}

/* The plan for a budget; tried at most once. */
static const struct chosen_plan *
at_budget(struct search *s, uint32_t budget)
{
    struct choose_plan p;

    for (uint32_t k = CHOSEN_UNIFORM; k < s->tried.len; k++)
        if (s->budgets.at[k] == budget)
            return &s->tried.at[k];
    struct diag *quiet = diag_new();
    choose_within(s->a, s->g, &s->choice, budget, &p);
    try_plan(s, &p, 0, budget, quiet);
    diag_free(quiet);
    return &s->tried.at[s->tried.len - 1];
}

/* ---- the search
 * --------------------------------------------------------------------------------------------- */

/* Under --max-drop the faster plan is better, else the one that loses less; then the one with
 * fewer levels. */
static bool
better(const struct search *s, const struct chosen_plan *p, const struct chosen_plan *q)
{
    bool by_time = s->o->max_drop > 0;

    if (by_time ? p->seconds != q->seconds : p->drop != q->drop)
        return by_time ? p->seconds < q->seconds : p->drop < q->drop;
    if (!by_time && p->seconds != q->seconds)
        return p->seconds < q->seconds;
    if (p->deepest != q->deepest)
        return p->deepest < q->deepest;
    return p->levels < q->levels;
}

/* The least budget that keeps the answers, of few: no halving, as the drop is not quite monotonic.
 */
static void
sweep(struct search *s, uint32_t least, uint32_t most)
{
    for (uint32_t b = least; b <= most; b++)
        if (within(s, at_budget(s, b), true, false))
            return;
}

/* Under --max-drop the least budget that keeps the answers, else the largest that keeps the time,
 * by halving. */
static void
halve(struct search *s, uint32_t least, uint32_t most)
{
    bool by_drop = s->o->max_drop > 0;
    uint32_t lo = least, hi = most;

    while (lo < hi) {
        uint32_t middle = lo + (hi - lo + !by_drop) / 2;
        bool ok = within(s, at_budget(s, middle), by_drop, !by_drop);
        if (by_drop)
            *(ok ? &hi : &lo) = middle + !ok;
        else
            *(ok ? &lo : &hi) = middle - !ok;
    }
    for (uint32_t k = 0; k <= BELOW && lo - least >= k; k++)
        at_budget(s, lo - k);
}

static const struct chosen_plan *
best_of(const struct search *s, bool drop, bool latency)
{
    const struct chosen_plan *best = NULL;

    for (uint32_t k = 0; k < s->tried.len; k++)
        if (within(s, &s->tried.at[k], drop, latency) &&
            (!best || better(s, &s->tried.at[k], best)))
            best = &s->tried.at[k];
    return best;
}

/* The activation whose error weighs most in a plan. */
static const char *
heaviest(const struct search *s, const struct chosen_plan *p)
{
    uint32_t at = 0;
    double most = -1;

    for (uint32_t k = 0; k < s->choice.n; k++) {
        const struct choice_layer *l = &s->choice.layers[k];
        for (uint32_t i = 0; i < l->n; i++)
            if (l->option[i].degree == p->degree[l->node] && choose_cost(l, i) > most) {
                most = choose_cost(l, i);
                at = k;
            }
    }
    return s->g->nodes.at[s->choice.layers[at].node].name;
}

/* No plan: what stops it, and what would do. */
static void
no_plan(const struct search *s)
{
    struct place at = PLACE_FILE(s->o->model);
    const struct chosen_plan *least = NULL, *fastest = NULL;

    for (uint32_t k = 0; k < s->tried.len; k++) {
        const struct chosen_plan *p = &s->tried.at[k];
        if (isfinite(p->drop) && (!least || p->drop < least->drop))
            least = p;
        if (within(s, p, true, false) && (!fastest || p->seconds < fastest->seconds))
            fastest = p;
    }
    if (!fastest) {
        at.node = heaviest(s, least);
        diag_error(s->d, E_CHOOSE_BUDGET, at,
                   "no choice of degrees keeps the drop within %.3g %%; the least is %.3g %%, and "
                   "the error of this activation "
                   "weighs most in it",
                   100 * s->o->max_drop, 100 * least->drop);
        diag_hint(s->d, "--max-drop %.6g%% would do", ceil(1e3 * 100 * least->drop) / 1e3);
        return;
    }
    at.node = heaviest(s, fastest);
    diag_error(s->d, E_CHOOSE_BUDGET, at,
               "no choice of degrees %s within %.3g s; the fastest takes %.3g s, and the error of "
               "this activation weighs "
               "most in it",
               s->o->max_drop > 0 ? "that keeps the drop runs" : "runs", s->o->max_latency,
               fastest->seconds);
    diag_hint(s->d, "--max-latency %.6g would do", ceil(1e3 * fastest->seconds) / 1e3);
}

/* Every plan failed: the last one once more, for its message. */
static bool
nothing_fits(struct search *s, uint32_t most)
{
    struct choose_plan p;

    choose_within(s->a, s->g, &s->choice, most, &p);
    try_plan(s, &p, 0, most, s->d);
    return false;
}

static bool
search(struct search *s, struct chosen *out)
{
    uint32_t least, most;
    bool priced = false, fits = false;

    choose_range(s->g, &s->choice, &least, &most);
    for (uint32_t k = 0; k < CHOSEN_UNIFORM; k++) {
        struct choose_plan p;
        struct diag *quiet = diag_new();
        choose_uniform(s->a, s->g, &s->choice, uniform_degrees[k], &p);
        try_plan(s, &p, uniform_degrees[k], 0, quiet);
        diag_free(quiet);
        out->uniform[k] = s->tried.at[k];
        /* on as many levels as one degree everywhere that will do, the choice will not do worse */
        if (s->o->max_drop > 0 && within(s, &out->uniform[k], true, false) && p.deepest < most)
            most = p.deepest;
    }
    if (s->o->max_drop > 0 && most - least <= FEW)
        sweep(s, least, most);
    else
        halve(s, least, most);
    for (uint32_t k = 0; k < s->tried.len; k++) {
        fits = fits || isfinite(s->tried.at[k].drop);
        priced =
            priced || (isfinite(s->tried.at[k].seconds) && within(s, &s->tried.at[k], true, false));
    }
    if (!fits)
        return nothing_fits(s, most);
    /* too deep for every ring: chosen by levels, and what comes after says so */
    const struct chosen_plan *best = best_of(s, true, priced);
    if (!best) {
        no_plan(s);
        return false;
    }
    out->plan = *best;
    out->tried = s->tried.at;
    out->n_tried = s->tried.len;
    out->choice = s->choice;
    out->judged = s->judge.n;
    out->labels = s->judge.labels != NULL;
    return true;
}

bool
pipeline_choose(struct arena *a, const struct compile_options *o,
                const struct approximate_options *ao, struct compiled *out, struct diag *d)
{
    struct search s = {.a = a, .o = o, .ao = *ao, .g = out->graph, .d = d};
    const int64_t *labels;
    bool any = false;

    for (uint32_t k = 0; k < s.g->nodes.len; k++)
        any = any || op_row(s.g->nodes.at[k].op)->class == NONLIN;
    if (!approximate_check(s.g, ao, d))
        return false;
    if (!any)
        return approximate(s.g, out->calib_images, out->n_calib, ao, &out->approximation, d);
    if (!options_ok(o, out->n_calib, d) || !read_labels(a, o, out, &labels, d) ||
        !prepare(&s, out, labels) || !search(&s, &out->chosen))
        return false;
    approximate_put(s.g, &out->chosen.plan.fit);
    out->approximation = out->chosen.plan.report;
    out->polished = out->chosen.plan.polished;
    out->approximation.agree = 1 - out->chosen.plan.drop;
    return true;
}
