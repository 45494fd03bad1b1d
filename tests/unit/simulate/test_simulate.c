/* test_simulate.c - the report of a simulation, against sums done here. */
#include "nets.h"
#include "approximate/approximate.h"
#include "simplify/simplify.h"
#include "simulate/noise.h"
#include "simulate/simulate.h"

#include <omp.h>

/* 0.4 + 0.5 x, on [-radius, radius]. */
static struct poly *
line(struct net *t, double radius)
{
    struct poly *p = ARENA_NEW(t->a, struct poly);

    *p = (struct poly){.degree = 1, .rows = 1};
    p->coef = ARENA_ARRAY(t->a, double, 2);
    p->coef[0] = 0.4;
    p->coef[1] = 0.5 * radius;
    p->center = ARENA_ARRAY(t->a, double, 1);
    p->radius = ARENA_ARRAY(t->a, double, 1);
    p->radius[0] = radius;
    return p;
}

/* x -> relu -> 3 classes, the polynomial of relu given: 0.4 + 0.5 x, on [-radius, radius]. */
static struct net
classifier(double radius)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 5));
    uint32_t v = OP1(&t, OP_relu, x);
    net_output(&t, OP2(&t, OP_matmul, v, net_const(&t, DIMS(5, 3), -1, 1)));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 300, 1);
    t.g->nodes.at[0].poly = line(&t, radius);
    return t;
}

static struct simulate_report
run(struct net *t, const struct simulate_options *o, const int64_t *labels)
{
    struct simulate_report r;
    cr_assert(simulate(t->a, t->images, labels, t->n, o, &r, t->d), "%s", net_errors(t));
    return r;
}

static int
largest(const float *row)
{
    int best = 0;
    for (int c = 1; c < 3; c++)
        best = row[c] > row[best] ? c : best;
    return best;
}

Test(simulate, counts_and_errors_are_what_they_say)
{
    struct net t = classifier(10);
    struct simulate_options o = {.approximated = t.g};
    int64_t labels[300];
    uint32_t agree = 0, right[2] = {0, 0};
    double error = 0, sum = 0, square = 0;
    float *exact = net_run(&t, false), *ours = net_run(&t, true);

    for (int k = 0; k < 300; k++) {
        labels[k] = k % 3;
        agree += largest(exact + 3 * k) == largest(ours + 3 * k);
        right[0] += largest(exact + 3 * k) == k % 3;
        right[1] += largest(ours + 3 * k) == k % 3;
    }
    for (int k = 0; k < 1500; k++) {
        double x = (double)t.images[k], f = x > 0 ? x : 0;
        error += pow(0.4 + 0.5 * x - f, 2) / 1500;
        sum += f / 1500;
        square += f * f / 1500;
    }
    struct simulate_report r = run(&t, &o, labels);
    cr_expect_eq(r.images, 300);
    cr_expect_eq(r.n_outputs, 3);
    cr_expect_eq(r.run[SIMULATE_FLOAT].correct, right[0]);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].correct, right[1]);
    cr_expect_float_eq(r.run[SIMULATE_APPROXIMATED].accuracy, right[1] / 300.0, 1e-12);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].agree, agree);
    cr_expect_null(r.run[SIMULATE_QUANTISED].outputs);
    cr_expect_eq(r.run[SIMULATE_FLOAT].agree, 300);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].diverged, 0);
    cr_expect_null(r.run[SIMULATE_NOISY].outputs);
    cr_expect_arr_eq(r.run[SIMULATE_FLOAT].outputs, exact, 900 * sizeof(float));
    cr_expect_arr_eq(r.run[SIMULATE_APPROXIMATED].outputs, ours, 900 * sizeof(float));
    cr_assert_eq(r.n_layers, 1);
    cr_expect_eq(r.layers[0].degree, 1);
    cr_expect_eq(r.layers[0].levels, 1);
    cr_expect_float_eq(r.layers[0].error[SIMULATE_APPROXIMATED], sqrt(error), 1e-5);
    cr_expect_float_eq(r.layers[0].total, sqrt(error), 1e-5);
    cr_expect_float_eq(r.layers[0].spread, sqrt(square - sum * sum), 1e-5);
    cr_expect(isnan(r.layers[0].error[SIMULATE_QUANTISED]));
    cr_expect(isnan(r.layers[0].error[SIMULATE_NOISY]));
    cr_expect_float_eq(r.layers[0].relative, sqrt(error / (square - sum * sum)), 1e-5);
    cr_expect_eq(r.departs, 0);
    cr_expect_eq(r.departs_by, SIMULATE_APPROXIMATED);
    net_free(&t);
}

/* x is moved by the rounding of a constant before the activation, and by noise after it. */
Test(simulate, errors_are_split_by_what_makes_them)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 5));
    net_output(&t, OP1(&t, OP_relu, OP2(&t, OP_mul, x, net_number(&t, 1.0))));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 4000, 1);
    t.g->nodes.at[1].poly = line(&t, 10);
    struct graph *rounded = graph_copy(t.a, t.g);
    struct tensor half = tensor_new(t.a, DT_F32, shape_of(0, NULL));
    half.f[0] = 0.5f;
    rounded->values.at[rounded->nodes.at[0].in.at[1]].data = half;
    double noise[2] = {0, 0.7}, square = 0;
    struct simulate_options o = {
        .approximated = t.g, .quantised = rounded, .noise = noise, .seed = 3};
    struct simulate_report r = run(&t, &o, NULL);
    for (int k = 0; k < 20000; k++) /* 0.4 + 0.5 x against 0.4 + 0.5 (x / 2) */
        square += pow(0.25 * (double)t.images[k], 2) / 20000;
    cr_assert_eq(r.n_layers, 1);
    const struct simulate_layer *l = &r.layers[0];
    cr_expect_float_eq(l->error[SIMULATE_QUANTISED], sqrt(square), 1e-5);
    cr_expect(fabs(l->error[SIMULATE_NOISY] - 0.7) < 0.02, "%g", l->error[SIMULATE_NOISY]);
    cr_expect_float_eq(pow(l->total, 2),
                       pow(l->error[1], 2) + pow(l->error[2], 2) + pow(l->error[3], 2), 1e-9);
    cr_expect_eq(r.departs_by, SIMULATE_NOISY);
    net_free(&t);
}

Test(simulate, leaving_the_range_is_counted)
{
    struct net t = classifier(1.2);
    struct simulate_options o = {.approximated = t.g};
    uint32_t outside = 0, stray[300];
    for (uint32_t k = 0; k < 300; k++) {
        bool out = false;
        for (int e = 0; e < 5; e++)
            out = out || fabs((double)t.images[5 * k + (uint32_t)e]) > 1.5 * 1.2;
        if (out)
            stray[outside++] = k;
    }
    struct simulate_report r = run(&t, &o, NULL);
    for (uint32_t k = 0; k < r.run[SIMULATE_APPROXIMATED].diverged; k++) {
        cr_expect_eq(r.run[SIMULATE_APPROXIMATED].stray[k].image, stray[k]);
        cr_expect_eq(r.run[SIMULATE_APPROXIMATED].stray[k].layer, 0);
    }
    cr_assert(outside > 10 && outside < 290);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].diverged, outside);
    cr_expect_eq(r.layers[0].outside, outside);
    cr_expect(isnan(r.run[SIMULATE_FLOAT].accuracy));
    net_free(&t);
}

Test(simulate, outputs_that_run_away_are_counted)
{
    struct net t = classifier(10);
    struct simulate_options o = {.approximated = t.g};
    t.g->nodes.at[0].poly->coef[0] = 1e6;
    struct simulate_report r = run(&t, &o, NULL);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].diverged, 300);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].stray[299].image, 299);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].stray[299].layer, NONE);
    cr_expect_eq(r.run[SIMULATE_FLOAT].diverged, 0);
    t.g->nodes.at[0].poly->coef[0] = INFINITY;
    r = run(&t, &o, NULL);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].diverged, 300);
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].agree, 0);
    net_free(&t);
}

Test(simulate, noise_has_its_deviation_and_is_the_same_again)
{
    struct net t = classifier(10);
    double noise[2] = {0, 0.01};
    struct simulate_options o = {.approximated = t.g, .noise = noise, .seed = 5, .threads = 1};
    struct simulate_report r = run(&t, &o, NULL), again;
    double sum = 0, square = 0;

    for (int k = 0; k < 900; k++) {
        double e = (double)r.run[SIMULATE_NOISY].outputs[k] -
                   (double)r.run[SIMULATE_APPROXIMATED].outputs[k];
        sum += e / 900;
        square += e * e / 900;
    }
    cr_expect(fabs(sum) < 0.0015, "%g", sum);
    cr_expect(fabs(sqrt(square) - 0.01) < 0.001, "%g", sqrt(square));
    o.threads = 3;
    again = run(&t, &o, NULL);
    cr_expect_arr_eq(r.run[SIMULATE_NOISY].outputs, again.run[SIMULATE_NOISY].outputs,
                     900 * sizeof(float));
    o.seed = 6;
    again = run(&t, &o, NULL);
    cr_expect_arr_neq(r.run[SIMULATE_NOISY].outputs, again.run[SIMULATE_NOISY].outputs,
                      900 * sizeof(float));
    net_free(&t);
}

Test(simulate, deviates_are_normal_and_depend_on_their_place)
{
    static float a[100001], b[100001];
    double moment[5] = {0};

    noise_add(a, 100001, 2, 7, 3, 1, 0);
    for (int k = 0; k < 100001; k++)
        for (int m = 1; m <= 4; m++)
            moment[m] += pow((double)a[k] / 2, m) / 100001;
    cr_expect(fabs(moment[1]) < 0.02 && fabs(moment[2] - 1) < 0.02);
    cr_expect(fabs(moment[3]) < 0.05 && fabs(moment[4] - 3) < 0.15, "%g", moment[4]);
    const uint64_t places[4][4] = {{8, 3, 1, 0}, {7, 4, 1, 0}, {7, 3, 2, 0}, {7, 3, 1, 1}};
    for (int p = 0; p < 4; p++) {
        double product = 0;
        memset(b, 0, sizeof b);
        noise_add(b, 100001, 2, places[p][0], (uint32_t)places[p][1], (uint32_t)places[p][2],
                  (uint32_t)places[p][3]);
        for (int k = 0; k < 100001; k++)
            product += (double)a[k] * (double)b[k] / 4 / 100001;
        cr_expect(fabs(product) < 0.02, "place %d: correlation %g", p, product);
    }
}

Test(simulate, encoded_weights_are_a_graph_of_their_own)
{
    struct net t = classifier(10);
    struct graph *q = graph_copy(t.a, t.g);
    uint32_t w = q->nodes.at[1].in.at[1];
    struct tensor coarse = tensor_new(t.a, DT_F32, q->values.at[w].shape);
    for (int k = 0; k < 15; k++)
        coarse.f[k] = roundf(2 * q->values.at[w].data.f[k]) / 2;
    q->values.at[w].data = coarse;
    struct simulate_options o = {.approximated = t.g, .quantised = q};
    struct simulate_report r = run(&t, &o, NULL);
    cr_expect_arr_neq(r.run[SIMULATE_QUANTISED].outputs, r.run[SIMULATE_APPROXIMATED].outputs,
                      900 * sizeof(float));
    for (int c = 0; c < 3; c++) {
        double want = 0;
        for (int e = 0; e < 5; e++)
            want += (0.4 + 0.5 * (double)t.images[e]) * (double)coarse.f[3 * e + c];
        cr_expect_float_eq((double)r.run[SIMULATE_QUANTISED].outputs[c], want, 1e-5);
    }
    net_free(&t);
}

/* 60,000 activations: some 280 images make a block. */
Test(simulate, blocks_leave_no_mark)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 60000));
    uint32_t v = OP1(&t, OP_relu, x);
    net_output(&t, OP2(&t, OP_matmul, v, net_const(&t, DIMS(60000, 2), -1, 1)));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 300, 1);
    t.g->nodes.at[0].poly = line(&t, 10);
    t.images[5] = t.images[290 * 60000 + 7] = 99;
    double noise[2] = {0.1, 0};
    struct simulate_options o = {.approximated = t.g, .noise = noise, .seed = 5};
    struct simulate_report r = run(&t, &o, NULL), last;
    cr_expect_arr_eq(r.run[SIMULATE_APPROXIMATED].outputs, net_run(&t, true), 600 * sizeof(float));
    cr_assert_eq(r.run[SIMULATE_NOISY].diverged, 2);
    cr_expect_eq(r.run[SIMULATE_NOISY].stray[0].image, 0);
    cr_expect_eq(r.run[SIMULATE_NOISY].stray[1].image, 290);
    cr_expect(fabs(r.layers[0].error[SIMULATE_NOISY] - 0.1) < 0.001);
    cr_assert(simulate(t.a, t.images, NULL, 10, &o, &last, t.d));
    cr_expect_arr_eq(r.run[SIMULATE_NOISY].outputs, last.run[SIMULATE_NOISY].outputs,
                     20 * sizeof(float));
    net_free(&t);
}

Test(simulate, labels_must_name_classes)
{
    struct net t = classifier(10);
    struct simulate_options o = {.approximated = t.g};
    struct simulate_report r;
    int64_t labels[300] = {0};
    labels[299] = 3;
    cr_expect_not(simulate(t.a, t.images, labels, 300, &o, &r, t.d));
    cr_expect_eq(diag_at(t.d, 0)->code, E_SIM_LABELS);
    labels[299] = -1;
    cr_expect_not(simulate(t.a, t.images, labels, 300, &o, &r, t.d));
    net_free(&t);
}

/* The accuracy that PyTorch measured: 97.96 % of the first 5,000 test images (shared data,
 * README). */
Test(simulate, digits_by_the_float_network)
{
    struct net t = net_new(13);
    net_model(&t, "models/mnist/cryptonets_relu.onnx");
    struct graph *read = graph_copy(t.a, t.g);
    cr_assert(simplify(t.g, t.d));
    struct approximate_options a = {.degree = 7};
    struct approximate_report fitted;
    net_load(&t, "mnist/train-images-idx3-ubyte.gz", NULL, 500, NULL, NULL);
    cr_assert(approximate(t.g, t.images, t.n, &a, &fitted, t.d), "%s", net_errors(&t));
    const int64_t *labels = net_load(&t, "mnist/t10k-0-4999-images-idx3-ubyte.gz",
                                     "mnist/t10k-0-4999-labels-idx1-ubyte.gz", 5000, NULL, NULL);
    struct simulate_options o = {.exact = read, .approximated = t.g};
    struct simulate_report r = run(&t, &o, labels);
    cr_expect_eq(r.run[SIMULATE_FLOAT].correct, 4898);
    cr_expect(r.run[SIMULATE_APPROXIMATED].correct >= 4860, "%u",
              r.run[SIMULATE_APPROXIMATED].correct);
    cr_expect_leq(r.run[SIMULATE_APPROXIMATED].diverged, 2);
    net_free(&t);
}
