/* test_layout.c - grids give every element a slot of its own; the split of a map is the cheapest
 * there is; moves, sums and equal weights are recognised. */
#include "layout/internal.h"
#include "layout/layout.h"
#include "made.h"

/* ---- grids
 * --------------------------------------------------------------------------------------- */

static bool
distinct(struct made *m, const struct he_layout *l)
{
    bool *used = ARENA_ARRAY(m->a, bool, (size_t)l->cts * l->period);
    for (uint32_t e = 0; e < l->n; e++) {
        if (l->slot[e] >= l->cts * l->period || used[l->slot[e]])
            return false;
        used[l->slot[e]] = true;
    }
    return true;
}

/* Compact grids and all that share them with another resolution. */
Test(layout, grids_are_injective)
{
    uint32_t present = 0, absent = 0, several = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct made m = made_new(seed);
        uint32_t c = 1 + made_below(&m, 12), h = 1 + made_below(&m, 12), w = 2 + made_below(&m, 12),
                 slots = 64;
        struct tp_grid base = grid_compact(c, h, w);
        struct he_layout l;
        struct shape s = MADE_SHAPE(1, c, h, w);
        cr_assert(base.present && base.plane >= h * w && (base.plane & (base.plane - 1)) == 0);
        cr_assert(grid_layout(m.a, &base, &s, slots, &l) && l.n == c * h * w);
        cr_assert(distinct(&m, &l), "compact %ux%ux%u", c, h, w);
        cr_assert(l.cts == 1 ? l.period <= slots : l.period == slots);
        several += l.cts > 1;
        for (uint32_t y = 0; y < h; y++) /* a plane lies in rows */
            for (uint32_t x = 0; x < w; x++)
                cr_assert_eq(l.slot[y * w + x], y * w + x);

        uint32_t gap = 1u << made_below(&m, 3), c2 = 1 + made_below(&m, 12),
                 h2 = 1 + made_below(&m, h), w2 = 1 + made_below(&m, w);
        struct tp_grid g = grid_regap(&base, c2, h2, w2, gap, seed & 1);
        present += g.present;
        absent += !g.present;
        if (g.present) {
            struct shape s2 = MADE_SHAPE(1, c2, h2, w2);
            cr_assert(grid_layout(m.a, &g, &s2, slots, &l));
            cr_assert(distinct(&m, &l), "%ux%ux%u on %ux%ux%u with gap %u", c2, h2, w2, c, h, w,
                      gap);
            uint32_t per = g.packed ? gap * gap : 1; /* the formula of tp.h */
            for (uint32_t e = 0; e < l.n; e++) {
                uint32_t ch = e / (h2 * w2), y = e / w2 % h2, x = e % w2, sub = ch % per;
                cr_assert_eq(l.slot[e], ch / per * base.plane + (y * gap + sub / gap) * w +
                                            x * gap + sub % gap);
            }
        }
        made_free(&m);
    }
    cr_expect(present > 50 && absent > 50 && several > 50, "%u, %u, %u", present, absent, several);
}

Test(layout, grids_are_recognised)
{
    struct made m = made_new(1);
    struct tp_grid base = grid_compact(4, 8, 8), g = grid_regap(&base, 8, 4, 4, 2, true),
                   none = {0};
    struct shape s = MADE_SHAPE(1, 8, 4, 4);
    struct he_layout l;
    cr_assert(g.present && grid_layout(m.a, &g, &s, 512, &l));
    struct tp_grid found = grid_recognise(m.a, &l, &g, 512);
    cr_expect(found.present && found.gap == 2 && found.packed);
    cr_expect(!grid_recognise(m.a, &l, &none, 512).present, "the compact grid does not explain it");
    l.slot[5]++;
    cr_expect(!grid_recognise(m.a, &l, &g, 512).present);
    struct tp_grid own = grid_compact(8, 4, 4);
    cr_assert(grid_layout(m.a, &own, &s, 512, &l));
    cr_expect(grid_recognise(m.a, &l, &none, 512).present);
    made_free(&m);
}

/* ---- splits
 * ---------------------------------------------------------------------------------------- */

/* x modulo m in [-m/2, m - m/2). */
static int64_t
centred(int64_t x, int64_t m)
{
    int64_t r = ((x % m) + m) % m;
    return r >= m - m / 2 ? r - m : r;
}

struct pair {
    uint32_t ct;
    int64_t step;
};

static uint32_t
add(struct pair *list, uint32_t n, uint32_t ct, int64_t step)
{
    for (uint32_t k = 0; k < n; k++)
        if (list[k].ct == ct && list[k].step == step)
            return n;
    list[n] = (struct pair){ct, step};
    return n + 1;
}

/* What a cut costs: an input rotated by each baby step once, an output by each giant step once. */
static double
cost(const struct offset *o, uint32_t n, uint32_t modulus, uint32_t plane, uint32_t baby)
{
    struct pair babies[256], giants[256], inputs[256];
    uint32_t n_babies = 0, n_giants = 0, n_inputs = 0;
    for (uint32_t k = 0; k < n; k++) {
        int64_t d = ((o[k].delta % (int32_t)modulus) + (int32_t)modulus) % (int32_t)modulus;
        int64_t b = centred(centred(d, plane), baby), g = (((d - b) % modulus) + modulus) % modulus;
        uint32_t in = o[k].arg * 100 + o[k].in_ct;
        if (b) {
            n_babies = add(babies, n_babies, in, b);
            n_inputs = add(inputs, n_inputs, in, 0);
        }
        if (g)
            n_giants = add(giants, n_giants, o[k].out_ct, g);
    }
    return n_babies * (PRICE_HOISTED + PRICE_KEY) + n_inputs * PRICE_DECOMPOSE +
           n_giants * (PRICE_ROTATION + PRICE_KEY);
}

Test(layout, split_is_the_cheapest)
{
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct made m = made_new(seed);
        uint32_t slots = 128, period = 16u << made_below(&m, 4), count = 1 + made_below(&m, 30);
        struct tp_grid grid = grid_compact(4, 4, 4);
        uint32_t x = made_input(&m, MADE_SHAPE(1, 4, 4, 4)),
                 y = made_node(&m, TP_LINEAR, MADE_SHAPE(1, 8));
        made_arg(&m, y, x, NULL);
        m.t->nodes.at[x].layout = (struct he_layout){.cts = 2, .period = period};
        if (seed & 1)
            m.t->nodes.at[x].grid = grid;
        struct he_layout out = {.cts = 2, .period = period};
        struct offsets o = {0};
        for (uint32_t k = 0; k < count; k++) { /* distinct modulo the period */
            struct offset f = {0, made_below(&m, 2), made_below(&m, 2),
                               (int32_t)made_below(&m, period)};
            bool again = false;
            for (uint32_t i = 0; i < o.at.len; i++)
                again |= o.at.at[i].in_ct == f.in_ct && o.at.at[i].out_ct == f.out_ct &&
                         o.at.at[i].delta == f.delta;
            if (!again)
                vec_push(m.a, &o.at, f);
        }
        struct tp_split best = {0};
        double price = split_price(m.t, &m.t->nodes.at[y], &o, &out, period, slots, &best);
        double least = INFINITY;
        for (uint32_t baby = 1; baby <= period; baby++)
            for (uint32_t k = 0; k < 2; k++)
                if (!k || ((seed & 1) && grid.plane < period))
                    least =
                        fmin(least, cost(o.at.at, o.at.len, period, k ? grid.plane : period, baby));
        double products = PRICE_DIAGONAL * o.at.len;
        cr_assert_float_eq(price, least + products, 1e-9, "seed %d: %g, not %g", (int)seed, price,
                           least + products);
        cr_assert_float_eq(cost(o.at.at, o.at.len, period, best.plane, best.baby), least, 1e-9);
        cr_assert_eq(best.fold, period);
        made_free(&m);
    }
}

/* Folding from a period of 64 down to one of 16 is two rotations an output ciphertext. */
Test(layout, folds_are_priced)
{
    struct made m = made_new(1);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 64)), y = made_node(&m, TP_LINEAR, MADE_SHAPE(1, 16));
    made_arg(&m, y, x, NULL);
    m.t->nodes.at[x].layout = (struct he_layout){.cts = 1, .period = 64};
    struct he_layout out = {.cts = 1, .period = 16};
    struct offsets o = {0};
    vec_push(m.a, &o.at, (struct offset){0, 0, 0, 0});
    struct tp_split best = {0};
    double price = split_price(m.t, &m.t->nodes.at[y], &o, &out, 16, 128, &best);
    cr_expect_float_eq(price, PRICE_DIAGONAL + 2 * (PRICE_ROTATION + PRICE_KEY), 1e-12);
    made_free(&m);
}

/* The offsets of a map are the differences of slots, each once. */
Test(layout, offsets)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct made m = made_new(seed);
        uint32_t x = made_input(&m, MADE_SHAPE(1, 6, 5, 5)),
                 y = made_linear(&m, x, MADE_SHAPE(1, 3, 4, 4), 0.05);
        uint32_t slots = 64;
        struct tp_grid in = grid_compact(6, 5, 5), to = grid_compact(3, 4, 4);
        struct tp_node *n = &m.t->nodes.at[y];
        struct he_layout out;
        cr_assert(grid_layout(m.a, &in, &m.t->nodes.at[x].shape, slots, &m.t->nodes.at[x].layout));
        cr_assert(grid_layout(m.a, &to, &n->shape, slots, &out));
        struct offsets o;
        offsets_find(m.a, m.t, n, &out, slots, UINT64_MAX, &o);
        cr_assert(!o.too_many);
        uint32_t hits = 0, least = 0;
        for (uint32_t k = 0; k < o.at.len; k++) {
            bool used = false, first = true;
            for (uint32_t i = 0; i < k; i++) {
                cr_assert(memcmp(&o.at.at[i], &o.at.at[k], sizeof *o.at.at) != 0, "twice");
                first &= o.at.at[i].in_ct != o.at.at[k].in_ct ||
                         o.at.at[i].out_ct != o.at.at[k].out_ct ||
                         (o.at.at[i].delta - o.at.at[k].delta) % 64 != 0;
            }
            least += first;
            for (uint32_t r = 0; r < n->n; r++)
                for (uint32_t c = 0; c < 150; c++) {
                    uint32_t from = m.t->nodes.at[x].layout.slot[c], at = out.slot[r];
                    if (made_at(n->args.at[0].m, r, c) == 0 || from / slots != o.at.at[k].in_ct ||
                        at / slots != o.at.at[k].out_ct ||
                        (int32_t)(from % slots) - (int32_t)(at % slots) != o.at.at[k].delta)
                        continue;
                    used = true;
                    hits++;
                }
            cr_assert(used);
        }
        cr_assert_eq(hits, n->args.at[0].m->start[n->n], "every weight lies at one offset");
        struct offsets few;
        offsets_find(m.a, m.t, n, &out, slots, least, &few);
        cr_assert(!few.too_many);
        offsets_find(m.a, m.t, n, &out, slots, least - 1, &few);
        cr_assert(few.too_many);
        made_free(&m);
    }
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------ */

static struct matrix *
identity(struct made *m, uint32_t n)
{
    return matrix_diagonal(m->a, n, NULL);
}

Test(layout, moves_cost_nothing)
{
    struct made m = made_new(1);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 4, 4, 4)),
             l = made_linear(&m, x, MADE_SHAPE(1, 4, 4, 4), 0.5);
    uint32_t p = made_poly(&m, l, 3, 1), flat = made_node(&m, TP_LINEAR, MADE_SHAPE(1, 64));
    made_arg(&m, flat, p, identity(&m, 64));
    made_output(&m, flat);
    tp_count_uses(m.t);
    cr_assert(layout(m.t, 10, m.d));
    const struct tp_node *f = &m.t->nodes.at[flat], *from = &m.t->nodes.at[p];
    cr_expect(f->split.alias);
    cr_expect_eq(tp_depth(m.t), 1 + 2);
    for (uint32_t e = 0; e < 64; e++)
        cr_expect_eq(f->layout.slot[e], from->layout.slot[e]);
    made_free(&m);
}

Test(layout, residual_sums_cost_no_level)
{
    struct made m = made_new(2);
    struct shape s = MADE_SHAPE(1, 2, 4, 4);
    uint32_t x = made_input(&m, s), l = made_linear(&m, x, s, 0.3), p = made_poly(&m, l, 3, 1);
    uint32_t q = made_linear(&m, p, s, 0.3), r = made_poly(&m, q, 3, 1),
             sum = made_node(&m, TP_LINEAR, s);
    made_arg(&m, sum, p, identity(&m, 32));
    made_arg(&m, sum, r, identity(&m, 32));
    made_output(&m, sum);
    tp_count_uses(m.t);
    cr_assert(layout(m.t, 10, m.d));
    cr_expect(m.t->nodes.at[m.t->nodes.len - 1].split.plain_sum);
    cr_expect_eq(tp_depth(m.t), 1 + 2 + 1 + 2);
    made_free(&m);
}

/* A mean over 2 x 2 windows with stride 2 between activations: sums of rotations, the weight goes
 * into the next map, and so does the bias of what is read. */
Test(layout, pools_cost_no_level)
{
    struct made m = made_new(3);
    uint32_t x = made_input(&m, MADE_SHAPE(1, 2, 8, 8)),
             l = made_linear(&m, x, MADE_SHAPE(1, 2, 8, 8), 0.3);
    uint32_t p = made_poly(&m, l, 3, 1), pool = made_node(&m, TP_LINEAR, MADE_SHAPE(1, 2, 4, 4));
    struct matrix_builder b;
    matrix_begin(&b, m.a, 32, 128);
    for (uint32_t r = 0; r < 32; r++)
        for (uint32_t k = 0; k < 4; k++)
            matrix_entry(&b, r, r / 16 * 64 + (r / 4 % 4 * 2 + k / 2) * 8 + r % 4 * 2 + k % 2,
                         0.25);
    made_arg(&m, pool, p, matrix_end(&b));
    uint32_t y = made_linear(&m, pool, MADE_SHAPE(1, 4), 1),
             z = made_linear(&m, pool, MADE_SHAPE(1, 4), 1);
    made_output(&m, y);
    made_output(&m, z); /* two readers: the pool is not merged into one of them */
    tp_count_uses(m.t);
    float before = m.t->nodes.at[y].args.at[0].m->val[7];
    cr_assert(layout(m.t, 10, m.d));
    cr_assert_eq(m.t->nodes.len, 6);
    cr_expect(m.t->nodes.at[pool].split.free_of_level && m.t->nodes.at[pool].split.weight == 0.25f);
    cr_expect_eq(m.t->nodes.at[y].args.at[0].m->val[7], before * 0.25f);
    cr_expect_eq(tp_depth(m.t), 1 + 2 + 1);
    made_free(&m);
}

/* Both factors of a product under one layout; two maps in a row become one where that is cheaper.
 */
Test(layout, products_and_merging)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct made m = made_new(seed);
        uint32_t x = made_input(&m, MADE_SHAPE(1, 3, 4, 4));
        uint32_t u = made_linear(&m, x, MADE_SHAPE(1, 2, 4, 4), 0.4), up = made_poly(&m, u, 2, 1);
        uint32_t v = made_linear(&m, x, MADE_SHAPE(1, 32), 0.4), w = made_mul(&m, up, v);
        uint32_t a = made_linear(&m, w, MADE_SHAPE(1, 8), 0.5),
                 b = made_linear(&m, a, MADE_SHAPE(1, 8), 0.5);
        m.t->nodes.at[v].shape = MADE_SHAPE(1, 2, 4, 4);
        made_output(&m, b);
        tp_count_uses(m.t);
        const float *const *in = made_data(&m);
        double *want = made_eval(&m, m.t, in)[b];
        struct tp *t = tp_copy(m.a, m.t);
        cr_assert(layout(t, 10, m.d));
        cr_assert(tp_check(t, m.d), "%s", made_errors(&m));
        cr_expect_eq(t->nodes.len, 6, "eight maps a way do not pay for a level");
        for (uint32_t k = 0; k < t->nodes.len; k++) {
            const struct tp_node *n = &t->nodes.at[k];
            cr_assert(distinct(&m, &n->layout) && n->layout.n == n->n);
            if (n->kind != TP_MUL)
                continue;
            const struct he_layout *one = &t->nodes.at[n->args.at[0].value].layout;
            const struct he_layout *two = &t->nodes.at[n->args.at[1].value].layout;
            cr_assert(one->cts == two->cts && one->period <= n->layout.period);
            cr_assert_arr_eq(one->slot, two->slot, n->n * sizeof *one->slot);
        }
        double *got = made_eval(&m, t, in)[t->outputs.at[0]];
        for (uint32_t e = 0; e < 8; e++)
            cr_assert_float_eq(got[e], want[e], 1e-5 * (1 + fabs(want[e])));
        made_free(&m);
    }
}

/* A tensor of more than MAX_CTS ciphertexts is refused by its node's name. */
Test(layout, says_what_does_not_fit)
{
    struct made m = made_new(4);
    uint32_t x = made_input(&m, MADE_SHAPE(1, (int64_t)MAX_CTS * 16 + 1));
    made_output(&m, x);
    tp_count_uses(m.t);
    cr_expect(!layout(m.t, 5, m.d));
    cr_assert_eq(diag_errors(m.d), 1);
    cr_expect_eq(diag_at(m.d, 0)->code, E_LAYOUT_SIZE);
    cr_expect_str_eq(diag_at(m.d, 0)->place.node, "n0");
    made_free(&m);
}
