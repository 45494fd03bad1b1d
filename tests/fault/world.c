/* world.c - one small trip's objects, and files to damage. */
#include "fault.h"

#include <dirent.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

struct ola_literal
small_literal(void)
{
    struct ola_literal l = toy_literal();
    uint64_t wide = l.q[0]; /* the largest: a digit must be below P */
    l.n_q = 3;
    l.n_p = 1;
    l.digit_limbs = 1;
    l.q[0] = l.p[0];
    l.p[0] = wide;
    l.p[1] = l.q[3] = l.q[4] = l.q[5] = 0;
    return l;
}

static struct bytes
small_map(void)
{
    static float value[2][8] = {{0.5f, 0.25f, 1.0f, -1.0f, 0.5f, 0.125f, 0.0f, 0.75f},
                                {-0.5f, -0.5f}};
    float *values[2] = {value[0], value[1]};
    uint32_t fold[1] = {1};
    double bias[2] = {0.5, -0.25};
    struct ola_weights_diagonal d[2] = {{.period = 8},
                                        {.giant = 2, .baby = 1, .period = 2, .encoding = 1}};
    const struct plain_map m = {.head = {.args = 1,
                                         .in_cts = 1,
                                         .out_cts = 1,
                                         .n_diagonals = 2,
                                         .n_folds = 1,
                                         .bias_period = 2},
                                .diagonal = d,
                                .value = values,
                                .fold = fold,
                                .bias = bias};
    return map_section(&m);
}

static struct bytes
small_poly(void)
{
    const uint32_t length[4] = {1, 4, 1, 1};
    const float coef[7] = {0.5f, 0.25f, 0.5f, 0.75f, 1.0f, -0.5f, 0.125f};
    return poly_section(3, 1, 4, length, coef);
}

struct bytes
world_weights(void)
{
    struct bytes section[2] = {small_map(), small_poly()}, out = {0};
    struct ola_weights_header h = {
        .magic = OLA_WEIGHTS_MAGIC, .version = OLA_WEIGHTS_VERSION, .sections = 2};
    memcpy(h.model, small_literal().model, 32);
    const char *name[2] = {"map:m", "poly:p"};
    uint64_t at = sizeof h + 2 * sizeof(struct ola_weights_section), zero = 0;
    bytes_add(&out, &h, sizeof h);
    for (int k = 0; k < 2; k++) {
        struct ola_weights_section s = {.offset = at, .size = section[k].size};
        strcpy(s.name, name[k]);
        bytes_add(&out, &s, sizeof s);
        at += (section[k].size + 7) / 8 * 8;
    }
    for (int k = 0; k < 2; k++) {
        bytes_add(&out, section[k].data, section[k].size);
        bytes_add(&out, &zero, (8 - section[k].size % 8) % 8);
        bytes_free(&section[k]);
    }
    h.size = out.size;
    crypto_generichash(h.hash, sizeof h.hash, out.data + sizeof h, out.size - sizeof h, NULL, 0);
    memcpy(out.data, &h, sizeof h);
    return out;
}

void
world_make(struct world *w)
{
    const struct ola_literal l = small_literal();
    const uint32_t step[2] = {1, 2}, level[2] = {2, 2};
    const struct ola_key_plan plan = {
        .relin_level = 2, .n_rotations = 2, .step = step, .level = level};
    const struct ola_map_desc desc = {.level = 2, .in_scale = 0x1p30, .out_scale = 0x1p30};
    const double x[4] = {0.5, -0.25, 0.75, -1.0};
    struct bytes map = small_map(), poly = small_poly();
    memset(w, 0, sizeof *w);
    cr_assert_eq(ola_params_new(&l, &w->p), OLA_OK);
    cr_assert_eq(ola_client_new(w->p, &w->client), OLA_OK);
    cr_assert_eq(ola_client_keys(w->client, &plan, &w->keys), OLA_OK);
    cr_assert_eq(ola_server_new(w->p, w->keys, &w->server), OLA_OK);
    cr_assert_eq(ola_ct_new(w->p, &w->a), OLA_OK);
    cr_assert_eq(ola_ct_new(w->p, &w->b), OLA_OK);
    cr_assert_eq(ola_encrypt(w->client, w->a, x, 4, 2, 0x1p30), OLA_OK);
    cr_assert_eq(ola_map_new(w->p, &desc, map.data, map.size, &w->map), OLA_OK);
    cr_assert_eq(ola_poly_new(w->p, &desc, poly.data, poly.size, &w->poly), OLA_OK);
    bytes_free(&map);
    bytes_free(&poly);
}

void
world_free(struct world *w)
{
    ola_poly_free(w->poly);
    ola_map_free(w->map);
    ola_ct_free(w->a);
    ola_ct_free(w->b);
    ola_server_free(w->server);
    ola_keys_free(w->keys);
    ola_client_free(w->client);
    ola_params_free(w->p);
    memset(w, 0, sizeof *w);
}

struct bytes
file_read(const char *path)
{
    struct bytes b = {0};
    uint8_t part[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        bytes_add(&b, part, n);
    fclose(f);
    return b;
}

void
file_write(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f != NULL && fwrite(data, 1, size, f) == size && fclose(f) == 0, "%s", path);
}

void
file_folder(char *out, size_t size, const char *what)
{
    snprintf(out, size, "%s/fault-%s-%ld", OLAC_BINARY_DIR, what, (long)getpid());
    cr_assert_eq(mkdir(out, 0777), 0, "%s", out);
}

void
file_remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    cr_assert_not_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        cr_expect_eq(e->d_name[0], '.', "%s is left in %s", e->d_name, folder);
    closedir(d);
    cr_expect_eq(rmdir(folder), 0);
}
