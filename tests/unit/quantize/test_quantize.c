/* test_quantize.c - the pass on whole networks: what is on the grid, what it costs, what it
 * refuses. */
#include "quantize/quantize.h"
#include "ir/pow2.h"
#include "nets.h"

/* conv 2 -> 4 of two groups, relu, gemm 4 * 9 -> 5. */
static struct net
made(void)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 2, 5, 5));
    uint32_t conv_in[] = {x, net_const(&t, DIMS(4, 1, 3, 3), -1, 1), net_const(&t, DIMS(4), -1, 1)};
    const char *names[] = {"c"};
    uint32_t n = graph_node(t.g, "conv", OP_conv, conv_in, 3, names, 1, PLACE_NONE);
    struct attr group = {
        .name = "group", .kind = ATTR_INT, .count = 1, .ints = ARENA_ARRAY(t.g->arena, int64_t, 1)};
    group.ints[0] = 2;
    graph_attr(t.g, n, group);
    uint32_t v = OP1(&t, OP_relu, t.g->nodes.at[n].out.at[0]);
    v = OP1(&t, OP_flatten, v);
    uint32_t gemm_in[] = {v, net_const(&t, DIMS(36, 5), -1, 1), net_const(&t, DIMS(5), -1, 1)};
    const char *out[] = {"y"};
    n = graph_node(t.g, "gemm", OP_gemm, gemm_in, 3, out, 1, PLACE_NONE);
    net_output(&t, t.g->nodes.at[n].out.at[0]);
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 200, 1);
    return t;
}

static double
difference(const struct net *t, const float *a, const float *b)
{
    double off = 0, all = 0;
    for (int64_t k = 0; k < 5 * t->n; k++) {
        off += pow((double)a[k] - (double)b[k], 2);
        all += pow((double)a[k], 2);
    }
    return off / all;
}

static const float *
weights_of(const struct net *t, const char *name, int64_t *n)
{
    uint32_t at;
    cr_assert(map_get(&t->g->node_names, name, &at));
    const struct value *v = graph_value(t->g, t->g->nodes.at[at].in.at[1]);
    *n = shape_size(&v->shape);
    return v->data.f;
}

Test(quantize, weights_are_on_the_grid_and_the_network_stays_near)
{
    double before = 1;
    for (uint32_t terms = 1; terms <= 2; terms++) {
        struct net t = made();
        float *exact = net_run(&t, false);
        struct quantize_options o = {.terms = terms, .bits = 5};
        struct quantize_report r;
        cr_assert(quantize(t.g, t.images, t.n, &o, &r, t.d), "%s", net_errors(&t));
        cr_assert(r.n == 2 && r.images == t.n);
        for (uint32_t k = 0; k < r.n; k++) {
            struct pow2_grid g = {r.layers[k].lo, r.layers[k].hi, terms};
            int64_t n;
            const float *w = weights_of(&t, r.layers[k].name, &n);
            cr_assert(n == r.layers[k].weights && n > 0);
            for (int64_t i = 0; i < n; i++)
                cr_assert(pow2_holds(&g, (double)w[i]), "%g", (double)w[i]);
            cr_expect(r.layers[k].error < r.layers[k].nearest);
        }
        double off = difference(&t, exact, net_run(&t, false));
        cr_expect(off < before / 4, "%u terms: %g", terms, off);
        cr_expect(fabs(off - r.layers[1].error) < 0.5 * off, "%g %g", off, r.layers[1].error);
        before = off;
        net_free(&t);
    }
}

Test(quantize, prunes_its_share_of_each_layer)
{
    struct net t = made();
    float *exact = net_run(&t, false);
    struct quantize_options o = {.prune = 0.5};
    struct quantize_report r;
    cr_assert(quantize(t.g, t.images, t.n, &o, &r, t.d), "%s", net_errors(&t));
    for (uint32_t k = 0; k < r.n; k++)
        cr_expect(r.layers[k].zeros == r.layers[k].weights / 2 && r.layers[k].terms == 0);
    cr_expect(difference(&t, exact, net_run(&t, false)) < 0.5);
    net_free(&t);
}

Test(quantize, a_pin_is_enough)
{
    struct net t = made();
    uint32_t at;
    cr_expect(!quantize_pinned(t.g));
    cr_assert(map_get(&t.g->node_names, "gemm", &at));
    t.g->nodes.at[at].pins.pow2_bits = 4;
    cr_expect(quantize_pinned(t.g));
    struct quantize_report r;
    cr_assert(quantize(t.g, t.images, t.n, &(struct quantize_options){0}, &r, t.d));
    cr_expect(r.layers[0].terms == 0 && r.layers[1].terms == 1 && r.layers[1].bits == 4);
    net_free(&t);
}

static void
refused(struct quantize_options o, bool data, enum code code)
{
    struct net t = made();
    struct quantize_report r;
    cr_assert(!quantize(t.g, data ? t.images : NULL, data ? t.n : 0, &o, &r, t.d));
    cr_expect(diag_at(t.d, 0)->code == code, "%s", net_errors(&t));
    net_free(&t);
}

Test(quantize, refuses_what_cannot_be)
{
    refused((struct quantize_options){.terms = 1, .bits = 5}, false, E_QUANT_DATA);
    refused((struct quantize_options){.terms = 1, .bits = 1}, true, E_QUANT_BITS);
    refused((struct quantize_options){.terms = 2, .bits = 9}, true, E_QUANT_BITS);
    refused((struct quantize_options){.prune = 0.99}, true, E_QUANT_PRUNE);
}
