/* test_files.c - the container and the payloads of keys and ciphertexts: sizes, every refusal by
 * its name, equal bytes. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include "plan/literal.h"
#include "support.h"

#define HEAD sizeof(struct ola_file_head)

static const uint8_t some_id[OLA_KEY_ID] = {1, 2, 3};

struct world {
    ola_params *p;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_ct *a, *b;
    char path[300];
};

static void
world_make(struct world *w)
{
    const struct ola_literal l = toy_literal();
    const uint32_t step[3] = {1, 5, 511}, level[3] = {5, 2, 0};
    const struct ola_key_plan plan = {
        .relin_level = 3, .n_rotations = 3, .step = step, .level = level};
    const double x[4] = {0.5, -0.25, 0.75, 1.0};
    cr_assert_eq(ola_params_new(&l, &w->p), OLA_OK);
    cr_assert_eq(ola_client_new(w->p, &w->client), OLA_OK);
    cr_assert_eq(ola_client_keys(w->client, &plan, &w->keys), OLA_OK);
    cr_assert_eq(ola_server_new(w->p, w->keys, &w->server), OLA_OK);
    cr_assert_eq(ola_ct_new(w->p, &w->a), OLA_OK);
    cr_assert_eq(ola_ct_new(w->p, &w->b), OLA_OK);
    cr_assert_eq(ola_encrypt(w->client, w->a, x, 4, 5, 0x1p40), OLA_OK);
    cr_assert_eq(ola_encrypt(w->client, w->b, x, 1, 0, 0x1p40), OLA_OK);
    snprintf(w->path, sizeof w->path, "%s/files-%ld", OLAC_BINARY_DIR, (long)getpid());
}

static void
world_free(struct world *w)
{
    unlink(w->path);
    ola_ct_free(w->a);
    ola_ct_free(w->b);
    ola_server_free(w->server);
    ola_keys_free(w->keys);
    ola_client_free(w->client);
    ola_params_free(w->p);
}

static struct bytes
slurp(const char *path)
{
    struct bytes b = {0};
    uint8_t part[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f);
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        bytes_add(&b, part, n);
    fclose(f);
    return b;
}

static struct bytes
ct_file(const struct world *w, const ola_ct *ct)
{
    void *data;
    size_t size;
    struct bytes b = {0};
    cr_assert_eq(ola_cts_bytes(w->p, (const ola_ct *[]){ct}, 1, &data, &size), OLA_OK);
    bytes_add(&b, data, size);
    ola_bytes_free(data, size);
    return b;
}

static struct bytes
keys_file(const struct world *w)
{
    cr_assert_eq(ola_keys_save(w->keys, w->path), OLA_OK);
    return slurp(w->path);
}

static void
sign(struct bytes *b)
{
    crypto_generichash(b->data + b->size - 32, 32, b->data, b->size - 32, NULL, 0);
}

/* b with `size` bytes at `at` replaced, signed again, must give this status; b is whole again
 * after. */
static void
expect_ct(struct world *w, struct bytes *b, size_t at, const void *data, size_t size,
          ola_status want, const char *what)
{
    uint8_t before[16];
    memcpy(before, b->data + at, size);
    memcpy(b->data + at, data, size);
    sign(b);
    ola_status s = ola_cts_parse(w->p, b->data, b->size, (ola_ct *[]){w->b}, 1);
    cr_expect_eq(s, want, "%s: %s", what, ola_status_text(s));
    memcpy(b->data + at, before, size);
    sign(b);
}

static void
expect_keys(struct world *w, struct bytes *b, size_t at, uint32_t value, ola_status want,
            const char *what)
{
    uint32_t before;
    ola_keys *k = w->keys;
    memcpy(&before, b->data + at, 4);
    memcpy(b->data + at, &value, 4);
    sign(b);
    ola_status s = ola_keys_parse(w->p, b->data, b->size, &k);
    cr_expect_eq(s, want, "%s: %s", what, ola_status_text(s));
    cr_expect((s == OLA_OK) == (k != NULL));
    ola_keys_free(k);
    memcpy(b->data + at, &before, 4);
    sign(b);
}

/* More than are packed at a time, and no multiple of that. */
#define RESIDUES (2 * OLA_FILE_RUN + 72)

/* Bit by bit. */
static void
expect_bits(const uint8_t *packed, const uint64_t *v, uint32_t bits)
{
    for (size_t at = 0; at < RESIDUES * (size_t)bits; at++)
        cr_assert_eq(packed[at / 8] >> at % 8 & 1, v[at / bits] >> at % bits & 1, "bit %zu of %u",
                     at, bits);
}

Test(files, residues_of_every_width)
{
    const struct ola_literal l = toy_literal();
    uint64_t v[RESIDUES], back[RESIDUES], state = 3;
    cr_assert_geq(sodium_init(), 0);
    for (uint32_t bits = 1; bits <= OLA_PRIME_BITS; bits++) {
        const uint64_t q = ((uint64_t)1 << bits) - (bits > 1);
        struct ola_writer *w;
        struct ola_reader *r;
        void *data;
        size_t size;
        for (size_t k = 0; k < RESIDUES; k++) {
            random_unit(&state);
            v[k] = k == 0 ? 0 : k == 1 ? q - 1 : state % q;
        }
        cr_assert_eq(ola_writer_open(NULL, 0, OLA_FILE_REAL, OLA_FILE_CTS, &l, some_id,
                                     RESIDUES / 8 * bits, &w),
                     OLA_OK);
        ola_writer_residues(w, v, RESIDUES, bits);
        cr_assert_eq(ola_writer_close(w, &data, &size), OLA_OK);
        cr_assert_eq(size, HEAD + RESIDUES / 8 * bits + 32);
        expect_bits((const uint8_t *)data + HEAD, v, bits);
        cr_assert_eq(ola_reader_open(NULL, data, size, OLA_FILE_REAL, OLA_FILE_CTS, &l, &r),
                     OLA_OK);
        ola_reader_residues(r, back, RESIDUES, bits, q);
        cr_assert_eq(ola_reader_close(r), OLA_OK);
        cr_assert_arr_eq(v, back, sizeof v);
        cr_assert_eq(ola_reader_open(NULL, data, size, OLA_FILE_REAL, OLA_FILE_CTS, &l, &r),
                     OLA_OK);
        ola_reader_residues(r, back, RESIDUES, bits, q - 1); /* the largest is too large now */
        cr_assert_eq(ola_reader_close(r), OLA_ERR_FORMAT);
        cr_assert_eq(back[0] | back[1] | back[RESIDUES - 1], 0);
        ola_bytes_free(data, size);
    }
}

Test(files, payloads_must_have_the_announced_size)
{
    const struct ola_literal l = toy_literal();
    struct ola_writer *w;
    void *data;
    size_t size;
    for (int put = 0; put <= 3; put++) {
        cr_assert_eq(ola_writer_open(NULL, 0, OLA_FILE_REAL, OLA_FILE_CTS, &l, some_id, 8, &w),
                     OLA_OK);
        for (int k = 0; k < put; k++)
            ola_writer_u32(w, 7);
        cr_expect_eq(ola_writer_close(w, &data, &size), put == 2 ? OLA_OK : OLA_ERR_PARAM);
        cr_expect((data != NULL) == (put == 2));
        ola_bytes_free(data, size);
    }
}

Test(files, sizes_are_the_planned_ones)
{
    struct world w;
    world_make(&w);
    const struct ola_literal *l = ola_params_literal(w.p);
    struct bytes keys = keys_file(&w), fresh = ct_file(&w, w.a), used, literal = {0};
    uint64_t want = 8 + 3 * 8 + 4 * 32 + ola_plan_key_wire_bytes(l, 3) +
                    ola_plan_key_wire_bytes(l, 5) + ola_plan_key_wire_bytes(l, 2) +
                    ola_plan_key_wire_bytes(l, 0);
    cr_expect_eq(keys.size, HEAD + want + 32);
    const uint64_t part =
        1024 * (49 + 5 * 40) / 8; /* one polynomial at the top level, give or take a bit a prime */
    cr_expect_geq(fresh.size, HEAD + 4 + 20 + 32 + part + 32);
    cr_expect_leq(fresh.size, HEAD + 4 + 20 + 32 + part + 5 * 128 + 32);
    cr_assert_eq(ola_rotate(w.server, w.a, w.a, 1), OLA_OK);
    used = ct_file(&w, w.a);
    cr_expect_eq(used.size - HEAD - 32 - 24, 2 * (fresh.size - HEAD - 32 - 24 - 32),
                 "both parts, no seed");
    bytes_free(&keys);
    bytes_free(&fresh);
    bytes_free(&used);
    bytes_free(&literal);
    world_free(&w);
}

/* What is read back is what was written, to the last bit, and computes the same. */
Test(files, equal_bytes)
{
    struct world w;
    ola_keys *keys;
    ola_server *server;
    world_make(&w);
    struct bytes file = keys_file(&w), again;
    cr_assert_eq(ola_keys_parse(w.p, file.data, file.size, &keys), OLA_OK);
    cr_assert_eq(ola_keys_save(keys, w.path), OLA_OK);
    again = slurp(w.path);
    cr_expect(file.size == again.size && memcmp(file.data, again.data, file.size) == 0);
    bytes_free(&file);
    bytes_free(&again);
    cr_assert_eq(ola_server_new(w.p, keys, &server), OLA_OK);
    cr_assert_eq(ola_rotate(w.server, w.b, w.a, 1), OLA_OK);
    file = ct_file(&w, w.b);
    cr_assert_eq(ola_cts_parse(w.p, file.data, file.size, (ola_ct *[]){w.b}, 1), OLA_OK);
    again = ct_file(&w, w.b);
    cr_expect(file.size == again.size && memcmp(file.data, again.data, file.size) == 0);
    bytes_free(&again);
    cr_assert_eq(ola_rotate(server, w.b, w.a, 1), OLA_OK);
    again = ct_file(&w, w.b);
    cr_expect(file.size == again.size && memcmp(file.data, again.data, file.size) == 0,
              "keys read back");
    bytes_free(&file);
    bytes_free(&again);
    file = ct_file(&w, w.a); /* fresh: expanded from its seed */
    cr_assert_eq(ola_cts_parse(w.p, file.data, file.size, (ola_ct *[]){w.a}, 1), OLA_OK);
    cr_assert_eq(ola_rotate(w.server, w.a, w.a, 1), OLA_OK);
    again = ct_file(&w, w.a);
    struct bytes want = ct_file(&w, w.b);
    cr_expect(want.size == again.size && memcmp(want.data, again.data, want.size) == 0,
              "a fresh one read back");
    bytes_free(&want);
    bytes_free(&again);
    bytes_free(&file);
    ola_server_free(server);
    ola_keys_free(keys);
    world_free(&w);
}

Test(files, heads)
{
    struct world w;
    world_make(&w);
    struct bytes b = ct_file(&w, w.b);
    const uint32_t version = 1, kind = OLA_FILE_KEYS, flags = 3, zero = 0, magic = OLA_FILE_SIM,
                   junk = 7;
    const uint64_t payload = b.size;
    const uint8_t changed = 0x55, no_id[OLA_KEY_ID] = {0};
    expect_ct(&w, &b, 0, &magic, 4, OLA_ERR_SIM, "magic of the simulator");
    expect_ct(&w, &b, 0, &junk, 4, OLA_ERR_FORMAT, "magic of nothing");
    expect_ct(&w, &b, 4, &version, 4, OLA_ERR_VERSION, "version");
    expect_ct(&w, &b, 8, &kind, 4, OLA_ERR_FORMAT, "kind");
    expect_ct(&w, &b, 12, &flags, 4, OLA_ERR_FORMAT, "a flag nobody knows");
    expect_ct(&w, &b, 12, &zero, 4, OLA_ERR_TOY, "not marked as a toy");
    expect_ct(&w, &b, 16, &payload, 8, OLA_ERR_FORMAT, "payload size");
    expect_ct(&w, &b, 24, &changed, 1, OLA_ERR_FINGERPRINT, "fingerprint");
    expect_ct(&w, &b, 56, &changed, 1, OLA_ERR_MODEL, "model");
    expect_ct(&w, &b, 88, no_id, sizeof no_id, OLA_ERR_FORMAT, "of no key");
    expect_ct(&w, &b, 88, some_id, sizeof some_id, OLA_OK, "of another key");
    expect_ct(&w, &b, HEAD, &(uint32_t){1}, 4, OLA_OK, "one ciphertext");
    expect_ct(&w, &b, HEAD, &(uint32_t){2}, 4, OLA_ERR_FORMAT, "two");
    expect_ct(&w, &b, HEAD, &(uint32_t){0}, 4, OLA_ERR_FORMAT, "none");
    bytes_free(&b);
    world_free(&w);
}

Test(files, ciphertexts)
{
    struct world w;
    world_make(&w);
    struct bytes b = ct_file(&w, w.b);
    const size_t at = HEAD + 4; /* parts, level, seeded, scale, seed, limbs */
    const uint64_t ones = UINT64_MAX;
    const double scales[6] = {0.0, -1.0, (double)INFINITY, (double)NAN, 0x1p49, 1e300};
    for (uint32_t parts = 0; parts <= 4; parts++)
        expect_ct(&w, &b, at, &parts, 4, parts == 2 ? OLA_OK : OLA_ERR_FORMAT, "parts");
    expect_ct(&w, &b, at + 4, &(uint32_t){1}, 4, OLA_ERR_FORMAT, "a level without its limbs");
    expect_ct(&w, &b, at + 4, &(uint32_t){6}, 4, OLA_ERR_FORMAT, "a level above all");
    expect_ct(&w, &b, at + 4, &(uint32_t){UINT32_MAX}, 4, OLA_ERR_FORMAT, "a level far above");
    expect_ct(&w, &b, at + 8, &(uint32_t){0}, 4, OLA_ERR_FORMAT, "not fresh, but no second part");
    expect_ct(&w, &b, at + 8, &(uint32_t){2}, 4, OLA_ERR_FORMAT, "neither fresh nor not");
    for (int k = 0; k < 6; k++)
        expect_ct(&w, &b, at + 12, &scales[k], 8, OLA_ERR_FORMAT, "scale");
    expect_ct(&w, &b, at + 52, &ones, 8, OLA_ERR_FORMAT, "a residue above its prime");
    ola_status s = ola_cts_parse(w.p, b.data, b.size, (ola_ct *[]){w.b}, 1);
    cr_expect_eq(s, OLA_OK, "whole again: %s", ola_status_text(s));
    bytes_free(&b);
    world_free(&w);
}

/* Several in one file; none of the handles changes when the last is bad. */
Test(files, all_or_nothing)
{
    struct world w;
    world_make(&w);
    void *data;
    size_t size;
    cr_assert_eq(ola_cts_bytes(w.p, (const ola_ct *[]){w.b, w.a}, 2, &data, &size), OLA_OK);
    struct bytes b = {0};
    bytes_add(&b, data, size);
    ola_bytes_free(data, size);
    memset(b.data + b.size - 40, 0xff, 8); /* the last residue */
    sign(&b);
    cr_expect_eq(ola_cts_parse(w.p, b.data, b.size, (ola_ct *[]){w.a, w.b}, 2), OLA_ERR_FORMAT);
    cr_expect_eq(ola_ct_level(w.a), 5);
    cr_expect_eq(ola_ct_level(w.b), 0);
    double v = 0.0;
    cr_expect_eq(ola_decrypt(w.client, w.a, &v, 1), OLA_OK);
    cr_expect_float_eq(v, 0.5, 1e-6);
    bytes_free(&b);
    world_free(&w);
}

Test(files, keys)
{
    struct world w;
    world_make(&w);
    struct bytes b = keys_file(&w);
    const size_t at = HEAD; /* relin_level, n, (step, level) ... */
    uint64_t before, after, peak;
    expect_keys(&w, &b, at, 3, OLA_OK, "as it was");
    ola_memory(&before, &peak);
    expect_keys(&w, &b, at, 6, OLA_ERR_FORMAT, "relinearisation above all levels");
    expect_keys(&w, &b, at, UINT32_MAX, OLA_ERR_FORMAT, "no relinearisation, but its bytes");
    expect_keys(&w, &b, at + 4, 2, OLA_ERR_FORMAT, "one rotation less");
    expect_keys(&w, &b, at + 4, 511, OLA_ERR_FORMAT, "as many as there are");
    expect_keys(&w, &b, at + 4, UINT32_MAX, OLA_ERR_FORMAT, "more than there are");
    expect_keys(&w, &b, at + 8, 0, OLA_ERR_FORMAT, "step 0");
    expect_keys(&w, &b, at + 8, 5, OLA_ERR_FORMAT, "a step twice");
    expect_keys(&w, &b, at + 8, 6, OLA_ERR_FORMAT, "steps out of order");
    expect_keys(&w, &b, at + 24, 512, OLA_ERR_FORMAT, "a step of all slots");
    expect_keys(&w, &b, at + 12, 6, OLA_ERR_FORMAT, "a level above all");
    expect_keys(&w, &b, at + 12, 4, OLA_ERR_FORMAT, "a level with fewer limbs");
    ola_memory(&after, &peak);
    cr_expect_leq(after, before + (1u << 20), "refusals keep memory");
    /* A residue above its prime: the first of the relinearisation key, behind table and seed. */
    memset(b.data + at + 8 + 24 + 32, 0xff, 8);
    sign(&b);
    ola_keys *k;
    cr_expect_eq(ola_keys_parse(w.p, b.data, b.size, &k), OLA_ERR_FORMAT);
    bytes_free(&b);
    world_free(&w);
}

/* The head's fingerprint and model must be those of the literal behind it. */
Test(files, parameters)
{
    struct world w;
    ola_params *p;
    world_make(&w);
    cr_assert_eq(ola_params_save(w.p, w.path), OLA_OK);
    struct bytes b = slurp(w.path);
    cr_assert_eq(ola_params_parse(b.data, b.size, &p), OLA_OK);
    ola_params_free(p);
    b.data[88] = 1; /* parameters are of no key */
    sign(&b);
    cr_expect_eq(ola_params_parse(b.data, b.size, &p), OLA_ERR_FORMAT);
    b.data[88] = 0;
    b.data[HEAD + 20] ^= 1; /* the literal's model */
    sign(&b);
    cr_expect_eq(ola_params_parse(b.data, b.size, &p), OLA_ERR_MODEL);
    b.data[56] ^= 1;
    sign(&b);
    cr_expect_eq(ola_params_parse(b.data, b.size, &p), OLA_ERR_FINGERPRINT);
    b.data[56] ^= 1;
    b.data[HEAD + 20] ^= 1;
    b.data[HEAD + 16] = 0; /* the toy says that it is none */
    sign(&b);
    cr_expect_eq(ola_params_parse(b.data, b.size, &p), OLA_ERR_TOY);
    struct ola_literal l = toy_literal();
    l.insecure_toy = false;
    const uint32_t none = 0;
    memcpy(b.data + 12, &none, 4);
    ola_file_fingerprint(&l, b.data + 24);
    sign(&b);
    cr_expect_eq(ola_params_parse(b.data, b.size, &p), OLA_ERR_INSECURE, "all of it says so");
    cr_expect_null(p);
    bytes_free(&b);
    world_free(&w);
}

Test(files, permissions_and_replacement)
{
    struct world w;
    struct stat st;
    world_make(&w);
    umask(022);
    cr_assert_eq(ola_params_save(w.p, w.path), OLA_OK);
    cr_assert_eq(stat(w.path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0644);
    cr_assert_eq(ola_client_save(w.client, w.path), OLA_OK); /* over the public file */
    cr_assert_eq(stat(w.path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    world_free(&w);
}
