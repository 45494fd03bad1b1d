/* pipeline.h - the whole compile, from a path to files in memory. The only room that knows all
 * passes. */
#ifndef OLAC_PIPELINE_PIPELINE_H
#define OLAC_PIPELINE_PIPELINE_H

#include "approximate/approximate.h"
#include "emit/emit.h"
#include "ir/he.h"
#include "import/data.h"
#include "import/import.h"

struct pin_option {
    const char *node;
    const char *key; /* "degree" */
    const char *value;
};

struct compile_options {
    const char *model;
    const char *calib;    /* images; NULL: only when the network has no activation */
    uint32_t calib_count; /* 0: at most 1000 */
    /* images that will be run: says only whether the network is fed bytes; or NULL */
    const char *data;
    /* --mean A,B,C --std A,B,C; NULL: the model's own, else v / 255 */
    const double *mean, *std;
    uint32_t n_mean, n_std;
    struct approximate_options approximate;
    const struct pin_option *pins; /* --set */
    uint32_t n_pins;
    uint32_t log_n;    /* 0: chosen */
    uint32_t security; /* 0: 128 */
    bool insecure_toy; /* --insecure-toy */
    /* 0: 15 - bits that the scale stands above the noise of one rounding */
    double precision_bits;
    const char *templates; /* --templates DIR, NULL: built in */
    const char *dump;      /* --dump=PASS: text form after that pass, to dump_out */
    struct str *dump_out;
    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all);
    void *user;
};

/* What a compile leaves. Everything is in the arena given to pipeline_compile. */
struct compiled {
    struct graph *imported; /* as read, shapes inferred: the float reference */
    struct graph *graph;    /* simplified and approximated */
    struct approximate_report approximation;
    struct he_program *program;
    struct emitted files; /* the generated folder, in memory */
    struct data calib;
    float *calib_images;
    uint32_t n_calib;
    double seconds;
};

/* Each stage on its own, each ending where the next begins; `check` and `show` stop early.
 * False after errors in d; out holds what was reached. */
bool pipeline_import(struct arena *a, const struct compile_options *o, struct compiled *out,
                     struct diag *d);
/* The imported network alone, with --mean and --std, for the float interpreter. */
bool pipeline_float(struct arena *a, const struct compile_options *o, struct compiled *out,
                    struct diag *d);
bool pipeline_middle(struct arena *a, const struct compile_options *o, struct compiled *out,
                     struct diag *d);
/* Middle, then the HE program where there is one: a network that is too deep leaves program NULL
 * and a warning, for its accuracy can be simulated all the same. */
bool pipeline_simulate(struct arena *a, const struct compile_options *o, struct compiled *out,
                       struct diag *d);
bool pipeline_compile(struct arena *a, const struct compile_options *o, struct compiled *out,
                      struct diag *d);
/* Everything that would stop a compile of this model, without data: `olac check`. */
bool pipeline_check(struct arena *a, const struct compile_options *o, struct compiled *out,
                    struct diag *d);

#endif
