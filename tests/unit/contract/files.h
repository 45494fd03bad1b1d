/* files.h - contract.h's tests of files: what one process writes another reads, and what is of
 * others is refused. */
#include "contract/contract.h"

/* ---- files ----------------------------------------------------------------------------------- */

static void
file_name(char *out, size_t size, const char *what)
{
    snprintf(out, size, "%s/contract-%s-%ld", OLAC_BINARY_DIR, what, (long)getpid());
}

Test(contract, files)
{
    struct bench t = {0};
    char path[512];
    double w[SLOTS];
    bench_make(&t);
    file_name(path, sizeof path, "files");

    ola_params *p;
    OK(ola_params_save(t.p, path));
    OK(ola_params_load(path, &p));
    cr_expect_eq(memcmp(ola_params_literal(p), ola_params_literal(t.p), sizeof(struct ola_literal)),
                 0);
    /* From here on everything is read with the parameters read back, as another process would. */
    ola_keys *keys;
    ola_server *server;
    OK(ola_keys_save(t.keys, path));
    OK(ola_keys_load(p, path, &keys));
    cr_expect_eq(ola_keys_bytes(keys), ola_keys_bytes(t.keys));
    OK(ola_server_new(p, keys, &server));

    ola_ct *a, *b;
    OK(ola_ct_new(p, &a));
    OK(ola_ct_new(p, &b));
    OK(ola_cts_save(t.p, (const ola_ct *[]){t.a, t.b}, 2, path));
    FAILS(OLA_ERR_FORMAT, ola_cts_load(p, path, (ola_ct *[]){a}, 1));
    OK(ola_cts_load(p, path, (ola_ct *[]){a, b}, 2));
    OK(ola_rotate(server, a, a, 3));
    OK(ola_mul(server, a, a, b));
    OK(ola_cts_save(p, (const ola_ct *[]){a}, 1, path)); /* three components */
    OK(ola_cts_load(p, path, (ola_ct *[]){b}, 1));
    OK(ola_relinearise(server, b, b));
    OK(ola_rescale(server, b, b));
    OK(ola_cts_save(p, (const ola_ct *[]){b}, 1, path)); /* not fresh */
    OK(ola_cts_load(t.p, path, (ola_ct *[]){t.c}, 1));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] = t.x[(k + 3) % SLOTS] * t.y[k];
    expect_slots(&t, t.c, w, "through files");

    ola_client *client;
    OK(ola_client_save(t.client, path));
    OK(ola_client_load(p, path, &client));
    OK(ola_decrypt(client, b, w, 1));
    cr_expect_float_eq(w[0], t.x[3] * t.y[0], TOLERANCE);
    unlink(path);
    ola_client_free(client);
    ola_ct_free(a);
    ola_ct_free(b);
    ola_server_free(server);
    ola_keys_free(keys);
    ola_params_free(p);
    bench_free(&t);
}

/* What is held comes back where it was; what was not stays as it is. */
Test(contract, states)
{
    struct bench t = {0};
    char path[512];
    double w[SLOTS];
    uint32_t place = 0;
    bench_make(&t);
    file_name(path, sizeof path, "state");
    ola_ct *r[3];
    for (uint32_t k = 0; k < 3; k++)
        OK(ola_ct_new(t.p, &r[k]));
    const ola_ct *const in[] = {t.a}, *const other[] = {t.b};
    const ola_ct *const held[] = {t.b, NULL, r[2]}, *const nothing[] = {NULL, r[0], r[1]};
    OK(ola_state_save(t.p, in, 1, 7, held, 3, path));
    FAILS(OLA_ERR_PARAM, ola_state_save(t.p, in, 1, 7, nothing, 3, path));
    FAILS(OLA_ERR_OTHER_RUN, ola_state_load(t.p, other, 1, &place, r, 3, path));
    FAILS(OLA_ERR_FORMAT, ola_state_load(t.p, in, 1, &place, r, 2, path));
    FAILS(OLA_ERR_FORMAT, ola_cts_load(t.p, path, r, 3));
    FAILS(OLA_ERR_IO, ola_state_load(t.p, in, 1, &place, r, 3, "/no/such/file"));
    cr_expect(place == 0 && ola_ct_scale(r[0]) == 0);
    OK(ola_state_load(t.p, in, 1, &place, r, 3, path));
    cr_expect(place == 7 && ola_ct_scale(r[1]) == 0 && ola_ct_scale(r[2]) == 0);
    memcpy(w, t.y, sizeof w);
    expect_slots(&t, r[0], w, "a state");
    FAILS(OLA_ERR_IO, ola_state_save(t.p, in, 1, 7, held, 3, "/no/such/folder/state"));
    unlink(path);
    for (uint32_t k = 0; k < 3; k++)
        ola_ct_free(r[k]);
    bench_free(&t);
}

Test(contract, files_of_others)
{
    struct bench t = {0};
    char path[512];
    bench_make(&t);
    file_name(path, sizeof path, "others");
    struct ola_literal l = toy_literal();
    ola_params *p;
    ola_keys *keys;
    ola_client *client;
    ola_ct *ct;
    l.model[5] ^= 1;
    OK(ola_params_new(&l, &p));
    OK(ola_ct_new(p, &ct));
    OK(ola_keys_save(t.keys, path));
    FAILS(OLA_ERR_MODEL, ola_keys_load(p, path, &keys));
    cr_expect_null(keys);
    OK(ola_client_save(t.client, path));
    FAILS(OLA_ERR_MODEL, ola_client_load(p, path, &client));
    FAILS(OLA_ERR_FORMAT, ola_keys_load(t.p, path, &keys)); /* another kind */
    OK(ola_cts_save(t.p, (const ola_ct *[]){t.a}, 1, path));
    FAILS(OLA_ERR_MODEL, ola_cts_load(p, path, (ola_ct *[]){ct}, 1));
    FAILS(OLA_ERR_PARAM, ola_cts_save(p, (const ola_ct *[]){t.a}, 1, path));
    ola_ct_free(ct);
    ola_params_free(p);

    l = toy_literal();
    l.n_q--; /* same model, other parameters */
    OK(ola_params_new(&l, &p));
    OK(ola_ct_new(p, &ct));
    FAILS(OLA_ERR_FINGERPRINT, ola_cts_load(p, path, (ola_ct *[]){ct}, 1));
    ola_ct_free(ct);
    ola_params_free(p);

    l = secure_literal();
    memcpy(l.model, toy_literal().model, 32);
    OK(ola_params_new(&l, &p));
    OK(ola_ct_new(p, &ct));
    FAILS(OLA_ERR_TOY, ola_cts_load(p, path, (ola_ct *[]){ct}, 1));
    FAILS(OLA_ERR_IO, ola_cts_load(p, "/no/such/file", (ola_ct *[]){ct}, 1));
    ola_ct_free(ct);
    ola_params_free(p);
    unlink(path);
    bench_free(&t);
}

/* Another client of the same model: his keys and a ciphertext, read with the parameters of t. */
struct stranger {
    struct bench u;
    ola_keys *keys;
    ola_server *server;
    ola_client *client;
    ola_ct *a;
};

static void
stranger_make(struct stranger *x, struct bench *t)
{
    char path[512];
    bench_make(t);
    bench_make(&x->u);
    file_name(path, sizeof path, "stranger");
    OK(ola_ct_new(t->p, &x->a));
    OK(ola_keys_save(x->u.keys, path));
    OK(ola_keys_load(t->p, path, &x->keys));
    OK(ola_server_new(t->p, x->keys, &x->server));
    OK(ola_cts_save(x->u.p, (const ola_ct *[]){x->u.a}, 1, path));
    OK(ola_cts_load(t->p, path, (ola_ct *[]){x->a}, 1));
    OK(ola_client_save(x->u.client, path));
    OK(ola_client_load(t->p, path, &x->client));
    unlink(path);
}

static void
stranger_free(struct stranger *x, struct bench *t)
{
    ola_ct_free(x->a);
    ola_client_free(x->client);
    ola_server_free(x->server);
    ola_keys_free(x->keys);
    bench_free(&x->u);
    bench_free(t);
}

static void
all_refuse(ola_server *s, ola_ct *out, const ola_ct *a)
{
    const double v = 1.0;
    FAILS(OLA_ERR_OTHER_KEY, ola_add(s, out, a, a));
    FAILS(OLA_ERR_OTHER_KEY, ola_sub(s, out, a, a));
    FAILS(OLA_ERR_OTHER_KEY, ola_add_plain(s, out, a, &v, 1));
    FAILS(OLA_ERR_OTHER_KEY, ola_mul(s, out, a, a));
    FAILS(OLA_ERR_OTHER_KEY, ola_rescale(s, out, a));
    FAILS(OLA_ERR_OTHER_KEY, ola_drop(s, out, a, 1));
    FAILS(OLA_ERR_OTHER_KEY, ola_relabel(s, out, a, 2.0));
    FAILS(OLA_ERR_OTHER_KEY, ola_rotate(s, out, a, 1));
}

Test(contract, keys_of_others_are_refused)
{
    struct bench t = {0};
    struct stranger x = {0};
    double v[SLOTS];
    char path[512];
    ola_server *keyless;
    stranger_make(&x, &t);
    file_name(path, sizeof path, "keys-of-others");
    FAILS(OLA_ERR_OTHER_KEY, ola_decrypt(t.client, x.a, v, SLOTS));
    FAILS(OLA_ERR_OTHER_KEY, ola_decrypt_shared(t.client, x.a, v, SLOTS, 0.1));
    OK(ola_decrypt(x.client, x.a, v, SLOTS));
    cr_expect_float_eq(v[7], x.u.x[7], TOLERANCE);
    FAILS(OLA_ERR_OTHER_KEY, ola_cts_save(t.p, (const ola_ct *[]){t.a, x.a}, 2, path));
    OK(ola_ct_copy(t.c, t.a));
    all_refuse(t.server, t.c, x.a);
    all_refuse(x.server, t.c, t.a);
    FAILS(OLA_ERR_OTHER_KEY, ola_add(t.server, t.c, t.a, x.a));
    FAILS(OLA_ERR_OTHER_KEY, ola_mul(t.server, t.c, t.a, x.a));
    expect_slots(&t, t.c, t.x, "untouched by failures");
    OK(ola_mul(t.server, t.c, t.a, t.b));
    FAILS(OLA_ERR_OTHER_KEY, ola_relinearise(x.server, t.c, t.c));
    OK(ola_server_new(t.p, NULL, &keyless)); /* mixes none either */
    FAILS(OLA_ERR_OTHER_KEY, ola_sub(keyless, t.c, x.a, t.a));
    ola_server_free(keyless);
    stranger_free(&x, &t);
}

/* What t.c holds is the stranger's. */
#define HIS(call)                                                                                  \
    do {                                                                                           \
        double is;                                                                                 \
        OK(ola_ct_copy(t.c, t.a)); /* the handle held something of t's */                          \
        OK(call);                                                                                  \
        FAILS(OLA_ERR_OTHER_KEY, ola_rescale(t.server, t.b, t.c));                                 \
        if (t_parts == 2) {                                                                        \
            OK(ola_decrypt(x.client, t.c, &is, 1));                                                \
            FAILS(OLA_ERR_OTHER_KEY, ola_decrypt(t.client, t.c, &is, 1));                          \
        }                                                                                          \
    } while (0)

Test(contract, the_key_goes_the_whole_way)
{
    struct bench t = {0};
    struct stranger x = {0};
    const double v[2] = {1.0, 2.0};
    int t_parts = 2;
    stranger_make(&x, &t);
    HIS(ola_ct_copy(t.c, x.a));
    HIS(ola_add(x.server, t.c, x.a, x.a));
    HIS(ola_add_plain(x.server, t.c, x.a, v, 2));
    HIS(ola_rescale(x.server, t.c, x.a));
    HIS(ola_drop(x.server, t.c, x.a, 2));
    HIS(ola_relabel(x.server, t.c, x.a, 2.0));
    HIS(ola_rotate(x.server, t.c, x.a, 1));
    ola_ct *square;
    OK(ola_ct_new(t.p, &square));
    OK(ola_mul(x.server, square, x.a, x.a));
    HIS(ola_relinearise(x.server, t.c, square));
    t_parts = 3;
    HIS(ola_mul(x.server, t.c, x.a, x.a));
    HIS(ola_sub(x.server, t.c, square, square));
    ola_ct_free(square);
    stranger_free(&x, &t);
}
