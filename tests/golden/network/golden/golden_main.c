/* golden_main.c - golden on encrypted images, as a program. Generated; do not edit.
 *
 * made by   olac 0.1.0
 * network   golden
 * model     BLAKE2b-256 766d56875ce3ca2c12ee4eac3648bb81a0116a93d2125ab3aaa61f8c1ac6dab9
 * options   degree 0 (chosen), 0 calibration images
 * security  128 bits (classical)
 * ring      log N = 13, log QP = 202.0, 3 levels
 * keys      5 rotations, relinearisation, 4653056 bytes
 *
 *   keygen | encrypt | eval | decrypt   four processes over files of one folder: params, eval.keys,
 *                                       input.ct, output.ct; secret.key is the client's alone
 *   run | selftest                      the whole trip in one process (golden_trip.c)
 *
 * Images and answers are .npy files; image k > 0 of several is in input.k.ct and output.k.ct. */
#define _POSIX_C_SOURCE 200809L
#include "golden_program.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- messages -------------------------------------------------------------------------------- */

int
golden_fail(const char *what, const char *format, ...)
{
    va_list ap;
    fprintf(stderr, "golden: %s: ", what);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return 1;
}

int
golden_fail_status(const char *what, ola_status status)
{
    if (status == OLA_ERR_IO && errno)
        return golden_fail(what, "%s", strerror(errno));
    return golden_fail(what, "%s [%s]", ola_status_text(status), ola_status_name(status));
}

double
golden_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void
golden_show_progress(void *user, uint32_t layer, uint32_t n_layers, double done, const char *name)
{
    const struct golden_waiting *p = user;
    if (!p->shown)
        return;
    double share = (p->round + done) / p->rounds, spent = golden_seconds() - p->start;
    fprintf(stderr, "\r\033[K");
    if (layer == n_layers && p->round + 1 == p->rounds)
        return;
    if (p->rounds > 1)
        fprintf(stderr, "%s %u of %u, ", GOLDEN_BATCH > 1 ? "batch" : "image", p->round + 1,
                p->rounds);
    fprintf(stderr, "layer %u of %u %.40s", layer + 1 < n_layers ? layer + 1 : n_layers, n_layers,
            name);
    if (share > 0)
        fprintf(stderr, ", %.0f s left", ceil(spent * (1 - share) / share));
    fflush(stderr);
}

/* An answer in place of a process that the system kills. */
int
golden_check_memory(const struct golden_options *o)
{
    FILE *f = o->force ? NULL : fopen("/proc/meminfo", "r");
    char line[256];
    unsigned long free_kb;
    int failed = 0;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lu", &free_kb) == 1 && free_kb / 1000 < GOLDEN_MEGABYTES)
            failed = golden_fail(o->command,
                              "an evaluation takes about %u MB, and %lu MB are free; olac compile "
                              "--max-ram makes a leaner one, and --force runs this one",
                              GOLDEN_MEGABYTES, free_kb / 1000);
    if (f)
        fclose(f);
    return failed;
}

/* ---- files of the four processes ------------------------------------------------------------- */

/* dir/stem or, for round k > 0, dir/stem.k with the suffix behind; free it. */
static char *
file_name(const struct golden_options *o, const char *stem, uint32_t k, const char *suffix)
{
    size_t size = strlen(o->dir) + strlen(stem) + strlen(suffix) + 16;
    char *path = malloc(size);
    if (!path) {
        golden_fail(o->dir, "out of memory");
        return NULL;
    }
    if (k)
        snprintf(path, size, "%s/%s.%u%s", o->dir, stem, k, suffix);
    else
        snprintf(path, size, "%s/%s%s", o->dir, stem, suffix);
    return path;
}

/* The folder's params must be those of this network: one message instead of one a file. */
static int
check_params(const struct golden_options *o, const ola_params *mine)
{
    char *path = file_name(o, "params", 0, "");
    ola_params *params = NULL;
    if (!path)
        return 1;
    ola_status status = ola_params_load(path, &params);
    int failed = status == OLA_OK ? 0 : golden_fail_status(path, status);
    if (!failed) {
        const struct ola_literal *x = ola_params_literal(params), *y = ola_params_literal(mine);
        if (memcmp(x->model, y->model, sizeof x->model) != 0)
            failed = golden_fail_status(path, OLA_ERR_MODEL);
        else if (!ola_params_of(params, y))
            failed = golden_fail_status(path, OLA_ERR_FINGERPRINT);
    }
    ola_params_free(params);
    free(path);
    return failed;
}

static int
load_cts(const struct golden_options *o, const char *stem, uint32_t k, const ola_params *params,
         ola_ct **ct, uint32_t n)
{
    char *path = file_name(o, stem, k, ".ct");
    if (!path)
        return 1;
    ola_status status = ola_cts_load(params, path, ct, n);
    int failed = status == OLA_OK ? 0 : golden_fail_status(path, status);
    free(path);
    return failed;
}

static int
save_cts(const struct golden_options *o, const char *stem, uint32_t k, const ola_params *params,
         ola_ct **ct, uint32_t n)
{
    char *path = file_name(o, stem, k, ".ct");
    if (!path)
        return 1;
    ola_status status = ola_cts_save(params, (const ola_ct *const *)ct, n, path);
    int failed = status == OLA_OK ? 0 : golden_fail_status(path, status);
    free(path);
    return failed;
}

/* status: of using round k's ciphertexts; their file is named. */
static int
fail_cts(const struct golden_options *o, const char *stem, uint32_t k, const char *keys,
         ola_status status)
{
    char *path = file_name(o, stem, k, ".ct");
    if (path && status == OLA_ERR_OTHER_KEY)
        golden_fail(path, "%s than %s [%s]", ola_status_text(status), keys,
                    ola_status_name(status));
    else if (path)
        golden_fail_status(path, status);
    free(path);
    return 1;
}

static int
load_client(const struct golden_options *o, struct golden_client **client)
{
    char *path = file_name(o, "secret.key", 0, "");
    if (!path)
        return 1;
    ola_status status = golden_client_load(path, client);
    int failed = status == OLA_OK ? check_params(o, golden_client_params(*client))
                                  : golden_fail_status(path, status);
    free(path);
    return failed;
}

/* ---- the commands ---------------------------------------------------------------------------- */

/* The secret comes last: where the large file finds no room, an older secret is still there. */
static int
save_keygen(const struct golden_options *o, const struct golden_client *client,
            const ola_keys *keys,
            const char *secret)
{
    char *params = file_name(o, "params", 0, ""), *eval = file_name(o, "eval.keys", 0, "");
    int failed = !params || !eval;
    ola_status status = OLA_OK;
    if (!failed && (status = ola_keys_save(keys, eval)) != OLA_OK)
        failed = golden_fail_status(eval, status);
    if (!failed && (status = ola_params_save(golden_client_params(client), params)) != OLA_OK)
        failed = golden_fail_status(params, status);
    if (!failed && (status = golden_client_save(client, secret)) != OLA_OK)
        failed = golden_fail_status(secret, status);
    free(params);
    free(eval);
    return failed;
}

static int
command_keygen(const struct golden_options *o)
{
    struct golden_client *client = NULL;
    ola_keys *keys = NULL;
    char *secret = file_name(o, "secret.key", 0, "");
    if (!secret)
        return 1;
    int failed = 0;
    if (mkdir(o->dir, 0777) != 0 && errno != EEXIST)
        failed = golden_fail(o->dir, "%s", strerror(errno));
    else if (!o->force && access(secret, F_OK) == 0)
        failed = golden_fail(secret, "is there already; --force replaces it, "
                                  "and nothing can decrypt what it encrypted");
    ola_status status = failed ? OLA_OK : golden_client_new(&client);
    if (!failed && status == OLA_OK)
        status = golden_client_keys(client, &keys);
    if (!failed)
        failed = status == OLA_OK ? save_keygen(o, client, keys, secret)
                                  : golden_fail_status("keygen", status);
    ola_keys_free(keys);
    golden_client_free(client);
    free(secret);
    return failed;
}

static int
command_encrypt(const struct golden_options *o)
{
    struct golden_client *client = NULL;
    struct golden_images in = {.file = NULL};
    ola_ct *ct[GOLDEN_INPUT_CTS];
    int failed = load_client(o, &client) || golden_images_open(o, &in);
    if (!failed) {
        ola_status status = golden_cts_new(golden_client_params(client), ct, GOLDEN_INPUT_CTS);
        failed = status == OLA_OK ? 0 : golden_fail_status("encrypt", status);
    }
    if (!failed) {
        const uint32_t images = o->count ? in.rows : 1;
        for (uint32_t k = 0; k < golden_rounds(images) && !failed; k++)
            failed = golden_images_encrypt(&in, client, golden_round_size(images, k), ct) ||
                     save_cts(o, "input", k, golden_client_params(client), ct, GOLDEN_INPUT_CTS);
        golden_cts_free(ct, GOLDEN_INPUT_CTS);
    }
    golden_images_close(&in);
    golden_client_free(client);
    return failed;
}

/* Image k > 0 has a checkpoint of its own, with its number behind the name. */
static int
eval_one(const struct golden_options *o, struct golden_session *session, ola_ct **in, ola_ct **out,
         struct golden_waiting *p)
{
    char *path = o->checkpoint ? malloc(strlen(o->checkpoint) + 16) : NULL;
    if (o->checkpoint && !path)
        return golden_fail(o->checkpoint, "out of memory");
    if (path)
        sprintf(path, p->round ? "%s.%u" : "%s", o->checkpoint, p->round);
    ola_status status = golden_evaluate_resumable(session, (const ola_ct *const *)in, out, path,
                                               golden_show_progress, p);
    int failed = status != OLA_OK;
    if (failed && path && status != OLA_ERR_OTHER_KEY)
        golden_fail_status(path, status);
    else if (failed)
        fail_cts(o, "input", p->round, "eval.keys", status);
    if (!failed && path)
        remove(path);
    free(path);
    return failed;
}

/* Evaluates the files of o->count images. */
static int
eval_files(const struct golden_options *o, struct golden_session *session, const ola_params *params)
{
    struct golden_waiting p = {isatty(2) == 1, 0, golden_rounds(o->count ? o->count : 1),
                               golden_seconds()};
    ola_ct *in[GOLDEN_INPUT_CTS], *out[GOLDEN_OUTPUT_CTS];
    ola_status status = golden_cts_new(params, in, GOLDEN_INPUT_CTS);
    if (status != OLA_OK)
        return golden_fail_status("eval", status);
    int failed = 0;
    status = golden_cts_new(params, out, GOLDEN_OUTPUT_CTS);
    if (status != OLA_OK) {
        failed = golden_fail_status("eval", status);
    } else {
        for (; p.round < p.rounds && !failed; p.round++) {
            failed = load_cts(o, "input", p.round, params, in, GOLDEN_INPUT_CTS);
            if (failed)
                break;
            failed = eval_one(o, session, in, out, &p) ||
                     save_cts(o, "output", p.round, params, out, GOLDEN_OUTPUT_CTS);
        }
        golden_cts_free(out, GOLDEN_OUTPUT_CTS);
    }
    golden_cts_free(in, GOLDEN_INPUT_CTS);
    return failed;
}

static int
command_eval(const struct golden_options *o)
{
    struct golden_server *server = NULL;
    struct golden_session *session = NULL;
    ola_keys *keys = NULL;
    char *path = golden_check_memory(o) ? NULL : file_name(o, "eval.keys", 0, "");
    if (!path)
        return 1;
    int failed = 1;
    ola_status status =
        golden_server_new(o->weights, o->stream ? GOLDEN_STREAMED : GOLDEN_RESIDENT, &server);
    if (status != OLA_OK)
        golden_fail_status(o->weights, status);
    else if (check_params(o, golden_server_params(server)))
        failed = 1;
    else if ((status = ola_keys_load(golden_server_params(server), path, &keys)) != OLA_OK)
        golden_fail_status(path, status);
    else if ((status = golden_session_new(server, keys, &session)) != OLA_OK)
        golden_fail_status(path, status);
    else
        failed = eval_files(o, session, golden_server_params(server));
    golden_session_free(session);
    ola_keys_free(keys);
    golden_server_free(server);
    free(path);
    return failed;
}

static int
decrypt_files(const struct golden_options *o, const struct golden_client *client, float *answers,
              uint32_t rows)
{
    ola_ct *ct[GOLDEN_OUTPUT_CTS];
    ola_status status = golden_cts_new(golden_client_params(client), ct, GOLDEN_OUTPUT_CTS);
    if (status != OLA_OK)
        return golden_fail_status("decrypt", status);
    int failed = 0;
    for (uint32_t k = 0; k < golden_rounds(rows) && !failed; k++) {
        float *out = answers + (size_t)k * GOLDEN_BATCH * GOLDEN_OUTPUT_SIZE;
        failed = load_cts(o, "output", k, golden_client_params(client), ct, GOLDEN_OUTPUT_CTS);
        if (failed)
            break;
        status = golden_decrypt(client, (const ola_ct *const *)ct, out);
        failed = status == OLA_OK ? 0 : fail_cts(o, "output", k, "secret.key", status);
    }
    golden_cts_free(ct, GOLDEN_OUTPUT_CTS);
    return failed;
}

static int
command_decrypt(const struct golden_options *o)
{
    struct golden_client *client = NULL;
    uint32_t rows = o->count ? o->count : 1;
    float *answers = calloc(rows, GOLDEN_OUTPUT_SIZE * sizeof *answers);
    char *path = file_name(o, "output.npy", 0, "");
    int failed = !path || load_client(o, &client);
    if (!failed && !answers)
        failed = golden_fail("decrypt", "out of memory");
    if (!failed)
        failed = decrypt_files(o, client, answers, rows) ||
                 golden_write_answers(o->output ? o->output : path, answers, rows);
    golden_client_free(client);
    free(answers);
    free(path);
    return failed;
}

/* ---- the command line ------------------------------------------------------------------------ */

static const struct command {
    const char *name;
    int (*call)(const struct golden_options *o);
    const char *help;
} commands[] = {
    {"keygen", command_keygen, "write params, secret.key and eval.keys into the folder"},
    {"encrypt", command_encrypt, "encrypt the first image of --input to input.ct"},
    {"eval", command_eval, "evaluate input.ct to output.ct with eval.keys"},
    {"decrypt", command_decrypt, "decrypt output.ct to --output or output.npy"},
    {"run", golden_command_run, "all of it in one process, for every image of --input"},
    {"selftest", golden_command_selftest, "the same on reference images with known answers"},
};

static int
usage(FILE *to)
{
    fprintf(to, "usage: golden COMMAND [OPTION]...\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "options\n"
                "  --dir DIR        folder of the files between the commands (.)\n"
                "  --input X.npy    images, one row each\n"
                "  --output Y.npy   where the answers go\n"
                "  --count N        so many images\n"
                "  --json FILE      run: times, memory and counts\n"
                "  --weights FILE   the weights, if they are not beside the program\n"
                "  --selftest FILE  the reference, if it is not beside the program\n"
                "  --checkpoint F   eval: keep its state in F, go on from there after a stop\n"
                "  --stream         encode weights layer by layer: less memory, slower\n"
                "  --force          keygen: replace a secret key; run, eval: with little memory\n");
    return to == stdout ? 0 : 1;
}

/* name in the program's folder; NULL without memory. */
static char *
beside(const char *program, const char *name)
{
    const char *slash = strrchr(program, '/');
    size_t length = slash ? (size_t)(slash - program) + 1 : 0;
    char *path = malloc(length + strlen(name) + 1);
    if (path) {
        memcpy(path, program, length);
        strcpy(path + length, name);
    }
    return path;
}

static bool
parse_count(const char *text, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || *text < '0' || *text > '9' || n < 1 || n > 100000000)
        return false;
    *out = (uint32_t)n;
    return true;
}

static int
parse_value(struct golden_options *o, const char *name, const char *value)
{
    char **owned = strcmp(name, "--weights") == 0    ? &o->weights
                   : strcmp(name, "--selftest") == 0 ? &o->selftest
                                                     : NULL;
    const char **borrowed = strcmp(name, "--dir") == 0      ? &o->dir
                            : strcmp(name, "--input") == 0  ? &o->input
                            : strcmp(name, "--output") == 0 ? &o->output
                            : strcmp(name, "--json") == 0   ? &o->json
                            : strcmp(name, "--checkpoint") == 0 ? &o->checkpoint
                                                            : NULL;
    bool count = strcmp(name, "--count") == 0;
    if (!owned && !borrowed && !count)
        return golden_fail(name, "no such option");
    if (!value)
        return golden_fail(name, "wants a value");
    if (count && !parse_count(value, &o->count))
        return golden_fail(value, "not a number of images");
    if (borrowed)
        *borrowed = value;
    if (owned) {
        free(*owned);
        *owned = strdup(value);
        if (!*owned)
            return golden_fail(name, "out of memory");
    }
    return 0;
}

static int
parse_options(struct golden_options *o, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--force") == 0)
            o->force = true;
        else if (strcmp(argv[i], "--stream") == 0)
            o->stream = true;
        else if (parse_value(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return 1;
        else
            i++;
    }
    if (!o->weights)
        o->weights = beside(argv[0], "golden_weights.bin");
    if (!o->selftest)
        o->selftest = beside(argv[0], "golden_selftest.bin");
    return o->weights && o->selftest ? 0 : golden_fail("options", "out of memory");
}

int
main(int argc, char **argv)
{
    struct golden_options o = {.command = argc > 1 ? argv[1] : "", .dir = "."};
    int failed = -1;

    if (strcmp(o.command, "--help") == 0 || strcmp(o.command, "help") == 0)
        return usage(stdout);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(o.command, commands[i].name) == 0) {
            if (GOLDEN_SECURITY == 0)
                fprintf(stderr, "golden: INSECURE TOY parameters: not for real data\n");
            failed = parse_options(&o, argc, argv);
            failed = failed || commands[i].call(&o);
        }
    free(o.weights);
    free(o.selftest);
    return failed < 0 ? usage(stderr) : failed;
}
