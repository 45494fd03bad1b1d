/* test_graph.c - building, changing and checking the tensor graph. */
#include "made.h"

static uint32_t
node(struct graph *g, const char *name, enum op_id op, uint32_t x, uint32_t y)
{
    uint32_t n =
        graph_node(g, name, op, (uint32_t[]){x, y}, y == NONE ? 1 : 2, NULL, 1, PLACE_NONE);
    struct value *v = graph_value(g, g->nodes.at[n].out.at[0]);
    v->dtype = DT_F32;
    v->shape = MADE_SHAPE(1, 3);
    return g->nodes.at[n].out.at[0];
}

static struct poly *
line(struct arena *a, uint32_t rows)
{
    struct poly *p = ARENA_NEW(a, struct poly);
    *p = (struct poly){1,
                       rows,
                       ARENA_ARRAY(a, double, 2 * rows),
                       ARENA_ARRAY(a, double, rows),
                       ARENA_ARRAY(a, double, rows),
                       0};
    for (uint32_t r = 0; r < rows; r++)
        p->radius[r] = 1;
    return p;
}

/* x -> mul by c -> relu -> add x -> output; good for every stage. */
struct little {
    uint32_t x, c, m, r, s;
};

static struct little
build(struct made *m)
{
    struct little l;
    l.x = graph_input(m->g, "x", DT_F32, MADE_SHAPE(1, 3));
    l.c = graph_const(m->g, "c", tensor_new(m->a, DT_F32, MADE_SHAPE(3)));
    l.m = node(m->g, "scale", OP_mul, l.x, l.c);
    l.r = node(m->g, "act", OP_relu, l.m, NONE);
    l.s = node(m->g, "sum", OP_add, l.r, l.x);
    m->g->nodes.at[1].poly = line(m->a, 3);
    vec_push(m->a, &m->g->outputs, l.s);
    return l;
}

Test(graph, names_are_unique)
{
    struct made m = made_new(1);
    uint32_t a = graph_input(m.g, "x", DT_F32, MADE_SHAPE(1));
    uint32_t b = graph_input(m.g, "x", DT_F32, MADE_SHAPE(1));
    uint32_t c = graph_input(m.g, "", DT_F32, MADE_SHAPE(1));
    uint32_t d = graph_input(m.g, NULL, DT_F32, MADE_SHAPE(1));
    cr_expect_str_eq(graph_value(m.g, a)->name, "x");
    cr_expect_str_eq(graph_value(m.g, b)->name, "x.1");
    cr_expect_str_neq(graph_value(m.g, c)->name, graph_value(m.g, d)->name);
    cr_expect(*graph_value(m.g, c)->name);
    node(m.g, "n", OP_relu, a, NONE);
    node(m.g, "n", OP_relu, a, NONE);
    cr_expect_str_eq(m.g->nodes.at[1].name, "n.1");
    cr_expect_str_eq(m.g->nodes.at[1].place.node, "n.1");
    uint32_t found;
    cr_expect(map_get(&m.g->node_names, "n.1", &found) && found == 1);
    cr_expect(map_get(&m.g->value_names, "x.1", &found) && found == b);
    uint32_t n =
        graph_node(m.g, "drop", OP_dropout, &a, 1, (const char *const[]){"y", ""}, 2, PLACE_NONE);
    cr_expect_eq(m.g->nodes.at[n].out.at[1], NONE);
    cr_expect_str_eq(graph_value(m.g, m.g->nodes.at[n].out.at[0])->name, "y");
    made_free(&m);
}

Test(graph, producers_readers_attributes)
{
    struct made m = made_new(1);
    struct little l = build(&m);
    cr_expect_null(graph_producer(m.g, l.x));
    cr_expect_null(graph_producer(m.g, l.c));
    cr_expect_null(graph_value(m.g, 99));
    cr_expect_str_eq(graph_producer(m.g, l.r)->name, "act");
    cr_expect_eq(graph_uses(m.g, l.x), 2);
    cr_expect_eq(graph_uses(m.g, l.s), 1);
    graph_attr(m.g, 0, (struct attr){.name = "axis", .kind = ATTR_INT});
    cr_expect_not_null(graph_find_attr(&m.g->nodes.at[0], "axis"));
    cr_expect_null(graph_find_attr(&m.g->nodes.at[0], "axes"));
    made_free(&m);
}

Test(graph, replace_moves_readers_and_the_output_name)
{
    struct made m = made_new(1);
    struct little l = build(&m);
    graph_replace(m.g, l.r, l.m);
    cr_expect_eq(m.g->nodes.at[2].in.at[0], l.m);
    cr_expect_eq(graph_uses(m.g, l.r), 0);
    const char *out = graph_value(m.g, l.s)->name;
    graph_replace(m.g, l.s, l.m);
    cr_expect_eq(m.g->outputs.at[0], l.m);
    cr_expect_str_eq(graph_value(m.g, l.m)->name, out);
    uint32_t found;
    cr_expect(map_get(&m.g->value_names, out, &found) && found == l.m);
    graph_replace(m.g, l.m, l.x); /* an input keeps its name */
    cr_expect_str_eq(graph_value(m.g, l.x)->name, "x");
    cr_expect_eq(m.g->outputs.at[0], l.x);
    made_free(&m);
}

/* Random graphs whose nodes stand in any order: afterwards each node stands behind what it reads,
 * exactly the needed ones are left, and every node reads and makes the values that it did before.
 */
Test(graph, tidy_orders_and_drops)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct made m = made_new(seed);
        enum { N = 30 };
        uint32_t value[N + 1], reads[N][2];
        bool needed[N] = {false};
        value[0] = graph_input(m.g, "x", DT_F32, MADE_SHAPE(1, 3));
        for (uint32_t k = 0; k < N; k++) {
            reads[k][0] = made_below(&m, k + 1);
            reads[k][1] = made_below(&m, k + 1);
            value[k + 1] = node(m.g, arena_printf(m.a, "n%u", k), OP_add, value[reads[k][0]],
                                value[reads[k][1]]);
        }
        needed[N - 1] = true;
        for (uint32_t k = N; k-- > 0;)
            for (uint32_t i = 0; needed[k] && i < 2; i++)
                if (reads[k][i])
                    needed[reads[k][i] - 1] = true;
        vec_push(m.a, &m.g->outputs, value[N]);
        for (uint32_t k = N;
             k-- > 1 && seed % 4;) { /* shuffle the nodes; in every fourth graph they stay */
            uint32_t other = made_below(&m, k + 1);
            struct node swap = m.g->nodes.at[k];
            m.g->nodes.at[k] = m.g->nodes.at[other];
            m.g->nodes.at[other] = swap;
        }
        for (uint32_t k = 0; k < N; k++)
            graph_value(m.g, m.g->nodes.at[k].out.at[0])->node = k;
        graph_tidy(m.g);
        uint32_t left = 0, found, before = 0;
        for (uint32_t k = 0; k < N; k++) {
            left += needed[k];
            bool there = map_get(&m.g->node_names, arena_printf(m.a, "n%u", k), &found);
            cr_assert_eq(there, needed[k], "n%u", k);
            if (!there)
                continue;
            const struct node *n = &m.g->nodes.at[found];
            cr_assert(n->in.at[0] == value[reads[k][0]] && n->in.at[1] == value[reads[k][1]]);
            cr_assert(n->out.at[0] == value[k + 1] &&
                      graph_value(m.g, value[k + 1])->node == found);
            cr_assert(seed % 4 || found >= before, "an order that is good already is kept");
            before = found;
        }
        cr_assert_eq(m.g->nodes.len, left);
        for (uint32_t k = 0; k < left; k++)
            for (uint32_t i = 0; i < 2; i++) {
                const struct value *v = graph_value(m.g, m.g->nodes.at[k].in.at[i]);
                cr_assert(v->kind != VALUE_NODE || v->node < k);
            }
        made_free(&m);
    }
}

/* What no output needs is tidied away together with what only it needed, and its values are
 * nobody's. */
Test(graph, copy_shares_no_structure)
{
    struct made m = made_new(1);
    struct little l = build(&m);
    graph_attr(m.g, 0, (struct attr){.name = "axis", .kind = ATTR_INT});
    struct graph *c = graph_copy(m.a, m.g);
    cr_assert(graph_check(c, STAGE_APPROXIMATED, m.d), "%s", made_errors(&m));
    struct str x = {0}, y = {0};
    graph_print(m.g, &x);
    graph_print(c, &y);
    cr_expect_str_eq(str_text(&x), str_text(&y));
    graph_replace(c, l.r, l.m);
    graph_tidy(c);
    cr_expect_eq(c->nodes.len, 2);
    cr_expect_eq(m.g->nodes.len, 3);
    cr_expect_eq(m.g->nodes.at[2].in.at[0], l.r);
    cr_expect_not_null(graph_find_attr(&c->nodes.at[0], "axis"));
    str_free(&x);
    str_free(&y);
    made_free(&m);
}

struct breach {
    const char *said;
    enum stage stage; /* the first that notices */
};

static const struct breach breaches[] = {
    {"a node has no operator", STAGE_IMPORTED},
    {"the number of inputs", STAGE_IMPORTED},
    {"the number of outputs", STAGE_IMPORTED},
    {"an input is no value", STAGE_IMPORTED},
    {"an input is made by a later node", STAGE_IMPORTED},
    {"an output is no value", STAGE_IMPORTED},
    {"an output does not name its producer", STAGE_IMPORTED},
    {"two nodes have one name", STAGE_IMPORTED},
    {"two values are named 'x'", STAGE_IMPORTED},
    {"an output is no value", STAGE_IMPORTED},
    {"there is no output", STAGE_IMPORTED},
    {"an output has no type", STAGE_INFERRED},
    {"an output has no size", STAGE_INFERRED},
    {"an operator without effect is left", STAGE_SIMPLIFIED},
    {"a node of constants is left", STAGE_SIMPLIFIED},
    {"a node that nothing needs is left", STAGE_SIMPLIFIED},
    {"a composite operator is left", STAGE_APPROXIMATED},
    {"an activation has no polynomial", STAGE_APPROXIMATED},
    {"polynomials for another number of channels", STAGE_APPROXIMATED},
    {"radius is not positive", STAGE_APPROXIMATED},
};

static void
breach_imported(struct made *m, const struct little *l, int rule)
{
    struct node *n = m->g->nodes.at;
    struct value *v = m->g->values.at;
    switch (rule) {
    case 0:
        n[1].op = OP_NONE;
        break;
    case 1:
        n[1].in.len = 0;
        break;
    case 2:
        n[1].out.len = 0;
        break;
    case 3:
        n[2].in.at[1] = 77;
        break;
    case 4:
        n[0].in.at[0] = l->r;
        break;
    case 5:
        n[2].out.at[0] = 77;
        break;
    case 6:
        v[l->s].node = 0;
        break;
    case 7:
        n[2].name = n[0].name;
        break;
    case 8:
        v[l->s].name = v[l->x].name;
        break;
    case 9:
        m->g->outputs.at[0] = 77;
        break;
    case 10:
        m->g->outputs.len = 0;
        break;
    }
}

static void
breach_later(struct made *m, const struct little *l, int rule)
{
    struct node *n = m->g->nodes.at;
    struct value *v = m->g->values.at;
    switch (rule) {
    case 11:
        v[l->r].dtype = DT_NONE;
        break;
    case 12:
        v[l->r].shape.dim[0] = -1;
        break;
    case 13:
        n[1].op = OP_identity;
        break;
    case 14:
        n[0].in.at[0] = l->c;
        break;
    case 15:
        m->g->outputs.at[0] = l->r;
        break;
    case 16:
        n[1].op = OP_softmax;
        break;
    case 17:
        n[1].poly = NULL;
        break;
    case 18:
        n[1].poly = line(m->a, 2);
        break;
    case 19:
        n[1].poly->radius[2] = 0;
        break;
    }
}

Test(graph, checks_every_rule)
{
    int count = (int)(sizeof breaches / sizeof *breaches);
    for (int rule = 0; rule < count; rule++) {
        struct made m = made_new(1);
        struct little l = build(&m);
        for (int s = STAGE_IMPORTED; s <= STAGE_APPROXIMATED; s++)
            cr_assert(graph_check(m.g, (enum stage)s, m.d), "%s", made_errors(&m));
        breach_imported(&m, &l, rule);
        breach_later(&m, &l, rule);
        for (int s = STAGE_IMPORTED; s <= STAGE_APPROXIMATED; s++) {
            struct diag *d = diag_new();
            bool good = graph_check(m.g, (enum stage)s, d);
            cr_expect_eq(good, (enum stage)s < breaches[rule].stage, "rule %d, stage %d", rule, s);
            cr_expect_eq(diag_errors(d) == 0, good);
            cr_expect(good || made_said(d, breaches[rule].said), "rule %d: %s", rule,
                      diag_at(d, 0)->text);
            cr_expect(good || diag_at(d, 0)->code == E_GRAPH);
            diag_free(d);
        }
        made_free(&m);
    }
}

Test(graph, polynomials_by_their_definition)
{
    struct made m = made_new(9);
    for (int trial = 0; trial < 100; trial++) {
        uint32_t degree = made_below(&m, 20), rows = 3;
        struct poly p = {degree,
                         rows,
                         ARENA_ARRAY(m.a, double, rows *(degree + 1)),
                         (double[]){0.5, -1, 2},
                         (double[]){1, 2, 0.25},
                         0};
        for (uint32_t k = 0; k < rows * (degree + 1); k++)
            p.coef[k] = made_number(&m);
        for (uint32_t r = 0; r < rows; r++) {
            double u = made_number(&m), sum = 0; /* T_k(cos t) = cos k t */
            for (uint32_t k = 0; k <= degree; k++)
                sum += p.coef[r * (degree + 1) + k] * cos(k * acos(u));
            cr_assert_float_eq(poly_eval(&p, r, p.center[r] + u * p.radius[r]), sum, 1e-10);
        }
    }
    made_free(&m);
}

Test(graph, channels)
{
    int axis;
    struct shape image = MADE_SHAPE(1, 16, 8, 8), row = MADE_SHAPE(1, 10), vector = MADE_SHAPE(5);
    cr_expect(graph_channels(&image, &axis) == 16 && axis == 1);
    cr_expect(graph_channels(&row, &axis) == 10 && axis == 1);
    cr_expect(graph_channels(&vector, &axis) == 5 && axis == 0);
    cr_expect(graph_channels(&(struct shape){0}, &axis) == 1 && axis == 0);
}

Test(graph, prints_a_table)
{
    struct made m = made_new(1);
    struct str s = {0};
    build(&m);
    graph_print(m.g, &s);
    cr_expect_not_null(strstr(str_text(&s), "network made, opset 17\n"));
    cr_expect_not_null(strstr(str_text(&s), "input  x : f32 1x3\n"));
    cr_expect_not_null(
        strstr(str_text(&s), "scale  Mul                   1x3                          3  -\n"),
        "%s", str_text(&s));
    cr_expect_not_null(
        strstr(str_text(&s), "act    Relu                  1x3                          0  1\n"));
    cr_expect_not_null(strstr(str_text(&s), "output sum_out : f32 1x3\n"));
    str_free(&s);
    made_free(&m);
}
