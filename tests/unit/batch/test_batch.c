/* test_batch.c - programs of batches against the tensor program, with exact weights and with
 * rounded ones; squares for polynomials; integers; partial sums against the sums they replace;
 * scales that follow from the primes. */
#include "batch/internal.h"
#include "made.h"

#include "ola/plan.h"
#include "schedule/schedule.h"

#define LOG_N 13

/* A matrix of +- factor * 2^k, k from 0 to `range`. */
static struct matrix *
powers(struct made *m, uint32_t rows, uint32_t cols, double density, double factor, uint32_t range)
{
    struct matrix_builder b;
    matrix_begin(&b, m->a, rows, cols);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t c = 0; c < cols; c++)
            if (made_below(m, 1000) < density * 1000)
                matrix_entry(&b, r, c,
                             (made_below(m, 2) ? factor : -factor) *
                                 ldexp(1, (int)made_below(m, range + 1)));
    return matrix_end(&b);
}

/* A map whose results stay in [-1, 1]. */
static uint32_t
map_of(struct made *m, uint32_t value, uint32_t rows, bool exact)
{
    uint32_t n = made_linear(m, value, MADE_SHAPE(1, rows), 0.3);
    struct tp_node *node = &m->t->nodes.at[n];
    if (exact)
        node->args.at[0].m = powers(m, rows, node->args.at[0].m->cols, 0.3, 0.0123, 4);
    for (uint32_t k = 0; k < node->args.at[0].m->start[rows]; k++)
        node->args.at[0].m->val[k] /= exact ? 1 : 8;
    for (uint32_t r = 0; r < rows; r++)
        node->bias[r] /= 16;
    return n;
}

/* Primes of the sizes that the chain wants, and the program's scales. */
static void
schedule(struct made *m, struct he_program *p, double scale_bits, double range)
{
    struct batch_chain chain;
    struct schedule_levels levels;
    batch_depths(p, scale_bits, 0);
    schedule_levels(p, &levels);
    cr_assert(batch_chain(p, scale_bits, range, &chain));
    uint64_t q[OLA_MAX_Q];
    for (uint32_t l = 0; l < chain.n; l++) {
        cr_assert(ola_plan_primes(LOG_N, chain.bits[l], 1, q, l, &q[l]));
        vec_push(m->a, &p->params.q, q[l]);
    }
    batch_scales(p, scale_bits, range);
    bool ok = he_check(p, HE_SCHEDULED, m->d);
    cr_assert(ok, "%s", made_errors(m));
}

static double
largest_error(struct made *m, const struct he_program *p)
{
    const float *const *in = made_data(m);
    double **want = made_eval(m, m->t, in), most = 0;
    uint32_t node = m->t->outputs.at[0], n = m->t->nodes.at[node].n;
    float *out = ARENA_ARRAY(m->a, float, n);
    cr_assert(he_eval(p, in, &out, m->d));
    for (uint32_t e = 0; e < n; e++)
        most = fmax(most, fabs((double)out[e] - want[node][e]));
    return most;
}

/* Two maps with an activation between them. */
static struct made
two_maps(uint64_t seed, bool exact, uint32_t degree, uint32_t rows)
{
    struct made m = made_new(seed);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 20));
    uint32_t y = map_of(&m, x, 24, exact);
    uint32_t z = degree ? made_poly(&m, y, degree, rows) : made_mul(&m, y, y);
    if (degree == 2)
        for (uint32_t r = 0; r < rows; r++) /* a square with a shift below 4 */
            m.t->nodes.at[z].poly->coef[3 * r + 2] = 0.125;
    made_output(&m, map_of(&m, z, 5, exact));
    tp_count_uses(m.t);
    return m;
}

Test(batch, computes_what_the_tensor_program_computes)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        for (uint32_t degree = 0; degree <= 4; degree++)
            for (int exact = 0; exact < 2; exact++) {
                uint32_t rows = seed % 2 ? 24 : 1;
                struct made m = two_maps(seed, exact, degree == 1 ? 0 : degree, rows);
                struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
                cr_assert_not_null(p, "%s", made_errors(&m));
                cr_expect_lt(largest_error(&m, p), 1e-5, "lowered, seed %u degree %u",
                             (unsigned)seed, degree);
                schedule(&m, p, 28, 4);
                cr_expect_lt(largest_error(&m, p), exact && rows == 1 ? 1e-5 : 4e-3,
                             "scheduled, seed %u degree %u exact %d", (unsigned)seed, degree,
                             exact);
                cr_expect_eq(p->batch, p->params.slots);
                made_free(&m);
            }
}

/* c3 x^3 + c2 x^2 + c1 x + c0 as olac tune writes it, (c3 x + c2) x^2 + (c1 x + c0), or as a
 * node. */
static struct made
cubic_between(uint64_t seed, bool written)
{
    struct made m = made_new(seed);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 20)), y = map_of(&m, x, 24, true), z;
    double one[24], c[4] = {0.25, 0.5, 0.125, seed % 2 ? -0.0625 : 0.03125};
    struct matrix *by[3];
    for (int k = 0; k < 3; k++) {
        for (int e = 0; e < 24; e++)
            one[e] = k == 0 ? c[3] : k == 1 ? c[1] : 1;
        by[k] = matrix_diagonal(m.a, 24, one);
    }
    if (written) {
        uint32_t square = made_mul(&m, y, y), a = made_linear(&m, y, MADE_SHAPE(1, 24), 0);
        m.t->nodes.at[a].args.at[0].m = by[0];
        uint32_t p = made_mul(&m, a, square);
        z = made_linear(&m, p, MADE_SHAPE(1, 24), 0);
        m.t->nodes.at[z].args.at[0].m = by[2];
        made_arg(&m, z, y, by[1]);
        for (int e = 0; e < 24; e++) {
            m.t->nodes.at[a].bias[e] = c[2];
            m.t->nodes.at[z].bias[e] = c[0];
        }
    } else {
        z = made_poly(&m, y, 3, 1);
        const double cheb[4] = {c[0] + c[2] / 2, c[1] + 0.75 * c[3], c[2] / 2, c[3] / 4};
        memcpy(m.t->nodes.at[z].poly->coef, cheb, sizeof cheb);
    }
    made_output(&m, map_of(&m, z, 5, true));
    tp_count_uses(m.t);
    return m;
}

/* Two products an element however it is written, the second brought back only behind the sums that
 * read it; its factor is in their weights, which stay powers of two. */
Test(batch, cubics_take_two_products)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (int written = 0; written < 2; written++) {
            struct made m = cubic_between(seed, written);
            struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
            cr_assert_not_null(p, "%s", made_errors(&m));
            cr_expect_lt(largest_error(&m, p), 1e-5, "lowered, seed %u", (unsigned)seed);
            schedule(&m, p, 28, 16);
            cr_expect_lt(largest_error(&m, p), 1e-5, "scheduled, seed %u", (unsigned)seed);
            struct he_counts all = he_count_all(p);
            cr_expect_eq(all.products, 48);
            cr_expect_eq(all.relinearisations, 24 + 5);
            for (uint32_t k = 0; k < p->sparse.len; k++)
                cr_expect(p->sparse.at[k].shifts);
            made_free(&m);
        }
}

/* A factor of x^3 that is next to nothing would need a shift far beyond the values: left alone. */
Test(batch, cubics_that_are_nearly_squares)
{
    struct made m = two_maps(1, true, 3, 1);
    const double c[4] = {0.3, 0.5, 0.2, 1e-4};
    memcpy(m.t->nodes.at[2].poly->coef, c, sizeof c);
    struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
    bool poly = false;
    for (uint32_t k = 0; k < p->insts.len; k++)
        poly |= p->insts.at[k].op == HE_poly;
    cr_expect(poly);
    made_free(&m);
}

/* Powers of two times one factor stay powers of two through a square; the square is no instruction
 * and no level lies between the maps. */
Test(batch, powers_of_two_are_shifts)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct made m = two_maps(seed, true, 2, 1);
        struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
        schedule(&m, p, 28, 4);
        cr_assert_eq(p->sparse.len, 2);
        for (uint32_t k = 0; k < 2; k++) {
            const struct he_sparse *s = &p->sparse.at[k];
            cr_expect(s->shifts);
            cr_expect_eq(s->squares != NULL, k == 1);
            cr_expect_leq(s->terms.len, s->m->start[s->rows] + 2 * s->temps);
        }
        cr_expect_eq(p->insts.at[1].level, p->insts.at[2].level);
        cr_expect(p->insts.at[1].passed);
        cr_expect_not(p->insts.at[2].passed);
        made_free(&m);
    }
}

/* Channels of ranges of their own: their factors go through the square, and rows are shifts
 * again. */
Test(batch, factors_of_rows_move_behind_squares)
{
    struct made m = two_maps(3, true, 2, 1);
    struct matrix *first = m.t->nodes.at[1].args.at[0].m;
    for (uint32_t r = 0; r < first->rows; r++)
        for (uint32_t k = first->start[r]; k < first->start[r + 1]; k++)
            first->val[k] = (float)((double)first->val[k] * (1 + r / 40.0));
    struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
    schedule(&m, p, 28, 4);
    cr_expect(p->sparse.at[0].shifts);
    cr_expect_not(p->sparse.at[1].shifts, "what was moved is in the columns of the second map");
    cr_expect_lt(largest_error(&m, p), 4e-3);
    made_free(&m);
}

Test(batch, units)
{
    struct made m = made_new(1);
    struct batch_unit u = batch_unit_of(powers(&m, 10, 10, 0.5, 0.3, 6));
    cr_expect(u.shifts);
    cr_expect_float_eq(u.unit, 0.3, 1e-6);
    cr_expect_leq(u.largest, 64.0001);
    struct matrix *close = powers(&m, 10, 10, 0.5, 1, 6);
    close->val[3] *= 1.0001f;
    u = batch_unit_of(close);
    cr_expect_not(u.shifts, "close to a power of two is not one");
    cr_expect_float_eq(u.largest, 1 << BATCH_WEIGHT_BITS, 1e-3);
    u = batch_unit_of(powers(&m, 10, 10, 0.5, 1, 40));
    cr_expect_not(u.shifts, "too wide a range");
    cr_expect(batch_precise(close, ldexp(64, -BATCH_WEIGHT_BITS)));
    cr_expect_not(batch_precise(close, 100));
    made_free(&m);
}

/* The weight of every input in a row, partial sums resolved. */
static int64_t *
resolve(struct arena *a, const struct he_sparse *s, uint32_t row)
{
    int64_t *w = ARENA_ARRAY(a, int64_t, s->cols);
    for (uint32_t t = s->start[row]; t < s->start[row + 1]; t++) {
        struct he_term term = s->terms.at[t];
        if (term.column < s->cols) {
            w[term.column] += term.weight;
            continue;
        }
        const int64_t *inner = resolve(a, s, term.column - s->cols);
        for (uint32_t c = 0; c < s->cols; c++)
            w[c] += term.weight * inner[c];
    }
    return w;
}

/* Rows made of few patterns have much in common; random rows little. Either way every weight stays
 * what it is, and terms never get more. */
Test(batch, shared_sums_are_the_same_sums)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct made m = made_new(seed);
        uint32_t rows = 40, cols = 30, kinds = seed % 2 ? 3 : 40;
        struct matrix *base = powers(&m, kinds, cols, 0.4, 0.5, 3);
        struct matrix_builder b;
        matrix_begin(&b, m.a, rows, cols);
        for (uint32_t r = 0; r < rows; r++) {
            double sign = made_below(&m, 2) ? 2 : -1;
            for (uint32_t k = base->start[r % kinds]; k < base->start[r % kinds + 1]; k++)
                if (made_below(&m, 10))
                    matrix_entry(&b, r, base->col[k], sign * (double)base->val[k]);
        }
        struct he_sparse s = {.cols = cols, .rows = rows, .m = matrix_end(&b), .unit = 0.25};
        batch_integers(m.a, &s);
        cr_assert(s.shifts);
        uint32_t before = s.terms.len;
        batch_share(m.a, &s);
        cr_expect_leq(s.terms.len + 2 * s.temps, before);
        if (kinds == 3)
            cr_expect_lt(s.terms.len, before / 2, "%u of %u terms", s.terms.len, before);
        for (uint32_t r = 0; r < rows; r++) {
            const int64_t *w = resolve(m.a, &s, s.temps + r);
            for (uint32_t c = 0; c < cols; c++)
                cr_assert_eq((double)w[c], made_at(s.m, r, c) / 0.25, "row %u column %u", r, c);
        }
        for (uint32_t k = 0; k < s.temps; k++)
            for (uint32_t t = s.start[k]; t < s.start[k + 1]; t++)
                cr_assert_lt(s.terms.at[t].column, cols + k);
        made_free(&m);
    }
}

/* A sum of what went through a square and what did not: scales agree to the bit, and weights are as
 * precise as they should be. */
Test(batch, sums_of_different_scales)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct made m = made_new(seed);
        uint32_t x = made_input(&m, MADE_SHAPE(1, 12)), y = map_of(&m, x, 12, true);
        uint32_t square = made_mul(&m, y, y), sum = map_of(&m, square, 7, seed % 2);
        made_arg(&m, sum, y, made_matrix(&m, 7, 12, 0.5));
        made_output(&m, sum);
        tp_count_uses(m.t);
        struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
        cr_assert_not_null(p, "%s", made_errors(&m));
        cr_expect_lt(largest_error(&m, p), 1e-5);
        schedule(&m, p, 28, 4);
        cr_expect_lt(largest_error(&m, p), 4e-3);
        made_free(&m);
    }
}

Test(batch, too_large_a_tensor)
{
    struct made m = made_new(1);
    made_output(&m, made_input(&m, MADE_SHAPE(1, 70000)));
    tp_count_uses(m.t);
    cr_expect_null(batch_lower(m.a, m.t, LOG_N, m.d));
    cr_expect(made_said(m.d, "70000 elements"));
    made_free(&m);
}

/* By node and all together, against a count by hand of a small map and its square. */
Test(batch, operations)
{
    struct made m = made_new(1);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 3)), y = made_linear(&m, x, MADE_SHAPE(1, 2), 0);
    struct matrix_builder b;
    matrix_begin(&b, m.a, 2, 3);
    matrix_entry(&b, 0, 0, 1);
    matrix_entry(&b, 0, 1, -2);
    matrix_entry(&b, 0, 2, -1);
    matrix_entry(&b, 1, 1, 4);
    m.t->nodes.at[y].args.at[0].m = matrix_end(&b);
    m.t->nodes.at[y].args.at[0].m->dense = 6;
    m.t->nodes.at[y].bias[0] = 0.5;
    m.t->nodes.at[y].bias[1] = 0;
    uint32_t square = made_mul(&m, y, y), z = made_linear(&m, square, MADE_SHAPE(1, 1), 1);
    m.t->nodes.at[z].args.at[0].m->val[0] = 1;
    m.t->nodes.at[z].args.at[0].m->val[1] = 1;
    m.t->nodes.at[z].bias = NULL;
    made_output(&m, z);
    tp_count_uses(m.t);
    struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
    schedule(&m, p, 28, 4);
    struct he_counts_list nodes = {0};
    he_count_nodes(p, m.a, &nodes);
    cr_assert_eq(nodes.len, 3);
    cr_expect_str_eq(nodes.at[0].node, "n1");
    cr_expect_eq(nodes.at[0].counts.additions, 2 + 1, "two in the first row, and its bias");
    cr_expect_eq(nodes.at[0].counts.scalar_products, 2, "the weights -2 and 4");
    cr_expect_eq(nodes.at[0].dense.scalar_products, 6);
    cr_expect_eq(nodes.at[0].dense.additions, 6 - 2 + 2);
    cr_expect_str_eq(nodes.at[1].node, "n2");
    cr_expect_eq(nodes.at[1].counts.products, 2);
    cr_expect_str_eq(nodes.at[2].node, "n3");
    cr_expect_eq(nodes.at[2].counts.additions, 1);
    cr_expect_eq(nodes.at[2].counts.relinearisations, 1, "one sum in place of two products");
    struct he_counts all = he_count_all(p);
    cr_expect_eq(all.additions, 4);
    cr_expect_eq(all.products, 2);
    cr_expect_eq(all.relinearisations, 1);
    made_free(&m);
}

/* +- factor (2^a +- 2^b): integers again, and of no more bits than they need. */
Test(batch, sums_of_two_powers_are_exact)
{
    for (uint32_t seed = 0; seed < 40; seed++) {
        struct made m = made_new(seed);
        struct matrix_builder b;
        double factor = 0.37 / (seed + 1);
        matrix_begin(&b, m.a, 12, 9);
        for (uint32_t r = 0; r < 12; r++)
            for (uint32_t c = 0; c < 9; c++) {
                double w = ldexp(1, (int)made_below(&m, 8)), v = ldexp(1, (int)made_below(&m, 8));
                w += made_below(&m, 2) ? v : -v;
                if (w < 0 || w > 0)
                    matrix_entry(&b, r, c, factor * w);
            }
        const struct matrix *x = matrix_end(&b);
        struct batch_unit u = batch_unit_of(x);
        for (uint32_t k = 0; k < x->start[12]; k++) {
            double w = (double)x->val[k] / u.unit;
            cr_assert(fabs(w - nearbyint(w)) < 1e-4, "%g", w);
        }
        cr_expect(!u.shifts && u.largest <= 256.5, "%g", u.largest);
        made_free(&m);
    }
}

/* Two shifts in place of a product: the same integers, column by column; left alone where sums
 * would overflow before they are reduced, and for integers of three powers. */
Test(batch, two_shifts_are_the_same_integers)
{
    for (uint32_t seed = 0; seed < 40; seed++) {
        struct made m = made_new(seed);
        struct he_sparse s = {.rows = 6, .cols = 10, .start = ARENA_ARRAY(m.a, uint32_t, 7)};
        int64_t want[6][10] = {{0}}, got[6][10] = {{0}};
        bool three = seed % 4 == 3;
        uint64_t q = seed % 4 == 2 ? (uint64_t)1 << 60 : (uint64_t)1 << 46;
        for (uint32_t r = 0; r < 6; r++) {
            for (uint32_t c = 0; c < 10; c++) {
                int64_t w = (int64_t)1 << made_below(&m, 8);
                if (made_below(&m, 2)) /* else one power: cheaper on the whole */
                    w += ((int64_t)1 << made_below(&m, 8)) * (made_below(&m, 2) ? 1 : -1);
                w = three && r == 5 && c == 9 ? 37 : w;
                if (w == 0)
                    continue;
                want[r][c] = made_below(&m, 2) ? w : -w;
                vec_push(m.a, &s.terms, (struct he_term){c, want[r][c]});
            }
            s.start[r + 1] = s.terms.len;
        }
        batch_two_shifts(m.a, &s, q);
        cr_expect_eq(s.shifts, seed % 4 < 2, "seed %u", seed);
        for (uint32_t r = 0; r < 6; r++)
            for (uint32_t k = s.start[r]; k < s.start[r + 1]; k++) {
                int64_t w = s.terms.at[k].weight, size = w < 0 ? -w : w;
                cr_expect(!s.shifts || (size & (size - 1)) == 0);
                got[r][s.terms.at[k].column] += w;
            }
        cr_expect_arr_eq(got, want, sizeof want);
        made_free(&m);
    }
}

/* A whole program of sums of two powers computes what the tensor program does, with next to no
 * multiplications. */
Test(batch, sums_of_two_powers_are_shifted)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct made m = made_new(seed);
        uint32_t x = made_input(&m, MADE_SHAPE(1, 20)), y = map_of(&m, x, 24, true);
        struct matrix *by = m.t->nodes.at[y].args.at[0].m;
        for (uint32_t k = 0; k < by->start[by->rows]; k += 3)
            by->val[k] *= 1.25F;
        made_output(&m, y);
        tp_count_uses(m.t);
        struct he_program *p = batch_lower(m.a, m.t, LOG_N, m.d);
        cr_assert_not_null(p, "%s", made_errors(&m));
        schedule(&m, p, 28, 4);
        cr_expect(p->sparse.at[0].shifts);
        cr_expect_lt(largest_error(&m, p), 1e-6);
        cr_expect_leq(he_count_all(p).scalar_products, 24 * 8, "at most one a power and row");
        made_free(&m);
    }
}
