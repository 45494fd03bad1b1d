/* choose.h - a degree for every activation: where an error hurts, more levels. The door of
 * choose/.
 *
 * requires    STAGE_SIMPLIFIED; at least one calibration image (labels optional); the candidates
 *             of every encrypted NONLIN node with their errors (struct choice, as
 *             approximate_errors makes it)
 * establishes layer.impact in the candidates; then, for a budget of levels, a degree for every
 *             activation
 * leaves      the graph
 * fails       420-429: a label that is no class, an operator without derivative
 * source      arXiv 2310.10349, sec. 4: sum of impact * error, least by dynamic programming */
#ifndef OLAC_CHOOSE_CHOOSE_H
#define OLAC_CHOOSE_CHOOSE_H

#include "ir/choice.h"

/* A choice within a budget. Levels are those of activations only. */
struct choose_plan {
    uint32_t *option; /* [choice.n]: the candidate of each layer */
    uint32_t *degree; /* per node index, 0 where it is no activation */
    uint32_t deepest; /* levels along the deepest way: at most the budget */
    uint32_t levels;  /* of all activations together */
    double cost;      /* sum of impact * error: the predicted variance of the loss */
};

/* What each image says of the impacts (see choose/impact.h): n rows of a number for each channel of
 * each layer of c, of which node and channels have to be there. labels: [n] or NULL. */
bool choose_each(struct graph *g, const float *images, uint32_t n, const int64_t *labels,
                 const struct choice *c, float *each, struct diag *d);
/* The impacts, from n such rows: their means. */
void choose_weigh(struct arena *a, struct choice *c, const float *const *each, uint32_t n);
/* Both at once. */
bool choose(struct graph *g, const float *images, uint32_t n, const int64_t *labels,
            struct choice *c, struct diag *d);
/* In place of impacts: what the answers on n images lose by each candidate alone. Takes the
 * candidates' polynomials; those of the graph must be gone, and are. */
bool choose_measure(struct graph *g, const float *images, uint32_t n, struct choice *c,
                    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all),
                    void *user, struct diag *d);
/* The fewest and the most levels that the deepest way can take. */
void choose_range(const struct graph *g, const struct choice *c, uint32_t *least, uint32_t *most);
/* The plan of least cost whose deepest way has at most `budget` levels; false when there is none.
 * Exact for a chain (see choose/allot.h). */
bool choose_within(struct arena *a, const struct graph *g, const struct choice *c, uint32_t budget,
                   struct choose_plan *out);
/* Every activation at `degree`, as far as its pins allow: what OLA is compared with. */
void choose_uniform(struct arena *a, const struct graph *g, const struct choice *c, uint32_t degree,
                    struct choose_plan *out);
/* The plan of these candidates, [c->n], which it takes over. */
void choose_options(struct arena *a, const struct graph *g, const struct choice *c,
                    uint32_t *option, struct choose_plan *out);
/* What a layer costs at a candidate: as measured, else impact * error. */
double choose_cost(const struct choice_layer *l, uint32_t option);

#endif
