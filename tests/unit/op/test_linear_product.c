/* test_linear_product.c - Gemm and MatMul against sums written from the definition, and their
 * matrices. */
#include "op_support.h"

#include <criterion/criterion.h>

/* Shapes that broadcast to m x n, by number. */
static struct shape
bias_shape(int kind, int64_t m, int64_t n)
{
    switch (kind) {
    case 1:
        return SHAPE(n);
    case 2:
        return SHAPE(m, 1);
    case 3:
        return SHAPE(1, n);
    case 4:
        return SHAPE(m, n);
    case 5:
        return SHAPE(1);
    default:
        return SCALAR;
    }
}

static void
try_gemm(bool ta, bool tb, int bias, bool left, float alpha, float beta)
{
    enum { M = 3, K = 4, N = 5 };
    struct bench *b = bench_new(13);
    struct shape sa = ta ? SHAPE(K, M) : SHAPE(M, K), sb = tb ? SHAPE(N, K) : SHAPE(K, N);
    uint32_t x = bench_input(b, left ? sa : sb), w = bench_weights(b, left ? sb : sa);
    struct shape sc = bias_shape(bias, M, N);
    uint32_t c = bias ? bench_weights(b, sc) : NONE;
    bench_node(b, OP_gemm, bias ? 3 : 2, (uint32_t[]){left ? x : w, left ? w : x, c});
    bench_attr_int(b, "transA", ta);
    bench_attr_int(b, "transB", tb);
    bench_attr_float(b, "alpha", alpha);
    bench_attr_float(b, "beta", beta);
    bench_run(b);
    const float *fx = b->in[0].f, *fw = graph_value(b->g, w)->data.f;
    const float *fa = left ? fx : fw, *fb = left ? fw : fx;
    double want[M * N];
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            double sum = 0;
            for (int k = 0; k < K; k++)
                sum += (double)(ta ? fa[k * M + m] : fa[m * K + k]) *
                       (double)(tb ? fb[n * K + k] : fb[k * N + n]);
            want[m * N + n] = (double)alpha * sum;
            if (!bias)
                continue;
            int row = sc.rank == 2 && sc.dim[0] == M ? m : 0;
            int col = sc.rank && sc.dim[sc.rank - 1] == N ? n : 0;
            int width = sc.rank ? (int)sc.dim[sc.rank - 1] : 1;
            want[m * N + n] +=
                (double)beta * (double)graph_value(b->g, c)->data.f[row * width + col];
        }
    bench_expect(b, SHAPE(M, N), want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_product, gemm_every_form)
{
    for (int form = 0; form < 8; form++)
        for (int bias = 0; bias <= 6; bias++) {
            try_gemm(form & 1, form & 2, bias, form & 4, 1, 1);
            try_gemm(form & 1, form & 2, bias, form & 4, 0.5f, -2);
        }
}

Test(linear_product, gemm_refused)
{
    for (int tb = 0; tb < 2; tb++) { /* inner sizes 4 and 5 */
        struct bench *b = bench_new(13);
        NODE(b, OP_gemm, bench_input(b, SHAPE(2, 4)),
             bench_weights(b, tb ? SHAPE(3, 5) : SHAPE(5, 3)));
        bench_attr_int(b, "transB", tb);
        bench_refuse(b, E_SHAPE);
        bench_free(b);
    }
    struct bench *b = bench_new(13);
    NODE(b, OP_gemm, bench_input(b, SHAPE(2, 4)), bench_weights(b, SHAPE(4, 3)),
         bench_weights(b, SHAPE(2)));
    bench_refuse(b, E_SHAPE); /* a bias that is as long as the batch */
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_gemm, bench_input(b, SHAPE(1, 2, 4)), bench_weights(b, SHAPE(4, 3)));
    bench_refuse(b, E_SHAPE);
    bench_free(b);
}

/* Element o of the broadcast of leading dimensions `lead` (of the product) for a factor with those
 * of s. */
static int64_t
lead_index(const struct shape *lead, const struct shape *s, int64_t o)
{
    int64_t index = 0, step = 1;
    for (int k = lead->rank - 1, f = s->rank - 3; k >= 0; k--, f--) {
        int64_t at = o % lead->dim[k];
        o /= lead->dim[k];
        if (f < 0)
            continue;
        index += s->dim[f] == 1 ? 0 : at * step;
        step *= s->dim[f];
    }
    return index;
}

static void
try_matmul(struct shape sa, struct shape sb, struct shape lead, bool left)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, left ? sa : sb), w = bench_weights(b, left ? sb : sa);
    NODE(b, OP_matmul, left ? x : w, left ? w : x);
    bench_run(b);
    const float *fx = b->in[0].f, *fw = graph_value(b->g, w)->data.f;
    const float *fa = left ? fx : fw, *fb = left ? fw : fx;
    int64_t m = sa.dim[sa.rank - 2], k = sa.dim[sa.rank - 1], n = sb.dim[sb.rank - 1];
    struct shape out = lead;
    out.dim[out.rank++] = m;
    out.dim[out.rank++] = n;
    double *want = ARENA_ARRAY(b->a, double, (size_t)shape_size(&out));
    for (int64_t o = 0; o < shape_size(&out); o++) {
        int64_t batch = o / (m * n), row = o / n % m, col = o % n;
        const float *pa = fa + lead_index(&lead, &sa, batch) * m * k + row * k;
        const float *pb = fb + lead_index(&lead, &sb, batch) * k * n + col;
        for (int64_t i = 0; i < k; i++)
            want[o] += (double)pa[i] * (double)pb[i * n];
    }
    bench_expect(b, out, want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_product, matmul_broadcast)
{
    for (int left = 0; left < 2; left++) {
        try_matmul(SHAPE(3, 4), SHAPE(4, 5), SCALAR, left);
        try_matmul(SHAPE(2, 3, 4), SHAPE(4, 5), SHAPE(2), left);
        try_matmul(SHAPE(3, 4), SHAPE(2, 4, 5), SHAPE(2), left);
        try_matmul(SHAPE(2, 1, 3, 4), SHAPE(6, 4, 5), SHAPE(2, 6), left);
        try_matmul(SHAPE(2, 6, 3, 4), SHAPE(1, 6, 4, 5), SHAPE(2, 6), left);
    }
}

Test(linear_product, matmul_of_vectors)
{
    struct bench *b = bench_new(13);
    uint32_t w = bench_weights(b, SHAPE(4, 2));
    NODE(b, OP_matmul, bench_input(b, SHAPE(4)), w);
    bench_run(b);
    const float *x = b->in[0].f, *f = graph_value(b->g, w)->data.f;
    double want[2] = {0};
    for (int k = 0; k < 8; k++)
        want[k % 2] += (double)x[k / 2] * (double)f[k];
    bench_expect(b, SHAPE(2), want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_matmul, bench_input(b, SHAPE(4)), bench_weights(b, SHAPE(4)));
    bench_run(b);
    cr_expect_eq(b->out[0].shape.rank, 0);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_product, matmul_refused)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_matmul, bench_input(b, SHAPE(2, 4)), bench_weights(b, SHAPE(5, 3)));
    bench_refuse(b, E_SHAPE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_matmul, bench_input(b, SHAPE(2, 3, 4)), bench_weights(b, SHAPE(3, 4, 3)));
    bench_refuse(b, E_SHAPE);
    bench_free(b);
}

Test(linear_product, two_encrypted_factors_have_no_matrix)
{
    static const enum op_id ops[] = {OP_matmul, OP_gemm, OP_mul};
    for (size_t k = 0; k < 3; k++) {
        struct bench *b = bench_new(13);
        struct linear_sink none = {0};
        NODE(b, ops[k], bench_input(b, SHAPE(3, 3)), bench_input(b, SHAPE(3, 3)));
        bench_run(b);
        cr_expect(!op_linear(b->g, 0, 0, &none, b->d));
        cr_expect_eq(diag_at(b->d, 0)->code, E_NOT_LINEAR);
        bench_free(b);
    }
}
