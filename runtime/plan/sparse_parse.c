/* sparse_parse.c - sparse sections of a weights file: checked once, then read by memcpy. */
#include "plan/weights_parse.h"

#include <math.h>
#include <string.h>

/* Bound on the size of a lazy sum, with room for rounding in its estimate. */
#define LAZY 0x1p61

_Static_assert(sizeof(struct ola_weights_sparse) == 32, "no padding");

static uint64_t
read_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t
columns_offset(const struct ola_weights_sparse *h)
{
    return sizeof *h + 4 * ((uint64_t)h->temps + h->rows + 1);
}

static uint64_t
values_offset(const struct ola_weights_sparse *h)
{
    return columns_offset(h) + 4 * (uint64_t)h->terms;
}

static uint64_t
bias_offset(const struct ola_weights_sparse *h)
{
    uint64_t terms = h->terms;
    return values_offset(h) + (h->kind == OLA_SPARSE_SHIFTS ? (terms + 3) / 4 * 4 : 8 * terms);
}

static bool
check_head(const struct ola_weights_sparse *h, uint64_t size)
{
    return h->cols != 0 && h->cols <= OLA_VIEW_CTS && h->rows != 0 && h->rows <= OLA_VIEW_CTS &&
           h->temps <= OLA_VIEW_TEMPS && h->kind <= OLA_SPARSE_INTEGERS && h->squared <= 1 &&
           h->has_bias <= 1 && h->reserved == 0 &&
           bias_offset(h) + (h->has_bias ? 8 * (uint64_t)h->rows : 0) == size;
}

static bool
check_term(const struct ola_sparse_view *v, uint32_t row, uint32_t t)
{
    const struct ola_weights_sparse *h = &v->head;
    uint32_t column = read_u32(v->bytes + columns_offset(h) + 4 * (size_t)t);
    uint32_t readable = h->cols + (row < h->temps ? row : h->temps);
    if (column >= readable)
        return false;
    if (h->kind == OLA_SPARSE_INTEGERS)
        return read_u64(v->bytes + values_offset(h) + 8 * (size_t)t) << 1 != 0;
    uint32_t code = v->bytes[values_offset(h) + t];
    return (code & ~OLA_SPARSE_NEGATIVE) <= OLA_SPARSE_MAX_SHIFT;
}

bool
ola_sparse_view_open(struct ola_sparse_view *v, const void *section, size_t size)
{
    *v = (struct ola_sparse_view){.bytes = section};
    if (section == NULL || size < sizeof v->head)
        return false;
    memcpy(&v->head, section, sizeof v->head);
    const struct ola_weights_sparse *h = &v->head;
    if (!check_head(h, size) || ola_sparse_view_start(v, 0) != 0)
        return false;
    for (uint32_t k = 0; k < h->temps + h->rows; k++) {
        uint32_t from = ola_sparse_view_start(v, k), to = ola_sparse_view_start(v, k + 1);
        if (to < from || to > h->terms)
            return false;
        for (uint32_t t = from; t < to; t++) {
            if (!check_term(v, k, t))
                return false;
        }
    }
    for (uint64_t at = values_offset(h) + h->terms;
         h->kind == OLA_SPARSE_SHIFTS && at < bias_offset(h); at++) {
        if (v->bytes[at] != 0)
            return false;
    }
    for (uint32_t k = 0; k < h->rows; k++) {
        if (!isfinite(ola_sparse_view_bias(v, k)))
            return false;
    }
    return ola_sparse_view_start(v, h->temps + h->rows) == h->terms;
}

uint32_t
ola_sparse_view_start(const struct ola_sparse_view *v, uint32_t k)
{
    return read_u32(v->bytes + sizeof v->head + 4 * (size_t)k);
}

struct ola_sparse_term
ola_sparse_view_term(const struct ola_sparse_view *v, uint32_t t)
{
    const struct ola_weights_sparse *h = &v->head;
    const uint8_t *value = v->bytes + values_offset(h);
    struct ola_sparse_term term = {.column =
                                       read_u32(v->bytes + columns_offset(h) + 4 * (size_t)t)};
    if (h->kind == OLA_SPARSE_SHIFTS) {
        term.negative = (value[t] & OLA_SPARSE_NEGATIVE) != 0;
        term.shift = value[t] & ~OLA_SPARSE_NEGATIVE;
        term.weight = UINT64_C(1) << term.shift;
    } else {
        uint64_t bits = read_u64(value + 8 * (size_t)t);
        term.negative = bits >> 63 != 0;
        term.weight = term.negative ? 0 - bits : bits;
    }
    return term;
}

double
ola_sparse_view_bias(const struct ola_sparse_view *v, uint32_t k)
{
    double b = 0.0;
    if (v->head.has_bias)
        memcpy(&b, v->bytes + bias_offset(&v->head) + 8 * (size_t)k, sizeof b);
    return b;
}

bool
ola_plan_sparse_lazy(double norm, uint64_t q)
{
    return norm * (double)q < LAZY;
}

static uint64_t
row_products(const struct ola_sparse_view *v, uint32_t from, uint32_t to, uint64_t q)
{
    uint64_t present = 0, products = 0;
    double norm = 0;
    for (uint32_t t = from; t < to; t++) {
        struct ola_sparse_term term = ola_sparse_view_term(v, t);
        norm += (double)term.weight;
        present |= UINT64_C(1) << term.shift;
        products += term.weight != 1;
    }
    bool lazy = v->head.kind == OLA_SPARSE_SHIFTS && ola_plan_sparse_lazy(norm, q);
    return lazy ? (uint64_t)__builtin_popcountll(present >> 1) : products;
}

void
ola_sparse_view_count(const struct ola_sparse_view *v, uint64_t q, uint64_t *additions,
                      uint64_t *products)
{
    const struct ola_weights_sparse *h = &v->head;
    *additions = *products = 0;
    for (uint32_t k = 0; k < h->temps + h->rows; k++) {
        uint32_t from = ola_sparse_view_start(v, k), to = ola_sparse_view_start(v, k + 1);
        bool bias = k >= h->temps && ola_sparse_view_bias(v, k - h->temps) != 0.0;
        *additions += from < to ? to - from - 1 + bias : 0;
        *products += row_products(v, from, to, q);
    }
}
