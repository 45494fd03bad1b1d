/* golden.h - a neural network on encrypted data: what a product calls. Generated; do not edit.
 *
 * made by   olac 0.1.0
 * network   golden
 * model     BLAKE2b-256 766d56875ce3ca2c12ee4eac3648bb81a0116a93d2125ab3aaa61f8c1ac6dab9
 * options   degree 0 (chosen), 0 calibration images
 * security  128 bits (classical)
 * ring      log N = 13, log QP = 202.0, 3 levels
 * keys      5 rotations, relinearisation, 4653056 bytes
 *
 * The client makes keys, encrypts and decrypts (golden_client.c, links libola_client). The server
 * evaluates (golden_server.c, links libola alone and cannot hold a secret key). Both know the
 * parameters; evaluation keys and ciphertexts are all that passes between them.
 *
 * An image is GOLDEN_INPUT_SIZE numbers, as the network takes them, row by row; an encrypted one is
 * GOLDEN_INPUT_CTS ciphertexts. An answer is GOLDEN_OUTPUT_SIZE numbers in GOLDEN_OUTPUT_CTS
 * ciphertexts. Every function that can fail returns a status of ola/ola.h and leaves *out alone
 * when it does; ciphertexts that it was to write may then hold what they held, others, or nothing.
 * */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "ola/ola.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOLDEN_INPUTS            1u /* tensors of an image, one behind the other */
#define GOLDEN_INPUT_SIZE       16u /* numbers of an image */
#define GOLDEN_BATCH             1u /* images of an evaluation, at most */
#define GOLDEN_INPUT_CTS         1u /* ciphertexts of an evaluation's images */
#define GOLDEN_OUTPUTS           1u /* tensors of an answer */
#define GOLDEN_OUTPUT_SIZE       2u /* numbers of an answer */
#define GOLDEN_OUTPUT_CTS        1u /* ciphertexts of its answers */
#define GOLDEN_LAYERS            3u /* steps of an evaluation */
#define GOLDEN_LOG_N            13u /* ring degree */
#define GOLDEN_SLOTS          4096u /* numbers in a ciphertext */
#define GOLDEN_LEVELS            3u /* of a fresh chain of primes */
#define GOLDEN_SECURITY        128u /* bits; 0: an insecure toy */
#define GOLDEN_MEGABYTES        12u /* memory of an evaluation */

/* n new, empty ciphertexts, or none of them. */
static inline OLA_MUST_CHECK ola_status
golden_cts_new(const ola_params *params, ola_ct **ct, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        ola_status status = ola_ct_new(params, &ct[i]);
        if (status != OLA_OK) {
            while (i-- > 0)
                ola_ct_free(ct[i]);
            return status;
        }
    }
    return OLA_OK;
}

static inline void
golden_cts_free(ola_ct **ct, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        ola_ct_free(ct[i]);
}

/* ---- the client, owner of the secret key ----------------------------------------------------- */
struct golden_client;

/* Makes a secret key from the system's randomness. */
OLA_MUST_CHECK ola_status golden_client_new(struct golden_client **out);
/* The secret key from its file; written with mode 0600. */
OLA_MUST_CHECK ola_status golden_client_load(const char *path, struct golden_client **out);
OLA_MUST_CHECK ola_status golden_client_save(const struct golden_client *c, const char *path);
/* Wipes the key. */
void golden_client_free(struct golden_client *c);
const ola_params *golden_client_params(const struct golden_client *c);
/* The evaluation keys that the server needs for this network, and no more. */
OLA_MUST_CHECK ola_status golden_client_keys(const struct golden_client *c, ola_keys **out);

/* image: GOLDEN_INPUT_SIZE finite floats; ct: GOLDEN_INPUT_CTS handles. */
OLA_MUST_CHECK ola_status golden_encrypt(const struct golden_client *c, const float *image,
                                      ola_ct *const *ct);
/* The same from bytes of pixels, scaled as the model says. */
OLA_MUST_CHECK ola_status golden_encrypt_pixels(const struct golden_client *c, const uint8_t *image,
                                             ola_ct *const *ct);
/* ct: GOLDEN_OUTPUT_CTS handles; out: GOLDEN_OUTPUT_SIZE floats. OLA_ERR_SPOILT when slots that
 * must be 0 say that the answer means nothing. For the owner of the key only: the low
 * bits of an exact decryption tell about the key (ola/client.h). */
OLA_MUST_CHECK ola_status golden_decrypt(const struct golden_client *c, const ola_ct *const *ct,
                                      float *out);
/* For results that others will see: Gaussian noise of deviation sigma > 0 is added. */
OLA_MUST_CHECK ola_status golden_decrypt_shared(const struct golden_client *c,
                                                const ola_ct *const *ct,
                                             float *out, double sigma);

/* ---- the server ------------------------------------------------------------------------------ */
/* Parameters and weights: read only once made, shared by all threads and clients. */
struct golden_server;
/* One client's evaluation on one thread. */
struct golden_session;

enum golden_loading {
    GOLDEN_RESIDENT, /* the weights are encoded once and kept: fastest */
    GOLDEN_STREAMED  /* each layer's weights are encoded for that layer only: least memory */
};

/* weights: path of golden_weights.bin. */
OLA_MUST_CHECK ola_status golden_server_new(const char *weights, enum golden_loading loading,
                                         struct golden_server **out);
/* The same with parameters that are there already, a client's (golden_client_params), and outlive
 * the server: they take much memory. OLA_ERR_FINGERPRINT when they are another network's. */
OLA_MUST_CHECK ola_status golden_server_beside(const ola_params *params, const char *weights,
                                            enum golden_loading loading,
                                                struct golden_server **out);
void golden_server_free(struct golden_server *s);
const ola_params *golden_server_params(const struct golden_server *s);

/* Server and keys outlive the session. */
OLA_MUST_CHECK ola_status golden_session_new(const struct golden_server *s, const ola_keys *keys,
                                          struct golden_session **out);
void golden_session_free(struct golden_session *s);
void golden_session_counts(const struct golden_session *s, struct ola_counts *out);
/* Seconds that its evaluations took so far, by kind of operation. */
void golden_session_seconds(const struct golden_session *s, double out[OLA_KINDS]);

/* Called before each layer and after the last (layer == layers); done: the share of the work that
 * is behind, 0 to 1. */
typedef void (*golden_progress)(void *user, uint32_t layer, uint32_t layers, double done,
                             const char *name);

/* in: GOLDEN_INPUT_CTS ciphertexts as golden_encrypt makes them, out: GOLDEN_OUTPUT_CTS handles.
 * progress may be NULL. */
OLA_MUST_CHECK ola_status golden_evaluate(struct golden_session *s, const ola_ct *const *in,
                                       ola_ct *const *out, golden_progress progress, void *user);
/* The same for long evaluations: behind every layer the file `checkpoint` gets what it takes to go
 * on. Where the file is there already, the evaluation goes on from it, to the same result bit for
 * bit; OLA_ERR_OTHER_RUN when it is of other ciphertexts. A checkpoint that can't be written ends
 * the evaluation with OLA_ERR_IO, and the one before stays. The caller removes the file once he
 * has the result. */
OLA_MUST_CHECK ola_status golden_evaluate_resumable(struct golden_session *s,
                                                    const ola_ct *const *in,
                                                 ola_ct *const *out, const char *checkpoint,
                                                 golden_progress progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
