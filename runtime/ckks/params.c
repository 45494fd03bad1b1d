/* params.c - from a literal that anybody can write to the checked, immutable object with its
 * tables. */
#include <math.h>
#include <string.h>

#include "ckks/ckks.h"
#include "ckks/encoder.h"
#include "file/file.h"
#include "plan/literal.h"

/* Words of the tables of a basis of k primes. */
static size_t
basis_words(const struct ola_params *p, uint32_t k)
{
    return (size_t)p->chain * (k + 2);
}

/* The conversion tables of the primes named in b->source; tables are taken from *words. */
static void
basis_fill(const struct ola_params *p, struct ola_basis *b, uint64_t **words)
{
    b->weight = *words;
    b->product = b->weight + (size_t)p->chain * b->k;
    b->inverse = b->product + p->chain;
    *words = b->inverse + p->chain;
    for (uint32_t c = 0; c < p->chain; c++) {
        const struct ola_modulus *m = ola_params_modulus(p, c);
        b->product[c] = 1;
        for (uint32_t i = 0; i < b->k; i++) {
            uint64_t *w = &b->weight[(size_t)c * b->k + i];
            *w = 1;
            for (uint32_t j = 0; j < b->k; j++) {
                if (j != i)
                    *w = ola_mod_mul(*w, b->modulus[j]->q % m->q, m);
            }
            b->product[c] = ola_mod_mul(b->product[c], b->modulus[i]->q % m->q, m);
        }
        b->inverse[c] = b->product[c] == 0 ? 0 : ola_mod_inverse(b->product[c], m);
    }
    for (uint32_t i = 0; i < b->k; i++)
        b->hat_inverse[i] =
            ola_mod_inverse(b->weight[(size_t)b->source[i] * b->k + i], b->modulus[i]);
}

static void
basis_add(const struct ola_params *p, struct ola_basis *b, uint32_t c)
{
    b->source[b->k] = c;
    b->modulus[b->k++] = ola_params_modulus(p, c);
}

static void
name_bases(struct ola_params *p)
{
    for (uint32_t e = 0; e < p->n_q; e++) {
        for (uint32_t c = p->digit_first[p->digit_of[e]]; c <= e; c++)
            basis_add(p, &p->up[e], c);
        basis_add(p, &p->by_q[e], e);
        for (uint32_t c = p->n_q; c < p->chain; c++)
            basis_add(p, &p->by_pq[e], c);
        basis_add(p, &p->by_pq[e], e);
    }
    for (uint32_t c = p->n_q; c < p->chain; c++)
        basis_add(p, &p->by_p, c);
    basis_add(p, &p->by_first_p, p->n_q);
}

static ola_status
make_bases(struct ola_params *p)
{
    size_t words = basis_words(p, p->n_p) + basis_words(p, 1);
    name_bases(p);
    for (uint32_t e = 0; e < p->n_q; e++)
        words += basis_words(p, p->up[e].k) + basis_words(p, 1) + basis_words(p, p->n_p + 1);
    p->tables_bytes = words * sizeof *p->tables;
    p->tables = ola_alloc(p->tables_bytes);
    if (p->tables == NULL)
        return OLA_ERR_NOMEM;
    uint64_t *next = p->tables;
    basis_fill(p, &p->by_p, &next);
    basis_fill(p, &p->by_first_p, &next);
    for (uint32_t e = 0; e < p->n_q; e++) {
        basis_fill(p, &p->up[e], &next);
        basis_fill(p, &p->by_q[e], &next);
        basis_fill(p, &p->by_pq[e], &next);
    }
    return OLA_OK;
}

static void
fill_sizes(struct ola_params *p, const struct ola_literal *l)
{
    p->literal = *l;
    p->log_n = l->log_n;
    p->n = (uint32_t)1 << l->log_n;
    p->slots = p->n / 2;
    p->n_q = l->n_q;
    p->n_p = l->n_p;
    p->chain = l->n_q + l->n_p;
    double log_q = 0.0;
    for (uint32_t c = 0; c < p->chain; c++) {
        uint64_t q = c < l->n_q ? l->q[c] : l->p[c - l->n_q];
        p->width[c] = ola_plan_limb_width(q);
        p->width_before[c + 1] = p->width_before[c] + p->width[c];
        log_q += log2((double)q);
        if (c < l->n_q)
            p->log_q[c] = log_q;
    }
    ola_file_fingerprint(l, p->fingerprint);
}

/* A gap leaves digits as they are, shorter or out. */
static void
fill_digits(struct ola_params *p)
{
    uint32_t digits = 0, stored = 0, end = 0;
    for (uint32_t i = 0; i < p->n_q; i++) {
        if (p->whole != NULL) {
            stored = p->whole->digit_of[i < p->gap_at ? i : i + p->gap];
        } else if (i == end) {
            stored = digits;
            end = ola_plan_digit_end(&p->literal, i);
        }
        if (digits == 0 || p->digit_stored[digits - 1] != stored) {
            p->digit_first[digits] = i;
            p->digit_stored[digits++] = stored;
        }
        p->digit_of[i] = digits - 1;
    }
    p->digit_first[digits] = p->n_q;
}

/* Of sizes that are filled in. */
static ola_status
make_tables(struct ola_params *p)
{
    const struct ola_literal *l = &p->literal;
    ola_status s;
    fill_digits(p);
    if (p->whole != NULL)
        s = ola_ring_without(p->whole->ring, p->gap_at, p->gap, &p->ring);
    else
        s = ola_ring_new(p->log_n, l->q, p->n_q, l->p, p->n_p, &p->ring);
    if (s == OLA_OK)
        s = make_bases(p);
    if (s == OLA_OK && p->whole != NULL)
        p->encoder = p->whole->encoder;
    else if (s == OLA_OK)
        s = ola_encoder_new(p->log_n, &p->encoder);
    return s;
}

ola_status
ola_params_without(const struct ola_params *p, const struct ola_literal *left, uint32_t gap_at,
                   struct ola_params **out)
{
    struct ola_params *made = ola_alloc_zero(sizeof *made);
    *out = NULL;
    if (made == NULL)
        return OLA_ERR_NOMEM;
    fill_sizes(made, left);
    made->log_qp = p->log_qp;
    made->security = p->security;
    made->whole = p;
    made->gap_at = gap_at;
    made->gap = p->n_q - left->n_q;
    ola_status s = make_tables(made);
    if (s != OLA_OK) {
        ola_params_free(made);
        return s;
    }
    *out = made;
    return OLA_OK;
}

ola_status
ola_params_new(const struct ola_literal *literal, ola_params **out)
{
    double log_qp;
    uint32_t security;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (literal == NULL)
        return OLA_ERR_PARAM;
    ola_status s = ola_literal_check(literal, &log_qp, &security);
    if (s != OLA_OK)
        return s;
    struct ola_params *p = ola_alloc_zero(sizeof *p);
    if (p == NULL)
        return OLA_ERR_NOMEM;
    fill_sizes(p, literal);
    p->log_qp = log_qp;
    p->security = security;
    s = make_tables(p);
    if (s != OLA_OK) {
        ola_params_free(p);
        return s;
    }
    *out = p;
    return OLA_OK;
}

void
ola_params_free(ola_params *p)
{
    if (p == NULL)
        return;
    if (p->whole == NULL)
        ola_encoder_free(p->encoder);
    ola_release(p->tables, p->tables_bytes);
    ola_ring_free(p->ring);
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
