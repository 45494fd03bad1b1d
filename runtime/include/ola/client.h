/* client.h - the half of libola that holds secrets: key generation, encryption, decryption.
 * In libola_client; a server never links it. Conventions as in ola/ola.h. */
#ifndef OLA_CLIENT_H
#define OLA_CLIENT_H

#include "ola/ola.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters and a secret key; the key in libsodium's memory: guarded, wiped when freed, and locked as far
 * as the system allows (RLIMIT_MEMLOCK). */
typedef struct ola_client ola_client;

/* Makes a secret: uniform ternary, from the operating system's randomness (libsodium), and its id. */
OLA_MUST_CHECK ola_status ola_client_new(const ola_params *p, ola_client **out);
void ola_client_free(ola_client *c); /* wipes */
OLA_MUST_CHECK ola_status ola_client_save(const ola_client *c, const char *path); /* mode 0600 */
OLA_MUST_CHECK ola_status ola_client_load(const ola_params *p, const char *path, ola_client **out);

/* The keys that a program needs: relinearisation up to relin_level (UINT32_MAX: none) and rotations, each
 * up to its own level. With a boot shape in the literal all else that bootstrapping wants comes by itself: relinearisation
 * up to EvalMod's level, conjugation, and the switches to a sparse secret (made for these keys, then wiped) and back;
 * its rotations are ola_plan_boot's, and are asked for here like any. */
struct ola_key_plan {
    uint32_t relin_level;
    uint32_t n_rotations;
    const uint32_t *step;  /* in [1, slots), strictly ascending */
    const uint32_t *level;
};
OLA_MUST_CHECK ola_status ola_client_keys(const ola_client *c, const struct ola_key_plan *plan,
                                          ola_keys **out);

/* Encrypts v (`period` entries, repeated through the slots) under the secret key. */
OLA_MUST_CHECK ola_status ola_encrypt(const ola_client *c, ola_ct *out, const double *v, uint32_t period,
                                      uint32_t level, double scale);
/* The slots' real parts, `n` <= slots of them. For the owner of the key only: the low bits of the
 * result carry the noise, and the noise the key (Li-Micciancio, IND-CPA-D). OLA_ERR_OTHER_KEY for
 * another key's ciphertext, OLA_ERR_RANGE where a result is not finite. */
OLA_MUST_CHECK ola_status ola_decrypt(const ola_client *c, const ola_ct *ct, double *v, uint32_t n);
/* The same with Gaussian noise of standard deviation `sigma` (in units of the values) added in every slot
 * before it is returned: for results that others will see. sigma must be well above the noise that the
 * ciphertext itself carries (the deviation of its slots from exact results; ola_sim_noise models it): that
 * noise depends on the key, and only as far as sigma drowns it does a result tell nothing about the key. With
 * sigma = 2^k times that noise, a slot is within about 2^-k (statistical distance) of one that tells nothing,
 * and over all slots and results given out these add up; the price is k bits of precision. A sigma near the
 * noise or below hides nothing. */
OLA_MUST_CHECK ola_status ola_decrypt_shared(const ola_client *c, const ola_ct *ct, double *v, uint32_t n,
                                             double sigma);

#ifdef __cplusplus
}
#endif
#endif
