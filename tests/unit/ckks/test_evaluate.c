/* test_evaluate.c - every operation on ciphertexts against the same on doubles, within a bound from
 * the noise's size. */
#include "ckks_test.h"

static const struct world_spec small = {.log_n = 13,
                                        .n_q = 3,
                                        .bits = 40,
                                        .n_p = 1,
                                        .p_bits = 49,
                                        .digit_limbs = 1,
                                        .n_steps = 3,
                                        .steps = {1, 5, 4095}};
static const struct world_spec toy = {.log_n = 10,
                                      .n_q = 5,
                                      .bits = 40,
                                      .n_p = 2,
                                      .p_bits = 48,
                                      .digit_limbs = 2,
                                      .toy = true,
                                      .n_steps = 4,
                                      .steps = {1, 3, 64, 511}};

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

/* ---- each operation on its own ---- */

struct three {
    struct world w;
    uint32_t n, top;
    double *x, *y, *z;
    ola_ct *a, *b, *c;
};

static void
three_open(struct three *s, const struct world_spec *spec)
{
    world_open(&s->w, spec);
    s->n = s->w.slots;
    s->top = s->w.literal.n_q - 1;
    s->x = malloc(s->n * sizeof *s->x);
    s->y = malloc(s->n * sizeof *s->y);
    s->z = malloc(s->n * sizeof *s->z);
    fill_random(s->x, s->n, 1);
    fill_random(s->y, s->n, 2);
    s->a = encrypt(&s->w, s->x, s->top, s->w.scale);
    s->b = encrypt(&s->w, s->y, s->top, s->w.scale);
    s->c = empty(&s->w);
}

static void
three_close(struct three *s)
{
    ola_ct_free(s->a);
    ola_ct_free(s->b);
    ola_ct_free(s->c);
    free(s->x);
    free(s->y);
    free(s->z);
    world_close(&s->w);
}

Test(evaluate, add_and_sub)
{
    struct three s;
    three_open(&s, &toy);
    double bound = 2 * bound_fresh(&s.w, s.w.scale);
    OK(ola_add(s.w.server, s.c, s.a, s.b));
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = s.x[t] + s.y[t];
    cr_expect_lt(distance(&s.w, s.c, s.z), bound);
    OK(ola_sub(s.w.server, s.b, s.a, s.b)); /* in place on the second */
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = s.x[t] - s.y[t];
    cr_expect_lt(distance(&s.w, s.b, s.z), bound);
    OK(ola_sub(s.w.server, s.a, s.a, s.a));
    memset(s.z, 0, s.n * sizeof *s.z);
    cr_expect_lt(distance(&s.w, s.a, s.z), 1e-300);
    three_close(&s);
}

/* a * b + a - b * b, relinearised and rescaled once: sums of unequal numbers of parts. */
Test(evaluate, sums_of_three_parts)
{
    struct three s;
    three_open(&s, &toy);
    double scale = s.w.scale, square = scale * scale;
    ola_ct *lone = encrypt(&s.w, s.x, s.top, square), *d = empty(&s.w);
    OK(ola_mul(s.w.server, s.c, s.a, s.b));
    OK(ola_mul(s.w.server, d, s.b, s.b));
    OK(ola_add(s.w.server, s.c, lone, s.c)); /* two parts first */
    OK(ola_sub(s.w.server, lone, lone, d));
    OK(ola_sub(s.w.server, s.c, s.c, d));
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = s.x[t] * s.y[t] + s.x[t] - s.y[t] * s.y[t];
    for (int early = 0; early < 2; early++) { /* rescaled before or after it is relinearised */
        OK(ola_ct_copy(d, s.c));
        if (early)
            OK(ola_rescale(s.w.server, d, d));
        OK(ola_relinearise(s.w.server, d, d));
        if (!early)
            OK(ola_rescale(s.w.server, d, d));
        double at = ola_ct_scale(d);
        double three_parts =
            bound_rounding(&s.w, at) * 6 * sqrt(s.n); /* a third part is rounded, times s^2 */
        double bound = 8 * bound_fresh(&s.w, scale) + 2 * bound_switch(&s.w, at) + three_parts;
        cr_expect_lt(distance(&s.w, d, s.z), bound, "%g %g", distance(&s.w, d, s.z), bound);
    }
    OK(ola_relinearise(s.w.server, lone, lone));
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = s.x[t] - s.y[t] * s.y[t];
    cr_expect_lt(distance(&s.w, lone, s.z), 8 * bound_fresh(&s.w, scale));
    ola_ct_free(lone);
    ola_ct_free(d);
    three_close(&s);
}

Test(evaluate, mul_in_place_and_square)
{
    struct three s;
    three_open(&s, &toy);
    OK(ola_mul(s.w.server, s.a, s.a, s.a));
    OK(ola_relinearise(s.w.server, s.c, s.a));
    OK(ola_rescale(s.w.server, s.b, s.c));
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = s.x[t] * s.x[t];
    double bound = 4 * bound_fresh(&s.w, s.w.scale) + 2 * bound_rounding(&s.w, ola_ct_scale(s.b));
    cr_expect_lt(distance(&s.w, s.b, s.z), bound);
    cr_expect_float_eq(ola_ct_scale(s.b), s.w.scale * s.w.scale / (double)s.w.literal.q[s.top],
                       1.0);
    three_close(&s);
}

Test(evaluate, add_plain_of_every_period)
{
    struct three s;
    three_open(&s, &toy);
    for (uint32_t period = 1; period <= s.n; period *= 8) {
        OK(ola_add_plain(s.w.server, s.c, s.a, s.y, period));
        for (uint32_t t = 0; t < s.n; t++)
            s.z[t] = s.x[t] + s.y[t % period];
        cr_expect_lt(distance(&s.w, s.c, s.z), 2 * bound_fresh(&s.w, s.w.scale));
    }
    OK(ola_add_plain(s.w.server, s.a, s.a, s.y, 8));
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = s.x[t] + s.y[t % 8];
    cr_expect_lt(distance(&s.w, s.a, s.z), 2 * bound_fresh(&s.w, s.w.scale));
    three_close(&s);
}

Test(evaluate, drop_relabel_copy)
{
    struct three s;
    three_open(&s, &toy);
    for (uint32_t level = s.top + 1; level-- > 0;) {
        OK(ola_drop(s.w.server, s.c, s.a, level));
        cr_expect_eq(ola_ct_level(s.c), level);
        cr_expect_lt(distance(&s.w, s.c, s.x), bound_fresh(&s.w, s.w.scale));
    }
    OK(ola_drop(s.w.server, s.a, s.a, 1));
    OK(ola_relabel(s.w.server, s.a, s.a, 0.25));
    cr_expect_eq(ola_ct_scale(s.a), 4 * s.w.scale);
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = 0.25 * s.x[t];
    cr_expect_lt(distance(&s.w, s.a, s.z), bound_fresh(&s.w, s.w.scale));
    OK(ola_ct_copy(s.b, s.a)); /* from higher to lower */
    cr_expect_lt(distance(&s.w, s.b, s.z), bound_fresh(&s.w, s.w.scale));
    cr_expect_eq(ola_ct_level(s.b), 1u);
    three_close(&s);
}

Test(evaluate, rotations_at_every_level)
{
    struct three s;
    three_open(&s, &toy);
    OK(ola_rotate(s.w.server, s.c, s.a, 0));
    cr_expect_lt(distance(&s.w, s.c, s.x), bound_fresh(&s.w, s.w.scale));
    for (uint32_t level = s.top + 1; level-- > 0;) {
        OK(ola_drop(s.w.server, s.a, s.a, level));
        OK(ola_rotate(s.w.server, s.c, s.a, 64));
        for (uint32_t t = 0; t < s.n; t++)
            s.z[t] = s.x[(t + 64) % s.n];
        double bound = bound_fresh(&s.w, s.w.scale) + bound_switch(&s.w, s.w.scale);
        cr_expect_lt(distance(&s.w, s.c, s.z), bound);
        OK(ola_rotate(s.w.server, s.c, s.c, 511)); /* in place */
        for (uint32_t t = 0; t < s.n; t++)
            s.z[t] = s.x[(t + 63) % s.n];
        cr_expect_lt(distance(&s.w, s.c, s.z), 2 * bound);
    }
    three_close(&s);
}

/* A larger digit than the level has limbs, a key for a lower level, wide and narrow primes; digits
 * that could have more limbs than their special primes hold, and are cut unevenly. */
Test(evaluate, digits_of_every_size)
{
    for (uint32_t k = 0; k < 10; k++) {
        const uint32_t limbs = k % 5 + 1;
        struct world_spec spec = {.log_n = 10,
                                  .n_q = 5,
                                  .bits = limbs % 2 ? 28 : 38,
                                  .n_p = limbs,
                                  .p_bits = 46,
                                  .digit_limbs = k < 5 ? limbs : 5,
                                  .toy = true,
                                  .n_steps = 1,
                                  .steps = {3}};
        struct three s;
        three_open(&s, &spec);
        OK(ola_rotate(s.w.server, s.c, s.a, 3));
        for (uint32_t t = 0; t < s.n; t++)
            s.z[t] = s.x[(t + 3) % s.n];
        double bound = bound_fresh(&s.w, s.w.scale) + bound_switch(&s.w, s.w.scale);
        cr_expect_lt(distance(&s.w, s.c, s.z), bound, "digits of %u", limbs);
        three_close(&s);
    }
}

Test(evaluate, keys_of_lower_levels)
{
    struct three s;
    const uint32_t step[2] = {2, 9}, level[2] = {1, 3};
    struct ola_key_plan plan = {2, 2, step, level};
    ola_keys *keys;
    ola_server *server;
    three_open(&s, &toy);
    OK(ola_client_keys(s.w.client, &plan, &keys));
    OK(ola_server_new(s.w.params, keys, &server));
    cr_expect_lt(ola_keys_bytes(keys), ola_keys_bytes(s.w.keys));
    cr_expect_eq(ola_rotate(server, s.c, s.a, 9), OLA_ERR_KEY);
    OK(ola_drop(server, s.a, s.a, 3));
    OK(ola_rotate(server, s.c, s.a, 9));
    cr_expect_eq(ola_rotate(server, s.c, s.a, 2), OLA_ERR_KEY);
    cr_expect_eq(ola_rotate(server, s.c, s.a, 4), OLA_ERR_KEY);
    OK(ola_drop(server, s.a, s.a, 0));
    OK(ola_rotate(server, s.c, s.a, 2));
    for (uint32_t t = 0; t < s.n; t++)
        s.z[t] = s.x[(t + 2) % s.n];
    cr_expect_lt(distance(&s.w, s.c, s.z),
                 bound_fresh(&s.w, s.w.scale) + bound_switch(&s.w, s.w.scale));
    OK(ola_mul(server, s.b, s.b, s.b));
    cr_expect_eq(ola_relinearise(server, s.b, s.b), OLA_ERR_KEY);
    ola_server_free(server);
    ola_keys_free(keys);
    three_close(&s);
}

Test(evaluate, errors)
{
    struct three s;
    three_open(&s, &toy);
    ola_server *e = s.w.server, *keyless;
    ola_ct *none = empty(&s.w), *tensor = empty(&s.w), *low = encrypt(&s.w, s.x, 0, s.w.scale);
    ola_ct *other = encrypt(&s.w, s.x, s.top, s.w.scale * (1 + 1e-8));
    OK(ola_mul(e, tensor, s.a, s.b));
    OK(ola_server_new(s.w.params, NULL, &keyless));
    cr_expect_eq(ola_add(e, s.c, s.a, low), OLA_ERR_LEVEL);
    cr_expect_eq(ola_add(e, s.c, s.a, other), OLA_ERR_SCALE);
    cr_expect_eq(ola_add(e, s.c, s.a, none), OLA_ERR_PARAM);
    cr_expect_eq(ola_add(e, s.c, NULL, s.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_add(NULL, s.c, s.a, s.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_sub(e, NULL, s.a, s.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_mul(e, s.c, s.a, low), OLA_ERR_LEVEL);
    cr_expect_eq(ola_mul(e, s.c, low, low), OLA_ERR_SCALE);
    cr_expect_eq(ola_mul(e, s.c, tensor, s.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_relinearise(e, s.c, s.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_relinearise(keyless, s.c, tensor), OLA_ERR_KEY);
    cr_expect_eq(ola_rotate(keyless, s.c, s.a, 1), OLA_ERR_KEY);
    cr_expect_eq(ola_rotate(e, s.c, s.a, s.n), OLA_ERR_PARAM);
    cr_expect_eq(ola_rotate(e, s.c, tensor, 1), OLA_ERR_PARAM);
    cr_expect_eq(ola_rotate(e, s.c, s.a, 7), OLA_ERR_KEY);
    cr_expect_eq(ola_rescale(e, s.c, low), OLA_ERR_LEVEL);
    cr_expect_eq(ola_drop(e, s.c, low, 1), OLA_ERR_LEVEL);
    cr_expect_eq(ola_drop(e, s.c, tensor, 0), OLA_ERR_SCALE);
    cr_expect_eq(ola_relabel(e, s.c, s.a, 0.0), OLA_ERR_PARAM);
    cr_expect_eq(ola_relabel(e, s.c, s.a, NAN), OLA_ERR_PARAM);
    cr_expect_eq(ola_relabel(e, s.c, low, 1e-9), OLA_ERR_SCALE);
    cr_expect_eq(ola_relabel(e, s.c, tensor, 2.0), OLA_ERR_PARAM);
    cr_expect_eq(ola_add_plain(e, s.c, s.a, s.x, 3), OLA_ERR_PARAM);
    cr_expect_eq(ola_add_plain(e, s.c, s.a, s.x, 2 * s.n), OLA_ERR_PARAM);
    cr_expect_eq(ola_add_plain(e, s.c, s.a, NULL, 1), OLA_ERR_PARAM);
    s.y[0] = 1e12;
    cr_expect_eq(ola_add_plain(e, s.c, low, s.y, 1), OLA_ERR_RANGE);
    s.y[0] = NAN;
    cr_expect_eq(ola_add_plain(e, s.c, s.a, s.y, 1), OLA_ERR_RANGE);
    cr_expect_eq(ola_ct_copy(s.c, none), OLA_ERR_PARAM);
    cr_expect_eq(s.c->parts, 0u, "no failure has written");
    cr_expect_lt(distance(&s.w, s.a, s.x), bound_fresh(&s.w, s.w.scale));
    ola_server_free(keyless);
    ola_ct_free(none);
    ola_ct_free(tensor);
    ola_ct_free(low);
    ola_ct_free(other);
    three_close(&s);
}

Test(evaluate, other_parameters_are_refused)
{
    struct three s, o;
    three_open(&s, &toy);
    three_open(&o, &small);
    cr_expect_eq(ola_add(s.w.server, s.c, o.a, o.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_add(s.w.server, o.c, s.a, s.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_ct_copy(o.c, s.a), OLA_ERR_PARAM);
    ola_server *server = (ola_server *)1;
    cr_expect_eq(ola_server_new(s.w.params, o.w.keys, &server), OLA_ERR_PARAM);
    cr_expect_null(server);
    three_close(&s);
    three_close(&o);
}

Test(evaluate, counts)
{
    struct three s;
    struct ola_counts c;
    three_open(&s, &toy);
    OK(ola_mul(s.w.server, s.c, s.a, s.b));
    OK(ola_relinearise(s.w.server, s.c, s.c));
    OK(ola_rescale(s.w.server, s.c, s.c));
    OK(ola_rotate(s.w.server, s.c, s.c, 3));
    OK(ola_add(s.w.server, s.c, s.c, s.c));
    ola_server_counts(s.w.server, &c);
    cr_expect_eq(c.products, 1u);
    cr_expect_eq(c.relinearisations, 1u);
    cr_expect_eq(c.rescales, 1u);
    cr_expect_eq(c.rotations, 1u);
    cr_expect_eq(c.additions, 1u);
    cr_expect_eq(c.plain_products, 0u);
    three_close(&s);
}
