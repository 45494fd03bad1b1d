/* literal.h - what makes a parameter literal good, and its one byte form (for files and the
 * fingerprint). Pure functions, shared by libola and the simulator. */
#ifndef OLA_PLAN_LITERAL_H
#define OLA_PLAN_LITERAL_H

#include "ola/ola.h"

/* Everything that ola_params_new promises to check: OLA_ERR_PARAM, OLA_ERR_PRIME, OLA_ERR_INSECURE.
 * On success log2(QP) and the security in bits (0 for a toy). */
ola_status ola_literal_check(const struct ola_literal *l, double *log_qp, uint32_t *security);

/* Little endian: log_n, n_q, n_p, digit_limbs, toy (u32 each), model, the six numbers of boot
 * (u32), then the primes q and p (u64). */
#define OLA_LITERAL_MAX_BYTES (11 * 4 + 32 + 8 * (OLA_MAX_Q + OLA_MAX_P))
size_t ola_literal_write(const struct ola_literal *l, uint8_t out[OLA_LITERAL_MAX_BYTES]);
/* The reverse; false when `size` bytes are not exactly that form. The values still want
 * checking. */
bool ola_literal_read(struct ola_literal *l, const uint8_t *bytes, size_t size);

#endif
