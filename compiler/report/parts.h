/* parts.h - the sections of the page, in its order; each writes nothing when it has nothing to
 * say. */
#ifndef OLAC_REPORT_PARTS_H
#define OLAC_REPORT_PARTS_H

#include "report/report.h"

void part_summary(const struct report *r, struct str *out);     /* tiles; summary.c */
void part_run(const struct report *r, struct str *out);         /* measured; run.c */
void part_choice(const struct report *r, struct str *out);      /* Pareto curves; choice.c */
void part_network(const struct report *r, struct str *out);     /* the strip; network.c */
void part_activations(const struct report *r, struct str *out); /* cards; activation.c */
void part_accuracy(const struct report *r, struct str *out);    /* simulated; accuracy.c */
void part_cores(const struct report *r, struct str *out);       /* of a machine; cores.c */
void part_parameters(const struct report *r, struct str *out);  /* primes, memory; parameters.c */

/* Whether the section of this kind would say something: for the table of contents. */
bool part_has_choice(const struct report *r);

#endif
