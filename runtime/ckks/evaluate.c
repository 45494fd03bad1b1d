/* evaluate.c - the public operations on ciphertexts: check everything, make room, then work. */
#include <math.h>
#include <string.h>

#include "ckks/encoder.h"
#include "ckks/server.h"

bool
ola_scales_equal(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

/* A value of 1 must fit, sign included. */
bool
ola_scale_fits(const struct ola_params *p, uint32_t level, double scale)
{
    return isfinite(scale) && scale > 0.0 && log2(scale) + 1.0 < p->log_q[level];
}

static bool
holds(const struct ola_server *s, const struct ola_ct *ct, uint32_t most_parts)
{
    return ct != NULL && ct->parts != 0 && ct->parts <= most_parts &&
           ola_params_equal(s->params, ct->params);
}

/* The handles of an operation on one ciphertext, or on two. */
static ola_status
check(const struct ola_server *s, const struct ola_ct *out, const struct ola_ct *a,
      uint32_t most_parts)
{
    if (s == NULL || out == NULL || !ola_params_equal(s->params, out->params) ||
        !holds(s, a, most_parts))
        return OLA_ERR_PARAM;
    return ola_server_check_key(s, a);
}

static ola_status
check_two(const struct ola_server *s, const struct ola_ct *out, const struct ola_ct *a,
          const struct ola_ct *b, uint32_t most_parts)
{
    ola_status status = check(s, out, a, most_parts);
    if (status == OLA_OK && !holds(s, b, most_parts))
        status = OLA_ERR_PARAM;
    if (status == OLA_OK && !ola_ct_same_key(a, b))
        status = OLA_ERR_OTHER_KEY;
    return status == OLA_OK && a->level != b->level ? OLA_ERR_LEVEL : status;
}

typedef void (*vector_op)(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
                          const struct ola_modulus *m);

/* Part k of out where only one operand has it. */
static void
lone_limb(struct ola_server *s, uint64_t *out, const uint64_t *a, bool negate, uint32_t c)
{
    size_t n = s->params->n;
    if (negate)
        s->backend->negate(out, a, n, ola_server_modulus(s, c));
    else if (out != a)
        memcpy(out, a, n * sizeof *out);
}

static ola_status
combine(struct ola_server *s, struct ola_ct *out, const struct ola_ct *a, const struct ola_ct *b,
        bool subtract)
{
    ola_status status = check_two(s, out, a, b, 3);
    if (status != OLA_OK)
        return status;
    if (!ola_scales_equal(a->scale, b->scale))
        return OLA_ERR_SCALE;
    const uint32_t a_parts = a->parts, b_parts = b->parts,
                   parts = a_parts > b_parts ? a_parts : b_parts;
    const uint32_t level = a->level;
    status = ola_ct_reserve(out, parts, level);
    if (status != OLA_OK)
        return status;
    vector_op op = subtract ? s->backend->sub : s->backend->add;
#pragma omp parallel for collapse(2) schedule(dynamic) num_threads(s->threads)
    for (uint32_t k = 0; k < parts; k++) {
        for (uint32_t i = 0; i <= level; i++) {
            uint64_t *to = ola_ct_limb(out, k, i);
            if (k < a_parts && k < b_parts)
                op(to, ola_ct_limb(a, k, i), ola_ct_limb(b, k, i), s->params->n,
                   ola_server_modulus(s, i));
            else if (k < a_parts)
                lone_limb(s, to, ola_ct_limb(a, k, i), false, i);
            else
                lone_limb(s, to, ola_ct_limb(b, k, i), subtract, i);
        }
    }
    ola_ct_take_key(out, a);
    out->scale = a->scale;
    s->counts.additions++;
    return OLA_OK;
}

ola_status
ola_add(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b)
{
    return combine(s, out, a, b, false);
}

ola_status
ola_sub(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b)
{
    return combine(s, out, a, b, true);
}

ola_status
ola_add_plain(ola_server *s, ola_ct *out, const ola_ct *a, const double *v, uint32_t period)
{
    ola_status status = check(s, out, a, 2);
    if (status != OLA_OK)
        return status;
    if (v == NULL || !ola_is_period(period, s->params->slots))
        return OLA_ERR_PARAM;
    double size;
    status = ola_server_encode(s, v, period, a->level, a->scale, &size);
    if (status == OLA_OK)
        status = ola_ct_copy(out, a);
    if (status != OLA_OK)
        return status;
    const double *coef = (const double *)s->piece[OLA_REAL];
    out->seeded = false;
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i <= out->level; i++) {
        uint64_t *plain = ola_server_temp(s), *to = ola_ct_limb(out, 0, i);
        ola_encoded_limb(s->params, i, coef, period, size, plain);
        s->backend->add(to, to, plain, s->params->n, ola_server_modulus(s, i));
    }
    s->counts.additions++;
    return OLA_OK;
}

/* A chunk of the three parts into temp: t[0], t[1], t[2]. */
static void
tensor_chunk(struct ola_server *s, const struct ola_ct *a, const struct ola_ct *b, uint32_t i,
             size_t at, uint64_t *const t[3])
{
    const struct ola_modulus *m = ola_server_modulus(s, i);
    const uint64_t *a1 = ola_ct_limb(a, 1, i) + at;
    const void *a0 = ola_ct_limb(a, 0, i) + at;
    const void *b0 = ola_ct_limb(b, 0, i) + at, *b1 = ola_ct_limb(b, 1, i) + at;
    s->backend->inner(t[0], t[1], &a0, &b0, &b1, 1, 0, NULL, OLA_CHUNK, m);
    if (a == b)
        s->backend->add(t[1], t[1], t[1], OLA_CHUNK, m);
    else
        s->backend->mul_add(t[1], a1, b0, OLA_CHUNK, m);
    s->backend->mul(t[2], a1, b1, OLA_CHUNK, m);
}

static void
subtract_constant(uint64_t *a, size_t n, uint64_t c, uint64_t q)
{
    for (size_t j = 0; j < n; j++) {
        uint64_t d = a[j] - c;
        a[j] = d + (q & (0 - (d >> 63)));
    }
}

void
ola_tensor(struct ola_server *s, struct ola_ct *out, const struct ola_ct *a, const struct ola_ct *b,
           uint32_t level, const uint64_t *constant)
{
    const size_t chunks = s->params->n / OLA_CHUNK;
#pragma omp parallel for collapse(2) schedule(dynamic, 8) num_threads(s->threads)
    for (uint32_t i = 0; i <= level; i++) {
        for (size_t k = 0; k < chunks; k++) {
            uint64_t *temp = ola_server_temp(s);
            uint64_t *const t[3] = {temp, temp + OLA_CHUNK, temp + 2 * OLA_CHUNK};
            tensor_chunk(s, a, b, i, k * OLA_CHUNK, t);
            for (uint32_t part = 0; constant != NULL && part < 3; part++)
                s->backend->add(t[part], t[part], t[part], OLA_CHUNK, ola_server_modulus(s, i));
            if (constant != NULL)
                subtract_constant(t[0], OLA_CHUNK, constant[i], ola_server_modulus(s, i)->q);
            for (uint32_t part = 0; part < 3; part++)
                memcpy(ola_ct_limb(out, part, i) + k * OLA_CHUNK, t[part],
                       OLA_CHUNK * sizeof *temp);
        }
    }
    s->counts.products++;
}

ola_status
ola_mul(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b)
{
    ola_status status = check_two(s, out, a, b, 2);
    if (status != OLA_OK)
        return status;
    double scale = a->scale * b->scale;
    if (!ola_scale_fits(s->params, a->level, scale))
        return OLA_ERR_SCALE;
    status = ola_ct_reserve(out, 3, a->level);
    if (status != OLA_OK)
        return status;
    const double start = ola_seconds();
    ola_tensor(s, out, a, b, out->level, NULL);
    ola_server_spent(s, OLA_KIND_PRODUCT, start);
    ola_ct_take_key(out, a);
    out->scale = scale;
    return OLA_OK;
}

/* out and in may be one: what in was is noted before out is set. */
void
ola_reduce_ct(struct ola_server *s, struct ola_ct *out, const struct ola_ct *in, bool rescale)
{
    const struct ola_params *p = s->params;
    const uint32_t level = in->level, out_level = rescale ? level - 1 : level;
    const double scale = rescale ? in->scale / (double)p->literal.q[level] : in->scale;
    uint64_t *const to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)};
    const uint64_t *const from[2] = {ola_ct_limb(in, 0, 0), ola_ct_limb(in, 1, 0)};
    if (in->parts == 3) {
        struct ola_raised raised;
        ola_raise_once(s, ola_ct_limb(in, 2, 0), level, &raised);
        struct ola_switch_job job = {
            .raised = &raised, .key = &s->keys->relin, .a0 = from[0], .a1 = from[1]};
        ola_switch_divide(s, &job, 1, rescale ? &p->by_pq[level] : &p->by_p, out_level, to);
        s->counts.relinearisations++;
    } else {
        ola_divide(s, &p->by_q[level], level, from, out_level, to, 2);
    }
    ola_ct_take_key(out, in);
    out->parts = 2;
    out->level = out_level;
    out->scale = scale;
    s->counts.rescales += rescale;
}

ola_status
ola_relinearise(ola_server *s, ola_ct *out, const ola_ct *a)
{
    ola_status status = check(s, out, a, 3);
    if (status != OLA_OK)
        return status;
    if (a->parts != 3)
        return OLA_ERR_PARAM;
    if (s->keys == NULL || !s->keys->has_relin || s->keys->relin.level < a->level)
        return OLA_ERR_KEY;
    const uint32_t level = a->level;
    status = ola_switch_reserve(s, level, 2);
    if (status == OLA_OK && out != a)
        status = ola_ct_reserve(out, 2, level);
    if (status != OLA_OK)
        return status;
    const double start = ola_seconds();
    ola_reduce_ct(s, out, a, false);
    ola_server_spent(s, OLA_KIND_PRODUCT, start);
    return OLA_OK;
}

ola_status
ola_rescale(ola_server *s, ola_ct *out, const ola_ct *a)
{
    ola_status status = check(s, out, a, 3);
    if (status != OLA_OK)
        return status;
    if (a->level == 0)
        return OLA_ERR_LEVEL;
    const uint32_t level = a->level, parts = a->parts;
    status = ola_switch_reserve(s, level, 3);
    if (status == OLA_OK && out != a)
        status = ola_ct_reserve(out, parts, level - 1);
    if (status != OLA_OK)
        return status;
    const uint64_t *from[3];
    uint64_t *to[3];
    for (uint32_t k = 0; k < parts; k++) {
        from[k] = ola_ct_limb(a, k, 0);
        to[k] = ola_ct_limb(out, k, 0);
    }
    const double start = ola_seconds();
    ola_divide(s, &s->params->by_q[level], level, from, level - 1, to, parts);
    ola_server_spent(s, OLA_KIND_PRODUCT, start);
    ola_ct_take_key(out, a);
    out->scale = a->scale / (double)s->params->literal.q[level];
    out->level = level - 1;
    out->seeded = false;
    s->counts.rescales++;
    return OLA_OK;
}

ola_status
ola_drop(ola_server *s, ola_ct *out, const ola_ct *a, uint32_t level)
{
    ola_status status = check(s, out, a, 3);
    if (status != OLA_OK)
        return status;
    if (level > a->level)
        return OLA_ERR_LEVEL;
    if (!ola_scale_fits(s->params, level, a->scale))
        return OLA_ERR_SCALE;
    if (out != a) {
        const size_t bytes = (size_t)(level + 1) * s->params->n * sizeof *a->data;
        status = ola_ct_reserve(out, a->parts, level);
        if (status != OLA_OK)
            return status;
        for (uint32_t k = 0; k < a->parts; k++)
            memcpy(ola_ct_limb(out, k, 0), ola_ct_limb(a, k, 0), bytes);
        ola_ct_take_key(out, a);
        out->scale = a->scale;
    }
    out->level = level;
    out->seeded = a->seeded;
    memmove(out->seed, a->seed, sizeof out->seed);
    return OLA_OK;
}

ola_status
ola_relabel(ola_server *s, ola_ct *out, const ola_ct *a, double factor)
{
    ola_status status = check(s, out, a, 2);
    if (status != OLA_OK)
        return status;
    if (!isfinite(factor) || !(factor > 0.0))
        return OLA_ERR_PARAM;
    double scale = a->scale / factor;
    if (!ola_scale_fits(s->params, a->level, scale))
        return OLA_ERR_SCALE;
    status = ola_ct_copy(out, a);
    if (status == OLA_OK)
        out->scale = scale;
    return status;
}

void
ola_rotate_ct(struct ola_server *s, struct ola_ct *out, const struct ola_ct *in,
              const struct ola_switch *key)
{
    struct ola_raised raised;
    ola_raise_once(s, ola_ct_limb(in, 1, 0), in->level, &raised);
    struct ola_switch_job job = {
        .raised = &raised, .key = key, .perm = key->perm, .a0 = ola_ct_limb(in, 0, 0)};
    uint64_t *const to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)};
    ola_switch_divide(s, &job, 1, &s->params->by_p, in->level, to);
    ola_ct_take_key(out, in);
    out->scale = in->scale;
    out->seeded = false;
    s->counts.rotations++;
}

ola_status
ola_rotate(ola_server *s, ola_ct *out, const ola_ct *a, uint32_t step)
{
    ola_status status = check(s, out, a, 2);
    if (status != OLA_OK)
        return status;
    if (step >= s->params->slots)
        return OLA_ERR_PARAM;
    if (step == 0)
        return ola_ct_copy(out, a);
    const struct ola_switch *key = ola_keys_rotation(s->keys, step, a->level);
    if (key == NULL)
        return OLA_ERR_KEY;
    status = ola_switch_reserve(s, a->level, 2);
    if (status == OLA_OK && out != a)
        status = ola_ct_reserve(out, 2, a->level);
    if (status != OLA_OK)
        return status;
    const double start = ola_seconds();
    ola_rotate_ct(s, out, a, key);
    ola_server_spent(s, OLA_KIND_PRODUCT, start);
    return OLA_OK;
}
