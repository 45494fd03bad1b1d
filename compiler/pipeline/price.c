/* price.c - what plans of degrees cost, without a layout for each: degrees change neither maps nor
 * layouts, so one lowered program a ring serves all plans. Its polynomials come from the candidates
 * of the choice, so that nothing has to be fitted for a price. */
#include "pipeline/internal.h"

#include "choose/choose.h"
#include "layout/layout.h"
#include "linearize/linearize.h"
#include "lower/lower.h"
#include "ola/plan.h"
#include "schedule/schedule.h"

#include <string.h>

struct pipeline_prices {
    struct arena *a;
    const struct graph *g;
    const struct choice *choice;
    struct he_program *lowered[OLA_MAX_LOG_N + 1]; /* NULL: too small a ring for any plan */
};

static uint32_t
layer_named(const struct pipeline_prices *s, const char *node)
{
    uint32_t n;

    if (!map_get(&s->g->node_names, node, &n))
        return NONE;
    for (uint32_t k = 0; k < s->choice->n; k++)
        if (s->choice->layers[k].node == n)
            return k;
    return NONE;
}

static void
set_polynomials(struct graph *g, const struct choice *c, bool most)
{
    for (uint32_t k = 0; k < c->n; k++)
        g->nodes.at[c->layers[k].node].poly =
            c->layers[k].option[most ? c->layers[k].n - 1 : 0].poly;
}

/* Layout and lowering in one ring; of the layouts only the slots are kept. */
static struct he_program *
lower_ring(struct arena *keep, const struct tp *t, uint32_t log_n)
{
    struct diag *quiet = diag_new();
    struct arena *scratch = arena_new();
    struct tp *placed = tp_copy(scratch, t);
    struct he_program *p =
        layout(placed, log_n, quiet) ? lower_plan(keep, placed, log_n, quiet) : NULL;

    for (uint32_t k = 0; p && k < p->layouts.len; k++) {
        struct he_layout *l = &p->layouts.at[k];
        const uint32_t *slot = l->slot;
        l->slot = ARENA_ARRAY(keep, uint32_t, l->n + 1);
        memcpy(l->slot, slot, l->n * sizeof *slot);
    }
    if (p)
        p->tp = NULL;
    arena_free(scratch);
    diag_free(quiet);
    return p;
}

static bool
possible(const struct compile_options *o, const struct tp *t, uint32_t log_n)
{
    double limit = ola_plan_max_log_qp(log_n, o->security ? o->security : 128);

    return o->insecure_toy || log_n >= PIPELINE_DEEP_LOG_N ||
           tp_depth_least(t) * (log_n + 9.0) <= limit;
}

static void
lower_rings(struct pipeline_prices *s, const struct compile_options *o, const struct tp *t)
{
    uint32_t lo = o->log_n ? o->log_n : PIPELINE_LEAST_LOG_N;
    uint32_t hi = o->log_n ? o->log_n : PIPELINE_MOST_LOG_N;
    struct arena *keep[OLA_MAX_LOG_N + 1] = {NULL};

    for (uint32_t k = lo; k <= hi; k++)
        keep[k] = possible(o, t, k) ? arena_child(s->a) : NULL;
        /* the largest takes longest */
#pragma omp parallel for schedule(dynamic) num_threads(2)
    for (uint32_t k = 0; k <= hi - lo; k++)
        if (keep[hi - k])
            s->lowered[hi - k] = lower_ring(keep[hi - k], t, hi - k);
}

struct pipeline_prices *
pipeline_prices(struct arena *a, const struct compile_options *o, struct graph *g,
                const struct choice *c, const float *images, uint32_t n)
{
    struct pipeline_prices *s = ARENA_NEW(a, struct pipeline_prices);
    struct diag *quiet = diag_new();
    struct arena *scratch = arena_new();

    *s = (struct pipeline_prices){.a = a, .g = g, .choice = c};
    /* bounds by the best polynomials, which are nearest to the network that will be */
    set_polynomials(g, c, true);
    struct tp *t = linearize(scratch, g, quiet);
    if (t) {
        uint32_t layer;
        pipeline_bounds(t, images, n < PIPELINE_REFERENCE ? n : PIPELINE_REFERENCE);
        set_polynomials(g, c, false);
        for (uint32_t k = 0; k < t->nodes.len; k++)
            if (t->nodes.at[k].kind == TP_POLY &&
                (layer = layer_named(s, t->nodes.at[k].name)) != NONE)
                t->nodes.at[k].poly = g->nodes.at[c->layers[layer].node].poly;
        lower_rings(s, o, t);
    }
    for (uint32_t k = 0; k < c->n; k++)
        g->nodes.at[c->layers[k].node].poly = NULL;
    arena_free(scratch);
    diag_free(quiet);
    return s;
}

const struct he_program *
pipeline_lowered(const struct pipeline_prices *s, uint32_t log_n)
{
    return s->lowered[log_n];
}

/* Coefficients of a higher degree than there are: those of the highest again. */
static void
set_degree(struct arena *a, struct he_poly *f, uint32_t degree)
{
    float ***coef = ARENA_ARRAY(a, float **, f->cts);

    for (uint32_t c = 0; c < f->cts; c++) {
        coef[c] = ARENA_ARRAY(a, float *, degree + 1);
        for (uint32_t k = 0; k <= degree; k++)
            coef[c][k] = f->coef[c][k < f->degree ? k : f->degree];
    }
    f->coef = coef;
    f->degree = degree;
}

struct he_program *
pipeline_with_degrees(struct arena *a, const struct pipeline_prices *s, uint32_t log_n,
                      const uint32_t *degree)
{
    if (!s->lowered[log_n])
        return NULL;
    struct he_program shell = *s->lowered[log_n];
    shell.arena = a;
    struct he_program *p = he_copy(&shell);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        uint32_t layer = i->op == HE_poly ? layer_named(s, i->node) : NONE;
        if (layer != NONE)
            set_degree(a, &p->polys.at[i->data], degree[s->choice->layers[layer].node]);
    }
    return p;
}

/* ---- degrees and refreshes together
 * --------------------------------------------------------------------------------------- */

static struct schedule_options *
options_of(struct arena *a, const struct pipeline_prices *s, const struct he_program *p,
           uint32_t *layer)
{
    _Static_assert(CHOICE_MOST <= SCHEDULE_OPTIONS, "every candidate has its place");
    struct schedule_options *o = ARENA_ARRAY(a, struct schedule_options, p->polys.len + 1);

    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        uint32_t at = i->op == HE_poly ? layer_named(s, i->node) : NONE;
        if (i->op == HE_poly)
            layer[i->data] = at;
        if (at == NONE)
            continue;
        const struct choice_layer *l = &s->choice->layers[at];
        o[i->data].n = l->n;
        for (uint32_t d = 0; d < l->n; d++) {
            o[i->data].degree[d] = l->option[d].degree;
            o[i->data].cost[d] = choose_cost(l, d);
        }
    }
    return o;
}

void
pipeline_front_plans(struct arena *a, const struct compile_options *o,
                     const struct pipeline_prices *s, uint32_t log_n, struct pipeline_plans *out)
{
    struct arena *scratch = arena_new();
    const struct he_program *p = s->lowered[log_n];
    uint32_t *layer = ARENA_ARRAY(scratch, uint32_t, p->polys.len + 1);
    struct schedule_front front = {0};

    pipeline_deep_front(scratch, o, p, options_of(scratch, s, p, layer), &front);
    for (uint32_t f = 0; f < front.len; f++) {
        struct pipeline_plan plan = {front.at[f].seconds, front.at[f].cost,
                                     ARENA_ARRAY(a, uint32_t, s->choice->n + 1)};
        for (uint32_t k = 0; k < p->polys.len; k++)
            if (layer[k] != NONE)
                plan.option[layer[k]] = front.at[f].option[k];
        vec_push(a, out, plan);
    }
    arena_free(scratch);
}
