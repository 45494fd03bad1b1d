/* main.c - two networks in one process: which digit it is, and where its ink lies. Each has
 * parameters, keys and ciphertexts of its own; what belongs to one is refused by the other. embed
 * DIGITS.npy CRYPTONETS_WEIGHTS INK_WEIGHTS */
#include "cryptonets.h"
#include "ink.h"

#include <math.h>
#include <stdio.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        ola_status status_ = (call);                                                               \
        if (status_ != OLA_OK) {                                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, ola_status_text(status_));          \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

#define READ_ONLY(ct) ((const ola_ct *const *)(ct))

/* The whole way of one network, its names written once: a client with keys, a server, a session, an
 * answer. */
#define ASK(net, NET, weights, image, answer)                                                      \
    do {                                                                                           \
        struct net##_client *client;                                                               \
        struct net##_server *server;                                                               \
        struct net##_session *session;                                                             \
        ola_keys *keys;                                                                            \
        ola_ct *in[NET##_INPUT_CTS], *out[NET##_OUTPUT_CTS];                                       \
        TRY(net##_client_new(&client));                                                            \
        TRY(net##_client_keys(client, &keys));                                                     \
        TRY(net##_server_new(weights, NET##_RESIDENT, &server));                                   \
        TRY(net##_session_new(server, keys, &session));                                            \
        TRY(net##_cts_new(net##_server_params(server), in, NET##_INPUT_CTS));                      \
        TRY(net##_cts_new(net##_server_params(server), out, NET##_OUTPUT_CTS));                    \
        TRY(net##_encrypt_pixels(client, image, in));                                              \
        TRY(net##_evaluate(session, READ_ONLY(in), out, NULL, NULL));                              \
        TRY(net##_decrypt(client, READ_ONLY(out), answer));                                        \
        net##_cts_free(in, NET##_INPUT_CTS);                                                       \
        net##_cts_free(out, NET##_OUTPUT_CTS);                                                     \
        net##_session_free(session);                                                               \
        net##_server_free(server);                                                                 \
        ola_keys_free(keys);                                                                       \
        net##_client_free(client);                                                                 \
    } while (0)

/* Keys of one network are nothing to the other: refused, whatever the sizes. */
static int
stranger(const char *weights)
{
    struct ink_client *client;
    struct cryptonets_server *server;
    struct cryptonets_session *session;
    ola_keys *keys;
    TRY(ink_client_new(&client));
    TRY(ink_client_keys(client, &keys));
    TRY(cryptonets_server_new(weights, CRYPTONETS_STREAMED, &server));
    ola_status status = cryptonets_session_new(server, keys, &session);
    printf("keys of the other network: %s\n", ola_status_text(status));
    if (status == OLA_OK)
        cryptonets_session_free(session);
    cryptonets_server_free(server);
    ola_keys_free(keys);
    ink_client_free(client);
    return status == OLA_OK;
}

int
main(int argc, char **argv)
{
    uint8_t image[CRYPTONETS_INPUT_SIZE];
    float digit[CRYPTONETS_OUTPUT_SIZE], ink[INK_OUTPUT_SIZE];
    FILE *f = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (!f || fseek(f, 128, SEEK_SET) != 0 || fread(image, 1, sizeof image, f) != sizeof image) {
        fprintf(stderr, "usage: embed DIGITS.npy CRYPTONETS_WEIGHTS INK_WEIGHTS\n");
        return 1;
    }
    fclose(f);
    ASK(cryptonets, CRYPTONETS, argv[2], image, digit);
    ASK(ink, INK, argv[3], image, ink);

    int best = 0, wrong = 0;
    double clear[4] = {0};
    for (int k = 1; k < 10; k++)
        best = digit[k] > digit[best] ? k : best;
    for (int k = 0; k < 28 * 28; k++)
        clear[k / 28 / 14 * 2 + k % 28 / 14] += image[k] / 255.0 / 196;
    printf("a %d; ink in its quarters:", best);
    for (int k = 0; k < 4; k++) {
        printf(" %.4f", (double)ink[k]);
        wrong |= fabs((double)ink[k] - clear[k]) > 1e-3;
    }
    printf("\n");
    return wrong || best != 0 || stranger(argv[2]);
}
