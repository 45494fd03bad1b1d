/* poly.c - evaluating the polynomial of an activation; see struct poly in graph.h. */
#include "ir/graph.h"

double
poly_eval(const struct poly *p, uint32_t row, double x)
{
    const double *coef = p->coef + (size_t)row * (p->degree + 1);
    double t = (x - p->center[row]) / p->radius[row], next = 0, after = 0;

    for (uint32_t k = p->degree; k > 0; k--) {
        double b = coef[k] + 2 * t * next - after;
        after = next;
        next = b;
    }
    return coef[0] + t * next - after;
}
