/* ola.c - degrees layer by layer under --max-drop and --max-latency. What candidates cost the
 * answers and what whole programs take give a list of plans, each the best for its time: of a
 * bootstrapped network with its refreshes (price.c), of others by budgets of levels. Of these few
 * are tried: fitted on one half of the calibration images and judged on the other, and so are the
 * uniform degrees that they have to beat. */
#include "pipeline/internal.h"

#include "choose/choose.h"
#include "op/answer.h"
#include "op/interpret.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Errors and impacts are means over so many images; more do not change them by much. */
#define WEIGHED_IMAGES 256u
/* Images through the network to measure candidates, all together, and of one candidate at least. */
#define MEASURED       8000u
#define MEASURED_LEAST 32u
/* So many plans below the one that halving found are tried too: the drop is not quite monotonic. */
#define BELOW 1u
/* Of so few plans each is tried, from the fastest on. */
#define FEW 16u
/* Of plans whose predicted times differ by less than this share, the best is listed. */
#define SAME_TIME 0.01
/* A plan that loses this much more than may be lost is not polished: that halves a loss, about. */
#define POLISHABLE 4.0

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
    double output_range;
    struct choice choice;
    const struct pipeline_prices *prices;
    bool shallow, deep[OLA_MAX_LOG_N + 1]; /* what uniform degrees are: by levels; rings */
    struct pipeline_plans list; /* the fastest first, each losing less than those before */
    VEC(struct chosen_plan) tried;
    VEC(uint32_t) listed; /* of tried: its place in the list, NONE: in none */
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

bool
pipeline_choosable(struct arena *a, const struct compile_options *o, struct compiled *c,
                   struct diag *d)
{
    uint32_t n;

    if (!options_ok(o, c->n_calib, d))
        return false;
    if (!o->calib_labels)
        return true;
    if (!data_labels(a, o->calib_labels, &c->calib.labels, &n, d))
        return false;
    if (n == c->n_calib || n == c->calib.shape.dim[0])
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
    double most = 0;
    for (int64_t k = 0; k < s->judge.n * s->size; k++)
        most = fmax(most, fabs((double)s->answers[k]));
    s->output_range = pipeline_output_range(most);
    uint32_t n = s->fit.n < WEIGHED_IMAGES ? s->fit.n : WEIGHED_IMAGES;
    if (!approximate_errors(s->g, s->fit.x, n, &s->ao, &s->choice, s->d) ||
        !weigh(s, c->calibration, n) || !measure(s, n))
        return false;
    if (!s->o->throughput)
        s->prices = pipeline_prices(s->a, s->o, s->g, &s->choice, s->judge.x, s->judge.n);
    return true;
}

/* ---- the list of plans
 * --------------------------------------------------------------------------------------- */

/* Predicted seconds; *log_n: the ring where it is bootstrapped, else 0. */
static double
price(const struct search *s, const struct choose_plan *p, uint32_t *log_n)
{
    *log_n = 0;
    if (!s->o->throughput)
        return pipeline_price_degrees(s->o, s->prices, p->degree, s->output_range, log_n);
    for (uint32_t k = 0; k < s->choice.n; k++)
        s->g->nodes.at[s->choice.layers[k].node].poly =
            s->choice.layers[k].option[p->option[k]].poly;
    double seconds = pipeline_price(s->o, s->g, s->judge.x, s->judge.n, s->output_range);
    for (uint32_t k = 0; k < s->choice.n; k++)
        s->g->nodes.at[s->choice.layers[k].node].poly = NULL;
    return seconds;
}

/* The best plan of each budget of levels. */
static void
list_budgets(struct search *s)
{
    uint32_t least, most, log_n;

    choose_range(s->g, &s->choice, &least, &most);
    for (uint32_t b = least; b <= most; b++) {
        struct choose_plan p;
        if (choose_within(s->a, s->g, &s->choice, b, &p))
            vec_push(s->a, &s->list,
                     (struct pipeline_plan){price(s, &p, &log_n), p.cost, p.option});
    }
}

static int
by_seconds(const void *a, const void *b)
{
    const struct pipeline_plan *x = a, *y = b;

    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return (x->cost < y->cost) - (x->cost > y->cost); /* those of no price: the worst first */
}

/* Sorts the list, drops what another plan beats, and thins it out, on either side of
 * --max-latency. */
static void
list_tidy(struct search *s)
{
    struct pipeline_plan *p = s->list.at;
    uint32_t kept = 0, n = 0;
    double first = 0, latency = s->o->max_latency > 0 ? s->o->max_latency : INFINITY;

    if (s->list.len)
        qsort(p, s->list.len, sizeof *p, by_seconds);
    for (uint32_t k = 0; k < s->list.len; k++)
        if (!kept || p[k].cost < p[kept - 1].cost)
            p[kept++] = p[k];
    for (uint32_t k = 0; k < kept; k++) {
        bool same = n && p[k].seconds <= first * (1 + SAME_TIME) && isfinite(p[k].seconds) &&
                    (p[k].seconds <= latency) == (p[n - 1].seconds <= latency);
        first = same ? first : p[k].seconds;
        n += !same;
        p[n - 1] = p[k];
    }
    s->list.len = n;
}

/* Of the rings that uniform degrees are bootstrapped in; of levels where one needs none. */
static void
list_plans(struct search *s)
{
    for (uint32_t log_n = 1; log_n <= OLA_MAX_LOG_N; log_n++)
        if (s->deep[log_n])
            pipeline_front_plans(s->a, s->o, s->prices, log_n, &s->list);
    if (s->shallow)
        list_budgets(s);
    list_tidy(s);
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

static double
judged(struct search *s, float *out, struct diag *d)
{
    return judge_outputs(s, true, out, d) ? drop_of(s, out) : INFINITY;
}

/* Polishes a plan that loses too much, but not hopelessly: it takes longer than all else. */
static void
polish_plan(struct search *s, const struct approximate_options *ao, struct chosen_plan *t,
            float *out, struct diag *d)
{
    if (!s->o->polish || !isfinite(t->drop) ||
        (s->o->max_drop > 0 &&
         (within(s, t, true, false) || t->drop > POLISHABLE * (s->o->max_drop + 1e-3))))
        return;
    if (pipeline_polish(s->o, ao, s->g, s->fit.x, s->fit.n, &t->report, &t->polished, d))
        t->drop = judged(s, out, d);
}

static struct chosen_plan
priced(struct search *s, const struct choose_plan *p, uint32_t uniform)
{
    uint32_t log_n;
    double seconds = price(s, p, &log_n);

    if (uniform) {
        s->deep[log_n] = true;
        s->shallow = s->shallow || !log_n;
    }
    return (struct chosen_plan){.uniform = uniform,
                                .deepest = p->deepest,
                                .levels = p->levels,
                                .cost = p->cost,
                                .seconds = seconds,
                                .degree = p->degree,
                                .drop = INFINITY};
}

/* Fits and judges; the result is the newest of s->tried. */
static void
try_plan(struct search *s, struct chosen_plan t, uint32_t listed, struct diag *d)
{
    struct approximate_options ao = s->ao;
    struct arena *scratch = arena_new();
    float *out = ARENA_ARRAY(scratch, float, (size_t)(s->judge.n * s->size) + 1);

    ao.plan = t.degree;
    if (approximate(s->g, s->fit.x, s->fit.n, &ao, &t.report, d)) {
        t.drop = judged(s, out, d);
        polish_plan(s, &ao, &t, out, d);
        approximate_take(s->a, s->g, &t.fit);
    }
    vec_push(s->a, &s->tried, t);
    vec_push(s->a, &s->listed, listed);
    arena_free(scratch);
}

/* The plan in this place of the list; tried at most once. */
static const struct chosen_plan *
at_place(struct search *s, uint32_t place)
{
    struct choose_plan p;

    for (uint32_t k = 0; k < s->tried.len; k++)
        if (s->listed.at[k] == place)
            return &s->tried.at[k];
    struct diag *quiet = diag_new();
    choose_options(s->a, s->g, &s->choice, s->list.at[place].option, &p);
    try_plan(s, priced(s, &p, 0), place, quiet);
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

/* The fastest plan that keeps the answers, of the first n: of few one after the other, as the drop
 * is not quite monotonic; of more, or where each takes long to polish, by halving. */
static void
fastest_within(struct search *s, uint32_t n)
{
    uint32_t lo = 0, hi = n;
    bool few = n <= FEW && !s->o->polish;

    for (uint32_t k = 0; few && k < n; k++)
        if (within(s, at_place(s, k), true, false))
            return;
    while (!few && lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        bool ok = within(s, at_place(s, middle), true, false);
        *(ok ? &hi : &lo) = middle + !ok;
    }
    for (uint32_t k = 1; !few && k <= BELOW && lo >= k; k++)
        at_place(s, lo - k);
}

/* Whether the plan in this place runs within --max-latency: the list's seconds are estimates. */
static bool
fast_enough(struct search *s, uint32_t place)
{
    struct choose_plan p;
    uint32_t log_n;

    choose_options(s->a, s->g, &s->choice, s->list.at[place].option, &p);
    return price(s, &p, &log_n) <= s->o->max_latency;
}

/* How many of the list are fast enough, and, under --max-drop, no slower than a uniform degree that
 * will do. */
static uint32_t
worth_trying(struct search *s)
{
    double most = s->o->max_latency > 0 ? s->o->max_latency : INFINITY;
    uint32_t n = 0;

    for (uint32_t k = 0; k < s->tried.len; k++)
        if (s->o->max_drop > 0 && within(s, &s->tried.at[k], true, false))
            most = fmin(most, s->tried.at[k].seconds);
    while (n < s->list.len && s->list.at[n].seconds <= most)
        n++;
    while (s->o->max_latency > 0 && n > 1 && !fast_enough(s, n - 1))
        n--;
    return n ? n : s->list.len > 0;
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

/* Every plan failed: one once more, for its message. */
static bool
nothing_fits(struct search *s)
{
    struct choose_plan p;

    choose_uniform(s->a, s->g, &s->choice, uniform_degrees[CHOSEN_UNIFORM - 1], &p);
    try_plan(s, priced(s, &p, 0), NONE, s->d);
    return false;
}

/* One degree everywhere, from the middle one on: where that will do, a higher one would only be
 * slower, and else a lower one would not do. */
static void
try_uniform(struct search *s, struct chosen *out)
{
    static const uint32_t order[CHOSEN_UNIFORM] = {1, 0, 2};

    for (uint32_t k = 0; k < CHOSEN_UNIFORM; k++) {
        struct choose_plan p;
        choose_uniform(s->a, s->g, &s->choice, uniform_degrees[k], &p);
        out->uniform[k] = priced(s, &p, uniform_degrees[k]);
        out->uniform[k].untried = true;
    }
    for (uint32_t k = 0; k < CHOSEN_UNIFORM; k++) {
        struct chosen_plan *u = &out->uniform[order[k]];
        bool will_do = k && within(s, &out->uniform[order[0]], true, false);
        if (k && s->o->max_drop > 0 && will_do != (order[k] == 0))
            continue;
        struct diag *quiet = diag_new();
        u->untried = false;
        try_plan(s, *u, NONE, quiet);
        *u = s->tried.at[s->tried.len - 1];
        diag_free(quiet);
    }
}

static bool
search(struct search *s, struct chosen *out)
{
    bool any_priced = false, fits = false;

    try_uniform(s, out);
    list_plans(s);
    uint32_t n = worth_trying(s);
    if (s->o->max_drop > 0)
        fastest_within(s, n);
    else
        for (uint32_t k = 0; k <= BELOW && k < n; k++)
            at_place(s, n - 1 - k);
    for (uint32_t k = 0; k < s->tried.len; k++) {
        fits = fits || isfinite(s->tried.at[k].drop);
        any_priced = any_priced ||
                     (isfinite(s->tried.at[k].seconds) && within(s, &s->tried.at[k], true, false));
    }
    if (!fits)
        return nothing_fits(s);
    /* too deep for every ring: chosen by levels, and what comes after says so */
    const struct chosen_plan *best = best_of(s, true, any_priced);
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
    bool any = false;

    for (uint32_t k = 0; k < s.g->nodes.len; k++)
        any = any || op_row(s.g->nodes.at[k].op)->class == NONLIN;
    if (!approximate_check(s.g, ao, d))
        return false;
    if (!any)
        return approximate(s.g, out->calib_images, out->n_calib, ao, &out->approximation, d);
    if (!prepare(&s, out, out->calib.labels) || !search(&s, &out->chosen))
        return false;
    approximate_put(s.g, &out->chosen.plan.fit);
    out->approximation = out->chosen.plan.report;
    out->polished = out->chosen.plan.polished;
    out->approximation.agree = 1 - out->chosen.plan.drop;
    return true;
}
