/* cores.c - what more cores would do: predicted from the pieces of work that run side by side and
 * the chains of steps that wait for one another. */
#include "report/html.h"
#include "report/parts.h"
#include "report/plot.h"

#include <math.h>

static double
speedup(const struct he_scaling *c, uint32_t k)
{
    return c->at[k].seconds > 0 ? c->at[0].seconds / c->at[k].seconds : 1;
}

/* A column for each number of cores, and the line that memory draws. */
static void
columns(const struct he_scaling *c, struct str *out)
{
    struct plot f = {.out = out, .left = 40, .top = 26, .width = 386, .height = 190, .x1 = 1};
    double wide = f.width / HE_CORES, most = 1;
    double memory = c->bytes > 0 ? c->at[0].seconds / (c->bytes / c->memory) : INFINITY;

    for (uint32_t k = 0; k < HE_CORES; k++)
        most = fmax(most, speedup(c, k));
    f.y1 = 1.12 * most;
    plot_svg(out, "plot", 440, 258, "Predicted speedup over one core by the number of cores");
    plot_axis_y(&f, 5, "times faster than one core", NULL);
    for (uint32_t k = 0; k < HE_CORES; k++) {
        double x = f.left + wide * k, y = plot_y(&f, speedup(c, k));
        str_addf(out,
                 "<rect class=\"p-1\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                 "rx=\"3\"/>\n<text class=\"strong middle\" x=\"%.1f\" y=\"%.1f\">%.1f</text>\n"
                 "<text class=\"tick middle\" x=\"%.1f\" y=\"%.1f\">%u</text>\n",
                 x + wide / 6, y, wide * 2 / 3, f.top + f.height - y, x + wide / 2, y - 5,
                 speedup(c, k), x + wide / 2, f.top + f.height + 15, c->at[k].cores);
    }
    str_addf(out, "<text class=\"label middle\" x=\"%.1f\" y=\"%.1f\">cores</text>\n",
             f.left + f.width / 2, f.top + f.height + 32);
    if (memory < f.y1) {
        double y = plot_y(&f, memory);
        str_addf(out,
                 "<path class=\"limit\" d=\"M%.1f %.1fH%.1f\"/>\n<text class=\"tick limit-text\" "
                 "x=\"%.1f\" y=\"%.1f\">memory at %.0f GB/s</text>\n",
                 f.left, y, f.left + f.width, f.left + 4, y - 4, c->memory / 1e9);
    }
    str_add(out, "</svg>\n");
}

static void
rows(const struct he_scaling *c, struct str *out)
{
    str_add(out, "<table>\n<tr><th>cores</th><th>an evaluation</th><th>faster</th>"
                 "<th>memory must give</th></tr>\n");
    for (uint32_t k = 0; k < HE_CORES; k++) {
        str_addf(out, "<tr><td>%u</td><td>", c->at[k].cores);
        html_seconds(out, c->at[k].seconds);
        str_addf(out, "</td><td>%.1f times</td><td>", speedup(c, k));
        html_bytes(out, c->at[k].seconds > 0 ? (uint64_t)(c->bytes / c->at[k].seconds) : 0);
        str_add(out, "/s</td></tr>\n");
    }
    str_add(out, "</table>\n<dl><dt>Critical path</dt><dd>");
    html_seconds(out, c->path);
    str_add(out, ", the longest chain of steps that wait for one another: no number of cores is "
                 "faster</dd>\n<dt>Through memory</dt><dd>");
    html_bytes(out, (uint64_t)c->bytes);
    str_add(out, ", which take ");
    html_seconds(out, c->bytes / c->memory);
    str_addf(out, " at %.0f GB/s</dd></dl>\n", c->memory / 1e9);
}

void
part_cores(const struct report *r, struct str *out)
{
    if (!r->cores)
        return;
    html_section(out, "cores", "Cores",
                 "What more cores would do for one evaluation, if memory kept pace: arithmetic "
                 "alone, by how it can be shared out. The dashed line is where memory ends that on "
                 "the machine of the prices; the predicted time of the summary counts both.");
    str_add(out, "<div class=\"pair loose\"><div class=\"card\"><h3>Speedup</h3>\n");
    columns(r->cores, out);
    str_add(out, "</div>\n<div class=\"card\"><h3>Time</h3>\n");
    rows(r->cores, out);
    str_add(out, "</div></div>\n");
    html_end(out);
}
