/* fuzz_data.c - images from any bytes, made into a network's input; and the same bytes as a file of
 * labels, where they may also be gzip. */
#include "import/data.h"

#include "ir/graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input that takes such images, channels first or last. */
static void
convert(struct arena *a, const struct data *data, bool turned, struct diag *d)
{
    struct graph *g = graph_new(a, "fuzz", "fuzz");
    struct shape s = data->shape;
    float *x;
    uint32_t n;

    if (s.rank > 0)
        s.dim[0] = 1;
    if (turned && s.rank == 4) {
        int64_t c = s.dim[1];
        s.dim[1] = s.dim[2];
        s.dim[2] = s.dim[3];
        s.dim[3] = c;
    }
    graph_input(g, "x", DT_F32, s);
    if (!data_images(a, data, g, &g->inputs.at[0], 0, &x, &n, d))
        return;
    for (int64_t k = 0; k < n * shape_size(&s); k++)
        if (!isfinite(x[k]))
            abort();
}

/* The bytes as a file that has no name. */
static void
labels(struct arena *a, const uint8_t *data, size_t size, struct diag *d)
{
    const int64_t *label;
    uint32_t n;
    int fd = memfd_create("fuzz", 0);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    uint32_t before = diag_errors(d);
    if (data_labels(a, arena_printf(a, "/proc/self/fd/%d", fd), &label, &n, d)) {
        for (uint32_t k = 0; k < n; k++)
            if (label[k] < 0)
                abort();
    } else if (diag_errors(d) == before) {
        abort();
    }
    close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct data images;

    if (data_parse(a, "fuzz", data, size, &images, d)) {
        convert(a, &images, false, d);
        convert(a, &images, true, d);
    } else if (diag_errors(d) == 0) {
        abort();
    }
    labels(a, data, size, d);
    diag_free(d);
    arena_free(a);
    return 0;
}
