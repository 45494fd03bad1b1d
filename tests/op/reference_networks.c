/* reference_networks.c - runs whole networks of other people's exporters on given inputs and
 * compares with given outputs.
 *
 *   reference_networks DIR     DIR/parser/<name>.onnx with <name>.in.f32 and <name>.out.f32 (rows
 * of floats), DIR/tabular/<name>.onnx with <name>.test_x.f32 and <name>.test_ref.f32
 *
 * Exit 77 when DIR is not there, 1 when a network is refused or differs by more than 1e-4 of its
 * largest output. */
#include "base/file.h"
#include "import/import.h"
#include "op/interpret.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool
read_floats(struct arena *a, const char *path, const float **v, size_t *n, struct diag *d)
{
    const uint8_t *data;
    size_t size;

    if (!file_read(a, path, false, OLAC_MAX_BYTES, &data, &size, d))
        return false;
    *v = (const float *)(const void *)data;
    *n = size / sizeof **v;
    return true;
}

static struct graph *
read_graph(struct arena *a, const char *path, struct diag *d)
{
    struct graph *g = import_model(a, path, d);
    return g && graph_infer(g, d) ? g : NULL;
}

/* The largest difference over the largest output; negative when the network is refused. */
static double
difference(struct arena *a, const char *base, const char *in_end, const char *out_end,
           struct diag *d)
{
    const struct interpret_options o = {0};
    const float *in, *want;
    size_t n_in, n_out;
    struct graph *g = read_graph(a, arena_printf(a, "%s.onnx", base), d);
    double worst = 0, largest = 0;

    if (!g || !read_floats(a, arena_printf(a, "%s%s", base, in_end), &in, &n_in, d) ||
        !read_floats(a, arena_printf(a, "%s%s", base, out_end), &want, &n_out, d))
        return -1;
    size_t row = (size_t)shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    size_t out_row = (size_t)shape_size(&graph_value(g, g->outputs.at[0])->shape);
    uint32_t images = (uint32_t)(n_in / row);
    if (images == 0 || images != n_out / out_row)
        return -1;
    float *got = ARENA_ARRAY(a, float, images *out_row);
    if (!interpret_many(g, &o, in, images, got, d))
        return -1;
    for (size_t k = 0; k < images * out_row; k++) {
        worst = fmax(worst, fabs((double)got[k] - (double)want[k]));
        largest = fmax(largest, fabs((double)want[k]));
    }
    return worst / largest;
}

/* All networks of a folder that have inputs. Returns how many failed. */
static int
run_folder(const char *folder, const char *in_end, const char *out_end, int *count)
{
    DIR *dir = opendir(folder);
    int failed = 0;

    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t len = strlen(e->d_name), end = strlen(in_end);
        if (len <= end || strcmp(e->d_name + len - end, in_end) != 0)
            continue;
        struct arena *a = arena_new();
        struct diag *d = diag_new();
        struct str text = {0};
        const char *base = arena_printf(a, "%s/%.*s", folder, (int)(len - end), e->d_name);
        double far = difference(a, base, in_end, out_end, d);
        bool ok = far >= 0 && far <= 1e-4;
        diag_print(d, &text);
        printf("%s %s: %g\n%s", ok ? "ok  " : "FAIL", base, far, str_text(&text));
        failed += !ok;
        ++*count;
        str_free(&text);
        diag_free(d);
        arena_free(a);
    }
    if (dir)
        closedir(dir);
    return failed;
}

int
main(int argc, char **argv)
{
    char parser[4096], tabular[4096];
    struct stat st;
    int count = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    if (stat(argv[1], &st) != 0) {
        fprintf(stderr, "skipped: there is no %s\n", argv[1]);
        return 77;
    }
    snprintf(parser, sizeof parser, "%s/parser", argv[1]);
    snprintf(tabular, sizeof tabular, "%s/tabular", argv[1]);
    int failed = run_folder(parser, ".in.f32", ".out.f32", &count);
    failed += run_folder(tabular, ".test_x.f32", ".test_ref.f32", &count);
    printf("%d networks, %d failed\n", count, failed);
    return failed || !count ? 1 : 0;
}
