/* reals.h - kernels that hold a residue as an integer in a double, for CPUs whose vectors of
 * doubles are their fastest multipliers. A backend's file defines vectors of doubles, includes this
 * file, and fills its struct with OLA_REALS_KERNELS.
 *
 * A residue is anywhere in (-2^52, 2^52), exact. A product y * w is taken as h + l, h rounded and l
 * what the fused multiply-add finds missing; b = round(h / q) is within 1/2 + 3 * 2^-53 |y| of
 * y * w / q for 0 <= w < q, so that h - b q + l, all of it exact, is y * w mod q and below
 * (1/2 + 3 * 2^-53 |y|) q in size. Needs rounding to nearest, and no contraction beyond what is
 * written (-ffp-contract=off). Conversions, whose fractions are integers, and what plain C does as
 * well are left to portable.c.
 *
 * What a backend's file defines, OLA_REALS:
 *   LANES, reals                      2 or 4 doubles
 *   load(p), load_narrow(p)           integers in [0, 2^52), of 8 or 4 bytes, to doubles
 *   gather(a, index, j)               the same of a[index[j]], a[index[j + 1]] ...
 *   splat(v), splat_pairs(p)          v in every lane; p[0] p[0] (p[1] p[1])
 *   peek(p), poke(p, v)               doubles kept in words, as they are
 *   store_positive(p, v)              integers in [0, 2^52) from doubles to words
 *   add, sub, mul(a, b)
 *   mul_sub(a, b, c), sub_mul(c, a, b)   a b - c and c - a b, rounded once
 *   nearest(v)                        to integers
 *   add_where_negative(v, a)          v + a where v < 0, else v
 *   to_halves(u, v, &x, &y)           u, v = A0 A1 A2 A3 (B0 ...): x = A0 A1 (B0 B1), y = A2 A3
 *                                     (B2 B3); from_halves(x, y, &u, &v): back
 *   interleave(x, y, &u, &v)          u = x0 y0 (x2 y2), v = x1 y1 (x3 y3): its own inverse */
#ifndef OLA_REALS_H
#define OLA_REALS_H

#include <string.h>

#define BASE_BLOCKS (LANES / 2) /* blocks of four words in two vectors */

/* One prime, in every lane. */
struct lanes {
    reals q, inverse;
};

OLA_REALS struct lanes
lanes_make(const struct ola_modulus *m)
{
    struct lanes l = {splat((double)m->q), splat(m->inverse)};
    return l;
}

/* y * w mod q; range above. */
OLA_REALS reals
times(reals y, reals w, const struct lanes *l)
{
    reals high = mul(y, w), low = mul_sub(y, w, high);
    reals quotient = nearest(mul(high, l->inverse));
    return add(sub_mul(high, quotient, l->q), low);
}

/* v mod q, at most (1/2 + 2^-52 |v|) q in size. */
OLA_REALS reals
reduced(reals v, const struct lanes *l)
{
    return sub_mul(v, nearest(mul(v, l->inverse)), l->q);
}

/* Stores v, above -q and below q, as residues in [0, q). */
OLA_REALS void
store_residues(uint64_t *p, reals v, const struct lanes *l)
{
    store_positive(p, add_where_negative(v, l->q));
}

/* ---- transforms: between passes the array holds doubles ---- */

OLA_REALS void
forward2(reals *x, reals *y, reals w, const struct lanes *l)
{
    reals product = times(*y, w, l);
    *y = sub(*x, product);
    *x = add(*x, product);
}

/* Two stages over a block of 4 * quarter words, k: the index of its first factor. Values enter
 * below 4q in size (below q when `first`, as integers) and leave below 2.6q: x is reduced to q / 2,
 * the products are below 1.25q and then 0.85q. */
OLA_REALS void
forward_pass4(uint64_t *a, size_t quarter, const uint64_t *w, size_t k, const struct lanes *l,
              int first)
{
    const reals w1 = splat((double)w[k]), w2 = splat((double)w[2 * k]),
                w3 = splat((double)w[2 * k + 1]);
    for (size_t j = 0; j < quarter; j += LANES) {
        reals v[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            v[i] = first ? load(a + j + i * quarter) : peek(a + j + i * quarter);
        if (!first) {
            v[0] = reduced(v[0], l);
            v[1] = reduced(v[1], l);
        }
        forward2(&v[0], &v[2], w1, l);
        forward2(&v[1], &v[3], w1, l);
        forward2(&v[0], &v[1], w2, l);
        forward2(&v[2], &v[3], w3, l);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            poke(a + j + i * quarter, v[i]);
    }
}

/* One stage more where their number is odd: from below 2.6q to below 4q. */
static void
forward_pass2(uint64_t *a, size_t half, const uint64_t *w, size_t k, const struct lanes *l)
{
    const reals w1 = splat((double)w[k]);
    for (size_t j = 0; j < half; j += LANES) {
        reals x = peek(a + j), y = peek(a + j + half);
        forward2(&x, &y, w1, l);
        poke(a + j, x);
        poke(a + j + half, y);
    }
}

/* The last two stages on 2 * LANES words; k: the index of the factor of their first stage. */
OLA_REALS void
forward_base(uint64_t *a, const uint64_t *w, size_t k, const struct lanes *l)
{
    reals x, y, u, v;
    to_halves(peek(a), peek(a + LANES), &x, &y);
    x = reduced(x, l);
    forward2(&x, &y, splat_pairs(w + k), l);
    interleave(x, y, &u, &v);
    forward2(&u, &v, load(w + 2 * k), l);
    interleave(reduced(u, l), reduced(v, l), &x, &y);
    from_halves(x, y, &u, &v);
    store_residues(a, u, l);
    store_residues(a + LANES, v, l);
}

static void
reals_ntt_forward(uint64_t *a, const struct ola_ntt *t)
{
    const struct lanes l = lanes_make(&t->mod);
    const size_t n = (size_t)1 << t->log_n;
    size_t blocks = 4, length = n / 4; /* of what is still to be done */
    forward_pass4(a, length, t->w, 1, &l, 1);
    for (; length > 8; blocks *= 4, length /= 4)
        for (size_t b = 0; b < blocks; b++)
            forward_pass4(a + b * length, length / 4, t->w, blocks + b, &l, 0);
    if (length == 8) {
        for (size_t b = 0; b < blocks; b++)
            forward_pass2(a + b * length, length / 2, t->w, blocks + b, &l);
        blocks *= 2;
    }
    for (size_t b = 0; b < blocks; b += BASE_BLOCKS)
        forward_base(a + 4 * b, t->w, blocks + b, &l);
}

OLA_REALS void
inverse2(reals *x, reals *y, reals w, const struct lanes *l)
{
    reals difference = sub(*x, *y);
    *x = add(*x, *y);
    *y = times(difference, w, l);
}

/* The first two stages on 2 * LANES residues: sums leave below 4q in size, products below 1.25q. */
OLA_REALS void
inverse_base(uint64_t *a, const uint64_t *w, size_t k, const struct lanes *l)
{
    reals x, y, u, v;
    to_halves(load(a), load(a + LANES), &x, &y);
    interleave(x, y, &u, &v);
    inverse2(&u, &v, load(w + 2 * k), l);
    interleave(u, v, &x, &y);
    inverse2(&x, &y, splat_pairs(w + k), l);
    from_halves(reduced(x, l), y, &u, &v);
    poke(a, u);
    poke(a + LANES, v);
}

static void
inverse_pass2(uint64_t *a, size_t half, const uint64_t *w, size_t k, const struct lanes *l)
{
    const reals w1 = splat((double)w[k]);
    for (size_t j = 0; j < half; j += LANES) {
        reals x = peek(a + j), y = peek(a + j + half);
        inverse2(&x, &y, w1, l);
        poke(a + j, reduced(x, l));
        poke(a + j + half, y);
    }
}

/* Two stages: values enter below 2q in size; sums, below 8q < 2^52, are reduced; products of
 * differences below 8q are below (1/2 + 3/2) q. `last`: both halves take n^-1, end in [0, q). */
OLA_REALS void
inverse_pass4(uint64_t *a, size_t quarter, const uint64_t *w, size_t k, const struct lanes *l,
              int last)
{
    const reals w1 = splat((double)w[k]), w2 = splat((double)w[2 * k]),
                w3 = splat((double)w[2 * k + 1]), w0 = splat((double)w[0]);
    for (size_t j = 0; j < quarter; j += LANES) {
        reals v[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            v[i] = peek(a + j + i * quarter);
        inverse2(&v[0], &v[1], w2, l);
        inverse2(&v[2], &v[3], w3, l);
        inverse2(&v[0], &v[2], w1, l);
        inverse2(&v[1], &v[3], w1, l);
        if (last) {
            v[0] = times(v[0], w0, l);
            v[1] = times(v[1], w0, l);
        } else {
            v[0] = reduced(v[0], l);
            v[1] = reduced(v[1], l);
        }
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++) {
            if (last)
                store_residues(a + j + i * quarter, reduced(v[i], l), l);
            else
                poke(a + j + i * quarter, v[i]);
        }
    }
}

static void
reals_ntt_inverse(uint64_t *a, const struct ola_ntt *t)
{
    const struct lanes l = lanes_make(&t->mod);
    const size_t n = (size_t)1 << t->log_n;
    size_t blocks = n / 4, length = 4; /* of what is done */
    for (size_t b = 0; b < blocks; b += BASE_BLOCKS)
        inverse_base(a + b * length, t->iw, blocks + b, &l);
    if (t->log_n & 1) {
        blocks /= 2;
        length *= 2;
        for (size_t b = 0; b < blocks; b++)
            inverse_pass2(a + b * length, length / 2, t->iw, blocks + b, &l);
    }
    for (blocks /= 4, length *= 4; blocks > 1; blocks /= 4, length *= 4)
        for (size_t b = 0; b < blocks; b++)
            inverse_pass4(a + b * length, length / 4, t->iw, blocks + b, &l, 0);
    inverse_pass4(a, n / 4, t->iw, 1, &l, 1);
}

/* ---- vectors: products of residues are below 0.7q in size ---- */

static void
reals_mul(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
          const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, times(load(a + j), load(b + j), &l), &l);
}

static void
reals_mul_add(uint64_t *acc, const uint64_t *a, const uint64_t *b, size_t n,
              const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum = add(load(acc + j), times(load(a + j), load(b + j), &l));
        store_residues(acc + j, reduced(sum, &l), &l);
    }
}

static void
reals_mul_add_narrow(uint64_t *acc, const uint64_t *a, const uint32_t *b, size_t n,
                     const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum = add(load(acc + j), times(load(a + j), load_narrow(b + j), &l));
        store_residues(acc + j, reduced(sum, &l), &l);
    }
}

static void
reals_scale(uint64_t *out, const uint64_t *a, uint64_t factor, size_t n,
            const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    const reals f = splat((double)factor);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, times(load(a + j), f, &l), &l);
}

static void
reals_scale_add(uint64_t *acc, const uint64_t *a, uint64_t factor, size_t n,
                const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    const reals f = splat((double)factor);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum = add(load(acc + j), times(load(a + j), f, &l));
        store_residues(acc + j, reduced(sum, &l), &l);
    }
}

/* From [0, 2^52): twice, as the quotient may be one off. */
static void
reals_reduce(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, reduced(reduced(load(a + j), &l), &l), &l);
}

static void
reals_sub_scale(uint64_t *out, const uint64_t *a, const uint64_t *b, uint64_t factor, size_t n,
                const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    const reals f = splat((double)factor);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, times(sub(load(a + j), load(b + j)), f, &l), &l);
}

OLA_REALS reals
load_either(const void *p, size_t j, int narrow)
{
    return narrow ? load_narrow((const uint32_t *)p + j) : load((const uint64_t *)p + j);
}

/* Every eighth digit the sums, below (1 + 8 * 0.7) q by then, are reduced. */
OLA_REALS void
inner_any(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
          const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm, size_t n,
          const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum0 = how & OLA_INNER_ADD ? load(acc0 + j) : splat(0);
        reals sum1 = how & OLA_INNER_ADD ? load(acc1 + j) : splat(0);
        for (uint32_t d = 0; d < digits; d++) {
            const reals x =
                perm ? gather(a[d], perm, j) : load_either(a[d], j, how & OLA_INNER_NARROW_A);
            sum0 = add(sum0, times(x, load_either(b0[d], j, how & OLA_INNER_NARROW_B), &l));
            sum1 = add(sum1, times(x, load_either(b1[d], j, how & OLA_INNER_NARROW_B), &l));
            if (d % 8 == 7) {
                sum0 = reduced(sum0, &l);
                sum1 = reduced(sum1, &l);
            }
        }
        store_residues(acc0 + j, reduced(sum0, &l), &l);
        store_residues(acc1 + j, reduced(sum1, &l), &l);
    }
}

static void
reals_inner(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
            const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm, size_t n,
            const struct ola_modulus *m)
{
    assert(digits >= 1 && digits <= OLA_MAX_DIGITS);
    if (how == 0)
        inner_any(acc0, acc1, a, b0, b1, digits, 0, perm, n, m);
    else if (how == OLA_INNER_NARROW_B)
        inner_any(acc0, acc1, a, b0, b1, digits, OLA_INNER_NARROW_B, perm, n, m);
    else
        inner_any(acc0, acc1, a, b0, b1, digits, how, perm, n, m);
}

static void
reals_ntt_inverse_scaled(uint64_t *out, const uint64_t *a, uint64_t factor, const struct ola_ntt *t)
{
    const size_t n = (size_t)1 << t->log_n;
    if (out != a)
        memcpy(out, a, n * sizeof *out);
    reals_ntt_inverse(out, t);
    reals_scale(out, out, factor, n, &t->mod);
}

#define OLA_REALS_KERNELS                                                                          \
    .ntt_forward = reals_ntt_forward, .ntt_inverse = reals_ntt_inverse, .mul = reals_mul,          \
    .mul_add = reals_mul_add, .mul_add_narrow = reals_mul_add_narrow, .scale = reals_scale,        \
    .scale_add = reals_scale_add, .reduce = reals_reduce, .sub_scale = reals_sub_scale,            \
    .inner = reals_inner, .ntt_inverse_scaled = reals_ntt_inverse_scaled

#endif
