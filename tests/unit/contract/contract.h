/* contract.h - tests of the public interface alone. Compiled once against libola (unit/io) and once against
 * libola_sim (unit/sim): both must give the same values and the same statuses. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

#define SLOTS 512u
#define TOLERANCE 1e-5 /* toy ring, scale 2^40: noise is near 1e-8 */

#define OK(call) cr_assert_eq((call), OLA_OK, #call)
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
    const struct ola_key_plan plan = {.relin_level = 5, .n_rotations = 6, .step = step, .level = level};
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
        cr_assert_float_eq(got[k], want[k], TOLERANCE, "%s: slot %u is %.9g, not %.9g", what, k, got[k], want[k]);
}

Test(contract, status_texts)
{
    for (int s = OLA_ERR_SIM; s <= OLA_OK; s++) {
        const char *text = ola_status_text((ola_status)s);
        cr_assert(text != NULL && text[0] != '\0');
        for (int r = s + 1; r <= OLA_OK; r++)
            cr_expect_str_neq(text, ola_status_text((ola_status)r));
    }
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
    ola_params_free(p);
    l.model[31] ^= 1;
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
    bad.digit_limbs = 3; /* three primes of q against two of p */
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
    struct ola_key_plan plan = {.relin_level = UINT32_MAX, .n_rotations = 2, .step = step, .level = level};
    OK(ola_client_keys(t.client, &plan, &k));
    uint64_t bytes = 2 * ola_plan_key_bytes(ola_params_literal(t.p), 5);
    cr_expect_geq(ola_keys_bytes(k), bytes);
    cr_expect_leq(ola_keys_bytes(k), bytes + 2 * 2 * SLOTS * sizeof(uint32_t), "with an index for each");
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

/* ---- linear maps ----------------------------------------------------------------------------- */

/* Two arguments of one ciphertext, two outputs, diagonals of three periods, both encodings, a fold, a bias. */
struct map_case {
    struct plain_map m;
    struct ola_weights_diagonal d[6];
    float value[6][SLOTS];
    float *values[6];
    uint32_t fold[1];
    double bias[2 * 8];
};

static void
map_case_make(struct map_case *c)
{
    static const struct ola_weights_diagonal d[6] = {
        {.arg = 0, .out_ct = 0, .giant = 0, .baby = 0, .period = SLOTS},
        {.arg = 1, .out_ct = 0, .giant = 0, .baby = 1, .period = 8, .encoding = 1},
        {.arg = 0, .out_ct = 0, .giant = 16, .baby = 1, .period = 64},
        {.arg = 0, .out_ct = 0, .giant = 16, .baby = 2, .period = 1},
        {.arg = 0, .out_ct = 1, .giant = 32, .baby = 3, .period = SLOTS, .encoding = 1},
        {.arg = 1, .out_ct = 1, .giant = 32, .baby = 0, .period = 2},
    };
    uint64_t state = 99;
    memset(c, 0, sizeof *c);
    memcpy(c->d, d, sizeof d);
    for (int k = 0; k < 6; k++) {
        for (uint32_t t = 0; t < SLOTS; t++)
            c->value[k][t] = (float)random_unit(&state);
        for (uint32_t t = 0; t < SLOTS && d[k].encoding == 1; t++)
            c->value[k][t] = c->value[k][t / 4 * 4];
        c->values[k] = c->value[k];
    }
    for (int k = 0; k < 16; k++)
        c->bias[k] = random_unit(&state);
    c->fold[0] = 2;
    c->m = (struct plain_map){.head = {.args = 2, .in_cts = 1, .out_cts = 2, .n_diagonals = 6, .n_folds = 1,
                                       .bias_period = 8},
                              .diagonal = c->d, .value = c->values, .fold = c->fold, .bias = c->bias};
}

Test(contract, linear)
{
    struct bench t = {0};
    static struct map_case c;
    bench_make(&t);
    map_case_make(&c);
    struct bytes section = map_section(&c.m);
    struct ola_map_desc desc = {.level = 5, .in_scale = TOY_SCALE, .out_scale = 1.5 * TOY_SCALE};
    ola_map *m = NULL;
    ola_ct *out;
    double w0[SLOTS], w1[SLOTS];
    double *in[2] = {t.x, t.y}, *want[2] = {w0, w1};
    struct ola_counts n;
    OK(ola_ct_new(t.p, &out));
    OK(ola_map_new(t.p, &desc, section.data, section.size, &m));
    OK(ola_linear(t.server, m, (const ola_ct *[]){t.a, t.b}, (ola_ct *[]){t.c, out}));
    map_apply(&c.m, SLOTS, in, want);
    expect_slots(&t, t.c, w0, "first output");
    expect_slots(&t, out, w1, "second output");
    cr_expect_eq(ola_ct_level(out), 4);
    cr_expect_eq(ola_ct_scale(out), desc.out_scale);
    ola_server_counts(t.server, &n);
    cr_expect_eq(n.rotations, 4 + 2 + 2, "babies, giants, folds; not %lu", (unsigned long)n.rotations);
    cr_expect_eq(n.plain_products, 6);
    cr_expect_eq(n.rescales, 2);
    FAILS(OLA_ERR_PARAM, ola_linear(t.server, m, (const ola_ct *[]){t.a, t.b}, (ola_ct *[]){t.a, out}));
    OK(ola_drop(t.server, t.c, t.a, 4));
    FAILS(OLA_ERR_LEVEL, ola_linear(t.server, m, (const ola_ct *[]){t.c, t.b}, (ola_ct *[]){t.a, out}));
    OK(ola_relabel(t.server, t.c, t.a, 1.25));
    FAILS(OLA_ERR_SCALE, ola_linear(t.server, m, (const ola_ct *[]){t.c, t.b}, (ola_ct *[]){t.a, out}));
    expect_slots(&t, out, w1, "untouched by failures");
    ola_map_free(m);
    c.d[4].baby = 5; /* no key */
    struct bytes keyless = map_section(&c.m);
    OK(ola_map_new(t.p, &desc, keyless.data, keyless.size, &m));
    FAILS(OLA_ERR_KEY, ola_linear(t.server, m, (const ola_ct *[]){t.a, t.b}, (ola_ct *[]){t.c, out}));
    expect_slots(&t, out, w1, "untouched by failures");
    ola_map_free(m);
    desc.level = 0;
    FAILS(OLA_ERR_LEVEL, ola_map_new(t.p, &desc, section.data, section.size, &m));
    desc.level = 6;
    FAILS(OLA_ERR_LEVEL, ola_map_new(t.p, &desc, section.data, section.size, &m));
    cr_expect_null(m);
    bytes_free(&section);
    bytes_free(&keyless);
    ola_ct_free(out);
    bench_free(&t);
}

Test(contract, linear_free_of_level)
{
    struct bench t = {0};
    static struct map_case c;
    bench_make(&t);
    map_case_make(&c);
    c.m.head.free_of_level = 1;
    for (int k = 0; k < 6; k++) {
        c.d[k].period = 1;
        c.d[k].encoding = 0;
    }
    struct bytes section = map_section(&c.m);
    struct ola_map_desc desc = {.level = 5, .in_scale = TOY_SCALE, .out_scale = TOY_SCALE};
    ola_map *m;
    ola_ct *out;
    double w0[SLOTS], w1[SLOTS];
    double *in[2] = {t.x, t.y}, *want[2] = {w0, w1};
    OK(ola_ct_new(t.p, &out));
    OK(ola_map_new(t.p, &desc, section.data, section.size, &m));
    OK(ola_linear(t.server, m, (const ola_ct *[]){t.a, t.b}, (ola_ct *[]){t.c, out}));
    map_apply(&c.m, SLOTS, in, want);
    expect_slots(&t, t.c, w0, "first output");
    expect_slots(&t, out, w1, "second output");
    cr_expect_eq(ola_ct_level(out), 5);
    cr_expect_eq(ola_ct_scale(out), TOY_SCALE);
    ola_map_free(m);
    bytes_free(&section);
    ola_ct_free(out);
    bench_free(&t);
}

/* ---- polynomials ----------------------------------------------------------------------------- */

Test(contract, polynomials)
{
    struct bench t = {0};
    bench_make(&t);
    for (uint32_t degree = 1; degree <= 31; degree += degree < 9 ? 1 : 11) {
        uint32_t length[32], depth = ola_plan_poly_depth(degree);
        float coef[32 * 4];
        double w[SLOTS];
        uint64_t state = degree;
        float *next = coef;
        const float *at[32];
        for (uint32_t k = 0; k <= degree; k++) {
            length[k] = k % 3 == 1 ? 4 : 1; /* some coefficients differ from slot to slot */
            at[k] = next;
            for (uint32_t u = 0; u < length[k]; u++)
                *next++ = (float)(random_unit(&state) / (1 + k));
        }
        struct bytes section = poly_section(degree, 1, 4, length, coef);
        struct ola_map_desc desc = {.level = 5, .in_scale = TOY_SCALE, .out_scale = TOY_SCALE * 1.25};
        ola_poly *f;
        OK(ola_poly_new(t.p, &desc, section.data, section.size, &f));
        OK(ola_poly_eval(t.server, f, (const ola_ct *[]){t.a}, (ola_ct *[]){t.c}));
        for (uint32_t u = 0; u < SLOTS; u++) {
            w[u] = 0.0;
            for (uint32_t k = 0; k <= degree; k++)
                w[u] += (double)at[k][length[k] == 4 ? u % 4 : 0] * cos(k * acos(t.x[u]));
        }
        expect_slots(&t, t.c, w, "polynomial");
        cr_expect_eq(ola_ct_level(t.c), 5 - depth);
        cr_expect_eq(ola_ct_scale(t.c), desc.out_scale);
        FAILS(OLA_ERR_LEVEL, ola_poly_eval(t.server, f, (const ola_ct *[]){t.c}, (ola_ct *[]){t.c}));
        ola_poly_free(f);
        desc.level = depth - 1;
        FAILS(OLA_ERR_LEVEL, ola_poly_new(t.p, &desc, section.data, section.size, &f));
        cr_expect_null(f);
        bytes_free(&section);
    }
    bench_free(&t);
}

Test(contract, polynomial_refusals)
{
    struct bench t = {0};
    bench_make(&t);
    const uint32_t length[4] = {1, 1, 1, 1};
    const float coef[4] = {0.5f, 0.25f, -0.125f, 0.5f};
    struct bytes section = poly_section(3, 1, 1, length, coef);
    struct ola_map_desc desc = {.level = 5, .in_scale = TOY_SCALE, .out_scale = TOY_SCALE};
    ola_poly *f;
    ola_server *keyless;
    OK(ola_server_new(t.p, NULL, &keyless));
    OK(ola_poly_new(t.p, &desc, section.data, section.size, &f));
    FAILS(OLA_ERR_KEY, ola_poly_eval(keyless, f, (const ola_ct *[]){t.a}, (ola_ct *[]){t.c}));
    OK(ola_drop(t.server, t.c, t.a, 3));
    FAILS(OLA_ERR_LEVEL, ola_poly_eval(t.server, f, (const ola_ct *[]){t.c}, (ola_ct *[]){t.c}));
    OK(ola_relabel(t.server, t.c, t.a, 2.0));
    FAILS(OLA_ERR_SCALE, ola_poly_eval(t.server, f, (const ola_ct *[]){t.c}, (ola_ct *[]){t.c}));
    OK(ola_poly_eval(t.server, f, (const ola_ct *[]){t.a}, (ola_ct *[]){t.a})); /* in place */
    ola_poly_free(f);
    for (size_t size = 0; size < section.size; size++)
        FAILS(OLA_ERR_FORMAT, ola_poly_new(t.p, &desc, section.data, size, &f));
    bytes_free(&section);
    ola_server_free(keyless);
    bench_free(&t);
}

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
    cr_expect_eq(memcmp(ola_params_literal(p), ola_params_literal(t.p), sizeof(struct ola_literal)), 0);
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
