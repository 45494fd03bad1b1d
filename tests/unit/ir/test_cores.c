/* test_cores.c - how programs share out among cores, against lists of single pieces handed out one
 * by one, and against all ways through the program. */
#include "made_he.h"
#include "ola/plan.h"

#include <math.h>

enum { SLOTS = 16, MOST = 64 };

/* Hands the pieces of a phase to whichever core is free first, then waits for all. */
static double
by_hand(const struct he_phases *list, uint32_t cores)
{
    double seconds = 0;
    for (uint32_t k = 0; k < list->len; k++) {
        const struct he_phase *f = &list->at[k];
        double busy[MOST] = {0}, last = 0;
        for (uint32_t unit = 0; unit < f->units; unit++) {
            uint32_t first = 0;
            for (uint32_t c = 1; c < cores; c++)
                first = busy[c] < busy[first] ? c : first;
            busy[first] += f->work / f->units;
            last = fmax(last, busy[first]);
        }
        seconds += f->times * last;
    }
    return seconds;
}

Test(cores, phases_are_lists_of_pieces)
{
    struct he_phase some[] = {{1, 1, 1}, {2, 1, 7}, {0.5, 3, 8}, {3, 2.5, 33}, {1e-3, 1, 64}};
    struct he_phases list = {some, sizeof some / sizeof *some, 0};
    for (uint32_t cores = 1; cores <= MOST; cores++)
        cr_expect_float_eq(he_phases_seconds(&list, cores), by_hand(&list, cores), 1e-12);
    cr_expect_float_eq(he_phases_seconds(&list, 1), 1 + 2 + 1.5 + 7.5 + 1e-3, 1e-12);
    cr_expect_float_eq(he_phases_seconds(&list, 0), by_hand(&list, MOST), 1e-12);
}

/* Two branches of one input that meet again, one of two maps, one of none. */
static struct he_program *
branches(struct made *m)
{
    uint64_t q[8], special[2];
    struct he_program *p = ARENA_NEW(m->a, struct he_program);
    p->arena = m->a;
    p->name = "branches";
    p->relin_level = NONE;
    cr_assert(ola_plan_primes(12, 36, 8, NULL, 0, q));
    cr_assert(ola_plan_primes(12, 40, 2, q, 8, special));
    p->params = (struct he_params){.log_n = 12, .slots = 2048, .digit_limbs = 2, .scale = 0x1p36};
    for (uint32_t k = 0; k < 8; k++)
        vec_push(m->a, &p->params.q, q[k]);
    for (uint32_t k = 0; k < 2; k++)
        vec_push(m->a, &p->params.p, special[k]);
    uint32_t l = made_layout(p, SLOTS, 1, SLOTS), x = made_inst(p, HE_input, l, 0, 0, NULL), y = x;
    vec_push(m->a, &p->inputs, (struct he_port){.name = "in", .value = x, .layout = l});
    for (uint32_t k = 0; k < 2; k++) {
        struct he_map map = {.name = "m", .args = 1, .in_cts = 1, .out_cts = 1, .level = 6 - k};
        for (uint32_t d = 0; d < 4 + k; d++)
            made_diagonal(m, &map, 0, 0, 16 * d, d % 3, 8);
        vec_push(m->a, &p->maps, map);
        y = made_inst(p, HE_linear, l, k, 1, &y);
        p->insts.at[y].level = 5 - k;
    }
    uint32_t square = made_inst(p, HE_mul, l, NONE, 2, (uint32_t[]){x, x});
    p->insts.at[square].level = 6;
    uint32_t sum = made_inst(p, HE_add, l, NONE, 2, (uint32_t[]){square, y});
    sum = made_inst(p, HE_output, l, 0, 1, &sum);
    vec_push(m->a, &p->outputs, (struct he_port){.name = "out", .value = sum, .layout = l});
    return p;
}

/* The longest way from instruction k back to an input, tried along each argument. */
static double
longest(struct made *m, const struct he_program *p, uint32_t k)
{
    struct he_phases list = {0};
    double most = 0;
    he_price_phases(p, m->a, k, &list);
    for (uint32_t a = 0; a < p->insts.at[k].args.len; a++)
        most = fmax(most, longest(m, p, p->insts.at[k].args.at[a]));
    return most + he_phases_seconds(&list, 0);
}

Test(cores, program)
{
    struct made m = made_new(3);
    struct he_program *p = branches(&m);
    struct he_scaling s;
    double bytes = 0, all[2] = {0}, most = 0, priced = 0, work = 0;

    he_price_cores(p, &s);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        struct he_phases list = {0};
        double moved = he_price_phases(p, m.a, k, &list);
        bytes += moved;
        work = he_phases_seconds(&list, 1);
        all[0] += by_hand(&list, 1);
        all[1] += by_hand(&list, 16);
        most = fmax(most, longest(&m, p, k));
        priced = work / he_costs_shipped.speedup + moved / he_costs_shipped.memory;
        cr_expect_float_eq(priced, he_price_scheduled(p, k), 1e-12 + 1e-9 * priced, "%u", k);
    }
    cr_expect_float_eq(s.bytes, bytes, 1e-9 * bytes);
    cr_expect_float_eq(s.at[0].seconds, all[0], 1e-9 * all[0]);
    cr_expect_eq(s.at[4].cores, 16u);
    cr_expect_float_eq(s.at[4].seconds, all[1], 1e-9 * all[1]);
    cr_expect_float_eq(s.path, most, 1e-9 * most);
    cr_expect_lt(s.path, all[1], "the square does not wait for the maps");
    for (uint32_t c = 1; c < HE_CORES; c++)
        cr_expect(s.at[c].seconds <= s.at[c - 1].seconds);
    made_free(&m);
}
