/* checks.c - the rules of the real runtime about levels, scales, components and keys. */
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

bool
ola_sim_same(const struct ola_params *a, const struct ola_params *b)
{
    if (a == b)
        return true;
    uint8_t ha[32], hb[32];
    ola_params_fingerprint(a, ha);
    ola_params_fingerprint(b, hb);
    return memcmp(ha, hb, sizeof ha) == 0;
}

bool
ola_sim_close(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

bool
ola_sim_period(const struct ola_params *p, uint32_t period)
{
    return period != 0 && (period & (period - 1)) == 0 && period <= p->slots;
}

ola_status
ola_sim_output(const struct ola_params *p, const struct ola_ct *ct)
{
    if (ct == NULL)
        return OLA_ERR_PARAM;
    return ola_sim_same(p, ct->params) ? OLA_OK : OLA_ERR_PARAM;
}

ola_status
ola_sim_operand(const struct ola_params *p, const struct ola_ct *ct, uint32_t parts)
{
    ola_status s = ola_sim_output(p, ct);
    if (s != OLA_OK)
        return s;
    if (ct->parts == 0 || (parts != 0 && ct->parts != parts))
        return OLA_ERR_PARAM;
    return OLA_OK;
}

ola_status
ola_sim_key(const struct ola_server *s, const struct ola_ct *ct, const struct ola_ct *b)
{
    if (s->keys != NULL && memcmp(s->keys->key_id, ct->key_id, sizeof ct->key_id) != 0)
        return OLA_ERR_OTHER_KEY;
    if (b != NULL && memcmp(b->key_id, ct->key_id, sizeof ct->key_id) != 0)
        return OLA_ERR_OTHER_KEY;
    return OLA_OK;
}

ola_status
ola_sim_scale(const struct ola_params *p, uint32_t level, double scale)
{
    if (!isfinite(scale) || scale <= 0.0 || log2(scale) >= p->log_q[level] - 1.0)
        return OLA_ERR_SCALE;
    return OLA_OK;
}

ola_status
ola_sim_range(const struct ola_params *p, uint32_t level, double scale, const double *v, size_t n)
{
    double largest = 0.0;
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(v[k]))
            return OLA_ERR_RANGE;
        largest = fmax(largest, fabs(v[k]));
    }
    if (largest != 0.0 && log2(largest) + log2(scale) >= p->log_q[level] - 1.0)
        return OLA_ERR_RANGE;
    return OLA_OK;
}

ola_status
ola_sim_relin_key(const struct ola_server *s, uint32_t level)
{
    if (s->keys == NULL || s->keys->relin_level == UINT32_MAX || s->keys->relin_level < level)
        return OLA_ERR_KEY;
    return OLA_OK;
}

ola_status
ola_sim_rotation_key(const struct ola_server *s, uint32_t step, uint32_t level)
{
    if (step == 0)
        return OLA_OK;
    const struct ola_keys *k = s->keys;
    for (uint32_t low = 0, high = k != NULL ? k->n_rotations : 0; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (k->step[middle] == step)
            return k->level[middle] >= level ? OLA_OK : OLA_ERR_KEY;
        if (k->step[middle] < step)
            low = middle + 1;
        else
            high = middle;
    }
    return OLA_ERR_KEY;
}

double *
ola_sim_vector(size_t n)
{
    return ola_alloc(n * sizeof(double));
}

void
ola_sim_vector_free(double *v, size_t n)
{
    ola_release(v, n * sizeof *v);
}

void
ola_sim_set(struct ola_ct *ct, const uint8_t key_id[OLA_KEY_ID], double *v, uint32_t parts,
            uint32_t level, double scale, uint64_t trace)
{
    memmove(ct->key_id, key_id, sizeof ct->key_id);
    ola_sim_vector_free(ct->v, ct->params->slots);
    ct->v = v;
    ct->parts = parts;
    ct->level = level;
    ct->scale = scale;
    ct->trace = trace;
}

ola_status
ola_results_new(const struct ola_params *p, uint32_t n, struct ola_results *r)
{
    *r = (struct ola_results){.params = p, .n = n, .bytes = n * (sizeof *r->v + sizeof *r->trace)};
    r->v = ola_alloc_zero(r->bytes);
    if (r->v == NULL)
        return OLA_ERR_NOMEM;
    r->trace = (uint64_t *)(void *)(r->v + n);
    for (uint32_t k = 0; k < n; k++) {
        r->v[k] = ola_sim_vector(p->slots);
        if (r->v[k] == NULL) {
            ola_results_free(r);
            return OLA_ERR_NOMEM;
        }
    }
    return OLA_OK;
}

void
ola_results_store(struct ola_results *r, const uint8_t key_id[OLA_KEY_ID], ola_ct *const *out,
                  uint32_t level, double scale)
{
    for (uint32_t k = 0; k < r->n; k++) {
        ola_sim_set(out[k], key_id, r->v[k], 2, level, scale, r->trace[k]);
        r->v[k] = NULL;
    }
    ola_results_free(r);
}

void
ola_results_free(struct ola_results *r)
{
    for (uint32_t k = 0; k < r->n && r->v != NULL; k++)
        ola_sim_vector_free(r->v[k], r->params->slots);
    ola_release(r->v, r->bytes);
    r->v = NULL;
}
