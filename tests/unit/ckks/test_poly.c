/* test_poly.c - encrypted polynomials of every degree against Clenshaw's recurrence on doubles. */
#include "ckks_test.h"
#include "section.h"

static double
clenshaw(const double *c, uint32_t degree, double x)
{
    double b1 = 0, b2 = 0;
    for (uint32_t k = degree; k >= 1; k--) {
        double b = 2 * x * b1 - b2 + c[k];
        b2 = b1;
        b1 = b;
    }
    return x * b1 - b2 + c[0];
}

/* A polynomial of a degree on `cts` ciphertexts; coefficient k has `period` values, or one when k
 * is odd. */
struct fixture {
    struct section section;
    float *value; /* [cts][degree + 1][period] */
    uint32_t degree, cts, period;
};

static struct fixture
make(uint32_t degree, uint32_t cts, uint32_t period)
{
    struct fixture f = {.degree = degree, .cts = cts, .period = period};
    uint32_t n = cts * (degree + 1);
    double *v = malloc((size_t)n * period * sizeof *v);
    const float **coef = malloc(n * sizeof *coef);
    uint32_t *length = malloc(n * sizeof *length);
    f.value = malloc((size_t)n * period * sizeof *f.value);
    fill_random(v, n * period, degree);
    for (uint32_t k = 0; k < n; k++) {
        length[k] = k % 2 ? 1 : period;
        coef[k] = f.value + (size_t)k * period;
        for (uint32_t t = 0; t < period; t++)
            f.value[k * period + t] = (float)(v[k * period + t % length[k]] / (degree + 1));
    }
    struct ola_weights_poly head = {degree, cts, period, 0};
    f.section = poly_section(&head, coef, length);
    free(v);
    free(coef);
    free(length);
    return f;
}

static double
exact(const struct fixture *f, uint32_t ct, uint32_t t, double x)
{
    double c[64];
    for (uint32_t k = 0; k <= f->degree; k++)
        c[k] = f->value[(ct * (f->degree + 1) + k) * f->period + t % f->period];
    return clenshaw(c, f->degree, x);
}

static void
check(const struct world *w, uint32_t degree, uint32_t cts, uint32_t period, bool in_place)
{
    uint32_t n = w->slots, top = w->literal.n_q - 1, depth = ola_plan_poly_depth(degree);
    struct fixture f = make(degree, cts, period);
    double *x = malloc(n * sizeof *x), *want = malloc(n * sizeof *want);
    struct ola_map_desc desc = {top, w->scale * 1.01, w->scale * 0.97, false, 0};
    ola_poly *poly;
    const ola_ct *in[2];
    ola_ct *out[2], *fresh[2];
    OK(ola_poly_new(w->params, &desc, f.section.bytes, f.section.size, &poly));
    for (uint32_t k = 0; k < cts; k++) {
        fill_random(x, n, 100 + k);
        in[k] = fresh[k] = encrypt(w, x, top, desc.in_scale);
        out[k] = in_place ? fresh[k] : empty(w);
    }
    OK(ola_poly_eval(w->server, poly, in, out));
    for (uint32_t k = 0; k < cts; k++) {
        fill_random(x, n, 100 + k);
        for (uint32_t t = 0; t < n; t++)
            want[t] = exact(&f, k, t, x[t]);
        cr_expect_eq(ola_ct_level(out[k]), top - depth);
        cr_expect_eq(ola_ct_scale(out[k]), desc.out_scale);
        /* |T_k'| <= k^2 carries the noise of x on; every step adds a rounding, and coefficients are
         * at most 1. */
        double bound =
            degree * degree * bound_fresh(w, w->scale) + 4 * degree * bound_rounding(w, w->scale);
        double error = distance(w, out[k], want);
        cr_expect_lt(error, bound, "degree %u: %g, bound %g", degree, error, bound);
        ola_ct_free(fresh[k]);
        if (!in_place)
            ola_ct_free(out[k]);
    }
    ola_poly_free(poly);
    free(f.section.bytes);
    free(f.value);
    free(x);
    free(want);
}

static const struct world_spec deep = {
    .log_n = 10, .n_q = 7, .bits = 40, .n_p = 2, .p_bits = 48, .digit_limbs = 2, .toy = true};

Test(poly, all_degrees)
{
    struct world w;
    world_open(&w, &deep);
    for (uint32_t degree = 1; degree <= OLA_MAX_DEGREE; degree++)
        check(&w, degree, 1, 1, false);
    world_close(&w);
}

Test(poly, vectors_of_coefficients)
{
    struct world w;
    world_open(&w, &deep);
    check(&w, 3, 2, 8, false);
    check(&w, 7, 2, w.slots, true);
    check(&w, 4, 1, 64, true);
    check(&w, 2, 2, 2, false);
    world_close(&w);
}

Test(poly, secure_ring)
{
    static const struct world_spec spec = {
        .log_n = 14, .n_q = 5, .bits = 31, .n_p = 2, .p_bits = 40, .digit_limbs = 2};
    struct world w;
    world_open(&w, &spec);
    cr_expect_eq(ola_params_security(w.params), 256u - 64u * (ola_params_log_qp(w.params) > 230));
    check(&w, 7, 1, 1, false);
    check(&w, 5, 1, 128, false);
    world_close(&w);
}

Test(poly, errors)
{
    struct world w;
    world_open(&w, &deep);
    uint32_t top = w.literal.n_q - 1;
    double x[512] = {0};
    struct fixture f = make(7, 1, 1);
    ola_poly *poly;
    struct ola_map_desc desc = {2, w.scale, w.scale, false, 0};
    cr_expect_eq(ola_poly_new(w.params, &desc, f.section.bytes, f.section.size, &poly),
                 OLA_ERR_LEVEL);
    desc.level = 7;
    cr_expect_eq(ola_poly_new(w.params, &desc, f.section.bytes, f.section.size, &poly),
                 OLA_ERR_LEVEL);
    desc.level = top;
    cr_expect_eq(ola_poly_new(w.params, &desc, f.section.bytes, f.section.size - 1, &poly),
                 OLA_ERR_FORMAT);
    desc.in_scale = ldexp(1, 200);
    cr_expect_eq(ola_poly_new(w.params, &desc, f.section.bytes, f.section.size, &poly),
                 OLA_ERR_SCALE);
    desc.in_scale = NAN;
    cr_expect_eq(ola_poly_new(w.params, &desc, f.section.bytes, f.section.size, &poly),
                 OLA_ERR_PARAM);
    desc.in_scale = w.scale;
    OK(ola_poly_new(w.params, &desc, f.section.bytes, f.section.size, &poly));
    ola_ct *a = encrypt(&w, x, top, w.scale), *low = encrypt(&w, x, top - 1, w.scale);
    ola_ct *other = encrypt(&w, x, top, w.scale * 2), *out = empty(&w);
    cr_expect_eq(ola_poly_eval(w.server, poly, (const ola_ct *[]){low}, &out), OLA_ERR_LEVEL);
    cr_expect_eq(ola_poly_eval(w.server, poly, (const ola_ct *[]){other}, &out), OLA_ERR_SCALE);
    cr_expect_eq(ola_poly_eval(w.server, poly, (const ola_ct *[]){out}, &out), OLA_ERR_PARAM);
    cr_expect_eq(ola_poly_eval(w.server, poly, (const ola_ct *[]){NULL}, &out), OLA_ERR_PARAM);
    ola_server *keyless;
    OK(ola_server_new(w.params, NULL, &keyless));
    cr_expect_eq(ola_poly_eval(keyless, poly, (const ola_ct *[]){a}, &out), OLA_ERR_KEY);
    cr_expect_eq(ola_ct_level(out), 0u);
    ola_server_free(keyless);
    ola_poly_free(poly);
    ola_ct_free(a);
    ola_ct_free(low);
    ola_ct_free(other);
    ola_ct_free(out);
    free(f.section.bytes);
    free(f.value);
    world_close(&w);
}
