/* test_stress.c - images in the range of the input, the same again, and counted as they behave. */
#include "nets.h"
#include "simulate/stress.h"

/* [1, 3, 8, 8] -> relu -> mean -> 2 outputs; relu is 0.4 + 0.5 x on [-radius, radius]. */
static struct net
colours(double radius)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 3, 8, 8));
    uint32_t v = OP1(&t, OP_flatten, OP1(&t, OP_relu, x));
    net_output(&t, OP2(&t, OP_matmul, v, net_const(&t, DIMS(192, 2), -1, 1)));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 20, 1);
    struct poly *p = ARENA_NEW(t.a, struct poly);
    *p = (struct poly){.degree = 1, .rows = 1};
    p->coef = ARENA_ARRAY(t.a, double, 2);
    p->coef[0] = 0.4;
    p->coef[1] = 0.5 * radius;
    p->center = ARENA_ARRAY(t.a, double, 1);
    p->radius = ARENA_ARRAY(t.a, double, 1);
    p->radius[0] = radius;
    t.g->nodes.at[0].poly = p;
    return t;
}

static struct stress_options
options(struct net *t, uint64_t seed)
{
    return (struct stress_options){.images = 200,
                                   .seed = seed,
                                   .range = stress_range_of(t->a, t->g, t->images, t->n),
                                   .data = t->images,
                                   .n_data = t->n,
                                   .largest = 1000};
}

Test(stress, the_range_is_that_of_the_pixels_or_of_the_data)
{
    struct net t = colours(10);
    struct stress_range r = stress_range_of(t.a, t.g, t.images, t.n);
    cr_assert_eq(r.channels, 3);
    for (int c = 0; c < 3; c++) {
        double low = INFINITY, high = -INFINITY;
        for (int k = 0; k < 20; k++)
            for (int e = 0; e < 64; e++) {
                low = fmin(low, (double)t.images[k * 192 + c * 64 + e]);
                high = fmax(high, (double)t.images[k * 192 + c * 64 + e]);
            }
        cr_expect_eq(r.low[c], low);
        cr_expect_eq(r.high[c], high);
    }
    double mean[3] = {0.5, 0.25, 0}, std[3] = {0.5, 0.25, 2};
    t.g->inputs.at[0].pixels =
        (struct pixels){.present = true, .divisor = 255, .channels = 3, .mean = mean, .std = std};
    r = stress_range_of(t.a, t.g, t.images, t.n);
    cr_expect_float_eq(r.low[0], -1, 1e-12);
    cr_expect_float_eq(r.high[0], 1, 1e-12);
    cr_expect_float_eq(r.high[1], 3, 1e-12);
    cr_expect_float_eq(r.low[2], 0, 1e-12);
    cr_expect_float_eq(r.high[2], 0.5, 1e-12);
    net_free(&t);
}

Test(stress, images_stay_in_range_differ_and_come_again)
{
    struct net t = colours(10);
    struct stress_options s = options(&t, 7), other = options(&t, 8);
    float image[192], again[192], before[192] = {0};
    double mean = 0;

    for (uint32_t k = 0; k < 200; k++) {
        stress_image(t.g, &s, k, image);
        stress_image(t.g, &s, k, again);
        cr_expect_arr_eq(image, again, sizeof image);
        cr_expect_arr_neq(image, before, sizeof image, "image %u", k);
        memcpy(before, image, sizeof image);
        for (int e = 0; e < 192; e++) {
            double low = s.range.low[e / 64], high = s.range.high[e / 64];
            cr_assert(image[e] >= (float)low && image[e] <= (float)high, "image %u", k);
            if (k % STRESS_KINDS == 0)
                mean += ((double)image[e] - low) / (high - low) / 192 / 20;
        }
    }
    cr_expect(fabs(mean - 0.5) < 0.02, "%g", mean);
    stress_image(t.g, &s, 0, image);
    stress_image(t.g, &other, 0, again);
    cr_expect_arr_neq(image, again, sizeof image);
    net_free(&t);
}

/* What leaves [-1.5, 1.5] * 1.2 is counted here by hand. */
Test(stress, counts_are_what_they_say)
{
    struct net t = colours(1.2);
    struct stress_options s = options(&t, 7);
    struct simulate_options o = {.approximated = t.g, .threads = 2};
    struct stress_report r, one;
    uint32_t outside[STRESS_KINDS] = {0}, all = 0;
    float image[192];

    for (uint32_t k = 0; k < 200; k++) {
        bool out = false;
        stress_image(t.g, &s, k, image);
        for (int e = 0; e < 192; e++)
            out = out || fabs((double)image[e]) > 1.8;
        outside[k % STRESS_KINDS] += out;
        all += out;
    }
    cr_assert(simulate_stress(&o, &s, &r, t.d), "%s", net_errors(&t));
    for (int k = 0; k < STRESS_KINDS; k++) {
        cr_expect_eq(r.kind[k].images, 20);
        cr_expect_eq(r.kind[k].diverged, outside[k], "%s", r.kind[k].name);
        cr_expect_eq(r.kind[k].ran_away, 0);
    }
    cr_expect_eq(r.all.images, 200);
    cr_expect_eq(r.all.diverged, all);
    cr_assert(all > 20 && all < 200, "%u", all);
    o.threads = 1;
    cr_assert(simulate_stress(&o, &s, &one, t.d));
    cr_expect_arr_eq(&r, &one, sizeof r);
    s.largest = 1e-9;
    cr_assert(simulate_stress(&o, &s, &one, t.d));
    cr_expect_eq(one.all.ran_away, 200);
    cr_expect_eq(one.all.diverged, 200);
    cr_expect_eq(one.all.agree, r.all.agree);
    net_free(&t);
}

/* Flat data are one channel an element; an input that does not vary has a range of no width. */
Test(stress, flat_and_constant_inputs)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4));
    net_output(&t, OP1(&t, OP_relu, x));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 5, 1);
    for (int k = 0; k < 5; k++)
        t.images[4 * k + 2] = 0.25f;
    struct stress_options s = options(&t, 1);
    float image[4];
    cr_assert_eq(s.range.channels, 4);
    for (uint32_t k = 0; k < 200; k++) {
        stress_image(t.g, &s, k, image);
        cr_expect_eq(image[2], 0.25f);
    }
    net_free(&t);
}
