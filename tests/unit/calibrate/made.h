/* made.h - a small network, its images, and calibrations of parts of them. */
#ifndef TEST_CALIBRATE_MADE_H
#define TEST_CALIBRATE_MADE_H

#include "calibrate/calibrate.h"
#include "nets.h"

#define IMAGES 60
#define SAMPLE 16

/* x[1, 2, 4, 4] -> Relu -> Tanh */
UNUSED_OK static struct net
made(void)
{
    struct net t = net_new(13);
    uint32_t in[2], y;

    in[0] = graph_input(t.g, "x", DT_F32, shape_of(4, (int64_t[]){1, 2, 4, 4}));
    y = graph_node(t.g, "relu", OP_relu, in, 1, NULL, 1, PLACE_NONE);
    y = t.g->nodes.at[y].out.at[0];
    y = graph_node(t.g, "tanh", OP_tanh, &y, 1, NULL, 1, PLACE_NONE);
    vec_push(t.a, &t.g->outputs, t.g->nodes.at[y].out.at[0]);
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    t.n = IMAGES;
    t.images = ARENA_ARRAY(t.a, float, IMAGES * 32);
    for (int k = 0; k < IMAGES * 32; k++)
        t.images[k] = (float)(6 * net_random(&t) - 3);
    return t;
}

UNUSED_OK static struct calibration *
empty(struct net *t)
{
    struct calibration *c = calibration_new(t->a, t->g, SAMPLE);

    c->dtype = DT_F32;
    c->shape = shape_of(3, (int64_t[]){2, 4, 4});
    return c;
}

/* Every step-th image from the first. */
UNUSED_OK static struct calibration *
part(struct net *t, uint32_t first, uint32_t step)
{
    struct calibration *c = empty(t);

    for (uint32_t k = first; k < t->n; k += step) {
        int64_t label = k % 3;
        struct calibration_chunk chunk = {1, t->images + k * 32, &label, t->images + k * 32};
        cr_assert(calibration_add(c, t->g, &chunk, t->d), "%s", net_errors(t));
    }
    return c;
}

#endif
