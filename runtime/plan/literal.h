/* literal.h - what libola and libola_sim both ask of a parameter set. */
#ifndef OLA_PLAN_LITERAL_H
#define OLA_PLAN_LITERAL_H

#include "ola/ola.h"

/* OLA_ERR_PARAM: log_n, n_q, n_p or digit_limbs (1 .. OLA_MAX_P) out of range, or the product of some digit
 * not below the product of p. OLA_ERR_PRIME: see ola.h. OLA_ERR_INSECURE. */
OLA_MUST_CHECK ola_status ola_literal_check(const struct ola_literal *l);
double ola_literal_log_qp(const struct ola_literal *l);
/* The canonical bytes of a literal, little endian, everything that is not in use left out: what the fingerprint
 * is the BLAKE2b-256 of. Returns their number, at most OLA_LITERAL_BYTES. */
#define OLA_LITERAL_BYTES (6 * 4 + 8 * (OLA_MAX_Q + OLA_MAX_P) + 32)
size_t ola_literal_bytes(const struct ola_literal *l, uint8_t *out);

#endif
