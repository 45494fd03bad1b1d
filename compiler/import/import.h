/* import.h - from a model file to a graph. The door of the room import/.
 *
 * requires    a path; by its content (not its name) an ONNX model, else a network in the language
 * establishes STAGE_IMPORTED: named, typed, topologically ordered graph; every initialiser a
 *             constant
 * fails       100-249, all problems at once; g == NULL then
 *
 * Every byte is untrusted: no crash, no endless loop, no allocation above what the file
 * justifies. */
#ifndef OLAC_IMPORT_IMPORT_H
#define OLAC_IMPORT_IMPORT_H

#include "ir/graph.h"

struct graph *import_model(struct arena *a, const char *path, struct diag *d);

/* The two front ends, on bytes in memory (what fuzzers call). dir: where external data or .npy
 * weights are looked up; paths that leave it are refused. */
struct graph *import_onnx(struct arena *a, const char *file, const char *dir, const uint8_t *data,
                          size_t size, struct diag *d);
struct graph *import_dsl(struct arena *a, const char *file, const char *dir, const char *text,
                         size_t size, struct diag *d);

/* The graph as the bytes of an ONNX model; polynomials are left out. Importing them gives an equal
 * graph. E_TUNE_WRITE: an operator that ONNX does not have. */
bool onnx_format(const struct graph *g, struct str *out, struct diag *d);

/* The graph in the language; weights go to `weights` as name -> bytes of an .npy file (may be
 * NULL: only the text). Importing the print gives an equal graph (names, order, attributes,
 * data, pins). */
struct dsl_file {
    const char *name;
    const void *data;
    size_t size;
};
bool dsl_print(const struct graph *g, struct str *out, struct arena *a, struct dsl_file **files,
               uint32_t *n_files, struct diag *d);

#endif
