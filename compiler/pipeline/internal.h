/* internal.h - what the files of pipeline/ share. */
#ifndef OLAC_PIPELINE_INTERNAL_H
#define OLAC_PIPELINE_INTERNAL_H

#include "ir/tp.h"
#include "op/op.h"
#include "pipeline/pipeline.h"
#include "schedule/schedule.h"

/* Tries ring degrees, each on a copy of the tensor program, prices each result and keeps the
 * cheapest, without its weights (lower_weights; candidates.c). NULL after an error. */
struct he_program *pipeline_candidates(struct arena *a, const struct compile_options *o,
                                       const struct tp *t, double output_range, struct diag *d);
/* --mean and --std, or the plain v / 255 where the data are bytes, to the graph's input. */
bool pipeline_pixels(struct arena *a, const struct compile_options *o, struct graph *g, bool bytes,
                     struct diag *d);
/* Import, one input and output, simplify. */
bool pipeline_front(struct arena *a, const struct compile_options *o, struct compiled *out,
                    struct diag *d);
/* What out->calib_images feed the activations of out->graph, to out->calibration, where that is
 * not there yet (calibration.c). */
bool pipeline_calibrate(struct arena *a, const struct compile_options *o, struct compiled *out,
                        struct diag *d);
/* o->calib, a file of olac calibrate: its sample as out->calib, its pixels for the graphs. */
bool pipeline_calibration_read(struct arena *a, const struct compile_options *o,
                               struct compiled *out, struct diag *d);
/* The same for a batch of images, an image a slot (batches.c). */
struct he_program *pipeline_batches(struct arena *a, const struct compile_options *o,
                                    const struct tp *t, double output_range, struct diag *d);
/* The guards of the approximation (guard.c). */
void pipeline_guard(struct arena *a, const struct compiled *c, struct approximate_options *ao);
/* Whether --max-drop and --max-latency have what they need; reads o->calib_labels. */
bool pipeline_choosable(struct arena *a, const struct compile_options *o, struct compiled *out,
                        struct diag *d);
/* approximate() by --max-drop and --max-latency (ola.c): degrees layer by layer, fills out->chosen
 * and out->approximation. */
bool pipeline_choose(struct arena *a, const struct compile_options *o,
                     const struct approximate_options *ao, struct compiled *out, struct diag *d);
/* --polish: coefficients and biases of the graph moved together (tune/polish.h); report: what it
 * then does on the images (pipeline.c). */
bool pipeline_polish(const struct compile_options *o, const struct approximate_options *ao,
                     struct graph *g, const float *images, uint32_t n,
                     struct approximate_report *report, struct polish_report *r, struct diag *d);
/* Predicted seconds of the graph with the polynomials that it has; images: n rows of its input, the
 * first PIPELINE_REFERENCE for the bounds; INFINITY: no ring holds it (candidates.c). */
double pipeline_price(const struct compile_options *o, struct graph *g, const float *images,
                      uint32_t n, double output_range);
/* What plans of degrees cost, once candidates are known (price.c): programs lowered once a ring.
 * images: n rows, as above. The graph's polynomials must be gone, and are. */
struct pipeline_prices;
struct pipeline_prices *pipeline_prices(struct arena *a, const struct compile_options *o,
                                        struct graph *g, const struct choice *c,
                                        const float *images, uint32_t n);
/* The program of a ring, whatever its degrees; NULL: no plan fits the ring. */
const struct he_program *pipeline_lowered(const struct pipeline_prices *s, uint32_t log_n);
/* A copy of it with polynomials of these degrees, of each node. */
struct he_program *pipeline_with_degrees(struct arena *a, const struct pipeline_prices *s,
                                         uint32_t log_n, const uint32_t *degree);
/* pipeline_price of the graph with these degrees; *log_n: its ring where it is bootstrapped, else 0
 * (candidates.c). */
double pipeline_price_degrees(const struct compile_options *o, const struct pipeline_prices *prices,
                              const uint32_t *degree, double output_range, uint32_t *log_n);
/* Adds plans of a bootstrapped network that no others of the same parameters beat in seconds
 * (about: what memory costs is that of other degrees) and in what the answers lose, degrees and
 * refreshes chosen together. */
struct pipeline_plan {
    double seconds, cost;
    uint32_t *option; /* [choice.n] */
};
struct pipeline_plans {
    struct pipeline_plan *at;
    uint32_t len, cap;
};
void pipeline_front_plans(struct arena *a, const struct compile_options *o,
                          const struct pipeline_prices *s, uint32_t log_n,
                          struct pipeline_plans *out);
/* The same for a lowered program, of each parameters that could serve; options: of its polynomials
 * (deep.c). */
void pipeline_deep_front(struct arena *a, const struct compile_options *o,
                         const struct he_program *p, const struct schedule_options *options,
                         struct schedule_front *out);
/* The page of report/, but for what is simulated (report.c). */
struct report *pipeline_report(struct arena *a, const struct compile_options *o,
                               const struct compiled *c);
/* The options that change the generated code, spelled out, for its header. */
const char *pipeline_options_text(struct arena *a, const struct compile_options *o,
                                  const struct compiled *c);
/* The ring degrees that are tried; above 2^16 nothing runs in reasonable time and memory. */
#define PIPELINE_LEAST_LOG_N 12
#define PIPELINE_MOST_LOG_N  16
/* The least ring whose chain holds a bootstrapping at 128 bits. */
#define PIPELINE_DEEP_LOG_N 15
/* Parameters with bootstrapping and the places of the refreshes for a lowered program, by the least
 * predicted time (deep.c); false when the ring is too small, the program as it was; or when only
 * programs of more memory than is allowed fit, *leanest the bytes of the smallest. */
bool pipeline_deep(struct arena *a, const struct compile_options *o, struct he_program *p,
                   double *leanest);
/* What scheduled programs are compared by: predicted seconds, more of them for one that takes more
 * memory than programs of its kind should (candidates.c). */
double pipeline_cost(const struct he_program *p);
/* Bits of the largest value left above the modelled noise of one operation. */
double pipeline_precision(const struct compile_options *o);
/* The part up to a node and the part behind it, which then has the node's output as its input;
 * values keep their indices. E_SPLIT: the node does not separate the two. */
bool pipeline_split(struct arena *a, const struct graph *g, const char *node, struct graph **front,
                    struct graph **back, struct diag *d);
/* --split-at, once images are read (split.c): out->front, and out->graph, out->imported and
 * out->calib_images of what stands behind it. E_SPLIT. */
bool pipeline_split_at(struct arena *a, const struct compile_options *o, struct compiled *out,
                       struct diag *d);
/* The front as a tensor program, its polynomials stand-ins for exact functions; NULL and no error:
 * there is none (split.c). */
bool pipeline_front_program(struct arena *a, const struct compiled *c, const struct tp **out,
                            struct diag *d);
/* A stand-in for every activation, so that what follows can be checked without data. */
void pipeline_assume(struct arena *a, struct graph *g, uint32_t degree, double radius);
/* What the largest output may be, from the largest that was seen. */
double pipeline_output_range(double output_max);
/* Bounds on every tensor of a network that may have to be refreshed, from n images as its one input
 * takes them (reference.c). */
void pipeline_bounds(struct tp *t, const float *images, uint32_t n);
/* So many of them. */
#define PIPELINE_REFERENCE 2
/* Images and outputs for the self-test (reference.c): the first calibration images, or made-up ones
 * where the network needed none. */
struct reference {
    float *images; /* as the client takes them */
    float *in;     /* as out->graph does: what the front makes of them, else the same */
    float *out;
    uint32_t n;
    double output_max; /* the largest |output| */
};
bool pipeline_reference(struct arena *a, const struct compiled *c, struct reference *r,
                        struct diag *d);
/* --dump=PASS (dump.c). */
void pipeline_dump_graph(const struct compile_options *o, const char *pass, const struct graph *g);
void pipeline_dump_tp(const struct compile_options *o, const char *pass, const struct tp *t);
void pipeline_dump_he(const struct compile_options *o, const char *pass,
                      const struct he_program *p);

#endif
