/* boot.c - bootstrapping's faults: the n-th allocation fails, and keys are short or damaged. */
#include "fault.h"

#include <unistd.h>

#define MOST  3000
#define SCALE 0x1p37

struct refresh {
    struct ola_literal l;
    struct ola_boot_plan plan;
    uint32_t step[OLA_MAX_BOOT_ROTATIONS], level[OLA_MAX_BOOT_ROTATIONS];
    struct ola_key_plan key_plan;
    ola_params *p;
    ola_client *client;
    ola_keys *keys;
    ola_boot *boot;
    ola_ct *a, *b;
    char *path;
};

static void
refresh_open(struct refresh *w, uint32_t period)
{
    memset(w, 0, sizeof *w);
    w->l = (struct ola_literal){.log_n = 10, .n_q = 14, .n_p = 2, .digit_limbs = 2};
    w->l.insecure_toy = true;
    w->l.boot = (struct ola_boot_shape){2, 2, 30, 3, 16, 3};
    cr_assert(ola_plan_primes(10, 45, 14, NULL, 0, w->l.q));
    cr_assert(ola_plan_primes(10, 48, 2, w->l.q, 14, w->l.p));
    cr_assert(ola_plan_boot(&w->l, period, &w->plan));
    for (uint32_t k = 0; k < w->plan.n_rotations; k++) {
        w->step[k] = w->plan.rotation[k].step;
        w->level[k] = w->plan.rotation[k].level;
    }
    w->key_plan = (struct ola_key_plan){UINT32_MAX, w->plan.n_rotations, w->step, w->level};
    const double x[2] = {0.5, -0.25};
    cr_assert_eq(ola_params_new(&w->l, &w->p), OLA_OK);
    cr_assert_eq(ola_client_new(w->p, &w->client), OLA_OK);
    cr_assert_eq(ola_client_keys(w->client, &w->key_plan, &w->keys), OLA_OK);
    cr_assert_eq(ola_boot_new(w->p, period, SCALE, SCALE, &w->boot), OLA_OK);
    cr_assert_eq(ola_ct_new(w->p, &w->a), OLA_OK);
    cr_assert_eq(ola_ct_new(w->p, &w->b), OLA_OK);
    cr_assert_eq(ola_encrypt(w->client, w->a, x, 2, 2, SCALE), OLA_OK);
}

static void
refresh_close(struct refresh *w)
{
    ola_ct_free(w->a);
    ola_ct_free(w->b);
    ola_boot_free(w->boot);
    ola_keys_free(w->keys);
    ola_client_free(w->client);
    ola_params_free(w->p);
}

typedef ola_status (*operation)(struct refresh *w);

static ola_status
op_keys(struct refresh *w)
{
    ola_keys *k = w->keys; /* not NULL */
    ola_status s = ola_client_keys(w->client, &w->key_plan, &k);
    cr_assert((s == OLA_OK) == (k != NULL));
    ola_keys_free(k);
    return s;
}

static ola_status
op_load(struct refresh *w)
{
    ola_keys *k = w->keys;
    ola_status s = ola_keys_load(w->p, w->path, &k);
    cr_assert((s == OLA_OK) == (k != NULL));
    ola_keys_free(k);
    return s;
}

static ola_status
op_new(struct refresh *w)
{
    ola_boot *b = w->boot;
    ola_status s = ola_boot_new(w->p, 2, SCALE, SCALE, &b);
    cr_assert((s == OLA_OK) == (b != NULL));
    ola_boot_free(b);
    return s;
}

/* b in place; a server of its own, so that all of its scratch is still to be had. */
static ola_status
op_bootstrap(struct refresh *w)
{
    ola_server *server;
    ola_status s = ola_server_new(w->p, w->keys, &server);
    if (s != OLA_OK)
        return s;
    s = ola_bootstrap(server, w->boot, w->b, w->b);
    const uint32_t level = s == OLA_OK ? w->plan.out_level : w->plan.in_level;
    cr_assert_eq(ola_ct_level(w->b), level, "the output is whole, or as it was");
    ola_server_free(server);
    return s;
}

static void
fail_everywhere(struct refresh *w, operation op, const char *name)
{
    const size_t before = memory_blocks();
    size_t n = 0;
    for (bool failed = true; failed; n++) {
        cr_assert_lt(n, MOST, "%s", name);
        memory_fail_at(n);
        ola_status s = op(w);
        failed = memory_failed();
        memory_fail_at(SIZE_MAX);
        cr_assert_eq(s, failed ? OLA_ERR_NOMEM : OLA_OK, "%s, allocation %zu: %s", name, n,
                     ola_status_text(s));
        cr_assert_eq(memory_blocks(), before, "%s, allocation %zu leaks", name, n);
    }
}

Test(boot, allocations)
{
    struct refresh w;
    char folder[256], path[300];
    memory_watch();
    file_folder(folder, sizeof folder, "boot");
    snprintf(path, sizeof path, "%s/keys", folder);
    refresh_open(&w, 2);
    w.path = path;
    cr_assert_eq(ola_keys_save(w.keys, path), OLA_OK);
    cr_assert_eq(ola_ct_copy(w.b, w.a), OLA_OK);
    fail_everywhere(&w, op_keys, "keys");
    fail_everywhere(&w, op_load, "load");
    fail_everywhere(&w, op_new, "boot");
    refresh_close(&w);
    cr_expect_eq(memory_blocks(), 0, "leaks");
    unlink(path);
    file_remove_folder(folder);
}

Test(boot, allocations_while_it_runs)
{
    struct refresh w;
    memory_watch();
    refresh_open(&w, 2);
    /* The output has all its room beforehand: it would be one more block afterwards. */
    ola_server *server;
    cr_assert_eq(ola_server_new(w.p, w.keys, &server), OLA_OK);
    cr_assert_eq(ola_bootstrap(server, w.boot, w.b, w.a), OLA_OK);
    ola_server_free(server);
    size_t n = 0;
    for (bool failed = true; failed; n++) {
        cr_assert_lt(n, MOST);
        const size_t before = memory_blocks();
        cr_assert_eq(ola_ct_copy(w.b, w.a), OLA_OK);
        memory_fail_at(n);
        ola_status s = op_bootstrap(&w);
        failed = memory_failed();
        memory_fail_at(SIZE_MAX);
        cr_assert_eq(s, failed ? OLA_ERR_NOMEM : OLA_OK, "allocation %zu: %s", n,
                     ola_status_text(s));
        cr_assert_eq(memory_blocks(), before, "allocation %zu leaks", n);
    }
    refresh_close(&w);
    cr_expect_eq(memory_blocks(), 0, "leaks");
}

/* Every length, and every byte changed (some of them): never keys. */
Test(boot, damaged_keys)
{
    struct refresh w;
    char folder[256], path[300];
    memory_watch();
    file_folder(folder, sizeof folder, "boot_keys");
    snprintf(path, sizeof path, "%s/keys", folder);
    refresh_open(&w, 2);
    cr_assert_eq(ola_keys_save(w.keys, path), OLA_OK);
    struct bytes good = file_read(path);
    ola_keys *k;
    for (size_t n = 0; n < good.size; n += n < 300 ? 1 : good.size / 97) {
        cr_assert_neq(ola_keys_parse(w.p, good.data, n, &k), OLA_OK, "%zu bytes", n);
        cr_assert_null(k);
    }
    for (size_t n = 0; n < good.size; n += n < 300 ? 1 : good.size / 97) {
        good.data[n] ^= 4;
        cr_assert_neq(ola_keys_parse(w.p, good.data, good.size, &k), OLA_OK, "byte %zu", n);
        cr_assert_null(k);
        good.data[n] ^= 4;
    }
    cr_assert_eq(ola_keys_parse(w.p, good.data, good.size, &k), OLA_OK);
    ola_keys_free(k);
    bytes_free(&good);
    refresh_close(&w);
    cr_expect_eq(memory_blocks(), 0, "leaks");
    unlink(path);
    file_remove_folder(folder);
}
