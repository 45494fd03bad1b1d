/* test_boot.c - bootstrapping in the simulator: what comes back, and what is refused. */
#include <criterion/criterion.h>
#include <math.h>

#include "ola/client.h"
#include "ola/sim.h"

#define OK(call) cr_assert_eq((call), OLA_OK, #call)

struct world {
    struct ola_literal l;
    ola_params *p;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_boot *boot;
    ola_ct *a, *b;
    double x[512], got[512];
};

static void
world_open(struct world *w, uint32_t period, uint32_t missing)
{
    struct ola_boot_plan plan;
    uint32_t step[OLA_MAX_BOOT_ROTATIONS], level[OLA_MAX_BOOT_ROTATIONS], n = 0;
    w->l = (struct ola_literal){.log_n = 10, .n_q = 16, .n_p = 2, .digit_limbs = 2};
    w->l.insecure_toy = true;
    w->l.boot = (struct ola_boot_shape){2, 2, 30, 3, 16, 5};
    cr_assert(ola_plan_primes(10, 40, 16, NULL, 0, w->l.q));
    cr_assert(ola_plan_primes(10, 45, 2, w->l.q, 16, w->l.p));
    OK(ola_params_new(&w->l, &w->p));
    OK(ola_client_new(w->p, &w->client));
    cr_assert(ola_plan_boot(&w->l, period, &plan));
    for (uint32_t k = 0; k < plan.n_rotations; k++) {
        if (k == missing)
            continue;
        step[n] = plan.rotation[k].step;
        level[n++] = plan.rotation[k].level;
    }
    const struct ola_key_plan keys = {UINT32_MAX, n, step, level};
    OK(ola_client_keys(w->client, &keys, &w->keys));
    OK(ola_server_new(w->p, w->keys, &w->server));
    OK(ola_boot_new(w->p, period, 0x1p32, 0x1p33, &w->boot));
    OK(ola_ct_new(w->p, &w->a));
    OK(ola_ct_new(w->p, &w->b));
    for (uint32_t t = 0; t < 512; t++)
        w->x[t] = sin(t % period + 1.0);
    OK(ola_encrypt(w->client, w->a, w->x, period, 2, 0x1p32));
}

static void
world_close(struct world *w)
{
    ola_ct_free(w->a);
    ola_ct_free(w->b);
    ola_boot_free(w->boot);
    ola_server_free(w->server);
    ola_keys_free(w->keys);
    ola_client_free(w->client);
    ola_params_free(w->p);
}

Test(boot, values_level_and_scale)
{
    static struct world w;
    for (uint32_t period = 1; period <= 512; period *= 8) {
        world_open(&w, period, UINT32_MAX);
        OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
        cr_expect(ola_ct_level(w.b) == 5 && ola_ct_scale(w.b) == 0x1p33);
        OK(ola_decrypt(w.client, w.b, w.got, 512));
        for (uint32_t t = 0; t < 512; t++)
            cr_expect_float_eq(w.got[t], w.x[t], 1e-12);
        /* With noise: the sine, 1e-4 less at 1 and ratio 2^8, and some deviation. */
        ola_sim_noise(w.p, 5);
        OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
        OK(ola_decrypt(w.client, w.b, w.got, 512));
        for (uint32_t t = 0; t < 512; t++)
            cr_expect(w.got[t] != w.x[t] && fabs(w.got[t] - w.x[t]) < 1e-3);
        world_close(&w);
    }
}

Test(boot, to_lower_levels)
{
    static struct world w;
    ola_boot *boot;
    for (uint32_t level = 2; level <= 5; level++) {
        world_open(&w, 64, UINT32_MAX);
        OK(ola_boot_new_to(w.p, level, 64, 0x1p32, 0x1p33, &boot));
        OK(ola_bootstrap(w.server, boot, w.b, w.a));
        cr_expect(ola_ct_level(w.b) == level && ola_ct_scale(w.b) == 0x1p33);
        ola_boot_free(boot);
        cr_expect_eq(ola_boot_new_to(w.p, 1, 64, 0x1p32, 0x1p33, &boot), OLA_ERR_LEVEL);
        cr_expect_eq(ola_boot_new_to(w.p, 6, 64, 0x1p32, 0x1p33, &boot), OLA_ERR_LEVEL);
        world_close(&w);
    }
}

Test(boot, refusals)
{
    static struct world w;
    ola_boot *none;
    world_open(&w, 512, UINT32_MAX);
    const double huge = 100.0;
    OK(ola_encrypt(w.client, w.b, &huge, 1, 2, 0x1p32));
    cr_expect_eq(ola_bootstrap(w.server, w.boot, w.b, w.b), OLA_ERR_RANGE);
    OK(ola_encrypt(w.client, w.b, w.x, 512, 3, 0x1p32));
    cr_expect_eq(ola_bootstrap(w.server, w.boot, w.b, w.b), OLA_ERR_LEVEL);
    OK(ola_encrypt(w.client, w.b, w.x, 512, 2, 0x1p31));
    cr_expect_eq(ola_bootstrap(w.server, w.boot, w.b, w.b), OLA_ERR_SCALE);
    cr_expect_eq(ola_boot_new(w.p, 1024, 0x1p32, 0x1p33, &none), OLA_ERR_PARAM);
    cr_expect_null(none);
    cr_expect_eq(ola_boot_new(w.p, 512, 0x1p39, 0x1p33, &none), OLA_ERR_SCALE);
    world_close(&w);
    struct ola_boot_plan plan;
    cr_assert(ola_plan_boot(&w.l, 64, &plan));
    for (uint32_t k = 0; k < plan.n_rotations; k++) {
        world_open(&w, 64, k);
        cr_expect_eq(ola_bootstrap(w.server, w.boot, w.b, w.a), OLA_ERR_KEY, "key %u", k);
        world_close(&w);
    }
}
