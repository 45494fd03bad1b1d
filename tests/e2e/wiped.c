/* wiped.c - the client of the generated network "dense" frees nothing that still holds an image or
 * an answer. The library allocates through a pair of functions given to it, so that malloc and
 * free, linked with --wrap, are those of the generated code alone. */
#include "dense.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static int watching, blocks, dirty; /* blocks: freed under watch; dirty: with something in them */

void __real_free(void *p);
void *__wrap_malloc(size_t size);
void __wrap_free(void *p);

/* Nothing but what the program writes is in a block. */
void *
__wrap_malloc(size_t size)
{
    return calloc(1, size);
}

void
__wrap_free(void *p)
{
    const unsigned char *byte = p;
    int holds = 0;
    for (size_t i = 0; watching && p && i < malloc_usable_size(p); i++)
        holds |= byte[i] != 0;
    blocks += watching && p;
    dirty += holds;
    __real_free(p);
}

static void *
library_alloc(size_t size)
{
    return aligned_alloc(64, size);
}

static void
library_release(void *p, size_t size)
{
    (void)size;
    __real_free(p);
}

/* Calls that handle plaintext; a name when one fails or frees something that it did not wipe. */
static const char *
client_calls(struct dense_client *client, struct dense_session *session, ola_ct **in, ola_ct **out)
{
    float image[DENSE_INPUT_SIZE], answer[DENSE_OUTPUT_SIZE];
    uint8_t pixels[DENSE_INPUT_SIZE];
    for (uint32_t i = 0; i < DENSE_INPUT_SIZE; i++) {
        image[i] = 0.5f + (float)i / 64.0f;
        pixels[i] = (uint8_t)(i + 1);
    }
    watching = 1;
    if (dense_encrypt_pixels(client, pixels, in) != OLA_OK || dirty)
        return "encrypt_pixels";
    if (dense_encrypt(client, image, in) != OLA_OK || dirty)
        return "encrypt";
    watching = 0;
    if (dense_evaluate(session, (const ola_ct *const *)in, out, NULL, NULL) != OLA_OK)
        return "evaluate";
    watching = 1;
    if (dense_decrypt(client, (const ola_ct *const *)out, answer) != OLA_OK || dirty)
        return "decrypt";
    if (dense_decrypt_shared(client, (const ola_ct *const *)out, answer, 0.01) != OLA_OK || dirty)
        return "decrypt_shared";
    watching = 0;
    return blocks < 8 ? "the watch" : NULL; /* two buffers a call at least */
}

int
main(void)
{
    struct dense_client *client = NULL;
    struct dense_server *server = NULL;
    struct dense_session *session = NULL;
    ola_keys *keys = NULL;
    ola_ct *in[DENSE_INPUT_CTS], *out[DENSE_OUTPUT_CTS];
    ola_set_allocator(library_alloc, library_release);
    if (dense_client_new(&client) != OLA_OK || dense_client_keys(client, &keys) != OLA_OK ||
        dense_server_new("dense_weights.bin", DENSE_RESIDENT, &server) != OLA_OK ||
        dense_session_new(server, keys, &session) != OLA_OK ||
        dense_cts_new(dense_client_params(client), in, DENSE_INPUT_CTS) != OLA_OK ||
        dense_cts_new(dense_client_params(client), out, DENSE_OUTPUT_CTS) != OLA_OK)
        return puts("no network"), 1;
    const char *wrong = client_calls(client, session, in, out);
    dense_cts_free(in, DENSE_INPUT_CTS);
    dense_cts_free(out, DENSE_OUTPUT_CTS);
    dense_session_free(session);
    dense_server_free(server);
    ola_keys_free(keys);
    dense_client_free(client);
    if (wrong)
        return printf("not wiped, or not done: %s\n", wrong), 1;
    return 0;
}
