/* lower.c - the instructions of a batch: a value is a bundle with a ciphertext for each element.
 *
 * Products are left with three components as long as that is cheaper: a sum of products can be
 * relinearised in place of its summands. Where a product is a square that one map reads, the map
 * reads squares, and the square is no instruction of its own. */
#include "batch/internal.h"

#include "ola/plan.h"

#include <math.h>

#define MOST_CTS 65536 /* ciphertexts of a bundle: the most that a file of weights may name */

/* What a reduction of a ciphertext costs, in terms of a sum (of one component). */
#define REDUCTION_TERMS 600

struct lowering {
    struct he_program *p;
    const struct tp *t;
    uint32_t *of;      /* tp node -> instruction; NONE: a square that its reader makes */
    uint32_t *reduced; /* instruction -> its reduction, 0: none yet */
    uint32_t room;     /* of reduced */
};

static uint32_t
add_inst(struct lowering *l, enum he_op op, const struct tp_node *n, uint32_t data,
         const uint32_t *args, uint32_t n_args)
{
    struct he_inst i = {.op = op, .data = data, .cts = n->n, .node = n->name, .parts = 2};
    i.layout = l->p->layouts.len;
    for (uint32_t k = 0; k < n_args; k++) {
        const struct he_inst *x = &l->p->insts.at[args[k]];
        vec_push(l->p->arena, &i.args, args[k]);
        i.parts = x->parts > i.parts ? x->parts : i.parts;
    }
    struct he_layout layout = {.shape = n->shape,
                               .cts = n->n,
                               .period = 1,
                               .n = n->n,
                               .slot = ARENA_ARRAY(l->p->arena, uint32_t, n->n + 1)};
    for (uint32_t e = 0; e < n->n; e++)
        layout.slot[e] = e;
    vec_push(l->p->arena, &l->p->layouts, layout);
    vec_push(l->p->arena, &l->p->insts, i);
    return l->p->insts.len - 1;
}

/* The node of an instruction's size and name, for what is inserted behind it. */
static struct tp_node
node_like(const struct lowering *l, uint32_t inst)
{
    const struct he_inst *i = &l->p->insts.at[inst];
    const struct he_layout *layout = &l->p->layouts.at[i->layout];
    return (struct tp_node){.name = i->node, .shape = layout->shape, .n = layout->n};
}

/* The value behind a reduction: with two components, and room made in its scale. */
static uint32_t
rescaled(struct lowering *l, uint32_t value)
{
    while (l->room <= value) {
        uint32_t room = l->room ? 2 * l->room : 64;
        uint32_t *more = ARENA_ARRAY(l->p->arena, uint32_t, room);
        for (uint32_t k = 0; k < l->room; k++)
            more[k] = l->reduced[k];
        l->reduced = more;
        l->room = room;
    }
    if (!l->reduced[value]) {
        struct tp_node like = node_like(l, value);
        double bound = l->p->insts.at[value].bound;
        uint32_t made = add_inst(l, HE_reduce, &like, NONE, &value, 1);
        l->p->insts.at[made].parts = 2;
        l->p->insts.at[made].bound = bound;
        l->reduced[value] = made;
    }
    return l->reduced[value];
}

/* The value with two components. */
static uint32_t
reduced(struct lowering *l, uint32_t value)
{
    return l->p->insts.at[value].parts == 2 ? value : rescaled(l, value);
}

static struct he_port
port_of(struct lowering *l, const char *name, uint32_t value)
{
    const struct he_inst *i = &l->p->insts.at[value];
    struct he_port port = {.name = name, .value = value, .layout = i->layout};
    vec_push(l->p->arena, &port.runs, (struct he_run){0, 1, 0, 1, i->cts});
    return port;
}

static void
lower_input(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    const struct pixels *px = &l->t->graph->inputs.at[n->port].pixels;
    double most = px->present ? 0 : 8;
    l->of[index] = add_inst(l, HE_input, n, n->port, NULL, 0);
    for (uint32_t c = 0; px->present && c < px->channels; c++)
        most =
            fmax(most, fmax(fabs(px->mean[c]), fabs(255 / px->divisor - px->mean[c])) / px->std[c]);
    l->p->insts.at[l->of[index]].bound = fmax(1, most);
    struct he_port port = port_of(l, n->name, l->of[index]);
    port.pixels = *px;
    vec_push(l->p->arena, &l->p->inputs, port);
}

/* ---- maps ------------------------------------------------------------------------------------ */

/* Whether ciphertexts are better relinearised before a map than behind it. */
static bool
better_before(const struct matrix *m)
{
    double terms = m->start[m->rows];
    return (double)m->cols * REDUCTION_TERMS + 2 * terms <
           (double)m->rows * REDUCTION_TERMS + 3 * terms;
}

static double
row_bound(const struct he_sparse *s, double x)
{
    const struct matrix *m = s->m;
    double most = 0;
    for (uint32_t r = 0; r < m->rows; r++) {
        double sum = s->bias ? fabs(s->bias[r]) : 0;
        for (uint32_t k = m->start[r]; k < m->start[r + 1]; k++)
            sum += fabs((double)m->val[k]) * x;
        most = fmax(most, sum);
    }
    return most;
}

static double
gain_of(const struct matrix *m)
{
    double most = 0;
    for (uint32_t r = 0; r < m->rows; r++) {
        double sum = 0;
        for (uint32_t k = m->start[r]; k < m->start[r + 1]; k++)
            sum += (double)m->val[k] * (double)m->val[k];
        most = fmax(most, sum);
    }
    return sqrt(most);
}

/* The square that node `value` is, when its reader may make it: the node it squares; else NONE. */
static uint32_t
square_of(const struct lowering *l, uint32_t value, const struct matrix *m)
{
    const struct tp_node *n = &l->t->nodes.at[value];
    bool square = n->kind == TP_MUL && n->args.at[0].value == n->args.at[1].value;
    return square && n->uses == 1 && !better_before(m) ? n->args.at[0].value : NONE;
}

static uint32_t
multiply(struct lowering *l, const struct tp_node *n)
{
    uint32_t args[2];
    for (int k = 0; k < 2; k++)
        args[k] = reduced(l, l->of[n->args.at[k].value]);
    double bound = l->p->insts.at[args[0]].bound * l->p->insts.at[args[1]].bound;
    uint32_t made = add_inst(l, HE_mul, n, NONE, args, 2);
    l->p->insts.at[made].parts = 3;
    l->p->insts.at[made].bound = bound;
    return made;
}

static uint32_t
add_sparse(struct lowering *l, const struct tp_node *n, uint32_t k)
{
    const struct tp_arg *arg = &n->args.at[k];
    const struct tp_node *from = &l->t->nodes.at[arg->value];
    uint32_t base = square_of(l, arg->value, arg->m), value;
    struct he_sparse s = {.cols = from->n, .rows = n->n, .m = arg->m, .bias = k ? NULL : n->bias};

    s.name = arena_printf(l->p->arena, "%u_%s", l->p->sparse.len, n->name);
    s.gain = gain_of(arg->m);
    if (base != NONE) {
        s.squares = from->name;
        value = reduced(l, l->of[base]);
    } else {
        value = l->of[arg->value];
        value = better_before(arg->m) ? reduced(l, value) : value;
    }
    double x = l->p->insts.at[value].bound, bound = row_bound(&s, s.squares ? x * x : x);
    vec_push(l->p->arena, &l->p->sparse, s);
    uint32_t made = add_inst(l, HE_sparse, n, l->p->sparse.len - 1, &value, 1);
    if (s.squares)
        l->p->insts.at[made].parts = 3;
    l->p->insts.at[made].bound = bound;
    return made;
}

static void
lower_linear(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    uint32_t sum = add_sparse(l, n, 0);
    for (uint32_t k = 1; k < n->args.len; k++) {
        uint32_t part = add_sparse(l, n, k);
        double bound = l->p->insts.at[sum].bound + l->p->insts.at[part].bound;
        sum = add_inst(l, HE_add, n, NONE, (const uint32_t[]){sum, part}, 2);
        l->p->insts.at[sum].bound = bound;
    }
    if (n->bound > 0)
        l->p->insts.at[sum].bound = n->bound;
    l->of[index] = sum;
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* A square whose only reader is a map may be left to it. */
static void
lower_mul(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    for (uint32_t k = index + 1; k < l->t->nodes.len; k++) {
        const struct tp_node *to = &l->t->nodes.at[k];
        for (uint32_t i = 0; to->kind == TP_LINEAR && i < to->args.len; i++)
            if (to->args.at[i].value == index && square_of(l, index, to->args.at[i].m) != NONE)
                return;
    }
    l->of[index] = multiply(l, n);
}

static void
lower_poly(struct lowering *l, uint32_t index)
{
    const struct tp_node *n = &l->t->nodes.at[index];
    const struct poly *f = n->poly;
    struct arena *a = l->p->arena;
    struct he_poly p = {.degree = f->degree, .cts = n->n, .period = 1};
    int axis;
    uint32_t channels = graph_channels(&n->shape, &axis), inner = 1;

    for (int k = axis + 1; k < n->shape.rank; k++)
        inner *= (uint32_t)n->shape.dim[k];
    p.name = arena_printf(a, "%u_%s", l->p->polys.len, n->name);
    p.coef = ARENA_ARRAY(a, float **, p.cts);
    double most = 0;
    for (uint32_t e = 0; e < p.cts; e++) {
        uint32_t row = f->rows == 1 ? 0 : e / inner % channels;
        double sum = 0;
        p.coef[e] = ARENA_ARRAY(a, float *, p.degree + 1);
        for (uint32_t k = 0; k <= p.degree; k++) {
            p.coef[e][k] = ARENA_ARRAY(a, float, 1);
            p.coef[e][k][0] = (float)f->coef[row * (p.degree + 1) + k];
            sum += fabs(f->coef[row * (p.degree + 1) + k]);
        }
        most = fmax(most, sum);
    }
    vec_push(a, &l->p->polys, p);
    uint32_t x = rescaled(l, l->of[n->args.at[0].value]);
    l->of[index] = add_inst(l, HE_poly, n, l->p->polys.len - 1, &x, 1);
    l->p->insts.at[l->of[index]].bound = most;
}

static void
lower_output(struct lowering *l, uint32_t k)
{
    uint32_t node = l->t->outputs.at[k];
    const struct graph *g = l->t->graph;
    uint32_t x = reduced(l, l->of[node]);
    uint32_t made = add_inst(l, HE_output, &l->t->nodes.at[node], k, &x, 1);
    struct he_port port = port_of(l, graph_value(g, g->outputs.at[k])->name, made);
    vec_push(l->p->arena, &l->p->outputs, port);
}

/* Maps whose results one map, the next instruction, reads and nothing else: evaluated with it. */
static void
mark_passes(struct he_program *p)
{
    uint32_t *uses = ARENA_ARRAY(p->arena, uint32_t, p->insts.len + 1);
    for (uint32_t k = 0; k < p->insts.len; k++)
        for (uint32_t i = 0; i < p->insts.at[k].args.len; i++)
            uses[p->insts.at[k].args.at[i]]++;
    for (uint32_t k = 0; k + 1 < p->insts.len; k++) {
        const struct he_inst *next = &p->insts.at[k + 1];
        p->insts.at[k].passed = p->insts.at[k].op == HE_sparse && uses[k] == 1 &&
                                next->op == HE_sparse && next->args.at[0] == k;
    }
}

static bool
check_size(const struct tp *t, struct diag *d)
{
    bool ok = true;
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        const struct tp_node *n = &t->nodes.at[k];
        if (n->n <= MOST_CTS)
            continue;
        diag_error(d, E_LAYOUT_SIZE, (struct place){.node = n->name},
                   "the tensor has %u elements; packed for throughput each is a ciphertext, and "
                   "more than %u cannot be handled",
                   n->n, MOST_CTS);
        ok = false;
    }
    return ok;
}

struct he_program *
batch_lower(struct arena *a, const struct tp *t, uint32_t log_n, struct diag *d)
{
    struct he_program *p = ARENA_NEW(a, struct he_program);
    struct lowering l = {.p = p};

    if (!check_size(t, d))
        return NULL;
    l.t = batch_squares(a, batch_cubics(a, t));
    l.of = ARENA_ARRAY(a, uint32_t, l.t->nodes.len + 1);
    memset(l.of, 0xff, (l.t->nodes.len + 1) * sizeof *l.of);
    p->arena = a;
    p->name = t->graph->name;
    memcpy(p->model_hash, t->graph->hash, sizeof p->model_hash);
    p->params.log_n = log_n;
    p->params.slots = (uint32_t)1 << (log_n - 1);
    p->batch = p->params.slots;
    p->relin_level = NONE;
    for (uint32_t k = 0; k < l.t->nodes.len; k++) {
        switch (l.t->nodes.at[k].kind) {
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
    }
    for (uint32_t k = 0; k < l.t->outputs.len; k++)
        lower_output(&l, k);
    mark_passes(p);
    return he_check(p, HE_LOWERED, d) ? p : NULL;
}
