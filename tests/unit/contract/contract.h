/* contract.h - tests of the public interface alone. Compiled once against libola (unit/io) and once
 * against libola_sim (unit/sim): both must give the same values and the same statuses. */
#ifndef OLA_TEST_CONTRACT_H
#define OLA_TEST_CONTRACT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

#define SLOTS     512u
#define TOLERANCE 1e-5 /* toy ring, scale 2^40: noise is near 1e-8 */

#define OK(call)            cr_assert_eq((call), OLA_OK, #call)
#define FAILS(status, call) cr_expect_eq((call), (status), #call " should give " #status)

struct bench {
    ola_params *p;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_ct *a, *b, *c;
    double x[SLOTS], y[SLOTS], z[SLOTS];
};

/* Keys for steps 1, 2, 3, 16, 32 at the top, 4 at level 2 only; relinearisation at the top. */
static void
bench_make(struct bench *t)
{
    struct ola_literal l = toy_literal();
    const uint32_t step[] = {1, 2, 3, 4, 16, 32}, level[] = {5, 5, 5, 2, 5, 5};
    const struct ola_key_plan plan = {
        .relin_level = 5, .n_rotations = 6, .step = step, .level = level};
    uint64_t state = 7;
    OK(ola_params_new(&l, &t->p));
    cr_assert_eq(ola_params_slots(t->p), SLOTS);
    OK(ola_client_new(t->p, &t->client));
    OK(ola_client_keys(t->client, &plan, &t->keys));
    OK(ola_server_new(t->p, t->keys, &t->server));
    OK(ola_ct_new(t->p, &t->a));
    OK(ola_ct_new(t->p, &t->b));
    OK(ola_ct_new(t->p, &t->c));
    for (uint32_t k = 0; k < SLOTS; k++) {
        t->x[k] = random_unit(&state);
        t->y[k] = random_unit(&state);
    }
    OK(ola_encrypt(t->client, t->a, t->x, SLOTS, 5, TOY_SCALE));
    OK(ola_encrypt(t->client, t->b, t->y, SLOTS, 5, TOY_SCALE));
}

static void
bench_free(struct bench *t)
{
    ola_ct_free(t->a);
    ola_ct_free(t->b);
    ola_ct_free(t->c);
    ola_server_free(t->server);
    ola_keys_free(t->keys);
    ola_client_free(t->client);
    ola_params_free(t->p);
}

static void
expect_slots(struct bench *t, const ola_ct *ct, const double *want, const char *what)
{
    double got[SLOTS];
    OK(ola_decrypt(t->client, ct, got, SLOTS));
    for (uint32_t k = 0; k < SLOTS; k++)
        cr_assert_float_eq(got[k], want[k], TOLERANCE, "%s: slot %u is %.9g, not %.9g", what, k,
                           got[k], want[k]);
}

Test(contract, status_texts)
{
    for (int s = OLA_ERR_SPOILT; s <= OLA_OK; s++) {
        const char *text = ola_status_text((ola_status)s), *name = ola_status_name((ola_status)s);
        cr_assert(text != NULL && text[0] != '\0');
        cr_assert(name != NULL && strncmp(name, "OLA_", 4) == 0);
        for (int r = s + 1; r <= OLA_OK; r++) {
            cr_expect_str_neq(text, ola_status_text((ola_status)r));
            cr_expect_str_neq(name, ola_status_name((ola_status)r));
        }
    }
    cr_expect_str_eq(ola_status_name(OLA_ERR_SPOILT), "OLA_ERR_SPOILT");
    for (int s = -1; s <= 1; s += 2)
        cr_expect_str_eq(ola_status_name((ola_status)(s * 1000)), "OLA_ERR_UNKNOWN");
    cr_assert_neq(ola_backend_name()[0], '\0');
}

Test(contract, parameters)
{
    struct ola_literal l = secure_literal();
    ola_params *p = NULL;
    double want = 0.0;
    OK(ola_params_new(&l, &p));
    for (uint32_t k = 0; k < l.n_q; k++)
        want += log2((double)l.q[k]);
    cr_expect_float_eq(ola_params_log_qp(p), want + log2((double)l.p[0]), 1e-9);
    cr_expect_geq(ola_params_security(p), 128);
    cr_expect_eq(memcmp(ola_params_literal(p), &l, sizeof l), 0);
    uint8_t a[32], b[32];
    ola_params_fingerprint(p, a);
    cr_expect(ola_params_of(p, &l));
    cr_expect_eq(ola_params_slots(p), 1u << (l.log_n - 1));
    l.model[31] ^= 1;
    cr_expect(!ola_params_of(p, &l));
    ola_params_free(p);
    OK(ola_params_new(&l, &p));
    ola_params_fingerprint(p, b);
    cr_expect_neq(memcmp(a, b, 32), 0, "the model is part of the fingerprint");
    ola_params_free(p);

    struct ola_literal bad = toy_literal();
    bad.insecure_toy = false;
    FAILS(OLA_ERR_INSECURE, ola_params_new(&bad, &p));
    cr_expect_null(p);
    bad = toy_literal();
    bad.q[2] = bad.q[1];
    FAILS(OLA_ERR_PRIME, ola_params_new(&bad, &p));
    bad = toy_literal();
    bad.q[2] += 2048;
    FAILS(OLA_ERR_PRIME, ola_params_new(&bad, &p));
    bad = toy_literal();
    bad.log_n = 9;
    FAILS(OLA_ERR_PARAM, ola_params_new(&bad, &p));
    bad = toy_literal();
    bad.digit_limbs = bad.n_q + 1;
    FAILS(OLA_ERR_PARAM, ola_params_new(&bad, &p));
    bad = toy_literal();
    bad.n_q = OLA_MAX_Q + 1;
    FAILS(OLA_ERR_PARAM, ola_params_new(&bad, &p));
    FAILS(OLA_ERR_PARAM, ola_params_new(NULL, &p));
}

Test(contract, encryption)
{
    struct bench t = {0};
    double period[4] = {0.5, -1.0, 0.25, 3.0}, want[SLOTS];
    bench_make(&t);
    expect_slots(&t, t.a, t.x, "fresh");
    cr_expect_eq(ola_ct_level(t.a), 5);
    cr_expect_eq(ola_ct_scale(t.a), TOY_SCALE);
    OK(ola_encrypt(t.client, t.c, period, 4, 0, 0x1p30));
    for (uint32_t k = 0; k < SLOTS; k++)
        want[k] = period[k % 4];
    expect_slots(&t, t.c, want, "repeated");
    cr_expect_eq(ola_ct_level(t.c), 0);
    OK(ola_ct_copy(t.c, t.a));
    expect_slots(&t, t.c, t.x, "copied");
    double shared[SLOTS], sum = 0.0;
    OK(ola_decrypt_shared(t.client, t.a, shared, SLOTS, 0.25));
    for (uint32_t k = 0; k < SLOTS; k++)
        sum += (shared[k] - t.x[k]) * (shared[k] - t.x[k]);
    /* 512 draws: the estimate of the deviation is off by 3 % (one sigma). */
    cr_expect_float_eq(sqrt(sum / SLOTS), 0.25, 0.05);
    FAILS(OLA_ERR_PARAM, ola_encrypt(t.client, t.c, period, 3, 0, 0x1p30));
    FAILS(OLA_ERR_PARAM, ola_encrypt(t.client, t.c, t.x, 2 * SLOTS, 0, 0x1p30));
    FAILS(OLA_ERR_LEVEL, ola_encrypt(t.client, t.c, period, 4, 6, 0x1p30));
    FAILS(OLA_ERR_SCALE, ola_encrypt(t.client, t.c, period, 4, 0, 0x1p49));
    FAILS(OLA_ERR_SCALE, ola_encrypt(t.client, t.c, period, 4, 0, 0.0));
    FAILS(OLA_ERR_SCALE, ola_encrypt(t.client, t.c, period, 4, 0, (double)NAN));
    period[0] = 3.0;
    FAILS(OLA_ERR_RANGE, ola_encrypt(t.client, t.c, period, 1, 0, 0x1p47));
    period[1] = (double)INFINITY;
    FAILS(OLA_ERR_RANGE, ola_encrypt(t.client, t.c, period, 4, 0, 0x1p30));
    period[1] = (double)NAN;
    FAILS(OLA_ERR_RANGE, ola_encrypt(t.client, t.c, period, 4, 0, 0x1p30));
    expect_slots(&t, t.c, t.x, "after failures");
    FAILS(OLA_ERR_PARAM, ola_decrypt(t.client, t.a, shared, SLOTS + 1));
    FAILS(OLA_ERR_PARAM, ola_decrypt_shared(t.client, t.a, shared, SLOTS, 0.0));
    bench_free(&t);
}

Test(contract, arithmetic)
{
    struct bench t = {0};
    double w[SLOTS], v[2] = {0.75, -0.125};
    bench_make(&t);
    OK(ola_add(t.server, t.c, t.a, t.b));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] = t.x[k] + t.y[k];
    expect_slots(&t, t.c, w, "add");
    OK(ola_sub(t.server, t.c, t.a, t.b));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] = t.x[k] - t.y[k];
    expect_slots(&t, t.c, w, "sub");
    OK(ola_add_plain(t.server, t.c, t.c, v, 2));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] += v[k % 2];
    expect_slots(&t, t.c, w, "add_plain in place");
    OK(ola_relabel(t.server, t.c, t.c, 0.375));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] *= 0.375;
    expect_slots(&t, t.c, w, "relabel");
    cr_expect_float_eq(ola_ct_scale(t.c), TOY_SCALE / 0.375, 1.0);
    OK(ola_rotate(t.server, t.c, t.a, 3));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] = t.x[(k + 3) % SLOTS];
    expect_slots(&t, t.c, w, "rotate");
    OK(ola_rotate(t.server, t.c, t.a, 0));
    expect_slots(&t, t.c, t.x, "rotate by nothing");
    OK(ola_drop(t.server, t.c, t.a, 1));
    expect_slots(&t, t.c, t.x, "drop");
    cr_expect_eq(ola_ct_level(t.c), 1);
    OK(ola_rotate(t.server, t.c, t.c, 4));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] = t.x[(k + 4) % SLOTS];
    expect_slots(&t, t.c, w, "rotate below the key's level");
    bench_free(&t);
}

Test(contract, products)
{
    struct bench t = {0};
    double w[SLOTS];
    struct ola_counts n;
    bench_make(&t);
    const struct ola_literal *l = ola_params_literal(t.p);
    OK(ola_mul(t.server, t.c, t.a, t.b));
    cr_expect_eq(ola_ct_scale(t.c), TOY_SCALE * TOY_SCALE);
    FAILS(OLA_ERR_PARAM, ola_rotate(t.server, t.c, t.c, 1));
    FAILS(OLA_ERR_PARAM, ola_mul(t.server, t.c, t.c, t.a));
    FAILS(OLA_ERR_PARAM, ola_add_plain(t.server, t.c, t.c, w, 1));
    FAILS(OLA_ERR_PARAM, ola_relinearise(t.server, t.c, t.a));
    OK(ola_add(t.server, t.c, t.c, t.c));
    OK(ola_relinearise(t.server, t.c, t.c));
    OK(ola_rescale(t.server, t.c, t.c));
    cr_expect_eq(ola_ct_level(t.c), 4);
    cr_expect_float_eq(ola_ct_scale(t.c), TOY_SCALE * TOY_SCALE / (double)l->q[5], 1.0);
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] = 2.0 * t.x[k] * t.y[k];
    expect_slots(&t, t.c, w, "2 x y");
    OK(ola_mul(t.server, t.c, t.a, t.a));
    OK(ola_rescale(t.server, t.c, t.c)); /* before relinearisation */
    OK(ola_relinearise(t.server, t.c, t.c));
    for (uint32_t k = 0; k < SLOTS; k++)
        w[k] = t.x[k] * t.x[k];
    expect_slots(&t, t.c, w, "x x");
    ola_server_counts(t.server, &n);
    cr_expect_eq(n.products, 2);
    cr_expect_eq(n.relinearisations, 2);
    cr_expect_eq(n.rescales, 2);
    cr_expect_eq(n.rotations, 0);
    bench_free(&t);
}

Test(contract, refusals)
{
    struct bench t = {0};
    bench_make(&t);
    ola_ct *empty;
    ola_server *keyless;
    OK(ola_ct_new(t.p, &empty));
    OK(ola_server_new(t.p, NULL, &keyless));
    OK(ola_ct_copy(t.c, t.a));
    FAILS(OLA_ERR_PARAM, ola_add(t.server, t.c, t.a, empty));
    FAILS(OLA_ERR_PARAM, ola_rotate(t.server, t.c, t.a, SLOTS));
    FAILS(OLA_ERR_KEY, ola_rotate(t.server, t.c, t.a, 5));
    FAILS(OLA_ERR_KEY, ola_rotate(t.server, t.c, t.a, 4)); /* its key ends at level 2 */
    FAILS(OLA_ERR_KEY, ola_rotate(keyless, t.c, t.a, 1));
    FAILS(OLA_ERR_LEVEL, ola_drop(t.server, t.c, t.a, 6));
    FAILS(OLA_ERR_PARAM, ola_relabel(t.server, t.c, t.a, 0.0));
    FAILS(OLA_ERR_PARAM, ola_relabel(t.server, t.c, t.a, -1.0));
    FAILS(OLA_ERR_PARAM, ola_add_plain(t.server, t.c, t.a, t.x, 3));
    expect_slots(&t, t.c, t.x, "untouched by failures");
    OK(ola_drop(t.server, t.c, t.a, 4));
    FAILS(OLA_ERR_LEVEL, ola_add(t.server, t.c, t.c, t.a));
    FAILS(OLA_ERR_LEVEL, ola_mul(t.server, t.c, t.c, t.a));
    OK(ola_relabel(t.server, t.c, t.a, 1.0 + 1e-6));
    FAILS(OLA_ERR_SCALE, ola_add(t.server, t.c, t.c, t.a));
    OK(ola_relabel(t.server, t.c, t.a, 1.0 + 1e-12));
    OK(ola_add(t.server, t.c, t.c, t.a));
    OK(ola_drop(t.server, t.c, t.a, 0));
    FAILS(OLA_ERR_LEVEL, ola_rescale(t.server, t.c, t.c));
    FAILS(OLA_ERR_SCALE, ola_mul(t.server, t.c, t.c, t.c)); /* 2^80 in 49 bits */
    OK(ola_mul(keyless, t.c, t.a, t.b));
    FAILS(OLA_ERR_KEY, ola_relinearise(keyless, t.c, t.c));

    struct ola_literal other = toy_literal();
    other.model[0] ^= 1;
    ola_params *q;
    ola_ct *stranger;
    OK(ola_params_new(&other, &q));
    OK(ola_ct_new(q, &stranger));
    FAILS(OLA_ERR_PARAM, ola_add(t.server, stranger, t.a, t.b));
    FAILS(OLA_ERR_PARAM, ola_encrypt(t.client, stranger, t.x, SLOTS, 5, TOY_SCALE));
    ola_server *bad;
    FAILS(OLA_ERR_PARAM, ola_server_new(q, t.keys, &bad));
    ola_ct_free(stranger);
    ola_params_free(q);
    ola_ct_free(empty);
    ola_server_free(keyless);
    bench_free(&t);
}

Test(contract, key_plans)
{
    struct bench t = {0};
    bench_make(&t);
    ola_keys *k = NULL;
    uint32_t step[2] = {1, 2}, level[2] = {5, 5};
    struct ola_key_plan plan = {
        .relin_level = UINT32_MAX, .n_rotations = 2, .step = step, .level = level};
    OK(ola_client_keys(t.client, &plan, &k));
    uint64_t bytes = 2 * ola_plan_key_bytes(ola_params_literal(t.p), 5);
    cr_expect_geq(ola_keys_bytes(k), bytes);
    cr_expect_leq(ola_keys_bytes(k), bytes + 2 * 2 * SLOTS * sizeof(uint32_t),
                  "with an index for each");
    ola_keys_free(k);
    step[1] = SLOTS;
    FAILS(OLA_ERR_PARAM, ola_client_keys(t.client, &plan, &k));
    cr_expect_null(k);
    step[1] = 1;
    FAILS(OLA_ERR_PARAM, ola_client_keys(t.client, &plan, &k));
    step[1] = 2;
    level[0] = 6;
    FAILS(OLA_ERR_PARAM, ola_client_keys(t.client, &plan, &k));
    level[0] = 5;
    plan.relin_level = 6;
    FAILS(OLA_ERR_PARAM, ola_client_keys(t.client, &plan, &k));
    bench_free(&t);
}

#endif
