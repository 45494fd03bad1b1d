/* client_internal.h - the struct behind ola_client. */
#ifndef OLA_CLIENT_INTERNAL_H
#define OLA_CLIENT_INTERNAL_H

#include "ckks/ckks.h"
#include "ola/client.h"

/* Both vectors are sodium_malloc'ed: locked where the system allows it, guarded, wiped when freed.
 */
struct ola_client {
    const struct ola_params *params;
    uint8_t key_id[OLA_KEY_ID]; /* public, drawn apart from the secret */
    int8_t *secret;             /* [n] in {-1, 0, 1} */
    uint64_t *transformed;      /* [chain][n]: the secret modulo each prime, transformed */
};

/* A client with this secret (n entries in {-1, 0, 1}, else OLA_ERR_FORMAT). */
OLA_MUST_CHECK ola_status ola_client_from_secret(const struct ola_params *p, const int8_t *secret,
                                                 const uint8_t key_id[OLA_KEY_ID],
                                                 struct ola_client **out);

#endif
