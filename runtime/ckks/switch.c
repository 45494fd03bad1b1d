/* switch.c - hybrid key switching (Han and Ki, ePrint 2019/688) in its three parts: raise the
 * digits of a polynomial to Q P, multiply them with a key, divide by P. Rounding is to the nearest
 * everywhere: a digit is raised as its centred representative, so that the noise is as small as the
 * method allows. */
#include <string.h>

#include "ckks/server.h"

/* Of raised digits at one position that are made and used at once: more would not stay in the
 * second cache. */
#define CACHE_WORDS ((size_t)1 << 17)

/* That a limb is cut into, where no transform holds it together: shares that no thread waits for
 * long. */
#define PARTS 4u

void
ola_switch_room(const struct ola_params *p, uint32_t level, uint32_t parts,
                size_t words[OLA_PIECES])
{
    size_t divide = (size_t)parts * (p->n_p + 1), raise = level + 1;
    size_t digits = p->digit_of[level] + 1, positions = ola_positions(p, level);
    words[OLA_COEF] = (divide > raise ? divide : raise) * p->n;
    words[OLA_DIGIT_MULTIPLES] = digits * p->n / sizeof(uint64_t);
    words[OLA_PART_MULTIPLES] = parts * (size_t)p->n / sizeof(uint64_t);
    words[OLA_RAISED] = digits * positions * p->n;
    words[OLA_EXT] = 2 * positions * p->n;
}

ola_status
ola_switch_reserve(struct ola_server *s, uint32_t level, uint32_t parts)
{
    size_t words[OLA_PIECES] = {0};
    ola_switch_room(s->params, level, parts, words);
    return ola_server_room(s, words);
}

/* What a digit is made of: its last limb names its basis. */
static uint32_t
digit_last(const struct ola_params *p, uint32_t level, uint32_t digit)
{
    uint32_t last = p->digit_first[digit + 1] - 1;
    return last < level ? last : level;
}

/* Multiples of a basis in numbers of digits, or of polynomials to be divided. */
static uint8_t *
multiples_of(const struct ola_server *s, enum ola_piece piece, uint32_t number)
{
    return (uint8_t *)s->piece[piece] + (size_t)number * s->params->n;
}

/* sources[] of limbs that lie together. */
static void
list_sources(const struct ola_server *s, const uint64_t *coef, uint32_t k, const uint64_t **source)
{
    for (uint32_t i = 0; i < k; i++)
        source[i] = coef + (size_t)i * s->params->n;
}

/* Entries at .. at + OLA_CHUNK - 1 of what a conversion out of a basis takes off. */
static void
find_multiples(struct ola_server *s, const struct ola_basis *b, const uint64_t *coef, size_t at,
               uint8_t *multiples)
{
    const uint64_t *source[OLA_MAX_P + 1];
    list_sources(s, coef + at, b->k, source);
    s->backend->multiples(multiples + at, source, b->modulus, b->k, OLA_CHUNK);
}

void
ola_convert_limb(struct ola_server *s, const struct ola_basis *b, const uint64_t *coef,
                 const uint8_t *multiples, uint32_t c, uint64_t *to)
{
    const uint64_t *source[OLA_MAX_P + 1];
    list_sources(s, coef, b->k, source);
    s->backend->convert(to, source, b->weight + (size_t)c * b->k, b->k, multiples, b->product[c],
                        s->params->n, ola_server_modulus(s, c));
    s->backend->ntt_forward(to, &s->params->ring->ntt[c]);
}

/* A digit at a position that is not its own; coef: all limbs, prepared. */
static void
raise_one(struct ola_server *s, const uint64_t *coef, uint32_t level, uint32_t digit,
          uint32_t position, uint64_t *to)
{
    const struct ola_params *p = s->params;
    ola_convert_limb(
        s, &p->up[digit_last(p, level, digit)], coef + (size_t)p->digit_first[digit] * p->n,
        multiples_of(s, OLA_DIGIT_MULTIPLES, digit), ola_position_chain(p, level, position), to);
}

/* All limbs untransformed and prepared for conversion, with what it takes off; by all threads of a
 * team. */
static void
prepare_digits(struct ola_server *s, const uint64_t *poly, uint32_t level, uint64_t *coef)
{
    const struct ola_params *p = s->params;
    const uint32_t digits = p->digit_of[level] + 1;
    const size_t n = p->n;
#pragma omp for schedule(dynamic)
    for (uint32_t i = 0; i <= level; i++) {
        const struct ola_basis *b = &p->up[digit_last(p, level, p->digit_of[i])];
        s->backend->ntt_inverse_scaled(coef + i * n, poly + i * n,
                                       b->hat_inverse[i - p->digit_first[p->digit_of[i]]],
                                       &p->ring->ntt[i]);
    }
#pragma omp for collapse(2) schedule(dynamic, 8)
    for (uint32_t d = 0; d < digits; d++) {
        for (size_t at = 0; at < n; at += OLA_CHUNK)
            find_multiples(s, &p->up[digit_last(p, level, d)], coef + (size_t)p->digit_first[d] * n,
                           at, multiples_of(s, OLA_DIGIT_MULTIPLES, d));
    }
}

static bool
is_own(const struct ola_params *p, uint32_t level, uint32_t digit, uint32_t position)
{
    return position <= level && p->digit_of[position] == digit;
}

/* Position by position, so that the roots of a prime are read once for all digits. */
void
ola_raise(struct ola_server *s, const uint64_t *poly, uint32_t level, struct ola_raised *out)
{
    const struct ola_params *p = s->params;
    const size_t n = p->n;
    const uint32_t digits = p->digit_of[level] + 1, positions = ola_positions(p, level);
    uint64_t *coef = s->piece[OLA_COEF], *others = s->piece[OLA_RAISED];
#pragma omp parallel num_threads(s->threads)
    {
        prepare_digits(s, poly, level, coef);
#pragma omp for collapse(2) schedule(dynamic)
        for (uint32_t i = 0; i < positions; i++) {
            for (uint32_t d = 0; d < digits; d++)
                if (!is_own(p, level, d, i))
                    raise_one(s, coef, level, d, i, others + ((size_t)i * digits + d) * n);
        }
    }
    *out = (struct ola_raised){.own = poly, .others = others, .level = level, .digits = digits};
}

/* In the room of the raised digits there are the prepared limbs, then a limb of each digit for each
 * thread: where that is no more room than all of them take, and a thread's limbs fit its cache. */
void
ola_raise_once(struct ola_server *s, const uint64_t *poly, uint32_t level, struct ola_raised *out)
{
    const size_t n = s->params->n;
    const uint32_t digits = s->params->digit_of[level] + 1;
    uint64_t *coef = s->piece[OLA_RAISED];
    if (digits * n > CACHE_WORDS ||
        level + 1 + (uint32_t)s->threads * digits > digits * ola_positions(s->params, level)) {
        ola_raise(s, poly, level, out);
        return;
    }
#pragma omp parallel num_threads(s->threads)
    prepare_digits(s, poly, level, coef);
    *out = (struct ola_raised){.own = poly, .coef = coef, .level = level, .digits = digits};
}

/* digit[d] = digit d at a position. */
static void
digits_at(struct ola_server *s, const struct ola_raised *r, uint32_t position, const void **digit)
{
    const struct ola_params *p = s->params;
    const size_t n = p->n;
    for (uint32_t d = 0; d < r->digits; d++) {
        if (is_own(p, r->level, d, position)) {
            digit[d] = r->own + position * n;
        } else if (r->coef == NULL) {
            digit[d] = r->others + ((size_t)position * r->digits + d) * n;
        } else {
            uint64_t *to =
                s->piece[OLA_RAISED] + (r->level + 1 + (size_t)ola_thread() * r->digits + d) * n;
            raise_one(s, r->coef, r->level, d, position, to);
            digit[d] = to;
        }
    }
}

/* sum += P * part of a', a limb of q. */
static void
lift_entries(struct ola_server *s, const uint64_t *a, const uint32_t *perm, uint32_t c,
             struct ola_part part, uint64_t *sum, uint64_t *spare)
{
    if (perm != NULL)
        s->backend->permute(spare, a, perm + part.first, part.count);
    s->backend->scale_add(sum, perm == NULL ? a + part.first : spare, s->params->by_p.product[c],
                          part.count, ola_server_modulus(s, c));
}

/* Of a limb of a key, from entry `first` on. */
static const void *
key_entries(const struct ola_params *p, const struct ola_switch *key, uint32_t c, uint32_t digit,
            uint32_t half, size_t first)
{
    return (const char *)ola_switch_limb(p, key, c, digit, half) + first * p->width[c];
}

void
ola_switch_part(struct ola_server *s, const struct ola_switch_job *job, struct ola_part part,
                uint64_t *sum0, uint64_t *sum1, bool accumulate, uint64_t *spare)
{
    const struct ola_params *p = s->params;
    const struct ola_raised *r = job->raised;
    const uint32_t c = ola_position_chain(p, r->level, part.position);
    const size_t at = part.position * (size_t)p->n;
    const uint32_t *perm = job->perm == NULL ? NULL : job->perm + part.first;
    const void *digit[OLA_MAX_DIGITS], *b[OLA_MAX_DIGITS], *a[OLA_MAX_DIGITS];
    digits_at(s, r, part.position, digit);
    for (uint32_t d = 0; d < r->digits; d++) {
        if (perm == NULL)
            digit[d] = (const uint64_t *)digit[d] + part.first;
        b[d] = key_entries(p, job->key, c, d, 0, part.first);
        a[d] = key_entries(p, job->key, c, d, 1, part.first);
    }
    const uint32_t how =
        (p->width[c] == 4 ? OLA_INNER_NARROW_B : 0) | (accumulate ? OLA_INNER_ADD : 0);
    s->backend->inner(sum0, sum1, digit, b, a, r->digits, how, perm, part.count,
                      ola_server_modulus(s, c));
    if (job->a0 != NULL && part.position <= r->level)
        lift_entries(s, job->a0 + at, job->perm, c, part, sum0, spare);
    if (job->a1 != NULL && part.position <= r->level)
        lift_entries(s, job->a1 + at, job->perm, c, part, sum1, spare);
}

static void
switch_limb(struct ola_server *s, const struct ola_switch_job *job, uint32_t position,
            uint64_t *sum0, uint64_t *sum1, uint64_t *spare)
{
    const struct ola_part whole = {.position = position, .count = s->params->n};
    ola_switch_part(s, job, whole, sum0, sum1, false, spare);
}

void
ola_switch_add(struct ola_server *s, const struct ola_switch_job *jobs, uint32_t count,
               uint64_t *const *ext, bool accumulate)
{
    const size_t n = s->params->n, positions = ola_positions(s->params, jobs->raised->level);
    const uint32_t parts = jobs->raised->coef == NULL ? PARTS : 1, entries = (uint32_t)n / parts;
#pragma omp parallel for collapse(3) schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i < positions; i++) {
        for (uint32_t k = 0; k < count; k++) {
            for (uint32_t part = 0; part < parts; part++) {
                const struct ola_part w = {i, part * entries, entries};
                uint64_t *to = ext[k] + i * n + w.first;
                ola_switch_part(s, &jobs[k], w, to, to + positions * n, accumulate,
                                ola_server_temp(s));
            }
        }
    }
}

void
ola_switch_lift(struct ola_server *s, const uint64_t *a0, const uint64_t *a1, uint32_t level,
                uint64_t *ext, bool accumulate)
{
    const size_t n = s->params->n, positions = ola_positions(s->params, level);
    if (!accumulate)
        memset(ext, 0, 2 * positions * n * sizeof *ext);
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i <= level; i++) {
        const struct ola_part whole = {.position = i, .count = s->params->n};
        lift_entries(s, a0 + i * n, NULL, i, whole, ext + i * n, NULL);
        lift_entries(s, a1 + i * n, NULL, i, whole, ext + (positions + i) * n, NULL);
    }
}

/* ---- division ---- */

static uint32_t
source_position(const struct ola_params *p, const struct ola_basis *b, uint32_t level, uint32_t k)
{
    const uint32_t c = b->source[k];
    return c < p->n_q ? c : level + 1 + c - p->n_q;
}

/* Limb k of a basis, untransformed and prepared for conversion; y may be the limb. */
static void
prepare_source(struct ola_server *s, const struct ola_basis *b, uint32_t k, const uint64_t *limb,
               uint64_t *y)
{
    s->backend->ntt_inverse_scaled(y, limb, b->hat_inverse[k], &s->params->ring->ntt[b->source[k]]);
}

/* What conversions of `count` polynomials take off, their prepared sources in OLA_COEF; by all
 * threads of a team. */
static void
find_part_multiples(struct ola_server *s, const struct ola_basis *b, uint32_t count)
{
    const size_t n = s->params->n;
#pragma omp for collapse(2) schedule(dynamic, 8)
    for (uint32_t k = 0; k < count; k++) {
        for (size_t at = 0; at < n; at += OLA_CHUNK)
            find_multiples(s, b, s->piece[OLA_COEF] + (size_t)k * b->k * n, at,
                           multiples_of(s, OLA_PART_MULTIPLES, k));
    }
}

/* out = (in - its remainder modulo the basis) / B modulo prime c, of polynomial number `part`. */
static void
divide_limb(struct ola_server *s, const struct ola_basis *b, uint32_t part, const uint64_t *in,
            uint32_t c, uint64_t *out, uint64_t *remainder)
{
    const size_t n = s->params->n;
    ola_convert_limb(s, b, s->piece[OLA_COEF] + (size_t)part * b->k * n,
                     multiples_of(s, OLA_PART_MULTIPLES, part), c, remainder);
    s->backend->sub_scale(out, in, remainder, b->inverse[c], n, ola_server_modulus(s, c));
}

void
ola_divide(struct ola_server *s, const struct ola_basis *b, uint32_t level,
           const uint64_t *const *in, uint32_t out_level, uint64_t *const *out, uint32_t count)
{
    const struct ola_params *p = s->params;
    const size_t n = p->n;
#pragma omp parallel num_threads(s->threads)
    {
#pragma omp for collapse(2) schedule(dynamic)
        for (uint32_t k = 0; k < count; k++) {
            for (uint32_t i = 0; i < b->k; i++)
                prepare_source(s, b, i, in[k] + source_position(p, b, level, i) * n,
                               s->piece[OLA_COEF] + (k * b->k + i) * n);
        }
        find_part_multiples(s, b, count);
#pragma omp for collapse(2) schedule(dynamic)
        for (uint32_t k = 0; k < count; k++) {
            for (uint32_t i = 0; i <= out_level; i++)
                divide_limb(s, b, k, in[k] + i * n, i, out[k] + i * n, ola_server_temp(s));
        }
    }
}

/* Position by position: the digits there stay in the cache while the keys of all jobs stream by,
 * and the sums never leave it. */
void
ola_switch_divide(struct ola_server *s, const struct ola_switch_job *jobs, uint32_t count,
                  const struct ola_basis *b, uint32_t out_level, uint64_t *const *out)
{
    const struct ola_params *p = s->params;
    const size_t n = p->n;
    const uint32_t level = jobs->raised->level;
#pragma omp parallel num_threads(s->threads)
    {
#pragma omp for collapse(2) schedule(dynamic)
        for (uint32_t i = 0; i < b->k; i++) {
            for (uint32_t k = 0; k < count; k++) {
                uint64_t *y0 = s->piece[OLA_COEF] + (2 * k * b->k + i) * n, *y1 = y0 + b->k * n;
                switch_limb(s, &jobs[k], source_position(p, b, level, i), y0, y1,
                            ola_server_temp(s));
                prepare_source(s, b, i, y0, y0);
                prepare_source(s, b, i, y1, y1);
            }
        }
        find_part_multiples(s, b, 2 * count);
#pragma omp for collapse(2) schedule(dynamic)
        for (uint32_t i = 0; i <= out_level; i++) {
            for (uint32_t k = 0; k < count; k++) {
                uint64_t *t = ola_server_temp(s);
                switch_limb(s, &jobs[k], i, t, t + n, t + 2 * n);
                divide_limb(s, b, 2 * k, t, i, out[2 * k] + i * n, t + 2 * n);
                divide_limb(s, b, 2 * k + 1, t + n, i, out[2 * k + 1] + i * n, t + 2 * n);
            }
        }
    }
}
