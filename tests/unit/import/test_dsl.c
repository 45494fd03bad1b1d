/* test_dsl.c - what a text of the language means: the graph it makes, looked at field by field. */
#include "dsl_support.h"

#include <criterion/criterion.h>

#include <string.h>

static const char lenet[] = "network lenet5\n"
                            "input image : f32[1, 28, 28] from u8 / 255          # how a pixel "
                            "becomes a number is part of the model\n"
                            "\n"
                            "c1 = conv(image, \"conv1\", stride 1, pad 2)          # weights "
                            "conv1.weight.npy, conv1.bias.npy beside the file\n"
                            "a1 = relu(c1)                       @degree(<= 7)   # annotations pin "
                            "what the optimiser would choose\n"
                            "p1 = avgpool(a1, 2x2)\n"
                            "f1 = dense(flatten(p1), \"fc1\")      @pow2(5)\n"
                            "output logits = dense(relu(f1), \"fc2\")\n";

static struct arena *a;
static struct diag *d;
static const char *dir;

static void
setup(void)
{
    a = arena_new();
    d = diag_new();
    dir = dsl_folder(a);
}

static void
teardown(void)
{
    dsl_folder_remove(dir);
    diag_free(d);
    arena_free(a);
}

TestSuite(dsl, .init = setup, .fini = teardown);

static void
lenet_weights(void)
{
    dsl_weights(a, dir, "conv1.weight.npy", 4, (int64_t[]){6, 1, 5, 5});
    dsl_weights(a, dir, "conv1.bias.npy", 1, (int64_t[]){6});
    dsl_weights(a, dir, "fc1.weight.npy", 2, (int64_t[]){20, 1176});
    dsl_weights(a, dir, "fc1.bias.npy", 1, (int64_t[]){20});
    dsl_weights(a, dir, "fc2.weight.npy", 2, (int64_t[]){10, 20});
    dsl_weights(a, dir, "fc2.bias.npy", 1, (int64_t[]){10});
}

static struct graph *
read_good(const char *text)
{
    struct graph *g = dsl_read(a, dir, text, d);
    struct str messages = {0};
    diag_print(d, &messages);
    cr_assert(g, "%s", str_text(&messages));
    str_free(&messages);
    cr_assert(graph_check(g, STAGE_IMPORTED, d));
    return g;
}

static void
expect_ints(const struct node *n, const char *name, enum attr_kind kind, uint32_t count,
            const int64_t *v)
{
    const struct attr *at = graph_find_attr(n, name);
    cr_assert(at && at->kind == kind && at->count == count, "%s: %s", n->name, name);
    cr_expect_arr_eq(at->ints, v, count * sizeof *v, "%s: %s", n->name, name);
}

static const char *
name_of(const struct graph *g, uint32_t v)
{
    return graph_value(g, v)->name;
}

Test(dsl, the_example_of_the_design)
{
    lenet_weights();
    struct graph *g = read_good(lenet);
    static const enum op_id ops[] = {OP_conv, OP_relu, OP_averagepool, OP_flatten,
                                     OP_gemm, OP_relu, OP_gemm};
    static const char *const names[] = {"c1", "a1",          "p1",    "f1.flatten",
                                        "f1", "logits.relu", "logits"};

    cr_expect_str_eq(g->name, "lenet5");
    cr_assert_eq(g->nodes.len, 7);
    for (uint32_t k = 0; k < 7; k++) {
        cr_expect_eq(g->nodes.at[k].op, ops[k]);
        cr_expect_str_eq(g->nodes.at[k].name, names[k]);
        cr_expect_str_eq(name_of(g, g->nodes.at[k].out.at[0]), names[k]);
    }
    cr_assert_eq(g->outputs.len, 1);
    cr_expect_str_eq(name_of(g, g->outputs.at[0]), "logits");
    const struct value *image = graph_value(g, g->inputs.at[0].value);
    cr_expect(shape_equal(&image->shape, &(struct shape){4, {1, 1, 28, 28}}),
              "one image is a batch of one");
    const struct pixels *px = &g->inputs.at[0].pixels;
    cr_expect(px->present && px->divisor == 255 && px->channels == 1 && px->mean[0] == 0 &&
              px->std[0] == 1);
    cr_expect(g->nodes.at[1].pins.degree_min == 0 && g->nodes.at[1].pins.degree_max == 7);
    cr_expect_eq(g->nodes.at[4].pins.pow2_bits, 5);
}

Test(dsl, layers_of_the_example)
{
    lenet_weights();
    struct graph *g = read_good(lenet);
    const struct node *conv = &g->nodes.at[0], *pool = &g->nodes.at[2], *fc = &g->nodes.at[4];

    cr_assert_eq(conv->in.len, 3);
    cr_expect_str_eq(name_of(g, conv->in.at[1]), "conv1.weight");
    cr_expect_str_eq(name_of(g, conv->in.at[2]), "conv1.bias");
    cr_expect_float_eq(graph_value(g, conv->in.at[1])->data.f[3], 1.0f, 0);
    expect_ints(conv, "strides", ATTR_INTS, 2, (int64_t[]){1, 1});
    expect_ints(conv, "pads", ATTR_INTS, 4, (int64_t[]){2, 2, 2, 2});
    expect_ints(conv, "kernel_shape", ATTR_INTS, 2, (int64_t[]){5, 5});
    expect_ints(conv, "group", ATTR_INT, 1, (int64_t[]){1});
    expect_ints(pool, "kernel_shape", ATTR_INTS, 2, (int64_t[]){2, 2});
    expect_ints(pool, "strides", ATTR_INTS, 2, (int64_t[]){2, 2});
    expect_ints(fc, "transB", ATTR_INT, 1, (int64_t[]){1});
    expect_ints(&g->nodes.at[3], "axis", ATTR_INT, 1, (int64_t[]){1});
    const char *wrong = dsl_round_trip(a, g);
    cr_expect_null(wrong, "%s", wrong);
}

Test(dsl, windows)
{
    dsl_weights(a, dir, "w.weight.npy", 4, (int64_t[]){8, 1, 3, 5});
    struct graph *g = read_good("network n\ninput x : f32[8, 9, 9]\n"
                                "a = depthwise(x, \"w\", no bias, stride 2x1, pad 1x2)\n"
                                "b = conv(x, w.weight, groups 8, dilation 2, pad [0, 1, 2, 3])\n"
                                "c = maxpool(a, 3, stride 1, pad 1)\n"
                                "output d = avgpool(b, [2])\n");
    expect_ints(&g->nodes.at[0], "strides", ATTR_INTS, 2, (int64_t[]){2, 1});
    expect_ints(&g->nodes.at[0], "pads", ATTR_INTS, 4, (int64_t[]){1, 2, 1, 2});
    expect_ints(&g->nodes.at[0], "group", ATTR_INT, 1, (int64_t[]){8});
    cr_expect_eq(g->nodes.at[0].in.len, 2);
    cr_expect_eq(g->nodes.at[0].in.at[1], g->nodes.at[1].in.at[1], "the weights are read once");
    expect_ints(&g->nodes.at[1], "dilations", ATTR_INTS, 2, (int64_t[]){2, 2});
    expect_ints(&g->nodes.at[1], "pads", ATTR_INTS, 4, (int64_t[]){0, 1, 2, 3});
    expect_ints(&g->nodes.at[2], "kernel_shape", ATTR_INTS, 2, (int64_t[]){3, 3});
    expect_ints(&g->nodes.at[2], "pads", ATTR_INTS, 4, (int64_t[]){1, 1, 1, 1});
    expect_ints(&g->nodes.at[3], "kernel_shape", ATTR_INTS, 1, (int64_t[]){2});
    const char *wrong = dsl_round_trip(a, g);
    cr_expect_null(wrong, "%s", wrong);
}

Test(dsl, blocks_are_inlined_with_names_of_their_own)
{
    static const char *const files[] = {"r0.c1.weight.npy", "r0.c2.weight.npy", "r1.c1.weight.npy",
                                        "r1.c2.weight.npy"};
    static const char *const names[] = {"y0.a", "y0.add.conv", "y0.add", "y0",
                                        "y1.a", "y1.add.conv", "y1.add", "y1"};
    for (int k = 0; k < 4; k++)
        dsl_weights(a, dir, files[k], 4, (int64_t[]){4, 4, 3, 3});
    struct graph *g =
        read_good("network n\ninput x : f32[4, 8, 8]\n"
                  "block residual(x, name, s) {\n"
                  "    a = conv(x, name + \".c1\", no bias, stride s, pad 1)   @pow2(4)\n"
                  "    add = x + conv(a, name + \".c2\", no bias, pad 1)\n"
                  "    y = relu(add)   @degree(3 .. 5)\n"
                  "    return y\n}\n"
                  "y0 = residual(x, \"r0\", 1)\n"
                  "output y1 = residual(y0, s 2, name \"r1\")\n");
    cr_assert_eq(g->nodes.len, 8);
    for (uint32_t k = 0; k < 8; k++)
        cr_expect_str_eq(name_of(g, g->nodes.at[k].out.at[0]), names[k]);
    expect_ints(&g->nodes.at[4], "strides", ATTR_INTS, 2, (int64_t[]){2, 2});
    cr_expect_str_eq(name_of(g, g->nodes.at[5].in.at[1]), "r1.c2.weight");
    cr_expect(g->nodes.at[3].pins.degree_min == 3 && g->nodes.at[3].pins.degree_max == 5);
    cr_expect_eq(g->nodes.at[4].pins.pow2_bits, 4);
    cr_expect_eq(g->nodes.at[4].in.at[0], g->nodes.at[3].out.at[0]);
}

Test(dsl, expressions_follow_the_usual_precedence)
{
    struct graph *g = read_good("network n\ninput x : f32[4]\noutput y = -x ^ 2 * x - x-1\n");
    static const enum op_id ops[] = {OP_pow, OP_neg, OP_mul, OP_sub, OP_sub};
    cr_assert_eq(g->nodes.len, 5);
    for (uint32_t k = 0; k < 5; k++)
        cr_expect_eq(g->nodes.at[k].op, ops[k], "node %u", k);
    const struct value *one = graph_value(g, g->nodes.at[4].in.at[1]);
    cr_expect(one->kind == VALUE_CONST && one->data.f[0] == 1.0f && one->shape.rank == 0);
}

Test(dsl, names_made_up_avoid_names_that_are_written)
{
    struct graph *g = read_good("network n\ninput x : f32[4]\ny = exp(relu(x))\n"
                                "y.relu = tanh(y)\noutput z = y.relu + y\n");
    cr_expect_str_eq(name_of(g, g->nodes.at[0].out.at[0]), "y.relu.1");
    cr_expect_str_eq(name_of(g, g->nodes.at[2].out.at[0]), "y.relu");
}

Test(dsl, an_output_that_is_another_value_is_a_node)
{
    struct graph *g =
        read_good("network n\ninput x : f32[4]\na = relu(x)\noutput b = a\noutput a, a\n");
    cr_assert_eq(g->outputs.len, 3);
    cr_expect_str_eq(name_of(g, g->outputs.at[0]), "b");
    cr_expect_eq(graph_producer(g, g->outputs.at[0])->op, OP_identity);
    cr_expect_eq(g->outputs.at[1], g->nodes.at[0].out.at[0]);
    const char *wrong = dsl_round_trip(a, g);
    cr_expect_null(wrong, "%s", wrong);
}

Test(dsl, words_of_the_language_are_names_elsewhere)
{
    struct graph *g =
        read_good("network network\ninput input : f32[4]\nconst const : f32[] = 2\n"
                  "output = relu(input)\nblock = output + const\norigin, _ = Dropout(block)\n"
                  "output origin\n");
    cr_expect_eq(g->nodes.len, 3);
    const char *wrong = dsl_round_trip(a, g);
    cr_expect_null(wrong, "%s", wrong);
}

Test(dsl, mean_and_std_for_each_channel)
{
    struct graph *g =
        read_good("network n\ninput x : f32[3, 8, 8] from u8 / 255 mean 0.5, 0.25, 0.125 std 2\n"
                  "output y = relu(x)\n");
    const struct pixels *px = &g->inputs.at[0].pixels;
    cr_assert(px->present && px->channels == 3);
    cr_expect(px->mean[0] == 0.5 && px->mean[1] == 0.25 && px->mean[2] == 0.125);
    cr_expect(px->std[0] == 2 && px->std[1] == 2 && px->std[2] == 2);
    const char *wrong = dsl_round_trip(a, g);
    cr_expect_null(wrong, "%s", wrong);
}

Test(dsl, hash_follows_text_and_weights)
{
    const char *text = "network n\ninput x : f32[4]\noutput y = dense(x, \"w\", no bias)\n";
    dsl_weights(a, dir, "w.weight.npy", 2, (int64_t[]){4, 4});
    struct graph *g = read_good(text), *same = read_good(text);
    struct graph *other =
        read_good("network n\ninput x : f32[4]\noutput z = dense(x, \"w\", no bias)\n");
    cr_expect_arr_eq(g->hash, same->hash, 32);
    cr_expect_arr_neq(g->hash, other->hash, 32);
    uint8_t before[32];
    memcpy(before, g->hash, 32);
    dsl_weights(a, dir, "w.weight.npy", 2, (int64_t[]){2, 8});
    g = read_good(text);
    cr_expect_arr_neq(g->hash, before, 32, "other weights are another model");
}

Test(dsl, the_shape_in_the_text_is_held_against_the_file)
{
    dsl_weights(a, dir, "w.npy", 2, (int64_t[]){2, 8});
    cr_expect_null(dsl_read(a, dir,
                            "network n\ninput x : f32[4]\nconst w : f32[4, 4]\n"
                            "output y = matmul(x, w)\n",
                            d));
    cr_expect_eq(diag_at(d, 0)->code, E_DSL_WEIGHTS);
}

Test(dsl, hash_of_the_origin_stays_until_the_text_is_changed)
{
    struct graph *g = read_good("network n\ninput x : f32[4]\noutput y = relu(x)\n");
    struct str text = {0};
    memset(g->hash, 0xa5, 32);
    dsl_print(g, &text, a, NULL, NULL, d);
    struct graph *kept = read_good(str_text(&text));
    cr_expect_arr_eq(kept->hash, g->hash, 32);
    char *changed = arena_strdup(a, str_text(&text));
    memcpy(strstr(changed, "relu"), "tanh", 4);
    struct graph *other = read_good(changed);
    cr_expect_arr_neq(other->hash, g->hash, 32, "a changed text is another model");
    str_free(&text);
}
