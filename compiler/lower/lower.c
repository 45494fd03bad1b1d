/* lower.c - instructions, ports and polynomials; the diagonals of linear maps are in
 * diagonals.c. */
#include "lower/lower.h"

#include "lower/internal.h"

#include <string.h>

struct lowering {
    struct he_program *p;
    const struct tp *t;
    uint32_t *of; /* tp node -> instruction */
};

static uint32_t
add_layout(struct lowering *l, const struct he_layout *layout)
{
    vec_push(l->p->arena, &l->p->layouts, *layout);
    return l->p->layouts.len - 1;
}

static uint32_t
add_inst(struct lowering *l, enum he_op op, const struct tp_node *n, uint32_t data,
         const uint32_t *args, uint32_t n_args)
{
    struct he_inst i = {.op = op, .data = data, .cts = n->layout.cts, .node = n->name};
    i.layout = add_layout(l, &n->layout);
    for (uint32_t k = 0; k < n_args; k++)
        vec_push(l->p->arena, &i.args, args[k]);
    vec_push(l->p->arena, &l->p->insts, i);
    return l->p->insts.len - 1;
}

/* Longest runs of elements whose slots grow by a constant step. */
static void
find_runs(struct arena *a, const struct he_layout *l, struct he_port *port)
{
    for (uint32_t e = 0; e < l->n;) {
        struct he_run run = {e, 1, l->slot[e], 1, 1};
        if (e + 1 < l->n && l->slot[e + 1] > l->slot[e])
            run.slot_step = l->slot[e + 1] - l->slot[e];
        while (e + run.count < l->n &&
               l->slot[e + run.count] == run.slot + run.count * run.slot_step)
            run.count++;
        vec_push(a, &port->runs, run);
        e += run.count;
    }
}

static void
lower_input(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    const struct input *in = &l->t->graph->inputs.at[n->port];
    struct he_port port = {.name = n->name, .pixels = in->pixels};

    l->of[index] = add_inst(l, HE_input, n, n->port, NULL, 0);
    port.value = l->of[index];
    port.layout = l->p->insts.at[port.value].layout;
    find_runs(l->p->arena, &n->layout, &port);
    vec_push(l->p->arena, &l->p->inputs, port);
}

/* A node with one of its arguments alone, which brings the bias if it is the first. */
static struct tp_node
part_of(const struct tp_node *n, uint32_t part)
{
    struct tp_node one = *n;

    if (part == NONE)
        return one;
    one.args.at = &n->args.at[part];
    one.args.len = 1;
    one.bias = part ? NULL : n->bias;
    return one;
}

static uint32_t
add_map(struct lowering *l, uint32_t index, uint32_t part, const uint32_t *args, uint32_t n_args)
{
    struct tp_node one = part_of(&l->t->nodes.at[index], part);
    const struct tp_node *n = &one;
    struct he_map m;
    lower_map(l->p->arena, l->t, n, l->p->params.slots, &m);
    m.node = index;
    m.part = part;
    m.name = arena_printf(l->p->arena, "%u_%s", l->p->maps.len, n->name);
    vec_push(l->p->arena, &l->p->maps, m);
    return add_inst(l, HE_linear, n, l->p->maps.len - 1, args, n_args);
}

/* Whether all values have as many ciphertexts. */
static bool
alike(const struct lowering *l, const uint32_t *values, uint32_t n)
{
    for (uint32_t k = 1; k < n; k++)
        if (l->p->insts.at[values[k]].cts != l->p->insts.at[values[0]].cts)
            return false;
    return true;
}

static void
lower_linear(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    struct arena *a = l->p->arena;
    uint32_t *args = ARENA_ARRAY(a, uint32_t, n->args.len + 1);

    for (uint32_t k = 0; k < n->args.len; k++)
        args[k] = l->of[n->args.at[k].value];
    if (n->split.alias) {
        l->of[index] = args[0];
        return;
    }
    if (n->split.plain_sum) {
        uint32_t sum = args[0];
        for (uint32_t k = 1; k < n->args.len; k++)
            sum = add_inst(l, n->args.at[k].m->val[0] > 0 ? HE_add : HE_sub, n, NONE,
                           (const uint32_t[]){sum, args[k]}, 2);
        l->of[index] = sum;
        return;
    }
    if (alike(l, args, n->args.len)) {
        l->of[index] = add_map(l, index, NONE, args, n->args.len);
        return;
    }
    /* A map reads bundles of one size: a map for each argument, and their sum. */
    for (uint32_t k = 0; k < n->args.len; k++) {
        uint32_t part = add_map(l, index, k, &args[k], 1);
        l->of[index] =
            k ? add_inst(l, HE_add, n, NONE, (const uint32_t[]){l->of[index], part}, 2) : part;
    }
}

static void
lower_poly(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    const struct poly *f = n->poly;
    struct arena *a = l->p->arena;
    struct he_poly p = {
        .degree = f->degree, .cts = n->layout.cts, .period = f->rows == 1 ? 1 : n->layout.period};
    int axis;
    uint32_t channels = graph_channels(&n->shape, &axis), inner = 1;

    for (int k = axis + 1; k < n->shape.rank; k++)
        inner *= (uint32_t)n->shape.dim[k];
    p.name = arena_printf(a, "%u_%s", l->p->polys.len, n->name);
    p.coef = ARENA_ARRAY(a, float **, p.cts);
    for (uint32_t c = 0; c < p.cts; c++) {
        p.coef[c] = ARENA_ARRAY(a, float *, p.degree + 1);
        for (uint32_t k = 0; k <= p.degree; k++) {
            p.coef[c][k] = ARENA_ARRAY(a, float, p.period);
            if (f->rows == 1)
                p.coef[c][k][0] = (float)f->coef[k];
        }
    }
    for (uint32_t e = 0; f->rows > 1 && e < n->n; e++) {
        uint32_t row = e / inner % channels, s = n->layout.slot[e], slots = l->p->params.slots;
        for (uint32_t k = 0; k <= p.degree; k++)
            p.coef[s / slots][k][s % slots] = (float)f->coef[row * (p.degree + 1) + k];
    }
    vec_push(a, &l->p->polys, p);
    l->of[index] = add_inst(l, HE_poly, n, l->p->polys.len - 1, &l->of[n->args.at[0].value], 1);
}

static void
lower_mul(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    uint32_t args[2] = {l->of[n->args.at[0].value], l->of[n->args.at[1].value]};
    uint32_t product = add_inst(l, HE_mul, n, NONE, args, 2);
    uint32_t relin = add_inst(l, HE_relin, n, NONE, &product, 1);
    l->of[index] = add_inst(l, HE_rescale, n, NONE, &relin, 1);
}

/* A level-free map leaves a factor to the next one: what it makes is not the node's value. */
static void
keep_bound(struct lowering *l, uint32_t index)
{
    struct he_inst *i = &l->p->insts.at[l->of[index]];
    if (i->op != HE_linear || !l->p->maps.at[i->data].free_of_level)
        i->bound = l->t->nodes.at[index].bound;
}

/* Enough to notice an answer that is spoilt. */
#define MOST_SPARE 64

/* Runs of slots of the first period that hold no element and are 0. */
static void
find_spare(struct he_program *p, struct he_port *port)
{
    const struct he_inst *i = &p->insts.at[port->value];
    const struct he_layout *layout = &p->layouts.at[port->layout];
    uint32_t slots = p->params.slots;
    while (i->op == HE_output || i->op == HE_drop)
        i = &p->insts.at[i->args.at[0]];
    if (i->op != HE_linear)
        return;
    struct arena *scratch = arena_new();
    bool *zero = ARENA_ARRAY(scratch, bool, slots);
    bool *holds = ARENA_ARRAY(scratch, bool, (size_t)layout->cts * layout->period);
    for (uint32_t e = 0; e < layout->n; e++)
        holds[layout->slot[e]] = true;
    for (uint32_t c = 0; c < layout->cts; c++) {
        he_map_zeros(&p->maps.at[i->data], c, slots, zero);
        for (uint32_t t = 0; t < layout->period; t++) {
            uint32_t slot = c * layout->period + t, n = port->spare.len;
            struct he_run *last = n ? &port->spare.at[n - 1] : NULL;
            if (holds[slot] || !zero[t] || n > MOST_SPARE)
                continue;
            if (last && last->slot + last->count == slot)
                last->count++;
            else
                vec_push(p->arena, &port->spare, (struct he_run){0, 1, slot, 1, 1});
        }
    }
    arena_free(scratch);
}

static void
lower_output(struct lowering *l, uint32_t k)
{
    uint32_t node = l->t->outputs.at[k];
    const struct tp_node *n = &l->t->nodes.at[node];
    const struct graph *g = l->t->graph;
    struct he_port port = {.name = graph_value(g, g->outputs.at[k])->name};

    port.value = add_inst(l, HE_output, n, k, &l->of[node], 1);
    port.layout = l->p->insts.at[port.value].layout;
    find_runs(l->p->arena, &n->layout, &port);
    vec_push(l->p->arena, &l->p->outputs, port);
}

struct he_program *
lower_plan(struct arena *a, const struct tp *t, uint32_t log_n, struct diag *d)
{
    struct he_program *p = ARENA_NEW(a, struct he_program);
    struct lowering l = {p, t, ARENA_ARRAY(a, uint32_t, t->nodes.len + 1)};

    p->arena = a;
    p->tp = t;
    p->name = t->graph->name;
    memcpy(p->model_hash, t->graph->hash, sizeof p->model_hash);
    p->params.log_n = log_n;
    p->params.slots = (uint32_t)1 << (log_n - 1);
    p->relin_level = NONE;
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        switch (t->nodes.at[k].kind) {
        case TP_INPUT:
            lower_input(&l, k);
            break;
        case TP_LINEAR:
            lower_linear(&l, k);
            break;
        case TP_POLY:
            lower_poly(&l, k);
            break;
        case TP_MUL:
            lower_mul(&l, k);
            break;
        }
        keep_bound(&l, k);
    }
    for (uint32_t k = 0; k < t->outputs.len; k++)
        lower_output(&l, k);
    return he_check(p, HE_LOWERED, d) ? p : NULL;
}

void
lower_weights(struct he_program *p)
{
    for (uint32_t k = 0; k < p->maps.len; k++) {
        struct he_map *m = &p->maps.at[k];
        struct tp_node n = part_of(&p->tp->nodes.at[m->node], m->part);
        lower_map_weights(p->arena, p->tp, &n, p->params.slots, m);
    }
    for (uint32_t k = 0; k < p->outputs.len; k++)
        find_spare(p, &p->outputs.at[k]);
}

struct he_program *
lower(struct arena *a, const struct tp *t, uint32_t log_n, struct diag *d)
{
    struct he_program *p = lower_plan(a, t, log_n, d);
    if (p)
        lower_weights(p);
    return p;
}
