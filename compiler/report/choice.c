/* choice.c - what the degrees were chosen from: the plans that were fitted and measured, and the
 * best plan of every budget of levels as it was predicted. */
#include "report/html.h"
#include "report/parts.h"
#include "report/plot.h"

#include <math.h>

bool
part_has_choice(const struct report *r)
{
    return r->n_plans || r->n_frontier;
}

static const char *
class_of(const struct report_plan *p)
{
    return p->chosen ? "chosen" : p->uniform ? "uniform" : "dot";
}

static void
plan_title(const struct report_plan *p, struct str *out)
{
    if (p->uniform)
        str_addf(out, "degree %u everywhere", p->uniform);
    else
        str_add(out, p->chosen ? "chosen" : "layer by layer");
    str_addf(out, ": %u levels, %u along the deepest way", p->levels, p->deepest);
    if (isfinite(p->drop)) {
        str_add(out, ", drop ");
        html_percent(out, p->drop);
    }
    if (!isnan(p->seconds)) {
        str_add(out, ", ");
        html_seconds(out, p->seconds);
    }
}

/* What lies above the frame is drawn at its upper side. */
static void
dot(const struct plot *f, const struct report_plan *p, double x, double y)
{
    bool above = y > f->y1;

    y = above ? f->y1 : y;
    str_addf(f->out, "<circle class=\"%s\" r=\"%s\" cx=\"", class_of(p), p->chosen ? "6.5" : "4.5");
    plot_number(f->out, plot_x(f, x));
    str_add(f->out, "\" cy=\"");
    plot_number(f->out, plot_y(f, y));
    str_add(f->out, "\"><title>");
    plan_title(p, f->out);
    str_add(f->out, "</title></circle>\n");
    if (!p->uniform)
        return;
    str_add(f->out, "<text class=\"tick\" x=\"");
    plot_number(f->out, plot_x(f, x) + 9);
    str_add(f->out, "\" y=\"");
    plot_number(f->out, plot_y(f, y) + (above ? 12 : -5));
    str_addf(f->out, "\">degree %u", p->uniform);
    if (above) {
        str_add(f->out, " \xe2\x86\x91 ");
        html_percent(f->out, p->drop);
    }
    str_add(f->out, "</text>\n");
}

static void
percent(struct str *out, double x)
{
    str_addf(out, "%.3g\xc2\xa0%%", 100 * x);
}

/* Whether a plan is drawn over time: it was measured and can run. */
static bool
timed(const struct report_plan *p)
{
    return isfinite(p->drop) && isfinite(p->seconds);
}

static void
limit(const struct plot *f, bool vertical, double v, const char *text)
{
    double x = vertical ? plot_x(f, v) : f->left, y = vertical ? f->top : plot_y(f, v);

    str_addf(f->out, "<path class=\"limit\" d=\"M%.2f %.2f%s%.2f\"/>\n", x, y, vertical ? "V" : "H",
             vertical ? f->top + f->height : f->left + f->width);
    str_addf(f->out, "<text class=\"tick limit-text\" x=\"%.2f\" y=\"%.2f\">%s</text>\n", x + 4,
             vertical ? y + 10 : y - 4, text);
}

/* The room for the plans of a plot; false when there are fewer than two. */
struct room {
    double x0, x1, y0, y1;
    uint32_t n;
};

static void
stretch(struct room *m, double x, double y)
{
    m->x0 = m->n ? fmin(m->x0, x) : x;
    m->x1 = m->n ? fmax(m->x1, x) : x;
    m->y0 = m->n ? fmin(m->y0, y) : y;
    m->y1 = m->n ? fmax(m->y1, y) : y;
    m->n++;
}

static double
over(const struct report_plan *p, bool time)
{
    return time ? p->seconds : p->deepest;
}

/* Drops above are not drawn to scale: nobody would take them. */
static double
interesting(const struct report *r)
{
    double most = fmax(r->max_drop, 0.002);

    for (uint32_t k = 0; k < r->n_plans; k++)
        if (r->plan[k].chosen && isfinite(r->plan[k].drop))
            most = fmax(most, r->plan[k].drop);
    return 5 * most;
}

/* The drop that was measured, over time or levels. */
static void
plot_measured(const struct report *r, bool time, struct str *out)
{
    struct plot f = {.out = out, .left = 52, .top = 26, .width = 370, .height = 230};
    struct room m = {0};

    for (uint32_t k = 0; k < r->n_plans; k++)
        if (isfinite(r->plan[k].drop) && (!time || timed(&r->plan[k])))
            stretch(&m, over(&r->plan[k], time), fmin(r->plan[k].drop, interesting(r)));
    if (r->max_drop > 0)
        stretch(&m, m.x1, r->max_drop);
    stretch(&m, m.x1, 0);
    double wide = fmax(m.x1 - m.x0, time ? 0.1 * m.x1 : 1), high = fmax(m.y1 - m.y0, 1e-3);
    f.x0 = fmax(m.x0 - 0.08 * wide, 0);
    f.x1 = m.x1 + 0.14 * wide;
    f.y0 = m.y0 < 0 ? m.y0 - 0.1 * high : 0;
    f.y1 = m.y1 + 0.12 * high;
    str_add(out, "<div class=\"card\"><h3>Measured</h3>\n");
    plot_svg(out, "plot", 440, 296, "Drop against cost of every plan that was measured");
    plot_axis_x(&f, 5, time ? "predicted time of one image" : "levels along the deepest way",
                time ? html_seconds : NULL);
    plot_axis_y(&f, 5, r->labels ? "accuracy lost" : "answers that differ from float", percent);
    if (r->max_drop > 0)
        limit(&f, false, r->max_drop, "--max-drop");
    if (time && r->max_latency > f.x0 && r->max_latency < f.x1)
        limit(&f, true, r->max_latency, "--max-latency");
    for (int chosen = 0; chosen < 2; chosen++) /* the chosen one on top */
        for (uint32_t k = 0; k < r->n_plans; k++)
            if (r->plan[k].chosen == (chosen == 1) && isfinite(r->plan[k].drop) &&
                (!time || timed(&r->plan[k])))
                dot(&f, &r->plan[k], over(&r->plan[k], time), r->plan[k].drop);
    str_add(out, "</svg>\n</div>\n");
}

static void
frontier_line(const struct report *r, const struct plot *f)
{
    bool pen = false;

    str_add(f->out, "<path class=\"frontier\" d=\"");
    for (uint32_t k = 0; k < r->n_frontier; k++) {
        const struct report_plan *p = &r->frontier[k];
        if (!(p->cost > 0))
            continue;
        if (pen) { /* stairs: nothing better until the next level */
            str_add(f->out, "H");
            plot_number(f->out, plot_x(f, p->deepest));
            str_add(f->out, "V");
        } else {
            str_add(f->out, "M");
            plot_number(f->out, plot_x(f, p->deepest));
            str_add(f->out, " ");
        }
        plot_number(f->out, plot_y(f, p->cost));
        pen = true;
    }
    str_add(f->out, "\"/>\n");
}

/* The predicted variance of the loss over levels: what any budget would buy. */
static void
plot_predicted(const struct report *r, struct str *out)
{
    struct plot f = {.out = out, .left = 52, .top = 26, .width = 370, .height = 230, .log_y = true};
    struct room m = {0};

    for (uint32_t k = 0; k < r->n_frontier; k++)
        if (r->frontier[k].cost > 0)
            stretch(&m, r->frontier[k].deepest, r->frontier[k].cost);
    for (uint32_t k = 0; k < r->n_plans; k++)
        if (r->plan[k].cost > 0)
            stretch(&m, r->plan[k].deepest, r->plan[k].cost);
    if (!m.n)
        return;
    f.x0 = m.x0 - 0.5 - 0.04 * (m.x1 - m.x0);
    f.x1 = m.x1 + 0.5 + 0.08 * (m.x1 - m.x0);
    f.y0 = m.y0 / 1.6;
    f.y1 = m.y1 * 1.6;
    str_add(out, "<div class=\"card\"><h3>Predicted</h3>\n");
    plot_svg(out, "plot", 440, 296, "Predicted variance of the loss for every budget of levels");
    plot_axis_x(&f, 7, "levels along the deepest way", NULL);
    plot_axis_y(&f, 5, "predicted variance of the loss", NULL);
    frontier_line(r, &f);
    for (uint32_t k = 0; k < r->n_frontier; k++)
        if (r->frontier[k].cost > 0 && r->n_frontier <= 64)
            dot(&f, &r->frontier[k], r->frontier[k].deepest, r->frontier[k].cost);
    for (int chosen = 0; chosen < 2; chosen++)
        for (uint32_t k = 0; k < r->n_plans; k++)
            if (r->plan[k].cost > 0 && r->plan[k].chosen == (chosen == 1) &&
                (r->plan[k].uniform || r->plan[k].chosen))
                dot(&f, &r->plan[k], r->plan[k].deepest, r->plan[k].cost);
    str_add(out, "</svg>\n</div>\n");
}

static void
table(const struct report *r, struct str *out)
{
    str_addf(
        out,
        "<details><summary>All %u plans</summary><div class=\"scroll\"><table>\n<tr><th>plan</th>"
        "<th>levels</th><th>deepest way</th><th>predicted loss variance</th><th>drop</th>"
        "<th>time</th></tr>\n",
        r->n_plans);
    for (uint32_t k = 0; k < r->n_plans; k++) {
        const struct report_plan *p = &r->plan[k];
        str_add(out, p->chosen ? "<tr class=\"on\"><td>" : "<tr><td>");
        if (p->uniform)
            str_addf(out, "degree %u everywhere%s", p->uniform, p->chosen ? " (chosen)" : "");
        else
            str_add(out, p->chosen ? "layer by layer (chosen)" : "layer by layer");
        str_addf(out, "</td><td>%u</td><td>%u</td><td>", p->levels, p->deepest);
        html_number(out, p->cost);
        str_add(out, "</td><td>");
        html_percent(out, p->drop);
        str_add(out, "</td><td>");
        html_seconds(out, p->seconds);
        str_add(out, "</td></tr>\n");
    }
    str_add(out, "</table></div></details>\n");
}

void
part_choice(const struct report *r, struct str *out)
{
    uint32_t can_run = 0;

    if (!part_has_choice(r))
        return;
    html_section(
        out, "choice", "Choice",
        "Every level of an activation costs time, and buys accuracy. The best split of every "
        "budget of levels comes from the impacts and errors of the layers; what was fitted "
        "and measured stands beside it.");
    str_add(out, "<div class=\"legend\"><span><i class=\"c-dot\"></i>layer by layer</span>"
                 "<span><i class=\"c-uniform\"></i>one degree everywhere</span>"
                 "<span><i class=\"c-chosen\"></i>chosen</span></div>\n<div class=\"pair\">\n");
    for (uint32_t k = 0; k < r->n_plans; k++)
        can_run += timed(&r->plan[k]);
    if (r->n_plans && r->judged)
        plot_measured(r, can_run > 1, out);
    plot_predicted(r, out);
    str_add(out, "</div>\n");
    if (r->n_plans > 1)
        table(r, out);
    html_end(out);
}
