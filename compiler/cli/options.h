/* options.h - what the command line says, parsed. */
#ifndef OLAC_CLI_OPTIONS_H
#define OLAC_CLI_OPTIONS_H

#include "cli/costs.h"
#include "pipeline/pipeline.h"

enum command_bit { C = 1, K = 2, W = 4, S = 8, R = 16, X = 32, L = 64, T = 128, B = 256 };

struct options {
    const char *command, *operand; /* MODEL, or the code to explain */
    VEC(const char *) operands;    /* all of them: calibrate --merge takes any number */
    const char *output, *calib, *input, *data, *labels, *fit, *weights, *templates, *against, *dump,
        *cc, *keep, *calib_labels, *pack, *report;
    uint32_t calib_count, count, degree, log_n, security, seed, sample, stress, polish;
    struct shard {
        uint32_t k, of; /* 0 of 0: all */
    } shard;
    const char *costs;                   /* a file */
    const struct cost_table *cost_table; /* what is in it; NULL: not given */
    const char *quantize, *activation_grid;
    double prune, rate, augment;
    uint32_t epochs, batch;
    bool momentum;
    double agree, precision, max_drop, max_latency, max_ram;
    struct list {
        double *v;
        uint32_t n;
    } mean, std, dp;
    const char *head, *split_at, *teacher, *ledger;
    VEC(struct pin_option) pins;
    bool merge, insecure_toy, sim, dsl, only_float, json, quiet;
    uint64_t seen; /* which rows of options.def were given */
};

struct command {
    const char *name, *operand, *summary;
    unsigned bit;
    int (*run)(struct arena *a, const struct options *o, struct diag *d);
};

/* All commands, the last row has no name. */
extern const struct command cli_commands[];

/* Fills *o; false after errors in d (code E_USAGE). argv[1] is the command. */
bool options_parse(struct arena *a, int argc, char **argv, unsigned bit, struct options *o,
                   struct diag *d);
/* False after E_OPEN or E_READ for each file that is given and cannot be read, E_WRITE for each
 * that has no folder to be written to. */
bool options_files(struct arena *a, const struct options *o, unsigned bit, struct diag *d);
/* What --help prints, for one command or (NULL) for all; and the bodies of man page and
 * completions. */
void options_help(const struct command *c, struct str *out);
void options_man(struct str *out);
void options_completion(const char *shell, struct str *out);

/* The compile that the options ask for. */
struct compile_options options_compile(struct arena *a, const struct options *o);

/* ---- progress (progress.c) ---- */
struct progress {
    bool shown;   /* standard error is a terminal and --quiet was not given */
    double start; /* of the present step */
    const char *what;
    double last;
};
struct progress progress_new(const struct options *o);
/* The callback of the pipeline and the simulator; user is a struct progress. */
void progress_show(void *user, const char *what, uint32_t done, uint32_t all);
void progress_clear(struct progress *p);
double seconds_now(void);

/* ---- commands, one file each ---- */
int cli_compile(struct arena *a, const struct options *o, struct diag *d);
int cli_calibrate(struct arena *a, const struct options *o, struct diag *d);
int cli_check(struct arena *a, const struct options *o, struct diag *d);
int cli_show(struct arena *a, const struct options *o, struct diag *d);
int cli_simulate(struct arena *a, const struct options *o, struct diag *d);
int cli_run(struct arena *a, const struct options *o, struct diag *d);
int cli_tune(struct arena *a, const struct options *o, struct diag *d);
int cli_bench(struct arena *a, const struct options *o, struct diag *d);
int cli_explain(struct arena *a, const struct options *o, struct diag *d);

/* Messages so far to standard error (or, with --json, an object {"errors": [...]} to standard
 * output); the exit status: 1 when there was an error. */
int cli_finish(const struct options *o, const struct diag *d);
/* "128-bit secure", or that it is not. */
const char *cli_security(const struct he_program *p);
/* Warnings so far to standard error, without ending. */
void cli_warnings(const struct diag *d);

#endif
