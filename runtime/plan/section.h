/* section.h - reading the sections of a weights file (ola/plan.h). Every byte is untrusted: the opening call checks
 * all offsets, counts and orders, so that the reading calls can't fail. Values are copied, never pointed to:
 * a section may lie at any address. */
#ifndef OLA_PLAN_SECTION_H
#define OLA_PLAN_SECTION_H

#include "ola/ola.h"

struct ola_map_view {
    struct ola_weights_map head;
    const unsigned char *base;
    size_t size;
};
/* OLA_ERR_FORMAT when anything does not fit: cts or args 0, indices out of range, giant/baby/folds not below
 * slots, periods that are no power of two up to slots, diagonals not strictly ascending by (out_ct, giant,
 * arg, in_ct, baby), values outside the section or not finite, runs that do not sum to the period. */
OLA_MUST_CHECK ola_status ola_map_view_open(const void *section, size_t size, uint32_t slots,
                                            struct ola_map_view *out);
struct ola_weights_diagonal ola_map_view_diagonal(const struct ola_map_view *v, uint32_t k);
/* The `period` values of a diagonal. */
void ola_map_view_values(const struct ola_map_view *v, const struct ola_weights_diagonal *d, double *out);
uint32_t ola_map_view_fold(const struct ola_map_view *v, uint32_t k);
/* bias_period values of an output ciphertext. */
void ola_map_view_bias(const struct ola_map_view *v, uint32_t out_ct, double *out);

struct ola_poly_view {
    struct ola_weights_poly head;
    const unsigned char *base;
    size_t size;
};
/* OLA_ERR_FORMAT: degree not in [1, OLA_MAX_DEGREE], cts 0, period no power of two up to slots, a length other
 * than 1 and period, values outside the section or not finite. */
OLA_MUST_CHECK ola_status ola_poly_view_open(const void *section, size_t size, uint32_t slots,
                                             struct ola_poly_view *out);
/* Coefficients of ciphertext ct: out[k] is set to `period` values for each k in 0 .. degree; length[k] to 1 or
 * period as stored. */
void ola_poly_view_coefficients(const struct ola_poly_view *v, uint32_t ct, double *const *out,
                                uint32_t *length);

#endif
