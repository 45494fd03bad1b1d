/* chosen.c - the plan that --max-drop or --max-latency led to, beside the uniform degrees that it
 * was measured with. */
#include "cli/data.h"

#include <math.h>
#include <stdio.h>

void
cli_chosen_json(const struct compiled *c, struct str *s)
{
    const struct chosen *ch = &c->chosen;

    str_addf(s, "{\"judged\":%u,\"labels\":%s,\"plans\":[", ch->judged,
             ch->labels ? "true" : "false");
    for (int k = 0; k <= CHOSEN_UNIFORM; k++) {
        const struct chosen_plan *p = k < CHOSEN_UNIFORM ? &ch->uniform[k] : &ch->plan;
        str_addf(s, "%s{\"uniform\":%u,\"deepest\":%u,\"levels\":%u,\"drop\":", k ? "," : "",
                 p->uniform, p->deepest, p->levels);
        cli_number(s, p->drop);
        str_add(s, ",\"seconds\":");
        cli_number(s, p->seconds);
        str_add(s, "}");
    }
    str_add(s, "],\"degrees\":{");
    for (uint32_t k = 0, n = 0; k < c->graph->nodes.len; k++)
        if (ch->plan.degree[k]) {
            str_add(s, n++ ? "," : "");
            str_json(s, c->graph->nodes.at[k].name);
            str_addf(s, ":%u", c->graph->nodes.at[k].poly->degree);
        }
    str_add(s, "}}");
}

static void
row(struct str *s, const char *what, const struct chosen_plan *p)
{
    str_addf(s, "  %-10s %3u levels, %3u along the deepest way, ", what, p->levels, p->deepest);
    if (p->untried)
        str_add(s, "not tried, ");
    else if (isfinite(p->drop))
        str_addf(s, "drop %.2f %%, ", 100 * p->drop);
    else
        str_add(s, "no fit, ");
    if (isfinite(p->seconds))
        str_addf(s, "%.3g s\n", p->seconds);
    else
        str_add(s, "too deep\n");
}

void
cli_chosen_table(const struct compiled *c, struct str *s)
{
    const struct chosen *ch = &c->chosen;

    str_addf(s, "activations, drop of %s on %u images:\n",
             ch->labels ? "accuracy" : "agreement with float", ch->judged);
    for (int k = 0; k < CHOSEN_UNIFORM; k++) {
        struct str name = {0};
        str_addf(&name, "degree %u", ch->uniform[k].uniform);
        row(s, str_text(&name), &ch->uniform[k]);
        str_free(&name);
    }
    row(s, "chosen", &ch->plan);
    str_add(s, "  degrees:");
    for (uint32_t k = 0; k < c->graph->nodes.len; k++)
        if (ch->plan.degree[k])
            str_addf(s, " %s %u", c->graph->nodes.at[k].name, c->graph->nodes.at[k].poly->degree);
    str_add(s, "\n");
}
