/* test_choose.c - whole compiles under --max-drop and --max-latency, and the candidates that they
 * choose from. */
#include "approximate/approximate.h"
#include "choose/choose.h"
#include "nets.h"
#include "pipeline/pipeline.h"

static struct compile_options
lenet(double max_drop, double max_latency)
{
    return (struct compile_options){.model = OLAC_SOURCE_DIR "/examples/networks/lenet5.onnx",
                                    .calib = OLAC_SOURCE_DIR "/examples/networks/digits.npy",
                                    .calib_count = 100,
                                    .max_drop = max_drop,
                                    .max_latency = max_latency};
}

static const char *
errors(struct arena *a, struct diag *d)
{
    struct net t = {.a = a, .d = d};
    return net_errors(&t);
}

/* Images on which the compiled graph disagrees with the float one, of the half that judges. */
static double
drop_on_odd(struct arena *a, struct compiled *c, struct diag *d)
{
    int64_t in = shape_size(&graph_value(c->graph, c->graph->inputs.at[0].value)->shape);
    uint32_t lost = 0, n = 0;

    for (uint32_t k = 1; k < c->n_calib; k += 2, n++) {
        float z[2][10];
        uint32_t best[2] = {0, 0};
        for (int poly = 0; poly < 2; poly++) {
            struct interpret_options o = {.poly = poly, .threads = 1};
            cr_assert(interpret_many(poly ? c->graph : c->imported, &o, c->calib_images + k * in, 1,
                                     z[poly], d),
                      "%s", errors(a, d));
            for (uint32_t i = 1; i < 10; i++)
                best[poly] = z[poly][i] > z[poly][best[poly]] ? i : best[poly];
        }
        lost += best[0] != best[1];
    }
    cr_assert_eq(n, c->chosen.judged);
    return (double)lost / n;
}

Test(choose, lenet_within_the_drop)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct compile_options o = lenet(0.02, 0);
    struct compiled c = {0};
    uint32_t levels = 0;

    cr_assert(pipeline_compile(a, &o, &c, d), "%s", errors(a, d));
    const struct chosen_plan *p = &c.chosen.plan;
    cr_assert_leq(p->drop, 0.02);
    cr_assert_float_eq(p->drop, drop_on_odd(a, &c, d), 1e-9,
                       "the drop that is reported is that of what was compiled");
    for (uint32_t k = 0; k < c.graph->nodes.len; k++)
        if (c.graph->nodes.at[k].poly)
            levels += (uint32_t)ceil(log2(c.graph->nodes.at[k].poly->degree + 1.0));
    cr_assert_eq(levels, p->levels);
    cr_assert_float_eq(c.program->seconds, p->seconds, 1e-6 * p->seconds,
                       "the price is that of the program");
    uint32_t met = 0;
    for (int k = 0; k < CHOSEN_UNIFORM; k++)
        if (c.chosen.uniform[k].drop <= 0.02) {
            cr_expect_leq(p->levels, c.chosen.uniform[k].levels, "degree %u",
                          c.chosen.uniform[k].uniform);
            cr_expect_leq(p->seconds, c.chosen.uniform[k].seconds, "degree %u",
                          c.chosen.uniform[k].uniform);
            met++;
        }
    cr_assert(met, "some uniform degree meets it, so that there is something to compare with");
    diag_free(d);
    arena_free(a);
}

Test(choose, lenet_within_the_time)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct compiled all = {0}, c = {0};
    struct compile_options o = lenet(0.2, 0);

    cr_assert(pipeline_middle(a, &o, &all, d), "%s", errors(a, d));
    double middle = (all.chosen.uniform[0].seconds + all.chosen.uniform[1].seconds) / 2;
    o = lenet(0, middle);
    cr_assert(pipeline_middle(a, &o, &c, d), "%s", errors(a, d));
    cr_assert_leq(c.chosen.plan.seconds, middle);
    cr_assert_leq(c.chosen.plan.drop, all.chosen.uniform[0].drop,
                  "no worse than the uniform degree that is as fast");
    diag_free(d);
    arena_free(a);
}

Test(choose, says_what_would_do)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct compiled c = {0}, again = {0}, none = {0};
    struct compile_options o = lenet(0, 1e-3);

    cr_assert_not(pipeline_middle(a, &o, &c, d));
    const struct message *m = diag_at(d, 0);
    cr_assert_eq(m->code, E_CHOOSE_BUDGET);
    cr_assert(m->place.node && map_get(&c.graph->node_names, m->place.node, &(uint32_t){0}),
              "an activation is named");
    double would = 0;
    cr_assert_eq(sscanf(m->hint, "--max-latency %lf would do", &would), 1, "%s", m->hint);
    o = lenet(0, would);
    cr_assert(pipeline_middle(a, &o, &again, d), "what it says would do does: %s", errors(a, d));
    o = lenet(0.01, 0);
    o.approximate.degree = 7;
    cr_assert_not(pipeline_middle(a, &o, &none, d));
    cr_assert_eq(diag_at(d, diag_count(d) - 1)->code, E_CHOOSE_OPTION);
    diag_free(d);
    arena_free(a);
}

/* A ReLU that is fed a normal density, one of 1.13e-2 at degree 2 and 2.65e-3 at degree 6, from
 * Hermite's coefficients: E(d) = 1/2 - sum of c_k^2 up to d, and c_k = 0 for odd k > 1. Degrees 3
 * and 7 have the errors of 2 and 6. The hold makes them somewhat larger, never smaller. */
Test(choose, candidates_of_a_normal_density)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 1, 32, 32));
    struct approximate_options o = {0};
    struct choice c = {0};

    net_output(&t, OP1(&t, OP_relu, x));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 300, 1);
    cr_assert(approximate_errors(t.g, t.images, t.n, &o, &c, t.d), "%s", net_errors(&t));
    cr_assert_eq(c.n, 1);
    cr_assert_eq(c.layers[0].n, 4);
    const double expected[] = {1.13e-2, 2.65e-3};
    for (int k = 0; k < 2; k++) {
        double e = c.layers[0].option[k].error[0];
        cr_expect(e > 0.9 * expected[k] && e < 1.5 * expected[k], "degree %u: %g",
                  c.layers[0].option[k].degree, e);
        cr_expect_eq(c.layers[0].option[k].levels, 2 + (uint32_t)k);
    }
    for (uint32_t k = 1; k < 4; k++)
        cr_expect_lt(c.layers[0].option[k].error[0], c.layers[0].option[k - 1].error[0]);
    net_free(&t);
}

/* Pins bound what may be chosen. */
Test(choose, pins_bound_the_candidates)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4));
    struct approximate_options o = {0};
    struct choice c = {0};

    uint32_t a = OP1(&t, OP_tanh, x);
    t.g->nodes.at[0].pins = (struct pins){.degree_min = 5, .degree_max = 5};
    net_output(&t, OP1(&t, OP_sigmoid, a));
    t.g->nodes.at[1].pins = (struct pins){.degree_max = 9};
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 50, 2);
    cr_assert(approximate_errors(t.g, t.images, t.n, &o, &c, t.d), "%s", net_errors(&t));
    cr_assert_eq(c.layers[0].n, 1);
    cr_assert_eq(c.layers[0].option[0].degree, 5);
    cr_assert_eq(c.layers[1].n, 3);
    cr_assert_eq(c.layers[1].option[2].degree, 9);
    cr_assert_eq(c.layers[1].option[2].levels, 4);
    net_free(&t);
}

/* Each candidate in the network alone, and the divergence of the answers by its definition. */
Test(choose, candidates_are_measured_one_by_one)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 6));
    uint32_t v = OP1(&t, OP_relu, OP2(&t, OP_matmul, x, net_const(&t, DIMS(6, 8), -1, 1)));
    v = OP1(&t, OP_tanh, OP2(&t, OP_matmul, v, net_const(&t, DIMS(8, 5), -1, 1)));
    net_output(&t, OP2(&t, OP_matmul, v, net_const(&t, DIMS(5, 3), -2, 2)));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 60, 1);
    struct approximate_options o = {0};
    struct choice c = {0};
    cr_assert(approximate_errors(t.g, t.images, t.n, &o, &c, t.d), "%s", net_errors(&t));
    cr_assert(choose_measure(t.g, t.images, t.n, &c, NULL, NULL, t.d), "%s", net_errors(&t));
    cr_assert_eq(c.n, 2);
    float *exact = net_run(&t, true);
    for (uint32_t k = 0; k < c.n; k++)
        for (uint32_t i = 0; i < c.layers[k].n; i++) {
            t.g->nodes.at[c.layers[k].node].poly = c.layers[k].option[i].poly;
            const float *z = net_run(&t, true);
            double sum = 0;
            for (uint32_t image = 0; image < t.n; image++, z += 3) {
                double p[3], q[3], all_p = 0, all_q = 0;
                for (int j = 0; j < 3; j++) {
                    all_p += p[j] = exp((double)exact[3 * image + (uint32_t)j]);
                    all_q += q[j] = exp((double)z[j]);
                }
                for (int j = 0; j < 3; j++)
                    sum += p[j] / all_p * log(p[j] / all_p * all_q / q[j]) / t.n;
            }
            cr_expect_float_eq(c.layers[k].option[i].measured, sum, 1e-6 + 1e-4 * sum);
            cr_expect_float_eq(choose_cost(&c.layers[k], i), sum, 1e-6 + 1e-4 * sum);
            if (i && sum > 1e-6)
                cr_expect_lt(sum, c.layers[k].option[i - 1].measured);
            t.g->nodes.at[c.layers[k].node].poly = NULL;
        }
    net_free(&t);
}
