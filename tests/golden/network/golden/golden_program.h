/* golden_program.h - inside the program golden: options, messages, .npy files. Generated; do not
 * edit.
 *
 * made by   olac 0.1.0
 * network   golden
 * model     BLAKE2b-256 766d56875ce3ca2c12ee4eac3648bb81a0116a93d2125ab3aaa61f8c1ac6dab9
 * options   degree 0 (chosen), 0 calibration images
 * security  128 bits (classical)
 * ring      log N = 13, log QP = 202.0, 3 levels
 * keys      5 rotations, relinearisation, 4653056 bytes
 */
#ifndef GOLDEN_PROGRAM_H
#define GOLDEN_PROGRAM_H

#include "golden.h"

#include <stdio.h>

struct golden_options {
    const char *command, *dir, *input, *output, *json, *checkpoint;
    char *weights, *selftest; /* owned */
    uint32_t count;           /* 0: not given */
    bool force, stream;
};

/* ---- golden_main.c --------------------------------------------------------------------------- */
/* Prints one line on stderr; the result is the exit status, 1. */
int golden_fail(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
int golden_fail_status(const char *what, ola_status status);
/* Fails where the system has less memory free than an evaluation takes, unless forced. */
int golden_check_memory(const struct golden_options *o);
double golden_seconds(void); /* of a clock that only goes forward */

/* Evaluations that so many images take, and the images of evaluation `k`. */
static inline uint32_t
golden_rounds(uint32_t images)
{
    return (images - 1) / GOLDEN_BATCH + 1;
}

static inline uint32_t
golden_round_size(uint32_t images, uint32_t k)
{
    const uint32_t left = images - k * GOLDEN_BATCH;
    return left < GOLDEN_BATCH ? left : GOLDEN_BATCH;
}

/* Where a long evaluation is, for a person that waits; given to golden_show_progress as user. */
struct golden_waiting {
    bool shown; /* stderr is a terminal */
    uint32_t round, rounds;
    double start;
};

void golden_show_progress(void *user, uint32_t layer, uint32_t n_layers, double done,
                       const char *name);

/* ---- golden_npy.c ---------------------------------------------------------------------------- */
/* An open file of images: rows of GOLDEN_INPUT_SIZE floats, or bytes (pixels). */
struct golden_images {
    const char *path;
    FILE *file;
    uint32_t rows; /* to be read */
    bool bytes;
};

/* The images of o->input, o->count of them where that is given. 0, or 1 after a message. */
int golden_images_open(const struct golden_options *o, struct golden_images *in);
void golden_images_close(struct golden_images *in);
/* Encrypts the next n rows, at most GOLDEN_BATCH. */
int golden_images_encrypt(struct golden_images *in, const struct golden_client *client, uint32_t n,
                       ola_ct *const *ct);

/* A file that appears by rename: *temporary is its name until then, owned; NULL for a device or a
 * pipe, which is written as it is. golden_commit takes NULL for a file that could not be made, says
 * so, and returns 1. */
FILE *golden_create(const char *path, char **temporary);
int golden_commit(FILE *file, const char *path, char *temporary);
int golden_write_answers(const char *path, const float *answers, uint32_t rows);

/* ---- golden_trip.c --------------------------------------------------------------------------- */
int golden_command_run(const struct golden_options *o);
int golden_command_selftest(const struct golden_options *o);

#endif
