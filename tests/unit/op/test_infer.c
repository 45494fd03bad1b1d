/* test_infer.c - folding, reporting of all problems, bounds; the table and the attribute names. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* What exporters write for a flatten: Shape, Gather, Unsqueeze, Concat, Reshape. */
Test(infer, exporters_shape_chain_vanishes)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(2, 3, 4)), zero = INTS(b, 0);
    uint32_t shape = NODE(b, OP_shape, x);
    uint32_t batch = NODE(b, OP_gather, shape, zero);
    uint32_t minus = INTS(b, -1);
    uint32_t list = NODE(b, OP_concat, batch, minus);
    bench_attr_int(b, "axis", 0);
    NODE(b, OP_reshape, x, list);
    bench_run(b);
    cr_expect_eq(b->g->nodes.len, 1);
    cr_expect_eq(b->g->nodes.at[0].op, OP_reshape);
    cr_expect_eq(b->out[0].shape.dim[0], 2);
    cr_expect_eq(b->out[0].shape.dim[1], 12);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(infer, arithmetic_on_shapes_is_whole)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(7));
    uint32_t half = NODE(b, OP_div, NODE(b, OP_shape, x), INTS(b, 2)); /* 3, not 3.5 */
    NODE(b, OP_slice, x, INTS(b, 0), half);
    bench_run(b);
    cr_expect_eq(b->out[0].shape.dim[0], 3);
    bench_free(b);
}

Test(infer, division_by_zero_is_an_error)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_div, INTS(b, 1), INTS(b, 0));
    bench_refuse(b, E_EVAL);
    bench_free(b);
}

Test(infer, all_problems_at_once_but_none_twice)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(2, 3));
    uint32_t y = NODE(b, OP_matmul, x, bench_weights(b, SHAPE(4, 5))); /* wrong */
    uint32_t z = NODE(b, OP_add, y, x);                                /* silent: y is unknown */
    uint32_t w = NODE(b, OP_transpose, x);                             /* wrong */
    ATTR_LIST(b, "perm", 0, 0);
    NODE(b, OP_concat, z, w);
    bench_attr_int(b, "axis", 0);
    cr_assert(!graph_infer(b->g, b->d));
    cr_assert_eq(diag_errors(b->d), 2, "%s", bench_errors(b));
    cr_expect_eq(diag_at(b->d, 0)->code, E_SHAPE);
    cr_expect_str_eq(diag_at(b->d, 0)->place.node, "node_0");
    cr_expect_eq(diag_at(b->d, 1)->code, E_ATTRIBUTE);
    cr_expect_str_eq(diag_at(b->d, 1)->place.node, "node_2");
    bench_free(b);
}

Test(infer, unknown_and_mistyped_attributes)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_flatten, bench_input(b, SHAPE(2, 3)));
    bench_attr_int(b, "axes", 1);
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_flatten, bench_input(b, SHAPE(2, 3)));
    bench_attr_float(b, "axis", 1);
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);
}

Test(infer, numbers_of_inputs_and_outputs)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_add, bench_input(b, SHAPE(2)));
    bench_refuse(b, E_OP_INPUTS);
    bench_free(b);

    b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(2)), none = NONE;
    NODE(b, OP_add, x, none);
    bench_refuse(b, E_OP_INPUTS);
    bench_free(b);

    b = bench_new(13);
    x = bench_input(b, SHAPE(2));
    NODE(b, OP_neg, x, x);
    bench_refuse(b, E_OP_INPUTS);
    bench_free(b);
}

Test(infer, shapes_must_be_constants)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(4)), shape = graph_input(b->g, "shape", DT_I64, SHAPE(2));
    NODE(b, OP_reshape, x, shape);
    bench_refuse(b, E_NOT_CONST);
    bench_free(b);
}

Test(infer, types_must_agree)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_add, bench_input(b, SHAPE(2)), INTS(b, 1, 2));
    bench_refuse(b, E_DTYPE);
    bench_free(b);
}

/* Nothing here allocates what it is asked for. */
Test(infer, huge_tensors_are_refused)
{
    static const int64_t big = (int64_t)1 << 40;
    struct bench *b = bench_new(13);
    NODE(b, OP_expand, bench_input(b, SHAPE(1)), INTS(b, big));
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_constantofshape, INTS(b, 1 << 20, 1 << 20, 1 << 20));
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_range, INTS(b, INT64_MIN), INTS(b, INT64_MAX), INTS(b, 1));
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_tile, bench_input(b, SHAPE(3)), INTS(b, INT64_MAX));
    bench_refuse(b, E_SHAPE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_pad, bench_input(b, SHAPE(3)), INTS(b, INT64_MAX, INT64_MAX));
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);

    b = bench_new(13); /* empty, but its other dimensions do not multiply */
    NODE(b, OP_expand, bench_input(b, SHAPE(0, 1, 1)), INTS(b, 0, 1 << 28, 1 << 28));
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);
}

Test(infer, folding_is_bounded)
{
    struct bench *b = bench_new(13);
    uint32_t last = NONE;
    for (int k = 0; k < 6; k++) /* each within the bound of one tensor, together beyond 1 GiB */
        last = NODE(b, OP_constantofshape, INTS(b, (1 << 26) + k));
    NODE(b, OP_add, last, last);
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);
}

/* Small constants from which a huge amount of work could be asked. */
Test(infer, work_on_constants_is_bounded)
{
    struct bench *b = bench_new(13);
    uint32_t image = NODE(b, OP_constantofshape, INTS(b, 1, 1, 4096, 4096));
    NODE(b, OP_conv, image, image);
    ATTR_LIST(b, "pads", 2048, 2048, 2048, 2048);
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);

    b = bench_new(13);
    uint32_t matrix = NODE(b, OP_constantofshape, INTS(b, 4096, 4096));
    NODE(b, OP_matmul, matrix, matrix);
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_averagepool, NODE(b, OP_constantofshape, INTS(b, 1, 1, 4096, 4096)));
    ATTR_LIST(b, "kernel_shape", 2049, 2049);
    bench_refuse(b, E_TENSOR_SIZE);
    bench_free(b);
}

Test(infer, folds_what_is_constant_and_drops_what_is_not_needed)
{
    struct bench *b = bench_new(13);
    static const float two[] = {2, 4}, three[] = {3, 5};
    uint32_t x = bench_input(b, SHAPE(2));
    NODE(b, OP_neg, x); /* nobody reads it */
    uint32_t six =
        NODE(b, OP_mul, bench_floats(b, SHAPE(2), two), bench_floats(b, SHAPE(2), three));
    NODE(b, OP_add, x, six);
    bench_run(b);
    double want[2] = {(double)b->in[0].f[0] + 6, (double)b->in[0].f[1] + 20};
    cr_expect_eq(b->g->nodes.len, 1);
    bench_expect(b, SHAPE(2), want);
    bench_free(b);
}

Test(infer, twice_changes_nothing)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(2, 6));
    NODE(b, OP_reshape, x, NODE(b, OP_shape, bench_weights(b, SHAPE(3, 4))));
    bench_run(b);
    cr_assert(graph_infer(b->g, b->d));
    bench_run(b);
    cr_expect_eq(b->out[0].shape.dim[0], 3);
    bench_free(b);
}

Test(infer, dropout_mask_is_a_constant)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(3));
    uint32_t n = graph_node(b->g, "drop", OP_dropout, &x, 1, NULL, 2, PLACE_NONE);
    vec_push(b->a, &b->g->outputs, b->g->nodes.at[n].out.at[1]);
    bench_run(b);
    cr_expect_eq(graph_value(b->g, b->g->outputs.at[0])->kind, VALUE_CONST);
    cr_expect_eq(b->out[0].dtype, DT_BOOL);
    for (int k = 0; k < 3; k++)
        cr_expect_eq(b->out[0].i[k], 1);
    bench_free(b);

    b = bench_new(13); /* both outputs wanted: the node stays, and bench_run checks the graph */
    x = bench_input(b, SHAPE(3));
    n = graph_node(b->g, "drop", OP_dropout, &x, 1, NULL, 2, PLACE_NONE);
    vec_push(b->a, &b->g->outputs, b->g->nodes.at[n].out.at[0]);
    vec_push(b->a, &b->g->outputs, b->g->nodes.at[n].out.at[1]);
    bench_run(b);
    cr_expect_eq(b->g->nodes.len, 1);
    cr_expect_arr_eq(b->out[0].f, b->in[0].f, 3 * sizeof(float));
    cr_expect_eq(b->out[1].i[2], 1);
    bench_free(b);
}

/* Whether the words of a blank-separated list all have a kind. */
static void
expect_kinds(const char *op, const char *attrs)
{
    char word[64];
    int used;
    for (const char *p = attrs; p && sscanf(p, "%63s%n", word, &used) == 1; p += used)
        cr_expect(op_attr_kinds(word) != NULL, "attribute %s of %s", word, op);
}

Test(table, every_row_has_what_its_class_needs)
{
    for (int id = OP_NONE + 1; id < OP_COUNT; id++) {
        const struct op_row *row = op_row((enum op_id)id);
        cr_expect_eq(op_find(row->onnx), (enum op_id)id);
        cr_expect(row->op->infer != NULL, "%s", row->onnx);
        cr_expect(row->op->eval != NULL || row->class == PLAIN, "%s", row->onnx);
        bool affine = row->class == LINEAR || row->class == ELTWISE || row->class == PRODUCT;
        cr_expect_eq(row->op->linear != NULL, affine, "%s", row->onnx);
        cr_expect_eq(row->op->fn != NULL, row->class == NONLIN, "%s", row->onnx);
        cr_expect_eq(row->op->derivative != NULL, row->class == NONLIN, "%s", row->onnx);
        cr_expect(!(row->traits & MOVE) || row->class == LINEAR, "%s", row->onnx);
        expect_kinds(row->onnx, row->op->attrs);
    }
    cr_expect_eq(op_find("NoSuchOperator"), OP_NONE);
    cr_expect_null(op_row(OP_NONE));
    cr_expect_null(op_row(OP_COUNT));
    cr_expect_null(op_attr_kinds("no_such_attribute"));
}

Test(table, integers_wrap_to_their_width)
{
    cr_expect_eq(op_wrap(DT_U8, 257), 1);
    cr_expect_eq(op_wrap(DT_U8, -1), 255);
    cr_expect_eq(op_wrap(DT_I8, 128), -128);
    cr_expect_eq(op_wrap(DT_I16, 32768), -32768);
    cr_expect_eq(op_wrap(DT_U16, -1), 65535);
    cr_expect_eq(op_wrap(DT_I32, (int64_t)1 << 31), INT32_MIN);
    cr_expect_eq(op_wrap(DT_U32, -1), UINT32_MAX);
    cr_expect_eq(op_wrap(DT_I64, INT64_MIN), INT64_MIN);
    cr_expect_eq(op_wrap(DT_BOOL, 7), 1);
}
