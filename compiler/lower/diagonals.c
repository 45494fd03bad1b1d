/* diagonals.c - a sparse matrix between two layouts becomes generalised diagonals.
 *
 * With output period K, argument period P and d = in slot - out slot (mod min(P, K)) = giant +
 * baby, the product for an output at t stands at t itself when P <= K; when P > K it stands at that
 * t' = t (mod K) from which in[t' + d] is the very slot of the element, and folding by K, 2K, ...
 * brings it to t. */
#include "lower/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct building {
    struct arena *scratch;
    const struct tp_node *n;
    struct he_map *m;
    uint32_t slots, fold, widest;
    uint32_t *index; /* (in_ct, out_ct, d) -> diagonal + 1, of one argument */
};

/* An entry of an argument's matrix: which diagonal it is on, and where its output stands. */
struct entry {
    uint32_t from, to, in_ct, out_ct; /* slots, ciphertexts */
    uint32_t d;                       /* offset */
};

static void
add_diagonal(struct building *b, struct arena *a, uint32_t arg, const struct entry *e,
             uint32_t modulus)
{
    struct he_diagonal made = {
        .arg = arg, .in_ct = e->in_ct, .out_ct = e->out_ct, .period = b->widest};
    int32_t baby;

    tp_split_offset(&b->n->split, modulus, e->d, &baby, &made.giant);
    made.baby = (uint32_t)(baby + (int64_t)b->slots) % b->slots;
    vec_push(a, &b->m->diagonals, made);
}

/* The diagonals of the argument that are there already. */
static void
index_diagonals(struct building *b, uint32_t arg, uint32_t modulus)
{
    for (uint32_t k = 0; k < b->m->diagonals.len; k++) {
        const struct he_diagonal *g = &b->m->diagonals.at[k];
        uint32_t d = (g->giant + g->baby) & (modulus - 1);
        if (g->arg == arg)
            b->index[((size_t)g->in_ct * b->m->out_cts + g->out_ct) * modulus + d] = k + 1;
    }
}

static void
add_weight(const struct building *b, const struct he_diagonal *g, const struct entry *e,
           uint32_t period, float weight)
{
    uint32_t t = e->to; /* slots and periods are powers of two */

    if (period > b->fold)
        t = (e->from + 2 * b->slots - g->giant - g->baby) & (period - 1);
    g->value[(t + g->giant) & (b->widest - 1)] += weight;
}

/* The diagonals of an argument; or, where they have room for values, their weights. */
static void
go_through(struct building *b, struct arena *a, uint32_t arg, const struct he_layout *in,
           bool weights)
{
    const struct matrix *m = b->n->args.at[arg].m;
    const struct he_layout *out = &b->n->layout;
    uint32_t modulus = in->period < b->fold ? in->period : b->fold, slots = b->slots;
    uint32_t bits = (uint32_t)__builtin_ctz(slots);
    struct entry e;

    b->index = ARENA_ARRAY(b->scratch, uint32_t, (size_t)in->cts * out->cts * modulus);
    index_diagonals(b, arg, modulus);
    for (uint32_t r = 0; r < m->rows; r++) {
        e.to = out->slot[r] & (slots - 1);
        e.out_ct = out->slot[r] >> bits;
        for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++) {
            e.from = in->slot[m->col[i]] & (slots - 1);
            e.in_ct = in->slot[m->col[i]] >> bits;
            e.d = (e.from + 2 * slots - e.to) & (modulus - 1);
            uint32_t *index = &b->index[((size_t)e.in_ct * out->cts + e.out_ct) * modulus + e.d];
            if (weights) {
                add_weight(b, &b->m->diagonals.at[*index - 1], &e, in->period, m->val[i]);
            } else if (!*index) {
                add_diagonal(b, a, arg, &e, modulus);
                *index = b->m->diagonals.len;
            }
        }
    }
}

static int
compare(const void *x, const void *y)
{
    const struct he_diagonal *a = x, *b = y;
    const uint32_t ka[] = {a->out_ct, a->giant, a->arg, a->in_ct, a->baby};
    const uint32_t kb[] = {b->out_ct, b->giant, b->arg, b->in_ct, b->baby};
    for (int k = 0; k < 5; k++)
        if (ka[k] != kb[k])
            return ka[k] < kb[k] ? -1 : 1;
    return 0;
}

static void
add_bias(struct building *b, struct arena *a)
{
    const struct he_layout *out = &b->n->layout;
    b->m->bias = ARENA_ARRAY(a, double *, out->cts);
    b->m->bias_period = out->period;
    for (uint32_t c = 0; c < out->cts; c++)
        b->m->bias[c] = ARENA_ARRAY(a, double, out->period);
    for (uint32_t r = 0; r < b->n->n; r++)
        b->m->bias[out->slot[r] / b->slots][out->slot[r] % b->slots] += b->n->bias[r];
}

static struct building
building_of(const struct tp *t, const struct tp_node *n, uint32_t slots, struct he_map *m)
{
    struct building b = {arena_new(), n, m, slots, n->split.fold, n->split.fold, NULL};

    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct he_layout *in = &t->nodes.at[n->args.at[k].value].layout;
        b.widest = in->period > b.widest ? in->period : b.widest;
    }
    return b;
}

static void
measure_weights(const struct tp_node *n, struct he_map *out)
{
    double squares = 0;

    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct matrix *m = n->args.at[k].m;
        for (uint32_t i = 0; i < m->start[m->rows]; i++) {
            double w = out->free_of_level ? 1 : fabs((double)m->val[i]);
            squares += w * w;
            out->largest = fmax(out->largest, w);
        }
    }
    out->gain = sqrt(squares / n->n);
}

void
lower_map(struct arena *a, const struct tp *t, const struct tp_node *n, uint32_t slots,
          struct he_map *out)
{
    memset(out, 0, sizeof *out);
    out->args = n->args.len;
    out->out_cts = n->layout.cts;
    out->free_of_level = n->split.free_of_level;
    struct building b = building_of(t, n, slots, out);
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct he_layout *in = &t->nodes.at[n->args.at[k].value].layout;
        out->in_cts = in->cts > out->in_cts ? in->cts : out->in_cts;
        go_through(&b, a, k, in, false);
    }
    if (out->diagonals.len)
        qsort(out->diagonals.at, out->diagonals.len, sizeof *out->diagonals.at, compare);
    for (uint32_t f = b.fold; f < b.widest; f *= 2)
        vec_push(a, &out->folds, f);
    if (n->bias && !out->free_of_level)
        add_bias(&b, a);
    measure_weights(n, out);
    arena_free(b.scratch);
}

void
lower_map_weights(struct arena *a, const struct tp *t, const struct tp_node *n, uint32_t slots,
                  struct he_map *m)
{
    struct building b = building_of(t, n, slots, m);

    for (uint32_t k = 0; !m->free_of_level && k < m->diagonals.len; k++)
        m->diagonals.at[k].value = ARENA_ARRAY(a, float, m->diagonals.at[k].period);
    for (uint32_t k = 0; !m->free_of_level && k < n->args.len; k++)
        go_through(&b, a, k, &t->nodes.at[n->args.at[k].value].layout, true);
    arena_free(b.scratch);
}
