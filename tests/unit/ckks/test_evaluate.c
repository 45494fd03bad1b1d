/* test_evaluate.c - every operation on ciphertexts against the same on doubles, within a bound from the noise's size. */
#include "ckks_test.h"

static const struct world_spec small = {
    .log_n = 13, .n_q = 3, .bits = 40, .n_p = 1, .p_bits = 49, .digit_limbs = 1, .n_steps = 3, .steps = {1, 5, 4095}};
static const struct world_spec toy = {.log_n = 10, .n_q = 5, .bits = 40, .n_p = 2, .p_bits = 48, .digit_limbs = 2,
                                      .toy = true, .n_steps = 4, .steps = {1, 3, 64, 511}};

static void
whole_trip(const struct world_spec *spec)
{
    struct world w;
    world_open(&w, spec);
    uint32_t n = w.slots, top = w.literal.n_q - 1;
    double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y), *z = malloc(n * sizeof *z);
    fill_random(x, n, 1);
    fill_random(y, n, 2);
    ola_ct *a = encrypt(&w, x, top, w.scale), *b = encrypt(&w, y, top, w.scale), *c = empty(&w);
    cr_expect_lt(distance(&w, a, x), bound_fresh(&w, w.scale));
    OK(ola_mul(w.server, c, a, b));
    OK(ola_relinearise(w.server, c, c));
    OK(ola_rescale(w.server, c, c));
    for (uint32_t t = 0; t < n; t++)
        z[t] = x[t] * y[t];
    cr_expect_eq(ola_ct_level(c), top - 1);
    double scale = ola_ct_scale(c);
    double bound = 3 * bound_fresh(&w, w.scale) + 2 * bound_rounding(&w, scale);
    cr_expect_lt(distance(&w, c, z), bound, "%g %g", distance(&w, c, z), bound);
    for (uint32_t k = 0; k < spec->n_steps; k++) {
        OK(ola_rotate(w.server, b, c, spec->steps[k]));
        for (uint32_t t = 0; t < n; t++)
            y[t] = z[(t + spec->steps[k]) % n];
        cr_expect_lt(distance(&w, b, y), bound + bound_switch(&w, scale), "%g", distance(&w, b, y));
    }
    ola_ct_free(a);
    ola_ct_free(b);
    ola_ct_free(c);
    free(x);
    free(y);
    free(z);
    world_close(&w);
}

Test(evaluate, whole_trip_secure)
{
    whole_trip(&small);
}

Test(evaluate, whole_trip_digits_of_two)
{
    whole_trip(&toy);
}
