//%% What the files of the generated program share. Mark: provenance.
/* net_program.h - inside the program net: options, messages, .npy files. Generated; do not edit.
 *
//% provenance
 */
#ifndef NET_PROGRAM_H
#define NET_PROGRAM_H

#include "net.h"

#include <stdio.h>

struct net_options {
    const char *command, *dir, *input, *output, *json, *checkpoint;
    char *weights, *selftest; /* owned */
    uint32_t count;           /* 0: not given */
    bool force, stream;
};

/* ---- net_main.c ------------------------------------------------------------------------------ */
/* Prints one line on stderr; the result is the exit status, 1. */
int net_fail(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
int net_fail_status(const char *what, ola_status status);
/* Fails where the system has less memory free than an evaluation takes, unless forced. */
int net_check_memory(const struct net_options *o);
double net_seconds(void); /* of a clock that only goes forward */

/* Evaluations that so many images take, and the images of evaluation `k`. */
static inline uint32_t
net_rounds(uint32_t images)
{
    return (images - 1) / NET_BATCH + 1;
}

static inline uint32_t
net_round_size(uint32_t images, uint32_t k)
{
    const uint32_t left = images - k * NET_BATCH;
    return left < NET_BATCH ? left : NET_BATCH;
}

/* Where a long evaluation is, for a person that waits; given to net_show_progress as user. */
struct net_waiting {
    bool shown; /* stderr is a terminal */
    uint32_t round, rounds;
    double start;
};

void net_show_progress(void *user, uint32_t layer, uint32_t n_layers, double done,
                       const char *name);

/* ---- net_npy.c ------------------------------------------------------------------------------- */
/* An open file of images: rows of NET_INPUT_SIZE floats, or bytes (pixels). */
struct net_images {
    const char *path;
    FILE *file;
    uint32_t rows; /* to be read */
    bool bytes;
};

/* The images of o->input, o->count of them where that is given. 0, or 1 after a message. */
int net_images_open(const struct net_options *o, struct net_images *in);
void net_images_close(struct net_images *in);
/* Encrypts the next n rows, at most NET_BATCH. */
int net_images_encrypt(struct net_images *in, const struct net_client *client, uint32_t n,
                       ola_ct *const *ct);

/* A file that appears by rename: *temporary is its name until then, owned; NULL for a device or a
 * pipe, which is written as it is. net_commit takes NULL for a file that could not be made, says
 * so, and returns 1. */
FILE *net_create(const char *path, char **temporary);
int net_commit(FILE *file, const char *path, char *temporary);
int net_write_answers(const char *path, const float *answers, uint32_t rows);

/* ---- net_trip.c ------------------------------------------------------------------------------ */
int net_command_run(const struct net_options *o);
int net_command_selftest(const struct net_options *o);

#endif
