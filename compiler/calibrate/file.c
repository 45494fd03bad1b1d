/* file.c - a calibration as a file. Little-endian; v is a number in groups of seven bits, the low
 * ones first, the last group without the eighth bit:
 *
 *   8 "OLACCALB"  u32 version
 *   32 hash of the model  u64 images  u32 K, in the sample, with impacts
 *   u8 kind of elements (1 bytes, 2 floats, 3 int64)  u8 labels  u8 pixels present  u8 rank
 *   u64 each dimension of an image as it is stored
 *   where pixels are present: f64 divisor  u32 channels  f64 each mean  f64 each deviation
 *   u32 layers, of each: u32 node  u32 channels  u32 length and bytes of the name
 *   of each channel of each layer: v zeros  f32 least, largest  u16 octaves, of each in order:
 *       u16 place  v each count  v sum  u64 squares, low and high
 *   of each image of the sample: 16 key  u64 label  its elements
 *   of each image with impacts: f32 each channel
 *   32 BLAKE2b-256 of everything before */
#include "calibrate/calibrate.h"
#include "calibrate/sample.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define VERSION 1u
#define TRAILER 32
/* What a reader is ready to hold. */
#define MOST_SAMPLE (1u << 20)

static const char magic[8] = {'O', 'L', 'A', 'C', 'C', 'A', 'L', 'B'};

bool
calibration_is(const char *path)
{
    char first[sizeof magic];
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    size_t n = fread(first, 1, sizeof first, f);
    fclose(f);
    return n == sizeof first && memcmp(first, magic, sizeof magic) == 0;
}

/* ---- writing ------------------------------------------------------------------ */

static void
put(struct str *s, uint64_t v, unsigned bytes)
{
    char b[8];

    for (unsigned k = 0; k < bytes; k++)
        b[k] = (char)(uint8_t)(v >> 8 * k);
    str_addn(s, b, bytes);
}

static void
put_float(struct str *s, float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    put(s, bits, 4);
}

static void
put_double(struct str *s, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    put(s, bits, 8);
}

static void
put_groups(struct str *s, uint64_t v)
{
    for (; v > 127; v >>= 7)
        put(s, (v & 127) | 128, 1);
    put(s, v, 1);
}

static unsigned
width_of(enum dtype t)
{
    return t == DT_U8 ? 1 : t == DT_F32 ? 4 : 8;
}

static void
put_row(struct str *s, const struct calibration *c, const void *row)
{
    int64_t n = shape_size(&c->shape);

    if (c->dtype == DT_U8)
        str_addn(s, row, (size_t)n);
    for (int64_t k = 0; c->dtype == DT_F32 && k < n; k++)
        put_float(s, ((const float *)row)[k]);
    for (int64_t k = 0; c->dtype == DT_I64 && k < n; k++)
        put(s, (uint64_t)((const int64_t *)row)[k], 8);
}

static void
put_histogram(struct str *s, const struct histogram *h)
{
    put_groups(s, h->zeros);
    put_float(s, h->lo);
    put_float(s, h->hi);
    put(s, h->n, 2);
    for (uint32_t p = 0; p < HISTOGRAM_OCTAVES; p++) {
        if (!h->slot[p])
            continue;
        const struct histogram_octave *o = &h->octave[h->slot[p] - 1];
        put(s, p, 2);
        for (int b = 0; b < HISTOGRAM_BINS; b++)
            put_groups(s, o->count[b]);
        put_groups(s, o->sum);
        put(s, o->square_low, 8);
        put(s, o->square_high, 8);
    }
}

static void
put_head(struct str *s, const struct calibration *c)
{
    const struct pixels *p = &c->pixels;

    str_addn(s, magic, sizeof magic);
    put(s, VERSION, 4);
    str_addn(s, (const char *)c->model, sizeof c->model);
    put(s, c->images, 8);
    put(s, c->most, 4);
    put(s, c->n_sample, 4);
    put(s, c->weighed, 4);
    put(s, c->dtype == DT_U8 ? 1 : c->dtype == DT_F32 ? 2 : 3, 1);
    put(s, c->labels, 1);
    put(s, p->present, 1);
    put(s, (uint64_t)c->shape.rank, 1);
    for (int k = 0; k < c->shape.rank; k++)
        put(s, (uint64_t)c->shape.dim[k], 8);
    if (p->present) {
        put_double(s, p->divisor);
        put(s, p->channels, 4);
        for (uint32_t k = 0; k < p->channels; k++)
            put_double(s, p->mean[k]);
        for (uint32_t k = 0; k < p->channels; k++)
            put_double(s, p->std[k]);
    }
    put(s, c->n, 4);
    for (uint32_t k = 0; k < c->n; k++) {
        size_t length = strlen(c->layers[k].name);
        put(s, c->layers[k].node, 4);
        put(s, c->layers[k].channels, 4);
        put(s, length, 4);
        str_addn(s, c->layers[k].name, length);
    }
}

void
calibration_format(const struct calibration *c, struct str *s)
{
    uint8_t hash[TRAILER];

    put_head(s, c);
    for (uint32_t k = 0; k < c->n; k++)
        for (uint32_t i = 0; i < c->layers[k].channels; i++)
            put_histogram(s, &c->layers[k].channel[i]);
    for (uint32_t k = 0; k < c->n_sample; k++) {
        str_addn(s, (const char *)c->sample[k].key, CALIBRATION_KEY);
        put(s, (uint64_t)c->sample[k].label, 8);
        put_row(s, c, c->sample[k].row);
    }
    for (uint32_t k = 0; k < c->weighed; k++)
        for (uint64_t i = 0; i < c->channels; i++)
            put_float(s, c->sample[k].impact[i]);
    crypto_generichash(hash, sizeof hash, (const uint8_t *)s->text, s->len, NULL, 0);
    str_addn(s, (const char *)hash, sizeof hash);
}

/* ---- reading ------------------------------------------------------------------ */

/* A cursor that knows whether everything was well so far; behind the first fault it gives 0. */
struct reader {
    struct arena *a;
    const uint8_t *at, *end;
    bool ok;
};

static bool
need(struct reader *r, size_t n)
{
    r->ok = r->ok && (size_t)(r->end - r->at) >= n;
    return r->ok;
}

static uint64_t
get(struct reader *r, unsigned bytes)
{
    uint64_t v = 0;

    if (!need(r, bytes))
        return 0;
    for (unsigned k = 0; k < bytes; k++)
        v |= (uint64_t)r->at[k] << 8 * k;
    r->at += bytes;
    return v;
}

static float
get_float(struct reader *r)
{
    uint32_t bits = (uint32_t)get(r, 4);
    float x;

    memcpy(&x, &bits, sizeof x);
    r->ok = r->ok && isfinite(x);
    return x;
}

static double
get_double(struct reader *r)
{
    uint64_t bits = get(r, 8);
    double x;

    memcpy(&x, &bits, sizeof x);
    r->ok = r->ok && isfinite(x);
    return x;
}

/* The shortest form only: one calibration has one file. */
static uint64_t
get_groups(struct reader *r)
{
    uint64_t v = 0, group = 128;

    for (unsigned shift = 0; r->ok && group & 128; shift += 7) {
        group = get(r, 1);
        r->ok = r->ok && shift < 63 && (group != 0 || shift == 0);
        v |= r->ok ? (group & 127) << shift : 0;
    }
    return v;
}

static bool
get_flag(struct reader *r)
{
    uint64_t v = get(r, 1);

    r->ok = r->ok && v <= 1;
    return v != 0;
}

static void
get_shape(struct reader *r, struct shape *s, unsigned width, unsigned rank)
{
    uint64_t size = width;

    r->ok = r->ok && rank <= MAX_RANK;
    s->rank = r->ok ? (int)rank : 0;
    for (int k = 0; k < s->rank; k++) {
        uint64_t dim = get(r, 8);
        r->ok = r->ok && dim > 0 && dim <= OLAC_MAX_BYTES && size <= OLAC_MAX_BYTES / dim;
        s->dim[k] = r->ok ? (int64_t)dim : 1;
        size *= (uint64_t)s->dim[k];
    }
    r->ok = r->ok && shape_size(s) >= 0;
}

static void
get_pixels(struct reader *r, struct pixels *p)
{
    p->divisor = get_double(r);
    uint64_t n = get(r, 4);
    if (!need(r, 16 * n))
        return;
    p->channels = (uint32_t)n;
    p->mean = ARENA_ARRAY(r->a, double, n);
    p->std = ARENA_ARRAY(r->a, double, n);
    for (uint64_t k = 0; k < n; k++)
        p->mean[k] = get_double(r);
    for (uint64_t k = 0; k < n; k++)
        p->std[k] = get_double(r);
    r->ok = r->ok && n > 0 && p->divisor > 0;
    for (uint64_t k = 0; k < n; k++)
        r->ok = r->ok && p->std[k] > 0;
}

static void
get_layers(struct reader *r, struct calibration *c)
{
    uint64_t n = get(r, 4);

    if (n > CALIBRATION_CHANNELS || !need(r, 12 * n))
        r->ok = false;
    if (!r->ok)
        return;
    c->n = (uint32_t)n;
    c->layers = ARENA_ARRAY(r->a, struct histogram_layer, n + 1);
    for (uint32_t k = 0; r->ok && k < c->n; k++) {
        struct histogram_layer *l = &c->layers[k];
        l->node = (uint32_t)get(r, 4);
        l->channels = (uint32_t)get(r, 4);
        uint64_t length = get(r, 4);
        if (!need(r, length))
            return;
        l->name = arena_strndup(r->a, (const char *)r->at, length);
        r->ok = strlen(l->name) == length && l->channels > 0;
        r->at += length;
        c->channels += l->channels;
        r->ok = r->ok && c->channels <= CALIBRATION_CHANNELS;
    }
}

static void
get_histogram(struct reader *r, struct histogram *h)
{
    h->zeros = get_groups(r);
    h->lo = get_float(r);
    h->hi = get_float(r);
    uint64_t n = get(r, 2);
    int64_t last = -1;
    if (n > HISTOGRAM_OCTAVES || !need(r, n * (HISTOGRAM_BINS + 19)))
        r->ok = false;
    for (uint64_t k = 0; r->ok && k < n; k++) {
        uint64_t place = get(r, 2);
        if (!r->ok || place >= HISTOGRAM_OCTAVES || (int64_t)place <= last) {
            r->ok = false;
            return;
        }
        last = (int64_t)place;
        struct histogram_octave *o = histogram_octave(r->a, h, (uint32_t)place);
        for (int b = 0; b < HISTOGRAM_BINS; b++)
            o->count[b] = get_groups(r);
        o->sum = get_groups(r);
        o->square_low = get(r, 8);
        o->square_high = get(r, 8);
    }
    r->ok = r->ok && histogram_sound(h);
}

static void
get_row(struct reader *r, const struct calibration *c, uint8_t *to)
{
    int64_t n = shape_size(&c->shape);

    if (!need(r, sample_row_bytes(c)))
        return;
    if (c->dtype == DT_U8) {
        memcpy(to, r->at, (size_t)n);
        r->at += n;
        return;
    }
    for (int64_t k = 0; k < n; k++) {
        uint64_t v = get(r, width_of(c->dtype));
        uint32_t low = (uint32_t)v;
        if (c->dtype == DT_F32)
            memcpy(to + 4 * k, &low, 4);
        else
            memcpy(to + 8 * k, &v, 8);
    }
}

static void
get_sample(struct reader *r, struct calibration *c)
{
    size_t bytes = sample_row_bytes(c);
    uint8_t key[CALIBRATION_KEY];

    if (!need(r, c->n_sample * (CALIBRATION_KEY + 8 + bytes)))
        return;
    uint8_t *rows = arena_array(r->a, c->n_sample + 1, bytes);
    for (uint32_t k = 0; r->ok && k < c->n_sample; k++) {
        struct calibration_image *i = &c->sample[k];
        memcpy(i->key, r->at, CALIBRATION_KEY);
        r->at += CALIBRATION_KEY;
        i->label = (int64_t)get(r, 8);
        i->row = rows + k * bytes;
        get_row(r, c, i->row);
        sample_key(c, i->row, i->label, key);
        r->ok = r->ok && memcmp(key, i->key, sizeof key) == 0 &&
                (k == 0 || memcmp(c->sample[k - 1].key, key, sizeof key) < 0) &&
                (c->labels ? i->label >= 0 : i->label == -1);
    }
}

static void
get_impacts(struct reader *r, struct calibration *c)
{
    if (!need(r, 4 * c->weighed * c->channels))
        return;
    for (uint32_t k = 0; k < c->weighed; k++) {
        float *to = c->sample[k].impact = ARENA_ARRAY(r->a, float, c->channels + 1);
        for (uint64_t i = 0; i < c->channels; i++) {
            to[i] = get_float(r);
            r->ok = r->ok && to[i] >= 0;
        }
    }
}

static void
get_head(struct reader *r, struct calibration *c)
{
    static const enum dtype kinds[] = {DT_NONE, DT_U8, DT_F32, DT_I64};

    if (!need(r, sizeof c->model))
        return;
    memcpy(c->model, r->at, sizeof c->model);
    r->at += sizeof c->model;
    c->images = get(r, 8);
    c->most = (uint32_t)get(r, 4);
    c->n_sample = (uint32_t)get(r, 4);
    c->weighed = (uint32_t)get(r, 4);
    uint64_t kind = get(r, 1);
    c->dtype = kinds[kind < 4 ? kind : 0];
    c->labels = get_flag(r);
    c->pixels.present = get_flag(r);
    unsigned rank = (unsigned)get(r, 1);
    r->ok = r->ok && c->dtype != DT_NONE && c->most <= MOST_SAMPLE && c->n_sample <= c->most &&
            c->images >= c->n_sample && c->images <= HISTOGRAM_MOST &&
            (c->weighed == 0 ||
             c->weighed == (c->n_sample < CALIBRATION_WEIGHED ? c->n_sample : CALIBRATION_WEIGHED));
    get_shape(r, &c->shape, width_of(c->dtype), rank);
    if (c->pixels.present)
        get_pixels(r, &c->pixels);
    if (r->ok)
        c->sample = ARENA_ARRAY(r->a, struct calibration_image, (size_t)c->most + 1);
}

static struct calibration *
damaged(struct diag *d, const char *file, const char *why)
{
    diag_error(d, E_CALIB_FILE, PLACE_FILE(file), "%s", why);
    diag_hint(d, "make it again with olac calibrate");
    return NULL;
}

struct calibration *
calibration_parse(struct arena *a, const char *file, const uint8_t *bytes, size_t size,
                  struct diag *d)
{
    uint8_t hash[TRAILER];
    struct calibration *c = ARENA_NEW(a, struct calibration);
    struct reader r = {.a = a, .at = bytes + sizeof magic, .ok = true};

    if (size < sizeof magic + 4 || memcmp(bytes, magic, sizeof magic) != 0)
        return damaged(d, file, "not a calibration file");
    r.end = bytes + size;
    if (get(&r, 4) != VERSION)
        return damaged(d, file, "a calibration file of another version of olac");
    if (size < sizeof magic + 4 + TRAILER)
        return damaged(d, file, "the calibration file is cut off");
    r.end = bytes + size - TRAILER;
    crypto_generichash(hash, sizeof hash, bytes, size - TRAILER, NULL, 0);
    if (memcmp(hash, r.end, TRAILER) != 0)
        return damaged(d, file, "the calibration file is cut off or was changed");
    c->arena = a;
    get_head(&r, c);
    if (r.ok)
        get_layers(&r, c);
    if (!need(&r, 11 * c->channels))
        r.ok = false;
    for (uint32_t k = 0; r.ok && k < c->n; k++) {
        c->layers[k].channel = ARENA_ARRAY(a, struct histogram, c->layers[k].channels);
        for (uint32_t i = 0; r.ok && i < c->layers[k].channels; i++)
            get_histogram(&r, &c->layers[k].channel[i]);
    }
    if (r.ok)
        get_sample(&r, c);
    if (r.ok)
        get_impacts(&r, c);
    if (!r.ok || r.at != r.end)
        return damaged(d, file, "the numbers in the calibration file contradict each other");
    return c;
}

bool
calibration_fits(const struct calibration *c, const struct graph *g, const char *file,
                 struct diag *d)
{
    struct arena *a = arena_new();
    const struct calibration *own = calibration_new(a, g, 0);
    bool fits = memcmp(c->model, g->hash, sizeof c->model) == 0 && own->n == c->n;

    for (uint32_t k = 0; fits && k < c->n; k++)
        fits = own->layers[k].channels == c->layers[k].channels &&
               own->layers[k].node == c->layers[k].node &&
               strcmp(own->layers[k].name, c->layers[k].name) == 0;
    if (!fits) {
        diag_error(d, E_CALIB_MODEL, PLACE_FILE(file),
                   "made with another model than '%s', or with another version of olac", g->file);
        diag_hint(d, "olac calibrate %s --calib DATA -o FILE", g->file);
    }
    arena_free(a);
    return fits;
}
