/* emit.h - from a scheduled HE program to files in memory. The door of emit/. Decides nothing.
 *
 * requires    HE_SCHEDULED
 * establishes the generated folder: NAME.h, NAME_client.c, NAME_server.c, NAME_eval.c (the server
 *             alone), NAME_front.c where the network is split, the program NAME_main.c NAME_trip.c
 *             NAME_npy.c NAME_program.h, NAME_weights.bin, NAME_manifest.json,
 *             NAME_selftest.bin (reference inputs and outputs), CMakeLists.txt;
 *             NAME is emit_identifier of the program's name
 * fails       550-599: a template that cannot be read, uses an unknown mark or lacks one
 * The same program, reference and options give the same bytes. */
#ifndef OLAC_EMIT_EMIT_H
#define OLAC_EMIT_EMIT_H

#include "ir/he.h"
#include "ir/tp.h"

struct emitted_file {
    const char *name;
    const void *data;
    size_t size;
};

struct emitted {
    VEC(struct emitted_file) files;
};

struct emit_options {
    const char *templates; /* folder that overrides built-in ones file by file, or NULL */
    const char *options; /* the options of the command line that change the code, for the header */
    /* Reference: n_reference images, the floats of all inputs one behind the other, and the outputs
     * of the approximated network in the same way. */
    const float *reference_in, *reference_out;
    uint32_t n_reference;
    double tolerance;          /* of the self-test: largest |difference| allowed */
    const struct graph *graph; /* names, shapes and degrees for the manifest */
    /* What the client computes in the clear, before it encrypts; polynomials stand for the
     * activations of front->graph themselves. NULL: nothing. The reference inputs are then its
     * inputs. */
    const struct tp *front;
    const char *split_at; /* the first node that is encrypted */
};

/* A C identifier from any name, the NAME of the generated files; never one that olac, the runtime
 * or CMake use. */
const char *emit_identifier(struct arena *a, const char *name);

/* Whether the part in front can be written as C; E_SPLIT else. */
bool emit_front_check(struct arena *a, const struct tp *front, struct diag *d);

bool emit(struct arena *a, const struct he_program *p, const struct emit_options *o,
          struct emitted *out, struct diag *d);

/* Writes every file into `dir` (made when missing), each by rename. */
bool emit_write(const struct emitted *e, const char *dir, struct diag *d);
/* Compares with what `dir` holds: "" when identical, else a unified diff of text files and a line
 * for each binary file that differs. False only when something could not be read (a missing file is
 * a difference). */
bool emit_against(struct arena *a, const struct emitted *e, const char *dir, struct str *diff,
                  struct diag *d);

#endif
