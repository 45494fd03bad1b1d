/* data.h - images and labels from files: .npy, MNIST idx, CIFAR-10 binary batches, plain or .gz. */
#ifndef OLAC_IMPORT_DATA_H
#define OLAC_IMPORT_DATA_H

#include "base/diag.h"
#include "ir/tensor.h"

/* Samples as stored: dimension 0 counts images. dtype DT_U8 for idx images, CIFAR batches and uint8
 * .npy: bytes; else DT_F32 (or DT_I64 for integer .npy). Labels of a CIFAR batch come along. */
struct data {
    const char *file;
    enum dtype dtype;
    struct shape shape; /* [images, ...] */
    const uint8_t *u8;
    const float *f32;
    const int64_t *i64;
    const int64_t *labels; /* NULL when the file has none */
    uint64_t first;        /* where in the file the images begin, for messages */
};

/* Format by content. Errors 250-299. data_parse: u8 may point into bytes, which then have to live
 * as long. */
bool data_read(struct arena *a, const char *path, struct data *out, struct diag *d);
bool data_parse(struct arena *a, const char *path, const uint8_t *bytes, size_t size,
                struct data *out, struct diag *d);
/* Labels from .npy (integers), idx1, CIFAR batch, or text with one integer a line. */
bool data_labels(struct arena *a, const char *path, const int64_t **labels, uint32_t *n,
                 struct diag *d);

/* The images of a file one after the other, in memory that does not grow with the file (but for
 * arrays in Fortran order, which are read whole). Formats, errors and labels as data_read. */
struct data_stream;
/* In arena a; NULL after an error. data_close may be given NULL. */
struct data_stream *data_open(struct arena *a, const char *path, struct diag *d);
/* The next images, at most `most` and as many as 64 MiB hold, valid until the next call; none
 * (dimension 0 of the shape) behind the last. */
bool data_next(struct data_stream *s, uint32_t most, struct data *out, struct diag *d);
/* Images of the whole file; 0: nobody knows yet. */
uint64_t data_total(const struct data_stream *s);
void data_close(struct data_stream *s);

/* .npy, versions 1 to 3, little and big endian, C and Fortran order; f2 f4 f8 i1..i8 u1..u8 b1. */
bool npy_parse(struct arena *a, const char *file, const uint8_t *bytes, size_t size,
               struct tensor *out, struct diag *d);
/* Version 1 bytes: f4 for floats, i8 for integers, b1 for booleans; deterministic. */
void npy_format(const struct tensor *t, struct str *out);

/* Images as the floats the network takes: shape fits `input` (its leading 1 is the image), u8
 * through `pixels` (bytes where the model says nothing of pixels: v / 255), other integers too
 * when the model speaks of pixels, floats as they are; NaN and infinity are errors. count 0:
 * all; else the first count. Flat data fit any shape of as many elements; [c, h, w] and [h, w,
 * c] are brought to each other where the shapes say so. Channels of mean and std: dimension 1 of
 * a rank-4 input or, where that has another length, dimension 3; dimension 1 of the data where
 * the input is flat. */
struct graph;
struct input;
bool data_images(struct arena *a, const struct data *data, const struct graph *g,
                 const struct input *in, uint32_t count, float **images, uint32_t *n,
                 struct diag *d);

#endif
