/* gemm.c - Gemm: alpha A' B' + beta C, A' and B' transposed on request, C broadcast. */
#include "op/op.h"

#include <cblas.h>

struct gemm {
    bool ta, tb;
    double alpha, beta;
    int64_t m, n, k; /* A' is m x k, B' k x n */
    int64_t c_stride[MAX_RANK];
};

static void
read(const struct op_ctx *c, struct gemm *g)
{
    const struct shape *a = &op_in(c, 0)->shape, *b = &op_in(c, 1)->shape;

    g->ta = op_int(c, "transA", 0) != 0;
    g->tb = op_int(c, "transB", 0) != 0;
    g->alpha = op_float(c, "alpha", 1);
    g->beta = op_float(c, "beta", 1);
    g->m = a->dim[g->ta ? 1 : 0];
    g->k = a->dim[g->ta ? 0 : 1];
    g->n = b->dim[g->tb ? 0 : 1];
    if (op_in(c, 2))
        shape_strides(&op_in(c, 2)->shape, &(struct shape){2, {g->m, g->n}}, g->c_stride);
}

static bool
infer(struct op_ctx *c)
{
    const struct shape *a = &op_in(c, 0)->shape, *b = &op_in(c, 1)->shape;
    const struct value *bias = op_in(c, 2);
    struct gemm g;

    for (uint32_t k = 0; k < 3; k++)
        if (!op_need_float(c, k))
            return false;
    if (a->rank != 2 || b->rank != 2)
        return op_error(c, E_SHAPE, "its factors are %s and %s, not matrices",
                        shape_text(c->arena, a), shape_text(c->arena, b));
    read(c, &g);
    if (b->dim[g.tb ? 1 : 0] != g.k)
        return op_error(c, E_SHAPE, "the inner sizes differ: %s%s by %s%s", shape_text(c->arena, a),
                        g.ta ? " transposed" : "", shape_text(c->arena, b),
                        g.tb ? " transposed" : "");
    if (!op_work(c, (double)g.m * (double)g.n * (double)g.k))
        return false;
    struct shape out = {2, {g.m, g.n}}, fit;
    if (bias && (!shape_broadcast(&bias->shape, &out, &fit) || !shape_equal(&fit, &out)))
        return op_error(c, E_SHAPE, "its bias is %s and cannot be broadcast to %s",
                        shape_text(c->arena, &bias->shape), shape_text(c->arena, &out));
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct gemm g;

    read(c, &g);
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    if (!out[0].f)
        return true;
    for (int64_t o = 0; in[2]->f && o < g.m * g.n; o++)
        out[0].f[o] = (float)g.beta * in[2]->f[o / g.n * g.c_stride[0] + o % g.n * g.c_stride[1]];
    if (g.k)
        cblas_sgemm(CblasRowMajor, g.ta ? CblasTrans : CblasNoTrans,
                    g.tb ? CblasTrans : CblasNoTrans, (int)g.m, (int)g.n, (int)g.k, (float)g.alpha,
                    in[0]->f, (int)(g.ta ? g.m : g.k), in[1]->f, (int)(g.tb ? g.k : g.n), 1,
                    out[0].f, (int)g.n);
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct tensor *a = op_const(c, 0), *b = op_const(c, 1), *bias = op_const(c, 2);
    struct gemm g;

    (void)output;
    if (!a && !b)
        return op_error(c, E_NOT_LINEAR, "both factors are encrypted");
    read(c, &g);
    for (int64_t o = 0; o < g.m * g.n; o++) {
        int64_t row = o / g.n, col = o % g.n, at = row * g.c_stride[0] + col * g.c_stride[1];
        double sum = bias && bias->f ? g.beta * (double)bias->f[at] : 0;
        for (int64_t k = 0; k < g.k; k++) {
            int64_t ia = g.ta ? k * g.m + row : row * g.k + k;
            int64_t ib = g.tb ? col * g.k + k : k * g.n + col;
            if (a && b)
                sum += g.alpha * (double)a->f[ia] * (double)b->f[ib];
            else if (b)
                sink->entry(sink->user, 0, (uint32_t)o, (uint32_t)ia, g.alpha * (double)b->f[ib]);
            else if (a)
                sink->entry(sink->user, 1, (uint32_t)o, (uint32_t)ib, g.alpha * (double)a->f[ia]);
        }
        if (op_in(c, 2) && !bias)
            sink->entry(sink->user, 2, (uint32_t)o, (uint32_t)at, g.beta);
        if (sum != 0)
            sink->bias(sink->user, (uint32_t)o, sum);
    }
    return true;
}

const struct op op_gemm = {
    .attrs = "alpha beta transA transB", .infer = infer, .eval = eval, .linear = linear};
