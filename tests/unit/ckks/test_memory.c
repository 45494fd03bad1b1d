/* test_memory.c - the failing of every allocation in turn: a status, no leak, no half-written
 * output; and evaluating allocates nothing once it has run. */
#include "ckks/server.h"
#include "ckks_test.h"
#include "section.h"

static struct {
    long calls, fail_at; /* fail_at 0: never */
    long blocks;
} hook;

static void *
hook_alloc(size_t size)
{
    long call = __atomic_add_fetch(&hook.calls, 1, __ATOMIC_RELAXED);
    if (hook.fail_at != 0 && call == hook.fail_at)
        return NULL;
    void *p = aligned_alloc(64, size);
    if (p != NULL)
        __atomic_add_fetch(&hook.blocks, 1, __ATOMIC_RELAXED);
    return p;
}

static void
hook_release(void *p, size_t size)
{
    (void)size;
    __atomic_add_fetch(&hook.blocks, -1, __ATOMIC_RELAXED);
    free(p);
}

/* Everything that a program may hold. */
struct all {
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_ct *a, *b, *c;
    ola_map *map;
    ola_poly *poly;
};

static void
all_free(struct all *x)
{
    ola_poly_free(x->poly);
    ola_map_free(x->map);
    ola_ct_free(x->a);
    ola_ct_free(x->b);
    ola_ct_free(x->c);
    ola_server_free(x->server);
    ola_keys_free(x->keys);
    ola_client_free(x->client);
    ola_params_free(x->params);
}

static struct ola_literal
toy(void)
{
    struct ola_literal l = {
        .log_n = 10, .n_q = 4, .n_p = 1, .digit_limbs = 1, .insecure_toy = true};
    cr_assert(ola_plan_primes(10, 36, 4, NULL, 0, l.q));
    cr_assert(ola_plan_primes(10, 40, 1, NULL, 0, l.p));
    return l;
}

static const float value[4] = {0.5f, 0.25f, -0.5f, 1.0f};

static struct section
some_map(void)
{
    struct ola_weights_map head = {
        .args = 1, .in_cts = 1, .out_cts = 1, .n_diagonals = 3, .n_folds = 1, .bias_period = 2};
    const struct diagonal d[3] = {
        {0, 0, 0, 0, 0, 4, value}, {0, 0, 0, 0, 1, 2, value}, {0, 0, 0, 4, 1, 1, value}};
    return map_section(&head, d, (const uint32_t[]){4}, (const double[]){1, 2});
}

static struct section
some_poly(void)
{
    const float *coef[4] = {value, value, value, value};
    return poly_section(&(struct ola_weights_poly){3, 1, 4, 0}, coef,
                        (const uint32_t[]){4, 1, 1, 4});
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        ola_status s_ = (call);                                                                    \
        if (s_ != OLA_OK)                                                                          \
            return s_;                                                                             \
    } while (0)

static ola_status
set_up(struct all *x, const struct section *map, const struct section *poly)
{
    const struct ola_literal l = toy();
    const uint32_t step[2] = {1, 4}, level[2] = {3, 3};
    const struct ola_key_plan plan = {3, 2, step, level};
    const double scale = 0x1p34;
    TRY(ola_params_new(&l, &x->params));
    TRY(ola_client_new(x->params, &x->client));
    TRY(ola_client_keys(x->client, &plan, &x->keys));
    TRY(ola_server_new(x->params, x->keys, &x->server));
    TRY(ola_ct_new(x->params, &x->a));
    TRY(ola_ct_new(x->params, &x->b));
    TRY(ola_ct_new(x->params, &x->c));
    struct ola_map_desc m = {3, scale, scale, false, 0}, f = {2, scale, scale, false, 0};
    TRY(ola_map_new(x->params, &m, map->bytes, map->size, &x->map));
    TRY(ola_poly_new(x->params, &f, poly->bytes, poly->size, &x->poly));
    return OLA_OK;
}

static ola_status
evaluate(struct all *x)
{
    double v[4] = {1, -1, 0.5, 0};
    TRY(ola_linear(x->server, x->map, (const ola_ct *[]){x->a}, &x->b));
    TRY(ola_relabel(x->server, x->b, x->b, 0.125));
    TRY(ola_relabel(x->server, x->b, x->b, 8));
    TRY(ola_poly_eval(x->server, x->poly, (const ola_ct *[]){x->b}, &x->c));
    TRY(ola_drop(x->server, x->b, x->a, 2));
    TRY(ola_mul(x->server, x->b, x->b, x->b));
    TRY(ola_relinearise(x->server, x->b, x->b));
    TRY(ola_rescale(x->server, x->b, x->b));
    TRY(ola_rotate(x->server, x->c, x->b, 1));
    TRY(ola_add(x->server, x->c, x->b, x->c));
    TRY(ola_add_plain(x->server, x->c, x->c, v, 4));
    return OLA_OK;
}

static ola_status
whole_program(struct all *x, const struct section *map, const struct section *poly)
{
    double v[512] = {1, 2, 3};
    TRY(set_up(x, map, poly));
    TRY(ola_encrypt(x->client, x->a, v, 8, 3, 0x1p34));
    TRY(evaluate(x));
    TRY(ola_decrypt(x->client, x->c, v, 512));
    return OLA_OK;
}

/* A ciphertext that holds something can be decrypted. */
static void
check_sane(const struct all *x, const ola_ct *ct)
{
    double v[4];
    if (ct == NULL || ct->parts == 0)
        return;
    cr_expect(ct->parts <= 3 && ct->level < 4 && ct->scale > 0 && ct->data != NULL);
    cr_expect_geq(ct->bytes, (size_t)ct->parts * (ct->level + 1) * 1024 * 8);
    if (ct->parts == 2)
        OK(ola_decrypt(x->client, ct, v, 4));
}

Test(memory, every_allocation_fails_once)
{
    struct section map = some_map(), poly = some_poly();
    ola_set_allocator(hook_alloc, hook_release);
    long fail_at = 0;
    ola_status s;
    do {
        struct all x = {0};
        hook.calls = 0;
        hook.fail_at = ++fail_at;
        s = whole_program(&x, &map, &poly);
        cr_assert(s == OLA_OK || s == OLA_ERR_NOMEM, "%d", s);
        hook.fail_at = 0;
        check_sane(&x, x.a);
        check_sane(&x, x.b);
        check_sane(&x, x.c);
        all_free(&x);
        cr_assert_eq(hook.blocks, 0, "allocation %ld: %ld blocks are left", fail_at, hook.blocks);
    } while (s != OLA_OK);
    cr_expect_gt(fail_at, 30, "%ld", fail_at); /* the program has more allocations than that */
    uint64_t now, peak;
    ola_memory(&now, &peak);
    cr_expect_eq(now, 0u);
    free(map.bytes);
    free(poly.bytes);
}

Test(memory, evaluating_again_allocates_nothing)
{
    struct section map = some_map(), poly = some_poly();
    struct all x = {0};
    double v[512] = {1, 2, 3};
    ola_set_allocator(hook_alloc, hook_release);
    OK(set_up(&x, &map, &poly));
    OK(ola_encrypt(x.client, x.a, v, 8, 3, 0x1p34));
    OK(evaluate(&x));
    hook.calls = 0;
    OK(evaluate(&x));
    cr_expect_eq(hook.calls, 0);
    all_free(&x);
    free(map.bytes);
    free(poly.bytes);
}

/* Scratch is not added up over the operations: it is that of the one which wants most. */
Test(memory, operations_share_their_scratch)
{
    struct section map = some_map(), poly = some_poly();
    struct all x = {0};
    struct ola_server *alone[2];
    double v[512] = {1, 2, 3};
    OK(set_up(&x, &map, &poly));
    for (int k = 0; k < 2; k++)
        OK(ola_server_new(x.params, x.keys, &alone[k]));
    OK(ola_encrypt(x.client, x.a, v, 8, 3, 0x1p34));
    OK(ola_linear(alone[0], x.map, (const ola_ct *[]){x.a}, &x.b));
    OK(ola_poly_eval(alone[1], x.poly, (const ola_ct *[]){x.b}, &x.c));
    OK(evaluate(&x));
    size_t words = 0;
    for (int k = 0; k < 2; k++) {
        cr_expect_neq(alone[k]->scratch.words, 0u);
        words = alone[k]->scratch.words > words ? alone[k]->scratch.words : words;
    }
    cr_expect_eq(x.server->scratch.words, words);
    for (int k = 0; k < 2; k++)
        ola_server_free(alone[k]);
    all_free(&x);
    free(map.bytes);
    free(poly.bytes);
}
