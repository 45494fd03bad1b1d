/* test_interpret.c - one image, many images, any number of threads; watching, changing,
 * polynomials, failures. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define IMAGES 37

/* A weight that is no number is found; limits may be infinite. */
Test(interpret, weights_are_finite)
{
    const float bad[] = {NAN, INFINITY, -INFINITY, 1};
    for (int k = 0; k < 4; k++) {
        struct bench *b = bench_new(13);
        float w[6] = {1, 2, 3, 4, bad[k], 6}, limits[] = {-INFINITY, INFINITY};
        uint32_t x = bench_input(b, SHAPE(1, 2));
        uint32_t low = bench_floats(b, SCALAR, limits), high = bench_floats(b, SCALAR, limits + 1);
        x = NODE(b, OP_clip, x, low, high);
        NODE(b, OP_matmul, x, bench_floats(b, SHAPE(2, 3), w));
        cr_assert(graph_infer(b->g, b->d), "%s", bench_errors(b));
        cr_expect(op_finite(b->g, b->d) == (k == 3));
        cr_expect(diag_errors(b->d) == (k < 3));
        cr_expect(k == 3 || diag_at(b->d, 0)->code == E_NOT_FINITE);
        bench_free(b);
    }
}

/* A convolution, an activation that is read twice, a sum, a dense layer: [1, 2, 6, 6] to [1, 5]. */
static struct bench *
network(uint32_t *activation)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(1, 2, 6, 6));
    uint32_t c =
        NODE(b, OP_conv, x, bench_weights(b, SHAPE(4, 2, 3, 3)), bench_weights(b, SHAPE(4)));
    ATTR_LIST(b, "pads", 1, 1, 1, 1);
    uint32_t r = NODE(b, OP_relu, c);
    uint32_t s = NODE(b, OP_add, r, NODE(b, OP_neg, NODE(b, OP_relu, r)));
    uint32_t t = NODE(b, OP_add, s, r);
    uint32_t f = NODE(b, OP_flatten, t);
    NODE(b, OP_gemm, f, bench_weights(b, SHAPE(144, 5)));
    if (activation)
        *activation = r;
    cr_assert(graph_infer(b->g, b->d), "%s", bench_errors(b));
    return b;
}

static float *
images(struct bench *b)
{
    float *x = ARENA_ARRAY(b->a, float, IMAGES * 72);
    for (int k = 0; k < IMAGES * 72; k++)
        x[k] = (float)bench_int(b, -1000, 1000) / 1000;
    return x;
}

Test(interpret, many_is_one_after_another_at_any_number_of_threads)
{
    struct bench *b = network(NULL);
    float *x = images(b), *want = ARENA_ARRAY(b->a, float, IMAGES * 5), got[IMAGES * 5];
    struct interpret_options o = {.threads = 1};
    for (int k = 0; k < IMAGES; k++) {
        memcpy(b->in[0].f, x + k * 72, 72 * sizeof *x);
        cr_assert(interpret_one(b->g, &o, b->a, b->in, b->out, b->d));
        memcpy(want + k * 5, b->out[0].f, 5 * sizeof *want);
    }
    for (int threads = 0; threads <= 5; threads++) {
        o.threads = threads;
        memset(got, 0, sizeof got);
        cr_assert(interpret_many(b->g, &o, x, IMAGES, got, b->d));
        cr_expect_arr_eq(got, want, sizeof got, "%d threads", threads);
    }
    bench_free(b);
}

struct seen {
    uint32_t activation;
    float *data; /* of the watched activation, image by image */
    uint32_t progress, all;
    uint32_t counts[2];
};

static void
see(void *user, uint32_t image, uint32_t index, const float *data)
{
    struct seen *s = user;
    if (index == 0)
        memcpy(s->data + image * 144, data, 144 * sizeof *data);
#pragma omp atomic
    s->counts[index]++;
}

static void
progress(void *user, uint32_t done, uint32_t all)
{
    struct seen *s = user;
    s->progress = done > s->progress ? done : s->progress;
    s->all = all;
}

Test(interpret, watched_values_are_seen_once_an_image)
{
    struct seen s = {0};
    struct bench *b = network(&s.activation);
    uint32_t watch[2] = {s.activation, b->g->inputs.at[0].value};
    float *x = images(b), out[IMAGES * 5];
    s.data = ARENA_ARRAY(b->a, float, IMAGES * 144);
    struct interpret_options o = {
        .threads = 2, .watch = watch, .n_watch = 2, .see = see, .progress = progress, .user = &s};
    cr_assert(interpret_many(b->g, &o, x, IMAGES, out, b->d));
    cr_expect_eq(s.counts[0], IMAGES);
    cr_expect_eq(s.counts[1], IMAGES);
    cr_expect_eq(s.progress, IMAGES);
    cr_expect_eq(s.all, IMAGES);
    /* The dense layer of what was seen: s = relu - relu + relu. */
    const float *w = graph_value(b->g, graph_producer(b->g, b->g->outputs.at[0])->in.at[1])->data.f;
    for (int k = 0; k < IMAGES; k++)
        for (int m = 0; m < 5; m++) {
            double sum = 0;
            for (int i = 0; i < 144; i++)
                sum += (double)s.data[k * 144 + i] * (double)w[i * 5 + m];
            cr_assert_float_eq((double)out[k * 5 + m], sum, 1e-3);
        }
    bench_free(b);
}

static void
add_one(void *user, uint32_t image, uint32_t node, uint32_t output, float *data, int64_t n)
{
    uint32_t *which = user;
    (void)image;
    (void)output;
    for (int64_t k = 0; node == *which && k < n; k++)
        data[k] += 1;
}

Test(interpret, results_can_be_changed_on_the_way)
{
    struct bench *b = bench_new(13);
    uint32_t first = 0;
    NODE(b, OP_neg, NODE(b, OP_neg, bench_input(b, SHAPE(3))));
    cr_assert(graph_infer(b->g, b->d));
    struct interpret_options o = {.after = add_one, .user = &first};
    cr_assert(interpret_one(b->g, &o, b->a, b->in, b->out, b->d));
    for (int k = 0; k < 3; k++) /* -(-x + 1) */
        cr_expect_float_eq((double)b->out[0].f[k], (double)b->in[0].f[k] - 1, 1e-6);
    bench_free(b);
}

/* A polynomial for each of 3 channels; 13 elements a channel, so that whole and broken blocks
 * occur. */
static struct poly *
polynomials(struct bench *b, uint32_t rows)
{
    struct poly *p = ARENA_NEW(b->a, struct poly);
    p->degree = 6;
    p->rows = rows;
    p->coef = ARENA_ARRAY(b->a, double, rows * 7);
    p->center = ARENA_ARRAY(b->a, double, rows);
    p->radius = ARENA_ARRAY(b->a, double, rows);
    for (uint32_t k = 0; k < rows * 7; k++)
        p->coef[k] = (double)bench_int(b, -100, 100) / 100;
    for (uint32_t k = 0; k < rows; k++) {
        p->center[k] = 0.1 * k;
        p->radius[k] = 1.5 + k;
    }
    return p;
}

/* The sum of T_k by cosines, |t| <= 1. */
static double
chebyshev(const struct poly *p, uint32_t row, double x)
{
    double t = (x - p->center[row]) / p->radius[row], sum = 0;
    for (uint32_t k = 0; k <= p->degree; k++)
        sum += p->coef[row * (p->degree + 1) + k] * cos((double)k * acos(t));
    return sum;
}

Test(interpret, polynomials_in_place_of_activations)
{
    for (uint32_t rows = 1; rows <= 3; rows += 2) {
        struct bench *b = bench_new(13);
        NODE(b, OP_relu, bench_input(b, SHAPE(2, 3, 13)));
        cr_assert(graph_infer(b->g, b->d));
        struct poly *p = b->g->nodes.at[0].poly = polynomials(b, rows);
        struct interpret_options o = {.poly = true};
        cr_assert(interpret_one(b->g, &o, b->a, b->in, b->out, b->d));
        for (int k = 0; k < 78; k++) {
            uint32_t row = rows == 1 ? 0 : (uint32_t)k / 13 % 3;
            double x = (double)b->in[0].f[k];
            cr_assert_float_eq((double)b->out[0].f[k], chebyshev(p, row, x), 1e-5);
            cr_assert_eq(b->out[0].f[k], (float)poly_eval(p, row, x));
        }
        o.poly = false; /* the activation itself */
        cr_assert(interpret_one(b->g, &o, b->a, b->in, b->out, b->d));
        for (int k = 0; k < 78; k++)
            cr_assert_eq(b->out[0].f[k], fmaxf(b->in[0].f[k], 0));
        bench_free(b);
    }
}

Test(interpret, data_must_fit)
{
    struct bench *b = bench_new(13);
    struct interpret_options o = {0};
    NODE(b, OP_neg, bench_input(b, SHAPE(3)));
    cr_assert(graph_infer(b->g, b->d));
    b->in[0].shape = SHAPE(4);
    cr_expect(!interpret_one(b->g, &o, b->a, b->in, b->out, b->d));
    cr_expect_eq(diag_at(b->d, 0)->code, E_INPUT_DATA);
    b->in[0].shape = SHAPE(3);
    b->in[0].dtype = DT_I32;
    cr_expect(!interpret_one(b->g, &o, b->a, b->in, b->out, b->d));
    cr_expect_eq(diag_errors(b->d), 2);
    bench_free(b);

    b = bench_new(13);
    float x[2] = {0}, y[2];
    NODE(b, OP_add, bench_input(b, SHAPE(1)), bench_input(b, SHAPE(1)));
    cr_assert(graph_infer(b->g, b->d));
    cr_expect(!interpret_many(b->g, &o, x, 2, y, b->d));
    cr_expect_eq(diag_at(b->d, 0)->code, E_INPUT_DATA);
    bench_free(b);
}

/* Images 20 and 30 index outside of a table of three: one message, about image 20's index, whatever
 * the number of threads. */
Test(interpret, the_first_failure_is_reported)
{
    for (int threads = 1; threads <= 3; threads++) {
        struct bench *b = bench_new(13);
        uint32_t index = graph_input(b->g, "index", DT_I64, SHAPE(1));
        NODE(b, OP_gather, bench_weights(b, SHAPE(3)), index);
        cr_assert(graph_infer(b->g, b->d), "%s", bench_errors(b));
        float x[IMAGES] = {0}, y[IMAGES];
        x[20] = 77;
        x[30] = 99;
        struct interpret_options o = {.threads = threads};
        cr_expect(!interpret_many(b->g, &o, x, IMAGES, y, b->d));
        cr_assert_eq(diag_errors(b->d), 1);
        cr_expect_eq(diag_at(b->d, 0)->code, E_EVAL);
        cr_expect(strstr(diag_at(b->d, 0)->text, "77") != NULL, "%s", diag_at(b->d, 0)->text);
        bench_free(b);
    }
}

Test(interpret, outputs_may_be_inputs_and_constants)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(2)), w = bench_weights(b, SHAPE(2));
    vec_push(b->a, &b->g->outputs, x);
    vec_push(b->a, &b->g->outputs, w);
    bench_run(b);
    cr_expect_arr_eq(b->out[0].f, b->in[0].f, 2 * sizeof(float));
    cr_expect_arr_eq(b->out[1].f, graph_value(b->g, w)->data.f, 2 * sizeof(float));
    bench_free(b);
}
