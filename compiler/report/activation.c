/* activation.c - every activation: what it is fed, the function, the polynomial and what is between
 * them, and what a level more or less would do. */
#include "report/html.h"
#include "report/parts.h"
#include "report/plot.h"

#include <math.h>

#define LEFT  46.0
#define WIDTH 440.0
#define THIN  24u                       /* channels that are drawn beside the typical one */
#define ROUGH ((REPORT_POINTS + 1) / 2) /* points of these: every other one */

/* p at `points` even points of [lo, hi] for a channel; NAN outside of its range. */
static void
sample(const struct report_activation *a, uint32_t row, double *y, int points)
{
    double reach = a->poly->radius[row];

    for (int k = 0; k < points; k++) {
        double x = a->lo + (a->hi - a->lo) * k / (points - 1);
        bool inside = fabs(x - a->poly->center[row]) <= reach * (1 + 1e-9);
        y[k] = inside ? poly_eval(a->poly, row, x) : NAN;
    }
}

static void
least_and_most(const double *y, double *lo, double *hi)
{
    for (int k = 0; k < REPORT_POINTS; k++)
        if (isfinite(y[k])) {
            *lo = fmin(*lo, y[k]);
            *hi = fmax(*hi, y[k]);
        }
}

static void
histogram(const struct report_activation *a, const struct plot *f)
{
    double most = 1e-300;

    for (int k = 0; k < REPORT_BINS; k++)
        most = fmax(most, a->bin[k]);
    for (int k = 0; k < REPORT_BINS; k++) {
        double height = 0.92 * f->height * sqrt(a->bin[k] / most);
        if (height < 0.05)
            continue;
        str_add(f->out, "<rect class=\"hist\" x=\"");
        plot_number(f->out, f->left + f->width * k / REPORT_BINS + 0.4);
        str_add(f->out, "\" y=\"");
        plot_number(f->out, f->top + f->height - height);
        str_add(f->out, "\" width=\"");
        plot_number(f->out, f->width / REPORT_BINS - 0.8);
        str_add(f->out, "\" height=\"");
        plot_number(f->out, height);
        str_add(f->out, "\"/>\n");
    }
}

static void
numbers(struct str *out, const char *name, const double *v, int n)
{
    str_addf(out, " data-%s=\"", name);
    for (int k = 0; k < n; k++)
        if (isfinite(v[k]))
            str_addf(out, "%s%.4g", k ? " " : "", v[k]);
        else
            str_add(out, k ? " NaN" : "NaN");
    str_add(out, "\"");
}

/* The values that the script shows. */
static void
svg_with_values(const struct report_activation *a, const double *typical, struct str *out)
{
    str_addf(out, "<svg class=\"plot\" viewBox=\"0 0 %.0f 330\" role=\"img\" aria-label=\"",
             LEFT + WIDTH + 10);
    html_text(out, a->name);
    str_addf(out,
             ": inputs, function, polynomial and error\" data-lo=\"%.6g\" data-hi=\"%.6g\" "
             "data-left=\"%.0f\" data-width=\"%.0f\"",
             a->lo, a->hi, LEFT, WIDTH);
    numbers(out, "f", a->f, REPORT_POINTS);
    numbers(out, "p", typical, REPORT_POINTS);
    numbers(out, "bins", a->bin, REPORT_BINS);
    str_add(out, ">\n");
}

/* The other channels, each over its own range; as errors where `error`. */
static void
thin(const struct report_activation *a, const struct plot *f, bool error)
{
    uint32_t rows = a->poly->rows, every = rows > THIN ? (rows + THIN - 1) / THIN : 1;
    double y[ROUGH];

    for (uint32_t r = 0; rows > 1 && r < rows; r += every) {
        if (r == a->typical)
            continue;
        sample(a, r, y, ROUGH);
        for (int k = 0; error && k < ROUGH; k++)
            y[k] -= a->f[2 * k];
        plot_curve(f, error ? "thin-e" : "thin", a->lo, a->hi, y, ROUGH);
    }
}

static void
clip(const struct plot *f, uint32_t index, const char *what)
{
    str_addf(f->out,
             "<clipPath id=\"%s%u\"><rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>"
             "</clipPath>\n<g clip-path=\"url(#%s%u)\">\n",
             what, index, f->left, f->top, f->width, f->height, what, index);
}

/* Whether inputs near a point are not too rare for its error to set the scale. */
static bool
common(const struct report_activation *a, int point)
{
    double most = 0;

    for (int k = 0; k < REPORT_BINS; k++)
        most = fmax(most, a->bin[k]);
    return a->bin[point * (REPORT_BINS - 1) / (REPORT_POINTS - 1)] >= 0.02 * most;
}

static void
drawing(const struct report_activation *a, uint32_t index, struct str *out)
{
    struct plot f = {.out = out, .left = LEFT, .top = 12, .width = WIDTH, .height = 196};
    struct plot e = {.out = out, .left = LEFT, .top = 238, .width = WIDTH, .height = 66};
    double p[REPORT_POINTS], off[REPORT_POINTS], worst = 1e-9;

    sample(a, a->typical, p, REPORT_POINTS);
    f.x0 = e.x0 = a->lo;
    f.x1 = e.x1 = a->hi;
    f.y0 = INFINITY;
    f.y1 = -INFINITY;
    least_and_most(a->f, &f.y0, &f.y1);
    least_and_most(p, &f.y0, &f.y1);
    double room = fmax(0.06 * (f.y1 - f.y0), 1e-6);
    f.y0 -= room;
    f.y1 += room;
    for (int k = 0; k < REPORT_POINTS; k++) {
        off[k] = p[k] - a->f[k];
        if (isfinite(off[k]) && common(a, k))
            worst = fmax(worst, fabs(off[k]));
    }
    e.y0 = -1.15 * worst;
    e.y1 = 1.15 * worst;
    svg_with_values(a, p, out);
    histogram(a, &f);
    plot_axis_y(&f, 5, NULL, NULL);
    clip(&f, index, "f");
    plot_curve(&f, "f", a->lo, a->hi, a->f, REPORT_POINTS);
    thin(a, &f, false);
    plot_curve(&f, "p", a->lo, a->hi, p, REPORT_POINTS);
    str_add(out, "</g>\n");
    plot_axis_x(&e, 6, NULL, NULL);
    plot_axis_y(&e, 4, "error: polynomial \xe2\x88\x92 function", NULL);
    clip(&e, index, "e");
    thin(a, &e, true);
    plot_curve(&e, "e", a->lo, a->hi, off, REPORT_POINTS);
    str_add(out, "</g>\n");
    str_addf(out, "<line class=\"cursor\" x1=\"%.0f\" y1=\"12\" x2=\"%.0f\" y2=\"304\"/>\n</svg>\n",
             LEFT, LEFT);
}

static double
total_cost(const struct report *r)
{
    double sum = 0;

    for (uint32_t k = 0; k < r->n_activations; k++)
        sum += isfinite(r->activation[k].cost) ? r->activation[k].cost : 0;
    return sum;
}

/* A change of the predicted variance of the loss of the whole network, signed: "+38 %". */
static void
change(struct str *out, double by, double total)
{
    double share = total > 0 ? by / total : NAN;

    if (!isfinite(share))
        str_add(out, "<td>\xe2\x80\x93</td>");
    else
        str_addf(out, "<td class=\"%s\">%s%.3g\xc2\xa0%%</td>",
                 share > 0   ? "worse"
                 : share < 0 ? "better"
                             : "",
                 share > 0   ? "+"
                 : share < 0 ? "\xe2\x88\x92"
                             : "",
                 100 * fabs(share));
}

static void
options(const struct report *r, const struct report_activation *a, struct str *out)
{
    double total = total_cost(r);
    bool timed = false;

    for (uint32_t k = 0; k < a->n_options; k++)
        timed = timed || !isnan(a->option[k].seconds);
    str_addf(out, "<table>\n<tr><th>levels</th><th>degree</th><th>error</th><th>loss</th>%s</tr>\n",
             timed ? "<th>network</th>" : "");
    for (uint32_t k = 0; k < a->n_options; k++) {
        const struct report_option *o = &a->option[k];
        bool chosen = k == a->chosen;
        str_addf(out, "<tr%s><td>%u</td><td>%u</td><td>", chosen ? " class=\"on\"" : "", o->levels,
                 o->degree);
        html_plain(out, o->error);
        str_add(out, "</td>");
        if (chosen)
            str_add(out, "<td>chosen</td>");
        else
            change(out, o->cost - a->cost, total);
        if (timed) {
            str_add(out, "<td>");
            html_seconds(out, o->seconds);
            str_add(out, "</td>");
        }
        str_add(out, "</tr>\n");
    }
    str_add(out, "</table>\n");
}

static void
chip(struct str *out, const char *what, void (*write)(struct str *, double), double v)
{
    if (isnan(v))
        return;
    str_addf(out, "<span class=\"chip\">%s <b>", what);
    write(out, v);
    str_add(out, "</b></span>\n");
}

static void
card(const struct report *r, uint32_t index, struct str *out)
{
    const struct report_activation *a = &r->activation[index];
    double total = total_cost(r);

    str_addf(out, "<article class=\"card act\" id=\"a%u\">\n<header><h3>", index + 1);
    html_text(out, a->name);
    str_add(out, "</h3>\n<span class=\"chip\">");
    html_text(out, a->function);
    str_addf(
        out,
        "</span>\n<span class=\"chip\">degree <b>%u</b></span>\n<span class=\"chip\"><b>%u</b> "
        "level%s</span>\n",
        a->poly->degree, a->levels, a->levels == 1 ? "" : "s");
    chip(out, "takes", html_seconds, a->seconds);
    chip(out, "impact", html_number, a->impact);
    chip(out, "share of the loss", html_percent, total > 0 ? a->cost / total : NAN);
    str_add(out, "</header>\n<div>\n");
    drawing(a, index, out);
    if (a->poly->rows > 1)
        str_addf(out, "<div class=\"read\">channel %u of 0 \xe2\x80\xa6 %u%s</div>\n", a->typical,
                 a->poly->rows - 1, a->chosen == NONE ? "" : ", whose error is the median");
    else
        str_add(out, "<div class=\"read\">one polynomial for all channels</div>\n");
    str_add(out, "</div>\n<div>\n");
    if (a->n_options)
        options(r, a, out);
    if (a->outside > 0)
        str_addf(out, "<p class=\"chip\">%.3g\xc2\xa0%% of inputs lie outside of the drawing</p>\n",
                 100 * a->outside);
    str_add(out, "</div>\n</article>\n");
}

/* All of them at a glance. */
static void
overview(const struct report *r, struct str *out)
{
    double total = total_cost(r);

    str_add(
        out,
        "<div class=\"card\"><table>\n<tr><th>activation</th><th>function</th><th>degree</th>"
        "<th>levels</th><th>error</th><th>impact</th><th>share of loss</th><th>time</th></tr>\n");
    for (uint32_t k = 0; k < r->n_activations; k++) {
        const struct report_activation *a = &r->activation[k];
        str_addf(out, "<tr><td class=\"name\"><a href=\"#a%u\">", k + 1);
        html_text(out, a->name);
        str_add(out, "</a></td><td>");
        html_text(out, a->function);
        str_addf(out, "</td><td>%u</td><td>%u</td><td>", a->poly->degree, a->levels);
        html_number(out, a->error);
        str_add(out, "</td><td>");
        html_number(out, a->impact);
        str_add(out, "</td><td>");
        html_percent(out, total > 0 ? a->cost / total : NAN);
        str_add(out, "</td><td>");
        html_seconds(out, a->seconds);
        str_add(out, "</td></tr>\n");
    }
    str_add(out, "</table></div>\n");
}

void
part_activations(const struct report *r, struct str *out)
{
    if (!r->n_activations)
        return;
    html_section(
        out, "activations", "Activations",
        "The bars are what calibration fed each activation (their heights are square roots, so "
        "that tails can be seen), the fine lines its other channels, each over its own range. "
        "Beside it, what other degrees would do: to the error of this layer, to the predicted "
        "variance of the network's loss, and to the time of the whole network.");
    str_add(
        out,
        "<div class=\"legend\"><span><i class=\"c-hist\"></i>inputs</span><span><i class=\"line "
        "c-f\"></i>function</span><span><i class=\"line c-p\"></i>polynomial</span>"
        "<span><i class=\"line c-e\"></i>error</span></div>\n");
    overview(r, out);
    for (uint32_t k = 0; k < r->n_activations; k++)
        card(r, k, out);
    html_end(out);
}
