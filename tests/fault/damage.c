/* damage.c - files that can't be written, and files that are short, flipped or lengthened: an error
 * each time, outputs as before, nothing left behind. */
#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 104u /* of the container */
#define HASH 32u

/* One kind of file: read from bytes into a fresh object that is freed again. */
typedef ola_status (*reader)(struct world *w, const void *data, size_t size);

static ola_status
read_params(struct world *w, const void *data, size_t size)
{
    ola_params *p = w->p;
    ola_status s = ola_params_parse(data, size, &p);
    cr_assert((s == OLA_OK) == (p != NULL));
    ola_params_free(p);
    return s;
}

static ola_status
read_keys(struct world *w, const void *data, size_t size)
{
    ola_keys *k = w->keys;
    ola_status s = ola_keys_parse(w->p, data, size, &k);
    cr_assert((s == OLA_OK) == (k != NULL));
    ola_keys_free(k);
    return s;
}

static ola_status
read_ct(struct world *w, const void *data, size_t size)
{
    const uint32_t level = ola_ct_level(w->b);
    const double scale = ola_ct_scale(w->b);
    ola_status s = ola_cts_parse(w->p, data, size, (ola_ct *[]){w->b}, 1);
    if (s != OLA_OK)
        cr_assert(ola_ct_level(w->b) == level && ola_ct_scale(w->b) == scale);
    return s;
}

static char scratch[512];

static ola_status
read_client(struct world *w, const void *data, size_t size)
{
    ola_client *c = w->client;
    file_write(scratch, data, size);
    ola_status s = ola_client_load(w->p, scratch, &c);
    cr_assert((s == OLA_OK) == (c != NULL));
    ola_client_free(c);
    return s;
}

static ola_status
read_weights(struct world *w, const void *data, size_t size)
{
    ola_weights *weights;
    const struct ola_map_desc desc = {.level = 2, .in_scale = 0x1p30, .out_scale = 0x1p30};
    const void *section;
    size_t length;
    file_write(scratch, data, size);
    ola_status s = ola_weights_open(scratch, ola_params_literal(w->p)->model, &weights);
    cr_assert((s == OLA_OK) == (weights != NULL));
    ola_map *m;
    if (s == OLA_OK)
        s = ola_weights_find(weights, "map:m", &section, &length);
    if (s == OLA_OK) {
        s = ola_map_new(w->p, &desc, section, length, &m);
        ola_map_free(m);
    }
    ola_weights_close(weights);
    return s;
}

/* Every length shorter, one longer, and every `stride`-th bit flipped. */
static void
damage(struct world *w, const struct bytes *good, reader read, size_t stride, const char *what)
{
    cr_assert_eq(read(w, good->data, good->size), OLA_OK, "%s", what);
    for (size_t n = 0; n < good->size; n += n < 4096 ? 1 : 61)
        cr_assert_neq(read(w, good->data, n), OLA_OK, "%s cut to %zu of %zu bytes", what, n,
                      good->size);
    struct bytes bad = {0};
    bytes_add(&bad, good->data, good->size);
    bytes_add(&bad, "", 1);
    cr_expect_neq(read(w, bad.data, bad.size), OLA_OK, "%s and one byte more", what);
    bad.size--;
    for (size_t bit = 0; bit < 8 * good->size; bit += bit < 8 * 4096 ? 1 : stride) {
        bad.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(read(w, bad.data, bad.size), OLA_OK, "%s with bit %zu flipped", what, bit);
        bad.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert_eq(read(w, bad.data, bad.size), OLA_OK, "%s, whole again", what);
    bytes_free(&bad);
}

/* Shortened so that head and hash are right for what is left: only the payload is short. */
static void
starve(struct world *w, const struct bytes *good, reader read, const char *what)
{
    const size_t payload = good->size - HEAD - HASH;
    uint8_t *bad = malloc(good->size);
    cr_assert_not_null(bad);
    for (size_t n = 0; n < payload; n += n < 1024 ? 1 : 61) {
        const uint64_t left = n;
        memcpy(bad, good->data, HEAD + n);
        memcpy(bad + 16, &left, sizeof left);
        crypto_generichash(bad + HEAD + n, HASH, bad, HEAD + n, NULL, 0);
        cr_assert_eq(read(w, bad, HEAD + n + HASH), OLA_ERR_FORMAT,
                     "%s with %zu of %zu bytes of payload", what, n, payload);
    }
    free(bad);
}

static void
start(struct world *w, char *folder, size_t size, const char *what)
{
    memory_watch();
    file_folder(folder, size, what);
    snprintf(scratch, sizeof scratch, "%s/scratch", folder);
    world_make(w);
    cr_assert_eq(ola_ct_copy(w->b, w->a), OLA_OK);
}

static void
finish(struct world *w, const char *folder)
{
    world_free(w);
    cr_expect_eq(memory_blocks(), 0, "leaks");
    unlink(scratch);
    file_remove_folder(folder);
}

Test(damage, parameters)
{
    struct world w;
    char folder[256];
    start(&w, folder, sizeof folder, "parameters");
    cr_assert_eq(ola_params_save(w.p, scratch), OLA_OK);
    struct bytes b = file_read(scratch);
    damage(&w, &b, read_params, 1, "parameters");
    starve(&w, &b, read_params, "parameters");
    bytes_free(&b);
    finish(&w, folder);
}

Test(damage, keys)
{
    struct world w;
    char folder[256];
    start(&w, folder, sizeof folder, "keys");
    const uint32_t step[1] = {1}, level[1] = {0};
    const struct ola_key_plan plan = {
        .relin_level = 0, .n_rotations = 1, .step = step, .level = level};
    ola_keys *k;
    cr_assert_eq(ola_client_keys(w.client, &plan, &k), OLA_OK);
    cr_assert_eq(ola_keys_save(k, scratch), OLA_OK);
    ola_keys_free(k);
    struct bytes b = file_read(scratch);
    damage(&w, &b, read_keys, 101, "keys");
    starve(&w, &b, read_keys, "keys");
    bytes_free(&b);
    finish(&w, folder);
}

Test(damage, ciphertexts)
{
    struct world w;
    char folder[256];
    start(&w, folder, sizeof folder, "ciphertexts");
    const double x = 0.5;
    cr_assert_eq(ola_encrypt(w.client, w.a, &x, 1, 0, 0x1p30), OLA_OK);
    cr_assert_eq(ola_cts_save(w.p, (const ola_ct *[]){w.a}, 1, scratch), OLA_OK);
    struct bytes b = file_read(scratch);
    damage(&w, &b, read_ct, 101, "a ciphertext");
    starve(&w, &b, read_ct, "a ciphertext");
    bytes_free(&b);
    finish(&w, folder);
}

Test(damage, client)
{
    struct world w;
    struct stat st;
    char folder[256];
    start(&w, folder, sizeof folder, "client");
    cr_assert_eq(ola_client_save(w.client, scratch), OLA_OK);
    cr_assert_eq(stat(scratch, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600, "the secret is its owner's");
    struct bytes b = file_read(scratch);
    damage(&w, &b, read_client, 1, "a client");
    starve(&w, &b, read_client, "a client");
    bytes_free(&b);
    finish(&w, folder);
}

Test(damage, weights)
{
    struct world w;
    char folder[256];
    start(&w, folder, sizeof folder, "weights");
    struct bytes b = world_weights();
    damage(&w, &b, read_weights, 1, "weights");
    b.data[24] ^= 1; /* the model */
    cr_expect_eq(read_weights(&w, b.data, b.size), OLA_ERR_MODEL);
    b.data[24] ^= 1;
    b.data[4] ^= 1;
    cr_expect_eq(read_weights(&w, b.data, b.size), OLA_ERR_VERSION);
    bytes_free(&b);
    finish(&w, folder);
}

/* Every saver to `path` gives OLA_ERR_IO with this errno. */
static void
savers_fail(struct world *w, const char *path, int error)
{
    static const char *const name[4] = {"params", "keys", "client", "cts"};
    ola_status status[4];
    int code[4];
    status[0] = ola_params_save(w->p, path);
    code[0] = errno;
    status[1] = ola_keys_save(w->keys, path);
    code[1] = errno;
    status[2] = ola_client_save(w->client, path);
    code[2] = errno;
    status[3] = ola_cts_save(w->p, (const ola_ct *[]){w->a}, 1, path);
    code[3] = errno;
    for (int k = 0; k < 4; k++) {
        cr_expect_eq(status[k], OLA_ERR_IO, "%s to %s: %s", name[k], path,
                     ola_status_text(status[k]));
        cr_expect_eq(code[k], error, "%s to %s: %s", name[k], path, strerror(code[k]));
    }
}

Test(damage, writers_that_can_not)
{
    struct world w;
    char folder[256], path[600];
    start(&w, folder, sizeof folder, "writers");
    struct stat st;
    if (stat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode)) /* never make a file of that name */
        savers_fail(&w, "/dev/full", ENOSPC);
    else
        cr_log_warn("/dev/full is no device here: not tested");
    snprintf(path, sizeof path, "%s/no/such", folder);
    savers_fail(&w, path, ENOENT);
    savers_fail(&w, folder, EISDIR);
    file_write(scratch, "old", 3);
    snprintf(path, sizeof path, "%s/below", scratch);
    savers_fail(&w, path, ENOTDIR);
    /* A file may grow to 100 bytes: everything fails on the way, and what was there stays. */
    const struct rlimit limit = {100, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    savers_fail(&w, scratch, EFBIG);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    struct bytes b = file_read(scratch);
    cr_expect(b.size == 3 && memcmp(b.data, "old", 3) == 0);
    bytes_free(&b);
    finish(&w, folder);
}

Test(damage, readers_that_can_not)
{
    struct world w;
    char folder[256];
    start(&w, folder, sizeof folder, "readers");
    ola_params *p;
    ola_keys *k;
    ola_client *c;
    ola_weights *weights;
    const char *const path[4] = {"/no/such/file", folder, "/dev/zero", scratch};
    cr_assert_eq(mkfifo(scratch, 0600), 0); /* nobody writes: must not hang */
    for (int n = 0; n < 4; n++) {
        cr_expect_eq(ola_params_load(path[n], &p), OLA_ERR_IO, "%s", path[n]);
        cr_expect_eq(ola_keys_load(w.p, path[n], &k), OLA_ERR_IO, "%s", path[n]);
        cr_expect_eq(ola_client_load(w.p, path[n], &c), OLA_ERR_IO, "%s", path[n]);
        cr_expect_eq(ola_cts_load(w.p, path[n], (ola_ct *[]){w.b}, 1), OLA_ERR_IO, "%s", path[n]);
        cr_expect_eq(ola_weights_open(path[n], ola_params_literal(w.p)->model, &weights),
                     OLA_ERR_IO, "%s", path[n]);
    }
    finish(&w, folder);
}
