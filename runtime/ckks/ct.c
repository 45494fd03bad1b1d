/* ct.c - ciphertexts as containers. */
#include <string.h>

#include "ckks/ckks.h"

ola_status
ola_ct_new(const ola_params *p, ola_ct **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL)
        return OLA_ERR_PARAM;
    struct ola_ct *ct = ola_alloc_zero(sizeof *ct);
    if (ct == NULL)
        return OLA_ERR_NOMEM;
    ct->params = p;
    *out = ct;
    return OLA_OK;
}

void
ola_ct_free(ola_ct *ct)
{
    if (ct == NULL)
        return;
    ola_release(ct->data, ct->bytes);
    ola_release(ct, sizeof *ct);
}

uint32_t
ola_ct_level(const ola_ct *ct)
{
    return ct->level;
}

double
ola_ct_scale(const ola_ct *ct)
{
    return ct->scale;
}

void
ola_ct_clear(struct ola_ct *ct)
{
    ct->parts = 0;
    ct->level = 0;
    ct->scale = 0.0;
    ct->seeded = false;
}

/* Copies the limbs that ct holds to data laid out with another stride. */
static void
move_limbs(const struct ola_ct *ct, uint64_t *data, uint32_t parts, uint32_t stride)
{
    size_t n = ct->params->n, limbs = ct->level + 1 < stride ? ct->level + 1 : stride;
    for (uint32_t k = 0; k < ct->parts && k < parts; k++)
        memcpy(data + k * stride * n, ola_ct_limb(ct, k, 0), limbs * n * sizeof *data);
}

ola_status
ola_ct_reserve(struct ola_ct *ct, uint32_t parts, uint32_t level)
{
    uint32_t stride = ct->stride > level ? ct->stride : level + 1;
    size_t bytes = (size_t)parts * stride * ct->params->n * sizeof *ct->data;
    if (stride != ct->stride || bytes > ct->bytes) {
        uint64_t *data = ola_alloc(bytes);
        if (data == NULL)
            return OLA_ERR_NOMEM;
        move_limbs(ct, data, parts, stride);
        ola_release(ct->data, ct->bytes);
        ct->data = data;
        ct->bytes = bytes;
        ct->stride = stride;
    }
    ct->parts = parts;
    ct->level = level;
    ct->seeded = false;
    return OLA_OK;
}

ola_status
ola_ct_copy(ola_ct *out, const ola_ct *in)
{
    if (out == NULL || in == NULL || in->parts == 0 || !ola_params_equal(out->params, in->params))
        return OLA_ERR_PARAM;
    if (out == in)
        return OLA_OK;
    ola_status s = ola_ct_reserve(out, in->parts, in->level);
    if (s != OLA_OK)
        return s;
    size_t bytes = (size_t)(in->level + 1) * in->params->n * sizeof *in->data;
    for (uint32_t k = 0; k < in->parts; k++)
        memcpy(ola_ct_limb(out, k, 0), ola_ct_limb(in, k, 0), bytes);
    ola_ct_take_key(out, in);
    out->scale = in->scale;
    out->seeded = in->seeded;
    memcpy(out->seed, in->seed, sizeof out->seed);
    return OLA_OK;
}

void
ola_ct_expand(struct ola_ct *ct)
{
    for (uint32_t i = 0; i <= ct->level; i++)
        ola_sample_uniform(ola_ct_limb(ct, 1, i), ct->params->n, ola_params_modulus(ct->params, i),
                           ct->seed, i);
}
