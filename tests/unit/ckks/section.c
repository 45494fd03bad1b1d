/* section.c - see section.h. */
#include "section.h"

#include <stdlib.h>
#include <string.h>

static void
put(struct section *s, const void *data, size_t size)
{
    if (s->size + size > s->room) {
        s->room = (s->size + size) * 2;
        s->bytes = realloc(s->bytes, s->room);
    }
    memcpy(s->bytes + s->size, data, size);
    s->size += size;
}

struct section
map_section(const struct ola_weights_map *head, const struct diagonal *d, const uint32_t *folds,
            const double *bias)
{
    struct section s = {0};
    uint32_t n = head->n_diagonals;
    size_t bias_bytes = (size_t)head->out_cts * head->bias_period * sizeof(double);
    uint64_t offset =
        sizeof *head + n * sizeof(struct ola_weights_diagonal) + head->n_folds * 4 + bias_bytes;
    put(&s, head, sizeof *head);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t count = head->free_of_level ? 0 : d[k].period;
        struct ola_weights_diagonal w = {d[k].arg,   d[k].in_ct, d[k].out_ct,
                                         d[k].giant, d[k].baby,  d[k].period,
                                         0,          count,      count == 0 ? 0 : offset};
        put(&s, &w, sizeof w);
        offset += count * sizeof(float);
    }
    if (head->n_folds != 0)
        put(&s, folds, head->n_folds * sizeof *folds);
    if (bias_bytes != 0)
        put(&s, bias, bias_bytes);
    for (uint32_t k = 0; k < n && !head->free_of_level; k++)
        put(&s, d[k].value, d[k].period * sizeof(float));
    return s;
}

struct section
poly_section(const struct ola_weights_poly *head, const float *const *coef, const uint32_t *length)
{
    struct section s = {0};
    put(&s, head, sizeof *head);
    for (uint32_t k = 0; k < head->cts * (head->degree + 1); k++) {
        put(&s, &length[k], sizeof *length);
        put(&s, coef[k], length[k] * sizeof(float));
    }
    return s;
}
