/* map.c - from a section of the weights file to an encoded linear map. */
#include "ckks/map.h"

#include <stdlib.h>
#include <string.h>

/* Arrays of at most this many entries (no more runs, groups, sources or babies than diagonals). */
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
    m->source = ola_alloc_zero(n * sizeof *m->source);
    m->input = ola_alloc_zero(m->n_inputs * sizeof *m->input);
    if (m->head.bias_period != 0)
        m->bias = ola_alloc_zero(m->head.out_cts * sizeof *m->bias);
    bool missing = m->term == NULL || m->run == NULL || m->group == NULL || m->run_order == NULL ||
                   m->baby == NULL || m->source == NULL || m->input == NULL ||
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
    ola_release(m->source, n * sizeof *m->source);
    ola_release(m->input, m->n_inputs * sizeof *m->input);
    ola_release(m->bias, m->head.out_cts * sizeof *m->bias);
    ola_release(m, sizeof *m);
}

static uint32_t
fine_step(const struct ola_map *m, uint32_t baby)
{
    return m->desc.coarse == 0 ? baby : baby % m->desc.coarse;
}

/* Groups and runs: the diagonals come sorted by (out_ct, giant, arg, in_ct, baby). A run's source
 * is its input for now. */
static void
find_runs(struct ola_map *m, const struct ola_map_view *v)
{
    struct ola_weights_diagonal before = {0};
    for (uint32_t k = 0; k < m->head.n_diagonals; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(v, k);
        uint32_t coarse = d.baby - fine_step(m, d.baby);
        bool same_output = m->n_groups != 0 && before.out_ct == d.out_ct;
        bool opens = !same_output || before.giant != d.giant;
        if (opens)
            m->group[m->n_groups++] =
                (struct ola_group){.out_ct = d.out_ct,
                                   .giant = d.giant,
                                   .step = d.giant - (same_output ? before.giant : 0)};
        if (opens || before.arg != d.arg || before.in_ct != d.in_ct ||
            before.baby - fine_step(m, before.baby) != coarse)
            m->run[m->n_runs++] = (struct ola_run){
                .group = m->n_groups - 1, .source = d.arg * m->head.in_cts + d.in_ct, .first = k};
        m->run[m->n_runs - 1].count++;
        before = d;
    }
}

static uint32_t
run_coarse(const struct ola_map *m, const struct ola_map_view *v, const struct ola_run *run)
{
    uint32_t baby = ola_map_view_diagonal(v, run->first).baby;
    return baby - fine_step(m, baby);
}

static int
compare_coarse(const void *a, const void *b)
{
    const struct ola_source *x = a, *y = b;
    return (x->coarse > y->coarse) - (x->coarse < y->coarse);
}

/* The sources of one input, whose runs these are, and which is each run's. number[step]:
 * UINT32_MAX, before and after. */
static void
find_input_sources(struct ola_map *m, const struct ola_map_view *v, uint32_t input,
                   struct ola_span runs, uint32_t *number)
{
    const uint32_t first = m->n_sources;
    for (uint32_t r = runs.first; r < runs.first + runs.count; r++) {
        uint32_t coarse = run_coarse(m, v, &m->run[m->run_order[r]]);
        if (number[coarse] == UINT32_MAX) {
            number[coarse] = 0;
            m->source[m->n_sources++] = (struct ola_source){.input = input, .coarse = coarse};
        }
    }
    qsort(m->source + first, m->n_sources - first, sizeof *m->source, compare_coarse);
    for (uint32_t k = first; k < m->n_sources; k++) {
        struct ola_source *from = &m->source[k];
        from->step = from->coarse - (k == first ? 0 : from[-1].coarse);
        number[from->coarse] = k;
    }
    for (uint32_t r = runs.first; r < runs.first + runs.count; r++) {
        struct ola_run *run = &m->run[m->run_order[r]];
        run->source = number[run_coarse(m, v, run)];
    }
    for (uint32_t k = first; k < m->n_sources; k++)
        number[m->source[k].coarse] = UINT32_MAX;
    m->input[input] = (struct ola_span){first, m->n_sources - first};
}

static void
find_sources(struct ola_map *m, const struct ola_map_view *v, uint32_t *number)
{
    for (uint32_t k = 0; k < m->n_runs; k++)
        m->input[m->run[k].source].count++;
    for (uint32_t i = 1; i < m->n_inputs; i++)
        m->input[i].first = m->input[i - 1].first + m->input[i - 1].count;
    for (uint32_t i = 0; i < m->n_inputs; i++)
        m->input[i].count = 0;
    for (uint32_t k = 0; k < m->n_runs; k++) {
        struct ola_span *in = &m->input[m->run[k].source];
        m->run_order[in->first + in->count++] = k;
    }
    for (uint32_t i = 0; i < m->n_inputs; i++)
        find_input_sources(m, v, i, m->input[i], number);
}

static void
order_runs(struct ola_map *m)
{
    for (uint32_t k = 0; k < m->n_runs; k++)
        m->source[m->run[k].source].n_runs++;
    for (uint32_t i = 1; i < m->n_sources; i++)
        m->source[i].first_run = m->source[i - 1].first_run + m->source[i - 1].n_runs;
    for (uint32_t i = 0; i < m->n_sources; i++)
        m->source[i].n_runs = 0;
    for (uint32_t k = 0; k < m->n_runs; k++) {
        struct ola_source *from = &m->source[m->run[k].source];
        m->run_order[from->first_run + from->n_runs++] = k;
    }
}

/* The babies of one source, numbered as they first appear. number[step]: UINT32_MAX, before and
 * after. */
static void
number_babies(struct ola_map *m, const struct ola_map_view *v, struct ola_source *from,
              uint32_t *number)
{
    from->first_baby = m->n_babies;
    for (uint32_t r = 0; r < from->n_runs; r++) {
        const struct ola_run *run = &m->run[m->run_order[from->first_run + r]];
        for (uint32_t k = run->first; k < run->first + run->count; k++) {
            uint32_t step = fine_step(m, ola_map_view_diagonal(v, k).baby);
            if (number[step] == UINT32_MAX) {
                number[step] = from->n_babies++;
                m->baby[m->n_babies++] = step;
            }
            m->term[k].baby = number[step];
        }
    }
    for (uint32_t k = 0; k < from->n_babies; k++)
        number[m->baby[from->first_baby + k]] = UINT32_MAX;
}

static ola_status
find_babies(struct ola_map *m, const struct ola_map_view *v)
{
    const size_t bytes = m->params->slots * sizeof(uint32_t);
    uint32_t *number = ola_alloc(bytes);
    if (number == NULL)
        return OLA_ERR_NOMEM;
    memset(number, 0xff, bytes);
    find_sources(m, v, number);
    order_runs(m);
    for (uint32_t i = 0; i < m->n_sources; i++)
        number_babies(m, v, &m->source[i], number);
    ola_release(number, bytes);
    return OLA_OK;
}

/* What one thread encodes with. */
struct work {
    struct ola_plain_work plain;
    double *values; /* [slots], and as many imaginary parts */
};

static ola_status
encode_one(struct ola_map *m, const struct ola_map_view *v, struct work *w, uint32_t k)
{
    const struct ola_params *p = m->params;
    const uint32_t level = m->desc.level, n = m->head.n_diagonals;
    struct ola_plain_kind kind = {level, m->late, m->desc.compact,
                                  m->desc.out_scale * (double)p->literal.q[level] /
                                      m->desc.in_scale};
    if (k >= n) {
        kind = (struct ola_plain_kind){.level = m->head.free_of_level ? level : level - 1,
                                       .scale = m->desc.out_scale};
        ola_map_view_bias(v, k - n, w->values);
        return ola_plain_new(p, &w->plain, w->values, m->head.bias_period, kind, &m->bias[k - n]);
    }
    struct ola_weights_diagonal d = ola_map_view_diagonal(v, k);
    double *im = v->made == NULL ? NULL : w->values + p->slots;
    if (v->made == NULL)
        ola_map_view_values(v, &d, w->values);
    else
        v->made->values(v->made->of, k, w->values, im);
    return ola_plain_complex(p, &w->plain, w->values, im, d.period, kind, &m->term[k].plain);
}

/* All diagonals (when they have values) and all biases. The first error in order is reported. */
static ola_status
encode_all(struct ola_map *m, const struct ola_map_view *v)
{
    const size_t values = m->params->n * sizeof(double);
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
    if (d->coarse >= p->slots)
        return OLA_ERR_PARAM;
    const uint32_t out_level = head->free_of_level ? d->level : d->level - 1;
    if (!ola_scale_fits(p, d->level, d->in_scale) || !ola_scale_fits(p, out_level, d->out_scale))
        return OLA_ERR_SCALE;
    if (head->free_of_level && !ola_scales_equal(d->in_scale, d->out_scale))
        return OLA_ERR_SCALE;
    return OLA_OK;
}

/* A late map saves a division by P for each baby, wants one more for each output that is rotated,
 * and multiplies at n_p more positions. Compact or not makes no difference, though products are
 * dearer then: the bits are to be the same. */
static void
choose_late(struct ola_map *m, bool early)
{
    const struct ola_params *p = m->params;
    const uint32_t positions = ola_positions(p, m->desc.level);
    uint32_t babies = 0, rotated = 0;
    for (uint32_t k = 0; k < m->n_babies; k++)
        babies += m->baby[k] != 0;
    for (uint32_t k = 0; k < m->n_groups; k++) {
        bool last = k + 1 == m->n_groups || m->group[k + 1].out_ct != m->group[k].out_ct;
        rotated += last && m->group[k].giant != 0;
    }
    m->late = !early &&
              ola_plan_map_late(&p->literal, m->desc.level, babies, rotated, m->head.n_diagonals);
    m->positions = m->late ? positions : m->desc.level + 1;
}

static void
choose_slots(struct ola_map *m)
{
    for (uint32_t i = 0; i < m->n_sources; i++)
        if (m->source[i].n_babies > m->most_babies)
            m->most_babies = m->source[i].n_babies;
    uint64_t by_source = (uint64_t)m->n_groups + (m->late ? 0 : m->most_babies);
    m->by_output = (uint64_t)m->n_babies + 1 < by_source;
    m->group_slots = m->by_output ? 1 : m->n_groups;
    m->baby_slots = m->by_output ? m->n_babies : m->late ? 0 : m->most_babies;
    for (uint32_t i = 0; i < m->n_sources; i++) {
        struct ola_source *from = &m->source[i];
        from->first_slot = m->by_output ? from->first_baby : 0;
        if (from->step == 0)
            continue;
        from->slot = m->by_output ? m->coarse_slots : 0;
        m->coarse_slots = from->slot + 1;
    }
}

/* Slots of groups, and, in the order in which runs are summed, which is a group's first. */
static void
open_groups(struct ola_map *m)
{
    for (uint32_t g = 0; g < m->n_groups; g++)
        m->group[g].slot = UINT32_MAX;
    for (uint32_t k = 0; k < m->n_runs; k++) {
        struct ola_run *run = &m->run[m->by_output ? k : m->run_order[k]];
        run->opens = m->group[run->group].slot == UINT32_MAX;
        m->group[run->group].slot = m->by_output ? 0 : run->group;
    }
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
    s = find_babies(m, v);
    choose_late(m, v->made != NULL && v->made->early);
    choose_slots(m);
    open_groups(m);
    return s == OLA_OK ? encode_all(m, v) : s;
}

ola_status
ola_map_make(const struct ola_params *p, const struct ola_map_desc *desc,
             const struct ola_map_view *v, struct ola_map **out)
{
    *out = NULL;
    ola_status s = check_desc(p, desc, &v->head);
    if (s != OLA_OK)
        return s;
    struct ola_map *m = ola_alloc_zero(sizeof *m);
    if (m == NULL)
        return OLA_ERR_NOMEM;
    m->params = p;
    m->desc = *desc;
    m->head = v->head;
    s = map_fill(m, v);
    if (s != OLA_OK) {
        ola_map_free(m);
        return s;
    }
    *out = m;
    return OLA_OK;
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
    return ola_map_make(p, desc, &v, out);
}
