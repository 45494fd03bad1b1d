/* split.c - what a linear map costs under given layouts: its distinct offsets, and the best way to
 * reach them by baby steps, giant steps and folds. */
#include "layout/internal.h"

#include <math.h>
#include <string.h>

/* The most (input ciphertext, output ciphertext, offset) triples that are told apart. */
#define MAX_TRIPLES ((uint64_t)1 << 26)

void
offsets_find(struct arena *a, const struct tp *t, const struct tp_node *n,
             const struct he_layout *out, uint32_t slots, uint64_t limit, struct offsets *o)
{
    uint64_t least = 0;
    memset(o, 0, sizeof *o);
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct matrix *m = n->args.at[k].m;
        const struct he_layout *in = &t->nodes.at[n->args.at[k].value].layout;
        uint64_t width = 2 * (uint64_t)slots, triples = (uint64_t)in->cts * out->cts * width;
        struct arena *scratch = arena_new();
        if (triples > MAX_TRIPLES) {
            o->too_many = true;
            arena_free(scratch);
            return;
        }
        uint8_t *seen = arena_alloc(scratch, triples), *folded = arena_alloc(scratch, triples / 2);
        uint32_t modulus = in->period < out->period ? in->period : out->period;
        for (uint32_t r = 0; r < m->rows; r++) {
            uint32_t to = out->slot[r] % slots, out_ct = out->slot[r] / slots;
            for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++) {
                uint32_t from = in->slot[m->col[i]] % slots, in_ct = in->slot[m->col[i]] / slots;
                uint64_t key = ((uint64_t)in_ct * out->cts + out_ct) * width + slots + from - to;
                if (seen[key])
                    continue;
                seen[key] = 1;
                uint64_t short_key = ((uint64_t)in_ct * out->cts + out_ct) * slots +
                                     (from + 2 * slots - to) % modulus;
                least += !folded[short_key];
                folded[short_key] = 1;
                if (least > limit) {
                    o->too_many = true;
                    arena_free(scratch);
                    return;
                }
                vec_push(a, &o->at, (struct offset){k, in_ct, out_ct, (int32_t)from - (int32_t)to});
            }
        }
        arena_free(scratch);
    }
}

/* Marks of what was counted already, by generation, so that they need no clearing. */
struct marks {
    uint32_t *mark;
    uint32_t now;
    uint64_t size;
};

static bool
first_time(struct marks *m, uint64_t key)
{
    if (m->mark[key] == m->now)
        return false;
    m->mark[key] = m->now;
    return true;
}

struct pricing {
    uint32_t slots, in_stride; /* in_stride: most ciphertexts of one argument */
    struct marks baby, giant, input;
};

/* An offset reduced modulo the smaller of the argument's period and the output's. */
struct reduced {
    uint32_t arg, in_ct, out_ct, d, modulus;
    int32_t rest[2]; /* beyond the nearest multiple of each plane that is tried */
};

/* Rotations of a split with the plane-th plane; any price at or above `limit` once it is clear that
 * it gets there. */
static double
price_of(struct pricing *p, const struct reduced *r, uint32_t n, int plane, uint32_t step,
         double limit)
{
    double price = 0;
    p->baby.now++;
    p->giant.now++;
    p->input.now++;
    for (uint32_t k = 0; k < n && price < limit; k++) {
        int32_t baby = tp_centred(r[k].rest[plane], step);
        uint32_t giant = tp_giant(r[k].d, baby, r[k].modulus);
        uint64_t input = (uint64_t)r[k].arg * p->in_stride + r[k].in_ct;
        if (baby != 0 &&
            first_time(&p->baby, input * 2 * p->slots + (uint64_t)(baby + (int64_t)p->slots))) {
            price += PRICE_HOISTED + PRICE_KEY;
            if (first_time(&p->input, input))
                price += PRICE_DECOMPOSE;
        }
        if (giant != 0 && first_time(&p->giant, (uint64_t)r[k].out_ct * p->slots + (uint64_t)giant))
            price += PRICE_ROTATION + PRICE_KEY;
    }
    return price;
}

static struct marks
marks_new(struct arena *a, uint64_t size)
{
    return (struct marks){ARENA_ARRAY(a, uint32_t, size), 0, size};
}

/* Offsets modulo the period that each argument has under output period K, without repetition. */
static uint32_t
reduce(struct arena *a, const struct tp *t, const struct tp_node *n, const struct offsets *o,
       const struct he_layout *out, uint32_t fold, uint32_t slots, struct reduced **list)
{
    uint32_t stride = 1, kept = 0;
    for (uint32_t k = 0; k < n->args.len; k++) {
        uint32_t cts = t->nodes.at[n->args.at[k].value].layout.cts;
        stride = cts > stride ? cts : stride;
    }
    struct marks seen = marks_new(a, (uint64_t)n->args.len * stride * out->cts * slots + 1);
    seen.now = 1;
    *list = ARENA_ARRAY(a, struct reduced, o->at.len + 1);
    for (uint32_t k = 0; k < o->at.len; k++) {
        const struct offset *f = &o->at.at[k];
        uint32_t period = t->nodes.at[n->args.at[f->arg].value].layout.period;
        uint32_t modulus = period < fold ? period : fold;
        uint32_t d = (uint32_t)(f->delta + 2 * (int32_t)slots) % modulus;
        uint64_t key = (((uint64_t)f->arg * stride + f->in_ct) * out->cts + f->out_ct) * slots + d;
        if (first_time(&seen, key))
            (*list)[kept++] = (struct reduced){f->arg, f->in_ct, f->out_ct, d, modulus, {0, 0}};
    }
    return kept;
}

double
split_price(const struct tp *t, const struct tp_node *n, const struct offsets *o,
            const struct he_layout *out, uint32_t fold, uint32_t slots, struct tp_split *best)
{
    struct arena *a = arena_new();
    struct reduced *r;
    uint32_t count = reduce(a, t, n, o, out, fold, slots, &r), widest = fold, stride = 1;

    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct he_layout *in = &t->nodes.at[n->args.at[k].value].layout;
        widest = in->period > widest ? in->period : widest;
        stride = in->cts > stride ? in->cts : stride;
    }
    struct pricing p = {slots, stride, marks_new(a, (uint64_t)n->args.len * stride * 2 * slots + 1),
                        marks_new(a, (uint64_t)out->cts * slots + 1),
                        marks_new(a, (uint64_t)n->args.len * stride + 1)};
    const struct tp_grid *grid = n->args.len ? &t->nodes.at[n->args.at[0].value].grid : NULL;
    uint32_t planes[2] = {
        fold, grid && grid->present && grid->plane > 1 && grid->plane < fold ? grid->plane : 0};
    for (uint32_t k = 0; k < count; k++)
        for (int i = 0; i < 2 && planes[i]; i++)
            r[k].rest[i] = tp_centred((int32_t)r[k].d, planes[i]);
    double least = HUGE_VAL;
    for (uint32_t modulus = 1; modulus <= fold; modulus++) {
        bool power = (modulus & (modulus - 1)) == 0;
        bool rows = grid && grid->present && grid->pitch > 1 && modulus % grid->pitch == 0;
        if (modulus > 256 && !power && !rows)
            continue;
        for (int k = 0; k < 2 && planes[k]; k++) {
            double price = price_of(&p, r, count, k, modulus, least);
            if (price >= least - 1e-9)
                continue;
            least = price;
            best->baby = modulus;
            best->plane = planes[k];
        }
    }
    least += PRICE_DIAGONAL * count;
    for (uint32_t f = fold; f < widest; f *= 2)
        least += (PRICE_ROTATION + PRICE_KEY) * out->cts;
    best->fold = fold;
    arena_free(a);
    return least;
}
