/* accuracy.c - what a simulation over a data set found: answers, errors layer by layer, images that
 * no data set holds. */
#include "report/html.h"
#include "report/parts.h"
#include "report/plot.h"

#include <math.h>

static void
answers(const struct report *r, struct str *out)
{
    str_add(out,
            "<div class=\"card\"><h3>Answers</h3>\n<table>\n<tr><th>network</th><th>accuracy</th>"
            "<th>same answer as float</th><th>diverged</th></tr>\n");
    for (uint32_t k = 0; k < r->n_accuracy; k++) {
        const struct report_accuracy *a = &r->accuracy[k];
        str_addf(out, "<tr%s><td>%s</td><td>", k + 1 == r->n_accuracy ? " class=\"on\"" : "",
                 a->name);
        html_percent(out, a->accuracy);
        str_addf(out, "</td><td>%u of %u</td><td%s>%u</td></tr>\n", a->agree, r->simulated,
                 a->diverged ? " class=\"worse\"" : "", a->diverged);
    }
    str_add(out, "</table></div>\n");
}

static void
stress(const struct report *r, struct str *out)
{
    str_add(out,
            "<div class=\"card\"><h3>Under stress</h3>\n<table>\n<tr><th>images</th><th>number</th>"
            "<th>diverged</th><th>ran away</th><th>agree</th></tr>\n");
    for (uint32_t k = 0; k < r->n_stress; k++) {
        const struct report_stress *s = &r->stress[k];
        str_addf(out, "<tr%s><td>%s</td><td>%u</td><td%s>%u</td><td%s>%u</td><td>%u</td></tr>\n",
                 k + 1 == r->n_stress ? " class=\"on\"" : "", s->name, s->images,
                 s->diverged ? " class=\"worse\"" : "", s->diverged,
                 s->ran_away ? " class=\"worse\"" : "", s->ran_away, s->agree);
    }
    str_add(out, "</table></div>\n");
}

static const char *const part_name[] = {"polynomial", "rounding of weights", "modelled noise"};

/* Each layer's errors over its spread, on one logarithmic scale. */
static void
layers(const struct report *r, struct str *out)
{
    double row = 17, least = 1, most = 1e-9;
    uint32_t dots[3] = {0};
    struct plot f = {.out = out, .left = 210, .top = 10, .width = 640, .log_x = true, .y1 = 1};

    for (uint32_t k = 0; k < r->n_layers; k++)
        for (int i = 0; i < 3; i++)
            if (r->layer[k].part[i] > 0 && isfinite(r->layer[k].part[i])) {
                least = fmin(least, r->layer[k].part[i]);
                most = fmax(most, r->layer[k].part[i]);
                dots[i]++;
            }
    if (!(dots[0] + dots[1] + dots[2]))
        return;
    f.x0 = pow(10, floor(log10(least)));
    f.x1 = fmax(pow(10, ceil(log10(most))), 10 * f.x0);
    f.height = row * r->n_layers;
    str_add(out, "<div class=\"card\"><h3>Error of each activation, over its own spread</h3>\n"
                 "<div class=\"legend\">");
    for (int i = 0; i < 3; i++)
        if (dots[i])
            str_addf(out, "<span><i class=\"p-%d\"></i>%s</span>", i, part_name[i]);
    str_add(out, "</div>\n<div style=\"min-width:600px\">\n");
    plot_svg(out, "plot", 870, f.height + 34, "Errors of each layer by what makes them");
    plot_axis_x(&f, 8, NULL, NULL);
    for (uint32_t k = 0; k < r->n_layers; k++) {
        double y = f.top + row * (k + 0.5);
        str_addf(out, "<text class=\"end\" x=\"200\" y=\"%.1f\">", y + 4);
        html_text(out, r->layer[k].name);
        str_addf(
            out,
            "</text>\n<line class=\"grid\" x1=\"%.0f\" y1=\"%.1f\" x2=\"%.0f\" y2=\"%.1f\"/>\n",
            f.left, y, f.left + f.width, y);
        for (int i = 2; i >= 0; i--) {
            double v = r->layer[k].part[i];
            if (!(v > 0) || !isfinite(v))
                continue;
            str_addf(out, "<circle class=\"p-%d\" r=\"4.5\" cx=\"%.2f\" cy=\"%.1f\"><title>", i,
                     plot_x(&f, v), y);
            html_text(out, r->layer[k].name);
            str_addf(out, ": %s %.3g</title></circle>\n", part_name[i], v);
        }
    }
    str_add(out, "</svg>\n</div>\n");
    if (r->departs) {
        str_add(out,
                "<p class=\"sub\">The first layer that departs by more than a tenth of its spread "
                "is <code>");
        html_text(out, r->departs);
        str_addf(out, "</code>, by its %s.</p>\n", r->departs_by);
    }
    str_add(out, "</div>\n");
}

void
part_accuracy(const struct report *r, struct str *out)
{
    if (!r->n_accuracy)
        return;
    html_section(
        out, "accuracy", "Accuracy",
        "Simulated in the clear over a data set: with polynomials, then with weights as they "
        "are encoded, then with the noise that encryption is modelled to add.");
    str_add(out, "<div class=\"pair loose\">\n");
    answers(r, out);
    if (r->n_stress)
        stress(r, out);
    str_add(out, "</div>\n");
    layers(r, out);
    html_end(out);
}
