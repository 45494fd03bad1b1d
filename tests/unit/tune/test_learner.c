/* test_learner.c - gradients against finite differences, on networks of every kind of step. */
#include "tune/learner.h"

#include "nets.h"

#define IMAGES 3

/* What the inputs of the polynomials stand out of their ranges, by the definition: each input is
 * found from the images by the interpreter, which knows nothing of the learner's coefficients. */
struct outside {
    const struct poly *p;
    double sum;
};

static void
see(void *user, uint32_t image, uint32_t watched, const float *x)
{
    struct outside *o = user;
    (void)image;
    (void)watched;
    for (uint32_t c = 0; c < 5; c++) {
        uint32_t row = o->p->rows > 1 ? c : 0;
        double u = fabs(((double)x[c] - o->p->center[row]) / o->p->radius[row]);
        o->sum += pow(fmax(u - 1, 0), 2);
    }
}

static double
loss(struct learner_run *r, const struct learner *n, const float *x, const double *weight)
{
    const float *y = learner_forward(r, x, IMAGES);
    double sum = 0;
    for (int64_t k = 0; k < IMAGES * learner_outputs(n); k++)
        sum += weight[k] * (double)y[k] + 0.5 * (double)y[k] * (double)y[k];
    return sum;
}

/* Every parameter's derivative of a loss with weights of its own for each output. */
static void
check_with(struct net *t, struct learner_options options)
{
    cr_assert(graph_infer(t->g, t->d), "%s", net_errors(t));
    net_images(t, IMAGES, 1);
    struct learner *n = learner_new(t->a, t->g, &options, t->d);
    cr_assert(n, "%s", net_errors(t));
    struct learner_run *r = learner_run_new(t->a, n, IMAGES);
    int64_t outputs = IMAGES * learner_outputs(n);
    double *weight = ARENA_ARRAY(t->a, double, (size_t)outputs);
    float *slope = ARENA_ARRAY(t->a, float, (size_t)outputs);
    float *gradient = ARENA_ARRAY(t->a, float, learner_size(n));
    for (int64_t k = 0; k < outputs; k++)
        weight[k] = 2 * net_random(t) - 1;
    const float *y = learner_forward(r, t->images, IMAGES);
    for (int64_t k = 0; k < outputs; k++)
        slope[k] = (float)weight[k] + y[k];
    learner_backward(r, slope, gradient);

    uint32_t count, checked = 0;
    const struct learner_param *p = learner_params(n, &count);
    cr_assert(count > 0);
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < p[k].n; i += 1 + p[k].n / 12, checked++) {
            float was = p[k].data[i];
            double h = 4e-3;
            p[k].data[i] = was + (float)h;
            double up = loss(r, n, t->images, weight);
            p[k].data[i] = was - (float)h;
            double down = loss(r, n, t->images, weight);
            p[k].data[i] = was;
            double want = (up - down) / (2 * h), is = (double)gradient[p[k].first + i];
            cr_expect(fabs(want - is) < 0.01 * fabs(want) + 0.01, "%s %u: %g, finite %g",
                      t->g->nodes.at[p[k].node].name, i, is, want);
        }
    cr_expect(checked >= 10);
}

static void
check(struct net *t)
{
    check_with(t, (struct learner_options){0});
}

static uint32_t
conv(struct net *t, uint32_t x, struct shape w, int64_t group, int64_t stride)
{
    uint32_t in[] = {x, net_const(t, w, -0.5, 0.5),
                     net_const(t, shape_of(1, &w.dim[0]), -0.5, 0.5)};
    uint32_t y = net_node(t, OP_conv, 3, in);
    net_attr_int(t, "group", group);
    int64_t s[] = {stride, stride}, pads[] = {1, 0, 1, 2};
    net_attr_ints(t, "strides", 2, s);
    net_attr_ints(t, "pads", 4, pads);
    return y;
}

Test(learner, convolutions_pools_and_sums)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 2, 6, 5));
    uint32_t a = conv(&t, x, DIMS(4, 2, 3, 3), 1, 1);
    uint32_t b = OP1(&t, OP_tanh, a);
    uint32_t c = conv(&t, b, DIMS(4, 2, 3, 3), 2, 1);
    uint32_t d = OP2(&t, OP_add, OP1(&t, OP_sigmoid, c), b);
    d = OP2(&t, OP_mul, d, a); /* three uses of a */
    d = OP1(&t, OP_globalaveragepool, d);
    d = OP1(&t, OP_flatten, d);
    net_output(&t, OP2(&t, OP_sub, d, OP2(&t, OP_mul, d, net_number(&t, 0.3))));
    check(&t);
    net_free(&t);
}

Test(learner, dense_layers_both_ways)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 7));
    uint32_t in[] = {x, net_const(&t, DIMS(5, 7), -1, 1), net_const(&t, DIMS(5), -1, 1)};
    uint32_t a = net_node(&t, OP_gemm, 3, in);
    net_attr_int(&t, "transB", 1);
    net_attr_float(&t, "alpha", 0.7F);
    net_attr_float(&t, "beta", 1.5F);
    uint32_t b = OP1(&t, OP_softplus, a);
    uint32_t c = OP2(&t, OP_matmul, b, net_const(&t, DIMS(5, 6), -1, 1));
    net_output(&t, OP2(&t, OP_mul, c, c));
    check(&t);
    net_free(&t);
}

static struct poly
random_poly(struct net *t, uint32_t degree, uint32_t rows)
{
    struct poly p = {.degree = degree, .rows = rows};
    p.coef = ARENA_ARRAY(t->a, double, rows *(degree + 1));
    p.center = ARENA_ARRAY(t->a, double, rows);
    p.radius = ARENA_ARRAY(t->a, double, rows);
    for (uint32_t k = 0; k < rows * (degree + 1); k++)
        p.coef[k] = net_random(t) - 0.5;
    for (uint32_t r = 0; r < rows; r++) {
        p.center[r] = net_random(t) - 0.5;
        p.radius[r] = 3 + net_random(t);
    }
    return p;
}

Test(learner, polynomials_are_those_of_the_interpreter_and_learn)
{
    for (uint32_t degree = 1; degree <= 7; degree += 2)
        for (uint32_t rows = 1; rows <= 5; rows += 4) {
            struct net t = net_new(13);
            uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 7));
            uint32_t in[] = {x, net_const(&t, DIMS(7, 5), -1, 1), net_const(&t, DIMS(5), -1, 1)};
            uint32_t a = net_node(&t, OP_gemm, 3, in), b = OP1(&t, OP_relu, a);
            struct poly p = random_poly(&t, degree, rows);
            t.g->nodes.at[1].poly = &p;
            net_output(&t, b);
            check(&t);
            check_with(&t, (struct learner_options){.polys = true});
            float *exact = net_run(&t, true);
            struct learner *n = learner_new(t.a, t.g, NULL, t.d);
            const float *y = learner_forward(learner_run_new(t.a, n, IMAGES), t.images, IMAGES);
            for (int k = 0; k < 5 * IMAGES; k++)
                cr_expect(fabs((double)exact[k] - (double)y[k]) < 1e-4);
            net_free(&t);
        }
}

/* The loss for what stands out of a range, by finite differences of the bias before it. */
Test(learner, inputs_outside_of_a_range_are_felt)
{
    for (uint32_t rows = 1; rows <= 5; rows += 4) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 7));
        uint32_t in[] = {x, net_const(&t, DIMS(7, 5), -1, 1), net_const(&t, DIMS(5), -1, 1)};
        uint32_t a = net_node(&t, OP_gemm, 3, in);
        net_output(&t, OP1(&t, OP_relu, a));
        cr_assert(graph_infer(t.g, t.d));
        struct poly p = random_poly(&t, 3, rows);
        for (uint32_t r = 0; r < rows; r++)
            p.radius[r] *= 0.2;
        t.g->nodes.at[1].poly = &p;
        net_images(&t, IMAGES, 1);
        struct learner_options o = {.polys = true, .frozen = true};
        struct learner *n = learner_new(t.a, t.g, &o, t.d);
        struct learner_run *r = learner_run_new(t.a, n, IMAGES);
        float *gradient = ARENA_ARRAY(t.a, float, learner_size(n)), none[5 * IMAGES] = {0}, out[15];
        uint32_t count;
        const struct learner_param *param = learner_params(n, &count);
        learner_forward(r, t.images, IMAGES);
        const float weight[IMAGES] = {0.7F, 0.7F, 0.7F};
        learner_backward_held(r, none, weight, gradient);
        for (uint32_t k = 0; k < count; k++)
            for (uint32_t i = 0; i < param[k].n; i++) {
                struct outside o2[2] = {{&p, 0}, {&p, 0}};
                for (int s = 0; s < 2 && param[k].kind == LEARN_BIAS; s++) {
                    struct interpret_options io = {
                        .watch = &a, .n_watch = 1, .see = see, .user = &o2[s], .threads = 1};
                    float was = param[k].data[i];
                    param[k].data[i] += s ? 1e-2F : -1e-2F;
                    cr_assert(interpret_many(t.g, &io, t.images, IMAGES, out, t.d));
                    param[k].data[i] = was;
                }
                double want = 0.7 * (o2[1].sum - o2[0].sum) / 2e-2;
                cr_expect_float_eq(gradient[param[k].first + i], want, 0.02 * fabs(want) + 1e-4,
                                   "%u %u: %g, finite %g", k, i,
                                   (double)gradient[param[k].first + i], want);
            }
        net_free(&t);
    }
}

Test(learner, says_what_it_cannot_learn_through)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 7));
    uint32_t a = OP2(&t, OP_matmul, x, net_const(&t, DIMS(7, 5), -1, 1));
    net_output(&t, OP1(&t, OP_softmax, a));
    cr_assert(graph_infer(t.g, t.d));
    cr_assert(!learner_new(t.a, t.g, NULL, t.d));
    cr_expect(diag_at(t.d, 0)->code == E_TUNE_FORM);
    net_free(&t);
}
