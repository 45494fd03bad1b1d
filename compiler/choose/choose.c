/* choose.c - the door: impacts, and the candidates as items of a budget. */
#include "choose/choose.h"
#include "choose/allot.h"
#include "choose/impact.h"

#include "op/op.h"

bool
choose_each(struct graph *g, const float *images, uint32_t n, const int64_t *labels,
            const struct choice *c, float *each, struct diag *d)
{
    return impact(g, images, n, labels, c, each, d);
}

void
choose_weigh(struct arena *a, struct choice *c, const float *const *each, uint32_t n)
{
    for (uint32_t k = 0, at = 0; k < c->n; at += c->layers[k].channels, k++) {
        struct choice_layer *l = &c->layers[k];
        l->impact = ARENA_ARRAY(a, double, l->channels);
        for (uint32_t i = 0; i < l->channels; i++) {
            for (uint32_t image = 0; image < n; image++)
                l->impact[i] += (double)each[image][at + i];
            l->impact[i] /= n;
        }
    }
}

bool
choose(struct graph *g, const float *images, uint32_t n, const int64_t *labels, struct choice *c,
       struct diag *d)
{
    struct arena *a = arena_new();
    uint64_t channels = 0;

    for (uint32_t k = 0; k < c->n; k++)
        channels += c->layers[k].channels;
    float *each = ARENA_ARRAY(a, float, n *channels + 1);
    const float **row = ARENA_ARRAY(a, const float *, n + 1);
    for (uint32_t k = 0; k < n; k++)
        row[k] = each + k * channels;
    bool ok = impact(g, images, n, labels, c, each, d);
    if (ok)
        choose_weigh(g->arena, c, row, n);
    arena_free(a);
    return ok;
}

double
choose_cost(const struct choice_layer *l, uint32_t option)
{
    double sum = 0;

    if (l->measured)
        return l->option[option].measured;
    for (uint32_t c = 0; c < l->channels; c++)
        sum += l->impact[c] * l->option[option].error[c];
    return sum;
}

/* ---- which activations feed which
 * ----------------------------------------------------------------------- */

struct feeds {
    uint32_t words;
    uint64_t *of; /* [value][words]: the activations that feed a value with no other in between */
};

static struct feeds
feeds_new(struct arena *a, const struct graph *g, const struct choice *c)
{
    struct feeds f = {.words = c->n / 64 + 1};
    uint32_t next = 0;

    f.of = ARENA_ARRAY(a, uint64_t, (size_t)f.words * (g->values.len + 1));
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        bool own = next < c->n && c->layers[next].node == k;
        for (uint32_t o = 0; o < n->out.len; o++) {
            if (n->out.at[o] == NONE)
                continue;
            uint64_t *to = f.of + (size_t)n->out.at[o] * f.words;
            for (uint32_t i = 0; !own && i < n->in.len; i++)
                for (uint32_t w = 0; n->in.at[i] != NONE && w < f.words; w++)
                    to[w] |= f.of[(size_t)n->in.at[i] * f.words + w];
            if (own)
                to[next / 64] |= (uint64_t)1 << next % 64;
        }
        next += own;
    }
    return f;
}

static struct allot_item *
items_of(struct arena *a, const struct graph *g, const struct choice *c)
{
    struct feeds f = feeds_new(a, g, c);
    struct allot_item *items = ARENA_ARRAY(a, struct allot_item, c->n + 1);

    for (uint32_t k = 0; k < c->n; k++) {
        const struct choice_layer *l = &c->layers[k];
        const uint64_t *in = f.of + (size_t)g->nodes.at[l->node].in.at[0] * f.words;
        struct allot_option *o = ARENA_ARRAY(a, struct allot_option, l->n);
        uint32_t *before = ARENA_ARRAY(a, uint32_t, k + 1), n_before = 0;
        for (uint32_t i = 0; i < l->n; i++)
            o[i] = (struct allot_option){l->option[i].levels, choose_cost(l, i)};
        for (uint32_t i = 0; i < k; i++)
            if (in[i / 64] >> i % 64 & 1)
                before[n_before++] = i;
        items[k] = (struct allot_item){l->n, o, n_before, before};
    }
    return items;
}

void
choose_range(const struct graph *g, const struct choice *c, uint32_t *least, uint32_t *most)
{
    struct arena *a = arena_new();
    const struct allot_item *items = items_of(a, g, c);

    *least = allot_least(items, c->n);
    *most = allot_most(items, c->n);
    arena_free(a);
}

static void
plan_sums(const struct graph *g, const struct choice *c, struct arena *a, struct choose_plan *p)
{
    struct arena *scratch = arena_new();

    p->degree = ARENA_ARRAY(a, uint32_t, g->nodes.len + 1);
    p->levels = 0;
    p->cost = 0;
    for (uint32_t k = 0; k < c->n; k++) {
        const struct choice_option *o = &c->layers[k].option[p->option[k]];
        p->degree[c->layers[k].node] = o->degree;
        p->levels += o->levels;
        p->cost += choose_cost(&c->layers[k], p->option[k]);
    }
    p->deepest = allot_depth(items_of(scratch, g, c), c->n, p->option);
    arena_free(scratch);
}

bool
choose_within(struct arena *a, const struct graph *g, const struct choice *c, uint32_t budget,
              struct choose_plan *out)
{
    struct arena *scratch = arena_new();

    *out = (struct choose_plan){.option = ARENA_ARRAY(a, uint32_t, c->n + 1)};
    bool ok = allot(items_of(scratch, g, c), c->n, budget, out->option);
    arena_free(scratch);
    if (ok)
        plan_sums(g, c, a, out);
    return ok;
}

void
choose_uniform(struct arena *a, const struct graph *g, const struct choice *c, uint32_t degree,
               struct choose_plan *out)
{
    *out = (struct choose_plan){.option = ARENA_ARRAY(a, uint32_t, c->n + 1)};
    for (uint32_t k = 0; k < c->n; k++)
        while (out->option[k] + 1 < c->layers[k].n &&
               c->layers[k].option[out->option[k] + 1].degree <= degree)
            out->option[k]++;
    plan_sums(g, c, a, out);
}

void
choose_options(struct arena *a, const struct graph *g, const struct choice *c, uint32_t *option,
               struct choose_plan *out)
{
    *out = (struct choose_plan){.option = option};
    plan_sums(g, c, a, out);
}
