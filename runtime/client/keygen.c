/* keygen.c - evaluation keys: encryptions of P * digit * s' under s, where s' is s^2
 * (relinearisation) or a rotation's image of s. Half a of every limb comes from the key's seed, so
 * that a file needs only half b. */
#include <string.h>

#include "client/client_internal.h"

/* What filling one switching key works with. */
struct job {
    const struct ola_client *client;
    const struct ola_switch *key;
    const int8_t *noise; /* [digits][n] */
    uint64_t *work;      /* [chain][3][n] */
};

/* s' modulo prime c, transformed. */
static void
target_limb(const struct job *j, uint32_t c, uint64_t *out)
{
    const struct ola_params *p = j->client->params;
    const uint64_t *s = j->client->transformed + (size_t)c * p->n;
    if (j->key->perm != NULL)
        ola_backend()->permute(out, s, j->key->perm, p->n);
    else
        ola_backend()->mul(out, s, s, p->n, ola_params_modulus(p, c));
}

/* b = e - a s (+ P s' where the digit has prime c). */
static void
fill_limb(const struct job *j, uint32_t c)
{
    const struct ola_params *p = j->client->params;
    const struct ola_backend *k = ola_backend();
    const struct ola_modulus *m = ola_params_modulus(p, c);
    const size_t n = p->n;
    uint64_t *a = j->work + (size_t)c * 3 * n, *b = a + n, *target = b + n;
    target_limb(j, c, target);
    for (uint32_t d = 0; d < j->key->digits; d++) {
        ola_sample_uniform(a, n, m, j->key->seed, ola_switch_stream(d, c));
        ola_ring_from_int8(b, j->noise + d * n, n, m);
        k->ntt_forward(b, &p->ring->ntt[c]);
        ola_limb_store(ola_switch_limb(p, j->key, c, d, 1), a, n, p->width[c]);
        k->mul(a, a, j->client->transformed + c * n, n, m);
        k->sub(b, b, a, n, m);
        if (c < p->n_q && c / p->literal.digit_limbs == d)
            k->scale_add(b, target, p->by_p.product[c], n, m);
        ola_limb_store(ola_switch_limb(p, j->key, c, d, 0), b, n, p->width[c]);
    }
}

static ola_status
fill_key(const struct ola_client *client, struct ola_switch *key, int8_t *noise, uint64_t *work)
{
    const struct ola_params *p = client->params;
    const struct job j = {client, key, noise, work};
    uint8_t secret_seed[32];
    ola_status s = ola_random_seed(key->seed);
    if (s == OLA_OK)
        s = ola_random_seed(secret_seed);
    if (s != OLA_OK)
        return s;
    for (uint32_t d = 0; d < key->digits; d++)
        ola_sample_gauss(noise + (size_t)d * p->n, p->n, secret_seed, d);
#pragma omp parallel for schedule(dynamic)
    for (uint32_t c = 0; c < p->chain; c++) {
        if (c <= key->level || c >= p->n_q)
            fill_limb(&j, c);
    }
    ola_wipe(secret_seed, sizeof secret_seed);
    return OLA_OK;
}

static ola_status
fill_keys(const struct ola_client *c, struct ola_keys *keys)
{
    const struct ola_params *p = c->params;
    const size_t work_bytes = (size_t)p->chain * 3 * p->n * sizeof(uint64_t);
    const size_t noise_bytes = (size_t)ola_plan_digits(&p->literal, p->n_q - 1) * p->n;
    uint64_t *work = ola_alloc(work_bytes);
    int8_t *noise = ola_alloc(noise_bytes);
    ola_status s = work == NULL || noise == NULL ? OLA_ERR_NOMEM : OLA_OK;
    if (s == OLA_OK && keys->has_relin)
        s = fill_key(c, &keys->relin, noise, work);
    for (uint32_t k = 0; s == OLA_OK && k < keys->n_rotations; k++)
        s = fill_key(c, &keys->rotation[k], noise, work);
    if (work != NULL)
        ola_wipe(work, work_bytes);
    if (noise != NULL)
        ola_wipe(noise, noise_bytes);
    ola_release(work, work_bytes);
    ola_release(noise, noise_bytes);
    return s;
}

ola_status
ola_client_keys(const ola_client *c, const struct ola_key_plan *plan, ola_keys **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (c == NULL || plan == NULL)
        return OLA_ERR_PARAM;
    struct ola_keys *keys;
    ola_status s = ola_keys_new(c->params, plan->relin_level, plan->n_rotations, plan->step,
                                plan->level, &keys);
    if (s != OLA_OK)
        return s;
    memcpy(keys->key_id, c->key_id, sizeof keys->key_id);
    s = fill_keys(c, keys);
    if (s != OLA_OK) {
        ola_keys_free(keys);
        return s;
    }
    *out = keys;
    return OLA_OK;
}
