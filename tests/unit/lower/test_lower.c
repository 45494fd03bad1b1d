/* test_lower.c - he_eval of the lowered program is what the tensor program computes, for random
 * sparse matrices under random layouts and splits, and for whole programs as layout/ places them.
 */
#include "layout/layout.h"
#include "lower/lower.h"
#include "made.h"

/* n elements anywhere in cts * period slots. */
static struct he_layout
scatter(struct made *m, struct shape shape, uint32_t cts, uint32_t period)
{
    uint32_t n = (uint32_t)shape_size(&shape), room = cts * period;
    uint32_t *all = ARENA_ARRAY(m->a, uint32_t, room);
    for (uint32_t k = 0; k < room; k++)
        all[k] = k;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t other = k + made_below(m, room - k), swap = all[k];
        all[k] = all[other];
        all[other] = swap;
    }
    return (struct he_layout){shape, cts, period, all, n};
}

/* A power of two from at least to at most. */
static uint32_t
power_between(struct made *m, uint32_t least, uint32_t most)
{
    uint32_t p = 1, choices = 0;
    while (p < least)
        p *= 2;
    for (uint32_t q = p; q <= most; q *= 2)
        choices++;
    return p << made_below(m, choices);
}

static void
place(struct made *m, uint32_t node, uint32_t slots)
{
    struct tp_node *n = &m->t->nodes.at[node];
    bool several = n->n > slots || made_below(m, 4) == 0;
    uint32_t period = several ? slots : power_between(m, n->n, slots);
    n->layout = scatter(m, n->shape, several ? n->n / slots + 1 + made_below(m, 2) : 1, period);
    if (n->layout.cts == 1)
        n->layout.period = period;
    n->split.fold = period;
    n->split.plane = power_between(m, 1, period);
    n->split.baby = 1 + made_below(m, period);
}

/* Runs the program and compares every output. */
static void
run(struct made *m, const struct tp *exact, const struct he_program *p, const char *what)
{
    const float *const *in = made_data(m);
    double **want = made_eval(m, exact, in);
    float **out = ARENA_ARRAY(m->a, float *, m->t->outputs.len);
    for (uint32_t k = 0; k < exact->outputs.len; k++)
        out[k] = ARENA_ARRAY(m->a, float, exact->nodes.at[exact->outputs.at[k]].n);
    cr_assert(he_eval(p, in, out, m->d));
    for (uint32_t k = 0; k < exact->outputs.len; k++)
        for (uint32_t e = 0; e < exact->nodes.at[exact->outputs.at[k]].n; e++) {
            double w = want[exact->outputs.at[k]][e];
            cr_assert_float_eq((double)out[k][e], w, 2e-4 * (1 + fabs(w)),
                               "%s: output %u[%u] is %g, not %g", what, k, e, (double)out[k][e], w);
        }
}

Test(lower, maps_under_random_layouts)
{
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct made m = made_new(seed);
        uint32_t log_n = 5 + made_below(&m, 3), slots = 1u << (log_n - 1),
                 args = 1 + made_below(&m, 3);
        uint32_t rows = 1 + made_below(&m, 2 * slots), map;
        for (uint32_t k = 0; k < args; k++) {
            made_input(&m, MADE_SHAPE(1, 1 + made_below(&m, 2 * slots)));
            place(&m, k, slots);
        }
        map = made_linear(&m, 0, MADE_SHAPE(1, rows), made_below(&m, 100) / 150.0);
        for (uint32_t k = 1; k < args; k++)
            made_arg(&m, map, k, made_matrix(&m, rows, m.t->nodes.at[k].n, 0.3));
        place(&m, map, slots);
        if (seed & 1)
            m.t->nodes.at[map].bias = NULL;
        /* The copies of the first period must be whole: a second map reads them. */
        uint32_t next = made_linear(&m, map, MADE_SHAPE(1, 1 + made_below(&m, slots)), 0.5);
        place(&m, next, slots);
        made_output(&m, map);
        made_output(&m, next);
        struct he_program *p = lower(m.a, m.t, log_n, m.d);
        cr_assert_not_null(p, "%s", made_errors(&m));
        run(&m, m.t, p, arena_printf(m.a, "seed %d", (int)seed));
        for (uint32_t k = 0; k < 2; k++) {
            const struct he_map *h = &p->maps.at[k];
            for (uint32_t d = 1; d < h->diagonals.len;
                 d++) { /* strictly ascending, as plan.h wants it */
                const struct he_diagonal *x = &h->diagonals.at[d - 1], *y = x + 1;
                const uint32_t a[] = {x->out_ct, x->giant, x->arg, x->in_ct, x->baby};
                const uint32_t b[] = {y->out_ct, y->giant, y->arg, y->in_ct, y->baby};
                int first = 0;
                while (first < 5 && a[first] == b[first])
                    first++;
                cr_assert(first < 5 && a[first] < b[first]);
                cr_assert(y->giant < slots && y->baby < slots && slots % y->period == 0);
            }
        }
        made_free(&m);
    }
}

/* The runs of a port are the layout, element by element. */
Test(lower, runs_say_where_elements_are)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct made m = made_new(seed);
        uint32_t x = made_input(&m, MADE_SHAPE(1, 1 + made_below(&m, 60)));
        place(&m, x, 32);
        if (seed & 1) /* in order, with gaps */
            for (uint32_t k = 0; k < m.t->nodes.at[x].n; k++)
                m.t->nodes.at[x].layout.slot[k] = k / 7 * 8 + k % 7;
        if (seed & 1)
            m.t->nodes.at[x].layout.cts = 3, m.t->nodes.at[x].layout.period = 32;
        made_output(&m, x);
        struct he_program *p = lower(m.a, m.t, 6, m.d);
        cr_assert_not_null(p, "%s", made_errors(&m));
        const struct he_layout *l = &m.t->nodes.at[x].layout;
        const struct he_port *port[] = {&p->inputs.at[0], &p->outputs.at[0]};
        for (int k = 0; k < 2; k++) {
            uint32_t seen = 0;
            for (uint32_t r = 0; r < port[k]->runs.len; r++) {
                const struct he_run *run = &port[k]->runs.at[r];
                for (uint32_t i = 0; i < run->count; i++, seen++)
                    cr_assert_eq(run->slot + i * run->slot_step,
                                 l->slot[run->elem + i * run->elem_step]);
            }
            cr_assert_eq(seen, l->n);
            cr_assert(!(seed & 1) || port[k]->runs.len <= l->n / 7 + 1, "%u runs",
                      port[k]->runs.len);
        }
        made_free(&m);
    }
}

/* One more step behind a node: a map, a move, a residual sum, a polynomial, a product, a mean. */
static void
grow(struct made *m, bool by_channel)
{
    uint32_t x = made_below(m, m->t->nodes.len), n = m->t->nodes.at[x].n, y;
    struct shape s = m->t->nodes.at[x].shape;
    switch (made_below(m, 6)) {
    case 0:
        made_linear(m, x,
                    MADE_SHAPE(1, 1 + made_below(m, 3), 1 + made_below(m, 4), 1 + made_below(m, 4)),
                    0.3);
        break;
    case 1: /* a reshape */
        made_arg(m, made_node(m, TP_LINEAR, MADE_SHAPE(1, n)), x, matrix_diagonal(m->a, n, NULL));
        break;
    case 2: /* a residual sum */
        y = made_linear(m, x, s, 0.3);
        x = made_node(m, TP_LINEAR, s);
        made_arg(m, x, y, matrix_diagonal(m->a, n, NULL));
        made_arg(m, x, m->t->nodes.at[y].args.at[0].value, matrix_diagonal(m->a, n, NULL));
        break;
    case 3:
        y = made_linear(m, x, s, 0.4);
        made_poly(m, y, 2 + made_below(m, 2), by_channel ? (uint32_t)s.dim[1] : 1);
        break;
    case 4: /* a product whose second factor is a map of its own */
        y = made_linear(m, x, s, 0.3);
        made_mul(m, x, y);
        break;
    case 5: { /* the mean of everything, one weight */
        struct matrix_builder b;
        matrix_begin(&b, m->a, 1, n);
        for (uint32_t c = 0; c < n; c++)
            matrix_entry(&b, 0, c, 0.125);
        y = made_node(m, TP_LINEAR, MADE_SHAPE(1, 1));
        made_arg(m, y, x, matrix_end(&b));
        made_linear(m, y, MADE_SHAPE(1, 2), 1);
        break;
    }
    }
}

/* Whole programs as layout/ places them: maps, sums, moves, polynomials, products, several
 * ciphertexts. */
Test(lower, placed_programs)
{
    uint32_t aliases = 0, sums = 0, free_maps = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct made m = made_new(seed);
        uint32_t log_n = 6 + made_below(&m, 3);
        made_input(&m, MADE_SHAPE(1, 1 + made_below(&m, 4), 4, 4));
        for (uint32_t k = 0; k < 7; k++)
            grow(&m, seed & 1);
        for (uint32_t k = 0; k + 1 < m.t->nodes.len; k += 3)
            made_output(&m, m.t->nodes.len - 1 - k);
        tp_count_uses(m.t);
        cr_assert(tp_check(m.t, m.d), "%s", made_errors(&m));
        struct tp *placed = tp_copy(m.a, m.t);
        cr_assert(layout(placed, log_n, m.d), "%s", made_errors(&m));
        cr_assert(tp_check(placed, m.d), "%s", made_errors(&m));
        for (uint32_t k = 0; k < placed->nodes.len; k++) {
            aliases += placed->nodes.at[k].split.alias;
            sums += placed->nodes.at[k].split.plain_sum;
            free_maps += placed->nodes.at[k].split.free_of_level;
        }
        struct he_program *p = lower(m.a, placed, log_n, m.d);
        cr_assert_not_null(p, "%s", made_errors(&m));
        run(&m, m.t, p, arena_printf(m.a, "seed %d", (int)seed));
        made_free(&m);
    }
    cr_expect(aliases && sums && free_maps, "%u, %u, %u: a way was never taken", aliases, sums,
              free_maps);
}
