/* encrypt.c - encryption under the secret key, and decryption.
 *
 * No branch and no address depends on the secret or on noise: products with the secret are the
 * kernels' (whole vectors, masks instead of branches), noise is sampled in constant time. */
#include <math.h>
#include <sodium.h>
#include <string.h>

#include "ckks/encoder.h"
#include "client/client_internal.h"

/* Scratch of one call: wiped, for it holds noise or the message. */
struct scratch {
    double *coef;   /* [n] */
    uint64_t *limb; /* [limbs][2][n] */
    int8_t *noise;  /* [n] */
    double size;    /* of coef */
    uint32_t n, limbs;
};

static void
scratch_free(struct scratch *w)
{
    const size_t coef = w->n * sizeof *w->coef,
                 limb = (size_t)w->limbs * 2 * w->n * sizeof *w->limb;
    if (w->coef != NULL)
        ola_wipe(w->coef, coef);
    if (w->limb != NULL)
        ola_wipe(w->limb, limb);
    if (w->noise != NULL)
        ola_wipe(w->noise, w->n);
    ola_release(w->coef, coef);
    ola_release(w->limb, limb);
    ola_release(w->noise, w->n);
}

static ola_status
scratch_new(struct scratch *w, uint32_t n, uint32_t limbs)
{
    *w = (struct scratch){.n = n, .limbs = limbs};
    w->coef = ola_alloc(n * sizeof *w->coef);
    w->limb = ola_alloc((size_t)limbs * 2 * n * sizeof *w->limb);
    w->noise = ola_alloc(n);
    if (w->coef != NULL && w->limb != NULL && w->noise != NULL)
        return OLA_OK;
    scratch_free(w);
    return OLA_ERR_NOMEM;
}

/* (m + e - a s, a) modulo prime i. */
static void
encrypt_limb(const struct ola_client *c, const struct scratch *w, uint32_t period,
             struct ola_ct *out, uint32_t i)
{
    const struct ola_params *p = c->params;
    const struct ola_backend *k = ola_backend();
    const struct ola_modulus *m = ola_params_modulus(p, i);
    const size_t n = p->n;
    uint64_t *c0 = ola_ct_limb(out, 0, i), *c1 = ola_ct_limb(out, 1, i), *t = w->limb + 2 * i * n;
    ola_sample_uniform(c1, n, m, out->seed, i);
    ola_encoded_limb(p, i, w->coef, period, w->size, c0);
    ola_ring_from_int8(t, w->noise, n, m);
    k->ntt_forward(t, &p->ring->ntt[i]);
    k->add(c0, c0, t, n, m);
    k->mul(t, c1, c->transformed + i * n, n, m);
    k->sub(c0, c0, t, n, m);
}

static ola_status
encrypt_coefficients(const struct ola_client *c, struct scratch *w, uint32_t period, uint32_t level,
                     struct ola_ct *out)
{
    uint8_t seed[32], secret_seed[32];
    ola_status s = ola_random_seed(seed);
    if (s == OLA_OK)
        s = ola_random_seed(secret_seed);
    if (s == OLA_OK)
        s = ola_ct_reserve(out, 2, level);
    if (s != OLA_OK) {
        ola_wipe(secret_seed, sizeof secret_seed);
        return s;
    }
    memcpy(out->key_id, c->key_id, sizeof out->key_id);
    out->seeded = true;
    memcpy(out->seed, seed, sizeof seed);
    ola_sample_gauss(w->noise, c->params->n, secret_seed, 0);
    ola_wipe(secret_seed, sizeof secret_seed);
#pragma omp parallel for schedule(dynamic)
    for (uint32_t i = 0; i <= level; i++)
        encrypt_limb(c, w, period, out, i);
    return OLA_OK;
}

ola_status
ola_encrypt(const ola_client *c, ola_ct *out, const double *v, uint32_t period, uint32_t level,
            double scale)
{
    struct scratch w;
    if (c == NULL || out == NULL || v == NULL || !ola_params_equal(c->params, out->params) ||
        !ola_is_period(period, c->params->slots))
        return OLA_ERR_PARAM;
    const struct ola_params *p = c->params;
    if (level >= p->n_q)
        return OLA_ERR_LEVEL;
    if (!isfinite(scale) || !(scale > 0.0) || log2(scale) + 1.0 >= p->log_q[level])
        return OLA_ERR_SCALE;
    ola_status s = scratch_new(&w, p->n, level + 1);
    if (s != OLA_OK)
        return s;
    ola_encode(p->encoder, v, period, scale, w.coef);
    w.size = ola_encoded_size(w.coef, 2 * period);
    s = ola_encoded_fits(p, level, w.size) ? OLA_OK : OLA_ERR_RANGE;
    if (s == OLA_OK)
        s = encrypt_coefficients(c, &w, period, level, out);
    if (s == OLA_OK)
        out->scale = scale;
    scratch_free(&w);
    return s;
}

/* x[i] = c0 + c1 s modulo prime i, untransformed. */
static void
phase(const struct ola_client *c, const struct ola_ct *ct, const struct scratch *w)
{
    const struct ola_backend *k = ola_backend();
    const size_t n = c->params->n;
#pragma omp parallel for schedule(dynamic)
    for (uint32_t i = 0; i <= ct->level; i++) {
        const struct ola_modulus *m = ola_params_modulus(c->params, i);
        uint64_t *x = w->limb + 2 * i * n;
        k->mul(x, ola_ct_limb(ct, 1, i), c->transformed + i * n, n, m);
        k->add(x, x, ola_ct_limb(ct, 0, i), n, m);
        k->ntt_inverse(x, &c->params->ring->ntt[i]);
    }
}

/* Residues to digits of the balanced mixed-radix form x = d_0 + q_0 (d_1 + q_1 (d_2 + ...)), |d_i|
 * < q_i / 2: limb by limb, each remainder divided by the prime before. */
static void
mixed_radix(const struct ola_params *p, uint32_t level, const struct scratch *w)
{
    const struct ola_backend *k = ola_backend();
    const size_t n = p->n;
    for (uint32_t j = 0; j < level; j++) {
        uint64_t *digit = w->limb + 2 * j * n;
        const uint64_t *const source[] = {digit};
        uint8_t *multiples = (uint8_t *)(digit + n);
        const struct ola_basis *b = &p->by_q[j];
        k->multiples(multiples, source, b->modulus, 1, n);
#pragma omp parallel for schedule(dynamic)
        for (uint32_t i = j + 1; i <= level; i++) {
            uint64_t *x = w->limb + 2 * i * n, *t = x + n;
            const struct ola_modulus *m = ola_params_modulus(p, i);
            k->convert(t, source, b->weight + i, 1, multiples, b->product[i], n, m);
            k->sub_scale(x, x, t, b->inverse[i], n, m);
        }
    }
}

/* The centred value of every coefficient, to the precision of a double, from the highest digit
 * down. */
static void
to_doubles(const struct ola_params *p, uint32_t level, const struct scratch *w)
{
    memset(w->coef, 0, w->n * sizeof *w->coef);
    for (uint32_t i = level + 1; i-- > 0;) {
        const uint64_t q = p->literal.q[i], *digit = w->limb + 2 * (size_t)i * w->n;
        for (uint32_t j = 0; j < w->n; j++) {
            int64_t d = (int64_t)digit[j] - (int64_t)(q & (0 - (uint64_t)(digit[j] > q / 2)));
            w->coef[j] = w->coef[j] * (double)q + (double)d;
        }
    }
}

/* What decrypts to no number (of damaged residues, modulo more than 2^1023) is no answer. */
static ola_status
check_finite(double *v, uint32_t n)
{
    for (uint32_t t = 0; t < n; t++) {
        if (!isfinite(v[t])) {
            memset(v, 0, n * sizeof *v);
            return OLA_ERR_RANGE;
        }
    }
    return OLA_OK;
}

ola_status
ola_decrypt(const ola_client *c, const ola_ct *ct, double *v, uint32_t n)
{
    struct scratch w;
    if (c == NULL || ct == NULL || v == NULL || ct->parts != 2 ||
        !ola_params_equal(c->params, ct->params) || n > c->params->slots)
        return OLA_ERR_PARAM;
    if (memcmp(c->key_id, ct->key_id, sizeof c->key_id) != 0)
        return OLA_ERR_OTHER_KEY;
    const struct ola_params *p = c->params;
    ola_status s = scratch_new(&w, p->n, ct->level + 1);
    if (s != OLA_OK)
        return s;
    phase(c, ct, &w);
    mixed_radix(p, ct->level, &w);
    to_doubles(p, ct->level, &w);
    ola_decode(p->encoder, w.coef, ct->scale, v, n);
    scratch_free(&w);
    return check_finite(v, n);
}

/* A uniform number in (0, 1], 53 bits. */
static double
uniform(uint64_t word)
{
    return (double)((word >> 11) + 1) * 0x1p-53;
}

/* Adds Gaussian noise (Box and Muller) to v[0 .. n-1]. Whoever finds the words it is made of, and
 * the result, has the exact one: they are wiped. */
static void
add_gauss(double *v, uint32_t n, double sigma)
{
    uint64_t word[2];
    for (uint32_t t = 0; t < n; t++) {
        randombytes_buf(word, sizeof word);
        v[t] += sigma * sqrt(-2.0 * log(uniform(word[0]))) * cos(2.0 * M_PI * uniform(word[1]));
    }
    ola_wipe(word, sizeof word);
}

ola_status
ola_decrypt_shared(const ola_client *c, const ola_ct *ct, double *v, uint32_t n, double sigma)
{
    if (!isfinite(sigma) || !(sigma > 0.0))
        return OLA_ERR_PARAM;
    ola_status s = ola_decrypt(c, ct, v, n);
    if (s == OLA_OK)
        add_gauss(v, n, sigma);
    return s;
}
