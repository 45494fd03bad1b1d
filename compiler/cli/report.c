/* report.c - --report: the page of report/ with what was simulated, written to a file. */
#include "cli/data.h"

#include "base/file.h"
#include "ola/ola.h"
#include "simulate/stress.h"

#include <math.h>

static void
add_simulated(struct arena *a, const struct simulate_report *s, struct report *r)
{
    static const char *const parts[] = {NULL, "polynomial", "rounding of weights",
                                        "modelled noise"};

    r->simulated = s->images;
    r->accuracy = ARENA_ARRAY(a, struct report_accuracy, SIMULATE_KINDS);
    for (int k = 0; k < SIMULATE_KINDS; k++)
        if (s->run[k].outputs)
            r->accuracy[r->n_accuracy++] =
                (struct report_accuracy){.name = simulate_kind_name((enum simulate_kind)k),
                                         .accuracy = s->run[k].accuracy,
                                         .agree = s->run[k].agree,
                                         .diverged = s->run[k].diverged};
    r->layer = ARENA_ARRAY(a, struct report_layer, s->n_layers + 1);
    r->n_layers = s->n_layers;
    for (uint32_t k = 0; k < s->n_layers; k++) {
        const struct simulate_layer *l = &s->layers[k];
        r->layer[k] =
            (struct report_layer){.name = l->name, .relative = l->relative, .outside = l->outside};
        for (int i = 0; i < 3; i++)
            r->layer[k].part[i] = l->spread > 0 ? l->error[i + 1] / l->spread : NAN;
    }
    if (s->departs != NONE) {
        r->departs = s->layers[s->departs].name;
        r->departs_by = parts[s->departs_by];
    }
}

static void
add_stressed(struct arena *a, const struct stress_report *s, struct report *r)
{
    r->stress = ARENA_ARRAY(a, struct report_stress, STRESS_KINDS + 1);
    for (int k = 0; k <= STRESS_KINDS; k++) {
        const struct stress_kind *i = k < STRESS_KINDS ? &s->kind[k] : &s->all;
        r->stress[r->n_stress++] = (struct report_stress){.name = i->name,
                                                          .images = i->images,
                                                          .diverged = i->diverged,
                                                          .ran_away = i->ran_away,
                                                          .agree = i->agree};
    }
}

bool
cli_report(struct arena *a, const struct options *o, const struct compiled *c,
           const struct cli_findings *found, struct diag *d)
{
    struct str page = {0};

    if (!o->report)
        return true;
    c->report->version = OLA_VERSION;
    c->report->run = found->run;
    if (found->simulated)
        add_simulated(a, found->simulated, c->report);
    if (found->stressed)
        add_stressed(a, found->stressed, c->report);
    report_html(c->report, &page);
    bool ok = file_write(o->report, page.text, page.len, d);
    str_free(&page);
    return ok;
}
