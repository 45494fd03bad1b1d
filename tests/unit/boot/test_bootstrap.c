/* test_bootstrap.c - the whole of it: values, precision, keys from a file, refusals, threads. */
#include <omp.h>
#include <unistd.h>

#include "boot_test.h"

#define IN_SCALE  0x1p37
#define OUT_SCALE 0x1.8p37

static void
bend(const struct world *w, double *want)
{
    const double turn = 2.0 * M_PI * w->in_scale / (double)w->l.q[0];
    for (uint32_t t = 0; t < w->slots; t++)
        want[t] = sin(turn * w->x[t]) / turn;
}

Test(bootstrap, toys)
{
    static const struct {
        uint32_t log_n, stc, cts, period;
    } cases[] = {{10, 2, 2, 512}, {11, 3, 2, 1024}, {12, 2, 3, 2048}, {12, 2, 3, 512},
                 {10, 2, 2, 8},   {11, 2, 4, 64},   {10, 2, 3, 1}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct world w;
        const uint32_t period = cases[n].period;
        world_open(&w, toy_of(cases[n].log_n, cases[n].stc, cases[n].cts), period, IN_SCALE,
                   OUT_SCALE, UINT32_MAX);
        double *want = malloc(w.slots * sizeof *want);
        bend(&w, want);
        OK(ola_encrypt(w.client, w.a, w.x, period, w.plan.in_level, IN_SCALE));
        OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
        cr_expect(ola_ct_level(w.b) == w.plan.out_level && ola_ct_scale(w.b) == OUT_SCALE);
        const double off = deviation(&w, w.b, want);
        const double noise = ola_plan_boot_noise(&w.l, period, IN_SCALE, OUT_SCALE);
        cr_expect(off < 3.0 * noise + 1e-6, "case %zu: %g, modelled %g", n, off, noise);
        /* Again and in place, from what came out. */
        OK(ola_relabel(w.server, w.b, w.b, OUT_SCALE / IN_SCALE));
        OK(ola_relabel(w.server, w.b, w.b, 1.0));
        OK(ola_drop(w.server, w.b, w.b, w.plan.in_level));
        OK(ola_bootstrap(w.server, w.boot, w.b, w.b));
        struct ola_counts counts;
        ola_server_counts(w.server, &counts);
        cr_expect_eq(counts.bootstraps, 2);
        for (uint32_t t = 0; t < w.slots; t++)
            want[t] *= OUT_SCALE / IN_SCALE;
        cr_expect_lt(deviation(&w, w.b, want), 1e-3);
        free(want);
        world_close(&w);
    }
}

/* To every level that there is, wherever it cuts the digits of the key switches, with the keys of
 * the highest; and the server is as it was. */
Test(bootstrap, to_lower_levels)
{
    for (uint32_t digit = 1; digit <= 4; digit++) {
        const uint32_t n_q = 2 + 2 + 2 + 8 + 5, p[4] = {49, 49, 49, 49};
        uint32_t q[32];
        for (uint32_t k = 0; k < n_q; k++)
            q[k] = 45;
        struct ola_literal l =
            literal_of(10, q, n_q, p, digit, (struct ola_boot_shape){2, 2, 30, 3, 16, 0});
        struct world w;
        l.insecure_toy = true;
        world_open(&w, l, 64, IN_SCALE, OUT_SCALE, UINT32_MAX);
        double *want = malloc(w.slots * sizeof *want);
        bend(&w, want);
        for (uint32_t level = w.l.boot.stc; level <= w.l.boot.out_level; level++) {
            ola_boot *boot;
            OK(ola_boot_new_to(w.p, level, 64, IN_SCALE, OUT_SCALE, &boot));
            OK(ola_bootstrap_prepare(w.server, (const ola_boot *const *)&boot, 1));
            OK(ola_encrypt(w.client, w.a, w.x, 64, w.plan.in_level, IN_SCALE));
            OK(ola_bootstrap(w.server, boot, w.b, w.a));
            cr_expect(ola_ct_level(w.b) == level && ola_ct_scale(w.b) == OUT_SCALE);
            struct ola_literal left;
            cr_assert(ola_plan_boot_short(&w.l, level, &left));
            const double off = deviation(&w, w.b, want);
            const double noise = ola_plan_boot_noise(&left, 64, IN_SCALE, OUT_SCALE);
            cr_expect(off < 3.0 * noise + 1e-6, "digits of %u, to %u: %g, modelled %g", digit,
                      level, off, noise);
            OK(ola_encrypt(w.client, w.c, w.x, 64, level, OUT_SCALE));
            OK(ola_sub(w.server, w.c, w.b, w.c));
            ola_boot_free(boot);
        }
        ola_boot *none;
        cr_expect_eq(ola_boot_new_to(w.p, 1, 64, IN_SCALE, OUT_SCALE, &none), OLA_ERR_LEVEL);
        cr_expect_eq(ola_boot_new_to(w.p, w.l.boot.out_level + 1, 64, IN_SCALE, OUT_SCALE, &none),
                     OLA_ERR_LEVEL);
        free(want);
        world_close(&w);
    }
}

/* The first set that is ready to use: what ola/plan.h says of it, on uniform slots. */
Test(bootstrap, precision_on_real_parameters)
{
    struct world w;
    struct ola_literal l;
    double in, out;
    const uint32_t period = 1u << 14;
    cr_assert(ola_plan_boot_set(0, &l, &in, &out));
    world_open(&w, l, period, in, out, UINT32_MAX);
    cr_assert_eq(ola_params_security(w.p), 128);
    cr_expect_eq(w.plan.out_level - w.plan.in_level, 9, "levels left");
    OK(ola_encrypt(w.client, w.a, w.x, period, w.plan.in_level, in));
    OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
    const double off = log2(deviation(&w, w.b, w.x));
    cr_expect(off < -12.6 && off > -13.3, "deviation 2^%.2f", off);
    /* The model is not far off. */
    cr_expect_lt(fabs(off - log2(ola_plan_boot_noise(&l, period, in, out))), 0.3);
    world_close(&w);
}

Test(bootstrap, keys_from_a_file)
{
    struct world w;
    char path[] = "/tmp/ola_boot_keys_XXXXXX";
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    world_open(&w, toy_of(10, 2, 2), 64, IN_SCALE, OUT_SCALE, UINT32_MAX);
    OK(ola_keys_save(w.keys, path));
    ola_keys *keys;
    ola_server *server;
    OK(ola_keys_load(w.p, path, &keys));
    cr_expect_eq(ola_keys_bytes(keys), ola_keys_bytes(w.keys));
    OK(ola_server_new(w.p, keys, &server));
    OK(ola_encrypt(w.client, w.a, w.x, 64, w.plan.in_level, IN_SCALE));
    OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
    OK(ola_bootstrap(server, w.boot, w.c, w.a));
    for (uint32_t i = 0; i <= ola_ct_level(w.b); i++)
        for (uint32_t part = 0; part < 2; part++)
            cr_assert_arr_eq(ola_ct_limb(w.b, part, i), ola_ct_limb(w.c, part, i), 1024 * 8);
    /* The sparse secret never meets more than q[0] p[0]. */
    const struct ola_switch *sparse = &keys->boot[OLA_TO_SPARSE];
    cr_expect(sparse->level == 0 && sparse->specials == 1 && sparse->digits == 1);
    cr_expect_eq(sparse->bytes, 2 * 2 * 1024 * 8);
    ola_server_free(server);
    ola_keys_free(keys);
    unlink(path);
    world_close(&w);
}

Test(bootstrap, same_bytes_at_any_number_of_threads)
{
    struct world w;
    world_open(&w, toy_of(10, 2, 2), 512, IN_SCALE, OUT_SCALE, UINT32_MAX);
    OK(ola_encrypt(w.client, w.a, w.x, 512, w.plan.in_level, IN_SCALE));
    OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
    for (int threads = 1; threads <= 3; threads++) {
        ola_server *server;
        omp_set_num_threads(threads);
        OK(ola_server_new(w.p, w.keys, &server));
        OK(ola_bootstrap(server, w.boot, w.c, w.a));
        for (uint32_t i = 0; i <= ola_ct_level(w.b); i++)
            for (uint32_t part = 0; part < 2; part++)
                cr_assert_arr_eq(ola_ct_limb(w.b, part, i), ola_ct_limb(w.c, part, i), 1024 * 8);
        ola_server_free(server);
    }
    world_close(&w);
}

Test(bootstrap, refusals)
{
    struct world w;
    ola_boot *none;
    ola_server *bare;
    const struct ola_literal l = toy_of(10, 2, 2);
    world_open(&w, l, 512, IN_SCALE, OUT_SCALE, UINT32_MAX);
    OK(ola_encrypt(w.client, w.a, w.x, 512, 3, IN_SCALE));
    cr_expect_eq(ola_bootstrap(w.server, w.boot, w.b, w.a), OLA_ERR_LEVEL);
    OK(ola_encrypt(w.client, w.a, w.x, 512, 2, 2 * IN_SCALE));
    cr_expect_eq(ola_bootstrap(w.server, w.boot, w.b, w.a), OLA_ERR_SCALE);
    cr_expect_eq(ola_bootstrap(w.server, w.boot, w.a, w.b), OLA_ERR_PARAM, "holds nothing");
    cr_expect_eq(ola_bootstrap(w.server, NULL, w.b, w.a), OLA_ERR_PARAM);
    cr_expect_eq(ola_boot_new(w.p, 1024, IN_SCALE, OUT_SCALE, &none), OLA_ERR_PARAM);
    cr_expect_eq(ola_boot_new(w.p, 3, IN_SCALE, OUT_SCALE, &none), OLA_ERR_PARAM);
    cr_expect_eq(ola_boot_new(w.p, 512, 0x1p44, OUT_SCALE, &none), OLA_ERR_SCALE);
    cr_expect_eq(ola_boot_new(w.p, 512, NAN, OUT_SCALE, &none), OLA_ERR_SCALE);
    cr_expect_null(none);
    OK(ola_server_new(w.p, NULL, &bare));
    OK(ola_encrypt(w.client, w.a, w.x, 512, 2, IN_SCALE));
    cr_expect_eq(ola_bootstrap(bare, w.boot, w.b, w.a), OLA_ERR_KEY);
    ola_server_free(bare);
    world_close(&w);
    for (uint32_t k = 0; k < w.plan.n_rotations; k += 5) {
        world_open(&w, l, 512, IN_SCALE, OUT_SCALE, k);
        OK(ola_encrypt(w.client, w.a, w.x, 512, 2, IN_SCALE));
        cr_expect_eq(ola_bootstrap(w.server, w.boot, w.b, w.a), OLA_ERR_KEY, "rotation %u", k);
        world_close(&w);
    }
}

Test(bootstrap, parameters)
{
    struct ola_literal l;
    ola_params *p;
    double in, out;
    cr_expect_not(ola_plan_boot_set(4, &l, &in, &out));
    cr_assert(ola_plan_boot_set(0, &l, &in, &out));
    OK(ola_params_new(&l, &p));
    ola_params_free(p);
    l.boot.out_level++;
    cr_expect_eq(ola_params_new(&l, &p), OLA_ERR_PARAM);
    l = toy_of(14, 2, 2);
    l.insecure_toy = false;
    cr_expect_eq(ola_params_new(&l, &p), OLA_ERR_INSECURE);
}
