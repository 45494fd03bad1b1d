/* pipeline.h - the whole compile, from a path to files in memory. The only room that knows all
 * passes. */
#ifndef OLAC_PIPELINE_PIPELINE_H
#define OLAC_PIPELINE_PIPELINE_H

#include "approximate/approximate.h"
#include "calibrate/calibrate.h"
#include "emit/emit.h"
#include "ir/he.h"
#include "import/data.h"
#include "import/import.h"
#include "quantize/quantize.h"
#include "tune/polish.h"
#include "tune/tune.h"
#include "report/report.h"

struct pin_option {
    const char *node;
    const char *key; /* "degree" */
    const char *value;
};

struct compile_options {
    const char *model;
    /* images, or a file of olac calibrate; NULL: only when the network has no activation */
    const char *calib;
    /* 0: at most 1000 images; of a calibration file: its whole sample; olac calibrate: all */
    uint32_t calib_count;
    /* images that will be run: says only whether the network is fed bytes; or NULL */
    const char *data;
    /* --mean A,B,C --std A,B,C; NULL: the model's own, else v / 255 */
    const double *mean, *std;
    uint32_t n_mean, n_std;
    struct approximate_options approximate;
    struct quantize_options quantize; /* --quantize, --prune */
    /* olac calibrate: every shards-th image from the shard-th, counted from 1 (0: all); images that
     * are kept, 0: CALIBRATION_SAMPLE */
    uint32_t shard, shards, sample;
    uint32_t polish;    /* --polish: steps; 0: none */
    double max_drop;    /* --max-drop: share of answers that may be lost; 0: not given */
    double max_latency; /* --max-latency: predicted seconds; 0: not given */
    double max_ram;     /* --max-ram: bytes of an evaluation; 0: not given */
    /* --calib-labels: true classes of the calibration images; NULL: those in calib, if any */
    const char *calib_labels;
    const struct pin_option *pins; /* --set */
    uint32_t n_pins;
    /* --split-at: what stands before this node is left to the client, in the clear; or NULL */
    const char *split_at;
    uint32_t log_n;    /* 0: chosen */
    uint32_t security; /* 0: 128 */
    bool insecure_toy; /* --insecure-toy */
    bool throughput; /* --pack throughput: an image a slot, in place of one image over the slots */
    /* 0: 15 - bits that the scale stands above the noise of one rounding */
    double precision_bits;
    /* --costs: what programs are priced with, and what its table calls itself; NULL: the shipped */
    const struct he_costs *costs;
    const char *costs_name;
    const char *templates; /* --templates DIR, NULL: built in */
    const char *dump;      /* --dump=PASS: text form after that pass, to dump_out */
    struct str *dump_out;
    bool report; /* fill compiled.report */
    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all);
    void *user;
};

/* A choice of degrees, fitted on one half of the calibration images and judged on the other. */
struct chosen_plan {
    uint32_t uniform; /* the degree that all have, as far as pins allow; 0: layer by layer */
    bool untried;     /* priced only: it would lose too much, or be slower than one that will do */
    uint32_t deepest, levels; /* of activations: along the deepest way, all together */
    /* of accuracy where there are labels, else of agreement with float; INFINITY: no fit */
    double drop;
    double seconds;         /* predicted; INFINITY: no ring holds it */
    double cost;            /* the predicted variance of the loss */
    const uint32_t *degree; /* per node of the graph; 0: no activation */
    struct approximated fit;
    struct approximate_report report;
    struct polish_report polished;
};

#define CHOSEN_UNIFORM 3 /* degrees 3, 7, 15 */

/* What --max-drop and --max-latency led to. */
struct chosen {
    uint32_t judged; /* images of the half that judges; 0: nothing was chosen so */
    bool labels;     /* the drop is one of accuracy */
    struct chosen_plan uniform[CHOSEN_UNIFORM], plan;
    struct chosen_plan *tried; /* all of them */
    uint32_t n_tried;
    struct choice choice; /* what they were made from */
};

/* What a compile leaves. Everything is in the arena given to pipeline_compile. */
struct compiled {
    /* with --split-at: what the client computes of an image, exactly; then `imported`, `graph` and
     * calib_images are those of the part behind it. NULL: nothing */
    struct graph *front;
    struct graph *imported;              /* as read, shapes inferred: the float reference */
    struct graph *graph;                 /* simplified and approximated */
    struct quantize_report quantization; /* n == 0: weights are as they were */
    struct approximate_report approximation;
    struct polish_report polished; /* with --polish */
    struct chosen chosen;
    struct he_program *program;
    struct report *report; /* with compile_options.report */
    struct emitted files;  /* the generated folder, in memory */
    struct data calib;
    /* what the images feed the float network; NULL: no images, or no activation */
    struct calibration *calibration;
    float *calib_images;
    float *calib_plain; /* with a front: the images themselves */
    uint32_t n_calib;
    bool begun; /* by pipeline_begin: what follows goes on from there */
    double seconds;
};

/* Each stage on its own, each ending where the next begins; `check` and `show` stop early.
 * False after errors in d; out holds what was reached. */
bool pipeline_import(struct arena *a, const struct compile_options *o, struct compiled *out,
                     struct diag *d);
/* The imported network alone, with --mean and --std, for the float interpreter. */
bool pipeline_float(struct arena *a, const struct compile_options *o, struct compiled *out,
                    struct diag *d);
/* The model read and simplified, calibration images read, and nothing computed yet: what other
 * files must fit is known. Those below begin with it where it was not called. */
bool pipeline_begin(struct arena *a, const struct compile_options *o, struct compiled *out,
                    struct diag *d);
bool pipeline_middle(struct arena *a, const struct compile_options *o, struct compiled *out,
                     struct diag *d);
/* Middle, then the HE program where there is one: a network that is too deep leaves program NULL
 * and a warning, for its accuracy can be simulated all the same. */
bool pipeline_simulate(struct arena *a, const struct compile_options *o, struct compiled *out,
                       struct diag *d);
bool pipeline_compile(struct arena *a, const struct compile_options *o, struct compiled *out,
                      struct diag *d);
/* One pass over o->calib, of any length, to out->calibration: `olac calibrate`. */
bool pipeline_calibration(struct arena *a, const struct compile_options *o, struct compiled *out,
                          struct diag *d);
/* The calibration files as one. NULL after an error. */
struct calibration *pipeline_merge(struct arena *a, const char *const *files, uint32_t n,
                                   struct diag *d);
/* After pipeline_float: trains out->graph, with the polynomials that o->approximate asks for in
 * place (grid or degree; else with its activations as they are), and leaves it as it is to be
 * written. head: only what stands behind this node is trained; NULL: all. teacher: the file of a
 * network whose answers are learned; NULL: none. */
bool pipeline_tune(struct arena *a, const struct compile_options *o, const struct tune_data *data,
                   const char *head, const char *teacher, const struct tune_options *t,
                   struct compiled *c, struct tune_report *r, struct diag *d);
/* Everything that would stop a compile of this model, without data: `olac check`. */
bool pipeline_check(struct arena *a, const struct compile_options *o, struct compiled *out,
                    struct diag *d);

#endif
