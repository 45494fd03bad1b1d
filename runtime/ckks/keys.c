/* keys.c - evaluation keys as containers: where each limb lies, and the halves that a seed gives
 * back. */
#include <string.h>

#include "ckks/ckks.h"

/* Both halves of all digits of a limb lie together, limb after limb: q[0 .. level], then p. */
void *
ola_switch_limb(const struct ola_params *p, const struct ola_switch *key, uint32_t c,
                uint32_t digit, uint32_t half)
{
    if (p->whole != NULL) {
        digit = key->digits == 1 ? 0 : p->digit_stored[digit];
        c = c < p->gap_at ? c : c + p->gap;
        p = p->whole;
    }
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
        if (!ola_switch_has(p, key, c))
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

/* Room for key->level, digits and specials; galois 0: no automorphism. */
static ola_status
switch_reserve(struct ola_keys *k, struct ola_switch *key, uint32_t galois)
{
    const struct ola_params *p = k->params;
    const uint32_t special = p->width_before[p->n_q + key->specials] - p->width_before[p->n_q];
    const size_t width = p->width_before[key->level + 1] + special;
    key->bytes = width * 2 * key->digits * p->n;
    key->data = ola_alloc(key->bytes);
    if (key->data == NULL)
        return OLA_ERR_NOMEM;
    k->bytes += key->bytes;
    if (galois == 0)
        return OLA_OK;
    key->perm = ola_alloc(p->n * sizeof *key->perm);
    if (key->perm == NULL)
        return OLA_ERR_NOMEM;
    k->bytes += p->n * sizeof *key->perm;
    ola_ring_galois_index(p->ring, galois, key->perm);
    return OLA_OK;
}

/* A key of all special primes and the usual digits. */
static ola_status
switch_for(struct ola_keys *k, struct ola_switch *key, uint32_t level, uint32_t galois)
{
    key->level = level;
    key->digits = ola_plan_digits(&k->params->literal, level);
    key->specials = k->params->n_p;
    return switch_reserve(k, key, galois);
}

static ola_status
boot_reserve(struct ola_keys *k)
{
    const struct ola_params *p = k->params;
    const uint32_t top = p->n_q - 1;
    k->has_boot = true;
    k->boot[OLA_TO_SPARSE] = (struct ola_switch){.level = 0, .digits = 1, .specials = 1};
    k->boot[OLA_TO_DENSE] = (struct ola_switch){.level = top, .digits = 1, .specials = p->n_p};
    ola_status s = switch_reserve(k, &k->boot[OLA_TO_SPARSE], 0);
    if (s == OLA_OK)
        s = switch_reserve(k, &k->boot[OLA_TO_DENSE], 0);
    if (s == OLA_OK)
        s = switch_for(k, &k->boot[OLA_CONJUGATE], top - p->literal.boot.cts, 2 * p->n - 1);
    return s;
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
        k->has_relin = true;
        s = switch_for(k, &k->relin, relin_level, 0);
    }
    if (s == OLA_OK && ola_plan_has_boot(&p->literal))
        s = boot_reserve(k);
    if (n == 0 || s != OLA_OK)
        return s;
    k->n_rotations = n;
    k->step = ola_alloc(n * sizeof *k->step);
    k->rotation = ola_alloc_zero(n * sizeof *k->rotation);
    if (k->step == NULL || k->rotation == NULL)
        return OLA_ERR_NOMEM;
    memcpy(k->step, step, n * sizeof *step);
    for (uint32_t i = 0; s == OLA_OK && i < n; i++)
        s = switch_for(k, &k->rotation[i], level[i], ola_plan_galois(p->log_n, step[i]));
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
    for (uint32_t i = 0; i < OLA_BOOT_SWITCHES; i++)
        switch_free(k->params, &k->boot[i]);
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

uint32_t
ola_keys_count(const struct ola_keys *k)
{
    const uint32_t boot = k->has_boot ? OLA_BOOT_SWITCHES : 0;
    return k->has_relin + boot + k->n_rotations;
}

struct ola_switch *
ola_keys_at(const struct ola_keys *keys, uint32_t k)
{
    struct ola_keys *all = (struct ola_keys *)(uintptr_t)keys;
    const uint32_t boot = keys->has_boot ? OLA_BOOT_SWITCHES : 0;
    if (k < keys->has_relin)
        return &all->relin;
    k -= keys->has_relin;
    return k < boot ? &all->boot[k] : &all->rotation[k - boot];
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
