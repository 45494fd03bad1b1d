//%% The whole trip in one process, and the self-test. Mark: provenance; condition batch.
/* net_trip.c - the whole trip of net in one process, and the self-test. Generated; do not edit.
 *
//% provenance
 *
 * net_selftest.bin, little endian: "OLAT", u32 1, u8 model[32], u32 images, u32 input size,
 * u32 output size, u32 0, f64 tolerance, then the images and then the answers as f32. */
#define _POSIX_C_SOURCE 200809L
#include "net_program.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct trip {
    struct net_client *client;
    struct net_server *server;
    struct net_session *session;
    ola_keys *keys;
    ola_ct *in[NET_INPUT_CTS], *out[NET_OUTPUT_CTS];
    double keygen, load, encrypt, evaluate, decrypt; /* seconds */
    struct net_waiting *waiting;
    double since, kinds[OLA_KINDS]; /* when the layer under way began, what was spent by then */
    const char *names[NET_LAYERS + 1];
    double shares[NET_LAYERS + 1];            /* predicted, of what comes before the layer */
    double layers[NET_LAYERS][OLA_KINDS + 1]; /* by kind, and all together */
};

static void
trip_close(struct trip *t)
{
    net_cts_free(t->in, NET_INPUT_CTS);
    net_cts_free(t->out, NET_OUTPUT_CTS);
    net_session_free(t->session);
    net_server_free(t->server);
    ola_keys_free(t->keys);
    net_client_free(t->client);
}

/* Fills *t; trip_close also after a failure. */
static int
trip_open(const struct net_options *o, struct trip *t)
{
    *t = (struct trip){.client = NULL};
    double start = net_seconds();
    ola_status status = net_client_new(&t->client);
    if (status == OLA_OK)
        status = net_client_keys(t->client, &t->keys);
    if (status != OLA_OK)
        return net_fail_status("keygen", status);
    t->keygen = net_seconds() - start;
    start = net_seconds();
    status = net_server_beside(net_client_params(t->client), o->weights,
                               o->stream ? NET_STREAMED : NET_RESIDENT, &t->server);
    if (status != OLA_OK)
        return net_fail_status(o->weights, status);
    status = net_session_new(t->server, t->keys, &t->session);
    if (status == OLA_OK)
        status = net_cts_new(net_client_params(t->client), t->in, NET_INPUT_CTS);
    if (status == OLA_OK &&
        (status = net_cts_new(net_client_params(t->client), t->out, NET_OUTPUT_CTS)) != OLA_OK)
        memset(t->out, 0, sizeof t->out);
    else if (status != OLA_OK)
        memset(t->in, 0, sizeof t->in);
    t->load = net_seconds() - start;
    return status == OLA_OK ? 0 : net_fail_status(o->command, status);
}

/* Between two layers: what the one before took. */
static void
count_layer(void *user, uint32_t layer, uint32_t n_layers, double done, const char *name)
{
    struct trip *t = user;
    double now = net_seconds(), kinds[OLA_KINDS];
    net_session_seconds(t->session, kinds);
    for (int k = 0; layer > 0 && k < OLA_KINDS; k++)
        t->layers[layer - 1][k] += kinds[k] - t->kinds[k];
    if (layer > 0)
        t->layers[layer - 1][OLA_KINDS] += now - t->since;
    t->names[layer] = name;
    t->shares[layer] = done;
    memcpy(t->kinds, kinds, sizeof kinds);
    t->since = now;
    net_show_progress(t->waiting, layer, n_layers, done, name);
}

/* From the ciphertexts in t->in, of n images, to the answers. */
static int
trip_answer(struct trip *t, struct net_waiting *p, uint32_t n, float *answers)
{
    double start = net_seconds();
    t->waiting = p;
    ola_status status =
        net_evaluate(t->session, (const ola_ct *const *)t->in, t->out, count_layer, t);
    if (status != OLA_OK)
        return net_fail_status("evaluate", status);
    t->evaluate += net_seconds() - start;
    start = net_seconds();
//% if batch
    status = net_decrypt(t->client, (const ola_ct *const *)t->out, n, answers);
//% else
    (void)n;
    status = net_decrypt(t->client, (const ola_ct *const *)t->out, answers);
//% end
    t->decrypt += net_seconds() - start;
    return status == OLA_OK ? 0 : net_fail_status("decrypt", status);
}

/* Layer by layer: the share of the whole that was predicted for it, the seconds that it took in all
 * evaluations, and of these the seconds of each kind of operation. */
static void
write_layers(FILE *file, const struct trip *t)
{
    fprintf(file, " \"layers\": [");
    for (uint32_t i = 0; i < NET_LAYERS; i++) {
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
    FILE *file = net_create(path, &temporary);

    net_session_counts(t->session, &n);
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
    return net_commit(file, path, temporary);
}

static int
run_images(const struct net_options *o, struct trip *t, struct net_images *in, float *answers)
{
    struct net_waiting p = {isatty(2) == 1, 0, net_rounds(in->rows), net_seconds()};
    int failed = 0;
    for (; p.round < p.rounds && !failed; p.round++) {
        const uint32_t n = net_round_size(in->rows, p.round);
        double start = net_seconds();
        failed = net_images_encrypt(in, t->client, n, t->in);
        t->encrypt += net_seconds() - start;
        if (!failed)
            failed =
                trip_answer(t, &p, n, answers + (size_t)p.round * NET_BATCH * NET_OUTPUT_SIZE);
    }
    if (!failed && o->output)
        failed = net_write_answers(o->output, answers, in->rows);
    if (!failed && o->json)
        failed = write_json(o->json, t, in->rows);
    return failed;
}

/* One line an image: the number of the largest output, and the outputs when there are few. */
static void
print_answers(const float *answers, uint32_t rows)
{
    for (uint32_t k = 0; k < rows; k++) {
        const float *a = answers + (size_t)k * NET_OUTPUT_SIZE;
        uint32_t best = 0;
        for (uint32_t i = 1; i < NET_OUTPUT_SIZE; i++)
            if (a[i] > a[best])
                best = i;
        printf("%u: %u", k, best);
        for (uint32_t i = 0; i < NET_OUTPUT_SIZE && i < 10; i++)
            printf(" %.5g", (double)a[i]);
        printf("%s\n", NET_OUTPUT_SIZE > 10 ? " ..." : "");
    }
}

int
net_command_run(const struct net_options *o)
{
    struct net_images in;
    struct trip t;
    if (net_check_memory(o) || net_images_open(o, &in))
        return 1;
    float *answers = calloc(in.rows, NET_OUTPUT_SIZE * sizeof *answers);
    int failed = answers ? trip_open(o, &t) : net_fail("run", "out of memory");
    if (answers) {
        failed = failed || run_images(o, &t, &in, answers);
        trip_close(&t);
    }
    if (!failed && !o->output)
        print_answers(answers, in.rows);
    free(answers);
    net_images_close(&in);
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
read_floats(const struct net_options *o, FILE *file, off_t at, float *out, size_t count)
{
    if (fseeko(file, at, SEEK_SET) == 0 && fread(out, sizeof *out, count, file) == count)
        return 0;
    return net_fail(o->selftest, "the file is cut off");
}

/* Round p->round of the reference images; room: for the images, answers wanted and got. */
static int
compare_round(const struct net_options *o, struct trip *t, FILE *file, const struct reference *ref,
              struct net_waiting *p, float *room, double *worst)
{
    const uint32_t n = net_round_size(ref->images, p->round), first = p->round * NET_BATCH;
    const off_t images = (off_t)sizeof *ref,
                answers = images + (off_t)ref->images * NET_INPUT_SIZE * (off_t)sizeof *room;
    float *want = room + (size_t)n * NET_INPUT_SIZE, *got = want + (size_t)n * NET_OUTPUT_SIZE;
    if (read_floats(o, file, images + (off_t)first * NET_INPUT_SIZE * (off_t)sizeof *room, room,
                    (size_t)n * NET_INPUT_SIZE) ||
        read_floats(o, file, answers + (off_t)first * NET_OUTPUT_SIZE * (off_t)sizeof *room, want,
                    (size_t)n * NET_OUTPUT_SIZE))
        return 1;
//% if batch
    ola_status status = net_encrypt(t->client, room, n, t->in);
//% else
    ola_status status = net_encrypt(t->client, room, t->in);
//% end
    if (status != OLA_OK)
        return net_fail_status("encrypt", status);
    if (trip_answer(t, p, n, got))
        return 1;
    for (size_t i = 0; i < (size_t)n * NET_OUTPUT_SIZE; i++) {
        double difference = fabs((double)got[i] - (double)want[i]);
        if (!(difference <= *worst))
            *worst = difference;
    }
    return 0;
}

static int
compare(const struct net_options *o, struct trip *t, FILE *file, const struct reference *ref)
{
    struct net_waiting p = {isatty(2) == 1, 0, net_rounds(ref->images), net_seconds()};
    float *room = calloc(net_round_size(ref->images, 0),
                         (NET_INPUT_SIZE + 2 * NET_OUTPUT_SIZE) * sizeof *room);
    double worst = 0;
    int failed = room ? 0 : net_fail("selftest", "out of memory");

    for (; p.round < p.rounds && !failed; p.round++)
        failed = compare_round(o, t, file, ref, &p, room, &worst);
    free(room);
    if (!failed && !(worst <= ref->tolerance))
        failed = net_fail("selftest", "answers differ by %g, more than the %g allowed", worst,
                          ref->tolerance);
    if (!failed)
        printf("net: selftest: %u images, largest difference %.3g (allowed %.3g)\n", ref->images,
               worst, ref->tolerance);
    return failed;
}

int
net_command_selftest(const struct net_options *o)
{
    struct reference ref;
    struct trip t;
    FILE *file = fopen(o->selftest, "rb");
    if (!file)
        return net_fail(o->selftest, "%s", strerror(errno));
    int failed = 0;
    if (fread(&ref, 1, sizeof ref, file) != sizeof ref || memcmp(ref.magic, "OLAT", 4) != 0 ||
        ref.version != 1 || ref.input_size != NET_INPUT_SIZE || ref.output_size != NET_OUTPUT_SIZE)
        failed = net_fail(o->selftest, "not the self-test of this network");
    else if (ref.images == 0)
        failed = net_fail(o->selftest, "no images in it: nothing would be tested");
    if (!failed) {
        failed = trip_open(o, &t);
        if (!failed &&
            memcmp(ref.model, ola_params_literal(net_server_params(t.server))->model, 32) != 0)
            failed = net_fail_status(o->selftest, OLA_ERR_MODEL);
        failed = failed || compare(o, &t, file, &ref);
        trip_close(&t);
    }
    fclose(file);
    return failed;
}
