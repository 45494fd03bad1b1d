/* test_split.c - a network cut in two: both parts together are the whole, and what does not
 * separate it is refused. */
#include "pipeline/internal.h"

#include "nets.h"

#include <math.h>

static uint32_t
dense(struct net *t, uint32_t x, int64_t in, int64_t out, const char *name)
{
    uint32_t values[] = {x, net_const(t, DIMS(in, out), -1, 1)};
    uint32_t n = graph_node(t->g, name, OP_matmul, values, 2, NULL, 1, PLACE_NONE);
    return t->g->nodes.at[n].out.at[0];
}

/* a - tanh - b - (+ tanh) - c: a residual block around b. */
static struct net
residual(void)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 6));
    uint32_t a = OP1(&t, OP_tanh, dense(&t, x, 6, 5, "a"));
    uint32_t sum = OP2(&t, OP_add, dense(&t, a, 5, 5, "b"), a);
    net_output(&t, dense(&t, sum, 5, 3, "c"));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 10, 1);
    return t;
}

Test(split, the_parts_are_the_whole)
{
    const char *const at[] = {"a", "tanh", "add"};
    for (int k = 0; k < 3; k++) {
        struct net t = residual();
        struct graph *front, *back;
        struct interpret_options o = {0};
        float *whole = net_run(&t, false), middle[50], end[30];
        cr_assert(pipeline_split(t.a, t.g, at[k], &front, &back, t.d), "%s", net_errors(&t));
        cr_assert(interpret_many(front, &o, t.images, 10, middle, t.d));
        cr_assert(interpret_many(back, &o, middle, 10, end, t.d), "%s", net_errors(&t));
        cr_expect(front->nodes.len + back->nodes.len == t.g->nodes.len);
        for (int i = 0; i < 30; i++)
            cr_assert(whole[i] == end[i]);
        net_free(&t);
    }
}

Test(split, refuses_what_does_not_separate)
{
    const char *const at[] = {"b", "c", "nowhere"};
    for (int k = 0; k < 3; k++) {
        struct net t = residual();
        struct graph *front, *back;
        cr_assert(!pipeline_split(t.a, t.g, at[k], &front, &back, t.d), "%s", at[k]);
        cr_expect(diag_at(t.d, 0)->code == E_SPLIT, "%s", at[k]);
        net_free(&t);
    }
}

/* What is given to the client, and what the rest of the pipeline then sees. */
Test(split, leaves_the_front_to_the_client)
{
    struct net t = residual();
    float *whole = net_run(&t, false), end[30];
    struct interpret_options exact = {0};
    struct compile_options o = {.split_at = "c"};
    struct compiled c = {.graph = t.g, .imported = t.g, .calib_images = t.images, .n_calib = 10};
    const struct tp *front;

    cr_assert(pipeline_split_at(t.a, &o, &c, t.d), "%s", net_errors(&t));
    cr_expect(c.calib_plain == t.images);
    cr_assert(c.graph->nodes.len == 1 && c.imported->nodes.len == 1);
    cr_assert(interpret_many(c.graph, &exact, c.calib_images, 10, end, t.d));
    for (int i = 0; i < 30; i++)
        cr_expect(fabsf(whole[i] - end[i]) < 1e-5f);
    cr_assert(pipeline_front_program(t.a, &c, &front, t.d) && front);
    cr_expect(front->nodes.at[front->outputs.at[0]].n == 5);
    net_free(&t);
}

/* An activation that stands first behind the split, where the image itself is read by nobody. */
Test(split, may_begin_with_an_activation)
{
    struct net t = residual();
    struct compile_options o = {.split_at = "tanh"};
    struct compiled c = {.graph = t.g, .imported = t.g, .calib_images = t.images, .n_calib = 10};
    struct approximate_options ao = {.degree = 7};
    struct approximate_report r;

    cr_assert(pipeline_split_at(t.a, &o, &c, t.d), "%s", net_errors(&t));
    cr_assert(c.graph->nodes.at[0].op == OP_tanh);
    cr_assert(approximate(c.graph, c.calib_images, 10, &ao, &r, t.d), "%s", net_errors(&t));
    cr_expect(r.agree > 0.8, "%g", r.agree);
    net_free(&t);
}

Test(split, refuses_pins_in_front_and_nodes_that_are_not_there)
{
    const char *const at[] = {"b", "nowhere"};
    const enum code code[] = {E_PIN, E_SPLIT};
    for (int k = 0; k < 2; k++) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 6));
        uint32_t a = OP1(&t, OP_tanh, dense(&t, x, 6, 5, "a"));
        net_output(&t, dense(&t, a, 5, 3, "b"));
        cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
        struct pin_option pin = {"tanh", "degree", "3"};
        struct compile_options o = {.split_at = at[k], .pins = &pin, .n_pins = k == 0};
        struct compiled c = {.graph = t.g, .imported = t.g};
        cr_assert(!pipeline_split_at(t.a, &o, &c, t.d), "%s", at[k]);
        cr_expect(diag_at(t.d, 0)->code == code[k], "%s", net_errors(&t));
        net_free(&t);
    }
}
