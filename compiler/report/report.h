/* report.h - one page about a compile: what became of every activation, what it costs, and how good
 * the network still is. The door of report/.
 *
 * requires    plain numbers and names (pipeline/ and cli/ gather them); names may hold anything
 * establishes one HTML document, also well-formed XML: nothing is fetched, all drawings are inline
 *             SVG; without its few lines of script only the values under the pointer are missing
 * leaves      what it is given
 *
 * The same report gives the same bytes. NAN: not known, left out; INFINITY seconds: no ring holds
 * the network. */
#ifndef OLAC_REPORT_REPORT_H
#define OLAC_REPORT_REPORT_H

#include "base/str.h"
#include "ir/he.h"

/* Samples of a function over its range, ends included. */
#define REPORT_POINTS 161
#define REPORT_BINS   64

/* Another polynomial that the activation could have. */
struct report_option {
    uint32_t degree, levels;
    double error;   /* root mean square, over all channels, of what the float network feeds it */
    double cost;    /* predicted variance of the loss */
    double seconds; /* predicted, of the whole network with this one activation changed */
};

struct report_activation {
    const char *name, *function; /* of the node; "Relu" */
    const struct poly *poly;
    /* the channel (row of the polynomial) of median error where options say the errors */
    uint32_t typical;
    double lo, hi; /* the inputs that are drawn: nearly all that calibration saw */
    double *f;     /* [REPORT_POINTS] over [lo, hi], of the typical channel */
    double bin[REPORT_BINS], outside; /* shares of all inputs: over [lo, hi], and outside of it */
    uint32_t levels;
    double error;                 /* as in the option */
    double impact;                /* E[(dL/da)^2], summed over the layer */
    double cost;                  /* predicted variance of the loss */
    double seconds;               /* predicted, of this polynomial */
    struct report_option *option; /* levels ascending */
    uint32_t n_options, chosen;   /* chosen: NONE when it is none of them */
};

/* A choice of degrees. uniform: the degree that all have, 0: layer by layer. */
struct report_plan {
    uint32_t uniform, levels, deepest;
    double cost;    /* predicted variance of the loss */
    double drop;    /* measured: of accuracy or agreement, a share */
    double seconds; /* predicted */
    bool chosen;
};

enum report_kind { REPORT_MAP, REPORT_POLY, REPORT_PRODUCT, REPORT_SUM, REPORT_REFRESH };
#define REPORT_STEPS 5

/* An instruction of the encrypted program, or (without one) a node of the tensor program. */
struct report_step {
    const char *name;
    enum report_kind kind;
    uint32_t before, after; /* levels left; after > before: refreshed */
    double seconds, noise;
    uint64_t rotations, products, plain_products; /* the last by numbers, too */
};

struct report_accuracy {
    const char *name; /* "float", "approximated" ... */
    double accuracy;  /* share */
    uint32_t agree, diverged;
};

/* Shares of an activation's error in the deviation of the activation, NAN where not simulated. */
struct report_layer {
    const char *name;
    double part[3]; /* polynomial, rounding, noise */
    double relative;
    uint32_t outside;
};

struct report_stress {
    const char *name;
    uint32_t images, diverged, ran_away, agree;
};

/* What running the compiled network on encrypted images measured. */
struct report_run {
    uint32_t images, agree, correct; /* same answer as float; with labels, the right one */
    bool labels;
    double keygen, encrypt, evaluate, decrypt; /* seconds; all but keygen of one image */
    double noise, largest; /* CKKS noise of an output at most, and the largest output */
    uint64_t peak_bytes, key_bytes;
};

struct report {
    const char *network, *model, *options, *version, *hash; /* hash in hex */
    struct report_activation *activation;
    uint32_t n_activations;
    uint64_t images; /* calibration images */
    double agree;    /* of calibration images: same answer as the float network; NAN */
    /* plans that were fitted and judged; the best plan of each budget of levels, predicted only */
    struct report_plan *plan, *frontier;
    uint32_t n_plans, n_frontier;
    uint32_t judged;              /* images that drops were measured on */
    bool labels;                  /* a drop is one of accuracy, else of agreement with float */
    double max_drop, max_latency; /* 0: not asked for */
    struct report_step *step;
    uint32_t n_steps, depth;
    const struct he_program *program; /* NULL: too deep for every ring */
    const char *why_none;             /* then, the reason */
    uint64_t weight_bytes;
    const struct he_scaling *cores; /* how an evaluation shares out among cores; NULL: not known */
    struct report_accuracy *accuracy; /* simulated */
    uint32_t n_accuracy, simulated;   /* simulated: images */
    struct report_layer *layer;
    uint32_t n_layers;
    const char *departs, *departs_by; /* NULL: none */
    const struct report_run *run;     /* NULL: not run */
    struct report_stress *stress;
    uint32_t n_stress;
};

void report_html(const struct report *r, struct str *out);

#endif
