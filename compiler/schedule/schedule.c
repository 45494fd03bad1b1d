/* schedule.c - see schedule.h; the noise model is noise.c. */
#include "schedule/schedule.h"

#include "schedule/internal.h"

#include "ola/plan.h"

#include <math.h>
#include <string.h>

uint32_t
schedule_wanted(const struct he_program *p, const struct he_inst *i, uint32_t own)
{
    switch (i->op) {
    case HE_linear:
        return p->maps.at[i->data].free_of_level ? own : own + 1;
    case HE_poly:
        return own + ola_plan_poly_depth(p->polys.at[i->data].degree);
    case HE_rescale:
        return own + 1;
    case HE_reduce:
        return own + i->down;
    case HE_refresh:
        return p->params.boot.stc;
    default:
        return own;
    }
}

void
schedule_renumber(struct he_program *p, const uint32_t *of)
{
    for (uint32_t k = 0; k < p->inputs.len; k++)
        p->inputs.at[k].value = of[p->inputs.at[k].value];
    for (uint32_t k = 0; k < p->outputs.len; k++)
        p->outputs.at[k].value = of[p->outputs.at[k].value];
}

static uint32_t
level_of(const struct he_program *p, uint32_t value)
{
    return p->insts.at[value].level;
}

static void
assign_levels(struct he_program *p)
{
    for (uint32_t k = 0; k < p->insts.len; k++)
        p->insts.at[k].level = 0;
    for (uint32_t k = p->insts.len; k-- > 0;) {
        struct he_inst *i = &p->insts.at[k];
        if (i->op == HE_refresh && i->level < p->params.boot.stc)
            i->level = p->params.boot.stc;
        for (uint32_t a = 0; a < i->args.len; a++) {
            uint32_t want = schedule_wanted(p, i, i->level);
            struct he_inst *x = &p->insts.at[i->args.at[a]];
            x->level = want > x->level ? want : x->level;
        }
    }
}

/* Rebuilds the list with a drop before each reader that wants less than there is; one drop serves
 * all readers of a value that want the same level. */
static void
insert_drops(struct he_program *p)
{
    uint32_t n = p->insts.len;
    struct he_inst *old = p->insts.at;
    uint32_t *of = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    VEC(uint32_t) drops = {0}; /* instructions of the new list */

    p->insts.at = NULL;
    p->insts.len = p->insts.cap = 0;
    for (uint32_t k = 0; k < n; k++) {
        struct he_inst i = old[k];
        uint32_t want = schedule_wanted(p, &i, i.level);
        for (uint32_t a = 0; a < i.args.len; a++) {
            uint32_t x = of[i.args.at[a]];
            i.args.at[a] = x;
            if (level_of(p, x) == want)
                continue;
            uint32_t found = NONE;
            for (uint32_t d = 0; d < drops.len; d++)
                if (p->insts.at[drops.at[d]].args.at[0] == x && level_of(p, drops.at[d]) == want)
                    found = drops.at[d];
            if (found == NONE) {
                struct he_inst drop = {.op = HE_drop,
                                       .data = NONE,
                                       .cts = p->insts.at[x].cts,
                                       .layout = p->insts.at[x].layout,
                                       .node = p->insts.at[x].node,
                                       .level = want,
                                       .parts = p->insts.at[x].parts,
                                       .bound = p->insts.at[x].bound};
                vec_push(p->arena, &drop.args, x);
                vec_push(p->arena, &p->insts, drop);
                found = p->insts.len - 1;
                vec_push(p->arena, &drops, found);
            }
            i.args.at[a] = found;
        }
        vec_push(p->arena, &p->insts, i);
        of[k] = p->insts.len - 1;
    }
    schedule_renumber(p, of);
}

/* The instruction whose scale decides an output's, when it is read by outputs only; else NONE. */
static uint32_t
free_output(const struct he_program *p, uint32_t output)
{
    uint32_t maker = p->insts.at[p->outputs.at[output].value].args.at[0];
    const struct he_inst *m = &p->insts.at[maker];
    if (m->op != HE_poly && (m->op != HE_linear || p->maps.at[m->data].free_of_level))
        return NONE;
    for (uint32_t k = 0; k < p->insts.len; k++)
        for (uint32_t a = 0; a < p->insts.at[k].args.len; a++)
            if (p->insts.at[k].args.at[a] == maker && p->insts.at[k].op != HE_output)
                return NONE;
    return maker;
}

static void
count_switches(const struct he_program *p, struct schedule_levels *out)
{
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        if (i->op == HE_relin)
            out->switches[i->level] += i->cts;
        if (i->op == HE_poly) {
            uint32_t depth = ola_plan_poly_depth(p->polys.at[i->data].degree);
            for (uint32_t l = 0; l < depth; l++)
                out->switches[i->level + depth - l] +=
                    i->cts * (l ? (uint32_t)1 << (depth - 1 - l) : 1);
        }
        if (i->op != HE_linear)
            continue;
        const struct he_map *m = &p->maps.at[i->data];
        uint32_t at = schedule_wanted(p, i, i->level);
        for (uint32_t d = 0; d < m->diagonals.len; d++) {
            const struct he_diagonal *g = &m->diagonals.at[d];
            bool first = !d || g[-1].giant != g->giant || g[-1].out_ct != g->out_ct;
            out->switches[at] += first && g->giant ? 1 : 0;
            out->switches[at] += !d || g->giant == m->diagonals.at[0].giant ? 0.4 : 0;
        }
        out->switches[i->level] += m->out_cts * m->folds.len;
    }
}

void
schedule_levels(struct he_program *p, struct schedule_levels *out)
{
    assign_levels(p);
    insert_drops(p);
    memset(out, 0, sizeof *out);
    for (uint32_t k = 0; k < p->insts.len; k++)
        out->depth = level_of(p, k) > out->depth ? level_of(p, k) : out->depth;
    out->switches = ARENA_ARRAY(p->arena, double, out->depth + 1);
    count_switches(p, out);
    out->outputs_free = true;
    for (uint32_t k = 0; k < p->outputs.len; k++)
        out->outputs_free &= free_output(p, k) != NONE;
}

struct he_rotations *
schedule_rotations(struct arena *a, const struct he_program *p)
{
    struct he_rotations *r = ARENA_ARRAY(a, struct he_rotations, p->maps.len + 1);
    for (uint32_t m = 0; m < p->maps.len; m++)
        r[m] = he_map_rotations(&p->maps.at[m]);
    return r;
}

double
schedule_deep(struct he_program *p, const struct he_rotations *r, bool apply)
{
    struct arena *scratch = arena_new();
    bool *refreshed = ARENA_ARRAY(scratch, bool, p->insts.len + 1);
    double seconds = schedule_refresh(p, r, refreshed);
    if (seconds >= 0 && apply) {
        schedule_insert(p, refreshed);
        assign_levels(p);
        insert_drops(p);
    }
    arena_free(scratch);
    return seconds;
}

/* ---- scales ---------------------------------------------------------------------------------- */

/* The kind of refresh that takes this value to this level and scale. */
static uint32_t
refresh_kind(struct he_program *p, const struct he_inst *x, uint32_t level, double out_scale)
{
    uint32_t period = p->layouts.at[x->layout].period;
    for (uint32_t k = 0; k < p->refreshes.len; k++) {
        const struct he_refresh *r = &p->refreshes.at[k];
        if (r->period == period && r->out_level == level && r->in_scale == x->scale &&
            r->out_scale == out_scale)
            return k;
    }
    vec_push(p->arena, &p->refreshes, (struct he_refresh){period, level, x->scale, out_scale});
    return p->refreshes.len - 1;
}

/* Default scale for all, that of the prime for second factors (for squares the geometric mean of
 * the two), a lower one for what only outputs read. */
static double *
wanted_scales(const struct he_program *p, double output_range)
{
    double *want = ARENA_ARRAY(p->arena, double, p->insts.len + 1);
    double room = (double)p->params.q.at[0] / (4 * output_range * p->params.scale), down = 1;

    for (uint32_t k = 0; k < p->insts.len; k++)
        want[k] = p->params.scale;
    while (room * down < 1)
        down *= 2;
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        uint32_t factor = i->op == HE_mul ? i->args.at[1] : NONE;
        if (factor == NONE)
            continue;
        if (p->insts.at[factor].op == HE_drop)
            factor = p->insts.at[factor].args.at[0];
        double q = (double)p->params.q.at[i->level];
        want[factor] = i->args.at[0] == i->args.at[1] ? sqrt(p->params.scale * q) : q;
    }
    for (uint32_t k = 0; k < p->insts.len; k++)
        if (p->insts.at[k].op == HE_refresh)
            want[p->insts.at[k].args.at[0]] = p->params.scale / p->insts.at[k].bound;
    for (uint32_t k = 0; k < p->outputs.len; k++)
        if (free_output(p, k) != NONE)
            want[free_output(p, k)] = p->params.scale / down;
    return want;
}

static void
scale_of(struct he_program *p, struct he_inst *i, double want)
{
    const struct he_inst *x = i->args.len ? &p->insts.at[i->args.at[0]] : NULL;
    i->scale = x ? x->scale : want;
    if (i->op == HE_mul)
        i->scale = x->scale * p->insts.at[i->args.at[1]].scale;
    if (i->op == HE_rescale)
        i->scale = x->scale / (double)p->params.q.at[x->level];
    if (i->op == HE_linear) {
        struct he_map *m = &p->maps.at[i->data];
        m->level = x->level;
        m->in_scale = x->scale;
        m->out_scale = i->scale = m->free_of_level ? x->scale : want;
    }
    if (i->op == HE_refresh) {
        i->data = refresh_kind(p, x, i->level, want);
        i->scale = want;
    }
    if (i->op == HE_poly) {
        struct he_poly *f = &p->polys.at[i->data];
        f->level = x->level;
        f->in_scale = x->scale;
        f->out_scale = i->scale = want;
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void
need_rotation(struct he_program *p, uint32_t *level_of_step, uint32_t step, uint32_t level)
{
    step %= p->params.slots;
    if (step && level_of_step[step] < level + 1)
        level_of_step[step] = level + 1;
}

/* The rotations of a bootstrapping; the level up to which it relinearises. */
static uint32_t
need_refresh(struct he_program *p, uint32_t *steps, uint32_t period)
{
    struct ola_literal l = he_literal(&p->params);
    struct ola_boot_plan plan;
    if (!ola_plan_boot(&l, period, &plan))
        return NONE;
    for (uint32_t r = 0; r < plan.n_rotations; r++)
        need_rotation(p, steps, plan.rotation[r].step, plan.rotation[r].level);
    return ola_plan_relin_level(&l, UINT32_MAX);
}

void
schedule_map_keys(struct he_program *p, uint32_t k, uint32_t *steps)
{
    struct arena *scratch = arena_new();
    const struct he_inst *i = &p->insts.at[k];
    const struct he_map *m = &p->maps.at[i->data];
    struct he_coarse *coarse;
    uint32_t n = he_map_coarse(scratch, m, &coarse);

    for (uint32_t c = 0; c < n; c++)
        need_rotation(p, steps, coarse[c].step - coarse[c].from, m->level);
    for (uint32_t d = 0; d < m->diagonals.len; d++) {
        struct he_baby baby = he_map_baby(m, m->diagonals.at[d].baby);
        need_rotation(p, steps, baby.fine, m->level);
        need_rotation(p, steps, he_map_giant(m, d), m->level);
    }
    for (uint32_t f = 0; f < m->folds.len; f++)
        need_rotation(p, steps, m->folds.at[f], i->level);
    arena_free(scratch);
}

uint32_t
schedule_keys(struct he_program *p, const struct he_map *without, uint32_t *steps)
{
    uint32_t relin = NONE;

    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        uint32_t level = NONE;
        if (i->op == HE_relin)
            level = i->level;
        if (i->op == HE_reduce && p->insts.at[i->args.at[0]].parts == 3)
            level = p->insts.at[i->args.at[0]].level;
        if (i->op == HE_poly)
            level = p->polys.at[i->data].level;
        if (i->op == HE_refresh)
            level = need_refresh(p, steps, p->refreshes.at[i->data].period);
        if (level != NONE && (relin == NONE || relin < level))
            relin = level;
        if (i->op == HE_linear && &p->maps.at[i->data] != without)
            schedule_map_keys(p, k, steps);
    }
    return relin;
}

static void
collect_keys(struct he_program *p)
{
    struct arena *scratch = arena_new();
    uint32_t *steps = ARENA_ARRAY(scratch, uint32_t, p->params.slots);

    p->rotations.len = 0;
    p->relin_level = schedule_keys(p, NULL, steps);
    for (uint32_t s = 1; s < p->params.slots; s++)
        if (steps[s])
            vec_push(p->arena, &p->rotations, (struct he_rotation){s, steps[s] - 1});
    arena_free(scratch);
}

void
schedule_price(struct he_program *p)
{
    collect_keys(p);
    he_price(p);
}

bool
schedule_batch(struct he_program *p, struct diag *d)
{
    schedule_price(p);
    schedule_noise(p);
    return he_check(p, HE_SCHEDULED, d);
}

bool
schedule_scales(struct he_program *p, double output_range, struct diag *d)
{
    double *want = wanted_scales(p, output_range);
    for (uint32_t k = 0; k < p->insts.len; k++)
        scale_of(p, &p->insts.at[k], want[k]);
    for (uint32_t k = 0; k < p->outputs.len; k++)
        p->outputs.at[k].range =
            (double)p->params.q.at[0] / 2 / p->insts.at[p->outputs.at[k].value].scale;
    schedule_price(p);
    schedule_memory(p);
    schedule_noise(p);
    return he_check(p, HE_SCHEDULED, d);
}
