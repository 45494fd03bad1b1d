/* he_count.c - the operations on ciphertexts that evaluating a program takes, counted as the
 * runtime counts them (struct ola_counts): by instruction, by node, all together. */
#include "ir/he.h"

#include "ola/plan.h"

#include <string.h>

static void
count_map(const struct he_map *m, struct he_counts *c)
{
    struct he_rotations r = he_map_rotations(m);
    uint32_t outputs = 0;
    for (uint32_t d = 0; d < m->diagonals.len; d++)
        outputs += d == 0 || m->diagonals.at[d].out_ct != m->diagonals.at[d - 1].out_ct;
    c->rotations += he_rotations_sum(&r);
    c->plain_products += m->free_of_level ? 0 : m->diagonals.len;
    c->rescales += m->free_of_level ? 0 : m->out_cts;
    c->additions += m->diagonals.len - outputs + (uint64_t)m->folds.len * m->out_cts;
    c->additions += m->bias ? m->out_cts : 0;
}

/* One ciphertext. A step whose sum is left to a later one keeps what is to be relinearised. */
static struct he_counts
count_plan(const struct ola_poly_plan *plan)
{
    struct he_counts c = {0};
    bool *three = (bool[OLA_MAX_STEPS + 1]){false}; /* by register */
    for (uint32_t k = 0; k < plan->n_steps; k++) {
        const struct ola_step *s = &plan->step[k];
        bool leaf = s->kind == OLA_STEP_LEAF, summand = s->c != OLA_NO_REG;
        bool product = !leaf || (summand && three[s->c]),
             deferred = ola_plan_poly_deferred(plan, k);
        c.products += !leaf;
        c.plain_products += leaf;
        c.additions += s->kind == OLA_STEP_POWER ? 2 : leaf + summand;
        c.relinearisations += product && !deferred;
        c.rescales += !deferred;
        three[s->dst] = product && deferred;
    }
    return c;
}

static void
add(struct he_counts *to, const struct he_counts *c, uint64_t times)
{
    to->additions += times * c->additions;
    to->scalar_products += times * c->scalar_products;
    to->plain_products += times * c->plain_products;
    to->products += times * c->products;
    to->rotations += times * c->rotations;
    to->relinearisations += times * c->relinearisations;
    to->rescales += times * c->rescales;
}

static void
count_poly(const struct he_program *p, const struct he_poly *f, struct he_counts *c)
{
    struct ola_poly_plan plan;
    if (!ola_plan_poly(f->degree, f->level, f->in_scale, f->out_scale, p->params.q.at, &plan))
        return;
    struct he_counts one = count_plan(&plan);
    add(c, &one, f->cts);
}

/* Products with an integer that a row takes: summed lazily, one for each power of two above 1; else
 * one for each term. */
static uint32_t
row_products(const struct he_sparse *s, uint32_t from, uint32_t to, uint64_t q)
{
    uint64_t present = 0;
    uint32_t products = 0;
    double norm = 0;
    for (uint32_t t = from; t < to; t++) {
        int64_t w = s->terms.at[t].weight;
        uint64_t size = w < 0 ? 0 - (uint64_t)w : (uint64_t)w;
        norm += (double)size;
        present |= size;
        products += size != 1;
    }
    bool lazy = s->shifts && ola_plan_sparse_lazy(norm, q);
    return lazy ? (uint32_t)__builtin_popcountll(present >> 1) : products;
}

static void
count_sparse(const struct he_program *p, const struct he_sparse *s, struct he_counts *c)
{
    uint64_t q = 0;
    for (uint32_t k = 0; k <= s->level && k < p->params.q.len; k++)
        q = p->params.q.at[k] > q ? p->params.q.at[k] : q;
    for (uint32_t k = 0; s->start && k < s->temps + s->rows; k++) {
        uint32_t from = s->start[k], to = s->start[k + 1];
        bool bias = k >= s->temps && s->bias && s->bias[k - s->temps] != 0;
        c->additions += to > from ? to - from - 1 + bias : 0;
        c->scalar_products += row_products(s, from, to, q);
    }
}

struct he_counts
he_count(const struct he_program *p, uint32_t k)
{
    const struct he_inst *i = &p->insts.at[k];
    const struct he_inst *x = i->args.len ? &p->insts.at[i->args.at[0]] : NULL;
    struct he_counts c = {0};
    switch (i->op) {
    case HE_linear:
        count_map(&p->maps.at[i->data], &c);
        break;
    case HE_poly:
        count_poly(p, &p->polys.at[i->data], &c);
        break;
    case HE_sparse:
        count_sparse(p, &p->sparse.at[i->data], &c);
        break;
    case HE_reduce:
        c.relinearisations = x->parts == 3 ? i->cts : 0;
        c.rescales = (uint64_t)(x->level - i->level) * i->cts;
        break;
    case HE_add:
    case HE_sub:
    case HE_add_plain:
        c.additions = i->cts;
        break;
    case HE_mul:
        c.products = i->cts;
        break;
    case HE_relin:
        c.relinearisations = i->cts;
        break;
    case HE_rescale:
        c.rescales = i->cts;
        break;
    default:
        break;
    }
    return c;
}

static struct he_node_counts *
node_named(struct arena *a, struct he_counts_list *list, const char *name)
{
    for (uint32_t k = 0; k < list->len; k++)
        if (strcmp(list->at[k].node, name) == 0)
            return &list->at[k];
    vec_push(a, list, (struct he_node_counts){.node = name});
    return &list->at[list->len - 1];
}

/* All weights that a map has room for, as integers: what pruning and powers of two save is the
 * difference. */
static struct he_counts
count_dense(const struct he_sparse *s)
{
    uint64_t terms = s->m->dense > s->m->start[s->m->rows] ? s->m->dense : s->m->start[s->m->rows];
    return (struct he_counts){.scalar_products = terms,
                              .additions = terms - s->rows + (s->bias ? s->rows : 0)};
}

void
he_count_nodes(const struct he_program *p, struct arena *a, struct he_counts_list *list)
{
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        struct he_counts c = he_count(p, k);
        const char *name = i->node && *i->node ? i->node : "network";
        if (i->op == HE_input || i->op == HE_output || i->op == HE_drop)
            continue;
        if (i->op == HE_sparse && p->sparse.at[i->data].squares) {
            struct he_counts squares = {.products = p->sparse.at[i->data].cols};
            add(&node_named(a, list, p->sparse.at[i->data].squares)->counts, &squares, 1);
        }
        struct he_node_counts *n = node_named(a, list, name);
        add(&n->counts, &c, 1);
        if (i->op != HE_sparse)
            continue;
        struct he_counts dense = count_dense(&p->sparse.at[i->data]);
        n->sparse = true;
        add(&n->dense, &dense, 1);
    }
}

struct he_counts
he_count_all(const struct he_program *p)
{
    struct he_counts all = {0};
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        struct he_counts c = he_count(p, k);
        add(&all, &c, 1);
        if (i->op == HE_sparse && p->sparse.at[i->data].squares)
            all.products += p->sparse.at[i->data].cols;
    }
    return all;
}
