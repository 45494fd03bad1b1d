/* test_allot.c - levels to activations against exhaustive search and closed forms. */
#include "choose/allot.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define MOST_ITEMS 1000
#define OPTIONS    4

struct instance {
    uint32_t n;
    struct allot_item items[MOST_ITEMS];
    struct allot_option options[MOST_ITEMS][OPTIONS];
    uint32_t before[MOST_ITEMS][8];
    uint64_t state;
};

static uint32_t
below(struct instance *t, uint32_t n)
{
    t->state = t->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(t->state >> 33) % n;
}

/* Random options; each item after the one before it and, in a network with branches, after others
 * or none. */
static void
make(struct instance *t, uint64_t seed, uint32_t n, bool branches)
{
    memset(t, 0, sizeof *t);
    t->state = seed;
    t->n = n;
    for (uint32_t i = 0; i < n; i++) {
        struct allot_item *item = &t->items[i];
        uint32_t levels = below(t, 3);
        item->n = 1 + below(t, OPTIONS);
        item->option = t->options[i];
        item->before = t->before[i];
        double cost = 1 + below(t, 1000);
        for (uint32_t o = 0; o < item->n; o++) {
            t->options[i][o] = (struct allot_option){levels, cost};
            levels += 1 + below(t, 2);
            cost *= below(t, 1000) / 1000.0;
        }
        for (uint32_t b = 0; b < i && item->n_before < 8; b++)
            if (branches ? below(t, 3) == 0 : b + 1 == i)
                t->before[i][item->n_before++] = b;
    }
}

static double
cost_of(const struct instance *t, const uint32_t *choice)
{
    double sum = 0;

    for (uint32_t i = 0; i < t->n; i++)
        sum += t->options[i][choice[i]].cost;
    return sum;
}

/* The deepest way, by walking every way: not as allot does. */
static uint32_t
depth_from(const struct instance *t, const uint32_t *choice, uint32_t i)
{
    uint32_t most = 0;

    for (uint32_t k = 0; k < t->items[i].n_before; k++) {
        uint32_t d = depth_from(t, choice, t->before[i][k]);
        most = d > most ? d : most;
    }
    return most + t->options[i][choice[i]].levels;
}

static uint32_t
depth(const struct instance *t, const uint32_t *choice)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t d = depth_from(t, choice, i);
        most = d > most ? d : most;
    }
    return most;
}

/* The least cost within a budget, INFINITY when nothing is; all choices tried. */
static double
exhaustive(const struct instance *t, uint32_t budget)
{
    uint32_t choice[8] = {0};
    double best = INFINITY;

    for (;;) {
        uint32_t i = 0;
        if (depth(t, choice) <= budget)
            best = fmin(best, cost_of(t, choice));
        while (i < t->n && ++choice[i] == t->items[i].n)
            choice[i++] = 0;
        if (i == t->n)
            return best;
    }
}

Test(allot, chains_are_exact)
{
    static struct instance t;
    uint32_t choice[8], compared = 0;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        make(&t, seed, 1 + (uint32_t)seed % 7, false);
        for (uint32_t budget = 0; budget <= 24; budget++) {
            double best = exhaustive(&t, budget);
            bool ok = allot(t.items, t.n, budget, choice);
            cr_assert_eq(ok, isfinite(best));
            if (!ok)
                continue;
            cr_assert_leq(depth(&t, choice), budget);
            cr_assert_float_eq(cost_of(&t, choice), best, 1e-9 * (1 + best), "seed %d, budget %u",
                               (int)seed, budget);
            compared++;
        }
    }
    cr_assert_gt(compared, 500);
}

Test(allot, branches_keep_the_budget)
{
    static struct instance t;
    uint32_t choice[8], compared = 0, exact = 0;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        make(&t, seed, 3 + (uint32_t)seed % 4, true);
        for (uint32_t budget = 0; budget <= 24; budget++) {
            double best = exhaustive(&t, budget);
            bool ok = allot(t.items, t.n, budget, choice);
            cr_assert_eq(ok, isfinite(best));
            if (!ok)
                continue;
            cr_assert_leq(depth(&t, choice), budget, "seed %d, budget %u", (int)seed, budget);
            cr_assert_eq(depth(&t, choice), allot_depth(t.items, t.n, choice));
            compared++;
            exact += cost_of(&t, choice) <= best * (1 + 1e-9) + 1e-9;
        }
    }
    cr_log_info("%u of %u choices are the best", exact, compared);
    cr_assert_gt(exact, compared * 3 / 4);
}

/* Items that are all alike, costs 1, 1/4, 1/16, 1/64: the levels are spread as evenly as can be. */
Test(allot, a_thousand)
{
    static struct instance t;
    static uint32_t choice[MOST_ITEMS];

    t.n = MOST_ITEMS;
    for (uint32_t i = 0; i < t.n; i++) {
        for (uint32_t o = 0; o < OPTIONS; o++)
            t.options[i][o] = (struct allot_option){2 + o, pow(4, -(double)o)};
        t.before[i][0] = i - 1;
        t.items[i] = (struct allot_item){OPTIONS, t.options[i], i > 0, t.before[i]};
    }
    cr_assert_eq(allot_least(t.items, t.n), 2000);
    cr_assert_eq(allot_most(t.items, t.n), 5000);
    cr_assert_not(allot(t.items, t.n, 1999, choice));
    for (uint32_t more = 0; more <= 3000; more += 250) {
        uint32_t whole = more / 1000, rest = more % 1000;
        double best = (1000 - rest) * pow(4, -(double)whole) + rest * pow(4, -(double)whole - 1);
        cr_assert(allot(t.items, t.n, 2000 + more, choice));
        cr_assert_leq(allot_depth(t.items, t.n, choice), 2000 + more);
        cr_assert_float_eq(cost_of(&t, choice), best, 1e-9 * best);
    }
}

/* What is never wanted: levels that buy nothing. */
Test(allot, fewer_levels_of_equal_costs)
{
    const struct allot_option o[] = {{1, 2}, {2, 1}, {3, 1}};
    const struct allot_item item = {3, o, 0, NULL};
    uint32_t choice;

    cr_assert(allot(&item, 1, 9, &choice));
    cr_assert_eq(choice, 1);
    cr_assert(allot(&item, 0, 0, &choice), "no activations at all");
}
