/* cli.c - the commands, and how every one of them ends. */
#include "cli/cli.h"

#include "cli/options.h"
#include "ola/ola.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct command cli_commands[] = {
    {"compile", "MODEL", "compile a model to a folder of C", C, cli_compile},
    {"check", "MODEL", "say everything that would stop a compile", K, cli_check},
    {"calibrate", "MODEL", "gather what a data set of any size says of the activations into a file",
     L, cli_calibrate},
    {"show", "MODEL", "print a model as a table or in the language", W, cli_show},
    {"simulate", "MODEL", "accuracy over a data set before anything is encrypted", S, cli_simulate},
    {"run", "MODEL", "compile, build, make keys, encrypt, evaluate, decrypt on this machine", R,
     cli_run},
    {"tune", "MODEL", "train on: pruned, rounded to powers of two, with polynomials in place", T,
     cli_tune},
    {"bench", "", "measure what the runtime takes on this machine, for --costs", B, cli_bench},
    {"explain", "CODE", "explain an error code such as E401", X, cli_explain},
    {NULL, NULL, NULL, 0, NULL},
};

const char *
cli_security(const struct he_program *p)
{
    return p->params.insecure_toy      ? "INSECURE TOY"
           : p->params.security == 256 ? "256-bit secure"
           : p->params.security == 192 ? "192-bit secure"
                                       : "128-bit secure";
}

void
cli_warnings(const struct diag *d)
{
    struct str s = {0};
    diag_print(d, &s);
    fputs(str_text(&s), stderr);
    str_free(&s);
}

int
cli_finish(const struct options *o, const struct diag *d)
{
    struct str s = {0};
    bool failed = diag_errors(d) != 0;
    if (o->json && failed) {
        str_add(&s, "{\"errors\":");
        diag_json(d, &s);
        str_add(&s, "}\n");
        fputs(str_text(&s), stdout);
    } else {
        cli_warnings(d);
    }
    str_free(&s);
    return failed;
}

static int
print(const struct str *s)
{
    fputs(str_text(s), stdout);
    return 0;
}

/* --help, --version, --man, --completion SHELL; -1: none of them. */
static int
answer(int argc, char **argv)
{
    struct str s = {0};
    int status = -1;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        options_help(NULL, &s);
        status = argc < 2;
    } else if (strcmp(argv[1], "--version") == 0) {
        str_addf(&s, "olac %s\n", OLA_VERSION);
        status = 0;
    } else if (strcmp(argv[1], "--man") == 0) {
        options_man(&s);
        status = 0;
    } else if (strcmp(argv[1], "--completion") == 0 && argc == 3 &&
               (strcmp(argv[2], "bash") == 0 || strcmp(argv[2], "zsh") == 0 ||
                strcmp(argv[2], "fish") == 0)) {
        options_completion(argv[2], &s);
        status = 0;
    }
    if (status >= 0)
        print(&s);
    str_free(&s);
    return status;
}

static bool
wants_help(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* What --costs names, to o. */
static bool
read_costs(struct arena *a, struct options *o, struct diag *d)
{
    struct cost_table *table = ARENA_NEW(a, struct cost_table);
    o->cost_table = o->costs ? table : NULL;
    return !o->costs || costs_read(a, o->costs, table, d);
}

static int
run(const struct command *c, int argc, char **argv)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct options o = {0};
    int status = 1;

    if (wants_help(argc, argv)) {
        struct str s = {0};
        options_help(c, &s);
        status = print(&s);
        str_free(&s);
    } else if (options_parse(a, argc, argv, c->bit, &o, d)) {
        bool ready = c->bit == X || (options_files(a, &o, c->bit, d) && read_costs(a, &o, d));
        status = ready ? c->run(a, &o, d) : cli_finish(&o, d);
    } else {
        cli_finish(&o, d);
    }
    diag_free(d);
    arena_free(a);
    return status;
}

int
cli_main(int argc, char **argv)
{
    int status = answer(argc, argv);
    if (status >= 0)
        return status;
    for (const struct command *c = cli_commands; c->name; c++)
        if (strcmp(argv[1], c->name) == 0)
            return run(c, argc, argv);
    fprintf(stderr,
            "olac: error[E610]: there is no command '%s'\n    hint: olac --help lists them\n",
            argv[1]);
    return 1;
}
