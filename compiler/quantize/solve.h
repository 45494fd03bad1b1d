/* solve.h - the numbers of quantize/: weights on a grid that answer as well as they can. Knows
 * nothing of graphs. */
#ifndef OLAC_QUANTIZE_SOLVE_H
#define OLAC_QUANTIZE_SOLVE_H

#include "ir/pow2.h"

#include <stddef.h>

/* Moments of a layer's inputs x (cols of them, the last one 1 when there is a bias) and of its
 * wanted outputs y over all positions of all images. */
struct solve_moments {
    size_t rows, cols;
    bool bias;  /* the last column is never rounded nor pruned */
    double *xx; /* cols x cols: sum x x^T */
    double *yx; /* rows x cols: sum y x^T */
    double yy;  /* sum of squares of y */
};

struct solve_options {
    const struct pow2_grid *grid; /* NULL: nothing is rounded */
    double prune;                 /* share of the weights (without bias) */
    double damp; /* of the mean of xx's diagonal, added to it: keeps weights that no input tells
                    apart near what they were */
};

/* sum of squares of y - w x. */
double solve_error(const struct solve_moments *m, const double *w);
/* w: rows x cols, as they are; becomes what is solved for. False when xx is not finite or its
 * damped form not positive definite. */
bool solve(const struct solve_moments *m, const struct solve_options *o, double *w);

#endif
