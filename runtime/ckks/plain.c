/* plain.c - encoded plaintexts. */
#include "ckks/plain.h"

#include "ckks/encoder.h"

ola_status
ola_plain_work_new(struct ola_plain_work *w, uint32_t n)
{
    *w = (struct ola_plain_work){.n = n};
    w->coef = ola_alloc(n * sizeof *w->coef);
    w->limb = ola_alloc(n * sizeof *w->limb);
    if (w->coef != NULL && w->limb != NULL)
        return OLA_OK;
    ola_plain_work_free(w);
    return OLA_ERR_NOMEM;
}

void
ola_plain_work_free(struct ola_plain_work *w)
{
    ola_release(w->coef, w->n * sizeof *w->coef);
    ola_release(w->limb, w->n * sizeof *w->limb);
}

/* The shortest period of v, a power of two. */
static uint32_t
shortest_period(const double *v, uint32_t period)
{
    while (period > 1) {
        for (uint32_t t = 0; t < period / 2; t++) {
            if (v[t] != v[t + period / 2])
                return period;
        }
        period /= 2;
    }
    return 1;
}

/* Where limb i starts. */
static char *
stored_limb(const struct ola_params *p, const struct ola_plain *plain, uint32_t i)
{
    return (char *)plain->data + (size_t)p->width_before[i] * plain->count;
}

static void
store_limb(const struct ola_params *p, struct ola_plain *plain, struct ola_plain_work *w, uint32_t period,
           double size, uint32_t i)
{
    const size_t block = p->n / plain->count;
    if (plain->count == 1)
        w->limb[0] = ola_encoded_scalar(p, i, w->coef[0]);
    else
        ola_encoded_limb(p, i, w->coef, period, size, w->limb);
    for (size_t k = 1; plain->count > 1 && k < plain->count; k++)
        w->limb[k] = w->limb[k * block];
    ola_limb_store(stored_limb(p, plain, i), w->limb, plain->count, p->width[i]);
}

ola_status
ola_plain_new(const struct ola_params *p, struct ola_plain_work *w, const double *v, uint32_t period,
              uint32_t level, double scale, struct ola_plain *out)
{
    period = shortest_period(v, period);
    *out = (struct ola_plain){.level = level};
    if (period == 1 && v[0] == 0.0)
        return OLA_OK;
    ola_encode(p->encoder, v, period, scale, w->coef);
    const double size = ola_encoded_size(w->coef, 2 * period);
    if (!ola_encoded_fits(p, level, size))
        return OLA_ERR_RANGE;
    out->count = period == 1 ? 1 : 2 * period;
    out->bytes = (size_t)p->width_before[level + 1] * out->count;
    out->data = ola_alloc(out->bytes);
    if (out->data == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t i = 0; i <= level; i++)
        store_limb(p, out, w, period, size, i);
    return OLA_OK;
}

void
ola_plain_free(struct ola_plain *plain)
{
    ola_release(plain->data, plain->bytes);
}

const uint64_t *
ola_plain_chunk(const struct ola_params *p, const struct ola_plain *plain, uint32_t i, size_t at, uint64_t *room)
{
    const size_t block = p->n / plain->count;
    const uint32_t width = p->width[i];
    const char *stored = stored_limb(p, plain, i) + at / block * width;
    if (block == 1 && width == 8)
        return (const uint64_t *)(const void *)stored;
    if (block == 1) {
        ola_limb_load(room, stored, OLA_CHUNK, width);
        return room;
    }
    for (size_t j = 0; j < OLA_CHUNK;) {
        uint64_t value;
        ola_limb_load(&value, stored, 1, width);
        stored += width;
        for (size_t end = block < OLA_CHUNK ? j + block : OLA_CHUNK; j < end; j++)
            room[j] = value;
    }
    return room;
}
