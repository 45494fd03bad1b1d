/* test_schedule.c - levels, scales, drops and keys of programs made by hand, against what was
 * worked out by hand. */
#include "made_he.h"
#include "ola/plan.h"
#include "schedule/schedule.h"

enum { LOG_N = 10, SLOTS = 512 };

static struct he_program *
new_program(struct made *m)
{
    struct he_program *p = ARENA_NEW(m->a, struct he_program);
    p->arena = m->a;
    p->name = "made";
    p->relin_level = NONE;
    p->params = (struct he_params){.log_n = LOG_N, .slots = SLOTS};
    return p;
}

static void
choose_params(struct made *m, struct he_program *p, uint32_t depth)
{
    uint64_t q[OLA_MAX_Q], special;
    cr_assert(ola_plan_primes(LOG_N, 40, 1, NULL, 0, q));
    cr_assert(!depth || ola_plan_primes(LOG_N, 30, depth, q, 1, q + 1));
    cr_assert(ola_plan_primes(LOG_N, 42, 1, q, depth + 1, &special));
    for (uint32_t k = 0; k <= depth; k++)
        vec_push(m->a, &p->params.q, q[k]);
    vec_push(m->a, &p->params.p, special);
    p->params.digit_limbs = 1;
    p->params.scale = 0x1p30;
}

static uint32_t
input(struct made *m, struct he_program *p, uint32_t layout)
{
    uint32_t x = made_inst(p, HE_input, layout, p->inputs.len, 0, NULL);
    vec_push(m->a, &p->inputs, (struct he_port){.name = "in", .value = x, .layout = layout});
    return x;
}

static uint32_t
output(struct made *m, struct he_program *p, uint32_t x)
{
    uint32_t o = made_inst(p, HE_output, p->insts.at[x].layout, p->outputs.len, 1, &x);
    vec_push(m->a, &p->outputs,
             (struct he_port){.name = "out", .value = o, .layout = p->insts.at[x].layout});
    return o;
}

/* A map of one ciphertext with these steps, giant and baby in turn, and a fold (0: none). */
static uint32_t
map(struct made *m, struct he_program *p, uint32_t x, uint32_t n, const uint32_t *steps,
    uint32_t fold)
{
    struct he_map map = {.name = "m", .args = 1, .in_cts = 1, .out_cts = 1};
    for (uint32_t k = 0; k < n; k++)
        made_diagonal(m, &map, 0, 0, steps[2 * k], steps[2 * k + 1], 8);
    if (fold)
        vec_push(m->a, &map.folds, fold);
    vec_push(m->a, &p->maps, map);
    return made_inst(p, HE_linear, p->insts.at[x].layout, p->maps.len - 1, 1, &x);
}

static uint32_t
poly(struct made *m, struct he_program *p, uint32_t x, uint32_t degree)
{
    struct he_poly f = {.name = "f",
                        .degree = degree,
                        .cts = 1,
                        .period = 1,
                        .coef = ARENA_ARRAY(m->a, float **, 1)};
    f.coef[0] = ARENA_ARRAY(m->a, float *, degree + 1);
    for (uint32_t k = 0; k <= degree; k++) {
        f.coef[0][k] = ARENA_ARRAY(m->a, float, 1);
        f.coef[0][k][0] = (float)made_number(m);
    }
    vec_push(m->a, &p->polys, f);
    return made_inst(p, HE_poly, p->insts.at[x].layout, p->polys.len - 1, 1, &x);
}

static uint32_t
count(const struct he_program *p, enum he_op op)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->insts.len; k++)
        n += p->insts.at[k].op == op;
    return n;
}

/* Outputs on one random input, elements of `layout`. */
static void
answers(struct made *m, const struct he_program *p, const float *in, float *out)
{
    const float *ins[] = {in, in};
    float *outs[] = {out, out + 8};
    cr_assert(he_eval(p, ins, outs, m->d));
}

/* What a polynomial brings counts in the map behind it, and is not new there. */
static void
new_noise(const struct he_program *p, uint32_t poly, uint32_t map)
{
    const struct he_inst *f = &p->insts.at[poly], *behind = &p->insts.at[map];
    double brought = p->maps.at[behind->data].gain * f->noise;

    cr_expect_eq(f->fresh, f->noise);
    cr_expect_gt(brought, 0);
    cr_expect_float_eq(behind->noise / hypot(behind->fresh, brought), 1, 1e-9);
}

/* x -> map -> cubic -> map -> sum with x -> sum with x again: x is wanted 4 levels down twice. */
Test(schedule, levels_and_shared_drops)
{
    struct made m = made_new(1);
    struct he_program *p = new_program(&m);
    uint32_t l = made_layout(p, 8, 1, 8), x = input(&m, p, l);
    uint32_t a = map(&m, p, x, 2, (uint32_t[]){0, 1, 5, 2}, 0), b = poly(&m, p, a, 3);
    uint32_t c = map(&m, p, b, 1, (uint32_t[]){0, 3}, 8);
    uint32_t s = made_inst(p, HE_add, l, NONE, 2, (uint32_t[]){c, x});
    uint32_t t = made_inst(p, HE_sub, l, NONE, 2, (uint32_t[]){s, x});
    output(&m, p, t);
    float in[8], before[16], after[16];
    for (int k = 0; k < 8; k++)
        in[k] = (float)made_number(&m);
    answers(&m, p, in, before);
    cr_assert(he_check(p, HE_LOWERED, m.d), "%s", made_errors(&m));

    struct schedule_levels levels;
    schedule_levels(p, &levels);
    cr_expect_eq(levels.depth, 4);
    cr_expect(!levels.outputs_free, "a sum makes the output");
    cr_assert_eq(count(p, HE_drop), 1, "one drop serves both readers");
    static const struct {
        enum he_op op;
        uint32_t level;
    } want[] = {{HE_input, 4}, {HE_linear, 3}, {HE_poly, 1}, {HE_linear, 0},
                {HE_drop, 0},  {HE_add, 0},    {HE_sub, 0},  {HE_output, 0}};
    cr_assert_eq(p->insts.len, 8);
    for (uint32_t k = 0; k < 8; k++)
        cr_expect(p->insts.at[k].op == want[k].op && p->insts.at[k].level == want[k].level, "%%%u",
                  k);
    cr_expect_eq(p->outputs.at[0].value, 7);
    /* Level 4: a giant step and a decomposition. Level 3 to 2: the cubic. Level 1: a decomposition.
     * 0: the fold. */
    cr_expect_geq(levels.switches[4], 1);
    cr_expect(levels.switches[3] >= 1 && levels.switches[2] >= 1);
    cr_expect_eq(levels.switches[0], 1);

    for (uint32_t k = 0; k < p->maps.len; k++)
        p->maps.at[k].gain = 0.5;
    choose_params(&m, p, levels.depth);
    cr_assert(schedule_scales(p, 4, m.d), "%s", made_errors(&m));
    for (uint32_t k = 0; k < 8; k++)
        cr_expect_eq(p->insts.at[k].scale, 0x1p30, "%%%u", k);
    answers(&m, p, in, after);
    cr_expect_arr_eq(before, after, 8 * sizeof *before);

    /* giant 5 and babies 1, 2 at level 4; baby 3 at level 1; the fold by 8 below its map */
    static const struct he_rotation keys[] = {{1, 4}, {2, 4}, {3, 1}, {5, 4}, {8, 0}};
    cr_assert_eq(p->rotations.len, 5);
    for (uint32_t k = 0; k < 5; k++)
        cr_expect(p->rotations.at[k].step == keys[k].step &&
                      p->rotations.at[k].level == keys[k].level,
                  "key %u", k);
    cr_expect_eq(p->relin_level, 3);
    for (uint32_t k = 1; k < 4; k++)
        cr_expect_gt(p->insts.at[k].noise, 0);
    new_noise(p, 2, 3);
    cr_expect_gt(p->seconds, 0);
    made_free(&m);
}

/* A step that two maps use has one key, at the higher of the levels. */
Test(schedule, keys_are_for_the_highest_level)
{
    struct made m = made_new(2);
    struct he_program *p = new_program(&m);
    uint32_t l = made_layout(p, 8, 1, 8), x = input(&m, p, l);
    uint32_t a = map(&m, p, x, 1, (uint32_t[]){0, 7}, 0),
             b = map(&m, p, a, 1, (uint32_t[]){7, 4}, 16);
    output(&m, p, map(&m, p, b, 2, (uint32_t[]){0, 0, 4, 7}, 0));
    struct schedule_levels levels;
    schedule_levels(p, &levels);
    cr_expect_eq(levels.depth, 3);
    cr_expect(levels.outputs_free);
    choose_params(&m, p, 3);
    cr_assert(schedule_scales(p, 1, m.d), "%s", made_errors(&m));
    static const struct he_rotation keys[] = {{4, 2}, {7, 3}, {16, 1}};
    cr_assert_eq(p->rotations.len, 3);
    for (uint32_t k = 0; k < 3; k++)
        cr_expect(p->rotations.at[k].step == keys[k].step &&
                      p->rotations.at[k].level == keys[k].level,
                  "key %u", k);
    cr_expect_eq(p->relin_level, NONE, "there is no product");
    made_free(&m);
}

/* A map without weights takes no level and no scale of its own. */
Test(schedule, sums_take_no_level)
{
    struct made m = made_new(3);
    struct he_program *p = new_program(&m);
    uint32_t l = made_layout(p, 8, 1, 8), x = input(&m, p, l),
             s = map(&m, p, x, 2, (uint32_t[]){0, 0, 0, 1}, 0);
    p->maps.at[0].free_of_level = true;
    for (uint32_t k = 0; k < 2; k++)
        p->maps.at[0].diagonals.at[k].value = NULL;
    output(&m, p, map(&m, p, s, 1, (uint32_t[]){0, 0}, 0));
    struct schedule_levels levels;
    schedule_levels(p, &levels);
    cr_expect_eq(levels.depth, 1);
    choose_params(&m, p, 1);
    cr_assert(schedule_scales(p, 1, m.d), "%s", made_errors(&m));
    cr_expect(p->insts.at[1].level == 1 && p->insts.at[2].level == 0);
    cr_expect(p->maps.at[0].level == 1 && p->maps.at[0].out_scale == p->maps.at[0].in_scale);
    made_free(&m);
}

/* x -> two maps -> product: the second factor at scale q of the prime that the product loses, so
 * that the product has the default scale again; relinearised at the product's level. */
Test(schedule, products_return_to_the_default_scale)
{
    struct made m = made_new(4);
    struct he_program *p = new_program(&m);
    uint32_t l = made_layout(p, 8, 1, 8), x = input(&m, p, l);
    uint32_t u = map(&m, p, x, 1, (uint32_t[]){0, 1}, 0), f = poly(&m, p, u, 2),
             v = map(&m, p, x, 1, (uint32_t[]){0, 2}, 0);
    uint32_t w = made_inst(p, HE_mul, l, NONE, 2, (uint32_t[]){f, v}),
             r = made_inst(p, HE_relin, l, NONE, 1, &w);
    uint32_t s = made_inst(p, HE_rescale, l, NONE, 1, &r);
    output(&m, p, s);
    float in[8], before[16], after[16];
    for (int k = 0; k < 8; k++)
        in[k] = (float)made_number(&m);
    answers(&m, p, in, before);
    struct schedule_levels levels;
    schedule_levels(p, &levels);
    cr_expect_eq(levels.depth, 4); /* map 1, square 2 by plan, product 1 */
    cr_expect_eq(ola_plan_poly_depth(2), 2);
    choose_params(&m, p, levels.depth);
    cr_assert(schedule_scales(p, 1, m.d), "%s", made_errors(&m));
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        if (i->op == HE_mul) {
            cr_expect_eq(i->level, 1);
            cr_expect_eq(p->insts.at[i->args.at[0]].scale, 0x1p30);
            cr_expect_eq(p->insts.at[i->args.at[1]].scale, (double)p->params.q.at[1]);
        }
        if (i->op == HE_rescale)
            cr_expect_float_eq(i->scale, 0x1p30, 1);
    }
    cr_expect_eq(p->relin_level, 3, "the polynomial's, which is above the product's");
    answers(&m, p, in, after);
    cr_expect_arr_eq(before, after, 8 * sizeof *before);
    made_free(&m);
}

/* Outputs that a map makes go down in scale until twice the range fits half of the last prime; the
 * port says how much room there is. */
Test(schedule, outputs_fit_the_last_prime)
{
    for (double range = 1; range < 1e6; range *= 8) {
        struct made m = made_new(5);
        struct he_program *p = new_program(&m);
        uint32_t l = made_layout(p, 8, 1, 8), x = input(&m, p, l),
                 a = map(&m, p, x, 1, (uint32_t[]){0, 1}, 0);
        output(&m, p, a);
        struct schedule_levels levels;
        schedule_levels(p, &levels);
        choose_params(&m, p, 1);
        cr_assert(schedule_scales(p, range, m.d), "%s", made_errors(&m));
        double scale = p->insts.at[p->outputs.at[0].value].scale, q = (double)p->params.q.at[0];
        cr_expect_geq(p->outputs.at[0].range, 2 * range);
        cr_expect_float_eq(p->outputs.at[0].range, q / 2 / scale, 1e-6 * p->outputs.at[0].range);
        cr_expect(scale == 0x1p30 || 2 * scale * 4 * range > q, "no lower than it must be");
        made_free(&m);
    }
}
