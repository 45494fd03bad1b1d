/* allot.c - see allot.h. Levels are counted from the input: an item that is ready at level k and
 * takes t is done at k + t. What is not chosen yet counts with its first option. */
#include "choose/allot.h"

#include <math.h>
#include <string.h>

#define OPEN UINT32_MAX /* a choice that has not been made */

struct work {
    const struct allot_item *items;
    uint32_t n, budget;
    uint32_t *choice;  /* OPEN, or an option */
    uint32_t *done;    /* the earliest level at which an item can be done */
    int64_t *deadline; /* the latest at which it may be; below 0 where a way is too long */
};

static uint32_t
levels_of(const struct allot_item *item, uint32_t choice)
{
    return item->option[choice == OPEN ? 0 : choice].levels;
}

static uint32_t
ready(const struct work *w, uint32_t i)
{
    uint32_t most = 0;

    for (uint32_t k = 0; k < w->items[i].n_before; k++) {
        uint32_t end = w->done[w->items[i].before[k]];
        most = end > most ? end : most;
    }
    return most;
}

/* done, and the deepest way. */
static uint32_t
earliest(const struct work *w)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        w->done[i] = ready(w, i) + levels_of(&w->items[i], w->choice[i]);
        most = w->done[i] > most ? w->done[i] : most;
    }
    return most;
}

static void
latest(const struct work *w)
{
    for (uint32_t i = 0; i < w->n; i++)
        w->deadline[i] = w->budget;
    for (uint32_t i = w->n; i-- > 0;)
        for (uint32_t k = 0; k < w->items[i].n_before; k++) {
            uint32_t b = w->items[i].before[k];
            int64_t start = w->deadline[i] - levels_of(&w->items[i], w->choice[i]);
            w->deadline[b] = start < w->deadline[b] ? start : w->deadline[b];
        }
}

uint32_t
allot_depth(const struct allot_item *items, uint32_t n, const uint32_t *choice)
{
    struct arena *a = arena_new();
    uint32_t *own = ARENA_ARRAY(a, uint32_t, n + 1);

    memcpy(own, choice, n * sizeof *own);
    uint32_t depth = earliest(&(struct work){
        .items = items, .n = n, .choice = own, .done = ARENA_ARRAY(a, uint32_t, n + 1)});
    arena_free(a);
    return depth;
}

static uint32_t
depth_of_all(const struct allot_item *items, uint32_t n, bool last)
{
    struct arena *a = arena_new();
    uint32_t *choice = ARENA_ARRAY(a, uint32_t, n + 1);

    for (uint32_t i = 0; last && i < n; i++)
        choice[i] = items[i].n - 1;
    uint32_t depth = allot_depth(items, n, choice);
    arena_free(a);
    return depth;
}

uint32_t
allot_least(const struct allot_item *items, uint32_t n)
{
    return depth_of_all(items, n, false);
}

uint32_t
allot_most(const struct allot_item *items, uint32_t n)
{
    return depth_of_all(items, n, true);
}

/* The way through open items that could use the most levels, in order; its length. One level more
 * an item, so that of ways of equal levels the one with more items is taken. */
static uint32_t
longest_open(const struct work *w, struct arena *a, uint32_t *way)
{
    uint64_t *sum = ARENA_ARRAY(a, uint64_t, w->n + 1);
    uint32_t *from = ARENA_ARRAY(a, uint32_t, w->n + 1), end = OPEN, length = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        from[i] = OPEN;
        if (w->choice[i] != OPEN)
            continue;
        for (uint32_t k = 0; k < w->items[i].n_before; k++) {
            uint32_t b = w->items[i].before[k];
            if (w->choice[b] == OPEN && sum[b] > sum[i]) {
                sum[i] = sum[b];
                from[i] = b;
            }
        }
        sum[i] += 1 + w->items[i].option[w->items[i].n - 1].levels;
        if (end == OPEN || sum[i] > sum[end])
            end = i;
    }
    for (uint32_t i = end; i != OPEN; i = from[i])
        way[length++] = i;
    for (uint32_t k = 0; k < length / 2; k++) {
        uint32_t swap = way[k];
        way[k] = way[length - 1 - k];
        way[length - 1 - k] = swap;
    }
    return length;
}

/* When the item is ready, were it not for the one before it on the way. */
static uint32_t
release(const struct work *w, uint32_t i, uint32_t previous)
{
    uint32_t most = 0;

    for (uint32_t k = 0; k < w->items[i].n_before; k++) {
        uint32_t b = w->items[i].before[k];
        if (b != previous && w->done[b] > most)
            most = w->done[b];
    }
    return most;
}

/* One row: best[k], the least cost of being done with the way so far at level k or before; picks:
 * the options. */
static void
row(const struct allot_item *item, uint32_t from, uint32_t deadline, uint32_t budget,
    const double *before, double *best, uint8_t *picks)
{
    for (uint32_t k = 0; k <= budget; k++) {
        best[k] = INFINITY;
        for (uint32_t o = 0; o < item->n && k <= deadline; o++) {
            uint32_t t = item->option[o].levels;
            if (k < t || k - t < from)
                continue;
            double cost = before[k - t] + item->option[o].cost;
            if (cost < best[k]) {
                best[k] = cost;
                picks[k] = (uint8_t)o;
            }
        }
        if (k > deadline)
            best[k] = best[deadline];
    }
}

/* Chooses along a way by dynamic programming, and reads the choice backwards. */
static void
along(const struct work *w, struct arena *a, const uint32_t *way, uint32_t length)
{
    size_t columns = (size_t)w->budget + 1;
    double *before = ARENA_ARRAY(a, double, columns), *best = ARENA_ARRAY(a, double, columns);
    uint8_t *picks = ARENA_ARRAY(a, uint8_t, columns * length);

    for (uint32_t s = 0; s < length; s++) {
        uint32_t i = way[s];
        row(&w->items[i], release(w, i, s ? way[s - 1] : OPEN), (uint32_t)w->deadline[i], w->budget,
            before, best, picks + s * columns);
        double *swap = before;
        before = best;
        best = swap;
    }
    uint32_t k = w->budget;
    for (uint32_t s = length; s-- > 0;) {
        k = k < w->deadline[way[s]] ? k : (uint32_t)w->deadline[way[s]];
        w->choice[way[s]] = picks[s * columns + k];
        k -= w->items[way[s]].option[w->choice[way[s]]].levels;
    }
}

/* A branch that leaves the way and comes back to it waits for what was chosen in between: where a
 * way has become too long by that, the item on it that costs least to lower is lowered. */
static void
repair(const struct work *w)
{
    while (earliest(w) > w->budget) {
        uint32_t worst = OPEN;
        double least = INFINITY;
        latest(w);
        for (uint32_t i = 0; i < w->n; i++) {
            if (w->choice[i] == OPEN || w->choice[i] == 0 || w->done[i] <= w->deadline[i])
                continue;
            const struct allot_option *o = &w->items[i].option[w->choice[i]];
            if (o[-1].cost - o->cost < least) {
                least = o[-1].cost - o->cost;
                worst = i;
            }
        }
        if (worst == OPEN)
            return;
        w->choice[worst]--;
    }
}

bool
allot(const struct allot_item *items, uint32_t n, uint32_t budget, uint32_t *choice)
{
    uint32_t most = allot_most(items, n);

    if (budget < allot_least(items, n))
        return false;
    struct arena *a = arena_new();
    struct work w = {
        .items = items, .n = n, .budget = budget < most ? budget : most, .choice = choice};
    w.done = ARENA_ARRAY(a, uint32_t, n + 1);
    w.deadline = ARENA_ARRAY(a, int64_t, n + 1);
    uint32_t *way = ARENA_ARRAY(a, uint32_t, n + 1);
    memset(choice, 0xff, n * sizeof *choice);
    for (;;) {
        struct arena *scratch = arena_new();
        uint32_t length = longest_open(&w, scratch, way);
        if (length) {
            earliest(&w);
            latest(&w);
            along(&w, scratch, way, length);
            repair(&w);
        }
        arena_free(scratch);
        if (!length)
            break;
    }
    arena_free(a);
    return true;
}
