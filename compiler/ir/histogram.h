/* histogram.h - what a channel was fed, counted over any number of images. The bins depend on no
 * data: each octave of magnitudes [2^e, 2^(e+1)) of either sign has HISTOGRAM_BINS equal ones; and
 * all numbers are whole, so that counting in shards and adding the shards gives, in any order, what
 * counting at once gives, to the bit. Filled by calibrate/, read by approximate/ and the report. */
#ifndef OLAC_IR_HISTOGRAM_H
#define OLAC_IR_HISTOGRAM_H

#include "base/arena.h"

#include <stdbool.h>

#define HISTOGRAM_BINS 32
/* Octaves in ascending order of their values: negative ones, then positive ones. */
#define HISTOGRAM_OCTAVES 508
/* Values a histogram can hold; the sums below stay within their width up to there. */
#define HISTOGRAM_MOST (UINT64_C(1) << 40)

/* mantissa of x: the whole number |x| / 2^(e - 23), from 2^23 to 2^24 - 1. */
struct histogram_octave {
    uint64_t count[HISTOGRAM_BINS];   /* by magnitude, ascending */
    uint64_t sum;                     /* of mantissas */
    uint64_t square_low, square_high; /* of their squares */
};

/* A zeroed one is empty. */
struct histogram {
    uint64_t zeros;                   /* values below the smallest normal float, too */
    float lo, hi;                     /* the least and the largest value; 0 when empty */
    uint16_t slot[HISTOGRAM_OCTAVES]; /* 1 + place in octave; 0: nothing there */
    uint32_t n, cap;
    struct histogram_octave *octave;
};

/* The activations of a graph that is fed a data set, in the order of the graph. */
struct histogram_layer {
    const char *name;          /* of the node */
    uint32_t node, channels;   /* as graph_channels says */
    struct histogram *channel; /* of the activation's input */
};

/* One bin that is not empty. Widths: 0 of the zeros and where only one value was seen. */
struct histogram_bin {
    double lo, hi; /* no wider than what was seen */
    double x;      /* the value that stands for all of them */
    uint64_t count;
};

/* Counts n values; threads may count into different histograms that share an arena. False, with
 * some of them counted, when one is not finite. */
bool histogram_add(struct arena *a, struct histogram *h, const float *x, size_t n);
/* As if what `from` counted had been counted by `to`. */
void histogram_merge(struct arena *a, struct histogram *to, const struct histogram *from);
/* The octave at a place of the order, made when it is not there (arena a); NULL when a is NULL. */
struct histogram_octave *histogram_octave(struct arena *a, struct histogram *h, uint32_t place);
/* The exponent e and the sign of an octave. */
int histogram_exponent(uint32_t place);
bool histogram_negative(uint32_t place);

uint64_t histogram_count(const struct histogram *h);
/* Of all values counted, from the exact sums; 0 when there are none. */
double histogram_mean(const struct histogram *h);
double histogram_deviation(const struct histogram *h);
/* The bins that are not empty, in ascending order. */
struct histogram_bin *histogram_bins(struct arena *a, const struct histogram *h, uint32_t *n);
/* share[k]: how much of all lies in the k-th of n equal parts of [lo, hi], bins spread evenly;
 * what lies outside is left out. */
void histogram_shares(const struct histogram *h, double lo, double hi, uint32_t n, double *share);
/* Sound numbers, as a file could not be trusted to give: counts, sums, lo and hi agree. */
bool histogram_sound(const struct histogram *h);

#endif
