/* test_linear.c - linear maps against the naive sum over diagonals. */
#include "ckks/map.h"
#include "ckks_test.h"
#include "section.h"

static const struct world_spec toy = {
    .log_n = 10,
    .n_q = 4,
    .bits = 30,
    .n_p = 2,
    .p_bits = 45,
    .digit_limbs = 2,
    .toy = true,
    .n_steps = 19,
    .steps = {1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 16, 20, 24, 32, 64, 128, 256, 384}};

/* A map with random values. */
struct fixture {
    struct ola_weights_map head;
    struct diagonal *diagonal;
    const uint32_t *folds;
    double *bias;
    struct section section;
};

static void
add_diagonal(struct fixture *f, struct diagonal d)
{
    uint32_t k = f->head.n_diagonals++;
    float *value = malloc(d.period * sizeof *value);
    double *v = malloc(d.period * sizeof *v);
    fill_random(v, d.period, 1000 + k);
    for (uint32_t t = 0; t < d.period; t++)
        value[t] = f->head.free_of_level ? 1.0f : (float)v[t];
    free(v);
    d.value = value;
    f->diagonal = realloc(f->diagonal, f->head.n_diagonals * sizeof d);
    f->diagonal[k] = d;
}

static void
finish(struct fixture *f, uint32_t bias_period)
{
    if (bias_period != 0) {
        f->head.bias_period = bias_period;
        f->bias = malloc(f->head.out_cts * bias_period * sizeof *f->bias);
        fill_random(f->bias, f->head.out_cts * bias_period, 5);
    }
    f->section = map_section(&f->head, f->diagonal, f->folds, f->bias);
}

static void
fixture_free(struct fixture *f)
{
    for (uint32_t k = 0; k < f->head.n_diagonals; k++)
        free((void *)(uintptr_t)f->diagonal[k].value);
    free(f->diagonal);
    free(f->bias);
    free(f->section.bytes);
}

/* out += rotate(value . rotate(in, baby), giant), as he.h defines it. */
static void
apply(const struct fixture *f, uint32_t n, double *const *in, double *const *out)
{
    double *t = malloc(n * sizeof *t);
    for (uint32_t j = 0; j < f->head.out_cts; j++)
        memset(out[j], 0, n * sizeof **out);
    for (uint32_t k = 0; k < f->head.n_diagonals; k++) {
        const struct diagonal *d = &f->diagonal[k];
        const double *x = in[d->arg * f->head.in_cts + d->in_ct];
        for (uint32_t i = 0; i < n; i++)
            t[i] = d->value[i % d->period] * x[(i + d->baby) % n];
        for (uint32_t i = 0; i < n; i++)
            out[d->out_ct][i] += t[(i + d->giant) % n];
    }
    for (uint32_t j = 0; j < f->head.out_cts; j++) {
        for (uint32_t k = 0; k < f->head.n_folds; k++) {
            for (uint32_t i = 0; i < n; i++)
                t[i] = out[j][i] + out[j][(i + f->folds[k]) % n];
            memcpy(out[j], t, n * sizeof *t);
        }
        for (uint32_t i = 0; f->bias != NULL && i < n; i++)
            out[j][i] += f->bias[j * f->head.bias_period + i % f->head.bias_period];
    }
    free(t);
}

#define MOST 4

static void
expect_same_bits(const ola_ct *a, const ola_ct *b)
{
    for (uint32_t part = 0; part < 2; part++)
        cr_expect_arr_eq(ola_ct_limb(a, part, 0), ola_ct_limb(b, part, 0),
                         (a->level + 1) * (size_t)a->params->n * sizeof(uint64_t));
}

static uint32_t
coarse_parts(const struct fixture *f, uint32_t coarse)
{
    bool seen[512] = {false};
    uint32_t count = 0;
    for (uint32_t k = 0; k < f->head.n_diagonals; k++) {
        bool *part = &seen[f->diagonal[k].baby / coarse];
        count += !*part;
        *part = true;
    }
    return count;
}

/* One way to evaluate a map; out keeps the result. */
static void
check_way(const struct world *w, const struct fixture *f, const struct ola_map_desc *desc,
          ola_ct *const *in, double *const *want, ola_ct *const *out)
{
    ola_map *map;
    OK(ola_map_new(w->params, desc, f->section.bytes, f->section.size, &map));
    for (int twice = 0; twice < 2; twice++) { /* the second time over what the first left */
        OK(ola_linear(w->server, map, (const ola_ct *const *)in, out));
        /* Each term carries the noise of its input and of a switch, or of one for each coarse part
         * and one, times a value below 1; values are rounded too. */
        double scale = fmin(w->scale, desc->out_scale), terms = f->head.n_diagonals + 1.0;
        double switches = 2 + (desc->coarse == 0 ? 0 : coarse_parts(f, desc->coarse));
        double one =
            bound_fresh(w, scale) + switches * bound_switch(w, scale) + bound_rounding(w, scale);
        double bound = one * terms * ldexp(1, (int)f->head.n_folds);
        for (uint32_t k = 0; k < f->head.out_cts; k++) {
            cr_expect_eq(ola_ct_level(out[k]), desc->level - !f->head.free_of_level);
            cr_expect_eq(ola_ct_scale(out[k]), desc->out_scale);
            double error = distance(w, out[k], want[k]);
            cr_expect_lt(error, bound, "%g, bound %g", error, bound);
        }
    }
    ola_map_free(map);
}

/* With babies made at once and in two, with plaintexts that are compact and not. */
static void
check(const struct world *w, const struct fixture *f, uint32_t level, double out_scale)
{
    uint32_t n = w->slots, n_in = f->head.args * f->head.in_cts, n_out = f->head.out_cts;
    double *x[MOST], *want[MOST];
    ola_ct *in[MOST], *out[MOST], *compact[MOST];
    for (uint32_t k = 0; k < n_in; k++) {
        x[k] = malloc(n * sizeof **x);
        fill_random(x[k], n, 10 + k);
        in[k] = encrypt(w, x[k], level, w->scale);
    }
    for (uint32_t k = 0; k < n_out; k++) {
        want[k] = malloc(n * sizeof **want);
        out[k] = empty(w);
        compact[k] = empty(w);
    }
    apply(f, n, x, want);
    for (uint32_t coarse = 0; coarse <= 2; coarse += 2) {
        check_way(w, f, &(struct ola_map_desc){level, w->scale, out_scale, false, coarse}, in, want,
                  out);
        check_way(w, f, &(struct ola_map_desc){level, w->scale, out_scale, true, coarse}, in, want,
                  compact);
        for (uint32_t k = 0; k < n_out; k++)
            expect_same_bits(out[k], compact[k]);
    }
    for (uint32_t k = 0; k < n_in; k++) {
        free(x[k]);
        ola_ct_free(in[k]);
    }
    for (uint32_t k = 0; k < n_out; k++) {
        free(want[k]);
        ola_ct_free(out[k]);
        ola_ct_free(compact[k]);
    }
}

Test(linear, matrix_with_giants_and_bias)
{
    struct world w;
    struct fixture f = {.head = {.args = 1, .in_cts = 1, .out_cts = 1}};
    world_open(&w, &toy);
    for (uint32_t giant = 0; giant < 20; giant += 4) {
        for (uint32_t baby = 0; baby < 4; baby++)
            add_diagonal(&f, (struct diagonal){.giant = giant, .baby = baby, .period = w.slots});
    }
    finish(&f, w.slots);
    for (uint32_t level = 1; level < 4; level++)
        check(&w, &f, level, w.scale * 1.07);
    fixture_free(&f);
    world_close(&w);
}

Test(linear, several_ciphertexts_and_arguments)
{
    struct world w;
    struct fixture f = {.head = {.args = 2, .in_cts = 2, .out_cts = 3}};
    world_open(&w, &toy);
    for (uint32_t out = 0; out < 3; out += 2) { /* nothing leads to output 1 */
        for (uint32_t giant = 0; giant < 25; giant += 8) {
            for (uint32_t arg = 0; arg < 2; arg++) {
                for (uint32_t in = arg; in < 2;
                     in++) { /* argument 1 uses its second ciphertext alone */
                    add_diagonal(&f, (struct diagonal){arg, in, out, giant, 0, 16, NULL});
                    add_diagonal(&f, (struct diagonal){arg, in, out, giant, 1 + in, 128, NULL});
                }
            }
        }
    }
    finish(&f, 1);
    check(&w, &f, 2, w.scale);
    fixture_free(&f);
    world_close(&w);
}

Test(linear, periods_and_folds)
{
    static const uint32_t folds[] = {128, 256};
    struct world w;
    struct fixture f = {.head = {.args = 1, .in_cts = 1, .out_cts = 2, .n_folds = 2},
                        .folds = folds};
    world_open(&w, &toy);
    for (uint32_t out = 0; out < 2; out++) {
        uint32_t period = 1;
        for (uint32_t baby = 0; baby < 5; baby++, period *= 4)
            add_diagonal(&f, (struct diagonal){0, 0, out, 0, baby, period, NULL});
    }
    finish(&f, 8);
    check(&w, &f, 3, w.scale);
    fixture_free(&f);
    world_close(&w);
}

Test(linear, many_babies)
{
    struct world w;
    struct fixture f = {.head = {.args = 1, .in_cts = 1, .out_cts = 1}};
    world_open(&w, &toy);
    for (uint32_t giant = 0; giant < 2; giant++) {
        add_diagonal(&f, (struct diagonal){0, 0, 0, giant * 32, 0, 4, NULL});
        for (uint32_t k = 0; k < toy.n_steps; k++) /* more terms than one lazy sum takes */
            add_diagonal(&f,
                         (struct diagonal){0, 0, 0, giant * 32, toy.steps[k], 512u >> k % 9, NULL});
    }
    finish(&f, 0);
    check(&w, &f, 2, w.scale);
    fixture_free(&f);
    world_close(&w);
}

Test(linear, free_of_level)
{
    static const uint32_t folds[] = {64};
    struct world w;
    struct fixture f = {
        .head = {.args = 2, .in_cts = 1, .out_cts = 1, .n_folds = 1, .free_of_level = 1},
        .folds = folds};
    world_open(&w, &toy);
    for (uint32_t giant = 0; giant < 9; giant += 8) {
        for (uint32_t arg = 0; arg < 2; arg++) {
            add_diagonal(&f, (struct diagonal){arg, 0, 0, giant, 0, 1, NULL});
            add_diagonal(&f, (struct diagonal){arg, 0, 0, giant, 3, 1, NULL});
        }
    }
    finish(&f, 4);
    check(&w, &f, 3, w.scale);
    check(&w, &f, 0, w.scale); /* 36 bits of the first prime for values up to 8: the scale has 30 */
    fixture_free(&f);
    struct fixture g = {.head = {.args = 2, .in_cts = 1, .out_cts = 1, .free_of_level = 1}};
    add_diagonal(&g, (struct diagonal){0, 0, 0, 0, 0, 1, NULL});
    add_diagonal(&g, (struct diagonal){1, 0, 0, 0, 2, 1, NULL});
    finish(&g, 0);
    check(&w, &g, 1, w.scale);
    fixture_free(&g);
    world_close(&w);
}

Test(linear, wide_primes_in_a_secure_ring)
{
    static const struct world_spec spec = {.log_n = 13,
                                           .n_q = 3,
                                           .bits = 36,
                                           .n_p = 1,
                                           .p_bits = 48,
                                           .digit_limbs = 1,
                                           .n_steps = 3,
                                           .steps = {1, 2, 1000}};
    struct world w;
    struct fixture f = {.head = {.args = 1, .in_cts = 1, .out_cts = 1}};
    world_open(&w, &spec);
    cr_expect_geq(ola_params_security(w.params), 128u);
    for (uint32_t giant = 0; giant < 1001; giant += 1000) {
        for (uint32_t baby = 0; baby < 3; baby++)
            add_diagonal(&f, (struct diagonal){0, 0, 0, giant, baby, w.slots >> baby, NULL});
    }
    finish(&f, w.slots);
    check(&w, &f, 2, w.scale);
    fixture_free(&f);
    world_close(&w);
}

Test(linear, errors)
{
    static const uint32_t folds[] = {64};
    struct world w;
    struct fixture f = {.head = {.args = 1, .in_cts = 1, .out_cts = 1, .n_folds = 1},
                        .folds = folds};
    double x[512] = {0};
    world_open(&w, &toy);
    add_diagonal(&f, (struct diagonal){0, 0, 0, 4, 7, 1, NULL}); /* no key for 7 */
    finish(&f, 0);
    ola_map *map;
    struct ola_map_desc desc = {0, w.scale, w.scale, false, 0};
    cr_expect_eq(ola_map_new(w.params, &desc, f.section.bytes, f.section.size, &map),
                 OLA_ERR_LEVEL);
    cr_expect_null(map);
    desc.level = 4;
    cr_expect_eq(ola_map_new(w.params, &desc, f.section.bytes, f.section.size, &map),
                 OLA_ERR_LEVEL);
    desc.level = 2;
    cr_expect_eq(ola_map_new(w.params, &desc, f.section.bytes, f.section.size - 1, &map),
                 OLA_ERR_FORMAT);
    cr_expect_eq(ola_map_new(w.params, NULL, f.section.bytes, f.section.size, &map), OLA_ERR_PARAM);
    desc.out_scale = ldexp(1, 100);
    cr_expect_eq(ola_map_new(w.params, &desc, f.section.bytes, f.section.size, &map),
                 OLA_ERR_SCALE);
    desc.out_scale = w.scale;
    OK(ola_map_new(w.params, &desc, f.section.bytes, f.section.size, &map));
    ola_ct *a = encrypt(&w, x, 2, w.scale), *low = encrypt(&w, x, 1, w.scale);
    ola_ct *other = encrypt(&w, x, 2, 2 * w.scale), *out = empty(&w);
    cr_expect_eq(ola_linear(w.server, map, (const ola_ct *[]){a}, &out), OLA_ERR_KEY);
    cr_expect_eq(ola_linear(w.server, map, (const ola_ct *[]){low}, &out), OLA_ERR_LEVEL);
    cr_expect_eq(ola_linear(w.server, map, (const ola_ct *[]){other}, &out), OLA_ERR_SCALE);
    cr_expect_eq(ola_linear(w.server, map, (const ola_ct *[]){a}, &a), OLA_ERR_PARAM);
    cr_expect_eq(ola_linear(w.server, map, (const ola_ct *[]){out}, &out), OLA_ERR_PARAM);
    ola_ct_free(a);
    ola_ct_free(low);
    ola_ct_free(other);
    ola_ct_free(out);
    ola_map_free(map);
    fixture_free(&f);
    world_close(&w);
}

/* The ways that a map may take: babies and groups divided by P early or late, with and without
 * giants. */
Test(linear, early_and_late)
{
    static const struct {
        uint32_t babies, giants;
        bool sums, late;
    } shape[] = {{1, 1, false, false}, {1, 1, true, false}, {1, 4, false, false},
                 {1, 4, true, false},  {5, 1, false, true}, {5, 1, true, true},
                 {7, 2, false, true},  {7, 2, true, true}};
    struct world w;
    world_open(&w, &toy);
    for (size_t k = 0; k < sizeof shape / sizeof *shape; k++) {
        struct fixture f = {
            .head = {.args = 1, .in_cts = 1, .out_cts = 1, .free_of_level = shape[k].sums}};
        for (uint32_t giant = 0; giant < shape[k].giants; giant++) {
            for (uint32_t baby = 0; baby < shape[k].babies; baby++)
                add_diagonal(&f, (struct diagonal){0, 0, 0, giant * 8,
                                                   baby == 0 ? 0 : toy.steps[baby - 1],
                                                   shape[k].sums ? 1 : 64, NULL});
        }
        finish(&f, 2);
        struct ola_map_desc desc = {2, w.scale, w.scale, false, 0};
        ola_map *map;
        OK(ola_map_new(w.params, &desc, f.section.bytes, f.section.size, &map));
        cr_expect_eq(map->late, shape[k].late, "shape %zu", k);
        ola_map_free(map);
        check(&w, &f, 2, w.scale);
        fixture_free(&f);
    }
    world_close(&w);
}

/* One input's rotations are counted once each, whatever they serve. */
Test(linear, counts)
{
    struct world w;
    struct fixture f = {.head = {.args = 1, .in_cts = 1, .out_cts = 2}};
    struct ola_counts before, after;
    double x[512] = {1};
    world_open(&w, &toy);
    for (uint32_t out = 0; out < 2; out++) {
        for (uint32_t giant = 0; giant < 16; giant += 8) {
            for (uint32_t baby = 0; baby < 3; baby++)
                add_diagonal(&f, (struct diagonal){0, 0, out, giant, baby, 1, NULL});
        }
    }
    finish(&f, 0);
    struct ola_map_desc desc = {2, w.scale, w.scale, false, 0};
    ola_map *map;
    OK(ola_map_new(w.params, &desc, f.section.bytes, f.section.size, &map));
    ola_ct *in = encrypt(&w, x, 2, w.scale), *out[2] = {empty(&w), empty(&w)};
    ola_server_counts(w.server, &before);
    OK(ola_linear(w.server, map, (const ola_ct *[]){in}, out));
    ola_server_counts(w.server, &after);
    cr_expect_eq(after.rotations - before.rotations, 2u + 2u);
    cr_expect_eq(after.plain_products - before.plain_products, 12u);
    cr_expect_eq(after.rescales - before.rescales, 2u);
    ola_ct_free(in);
    ola_ct_free(out[0]);
    ola_ct_free(out[1]);
    ola_map_free(map);
    fixture_free(&f);
    world_close(&w);
}

/* Few babies for many groups: the groups are summed output by output. */
Test(linear, output_by_output)
{
    struct world w;
    world_open(&w, &toy);
    for (int sums = 0; sums < 2; sums++) {
        struct fixture f = {
            .head = {.args = 1, .in_cts = 2, .out_cts = 4, .free_of_level = sums != 0}};
        for (uint32_t out = 0; out < 4; out++) {
            for (uint32_t giant = 0; giant < 8 * out; giant += 8) { /* nothing leads to output 0 */
                for (uint32_t in = 0; in < 2; in++)
                    add_diagonal(&f, (struct diagonal){0, in, out, giant, in + out % 2, 4, NULL});
            }
        }
        finish(&f, 1);
        struct ola_map_desc desc = {2, w.scale, w.scale, false, 0};
        ola_map *map;
        OK(ola_map_new(w.params, &desc, f.section.bytes, f.section.size, &map));
        cr_expect(map->by_output, "%u babies, %u groups", map->n_babies, map->n_groups);
        ola_map_free(map);
        check(&w, &f, 2, w.scale);
        fixture_free(&f);
    }
    world_close(&w);
}
