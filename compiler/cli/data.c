/* data.c - see data.h. */
#include "cli/data.h"

#include "base/file.h"
#include "op/interpret.h"

#include <math.h>
#include <string.h>

/* Labels count the outputs of the network from 0; a network of one output tells two classes apart.
 */
static bool
labels_fit(const struct graph *g, const char *path, const int64_t *labels, uint32_t n,
           struct diag *d)
{
    int64_t outputs = shape_size(&graph_value(g, g->outputs.at[0])->shape),
            classes = outputs > 1 ? outputs : 2;
    for (uint32_t k = 0; k < n; k++)
        if (labels[k] < 0 || labels[k] >= classes) {
            diag_error(d, E_SIM_LABELS, PLACE_FILE(path),
                       "the label of image %u is %lld; the network knows %lld classes", k,
                       (long long)labels[k], (long long)classes);
            return false;
        }
    return true;
}

bool
cli_front_images(struct arena *a, const struct compiled *c, struct cli_images *out, struct diag *d)
{
    struct graph *g = c->front;
    struct interpret_options exact = {0};

    if (!g)
        return true;
    size_t size = (size_t)shape_size(&graph_value(g, g->outputs.at[0])->shape);
    if (size * out->n > OLAC_MAX_BYTES / sizeof(float)) {
        diag_error(d, E_SPLIT, PLACE_FILE(g->file), "%zu numbers of %u images are too many", size,
                   out->n);
        return false;
    }
    out->x = ARENA_ARRAY(a, float, size * out->n + 1);
    return interpret_many(g, &exact, out->plain, out->n, out->x, d);
}

/* --labels are those of all images of the file, or of those that --count leaves. */
static bool
labels_many(struct arena *a, const char *path, uint32_t labels, const struct cli_images *in,
            int64_t all, struct diag *d)
{
    if (labels == in->n || labels == all)
        return true;
    diag_error(d, E_DATA_LABELS, PLACE_FILE(path), "%u label%s for %u image%s%s", labels,
               labels == 1 ? "" : "s", in->n, in->n == 1 ? "" : "s",
               in->n < all ? arena_printf(a, " of %lld", (long long)all) : "");
    return false;
}

bool
cli_read_images(struct arena *a, const struct options *o, const char *path,
                const struct compiled *c, struct cli_images *out, struct diag *d)
{
    struct data data;
    const struct graph *g = c->graph;
    uint32_t n = 0;
    bool ok = data_read(a, path, &data, d) &&
              data_images(a, &data, g, &g->inputs.at[0], o->count, &out->plain, &out->n, d);

    if ((o->labels && !data_labels(a, o->labels, &out->labels, &n, d)) || !ok)
        return false;
    out->x = out->plain;
    if (!o->labels)
        out->labels = data.labels;
    else if (!labels_many(a, o->labels, n, out, data.shape.dim[0], d))
        return false;
    return !out->labels || labels_fit(g, o->labels ? o->labels : path, out->labels, out->n, d);
}

bool
cli_write_answers(const char *path, const float *answers, uint32_t rows, int64_t n, struct diag *d)
{
    struct tensor t = {.dtype = DT_F32, .shape = shape_of(2, (int64_t[]){rows, n})};
    struct str s = {0};
    memcpy(&t.f, &answers, sizeof t.f); /* npy_format only reads */
    npy_format(&t, &s);
    bool ok = file_write(path, s.text, s.len, d);
    str_free(&s);
    return ok;
}

void
cli_number(struct str *s, double x)
{
    if (isfinite(x))
        str_double(s, x);
    else
        str_add(s, "null");
}
