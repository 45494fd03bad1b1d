/* costs.h - tables of what the runtime takes on a machine, as olac bench writes them and --costs
 * reads them. */
#ifndef OLAC_CLI_COSTS_H
#define OLAC_CLI_COSTS_H

#include "ir/he.h"

struct cost_table {
    struct he_costs costs;
    const char *machine, *backend; /* printable ASCII */
    uint32_t threads;
};

/* What a table calls itself, with its numbers, for the header of generated code. */
const char *costs_name(struct arena *a, const struct cost_table *t);
/* The JSON text of a table; every byte is untrusted. E_COSTS for each thing that is wrong. `file`
 * is its name in messages. */
bool costs_parse(struct arena *a, const char *file, const void *text, size_t size,
                 struct cost_table *out, struct diag *d);
/* The same from a file. */
bool costs_read(struct arena *a, const char *path, struct cost_table *out, struct diag *d);
/* Its costs beside the shipped ones, one a line. */
void costs_print(const struct cost_table *t, struct str *out);

/* The program that measures, built in from measure/costs.c. The last row has no name. */
struct costs_source {
    const char *name, *text;
};
extern const struct costs_source costs_sources[];

#endif
