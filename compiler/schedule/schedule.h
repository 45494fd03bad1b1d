/* schedule.h - levels, scales, keys. The door of schedule/.
 *
 * requires    HE_LOWERED
 * establishes (schedule_levels) the level of every value, drops where a reader wants a lower one;
 *             (schedule_scales, parameters chosen) HE_SCHEDULED: scales, modelled noise, the key
 *             set, prices
 * leaves      what is computed: he_eval is the same before and after
 * dump        --dump=schedule
 *
 * Every value that is a tensor of the network has the default scale exactly: maps and polynomials
 * choose the scale of their plaintexts so, a product's second factor is made at scale q of the
 * prime that the product is rescaled by. Outputs are scaled down to fit the last prime. */
#ifndef OLAC_SCHEDULE_SCHEDULE_H
#define OLAC_SCHEDULE_SCHEDULE_H

#include "ir/he.h"

/* Levels below the inputs; key switches that each level sees (for params/), [depth + 1]. */
struct schedule_levels {
    uint32_t depth;
    double *switches;
    bool outputs_free; /* every output's scale can be chosen (a map or polynomial makes it) */
};

void schedule_levels(struct he_program *p, struct schedule_levels *out);
/* The same for a program that is bootstrapped, its parameters chosen: places the refreshes (and,
 * with apply, puts them in, with levels and drops). Returns the predicted seconds, below 0 where
 * the levels between two refreshes are too few for the program. */
double schedule_deep(struct he_program *p, const struct he_rotations *r, bool apply);
/* The degrees that a polynomial may have, by the levels that they take, and what the answers lose
 * by each; n == 0: the one that it has. */
#define SCHEDULE_OPTIONS 8
struct schedule_options {
    uint32_t n, degree[SCHEDULE_OPTIONS];
    double cost[SCHEDULE_OPTIONS];
};
/* Degrees of all polynomials, placed at the least predicted time. */
struct schedule_choice {
    double seconds, cost; /* predicted; the sum over the polynomials */
    uint8_t *option;      /* [polynomial] */
};
struct schedule_front {
    struct schedule_choice *at;
    uint32_t len, cap;
};
/* Degrees and refreshes together, the parameters chosen: adds the choices that no other beats in
 * seconds and in cost, the fastest first. Exact as long as no more than 1,500 states, of 512 kinds
 * of levels, have to be kept at a time; beyond, of states that differ by a percent (or more, where
 * need be) of the cost the fastest is kept, and of many kinds some, from fast to slow.
 * o: [polynomial]. */
void schedule_front(struct arena *a, const struct he_program *p, const struct he_rotations *r,
                    const struct schedule_options *o, struct schedule_front *out);
/* The rotations of each map, for it. */
struct he_rotations *schedule_rotations(struct arena *a, const struct he_program *p);
/* output_range: bound on |output|, for the scale of the last level. */
bool schedule_scales(struct he_program *p, double output_range, struct diag *d);
/* A scheduled program predicted to take more memory than is allowed, or than programs of its kind
 * should where nothing is said. */
bool schedule_heavy(const struct he_program *p);
/* What schedule_scales does behind the scales, for a batch, which has its own (batch/). */
bool schedule_batch(struct he_program *p, struct diag *d);

#endif
