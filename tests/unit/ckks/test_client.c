/* test_client.c - keys, encryption and decryption: what they hide, what they refuse, what they give
 * back. */
#include <sys/stat.h>
#include <unistd.h>

#include "ckks_test.h"
#include "client/client_internal.h"

static const struct world_spec toy = {.log_n = 10,
                                      .n_q = 4,
                                      .bits = 40,
                                      .n_p = 1,
                                      .p_bits = 48,
                                      .digit_limbs = 1,
                                      .toy = true,
                                      .n_steps = 1,
                                      .steps = {5}};

/* c0 + c1 s - message has the size of noise, untransformed: deviation 3.19, 19 at most. */
Test(client, noise_has_its_deviation)
{
    struct world w;
    double x[512] = {0};
    world_open(&w, &toy);
    double sum = 0;
    int count = 0;
    for (int k = 0; k < 8; k++) {
        ola_ct *ct = encrypt(&w, x, 0, w.scale);
        const struct ola_modulus *m = ola_params_modulus(w.params, 0);
        uint64_t *t = ola_alloc(w.params->n * sizeof *t);
        ola_backend()->mul(t, ola_ct_limb(ct, 1, 0), w.client->transformed, w.params->n, m);
        ola_backend()->add(t, t, ola_ct_limb(ct, 0, 0), w.params->n, m);
        ola_backend()->ntt_inverse(t, &w.params->ring->ntt[0]);
        for (uint32_t j = 0; j < w.params->n; j++) {
            double e = t[j] > m->q / 2 ? -(double)(m->q - t[j]) : (double)t[j];
            cr_assert_leq(fabs(e), 19.0);
            sum += e * e;
            count++;
        }
        ola_release(t, w.params->n * sizeof *t);
        ola_ct_free(ct);
    }
    /* The variance of 8192 squares: within five deviations, sqrt(2 / 8192) of it each. */
    cr_expect_float_eq(sum / count, 3.19 * 3.19 + 1.0 / 12, 5 * 10.2 * sqrt(2.0 / count));
    world_close(&w);
}

/* b + a s - P s' [digit] = e for every limb of every key. */
Test(client, keys_are_what_they_should_be)
{
    struct world w;
    world_open(&w, &toy);
    const ola_params *p = w.params;
    const struct ola_backend *k = ola_backend();
    uint64_t *t = ola_alloc(p->n * sizeof *t), *want = ola_alloc(p->n * sizeof *want);
    for (int relin = 0; relin < 2; relin++) {
        const struct ola_switch *key = relin ? &w.keys->relin : &w.keys->rotation[0];
        for (uint32_t c = 0; c < p->chain; c++) {
            const struct ola_modulus *m = ola_params_modulus(p, c);
            const uint64_t *s = w.client->transformed + c * p->n;
            for (uint32_t d = 0; d < key->digits; d++) {
                ola_limb_load(t, ola_switch_limb(p, key, c, d, 1), p->n, p->width[c]);
                ola_limb_load(want, ola_switch_limb(p, key, c, d, 0), p->n, p->width[c]);
                k->mul(t, t, s, p->n, m);
                k->add(t, t, want, p->n, m);
                if (relin)
                    k->mul(want, s, s, p->n, m);
                else
                    k->permute(want, s, key->perm, p->n);
                if (c == d)
                    k->scale(want, want, p->literal.p[0] % m->q, p->n, m);
                if (c == d)
                    k->sub(t, t, want, p->n, m);
                k->ntt_inverse(t, &p->ring->ntt[c]);
                for (uint32_t j = 0; j < p->n; j++)
                    cr_assert(t[j] <= 19 || t[j] >= m->q - 19);
            }
        }
    }
    ola_release(t, p->n * sizeof *t);
    ola_release(want, p->n * sizeof *want);
    world_close(&w);
}

Test(client, seeds_give_the_public_halves_back)
{
    struct world w;
    double x[512] = {1};
    world_open(&w, &toy);
    struct ola_switch *key = &w.keys->rotation[0];
    unsigned char *copy = malloc(key->bytes);
    memcpy(copy, key->data, key->bytes);
    for (uint32_t c = 0; c < w.params->chain; c++) {
        for (uint32_t d = 0; d < key->digits; d++)
            memset(ola_switch_limb(w.params, key, c, d, 1), 0,
                   (size_t)w.params->n * w.params->width[c]);
    }
    OK(ola_switch_expand(w.params, key));
    cr_expect_eq(memcmp(copy, key->data, key->bytes), 0);
    ola_ct *ct = encrypt(&w, x, 2, w.scale), *other = empty(&w);
    cr_expect(ct->seeded);
    OK(ola_ct_copy(other, ct));
    for (uint32_t i = 0; i <= 2; i++)
        memset(ola_ct_limb(other, 1, i), 0, w.params->n * sizeof(uint64_t));
    ola_ct_expand(other);
    cr_expect_lt(distance(&w, other, x), bound_fresh(&w, w.scale));
    OK(ola_add(w.server, other, ct, ct));
    cr_expect(!other->seeded);
    ola_ct_free(ct);
    ola_ct_free(other);
    free(copy);
    world_close(&w);
}

Test(client, every_encryption_is_another)
{
    struct world w;
    double x[512] = {1};
    world_open(&w, &toy);
    ola_ct *a = encrypt(&w, x, 1, w.scale), *b = encrypt(&w, x, 1, w.scale);
    size_t bytes = 2 * w.params->n * sizeof(uint64_t);
    cr_expect_neq(memcmp(a->data, b->data, bytes), 0);
    cr_expect_neq(memcmp(a->seed, b->seed, 32), 0);
    ola_client *other;
    OK(ola_client_new(w.params, &other));
    double y[512];
    cr_expect_eq(ola_decrypt(other, a, y, 512), OLA_ERR_OTHER_KEY);
    memcpy(other->key_id, w.client->key_id, OLA_KEY_ID); /* it says that it is the right one */
    OK(ola_decrypt(other, a, y, 512));
    double largest = 0;
    for (int t = 0; t < 512; t++)
        largest = fmax(largest, fabs(y[t]));
    cr_expect_gt(largest, 1000.0, "another key gives noise as large as the modulus");
    ola_client_free(other);
    ola_ct_free(a);
    ola_ct_free(b);
    world_close(&w);
}

Test(client, values_up_to_the_modulus)
{
    struct world w;
    double x[512], y[512];
    world_open(&w, &toy);
    fill_random(x, 512, 3);
    for (uint32_t level = 0; level < 4; level++) {
        /* Slots of size v have coefficients of size v at most: v * scale just below half the
         * modulus. */
        double scale = exp2(w.params->log_q[level] - 1.5);
        ola_ct *ct = encrypt(&w, x, level, scale);
        OK(ola_decrypt(w.client, ct, y, 512));
        for (int t = 0; t < 512; t++)
            cr_expect_float_eq(y[t], x[t], bound_fresh(&w, scale) + 1e-13);
        ola_ct_free(ct);
    }
    world_close(&w);
}

Test(client, shared_results_are_noisy)
{
    struct world w;
    double x[512], y[512], sum = 0;
    world_open(&w, &toy);
    fill_random(x, 512, 3);
    ola_ct *ct = encrypt(&w, x, 1, w.scale);
    OK(ola_decrypt_shared(w.client, ct, y, 512, 0.01));
    for (int t = 0; t < 512; t++) {
        cr_expect_lt(fabs(y[t] - x[t]), 0.08);
        sum += (y[t] - x[t]) * (y[t] - x[t]);
    }
    cr_expect_float_eq(sqrt(sum / 512), 0.01, 0.01 * 5 / sqrt(2 * 512));
    cr_expect_eq(ola_decrypt_shared(w.client, ct, y, 512, 0.0), OLA_ERR_PARAM);
    cr_expect_eq(ola_decrypt_shared(w.client, ct, y, 512, NAN), OLA_ERR_PARAM);
    ola_ct_free(ct);
    world_close(&w);
}

/* 30 primes: residues that no key explains are above what a double holds. */
Test(client, what_is_no_number_is_an_error)
{
    struct world_spec large = toy;
    struct world w;
    double x[512], y[512];
    ola_client *other;
    large.n_q = 30;
    large.n_steps = 0;
    world_open(&w, &large);
    fill_random(x, 512, 3);
    ola_ct *ct = encrypt(&w, x, 29, w.scale);
    OK(ola_client_new(w.params, &other));
    for (int t = 0; t < 512; t++)
        y[t] = 7;
    cr_assert_gt(w.params->log_q[29], 1100);
    memcpy(other->key_id, w.client->key_id, OLA_KEY_ID); /* it says that it is the right one */
    cr_expect_eq(ola_decrypt(other, ct, y, 512), OLA_ERR_RANGE);
    for (int t = 0; t < 512; t++)
        cr_expect_eq(y[t], 0);
    cr_expect_eq(ola_decrypt_shared(other, ct, y, 512, 0.1), OLA_ERR_RANGE);
    OK(ola_decrypt(w.client, ct, y, 512));
    for (int t = 0; t < 512; t++)
        cr_expect_float_eq(y[t], x[t], bound_fresh(&w, w.scale) + 1e-13);
    ola_client_free(other);
    ola_ct_free(ct);
    world_close(&w);
}

Test(client, errors)
{
    struct world w;
    double x[512] = {0.5, NAN};
    world_open(&w, &toy);
    ola_ct *ct = empty(&w);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 2, 1, w.scale), OLA_ERR_RANGE);
    x[1] = 1e30;
    cr_expect_eq(ola_encrypt(w.client, ct, x, 2, 1, w.scale), OLA_ERR_RANGE);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 3, 1, w.scale), OLA_ERR_PARAM);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 0, 1, w.scale), OLA_ERR_PARAM);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 1024, 1, w.scale), OLA_ERR_PARAM);
    cr_expect_eq(ola_encrypt(w.client, ct, NULL, 1, 1, w.scale), OLA_ERR_PARAM);
    cr_expect_eq(ola_encrypt(NULL, ct, x, 1, 1, w.scale), OLA_ERR_PARAM);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 1, 4, w.scale), OLA_ERR_LEVEL);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 1, 0, ldexp(1, 47)), OLA_ERR_SCALE);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 1, 1, 0.0), OLA_ERR_SCALE);
    cr_expect_eq(ola_encrypt(w.client, ct, x, 1, 1, NAN), OLA_ERR_SCALE);
    cr_expect_eq(ola_decrypt(w.client, ct, x, 1), OLA_ERR_PARAM);
    cr_expect_eq(ct->parts, 0u);
    OK(ola_encrypt(w.client, ct, x, 1, 3, w.scale));
    cr_expect_eq(ola_decrypt(w.client, ct, x, 513), OLA_ERR_PARAM);
    cr_expect_eq(ola_decrypt(w.client, ct, NULL, 1), OLA_ERR_PARAM);
    OK(ola_mul(w.server, ct, ct, ct));
    cr_expect_eq(ola_decrypt(w.client, ct, x, 1), OLA_ERR_PARAM);
    uint32_t steps[2] = {5, 5}, levels[2] = {0, 0};
    struct ola_key_plan plan = {UINT32_MAX, 2, steps, levels};
    ola_keys *keys;
    cr_expect_eq(ola_client_keys(w.client, &plan, &keys), OLA_ERR_PARAM);
    steps[1] = 512;
    cr_expect_eq(ola_client_keys(w.client, &plan, &keys), OLA_ERR_PARAM);
    steps[1] = 6, levels[1] = 4;
    cr_expect_eq(ola_client_keys(w.client, &plan, &keys), OLA_ERR_PARAM);
    levels[1] = 0, steps[0] = 0;
    cr_expect_eq(ola_client_keys(w.client, &plan, &keys), OLA_ERR_PARAM);
    plan = (struct ola_key_plan){4, 0, NULL, NULL};
    cr_expect_eq(ola_client_keys(w.client, &plan, &keys), OLA_ERR_PARAM);
    plan.relin_level = UINT32_MAX;
    OK(ola_client_keys(w.client, &plan, &keys)); /* no keys at all */
    cr_expect_eq(ola_keys_bytes(keys), 0u);
    ola_keys_free(keys);
    ola_ct_free(ct);
    world_close(&w);
}

Test(client, the_secret_is_ternary_and_saved_for_its_owner)
{
    struct world w;
    char path[] = "/tmp/ola_client_XXXXXX";
    struct stat st;
    world_open(&w, &toy);
    int count[3] = {0};
    for (uint32_t k = 0; k < 1024; k++) {
        cr_assert(w.client->secret[k] >= -1 && w.client->secret[k] <= 1);
        count[w.client->secret[k] + 1]++;
    }
    for (int k = 0; k < 3; k++) /* six deviations of a binomial */
        cr_expect_lt(abs(count[k] - 341), 6 * 15.1);
    int fd = mkstemp(path);
    close(fd);
    unlink(path);
    OK(ola_client_save(w.client, path));
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600u);
    ola_client *again;
    OK(ola_client_load(w.params, path, &again));
    cr_expect_arr_eq(again->secret, w.client->secret, 1024);
    cr_expect_arr_eq(again->key_id, w.client->key_id, OLA_KEY_ID);
    ola_client_free(again);
    struct world_spec spec = toy;
    spec.bits = 38;
    struct world other;
    world_open(&other, &spec);
    cr_expect_eq(ola_client_load(other.params, path, &again), OLA_ERR_FINGERPRINT);
    cr_expect_null(again);
    cr_expect_eq(ola_client_load(w.params, "/nowhere/key", &again), OLA_ERR_IO);
    int8_t wrong[1024] = {2};
    cr_expect_eq(ola_client_from_secret(w.params, wrong, w.client->key_id, &again), OLA_ERR_FORMAT);
    unlink(path);
    world_close(&other);
    world_close(&w);
}
