/* client.c - the secret's side: keys that are promises, encryption that only checks and disturbs.
 */
#include "file/file.h"
#include "sim/sim_impl.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

ola_status
ola_client_new(const ola_params *p, ola_client **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL)
        return OLA_ERR_PARAM;
    if (sodium_init() < 0)
        return OLA_ERR_RANDOM;
    ola_client *c = ola_alloc_zero(sizeof *c);
    if (c == NULL)
        return OLA_ERR_NOMEM;
    c->params = p;
    randombytes_buf(c->key_id, sizeof c->key_id);
    randombytes_buf(c->secret, sizeof c->secret);
    *out = c;
    return OLA_OK;
}

void
ola_client_free(ola_client *c)
{
    if (c == NULL)
        return;
    ola_wipe(c, sizeof *c);
    ola_release(c, sizeof *c);
}

ola_status
ola_client_keys(const ola_client *c, const struct ola_key_plan *plan, ola_keys **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (c == NULL || !ola_sim_plan_good(c->params, plan))
        return OLA_ERR_PARAM;
    struct ola_key_plan all = *plan;
    all.relin_level = ola_plan_relin_level(&c->params->literal, plan->relin_level);
    return ola_sim_keys_new(c->params, &all, c->key_id, out);
}

ola_status
ola_encrypt(const ola_client *c, ola_ct *out, const double *v, uint32_t period, uint32_t level,
            double scale)
{
    if (c == NULL || out == NULL || v == NULL || !ola_sim_period(c->params, period))
        return OLA_ERR_PARAM;
    const struct ola_params *p = c->params;
    ola_status s = ola_sim_output(p, out);
    if (s == OLA_OK && level >= p->n_q)
        s = OLA_ERR_LEVEL;
    if (s == OLA_OK)
        s = ola_sim_scale(p, level, scale);
    if (s == OLA_OK)
        s = ola_sim_range(p, level, scale, v, period);
    if (s != OLA_OK)
        return s;
    double *w = ola_sim_vector(p->slots);
    if (w == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t t = 0; t < p->slots; t++)
        w[t] = v[t % period];
    uint64_t trace = ola_sim_mix(ola_sim_hash(v, period), level);
    ola_sim_disturb(p, w, ola_sim_slot(p, ola_sim_fresh(), scale), trace);
    ola_sim_set(out, c->key_id, w, 2, level, scale, trace);
    return OLA_OK;
}

ola_status
ola_decrypt(const ola_client *c, const ola_ct *ct, double *v, uint32_t n)
{
    if (c == NULL || v == NULL || n > c->params->slots)
        return OLA_ERR_PARAM;
    ola_status s = ola_sim_operand(c->params, ct, 2);
    if (s == OLA_OK && memcmp(c->key_id, ct->key_id, sizeof c->key_id) != 0)
        s = OLA_ERR_OTHER_KEY;
    if (s == OLA_OK)
        memcpy(v, ct->v, n * sizeof *v);
    return s;
}

ola_status
ola_decrypt_shared(const ola_client *c, const ola_ct *ct, double *v, uint32_t n, double sigma)
{
    if (!isfinite(sigma) || sigma <= 0.0)
        return OLA_ERR_PARAM;
    ola_status s = ola_decrypt(c, ct, v, n);
    if (s != OLA_OK)
        return s;
    double *g = ola_sim_vector(n);
    if (g == NULL) {
        memset(v, 0, n * sizeof *v);
        return OLA_ERR_NOMEM;
    }
    uint64_t seed;
    randombytes_buf(&seed, sizeof seed);
    ola_sim_gauss(g, n, seed);
    for (uint32_t t = 0; t < n; t++)
        v[t] += sigma * g[t];
    ola_sim_vector_free(g, n);
    return OLA_OK;
}
