/* refresh.c - where ciphertexts are refreshed: the cheapest placement over the whole program, skips
 * included.
 *
 * Instructions are visited from the last to the first. Between two of them a state says which level
 * each value that is still to be made must have: that of the reader that wants the most. At a value
 * that may be refreshed there are two ways on: to make it at that level, or to make it at the
 * level where a refresh begins and to refresh it. A state that another one beats at every level and
 * in price is dropped, so that what is left at the inputs holds the optimum (of up to MOST_STATES
 * states at a time; residual networks need a few dozen).
 *
 * Where polynomials may have several degrees, each is a way on too, and a state has the sum of what
 * its degrees cost the answers besides: what is left at the inputs is then the front of both. */
#include "schedule/schedule.h"

#include "ola/plan.h"
#include "schedule/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STATES 512
/* The same with degrees to choose. */
#define MOST_PAIRS 1500
/* Values are refreshed where they fill the range of a bootstrapping, whose error is a share of that
 * range: smaller ones would drown, larger ones cost precision. */
#define LEAST_BOUND 0.25
#define MOST_BOUND  64.0

struct state {
    double seconds, cost;
    uint32_t parent; /* index of the state before, at the instruction visited before */
    bool refreshed;  /* the instruction visited last */
    uint8_t option;  /* of it */
    uint8_t *want;   /* level of each live value */
};
struct states {
    struct state *at;
    uint32_t len, cap;
};

struct search {
    struct he_program *p;
    struct arena *a;
    const struct he_rotations *rotations;
    /* seconds of a refresh by log2 of the period and the level, below 0: not known yet */
    double refresh[OLA_MAX_LOG_N][OLA_MAX_Q];
    uint32_t in_level, out_level;
    /* [polynomial]: the degrees that it may have; NULL: as they are */
    const struct schedule_options *options;
    /* [instruction][option][level of its arguments], below 0: not known yet */
    double *price;
    VEC(uint32_t) live;  /* values that are read by what was visited, but not yet made */
    struct states *made; /* [instruction]: the states in front of it */
};

double
schedule_bound(const struct he_program *p, uint32_t k)
{
    bool read = false, polynomials = true;
    for (uint32_t r = k + 1; r < p->insts.len; r++)
        for (uint32_t a = 0; a < p->insts.at[r].args.len; a++)
            if (p->insts.at[r].args.at[a] == k) {
                read = true;
                polynomials &= p->insts.at[r].op == HE_poly;
            }
    return read && polynomials ? 1 : p->insts.at[k].bound;
}

bool
schedule_scalable(const struct he_program *p, uint32_t k)
{
    const struct he_inst *i = &p->insts.at[k];
    return i->op == HE_poly || i->op == HE_input ||
           (i->op == HE_linear && !p->maps.at[i->data].free_of_level);
}

static uint32_t
place_of(const struct search *s, uint32_t value)
{
    for (uint32_t k = 0; k < s->live.len; k++)
        if (s->live.at[k] == value)
            return k;
    return NONE;
}

/* Of value k to a level. */
static double
price_refresh(struct search *s, uint32_t k, uint32_t level)
{
    const struct he_inst *i = &s->p->insts.at[k];
    uint32_t period = s->p->layouts.at[i->layout].period;
    double *price = &s->refresh[__builtin_ctz(period)][level];
    if (*price < 0)
        *price = he_price_refresh(&s->p->params, period, level);
    return i->cts * *price;
}

/* The options of instruction k, or NULL. */
static const struct schedule_options *
options_of(const struct search *s, uint32_t k)
{
    const struct he_inst *i = &s->p->insts.at[k];
    return i->op == HE_poly && s->options && s->options[i->data].n ? &s->options[i->data] : NULL;
}

static double
price_of(struct search *s, uint32_t k, uint32_t option, uint32_t level)
{
    const struct schedule_options *o = options_of(s, k);
    double *price = &s->price[((size_t)k * SCHEDULE_OPTIONS + option) * (s->out_level + 2) + level];
    if (*price < 0) {
        if (o)
            s->p->polys.at[s->p->insts.at[k].data].degree = o->degree[option];
        *price = he_price_inst(s->p, s->rotations, k, level);
    }
    return *price;
}

/* Maps, polynomials and encryption choose the scale of what they make, so that any bound fits the
 * last prime; what is left of a sum or a product has the scale that it has. */
static bool
may_refresh(const struct search *s, uint32_t k)
{
    const struct he_inst *i = &s->p->insts.at[k];
    double bound = schedule_bound(s->p, k);
    if (i->op == HE_mul || i->op == HE_relin || bound < LEAST_BOUND)
        return false;
    return bound <= (schedule_scalable(s->p, k) ? MOST_BOUND : 1);
}

/* The live values in front of instruction k, and where the old ones went: to[old] (NONE: made
 * here). */
static void
step_live(struct search *s, uint32_t k, uint32_t *to)
{
    const struct he_inst *i = &s->p->insts.at[k];
    uint32_t kept = 0;
    for (uint32_t v = 0; v < s->live.len; v++) {
        to[v] = s->live.at[v] == k ? NONE : kept;
        if (to[v] != NONE)
            s->live.at[kept++] = s->live.at[v];
    }
    s->live.len = kept;
    for (uint32_t a = 0; a < i->args.len; a++)
        if (place_of(s, i->args.at[a]) == NONE)
            vec_push(s->a, &s->live, i->args.at[a]);
}

/* The highest level that instruction k may want of its arguments: that of a refresh; of what the
 * client encrypts one more where a map reads it, which can divide by EvalMod's lowest prime as well
 * as by any other. */
static uint32_t
most_level(const struct search *s, uint32_t k)
{
    const struct he_inst *i = &s->p->insts.at[k];
    bool fresh = i->op == HE_input || (i->op == HE_linear && !s->p->maps.at[i->data].free_of_level);
    for (uint32_t a = 0; a < i->args.len; a++)
        fresh &= s->p->insts.at[i->args.at[a]].op == HE_input;
    return s->out_level + (fresh ? 1 : 0);
}

/* Adds the state that follows from `from` when instruction k makes its value at `own`, or where a
 * refresh to there begins. */
static void
follow(struct search *s, uint32_t k, const struct states *from, uint32_t parent, const uint32_t *to,
       uint32_t n_old, uint32_t own, struct state next)
{
    const struct he_inst *i = &s->p->insts.at[k];
    const struct schedule_options *o = options_of(s, k);
    uint32_t made = next.refreshed ? s->in_level : own;
    uint32_t want =
        o ? made + ola_plan_poly_depth(o->degree[next.option]) : schedule_wanted(s->p, i, made);
    uint32_t raised = own > s->in_level ? own : s->in_level;

    if (want > most_level(s, k) || (next.refreshed && raised > s->out_level))
        return;
    next.parent = parent;
    next.cost = from->at[parent].cost + (o ? o->cost[next.option] : 0);
    next.seconds = from->at[parent].seconds + price_of(s, k, next.option, want) +
                   (next.refreshed ? price_refresh(s, k, raised) : 0);
    next.want = ARENA_ARRAY(s->a, uint8_t, s->live.len + 1);
    for (uint32_t v = 0; v < n_old; v++)
        if (to[v] != NONE)
            next.want[to[v]] = from->at[parent].want[v];
    for (uint32_t a = 0; a < i->args.len; a++) {
        uint8_t *w = &next.want[place_of(s, i->args.at[a])];
        *w = want > *w ? (uint8_t)want : *w;
    }
    vec_push(s->a, &s->made[k], next);
}

static int
by_seconds(const void *a, const void *b)
{
    const struct state *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    return (x->option > y->option) - (x->option < y->option);
}

/* States that want the same levels; the least cost of those so far. */
struct group {
    const uint8_t *want;
    double cost;
};

static bool
no_more(const struct search *s, const uint8_t *x, const uint8_t *y)
{
    for (uint32_t w = 0; w < s->live.len; w++)
        if (x[w] > y[w])
            return false;
    return true;
}

/* Drops the states that a cheaper one beats at every level and in cost; of states that differ in
 * levels, the cheapest MOST_STATES kinds are kept. */
static void
prune(const struct search *s, struct states *v)
{
    struct arena *a = arena_new();
    struct group *group = ARENA_ARRAY(a, struct group, v->len + 1);
    uint32_t kept = 0, n = 0;
    if (v->len)
        qsort(v->at, v->len, sizeof *v->at, by_seconds);
    for (uint32_t k = 0; k < v->len && (s->options || kept < MOST_STATES); k++) {
        bool beaten = false;
        uint32_t own = n;
        for (uint32_t j = 0; j < n && !beaten; j++) {
            bool less = no_more(s, group[j].want, v->at[k].want);
            beaten = less && group[j].cost <= v->at[k].cost;
            own = less && no_more(s, v->at[k].want, group[j].want) ? j : own;
        }
        if (beaten || (own == n && n == MOST_STATES))
            continue;
        v->at[kept] = v->at[k];
        group[own] = (struct group){v->at[kept].want, v->at[kept].cost};
        n += own == n;
        kept++;
    }
    v->len = kept;
    arena_free(a);
}

/* Of states that want the same and cost about the same (within a share), leaves the fastest. */
static uint32_t
thin_by(const struct search *s, const struct states *v, double share, struct state *to)
{
    uint32_t kept = 0;
    for (uint32_t k = 0; k < v->len; k++) {
        const struct state *x = &v->at[k];
        bool like = false;
        for (uint32_t j = kept; j-- > 0 && !like;) {
            bool same = memcmp(to[j].want, x->want, s->live.len) == 0;
            like = same && x->cost > to[j].cost * (1 - share);
            if (same)
                break; /* costs of those before are higher */
        }
        if (!like)
            to[kept++] = *x;
    }
    return kept;
}

/* At most MOST_PAIRS states, spread over all costs; where that does not do, over all prices. */
static void
thin(const struct search *s, struct states *v)
{
    struct arena *a = arena_new();
    struct state *to = ARENA_ARRAY(a, struct state, v->len + 1);
    for (double share = 0.01; v->len > MOST_PAIRS && share < 1; share *= 1.5) {
        v->len = thin_by(s, v, share, to);
        memcpy(v->at, to, v->len * sizeof *to);
    }
    uint32_t len = v->len;
    v->len = len < MOST_PAIRS ? len : MOST_PAIRS;
    for (uint32_t k = 0; len > MOST_PAIRS && k < MOST_PAIRS; k++)
        v->at[k] = v->at[(size_t)k * (len - 1) / (MOST_PAIRS - 1)];
    arena_free(a);
}

static void
visit(struct search *s, uint32_t k, const struct states *from)
{
    uint32_t place = place_of(s, k), n_old = s->live.len;
    uint32_t *to = ARENA_ARRAY(s->a, uint32_t, n_old + 1);
    bool may = place != NONE && may_refresh(s, k);
    uint32_t options = options_of(s, k) ? options_of(s, k)->n : 1;

    step_live(s, k, to);
    for (uint32_t f = 0; f < from->len; f++) {
        uint32_t own = place == NONE ? 0 : from->at[f].want[place];
        for (uint32_t o = 0; o < options; o++)
            for (int refreshed = 0; refreshed <= may; refreshed++)
                follow(s, k, from, f, to, n_old, own,
                       (struct state){.refreshed = refreshed != 0, .option = (uint8_t)o});
    }
    prune(s, &s->made[k]);
    if (s->options)
        thin(s, &s->made[k]);
}

/* p: a copy whose polynomials' degrees may change */
static void
search_run(struct search *s, struct he_program *p, const struct he_rotations *r)
{
    uint32_t n = p->insts.len;
    size_t prices = (size_t)n * SCHEDULE_OPTIONS * (p->params.boot.out_level + 2);
    s->p = p;
    s->rotations = r;
    s->in_level = p->params.boot.stc;
    s->out_level = p->params.boot.out_level;
    s->made = ARENA_ARRAY(s->a, struct states, n + 1);
    s->price = ARENA_ARRAY(s->a, double, prices + 1);
    for (size_t k = 0; k < prices; k++)
        s->price[k] = -1;
    for (uint32_t k = 0; k < OLA_MAX_LOG_N; k++)
        for (uint32_t l = 0; l < OLA_MAX_Q; l++)
            s->refresh[k][l] = -1;
    vec_push(s->a, &s->made[n], (struct state){.want = ARENA_ARRAY(s->a, uint8_t, 1)});
    for (uint32_t k = n; k-- > 0;)
        visit(s, k, &s->made[k + 1]);
}

double
schedule_refresh(const struct he_program *p, const struct he_rotations *r, bool *refreshed)
{
    struct arena *a = arena_new();
    struct search s = {.a = a};
    struct he_program own = *p;
    uint32_t n = p->insts.len, at = 0;
    double seconds = -1;

    search_run(&s, &own, r);
    if (s.made[0].len) {
        seconds = s.made[0].at[0].seconds;
        for (uint32_t k = 0; k < n; k++) {
            refreshed[k] = s.made[k].at[at].refreshed;
            at = s.made[k].at[at].parent;
        }
    }
    arena_free(a);
    return seconds;
}

void
schedule_front(struct arena *to, const struct he_program *p, const struct he_rotations *r,
               const struct schedule_options *o, struct schedule_front *out)
{
    struct arena *a = arena_new();
    struct search s = {.a = a, .options = o};
    struct he_program own = *p;

    own.polys.at = ARENA_ARRAY(a, struct he_poly, p->polys.len + 1);
    for (uint32_t k = 0; k < p->polys.len; k++)
        own.polys.at[k] = p->polys.at[k];
    search_run(&s, &own, r);
    for (uint32_t f = 0; f < s.made[0].len; f++) {
        const struct state *x = &s.made[0].at[f];
        struct schedule_choice c = {x->seconds, x->cost,
                                    ARENA_ARRAY(to, uint8_t, p->polys.len + 1)};
        for (uint32_t k = 0; k < p->insts.len; k++) {
            if (p->insts.at[k].op == HE_poly)
                c.option[p->insts.at[k].data] = x->option;
            x = &s.made[k + 1].at[x->parent];
        }
        vec_push(to, out, c);
    }
    arena_free(a);
}

void
schedule_insert(struct he_program *p, const bool *refreshed)
{
    uint32_t n = p->insts.len, *of = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    double *bound = ARENA_ARRAY(p->arena, double, n + 1);
    struct he_inst *old = p->insts.at;

    for (uint32_t k = 0; k < n; k++)
        bound[k] = schedule_bound(p, k);
    p->insts.at = NULL;
    p->insts.len = p->insts.cap = 0;
    for (uint32_t k = 0; k < n; k++) {
        struct he_inst i = old[k];
        for (uint32_t a = 0; a < i.args.len; a++)
            i.args.at[a] = of[i.args.at[a]];
        vec_push(p->arena, &p->insts, i);
        of[k] = p->insts.len - 1;
        if (!refreshed[k])
            continue;
        struct he_inst r = {.op = HE_refresh,
                            .data = NONE,
                            .cts = i.cts,
                            .layout = i.layout,
                            .node = i.node,
                            .bound = fmax(1, bound[k])};
        vec_push(p->arena, &r.args, of[k]);
        vec_push(p->arena, &p->insts, r);
        of[k] = p->insts.len - 1;
    }
    schedule_renumber(p, of);
}
