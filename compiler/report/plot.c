/* plot.c - see plot.h. */
#include "report/plot.h"

#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double
share(double v, double v0, double v1, bool logarithmic)
{
    return logarithmic ? log(v / v0) / log(v1 / v0) : (v - v0) / (v1 - v0);
}

double
plot_x(const struct plot *p, double x)
{
    return p->left + p->width * share(x, p->x0, p->x1, p->log_x);
}

double
plot_y(const struct plot *p, double y)
{
    return p->top + p->height * (1 - share(y, p->y0, p->y1, p->log_y));
}

void
plot_number(struct str *out, double v)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.1f", v);

    if (n > 2 && text[n - 1] == '0')
        text[n - 2] = 0;
    str_add(out, strcmp(text, "-0") == 0 ? "0" : text);
}

void
plot_svg(struct str *out, const char *class, double width, double height, const char *label)
{
    str_addf(out, "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", class,
             width, height);
    html_text(out, label);
    str_add(out, "\">\n");
}

static void
line(struct str *out, const char *class, double x0, double y0, double x1, double y1)
{
    str_addf(out, "<line class=\"%s\" x1=\"", class);
    plot_number(out, x0);
    str_add(out, "\" y1=\"");
    plot_number(out, y0);
    str_add(out, "\" x2=\"");
    plot_number(out, x1);
    str_add(out, "\" y2=\"");
    plot_number(out, y1);
    str_add(out, "\"/>\n");
}

static void
text_at(struct str *out, const char *class, double x, double y)
{
    str_addf(out, "<text class=\"%s\" x=\"", class);
    plot_number(out, x);
    str_add(out, "\" y=\"");
    plot_number(out, y);
    str_add(out, "\">");
}

/* The distance of ticks: 1, 2 or 5 times a power of ten. */
static double
step_of(double width, int ticks)
{
    double rough = width / ticks, power = pow(10, floor(log10(rough)));

    return power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
}

/* Calls tick for each value of an axis that gets a line; powers of ten where it is logarithmic,
 * with 2 and 5 between them where it spans few. */
static void
each_tick(const struct plot *p, bool horizontal, int ticks,
          void (*tick)(const struct plot *p, double v, void (*numbers)(struct str *, double)),
          void (*numbers)(struct str *, double))
{
    double lo = horizontal ? p->x0 : p->y0, hi = horizontal ? p->x1 : p->y1;
    bool logarithmic = horizontal ? p->log_x : p->log_y;

    if (!logarithmic) {
        double step = step_of(hi - lo, ticks);
        for (double k = ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; k++)
            tick(p, k == 0 ? 0 : k * step, numbers); /* no -0 */
        return;
    }
    static const double between[] = {1, 2, 5};
    int decades = (int)floor(log10(hi)) - (int)ceil(log10(lo)) + 1,
        every = 1 + decades / (ticks + 1);
    for (int e = (int)floor(log10(lo)); e <= (int)floor(log10(hi)); e++)
        for (int b = 0; b < 3; b++) {
            double v = between[b] * pow(10, e);
            bool wanted = b == 0 ? e % every == 0 : decades <= 2;
            if (wanted && v >= lo * (1 - 1e-9) && v <= hi * (1 + 1e-9))
                tick(p, v, numbers);
        }
}

static void
tick_x(const struct plot *p, double v, void (*numbers)(struct str *, double))
{
    double x = plot_x(p, v);

    line(p->out, "grid", x, p->top, x, p->top + p->height);
    text_at(p->out, "tick middle", x, p->top + p->height + 14);
    (numbers ? numbers : html_plain)(p->out, v);
    str_add(p->out, "</text>\n");
}

static void
tick_y(const struct plot *p, double v, void (*numbers)(struct str *, double))
{
    double y = plot_y(p, v);

    line(p->out, v == 0 && !p->log_y ? "grid zero" : "grid", p->left, y, p->left + p->width, y);
    text_at(p->out, "tick end", p->left - 6, y + 3.5);
    (numbers ? numbers : html_plain)(p->out, v);
    str_add(p->out, "</text>\n");
}

void
plot_axis_x(const struct plot *p, int ticks, const char *label,
            void (*numbers)(struct str *out, double x))
{
    each_tick(p, true, ticks, tick_x, numbers);
    if (label) {
        text_at(p->out, "label middle", p->left + p->width / 2, p->top + p->height + 31);
        html_text(p->out, label);
        str_add(p->out, "</text>\n");
    }
}

void
plot_axis_y(const struct plot *p, int ticks, const char *label,
            void (*numbers)(struct str *out, double y))
{
    each_tick(p, false, ticks, tick_y, numbers);
    if (label) {
        text_at(p->out, "label", p->left, p->top - 8);
        html_text(p->out, label);
        str_add(p->out, "</text>\n");
    }
}

void
plot_curve(const struct plot *p, const char *class, double from, double to, const double *y,
           uint32_t n)
{
    bool pen = false;

    str_addf(p->out, "<path class=\"%s\" d=\"", class);
    for (uint32_t k = 0; k < n; k++) {
        if (!isfinite(y[k]) || (p->log_y && !(y[k] > 0))) {
            pen = false;
            continue;
        }
        double v = plot_y(p, y[k]);
        v = fmin(fmax(v, p->top - p->height), p->top + 2 * p->height);
        str_add(p->out, pen ? "L" : "M");
        plot_number(p->out, plot_x(p, from + (to - from) * k / (n > 1 ? n - 1 : 1)));
        str_add(p->out, " ");
        plot_number(p->out, v);
        pen = true;
    }
    str_add(p->out, "\"/>\n");
}
