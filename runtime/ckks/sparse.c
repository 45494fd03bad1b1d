/* sparse.c - sparse sums of ciphertexts by integers: the section as a program of lazy sums. How it
 * is evaluated is sparse_eval.c. */
#include "ckks/sparse.h"

#include <math.h>
#include <string.h>

static size_t
words_of(const struct ola_sparse *m)
{
    const size_t limbs = m->desc.level + 1, nodes = m->nodes;
    return limbs * ((m->weighted ? m->head.terms : 0) + (size_t)m->head.rows) +
           (nodes * sizeof *m->node + (m->head.terms + nodes) * sizeof *m->step +
            m->head.terms * sizeof *m->index) /
               sizeof(uint64_t) +
           4;
}

/* Carves the arrays out of one block; the widest first, so that each is aligned. */
static ola_status
take_room(struct ola_sparse *m)
{
    const size_t limbs = m->desc.level + 1, nodes = m->nodes, terms = m->head.terms;
    m->bytes = words_of(m) * sizeof(uint64_t);
    m->constant = ola_alloc_zero(m->bytes);
    if (m->constant == NULL)
        return OLA_ERR_NOMEM;
    m->weight = m->constant + limbs * m->head.rows;
    m->node = (struct ola_sparse_node *)(void *)(m->weight + (m->weighted ? limbs * terms : 0));
    m->step = (struct ola_shifts *)(void *)(m->node + nodes);
    m->index = (uint32_t *)(void *)(m->step + terms + nodes);
    return OLA_OK;
}

static uint64_t
largest_prime(const struct ola_sparse *m)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i <= m->desc.level; i++)
        most = m->params->literal.q[i] > most ? m->params->literal.q[i] : most;
    return most;
}

/* The sum of the weights' sizes in a row, at most 2^63. */
static uint64_t
norm_of(const struct ola_sparse_view *v, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;
    for (uint32_t t = from; t < to && sum >> 63 == 0; t++)
        sum += ola_sparse_view_term(v, t).weight;
    return sum >> 63 ? UINT64_C(1) << 63 : sum;
}

static bool
is_lazy(const struct ola_sparse *m, uint64_t norm)
{
    return m->head.kind == OLA_SPARSE_SHIFTS &&
           ola_plan_sparse_lazy((double)norm, largest_prime(m));
}

/* Whether some row cannot be summed lazily, so that weights as residues are wanted. */
static bool
wants_weights(const struct ola_sparse *m, const struct ola_sparse_view *v)
{
    for (uint32_t k = 0; k < m->nodes; k++) {
        uint64_t norm = norm_of(v, ola_sparse_view_start(v, k), ola_sparse_view_start(v, k + 1));
        if (!is_lazy(m, norm))
            return true;
    }
    return false;
}

/* The terms of a row whose weights are 2^shift, or -2^shift. */
static uint32_t
gather(struct ola_sparse *m, const struct ola_sparse_view *v, struct ola_sparse_node *node,
       uint32_t end, uint32_t shift, bool negative)
{
    uint32_t count = 0;
    for (uint32_t t = node->first_term; t < end; t++) {
        struct ola_sparse_term term = ola_sparse_view_term(v, t);
        if (term.shift != shift || term.negative != negative)
            continue;
        m->index[node->first_term + node->terms + count++] = term.column;
    }
    node->terms += count;
    return count;
}

/* Horner's rule in powers of two: the largest shifts first. */
static void
plan_shifted(struct ola_sparse *m, const struct ola_sparse_view *v, struct ola_sparse_node *node,
             uint32_t end)
{
    uint64_t present = 0;
    uint32_t before = 0;
    for (uint32_t t = node->first_term; t < end; t++)
        present |= UINT64_C(1) << ola_sparse_view_term(v, t).shift;
    for (uint32_t shift = OLA_SPARSE_MAX_SHIFT + 1; shift-- > 0;) {
        struct ola_shifts step = {0};
        bool any = present >> shift & 1;
        if (any) {
            step.plus = gather(m, v, node, end, shift, false);
            step.minus = gather(m, v, node, end, shift, true);
        }
        if (!any && (shift != 0 || node->steps == 0))
            continue;
        step.up = node->steps == 0 ? 0 : before - shift;
        before = shift;
        m->step[node->first_step + node->steps++] = step;
    }
}

static void
plan_weighted(struct ola_sparse *m, const struct ola_sparse_view *v, struct ola_sparse_node *node,
              uint32_t end)
{
    for (uint32_t t = node->first_term; t < end; t++) {
        struct ola_sparse_term term = ola_sparse_view_term(v, t);
        m->index[t] = term.column;
        for (uint32_t i = 0; i <= m->desc.level; i++) {
            const uint64_t q = m->params->literal.q[i], w = term.weight % q;
            m->weight[(size_t)i * m->head.terms + t] = term.negative && w != 0 ? q - w : w;
        }
    }
    node->terms = end - node->first_term;
}

static void
plan_nodes(struct ola_sparse *m, const struct ola_sparse_view *v)
{
    uint32_t step = 0;
    for (uint32_t k = 0; k < m->nodes; k++) {
        struct ola_sparse_node *node = &m->node[k];
        uint32_t end = ola_sparse_view_start(v, k + 1);
        *node =
            (struct ola_sparse_node){.first_term = ola_sparse_view_start(v, k), .first_step = step};
        node->norm = norm_of(v, node->first_term, end);
        node->shifted = is_lazy(m, node->norm);
        if (node->shifted)
            plan_shifted(m, v, node, end);
        else
            plan_weighted(m, v, node, end);
        step += node->steps;
    }
}

static ola_status
plan_bias(struct ola_sparse *m, const struct ola_sparse_view *v)
{
    for (uint32_t r = 0; r < m->head.rows; r++) {
        double x = ola_sparse_view_bias(v, r) * m->desc.out_scale;
        if (!isfinite(x) || !ola_encoded_fits(m->params, m->desc.level, fabs(x)))
            return OLA_ERR_RANGE;
        for (uint32_t i = 0; i <= m->desc.level; i++)
            m->constant[(size_t)i * m->head.rows + r] = ola_encoded_scalar(m->params, i, x);
    }
    return OLA_OK;
}

static ola_status
check(const struct ola_params *p, const struct ola_sparse_desc *desc)
{
    if (desc->level >= p->n_q)
        return OLA_ERR_LEVEL;
    if (!ola_scale_fits(p, desc->level, desc->in_scale) ||
        !ola_scale_fits(p, desc->level, desc->out_scale))
        return OLA_ERR_SCALE;
    return OLA_OK;
}

ola_status
ola_sparse_new(const ola_params *p, const struct ola_sparse_desc *desc, const void *section,
               size_t size, ola_sparse **out)
{
    struct ola_sparse_view v;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || desc == NULL)
        return OLA_ERR_PARAM;
    ola_status status = check(p, desc);
    if (status == OLA_OK && !ola_sparse_view_open(&v, section, size))
        status = OLA_ERR_FORMAT;
    if (status != OLA_OK)
        return status;
    struct ola_sparse *m = ola_alloc_zero(sizeof *m);
    if (m == NULL)
        return OLA_ERR_NOMEM;
    *m = (struct ola_sparse){.params = p, .desc = *desc, .head = v.head};
    m->nodes = v.head.temps + v.head.rows;
    m->weighted = wants_weights(m, &v);
    ola_sparse_view_count(&v, largest_prime(m), &m->additions, &m->products);
    status = take_room(m);
    if (status == OLA_OK) {
        plan_nodes(m, &v);
        status = plan_bias(m, &v);
    }
    if (status != OLA_OK) {
        ola_sparse_free(m);
        return status;
    }
    *out = m;
    return OLA_OK;
}

void
ola_sparse_free(ola_sparse *m)
{
    if (m == NULL)
        return;
    ola_release(m->constant, m->bytes);
    ola_release(m, sizeof *m);
}
