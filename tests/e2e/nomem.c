/* nomem.c - the whole trip of the generated network "dense" with the n-th allocation failing, for
 * every n until none does. The library allocates through a pair of functions given to it; the
 * generated code's own calls are counted by linking with --wrap. */
#include "dense.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* The library allocates in several threads. */
static atomic_long to_failure = -1; /* allocations until the one that fails; below 0: none does */
static atomic_long alive;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *p);

static int
fails(void)
{
    long left = atomic_load(&to_failure);
    while (left >= 0)
        if (atomic_compare_exchange_weak(&to_failure, &left, left - 1))
            return left == 0;
    return 0;
}

static void *
counted(void *p)
{
    alive += p != NULL;
    return p;
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(count, size));
}

static void *
library_alloc(size_t size)
{
    return fails() ? NULL : counted(aligned_alloc(64, size));
}

void
__wrap_free(void *p)
{
    alive -= p != NULL;
    __real_free(p);
}

static void
library_release(void *p, size_t size)
{
    (void)size;
    __wrap_free(p);
}

static ola_status
ask(struct dense_client *client, struct dense_session *session, float *answer)
{
    const uint8_t pixels[DENSE_INPUT_SIZE] = {1, 2, 3};
    ola_ct *in[DENSE_INPUT_CTS], *out[DENSE_OUTPUT_CTS];
    ola_status status = dense_cts_new(dense_client_params(client), in, DENSE_INPUT_CTS);
    if (status != OLA_OK)
        return status;
    status = dense_cts_new(dense_client_params(client), out, DENSE_OUTPUT_CTS);
    if (status == OLA_OK) {
        status = dense_encrypt_pixels(client, pixels, in);
        if (status == OLA_OK)
            status = dense_evaluate(session, (const ola_ct *const *)in, out, NULL, NULL);
        if (status == OLA_OK)
            status = dense_decrypt(client, (const ola_ct *const *)out, answer);
        dense_cts_free(out, DENSE_OUTPUT_CTS);
    }
    dense_cts_free(in, DENSE_INPUT_CTS);
    return status;
}

static ola_status
trip(enum dense_loading loading, float *answer)
{
    struct dense_client *client = NULL;
    struct dense_server *server = NULL;
    struct dense_session *session = NULL;
    ola_keys *keys = NULL;
    ola_status status = dense_client_new(&client);
    if (status == OLA_OK)
        status = dense_client_keys(client, &keys);
    if (status == OLA_OK)
        status = dense_server_new("dense_weights.bin", loading, &server);
    if (status == OLA_OK)
        status = dense_session_new(server, keys, &session);
    if (status == OLA_OK)
        status = ask(client, session, answer);
    dense_session_free(session);
    dense_server_free(server);
    ola_keys_free(keys);
    dense_client_free(client);
    return status;
}

/* The n-th allocation fails; what is wrong with that, or NULL. *failed: there were so many. */
static const char *
attempt(int loading, long n, const float *right, int *failed)
{
    float answer[DENSE_OUTPUT_SIZE];
    long was = atomic_load(&alive);
    atomic_store(&to_failure, n);
    ola_status status = trip(loading ? DENSE_STREAMED : DENSE_RESIDENT, answer);
    *failed = atomic_load(&to_failure) < 0;
    atomic_store(&to_failure, -1);
    if (atomic_load(&alive) != was)
        return "objects are lost";
    if (status != OLA_OK)
        return status == OLA_ERR_NOMEM && *failed ? NULL : ola_status_text(status);
    /* A thread that finds no room may leave its work to the others: then the answer is there, and
     * right. */
    for (uint32_t i = 0; i < DENSE_OUTPUT_SIZE; i++)
        if (!(fabs((double)answer[i] - (double)right[i]) < 1e-3))
            return "a wrong answer";
    return NULL;
}

int
main(void)
{
    float right[DENSE_OUTPUT_SIZE];
    ola_set_allocator(library_alloc, library_release);
    if (trip(DENSE_RESIDENT, right) != OLA_OK)
        return puts("fails with all memory"), 1;
    for (int loading = 0; loading < 2; loading++) {
        long n = 0;
        for (int failed = 1; failed; n++) {
            const char *wrong = attempt(loading, n, right, &failed);
            if (wrong)
                return printf("allocation %ld: %s\n", n, wrong), 1;
        }
        if (n < 20)
            return printf("only %ld allocations\n", n), 1;
    }
    return 0;
}
