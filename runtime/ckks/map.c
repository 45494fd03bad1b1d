/* map.c - from a section of the weights file to an encoded linear map. */
#include "ckks/map.h"

#include <string.h>

/* Arrays of at most this many entries (there are no more runs, groups or babies than diagonals). */
static uint32_t
room(const struct ola_map *m)
{
    return m->head.n_diagonals == 0 ? 1 : m->head.n_diagonals;
}

static ola_status
map_reserve(struct ola_map *m)
{
    const uint32_t n = room(m);
    m->term = ola_alloc_zero(n * sizeof *m->term);
    m->run = ola_alloc_zero(n * sizeof *m->run);
    m->group = ola_alloc_zero(n * sizeof *m->group);
    m->run_order = ola_alloc_zero(n * sizeof *m->run_order);
    m->baby = ola_alloc_zero(n * sizeof *m->baby);
    m->input = ola_alloc_zero(m->n_inputs * sizeof *m->input);
    if (m->head.bias_period != 0)
        m->bias = ola_alloc_zero(m->head.out_cts * sizeof *m->bias);
    bool missing = m->term == NULL || m->run == NULL || m->group == NULL || m->run_order == NULL ||
                   m->baby == NULL || m->input == NULL ||
                   (m->head.bias_period != 0 && m->bias == NULL);
    return missing ? OLA_ERR_NOMEM : OLA_OK;
}

void
ola_map_free(ola_map *m)
{
    if (m == NULL)
        return;
    const uint32_t n = room(m);
    for (uint32_t k = 0; m->term != NULL && k < m->head.n_diagonals; k++)
        ola_plain_free(&m->term[k].plain);
    for (uint32_t k = 0; m->bias != NULL && k < m->head.out_cts; k++)
        ola_plain_free(&m->bias[k]);
    ola_release(m->term, n * sizeof *m->term);
    ola_release(m->run, n * sizeof *m->run);
    ola_release(m->group, n * sizeof *m->group);
    ola_release(m->run_order, n * sizeof *m->run_order);
    ola_release(m->baby, n * sizeof *m->baby);
    ola_release(m->input, m->n_inputs * sizeof *m->input);
    ola_release(m->bias, m->head.out_cts * sizeof *m->bias);
    ola_release(m, sizeof *m);
}

/* Groups and runs: the diagonals come sorted by (out_ct, giant, arg, in_ct, baby). */
static void
find_runs(struct ola_map *m, const struct ola_map_view *v)
{
    for (uint32_t k = 0; k < m->head.n_diagonals; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(v, k);
        uint32_t input = d.arg * m->head.in_cts + d.in_ct;
        const struct ola_group *g = m->n_groups == 0 ? NULL : &m->group[m->n_groups - 1];
        bool opens = g == NULL || g->out_ct != d.out_ct || g->giant != d.giant;
        if (opens)
            m->group[m->n_groups++] = (struct ola_group){.out_ct = d.out_ct, .giant = d.giant};
        if (opens || m->run[m->n_runs - 1].input != input) {
            m->run[m->n_runs++] = (struct ola_run){
                .group = m->n_groups - 1, .input = input, .first = k, .opens = opens};
            m->input[input].n_runs++;
        }
        m->run[m->n_runs - 1].count++;
    }
}

static void
order_runs(struct ola_map *m)
{
    for (uint32_t i = 1; i < m->n_inputs; i++)
        m->input[i].first_run = m->input[i - 1].first_run + m->input[i - 1].n_runs;
    for (uint32_t i = 0; i < m->n_inputs; i++)
        m->input[i].n_runs = 0;
    for (uint32_t k = 0; k < m->n_runs; k++) {
        struct ola_input *in = &m->input[m->run[k].input];
        m->run_order[in->first_run + in->n_runs++] = k;
    }
}

/* The babies of one input, numbered as they first appear. number[step]: UINT32_MAX, before and
 * after. */
static void
number_babies(struct ola_map *m, const struct ola_map_view *v, struct ola_input *in,
              uint32_t *number)
{
    in->first_baby = m->n_babies;
    for (uint32_t r = 0; r < in->n_runs; r++) {
        const struct ola_run *run = &m->run[m->run_order[in->first_run + r]];
        for (uint32_t k = run->first; k < run->first + run->count; k++) {
            uint32_t step = ola_map_view_diagonal(v, k).baby;
            if (number[step] == UINT32_MAX) {
                number[step] = in->n_babies++;
                m->baby[m->n_babies++] = step;
            }
            m->term[k].baby = number[step];
        }
    }
    for (uint32_t k = 0; k < in->n_babies; k++)
        number[m->baby[in->first_baby + k]] = UINT32_MAX;
}

static ola_status
find_babies(struct ola_map *m, const struct ola_map_view *v)
{
    const size_t bytes = m->params->slots * sizeof(uint32_t);
    uint32_t *number = ola_alloc(bytes);
    if (number == NULL)
        return OLA_ERR_NOMEM;
    memset(number, 0xff, bytes);
    for (uint32_t i = 0; i < m->n_inputs; i++)
        number_babies(m, v, &m->input[i], number);
    ola_release(number, bytes);
    return OLA_OK;
}

/* What one thread encodes with. */
struct work {
    struct ola_plain_work plain;
    double *values; /* [slots] */
};

static ola_status
encode_one(struct ola_map *m, const struct ola_map_view *v, struct work *w, uint32_t k)
{
    const struct ola_params *p = m->params;
    const uint32_t level = m->desc.level, n = m->head.n_diagonals;
    if (k >= n) {
        const uint32_t out_level = m->head.free_of_level ? level : level - 1;
        ola_map_view_bias(v, k - n, w->values);
        return ola_plain_new(p, &w->plain, w->values, m->head.bias_period, out_level, false,
                             m->desc.out_scale, &m->bias[k - n]);
    }
    struct ola_weights_diagonal d = ola_map_view_diagonal(v, k);
    double scale = m->desc.out_scale * (double)p->literal.q[level] / m->desc.in_scale;
    ola_map_view_values(v, &d, w->values);
    return ola_plain_new(p, &w->plain, w->values, d.period, level, m->late, scale,
                         &m->term[k].plain);
}

/* All diagonals (when they have values) and all biases. The first error in order is reported. */
static ola_status
encode_all(struct ola_map *m, const struct ola_map_view *v)
{
    const size_t values = m->params->slots * sizeof(double);
    const uint32_t begin = m->head.free_of_level ? m->head.n_diagonals : 0;
    const uint32_t end = m->head.n_diagonals + (m->bias == NULL ? 0 : m->head.out_cts);
    ola_status status = OLA_OK;
    uint32_t failed = UINT32_MAX;
#pragma omp parallel
    {
        struct work w;
        ola_status room = ola_plain_work_new(&w.plain, m->params->n);
        w.values = room == OLA_OK ? ola_alloc(values) : NULL;
#pragma omp for schedule(dynamic, 8)
        for (uint32_t k = begin; k < end; k++) {
            ola_status s = w.values == NULL ? OLA_ERR_NOMEM : encode_one(m, v, &w, k);
            if (s != OLA_OK) {
#pragma omp critical(ola_map_status)
                if (k < failed) {
                    failed = k;
                    status = s;
                }
            }
        }
        if (room == OLA_OK)
            ola_plain_work_free(&w.plain);
        ola_release(w.values, values);
    }
    return status;
}

static ola_status
check_desc(const struct ola_params *p, const struct ola_map_desc *d,
           const struct ola_weights_map *head)
{
    if (d->level >= p->n_q || (d->level == 0 && !head->free_of_level))
        return OLA_ERR_LEVEL;
    const uint32_t out_level = head->free_of_level ? d->level : d->level - 1;
    if (!ola_scale_fits(p, d->level, d->in_scale) || !ola_scale_fits(p, out_level, d->out_scale))
        return OLA_ERR_SCALE;
    if (head->free_of_level && !ola_scales_equal(d->in_scale, d->out_scale))
        return OLA_ERR_SCALE;
    return OLA_OK;
}

/* A division by P costs about three products a limb and part; a late map saves one for each baby,
 * wants one for each group that is rotated, and multiplies at n_p more positions. */
static void
choose_late(struct ola_map *m)
{
    const struct ola_params *p = m->params;
    const uint32_t positions = ola_positions(p, m->desc.level);
    int64_t divisions = 0;
    for (uint32_t k = 0; k < m->n_babies; k++)
        divisions += m->baby[k] != 0;
    for (uint32_t k = 0; k < m->n_groups; k++)
        divisions -= m->group[k].giant != 0;
    m->late = divisions * 3 * positions > (int64_t)m->head.n_diagonals * p->n_p;
    m->positions = m->late ? positions : m->desc.level + 1;
}

static void
choose_slots(struct ola_map *m)
{
    uint32_t most_babies = 0, most_groups = 0, first = 0;
    for (uint32_t i = 0; i < m->n_inputs; i++)
        most_babies = m->input[i].n_babies > most_babies ? m->input[i].n_babies : most_babies;
    for (uint32_t g = 0; g < m->n_groups; g++) {
        first = g != 0 && m->group[g].out_ct == m->group[g - 1].out_ct ? first : g;
        m->group[g].slot = g - first;
        most_groups = g - first + 1 > most_groups ? g - first + 1 : most_groups;
    }
    m->by_output = (uint64_t)m->n_babies + most_groups < (uint64_t)most_babies + m->n_groups;
    m->baby_slots = m->by_output ? m->n_babies : most_babies;
    m->group_slots = m->by_output ? most_groups : m->n_groups;
    for (uint32_t i = 0; i < m->n_inputs && m->by_output; i++)
        m->input[i].first_slot = m->input[i].first_baby;
    for (uint32_t g = 0; g < m->n_groups && !m->by_output; g++)
        m->group[g].slot = g;
}

static ola_status
map_fill(struct ola_map *m, const struct ola_map_view *v)
{
    m->n_inputs = m->head.args * m->head.in_cts;
    ola_status s = map_reserve(m);
    if (s != OLA_OK)
        return s;
    for (uint32_t k = 0; k < m->head.n_folds; k++)
        m->fold[k] = ola_map_view_fold(v, k);
    find_runs(m, v);
    order_runs(m);
    s = find_babies(m, v);
    choose_late(m);
    choose_slots(m);
    return s == OLA_OK ? encode_all(m, v) : s;
}

ola_status
ola_map_new(const ola_params *p, const struct ola_map_desc *desc, const void *section, size_t size,
            ola_map **out)
{
    struct ola_map_view v;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || desc == NULL)
        return OLA_ERR_PARAM;
    if (!ola_map_view_open(&v, section, size, p->slots))
        return OLA_ERR_FORMAT;
    ola_status s = check_desc(p, desc, &v.head);
    if (s != OLA_OK)
        return s;
    struct ola_map *m = ola_alloc_zero(sizeof *m);
    if (m == NULL)
        return OLA_ERR_NOMEM;
    m->params = p;
    m->desc = *desc;
    m->head = v.head;
    s = map_fill(m, &v);
    if (s != OLA_OK) {
        ola_map_free(m);
        return s;
    }
    *out = m;
    return OLA_OK;
}
