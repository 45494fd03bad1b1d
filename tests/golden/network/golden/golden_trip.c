/* golden_trip.c - the whole trip of golden in one process, and the self-test. Generated; do not
 * edit.
 *
 * made by   olac 0.1.0
 * network   golden
 * model     BLAKE2b-256 766d56875ce3ca2c12ee4eac3648bb81a0116a93d2125ab3aaa61f8c1ac6dab9
 * options   degree 0 (chosen), 0 calibration images
 * security  128 bits (classical)
 * ring      log N = 13, log QP = 202.0, 3 levels
 * keys      5 rotations, relinearisation, 4653056 bytes
 *
 * golden_selftest.bin, little endian: "OLAT", u32 1, u8 model[32], u32 images, u32 input size,
 * u32 output size, u32 0, f64 tolerance, then the images and then the answers as f32. */
#define _POSIX_C_SOURCE 200809L
#include "golden_program.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct trip {
    struct golden_client *client;
    struct golden_server *server;
    struct golden_session *session;
    ola_keys *keys;
    ola_ct *in[GOLDEN_INPUT_CTS], *out[GOLDEN_OUTPUT_CTS];
    double keygen, load, encrypt, evaluate, decrypt; /* seconds */
    struct golden_waiting *waiting;
    double since, kinds[OLA_KINDS]; /* when the layer under way began, what was spent by then */
    const char *names[GOLDEN_LAYERS + 1];
    double shares[GOLDEN_LAYERS + 1];            /* predicted, of what comes before the layer */
    double layers[GOLDEN_LAYERS][OLA_KINDS + 1]; /* by kind, and all together */
};

static void
trip_close(struct trip *t)
{
    golden_cts_free(t->in, GOLDEN_INPUT_CTS);
    golden_cts_free(t->out, GOLDEN_OUTPUT_CTS);
    golden_session_free(t->session);
    golden_server_free(t->server);
    ola_keys_free(t->keys);
    golden_client_free(t->client);
}

/* Fills *t; trip_close also after a failure. */
static int
trip_open(const struct golden_options *o, struct trip *t)
{
    *t = (struct trip){.client = NULL};
    double start = golden_seconds();
    ola_status status = golden_client_new(&t->client);
    if (status == OLA_OK)
        status = golden_client_keys(t->client, &t->keys);
    if (status != OLA_OK)
        return golden_fail_status("keygen", status);
    t->keygen = golden_seconds() - start;
    start = golden_seconds();
    status = golden_server_beside(golden_client_params(t->client), o->weights,
                               o->stream ? GOLDEN_STREAMED : GOLDEN_RESIDENT, &t->server);
    if (status != OLA_OK)
        return golden_fail_status(o->weights, status);
    status = golden_session_new(t->server, t->keys, &t->session);
    if (status == OLA_OK)
        status = golden_cts_new(golden_client_params(t->client), t->in, GOLDEN_INPUT_CTS);
    if (status == OLA_OK &&
        (status = golden_cts_new(golden_client_params(t->client), t->out,
                                 GOLDEN_OUTPUT_CTS)) != OLA_OK)
        memset(t->out, 0, sizeof t->out);
    else if (status != OLA_OK)
        memset(t->in, 0, sizeof t->in);
    t->load = golden_seconds() - start;
    return status == OLA_OK ? 0 : golden_fail_status(o->command, status);
}

/* Between two layers: what the one before took. */
static void
count_layer(void *user, uint32_t layer, uint32_t n_layers, double done, const char *name)
{
    struct trip *t = user;
    double now = golden_seconds(), kinds[OLA_KINDS];
    golden_session_seconds(t->session, kinds);
    for (int k = 0; layer > 0 && k < OLA_KINDS; k++)
        t->layers[layer - 1][k] += kinds[k] - t->kinds[k];
    if (layer > 0)
        t->layers[layer - 1][OLA_KINDS] += now - t->since;
    t->names[layer] = name;
    t->shares[layer] = done;
    memcpy(t->kinds, kinds, sizeof kinds);
    t->since = now;
    golden_show_progress(t->waiting, layer, n_layers, done, name);
}

/* From the ciphertexts in t->in, of n images, to the answers. */
static int
trip_answer(struct trip *t, struct golden_waiting *p, uint32_t n, float *answers)
{
    double start = golden_seconds();
    t->waiting = p;
    ola_status status =
        golden_evaluate(t->session, (const ola_ct *const *)t->in, t->out, count_layer, t);
    if (status != OLA_OK)
        return golden_fail_status("evaluate", status);
    t->evaluate += golden_seconds() - start;
    start = golden_seconds();
    (void)n;
    status = golden_decrypt(t->client, (const ola_ct *const *)t->out, answers);
    t->decrypt += golden_seconds() - start;
    return status == OLA_OK ? 0 : golden_fail_status("decrypt", status);
}

/* Layer by layer: the share of the whole that was predicted for it, the seconds that it took in all
 * evaluations, and of these the seconds of each kind of operation. */
static void
write_layers(FILE *file, const struct trip *t)
{
    fprintf(file, " \"layers\": [");
    for (uint32_t i = 0; i < GOLDEN_LAYERS; i++) {
        fprintf(file, "%s\n  {\"node\": \"", i ? "," : "");
        for (const char *c = t->names[i]; c && *c; c++)
            fprintf(file, *c == '"' ? "\\%c" : "%c", *c);
        fprintf(file, "\", \"predicted\": %.6f, \"seconds\": %.6f",
                t->shares[i + 1] - t->shares[i], t->layers[i][OLA_KINDS]);
        for (int k = 0; k < OLA_KINDS; k++)
            if (t->layers[i][k] > 0)
                fprintf(file, ", \"%s\": %.6f", ola_kind_name((enum ola_kind)k), t->layers[i][k]);
        fprintf(file, "}");
    }
    fprintf(file, "],\n");
}

/* The most memory that this program held. What getrusage says a process inherits from the one that
 * started it. */
static unsigned long long
peak_bytes(void)
{
    struct rusage usage;
    unsigned long kilobytes = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lu", &kilobytes) != 1)
        ;
    if (file)
        fclose(file);
    if (kilobytes)
        return kilobytes * 1024ULL;
    getrusage(RUSAGE_SELF, &usage);
    return (unsigned long long)usage.ru_maxrss * 1024;
}

static int
write_json(const char *path, const struct trip *t, uint32_t rows)
{
    struct ola_counts n;
    uint64_t now, peak;
    char *temporary;
    FILE *file = golden_create(path, &temporary);

    golden_session_counts(t->session, &n);
    ola_memory(&now, &peak);
    if (file) {
        fprintf(file, "{\"images\": %u,\n", rows);
        fprintf(file,
                " \"seconds\": {\"keygen\": %.6f, \"load\": %.6f, \"encrypt\": %.6f, "
                "\"evaluate\": %.6f, \"decrypt\": %.6f},\n",
                t->keygen, t->load, t->encrypt, t->evaluate, t->decrypt);
        fprintf(file, " \"peak_bytes\": %llu, \"ola_peak_bytes\": %llu, \"key_bytes\": %llu,\n",
                peak_bytes(), (unsigned long long)peak,
                (unsigned long long)ola_keys_bytes(t->keys));
        fprintf(file,
                " \"counts\": {\"rotations\": %llu, \"relinearisations\": %llu, "
                "\"products\": %llu, \"plain_products\": %llu, \"rescales\": %llu, "
                "\"additions\": %llu, \"scalar_products\": %llu},\n",
                (unsigned long long)n.rotations, (unsigned long long)n.relinearisations,
                (unsigned long long)n.products, (unsigned long long)n.plain_products,
                (unsigned long long)n.rescales, (unsigned long long)n.additions,
                (unsigned long long)n.scalar_products);
        write_layers(file, t);
        fprintf(file, " \"backend\": \"%s\"}\n", ola_backend_name());
    }
    return golden_commit(file, path, temporary);
}

static int
run_images(const struct golden_options *o, struct trip *t, struct golden_images *in, float *answers)
{
    struct golden_waiting p = {isatty(2) == 1, 0, golden_rounds(in->rows), golden_seconds()};
    int failed = 0;
    for (; p.round < p.rounds && !failed; p.round++) {
        const uint32_t n = golden_round_size(in->rows, p.round);
        double start = golden_seconds();
        failed = golden_images_encrypt(in, t->client, n, t->in);
        t->encrypt += golden_seconds() - start;
        if (!failed)
            failed =
                trip_answer(t, &p, n, answers + (size_t)p.round * GOLDEN_BATCH *
                            GOLDEN_OUTPUT_SIZE);
    }
    if (!failed && o->output)
        failed = golden_write_answers(o->output, answers, in->rows);
    if (!failed && o->json)
        failed = write_json(o->json, t, in->rows);
    return failed;
}

/* One line an image: the number of the largest output, and the outputs when there are few. */
static void
print_answers(const float *answers, uint32_t rows)
{
    for (uint32_t k = 0; k < rows; k++) {
        const float *a = answers + (size_t)k * GOLDEN_OUTPUT_SIZE;
        uint32_t best = 0;
        for (uint32_t i = 1; i < GOLDEN_OUTPUT_SIZE; i++)
            if (a[i] > a[best])
                best = i;
        printf("%u: %u", k, best);
        for (uint32_t i = 0; i < GOLDEN_OUTPUT_SIZE && i < 10; i++)
            printf(" %.5g", (double)a[i]);
        printf("%s\n", GOLDEN_OUTPUT_SIZE > 10 ? " ..." : "");
    }
}

int
golden_command_run(const struct golden_options *o)
{
    struct golden_images in;
    struct trip t;
    if (golden_check_memory(o) || golden_images_open(o, &in))
        return 1;
    float *answers = calloc(in.rows, GOLDEN_OUTPUT_SIZE * sizeof *answers);
    int failed = answers ? trip_open(o, &t) : golden_fail("run", "out of memory");
    if (answers) {
        failed = failed || run_images(o, &t, &in, answers);
        trip_close(&t);
    }
    if (!failed && !o->output)
        print_answers(answers, in.rows);
    free(answers);
    golden_images_close(&in);
    return failed;
}

/* ---- self-test ------------------------------------------------------------------------------- */

struct reference {
    char magic[4];
    uint32_t version;
    uint8_t model[32];
    uint32_t images, input_size, output_size, reserved;
    double tolerance;
};

/* `count` floats at a place of the file. */
static int
read_floats(const struct golden_options *o, FILE *file, off_t at, float *out, size_t count)
{
    if (fseeko(file, at, SEEK_SET) == 0 && fread(out, sizeof *out, count, file) == count)
        return 0;
    return golden_fail(o->selftest, "the file is cut off");
}

/* Round p->round of the reference images; room: for the images, answers wanted and got. */
static int
compare_round(const struct golden_options *o, struct trip *t, FILE *file,
              const struct reference *ref,
              struct golden_waiting *p, float *room, double *worst)
{
    const uint32_t n = golden_round_size(ref->images, p->round), first = p->round * GOLDEN_BATCH;
    const off_t images = (off_t)sizeof *ref,
                answers = images + (off_t)ref->images * GOLDEN_INPUT_SIZE * (off_t)sizeof *room;
    float *want = room + (size_t)n * GOLDEN_INPUT_SIZE,
        *got = want + (size_t)n * GOLDEN_OUTPUT_SIZE;
    if (read_floats(o, file, images + (off_t)first * GOLDEN_INPUT_SIZE * (off_t)sizeof *room, room,
                    (size_t)n * GOLDEN_INPUT_SIZE) ||
        read_floats(o, file, answers + (off_t)first * GOLDEN_OUTPUT_SIZE * (off_t)sizeof *room,
                    want,
                    (size_t)n * GOLDEN_OUTPUT_SIZE))
        return 1;
    ola_status status = golden_encrypt(t->client, room, t->in);
    if (status != OLA_OK)
        return golden_fail_status("encrypt", status);
    if (trip_answer(t, p, n, got))
        return 1;
    for (size_t i = 0; i < (size_t)n * GOLDEN_OUTPUT_SIZE; i++) {
        double difference = fabs((double)got[i] - (double)want[i]);
        if (!(difference <= *worst))
            *worst = difference;
    }
    return 0;
}

static int
compare(const struct golden_options *o, struct trip *t, FILE *file, const struct reference *ref)
{
    struct golden_waiting p = {isatty(2) == 1, 0, golden_rounds(ref->images), golden_seconds()};
    float *room = calloc(golden_round_size(ref->images, 0),
                         (GOLDEN_INPUT_SIZE + 2 * GOLDEN_OUTPUT_SIZE) * sizeof *room);
    double worst = 0;
    int failed = room ? 0 : golden_fail("selftest", "out of memory");

    for (; p.round < p.rounds && !failed; p.round++)
        failed = compare_round(o, t, file, ref, &p, room, &worst);
    free(room);
    if (!failed && !(worst <= ref->tolerance))
        failed = golden_fail("selftest", "answers differ by %g, more than the %g allowed", worst,
                          ref->tolerance);
    if (!failed)
        printf("golden: selftest: %u images, largest difference %.3g (allowed %.3g)\n", ref->images,
               worst, ref->tolerance);
    return failed;
}

int
golden_command_selftest(const struct golden_options *o)
{
    struct reference ref;
    struct trip t;
    FILE *file = fopen(o->selftest, "rb");
    if (!file)
        return golden_fail(o->selftest, "%s", strerror(errno));
    int failed = 0;
    if (fread(&ref, 1, sizeof ref, file) != sizeof ref || memcmp(ref.magic, "OLAT", 4) != 0 ||
        ref.version != 1 || ref.input_size != GOLDEN_INPUT_SIZE || ref.output_size !=
            GOLDEN_OUTPUT_SIZE)
        failed = golden_fail(o->selftest, "not the self-test of this network");
    else if (ref.images == 0)
        failed = golden_fail(o->selftest, "no images in it: nothing would be tested");
    if (!failed) {
        failed = trip_open(o, &t);
        if (!failed &&
            memcmp(ref.model, ola_params_literal(golden_server_params(t.server))->model, 32) != 0)
            failed = golden_fail_status(o->selftest, OLA_ERR_MODEL);
        failed = failed || compare(o, &t, file, &ref);
        trip_close(&t);
    }
    fclose(file);
    return failed;
}
