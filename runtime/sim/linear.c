/* linear.c - linear maps on slots, diagonal by diagonal.
 *
 * Noise, slot by slot; x: the slots, d: a diagonal's values, w: their scale, sw and sw': key
 * switching at the map's level and at the output's:
 *   a baby rotation     d^2 slot(sw, in_scale)     each diagonal meets it at another slot; as many
 *                                                  times as it takes rotations
 *   a value's encoding  x^2 encoding(period, w)
 *   a giant rotation    slot(sw, in_scale * w)
 *   the rescale         slot(rounding, out_scale)
 *   a fold              slot(sw', out_scale)
 *   the bias            encoding(period, out_scale) */
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

/* How a diagonal's baby step is made (ola.h). */
struct baby {
    uint32_t coarse; /* the rotation that its coarse part is made by, of the one before; 0: none */
    uint32_t fine;
    uint32_t switches; /* key switches, all in all */
};

struct ola_map {
    const struct ola_params *params;
    struct ola_map_desc desc;
    double plain_scale;
    uint32_t out_level;
    double out_scale;
    uint64_t rotations;       /* that an evaluation takes */
    struct baby *baby;        /* [n_diagonals] */
    struct ola_map_view view; /* of `section` */
    uint8_t *section;
    size_t size;
};

static uint32_t
fine_step(const struct ola_map *m, uint32_t step)
{
    return m->desc.coarse == 0 ? step : step % m->desc.coarse;
}

static bool
of_input(const struct ola_map *m, const struct ola_weights_diagonal *d, uint32_t input)
{
    return d->arg * m->view.head.in_cts + d->in_ct == input;
}

/* What steps of one input are made of. */
struct chain {
    uint32_t *order,
        *before; /* [slots] by coarse part: its place among them, from 1; the last one */
    bool *fine;  /* [slots] by step: whether it was counted */
};

/* The rotations of one input: by each coarse part once, from the one before, what comes of it by
 * each fine one. */
static uint64_t
find_babies(struct ola_map *m, uint32_t input, const struct chain *c)
{
    const uint32_t n = m->view.head.n_diagonals, slots = m->params->slots;
    uint32_t last = 0, place = 0;
    uint64_t rotations = 0;
    memset(c->order, 0, slots * sizeof *c->order);
    memset(c->fine, 0, slots * sizeof *c->fine);
    for (uint32_t k = 0; k < n; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(&m->view, k);
        if (of_input(m, &d, input))
            c->order[d.baby - fine_step(m, d.baby)] = 1;
    }
    c->order[0] = c->before[0] = 0;
    for (uint32_t t = 1; t < slots; t++) {
        if (c->order[t] == 0)
            continue;
        c->order[t] = ++place;
        c->before[t] = last;
        last = t;
    }
    for (uint32_t k = 0; k < n; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(&m->view, k);
        uint32_t fine = fine_step(m, d.baby), coarse = d.baby - fine;
        if (!of_input(m, &d, input))
            continue;
        m->baby[k] =
            (struct baby){coarse - c->before[coarse], fine, c->order[coarse] + (fine != 0)};
        rotations += fine != 0 && !c->fine[d.baby];
        c->fine[d.baby] = true;
    }
    return rotations + place;
}

/* Those of each output: by each step between its giants, and by each fold. */
static uint64_t
count_giants(const struct ola_map *m)
{
    const struct ola_weights_map *h = &m->view.head;
    uint64_t rotations = (uint64_t)h->n_folds * h->out_cts;
    struct ola_weights_diagonal before = {.giant = UINT32_MAX};
    for (uint32_t k = 0; k < h->n_diagonals; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(&m->view, k);
        rotations += d.giant != 0 && (d.giant != before.giant || d.out_ct != before.out_ct);
        before = d;
    }
    return rotations;
}

static ola_status
find_rotations(struct ola_map *m)
{
    const struct ola_weights_map *h = &m->view.head;
    const size_t slots = m->params->slots, bytes = slots * (2 * sizeof(uint32_t) + sizeof(bool));
    uint32_t *room = ola_alloc(bytes);
    m->baby = ola_alloc_zero(h->n_diagonals * sizeof *m->baby);
    if (room != NULL && m->baby != NULL) {
        struct chain c = {room, room + slots, (bool *)(room + 2 * slots)};
        m->rotations = count_giants(m);
        for (uint32_t input = 0; input < h->args * h->in_cts; input++)
            m->rotations += find_babies(m, input, &c);
    }
    ola_status s = room == NULL || m->baby == NULL ? OLA_ERR_NOMEM : OLA_OK;
    ola_release(room, bytes);
    return s;
}

static bool
scale_sane(double scale)
{
    return isfinite(scale) && scale > 0.0;
}

/* The descriptor, and every weight and bias against the modulus. */
static ola_status
check_map(struct ola_map *m, double *value)
{
    const struct ola_params *p = m->params;
    const struct ola_map_view *v = &m->view;
    for (uint32_t k = 0; k < v->head.n_diagonals && !v->head.free_of_level; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(v, k);
        ola_map_view_values(v, &d, value);
        ola_status s = ola_sim_range(p, m->desc.level, m->plain_scale, value, d.period);
        if (s != OLA_OK)
            return s;
    }
    for (uint32_t j = 0; j < v->head.out_cts && v->head.bias_period != 0; j++) {
        ola_map_view_bias(v, j, value);
        ola_status s = ola_sim_range(p, m->out_level, m->out_scale, value, v->head.bias_period);
        if (s != OLA_OK)
            return s;
    }
    return OLA_OK;
}

static ola_status
set_desc(struct ola_map *m, const struct ola_map_desc *desc)
{
    const struct ola_params *p = m->params;
    bool free_of_level = m->view.head.free_of_level != 0;
    if (desc->coarse >= p->slots)
        return OLA_ERR_PARAM;
    if (desc->level >= p->n_q || (desc->level == 0 && !free_of_level))
        return OLA_ERR_LEVEL;
    if (!scale_sane(desc->in_scale) || !scale_sane(desc->out_scale) ||
        (free_of_level && !ola_sim_close(desc->in_scale, desc->out_scale)))
        return OLA_ERR_SCALE;
    m->desc = *desc;
    m->out_level = free_of_level ? desc->level : desc->level - 1;
    m->out_scale = desc->out_scale;
    m->plain_scale =
        free_of_level ? 1.0 : desc->out_scale / desc->in_scale * (double)p->literal.q[desc->level];
    ola_status s = ola_sim_scale(p, desc->level, desc->in_scale);
    if (s == OLA_OK)
        s = ola_sim_scale(p, desc->level, desc->in_scale * m->plain_scale);
    if (s == OLA_OK)
        s = ola_sim_scale(p, m->out_level, m->out_scale);
    return s;
}

ola_status
ola_map_new(const ola_params *p, const struct ola_map_desc *desc, const void *section, size_t size,
            ola_map **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || desc == NULL || section == NULL)
        return OLA_ERR_PARAM;
    struct ola_map_view view;
    if (!ola_map_view_open(&view, section, size, p->slots))
        return OLA_ERR_FORMAT;
    struct ola_map *m = ola_alloc_zero(sizeof *m);
    if (m == NULL)
        return OLA_ERR_NOMEM;
    m->params = p;
    m->view = view;
    m->size = size;
    m->section = ola_alloc(size);
    double *value = ola_sim_vector(p->slots);
    ola_status s = m->section == NULL || value == NULL ? OLA_ERR_NOMEM : set_desc(m, desc);
    if (s == OLA_OK) {
        memcpy(m->section, section, size);
        m->view.bytes = m->section;
        s = find_rotations(m);
    }
    if (s == OLA_OK)
        s = check_map(m, value);
    ola_sim_vector_free(value, p->slots);
    if (s != OLA_OK) {
        ola_map_free(m);
        return s;
    }
    *out = m;
    return OLA_OK;
}

void
ola_map_free(ola_map *m)
{
    if (m == NULL)
        return;
    ola_release(m->baby, m->view.head.n_diagonals * sizeof *m->baby);
    ola_release(m->section, m->size);
    ola_release(m, sizeof *m);
}

/* ---- evaluation ------------------------------------------------------------------------------ */

/* One output in the making, as sums before and after the giant rotations; noise as variances beside
 * them. */
struct sums {
    double *inner, *outer, *inner_noise, *outer_noise, *value; /* [slots] each */
    double *all;
    uint64_t trace;
};

static ola_status
check_inputs(const struct ola_server *s, const struct ola_map *m, const ola_ct *const *in,
             ola_ct *const *out)
{
    const struct ola_weights_map *h = &m->view.head;
    for (uint32_t k = 0; k < h->args * h->in_cts; k++) {
        ola_status e = ola_sim_operand(s->params, in[k], 2);
        if (e == OLA_OK)
            e = ola_sim_key(s, in[k], in[0]);
        if (e != OLA_OK)
            return e;
        if (in[k]->level != m->desc.level)
            return OLA_ERR_LEVEL;
        if (!ola_sim_close(in[k]->scale, m->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    for (uint32_t j = 0; j < h->out_cts; j++) {
        ola_status e = ola_sim_output(s->params, out[j]);
        if (e != OLA_OK)
            return e;
        for (uint32_t k = 0; k < h->args * h->in_cts; k++) {
            if (in[k] == out[j])
                return OLA_ERR_PARAM;
        }
        for (uint32_t k = 0; k < j; k++) {
            if (out[k] == out[j])
                return OLA_ERR_PARAM;
        }
    }
    return OLA_OK;
}

static ola_status
check_keys(const struct ola_server *s, const struct ola_map *m)
{
    struct ola_weights_diagonal before = {.out_ct = UINT32_MAX};
    for (uint32_t k = 0; k < m->view.head.n_diagonals; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(&m->view, k);
        struct baby b = m->baby[k];
        uint32_t step = d.giant - (d.out_ct == before.out_ct ? before.giant : 0);
        if (ola_sim_rotation_key(s, b.coarse, m->desc.level) != OLA_OK ||
            ola_sim_rotation_key(s, b.fine, m->desc.level) != OLA_OK ||
            ola_sim_rotation_key(s, step, m->desc.level) != OLA_OK)
            return OLA_ERR_KEY;
        before = d;
    }
    for (uint32_t k = 0; k < m->view.head.n_folds; k++) {
        if (ola_sim_rotation_key(s, ola_map_view_fold(&m->view, k), m->out_level) != OLA_OK)
            return OLA_ERR_KEY;
    }
    return OLA_OK;
}

/* inner[t] += d[t] * x[t + baby], d being diagonal k. */
static void
add_diagonal(const struct ola_map *m, uint32_t k, const struct ola_weights_diagonal *d,
             const struct ola_ct *x, struct sums *sums)
{
    const struct ola_params *p = m->params;
    double switching = ola_sim_slot(p, ola_sim_switching(p, m->desc.level), m->desc.in_scale);
    double baby = switching * m->baby[k].switches;
    double encoding =
        m->view.head.free_of_level ? 0.0 : ola_sim_encoding(d->period, m->plain_scale);
    ola_map_view_values(&m->view, d, sums->value);
    for (uint32_t t = 0; t < p->slots; t++) {
        double w = sums->value[t & (d->period - 1)], v = x->v[(t + d->baby) & (p->slots - 1)];
        sums->inner[t] += w * v;
        sums->inner_noise[t] += w * w * baby + v * v * encoding;
    }
    sums->trace = ola_sim_mix(sums->trace, ola_sim_mix(x->trace, d->baby));
}

/* outer[t] += inner[t + giant]; inner = 0. */
static void
add_giant(const struct ola_map *m, uint32_t giant, struct sums *sums)
{
    const struct ola_params *p = m->params;
    double scale = m->desc.in_scale * m->plain_scale;
    double switching =
        giant != 0 ? ola_sim_slot(p, ola_sim_switching(p, m->desc.level), scale) : 0.0;
    for (uint32_t t = 0; t < p->slots; t++) {
        sums->outer[t] += sums->inner[(t + giant) & (p->slots - 1)];
        sums->outer_noise[t] += sums->inner_noise[(t + giant) & (p->slots - 1)] + switching;
    }
    memset(sums->inner, 0, p->slots * sizeof *sums->inner);
    memset(sums->inner_noise, 0, p->slots * sizeof *sums->inner_noise);
    sums->trace = ola_sim_mix(sums->trace, giant);
}

/* All diagonals of output j, from *next on; rescaled. */
static void
add_output(const struct ola_map *m, uint32_t j, const ola_ct *const *in, uint32_t *next,
           struct sums *sums)
{
    const struct ola_params *p = m->params;
    const struct ola_weights_map *h = &m->view.head;
    memset(sums->all, 0, (size_t)p->slots * 4 * sizeof *sums->all);
    sums->trace = j;
    while (*next < h->n_diagonals) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(&m->view, *next);
        uint32_t giant = d.giant;
        if (d.out_ct != j)
            break;
        for (; d.out_ct == j && d.giant == giant; d = ola_map_view_diagonal(&m->view, *next)) {
            add_diagonal(m, *next, &d, in[d.arg * h->in_cts + d.in_ct], sums);
            if (++*next == h->n_diagonals)
                break;
        }
        add_giant(m, giant, sums);
    }
    double rounding = ola_sim_slot(p, ola_sim_rounding(p, 2), m->out_scale);
    for (uint32_t t = 0; t < p->slots && !h->free_of_level; t++)
        sums->outer_noise[t] += rounding;
    ola_sim_disturb_each(p, sums->outer, sums->outer_noise, sums->trace);
}

/* Folds and bias, into v. */
static void
finish_output(const struct ola_map *m, uint32_t j, struct sums *sums, double *v)
{
    const struct ola_params *p = m->params;
    const struct ola_weights_map *h = &m->view.head;
    double switching = ola_sim_slot(p, ola_sim_switching(p, m->out_level), m->out_scale);
    for (uint32_t k = 0; k < h->n_folds; k++) {
        uint32_t step = ola_map_view_fold(&m->view, k);
        for (uint32_t t = 0; t < p->slots; t++)
            sums->inner[t] = sums->outer[t] + sums->outer[(t + step) & (p->slots - 1)];
        sums->trace = ola_sim_mix(sums->trace, step);
        ola_sim_disturb(p, sums->inner, switching, sums->trace);
        memcpy(sums->outer, sums->inner, p->slots * sizeof *v);
    }
    if (h->bias_period != 0) {
        ola_map_view_bias(&m->view, j, sums->value);
        for (uint32_t t = 0; t < p->slots; t++)
            sums->outer[t] += sums->value[t & (h->bias_period - 1)];
        ola_sim_disturb(p, sums->outer, ola_sim_encoding(h->bias_period, m->out_scale),
                        ola_sim_mix(sums->trace, h->bias_period));
    }
    memcpy(v, sums->outer, p->slots * sizeof *v);
}

/* All outputs, into results. */
static ola_status
evaluate(const struct ola_map *m, const ola_ct *const *in, struct ola_results *results)
{
    const struct ola_params *p = m->params;
    struct sums sums = {.all = ola_sim_vector((size_t)p->slots * 5)};
    if (sums.all == NULL)
        return OLA_ERR_NOMEM;
    sums.inner = sums.all;
    sums.outer = sums.inner + p->slots;
    sums.inner_noise = sums.outer + p->slots;
    sums.outer_noise = sums.inner_noise + p->slots;
    sums.value = sums.outer_noise + p->slots;
    ola_status s = OLA_OK;
    uint32_t next = 0;
    for (uint32_t j = 0; j < m->view.head.out_cts && s == OLA_OK; j++) {
        add_output(m, j, in, &next, &sums);
        finish_output(m, j, &sums, results->v[j]);
        results->trace[j] = sums.trace;
        s = ola_sim_range(p, m->out_level, m->out_scale, results->v[j], p->slots);
    }
    ola_sim_vector_free(sums.all, (size_t)p->slots * 5);
    return s;
}

static void
count(struct ola_counts *counts, const struct ola_map *m)
{
    const struct ola_weights_map *h = &m->view.head;
    counts->rotations += m->rotations;
    counts->plain_products += h->free_of_level ? 0 : h->n_diagonals;
    counts->rescales += h->free_of_level ? 0 : h->out_cts;
    counts->additions += (uint64_t)h->n_folds * h->out_cts;
    for (uint32_t k = 0; k < h->n_diagonals; k++)
        counts->additions += k != 0 && ola_map_view_diagonal(&m->view, k).out_ct ==
                                           ola_map_view_diagonal(&m->view, k - 1).out_ct;
    counts->additions += h->bias_period != 0 ? h->out_cts : 0;
}

ola_status
ola_linear(ola_server *s, const ola_map *m, const ola_ct *const *in, ola_ct *const *out)
{
    if (s == NULL || m == NULL || in == NULL || out == NULL || !ola_sim_same(s->params, m->params))
        return OLA_ERR_PARAM;
    ola_status e = check_inputs(s, m, in, out);
    if (e == OLA_OK)
        e = check_keys(s, m);
    if (e != OLA_OK)
        return e;
    struct ola_results results;
    e = ola_results_new(s->params, m->view.head.out_cts, &results);
    if (e != OLA_OK)
        return e;
    e = evaluate(m, in, &results);
    if (e != OLA_OK) {
        ola_results_free(&results);
        return e;
    }
    ola_results_store(&results, in[0]->key_id, out, m->out_level, m->out_scale);
    count(&s->counts, m);
    return OLA_OK;
}
