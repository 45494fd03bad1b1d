/* plain.c - encoded plaintexts. */
#include "ckks/plain.h"

#include "ckks/encoder.h"

#include <math.h>

/* Coefficients of a compact plaintext are below this, so that adding a multiple of a prime makes
 * what the kernel `reduce` takes. */
#define MOST_COMPACT 0x1p50

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

/* The shortest period of v + i im, a power of two. */
static uint32_t
shortest_period(const double *v, const double *im, uint32_t period)
{
    while (period > 1) {
        for (uint32_t t = 0; t < period / 2; t++) {
            if (v[t] != v[t + period / 2] || (im != NULL && im[t] != im[t + period / 2]))
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

/* Rounds w->coef into out->data. */
static ola_status
store_coefficients(const struct ola_plain_work *w, double size, struct ola_plain *out)
{
    out->width = size < 0x1p31 - 1.0 ? 4 : 8;
    out->bytes = (size_t)out->count * out->width;
    out->data = ola_alloc(out->bytes);
    if (out->data == NULL)
        return OLA_ERR_NOMEM;
    int32_t *narrow = out->data;
    int64_t *wide = out->data;
    for (uint32_t k = 0; k < out->count; k++) {
        if (out->width == 4)
            narrow[k] = (int32_t)rint(w->coef[k]);
        else
            wide[k] = (int64_t)rint(w->coef[k]);
    }
    return OLA_OK;
}

ola_status
ola_plain_new(const struct ola_params *p, struct ola_plain_work *w, const double *v,
              uint32_t period, struct ola_plain_kind kind, struct ola_plain *out)
{
    return ola_plain_complex(p, w, v, NULL, period, kind, out);
}

ola_status
ola_plain_complex(const struct ola_params *p, struct ola_plain_work *w, const double *v,
                  const double *im, uint32_t period, struct ola_plain_kind kind,
                  struct ola_plain *out)
{
    const uint32_t level = kind.level;
    period = shortest_period(v, im, period);
    const bool real = im == NULL || (period == 1 && im[0] == 0.0);
    *out = (struct ola_plain){.level = level,
                              .positions = kind.extended ? ola_positions(p, level) : level + 1};
    if (period == 1 && real && v[0] == 0.0)
        return OLA_OK;
    ola_encode_complex(p->encoder, v, im, period, kind.scale, w->coef);
    const double size = ola_encoded_size(w->coef, 2 * period);
    if (!ola_encoded_fits(p, level, size))
        return OLA_ERR_RANGE;
    out->count = period == 1 && real ? 1 : 2 * period;
    if (kind.compact && period > 1 && size < MOST_COMPACT)
        return store_coefficients(w, size, out);
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

/* A polynomial in X^(N / count) has the transform of the ring of degree count, whose tables begin
 * those of the ring of degree N; the kernels want a degree of 1024 at least, at which fewer
 * coefficients lie apart. */
static struct ola_plain_limb
transform(const struct ola_params *p, const struct ola_plain *plain, uint32_t c, uint64_t *limb)
{
    const struct ola_backend *k = ola_backend();
    struct ola_ntt t = p->ring->ntt[c];
    const uint32_t count = plain->count > OLA_CHUNK ? plain->count : OLA_CHUNK;
    t.log_n = (uint32_t)__builtin_ctz(count);
    if (count == plain->count) {
        k->from_signed(limb, plain->data, plain->width, count, &t.mod);
    } else {
        _Alignas(64) int64_t apart[OLA_CHUNK] = {0};
        const int32_t *narrow = plain->data;
        const int64_t *wide = plain->data;
        for (uint32_t i = 0; i < plain->count; i++)
            apart[i * (count / plain->count)] = plain->width == 4 ? narrow[i] : wide[i];
        k->from_signed(limb, apart, sizeof *apart, count, &t.mod);
    }
    k->ntt_forward(limb, &t);
    return (struct ola_plain_limb){limb, count, sizeof *limb};
}

struct ola_plain_limb
ola_plain_limb(const struct ola_params *p, const struct ola_plain *plain, uint32_t position,
               uint64_t *room)
{
    const uint32_t c = ola_position_chain(p, plain->level, position);
    if (plain->width != 0)
        return transform(p, plain, c, room);
    return (struct ola_plain_limb){stored_limb(p, plain, position), plain->count, p->width[c]};
}

const void *
ola_plain_entries(const struct ola_params *p, struct ola_plain_limb limb, size_t at, void *room)
{
    const size_t block = p->n / limb.count;
    const void *stored = (const char *)limb.data + at / block * limb.width;
    if (block == 1)
        return stored;
    ola_backend()->repeat(room, stored, (uint32_t)__builtin_ctzll(block), limb.width, OLA_CHUNK);
    return room;
}

const uint64_t *
ola_plain_chunk(const struct ola_params *p, struct ola_plain_limb limb, size_t at, uint64_t *room)
{
    _Alignas(64) uint32_t narrow[OLA_CHUNK];
    if (limb.width == 8)
        return ola_plain_entries(p, limb, at, room);
    ola_limb_load(room, ola_plain_entries(p, limb, at, narrow), OLA_CHUNK, limb.width);
    return room;
}
