/* linear.c - evaluating a linear map: the groups of products (products.c), summed from the last
 * giant step down, each time rotated by the difference to the step before, and one division by P
 * and the last prime together. */
#include <string.h>

#include "ckks/map.h"
#include "ckks/server.h"

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

/* Whether there is a key for a rotation, and by 0 there need be none. */
static bool
has_key(const struct ola_server *s, uint32_t step, uint32_t level)
{
    return step == 0 || ola_keys_rotation(s->keys, step, level) != NULL;
}

static ola_status
check_keys(const struct ola_server *s, const struct ola_map *m)
{
    const uint32_t level = m->desc.level;
    bool all = true;
    for (uint32_t k = 0; all && k < m->n_sources; k++)
        all = has_key(s, m->source[k].step, level);
    for (uint32_t k = 0; all && k < m->n_babies; k++)
        all = has_key(s, m->baby[k], level);
    for (uint32_t k = 0; all && k < m->n_groups; k++)
        all = has_key(s, m->group[k].step, level);
    for (uint32_t k = 0; all && k < m->head.n_folds; k++)
        all = has_key(s, m->fold[k], out_level(m));
    return all ? OLA_OK : OLA_ERR_KEY;
}

static ola_status
reserve(struct ola_server *s, const struct ola_map *m, struct ola_ct *const *out)
{
    ola_status status = ola_products_reserve(s, m);
    for (uint32_t k = 0; status == OLA_OK && k < m->head.out_cts; k++)
        status = ola_ct_reserve(out[k], 2, out_level(m));
    for (uint32_t k = 0; status != OLA_OK && k < m->head.out_cts; k++)
        ola_ct_clear(out[k]);
    return status;
}

/* ---- giants, folds, bias ---- */

/* A group += the sum so far, rotated, that ext has: in a late map as it is. In an early one the sum
 * is left in ext, P times the value. */
static void
join_group(struct ola_server *s, const struct ola_map *m, uint32_t g)
{
    uint64_t *a = ola_group_part(s, m, g, 0), *ext = s->piece[OLA_EXT];
    const uint32_t level = m->desc.level, limbs = 2 * m->positions;
    const size_t n = s->params->n;
    if (!m->late) {
        ola_switch_lift(s, a, ola_group_part(s, m, g, 1), level, ext, true);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i < limbs; i++) { /* both parts lie together, in ext as in the group */
        const uint32_t c = ola_position_chain(s->params, level, i % m->positions);
        s->backend->add(a + i * n, a + i * n, ext + i * n, n, ola_server_modulus(s, c));
    }
}

/* ext = the sum so far, of `from`, under a key: the first part, modulo Q P, only moves; the second
 * is raised from what it is divided by P. ext may be from[0]. */
static void
rotate_lifted(struct ola_server *s, const struct ola_map *m, const struct ola_switch *key,
              const uint64_t *const *from, uint64_t *divided)
{
    const uint32_t level = m->desc.level, positions = ola_positions(s->params, level);
    const size_t n = s->params->n;
    uint64_t *ext = s->piece[OLA_EXT];
    struct ola_raised raised;
    ola_divide(s, &s->params->by_p, level, &from[1], level, &divided, 1);
    ola_raise_once(s, divided, level, &raised);
    const struct ola_switch_job job = {.raised = &raised, .key = key, .perm = key->perm};
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i < positions; i++) {
        const struct ola_part whole = {.position = i, .count = s->params->n};
        uint64_t *moved = ola_server_temp(s), *sum0 = ext + i * n;
        s->backend->permute(moved, from[0] + i * n, key->perm, n);
        ola_switch_part(s, &job, whole, sum0, ext + (positions + i) * n, false, moved + n);
        s->backend->add(sum0, sum0, moved, n,
                        ola_server_modulus(s, ola_position_chain(s->params, level, i)));
    }
}

/* ext = rotate(the sum so far, the group's step), times P. The sum is in the group's place, or, of
 * an early map when it was joined, in ext. */
static void
rotate_sum(struct ola_server *s, const struct ola_map *m, uint32_t g, bool joined)
{
    const uint32_t level = m->desc.level, positions = ola_positions(s->params, level);
    const struct ola_switch *key = ola_keys_rotation(s->keys, m->group[g].step, level);
    uint64_t *const a[2] = {ola_group_part(s, m, g, 0), ola_group_part(s, m, g, 1)};
    uint64_t *ext = s->piece[OLA_EXT];
    s->counts.rotations++;
    if (m->late || joined) {
        const uint64_t *const lifted[2] = {ext, ext + (size_t)positions * s->params->n};
        const uint64_t *const own[2] = {a[0], a[1]};
        rotate_lifted(s, m, key, m->late ? own : lifted, a[1]);
        return;
    }
    struct ola_raised raised;
    ola_raise_once(s, a[1], level, &raised);
    struct ola_switch_job job = {.raised = &raised, .key = key, .perm = key->perm, .a0 = a[0]};
    ola_switch_add(s, &job, 1, &ext, false);
}

/* out = the sum of an early map's only group, which is not rotated. */
static void
take_group(struct ola_server *s, const struct ola_map *m, uint32_t g, struct ola_ct *out)
{
    const struct ola_params *p = s->params;
    const uint32_t level = m->desc.level;
    const uint64_t *const from[2] = {ola_group_part(s, m, g, 0), ola_group_part(s, m, g, 1)};
    uint64_t *const to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)};
    if (!m->head.free_of_level)
        ola_divide(s, &p->by_q[level], level, from, out_level(m), to, 2);
    for (uint32_t part = 0; part < 2 && m->head.free_of_level; part++)
        memcpy(to[part], from[part], (size_t)m->positions * p->n * sizeof **to);
}

/* out = the groups, rotated by their giants, summed, divided by the last prime. */
static void
sum_groups(struct ola_server *s, const struct ola_map *m, struct ola_span groups,
           struct ola_span runs, const struct ola_ct *const *in, struct ola_ct *out)
{
    const struct ola_params *p = s->params;
    const uint32_t level = m->desc.level, end = groups.first + groups.count;
    uint64_t *const to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)};
    const uint64_t *from[2] = {s->piece[OLA_EXT],
                               s->piece[OLA_EXT] + (size_t)ola_positions(p, level) * p->n};
    uint32_t run = runs.first + runs.count;
    for (uint32_t g = end; g-- > groups.first;) {
        const uint32_t last = run;
        while (run > runs.first && m->run[run - 1].group == g)
            run--;
        if (m->by_output)
            ola_products_group(s, m, (struct ola_span){run, last - run}, in);
        if (g + 1 != end)
            join_group(s, m, g);
        if (m->group[g].step != 0) {
            rotate_sum(s, m, g, g + 1 != end);
        } else if (m->late) {
            from[0] = ola_group_part(s, m, g, 0);
            from[1] = ola_group_part(s, m, g, 1);
        } else if (groups.count == 1) {
            take_group(s, m, g, out);
            return;
        }
    }
    ola_divide(s, m->head.free_of_level ? &p->by_p : &p->by_pq[level], level, from, out_level(m),
               to, 2);
}

void
ola_fold_ct(struct ola_server *s, struct ola_ct *out, const struct ola_switch *key)
{
    const struct ola_params *p = s->params;
    uint64_t *to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)}, *ext = s->piece[OLA_EXT];
    const uint64_t *from[2] = {ext, ext + (size_t)ola_positions(p, out->level) * p->n};
    struct ola_raised raised;
    ola_raise_once(s, to[1], out->level, &raised);
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
    s->counts.additions++;
    if (bias->count == 0)
        return;
#pragma omp parallel for collapse(2) schedule(dynamic, 8) num_threads(s->threads)
    for (uint32_t i = 0; i <= out->level; i++) {
        for (size_t k = 0; k < chunks; k++) {
            uint64_t *to = ola_ct_limb(out, 0, i) + k * OLA_CHUNK;
            const uint64_t *from =
                ola_plain_chunk(s->params, ola_plain_limb(s->params, bias, i, NULL), k * OLA_CHUNK,
                                ola_server_temp(s));
            s->backend->add(to, to, from, OLA_CHUNK, ola_server_modulus(s, i));
        }
    }
}

static void
make_output(struct ola_server *s, const struct ola_map *m, struct ola_span groups,
            struct ola_span runs, uint32_t k, const struct ola_ct *const *in, struct ola_ct *out)
{
    const size_t bytes = (size_t)(out->level + 1) * s->params->n * sizeof(uint64_t);
    if (groups.count == 0) { /* nothing leads here: an encryption of 0 that hides nothing */
        memset(ola_ct_limb(out, 0, 0), 0, bytes);
        memset(ola_ct_limb(out, 1, 0), 0, bytes);
    } else {
        sum_groups(s, m, groups, runs, in, out);
    }
    out->scale = m->desc.out_scale;
    s->counts.rescales += !m->head.free_of_level;
    for (uint32_t f = 0; f < m->head.n_folds; f++)
        ola_fold_ct(s, out, ola_keys_rotation(s->keys, m->fold[f], out->level));
    if (m->bias != NULL)
        add_bias(s, out, &m->bias[k]);
}

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
    const double start = ola_seconds();
    ola_products_begin(s, m, in);
    if (!m->head.free_of_level)
        s->counts.plain_products += m->head.n_diagonals;
    struct ola_span groups = {0, 0}, runs = {0, 0};
    for (uint32_t k = 0; k < m->head.out_cts; k++) {
        groups = (struct ola_span){groups.first + groups.count, 0};
        runs = (struct ola_span){runs.first + runs.count, 0};
        while (groups.first + groups.count < m->n_groups &&
               m->group[groups.first + groups.count].out_ct == k)
            groups.count++;
        while (runs.first + runs.count < m->n_runs &&
               m->run[runs.first + runs.count].group < groups.first + groups.count)
            runs.count++;
        make_output(s, m, groups, runs, k, in, out[k]);
        s->counts.additions -= groups.count != 0;
    }
    s->counts.additions += m->head.n_diagonals;
    ola_server_spent(s, OLA_KIND_MAP, start);
    return OLA_OK;
}

ola_status
ola_linear_prepare(ola_server *s, const ola_map *const *maps, uint32_t n)
{
    if (s == NULL || (maps == NULL && n != 0))
        return OLA_ERR_PARAM;
    ola_status status = OLA_OK;
    for (uint32_t k = 0; status == OLA_OK && k < n; k++) {
        if (maps[k] != NULL && !ola_params_equal(s->params, maps[k]->params))
            status = OLA_ERR_PARAM;
        else if (maps[k] != NULL)
            status = ola_products_reserve(s, maps[k]);
    }
    if (status == OLA_OK)
        ola_server_touch(s);
    return status;
}
