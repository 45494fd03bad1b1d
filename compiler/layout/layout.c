/* layout.c - places the nodes of a tensor program one after the other; see layout.h. */
#include "layout/layout.h"

#include "layout/internal.h"

#include <string.h>

struct placing {
    struct tp *t;
    uint32_t slots;
    double *price;     /* of each linear node as placed */
    bool *factor;      /* second factor of a product: its scale must be free */
    bool *linear_only; /* read by linear maps only */
};

/* A way to place one linear node. */
struct choice {
    bool present;
    double price;
    struct he_layout layout;
    struct tp_grid grid;
    struct tp_split split;
};

static bool
same_layout(const struct he_layout *x, const struct he_layout *y)
{
    return x->n == y->n && x->cts == y->cts && x->period == y->period &&
           memcmp(x->slot, y->slot, x->n * sizeof *x->slot) == 0;
}

/* Every output of one ciphertext reads at the same offsets, all with one weight: sums of rotations
 * do, and slots that hold no element are then left with some sum. */
static bool
translation_invariant(const struct placing *p, const struct tp_node *n, const struct he_layout *out)
{
    const struct matrix *m = n->args.at[0].m;
    const struct he_layout *in = &p->t->nodes.at[n->args.at[0].value].layout;
    struct arena *a = arena_new();
    VEC(uint64_t) *want = arena_alloc(a, out->cts * sizeof *want);
    bool *known = ARENA_ARRAY(a, bool, out->cts), same = true;

    for (uint32_t r = 0; same && r < m->rows; r++) {
        uint32_t ct = out->slot[r] / p->slots, to = out->slot[r] % p->slots, i = m->start[r];
        for (; same && i < m->start[r + 1]; i++) {
            uint32_t from = in->slot[m->col[i]];
            uint64_t d = (from % p->slots + p->slots - to) % in->period;
            uint64_t key = (uint64_t)(from / p->slots) * p->slots + d;
            uint32_t k = 0;
            while (k < want[ct].len && want[ct].at[k] != key)
                k++;
            if (k < want[ct].len)
                continue;
            same = !known[ct];
            vec_push(a, &want[ct], key);
        }
        same = same && m->start[r + 1] - m->start[r] == want[ct].len;
        known[ct] = true;
    }
    arena_free(a);
    return same;
}

static void
try_layout(struct placing *p, struct arena *a, const struct tp_node *n, uint32_t index,
           const struct tp_grid *grid, const struct he_layout *l, struct choice *best)
{
    struct offsets o;
    uint32_t widest = l->period;

    /* Without the products that any split has, it is dearer than the best already. */
    uint64_t limit = best->present ? (uint64_t)(best->price / PRICE_DIAGONAL) : UINT64_MAX;
    offsets_find(a, p->t, n, l, p->slots, limit, &o);
    if (o.too_many)
        return;
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct he_layout *in = &p->t->nodes.at[n->args.at[k].value].layout;
        widest = in->period > widest ? in->period : widest;
    }
    float weight = 0;
    bool sums = n->args.len == 1 && !p->factor[index] && p->linear_only[index] &&
                matrix_uniform(n->args.at[0].m, &weight) && l->cts * l->period <= widest * l->cts &&
                translation_invariant(p, n, l);
    for (uint32_t fold = sums ? widest : l->period; fold <= widest; fold *= 2) {
        struct tp_split split = {0};
        double price = split_price(p->t, n, &o, l, fold, p->slots, &split);
        split.free_of_level = sums;
        split.weight = weight;
        price += sums ? 0 : PRICE_LEVEL;
        if (best->present && price >= best->price - 1e-9)
            continue;
        *best = (struct choice){true, price, *l, *grid, split};
        best->layout.period = l->cts > 1 ? p->slots : fold;
    }
}

static void
try_grid(struct placing *p, struct arena *a, const struct tp_node *n, uint32_t index,
         const struct tp_grid *g, struct choice *best)
{
    struct he_layout l;
    if (g->present && grid_layout(a, g, &n->shape, p->slots, &l))
        try_layout(p, a, n, index, g, &l, best);
}

/* The cheapest way to place a linear node, its arguments being placed. */
static struct choice
choose(struct placing *p, struct arena *a, const struct tp_node *n, uint32_t index)
{
    struct choice best = {0};
    uint32_t c, h, w;

    grid_dims(&n->shape, &c, &h, &w);
    struct tp_grid own = grid_compact(c, h, w), flat = grid_compact(n->n, 1, 1);
    for (uint32_t k = 0; k < n->args.len && h * w > 1; k++) {
        const struct tp_grid *base = &p->t->nodes.at[n->args.at[k].value].grid;
        if (!base->present || base->plane == 1)
            continue;
        for (uint32_t gap = base->gap > 4 ? base->gap / 4 : 1; gap <= base->gap * 8; gap *= 2)
            for (int packed = 0; packed < 1 + (gap > 1); packed++) {
                struct tp_grid g = grid_regap(base, c, h, w, gap, packed != 0);
                try_grid(p, a, n, index, &g, &best);
            }
    }
    try_grid(p, a, n, index, &own, &best);
    if (h * w > 1)
        try_grid(p, a, n, index, &flat, &best);
    return best;
}

static void
take(struct placing *p, uint32_t index, const struct choice *c)
{
    struct tp_node *n = &p->t->nodes.at[index];
    n->layout = c->layout;
    n->grid = c->grid;
    n->split = c->split;
    p->price[index] = c->price;
}

static bool
place_alias(struct placing *p, uint32_t index)
{
    struct tp_node *n = &p->t->nodes.at[index];
    struct arena *a = p->t->arena;
    if (n->args.len != 1 || n->bias || p->factor[index] || !matrix_injection(n->args.at[0].m))
        return false;
    const struct tp_node *from = &p->t->nodes.at[n->args.at[0].value];
    if (from->split.free_of_level) /* its factor is left to maps, and an alias is none */
        return false;
    struct he_layout l = {.shape = n->shape,
                          .n = n->n,
                          .cts = from->layout.cts,
                          .period = from->layout.period,
                          .slot = ARENA_ARRAY(a, uint32_t, n->n)};
    for (uint32_t r = 0; r < n->n; r++)
        l.slot[r] = from->layout.slot[n->args.at[0].m->col[n->args.at[0].m->start[r]]];
    n->layout = l;
    n->grid = grid_recognise(a, &l, &from->grid, p->slots);
    n->split = (struct tp_split){.alias = true};
    return true;
}

/* +1 or -1 for a matrix that leaves every element where it is, else 0. */
static int
sign_of(const struct matrix *m)
{
    float w = 0;
    if (m->rows != m->cols || m->start[m->rows] != m->rows || !matrix_uniform(m, &w) ||
        (w != 1.0f && w != -1.0f))
        return 0;
    for (uint32_t r = 0; r < m->rows; r++)
        if (m->start[r] != r || m->col[r] != r)
            return 0;
    return w > 0 ? 1 : -1;
}

/* A sum of tensors that lie alike already. */
static bool
place_sum(struct placing *p, uint32_t index)
{
    struct tp_node *n = &p->t->nodes.at[index];
    if (n->args.len < 2 || n->bias || p->factor[index] || sign_of(n->args.at[0].m) != 1)
        return false;
    const struct tp_node *first = &p->t->nodes.at[n->args.at[0].value];
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct tp_node *f = &p->t->nodes.at[n->args.at[k].value];
        if (!sign_of(n->args.at[k].m) || f->split.free_of_level ||
            !same_layout(&f->layout, &first->layout))
            return false;
    }
    n->layout = first->layout;
    n->layout.shape = n->shape;
    n->grid = first->grid;
    n->split = (struct tp_split){.plain_sum = true};
    return true;
}

/* Tries the node with each of its arguments merged into it, while that is cheaper. */
static void
place_merged(struct placing *p, uint32_t index, struct choice *best)
{
    struct tp *t = p->t;
    for (uint32_t k = 0; k < t->nodes.at[index].args.len; k++) {
        struct tp_node *n = &t->nodes.at[index];
        uint32_t from = n->args.at[k].value;
        const struct tp_node *f = &t->nodes.at[from];
        if (f->kind != TP_LINEAR || f->uses != 1 || f->split.alias || f->split.plain_sum)
            continue;
        uint64_t work = 0;
        for (uint32_t i = 0; i < f->args.len; i++)
            work += matrix_product_work(n->args.at[k].m, f->args.at[i].m);
        if (work > (uint64_t)1 << 25)
            continue;
        struct tp_node before = *n;
        if (!tp_fuse(t, index, k))
            continue;
        struct choice merged = choose(p, t->arena, &t->nodes.at[index], index);
        if (merged.present && (!best->present || merged.price <= best->price + p->price[from])) {
            *best = merged;
            t->nodes.at[from].uses = 0;
            k = UINT32_MAX;
        } else {
            t->nodes.at[index] = before;
        }
    }
}

/* Level-free maps leave their factor and their bias to those that read them. */
static void
settle_sums(struct placing *p, uint32_t index)
{
    struct tp *t = p->t;
    struct tp_node *n = &t->nodes.at[index];
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct tp_node *f = &t->nodes.at[n->args.at[k].value];
        if (!f->split.free_of_level || f->split.alias)
            continue;
        if (f->bias) {
            double *bias = ARENA_ARRAY(t->arena, double, n->n);
            if (n->bias)
                memcpy(bias, n->bias, n->n * sizeof *bias);
            matrix_apply(n->args.at[k].m, f->bias, bias);
            n->bias = bias;
        }
        struct matrix *m = ARENA_NEW(t->arena, struct matrix);
        *m = *n->args.at[k].m;
        m->val = ARENA_ARRAY(t->arena, float, m->start[m->rows] + 1);
        for (uint32_t i = 0; i < m->start[m->rows]; i++)
            m->val[i] = n->args.at[k].m->val[i] * f->split.weight;
        n->args.at[k].m = m;
    }
}

static bool
place_linear(struct placing *p, uint32_t index)
{
    if (place_alias(p, index) || place_sum(p, index))
        return true;
    struct choice best = choose(p, p->t->arena, &p->t->nodes.at[index], index);
    place_merged(p, index, &best);
    if (!best.present)
        return false;
    take(p, index, &best);
    return true;
}

/* The second factor of a product goes under the first one's layout. */
static bool
place_product(struct placing *p, uint32_t index)
{
    struct tp_node *n = &p->t->nodes.at[index];
    uint32_t other = n->args.at[1].value;
    const struct tp_node *first = &p->t->nodes.at[n->args.at[0].value];
    n->layout = first->layout;
    n->grid = first->grid;
    n->layout.shape = n->shape;
    if (same_layout(&first->layout, &p->t->nodes.at[other].layout))
        return true;
    struct choice best = {0};
    try_layout(p, p->t->arena, &p->t->nodes.at[other], other, &first->grid, &first->layout, &best);
    if (!best.present)
        return false;
    take(p, other, &best);
    n->layout.period = best.layout.period;
    return true;
}

static bool
place(struct placing *p, uint32_t index)
{
    struct tp_node *n = &p->t->nodes.at[index];
    uint32_t c, h, w;
    switch (n->kind) {
    case TP_INPUT:
        grid_dims(&n->shape, &c, &h, &w);
        n->grid = grid_compact(c, h, w);
        return grid_layout(p->t->arena, &n->grid, &n->shape, p->slots, &n->layout);
    case TP_POLY:
        n->layout = p->t->nodes.at[n->args.at[0].value].layout;
        n->grid = p->t->nodes.at[n->args.at[0].value].grid;
        n->layout.shape = n->shape;
        return true;
    case TP_MUL:
        return place_product(p, index);
    case TP_LINEAR:
        return place_linear(p, index);
    }
    return false;
}

static void
find_readers(struct placing *p)
{
    struct tp *t = p->t;
    memset(p->linear_only, 1, t->nodes.len * sizeof *p->linear_only);
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        const struct tp_node *n = &t->nodes.at[k];
        for (uint32_t i = 0; n->kind != TP_LINEAR && i < n->args.len; i++)
            p->linear_only[n->args.at[i].value] = false;
        if (n->kind == TP_MUL)
            p->factor[n->args.at[1].value] = true;
    }
    for (uint32_t k = 0; k < t->outputs.len; k++)
        p->linear_only[t->outputs.at[k]] = false;
}

bool
layout(struct tp *t, uint32_t log_n, struct diag *d)
{
    struct placing p = {t, (uint32_t)1 << (log_n - 1),
                        ARENA_ARRAY(t->arena, double, t->nodes.len + 1),
                        ARENA_ARRAY(t->arena, bool, t->nodes.len + 1),
                        ARENA_ARRAY(t->arena, bool, t->nodes.len + 1)};
    bool ok = true;

    find_readers(&p);
    for (uint32_t k = 0; ok && k < t->nodes.len; k++) {
        ok = place(&p, k);
        if (!ok)
            diag_error(d, E_LAYOUT_SIZE, (struct place){.node = t->nodes.at[k].name},
                       "its tensor does not fit %u ciphertexts of %u slots", MAX_CTS, p.slots);
    }
    if (!ok)
        return false;
    tp_tidy(t);
    for (uint32_t k = 0; k < t->nodes.len; k++)
        if (t->nodes.at[k].kind == TP_LINEAR && !t->nodes.at[k].split.alias &&
            !t->nodes.at[k].split.plain_sum)
            settle_sums(&p, k);
    return true;
}
