/* client.c - the secret: made, loaded from its coefficients, wiped. */
#include <sodium.h>
#include <string.h>

#include "client/client_internal.h"

/* The secret modulo every prime, transformed. */
static void
transform_secret(struct ola_client *c)
{
    const struct ola_params *p = c->params;
#pragma omp parallel for schedule(dynamic)
    for (uint32_t k = 0; k < p->chain; k++) {
        uint64_t *limb = c->transformed + (size_t)k * p->n;
        ola_ring_from_int8(limb, c->secret, p->n, ola_params_modulus(p, k));
        ola_backend()->ntt_forward(limb, &p->ring->ntt[k]);
    }
}

static ola_status
client_room(const struct ola_params *p, struct ola_client **out)
{
    if (sodium_init() < 0)
        return OLA_ERR_RANDOM;
    struct ola_client *c = ola_alloc_zero(sizeof *c);
    if (c == NULL)
        return OLA_ERR_NOMEM;
    c->params = p;
    c->secret = sodium_malloc(p->n);
    c->transformed = sodium_malloc((size_t)p->chain * p->n * sizeof *c->transformed);
    if (c->secret == NULL || c->transformed == NULL) {
        ola_client_free(c);
        return OLA_ERR_NOMEM;
    }
    *out = c;
    return OLA_OK;
}

ola_status
ola_client_new(const ola_params *p, ola_client **out)
{
    uint8_t seed[32];
    struct ola_client *c;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL)
        return OLA_ERR_PARAM;
    ola_status s = ola_random_seed(seed);
    if (s == OLA_OK)
        s = client_room(p, &c);
    if (s == OLA_OK) {
        randombytes_buf(c->key_id, sizeof c->key_id);
        ola_sample_ternary(c->secret, p->n, seed, 0);
        transform_secret(c);
        *out = c;
    }
    ola_wipe(seed, sizeof seed);
    return s;
}

ola_status
ola_client_from_secret(const struct ola_params *p, const int8_t *secret,
                       const uint8_t key_id[OLA_KEY_ID], struct ola_client **out)
{
    struct ola_client *c;
    *out = NULL;
    int outside = 0;
    for (uint32_t k = 0; k < p->n; k++)
        outside |= (secret[k] < -1) | (secret[k] > 1);
    if (outside)
        return OLA_ERR_FORMAT;
    ola_status s = client_room(p, &c);
    if (s != OLA_OK)
        return s;
    memcpy(c->key_id, key_id, sizeof c->key_id);
    memcpy(c->secret, secret, p->n);
    transform_secret(c);
    *out = c;
    return OLA_OK;
}

void
ola_client_free(ola_client *c)
{
    if (c == NULL)
        return;
    sodium_free(c->secret); /* wipes */
    sodium_free(c->transformed);
    ola_release(c, sizeof *c);
}
