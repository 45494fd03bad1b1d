/* keygen.c - evaluation keys: encryptions of P * digit * s' under s, where s' is s^2
 * (relinearisation) or a rotation's image of s. For bootstrapping also of s under an ephemeral
 * sparse secret, modulo q[0] p[0] alone, and of that one under s; it is drawn for these keys and
 * wiped when they are made. Half a of every limb comes from the key's seed, so that a file needs
 * only half b. */
#include <sodium.h>
#include <string.h>

#include "client/client_internal.h"

/* What filling switching keys works with; limbs of secrets are [chain][n], transformed. */
struct work {
    const struct ola_client *client;
    int8_t *noise;    /* [digits][n] */
    uint64_t *limbs;  /* [chain][3][n] */
    uint64_t *sparse; /* NULL without bootstrapping */
};

/* What becomes of one key: encryptions of s' under `under`; s' is the square of s, its image, or
 * another secret. */
struct job {
    const struct ola_switch *key;
    const uint64_t *under, *from;
    bool square, whole; /* whole: of one digit */
};

/* s' modulo prime c, transformed. */
static void
target_limb(const struct ola_params *p, const struct job *j, uint32_t c, uint64_t *out)
{
    const uint64_t *s = j->from + (size_t)c * p->n;
    if (j->key->perm != NULL)
        ola_backend()->permute(out, s, j->key->perm, p->n);
    else if (j->square)
        ola_backend()->mul(out, s, s, p->n, ola_params_modulus(p, c));
    else
        memcpy(out, s, p->n * sizeof *out);
}

/* The product of the key's special primes modulo prime c. */
static uint64_t
special_product(const struct ola_params *p, const struct ola_switch *key, uint32_t c)
{
    return key->specials == p->n_p ? p->by_p.product[c] : p->by_first_p.product[c];
}

/* b = e - a s (+ P s' where the digit has prime c). */
static void
fill_limb(const struct work *w, const struct job *j, uint32_t c)
{
    const struct ola_params *p = w->client->params;
    const struct ola_backend *k = ola_backend();
    const struct ola_modulus *m = ola_params_modulus(p, c);
    const size_t n = p->n;
    uint64_t *a = w->limbs + (size_t)c * 3 * n, *b = a + n, *target = b + n;
    target_limb(p, j, c, target);
    for (uint32_t d = 0; d < j->key->digits; d++) {
        ola_sample_uniform(a, n, m, j->key->seed, ola_switch_stream(d, c));
        ola_ring_from_int8(b, w->noise + d * n, n, m);
        k->ntt_forward(b, &p->ring->ntt[c]);
        ola_limb_store(ola_switch_limb(p, j->key, c, d, 1), a, n, p->width[c]);
        k->mul(a, a, j->under + c * n, n, m);
        k->sub(b, b, a, n, m);
        if (c < p->n_q && (j->whole || p->digit_of[c] == d))
            k->scale_add(b, target, special_product(p, j->key, c), n, m);
        ola_limb_store(ola_switch_limb(p, j->key, c, d, 0), b, n, p->width[c]);
    }
}

static ola_status
fill_key(const struct work *w, struct ola_switch *key, struct job job)
{
    const struct ola_params *p = w->client->params;
    uint8_t secret_seed[32];
    job.key = key;
    ola_status s = ola_random_seed(key->seed);
    if (s == OLA_OK)
        s = ola_random_seed(secret_seed);
    if (s != OLA_OK)
        return s;
    for (uint32_t d = 0; d < key->digits; d++)
        ola_sample_gauss(w->noise + (size_t)d * p->n, p->n, secret_seed, d);
#pragma omp parallel for schedule(dynamic)
    for (uint32_t c = 0; c < p->chain; c++) {
        if (ola_switch_has(p, key, c))
            fill_limb(w, &job, c);
    }
    ola_wipe(secret_seed, sizeof secret_seed);
    return OLA_OK;
}

/* The ephemeral secret modulo every prime, transformed. */
static ola_status
draw_sparse(const struct work *w)
{
    const struct ola_params *p = w->client->params;
    uint8_t seed[32];
    ola_status s = ola_random_seed(seed);
    if (s != OLA_OK)
        return s;
    ola_sample_sparse(w->noise, p->n, OLA_BOOT_WEIGHT, seed, 0);
    ola_wipe(seed, sizeof seed);
#pragma omp parallel for schedule(dynamic)
    for (uint32_t c = 0; c < p->chain; c++) {
        uint64_t *limb = w->sparse + (size_t)c * p->n;
        ola_ring_from_int8(limb, w->noise, p->n, ola_params_modulus(p, c));
        ola_backend()->ntt_forward(limb, &p->ring->ntt[c]);
    }
    return OLA_OK;
}

static ola_status
fill_boot(const struct work *w, struct ola_keys *keys)
{
    const uint64_t *dense = w->client->transformed;
    ola_status s = draw_sparse(w);
    if (s == OLA_OK)
        s = fill_key(w, &keys->boot[OLA_TO_SPARSE],
                     (struct job){.under = w->sparse, .from = dense, .whole = true});
    if (s == OLA_OK)
        s = fill_key(w, &keys->boot[OLA_TO_DENSE],
                     (struct job){.under = dense, .from = w->sparse, .whole = true});
    return s;
}

static ola_status
fill_all(const struct work *w, struct ola_keys *keys)
{
    const uint64_t *dense = w->client->transformed;
    const struct job image = {.under = dense, .from = dense};
    struct job square = image;
    square.square = true;
    ola_status s = keys->has_relin ? fill_key(w, &keys->relin, square) : OLA_OK;
    if (s == OLA_OK && keys->has_boot)
        s = fill_boot(w, keys);
    if (s == OLA_OK && keys->has_boot)
        s = fill_key(w, &keys->boot[OLA_CONJUGATE], image);
    for (uint32_t k = 0; s == OLA_OK && k < keys->n_rotations; k++)
        s = fill_key(w, &keys->rotation[k], image);
    return s;
}

static ola_status
fill_keys(const struct ola_client *c, struct ola_keys *keys)
{
    const struct ola_params *p = c->params;
    const size_t limb_bytes = (size_t)p->chain * p->n * sizeof(uint64_t);
    const size_t noise_bytes = (size_t)ola_plan_digits(&p->literal, p->n_q - 1) * p->n;
    struct work w = {.client = c};
    w.limbs = ola_alloc(3 * limb_bytes);
    w.noise = ola_alloc(noise_bytes);
    w.sparse = keys->has_boot ? sodium_malloc(limb_bytes) : NULL;
    ola_status s = OLA_ERR_NOMEM;
    if (w.limbs != NULL && w.noise != NULL && (w.sparse != NULL || !keys->has_boot))
        s = fill_all(&w, keys);
    if (w.limbs != NULL)
        ola_wipe(w.limbs, 3 * limb_bytes);
    if (w.noise != NULL)
        ola_wipe(w.noise, noise_bytes);
    sodium_free(w.sparse); /* wipes */
    ola_release(w.limbs, 3 * limb_bytes);
    ola_release(w.noise, noise_bytes);
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
    const uint32_t relin = ola_plan_relin_level(&c->params->literal, plan->relin_level);
    ola_status s =
        ola_keys_new(c->params, relin, plan->n_rotations, plan->step, plan->level, &keys);
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
