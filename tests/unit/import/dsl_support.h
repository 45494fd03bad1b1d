/* dsl_support.h - for the tests of the language: weight files in a folder of their own, graphs
 * compared field by field, a round trip through print and import. */
#ifndef DSL_SUPPORT_H
#define DSL_SUPPORT_H

#include "base/str.h"
#include "import/import.h"

/* A new folder below the system's temporary one; removed by dsl_folder_remove. */
const char *dsl_folder(struct arena *a);
void dsl_folder_remove(const char *dir);
/* An f32 .npy of this shape with the numbers 0.25, 0.5, 0.75 ... */
void dsl_weights(struct arena *a, const char *dir, const char *name, int rank, const int64_t *dim);
struct graph *dsl_read(struct arena *a, const char *dir, const char *text, struct diag *d);
/* NULL when the graphs are equal in all that a print keeps, else what differs. */
const char *dsl_difference(struct arena *a, const struct graph *x, const struct graph *y);
/* Prints, writes the files, reads back and compares; NULL or what is wrong. */
const char *dsl_round_trip(struct arena *a, const struct graph *g);

#endif
