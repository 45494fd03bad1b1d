/* test_impact.c - impacts against finite differences of the loss, element by element. */
#include "choose/choose.h"
#include "nets.h"

#include <omp.h>

/* ---- the independent computation
 * ------------------------------------------------------------------------- */

struct push {
    uint32_t node;
    int64_t element;
    double by;
    bool share; /* of the value */
};

static void
pushed(void *user, uint32_t image, uint32_t node, uint32_t output, float *data, int64_t n)
{
    const struct push *p = user;
    (void)image;
    (void)output;
    if (node == p->node && p->element < n)
        data[p->element] += (float)p->by * (p->share ? data[p->element] : 1);
}

/* The loss of one image; of a single output the output. */
static double
loss(struct net *t, uint32_t image, struct push p, int64_t label)
{
    const struct value *in = graph_value(t->g, t->g->inputs.at[0].value);
    int64_t n = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape), best = 0;
    struct interpret_options o = {.after = pushed, .user = &p, .threads = 1};
    float *z = ARENA_ARRAY(t->a, float, (size_t)n);
    double sum = 0;

    cr_assert(interpret_many(t->g, &o, t->images + image * shape_size(&in->shape), 1, z, t->d),
              "%s", net_errors(t));
    if (n == 1)
        return (double)z[0];
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)z[i]);
    for (int64_t i = 0; i < n; i++)
        best = z[i] > z[best] ? i : best;
    return log(sum) - (double)z[label < 0 ? best : label];
}

static void
expect_impacts(struct net *t, struct choice *c, const int64_t *labels)
{
    for (uint32_t k = 0; k < c->n; k++) {
        const struct choice_layer *l = &c->layers[k];
        const struct shape *s = &graph_value(t->g, t->g->nodes.at[l->node].out.at[0])->shape;
        double *sum = ARENA_ARRAY(t->a, double, l->channels), total = 0;
        bool share = op_row(t->g->nodes.at[l->node].op)->traits & FACTOR;
        int64_t size = shape_size(s), inner = 1;
        int axis;
        graph_channels(s, &axis);
        for (int i = axis + 1; i < s->rank; i++)
            inner *= s->dim[i];
        for (uint32_t image = 0; image < t->n; image++)
            for (int64_t e = 0; e < size; e++) {
                const double h = 2e-3;
                int64_t label = labels ? labels[image] : -1;
                double up = loss(t, image, (struct push){l->node, e, h, share}, label);
                double down = loss(t, image, (struct push){l->node, e, -h, share}, label);
                sum[e / inner % l->channels] += pow((up - down) / (2 * h), 2) / t->n;
            }
        for (uint32_t i = 0; i < l->channels; i++)
            total += sum[i];
        cr_assert_gt(total, 0, "%s", t->g->nodes.at[l->node].name);
        for (uint32_t i = 0; i < l->channels; i++)
            cr_expect_float_eq(l->impact[i], sum[i], 0.02 * total / l->channels,
                               "%s, channel %u: %g, differences %g", t->g->nodes.at[l->node].name,
                               i, l->impact[i], sum[i]);
    }
}

/* ---- networks
 * -----------------------------------------------------------------------------------------------
 */

static struct choice
choice_of(struct net *t)
{
    struct choice c = {.layers = ARENA_ARRAY(t->a, struct choice_layer, t->g->nodes.len + 1)};
    int axis;

    for (uint32_t k = 0; k < t->g->nodes.len; k++)
        if (op_row(t->g->nodes.at[k].op)->class == NONLIN) {
            uint32_t channels =
                graph_channels(&graph_value(t->g, t->g->nodes.at[k].in.at[0])->shape, &axis);
            c.layers[c.n++] = (struct choice_layer){.node = k, .channels = channels};
        }
    return c;
}

static uint32_t
conv(struct net *t, uint32_t x, int64_t out, int64_t in)
{
    uint32_t w = net_const(t, DIMS(out, in, 3, 3), -0.4, 0.4);
    uint32_t y = OP2(t, OP_conv, x, w);
    net_attr_ints(t, "pads", 4, (int64_t[]){1, 1, 1, 1});
    return y;
}

/* A convolution, a residual sum, a gate of one value a channel, and a dense layer. Smooth
 * activations: differences of a kink are not its derivative. */
static struct net
residual(uint32_t images)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 2, 4, 4));
    uint32_t a = OP1(&t, OP_tanh, conv(&t, x, 3, 2));
    uint32_t b = OP1(&t, OP_sigmoid, OP2(&t, OP_add, conv(&t, a, 3, 3), a));
    uint32_t gate = OP1(&t, OP_silu, OP1(&t, OP_globalaveragepool, b));
    uint32_t y = OP1(&t, OP_flatten, OP2(&t, OP_mul, gate, b));
    y = OP2(&t, OP_matmul, y, net_const(&t, DIMS(48, 5), -0.5, 0.5));
    y = OP1(&t, OP_softplus, y);
    net_output(&t, OP2(&t, OP_sub, y, OP2(&t, OP_mul, y, y)));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, images, 1);
    return t;
}

Test(impact, matches_differences)
{
    struct net t = residual(11); /* no multiple of what is computed side by side */
    struct choice c = choice_of(&t);

    cr_assert_eq(c.n, 4);
    cr_assert(choose(t.g, t.images, t.n, NULL, &c, t.d), "%s", net_errors(&t));
    expect_impacts(&t, &c, NULL);
    net_free(&t);
}

Test(impact, matches_differences_with_labels)
{
    struct net t = residual(9);
    struct choice c = choice_of(&t);
    const int64_t labels[] = {0, 1, 2, 3, 4, 3, 2, 1, 0};

    cr_assert(choose(t.g, t.images, t.n, labels, &c, t.d), "%s", net_errors(&t));
    expect_impacts(&t, &c, labels);
    net_free(&t);
}

/* One output; a power; a PRelu with a slope for each channel, fed far from its kink. */
Test(impact, matches_differences_of_one_output)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 3, 2, 2));
    uint32_t s = OP1(&t, OP_sigmoid, x);
    uint32_t p = OP2(&t, OP_prelu, OP2(&t, OP_sub, s, net_const(&t, DIMS(3, 1, 1), 2, 3)),
                     net_const(&t, DIMS(3, 1, 1), 0.2, 2));
    uint32_t y = OP1(&t, OP_flatten, OP2(&t, OP_pow, p, net_number(&t, 3)));
    net_output(&t, OP2(&t, OP_matmul, y, net_const(&t, DIMS(12, 1), -0.5, 0.5)));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 8, 1);
    struct choice c = choice_of(&t);
    cr_assert(choose(t.g, t.images, t.n, NULL, &c, t.d), "%s", net_errors(&t));
    expect_impacts(&t, &c, NULL);
    net_free(&t);
}

/* Attention as decompose/ leaves it: products of two matrices, one with leading dimensions that
 * broadcast, and a reciprocal, whose errors count by their share. */
Test(impact, matches_differences_through_attention)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(2, 3, 4));
    uint32_t q = OP1(&t, OP_tanh, OP2(&t, OP_matmul, x, net_const(&t, DIMS(4, 4), -1, 1)));
    uint32_t k = OP1(&t, OP_transpose, OP1(&t, OP_sigmoid, x));
    net_attr_ints(&t, "perm", 3, (int64_t[]){0, 2, 1});
    uint32_t s = OP1(&t, OP_exp, OP2(&t, OP_matmul, q, k));
    uint32_t sum = OP1(&t, OP_reducemean, s);
    net_attr_ints(&t, "axes", 1, (int64_t[]){-1});
    uint32_t share = OP2(&t, OP_mul, s, OP1(&t, OP_reciprocal, sum));
    uint32_t v = OP1(&t, OP_reducemean, OP1(&t, OP_silu, x));
    net_attr_ints(&t, "axes", 1, (int64_t[]){0});
    uint32_t y = OP1(&t, OP_flatten, OP2(&t, OP_matmul, share, v));
    net_attr_int(&t, "axis", 0);
    net_output(&t, OP2(&t, OP_matmul, y, net_const(&t, DIMS(24, 3), -0.5, 0.5)));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 9, 1);
    struct choice c = choice_of(&t);
    cr_assert_eq(c.n, 5);
    cr_assert(choose(t.g, t.images, t.n, NULL, &c, t.d), "%s", net_errors(&t));
    expect_impacts(&t, &c, NULL);
    net_free(&t);
}

Test(impact, same_at_any_number_of_threads)
{
    struct net t = residual(100);
    struct choice c = choice_of(&t), other = choice_of(&t);

    omp_set_num_threads(1);
    cr_assert(choose(t.g, t.images, t.n, NULL, &c, t.d));
    omp_set_num_threads(5);
    cr_assert(choose(t.g, t.images, t.n, NULL, &other, t.d));
    for (uint32_t k = 0; k < c.n; k++)
        cr_assert_arr_eq(c.layers[k].impact, other.layers[k].impact,
                         c.layers[k].channels * sizeof(double));
    net_free(&t);
}

Test(impact, refuses)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 3, 4, 4));
    uint32_t y = OP1(&t, OP_tanh, x);
    y = OP1(&t, OP_maxpool, y);
    net_attr_ints(&t, "kernel_shape", 2, (int64_t[]){2, 2});
    net_output(&t, OP1(&t, OP_flatten, y));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 3, 1);
    struct choice c = choice_of(&t);
    const int64_t labels[] = {0, 27, 3};
    cr_assert_not(choose(t.g, t.images, t.n, NULL, &c, t.d));
    cr_assert_eq(diag_at(t.d, 0)->code, E_CHOOSE_FORM);
    cr_assert_not(choose(t.g, t.images, t.n, labels, &c, t.d));
    cr_assert_eq(diag_at(t.d, 1)->code, E_CHOOSE_LABELS);
    net_free(&t);
}
