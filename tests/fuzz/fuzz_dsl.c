/* fuzz_dsl.c - import_dsl: an error, or a graph that the verifier takes and whose print reads back
 * to a graph with the same print and hash. */
#include "import/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(struct arena *a, const struct graph *g, struct diag *d)
{
    struct str text = {0}, again = {0};
    struct dsl_file *files;
    uint32_t n = 0;

    if (!dsl_print(g, &text, a, &files, &n, d))
        abort();
    if (n == 0) { /* else it needs files, and there is no folder */
        struct graph *h = import_dsl(a, "print", NULL, text.text, text.len, d);
        if (!h || !dsl_print(h, &again, a, NULL, NULL, d) || strcmp(text.text, again.text) != 0 ||
            memcmp(g->hash, h->hash, sizeof g->hash) != 0 || g->values.len != h->values.len)
            abort();
    }
    str_free(&text);
    str_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct graph *g = import_dsl(a, "fuzz.ola", NULL, (const char *)data, size, d);

    if (g ? !graph_check(g, STAGE_IMPORTED, d) : diag_errors(d) == 0)
        abort();
    if (g)
        round_trip(a, g, d);
    diag_free(d);
    arena_free(a);
    return 0;
}
