/* switch.c - hybrid key switching (Han and Ki, ePrint 2019/688) in its three parts: raise the digits of a polynomial to Q P,
 * multiply them with a key, divide by P. Rounding is to the nearest everywhere: a digit is raised as its centred
 * representative, so that the noise is as small as the method allows. */
#include <string.h>

#include "ckks/server.h"

ola_status
ola_switch_reserve(struct ola_server *s, uint32_t level, uint32_t parts)
{
    const struct ola_params *p = s->params;
    size_t divide = (size_t)parts * (p->n_p + 1), raise = level + 1;
    size_t digits = ola_plan_digits(&p->literal, level), positions = ola_positions(p, level);
    ola_status status = ola_buffer_need(&s->coef, (divide > raise ? divide : raise) * p->n);
    if (status == OLA_OK)
        status = ola_buffer_need(&s->raised, digits * positions * p->n);
    if (status == OLA_OK)
        status = ola_buffer_need(&s->ext, parts * positions * p->n);
    return status;
}

/* What a digit is made of: its last limb names its basis. */
static uint32_t
digit_last(const struct ola_params *p, uint32_t level, uint32_t digit)
{
    uint32_t last = (digit + 1) * p->literal.digit_limbs - 1;
    return last < level ? last : level;
}

static void
raise_one(struct ola_server *s, uint32_t level, uint32_t digit, uint32_t position)
{
    const struct ola_params *p = s->params;
    const uint32_t first = digit * p->literal.digit_limbs;
    const struct ola_basis *b = &p->up[digit_last(p, level, digit)];
    const uint32_t c = ola_position_chain(p, level, position);
    const size_t n = p->n;
    const uint64_t *source[OLA_MAX_P];
    if (position >= first && position < first + b->k)
        return;
    for (uint32_t k = 0; k < b->k; k++)
        source[k] = s->coef.data + (first + k) * n;
    uint64_t *to = s->raised.data + ((size_t)digit * ola_positions(p, level) + position) * n;
    s->backend->convert(to, source, b->modulus, b->weight + (size_t)c * b->k, b->k, b->product[c], n,
                        ola_server_modulus(s, c));
    s->backend->ntt_forward(to, &p->ring->ntt[c]);
}

void
ola_raise(struct ola_server *s, const uint64_t *poly, uint32_t level, struct ola_raised *out)
{
    const struct ola_params *p = s->params;
    const size_t n = p->n;
    const uint32_t digits = ola_plan_digits(&p->literal, level), positions = ola_positions(p, level);
#pragma omp parallel num_threads(s->threads)
    {
#pragma omp for schedule(static)
        for (uint32_t i = 0; i <= level; i++) {
            uint64_t *y = s->coef.data + i * n;
            uint32_t digit = i / p->literal.digit_limbs;
            const struct ola_basis *b = &p->up[digit_last(p, level, digit)];
            memcpy(y, poly + i * n, n * sizeof *y);
            s->backend->ntt_inverse(y, &p->ring->ntt[i]);
            s->backend->scale(y, y, b->hat_inverse[i % p->literal.digit_limbs], n, ola_server_modulus(s, i));
        }
#pragma omp for collapse(2) schedule(static)
        for (uint32_t d = 0; d < digits; d++) {
            for (uint32_t i = 0; i < positions; i++)
                raise_one(s, level, d, i);
        }
    }
    *out = (struct ola_raised){.own = poly, .others = s->raised.data, .level = level, .digits = digits};
}

/* ext (+)= P * a' at a position of q. */
static void
lift_limb(struct ola_server *s, const uint64_t *a, const uint32_t *perm, uint32_t c, uint64_t *ext)
{
    const struct ola_params *p = s->params;
    if (perm != NULL) {
        uint64_t *temp = ola_server_temp(s);
        s->backend->permute(temp, a, perm, p->n);
        a = temp;
    }
    s->backend->scale_add(ext, a, p->by_p.product[c], p->n, ola_server_modulus(s, c));
}

static void
switch_limb(struct ola_server *s, const struct ola_switch_job *job, uint32_t position)
{
    const struct ola_params *p = s->params;
    const struct ola_raised *r = job->raised;
    const uint32_t positions = ola_positions(p, r->level), limbs = p->literal.digit_limbs;
    const uint32_t c = ola_position_chain(p, r->level, position);
    const struct ola_modulus *m = ola_server_modulus(s, c);
    const size_t n = p->n;
    const uint64_t *digit[OLA_MAX_DIGITS];
    const void *b[OLA_MAX_DIGITS], *a[OLA_MAX_DIGITS];
    for (uint32_t d = 0; d < r->digits; d++) {
        bool own = position <= r->level && position / limbs == d;
        digit[d] = own ? r->own + position * n : r->others + ((size_t)d * positions + position) * n;
        b[d] = ola_switch_limb(p, job->key, c, d, 0);
        a[d] = ola_switch_limb(p, job->key, c, d, 1);
    }
    uint64_t *ext0 = job->ext + position * n, *ext1 = ext0 + positions * n;
    uint64_t *sum0 = ext0, *sum1 = ext1;
    if (job->accumulate) {
        sum0 = ola_server_temp(s);
        sum1 = sum0 + n;
    }
    s->backend->inner(sum0, sum1, digit, b, a, r->digits, p->width[c] == 4, job->perm, n, m);
    if (job->accumulate) {
        s->backend->add(ext0, ext0, sum0, n, m);
        s->backend->add(ext1, ext1, sum1, n, m);
    }
    if (job->a0 != NULL && position <= r->level)
        lift_limb(s, job->a0 + position * n, job->perm, c, ext0);
    if (job->a1 != NULL && position <= r->level)
        lift_limb(s, job->a1 + position * n, job->perm, c, ext1);
}

/* Position by position: the digits there stay in the cache while the keys of all jobs stream by. */
void
ola_switch_run(struct ola_server *s, const struct ola_switch_job *jobs, uint32_t count)
{
    const uint32_t positions = ola_positions(s->params, jobs->raised->level);
#pragma omp parallel for collapse(2) schedule(static) num_threads(s->threads)
    for (uint32_t i = 0; i < positions; i++) {
        for (uint32_t k = 0; k < count; k++)
            switch_limb(s, &jobs[k], i);
    }
}

void
ola_switch_lift(struct ola_server *s, const uint64_t *a0, const uint64_t *a1, uint32_t level, uint64_t *ext,
                bool accumulate)
{
    const size_t n = s->params->n, positions = ola_positions(s->params, level);
    if (!accumulate)
        memset(ext, 0, 2 * positions * n * sizeof *ext);
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (uint32_t i = 0; i <= level; i++) {
        lift_limb(s, a0 + i * n, NULL, i, ext + i * n);
        lift_limb(s, a1 + i * n, NULL, i, ext + (positions + i) * n);
    }
}

/* Limb `k` of the basis of polynomial `in`, untransformed and prepared for conversion. */
static void
divide_source(struct ola_server *s, const struct ola_basis *b, uint32_t level, const uint64_t *in, uint32_t k,
              uint64_t *y)
{
    const struct ola_params *p = s->params;
    uint32_t c = b->source[k], position = c < p->n_q ? c : level + 1 + c - p->n_q;
    memcpy(y, in + (size_t)position * p->n, p->n * sizeof *y);
    s->backend->ntt_inverse(y, &p->ring->ntt[c]);
    if (b->k > 1)
        s->backend->scale(y, y, b->hat_inverse[k], p->n, b->modulus[k]);
}

static void
divide_limb(struct ola_server *s, const struct ola_basis *b, const uint64_t *coef, const uint64_t *in,
            uint32_t c, uint64_t *out)
{
    const size_t n = s->params->n;
    const struct ola_modulus *m = ola_server_modulus(s, c);
    const uint64_t *source[OLA_MAX_P + 1];
    uint64_t *remainder = ola_server_temp(s);
    for (uint32_t k = 0; k < b->k; k++)
        source[k] = coef + k * n;
    s->backend->convert(remainder, source, b->modulus, b->weight + (size_t)c * b->k, b->k, b->product[c], n, m);
    s->backend->ntt_forward(remainder, &s->params->ring->ntt[c]);
    s->backend->sub_scale(out, in, remainder, b->inverse[c], n, m);
}

void
ola_divide(struct ola_server *s, const struct ola_basis *b, uint32_t level, const uint64_t *const *in,
           uint32_t out_level, uint64_t *const *out, uint32_t count)
{
    const size_t n = s->params->n;
#pragma omp parallel num_threads(s->threads)
    {
#pragma omp for collapse(2) schedule(static)
        for (uint32_t k = 0; k < count; k++) {
            for (uint32_t i = 0; i < b->k; i++)
                divide_source(s, b, level, in[k], i, s->coef.data + (k * b->k + i) * n);
        }
#pragma omp for collapse(2) schedule(static)
        for (uint32_t k = 0; k < count; k++) {
            for (uint32_t i = 0; i <= out_level; i++)
                divide_limb(s, b, s->coef.data + (size_t)k * b->k * n, in[k] + i * n, i, out[k] + i * n);
        }
    }
}
