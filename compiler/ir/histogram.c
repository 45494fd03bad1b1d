/* histogram.c - see histogram.h. A float's bits are its octave and bin: sign, exponent and the
 * leading bits of the mantissa. */
#include "ir/histogram.h"

#include <math.h>
#include <string.h>

#define HALF (HISTOGRAM_OCTAVES / 2)
/* log2 of HISTOGRAM_BINS */
#define BIN_BITS 5

_Static_assert(HISTOGRAM_BINS == 1 << BIN_BITS, "bins of an octave");

int
histogram_exponent(uint32_t place)
{
    int biased = place < HALF ? HALF - (int)place : (int)place - HALF + 1;

    return biased - 127;
}

bool
histogram_negative(uint32_t place)
{
    return place < HALF;
}

struct histogram_octave *
histogram_octave(struct arena *a, struct histogram *h, uint32_t place)
{
    if (h->slot[place] || !a)
        return h->slot[place] ? &h->octave[h->slot[place] - 1] : NULL;
    if (h->n == h->cap) {
        uint32_t cap = h->cap ? 2 * h->cap : 8;
        struct histogram_octave *more;
#pragma omp critical(olac_histogram)
        more = ARENA_ARRAY(a, struct histogram_octave, cap);
        if (h->n)
            memcpy(more, h->octave, h->n * sizeof *more);
        h->octave = more;
        h->cap = cap;
    }
    h->slot[place] = (uint16_t)++h->n;
    return &h->octave[h->n - 1];
}

static const struct histogram_octave *
octave_at(const struct histogram *h, uint32_t place)
{
    return h->slot[place] ? &h->octave[h->slot[place] - 1] : NULL;
}

static bool
empty(const struct histogram *h)
{
    return h->n == 0 && h->zeros == 0;
}

static void
stretch(struct histogram *h, bool first, float lo, float hi)
{
    h->lo = first || lo < h->lo ? lo : h->lo;
    h->hi = first || hi > h->hi ? hi : h->hi;
}

bool
histogram_add(struct arena *a, struct histogram *h, const float *x, size_t n)
{
    float lo = INFINITY, hi = -INFINITY;
    bool first = empty(h);

    for (size_t k = 0; k < n; k++) {
        uint32_t bits;
        memcpy(&bits, &x[k], sizeof bits);
        uint32_t biased = bits >> 23 & 255;
        if (biased == 0) {
            h->zeros++;
            lo = 0 < lo ? 0 : lo;
            hi = 0 > hi ? 0 : hi;
            continue;
        }
        if (biased == 255)
            return false;
        uint32_t place = bits >> 31 ? HALF - biased : HALF - 1 + biased;
        uint64_t mantissa = (bits & 0x7fffff) | 0x800000, square = mantissa * mantissa;
        struct histogram_octave *o =
            h->slot[place] ? &h->octave[h->slot[place] - 1] : histogram_octave(a, h, place);
        o->count[bits >> (23 - BIN_BITS) & (HISTOGRAM_BINS - 1)]++;
        o->sum += mantissa;
        o->square_low += square;
        o->square_high += o->square_low < square;
        lo = x[k] < lo ? x[k] : lo;
        hi = x[k] > hi ? x[k] : hi;
    }
    if (n)
        stretch(h, first, lo, hi);
    return true;
}

void
histogram_merge(struct arena *a, struct histogram *to, const struct histogram *from)
{
    if (empty(from))
        return;
    stretch(to, empty(to), from->lo, from->hi);
    to->zeros += from->zeros;
    for (uint32_t p = 0; p < HISTOGRAM_OCTAVES; p++) {
        const struct histogram_octave *f = octave_at(from, p);
        if (!f)
            continue;
        struct histogram_octave *t = histogram_octave(a, to, p);
        for (int b = 0; b < HISTOGRAM_BINS; b++)
            t->count[b] += f->count[b];
        t->sum += f->sum;
        t->square_low += f->square_low;
        t->square_high += f->square_high + (t->square_low < f->square_low);
    }
}

/* ---- reading ------------------------------------------------------------------ */

uint64_t
histogram_count(const struct histogram *h)
{
    uint64_t sum = h->zeros;

    for (uint32_t k = 0; k < h->n; k++)
        for (int b = 0; b < HISTOGRAM_BINS; b++)
            sum += h->octave[k].count[b];
    return sum;
}

double
histogram_mean(const struct histogram *h)
{
    double sum = 0, count = (double)histogram_count(h);

    for (uint32_t p = 0; p < HISTOGRAM_OCTAVES; p++) {
        const struct histogram_octave *o = octave_at(h, p);
        if (o)
            sum += ldexp(histogram_negative(p) ? -(double)o->sum : (double)o->sum,
                         histogram_exponent(p) - 23);
    }
    return count > 0 ? sum / count : 0;
}

double
histogram_deviation(const struct histogram *h)
{
    double sum = 0, count = (double)histogram_count(h), mean = histogram_mean(h);

    if (h->lo == h->hi || count == 0)
        return 0;
    for (uint32_t p = 0; p < HISTOGRAM_OCTAVES; p++) {
        const struct histogram_octave *o = octave_at(h, p);
        if (o)
            sum += ldexp(ldexp((double)o->square_high, 64) + (double)o->square_low,
                         2 * (histogram_exponent(p) - 23));
    }
    return sqrt(fmax(sum / count - mean * mean, 0));
}

static double
edge(uint32_t place, int bin)
{
    double x = ldexp(1 + (double)bin / HISTOGRAM_BINS, histogram_exponent(place));

    return histogram_negative(place) ? -x : x;
}

static struct histogram_bin
bin_of(const struct histogram *h, double from, double to, uint64_t count)
{
    struct histogram_bin b = {fmax(from, (double)h->lo), fmin(to, (double)h->hi), 0, count};

    b.x = b.lo + (b.hi - b.lo) / 2;
    return b;
}

struct histogram_bin *
histogram_bins(struct arena *a, const struct histogram *h, uint32_t *n)
{
    struct histogram_bin *out =
        ARENA_ARRAY(a, struct histogram_bin, (size_t)h->n * HISTOGRAM_BINS + 1);

    *n = 0;
    for (uint32_t p = 0; p < HISTOGRAM_OCTAVES; p++) {
        const struct histogram_octave *o = octave_at(h, p);
        if (p == HALF && h->zeros)
            out[(*n)++] = (struct histogram_bin){.count = h->zeros};
        for (int k = 0; o && k < HISTOGRAM_BINS; k++) {
            int b = histogram_negative(p) ? HISTOGRAM_BINS - 1 - k : k;
            double near = edge(p, b), far = edge(p, b + 1);
            if (o->count[b])
                out[(*n)++] = bin_of(h, fmin(near, far), fmax(near, far), o->count[b]);
        }
    }
    return out;
}

void
histogram_shares(const struct histogram *h, double lo, double hi, uint32_t n, double *share)
{
    struct arena *a = arena_new();
    double count = (double)histogram_count(h), step = (hi - lo) / n;
    uint32_t n_bins;
    const struct histogram_bin *bins = histogram_bins(a, h, &n_bins);

    memset(share, 0, n * sizeof *share);
    for (uint32_t k = 0; k < n_bins && step > 0; k++) {
        const struct histogram_bin *b = &bins[k];
        double first = floor((b->lo - lo) / step), width = b->hi - b->lo;
        if (!(b->hi >= lo) || !(b->lo <= hi))
            continue;
        for (double part = fmax(first, 0); part < n && lo + part * step <= b->hi; part++) {
            double from = fmax(b->lo, lo + part * step), to = fmin(b->hi, lo + (part + 1) * step);
            double of = width > 0 ? (to - from) / width : 1;
            share[(uint32_t)part] += of * (double)b->count / count;
            if (!(width > 0))
                break;
        }
        if (first == n && !(width > 0))
            share[n - 1] += (double)b->count / count; /* exactly at hi */
    }
    arena_free(a);
}

static bool
octave_sound(const struct histogram_octave *o)
{
    uint64_t count = 0, high, low;

    for (int b = 0; b < HISTOGRAM_BINS; b++) {
        if (o->count[b] > HISTOGRAM_MOST)
            return false;
        count += o->count[b];
    }
    if (count == 0 || count > HISTOGRAM_MOST)
        return false;
    /* sum within [count 2^23, count 2^24), squares within [count 2^46, count 2^48) */
    high = o->square_high;
    low = o->square_low;
    return o->sum >= count << 23 && o->sum < count << 24 && (high << 18 | low >> 46) >= count &&
           high < UINT64_C(1) << 46 && (high << 16 | low >> 48) < count;
}

bool
histogram_sound(const struct histogram *h)
{
    struct arena *a = arena_new();
    uint32_t n;
    const struct histogram_bin *bins = histogram_bins(a, h, &n);
    bool ok = h->zeros <= HISTOGRAM_MOST && isfinite(h->lo) && isfinite(h->hi);

    for (uint32_t k = 0; ok && k < h->n; k++)
        ok = octave_sound(&h->octave[k]);
    ok = ok && histogram_count(h) <= HISTOGRAM_MOST;
    if (ok && n) /* lo and hi in the outermost bins: bin_of cut them to what was seen */
        ok = bins[0].lo == (double)h->lo && bins[0].hi >= (double)h->lo &&
             bins[n - 1].hi == (double)h->hi && bins[n - 1].lo <= (double)h->hi;
    else if (ok)
        ok = h->lo == 0 && h->hi == 0;
    arena_free(a);
    return ok;
}
