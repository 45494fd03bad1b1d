/* test_tp.c - the tensor program: exact evaluation against dense loops, and that nothing which
 * rebuilds a program changes what it computes. */
#include "made.h"

/* input -> map -> poly a channel -> two maps -> their product -> map of both */
static void
build(struct made *m)
{
    uint32_t x = made_input(m, MADE_SHAPE(1, 4, 3)),
             l = made_linear(m, x, MADE_SHAPE(1, 3, 2, 2), 0.5);
    uint32_t p = made_poly(m, l, 4, 3), q = made_poly(m, l, 2, 1);
    uint32_t u = made_linear(m, p, MADE_SHAPE(1, 6), 0.6),
             v = made_linear(m, q, MADE_SHAPE(1, 6), 0.6);
    uint32_t w = made_mul(m, u, v), out = made_linear(m, w, MADE_SHAPE(1, 5), 0.7);
    made_arg(m, out, p, made_matrix(m, 5, 12, 0.4));
    made_output(m, out);
    made_output(m, u);
    tp_count_uses(m->t);
}

static void
same_values(const double *x, const double *y, uint32_t n, double tolerance)
{
    for (uint32_t k = 0; k < n; k++)
        cr_assert_float_eq(x[k], y[k], tolerance * (1 + fabs(y[k])), "%g and %g", x[k], y[k]);
}

Test(tp, evaluates)
{
    struct made m = made_new(1);
    build(&m);
    cr_assert(tp_check(m.t, m.d), "%s", made_errors(&m));
    const float *const *in = made_data(&m);
    double **want = made_eval(&m, m.t, in), **got = ARENA_ARRAY(m.a, double *, m.t->nodes.len);
    tp_eval(m.t, m.a, in, got);
    for (uint32_t k = 0; k < m.t->nodes.len; k++)
        same_values(got[k], want[k], m.t->nodes.at[k].n, 1e-12);
    made_free(&m);
}

Test(tp, counts_readers)
{
    struct made m = made_new(2);
    build(&m);
    const uint32_t uses[] = {1, 2, 2, 1, 2, 1, 1, 1}; /* x, l, p, q, u, v, w, out */
    for (uint32_t k = 0; k < 8; k++)
        cr_expect_eq(m.t->nodes.at[k].uses, uses[k], "node %u: %u", k, m.t->nodes.at[k].uses);
    made_free(&m);
}

Test(tp, fusing_keeps_the_values)
{
    for (uint64_t seed = 10; seed < 30; seed++) {
        struct made m = made_new(seed);
        uint32_t x = made_input(&m, MADE_SHAPE(1, 9)), y = made_input(&m, MADE_SHAPE(1, 7));
        uint32_t l = made_linear(&m, x, MADE_SHAPE(1, 8), 0.5);
        made_arg(&m, l, y, made_matrix(&m, 8, 7, 0.5));
        uint32_t k = made_linear(&m, l, MADE_SHAPE(1, 6), 0.5);
        made_arg(&m, k, x, made_matrix(&m, 6, 9, 0.5)); /* x is read twice after fusing */
        if (seed & 1)
            m.t->nodes.at[k].bias = NULL;
        if (seed & 2)
            m.t->nodes.at[l].bias = NULL;
        made_output(&m, k);
        const float *const *in = made_data(&m);
        double **want = made_eval(&m, m.t, in);
        struct tp *t = tp_copy(m.a, m.t);
        cr_assert(tp_fuse(t, k, 0));
        cr_expect_eq(t->nodes.at[k].args.len, 2);
        cr_expect_eq(m.t->nodes.at[k].args.at[0].value, l, "the copy shares no list of arguments");
        tp_tidy(t);
        cr_assert(tp_check(t, m.d), "%s", made_errors(&m));
        cr_assert_eq(t->nodes.len, 3);
        same_values(made_eval(&m, t, in)[t->outputs.at[0]], want[k], 6, 1e-5);
        made_free(&m);
    }
}

Test(tp, tidy_drops_only_what_nothing_reads)
{
    struct made m = made_new(3);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 4)), unused = made_input(&m, MADE_SHAPE(1, 2));
    made_linear(&m, unused, MADE_SHAPE(1, 3), 0.5);
    uint32_t l = made_linear(&m, x, MADE_SHAPE(1, 3), 0.9);
    made_poly(&m, l, 3, 1);
    made_output(&m, l);
    tp_tidy(m.t);
    cr_assert_eq(m.t->nodes.len, 3, "inputs stay: the client packs what the model declares");
    cr_expect(m.t->nodes.at[1].kind == TP_INPUT && m.t->nodes.at[2].kind == TP_LINEAR);
    cr_expect_eq(m.t->outputs.at[0], 2);
    cr_expect_eq(m.t->nodes.at[1].uses, 0);
    cr_expect(tp_check(m.t, m.d));
    made_free(&m);
}

/* Baby and giant step lead to the offset; babies stay in their range; the number of giants is what
 * the cut promises. */
Test(tp, offsets_are_cut_into_steps)
{
    struct made m = made_new(4);
    for (int trial = 0; trial < 300; trial++) {
        uint32_t modulus = 1u << (1 + made_below(&m, 11));
        struct tp_split s = {.plane = trial & 1 ? modulus : 1u << made_below(&m, 11)};
        s.baby = 1 + made_below(&m, modulus);
        for (uint32_t d = 0; d < modulus; d++) {
            int32_t baby;
            uint32_t giant;
            tp_split_offset(&s, modulus, d, &baby, &giant);
            cr_assert(giant < modulus);
            cr_assert(2 * baby >= -(int32_t)s.baby && 2 * baby < (int32_t)s.baby + 1);
            cr_assert_eq((giant + (uint32_t)(baby + (int32_t)(64 * modulus))) % modulus, d);
        }
    }
    made_free(&m);
}

Test(tp, depth)
{
    struct made m = made_new(5);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 4)), l = made_linear(&m, x, MADE_SHAPE(1, 4), 0.9);
    uint32_t p = made_poly(&m, l, 7, 1), q = made_linear(&m, p, MADE_SHAPE(1, 4), 0.9);
    uint32_t r = made_linear(&m, q, MADE_SHAPE(1, 4), 0.9), w = made_mul(&m, r, p);
    made_output(&m, w);
    tp_count_uses(m.t);
    cr_expect_eq(tp_depth(m.t), 1 + 3 + 1 + 1 + 1);
    cr_expect_str_eq(tp_depth_text(m.a, m.t), "n1 1, n2 3, n3 1, n4 1, n5 1");
    cr_expect_eq(tp_depth_least(m.t), 1 + 3 + 1 + 0 + 1, "the two maps may become one");
    m.t->nodes.at[q].split.free_of_level = true;
    cr_expect_eq(tp_depth(m.t), 6);
    cr_expect_str_eq(tp_depth_text(m.a, m.t), "n1 1, n2 3, n4 1, n5 1");
    made_free(&m);
}

/* Each rule, broken alone in an otherwise good program. */
Test(tp, checks_every_rule)
{
    static const char *const said[] = {"another size than its tensor",
                                       "one argument and its coefficients",
                                       "one argument and its coefficients",
                                       "a product needs two arguments",
                                       "an argument is made later",
                                       "a matrix does not fit",
                                       "a matrix does not fit",
                                       "an argument has another size",
                                       "an output is no node"};
    for (int rule = 0; rule < 9; rule++) {
        struct made m = made_new(6);
        build(&m);
        struct tp_node *n = m.t->nodes.at;
        switch (rule) {
        case 0:
            n[0].n++;
            break;
        case 1:
            n[2].poly = NULL;
            break;
        case 2:
            n[3].args.len = 0;
            break;
        case 3:
            n[6].args.len = 1;
            break;
        case 4:
            n[1].args.at[0].value = 1;
            break;
        case 5:
            n[4].args.at[0].m = NULL;
            break;
        case 6:
            n[4].args.at[0].m = made_matrix(&m, 6, 11, 0.5);
            break;
        case 7:
            n[6].args.at[1].value = 0;
            break;
        case 8:
            m.t->outputs.at[1] = 8;
            break;
        }
        cr_expect(!tp_check(m.t, m.d), "rule %d", rule);
        cr_expect(made_said(m.d, said[rule]), "rule %d: %s", rule, made_errors(&m));
        cr_expect_eq(diag_at(m.d, 0)->code, E_GRAPH);
        made_free(&m);
    }
}

Test(tp, prints)
{
    struct made m = made_new(7);
    struct str s = {0};
    uint32_t x = made_input(&m, MADE_SHAPE(1, 2)), l = made_linear(&m, x, MADE_SHAPE(1, 3), 1);
    made_output(&m, made_poly(&m, l, 3, 1));
    m.t->nodes.at[l].split.alias = true;
    tp_print(m.t, &s);
    cr_expect_str_eq(str_text(&s), "t0   = input  1x2 \"n0\"\n"
                                   "t1   = linear 1x3 \"n1\" t0[6] alias\n"
                                   "t2   = poly   1x3 \"n2\" t1 degree 3, 1 rows\n"
                                   "output t2\n");
    str_free(&s);
    made_free(&m);
}
