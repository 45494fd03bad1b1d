/* test_linear_move.c - operators that move elements, against index arithmetic written from the
 * definition; mixed with constants; element-wise operators with a constant. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <math.h>

/* Every output element is this input element; -1: the given fill. */
static void
expect_moved(struct bench *b, struct shape shape, const int64_t *from, double fill)
{
    double *want = ARENA_ARRAY(b->a, double, (size_t)shape_size(&shape));
    for (int64_t o = 0; o < shape_size(&shape); o++)
        want[o] = from[o] < 0 ? fill : (double)b->in[0].f[from[o]];
    bench_expect(b, shape, want);
    cr_expect_eq(bench_matrices(b), 1);
}

/* start : end : step of a list of n, as Python writes it, one element at a time. */
static int64_t
python_slice(int64_t n, int64_t start, int64_t end, int64_t step, int64_t *out)
{
    int64_t count = 0;
    start = start < 0 ? start + n : start;
    end = end < 0 ? end + n : end;
    if (step > 0)
        for (int64_t k = start < 0 ? 0 : start; k < end && k < n; k += step)
            out[count++] = k;
    else
        for (int64_t k = start >= n ? n - 1 : start; k > end && k >= 0; k += step)
            out[count++] = k;
    return count;
}

static void
try_slice(int64_t start, int64_t end, int64_t step)
{
    struct bench *b = bench_new(13);
    int64_t row[8], n = python_slice(5, start, end, step, row), from[16];
    NODE(b, OP_slice, bench_input(b, SHAPE(2, 5)), INTS(b, start), INTS(b, end), INTS(b, -1),
         INTS(b, step));
    bench_run(b);
    for (int64_t k = 0; k < 2 * n; k++)
        from[k] = k / n * 5 + row[k % n];
    expect_moved(b, SHAPE(2, n), from, 0);
    bench_free(b);
}

Test(linear_move, slice_every_range)
{
    for (int64_t start = -7; start <= 7; start++)
        for (int64_t end = -7; end <= 7; end++)
            for (int64_t step = -3; step <= 3; step++)
                if (step)
                    try_slice(start, end, step);
}

Test(linear_move, slice_to_the_ends_of_int64)
{
    struct bench *b = bench_new(13);
    static const int64_t back[] = {4, 3, 2, 1, 0}, all[] = {0, 1, 2, 3, 4}, first[] = {0};
    NODE(b, OP_slice, bench_input(b, SHAPE(5)), INTS(b, INT64_MAX), INTS(b, INT64_MIN), INTS(b, 0),
         INTS(b, -1));
    bench_run(b);
    expect_moved(b, SHAPE(5), back, 0);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_slice, bench_input(b, SHAPE(5)), INTS(b, INT64_MIN), INTS(b, INT64_MAX));
    bench_run(b);
    expect_moved(b, SHAPE(5), all, 0);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_slice, bench_input(b, SHAPE(5)), INTS(b, 0), INTS(b, 5), INTS(b, 0),
         INTS(b, INT64_MAX));
    bench_run(b);
    expect_moved(b, SHAPE(1), first, 0);
    bench_free(b);
}

Test(linear_move, slice_by_attributes)
{
    struct bench *b = bench_new(9);
    static const int64_t from[] = {5, 6, 9, 10};
    NODE(b, OP_slice, bench_input(b, SHAPE(3, 4)));
    ATTR_LIST(b, "starts", 1, 1);
    ATTR_LIST(b, "ends", 1000, -1);
    bench_run(b);
    expect_moved(b, SHAPE(2, 2), from, 0);
    bench_free(b);
}

Test(linear_move, transpose_every_order)
{
    static const int64_t dim[3] = {2, 3, 4}, step[3] = {12, 4, 1};
    for (int a = 0; a < 3; a++)
        for (int c = 0; c < 3; c++) {
            struct bench *b = bench_new(13);
            int last = 3 - a - c;
            int64_t from[24], o = 0;
            if (a == c) {
                bench_free(b);
                continue;
            }
            NODE(b, OP_transpose, bench_input(b, SHAPE(2, 3, 4)));
            ATTR_LIST(b, "perm", a, c, last);
            bench_run(b);
            for (int64_t i = 0; i < dim[a]; i++)
                for (int64_t j = 0; j < dim[c]; j++)
                    for (int64_t k = 0; k < dim[last]; k++)
                        from[o++] = i * step[a] + j * step[c] + k * step[last];
            expect_moved(b, SHAPE(dim[a], dim[c], dim[last]), from, 0);
            bench_free(b);
        }
}

Test(linear_move, pad_modes)
{
    static const int64_t constant[] = {-1, -1, 0, 1, 2, 3, -1}, reflect[] = {2, 1, 0, 1, 2, 3, 2},
                         edge[] = {0, 0, 0, 1, 2, 3, 3}, cut[] = {1, 2, 3, -1};
    static const float seven = 7;
    struct bench *b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(4)), INTS(b, 2, 1), bench_floats(b, SCALAR, &seven));
    bench_run(b);
    expect_moved(b, SHAPE(7), constant, 7);
    bench_free(b);

    b = bench_new(7);
    NODE(b, OP_pad, bench_input(b, SHAPE(4)));
    ATTR_LIST(b, "pads", 2, 1);
    bench_attr_float(b, "value", -0.5f);
    bench_run(b);
    expect_moved(b, SHAPE(7), constant, -0.5);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(4)), INTS(b, 2, 1));
    bench_attr_text(b, "mode", "reflect");
    bench_run(b);
    expect_moved(b, SHAPE(7), reflect, 0);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(4)), INTS(b, 2, 1));
    bench_attr_text(b, "mode", "edge");
    bench_run(b);
    expect_moved(b, SHAPE(7), edge, 0);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(4)), INTS(b, -1, 1));
    bench_run(b);
    expect_moved(b, SHAPE(4), cut, 0);
    bench_free(b);
}

Test(linear_move, pad_refused)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(3)), INTS(b, 3, 0));
    bench_attr_text(b, "mode", "reflect");
    bench_refuse(b, E_SHAPE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(3)), INTS(b, -2, -2));
    bench_refuse(b, E_SHAPE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(3)), INTS(b, 1));
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);
}

Test(linear_move, gather_counts_from_the_end)
{
    static const int64_t from[] = {0, 2, 2, 1, 3, 5, 5, 4};
    struct bench *b = bench_new(13);
    NODE(b, OP_gather, bench_input(b, SHAPE(2, 3)), INTS(b, 0, 2, -1, -2));
    bench_attr_int(b, "axis", 1);
    bench_run(b);
    expect_moved(b, SHAPE(2, 4), from, 0);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_gather, bench_input(b, SHAPE(2, 3)), INTS(b, 3));
    bench_attr_int(b, "axis", 1);
    bench_refuse(b, E_SHAPE);
    bench_free(b);
}

Test(linear_move, blocks_and_depth)
{
    static const int64_t dcr[] = {0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15};
    for (int crd = 0; crd < 2; crd++) {
        struct bench *b = bench_new(13);
        int64_t from[16];
        NODE(b, OP_depthtospace, bench_input(b, SHAPE(1, 4, 2, 2)));
        bench_attr_int(b, "blocksize", 2);
        bench_attr_text(b, "mode", crd ? "CRD" : "DCR");
        bench_run(b);
        /* One channel comes out, so both modes agree; from the definition: y[2 h + i, 2 w + j] is
         * x[2 i + j, h, w]. */
        for (int o = 0; o < 16; o++)
            from[o] = ((o / 4 % 2) * 2 + o % 2) * 4 + o / 8 * 2 + o % 4 / 2;
        cr_assert_arr_eq(from, dcr, sizeof dcr);
        expect_moved(b, SHAPE(1, 1, 4, 4), from, 0);
        bench_free(b);
    }
    for (int crd = 0; crd < 2; crd++) { /* two channels of one pixel */
        static const int64_t two[2][8] = {{0, 2, 4, 6, 1, 3, 5, 7}, {0, 1, 2, 3, 4, 5, 6, 7}};
        struct bench *b = bench_new(13);
        NODE(b, OP_depthtospace, bench_input(b, SHAPE(1, 8, 1, 1)));
        bench_attr_int(b, "blocksize", 2);
        bench_attr_text(b, "mode", crd ? "CRD" : "DCR");
        bench_run(b);
        expect_moved(b, SHAPE(1, 2, 2, 2), two[crd], 0);
        bench_free(b);
    }
}

Test(linear_move, space_to_depth_undoes_depth_to_space)
{
    struct bench *b = bench_new(13);
    uint32_t y = NODE(b, OP_depthtospace, bench_input(b, SHAPE(2, 8, 2, 3)));
    bench_attr_int(b, "blocksize", 2);
    NODE(b, OP_spacetodepth, y);
    bench_attr_int(b, "blocksize", 2);
    bench_run(b);
    double want[96];
    for (int k = 0; k < 96; k++)
        want[k] = (double)b->in[0].f[k];
    bench_expect(b, SHAPE(2, 8, 2, 3), want);
    bench_free(b);
}

Test(linear_move, split_into_parts)
{
    for (int form = 0; form < 3; form++) { /* equal, by attribute, by input */
        struct bench *b = bench_new(form == 1 ? 11 : 13);
        uint32_t in[2] = {bench_input(b, SHAPE(2, 6)), form == 2 ? INTS(b, 1, 2, 3) : NONE};
        uint32_t n = graph_node(b->g, "cut", OP_split, in, form == 2 ? 2 : 1, NULL, 3, PLACE_NONE);
        for (int k = 0; k < 3; k++)
            vec_push(b->a, &b->g->outputs, b->g->nodes.at[n].out.at[k]);
        bench_attr_int(b, "axis", 1);
        if (form == 1)
            ATTR_LIST(b, "split", 1, 2, 3);
        bench_run(b);
        for (int64_t k = 0, at = 0; k < 3; k++) {
            int64_t len = form ? k + 1 : 2;
            cr_assert_eq(b->out[k].shape.dim[1], len);
            for (int64_t o = 0; o < 2 * len; o++)
                cr_assert_eq(b->out[k].f[o], b->in[0].f[o / len * 6 + at + o % len]);
            at += len;
        }
        cr_expect_eq(bench_matrices(b), 3);
        bench_free(b);
    }
}

Test(linear_move, split_refused)
{
    struct bench *b = bench_new(13);
    uint32_t in[2] = {bench_input(b, SHAPE(6)), INTS(b, 2, 5)};
    uint32_t n = graph_node(b->g, "cut", OP_split, in, 2, NULL, 2, PLACE_NONE);
    vec_push(b->a, &b->g->outputs, b->g->nodes.at[n].out.at[0]);
    bench_refuse(b, E_SHAPE);
    bench_free(b);
}

Test(linear_move, concat_with_a_constant_is_a_bias)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(2, 1)), w = bench_weights(b, SHAPE(2, 2));
    NODE(b, OP_concat, w, x, x);
    bench_attr_int(b, "axis", -1);
    bench_run(b);
    const float *f = graph_value(b->g, w)->data.f, *v = b->in[0].f;
    double want[8] = {f[0], f[1], v[0], v[0], f[2], f[3], v[1], v[1]};
    bench_expect(b, SHAPE(2, 4), want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_move, reshape_forms)
{
    static const struct {
        int64_t shape[3], want[3];
        int n, rank;
        bool allowzero, refused;
    } all[] = {
        {{0, -1}, {2, 12}, 2, 2, false, false},
        {{4, 6}, {4, 6}, 2, 2, false, false},
        {{-1}, {24}, 1, 1, false, false},
        {{3, 0, -1}, {0}, 3, 0, false, true},
        {{0, 0, 0}, {2, 3, 4}, 3, 3, false, false},
        {{5, -1}, {0}, 2, 0, false, true},
        {{-1, -1}, {0}, 2, 0, false, true},
        {{2, 11}, {0}, 2, 0, false, true},
        {{0, -1}, {0}, 2, 0, true, true},
        {{INT64_MAX, INT64_MAX}, {0}, 2, 0, false, true},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        struct bench *b = bench_new(14);
        NODE(b, OP_reshape, bench_input(b, SHAPE(2, 3, 4)),
             bench_ints(b, (uint32_t)all[k].n, all[k].shape));
        bench_attr_int(b, "allowzero", all[k].allowzero);
        if (all[k].refused) {
            bench_refuse(b, E_SHAPE);
        } else {
            bench_run(b);
            cr_expect_eq(b->out[0].shape.rank, all[k].rank);
            cr_expect_arr_eq(b->out[0].shape.dim, all[k].want,
                             (size_t)all[k].rank * sizeof(int64_t));
            cr_expect_eq(bench_matrices(b), 1);
        }
        bench_free(b);
    }
}

static double
apply(enum op_id op, double a, double c)
{
    switch (op) {
    case OP_add:
        return a + c;
    case OP_sub:
        return a - c;
    case OP_mul:
        return a * c;
    default:
        return a / c;
    }
}

/* x of 2 x 1 x 3 with a constant of 4 x 1, either way round. */
Test(linear_move, elementwise_with_a_constant)
{
    static const enum op_id ops[] = {OP_add, OP_sub, OP_mul, OP_div};
    for (int form = 0; form < 8; form++) {
        enum op_id op = ops[form / 2];
        bool left = form % 2 == 0;
        struct bench *b = bench_new(13);
        uint32_t x = bench_input(b, SHAPE(2, 1, 3)), w = bench_weights(b, SHAPE(4, 1));
        double want[24];
        NODE(b, op, left ? x : w, left ? w : x);
        bench_run(b);
        for (int o = 0; o < 24; o++) {
            double v = (double)b->in[0].f[o / 12 * 3 + o % 3];
            double c = (double)graph_value(b->g, w)->data.f[o / 3 % 4];
            want[o] = left ? apply(op, v, c) : apply(op, c, v);
        }
        struct shape shape = SHAPE(2, 4, 3);
        for (int o = 0; o < 24; o++)
            cr_assert_float_eq((double)b->out[0].f[o], want[o], 1e-4 * (1 + fabs(want[o])));
        cr_expect(shape_equal(&b->out[0].shape, &shape));
        if (op == OP_div && !left) { /* a constant over an encrypted value is no affine map */
            struct linear_sink none = {0};
            cr_expect(!op_linear(b->g, 0, 0, &none, b->d));
        } else {
            cr_expect_eq(bench_matrices(b), 1);
        }
        bench_free(b);
    }
}

Test(linear_move, sums_and_means)
{
    for (int mean = 0; mean < 2; mean++) {
        struct bench *b = bench_new(13);
        double want[6];
        uint32_t x = bench_input(b, SHAPE(2, 3)), y = bench_input(b, SHAPE(3)),
                 w = bench_weights(b, SHAPE(2, 1));
        NODE(b, mean ? OP_mean : OP_sum, x, y, w);
        bench_run(b);
        for (int o = 0; o < 6; o++)
            want[o] = ((double)b->in[0].f[o] + (double)b->in[1].f[o % 3] +
                       (double)graph_value(b->g, w)->data.f[o / 3]) /
                      (mean ? 3 : 1);
        bench_expect(b, SHAPE(2, 3), want);
        cr_expect_eq(bench_matrices(b), 1);
        bench_free(b);
    }
}

Test(linear_move, pow_is_affine_for_exponents_1_and_0)
{
    static const float exponent[] = {1, 0, 1};
    static const float square = 2;
    struct bench *b = bench_new(13);
    NODE(b, OP_pow, bench_input(b, SHAPE(2, 3)), bench_floats(b, SHAPE(3), exponent));
    bench_run(b);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);

    b = bench_new(13);
    struct linear_sink none = {0};
    NODE(b, OP_pow, bench_input(b, SHAPE(2, 3)), bench_floats(b, SCALAR, &square));
    bench_run(b);
    for (int k = 0; k < 6; k++)
        cr_expect_float_eq((double)b->out[0].f[k], (double)b->in[0].f[k] * (double)b->in[0].f[k],
                           1e-6);
    cr_expect(!op_linear(b->g, 0, 0, &none, b->d));
    cr_expect_eq(diag_at(b->d, 0)->code, E_NOT_LINEAR);
    bench_free(b);
}
