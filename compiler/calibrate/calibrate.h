/* calibrate.h - what a data set feeds every activation of the float network, gathered in one pass
 * over any number of images in memory that does not grow with them. The door of calibrate/.
 *
 * requires    STAGE_SIMPLIFIED; images chunk by chunk, as stored and as the network takes them
 * establishes struct calibration: a histogram of every channel, and a sample of the images: the K
 *             whose keys are least, a key being a hash of image and label. What depends on the
 *             order of images, on chunks, shards or threads is not in it: calibrations of parts
 *             merge to that of the whole, byte for byte, in any order. An image that occurs more
 *             than once counts as often in the histograms, and is in the sample once.
 * leaves      the graph
 * fails       403, 430-439, or what the interpreter reports */
#ifndef OLAC_CALIBRATE_CALIBRATE_H
#define OLAC_CALIBRATE_CALIBRATE_H

#include "base/str.h"
#include "ir/graph.h"
#include "ir/histogram.h"

#define CALIBRATION_KEY 16
/* Images in the sample, where nothing else is said. */
#define CALIBRATION_SAMPLE 1000u
/* Channels of all activations together that a file can have. */
#define CALIBRATION_CHANNELS (1u << 18)
/* So many images of the sample, from the first, have impacts. */
#define CALIBRATION_WEIGHED 256u

/* An image of the sample. */
struct calibration_image {
    uint8_t key[CALIBRATION_KEY];
    int64_t label; /* -1: unknown */
    void *row;     /* elements as they are stored: bytes, floats or int64_t */
    /* of each channel of each layer, in order: the sum of squares of the loss's derivatives by the
     * activation's elements; NULL: unknown */
    float *impact;
};

struct calibration {
    struct arena *arena;
    uint8_t model[32];    /* hash of the model's file */
    struct pixels pixels; /* how bytes became numbers */
    enum dtype dtype;     /* DT_U8, DT_F32 or DT_I64 */
    struct shape shape;   /* of one image, as it is stored */
    bool labels;
    uint64_t images; /* counted */
    uint32_t n;      /* activations */
    struct histogram_layer *layers;
    uint64_t channels; /* of all layers */
    uint32_t most;     /* K */
    uint32_t n_sample, weighed;
    struct calibration_image *sample; /* keys ascending */
};

/* Images as they are stored, and as the network takes them. */
struct calibration_chunk {
    uint32_t n;
    const void *rows;      /* n rows of the calibration's dtype and shape */
    const int64_t *labels; /* [n] or NULL */
    const float *images;   /* n rows of the graph's one input */
};

/* An empty one for the activations of a graph. dtype, shape and pixels are for the caller to set
 * before the first chunk. In arena a. */
struct calibration *calibration_new(struct arena *a, const struct graph *g, uint32_t most);
/* False after E_APPROX_VALUES (an activation is fed a number that is not finite) or an error of
 * the interpreter. */
bool calibration_add(struct calibration *c, struct graph *g, const struct calibration_chunk *chunk,
                     struct diag *d);
/* What `from` counted is counted by `to`; impacts are shared, so `from` has to live as long. False
 * after E_CALIB_MERGE: not of the same model, data format, pixels, K, labels, or more values than
 * can be counted. file: of from, for messages. */
bool calibration_merge(struct calibration *to, const struct calibration *from, const char *file,
                       struct diag *d);

/* ---- the file (file.c); its layout is in file.c ---- */

/* Whether a file is one by its first bytes; false for one that cannot be read. */
bool calibration_is(const char *path);
/* The bytes of a file; equal for equal calibrations, however they came about. */
void calibration_format(const struct calibration *c, struct str *out);
/* Everything that a file says is checked before it is believed. NULL after E_CALIB_FILE,
 * E_TOO_LARGE. Rows of the sample lie one behind the other. */
struct calibration *calibration_parse(struct arena *a, const char *file, const uint8_t *bytes,
                                      size_t size, struct diag *d);
/* Whether it was made with this graph; else E_CALIB_MODEL. */
bool calibration_fits(const struct calibration *c, const struct graph *g, const char *file,
                      struct diag *d);

#endif
