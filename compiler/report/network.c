/* network.c - the network as a strip: where the levels go, where the time goes, which operations
 * they are. One column a step, in the order of evaluation. */
#include "report/html.h"
#include "report/parts.h"
#include "report/plot.h"

#include <math.h>
#include <string.h>

#define LEFT     54.0
#define WIDTH    880.0
#define NARROW   5.0 /* no column is narrower: longer strips are scrolled */
#define LABELLED 90u /* so many steps can have their names below */
#define LABEL    22u /* bytes of a name that are shown there, from its end */

static const char *const kind_class[REPORT_STEPS] = {"k-map", "k-poly", "k-product", "k-sum",
                                                     "k-refresh"};
static const char *const kind_name[REPORT_STEPS] = {"linear map", "polynomial", "product", "sum",
                                                    "bootstrapping"};

struct strip {
    const struct report *r;
    struct str *out;
    double column; /* width */
    double top[4]; /* of levels, time, operations, labels */
    bool timed;
};

static void
bar(const struct strip *s, const char *class, uint32_t k, double top, double height, double v0,
    double v1, double most)
{
    double y0 = top + height * (1 - v0 / most), y1 = top + height * (1 - v1 / most);
    double gap = s->column > 8 ? 1.5 : s->column > 6 ? 1 : 0.5;

    if (!(y0 - y1 > 0.005))
        return;
    str_addf(s->out, "<rect class=\"%s\" x=\"", class);
    plot_number(s->out, LEFT + k * s->column + gap / 2);
    str_add(s->out, "\" y=\"");
    plot_number(s->out, y1);
    str_add(s->out, "\" width=\"");
    plot_number(s->out, s->column - gap);
    str_add(s->out, "\" height=\"");
    plot_number(s->out, y0 - y1);
    str_add(s->out, "\"/>\n");
}

static struct plot
frame(const struct strip *s, int panel, double height, double most)
{
    return (struct plot){.out = s->out,
                         .left = LEFT,
                         .top = s->top[panel],
                         .width = s->column * s->r->n_steps,
                         .height = height,
                         .x1 = s->r->n_steps,
                         .y1 = most};
}

/* What is left below, what the step takes (or a refresh gives) above it. */
static void
levels(const struct strip *s, double height)
{
    uint32_t most = 1;

    for (uint32_t k = 0; k < s->r->n_steps; k++) {
        const struct report_step *i = &s->r->step[k];
        most = i->before > most ? i->before : most;
        most = i->after > most ? i->after : most;
    }
    struct plot f = frame(s, 0, height, most);
    plot_axis_y(&f, 4, "levels left, and what each step takes", NULL);
    for (uint32_t k = 0; k < s->r->n_steps; k++) {
        const struct report_step *i = &s->r->step[k];
        uint32_t low = i->before < i->after ? i->before : i->after;
        uint32_t high = i->before < i->after ? i->after : i->before;
        bar(s, "room", k, f.top, height, 0, low, most);
        bar(s, kind_class[i->kind], k, f.top, height, low, high, most);
    }
}

static void
times(const struct strip *s, double height)
{
    double most = 1e-9;

    for (uint32_t k = 0; k < s->r->n_steps; k++)
        most = fmax(most, s->r->step[k].seconds);
    struct plot f = frame(s, 1, height, most);
    plot_axis_y(&f, 3, "predicted time", html_seconds);
    for (uint32_t k = 0; k < s->r->n_steps; k++)
        bar(s, kind_class[s->r->step[k].kind], k, f.top, height, 0, s->r->step[k].seconds, most);
}

static void
operations(const struct strip *s, double height)
{
    double most = 1;

    for (uint32_t k = 0; k < s->r->n_steps; k++)
        most = fmax(most, (double)(s->r->step[k].rotations + s->r->step[k].products));
    struct plot f = frame(s, 2, height, most);
    plot_axis_y(&f, 3, "rotations and products", NULL);
    for (uint32_t k = 0; k < s->r->n_steps; k++) {
        double rotations = (double)s->r->step[k].rotations;
        double all = rotations + (double)s->r->step[k].products;
        bar(s, "o-rotations", k, f.top, height, 0, rotations, most);
        bar(s, "o-products", k, f.top, height, rotations, all, most);
    }
}

/* The end of a name, cut between characters. */
static void
short_name(struct str *out, const char *name)
{
    size_t n = strlen(name), skip = n > LABEL ? n - LABEL : 0;

    while (skip && ((unsigned char)name[skip] & 0xc0) == 0x80)
        skip++;
    if (skip)
        str_add(out, "\xe2\x80\xa6");
    html_text(out, name + skip);
}

static void
names(const struct strip *s)
{
    for (uint32_t k = 0; k < s->r->n_steps && s->r->n_steps <= LABELLED; k++) {
        double x = LEFT + (k + 0.5) * s->column + 3, y = s->top[3] + 6;
        str_addf(s->out, "<text class=\"tick end\" transform=\"translate(%.2f %.2f) rotate(-%d)\">",
                 x, y, s->column < 24 ? 90 : 50);
        short_name(s->out, s->r->step[k].name);
        str_add(s->out, "</text>\n");
    }
}

/* A column that can be pointed at. */
static void
titles(const struct strip *s)
{
    for (uint32_t k = 0; k < s->r->n_steps; k++) {
        const struct report_step *i = &s->r->step[k];
        str_addf(
            s->out,
            "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill-opacity=\"0\"><title>",
            LEFT + k * s->column, s->top[0], s->column, s->top[3] - s->top[0]);
        html_text(s->out, i->name);
        str_addf(s->out, " \xc2\xb7 %s \xc2\xb7 level %u to %u", kind_name[i->kind], i->before,
                 i->after);
        if (s->timed) {
            str_add(s->out, " \xc2\xb7 ");
            html_seconds(s->out, i->seconds);
            str_addf(s->out, " \xc2\xb7 %llu rotations, %llu products, %llu by plaintexts",
                     (unsigned long long)i->rotations, (unsigned long long)i->products,
                     (unsigned long long)i->plain_products);
        }
        str_add(s->out, "</title></rect>\n");
    }
}

/* Characters below the strip. */
static double
longest(const struct report *r)
{
    size_t most = 0;

    for (uint32_t k = 0; k < r->n_steps && r->n_steps <= LABELLED; k++) {
        size_t n = strlen(r->step[k].name);
        most = n > most ? n : most;
    }
    return most > LABEL ? LABEL + 1.0 : (double)most;
}

static void
draw(const struct report *r, struct str *out)
{
    struct strip s = {.r = r, .out = out, .timed = r->program != NULL};
    double width = fmin(WIDTH, 120.0 * r->n_steps);

    s.column = fmax(width / r->n_steps, NARROW);
    s.top[0] = 24;
    s.top[1] = s.top[0] + 150 + 34;
    s.top[2] = s.timed ? s.top[1] + 90 + 34 : s.top[1];
    s.top[3] = s.timed ? s.top[2] + 70 : s.top[1] - 34;
    double bottom = 12 + longest(r) * (s.column < 24 ? 6.2 : 4.9);
    double all = LEFT + s.column * r->n_steps + 8;
    str_addf(out, "<div class=\"card\"><div style=\"min-width:%.0fpx;max-width:%.0fpx\">\n",
             all > 960 ? all : 560, fmax(all, 560) * 1.25);
    plot_svg(out, "plot", all, s.top[3] + bottom, "Levels, time and operations step by step");
    levels(&s, 150);
    if (s.timed) {
        times(&s, 90);
        operations(&s, 70);
    }
    names(&s);
    titles(&s);
    str_add(out, "</svg>\n</div></div>\n");
}

static void
legend(const struct report *r, struct str *out)
{
    bool there[REPORT_STEPS] = {false};

    for (uint32_t k = 0; k < r->n_steps; k++)
        there[r->step[k].kind] = true;
    str_add(out, "<div class=\"legend\">");
    for (int k = 0; k < REPORT_STEPS; k++)
        if (there[k])
            str_addf(out, "<span><i class=\"%s\"></i>%s</span>", kind_class[k], kind_name[k]);
    if (r->program)
        str_add(out, "<span><i class=\"o-rotations\"></i>rotations</span>"
                     "<span><i class=\"o-products\"></i>products of ciphertexts</span>");
    str_add(out, "</div>\n");
}

static void
table(const struct report *r, struct str *out)
{
    str_addf(
        out,
        "<details><summary>All %u steps</summary><div class=\"scroll\"><table>\n<tr><th>step</th>"
        "<th>kind</th><th>level</th><th>time</th><th>rotations</th><th>products</th>"
        "<th>by plaintexts</th><th>modelled noise</th></tr>\n",
        r->n_steps);
    for (uint32_t k = 0; k < r->n_steps; k++) {
        const struct report_step *i = &r->step[k];
        str_add(out, "<tr><td class=\"name\">");
        html_text(out, i->name);
        str_addf(out, "</td><td>%s</td><td>%u \xe2\x86\x92 %u</td><td>", kind_name[i->kind],
                 i->before, i->after);
        html_seconds(out, i->seconds);
        str_addf(out, "</td><td>%llu</td><td>%llu</td><td>%llu</td><td>",
                 (unsigned long long)i->rotations, (unsigned long long)i->products,
                 (unsigned long long)i->plain_products);
        html_number(out, i->noise);
        str_add(out, "</td></tr>\n");
    }
    str_add(out, "</table></div></details>\n");
}

void
part_network(const struct report *r, struct str *out)
{
    if (!r->n_steps)
        return;
    html_section(out, "network", "Network",
                 r->program
                     ? "From encryption to the answer. A linear map takes one level, a "
                       "polynomial the logarithm of its degree; each works on one prime "
                       "fewer than the step before."
                     : "From encryption to the answer: the levels that each step would take. "
                       "No ring holds them all without refreshing.");
    legend(r, out);
    draw(r, out);
    if (r->program)
        table(r, out);
    html_end(out);
}
