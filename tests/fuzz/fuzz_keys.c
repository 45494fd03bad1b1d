/* fuzz_keys.c - ola_keys_parse; keys that it accepts are used for a rotation and a product. */
#include "fuzz.h"

static ola_ct *
some_ct(ola_params *p)
{
    static ola_ct *ct;
    ola_client *client;
    const double x = 0.5;
    if (ct != NULL)
        return ct;
    if (ola_client_new(p, &client) != OLA_OK || ola_ct_new(p, &ct) != OLA_OK ||
        ola_encrypt(client, ct, &x, 1, 1, 0x1p30) != OLA_OK)
        abort();
    ola_client_free(client);
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
        use(p, keys, some_ct(p));
        ola_keys_free(keys);
    }
    free(good);
    return 0;
}
