//%% The header of a compiled network. Marks: provenance, constants; conditions pixels, batch.
//%% templates/README.md says how templates are read.
/* net.h - a neural network on encrypted data: what a product calls. Generated; do not edit.
 *
//% provenance
 *
 * The client makes keys, encrypts and decrypts (net_client.c, links libola_client). The server
 * evaluates (net_server.c, links libola alone and cannot hold a secret key). Both know the
 * parameters; evaluation keys and ciphertexts are all that passes between them.
 *
//% if batch
 * An image is NET_INPUT_SIZE numbers, as the network takes them, row by row. Up to NET_BATCH images
 * are encrypted together in NET_INPUT_CTS ciphertexts: one for each number, an image in each slot.
 * Their answers, NET_OUTPUT_SIZE numbers each, are in NET_OUTPUT_CTS ciphertexts. An evaluation
 * takes the same time however many images there are.
//% else
 * An image is NET_INPUT_SIZE numbers, as the network takes them, row by row; an encrypted one is
 * NET_INPUT_CTS ciphertexts. An answer is NET_OUTPUT_SIZE numbers in NET_OUTPUT_CTS ciphertexts.
//% end
 * Every function that can fail returns a status of ola/ola.h and leaves *out alone when it does;
 * ciphertexts that it was to write may then hold what they held, others, or nothing. */
#ifndef NET_H
#define NET_H

#include "ola/ola.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

//% constants

/* n new, empty ciphertexts, or none of them. */
static inline OLA_MUST_CHECK ola_status
net_cts_new(const ola_params *params, ola_ct **ct, uint32_t n)
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
net_cts_free(ola_ct **ct, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        ola_ct_free(ct[i]);
}

/* ---- the client, owner of the secret key ----------------------------------------------------- */
struct net_client;

/* Makes a secret key from the system's randomness. */
OLA_MUST_CHECK ola_status net_client_new(struct net_client **out);
/* The secret key from its file; written with mode 0600. */
OLA_MUST_CHECK ola_status net_client_load(const char *path, struct net_client **out);
OLA_MUST_CHECK ola_status net_client_save(const struct net_client *c, const char *path);
/* Wipes the key. */
void net_client_free(struct net_client *c);
const ola_params *net_client_params(const struct net_client *c);
/* The evaluation keys that the server needs for this network, and no more. */
OLA_MUST_CHECK ola_status net_client_keys(const struct net_client *c, ola_keys **out);

//% if front
/* The part of the network in the clear, as net_encrypt runs it: v[0] .. v[NET_INPUT_SIZE - 1] is an
 * image, v has room for NET_FRONT_SIZE numbers, all are overwritten. What is encrypted lies in v
 * from the pointer returned on, NET_FRONT_MADE numbers. */
double *net_front(double *v);

//% end
//% if batch
/* images: n rows of NET_INPUT_SIZE finite floats, 1 <= n <= NET_BATCH; ct: NET_INPUT_CTS
 * handles. */
OLA_MUST_CHECK ola_status net_encrypt(const struct net_client *c, const float *images, uint32_t n,
                                      ola_ct *const *ct);
//% if pixels
/* The same from bytes of pixels, scaled as the model says. */
OLA_MUST_CHECK ola_status net_encrypt_pixels(const struct net_client *c, const uint8_t *images,
                                             uint32_t n, ola_ct *const *ct);
//% end
/* ct: NET_OUTPUT_CTS handles; out: n rows of NET_OUTPUT_SIZE floats. For the owner of the key only:
 * the low bits of an exact decryption tell about the key (ola/client.h). */
OLA_MUST_CHECK ola_status net_decrypt(const struct net_client *c, const ola_ct *const *ct,
                                      uint32_t n, float *out);
/* For results that others will see: Gaussian noise of deviation sigma > 0 is added. */
OLA_MUST_CHECK ola_status net_decrypt_shared(const struct net_client *c, const ola_ct *const *ct,
                                             uint32_t n, float *out, double sigma);
//% else
/* image: NET_INPUT_SIZE finite floats; ct: NET_INPUT_CTS handles. */
OLA_MUST_CHECK ola_status net_encrypt(const struct net_client *c, const float *image,
                                      ola_ct *const *ct);
//% if pixels
/* The same from bytes of pixels, scaled as the model says. */
OLA_MUST_CHECK ola_status net_encrypt_pixels(const struct net_client *c, const uint8_t *image,
                                             ola_ct *const *ct);
//% end
/* ct: NET_OUTPUT_CTS handles; out: NET_OUTPUT_SIZE floats. OLA_ERR_SPOILT when slots that must be 0
 * say that the answer means nothing. For the owner of the key only: the low
 * bits of an exact decryption tell about the key (ola/client.h). */
OLA_MUST_CHECK ola_status net_decrypt(const struct net_client *c, const ola_ct *const *ct,
                                      float *out);
/* For results that others will see: Gaussian noise of deviation sigma > 0 is added. */
OLA_MUST_CHECK ola_status net_decrypt_shared(const struct net_client *c, const ola_ct *const *ct,
                                             float *out, double sigma);
//% end

/* ---- the server ------------------------------------------------------------------------------ */
/* Parameters and weights: read only once made, shared by all threads and clients. */
struct net_server;
/* One client's evaluation on one thread. */
struct net_session;

enum net_loading {
    NET_RESIDENT, /* the weights are encoded once and kept: fastest */
    NET_STREAMED  /* each layer's weights are encoded for that layer only: least memory */
};

/* weights: path of net_weights.bin. */
OLA_MUST_CHECK ola_status net_server_new(const char *weights, enum net_loading loading,
                                         struct net_server **out);
/* The same with parameters that are there already, a client's (net_client_params), and outlive the
 * server: they take much memory. OLA_ERR_FINGERPRINT when they are another network's. */
OLA_MUST_CHECK ola_status net_server_beside(const ola_params *params, const char *weights,
                                            enum net_loading loading, struct net_server **out);
void net_server_free(struct net_server *s);
const ola_params *net_server_params(const struct net_server *s);

/* Server and keys outlive the session. */
OLA_MUST_CHECK ola_status net_session_new(const struct net_server *s, const ola_keys *keys,
                                          struct net_session **out);
void net_session_free(struct net_session *s);
void net_session_counts(const struct net_session *s, struct ola_counts *out);
/* Seconds that its evaluations took so far, by kind of operation. */
void net_session_seconds(const struct net_session *s, double out[OLA_KINDS]);

/* Called before each layer and after the last (layer == layers); done: the share of the work that
 * is behind, 0 to 1. */
typedef void (*net_progress)(void *user, uint32_t layer, uint32_t layers, double done,
                             const char *name);

/* in: NET_INPUT_CTS ciphertexts as net_encrypt makes them, out: NET_OUTPUT_CTS handles. progress
 * may be NULL. */
OLA_MUST_CHECK ola_status net_evaluate(struct net_session *s, const ola_ct *const *in,
                                       ola_ct *const *out, net_progress progress, void *user);
/* The same for long evaluations: behind every layer the file `checkpoint` gets what it takes to go
 * on. Where the file is there already, the evaluation goes on from it, to the same result bit for
 * bit; OLA_ERR_OTHER_RUN when it is of other ciphertexts. A checkpoint that can't be written ends
 * the evaluation with OLA_ERR_IO, and the one before stays. The caller removes the file once he
 * has the result. */
OLA_MUST_CHECK ola_status net_evaluate_resumable(struct net_session *s, const ola_ct *const *in,
                                                 ola_ct *const *out, const char *checkpoint,
                                                 net_progress progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
