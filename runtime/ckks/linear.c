/* linear.c - evaluating a linear map: baby rotations of each input from one raised form (hoisting),
 * products summed lazily into the groups, giant rotations summed modulo Q P, and one division by P
 * and the last prime together. In a late map babies and groups have limbs modulo P too, and P times
 * the values (map.h). */
#include <string.h>

#include "ckks/map.h"

#define BATCH 8u /* baby rotations switched and divided together */

/* Babies and groups have two parts of m->positions limbs: words, and where a part starts. */
static size_t
pair_words(const struct ola_map *m)
{
    return 2 * (size_t)m->positions * m->params->n;
}

static uint64_t *
pair_part(const struct ola_map *m, const struct ola_buffer *b, uint32_t k, uint32_t part)
{
    return b->data + k * pair_words(m) + part * (pair_words(m) / 2);
}

static uint64_t *
group_part(const struct ola_server *s, const struct ola_map *m, uint32_t group, uint32_t part)
{
    return pair_part(m, &s->group, m->group[group].slot, part);
}

static uint32_t
out_level(const struct ola_map *m)
{
    return m->head.free_of_level ? m->desc.level : m->desc.level - 1;
}

/* ---- checks and room ---- */

static ola_status
check_cts(const struct ola_server *s, const struct ola_map *m, const struct ola_ct *const *in,
          struct ola_ct *const *out)
{
    for (uint32_t k = 0; k < m->head.out_cts; k++) {
        if (out[k] == NULL || !ola_params_equal(out[k]->params, s->params))
            return OLA_ERR_PARAM;
        for (uint32_t j = 0; j < k; j++) {
            if (out[j] == out[k])
                return OLA_ERR_PARAM;
        }
    }
    for (uint32_t k = 0; k < m->n_inputs; k++) {
        const struct ola_ct *a = in[k];
        if (a == NULL || a->parts != 2 || !ola_params_equal(a->params, s->params))
            return OLA_ERR_PARAM;
        for (uint32_t j = 0; j < m->head.out_cts; j++) {
            if (out[j] == a)
                return OLA_ERR_PARAM;
        }
        if (!ola_ct_same_key(a, in[0]))
            return OLA_ERR_OTHER_KEY;
        if (a->level != m->desc.level)
            return OLA_ERR_LEVEL;
        if (!ola_scales_equal(a->scale, m->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    return ola_server_check_key(s, in[0]);
}

static ola_status
check_keys(const struct ola_server *s, const struct ola_map *m)
{
    const uint32_t level = m->desc.level;
    for (uint32_t k = 0; k < m->n_babies; k++) {
        if (m->baby[k] != 0 && ola_keys_rotation(s->keys, m->baby[k], level) == NULL)
            return OLA_ERR_KEY;
    }
    for (uint32_t k = 0; k < m->n_groups; k++) {
        if (m->group[k].giant != 0 && ola_keys_rotation(s->keys, m->group[k].giant, level) == NULL)
            return OLA_ERR_KEY;
    }
    for (uint32_t k = 0; k < m->head.n_folds; k++) {
        if (ola_keys_rotation(s->keys, m->fold[k], out_level(m)) == NULL)
            return OLA_ERR_KEY;
    }
    return OLA_OK;
}

static ola_status
reserve(struct ola_server *s, const struct ola_map *m, struct ola_ct *const *out)
{
    ola_status status = ola_switch_reserve(s, m->desc.level, 2 * BATCH);
    if (status == OLA_OK)
        status = ola_buffer_need(&s->baby, m->baby_slots * pair_words(m));
    if (status == OLA_OK)
        status = ola_buffer_need(&s->group, m->group_slots * pair_words(m));
    for (uint32_t k = 0; status == OLA_OK && k < m->head.out_cts; k++)
        status = ola_ct_reserve(out[k], 2, out_level(m));
    for (uint32_t k = 0; status != OLA_OK && k < m->head.out_cts; k++)
        ola_ct_clear(out[k]);
    return status;
}

/* ---- babies ---- */

/* Some babies of an input, none of step 0: those of these numbers, into their slots. */
static void
rotate_batch(struct ola_server *s, const struct ola_map *m, const struct ola_ct *in,
             const struct ola_raised *raised, const struct ola_input *input, const uint32_t *number,
             uint32_t count)
{
    const uint32_t level = m->desc.level;
    struct ola_switch_job jobs[BATCH];
    uint64_t *to[2 * BATCH];
    for (uint32_t k = 0; k < count; k++) {
        const struct ola_switch *key =
            ola_keys_rotation(s->keys, m->baby[input->first_baby + number[k]], level);
        jobs[k] = (struct ola_switch_job){
            .raised = raised, .key = key, .perm = key->perm, .a0 = ola_ct_limb(in, 0, 0)};
        for (uint32_t part = 0; part < 2; part++)
            to[2 * k + part] = pair_part(m, &s->baby, input->first_slot + number[k], part);
    }
    if (m->late) {
        for (uint32_t k = 0; k < count; k++)
            to[k] = to[2 * k];
        ola_switch_add(s, jobs, count, to, false);
    } else {
        ola_switch_divide(s, jobs, count, &s->params->by_p, level, to);
    }
    s->counts.rotations += count;
}

static void
rotate_babies(struct ola_server *s, const struct ola_map *m, const struct ola_input *input,
              const struct ola_ct *in)
{
    const uint32_t *babies = m->baby + input->first_baby;
    uint32_t number[BATCH], count = 0;
    struct ola_raised raised = {0};
    for (uint32_t k = 0; k < input->n_babies; k++) {
        if (babies[k] == 0) {
            if (m->late)
                ola_switch_lift(s, ola_ct_limb(in, 0, 0), ola_ct_limb(in, 1, 0), m->desc.level,
                                pair_part(m, &s->baby, input->first_slot + k, 0), false);
            continue;
        }
        if (raised.own == NULL)
            ola_raise(s, ola_ct_limb(in, 1, 0), m->desc.level, &raised);
        number[count++] = k;
        if (count == BATCH) {
            rotate_batch(s, m, in, &raised, input, number, count);
            count = 0;
        }
    }
    if (count != 0)
        rotate_batch(s, m, in, &raised, input, number, count);
}

/* ---- products ---- */

/* One chunk of one limb of everything. */
struct place {
    uint32_t limb; /* position */
    const struct ola_modulus *q;
    size_t at;
};

static const uint64_t *
baby_chunk(const struct ola_server *s, const struct ola_map *m, const struct ola_input *input,
           const struct ola_ct *in, uint32_t baby, uint32_t part, struct place w)
{
    if (!m->late && m->baby[input->first_baby + baby] == 0)
        return ola_ct_limb(in, part, w.limb) + w.at;
    return pair_part(m, &s->baby, input->first_slot + baby, part) + w.limb * (size_t)m->params->n +
           w.at;
}

/* sum (+)= the products of up to OLA_TERMS terms. */
struct sum {
    const uint64_t *plain[OLA_TERMS];
    const void *b0[OLA_TERMS], *b1[OLA_TERMS];
    uint32_t count;
    bool empty; /* nothing has been written yet */
    uint64_t *to0, *to1;
};

static void
flush(struct ola_server *s, struct sum *sum, const struct ola_modulus *q, uint64_t *temp)
{
    if (sum->count == 0)
        return;
    if (sum->empty) {
        s->backend->inner(sum->to0, sum->to1, sum->plain, sum->b0, sum->b1, sum->count, 0, NULL,
                          OLA_CHUNK, q);
    } else {
        uint64_t *t1 = temp + OLA_CHUNK;
        s->backend->inner(temp, t1, sum->plain, sum->b0, sum->b1, sum->count, 0, NULL, OLA_CHUNK,
                          q);
        s->backend->add(sum->to0, sum->to0, temp, OLA_CHUNK, q);
        s->backend->add(sum->to1, sum->to1, t1, OLA_CHUNK, q);
    }
    sum->empty = false;
    sum->count = 0;
}

static void
multiply_run(struct ola_server *s, const struct ola_map *m, const struct ola_run *run,
             const struct ola_ct *in, struct place w)
{
    const struct ola_input *input = &m->input[run->input];
    const size_t at = w.limb * (size_t)m->params->n + w.at;
    uint64_t *temp = ola_server_temp(s), *room = temp + 2 * OLA_CHUNK;
    struct sum sum = {.empty = run->opens,
                      .to0 = group_part(s, m, run->group, 0) + at,
                      .to1 = group_part(s, m, run->group, 1) + at};
    for (uint32_t k = run->first; k < run->first + run->count; k++) {
        const struct ola_term *term = &m->term[k];
        if (term->plain.count == 0)
            continue;
        sum.plain[sum.count] =
            ola_plain_chunk(m->params, &term->plain, w.limb, w.at, room + sum.count * OLA_CHUNK);
        sum.b0[sum.count] = baby_chunk(s, m, input, in, term->baby, 0, w);
        sum.b1[sum.count] = baby_chunk(s, m, input, in, term->baby, 1, w);
        if (++sum.count == OLA_TERMS)
            flush(s, &sum, w.q, temp);
    }
    flush(s, &sum, w.q, temp);
    if (sum.empty) {
        memset(sum.to0, 0, OLA_CHUNK * sizeof *sum.to0);
        memset(sum.to1, 0, OLA_CHUNK * sizeof *sum.to1);
    }
}

/* The same where all values are 1. */
static void
add_run(struct ola_server *s, const struct ola_map *m, const struct ola_run *run,
        const struct ola_ct *in, struct place w)
{
    const struct ola_input *input = &m->input[run->input];
    const size_t at = w.limb * (size_t)m->params->n + w.at;
    for (uint32_t part = 0; part < 2; part++) {
        uint64_t *to = group_part(s, m, run->group, part) + at;
        for (uint32_t k = run->first; k < run->first + run->count; k++) {
            const uint64_t *from = baby_chunk(s, m, input, in, m->term[k].baby, part, w);
            if (run->opens && k == run->first)
                memcpy(to, from, OLA_CHUNK * sizeof *to);
            else
                s->backend->add(to, to, from, OLA_CHUNK, w.q);
        }
    }
}

/* The products of `count` runs, which follow one another in m->run, or in `order` when it is not
 * NULL. */
static void
accumulate(struct ola_server *s, const struct ola_map *m, const uint32_t *order, uint32_t first,
           uint32_t count, const struct ola_ct *const *in)
{
    const size_t chunks = s->params->n / OLA_CHUNK;
#pragma omp parallel for collapse(2) schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i < m->positions; i++) {
        for (size_t k = 0; k < chunks; k++) {
            const uint32_t c = ola_position_chain(s->params, m->desc.level, i);
            const struct place w = {i, ola_server_modulus(s, c), k * OLA_CHUNK};
            for (uint32_t r = first; r < first + count; r++) {
                const struct ola_run *run = &m->run[order == NULL ? r : order[r]];
                if (m->head.free_of_level)
                    add_run(s, m, run, in[run->input], w);
                else
                    multiply_run(s, m, run, in[run->input], w);
            }
        }
    }
}

/* ---- giants, folds, bias ---- */

/* ext (+)= a group that is not rotated, times P. */
static void
add_group(struct ola_server *s, const struct ola_map *m, uint32_t g, uint64_t *ext, bool accumulate)
{
    uint64_t *a0 = group_part(s, m, g, 0), *a1 = group_part(s, m, g, 1);
    const uint32_t level = m->desc.level, limbs = 2 * m->positions;
    const size_t n = s->params->n;
    if (!m->late) {
        ola_switch_lift(s, a0, a1, level, ext, accumulate);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i < limbs; i++) { /* both parts lie together, in ext as in the group */
        const uint32_t c = ola_position_chain(s->params, level, i % m->positions);
        if (accumulate)
            s->backend->add(ext + i * n, ext + i * n, a0 + i * n, n, ola_server_modulus(s, c));
        else
            memcpy(ext + i * n, a0 + i * n, n * sizeof *ext);
    }
}

/* ext (+)= rotate(group, its giant), times P. */
static void
rotate_group(struct ola_server *s, const struct ola_map *m, uint32_t g, uint64_t *ext,
             bool accumulate)
{
    const uint32_t level = m->desc.level;
    const struct ola_switch *key = ola_keys_rotation(s->keys, m->group[g].giant, level);
    uint64_t *const a[2] = {group_part(s, m, g, 0), group_part(s, m, g, 1)};
    const uint64_t *const from[2] = {a[0], a[1]};
    struct ola_raised raised;
    if (m->late)
        ola_divide(s, &s->params->by_p, level, from, level, a, 2);
    ola_raise(s, a[1], level, &raised);
    struct ola_switch_job job = {.raised = &raised, .key = key, .perm = key->perm, .a0 = a[0]};
    ola_switch_add(s, &job, 1, &ext, accumulate);
    s->counts.rotations++;
}

/* out = the groups [first, end), rotated by their giants, summed, divided by the last prime. */
static void
sum_groups(struct ola_server *s, const struct ola_map *m, uint32_t first, uint32_t end,
           struct ola_ct *out)
{
    const struct ola_params *p = s->params;
    const uint32_t level = m->desc.level;
    uint64_t *const to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)};
    uint64_t *ext = s->ext.data;
    const uint64_t *const from[2] = {ext, ext + (size_t)ola_positions(p, level) * p->n};
    for (uint32_t g = first; g < end; g++) {
        if (m->group[g].giant == 0)
            add_group(s, m, g, ext, g != first);
        else
            rotate_group(s, m, g, ext, g != first);
    }
    ola_divide(s, m->head.free_of_level ? &p->by_p : &p->by_pq[level], level, from, out_level(m),
               to, 2);
}

/* The same of one group without a giant rotation: straight from where it is. */
static void
take_group(struct ola_server *s, const struct ola_map *m, uint32_t g, struct ola_ct *out)
{
    const struct ola_params *p = s->params;
    const uint32_t level = m->desc.level;
    const uint64_t *const from[2] = {group_part(s, m, g, 0), group_part(s, m, g, 1)};
    uint64_t *const to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)};
    if (m->late)
        ola_divide(s, m->head.free_of_level ? &p->by_p : &p->by_pq[level], level, from,
                   out_level(m), to, 2);
    else if (!m->head.free_of_level)
        ola_divide(s, &p->by_q[level], level, from, out_level(m), to, 2);
    for (uint32_t part = 0; part < 2 && !m->late && m->head.free_of_level; part++)
        memcpy(to[part], from[part], pair_words(m) / 2 * sizeof **to);
}

/* out += rotate(out, step). */
static void
fold(struct ola_server *s, struct ola_ct *out, uint32_t step)
{
    const struct ola_params *p = s->params;
    const struct ola_switch *key = ola_keys_rotation(s->keys, step, out->level);
    uint64_t *to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)}, *ext = s->ext.data;
    const uint64_t *from[2] = {ext, ext + (size_t)ola_positions(p, out->level) * p->n};
    struct ola_raised raised;
    ola_raise(s, to[1], out->level, &raised);
    ola_switch_lift(s, to[0], to[1], out->level, ext, false);
    struct ola_switch_job job = {.raised = &raised, .key = key, .perm = key->perm, .a0 = to[0]};
    ola_switch_add(s, &job, 1, &ext, true);
    ola_divide(s, &p->by_p, out->level, from, out->level, to, 2);
    s->counts.rotations++;
    s->counts.additions++;
}

static void
add_bias(struct ola_server *s, struct ola_ct *out, const struct ola_plain *bias)
{
    const size_t chunks = s->params->n / OLA_CHUNK;
    if (bias->count == 0)
        return;
#pragma omp parallel for collapse(2) schedule(dynamic, 8) num_threads(s->threads)
    for (uint32_t i = 0; i <= out->level; i++) {
        for (size_t k = 0; k < chunks; k++) {
            uint64_t *to = ola_ct_limb(out, 0, i) + k * OLA_CHUNK;
            const uint64_t *from =
                ola_plain_chunk(s->params, bias, i, k * OLA_CHUNK, ola_server_temp(s));
            s->backend->add(to, to, from, OLA_CHUNK, ola_server_modulus(s, i));
        }
    }
    s->counts.additions++;
}

static void
finish_output(struct ola_server *s, const struct ola_map *m, uint32_t first, uint32_t end,
              uint32_t k, struct ola_ct *out)
{
    const size_t bytes = (size_t)(out->level + 1) * s->params->n * sizeof(uint64_t);
    if (first == end) { /* nothing leads here: an encryption of 0 that hides nothing */
        memset(ola_ct_limb(out, 0, 0), 0, bytes);
        memset(ola_ct_limb(out, 1, 0), 0, bytes);
    } else if (end - first == 1 && m->group[first].giant == 0) {
        take_group(s, m, first, out);
    } else {
        sum_groups(s, m, first, end, out);
    }
    out->scale = m->desc.out_scale;
    s->counts.rescales += !m->head.free_of_level;
    for (uint32_t f = 0; f < m->head.n_folds; f++)
        fold(s, out, m->fold[f]);
    if (m->bias != NULL)
        add_bias(s, out, &m->bias[k]);
}

/* [first, end) */
struct span {
    uint32_t first, end;
};

ola_status
ola_linear(ola_server *s, const ola_map *m, const ola_ct *const *in, ola_ct *const *out)
{
    if (s == NULL || m == NULL || in == NULL || out == NULL ||
        !ola_params_equal(s->params, m->params))
        return OLA_ERR_PARAM;
    ola_status status = check_cts(s, m, in, out);
    if (status == OLA_OK)
        status = check_keys(s, m);
    if (status == OLA_OK)
        status = reserve(s, m, out);
    for (uint32_t k = 0; status == OLA_OK && k < m->head.out_cts; k++)
        ola_ct_take_key(out[k], in[0]);
    if (status != OLA_OK)
        return status;
    for (uint32_t k = 0; k < m->n_inputs; k++) {
        const struct ola_input *input = &m->input[k];
        rotate_babies(s, m, input, in[k]);
        if (!m->by_output)
            accumulate(s, m, m->run_order, input->first_run, input->n_runs, in);
    }
    if (!m->head.free_of_level)
        s->counts.plain_products += m->head.n_diagonals;
    struct span groups = {0, 0}, runs = {0, 0};
    for (uint32_t k = 0; k < m->head.out_cts; k++) {
        groups.first = groups.end;
        runs.first = runs.end;
        while (groups.end < m->n_groups && m->group[groups.end].out_ct == k)
            groups.end++;
        while (runs.end < m->n_runs && m->run[runs.end].group < groups.end)
            runs.end++;
        if (m->by_output)
            accumulate(s, m, NULL, runs.first, runs.end - runs.first, in);
        finish_output(s, m, groups.first, groups.end, k, out[k]);
    }
    return OLA_OK;
}
