/* test_steps.c - each step of a bootstrap against a slow and direct computation, on a toy ring. */
#include "boot_test.h"

#define IN_SCALE  0x1p37
#define OUT_SCALE 0x1p37

static uint32_t
log2_of(uint32_t n)
{
    return (uint32_t)__builtin_ctz(n);
}

/* The angle of zeta^(5^t k), zeta = exp(2 pi i / 2N). */
static double
angle(uint32_t log_n, uint32_t t, uint64_t k)
{
    const uint64_t power = ola_plan_galois(log_n, t), turn = (uint64_t)2 << log_n;
    return 2.0 * M_PI * (double)(power * k % turn) / (double)turn;
}

/* Slots become coefficients of X^(k slots / period), in bit-reversed order: the polynomial's slots
 * are sums over them. */
Test(steps, slots_to_coeffs)
{
    static const struct {
        uint32_t stc, period;
    } cases[] = {{2, 512}, {3, 512}, {2, 64}, {3, 16}, {2, 1}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct world w;
        const uint32_t period = cases[n].period;
        world_open(&w, toy_of(10, cases[n].stc, 2), period, IN_SCALE, OUT_SCALE, UINT32_MAX);
        OK(ola_encrypt(w.client, w.a, w.x, period, w.plan.in_level, IN_SCALE));
        struct ola_boot_turns t = {w.b, w.c};
        OK(ola_boot_slots_to_coeffs(w.server, w.boot, w.a, &t));
        cr_assert_eq(ola_ct_level(t.now), 0);
        double *want = calloc(w.slots, sizeof *want);
        for (uint32_t slot = 0; slot < w.slots; slot++) {
            for (uint32_t j = 0; j < period; j++) {
                const uint64_t k = (uint64_t)reversed(j, log2_of(period)) * (w.slots / period);
                want[slot] += w.x[j] * cos(angle(10, slot, k));
            }
        }
        cr_expect_lt(deviation(&w, t.now, want), 1e-5, "%u factors, period %u", cases[n].stc,
                     period);
        free(want);
        world_close(&w);
    }
}

/* The phase c0 + c1 s modulo prime i. */
static void
phase(const struct world *w, const ola_ct *ct, uint32_t i, uint64_t *out)
{
    const struct ola_modulus *m = ola_params_modulus(w->p, i);
    const uint32_t n = w->p->n;
    ola_backend()->mul(out, ola_ct_limb(ct, 1, i), w->client->transformed + (size_t)i * n, n, m);
    ola_backend()->add(out, out, ola_ct_limb(ct, 0, i), n, m);
    ola_backend()->ntt_inverse(out, &w->p->ring->ntt[i]);
}

/* Modulo q[0] the message is what it was but for little noise; modulo the others it is the same
 * integer m + I q[0], with |I| at most 16. */
Test(steps, raise_modulus)
{
    struct world w;
    world_open(&w, toy_of(10, 2, 2), 512, IN_SCALE, OUT_SCALE, UINT32_MAX);
    OK(ola_encrypt(w.client, w.a, w.x, 512, 0, IN_SCALE));
    OK(ola_ct_copy(w.b, w.a));
    struct ola_boot_turns t = {w.b, w.c};
    OK(ola_boot_raise_modulus(w.server, w.boot, &t));
    cr_assert_eq(ola_ct_level(t.now), w.plan.top);
    uint64_t *before = aligned_alloc(64, 1024 * 8), *low = aligned_alloc(64, 1024 * 8);
    uint64_t *high = aligned_alloc(64, 1024 * 8);
    const int64_t q0 = (int64_t)w.l.q[0];
    bool some = false;
    phase(&w, w.a, 0, before);
    phase(&w, t.now, 0, low);
    for (uint32_t i = 1; i < w.l.n_q; i++) {
        const struct ola_modulus *m = ola_params_modulus(w.p, i);
        phase(&w, t.now, i, high);
        for (uint32_t k = 0; k < 1024; k++) {
            int64_t noise = (int64_t)low[k] - (int64_t)before[k];
            noise -= noise > q0 / 2 ? q0 : noise < -q0 / 2 ? -q0 : 0;
            cr_assert_lt(llabs(noise), 200, "noise %ld", (long)noise);
            int64_t value = (int64_t)low[k] - (low[k] > w.l.q[0] / 2 ? q0 : 0);
            uint64_t r = value < 0 ? m->q - (uint64_t)-value % m->q : (uint64_t)value % m->q;
            uint64_t times =
                ola_mod_mul((high[k] + m->q - r) % m->q, ola_mod_inverse(w.l.q[0] % m->q, m), m);
            int64_t multiple = (int64_t)times - (times > m->q / 2 ? (int64_t)m->q : 0);
            cr_assert_leq(llabs(multiple), 16);
            some |= multiple != 0;
        }
    }
    cr_expect(some, "nothing was raised");
    free(before);
    free(low);
    free(high);
    world_close(&w);
}

/* Real slots that repeat are a real polynomial in X^(slots / period): its first half of
 * coefficients comes out, in bit-reversed order. Others' slots are averaged. */
Test(steps, coeffs_to_slots)
{
    static const struct {
        uint32_t cts, period;
    } cases[] = {{2, 512}, {3, 512}, {2, 128}, {3, 16}, {3, 1}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct world w;
        const uint32_t period = cases[n].period;
        world_open(&w, toy_of(10, 2, cases[n].cts), period, IN_SCALE, OUT_SCALE, UINT32_MAX);
        const double scale = w.boot->scales.raised;
        for (uint32_t t = 0; t < w.slots; t++)
            w.x[t] += 0.5 * cos(3.0 * t); /* nothing repeats */
        OK(ola_encrypt(w.client, w.a, w.x, w.slots, w.plan.top, scale));
        OK(ola_ct_copy(w.b, w.a));
        struct ola_boot_turns t = {w.b, w.c};
        OK(ola_boot_coeffs_to_slots(w.server, w.boot, &t));
        cr_assert_eq(ola_ct_level(t.now), w.plan.eval_level);
        double *want = calloc(w.slots, sizeof *want);
        for (uint32_t slot = 0; slot < w.slots; slot++) {
            const uint32_t j = reversed(slot % period, log2_of(period));
            for (uint32_t k = 0; k < w.slots; k++)
                want[slot] +=
                    w.x[k] * cos(angle(10, k, (uint64_t)j * (w.slots / period))) / w.slots;
        }
        cr_expect_lt(deviation(&w, t.now, want), 1e-6, "%u factors, period %u", cases[n].cts,
                     period);
        free(want);
        world_close(&w);
    }
}

Test(steps, eval_mod)
{
    struct world w;
    world_open(&w, toy_of(10, 2, 2), 512, IN_SCALE, OUT_SCALE, UINT32_MAX);
    double *want = calloc(w.slots, sizeof *want), *in = calloc(w.slots, sizeof *in);
    for (uint32_t t = 0; t < w.slots; t++) {
        const double x = (double)(t % 33) - 16.0 + w.x[t] / 256.0;
        in[t] = x / 16.5;
        want[t] = sin(2.0 * M_PI * x);
    }
    OK(ola_encrypt(w.client, w.a, in, 512, w.plan.eval_level, w.boot->scales.x));
    OK(ola_boot_eval_mod(w.server, w.boot, w.a));
    cr_assert_eq(ola_ct_level(w.a), w.plan.out_level);
    cr_assert_float_eq(ola_ct_scale(w.a) / w.boot->scales.sine, 1.0, 1e-9);
    cr_expect_lt(deviation(&w, w.a, want), 1e-5);
    free(want);
    free(in);
    world_close(&w);
}
