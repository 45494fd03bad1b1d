/* fuzz_calibration.c - calibration_parse: an error, or a calibration that is written as it was
 * read and merges with itself. The checksum is made to fit, so that what lies behind it is
 * reached. */
#include "calibrate/calibrate.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define TRAILER 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct calibration *c, const uint8_t *bytes, size_t size, struct diag *d)
{
    struct str s = {0};

    calibration_format(c, &s);
    if (s.len != size || memcmp(s.text, bytes, size) != 0)
        abort();
    str_free(&s);
    for (uint32_t k = 0; k < c->n; k++)
        for (uint32_t i = 0; i < c->layers[k].channels; i++)
            if (!(histogram_deviation(&c->layers[k].channel[i]) >= 0))
                abort();
    uint32_t n = c->n_sample;
    if (calibration_merge(c, c, "itself", d) && c->n_sample != n)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    uint8_t *bytes = arena_alloc(a, size + 1);

    if (size)
        memcpy(bytes, data, size);
    if (size > TRAILER)
        crypto_generichash(bytes + size - TRAILER, TRAILER, bytes, size - TRAILER, NULL, 0);
    struct calibration *c = calibration_parse(a, "fuzz.cal", bytes, size, d);
    if (c)
        check(c, bytes, size, d);
    else if (diag_errors(d) == 0)
        abort();
    diag_free(d);
    arena_free(a);
    return 0;
}
