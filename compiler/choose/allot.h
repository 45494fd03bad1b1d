/* allot.h - levels to activations: one candidate each, the least sum of costs on a budget of
 * levels along every way through the network. Pure numbers; knows nothing of graphs. */
#ifndef OLAC_CHOOSE_ALLOT_H
#define OLAC_CHOOSE_ALLOT_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct allot_option {
    uint32_t levels;
    double cost; /* finite, >= 0 */
};

struct allot_item {
    uint32_t n;                        /* options, >= 1 */
    const struct allot_option *option; /* levels ascending */
    uint32_t n_before;
    const uint32_t
        *before; /* items that are computed before this one; all smaller than its own index */
};

/* The levels of the deepest way when all items take their first, or their last option. */
uint32_t allot_least(const struct allot_item *items, uint32_t n);
uint32_t allot_most(const struct allot_item *items, uint32_t n);
/* The levels of the deepest way under a choice (an option of each item). */
uint32_t allot_depth(const struct allot_item *items, uint32_t n, const uint32_t *choice);
/* Fills choice[n]; false when the budget is below allot_least. Exact where the items are a chain,
 * in O(n * budget * options) time and O(n * budget) bytes: D(i, k) = min over options of D(i - 1,
 * k - levels) + cost. Elsewhere the deepest way is chosen so, and then, longest first, what lies
 * beside it on the levels that are left there. Of equal costs the one with fewer levels. */
bool allot(const struct allot_item *items, uint32_t n, uint32_t budget, uint32_t *choice);

#endif
