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

/* A new diagonal of ciphertexts in_ct, out_ct with offset d. */
static void
add_diagonal(struct building *b, struct arena *a, struct he_diagonal made, uint32_t modulus,
             uint32_t d)
{
    int32_t baby;

    tp_split_offset(&b->n->split, modulus, d, &baby, &made.giant);
    made.baby = (uint32_t)(baby + (int64_t)b->slots) % b->slots;
    made.period = b->widest;
    if (!b->n->split.free_of_level)
        made.value = ARENA_ARRAY(a, float, made.period);
    vec_push(a, &b->m->diagonals, made);
}

static void
add_argument(struct building *b, struct arena *a, uint32_t arg, const struct he_layout *in)
{
    const struct matrix *m = b->n->args.at[arg].m;
    const struct he_layout *out = &b->n->layout;
    uint32_t modulus = in->period < b->fold ? in->period : b->fold;
    /* slots and periods are powers of two */
    uint32_t slots = b->slots, in_slot = slots - 1, bits = (uint32_t)__builtin_ctz(slots);

    b->index = ARENA_ARRAY(b->scratch, uint32_t, (size_t)in->cts * out->cts * modulus);
    for (uint32_t r = 0; r < m->rows; r++) {
        uint32_t to = out->slot[r] & in_slot, out_ct = out->slot[r] >> bits;
        for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++) {
            uint32_t from = in->slot[m->col[i]] & in_slot, in_ct = in->slot[m->col[i]] >> bits;
            uint32_t d = (from + 2 * slots - to) & (modulus - 1), t = to;
            uint32_t *index = &b->index[((size_t)in_ct * out->cts + out_ct) * modulus + d];
            if (!*index) {
                struct he_diagonal like = {.arg = arg, .in_ct = in_ct, .out_ct = out_ct};
                add_diagonal(b, a, like, modulus, d);
                *index = b->m->diagonals.len;
            }
            const struct he_diagonal *g = &b->m->diagonals.at[*index - 1];
            if (in->period > b->fold)
                t = (from + 2 * slots - g->giant - g->baby) & (in->period - 1);
            if (g->value)
                g->value[(t + g->giant) & (b->widest - 1)] += m->val[i];
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

void
lower_map(struct arena *a, const struct tp *t, const struct tp_node *n, uint32_t slots,
          struct he_map *out)
{
    struct building b = {arena_new(), n, out, slots, n->split.fold, n->split.fold, NULL};
    double squares = 0;

    memset(out, 0, sizeof *out);
    out->args = n->args.len;
    out->out_cts = n->layout.cts;
    out->free_of_level = n->split.free_of_level;
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct he_layout *in = &t->nodes.at[n->args.at[k].value].layout;
        b.widest = in->period > b.widest ? in->period : b.widest;
        out->in_cts = in->cts > out->in_cts ? in->cts : out->in_cts;
    }
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct matrix *m = n->args.at[k].m;
        add_argument(&b, a, k, &t->nodes.at[n->args.at[k].value].layout);
        for (uint32_t i = 0; i < m->start[m->rows]; i++)
            squares += out->free_of_level ? 1 : (double)m->val[i] * (double)m->val[i];
    }
    if (out->diagonals.len)
        qsort(out->diagonals.at, out->diagonals.len, sizeof *out->diagonals.at, compare);
    for (uint32_t f = b.fold; f < b.widest; f *= 2)
        vec_push(a, &out->folds, f);
    if (n->bias && !out->free_of_level)
        add_bias(&b, a);
    out->gain = sqrt(squares / n->n);
    arena_free(b.scratch);
}
