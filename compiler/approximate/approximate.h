/* approximate.h - a polynomial for every activation. The door of approximate/; OLA fills this
 * interface.
 *
 * requires    STAGE_SIMPLIFIED; at least one calibration image, floats as the network takes them
 * establishes STAGE_APPROXIMATED: node->poly on every encrypted NONLIN node
 *             (degree 1 where it is straight on all that it was fed, unless its degree is pinned)
 *             weights of the linear maps between activations, refitted to what polynomials feed
 *             them (value->trained keeps the trained ones; power-of-two pins are left alone)
 * leaves      shapes, node order
 * fails       400-449: no calibration data, an activation that has no value on its range (Log of a
 *             negative number), a COMPOSITE node (the message says what would do instead)
 * dump        --dump=approximate
 * source      weighted least squares in the Chebyshev basis on each channel's own inputs, layers in
 *             order, each fed by the layers before it as already replaced (arXiv 2310.10349, sec.
 *             3) */
#ifndef OLAC_APPROXIMATE_APPROXIMATE_H
#define OLAC_APPROXIMATE_APPROXIMATE_H

#include "approximate/fit.h"
#include "ir/choice.h"

struct approximate_options {
    /* the same everywhere; 0: the smallest of 3, 7, 15, 31 (those that use a depth up) whose
     * network agrees with the float network on at least `agree` of the calibration images, else,
     * with a warning, the one that agrees most */
    uint32_t degree;
    double agree; /* 0: 0.985 */
    /* coefficients that are powers of two, one polynomial a layer, the best there is of degree 2
     * or 3 (powers.h): the candidates for `degree` 0 are then these two */
    enum fit_grid grid;
    bool per_layer;    /* one polynomial a layer in place of one a channel */
    bool minimax;      /* for the pipeline: approximate_minimax() in place of approximate() */
    bool keep_weights; /* no refitting of the linear maps between activations */
    /* 0: 1.2 - the range is the calibrated one times this, about its middle */
    double widen;
    /* rows like the images', or NULL: inputs that need not be answered well, but must not make
     * polynomials run away */
    const float *guard;
    uint32_t n_guard;
    const uint32_t *set_degree; /* per node index, 0: free (--set NODE:degree=7); may be NULL */
    /* per node index, the degree in place of `degree` (pins still hold), 0: none; may be NULL */
    const uint32_t *plan;
    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all);
    void *user;
};

/* What was chosen and why, for messages, the manifest and the report. */
struct approximate_report {
    uint32_t degree;
    /* calibration images used: those that fit into 1 GiB with what they make */
    uint32_t images;
    /* of calibration images: same answer as the float network (op/answer.h) */
    double agree;
    /* the largest |output| seen on calibration images, approximated network */
    double output_max;
    /* activations that in most channels are fed what noise drowns, and the first of them */
    uint32_t drowned, drowned_node;
};

/* What the approximation is, apart from the graph. */
struct approximated {
    struct poly **poly;  /* [node] */
    struct tensor *data; /* [value]: refitted constants; without data where there are none */
};
void approximate_take(struct arena *a, const struct graph *g, struct approximated *out);
/* The graph must have the nodes and values that it had then. */
void approximate_put(struct graph *g, const struct approximated *from);

/* Every problem that needs no data to be seen; o may be NULL. For `olac check`. */
bool approximate_check(const struct graph *g, const struct approximate_options *o, struct diag *d);
bool approximate(struct graph *g, const float *images, uint32_t n_images,
                 const struct approximate_options *o, struct approximate_report *r, struct diag *d);
/* In place of approximate(), for networks whose activations are all Relu: each as
 * x (1 + sign(x)) / 2 with the sign a composition of minimax polynomials of degrees {15, 15, 27},
 * 14 levels, on `widen` times the calibrated range: what others do without looking at the data, and
 * what plans are compared with (minimax.h). The graph gets other nodes, which are ReLU but for
 * rounding in the float network; weights stay. E_APPROX_FIT: another activation, or a pinned
 * degree. */
bool approximate_minimax(struct graph *g, const float *images, uint32_t n_images,
                         const struct approximate_options *o, struct approximate_report *r,
                         struct diag *d);
/* r->agree and r->output_max of a graph with its polynomials, on n images. */
bool approximate_compare(struct graph *g, const float *images, uint32_t n,
                         struct approximate_report *r, struct diag *d);
/* For choose/: each activation's candidates among the degrees that use a depth up, within its
 * pins, and their errors on what the float network feeds it. The graph's polynomials are gone
 * afterwards. */
bool approximate_errors(struct graph *g, const float *images, uint32_t n_images,
                        const struct approximate_options *o, struct choice *out, struct diag *d);

#endif
