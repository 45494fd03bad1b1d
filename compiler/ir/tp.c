/* tp.c - the tensor program: counting, fusing, measuring, exact evaluation; see tp.h. */
#include "ir/tp.h"

#include "ola/plan.h"

#include <string.h>

void
tp_count_uses(struct tp *t)
{
    for (uint32_t n = 0; n < t->nodes.len; n++)
        t->nodes.at[n].uses = 0;
    for (uint32_t n = 0; n < t->nodes.len; n++)
        for (uint32_t k = 0; k < t->nodes.at[n].args.len; k++)
            t->nodes.at[t->nodes.at[n].args.at[k].value].uses++;
    for (uint32_t k = 0; k < t->outputs.len; k++)
        t->nodes.at[t->outputs.at[k]].uses++;
}

void
tp_tidy(struct tp *t)
{
    uint32_t *place = ARENA_ARRAY(t->arena, uint32_t, t->nodes.len + 1), kept = 0;
    bool *live = ARENA_ARRAY(t->arena, bool, t->nodes.len + 1);

    for (uint32_t k = 0; k < t->outputs.len; k++)
        live[t->outputs.at[k]] = true;
    for (uint32_t n = t->nodes.len; n-- > 0;) {
        live[n] |= t->nodes.at[n].kind == TP_INPUT; /* the client packs what the model declares */
        for (uint32_t k = 0; live[n] && k < t->nodes.at[n].args.len; k++)
            live[t->nodes.at[n].args.at[k].value] = true;
    }
    for (uint32_t n = 0; n < t->nodes.len; n++) {
        if (!live[n])
            continue;
        place[n] = kept;
        for (uint32_t k = 0; k < t->nodes.at[n].args.len; k++)
            t->nodes.at[n].args.at[k].value = place[t->nodes.at[n].args.at[k].value];
        t->nodes.at[kept++] = t->nodes.at[n];
    }
    t->nodes.len = kept;
    for (uint32_t k = 0; k < t->outputs.len; k++)
        t->outputs.at[k] = place[t->outputs.at[k]];
    tp_count_uses(t);
}

bool
tp_fuse(struct tp *t, uint32_t to, uint32_t k)
{
    struct tp_node *n = &t->nodes.at[to];
    struct tp_arg arg = n->args.at[k];
    const struct tp_node *from = &t->nodes.at[arg.value];
    VEC(struct tp_arg) args = {0};
    double *bias = n->bias;

    for (uint32_t i = 0; i < n->args.len; i++)
        if (i != k)
            vec_push(t->arena, &args, n->args.at[i]);
    for (uint32_t i = 0; i < from->args.len; i++) {
        struct matrix *m = matrix_product(t->arena, arg.m, from->args.at[i].m);
        if (!m)
            return false;
        struct tp_arg made = {from->args.at[i].value, m};
        uint32_t same = 0;
        while (same < args.len && args.at[same].value != made.value)
            same++;
        if (same < args.len) { /* the same tensor twice: one matrix */
            made.m = matrix_sum(t->arena, args.at[same].m, made.m);
            if (!made.m)
                return false;
            args.at[same] = made;
        } else {
            vec_push(t->arena, &args, made);
        }
    }
    if (from->bias) {
        bias = ARENA_ARRAY(t->arena, double, n->n);
        if (n->bias)
            memcpy(bias, n->bias, n->n * sizeof *bias);
        matrix_apply(arg.m, from->bias, bias);
    }
    memcpy(&n->args, &args, sizeof args);
    n->bias = bias;
    return true;
}

static uint32_t
levels_of(const struct tp_node *n)
{
    switch (n->kind) {
    case TP_INPUT:
        return 0;
    case TP_LINEAR:
        return n->split.alias || n->split.plain_sum || n->split.free_of_level ? 0 : 1;
    case TP_POLY:
        return ola_plan_poly_depth(n->poly->degree);
    case TP_MUL:
        return 1;
    }
    return 0;
}

/* Levels that no layout can save: of a map only when it has weights of its own and stands behind no
 * other map that it could be merged with. */
static uint32_t
levels_least(const struct tp *t, const struct tp_node *n)
{
    float w;
    if (n->kind != TP_LINEAR)
        return levels_of(n);
    for (uint32_t k = 0; k < n->args.len; k++)
        if (t->nodes.at[n->args.at[k].value].kind == TP_LINEAR ||
            matrix_uniform(n->args.at[k].m, &w))
            return 0;
    return 1;
}

/* Depth of every node; from[n] the argument on its deepest way (NONE for inputs). */
static uint32_t
depths(const struct tp *t, bool least, uint32_t *depth, uint32_t *from)
{
    uint32_t deepest = 0;
    for (uint32_t n = 0; n < t->nodes.len; n++) {
        const struct tp_node *node = &t->nodes.at[n];
        depth[n] = 0;
        from[n] = node->args.len ? node->args.at[0].value : NONE;
        for (uint32_t k = 0; k < node->args.len; k++)
            if (depth[node->args.at[k].value] > depth[from[n]])
                from[n] = node->args.at[k].value;
        if (from[n] != NONE)
            depth[n] = depth[from[n]];
        depth[n] += least ? levels_least(t, node) : levels_of(node);
        deepest = depth[n] > depth[deepest] ? n : deepest;
    }
    return deepest;
}

static uint32_t
measure_depth(const struct tp *t, bool least)
{
    struct arena *scratch = arena_new();
    uint32_t *depth = ARENA_ARRAY(scratch, uint32_t, t->nodes.len + 1);
    uint32_t *from = ARENA_ARRAY(scratch, uint32_t, t->nodes.len + 1);
    uint32_t most = depth[depths(t, least, depth, from)];
    arena_free(scratch);
    return most;
}

uint32_t
tp_depth(const struct tp *t)
{
    return measure_depth(t, false);
}

uint32_t
tp_depth_least(const struct tp *t)
{
    return measure_depth(t, true);
}

const char *
tp_depth_text(struct arena *a, const struct tp *t)
{
    uint32_t *depth = ARENA_ARRAY(a, uint32_t, t->nodes.len + 1);
    uint32_t *from = ARENA_ARRAY(a, uint32_t, t->nodes.len + 1), n = depths(t, false, depth, from);
    const char *text = "";
    for (; n != NONE; n = from[n]) {
        uint32_t levels = levels_of(&t->nodes.at[n]);
        if (levels)
            text =
                arena_printf(a, "%s %u%s%s", t->nodes.at[n].name, levels, *text ? ", " : "", text);
    }
    return text;
}

void
tp_split_offset(const struct tp_split *s, uint32_t modulus, uint32_t d, int32_t *baby,
                uint32_t *giant)
{
    *baby = tp_centred(tp_centred((int32_t)d, s->plane), s->baby);
    *giant = tp_giant(d, *baby, modulus);
}

struct tp *
tp_copy(struct arena *a, const struct tp *t)
{
    struct tp *c = ARENA_NEW(a, struct tp);
    c->arena = a;
    c->graph = t->graph;
    for (uint32_t n = 0; n < t->nodes.len; n++) {
        struct tp_node node = t->nodes.at[n];
        memset(&node.args, 0, sizeof node.args);
        for (uint32_t k = 0; k < t->nodes.at[n].args.len; k++)
            vec_push(a, &node.args, t->nodes.at[n].args.at[k]);
        vec_push(a, &c->nodes, node);
    }
    for (uint32_t k = 0; k < t->outputs.len; k++)
        vec_push(a, &c->outputs, t->outputs.at[k]);
    return c;
}

/* Row of the polynomials at x: what the graph's polynomial subtracts and divides by went into the
 * map before. */
static double
eval_row(const struct poly *p, uint32_t row, double x)
{
    struct poly plain = {.degree = p->degree,
                         .rows = 1,
                         .coef = p->coef + (size_t)row * (p->degree + 1),
                         .center = &(double){0},
                         .radius = &(double){1}};
    return poly_eval(&plain, 0, x);
}

void
tp_eval(const struct tp *t, struct arena *a, const float *const *in, double **values)
{
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        const struct tp_node *n = &t->nodes.at[k];
        double *out = values[k] = ARENA_ARRAY(a, double, (size_t)n->n + 1);
        int axis;
        uint32_t channels = graph_channels(&n->shape, &axis), inner = 1;
        for (int d = axis + 1; d < n->shape.rank; d++)
            inner *= (uint32_t)n->shape.dim[d];
        switch (n->kind) {
        case TP_INPUT:
            for (uint32_t i = 0; i < n->n; i++)
                out[i] = (double)in[n->port][i];
            break;
        case TP_LINEAR:
            if (n->bias)
                memcpy(out, n->bias, n->n * sizeof *out);
            for (uint32_t i = 0; i < n->args.len; i++)
                matrix_apply(n->args.at[i].m, values[n->args.at[i].value], out);
            break;
        case TP_POLY:
            for (uint32_t i = 0; i < n->n; i++)
                out[i] = eval_row(n->poly, n->poly->rows == 1 ? 0 : i / inner % channels,
                                  values[n->args.at[0].value][i]);
            break;
        case TP_MUL:
            for (uint32_t i = 0; i < n->n; i++)
                out[i] = values[n->args.at[0].value][i] * values[n->args.at[1].value][i];
            break;
        }
    }
}

static void
broken(struct diag *d, const struct tp_node *n, const char *rule)
{
    diag_error(d, E_GRAPH, (struct place){.node = n->name},
               "the tensor program is not consistent: %s", rule);
}

bool
tp_check(const struct tp *t, struct diag *d)
{
    uint32_t before = diag_errors(d);
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        const struct tp_node *n = &t->nodes.at[k];
        if (shape_size(&n->shape) != (int64_t)n->n || !n->n)
            broken(d, n, "a shape has another size than its tensor");
        if (n->kind == TP_POLY && (n->args.len != 1 || !n->poly))
            broken(d, n, "a polynomial needs one argument and its coefficients");
        if (n->kind == TP_MUL && n->args.len != 2)
            broken(d, n, "a product needs two arguments");
        for (uint32_t i = 0; i < n->args.len; i++) {
            const struct tp_arg *arg = &n->args.at[i];
            if (arg->value >= k) {
                broken(d, n, "an argument is made later");
                continue;
            }
            uint32_t cols = t->nodes.at[arg->value].n;
            if (n->kind == TP_LINEAR && (!arg->m || arg->m->rows != n->n || arg->m->cols != cols))
                broken(d, n, "a matrix does not fit its tensors");
            if (n->kind != TP_LINEAR && cols != n->n)
                broken(d, n, "an argument has another size");
        }
    }
    for (uint32_t k = 0; k < t->outputs.len; k++)
        if (t->outputs.at[k] >= t->nodes.len)
            broken(d, &t->nodes.at[0], "an output is no node");
    return diag_errors(d) == before;
}

void
tp_print(const struct tp *t, struct str *out)
{
    static const char *const kinds[] = {"input", "linear", "poly", "mul"};
    struct arena *scratch = arena_new();
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        const struct tp_node *n = &t->nodes.at[k];
        str_addf(out, "t%-3u = %-6s %s \"%s\"", k, kinds[n->kind], shape_text(scratch, &n->shape),
                 n->name);
        for (uint32_t i = 0; i < n->args.len; i++) {
            const struct matrix *m = n->args.at[i].m;
            str_addf(out, " t%u", n->args.at[i].value);
            if (m)
                str_addf(out, "[%u]", m->start[m->rows]);
        }
        if (n->kind == TP_POLY)
            str_addf(out, " degree %u, %u rows", n->poly->degree, n->poly->rows);
        if (n->split.alias)
            str_add(out, " alias");
        if (n->split.plain_sum)
            str_add(out, " plain sum");
        if (n->split.free_of_level)
            str_addf(out, " sum of equal weights %g", (double)n->split.weight);
        if (n->layout.slot)
            str_addf(out, " -> %u x %u slots", n->layout.cts, n->layout.period);
        str_add(out, "\n");
    }
    for (uint32_t k = 0; k < t->outputs.len; k++)
        str_addf(out, "output t%u\n", t->outputs.at[k]);
    arena_free(scratch);
}
