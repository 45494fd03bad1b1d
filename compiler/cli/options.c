/* options.c - parsing by the table options.def, and the texts made from it. */
#include "cli/options.h"

#include "base/file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { FLAG, TEXT, READ, PATH, COUNT, MAYBE, REAL, SIZE, TIME, SHARD, SHARE, LIST, PIN };

/* What a MAYBE stands for where no number follows. */
#define MAYBE_COUNT "1000"

static const struct row {
    const char *name;
    enum kind kind;
    size_t field;
    unsigned commands;
    const char *argument, *help;
} rows[] = {
#define OPTION(name, kind, field, commands, argument, help)                                        \
    {name, kind, offsetof(struct options, field), commands, argument, help},
#include "cli/options.def"
#undef OPTION
};

#define N_ROWS (sizeof rows / sizeof *rows)

static bool
wrong(struct diag *d, const char *option, const char *why)
{
    diag_error(d, E_USAGE, PLACE_NONE, "--%s: %s", option, why);
    return false;
}

static bool
parse_list(struct arena *a, struct options *o, const struct row *r, const char *text,
           struct diag *d)
{
    VEC(double) v = {0};
    for (const char *p = text;; p++) {
        char *end;
        double x = strtod(p, &end);
        if (end == p || (*end && *end != ',') || !isfinite(x))
            return wrong(d, r->name, "wants numbers with commas between them");
        vec_push(a, &v, x);
        p = end;
        if (!*p)
            break;
    }
    *(struct list *)((char *)o + r->field) = (struct list){v.at, v.len};
    return true;
}

/* k/n with 1 <= k <= n */
static bool
parse_shard(struct shard *to, const struct row *r, const char *text, struct diag *d)
{
    unsigned k, of;
    int end = 0;

    if (strlen(text) > 20 || text[strspn(text, "0123456789/")] ||
        sscanf(text, "%9u/%9u%n", &k, &of, &end) != 2 || text[end] || !k || k > of)
        return wrong(d, r->name, "wants K/N, K from 1 to N");
    *to = (struct shard){k, of};
    return true;
}

/* NODE:KEY=VALUE; the node's name may hold colons, the key not. */
static bool
parse_pin(struct arena *a, struct options *o, const struct row *r, const char *text, struct diag *d)
{
    const char *equal = strrchr(text, '='), *colon = equal;
    while (colon && colon > text && *colon != ':')
        colon--;
    if (!equal || colon == text)
        return wrong(d, r->name, "wants NODE:degree=D");
    vec_push(a, &o->pins,
             (struct pin_option){arena_strndup(a, text, (size_t)(colon - text)),
                                 arena_strndup(a, colon + 1, (size_t)(equal - colon - 1)),
                                 equal + 1});
    return true;
}

static bool
parse_value(struct arena *a, struct options *o, const struct row *r, const char *text,
            struct diag *d)
{
    char *field = (char *)o + r->field, *end;
    switch (r->kind) {
    case FLAG:
        *(bool *)field = true;
        return true;
    case TEXT:
    case READ:
    case PATH:
        *(const char **)field = text;
        return *text || wrong(d, r->name, "wants more than an empty text");
    case COUNT:
    case MAYBE: {
        errno = 0;
        unsigned long n = strtoul(text, &end, 10);
        if (errno || *end || *text < '0' || *text > '9' || !n || n > 100000000)
            return wrong(d, r->name, "wants a whole number from 1 to 100000000");
        *(uint32_t *)field = (uint32_t)n;
        return true;
    }
    case REAL: {
        double x = strtod(text, &end);
        if (end == text || *end || !isfinite(x) || x <= 0)
            return wrong(d, r->name, "wants a positive number");
        *(double *)field = x;
        return true;
    }
    case SHARD:
        return parse_shard((struct shard *)(void *)field, r, text, d);
    case SIZE: {
        double x = strtod(text, &end);
        static const char units[] = "kKmMgG";
        const char *unit = *end ? strchr(units, *end) : NULL;
        if (end == text || (*end && (!unit || end[1])) || !isfinite(x) || x <= 0)
            return wrong(d, r->name, "wants a number of bytes, as 900M or 8G");
        *(double *)field = unit ? x * pow(1000, 1 + (double)((unit - units) / 2)) : x;
        return true;
    }
    case TIME: {
        double x = strtod(text, &end), unit = strcmp(end, "ms") == 0 ? 1e-3 : 1;
        if (end == text || (*end && unit == 1 && strcmp(end, "s") != 0) || !isfinite(x) || x <= 0)
            return wrong(d, r->name, "wants a time in seconds, as 2s or 500ms");
        *(double *)field = x * unit;
        return true;
    }
    case SHARE: {
        double x = strtod(text, &end), share = *end == '%' ? x / 100 : x;
        if (end == text || end[*end == '%'] || !(share > 0 && share < 1))
            return wrong(d, r->name, "wants a share between 0 and 1, or a percentage as 0.5%");
        *(double *)field = share;
        return true;
    }
    case LIST:
        return parse_list(a, o, r, text, d);
    case PIN:
        return parse_pin(a, o, r, text, d);
    }
    return false;
}

static const struct row *
find(const char *name, size_t n)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (strncmp(rows[i].name, name, n) == 0 && !rows[i].name[n])
            return &rows[i];
    return NULL;
}

/* One "--name", "--name value" or "--name=value" (or -o); returns how many arguments it took. */
static int
parse_option(struct arena *a, char **argv, int left, unsigned bit, struct options *o,
             struct diag *d)
{
    const char *name = strcmp(argv[0], "-o") == 0 ? "output" : argv[0] + 2;
    const char *equal = strchr(name, '=');
    const struct row *r = find(name, equal ? (size_t)(equal - name) : strlen(name));

    if (argv[0][1] != '-' && strcmp(argv[0], "-o") != 0)
        r = NULL;
    if (!r || !(r->commands & bit)) {
        diag_error(d, E_USAGE, PLACE_NONE, "'%s' is no option of olac %s", argv[0], o->command);
        diag_hint(d, "olac %s --help lists them", o->command);
        return 1;
    }
    if (r->kind != PIN && o->seen & (UINT64_C(1) << (r - rows)))
        wrong(d, r->name, "is given twice");
    o->seen |= UINT64_C(1) << (r - rows);
    if (r->kind == FLAG) {
        if (equal)
            wrong(d, r->name, "takes no value");
        parse_value(a, o, r, NULL, d);
        return 1;
    }
    if (r->kind == MAYBE && !equal && (left < 2 || argv[1][0] < '0' || argv[1][0] > '9')) {
        parse_value(a, o, r, MAYBE_COUNT, d);
        return 1;
    }
    if (!equal && left < 2) {
        wrong(d, r->name, "wants a value");
        return 1;
    }
    parse_value(a, o, r, equal ? equal + 1 : argv[1], d);
    return equal ? 1 : 2;
}

/* --quantize and --prune; false when the first names no grid. */
static bool
parse_grid(const struct options *o, struct quantize_options *out)
{
    const char *text = o->quantize, *end;

    *out = (struct quantize_options){.prune = o->prune};
    if (!text)
        return true;
    bool two = strncmp(text, "pow2x2", 6) == 0;
    if (!two && strncmp(text, "pow2", 4) != 0)
        return false;
    out->terms = two ? 2 : 1;
    out->bits = 5;
    text += two ? 6 : 4;
    if (*text == ':') {
        out->bits = (uint32_t)strtoul(text + 1, (char **)&end, 10);
        return text[1] >= '0' && text[1] <= '9' && !*end;
    }
    return !*text;
}

/* --activation-grid. */
static bool
parse_activations(const struct options *o, enum fit_grid *out)
{
    *out = FIT_FREE;
    if (!o->activation_grid)
        return true;
    *out = strcmp(o->activation_grid, "pow2:max") == 0 ? FIT_POWERS_MAX : FIT_POWERS_DATA;
    return *out == FIT_POWERS_MAX || strcmp(o->activation_grid, "pow2") == 0;
}

static void
check_fit(const struct options *o, struct diag *d)
{
    bool minimax = o->fit && strcmp(o->fit, "minimax") == 0;
    if (o->fit && !minimax && strcmp(o->fit, "channel") != 0 && strcmp(o->fit, "layer") != 0)
        wrong(d, "fit", "is 'channel', 'layer' or 'minimax'");
    if (minimax &&
        (o->degree || o->agree > 0 || o->max_drop > 0 || o->max_latency > 0 || o->activation_grid))
        wrong(d, "fit",
              "'minimax' has its own degrees: no --degree, --agree, --max-drop, "
              "--max-latency or --activation-grid beside it");
    if (o->polish && (o->activation_grid || minimax))
        wrong(d, "polish", "moves coefficients: no --activation-grid or --fit minimax beside it");
    if (o->polish > 100000)
        wrong(d, "polish", "is at most 100000");
}

bool
options_parse(struct arena *a, int argc, char **argv, unsigned bit, struct options *o,
              struct diag *d)
{
    o->command = argv[1];
    for (int i = 2; i < argc;) {
        if (argv[i][0] == '-' && argv[i][1]) {
            i += parse_option(a, argv + i, argc - i, bit, o, d);
            continue;
        }
        vec_push(a, &o->operands, argv[i]);
        o->operand = argv[i++];
    }
    for (uint32_t k = 1; !o->merge && k < o->operands.len; k++)
        diag_error(d, E_USAGE, PLACE_NONE, "'%s' is one argument too many", o->operands.at[k]);
    if (bit == B && o->operand)
        diag_error(d, E_USAGE, PLACE_NONE, "'%s': olac bench takes options only", o->operand);
    if (bit != B && (!o->operand || !*o->operand))
        diag_error(d, E_USAGE, PLACE_NONE, "olac %s wants %s", o->command,
                   bit == X   ? "a code"
                   : o->merge ? "files to merge"
                              : "a model");
    if (bit == L && !o->merge && !o->calib)
        diag_error(d, E_USAGE, PLACE_NONE, "olac calibrate wants --calib");
    if (bit == L && o->merge &&
        (o->calib || o->calib_labels || o->calib_count || o->shard.of || o->sample || o->mean.n ||
         o->std.n))
        wrong(d, "merge", "goes with --output only: parts have all else from when they were made");
    if (bit == L && !o->output)
        diag_error(d, E_USAGE, PLACE_NONE, "olac calibrate wants -o FILE");
    if (o->sample > 1000000)
        wrong(d, "sample", "is at most 1000000");
    if (bit == R && !o->input)
        diag_error(d, E_USAGE, PLACE_NONE, "olac run wants --input");
    if (bit == T && (!o->data || !o->output))
        diag_error(d, E_USAGE, PLACE_NONE, "olac tune wants --data and -o FILE");
    if (bit == S && !o->data)
        diag_error(d, E_USAGE, PLACE_NONE, "olac simulate wants --data");
    check_fit(o, d);
    if (o->pack && strcmp(o->pack, "latency") != 0 && strcmp(o->pack, "throughput") != 0)
        wrong(d, "pack", "is 'latency' or 'throughput'");
    if (o->weights && strcmp(o->weights, "refitted") != 0 && strcmp(o->weights, "trained") != 0)
        wrong(d, "weights", "is 'refitted' or 'trained'");
    if (o->security && o->security != 128 && o->security != 192 && o->security != 256)
        wrong(d, "security", "is 128, 192 or 256");
    if (o->degree > 63)
        wrong(d, "degree", "is at most 63");
    struct quantize_options grid;
    if (!parse_grid(o, &grid))
        wrong(d, "quantize", "is pow2, pow2:BITS, pow2x2 or pow2x2:BITS");
    enum fit_grid activations;
    if (!parse_activations(o, &activations))
        wrong(d, "activation-grid", "is pow2 or pow2:max");
    if (o->dp.v && (o->dp.n != 3 || !(o->dp.v[0] > 0) || !(o->dp.v[1] > 0 && o->dp.v[1] < 1) ||
                    !(o->dp.v[2] > 0)))
        wrong(d, "dp", "is EPSILON,DELTA,CLIP, positive numbers, the second below 1");
    if (o->agree > 1)
        wrong(d, "agree", "is at most 1");
    return diag_errors(d) == 0;
}

/* Whether a file can be read, before anything long begins. */
static bool
readable(const char *path, struct diag *d)
{
    struct stat st;
    bool ok = stat(path, &st) == 0 && access(path, R_OK) == 0;
    if (!ok)
        diag_error(d, E_OPEN, PLACE_FILE(path), "cannot open: %s", strerror(errno));
    else if (S_ISDIR(st.st_mode))
        diag_error(d, E_READ, PLACE_FILE(path), "cannot read: %s", strerror(EISDIR));
    return ok && !S_ISDIR(st.st_mode);
}

/* Whether there is a folder to write a file to, likewise. */
static bool
placeable(struct arena *a, const char *path, struct diag *d)
{
    struct stat st;
    const char *dir = file_dirname(a, path);
    int why = 0;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        why = S_ISDIR(st.st_mode) ? EISDIR : 0; /* else a device or a pipe */
    else if (stat(dir, &st) != 0 || access(dir, W_OK | X_OK) != 0)
        why = errno;
    else if (!S_ISDIR(st.st_mode))
        why = ENOTDIR;
    if (why)
        diag_error(d, E_WRITE, PLACE_FILE(path), "cannot write: %s", strerror(why));
    return !why;
}

bool
options_files(struct arena *a, const struct options *o, unsigned bit, struct diag *d)
{
    bool folder = bit == C || bit == W; /* what --output is */
    bool ok = !o->output || folder || placeable(a, o->output, d);

    ok = (!o->report || placeable(a, o->report, d)) && ok;
    for (uint32_t k = 0; k < o->operands.len; k++)
        ok = readable(o->operands.at[k], d) && ok;
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *path =
            rows[i].kind == READ ? *(const char *const *)((const char *)o + rows[i].field) : NULL;
        ok = (!path || readable(path, d)) && ok;
    }
    return ok;
}

struct compile_options
options_compile(struct arena *a, const struct options *o)
{
    struct quantize_options grid;
    enum fit_grid activations;

    parse_grid(o, &grid);
    parse_activations(o, &activations);
    return (struct compile_options){
        .model = o->operand,
        .calib = o->calib,
        .calib_count = o->calib_count,
        .mean = o->mean.v,
        .n_mean = o->mean.n,
        .std = o->std.v,
        .n_std = o->std.n,
        .approximate = {.degree = o->degree,
                        .agree = o->agree,
                        .grid = activations,
                        .minimax = o->fit && strcmp(o->fit, "minimax") == 0,
                        .per_layer = o->fit && strcmp(o->fit, "layer") == 0,
                        .keep_weights = o->weights && strcmp(o->weights, "trained") == 0},
        .split_at = o->split_at,
        .pins = o->pins.at,
        .n_pins = o->pins.len,
        .log_n = o->log_n,
        .security = o->security,
        .insecure_toy = o->insecure_toy,
        .quantize = grid,
        .throughput = o->pack && strcmp(o->pack, "throughput") == 0,
        .precision_bits = o->precision,
        .shard = o->shard.k,
        .shards = o->shard.of,
        .sample = o->sample,
        .polish = o->polish,
        .max_drop = o->max_drop,
        .max_latency = o->max_latency,
        .max_ram = o->max_ram,
        .costs = o->cost_table ? &o->cost_table->costs : NULL,
        .costs_name = o->cost_table ? costs_name(a, o->cost_table) : NULL,
        .calib_labels = o->calib_labels,
        .templates = o->templates,
        .dump = o->dump,
        .report = o->report != NULL,
    };
}

/* ---- texts
 * ------------------------------------------------------------------------------------------ */

static const char *
short_name(const char *option)
{
    return strcmp(option, "output") == 0 ? "-o, " : "";
}

void
options_help(const struct command *c, struct str *out)
{
    if (!c) {
        str_add(out, "usage: olac COMMAND [OPTION]... ARGUMENT\n\n"
                     "Compiles a trained network to C that computes it on encrypted data.\n\n");
        for (const struct command *i = cli_commands; i->name; i++)
            str_addf(out, "  %-9s %-6s  %s\n", i->name, i->operand, i->summary);
        str_add(
            out,
            "\nolac COMMAND --help lists the options of a command; olac --version, olac --man and\n"
            "olac --completion bash|zsh|fish print what they say.\n");
        return;
    }
    str_addf(out, "usage: olac %s %s%s[OPTION]...\n\n%s\n\n", c->name, c->operand,
             *c->operand ? " " : "", c->summary);
    for (size_t i = 0; i < N_ROWS; i++) {
        if (!(rows[i].commands & c->bit))
            continue;
        char left[40];
        snprintf(left, sizeof left, "%s--%s%s%s", short_name(rows[i].name), rows[i].name,
                 rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
        str_addf(out, "  %-24s %s\n", left, rows[i].help);
    }
}

/* roff: a hyphen that is to be copied as typed, and no control character at the start of a line. */
static void
roff(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '-' || *text == '\\')
            str_add(out, "\\");
        str_addn(out, text, 1);
    }
}

void
options_man(struct str *out)
{
    str_add(
        out,
        ".TH OLAC 1 \"\" \"olac 0.1.0\" \"User Commands\"\n.SH NAME\n"
        "olac \\- compile a trained network to C that computes on encrypted data\n.SH SYNOPSIS\n"
        ".B olac\n.I COMMAND\n[\\fIOPTION\\fR]...\n.I ARGUMENT\n.SH DESCRIPTION\n"
        "olac reads an ONNX model or a network in its own language, replaces every activation by "
        "a polynomial, and writes plain C that evaluates the network on CKKS ciphertexts with "
        "libola, at 128\\-bit security.\n.SH COMMANDS\n");
    for (const struct command *i = cli_commands; i->name; i++)
        str_addf(out, ".TP\n.B %s \\fI%s\\fR\n%s\n", i->name, i->operand, i->summary);
    str_add(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        str_add(out, ".TP\n.B ");
        roff(out, short_name(rows[i].name));
        str_add(out, "\\-\\-");
        roff(out, rows[i].name);
        if (rows[i].argument)
            str_addf(out, " \\fI%s\\fR", rows[i].argument);
        str_add(out, "\n(");
        const char *comma = "";
        for (const struct command *c = cli_commands; c->name; c++)
            if (rows[i].commands & c->bit) {
                str_addf(out, "%s%s", comma, c->name);
                comma = ", ";
            }
        str_add(out, ") ");
        roff(out, rows[i].help);
        str_add(out, "\n");
    }
    str_add(out, ".SH EXIT STATUS\n0 on success; 1 after errors, or when \\-\\-against finds a "
                 "difference.\n");
}

void
options_completion(const char *shell, struct str *out)
{
    bool fish = strcmp(shell, "fish") == 0, zsh = strcmp(shell, "zsh") == 0;
    if (fish) {
        for (const struct command *c = cli_commands; c->name; c++) {
            str_addf(out, "complete -c olac -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
                     c->summary);
            for (size_t i = 0; i < N_ROWS; i++)
                if (rows[i].commands & c->bit)
                    str_addf(out, "complete -c olac -n '__fish_seen_subcommand_from %s' -l %s%s\n",
                             c->name, rows[i].name, rows[i].argument ? " -r" : "");
        }
        return;
    }
    if (zsh)
        str_add(out, "#compdef olac\nautoload -U +X bashcompinit && bashcompinit\n");
    str_add(out, "_olac() {\n    local word=\"${COMP_WORDS[COMP_CWORD]}\"\n"
                 "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"");
    for (const struct command *c = cli_commands; c->name; c++)
        str_addf(out, "%s ", c->name);
    str_add(out, "\" -- \"$word\"))\n        return\n    fi\n    local options=\n"
                 "    case \"${COMP_WORDS[1]}\" in\n");
    for (const struct command *c = cli_commands; c->name; c++) {
        str_addf(out, "    %s) options=\"", c->name);
        for (size_t i = 0; i < N_ROWS; i++)
            if (rows[i].commands & c->bit)
                str_addf(out, "--%s ", rows[i].name);
        str_add(out, "\" ;;\n");
    }
    str_add(out, "    esac\n    case \"$word\" in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- "
                 "\"$word\")) ;;\n"
                 "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\n"
                 "complete -o filenames -F _olac olac\n");
}
