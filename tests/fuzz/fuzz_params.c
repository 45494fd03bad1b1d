/* fuzz_params.c - ola_params_parse. Rings that would only cost time (above 2^12) are read but not
 * built. */
#include "fuzz.h"

#include "plan/literal.h"

static void
build(const uint8_t *data, size_t size)
{
    struct ola_literal l;
    ola_params *p;
    if (ola_file_read_params(NULL, data, size, OLA_FILE_REAL, &l) != OLA_OK || l.log_n > 12)
        return;
    if (ola_params_parse(data, size, &p) == OLA_OK) {
        if (!ola_params_literal(p)->insecure_toy && ola_params_security(p) < 128)
            abort();
        ola_params_free(p);
    }
}

/* The fingerprint in the head made that of the literal behind it. */
static void
sign(uint8_t *file, size_t size)
{
    struct ola_file_head head;
    struct ola_literal l;
    memcpy(&head, file, sizeof head);
    if (!ola_literal_read(&l, file + sizeof head, size - sizeof head - OLA_FILE_HASH))
        return;
    head.flags = l.insecure_toy ? OLA_FILE_TOY : 0;
    memcpy(head.model, l.model, 32);
    ola_file_fingerprint(&l, head.fingerprint);
    memcpy(file, &head, sizeof head);
    crypto_generichash(file + size - OLA_FILE_HASH, OLA_FILE_HASH, file, size - OLA_FILE_HASH, NULL,
                       0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_params_once();
    build(data, size);
    uint8_t *good = fuzz_repair(data, size);
    if (good != NULL) {
        sign(good, size);
        build(good, size);
    }
    free(good);
    return 0;
}
