/* summary.c - the head of the page and its tiles: the few numbers that most readers come for. */
#include "report/html.h"
#include "report/parts.h"

#include <math.h>

static void
tile(struct str *out, const char *title)
{
    str_addf(out, "<div class=\"tile\"><span>%s</span><b>", title);
}

static void
tile_end(struct str *out, const char *note)
{
    str_addf(out, "</b><em>%s</em></div>\n", note);
}

static void
tile_time(const struct report *r, struct str *out)
{
    struct str note = {0};

    tile(out, "Predicted time");
    html_seconds(out, r->program ? r->program->seconds : INFINITY);
    if (!r->program)
        str_add(&note, "without bootstrapping");
    else if (r->program->batch)
        str_addf(&note, "%u images at once, on two cores", r->program->batch);
    else
        str_add(&note, "an image, on two cores");
    tile_end(out, str_text(&note));
    str_free(&note);
}

/* The best that is known of the answers: simulated, else judged, else of calibration images. */
static void
tile_answers(const struct report *r, struct str *out)
{
    const struct report_accuracy *last = r->n_accuracy ? &r->accuracy[r->n_accuracy - 1] : NULL;
    struct str note = {0};

    if (last && isfinite(last->accuracy)) {
        tile(out, "Accuracy, simulated");
        html_percent(out, last->accuracy);
        str_add(&note, "float ");
        html_percent(&note, r->accuracy[0].accuracy);
        str_addf(&note, ", %u images", r->simulated);
    } else if (last && r->simulated) {
        tile(out, "Same answer as float");
        html_percent(out, (double)last->agree / r->simulated);
        str_addf(&note, "%u simulated images", r->simulated);
    } else {
        tile(out, r->judged && r->labels ? "Accuracy lost" : "Same answer as float");
        html_percent(out, r->judged && r->labels ? 1 - r->agree : r->agree);
        if (r->judged)
            str_addf(&note, "%u images that were not fitted to", r->judged);
        else
            str_addf(&note, "%llu calibration images", (unsigned long long)r->images);
    }
    tile_end(out, str_text(&note));
    str_free(&note);
}

static void
tile_levels(const struct report *r, struct str *out)
{
    uint32_t levels = 0;
    struct str note = {0};

    for (uint32_t k = 0; k < r->n_activations; k++)
        levels += r->activation[k].levels;
    tile(out, "Levels");
    str_addf(out, "%u", r->depth);
    str_addf(&note, "%u activation%s take %u in all", r->n_activations,
             r->n_activations == 1 ? "" : "s", levels);
    tile_end(out, str_text(&note));
    str_free(&note);
}

static void
tiles_program(const struct he_program *p, struct str *out)
{
    struct str note = {0};

    tile(out, "Security");
    str_addf(out,
             p->params.insecure_toy ? "none"
                                    : "%u\xc2\xa0"
                                      "bit",
             p->params.security);
    str_addf(&note, "ring 2<sup>%u</sup>, %.0f bits of modulus", p->params.log_n, p->params.log_qp);
    tile_end(out, str_text(&note));
    str_free(&note);
    tile(out, "Memory, predicted");
    html_bytes(out, p->peak_bytes);
    str_add(&note, "keys ");
    html_bytes(&note, p->key_bytes);
    tile_end(out, str_text(&note));
    str_free(&note);
    tile(out, "Operations");
    str_addf(out, "%llu", (unsigned long long)(p->counts.rotations + p->counts.products));
    str_addf(&note, "%llu rotations, %llu products", (unsigned long long)p->counts.rotations,
             (unsigned long long)p->counts.products);
    tile_end(out, str_text(&note));
    str_free(&note);
}

void
part_summary(const struct report *r, struct str *out)
{
    str_add(out, "<header id=\"summary\">\n<div class=\"kicker\">olac report</div>\n<h1>");
    html_text(out, r->network);
    str_add(out, "</h1>\n<p class=\"lead\">");
    html_text(out, r->model);
    str_add(out, ", ");
    html_text(out, r->options);
    str_add(out, "</p>\n</header>\n<div class=\"tiles\">\n");
    tile_time(r, out);
    if (r->n_accuracy || isfinite(r->agree))
        tile_answers(r, out);
    tile_levels(r, out);
    if (r->program)
        tiles_program(r->program, out);
    str_add(out, "</div>\n");
    if (r->program && r->program->params.insecure_toy)
        str_add(out, "<p class=\"warn\"><b>Insecure toy parameters.</b> Nothing encrypted with "
                     "them is protected; they are for tests.</p>\n");
    if (r->why_none) {
        str_add(out, "<p class=\"warn\">No encrypted program: ");
        html_text(out, r->why_none);
        str_add(out, "</p>\n");
    }
}
