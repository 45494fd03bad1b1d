/* support.h - for the runtime's tests, fuzz generators and fault tests: a toy parameter set,
 * sections of a weights file built part by part, and the same computation on plain vectors. Aborts
 * when memory is short. */
#ifndef OLA_TEST_SUPPORT_H
#define OLA_TEST_SUPPORT_H

#include "ola/client.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOY_SCALE  0x1p40
#define TOY_LEVELS 5u /* levels 0 .. 5 */

/* N = 1024, q: 49 bits and five of 40, two special primes; insecure by far. */
static inline struct ola_literal
toy_literal(void)
{
    struct ola_literal l = {
        .log_n = 10, .n_q = TOY_LEVELS + 1, .n_p = 2, .digit_limbs = 2, .insecure_toy = true};
    for (int k = 0; k < 32; k++)
        l.model[k] = (uint8_t)(3 * k + 1);
    uint64_t wide[3];
    if (!ola_plan_primes(10, 49, 3, NULL, 0, wide) ||
        !ola_plan_primes(10, 40, TOY_LEVELS, wide, 3, l.q + 1))
        abort();
    l.q[0] = wide[0];
    l.p[0] = wide[1];
    l.p[1] = wide[2];
    return l;
}

/* A small secure set: N = 2^13, log2(QP) about 178. */
static inline struct ola_literal
secure_literal(void)
{
    struct ola_literal l = {.log_n = 13, .n_q = 3, .n_p = 1, .digit_limbs = 1};
    uint64_t wide[2];
    if (!ola_plan_primes(13, 49, 2, NULL, 0, wide) || !ola_plan_primes(13, 40, 2, wide, 2, l.q + 1))
        abort();
    l.q[0] = wide[1];
    l.p[0] = wide[0]; /* above every digit */
    return l;
}

/* Pseudo-random numbers in [-1, 1); the state is the caller's. */
static inline double
random_unit(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)*state * 0x1p-63;
}

struct bytes {
    uint8_t *data;
    size_t size;
};

static inline void
bytes_add(struct bytes *b, const void *data, size_t size)
{
    b->data = realloc(b->data, b->size + size + 1);
    if (b->data == NULL)
        abort();
    if (size != 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void
bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

/* A linear map in plain numbers; value[k] has diagonal[k].period entries. */
struct plain_map {
    struct ola_weights_map head;
    struct ola_weights_diagonal *diagonal;
    float **value;
    uint32_t *fold;
    double *bias; /* [out_cts][bias_period] */
};

/* Fills in encoding's count and offset as it goes. */
static inline struct bytes
map_section(const struct plain_map *m)
{
    const struct ola_weights_map *h = &m->head;
    struct bytes table = {0}, values = {0}, out = {0};
    size_t start = sizeof *h + h->n_diagonals * sizeof *m->diagonal + h->n_folds * 4 +
                   (size_t)h->out_cts * h->bias_period * 8;
    for (uint32_t k = 0; k < h->n_diagonals; k++) {
        struct ola_weights_diagonal d = m->diagonal[k];
        d.offset = start + values.size;
        d.count = 0;
        if (h->free_of_level) {
            d.offset = 0;
        } else if (d.encoding == 0) {
            d.count = d.period;
            bytes_add(&values, m->value[k], d.period * sizeof(float));
        }
        for (uint32_t t = 0, run; d.encoding == 1 && t < d.period; t += run) {
            for (run = 1; t + run < d.period && m->value[k][t + run] == m->value[k][t];)
                run++;
            bytes_add(&values, &run, 4);
            bytes_add(&values, &m->value[k][t], 4);
            d.count++;
        }
        bytes_add(&table, &d, sizeof d);
    }
    bytes_add(&out, h, sizeof *h);
    bytes_add(&out, table.data, table.size);
    bytes_add(&out, m->fold, h->n_folds * 4);
    bytes_add(&out, m->bias, (size_t)h->out_cts * h->bias_period * 8);
    bytes_add(&out, values.data, values.size);
    bytes_free(&table);
    bytes_free(&values);
    return out;
}

/* out[j][t] = sum value[t + giant] * in[arg][in_ct][t + giant + baby], folds, bias: by the
 * definition in ola/plan.h. */
static inline void
map_apply(const struct plain_map *m, uint32_t slots, double *const *in, double *const *out)
{
    const struct ola_weights_map *h = &m->head;
    double *next = malloc(slots * sizeof *next);
    if (next == NULL)
        abort();
    for (uint32_t j = 0; j < h->out_cts; j++) {
        memset(out[j], 0, slots * sizeof(double));
        for (uint32_t k = 0; k < h->n_diagonals; k++) {
            const struct ola_weights_diagonal *d = &m->diagonal[k];
            if (d->out_ct != j)
                continue;
            for (uint32_t t = 0; t < slots; t++) {
                uint32_t u = (t + d->giant) % slots;
                double w = h->free_of_level ? 1.0 : (double)m->value[k][u % d->period];
                out[j][t] += w * in[d->arg * h->in_cts + d->in_ct][(u + d->baby) % slots];
            }
        }
        for (uint32_t f = 0; f < h->n_folds; f++) {
            for (uint32_t t = 0; t < slots; t++)
                next[t] = out[j][t] + out[j][(t + m->fold[f]) % slots];
            memcpy(out[j], next, slots * sizeof(double));
        }
        for (uint32_t t = 0; t < slots && h->bias_period != 0; t++)
            out[j][t] += m->bias[j * h->bias_period + t % h->bias_period];
    }
    free(next);
}

/* coef[ct][k][length]: length[k] is 1 or period. */
static inline struct bytes
poly_section(uint32_t degree, uint32_t cts, uint32_t period, const uint32_t *length,
             const float *coef)
{
    struct ola_weights_poly h = {.degree = degree, .cts = cts, .period = period};
    struct bytes out = {0};
    bytes_add(&out, &h, sizeof h);
    for (uint32_t k = 0; k < cts * (degree + 1); k++) {
        bytes_add(&out, &length[k], 4);
        bytes_add(&out, coef, length[k] * sizeof(float));
        coef += length[k];
    }
    return out;
}

/* A sparse map in plain numbers: for each row start[k] .. start[k + 1] - 1 of column and weight;
 * weights of shifts are +- 2^k. bias: [rows], or NULL. */
struct plain_sparse {
    struct ola_weights_sparse head;
    const uint32_t *start, *column;
    const double *weight;
    const double *bias;
};

static inline struct bytes
sparse_section(const struct plain_sparse *m)
{
    struct ola_weights_sparse h = m->head;
    struct bytes out = {0};
    h.terms = m->start[h.temps + h.rows];
    h.has_bias = m->bias != NULL;
    bytes_add(&out, &h, sizeof h);
    bytes_add(&out, m->start, 4 * (h.temps + h.rows + 1));
    bytes_add(&out, m->column, 4 * h.terms);
    for (uint32_t t = 0; t < h.terms; t++) {
        int64_t weight = (int64_t)m->weight[t];
        uint8_t code = (uint8_t)(ilogb(m->weight[t]) + (m->weight[t] < 0 ? 0x80 : 0));
        if (h.kind == OLA_SPARSE_SHIFTS)
            bytes_add(&out, &code, 1);
        else
            bytes_add(&out, &weight, 8);
    }
    for (uint32_t t = h.terms; t % 4 != 0 && h.kind == OLA_SPARSE_SHIFTS; t++)
        bytes_add(&out, "", 1);
    if (m->bias != NULL)
        bytes_add(&out, m->bias, 8 * h.rows);
    return out;
}

/* out[r] = unit * sum weight * in[column] (^2) + bias, in[cols][slots]. */
static inline void
sparse_apply(const struct plain_sparse *m, uint32_t slots, double unit, double *const *in,
             double *const *out)
{
    const struct ola_weights_sparse *h = &m->head;
    double *row = calloc(h->temps + h->rows, sizeof *row);
    if (row == NULL)
        abort();
    for (uint32_t t = 0; t < slots; t++)
        for (uint32_t k = 0; k < h->temps + h->rows; k++) {
            row[k] = 0;
            for (uint32_t i = m->start[k]; i < m->start[k + 1]; i++) {
                uint32_t c = m->column[i];
                double x = c < h->cols ? in[c][t] : row[c - h->cols];
                row[k] += m->weight[i] * (c < h->cols && h->squared ? x * x : x);
            }
            if (k >= h->temps)
                out[k - h->temps][t] =
                    unit * row[k] + (m->bias != NULL ? m->bias[k - h->temps] : 0);
        }
    free(row);
}

#endif
