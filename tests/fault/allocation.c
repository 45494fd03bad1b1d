/* allocation.c - the n-th allocation fails, for every n, in every call of the public interface:
 * OLA_ERR_NOMEM, nothing leaks, no output is half-written, no file is left behind. */
#include "fault.h"

#include <unistd.h>

#define MOST 2000 /* no call here allocates as often */

/* A ciphertext's bytes, or nothing when it holds nothing. */
static struct bytes
snapshot(const struct world *w, const ola_ct *ct)
{
    struct bytes b = {0};
    void *data;
    size_t size;
    ola_status s = ola_cts_bytes(w->p, (const ola_ct *[]){ct}, 1, &data, &size);
    cr_assert(s == OLA_OK || s == OLA_ERR_PARAM, "%s", ola_status_text(s));
    if (s == OLA_OK)
        bytes_add(&b, data, size);
    ola_bytes_free(data, size);
    return b;
}

typedef ola_status (*operation)(struct world *w);

/* Each call gets a fresh world; w->b holds a value of its own beforehand. */
static void
fail_everywhere(operation op, const char *name)
{
    size_t n = 0;
    for (bool failed = true; failed; n++) {
        struct world w;
        cr_assert_lt(n, MOST, "%s", name);
        world_make(&w);
        cr_assert_eq(ola_add(w.server, w.b, w.a, w.a), OLA_OK);
        struct bytes a = snapshot(&w, w.a), b = snapshot(&w, w.b);
        memory_fail_at(n);
        ola_status s = op(&w);
        failed = memory_failed();
        memory_fail_at(SIZE_MAX);
        cr_assert_eq(s, failed ? OLA_ERR_NOMEM : OLA_OK, "%s, allocation %zu: %s", name, n,
                     ola_status_text(s));
        struct bytes after_a = snapshot(&w, w.a), after_b = snapshot(&w, w.b);
        cr_assert(a.size == after_a.size && memcmp(a.data, after_a.data, a.size) == 0,
                  "%s: the input changed", name);
        if (failed && after_b.size != 0)
            cr_assert(b.size == after_b.size && memcmp(b.data, after_b.data, b.size) == 0,
                      "%s, allocation %zu: the output is half-written", name, n);
        bytes_free(&a);
        bytes_free(&b);
        bytes_free(&after_a);
        bytes_free(&after_b);
        world_free(&w);
        cr_assert_eq(memory_blocks(), 0, "%s, allocation %zu leaks", name, n);
    }
}

/* The makers' outputs are NULL after a failure. */
#define MADE(call, handle, release)                                                                \
    ola_status s = (call);                                                                         \
    cr_assert((s == OLA_OK) == ((handle) != NULL));                                                \
    release(handle);                                                                               \
    return s

static ola_status
op_params(struct world *w)
{
    ola_params *p = (ola_params *)w; /* not NULL */
    const struct ola_literal l = small_literal();
    MADE(ola_params_new(&l, &p), p, ola_params_free);
}

static ola_status
op_client(struct world *w)
{
    ola_client *c = (ola_client *)w;
    MADE(ola_client_new(w->p, &c), c, ola_client_free);
}

static ola_status
op_keys(struct world *w)
{
    const uint32_t step[2] = {1, 7}, level[2] = {0, 2};
    const struct ola_key_plan plan = {
        .relin_level = 1, .n_rotations = 2, .step = step, .level = level};
    ola_keys *k = (ola_keys *)w;
    MADE(ola_client_keys(w->client, &plan, &k), k, ola_keys_free);
}

static ola_status
op_server(struct world *w)
{
    ola_server *s2 = (ola_server *)w;
    MADE(ola_server_new(w->p, w->keys, &s2), s2, ola_server_free);
}

static ola_status
op_ct(struct world *w)
{
    ola_ct *ct = (ola_ct *)w;
    MADE(ola_ct_new(w->p, &ct), ct, ola_ct_free);
}

static ola_status
op_map(struct world *w)
{
    struct bytes file = world_weights();
    const struct ola_map_desc desc = {.level = 2, .in_scale = 0x1p30, .out_scale = 0x1p30};
    ola_weights *weights;
    const void *section;
    size_t size;
    ola_map *m = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s/fault-map-%ld", OLAC_BINARY_DIR, (long)getpid());
    file_write(path, file.data, file.size);
    bytes_free(&file);
    ola_status s = ola_weights_open(path, small_literal().model, &weights);
    unlink(path);
    cr_assert((s == OLA_OK) == (weights != NULL));
    if (s == OLA_OK)
        s = ola_weights_find(weights, "map:m", &section, &size);
    if (s == OLA_OK)
        s = ola_map_new(w->p, &desc, section, size, &m);
    cr_assert((s == OLA_OK) == (m != NULL));
    ola_map_free(m);
    ola_weights_close(weights);
    return s;
}

static ola_status
op_poly(struct world *w)
{
    const uint32_t length[4] = {1, 4, 1, 1};
    const float coef[7] = {0.5f, 0.25f, 0.5f, 0.75f, 1.0f, -0.5f, 0.125f};
    const struct ola_map_desc desc = {.level = 2, .in_scale = 0x1p30, .out_scale = 0x1p30};
    struct bytes section = poly_section(3, 1, 4, length, coef);
    ola_poly *f = (ola_poly *)w;
    ola_status s = ola_poly_new(w->p, &desc, section.data, section.size, &f);
    bytes_free(&section);
    cr_assert((s == OLA_OK) == (f != NULL));
    ola_poly_free(f);
    return s;
}

static ola_status
op_encrypt(struct world *w)
{
    const double x = 0.25;
    return ola_encrypt(w->client, w->b, &x, 1, 1, 0x1p30);
}

static ola_status
op_decrypt(struct world *w)
{
    double v[4] = {0};
    ola_status s = ola_decrypt(w->client, w->a, v, 4);
    cr_assert(s == OLA_OK || (v[0] == 0.0 && v[1] == 0.0 && v[2] == 0.0 && v[3] == 0.0));
    return s;
}

static ola_status
op_decrypt_shared(struct world *w)
{
    double v[4] = {0};
    ola_status s = ola_decrypt_shared(w->client, w->a, v, 4, 0.125);
    cr_assert(s == OLA_OK || (v[0] == 0.0 && v[1] == 0.0 && v[2] == 0.0 && v[3] == 0.0));
    return s;
}

static ola_status
op_copy(struct world *w)
{
    return ola_ct_copy(w->b, w->a);
}

static ola_status
op_add(struct world *w)
{
    return ola_add(w->server, w->b, w->a, w->a);
}

static ola_status
op_add_plain(struct world *w)
{
    const double v[2] = {0.5, 1.0};
    return ola_add_plain(w->server, w->b, w->a, v, 2);
}

static ola_status
op_mul(struct world *w)
{
    return ola_mul(w->server, w->b, w->a, w->a);
}

/* w->b keeps its old value until the last step. */
static ola_status
op_product(struct world *w)
{
    ola_ct *t;
    ola_status s = ola_ct_new(w->p, &t);
    if (s == OLA_OK)
        s = ola_mul(w->server, t, w->a, w->a);
    if (s == OLA_OK)
        s = ola_relinearise(w->server, t, t);
    if (s == OLA_OK)
        s = ola_rescale(w->server, w->b, t);
    ola_ct_free(t);
    return s;
}

static ola_status
op_rescale(struct world *w)
{
    return ola_rescale(w->server, w->b, w->a);
}

static ola_status
op_drop(struct world *w)
{
    return ola_drop(w->server, w->b, w->a, 1);
}

static ola_status
op_relabel(struct world *w)
{
    return ola_relabel(w->server, w->b, w->a, 0.5);
}

static ola_status
op_rotate(struct world *w)
{
    return ola_rotate(w->server, w->b, w->a, 2);
}

static ola_status
op_linear(struct world *w)
{
    return ola_linear(w->server, w->map, (const ola_ct *[]){w->a}, (ola_ct *[]){w->b});
}

static ola_status
op_poly_eval(struct world *w)
{
    return ola_poly_eval(w->server, w->poly, (const ola_ct *[]){w->a}, (ola_ct *[]){w->b});
}

/* A partial sum and a result of powers of two; and one column whose squares are weighted. */
static const uint32_t sparse_start[2][3] = {{0, 2, 4}, {0, 1}};
static const uint32_t sparse_column[2][4] = {{0, 0, 1, 0}, {0}};
static const double sparse_weight[2][4] = {{1, -4, 2, 8}, {3}};
static const double sparse_bias[1] = {0.25};

static ola_status
sparse_make(struct world *w, uint32_t k, ola_sparse **m)
{
    struct plain_sparse s = {.head = {.cols = 1,
                                      .rows = 1,
                                      .temps = k ? 0 : 1,
                                      .kind = k ? OLA_SPARSE_INTEGERS : OLA_SPARSE_SHIFTS,
                                      .squared = k},
                             .start = sparse_start[k],
                             .column = sparse_column[k],
                             .weight = sparse_weight[k],
                             .bias = sparse_bias};
    const struct ola_sparse_desc desc = {2, k ? 0x1p32 : 0x1p30, k ? 0x1p66 : 0x1p32};
    struct bytes section = sparse_section(&s);
    ola_status status = ola_sparse_new(w->p, &desc, section.data, section.size, m);
    bytes_free(&section);
    return status;
}

static ola_status
op_sparse(struct world *w)
{
    ola_sparse *m = (ola_sparse *)w;
    MADE(sparse_make(w, 0, &m), m, ola_sparse_free);
}

/* Both maps one behind the other. */
static ola_status
op_sparse_eval(struct world *w)
{
    ola_sparse *m[2] = {NULL, NULL};
    ola_status s = sparse_make(w, 0, &m[0]);
    if (s == OLA_OK)
        s = sparse_make(w, 1, &m[1]);
    if (s == OLA_OK)
        s = ola_sparse_eval(w->server, (const ola_sparse *const *)m, 2, (const ola_ct *[]){w->a},
                            (ola_ct *[]){w->b});
    ola_sparse_free(m[0]);
    ola_sparse_free(m[1]);
    return s;
}

static ola_status
op_reduce(struct world *w)
{
    ola_ct *product = NULL;
    ola_status s = ola_ct_new(w->p, &product);
    if (s == OLA_OK)
        s = ola_mul(w->server, product, w->a, w->a);
    if (s == OLA_OK)
        s = ola_reduce(w->server, (ola_ct *[]){w->b}, (const ola_ct *[]){product}, 1, 1);
    ola_ct_free(product);
    return s;
}

static ola_status
op_bytes(struct world *w)
{
    void *data = w;
    size_t size = 1;
    ola_status s = ola_cts_bytes(w->p, (const ola_ct *[]){w->a}, 1, &data, &size);
    cr_assert((s == OLA_OK) == (data != NULL) && (s == OLA_OK) == (size != 0));
    ola_bytes_free(data, size);
    return s;
}

/* Saved, and read back, in a folder that must be empty when a save failed. */
static ola_status
op_files(struct world *w)
{
    char folder[256], path[300];
    ola_params *p = NULL;
    ola_keys *keys = NULL;
    ola_client *client = NULL;
    file_folder(folder, sizeof folder, "files");
    snprintf(path, sizeof path, "%s/file", folder);
    ola_status s = ola_params_save(w->p, path);
    if (s == OLA_OK)
        s = ola_params_load(path, &p);
    if (s == OLA_OK)
        s = ola_keys_save(w->keys, path);
    if (s == OLA_OK)
        s = ola_keys_load(w->p, path, &keys);
    if (s == OLA_OK)
        s = ola_client_save(w->client, path);
    if (s == OLA_OK)
        s = ola_client_load(w->p, path, &client);
    if (s == OLA_OK)
        s = ola_cts_save(w->p, (const ola_ct *[]){w->a}, 1, path);
    uint32_t place;
    ola_ct *c = NULL;
    const ola_ct *const in[] = {w->a}, *const held[] = {NULL, w->a};
    if (s == OLA_OK)
        s = ola_ct_new(w->p, &c);
    if (s == OLA_OK)
        s = ola_state_save(w->p, in, 1, 3, held, 2, path);
    if (s == OLA_OK)
        s = ola_state_load(w->p, in, 1, &place, (ola_ct *[]){c, c}, 2, path);
    ola_ct_free(c);
    if (s == OLA_OK)
        s = ola_cts_save(w->p, (const ola_ct *[]){w->a}, 1, path);
    if (s == OLA_OK)
        s = ola_cts_load(w->p, path, (ola_ct *[]){w->b}, 1);
    unlink(path);
    file_remove_folder(folder);
    ola_client_free(client);
    ola_keys_free(keys);
    ola_params_free(p);
    return s;
}

#define FAULT(name)                                                                                \
    Test(allocation, name)                                                                         \
    {                                                                                              \
        memory_watch();                                                                            \
        fail_everywhere(op_##name, #name);                                                         \
    }

FAULT(params)
FAULT(client)
FAULT(keys)
FAULT(server)
FAULT(ct)
FAULT(map)
FAULT(poly)
FAULT(encrypt)
FAULT(decrypt)
FAULT(decrypt_shared)
FAULT(copy)
FAULT(add)
FAULT(add_plain)
FAULT(mul)
FAULT(product)
FAULT(rescale)
FAULT(drop)
FAULT(relabel)
FAULT(rotate)
FAULT(linear)
FAULT(poly_eval)
FAULT(sparse)
FAULT(sparse_eval)
FAULT(reduce)
FAULT(bytes)
FAULT(files)
