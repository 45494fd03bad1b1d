/* plot.h - drawings as SVG: a frame with axes, lines and bars in it. Sizes are in CSS pixels. */
#ifndef OLAC_REPORT_PLOT_H
#define OLAC_REPORT_PLOT_H

#include "base/str.h"

#include <stdint.h>

/* A rectangle of the drawing and the values at its sides. With a logarithmic axis both values are
 * above 0. */
struct plot {
    struct str *out;
    double left, top, width, height;
    double x0, x1, y0, y1; /* left, right; bottom, top; x0 < x1, y0 < y1 */
    bool log_x, log_y;
};

double plot_x(const struct plot *p, double x);
double plot_y(const struct plot *p, double y);
/* Grid lines and numbers; about `ticks` of them, at 1, 2 or 5 times a power of ten. label: below,
 * or above the axis; NULL: none. numbers: what writes a number; NULL: html_plain. */
void plot_axis_x(const struct plot *p, int ticks, const char *label,
                 void (*numbers)(struct str *out, double x));
void plot_axis_y(const struct plot *p, int ticks, const char *label,
                 void (*numbers)(struct str *out, double y));
/* y[k] at even steps over [from, to]; parts that are not finite are left out, others are kept
 * within one height of the frame. */
void plot_curve(const struct plot *p, const char *class, double from, double to, const double *y,
                uint32_t n);
/* A coordinate, to a tenth of a pixel. */
void plot_number(struct str *out, double v);
/* <svg> of this size, with what it shows for who cannot see it; ends with </svg>. */
void plot_svg(struct str *out, const char *class, double width, double height, const char *label);

#endif
