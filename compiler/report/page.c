/* page.c - the page as a whole: head, table of contents, sections, foot. */
#include "report/report.h"

#include "report/assets.h"
#include "report/html.h"
#include "report/parts.h"

#include <string.h>

static const char *
asset(const char *name)
{
    for (const struct report_asset *a = report_assets; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a->text;
    return "";
}

static void
head(const struct report *r, struct str *out)
{
    str_add(out,
            "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
            "<meta charset=\"utf-8\"/>\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    html_text(out, r->network);
    str_add(out, " \xc2\xb7 olac report</title>\n<style>\n");
    str_add(out, asset("page.css"));
    str_add(out, "</style>\n</head>\n");
}

static void
link_to(struct str *out, bool there, const char *id, const char *title)
{
    if (there)
        str_addf(out, "<a href=\"#%s\">%s</a>\n", id, title);
}

static void
contents(const struct report *r, struct str *out)
{
    str_add(out, "<nav><b>Contents</b>\n");
    link_to(out, true, "summary", "Summary");
    link_to(out, r->run, "run", "Encrypted run");
    link_to(out, part_has_choice(r), "choice", "Choice");
    link_to(out, r->n_accuracy, "accuracy", "Accuracy");
    link_to(out, r->n_steps, "network", "Network");
    link_to(out, r->cores, "cores", "Cores");
    link_to(out, r->program, "parameters", "Parameters");
    link_to(out, r->n_activations, "activations", "Activations");
    for (uint32_t k = 0; k < r->n_activations; k++) {
        str_addf(out, "<a class=\"inner\" href=\"#a%u\">", k + 1);
        html_text(out, r->activation[k].name);
        str_add(out, "</a>\n");
    }
    str_add(out, "</nav>\n");
}

static void
foot(const struct report *r, struct str *out)
{
    str_add(out, "<footer>olac ");
    html_text(out, r->version);
    str_add(out, " \xc2\xb7 ");
    html_text(out, r->model);
    str_add(out, " \xc2\xb7 model ");
    html_text(out, r->hash);
    str_add(out, " \xc2\xb7 ");
    html_text(out, r->options);
    str_add(out, "</footer>\n");
}

void
report_html(const struct report *r, struct str *out)
{
    head(r, out);
    str_add(out, "<body>\n<div class=\"page\">\n");
    contents(r, out);
    str_add(out, "<main>\n");
    part_summary(r, out);
    part_run(r, out);
    part_choice(r, out);
    part_accuracy(r, out);
    part_network(r, out);
    part_cores(r, out);
    part_parameters(r, out);
    part_activations(r, out);
    foot(r, out);
    str_add(out, "</main>\n</div>\n<script>\n");
    str_add(out, asset("page.js"));
    str_add(out, "</script>\n</body>\n</html>\n");
}
