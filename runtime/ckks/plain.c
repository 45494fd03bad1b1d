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

/* Bytes of an entry in all limbs before a position. */
static size_t
width_before(const struct ola_params *p, const struct ola_plain *plain, uint32_t position)
{
    if (position <= plain->level)
        return p->width_before[position];
    uint32_t special = position - plain->level - 1;
    return p->width_before[plain->level + 1] + p->width_before[p->n_q + special] -
           p->width_before[p->n_q];
}

static char *
stored_limb(const struct ola_params *p, const struct ola_plain *plain, uint32_t position)
{
    return (char *)plain->data + width_before(p, plain, position) * plain->count;
}

static void
store_limb(const struct ola_params *p, struct ola_plain *plain, struct ola_plain_work *w,
           uint32_t period, double size, uint32_t position)
{
    const size_t block = p->n / plain->count;
    const uint32_t c = ola_position_chain(p, plain->level, position);
    if (plain->count == 1)
        w->limb[0] = ola_encoded_scalar(p, c, w->coef[0]);
    else
        ola_encoded_limb(p, c, w->coef, period, size, w->limb);
    for (size_t k = 1; plain->count > 1 && k < plain->count; k++)
        w->limb[k] = w->limb[k * block];
    ola_limb_store(stored_limb(p, plain, position), w->limb, plain->count, p->width[c]);
}

ola_status
ola_plain_new(const struct ola_params *p, struct ola_plain_work *w, const double *v,
              uint32_t period, uint32_t level, bool extended, double scale, struct ola_plain *out)
{
    period = shortest_period(v, period);
    *out = (struct ola_plain){.level = level,
                              .positions = extended ? ola_positions(p, level) : level + 1};
    if (period == 1 && v[0] == 0.0)
        return OLA_OK;
    ola_encode(p->encoder, v, period, scale, w->coef);
    const double size = ola_encoded_size(w->coef, 2 * period);
    if (!ola_encoded_fits(p, level, size))
        return OLA_ERR_RANGE;
    out->count = period == 1 ? 1 : 2 * period;
    out->bytes = width_before(p, out, out->positions) * out->count;
    out->data = ola_alloc(out->bytes);
    if (out->data == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t i = 0; i < out->positions; i++)
        store_limb(p, out, w, period, size, i);
    return OLA_OK;
}

void
ola_plain_free(struct ola_plain *plain)
{
    ola_release(plain->data, plain->bytes);
}

const uint64_t *
ola_plain_chunk(const struct ola_params *p, const struct ola_plain *plain, uint32_t position,
                size_t at, uint64_t *room)
{
    const size_t block = p->n / plain->count;
    const uint32_t width = p->width[ola_position_chain(p, plain->level, position)];
    const char *stored = stored_limb(p, plain, position) + at / block * width;
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
