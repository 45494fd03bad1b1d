/* test_linear_resize.c - Resize and Upsample against values worked out by hand from the
 * specification. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <math.h>

/* Resize of a row by a scale or to a size (0: scale). */
static struct bench *
resize(int opset, const char *mode, const char *place, const char *round, int64_t in, int64_t size,
       float scale)
{
    struct bench *b = bench_new(opset);
    uint32_t x = bench_input(b, SHAPE(in)), s = bench_floats(b, SHAPE(1), &scale), none = NONE;
    if (opset < 11)
        NODE(b, OP_resize, x, s);
    else if (size)
        NODE(b, OP_resize, x, none, none, INTS(b, size));
    else
        NODE(b, OP_resize, x, none, s);
    bench_attr_text(b, "mode", mode);
    if (place)
        bench_attr_text(b, "coordinate_transformation_mode", place);
    if (round)
        bench_attr_text(b, "nearest_mode", round);
    return b;
}

static void
expect_nearest(struct bench *b, int64_t n, const int64_t *from)
{
    double want[16];
    bench_run(b);
    for (int64_t k = 0; k < n; k++)
        want[k] = (double)b->in[0].f[from[k]];
    bench_expect(b, SHAPE(n), want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_resize, nearest_places_and_rounds)
{
    /* Four to two: half_pixel coordinates 0.5, 2.5: every rounding shows. */
    static const int64_t down[] = {0, 2}, up[] = {1, 3};
    expect_nearest(resize(13, "nearest", "half_pixel", "round_prefer_floor", 4, 2, 0), 2, down);
    expect_nearest(resize(13, "nearest", "half_pixel", "round_prefer_ceil", 4, 2, 0), 2, up);
    expect_nearest(resize(13, "nearest", "half_pixel", "floor", 4, 2, 0), 2, down);
    expect_nearest(resize(13, "nearest", "half_pixel", "ceil", 4, 2, 0), 2, up);
    /* Two to five, asymmetric: 0, 0.4, 0.8, 1.2, 1.6. */
    static const int64_t floor5[] = {0, 0, 0, 1, 1}, ceil5[] = {0, 1, 1, 1, 1},
                         round5[] = {0, 0, 1, 1, 1};
    expect_nearest(resize(13, "nearest", "asymmetric", "floor", 2, 5, 0), 5, floor5);
    expect_nearest(resize(13, "nearest", "asymmetric", "ceil", 2, 5, 0), 5, ceil5);
    expect_nearest(resize(13, "nearest", "asymmetric", "round_prefer_floor", 2, 5, 0), 5, round5);
    /* Three to five, corners aligned: 0, 0.5, 1, 1.5, 2. */
    static const int64_t corners[] = {0, 0, 1, 1, 2};
    expect_nearest(resize(13, "nearest", "align_corners", "round_prefer_floor", 3, 5, 0), 5,
                   corners);
    /* Opset 10 knows no places: x / scale, rounded down. */
    static const int64_t old[] = {0, 0, 1, 1, 2, 2};
    expect_nearest(resize(10, "nearest", NULL, NULL, 3, 0, 2), 6, old);
    /* 3 / 0.6f is 5 in float, as the frameworks compute it. */
    static const int64_t sixty[] = {0, 1, 3, 5};
    expect_nearest(resize(13, "nearest", "asymmetric", "floor", 7, 0, 0.6f), 4, sixty);
}

Test(linear_resize, linear_places)
{
    static const struct {
        const char *place;
        double at[4]; /* coordinates of two stretched to four, from the specification */
    } all[] = {
        {"half_pixel", {-0.25, 0.25, 0.75, 1.25}},
        {"pytorch_half_pixel", {-0.25, 0.25, 0.75, 1.25}},
        {"asymmetric", {0, 0.5, 1, 1.5}},
        {"align_corners", {0, 1.0 / 3, 2.0 / 3, 1}},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        struct bench *b = resize(13, "linear", all[k].place, NULL, 2, 4, 0);
        double want[4];
        bench_run(b);
        for (int o = 0; o < 4; o++) {
            double r = fmin(fmax(all[k].at[o], 0), 1); /* the edge continues */
            want[o] = (1 - r) * (double)b->in[0].f[0] + r * (double)b->in[0].f[1];
        }
        bench_expect(b, SHAPE(4), want);
        cr_expect_eq(bench_matrices(b), 1);
        bench_free(b);
    }
}

/* Constants stay constants: the weights of each output add up to one, in every mode. */
Test(linear_resize, weights_add_up_to_one)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    for (int form = 0; form < 12; form++) {
        struct bench *b = bench_new(13);
        uint32_t x = bench_input(b, SHAPE(1, 2, 5, 4)), none = NONE;
        NODE(b, OP_resize, x, none, none, INTS(b, 1, 2, form % 2 ? 3 : 8, 7));
        bench_attr_text(b, "mode", modes[form / 4]);
        bench_attr_int(b, "exclude_outside", form % 4 >= 2);
        for (int k = 0; k < 40; k++)
            b->in[0].f[k] = 3;
        bench_run(b);
        for (int64_t k = 0; k < shape_size(&b->out[0].shape); k++)
            cr_assert_float_eq((double)b->out[0].f[k], 3, 1e-5);
        cr_expect_eq(bench_matrices(b), 1);
        bench_free(b);
    }
}

/* Keys' kernel with a = -0.75 reproduces a straight line between its samples; halfway between
 * samples 1 and 2 of four its weights are -0.09375, 0.59375, 0.59375, -0.09375. */
Test(linear_resize, cubic_weights)
{
    struct bench *b = resize(13, "cubic", "align_corners", NULL, 4, 7, 0);
    bench_run(b);
    const float *x = b->in[0].f;
    double want = -0.09375 * (double)(x[0] + x[3]) + 0.59375 * (double)(x[1] + x[2]);
    cr_expect_float_eq((double)b->out[0].f[3], want, 1e-6);
    for (int k = 0; k < 4; k++)
        cr_expect_float_eq((double)b->out[0].f[2 * k], (double)x[k], 1e-6);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_resize, upsample)
{
    for (int opset = 7; opset <= 9; opset += 2) {
        struct bench *b = bench_new(opset);
        static const float scale[] = {1, 1, 2, 3};
        uint32_t x = bench_input(b, SHAPE(1, 2, 2, 2)), s = bench_floats(b, SHAPE(4), scale);
        double want[48];
        bench_node(b, OP_upsample, opset == 7 ? 1 : 2, (uint32_t[]){x, s});
        if (opset == 7) {
            struct attr a = {
                .name = "scales", .kind = ATTR_FLOATS, .count = 4, .floats = (float *)scale};
            graph_attr(b->g, 0, a);
        }
        bench_run(b);
        for (int o = 0; o < 48; o++)
            want[o] = (double)b->in[0].f[o / 24 * 4 + o / 6 % 4 / 2 * 2 + o % 6 / 3];
        bench_expect(b, SHAPE(1, 2, 4, 6), want);
        cr_expect_eq(bench_matrices(b), 1);
        bench_free(b);
    }
}

Test(linear_resize, crop_outside_is_a_bias)
{
    static const float roi[] = {0, 2}; /* twice as far as the input reaches */
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(3)), none = NONE;
    NODE(b, OP_resize, x, bench_floats(b, SHAPE(2), roi), none, INTS(b, 3));
    bench_attr_text(b, "mode", "linear");
    bench_attr_text(b, "coordinate_transformation_mode", "tf_crop_and_resize");
    bench_attr_float(b, "extrapolation_value", 10);
    bench_run(b);
    double want[3] = {(double)b->in[0].f[0], (double)b->in[0].f[2], 10}; /* coordinates 0, 2, 4 */
    bench_expect(b, SHAPE(3), want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_resize, refused)
{
    static const struct {
        const char *mode, *place, *round;
        enum code code;
    } all[] = {
        {"bilinear", NULL, NULL, E_ATTRIBUTE},
        {"nearest", "half", NULL, E_ATTRIBUTE},
        {"nearest", NULL, "round", E_ATTRIBUTE},
        {"linear", "tf_crop_and_resize", NULL, E_SHAPE}, /* without roi */
        {"linear", "align_corners", NULL, E_OP_FORM},    /* five by 0.7 is no whole size */
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        struct bench *b = resize(13, all[k].mode, all[k].place, all[k].round, 5, 0, 0.7f);
        bench_refuse(b, all[k].code);
        bench_free(b);
    }
    struct bench *b = resize(13, "nearest", NULL, NULL, 5, 0, -1);
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);

    b = resize(13, "nearest", NULL, NULL, 5, 0, INFINITY);
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);
}
