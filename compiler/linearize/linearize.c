/* linearize.c - one graph node after the other becomes a node of the tensor program; then
 * neighbours merge. */
#include "linearize/linearize.h"

#include "ola/plan.h"
#include "op/op.h"

#include <math.h>
#include <string.h>

struct builder {
    struct tp *t;
    struct graph *g;
    struct diag *d;
    uint32_t *of; /* graph value -> tp node, NONE */
};

static struct place
at(const struct builder *b, const struct node *n)
{
    return (struct place){.file = b->g->file, .node = n->name};
}

static uint32_t
add_node(struct builder *b, enum tp_kind kind, const char *name, const struct shape *shape)
{
    struct tp_node n = {
        .kind = kind, .name = name, .shape = *shape, .n = (uint32_t)shape_size(shape)};
    vec_push(b->t->arena, &b->t->nodes, n);
    return b->t->nodes.len - 1;
}

static void
add_arg(struct builder *b, uint32_t node, uint32_t value, struct matrix *m)
{
    vec_push(b->t->arena, &b->t->nodes.at[node].args, (struct tp_arg){value, m});
}

static bool
too_large(struct builder *b, const struct node *n)
{
    diag_error(
        b->d, E_MATRIX_SIZE, at(b, n),
        "as a matrix this operator has more than 2^25 weights; no ring is large enough for it");
    return false;
}

/* ---- one output of a linear operator --------------------------------------------------------- */

struct collect {
    struct builder *b;
    struct matrix_builder *mb; /* one for each node input */
    uint64_t *dense;           /* entries, zeros too */
    double *bias;
    bool any_bias;
};

static void
on_entry(void *user, uint32_t in, uint32_t o, uint32_t i, double weight)
{
    struct collect *c = user;
    c->dense[in]++;
    if (weight != 0)
        matrix_entry(&c->mb[in], o, i, weight);
}

static void
on_bias(void *user, uint32_t o, double value)
{
    struct collect *c = user;
    c->bias[o] += value;
    c->any_bias |= value != 0;
}

static bool
linear_output(struct builder *b, uint32_t index, uint32_t output)
{
    const struct node *n = &b->g->nodes.at[index];
    const struct value *v = graph_value(b->g, n->out.at[output]);
    struct arena *arena = b->t->arena;
    uint32_t rows = (uint32_t)shape_size(&v->shape);
    struct collect c = {b, ARENA_ARRAY(arena, struct matrix_builder, n->in.len),
                        ARENA_ARRAY(arena, uint64_t, n->in.len), ARENA_ARRAY(arena, double, rows),
                        false};

    for (uint32_t k = 0; k < n->in.len; k++)
        if (n->in.at[k] != NONE && op_encrypted(b->g, n->in.at[k]))
            matrix_begin(&c.mb[k], arena, rows, b->t->nodes.at[b->of[n->in.at[k]]].n);
    bool ok = op_linear(b->g, index, output, &(struct linear_sink){&c, on_entry, on_bias}, b->d);
    uint32_t made = add_node(b, TP_LINEAR, n->name, &v->shape);
    for (uint32_t k = 0; k < n->in.len; k++) {
        if (n->in.at[k] == NONE || !op_encrypted(b->g, n->in.at[k]))
            continue;
        struct matrix *m = matrix_end(&c.mb[k]);
        if (!m && ok)
            ok = too_large(b, n);
        if (m)
            m->dense = c.dense[k];
        add_arg(b, made, b->of[n->in.at[k]], m);
    }
    b->t->nodes.at[made].bias = c.any_bias ? c.bias : NULL;
    if (ok)
        b->of[n->out.at[output]] = made;
    return ok;
}

/* ---- two encrypted tensors ------------------------------------------------------------------- */

/* The matrix that repeats a tensor of shape `from` to shape `to` (ONNX broadcasting), times w. */
static struct matrix *
broadcast(struct builder *b, const struct shape *from, const struct shape *to, double w)
{
    struct matrix_builder mb;
    int64_t stride[MAX_RANK];
    uint32_t rows = (uint32_t)shape_size(to);

    shape_strides(from, to, stride);
    matrix_begin(&mb, b->t->arena, rows, (uint32_t)shape_size(from));
    for (uint32_t r = 0; r < rows; r++) {
        int64_t rest = r, i = 0;
        for (int k = to->rank - 1; k >= 0; k--) {
            i += rest % to->dim[k] * stride[k];
            rest /= to->dim[k];
        }
        matrix_entry(&mb, r, (uint32_t)i, w);
    }
    return matrix_end(&mb);
}

/* A linear node that is one matrix times one value. */
static uint32_t
apply(struct builder *b, const char *name, const struct shape *shape, uint32_t value,
      struct matrix *m)
{
    uint32_t made = add_node(b, TP_LINEAR, name, shape);
    add_arg(b, made, value, m);
    return made;
}

/* Levels from the inputs to a node, at most: maps that will be merged count too. */
static uint32_t
depth_of(const struct tp *t, uint32_t node)
{
    struct arena *scratch = arena_new();
    uint32_t *depth = ARENA_ARRAY(scratch, uint32_t, node + 1);

    for (uint32_t k = 0; k <= node; k++) {
        const struct tp_node *n = &t->nodes.at[k];
        for (uint32_t i = 0; i < n->args.len; i++)
            depth[k] =
                depth[n->args.at[i].value] > depth[k] ? depth[n->args.at[i].value] : depth[k];
        depth[k] += n->kind == TP_POLY ? ola_plan_poly_depth(n->poly->degree) : n->kind != TP_INPUT;
    }
    uint32_t found = depth[node];
    arena_free(scratch);
    return found;
}

/* Product of two nodes of equal size. The second factor (a square's only one) goes through a
 * copy of its own, whose scale is free; linearize merges the copy with the map before it where
 * it can. The copy may take a level: it is that of the factor with levels to spare. */
static uint32_t
multiply(struct builder *b, const char *name, const struct shape *shape, uint32_t x, uint32_t y)
{
    if (depth_of(b->t, y) > depth_of(b->t, x)) {
        uint32_t other = x;
        x = y;
        y = other;
    }
    uint32_t n = b->t->nodes.at[y].n;
    uint32_t copy = apply(b, name, shape, y, matrix_diagonal(b->t->arena, n, NULL));
    uint32_t made = add_node(b, TP_MUL, name, shape);
    add_arg(b, made, x == y ? copy : x, NULL);
    add_arg(b, made, copy, NULL);
    return made;
}

static bool
eltwise(struct builder *b, const struct node *n)
{
    const struct value *out = graph_value(b->g, n->out.at[0]);
    uint32_t x[2];
    double sign = n->op == OP_sub ? -1 : 1;

    if (n->op == OP_div || n->op == OP_pow) {
        diag_error(b->d, E_NO_HE_FORM, at(b, n), "%s of two encrypted tensors cannot be computed",
                   op_row(n->op)->onnx);
        diag_hint(b->d, "%s",
                  n->op == OP_div ? "multiply by Reciprocal of the second tensor instead"
                                  : "only constant exponents are possible");
        return false;
    }
    uint32_t sum = NONE;
    if (n->op != OP_mul)
        sum = add_node(b, TP_LINEAR, n->name, &out->shape);
    for (uint32_t k = 0; k < 2; k++) {
        const struct value *in = graph_value(b->g, n->in.at[k]);
        struct matrix *m = broadcast(b, &in->shape, &out->shape, k ? sign : 1);
        x[k] = b->of[n->in.at[k]];
        if (sum != NONE)
            add_arg(b, sum, x[k], m);
        else if (!shape_equal(&in->shape, &out->shape))
            x[k] = apply(b, n->name, &out->shape, x[k], m);
    }
    b->of[n->out.at[0]] = sum != NONE ? sum : multiply(b, n->name, &out->shape, x[0], x[1]);
    return true;
}

/* x to the power of a constant whole number, by squarings. */
static bool
power(struct builder *b, const struct node *n)
{
    const struct value *out = graph_value(b->g, n->out.at[0]);
    const struct tensor *e = &graph_value(b->g, n->in.at[1])->data;
    int64_t size = shape_size(&e->shape);
    double first = size ? (e->f ? (double)e->f[0] : (double)e->i[0]) : 0;
    bool same = size > 0 && first == floor(first) && first >= 1 && first <= 64;

    for (int64_t k = 1; same && k < size; k++)
        same = (e->f ? (double)e->f[k] : (double)e->i[k]) == first;
    if (!same) {
        diag_error(b->d, E_NO_HE_FORM, at(b, n),
                   "an encrypted tensor can only be raised to one whole power from 1 to 64");
        diag_hint(b->d, "for a square root use Sqrt, for 1/x Reciprocal");
        return false;
    }
    uint32_t result = NONE, square = b->of[n->in.at[0]];
    if (!shape_equal(&graph_value(b->g, n->in.at[0])->shape, &out->shape))
        square = apply(b, n->name, &out->shape, square,
                       broadcast(b, &graph_value(b->g, n->in.at[0])->shape, &out->shape, 1));
    for (uint32_t rest = (uint32_t)first;;) {
        if (rest & 1)
            result = result == NONE ? square : multiply(b, n->name, &out->shape, result, square);
        rest >>= 1;
        if (!rest)
            break;
        square = multiply(b, n->name, &out->shape, square, square);
    }
    b->of[n->out.at[0]] = result;
    return true;
}

/* MatMul of two encrypted tensors: both repeated to [..., m, n, k], multiplied, summed over k. */
static bool
matmul(struct builder *b, const struct node *n)
{
    const struct value *va = graph_value(b->g, n->in.at[0]), *vb = graph_value(b->g, n->in.at[1]);
    struct shape sa = va->shape, sb = vb->shape, out = graph_value(b->g, n->out.at[0])->shape;
    if (sa.rank < 2 || sb.rank < 2 || sa.rank == MAX_RANK || sb.rank == MAX_RANK) {
        diag_error(b->d, E_NO_HE_FORM, at(b, n),
                   "MatMul of two encrypted tensors needs ranks from 2 to %d", MAX_RANK - 1);
        return false;
    }
    int64_t inner = sa.dim[sa.rank - 1];
    struct shape wide = out, a1 = sa, b1 = sb;
    wide.dim[wide.rank++] = inner;
    a1.dim[a1.rank - 1] = 1; /* [..., m, 1, k] */
    a1.dim[a1.rank++] = inner;
    if (shape_size(&wide) < 0 || shape_size(&wide) > (int64_t)MATRIX_MAX)
        return too_large(b, n);
    /* b is read transposed: [..., 1, n, k] */
    b1.dim[b1.rank - 2] = 1;
    b1.dim[b1.rank - 1] = sb.dim[sb.rank - 1];
    b1.dim[b1.rank++] = inner;
    struct matrix_builder swap, total;
    uint32_t size = (uint32_t)shape_size(&sb), cols = (uint32_t)sb.dim[sb.rank - 1],
             k = (uint32_t)inner;
    matrix_begin(&swap, b->t->arena, size, size);
    for (uint32_t r = 0; r < size; r++) {
        uint32_t block = r / (cols * k), rest = r % (cols * k);
        matrix_entry(&swap, r, block * cols * k + rest % k * cols + rest / k, 1);
    }
    struct matrix *tb = matrix_product(b->t->arena, broadcast(b, &b1, &wide, 1), matrix_end(&swap));
    uint32_t x = apply(b, n->name, &wide, b->of[n->in.at[0]], broadcast(b, &a1, &wide, 1));
    uint32_t y = apply(b, n->name, &wide, b->of[n->in.at[1]], tb);
    uint32_t p = multiply(b, n->name, &wide, x, y), rows = (uint32_t)shape_size(&out);
    matrix_begin(&total, b->t->arena, rows, rows * k);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t j = 0; j < k; j++)
            matrix_entry(&total, r, r * k + j, 1);
    b->of[n->out.at[0]] = apply(b, n->name, &out, p, matrix_end(&total));
    return true;
}

/* ---- activations ----------------------------------------------------------------------------- */

static void
activation(struct builder *b, const struct node *n)
{
    const struct shape *shape = &graph_value(b->g, n->out.at[0])->shape;
    const struct poly *p = n->poly;
    struct arena *arena = b->t->arena;
    int axis;
    uint32_t size = (uint32_t)shape_size(shape), channels = graph_channels(shape, &axis), inner = 1;
    double *scale = ARENA_ARRAY(arena, double, size), *shift = ARENA_ARRAY(arena, double, size);
    bool as_it_is = true;

    for (int k = axis + 1; k < shape->rank; k++)
        inner *= (uint32_t)shape->dim[k];
    for (uint32_t i = 0; i < size; i++) {
        uint32_t row = p->rows == 1 ? 0 : i / inner % channels;
        double c1 = p->degree == 1 ? p->coef[2 * row + 1] : 1,
               c0 = p->degree == 1 ? p->coef[2 * row] : 0;
        scale[i] = c1 / p->radius[row];
        shift[i] = c0 - c1 * p->center[row] / p->radius[row];
        as_it_is = as_it_is && scale[i] == 1 && shift[i] == 0;
    }
    uint32_t line = b->of[n->in.at[0]];
    /* nothing to bring into [-1, 1]: one polynomial may follow another */
    if (p->degree == 1 || !as_it_is || b->t->nodes.at[line].kind == TP_INPUT) {
        line = apply(b, n->name, shape, line, matrix_diagonal(arena, size, scale));
        b->t->nodes.at[line].bias = shift;
    }
    b->of[n->out.at[0]] = line;
    if (p->degree == 1)
        return;
    uint32_t made = add_node(b, TP_POLY, n->name, shape);
    add_arg(b, made, line, NULL);
    b->t->nodes.at[made].poly = n->poly;
    b->of[n->out.at[0]] = made;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool
node(struct builder *b, uint32_t index)
{
    const struct node *n = &b->g->nodes.at[index];
    const struct op_row *row = op_row(n->op);
    uint32_t encrypted = 0;
    bool ok = true;

    for (uint32_t k = 0; k < n->in.len; k++)
        encrypted += n->in.at[k] != NONE && op_encrypted(b->g, n->in.at[k]);
    if (row->class == NONLIN) {
        activation(b, n);
        return true;
    }
    if (row->class == COMPOSITE || row->class == PLAIN) {
        diag_error(b->d, E_NO_HE_FORM, at(b, n), "%s of an encrypted tensor has no form yet",
                   row->onnx);
        return false;
    }
    if (n->op == OP_pow && encrypted == 1 && op_encrypted(b->g, n->in.at[0]))
        return power(b, n);
    if (row->class == ELTWISE && encrypted == 2)
        return eltwise(b, n);
    if (row->class == PRODUCT && encrypted == 2)
        return matmul(b, n);
    for (uint32_t k = 0; k < n->out.len; k++)
        if (n->out.at[k] != NONE && (graph_uses(b->g, n->out.at[k]) || !k))
            ok = linear_output(b, index, k) && ok;
    return ok;
}

static bool
all_monomial(const struct tp_node *n)
{
    for (uint32_t k = 0; k < n->args.len; k++)
        if (!matrix_monomial(n->args.at[k].m))
            return false;
    return n->args.len == 1;
}

/* Merges maps where one of the two only moves and scales elements: the product has no more weights
 * than the larger factor. A map that others read too is merged only if it is such a one itself. */
static bool
merge(struct tp *t)
{
    bool any = false;
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        struct tp_node *n = &t->nodes.at[k];
        for (uint32_t i = 0; n->kind == TP_LINEAR && i < n->args.len; i++) {
            uint32_t from = n->args.at[i].value;
            const struct tp_node *f = &t->nodes.at[from];
            bool heavy = f->kind == TP_LINEAR && !all_monomial(f);
            if (f->kind != TP_LINEAR ||
                (heavy && (f->uses > 1 || !matrix_monomial(n->args.at[i].m))))
                continue;
            uint64_t before = n->args.at[i].m->start[n->n] +
                              (uint64_t)(f->args.len ? f->args.at[0].m->start[f->n] : 0);
            if (f->args.len && matrix_product_work(n->args.at[i].m, f->args.at[0].m) > 2 * before)
                continue;
            const char *name = heavy ? f->name : n->name;
            if (!tp_fuse(t, k, i))
                continue;
            n->name = name;
            any = true;
            tp_count_uses(t);
            i = UINT32_MAX; /* the arguments are others now: look again */
        }
    }
    return any;
}

/* A polynomial that only its own square reads chooses the scale itself: no copy is needed. */
static void
square_polys(struct tp *t)
{
    tp_count_uses(t);
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        struct tp_node *n = &t->nodes.at[k];
        if (n->kind != TP_MUL || n->args.at[0].value != n->args.at[1].value)
            continue;
        const struct tp_node *copy = &t->nodes.at[n->args.at[0].value];
        uint32_t from = copy->args.at[0].value;
        if (t->nodes.at[from].kind != TP_POLY || t->nodes.at[from].uses != 1)
            continue;
        n->args.at[0].value = n->args.at[1].value = from;
    }
}

struct tp *
linearize(struct arena *a, struct graph *g, struct diag *d)
{
    struct tp *t = ARENA_NEW(a, struct tp);
    struct builder b = {t, g, d, ARENA_ARRAY(a, uint32_t, g->values.len + 1)};
    uint32_t before = diag_errors(d);

    t->arena = a;
    t->graph = g;
    memset(b.of, 0xff, (g->values.len + 1) * sizeof *b.of);
    for (uint32_t k = 0; k < g->inputs.len; k++) {
        const struct value *v = graph_value(g, g->inputs.at[k].value);
        uint32_t made = add_node(&b, TP_INPUT, v->name, &v->shape);
        t->nodes.at[made].port = k;
        b.of[g->inputs.at[k].value] = made;
    }
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        bool ready = true;
        for (uint32_t i = 0; i < g->nodes.at[k].in.len; i++) {
            uint32_t v = g->nodes.at[k].in.at[i];
            ready &= v == NONE || !op_encrypted(g, v) || b.of[v] != NONE;
        }
        if (ready)
            node(&b, k);
    }
    for (uint32_t k = 0; k < g->outputs.len; k++) {
        if (!op_encrypted(g, g->outputs.at[k])) {
            diag_error(d, E_NO_HE_FORM, (struct place){.file = g->file},
                       "output '%s' does not depend on any input",
                       graph_value(g, g->outputs.at[k])->name);
            continue;
        }
        vec_push(a, &t->outputs, b.of[g->outputs.at[k]]);
    }
    if (diag_errors(d) != before)
        return NULL;
    square_polys(t);
    tp_tidy(t);
    while (merge(t))
        tp_tidy(t);
    return tp_check(t, d) ? t : NULL;
}
