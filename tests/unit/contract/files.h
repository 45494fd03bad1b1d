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
