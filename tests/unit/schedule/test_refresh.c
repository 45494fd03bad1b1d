/* test_refresh.c - the places of bootstrappings, alone and together with the degrees, against
 * exhaustive search over random programs. */
#include "made_he.h"
#include "ola/plan.h"
#include "schedule/internal.h"
#include "schedule/schedule.h"

#include <math.h>

enum { LOG_N = 11, SLOTS = 1024, CASES = 40 };

static uint64_t
draw(uint64_t *seed, uint64_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % n;
}

/* Parameters of some chain with `levels` between two bootstrappings; only prices are made of
 * them. */
static void
choose_params(struct made *m, struct he_program *p, uint32_t levels)
{
    uint64_t q[OLA_MAX_Q], special[2];
    uint32_t n = levels + 1 + 6 + 2;
    cr_assert(ola_plan_primes(LOG_N, 36, n, NULL, 0, q));
    cr_assert(ola_plan_primes(LOG_N, 44, 2, q, n, special));
    p->params =
        (struct he_params){.log_n = LOG_N, .slots = SLOTS, .digit_limbs = 2, .scale = 0x1p36};
    for (uint32_t k = 0; k < n; k++)
        vec_push(m->a, &p->params.q, q[k]);
    for (uint32_t k = 0; k < 2; k++)
        vec_push(m->a, &p->params.p, special[k]);
    p->params.boot = (struct ola_boot_shape){
        .stc = 1, .cts = 2, .degree = 15, .doubles = 2, .k = 12, .out_level = levels};
}

static uint32_t
add_poly(struct made *m, struct he_program *p, uint32_t x, uint32_t degree)
{
    struct he_poly f = {.name = "f", .degree = degree, .cts = 1, .period = 1};
    f.coef = ARENA_ARRAY(m->a, float **, 1);
    f.coef[0] = ARENA_ARRAY(m->a, float *, degree + 1);
    for (uint32_t k = 0; k <= degree; k++) {
        f.coef[0][k] = ARENA_ARRAY(m->a, float, 1);
        f.coef[0][k][0] = (float)made_number(m);
    }
    vec_push(m->a, &p->polys, f);
    return made_inst(p, HE_poly, p->insts.at[x].layout, p->polys.len - 1, 1, &x);
}

static uint32_t
add_map(struct made *m, struct he_program *p, uint32_t n, const uint32_t *x, uint32_t steps)
{
    struct he_map map = {.name = "m", .args = n, .in_cts = 1, .out_cts = 1};
    for (uint32_t k = 0; k < steps; k++)
        made_diagonal(m, &map, 0, 0, 16 * k, k % 3, 8);
    for (uint32_t a = 1; a < n; a++) {
        made_diagonal(m, &map, 0, 0, 16 * steps, 0, 8);
        map.diagonals.at[map.diagonals.len - 1].arg = a;
    }
    vec_push(m->a, &p->maps, map);
    return made_inst(p, HE_linear, p->insts.at[x[0]].layout, p->maps.len - 1, n, x);
}

/* A chain of maps and polynomials with skips, as residual networks have. */
static struct he_program *
random_program(struct made *m, uint64_t *seed)
{
    struct he_program *p = ARENA_NEW(m->a, struct he_program);
    p->arena = m->a;
    p->name = "made";
    p->relin_level = NONE;
    p->params.slots = SLOTS;
    uint32_t l = made_layout(p, 8, 1, 8), x = made_inst(p, HE_input, l, 0, 0, NULL), skip = x;
    vec_push(m->a, &p->inputs, (struct he_port){.name = "in", .value = x, .layout = l});
    uint32_t blocks = 2 + (uint32_t)draw(seed, 4);
    for (uint32_t k = 0; k < blocks; k++) {
        bool joined = draw(seed, 2);
        x = add_map(m, p, joined ? 2 : 1, (uint32_t[]){x, skip}, 1 + (uint32_t)draw(seed, 6));
        p->insts.at[x].bound = draw(seed, 3) ? 0 : 2;
        if (draw(seed, 4))
            x = add_poly(m, p, x, draw(seed, 2) ? 3 : 7);
        if (joined || draw(seed, 2))
            skip = x;
    }
    x = made_inst(p, HE_output, l, 0, 1, &x);
    vec_push(m->a, &p->outputs, (struct he_port){.name = "out", .value = x, .layout = l});
    return p;
}

/* The price with refreshes at exactly these places, below 0 where a level is missing: levels by the
 * longest way to a refresh or an output, from scratch. */
static double
price_of(const struct he_program *p, uint32_t subset, const struct he_rotations *rotations)
{
    uint32_t n = p->insts.len, level[64] = {0};
    double seconds = 0;
    for (uint32_t k = n; k-- > 0;) {
        const struct he_inst *i = &p->insts.at[k];
        if (subset >> k & 1) {
            if (level[k] > p->params.boot.out_level)
                return -1;
            if (level[k] < p->params.boot.stc)
                level[k] = p->params.boot.stc;
            seconds += he_price_refresh(&p->params, p->layouts.at[i->layout].period, level[k]);
            level[k] = p->params.boot.stc;
        }
        uint32_t down = i->op == HE_linear ? 1 : 0;
        if (i->op == HE_poly)
            down = p->polys.at[i->data].degree == 3 ? 2 : p->polys.at[i->data].degree == 7 ? 3 : 4;
        bool fresh = i->op == HE_linear || i->op == HE_input;
        for (uint32_t a = 0; a < i->args.len; a++)
            fresh = fresh && p->insts.at[i->args.at[a]].op == HE_input;
        if (level[k] + down > p->params.boot.out_level + (fresh ? 1 : 0))
            return -1;
        seconds += he_price_inst(p, rotations, k, level[k] + down);
        for (uint32_t a = 0; a < i->args.len; a++)
            if (level[i->args.at[a]] < level[k] + down)
                level[i->args.at[a]] = level[k] + down;
    }
    return seconds;
}

static bool
may(const struct he_program *p, uint32_t k)
{
    const struct he_inst *i = &p->insts.at[k];
    return (i->op == HE_linear || i->op == HE_poly) && schedule_bound(p, k) > 0;
}

static double
exhaustive(struct made *m, const struct he_program *p)
{
    uint32_t allowed = 0;
    double best = -1;
    struct he_rotations *r = ARENA_ARRAY(m->a, struct he_rotations, p->maps.len + 1);
    for (uint32_t k = 0; k < p->maps.len; k++)
        r[k] = he_map_rotations(&p->maps.at[k]);
    for (uint32_t k = 0; k < p->insts.len; k++)
        allowed |= may(p, k) ? 1u << k : 0;
    for (uint32_t s = allowed;; s = (s - 1) & allowed) {
        double seconds = price_of(p, s, r);
        if (seconds >= 0 && (best < 0 || seconds < best))
            best = seconds;
        if (!s)
            return best;
    }
}

Test(refresh, is_as_cheap_as_the_best_of_all_placements)
{
    uint64_t seed = 7;
    uint32_t deep = 0, hopeless = 0;
    for (uint32_t c = 0; c < CASES; c++) {
        struct made m = made_new(c);
        struct he_program *p = random_program(&m, &seed);
        bool *at = ARENA_ARRAY(m.a, bool, p->insts.len);
        choose_params(&m, p, 4 + (uint32_t)draw(&seed, 5));
        double want = exhaustive(&m, p), got = schedule_refresh(p, schedule_rotations(m.a, p), at);
        if (want < 0) {
            cr_expect(got < 0, "case %u", c);
            hopeless++;
            made_free(&m);
            continue;
        }
        cr_expect(fabs(got - want) <= 1e-9 * want, "case %u: %g, not %g", c, got, want);
        uint32_t refreshes = 0;
        for (uint32_t k = 0; k < p->insts.len; k++)
            refreshes += at[k];
        deep += refreshes > 1;
        made_free(&m);
    }
    cr_expect(deep > CASES / 4, "only %u cases were deep", deep);
    cr_expect(hopeless < CASES / 2);
}

/* What is put in leaves the program well-formed: levels and scales by the verifier's rules. */
Test(refresh, scheduled_program_is_consistent)
{
    uint64_t seed = 11;
    uint32_t seen = 0;
    for (uint32_t c = 0; c < CASES; c++) {
        struct made m = made_new(c);
        struct he_program *p = random_program(&m, &seed);
        choose_params(&m, p, 6);
        if (schedule_deep(p, schedule_rotations(m.a, p), true) >= 0) {
            cr_expect(schedule_scales(p, 8, m.d), "case %u", c);
            for (uint32_t k = 0; k < p->insts.len; k++)
                seen += p->insts.at[k].op == HE_refresh;
        }
        made_free(&m);
    }
    cr_expect(seen > CASES);
}

/* ---- degrees and places together
 * --------------------------------------------------------------------------------------- */

static const uint32_t degrees[] = {3, 7, 15};
enum { DEGREES = 3, MOST_POLYS = 5 };

/* What a polynomial costs the answers falls with its degree, by how much is drawn; some have one
 * degree only. */
static struct schedule_options *
random_options(struct made *m, const struct he_program *p, uint64_t *seed)
{
    struct schedule_options *o = ARENA_ARRAY(m->a, struct schedule_options, p->polys.len + 1);
    for (uint32_t k = 0; k < p->polys.len; k++) {
        double cost = 1 + (double)draw(seed, 100);
        if (draw(seed, 6) == 0)
            continue;
        o[k].n = DEGREES;
        for (uint32_t i = 0; i < DEGREES; i++) {
            o[k].degree[i] = degrees[i];
            o[k].cost[i] = cost;
            cost /= 1.5 + (double)draw(seed, 8);
        }
    }
    return o;
}

/* Takes the digits of `number` as the options of the polynomials that have some; their cost. */
static double
assign(struct he_program *p, const struct schedule_options *o, uint32_t number)
{
    double cost = 0;
    for (uint32_t k = 0; k < p->polys.len; k++) {
        if (!o[k].n)
            continue;
        p->polys.at[k].degree = o[k].degree[number % DEGREES];
        cost += o[k].cost[number % DEGREES];
        number /= DEGREES;
    }
    return cost;
}

/* Whether the number is one of an assignment. */
static bool
assigns(const struct he_program *p, const struct schedule_options *o, uint32_t number)
{
    for (uint32_t k = 0; k < p->polys.len; k++)
        number /= o[k].n ? DEGREES : 1;
    return number == 0;
}

/* The least seconds that keep the cost within a budget, by the front; below 0: none. */
static double
within(const struct schedule_front *f, double budget)
{
    double least = -1;
    for (uint32_t k = 0; k < f->len; k++)
        if (f->at[k].cost <= budget * (1 + 1e-12) && (least < 0 || f->at[k].seconds < least))
            least = f->at[k].seconds;
    return least;
}

/* Each choice is an assignment at the price of its best placement, and none is beaten. */
static void
expect_true(struct made *m, struct he_program *p, const struct schedule_options *o,
            const struct schedule_front *f, uint32_t c)
{
    bool *at = ARENA_ARRAY(m->a, bool, p->insts.len);
    for (uint32_t k = 0; k < f->len; k++) {
        double cost = 0;
        for (uint32_t i = 0; i < p->polys.len; i++)
            if (o[i].n) {
                p->polys.at[i].degree = o[i].degree[f->at[k].option[i]];
                cost += o[i].cost[f->at[k].option[i]];
            }
        double seconds = schedule_refresh(p, schedule_rotations(m->a, p), at);
        cr_expect_float_eq(f->at[k].cost, cost, 1e-9 * cost + 1e-12, "case %u", c);
        cr_expect_float_eq(f->at[k].seconds, seconds, 1e-9 * seconds, "case %u", c);
        for (uint32_t j = 0; j < k; j++)
            cr_expect(f->at[j].seconds <= f->at[k].seconds && f->at[j].cost > f->at[k].cost,
                      "case %u: in order, none beaten", c);
    }
}

/* For every budget of cost, and so for every plan that a choice within a drop or a time may lead
 * to: no assignment of degrees, each with the best of all placements, is faster. */
Test(refresh, degrees_and_places_are_the_best_of_all_together)
{
    uint64_t seed = 23;
    uint32_t compared = 0, choices = 0, skips = 0;
    for (uint32_t c = 0; c < CASES; c++) {
        struct made m = made_new(c);
        struct he_program *p = random_program(&m, &seed);
        struct schedule_options *o = random_options(&m, p, &seed);
        struct schedule_front f = {0};
        choose_params(&m, p, 5 + (uint32_t)draw(&seed, 4));
        bool small = p->polys.len <= MOST_POLYS;
        if (small)
            schedule_front(m.a, p, schedule_rotations(m.a, p), o, &f);
        for (uint32_t k = 0; k < p->maps.len; k++)
            skips += p->maps.at[k].args > 1;
        choices += f.len;
        for (uint32_t number = 0; small && assigns(p, o, number); number++) {
            double cost = assign(p, o, number), want = exhaustive(&m, p), got = within(&f, cost);
            if (want < 0)
                continue;
            cr_expect(got >= 0 && got <= want * (1 + 1e-9), "case %u: %g, not %g", c, got, want);
            compared++;
        }
        expect_true(&m, p, o, &f, c);
        made_free(&m);
    }
    cr_expect_gt(compared, 500);
    cr_expect_gt(choices, 3 * CASES / 2);
    cr_expect_gt(skips, CASES / 2);
}
