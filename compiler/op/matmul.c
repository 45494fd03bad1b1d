/* matmul.c - MatMul: products of matrices over the last two dimensions, the leading ones broadcast;
 * a vector counts as a row on the left, as a column on the right. Affine when one factor is
 * constant. */
#include "op/broadcast.h"
#include "op/op.h"

#include <cblas.h>

struct product {
    int64_t m, n, k;
    struct shape lead_a, lead_b, lead; /* leading dimensions, each and broadcast */
};

/* Leading dimensions of a factor, and its two matrix dimensions. */
static struct shape
split(const struct shape *s, bool left, int64_t *rows, int64_t *cols)
{
    struct shape lead = *s;

    if (s->rank == 1) {
        *rows = left ? 1 : s->dim[0];
        *cols = left ? s->dim[0] : 1;
        lead.rank = 0;
        return lead;
    }
    *rows = s->dim[s->rank - 2];
    *cols = s->dim[s->rank - 1];
    lead.rank -= 2;
    return lead;
}

static bool
read(const struct op_ctx *c, struct product *p)
{
    int64_t inner;

    p->lead_a = split(&op_in(c, 0)->shape, true, &p->m, &p->k);
    p->lead_b = split(&op_in(c, 1)->shape, false, &inner, &p->n);
    return inner == p->k && shape_broadcast(&p->lead_a, &p->lead_b, &p->lead);
}

static bool
infer(struct op_ctx *c)
{
    const struct value *a = op_in(c, 0), *b = op_in(c, 1);
    struct product p;

    if (a->dtype != b->dtype || a->dtype == DT_BOOL)
        return op_error(c, E_DTYPE, "its factors are %s and %s", dtype_name(a->dtype),
                        dtype_name(b->dtype));
    if (a->shape.rank == 0 || b->shape.rank == 0)
        return op_error(c, E_SHAPE, "a factor is a scalar");
    if (!read(c, &p))
        return op_error(c, E_SHAPE,
                        "%s and %s cannot be multiplied: inner sizes or leading dimensions "
                        "differ",
                        shape_text(c->arena, &a->shape), shape_text(c->arena, &b->shape));
    double lead = 1;
    for (int k = 0; k < p.lead.rank; k++)
        lead *= (double)p.lead.dim[k];
    if (!op_work(c, lead * (double)p.m * (double)p.n * (double)p.k))
        return false;
    struct shape out = p.lead;
    if (a->shape.rank > 1)
        out.dim[out.rank++] = p.m;
    if (b->shape.rank > 1)
        out.dim[out.rank++] = p.n;
    op_set(c, 0, a->dtype, out);
    return true;
}

static void
multiply(const struct product *p, const struct tensor *a, int64_t at_a, const struct tensor *b,
         int64_t at_b, struct tensor *y, int64_t at)
{
    if (y->f) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)p->m, (int)p->n, (int)p->k, 1,
                    a->f + at_a, (int)p->k, b->f + at_b, (int)p->n, 0, y->f + at, (int)p->n);
        return;
    }
    for (int64_t o = 0; o < p->m * p->n; o++) {
        uint64_t sum = 0;
        for (int64_t k = 0; k < p->k; k++)
            sum += (uint64_t)a->i[at_a + o / p->n * p->k + k] *
                   (uint64_t)b->i[at_b + k * p->n + o % p->n];
        y->i[at + o] = op_wrap(y->dtype, (int64_t)sum);
    }
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct product p;
    struct walk w;

    read(c, &p);
    const struct shape *leads[2] = {&p.lead_a, &p.lead_b};
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    if (p.m == 0 || p.n == 0 || p.k == 0)
        return true;
    for (bool more = walk_start(&w, &p.lead, leads, 2); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++)
            multiply(&p, in[0], (w.at[0] + j * w.step[0]) * p.m * p.k, in[1],
                     (w.at[1] + j * w.step[1]) * p.k * p.n, &out[0], (w.row + j) * p.m * p.n);
    return true;
}

/* The rows of one product of matrices that start at at_a, at_b and at. */
static void
linear_matrix(const struct product *p, const struct linear_sink *sink, const struct tensor *a,
              int64_t at_a, const struct tensor *b, int64_t at_b, int64_t at)
{
    for (int64_t o = 0; o < p->m * p->n; o++)
        for (int64_t k = 0; k < p->k; k++) {
            int64_t ia = at_a + o / p->n * p->k + k, ib = at_b + k * p->n + o % p->n;
            double v = a ? (a->f ? (double)a->f[ia] : (double)a->i[ia])
                         : (b->f ? (double)b->f[ib] : (double)b->i[ib]);
            sink->entry(sink->user, a ? 1 : 0, (uint32_t)(at + o), (uint32_t)(a ? ib : ia), v);
        }
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct tensor *a = op_const(c, 0), *b = op_const(c, 1);
    struct product p;
    struct walk w;

    (void)output;
    if (!a && !b)
        return op_error(c, E_NOT_LINEAR, "both factors are encrypted");
    read(c, &p);
    const struct shape *leads[2] = {&p.lead_a, &p.lead_b};
    for (bool more = walk_start(&w, &p.lead, leads, 2); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++)
            linear_matrix(&p, sink, a, (w.at[0] + j * w.step[0]) * p.m * p.k, b,
                          (w.at[1] + j * w.step[1]) * p.k * p.n, (w.row + j) * p.m * p.n);
    return true;
}

const struct op op_matmul = {.infer = infer, .eval = eval, .linear = linear};
