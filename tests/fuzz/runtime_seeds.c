/* runtime_seeds.c - writes the seed corpora of the runtime's fuzz targets: runtime_seeds FOLDER,
 * with FOLDER/<target> already there. */
#include "fuzz.h"

#include <stdio.h>

struct maker {
    const char *folder;
    ola_params *p;
    ola_client *client;
};

static void
check(ola_status s, const char *what)
{
    if (s != OLA_OK) {
        fprintf(stderr, "runtime_seeds: %s: %s\n", what, ola_status_text(s));
        exit(1);
    }
}

static const char *
path_of(const struct maker *m, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", m->folder, name);
    return path;
}

static void
make_keys(const struct maker *m, const char *name, uint32_t relin_level, uint32_t n, uint32_t level)
{
    const uint32_t step[2] = {1, 3}, levels[2] = {level, 0};
    const struct ola_key_plan plan = {
        .relin_level = relin_level, .n_rotations = n, .step = step, .level = levels};
    ola_keys *keys;
    check(ola_client_keys(m->client, &plan, &keys), name);
    check(ola_keys_save(keys, path_of(m, name)), name);
    ola_keys_free(keys);
}

/* Keys that have those of a bootstrapping. */
static void
make_boot_keys(const char *folder)
{
    struct maker m = {.folder = folder, .p = fuzz_params_new(fuzz_boot_literal())};
    check(ola_client_new(m.p, &m.client), "client");
    make_keys(&m, "fuzz_keys/boot", UINT32_MAX, 0, 0);
    make_keys(&m, "fuzz_keys/boot_rotation", UINT32_MAX, 1, 0);
    check(ola_params_save(m.p, path_of(&m, "fuzz_params/boot")), "params");
    ola_client_free(m.client);
    ola_params_free(m.p);
}

static void
make_cts(const struct maker *m)
{
    const double v[4] = {0.5, -0.25, 0.125, 1.0};
    ola_ct *a, *b;
    ola_server *s;
    check(ola_ct_new(m->p, &a), "ct");
    check(ola_ct_new(m->p, &b), "ct");
    check(ola_server_new(m->p, NULL, &s), "server");
    check(ola_encrypt(m->client, a, v, 4, 0, 0x1p30), "encrypt");
    check(ola_cts_save(m->p, (const ola_ct *[]){a}, 1, path_of(m, "fuzz_ciphertext/fresh")),
          "fresh");
    check(ola_add(s, b, a, a), "add");
    check(ola_cts_save(m->p, (const ola_ct *[]){b}, 1, path_of(m, "fuzz_ciphertext/sum")), "sum");
    check(ola_encrypt(m->client, a, v, 4, 1, 0x1p30), "encrypt");
    check(ola_mul(s, b, a, a), "mul");
    check(ola_cts_save(m->p, (const ola_ct *[]){a, b}, 2, path_of(m, "fuzz_ciphertext/two")),
          "two");
    ola_server_free(s);
    ola_ct_free(a);
    ola_ct_free(b);
}

static void
write_file(const char *path, const struct bytes *b)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(b->data, 1, b->size, f) != b->size || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static struct bytes
make_map(uint32_t encoding, uint32_t free_of_level)
{
    float value[2][16];
    float *values[2] = {value[0], value[1]};
    uint32_t fold[1] = {8};
    double bias[4] = {0.5, 0.25, 0.0, -1.0};
    struct ola_weights_diagonal d[2] = {{.period = 16, .encoding = encoding},
                                        {.giant = 4, .baby = 1, .period = 8, .encoding = encoding}};
    for (int t = 0; t < 16; t++) {
        value[0][t] = (float)(t / 4) / 8.0f;
        value[1][t] = -0.5f;
    }
    const struct plain_map m = {.head = {.args = 1,
                                         .in_cts = 1,
                                         .out_cts = 1,
                                         .n_diagonals = 2,
                                         .n_folds = 1,
                                         .bias_period = 4,
                                         .free_of_level = free_of_level},
                                .diagonal = d,
                                .value = values,
                                .fold = fold,
                                .bias = bias};
    return map_section(&m);
}

/* The file of these sections. */
static struct bytes
make_weights(const char *const *name, const struct bytes *section, uint32_t n)
{
    struct ola_weights_header h = {
        .magic = OLA_WEIGHTS_MAGIC, .version = OLA_WEIGHTS_VERSION, .sections = n};
    struct bytes out = {0};
    const uint64_t zero = 0;
    uint64_t at = sizeof h + n * sizeof(struct ola_weights_section);
    bytes_add(&out, &h, sizeof h);
    for (uint32_t k = 0; k < n; k++) {
        struct ola_weights_section s = {.offset = at, .size = section[k].size};
        snprintf(s.name, sizeof s.name, "%s", name[k]);
        bytes_add(&out, &s, sizeof s);
        at += (section[k].size + 7) / 8 * 8;
    }
    for (uint32_t k = 0; k < n; k++) {
        bytes_add(&out, section[k].data, section[k].size);
        bytes_add(&out, &zero, (8 - section[k].size % 8) % 8);
    }
    h.size = out.size;
    crypto_generichash(h.hash, sizeof h.hash, out.data + sizeof h, out.size - sizeof h, NULL, 0);
    memcpy(out.data, &h, sizeof h);
    return out;
}

static void
make_weight_files(const struct maker *m)
{
    static const char *const name[4] = {"map:m", "poly:p", "map:runs", "sparse:s"};
    static const uint32_t start[] = {0, 2, 4}, column[] = {0, 1, 2, 1};
    static const double weight[] = {1, -4, 2, 1}, bias[] = {0.5};
    const struct plain_sparse sparse = {.head = {.cols = 2, .rows = 1, .temps = 1},
                                        .start = start,
                                        .column = column,
                                        .weight = weight,
                                        .bias = bias};
    const uint32_t length[4] = {1, 4, 1, 1};
    const float coef[7] = {0.5f, 0.25f, 0.5f, 0.75f, 1.0f, -0.5f, 0.125f};
    struct bytes s[4] = {make_map(0, 0), poly_section(1, 2, 4, length, coef), make_map(1, 0),
                         sparse_section(&sparse)};
    struct bytes free_map = make_map(0, 1), file = make_weights(name, s, 4);
    write_file(path_of(m, "fuzz_weights/file"), &file);
    write_file(path_of(m, "fuzz_weights/map"), &s[0]);
    write_file(path_of(m, "fuzz_weights/poly"), &s[1]);
    write_file(path_of(m, "fuzz_weights/runs"), &s[2]);
    write_file(path_of(m, "fuzz_weights/sparse"), &s[3]);
    write_file(path_of(m, "fuzz_weights/free"), &free_map);
    for (int k = 0; k < 4; k++)
        bytes_free(&s[k]);
    bytes_free(&free_map);
    bytes_free(&file);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: runtime_seeds FOLDER\n");
        return 1;
    }
    struct maker m = {.folder = argv[1], .p = fuzz_params_once()};
    check(ola_client_new(m.p, &m.client), "client");
    make_keys(&m, "fuzz_keys/relin", 0, 0, 0);
    make_keys(&m, "fuzz_keys/rotations", UINT32_MAX, 2, 1);
    make_keys(&m, "fuzz_keys/both", 1, 1, 0);
    make_cts(&m);
    check(ola_params_save(m.p, path_of(&m, "fuzz_params/toy")), "params");
    struct ola_literal l = toy_literal(), secure = secure_literal();
    ola_params *p;
    check(ola_params_new(&l, &p), "params");
    check(ola_params_save(p, path_of(&m, "fuzz_params/six")), "params");
    ola_params_free(p);
    check(ola_params_new(&secure, &p), "params");
    check(ola_params_save(p, path_of(&m, "fuzz_params/secure")), "params");
    ola_params_free(p);
    make_weight_files(&m);
    make_boot_keys(argv[1]);
    ola_client_free(m.client);
    return 0;
}
