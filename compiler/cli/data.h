/* data.h - the images and labels that run and simulate are given, and what they write. */
#ifndef OLAC_CLI_DATA_H
#define OLAC_CLI_DATA_H

#include "cli/options.h"

struct cli_images {
    float *x; /* as the network takes them: what a front makes of them, else the same as plain */
    float *plain; /* as they are read */
    uint32_t n;
    const int64_t *labels; /* of each, or NULL */
};

/* From `path` and --labels, at most --count, for the whole network (c as pipeline_begin leaves it);
 * labels of a CIFAR batch come along. 250-299; E_SIM_LABELS for a label that is no class of the
 * network. */
bool cli_read_images(struct arena *a, const struct options *o, const char *path,
                     const struct compiled *c, struct cli_images *out, struct diag *d);
/* After the compile: x is what its front, if there is one, makes of the images. E_SPLIT. */
bool cli_front_images(struct arena *a, const struct compiled *c, struct cli_images *out,
                      struct diag *d);
/* Answers as .npy, one row an image. E_WRITE. */
bool cli_write_answers(const char *path, const float *answers, uint32_t rows, int64_t n,
                       struct diag *d);
/* A number of JSON, or null where it is not finite. */
void cli_number(struct str *s, double x);
/* A copy of c->graph whose constants and polynomials are rounded as the plaintexts of c->program
 * are: the encoder rounds coefficients to whole numbers, which moves each slot of a plaintext of
 * scale s by a deviation of sqrt(N / 12) / s; rounding the numbers themselves to a grid of sqrt(N)
 * / s does the same to them. */
struct graph *cli_encoded(struct arena *a, const struct compiled *c);
/* What --quantize and --prune did, where they were given (rounded.c): an object of JSON, a table;
 * and the accuracy of the rounded weights before anything else is done, NAN where it is not
 * known. */
void cli_rounded_json(const struct compiled *c, double accuracy, struct str *s);
void cli_rounded_table(const struct compiled *c, double accuracy, struct str *s);
bool cli_rounded_accuracy(struct arena *a, const struct compiled *c, const struct cli_images *in,
                          double *accuracy, struct diag *d);
/* What an evaluation does to ciphertexts, node by node and, for a batch, beside what its maps would
 * do if none of their weights were pruned or powers of two (operations.c). */
void cli_operations_json(struct arena *a, const struct he_program *p, struct str *s);
void cli_operations_table(struct arena *a, const struct he_program *p, struct str *s);
/* The chosen plan beside the uniform degrees, where there is one (chosen.c): an object of JSON, a
 * table. */
void cli_chosen_json(const struct compiled *c, struct str *s);
void cli_chosen_table(const struct compiled *c, struct str *s);

/* What a command found out for the page, beside what compiling did; NULL: nothing. */
struct cli_findings {
    const struct simulate_report *simulated;
    const struct stress_report *stressed;
    const struct report_run *run;
};
/* Writes the page that --report asks for (report.c). True without --report; E_WRITE. */
bool cli_report(struct arena *a, const struct options *o, const struct compiled *c,
                const struct cli_findings *found, struct diag *d);

#endif
