/* backward.c - see backward.h. */
#include "choose/backward.h"

#include "ir/matrix.h"

#include <math.h>

static int64_t
size_of(const struct backward *w, uint32_t value)
{
    return shape_size(&graph_value(w->g, value)->shape);
}

double *
backward_gradient(struct backward *w, uint32_t value)
{
    struct gradient *g = &w->grad[value];

    if (!g->arena) {
        g->arena = arena_new();
        g->data =
            ARENA_ARRAY(g->arena, double, (size_t)w->blocks *LANES *(size_t)size_of(w, value));
    }
    return g->data;
}

void
backward_release(struct backward *w, uint32_t value)
{
    arena_free(w->grad[value].arena);
    w->grad[value] = (struct gradient){0};
}

/* The lanes of a block that hold an image. */
static uint32_t
lanes(const struct backward *w, uint32_t block)
{
    return w->n - block * LANES < LANES ? w->n - block * LANES : LANES;
}

static struct place
at(const struct backward *w, const struct node *n)
{
    return (struct place){.file = w->g->file, .node = n->name};
}

static bool
refused(const struct backward *w, const struct node *n)
{
    diag_error(w->d, E_CHOOSE_FORM, at(w, n),
               "%s of encrypted tensors: degrees cannot be chosen layer by layer through it",
               op_row(n->op)->onnx);
    diag_hint(w->d, "leave out --max-drop and --max-latency: one degree everywhere, or --set for "
                    "single activations");
    return false;
}

/* ---- linear
 * ---------------------------------------------------------------------------------------------- */

struct entries {
    struct matrix_builder *of; /* [node input], begun where wanted */
};

static void
on_entry(void *user, uint32_t in, uint32_t o, uint32_t i, double weight)
{
    struct entries *e = user;

    if (e->of[in].arena && weight != 0)
        matrix_entry(&e->of[in], o, i, weight);
}

static void
on_bias(void *user, uint32_t o, double value)
{
    (void)user;
    (void)o;
    (void)value;
}

/* to += transpose(m) * from, LANES images at a time. */
static void
transpose_apply(const struct matrix *m, const double *from, double *to)
{
    for (uint32_t r = 0; r < m->rows; r++) {
        double g[LANES], any = 0;
        for (int l = 0; l < LANES; l++) {
            g[l] = from[(size_t)r * LANES + (size_t)l];
            any += fabs(g[l]);
        }
        if (any == 0)
            continue;
        for (uint32_t k = m->start[r]; k < m->start[r + 1]; k++) {
            double *t = to + (size_t)m->col[k] * LANES, v = (double)m->val[k];
            for (int l = 0; l < LANES; l++)
                t[l] += v * g[l];
        }
    }
}

static void
apply_all(struct backward *w, const struct matrix *m, uint32_t from, uint32_t to)
{
    const double *y = backward_gradient(w, from);
    double *x = backward_gradient(w, to);

#pragma omp parallel for schedule(dynamic)
    for (uint32_t b = 0; b < w->blocks; b++)
        transpose_apply(m, y + (size_t)b * LANES * m->rows, x + (size_t)b * LANES * m->cols);
}

static bool
linear(struct backward *w, uint32_t index, uint32_t output)
{
    const struct node *n = &w->g->nodes.at[index];
    uint32_t y = n->out.at[output];
    struct arena *a = arena_new();
    struct entries e = {ARENA_ARRAY(a, struct matrix_builder, n->in.len + 1)};

    for (uint32_t k = 0; k < n->in.len; k++)
        if (n->in.at[k] != NONE && w->wanted[n->in.at[k]])
            matrix_begin(&e.of[k], a, (uint32_t)size_of(w, y), (uint32_t)size_of(w, n->in.at[k]));
    bool ok = op_linear(w->g, index, output, &(struct linear_sink){&e, on_entry, on_bias}, w->d);
    for (uint32_t k = 0; k < n->in.len; k++) {
        if (!e.of[k].arena)
            continue;
        const struct matrix *m = matrix_end(&e.of[k]);
        if (!m && ok) {
            diag_error(w->d, E_MATRIX_SIZE, at(w, n),
                       "as a matrix this operator has more than 2^25 weights");
            ok = false;
        }
        if (ok)
            apply_all(w, m, y, n->in.at[k]);
    }
    arena_free(a);
    return ok;
}

/* ---- activations
 * ---------------------------------------------------------------------------------------- */

static void
nonlinear(struct backward *w, const struct node *n)
{
    uint32_t x = n->in.at[0];
    const struct shape *s = &graph_value(w->g, x)->shape;
    const struct op *op = op_row(n->op)->op;
    const struct op_ctx ctx = {w->g, n, NULL, NULL};
    const double *gy = backward_gradient(w, n->out.at[0]);
    double *gx = backward_gradient(w, x);
    int64_t size = shape_size(s), inner = 1;
    int axis;
    uint32_t channels = graph_channels(s, &axis);

    for (int k = axis + 1; k < s->rank; k++)
        inner *= s->dim[k];
#pragma omp parallel for schedule(static)
    for (uint32_t b = 0; b < w->blocks; b++)
        for (uint32_t l = 0; l < lanes(w, b); l++) {
            const float *in = w->kept[w->place[x]] + (int64_t)(b * LANES + l) * size;
            for (int64_t e = 0; e < size; e++) {
                int64_t to = (b * size + e) * LANES + l;
                if (gy[to] != 0)
                    gx[to] += gy[to] *
                              op->derivative(&ctx, (uint32_t)(e / inner % channels), (double)in[e]);
            }
        }
}

/* ---- two tensors, element by element
 * ---------------------------------------------------------------------- */

/* Element of an operand at element e of the result. */
static int64_t
operand_at(const struct shape *out, const int64_t *stride, int64_t e)
{
    int64_t i = 0;

    for (int k = out->rank - 1; k >= 0; k--) {
        i += e % out->dim[k] * stride[k];
        e /= out->dim[k];
    }
    return i;
}

/* One operand's value at an image, constant or kept. */
static double
value_at(const struct backward *w, uint32_t value, uint32_t image, int64_t i)
{
    const struct value *v = graph_value(w->g, value);

    if (v->kind == VALUE_CONST)
        return v->data.f ? (double)v->data.f[i] : (double)v->data.i[i];
    return (double)w->kept[w->place[value]][(int64_t)image * shape_size(&v->shape) + i];
}

/* What the gradient is multiplied by on its way to operand `side`. */
static double
slope(const struct backward *w, const struct node *n, uint32_t side, uint32_t image,
      const int64_t i[2])
{
    if (n->op == OP_add || n->op == OP_sub)
        return n->op == OP_sub && side ? -1 : 1;
    double other = value_at(w, n->in.at[1 - side], image, i[1 - side]);
    if (n->op == OP_mul)
        return other;
    return other == 0 ? 0 : other * pow(value_at(w, n->in.at[0], image, i[0]), other - 1);
}

static void
eltwise(struct backward *w, const struct node *n, uint32_t side)
{
    const struct shape *out = &graph_value(w->g, n->out.at[0])->shape;
    uint32_t x = n->in.at[side];
    int64_t size = shape_size(out), size_x = size_of(w, x), stride[2][MAX_RANK];
    const double *gy = backward_gradient(w, n->out.at[0]);
    double *gx = backward_gradient(w, x);

    for (int k = 0; k < 2; k++)
        shape_strides(&graph_value(w->g, n->in.at[k])->shape, out, stride[k]);
#pragma omp parallel for schedule(static)
    for (uint32_t b = 0; b < w->blocks; b++)
        for (int64_t e = 0; e < size; e++) {
            int64_t i[2] = {operand_at(out, stride[0], e), operand_at(out, stride[1], e)};
            for (uint32_t l = 0; l < lanes(w, b); l++) {
                double g = gy[(b * size + e) * LANES + l];
                if (g != 0)
                    gx[(b * size_x + i[side]) * LANES + l] +=
                        g * slope(w, n, side, b * LANES + l, i);
            }
        }
}

/* ---- two matrices ------------------------------------------------------------------ */

bool
backward_two_matrices(const struct graph *g, const struct node *n)
{
    return n->op == OP_matmul && op_encrypted(g, n->in.at[0]) && op_encrypted(g, n->in.at[1]) &&
           graph_value(g, n->in.at[0])->shape.rank > 1 &&
           graph_value(g, n->in.at[1])->shape.rank > 1;
}

/* Leading dimensions of a tensor of matrices, one row a matrix. */
static struct shape
leading(const struct shape *s)
{
    struct shape lead = *s;

    lead.rank -= 2;
    return lead;
}

/* y[i][j] = sum a[i][k] b[k][j]: to a goes what is at y times b, and the other way round. */
static void
matrices(struct backward *w, const struct node *n, uint32_t side)
{
    const struct shape *out = &graph_value(w->g, n->out.at[0])->shape;
    const struct shape *in[2] = {&graph_value(w->g, n->in.at[0])->shape,
                                 &graph_value(w->g, n->in.at[1])->shape};
    struct shape lead = leading(out), lead_a = leading(in[0]), lead_b = leading(in[1]);
    int64_t rows = out->dim[out->rank - 2], cols = out->dim[out->rank - 1];
    int64_t inner = in[0]->dim[in[0]->rank - 1], size = shape_size(out);
    int64_t size_x = shape_size(in[side]), stride[2][MAX_RANK];
    const double *gy = backward_gradient(w, n->out.at[0]);
    double *gx = backward_gradient(w, n->in.at[side]);

    shape_strides(&lead_a, &lead, stride[0]);
    shape_strides(&lead_b, &lead, stride[1]);
#pragma omp parallel for schedule(static)
    for (uint32_t block = 0; block < w->blocks; block++)
        for (int64_t e = 0; e < size; e++) {
            int64_t i = e / cols % rows, j = e % cols, m = e / (rows * cols);
            int64_t a = (operand_at(&lead, stride[0], m) * rows + i) * inner;
            int64_t b = operand_at(&lead, stride[1], m) * inner * cols + j;
            for (int64_t k = 0; k < inner; k++)
                for (uint32_t l = 0; l < lanes(w, block); l++) {
                    int64_t at[2] = {a + k, b + k * cols};
                    gx[(block * size_x + at[side]) * LANES + l] +=
                        gy[(block * size + e) * LANES + l] *
                        value_at(w, n->in.at[1 - side], block * LANES + l, at[1 - side]);
                }
        }
}

bool
backward_node(struct backward *w, uint32_t index)
{
    const struct node *n = &w->g->nodes.at[index];
    const struct op_row *row = op_row(n->op);
    uint32_t encrypted = 0;
    bool any = false, wanted = false, ok = true;

    for (uint32_t k = 0; k < n->in.len; k++) {
        encrypted += n->in.at[k] != NONE && op_encrypted(w->g, n->in.at[k]);
        wanted = wanted || (n->in.at[k] != NONE && w->wanted[n->in.at[k]]);
    }
    for (uint32_t k = 0; k < n->out.len; k++)
        any = any || (n->out.at[k] != NONE && w->grad[n->out.at[k]].data);
    if (!any || !wanted)
        return true;
    if (row->class == NONLIN) {
        nonlinear(w, n);
        return true;
    }
    bool power = n->op == OP_pow && encrypted == 1 && op_encrypted(w->g, n->in.at[0]);
    if (power || (row->class == ELTWISE && encrypted == 2 && n->op != OP_div && n->op != OP_pow)) {
        for (uint32_t side = 0; side < 2; side++)
            if (w->wanted[n->in.at[side]])
                eltwise(w, n, side);
        return true;
    }
    if (backward_two_matrices(w->g, n)) {
        for (uint32_t side = 0; side < 2; side++)
            if (w->wanted[n->in.at[side]])
                matrices(w, n, side);
        return true;
    }
    bool two = (row->class == ELTWISE || row->class == PRODUCT) && encrypted == 2;
    if (row->class == COMPOSITE || row->class == PLAIN || two)
        return refused(w, n);
    for (uint32_t k = 0; k < n->out.len; k++)
        if (n->out.at[k] != NONE && w->grad[n->out.at[k]].data)
            ok = linear(w, index, k) && ok;
    return ok;
}
