/* params.c - parameters, and ciphertexts as containers. */
#include "file/file.h"
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

const char *
ola_backend_name(void)
{
    return "simulator";
}

ola_status
ola_params_new(const struct ola_literal *literal, ola_params **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (literal == NULL)
        return OLA_ERR_PARAM;
    double log_qp;
    uint32_t security;
    ola_status s = ola_literal_check(literal, &log_qp, &security);
    if (s != OLA_OK)
        return s;
    ola_params *p = ola_alloc_zero(sizeof *p);
    if (p == NULL)
        return OLA_ERR_NOMEM;
    p->literal = *literal;
    p->n = (uint32_t)1 << literal->log_n;
    p->slots = p->n / 2;
    p->n_q = literal->n_q;
    p->security = security;
    p->log_qp = log_qp;
    for (uint32_t i = 0; i < p->n_q; i++)
        p->log_q[i] = (i > 0 ? p->log_q[i - 1] : 0.0) + log2((double)literal->q[i]);
    *out = p;
    return OLA_OK;
}

void
ola_params_free(ola_params *p)
{
    ola_release(p, sizeof *p);
}

const struct ola_literal *
ola_params_literal(const ola_params *p)
{
    return &p->literal;
}

uint32_t
ola_params_security(const ola_params *p)
{
    return p->security;
}

double
ola_params_log_qp(const ola_params *p)
{
    return p->log_qp;
}

ola_status
ola_ct_new(const ola_params *p, ola_ct **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL)
        return OLA_ERR_PARAM;
    ola_ct *ct = ola_alloc_zero(sizeof *ct);
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
    ola_sim_vector_free(ct->v, ct->params->slots);
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

ola_status
ola_ct_copy(ola_ct *out, const ola_ct *in)
{
    if (out == NULL || in == NULL)
        return OLA_ERR_PARAM;
    ola_status s = ola_sim_operand(out->params, in, 0);
    if (s != OLA_OK || out == in)
        return s;
    double *v = ola_sim_vector(in->params->slots);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    memcpy(v, in->v, in->params->slots * sizeof *v);
    ola_sim_set(out, in->key_id, v, in->parts, in->level, in->scale, in->trace);
    return OLA_OK;
}
