/* test_he.c - the HE program: each rule of the verifier, the text form, evaluation on slots by the
 * definitions of he.h, and prices that grow with what they count. */
#include "made_he.h"

#include "ola/plan.h"

enum { SLOTS = 16 };

static struct he_poly
cubic(struct made *m)
{
    struct he_poly f = {.name = "f",
                        .degree = 3,
                        .cts = 2,
                        .period = 4,
                        .level = 3,
                        .in_scale = 0x1p30,
                        .out_scale = 0x1p30,
                        .coef = ARENA_ARRAY(m->a, float **, 2)};
    for (uint32_t c = 0; c < 2; c++) {
        f.coef[c] = ARENA_ARRAY(m->a, float *, 4);
        for (uint32_t k = 0; k < 4; k++) {
            f.coef[c][k] = ARENA_ARRAY(m->a, float, 4);
            for (uint32_t t = 0; t < 4; t++)
                f.coef[c][k][t] = (float)made_number(m);
        }
    }
    return f;
}

/* input (1 ct) -> map to 2 cts with bias and a fold -> polynomial -> product with itself -> output,
 * levels and scales as the schedule would give them. */
static struct he_program *
build(struct made *m)
{
    struct he_program *p = ARENA_NEW(m->a, struct he_program);
    p->arena = m->a;
    p->name = "made";
    uint64_t q[6];
    p->params = (struct he_params){.log_n = 5, .slots = SLOTS, .digit_limbs = 1, .scale = 0x1p30};
    cr_assert(ola_plan_primes(10, 30, 6, NULL, 0, q));
    for (uint32_t k = 0; k < 5; k++)
        vec_push(m->a, &p->params.q, q[k]);
    vec_push(m->a, &p->params.p, q[5]);
    p->params.log_qp = 180;
    p->relin_level = 3;
    uint32_t one = made_layout(p, 8, 1, 8), two = made_layout(p, 2 * SLOTS, 2, SLOTS);

    struct he_map map = {.name = "m",
                         .args = 1,
                         .in_cts = 1,
                         .out_cts = 2,
                         .bias_period = 4,
                         .level = 4,
                         .in_scale = 0x1p30,
                         .out_scale = 0x1p30};
    made_diagonal(m, &map, 0, 0, 0, 3, 8);
    made_diagonal(m, &map, 0, 1, 5, 0, 16);
    made_diagonal(m, &map, 0, 1, 5, 15, 4);
    vec_push(m->a, &map.folds, 8);
    map.bias = ARENA_ARRAY(m->a, double *, 2);
    for (uint32_t c = 0; c < 2; c++) {
        map.bias[c] = ARENA_ARRAY(m->a, double, 4);
        for (uint32_t t = 0; t < 4; t++)
            map.bias[c][t] = made_number(m);
    }
    vec_push(m->a, &p->maps, map);

    vec_push(m->a, &p->polys, cubic(m));

    uint32_t x = made_inst(p, HE_input, one, 0, 0, NULL),
             l = made_inst(p, HE_linear, two, 0, 1, &x);
    uint32_t y = made_inst(p, HE_poly, two, 0, 1, &l),
             sq = made_inst(p, HE_mul, two, NONE, 2, (uint32_t[]){y, y});
    uint32_t r = made_inst(p, HE_relin, two, NONE, 1, &sq),
             s = made_inst(p, HE_rescale, two, NONE, 1, &r);
    uint32_t o = made_inst(p, HE_output, two, 0, 1, &s);
    vec_push(m->a, &p->inputs, (struct he_port){.name = "in"});
    vec_push(m->a, &p->outputs, (struct he_port){.name = "out", .value = o});
    const uint32_t level[] = {4, 3, 1, 1, 1, 0, 0};
    const double low = 0x1p60 / (double)q[1],
                 scale[] = {0x1p30, 0x1p30, 0x1p30, 0x1p60, 0x1p60, low, low};
    for (uint32_t k = 0; k < p->insts.len; k++) {
        p->insts.at[k].level = level[k];
        p->insts.at[k].scale = scale[k];
    }
    vec_push(m->a, &p->rotations, (struct he_rotation){3, 4});
    return p;
}

/* in, then slot t of every instruction by the formulas of he.h. */
static void
evaluate(const struct he_program *p, const float *in, float *out)
{
    double x[SLOTS], y[2][SLOTS] = {{0}};
    const struct he_map *m = &p->maps.at[0];
    const struct he_poly *f = &p->polys.at[0];
    for (uint32_t t = 0; t < SLOTS; t++)
        x[t] = (double)in[t % 8];
    for (uint32_t d = 0; d < m->diagonals.len; d++) {
        const struct he_diagonal *g = &m->diagonals.at[d];
        double product[SLOTS];
        for (uint32_t t = 0; t < SLOTS; t++)
            product[t] = (double)g->value[t % g->period] * x[(t + g->baby) % SLOTS];
        for (uint32_t t = 0; t < SLOTS; t++)
            y[g->out_ct][t] += product[(t + g->giant) % SLOTS];
    }
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t t = 0; t < SLOTS; t++) {
            double sum = y[c][t] + y[c][(t + 8) % SLOTS] + m->bias[c][t % 4], coef[4];
            for (uint32_t k = 0; k < 4; k++)
                coef[k] = (double)f->coef[c][k][t % 4];
            double v = made_chebyshev(coef, 3, sum);
            out[c * SLOTS + t] = (float)(v * v);
        }
}

Test(he, evaluates_by_the_definitions)
{
    struct made m = made_new(1);
    struct he_program *p = build(&m);
    float in[8], got[2 * SLOTS], want[2 * SLOTS];
    const float *ins[] = {in};
    float *outs[] = {got};
    for (int k = 0; k < 8; k++)
        in[k] = (float)made_number(&m);
    cr_assert(he_check(p, HE_SCHEDULED, m.d), "%s", made_errors(&m));
    cr_assert(he_eval(p, ins, outs, m.d));
    evaluate(p, in, want);
    for (int k = 0; k < 2 * SLOTS; k++)
        cr_expect_float_eq(got[k], want[k], 1e-5 * (1 + fabs((double)want[k])), "slot %d: %g, %g",
                           k, (double)got[k], (double)want[k]);
    p->params.slots = 12;
    cr_expect(!he_eval(p, ins, outs, m.d));
    made_free(&m);
}

static const struct {
    const char *said;
    enum he_stage stage;
} breaches[] = {
    {"no instruction", HE_LOWERED},
    {"the number of arguments", HE_LOWERED},
    {"an argument is made later", HE_LOWERED},
    {"the layout does not fit", HE_LOWERED},
    {"the layout does not fit", HE_LOWERED},
    {"its data do not exist", HE_LOWERED},
    {"its data do not exist", HE_LOWERED},
    {"the map has another form", HE_LOWERED},
    {"a diagonal is outside of the map", HE_LOWERED},
    {"the level is above the chain", HE_SCHEDULED},
    {"the scale is not positive", HE_SCHEDULED},
    {"the level is wrong", HE_SCHEDULED},
    {"the level is wrong", HE_SCHEDULED},
    {"the level is wrong", HE_SCHEDULED},
    {"the scale is wrong", HE_SCHEDULED},
    {"the scale is wrong", HE_SCHEDULED},
    {"the arguments' levels differ", HE_SCHEDULED},
    {"it reads slots between elements", HE_LOWERED},
};

static void
breach(struct he_program *p, int rule)
{
    struct he_inst *i = p->insts.at;
    switch (rule) {
    case 0:
        i[4].op = HE_NONE;
        break;
    case 1:
        i[4].args.len = 0;
        break;
    case 2:
        i[1].args.at[0] = 1;
        break;
    case 3:
        i[3].cts = 1;
        break;
    case 4:
        i[3].layout = 2;
        break;
    case 5:
        i[1].data = 1;
        break;
    case 6:
        i[6].data = 1;
        break;
    case 7:
        p->maps.at[0].args = 2;
        break;
    case 8:
        p->maps.at[0].diagonals.at[2].out_ct = 2;
        break;
    case 9:
        i[0].level = 5;
        break;
    case 10:
        i[6].scale = 0;
        break;
    case 11:
        i[1].level = 4; /* a map goes down by one */
        break;
    case 12:
        i[2].level = 2; /* degree 3 by two */
        break;
    case 13:
        i[5].level = 1; /* a rescaling by one */
        break;
    case 14:
        i[3].scale = 0x1p30;
        break;
    case 15:
        i[5].scale = 0x1p30;
        break;
    case 16:
        i[3].args.at[1] = 1; /* level 3, the other factor 1 */
        break;
    case 17:
        p->maps.at[0].free_of_level = true;
        i[0].level = 3; /* it takes no level */
        break;
    }
}

Test(he, checks_every_rule)
{
    for (int rule = 0; rule < (int)(sizeof breaches / sizeof *breaches); rule++) {
        struct made m = made_new(1);
        struct he_program *p = build(&m);
        breach(p, rule);
        for (int s = HE_LOWERED; s <= HE_SCHEDULED; s++) {
            struct diag *d = diag_new();
            bool good = he_check(p, (enum he_stage)s, d);
            cr_expect_eq(good, (enum he_stage)s < breaches[rule].stage, "rule %d, stage %d", rule,
                         s);
            cr_expect(good || made_said(d, breaches[rule].said), "rule %d: %s", rule,
                      diag_at(d, 0)->text);
            cr_expect(good || diag_at(d, 0)->code == E_GRAPH);
            diag_free(d);
        }
        made_free(&m);
    }
}

Test(he, prints)
{
    struct made m = made_new(1);
    struct he_program *p = build(&m);
    struct str s = {0};
    he_print(p, &s);
    static const char *const lines[] = {
        "program made, N = 2^5, 5 q, 1 p, log QP = 180.0\n",
        "%0   = input     \"in\" : 1 ct, level 4, scale 2^30.0000  # n\n",
        "%0 map \"m\" 3 diagonals, bias, folds 8 : 2 ct, level 3, scale 2^30.0000  # n\n",
        "%2   = poly      %1 poly \"f\" degree 3 : 2 ct, level 1, scale 2^30.0000  # n\n",
        "%3   = mul       %2 %2 : 2 ct, level 1, scale 2^60.0000  # n\n",
        "%6   = output    %5 \"out\" : 2 ct, level 0",
    };
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
        cr_expect_not_null(strstr(str_text(&s), lines[k]), "%s is not in\n%s", lines[k],
                           str_text(&s));
    str_free(&s);
    made_free(&m);
}

/* The coarse parts of each input's baby steps, each reached from the one below it. */
Test(he, coarse_steps_are_chained)
{
    static const uint32_t steps[2][5] = {{9, 3, 14, 10, 4}, {5, 6, 2, 13, 15}};
    static const struct he_coarse want[5] = {
        {0, 4, 0}, {0, 8, 4}, {0, 12, 8}, {1, 4, 0}, {1, 12, 4}};
    struct made m = made_new(3);
    struct he_map map = {.args = 2, .in_cts = 1, .out_cts = 1, .coarse = 4};
    struct he_coarse *list;
    cr_expect_eq(he_map_coarse(m.a, &map, &list), 0u);
    for (uint32_t arg = 0; arg < 2; arg++)
        for (uint32_t k = 0; k < 5; k++) {
            made_diagonal(&m, &map, 0, 0, 0, steps[arg][k], 1);
            map.diagonals.at[map.diagonals.len - 1].arg = arg;
        }
    cr_assert_eq(he_map_coarse(m.a, &map, &list), 5u);
    for (uint32_t k = 0; k < 5; k++) {
        cr_expect_eq(list[k].input, want[k].input);
        cr_expect_eq(list[k].step, want[k].step);
        cr_expect_eq(list[k].from, want[k].from);
    }
    /* Raised: of the first input 0, 4, 8 and 12, for what is fine or coarse from there; of the
     * second 0, 4 and 12. */
    struct he_rotations r = he_map_rotations(&map);
    cr_expect_eq(r.coarse, 5u);
    cr_expect_eq(r.fine, 9u);
    cr_expect_eq(r.raised, 7u);
    map.coarse = 0;
    cr_expect_eq(he_map_coarse(m.a, &map, &list), 0u);
    made_free(&m);
}

/* Counts by hand; prices grow with the ring, the level, and what there is to do. */
Test(he, prices)
{
    struct made m = made_new(1);
    struct he_program *p = build(&m);
    he_price(p);
    /* one baby step of the first diagonal, one of the third, one giant step, a fold in two
     * ciphertexts */
    cr_expect_eq(p->counts.rotations, 2 + 1 + 2);
    cr_expect_gt(p->counts.products, 2, "the square, and the polynomial's");
    cr_expect_gt(p->counts.plain_products, 3);
    double seconds = p->seconds, sum = 0;
    uint64_t keys = p->key_bytes, peak = p->peak_bytes;
    for (uint32_t k = 0; k < p->insts.len; k++)
        sum += p->insts.at[k].seconds;
    cr_expect_float_eq(sum, seconds, 1e-15);
    cr_expect_gt(keys, 0);
    cr_expect_gt(peak, keys);

    made_diagonal(&m, &p->maps.at[0], 0, 1, 6, 2, 16);
    he_price(p);
    cr_expect_eq(p->counts.rotations, 2 + 1 + 2 + 2);
    cr_expect_gt(p->seconds, seconds);
    cr_expect_gt(p->peak_bytes, peak, "one more diagonal's values");
    cr_expect_eq(p->key_bytes, keys);
    vec_push(m.a, &p->rotations, (struct he_rotation){6, 0});
    he_price(p);
    cr_expect_gt(p->key_bytes, keys);

    for (uint32_t log_n = 11; log_n <= 15; log_n++)
        for (uint32_t level = 1; level < 5; level++) {
            struct he_params small = p->params, large = p->params;
            small.log_n = log_n - 1;
            large.log_n = log_n;
            for (int h = 0; h < 2; h++) {
                cr_expect_gt(he_price_rotation(&large, level, h),
                             he_price_rotation(&small, level, h));
                cr_expect_gt(he_price_rotation(&large, level, h),
                             he_price_rotation(&large, level - 1, h));
            }
            cr_expect_lt(he_price_rotation(&large, level, true),
                         he_price_rotation(&large, level, false));
        }
    made_free(&m);
}

/* Twice the seconds and half the memory: twice the price. No table: the shipped one. */
Test(he, prices_follow_the_costs)
{
    struct made m = made_new(1);
    struct he_program *p = build(&m);
    struct he_costs costs = he_costs_shipped;
    he_price(p);
    double seconds = p->seconds;
    p->params.costs = &costs;
    he_price(p);
    cr_expect_eq(p->seconds, seconds);
    costs.transform *= 2;
    costs.multiply *= 2;
    costs.inner *= 2;
    costs.memory /= 2;
    he_price(p);
    cr_expect_float_eq(p->seconds, 2 * seconds, 1e-12 * seconds);
    costs.speedup *= 2;
    costs.memory *= 2;
    he_price(p);
    cr_expect_float_eq(p->seconds, seconds, 1e-12 * seconds);
    double *unit[] = {&costs.transform, &costs.multiply, &costs.inner};
    for (size_t k = 0; k < sizeof unit / sizeof *unit; k++) {
        double cheaper = p->seconds;
        *unit[k] *= 1.5;
        he_price(p);
        cr_expect_gt(p->seconds, cheaper, "unit %zu has its part in it", k);
    }
    made_free(&m);
}
