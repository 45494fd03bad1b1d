/* fuzz_keys.c - ola_keys_parse; keys that it accepts are used for a rotation and a product. */
#include "fuzz.h"

#include <stddef.h>

/* A ciphertext that says that it is of the keys' secret, whose id is in their file's head. */
static ola_ct *
some_ct(ola_params *p, const uint8_t *keys_file)
{
    static ola_ct *ct;
    static uint8_t *file;
    static size_t size;
    void *bytes;
    ola_client *client;
    const double x = 0.5;
    const size_t at = offsetof(struct ola_file_head, key_id);
    if (ct == NULL) {
        if (ola_client_new(p, &client) != OLA_OK || ola_ct_new(p, &ct) != OLA_OK ||
            ola_encrypt(client, ct, &x, 1, 1, 0x1p30) != OLA_OK ||
            ola_cts_bytes(p, (const ola_ct *[]){ct}, 1, &bytes, &size) != OLA_OK)
            abort();
        ola_client_free(client);
        file = bytes;
    }
    memcpy(file + at, keys_file + at, OLA_KEY_ID);
    uint8_t *good = fuzz_repair(file, size);
    if (ola_cts_parse(p, good, size, &ct, 1) != OLA_OK)
        abort();
    free(good);
    return ct;
}

static void
use(ola_params *p, const ola_keys *keys, const ola_ct *in)
{
    ola_server *s;
    ola_ct *out;
    if (ola_server_new(p, keys, &s) != OLA_OK || ola_ct_new(p, &out) != OLA_OK)
        abort();
    ola_status status = ola_rotate(s, out, in, 1);
    if (status != OLA_OK && status != OLA_ERR_KEY)
        abort();
    if (ola_mul(s, out, in, in) != OLA_OK)
        abort();
    status = ola_relinearise(s, out, out);
    if (status != OLA_OK && status != OLA_ERR_KEY)
        abort();
    ola_ct_free(out);
    ola_server_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ola_params *p = fuzz_params_once();
    ola_keys *keys;
    if (ola_keys_parse(p, data, size, &keys) == OLA_OK)
        ola_keys_free(keys);
    else if (keys != NULL)
        abort();
    uint8_t *good = fuzz_repair(data, size);
    if (good != NULL && ola_keys_parse(p, good, size, &keys) == OLA_OK) {
        use(p, keys, some_ct(p, good));
        ola_keys_free(keys);
    }
    free(good);
    return 0;
}
