/* keys.c - evaluation keys as containers: where each limb lies, and the halves that a seed gives
 * back. */
#include <string.h>

#include "ckks/ckks.h"

/* Both halves of all digits of a limb lie together, limb after limb: q[0 .. level], then p. */
void *
ola_switch_limb(const struct ola_params *p, const struct ola_switch *key, uint32_t c,
                uint32_t digit, uint32_t half)
{
    size_t before = p->width_before[c];
    if (c >= p->n_q)
        before -= p->width_before[p->n_q] - p->width_before[key->level + 1];
    size_t limb = before * 2 * key->digits + (size_t)p->width[c] * (half * key->digits + digit);
    return (char *)key->data + limb * p->n;
}

void
ola_limb_load(uint64_t *limb, const void *stored, size_t n, uint32_t width)
{
    if (width == 8) {
        memcpy(limb, stored, n * sizeof *limb);
        return;
    }
    const uint32_t *narrow = stored;
    for (size_t j = 0; j < n; j++)
        limb[j] = narrow[j];
}

void
ola_limb_store(void *stored, const uint64_t *limb, size_t n, uint32_t width)
{
    if (width == 8) {
        memcpy(stored, limb, n * sizeof *limb);
        return;
    }
    uint32_t *narrow = stored;
    for (size_t j = 0; j < n; j++)
        narrow[j] = (uint32_t)limb[j];
}

ola_status
ola_switch_expand(const struct ola_params *p, struct ola_switch *key)
{
    uint64_t *limb = ola_alloc(p->n * sizeof *limb);
    if (limb == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t c = 0; c < p->chain; c++) {
        if (c > key->level && c < p->n_q)
            continue;
        for (uint32_t d = 0; d < key->digits; d++) {
            ola_sample_uniform(limb, p->n, ola_params_modulus(p, c), key->seed,
                               ola_switch_stream(d, c));
            ola_limb_store(ola_switch_limb(p, key, c, d, 1), limb, p->n, p->width[c]);
        }
    }
    ola_release(limb, p->n * sizeof *limb);
    return OLA_OK;
}

static ola_status
switch_reserve(const struct ola_params *p, struct ola_switch *key, uint32_t level, uint32_t step)
{
    key->level = level;
    key->digits = ola_plan_digits(&p->literal, level);
    key->bytes = ola_plan_key_bytes(&p->literal, level);
    key->data = ola_alloc(key->bytes);
    if (key->data == NULL)
        return OLA_ERR_NOMEM;
    if (step == 0)
        return OLA_OK;
    key->perm = ola_alloc(p->n * sizeof *key->perm);
    if (key->perm == NULL)
        return OLA_ERR_NOMEM;
    ola_ring_galois_index(p->ring, ola_plan_galois(p->log_n, step), key->perm);
    return OLA_OK;
}

static void
switch_free(const struct ola_params *p, struct ola_switch *key)
{
    ola_release(key->data, key->bytes);
    ola_release(key->perm, p->n * sizeof *key->perm);
}

static bool
plan_is_good(const struct ola_params *p, uint32_t relin_level, uint32_t n, const uint32_t *step,
             const uint32_t *level)
{
    if ((relin_level != UINT32_MAX && relin_level >= p->n_q) || n >= p->slots)
        return false;
    if (n != 0 && (step == NULL || level == NULL))
        return false;
    for (uint32_t k = 0; k < n; k++) {
        if (step[k] <= (k == 0 ? 0 : step[k - 1]) || step[k] >= p->slots || level[k] >= p->n_q)
            return false;
    }
    return true;
}

static ola_status
fill(struct ola_keys *k, uint32_t relin_level, uint32_t n, const uint32_t *step,
     const uint32_t *level)
{
    const struct ola_params *p = k->params;
    ola_status s = OLA_OK;
    if (relin_level != UINT32_MAX) {
        s = switch_reserve(p, &k->relin, relin_level, 0);
        k->has_relin = true;
        k->bytes += k->relin.bytes;
    }
    if (n == 0)
        return s;
    k->n_rotations = n;
    k->step = ola_alloc(n * sizeof *k->step);
    k->rotation = ola_alloc_zero(n * sizeof *k->rotation);
    if (k->step == NULL || k->rotation == NULL)
        return OLA_ERR_NOMEM;
    memcpy(k->step, step, n * sizeof *step);
    for (uint32_t i = 0; s == OLA_OK && i < n; i++) {
        s = switch_reserve(p, &k->rotation[i], level[i], step[i]);
        k->bytes += k->rotation[i].bytes + p->n * sizeof *k->rotation[i].perm;
    }
    return s;
}

ola_status
ola_keys_new(const struct ola_params *p, uint32_t relin_level, uint32_t n_rotations,
             const uint32_t *step, const uint32_t *level, struct ola_keys **out)
{
    *out = NULL;
    if (!plan_is_good(p, relin_level, n_rotations, step, level))
        return OLA_ERR_PARAM;
    struct ola_keys *k = ola_alloc_zero(sizeof *k);
    if (k == NULL)
        return OLA_ERR_NOMEM;
    k->params = p;
    ola_status s = fill(k, relin_level, n_rotations, step, level);
    if (s != OLA_OK) {
        ola_keys_free(k);
        return s;
    }
    *out = k;
    return OLA_OK;
}

void
ola_keys_free(ola_keys *k)
{
    if (k == NULL)
        return;
    switch_free(k->params, &k->relin);
    for (uint32_t i = 0; k->rotation != NULL && i < k->n_rotations; i++)
        switch_free(k->params, &k->rotation[i]);
    ola_release(k->rotation, k->n_rotations * sizeof *k->rotation);
    ola_release(k->step, k->n_rotations * sizeof *k->step);
    ola_release(k, sizeof *k);
}

uint64_t
ola_keys_bytes(const ola_keys *k)
{
    return k->bytes;
}

const struct ola_switch *
ola_keys_rotation(const struct ola_keys *k, uint32_t step, uint32_t level)
{
    uint32_t lo = 0, hi = k == NULL ? 0 : k->n_rotations;
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (k->step[middle] < step)
            lo = middle + 1;
        else
            hi = middle;
    }
    if (k == NULL || lo == k->n_rotations || k->step[lo] != step || k->rotation[lo].level < level)
        return NULL;
    return &k->rotation[lo];
}
