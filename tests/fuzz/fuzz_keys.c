/* fuzz_keys.c - ola_keys_parse, for parameters without and with bootstrapping; keys that it accepts
 * are used for a rotation, a product and a bootstrapping. */
#include "fuzz.h"

#include <stddef.h>

/* Parameters, and a ciphertext of them in a file. */
struct set {
    ola_params *p;
    ola_ct *ct;
    ola_boot *boot; /* NULL: none */
    uint8_t *file;
    size_t size;
};

static void
set_make(struct set *s, bool boot)
{
    const double x = 0.5;
    ola_client *client;
    void *bytes;
    s->p = fuzz_params_new(boot ? fuzz_boot_literal() : fuzz_literal());
    if (ola_client_new(s->p, &client) != OLA_OK || ola_ct_new(s->p, &s->ct) != OLA_OK ||
        ola_encrypt(client, s->ct, &x, 1, boot ? 2 : 1, 0x1p30) != OLA_OK ||
        ola_cts_bytes(s->p, (const ola_ct *[]){s->ct}, 1, &bytes, &s->size) != OLA_OK ||
        (boot && ola_boot_new(s->p, 1, 0x1p30, 0x1p30, &s->boot) != OLA_OK))
        abort();
    ola_client_free(client);
    s->file = bytes;
}

/* The ciphertext says that it is of the keys' secret, whose id is in their file's head. */
static void
set_claim(struct set *s, const uint8_t *keys_file)
{
    const size_t at = offsetof(struct ola_file_head, key_id);
    memcpy(s->file + at, keys_file + at, OLA_KEY_ID);
    uint8_t *good = fuzz_repair(s->file, s->size);
    if (ola_cts_parse(s->p, good, s->size, &s->ct, 1) != OLA_OK)
        abort();
    free(good);
}

static void
use(ola_params *p, const ola_keys *keys, const ola_ct *in, const ola_boot *boot)
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
    status = boot ? ola_bootstrap(s, boot, out, in) : OLA_OK;
    if (status != OLA_OK && status != OLA_ERR_KEY)
        abort();
    ola_ct_free(out);
    ola_server_free(s);
}

static void
try(struct set *s, const uint8_t *data, size_t size)
{
    ola_keys *keys;
    if (ola_keys_parse(s->p, data, size, &keys) == OLA_OK)
        ola_keys_free(keys);
    else if (keys != NULL)
        abort();
    uint8_t *good = fuzz_repair(data, size);
    if (good != NULL && ola_keys_parse(s->p, good, size, &keys) == OLA_OK) {
        set_claim(s, good);
        use(s->p, keys, s->ct, s->boot);
        ola_keys_free(keys);
    }
    free(good);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct set set[2];
    for (int boot = 0; boot < 2; boot++) {
        if (set[boot].p == NULL)
            set_make(&set[boot], boot);
        try(&set[boot], data, size);
    }
    return 0;
}
