/* data_images.c - samples of a file as the floats that a network takes.
 *
 * Shapes must say what belongs where: equal but for dimensions of 1, or flat on one side, or
 * channels first on one side and last on the other. Everything else is an error. */
#include "import/data.h"

#include "ir/graph.h"

#include <inttypes.h>
#include <math.h>

/* How an image of the file is laid out in the input. */
enum fit { FIT_NONE, FIT_SAME, FIT_TO_LAST, FIT_TO_FIRST };

/* The shape of one image of the input, or of the file: without the dimension that counts. */
static struct shape
one_image(const struct shape *s, bool counted)
{
    struct shape r = {0};
    for (int k = counted ? 1 : 0; k < s->rank; k++)
        r.dim[r.rank++] = s->dim[k];
    return r;
}

static struct shape
squeezed(const struct shape *s)
{
    struct shape r = {0};
    for (int k = 0; k < s->rank; k++)
        if (s->dim[k] != 1)
            r.dim[r.rank++] = s->dim[k];
    return r;
}

/* from = [c, h, w] and to = [h, w, c], with fewer channels than rows and columns. */
static bool
is_moved(const struct shape *from, const struct shape *to)
{
    return from->rank == 3 && to->rank == 3 && from->dim[0] == to->dim[2] &&
           from->dim[1] == to->dim[0] && from->dim[2] == to->dim[1] &&
           from->dim[0] < from->dim[1] && from->dim[0] < from->dim[2];
}

static enum fit
fit(const struct shape *data, const struct shape *input)
{
    struct shape d = squeezed(data), t = squeezed(input);

    if (shape_equal(&d, &t))
        return FIT_SAME;
    if ((d.rank <= 1 || t.rank <= 1) && shape_size(data) == shape_size(input))
        return FIT_SAME;
    if (is_moved(data, input))
        return FIT_TO_LAST;
    return is_moved(input, data) ? FIT_TO_FIRST : FIT_NONE;
}

/* One conversion. */
struct job {
    const struct data *data;
    struct arena *arena;
    struct diag *diag;
    struct shape image, target; /* of one image: in the file, in the network */
    enum fit fit;
    size_t size; /* elements of an image */
    const struct pixels *pixels;
    size_t inner; /* element e of the target is of channel e / inner % channels */
};

/* Where element e of the target stands in the image of the file. */
static size_t
origin(const struct job *j, size_t e)
{
    const int64_t *d = j->image.dim;
    if (j->fit == FIT_TO_LAST) { /* file [c, h, w] */
        size_t c = (size_t)d[0], plane = (size_t)(d[1] * d[2]);
        return e % c * plane + e / c;
    }
    if (j->fit == FIT_TO_FIRST) { /* file [h, w, c] */
        size_t c = (size_t)d[2], plane = (size_t)(d[0] * d[1]);
        return e % plane * c + e / plane;
    }
    return e;
}

static bool
bad_pixels(const struct job *j, const char *why)
{
    diag_error(j->diag, E_DATA_PIXELS, PLACE_FILE(j->data->file), "%s", why);
    return false;
}

/* Which elements belong to a channel of mean and std. */
static bool
find_channels(struct job *j, const struct shape *input)
{
    const struct pixels *p = j->pixels;
    int64_t c = p->channels;

    j->inner = 1;
    if (c == 0)
        return bad_pixels(j, "there is no mean and no standard deviation");
    for (uint32_t k = 0; k < p->channels; k++)
        if (!(p->std[k] > 0) || !isfinite(p->std[k]) || !isfinite(p->mean[k]))
            return bad_pixels(j, "a standard deviation is not positive, or a mean is not finite");
    if (!(p->divisor > 0) || !isfinite(p->divisor))
        return bad_pixels(j, "the divisor of the pixels is not positive");
    if (c == 1)
        return true;
    if (input->rank == 4 && input->dim[1] == c)
        j->inner = (size_t)(input->dim[2] * input->dim[3]);
    else if (input->rank == 4 && input->dim[3] == c)
        j->inner = 1;
    else if (input->rank <= 2 && j->image.rank == 3 && j->image.dim[0] == c)
        j->inner = (size_t)(j->image.dim[1] * j->image.dim[2]);
    else {
        diag_error(j->diag, E_DATA_PIXELS, PLACE_FILE(j->data->file),
                   "%" PRId64 " means or standard deviations, but the input %s has not so many "
                   "channels",
                   c, shape_text(j->arena, input));
        return false;
    }
    return true;
}

/* Element k of the file as it stands there. */
static double
stored(const struct data *d, size_t k)
{
    return d->u8 ? d->u8[k] : d->i64 ? (double)d->i64[k] : (double)d->f32[k];
}

static bool
convert(const struct job *j, size_t image, float *out)
{
    const struct pixels *p = j->pixels;
    size_t base = image * j->size;

    for (size_t e = 0; e < j->size; e++) {
        double v = stored(j->data, base + origin(j, e));
        if (p) {
            size_t c = e / j->inner % p->channels;
            v = (v / p->divisor - p->mean[c]) / p->std[c];
        }
        out[e] = (float)v;
        if (!isfinite(out[e])) {
            diag_error(j->diag, E_DATA_VALUE, PLACE_FILE(j->data->file),
                       "element %zu of image %llu is %s", origin(j, e),
                       (unsigned long long)(j->data->first + image),
                       isnan(out[e]) ? "NaN" : "infinite");
            return false;
        }
    }
    return true;
}

/* Sets how many images are wanted; false when the file has too few. */
static bool
find_count(const struct job *j, uint32_t count, size_t *n)
{
    int64_t have = j->data->shape.dim[0];

    *n = count ? count : (size_t)have;
    if (have == 0 || (size_t)have < *n) {
        diag_error(j->diag, E_DATA_COUNT, PLACE_FILE(j->data->file),
                   "%zu image%s wanted, the file holds %" PRId64, count ? *n : 1,
                   count > 1 ? "s" : "", have);
        return false;
    }
    if (*n > UINT32_MAX || (j->size && *n > OLAC_MAX_BYTES / sizeof(float) / j->size)) {
        diag_error(j->diag, E_TOO_LARGE, PLACE_FILE(j->data->file),
                   "%zu images of %zu elements do not fit in 4 GiB", *n, j->size);
        diag_hint(j->diag, "take fewer with --count");
        return false;
    }
    return true;
}

static bool
find_fit(struct job *j, const struct shape *data, const struct value *input)
{
    bool batch = input->shape.rank >= 1 && input->shape.dim[0] == 1;

    if (data->rank >= 1) {
        j->image = one_image(data, true);
        j->target = one_image(&input->shape, batch);
        j->fit = fit(&j->image, &j->target);
        j->size = (size_t)shape_size(&j->target);
    }
    if (j->fit != FIT_NONE && j->size == 0) {
        diag_error(j->diag, E_DATA_SHAPE, PLACE_FILE(j->data->file), "the images have no elements");
        return false;
    }
    if (j->fit != FIT_NONE)
        return true;
    diag_error(j->diag, E_DATA_SHAPE, PLACE_FILE(j->data->file),
               "the data are %s, but one image for the input '%s' is %s",
               shape_text(j->arena, data), input->name, shape_text(j->arena, &input->shape));
    if (shape_size(data) == shape_size(&j->target) || data->rank < 1)
        diag_hint(j->diag, "the first dimension of the data counts images: add one");
    return false;
}

bool
data_images(struct arena *a, const struct data *data, const struct graph *g, const struct input *in,
            uint32_t count, float **images, uint32_t *n, struct diag *d)
{
    double zero = 0, one = 1;
    const struct pixels plain = {true, 255, 1, &zero, &one};
    const struct value *input = graph_value(g, in->value);
    struct job j = {.data = data, .arena = a, .diag = d};
    size_t wanted;

    /* Bytes are pixels, of which 255 is 1 where nobody says more; other integers only when told so.
     */
    if (in->pixels.present && !data->f32)
        j.pixels = &in->pixels;
    else if (data->u8)
        j.pixels = &plain;
    if (!find_fit(&j, &data->shape, input) || !find_count(&j, count, &wanted) ||
        (j.pixels && !find_channels(&j, &input->shape)))
        return false;
    *images = ARENA_ARRAY(a, float, wanted *j.size);
    *n = (uint32_t)wanted;
    for (size_t k = 0; k < wanted; k++)
        if (!convert(&j, k, *images + k * j.size))
            return false;
    return true;
}
