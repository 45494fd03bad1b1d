/* fuzz_npy.c - npy_parse: an error, or an array that is written and read back as the same. */
#include "import/data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct arena *a, const struct tensor *t, struct diag *d)
{
    struct str s = {0};
    struct tensor back;
    size_t n = (size_t)shape_size(&t->shape);

    npy_format(t, &s);
    if (!npy_parse(a, "again.npy", (const uint8_t *)s.text, s.len, &back, d) ||
        !shape_equal(&t->shape, &back.shape) || !t->f != !back.f)
        abort();
    if (n && memcmp(t->f ? (void *)t->f : t->i, back.f ? (void *)back.f : back.i,
                    n * (t->f ? sizeof *t->f : sizeof *t->i)) != 0)
        abort();
    str_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct tensor t;
    bool ok = npy_parse(a, "fuzz.npy", data, size, &t, d);

    if (ok)
        check(a, &t, d);
    else if (diag_errors(d) == 0)
        abort();
    diag_free(d);
    arena_free(a);
    return 0;
}
