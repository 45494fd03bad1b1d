/* maps.h - contract.h's tests of linear maps and polynomials, against the definitions in
 * ola/plan.h. */
#include "contract/contract.h"

/* ---- linear maps ----------------------------------------------------------------------------- */

/* Two arguments of one ciphertext, two outputs, diagonals of three periods, both encodings, a fold,
 * a bias. */
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
    c->m = (struct plain_map){.head = {.args = 2,
                                       .in_cts = 1,
                                       .out_cts = 2,
                                       .n_diagonals = 6,
                                       .n_folds = 1,
                                       .bias_period = 8},
                              .diagonal = c->d,
                              .value = c->values,
                              .fold = c->fold,
                              .bias = c->bias};
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
    cr_expect_eq(n.rotations, 4 + 2 + 2, "babies, giants, folds; not %lu",
                 (unsigned long)n.rotations);
    cr_expect_eq(n.plain_products, 6);
    cr_expect_eq(n.rescales, 2);
    FAILS(OLA_ERR_PARAM,
          ola_linear(t.server, m, (const ola_ct *[]){t.a, t.b}, (ola_ct *[]){t.a, out}));
    OK(ola_drop(t.server, t.c, t.a, 4));
    FAILS(OLA_ERR_LEVEL,
          ola_linear(t.server, m, (const ola_ct *[]){t.c, t.b}, (ola_ct *[]){t.a, out}));
    OK(ola_relabel(t.server, t.c, t.a, 1.25));
    FAILS(OLA_ERR_SCALE,
          ola_linear(t.server, m, (const ola_ct *[]){t.c, t.b}, (ola_ct *[]){t.a, out}));
    expect_slots(&t, out, w1, "untouched by failures");
    ola_map_free(m);
    c.d[4].baby = 5; /* no key */
    struct bytes keyless = map_section(&c.m);
    OK(ola_map_new(t.p, &desc, keyless.data, keyless.size, &m));
    FAILS(OLA_ERR_KEY,
          ola_linear(t.server, m, (const ola_ct *[]){t.a, t.b}, (ola_ct *[]){t.c, out}));
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

/* Baby steps of two parts, the coarse ones in a chain. */
Test(contract, linear_in_two_steps)
{
    struct bench t = {0};
    static struct map_case c;
    bench_make(&t);
    map_case_make(&c);
    c.d[3].baby = 51; /* 48, which is 32 more than 16, and 3: no key for 48 */
    c.d[4].baby = 19; /* 16 and 3: no key for the whole */
    struct bytes section = map_section(&c.m);
    struct ola_map_desc desc = {
        .level = 5, .in_scale = TOY_SCALE, .out_scale = TOY_SCALE, .compact = true, .coarse = 16};
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
    ola_server_counts(t.server, &n);
    cr_expect_eq(n.rotations, 2 + 4 + 2 + 2, "coarse, fine, giants, folds; not %lu",
                 (unsigned long)n.rotations);
    ola_map_free(m);
    desc.coarse = 0;
    OK(ola_map_new(t.p, &desc, section.data, section.size, &m));
    FAILS(OLA_ERR_KEY,
          ola_linear(t.server, m, (const ola_ct *[]){t.a, t.b}, (ola_ct *[]){t.c, out}));
    ola_map_free(m);
    desc.coarse = SLOTS;
    FAILS(OLA_ERR_PARAM, ola_map_new(t.p, &desc, section.data, section.size, &m));
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
        struct ola_map_desc desc = {
            .level = 5, .in_scale = TOY_SCALE, .out_scale = TOY_SCALE * 1.25};
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
        FAILS(OLA_ERR_LEVEL,
              ola_poly_eval(t.server, f, (const ola_ct *[]){t.c}, (ola_ct *[]){t.c}));
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

/* Another client of the same parameters: neither his ciphertexts with these keys nor both together,
 * and what is computed under his keys is his, in handles that held something else before. */
Test(contract, maps_of_others)
{
    struct bench t = {0}, u = {0};
    static struct map_case c;
    double v[1];
    const uint32_t length[3] = {1, 1, 1};
    const float coef[3] = {0.5f, 0.25f, -0.125f};
    bench_make(&t);
    bench_make(&u);
    map_case_make(&c);
    struct bytes section = map_section(&c.m), square = poly_section(2, 1, 1, length, coef);
    struct ola_map_desc desc = {.level = 5, .in_scale = TOY_SCALE, .out_scale = TOY_SCALE};
    ola_map *m;
    ola_poly *f;
    ola_ct *out;
    OK(ola_ct_new(t.p, &out));
    OK(ola_map_new(t.p, &desc, section.data, section.size, &m));
    OK(ola_poly_new(t.p, &desc, square.data, square.size, &f));
    OK(ola_ct_copy(t.c, t.a));
    OK(ola_ct_copy(out, t.a));
    FAILS(OLA_ERR_OTHER_KEY,
          ola_linear(t.server, m, (const ola_ct *[]){u.a, u.b}, (ola_ct *[]){t.c, out}));
    FAILS(OLA_ERR_OTHER_KEY,
          ola_linear(t.server, m, (const ola_ct *[]){t.a, u.b}, (ola_ct *[]){t.c, out}));
    FAILS(OLA_ERR_OTHER_KEY,
          ola_linear(t.server, m, (const ola_ct *[]){u.a, t.b}, (ola_ct *[]){t.c, out}));
    FAILS(OLA_ERR_OTHER_KEY,
          ola_poly_eval(t.server, f, (const ola_ct *[]){u.a}, (ola_ct *[]){out}));
    expect_slots(&t, t.c, t.x, "untouched by failures");
    expect_slots(&t, out, t.x, "untouched by failures");
    OK(ola_linear(u.server, m, (const ola_ct *[]){u.a, u.b}, (ola_ct *[]){t.c, out}));
    OK(ola_decrypt(u.client, t.c, v, 1));
    OK(ola_decrypt(u.client, out, v, 1));
    FAILS(OLA_ERR_OTHER_KEY, ola_decrypt(t.client, t.c, v, 1));
    FAILS(OLA_ERR_OTHER_KEY, ola_decrypt(t.client, out, v, 1));
    OK(ola_ct_copy(out, t.a));
    OK(ola_poly_eval(u.server, f, (const ola_ct *[]){u.a}, (ola_ct *[]){out}));
    OK(ola_decrypt(u.client, out, v, 1));
    FAILS(OLA_ERR_OTHER_KEY, ola_decrypt(t.client, out, v, 1));
    ola_poly_free(f);
    ola_map_free(m);
    ola_ct_free(out);
    bytes_free(&section);
    bytes_free(&square);
    bench_free(&u);
    bench_free(&t);
}
