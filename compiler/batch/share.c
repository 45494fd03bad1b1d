/* share.c - partial sums that rows of a map have in common.
 *
 * Greedy on pairs: two terms with the same columns, ratio of weights and relation of signs in many
 * rows become one row of their own, which the others read (after Hartley, "Subexpression sharing in
 * filters using canonic signed digit multipliers", 1996). Pairs that occur most often come first;
 * what they make takes part in the next round. */
#include "batch/internal.h"

#include <stdlib.h>

/* Rows that a pair must occur in: a partial sum costs its two terms, and its own end about as much
 * as one more (with 3 there are fewer operations still, but a batch takes 5 % longer). */
#define LEAST_USES 4
/* Pairs looked at in a round, rounds, and partial sums of a map, at most. */
#define MOST_PAIRS  ((uint64_t)1 << 21)
#define MOST_ROUNDS 16
#define MOST_TEMPS  ((uint32_t)1 << 16)

/* Columns first < second; second's weight is first's times +- 2^shift; in this row. */
struct pair {
    uint32_t first, second, row;
    int8_t shift;
    bool negative;
};

struct terms {
    struct he_term *at;
    uint32_t len;
};

struct sharing {
    struct arena *a; /* of what is kept */
    uint32_t cols, rows;
    struct terms *row;       /* results */
    VEC(struct terms) temps; /* partial sums */
};

static int
exponent_of(int64_t w)
{
    return 63 - __builtin_clzll((unsigned long long)(w < 0 ? -w : w));
}

static struct pair
pair_of(const struct he_term *x, const struct he_term *y, uint32_t row)
{
    const struct he_term *first = x->column < y->column ? x : y, *second = first == x ? y : x;
    return (struct pair){first->column, second->column, row,
                         (int8_t)(exponent_of(second->weight) - exponent_of(first->weight)),
                         (first->weight < 0) != (second->weight < 0)};
}

static bool
same_sum(const struct pair *x, const struct pair *y)
{
    return x->first == y->first && x->second == y->second && x->shift == y->shift &&
           x->negative == y->negative;
}

static int
compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    if (x->shift != y->shift)
        return x->shift < y->shift ? -1 : 1;
    if (x->negative != y->negative)
        return x->negative ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Equal pairs, in rows one behind the other. */
struct run {
    uint32_t first, count;
};

static int
compare_runs(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static uint64_t
count_pairs(const struct sharing *s)
{
    uint64_t n = 0;
    for (uint32_t r = 0; r < s->rows; r++)
        n += (uint64_t)s->row[r].len * (s->row[r].len ? s->row[r].len - 1 : 0) / 2;
    return n;
}

/* All pairs, sorted; *n of them. */
static struct pair *
collect(const struct sharing *s, struct arena *a, uint32_t *n)
{
    struct pair *pairs = ARENA_ARRAY(a, struct pair, (size_t)count_pairs(s) + 1);
    *n = 0;
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t i = 0; i < s->row[r].len; i++)
            for (uint32_t j = 0; j < i; j++)
                pairs[(*n)++] = pair_of(&s->row[r].at[j], &s->row[r].at[i], r);
    if (*n)
        qsort(pairs, *n, sizeof *pairs, compare);
    return pairs;
}

/* The places of a pair's terms in its row, when they are still there. */
static bool
find(const struct sharing *s, const struct pair *p, uint32_t at[2])
{
    const struct terms *row = &s->row[p->row];
    uint32_t found = 0;
    for (uint32_t k = 0; k < row->len; k++)
        if (row->at[k].column == p->first || row->at[k].column == p->second)
            at[found++] = k;
    return found == 2;
}

static void
replace(struct sharing *s, const struct pair *p, uint32_t column)
{
    uint32_t at[2];
    if (!find(s, p, at))
        return;
    struct terms *row = &s->row[p->row];
    uint32_t first = row->at[at[0]].column == p->first ? at[0] : at[1];
    int64_t weight = row->at[first].weight;
    row->at[at[0]] =
        (struct he_term){column, weight / ((int64_t)1 << (p->shift < 0 ? -p->shift : 0))};
    row->len--;
    for (uint32_t k = at[1]; k < row->len; k++)
        row->at[k] = row->at[k + 1];
}

/* Makes a partial sum of a run when enough rows still have it. */
static bool
share(struct sharing *s, const struct pair *pairs, const struct run *run)
{
    const struct pair *p = &pairs[run->first];
    uint32_t uses = 0, at[2], column = s->cols + s->temps.len;
    for (uint32_t k = 0; k < run->count; k++)
        uses += find(s, &p[k], at);
    if (uses < LEAST_USES || s->temps.len == MOST_TEMPS)
        return false;
    struct terms sum = {ARENA_ARRAY(s->a, struct he_term, 2), 2};
    int64_t second = (int64_t)1 << (p->shift > 0 ? p->shift : 0);
    sum.at[0] = (struct he_term){p->first, (int64_t)1 << (p->shift < 0 ? -p->shift : 0)};
    sum.at[1] = (struct he_term){p->second, p->negative ? -second : second};
    vec_push(s->a, &s->temps, sum);
    for (uint32_t k = 0; k < run->count; k++)
        replace(s, &p[k], column);
    return true;
}

/* False when nothing was shared. */
static bool
one_round(struct sharing *s)
{
    struct arena *a = arena_new();
    VEC(struct run) runs = {0};
    uint32_t n = 0;
    bool any = false;
    const struct pair *pairs = collect(s, a, &n);
    for (uint32_t k = 0, count; k < n; k += count) {
        for (count = 1; k + count < n && same_sum(&pairs[k], &pairs[k + count]);)
            count++;
        if (count >= LEAST_USES)
            vec_push(a, &runs, (struct run){k, count});
    }
    if (runs.len)
        qsort(runs.at, runs.len, sizeof *runs.at, compare_runs);
    for (uint32_t k = 0; k < runs.len; k++)
        any |= share(s, pairs, &runs.at[k]);
    arena_free(a);
    return any;
}

static void
write_back(const struct sharing *w, struct he_sparse *s)
{
    s->temps = w->temps.len;
    s->terms.len = 0;
    s->start = ARENA_ARRAY(w->a, uint32_t, s->temps + s->rows + 1);
    for (uint32_t k = 0; k < s->temps + s->rows; k++) {
        const struct terms *row = k < s->temps ? &w->temps.at[k] : &w->row[k - s->temps];
        for (uint32_t i = 0; i < row->len; i++)
            vec_push(w->a, &s->terms, row->at[i]);
        s->start[k + 1] = s->terms.len;
    }
}

void
batch_share(struct arena *a, struct he_sparse *s)
{
    struct sharing w = {.a = a, .cols = s->cols, .rows = s->rows};
    w.row = ARENA_ARRAY(a, struct terms, s->rows + 1);
    for (uint32_t r = 0; r < s->rows; r++) {
        w.row[r].len = s->start[r + 1] - s->start[r];
        w.row[r].at = ARENA_ARRAY(a, struct he_term, w.row[r].len + 1);
        for (uint32_t k = 0; k < w.row[r].len; k++)
            w.row[r].at[k] = s->terms.at[s->start[r] + k];
    }
    for (int round = 0; round < MOST_ROUNDS && count_pairs(&w) <= MOST_PAIRS; round++)
        if (!one_round(&w))
            break;
    if (w.temps.len)
        write_back(&w, s);
}
