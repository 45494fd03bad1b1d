/* operations.c - what an evaluation does to ciphertexts, node by node; see data.h. */
#include "cli/data.h"

#include <stdio.h>

static void
counts_json(const struct he_counts *c, struct str *s)
{
    str_addf(s,
             "\"additions\":%llu,\"scalar_products\":%llu,\"plain_products\":%llu,"
             "\"products\":%llu,\"rotations\":%llu,\"relinearisations\":%llu,\"rescales\":%llu",
             (unsigned long long)c->additions, (unsigned long long)c->scalar_products,
             (unsigned long long)c->plain_products, (unsigned long long)c->products,
             (unsigned long long)c->rotations, (unsigned long long)c->relinearisations,
             (unsigned long long)c->rescales);
}

void
cli_operations_json(struct arena *a, const struct he_program *p, struct str *s)
{
    struct he_counts_list nodes = {0};
    he_count_nodes(p, a, &nodes);
    str_add(s, "{\"all\":{");
    counts_json(&p->counts, s);
    str_add(s, "},\"nodes\":[");
    for (uint32_t k = 0; k < nodes.len; k++) {
        str_add(s, k ? ",{\"node\":" : "{\"node\":");
        str_json(s, nodes.at[k].node);
        str_add(s, ",");
        counts_json(&nodes.at[k].counts, s);
        if (nodes.at[k].sparse) {
            str_add(s, ",\"dense\":{");
            counts_json(&nodes.at[k].dense, s);
            str_add(s, "}");
        }
        str_add(s, "}");
    }
    str_add(s, "]}");
}

static uint64_t
sum(const struct he_counts *c)
{
    return c->additions + c->scalar_products + c->plain_products + c->products + c->rotations +
           c->relinearisations + c->rescales;
}

void
cli_operations_table(struct arena *a, const struct he_program *p, struct str *s)
{
    struct he_counts_list nodes = {0};
    he_count_nodes(p, a, &nodes);
    str_addf(s, "%-24s %9s %9s %9s %9s %9s %9s %9s %9s\n", "operations", "add", "scalar", "plain",
             "product", "rotate", "relin", "rescale", "dense");
    for (uint32_t k = 0; k < nodes.len; k++) {
        const struct he_counts *c = &nodes.at[k].counts;
        str_addf(s, "%-24.24s %9llu %9llu %9llu %9llu %9llu %9llu %9llu", nodes.at[k].node,
                 (unsigned long long)c->additions, (unsigned long long)c->scalar_products,
                 (unsigned long long)c->plain_products, (unsigned long long)c->products,
                 (unsigned long long)c->rotations, (unsigned long long)c->relinearisations,
                 (unsigned long long)c->rescales);
        if (nodes.at[k].sparse)
            str_addf(s, " %9llu\n", (unsigned long long)sum(&nodes.at[k].dense));
        else
            str_addf(s, " %9s\n", "");
    }
}
