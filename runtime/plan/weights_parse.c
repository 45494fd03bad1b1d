/* weights_parse.c - the two kinds of sections of a weights file: checked once, then read by memcpy.
 */
#include "plan/weights_parse.h"

#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights files are read in place");
_Static_assert(sizeof(struct ola_weights_map) == 32, "no padding");
_Static_assert(sizeof(struct ola_weights_diagonal) == 40, "no padding");
_Static_assert(sizeof(struct ola_weights_poly) == 16, "no padding");

static float
read_float(const uint8_t *p)
{
    float v;
    memcpy(&v, p, sizeof v);
    return v;
}

static bool
is_period(uint32_t period, uint32_t slots)
{
    return period != 0 && (period & (period - 1)) == 0 && period <= slots;
}

/* ---- maps ------------------------------------------------------------------------------------ */

static uint64_t
folds_offset(const struct ola_weights_map *h)
{
    return sizeof *h + (uint64_t)h->n_diagonals * sizeof(struct ola_weights_diagonal);
}

static uint64_t
bias_offset(const struct ola_weights_map *h)
{
    return folds_offset(h) + (uint64_t)h->n_folds * sizeof(uint32_t);
}

static uint64_t
values_offset(const struct ola_weights_map *h)
{
    return bias_offset(h) + (uint64_t)h->out_cts * h->bias_period * sizeof(double);
}

static bool
check_map_head(const struct ola_weights_map *h, uint64_t size, uint32_t slots)
{
    return h->args != 0 && h->in_cts != 0 && h->out_cts != 0 && h->args <= OLA_VIEW_CTS &&
           (uint64_t)h->args * h->in_cts <= OLA_VIEW_CTS && h->out_cts <= OLA_VIEW_CTS &&
           h->n_folds <= OLA_VIEW_FOLDS && h->free_of_level <= 1 && h->reserved == 0 &&
           (h->bias_period == 0 || is_period(h->bias_period, slots)) && values_offset(h) <= size;
}

static bool
check_values(const struct ola_map_view *v, const struct ola_weights_diagonal *d)
{
    const uint8_t *p = v->bytes + d->offset;
    uint64_t total = 0;
    for (uint32_t k = 0; k < d->count; k++) {
        if (d->encoding == 1) {
            uint32_t run = read_u32(p);
            if (run == 0)
                return false;
            total += run;
            p += 4;
        }
        if (!isfinite(read_float(p)))
            return false;
        p += 4;
    }
    return d->encoding == 0 || total == d->period;
}

/* `named`: bytes of values that the diagonals before this one name; this one's are added. */
static bool
check_diagonal(const struct ola_map_view *v, const struct ola_weights_diagonal *d, uint32_t slots,
               uint64_t *named)
{
    const struct ola_weights_map *h = &v->head;
    if (d->arg >= h->args || d->in_ct >= h->in_cts || d->out_ct >= h->out_cts ||
        d->giant >= slots || d->baby >= slots || !is_period(d->period, slots))
        return false;
    if (h->free_of_level)
        return d->count == 0 && d->encoding == 0;
    if (d->encoding > 1 || d->count == 0 || d->count > d->period ||
        (d->encoding == 0 && d->count != d->period))
        return false;
    uint64_t bytes = (uint64_t)d->count * (d->encoding == 1 ? 8 : 4);
    *named += bytes;
    return d->offset >= values_offset(h) && d->offset <= v->size && bytes <= v->size - d->offset &&
           *named <= (uint64_t)v->size * OLA_VIEW_SHARING && check_values(v, d);
}

/* Whether b may follow a: strictly above. */
static bool
in_order(const struct ola_weights_diagonal *a, const struct ola_weights_diagonal *b)
{
    const uint32_t ka[5] = {a->out_ct, a->giant, a->arg, a->in_ct, a->baby};
    const uint32_t kb[5] = {b->out_ct, b->giant, b->arg, b->in_ct, b->baby};
    for (int k = 0; k < 5; k++) {
        if (ka[k] != kb[k])
            return ka[k] < kb[k];
    }
    return false;
}

bool
ola_map_view_open(struct ola_map_view *v, const void *section, size_t size, uint32_t slots)
{
    *v = (struct ola_map_view){.bytes = section, .size = size};
    if (section == NULL || size < sizeof v->head)
        return false;
    memcpy(&v->head, section, sizeof v->head);
    if (!check_map_head(&v->head, size, slots))
        return false;
    uint64_t named = 0;
    struct ola_weights_diagonal before = {0};
    for (uint32_t k = 0; k < v->head.n_diagonals; k++) {
        struct ola_weights_diagonal d = ola_map_view_diagonal(v, k);
        if (!check_diagonal(v, &d, slots, &named) || (k > 0 && !in_order(&before, &d)))
            return false;
        before = d;
    }
    for (uint32_t k = 0; k < v->head.n_folds; k++) {
        uint32_t step = ola_map_view_fold(v, k);
        if (step == 0 || step >= slots)
            return false;
    }
    const uint8_t *bias = v->bytes + bias_offset(&v->head);
    for (uint64_t k = 0; k < (uint64_t)v->head.out_cts * v->head.bias_period; k++) {
        double b;
        memcpy(&b, bias + k * sizeof b, sizeof b);
        if (!isfinite(b))
            return false;
    }
    return true;
}

struct ola_weights_diagonal
ola_map_view_diagonal(const struct ola_map_view *v, uint32_t k)
{
    struct ola_weights_diagonal d;
    if (v->made != NULL)
        return v->made->diagonal[k];
    memcpy(&d, v->bytes + sizeof v->head + (size_t)k * sizeof d, sizeof d);
    return d;
}

void
ola_map_view_values(const struct ola_map_view *v, const struct ola_weights_diagonal *d, double *out)
{
    if (v->head.free_of_level) {
        for (uint32_t t = 0; t < d->period; t++)
            out[t] = 1.0;
        return;
    }
    const uint8_t *p = v->bytes + d->offset;
    uint32_t t = 0;
    for (uint32_t k = 0; k < d->count; k++) {
        uint32_t run = 1;
        if (d->encoding == 1) {
            run = read_u32(p);
            p += 4;
        }
        double value = (double)read_float(p);
        p += 4;
        for (; run > 0; run--)
            out[t++] = value;
    }
}

uint32_t
ola_map_view_fold(const struct ola_map_view *v, uint32_t k)
{
    return read_u32(v->bytes + folds_offset(&v->head) + (size_t)k * sizeof(uint32_t));
}

void
ola_map_view_bias(const struct ola_map_view *v, uint32_t out_ct, double *out)
{
    size_t bytes = (size_t)v->head.bias_period * sizeof *out;
    if (bytes != 0)
        memcpy(out, v->bytes + bias_offset(&v->head) + out_ct * bytes, bytes);
}

/* ---- polynomials ----------------------------------------------------------------------------- */

/* The length at *at, checked; *at moves behind the floats. 0: broken. */
static uint32_t
next_coef(const struct ola_poly_view *v, size_t *at)
{
    if (v->size - *at < 4)
        return 0;
    uint32_t length = read_u32(v->bytes + *at);
    *at += 4;
    if ((length != 1 && length != v->head.period) || (v->size - *at) / 4 < length)
        return 0;
    *at += (size_t)length * 4;
    return length;
}

bool
ola_poly_view_open(struct ola_poly_view *v, const void *section, size_t size, uint32_t slots)
{
    *v = (struct ola_poly_view){.bytes = section, .size = size, .period = 1};
    if (section == NULL || size < sizeof v->head)
        return false;
    memcpy(&v->head, section, sizeof v->head);
    const struct ola_weights_poly *h = &v->head;
    if (h->degree == 0 || h->degree > OLA_MAX_DEGREE || h->cts == 0 || h->cts > OLA_VIEW_CTS ||
        h->reserved != 0 || !is_period(h->period, slots))
        return false;
    size_t at = sizeof *h;
    for (uint64_t k = 0; k < (uint64_t)h->cts * (h->degree + 1); k++) {
        uint32_t length = next_coef(v, &at);
        if (length == 0)
            return false;
        for (uint32_t t = 1; t <= length; t++) {
            if (!isfinite(read_float(v->bytes + at - (size_t)t * 4)))
                return false;
        }
        if (length > v->period)
            v->period = length;
    }
    return at == size && (uint64_t)h->cts * (h->degree + 1) * v->period * sizeof(float) <=
                             (uint64_t)size * OLA_VIEW_SHARING;
}

void
ola_poly_view_coefs(const struct ola_poly_view *v, uint32_t ct, double *out)
{
    size_t at = sizeof v->head;
    for (uint64_t k = 0; k < (uint64_t)ct * (v->head.degree + 1); k++)
        (void)next_coef(v, &at);
    for (uint32_t k = 0; k <= v->head.degree; k++) {
        uint32_t length = next_coef(v, &at);
        const uint8_t *p = v->bytes + at - (size_t)length * 4;
        for (uint32_t t = 0; t < v->period; t++)
            *out++ = (double)read_float(p + (size_t)(length == 1 ? 0 : t) * 4);
    }
}
