/* fuzz_ciphertext.c - ola_cts_parse for one and for two ciphertexts; what it accepts is computed
 * with and written again. */
#include "fuzz.h"

static void
use(ola_params *p, ola_ct *const *ct, uint32_t n)
{
    ola_server *s;
    ola_ct *out;
    void *bytes;
    size_t size;
    if (ola_server_new(p, NULL, &s) != OLA_OK || ola_ct_new(p, &out) != OLA_OK)
        abort();
    for (uint32_t k = 0; k < n; k++) {
        if (ola_add(s, out, ct[k], ct[k]) != OLA_OK)
            abort();
        ola_status status = ola_rescale(s, out, ct[k]);
        if (status != OLA_OK && status != OLA_ERR_LEVEL && status != OLA_ERR_SCALE)
            abort();
    }
    if (ola_cts_bytes(p, (const ola_ct *const *)ct, n, &bytes, &size) != OLA_OK ||
        ola_cts_parse(p, bytes, size, ct, n) != OLA_OK)
        abort();
    ola_bytes_free(bytes, size);
    ola_ct_free(out);
    ola_server_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ola_params *p = fuzz_params_once();
    ola_ct *ct[2];
    if (ola_ct_new(p, &ct[0]) != OLA_OK || ola_ct_new(p, &ct[1]) != OLA_OK)
        abort();
    (void)!ola_cts_parse(p, data, size, ct, 1);
    uint8_t *good = fuzz_repair(data, size);
    for (uint32_t n = 1; n <= 2 && good != NULL; n++) {
        if (ola_cts_parse(p, good, size, ct, n) == OLA_OK)
            use(p, ct, n);
    }
    free(good);
    ola_ct_free(ct[0]);
    ola_ct_free(ct[1]);
    return 0;
}
