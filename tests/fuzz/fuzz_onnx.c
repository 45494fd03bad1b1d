/* fuzz_onnx.c - import_onnx: an error, or a graph that the verifier takes. */
#include "import/import.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct graph *g = import_onnx(a, "fuzz.onnx", NULL, data, size, d);

    if (g ? !graph_check(g, STAGE_IMPORTED, d) : diag_errors(d) == 0)
        abort();
    diag_free(d);
    arena_free(a);
    return 0;
}
