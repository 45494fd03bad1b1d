/* measure.c - the noise of every operation: the root mean square of what decryption gives less the
 * exact result, one line each. Linked with libola it measures, with libola_sim (NOISE_SIM) it
 * prints what the model says. */
#include <stdio.h>

#include "support.h"
#ifdef NOISE_SIM
#include "ola/sim.h"
#endif

#define LOG_N  13u
#define SLOTS  (1u << (LOG_N - 1))
#define TOP    5u
#define BABIES 8u
#define GIANTS 4u

static void
check(ola_status s, const char *what)
{
    if (s != OLA_OK) {
        fprintf(stderr, "measure: %s: %s\n", what, ola_status_text(s));
        exit(1);
    }
}

struct world {
    const char *name;
    ola_params *p;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_ct *a, *b, *c;
    double scale;
    double x[SLOTS], y[SLOTS], want[SLOTS];
};

/* Six primes q of `bits` (the last one of 49), `n_p` special ones of 49. */
static struct ola_literal
literal(uint32_t bits, uint32_t n_p, uint32_t digit_limbs)
{
    struct ola_literal l = {.log_n = LOG_N,
                            .n_q = TOP + 1,
                            .n_p = n_p,
                            .digit_limbs = digit_limbs,
                            .insecure_toy = true};
    uint64_t wide[4];
    if (!ola_plan_primes(LOG_N, 49, n_p + 1, NULL, 0, wide) ||
        !ola_plan_primes(LOG_N, bits, TOP, wide, n_p + 1, l.q + 1))
        abort();
    memcpy(l.p, wide, n_p * sizeof *wide); /* the larger ones */
    l.q[0] = wide[n_p];
    return l;
}

static void
make(struct world *w, const char *name, uint32_t bits, uint32_t n_p, uint32_t digit_limbs)
{
    const struct ola_literal l = literal(bits, n_p, digit_limbs);
    uint32_t step[BABIES + GIANTS], level[BABIES + GIANTS], n = 0;
    for (uint32_t k = 1; k < BABIES; k++)
        step[n++] = k;
    for (uint32_t k = 1; k < GIANTS; k++)
        step[n++] = k * BABIES;
    step[n++] = SLOTS / 2;
    for (uint32_t k = 0; k < n; k++)
        level[k] = TOP;
    const struct ola_key_plan plan = {
        .relin_level = TOP, .n_rotations = n, .step = step, .level = level};
    uint64_t state = 5;
    w->name = name;
    w->scale = ldexp(1.0, (int)bits);
    check(ola_params_new(&l, &w->p), "params");
#ifdef NOISE_SIM
    ola_sim_noise(w->p, 2024);
#endif
    check(ola_client_new(w->p, &w->client), "client");
    check(ola_client_keys(w->client, &plan, &w->keys), "keys");
    check(ola_server_new(w->p, w->keys, &w->server), "server");
    check(ola_ct_new(w->p, &w->a), "ct");
    check(ola_ct_new(w->p, &w->b), "ct");
    check(ola_ct_new(w->p, &w->c), "ct");
    for (uint32_t t = 0; t < SLOTS; t++) {
        w->x[t] = random_unit(&state);
        w->y[t] = random_unit(&state);
    }
    check(ola_encrypt(w->client, w->a, w->x, SLOTS, TOP, w->scale), "encrypt");
    check(ola_encrypt(w->client, w->b, w->y, SLOTS, TOP, w->scale), "encrypt");
}

static void
unmake(struct world *w)
{
    ola_ct_free(w->a);
    ola_ct_free(w->b);
    ola_ct_free(w->c);
    ola_server_free(w->server);
    ola_keys_free(w->keys);
    ola_client_free(w->client);
    ola_params_free(w->p);
}

static void
report(const struct world *w, const char *what, const ola_ct *ct)
{
    static double got[SLOTS];
    double sum = 0.0;
    check(ola_decrypt(w->client, ct, got, SLOTS), "decrypt");
    for (uint32_t t = 0; t < SLOTS; t++)
        sum += (got[t] - w->want[t]) * (got[t] - w->want[t]);
    printf("%s.%s %.6e\n", w->name, what, sqrt(sum / SLOTS));
}

static void
simple(struct world *w)
{
    memcpy(w->want, w->x, sizeof w->want);
    report(w, "fresh", w->a);
    check(ola_encrypt(w->client, w->c, w->x, SLOTS, TOP, 2.0 * w->scale), "encrypt");
    check(ola_rescale(w->server, w->c, w->c), "rescale"); /* to a scale of about 2 */
    report(w, "rescale", w->c);
    check(ola_rotate(w->server, w->c, w->a, 3), "rotate");
    for (uint32_t t = 0; t < SLOTS; t++)
        w->want[t] = w->x[(t + 3) % SLOTS];
    report(w, "rotate", w->c);
    /* Many rotations: the key switch is what is left. */
    memcpy(w->want, w->x, sizeof w->want);
    check(ola_ct_copy(w->c, w->a), "copy");
    for (int k = 0; k < 32; k++)
        check(ola_rotate(w->server, w->c, w->c, SLOTS / 2), "rotate");
    report(w, "32-rotations", w->c);
    check(ola_add_plain(w->server, w->c, w->a, w->y, SLOTS), "add_plain");
    for (uint32_t t = 0; t < SLOTS; t++)
        w->want[t] = w->x[t] + w->y[t];
    report(w, "add-plain", w->c);
    check(ola_mul(w->server, w->c, w->a, w->b), "mul");
    check(ola_relinearise(w->server, w->c, w->c), "relinearise");
    for (uint32_t t = 0; t < SLOTS; t++)
        w->want[t] = w->x[t] * w->y[t];
    report(w, "product", w->c);
    check(ola_rescale(w->server, w->c, w->c), "rescale");
    report(w, "product-rescaled", w->c);
    check(ola_mul(w->server, w->c, w->a, w->b), "mul");
    check(ola_rescale(w->server, w->c, w->c), "rescale");
    check(ola_relinearise(w->server, w->c, w->c), "relinearise");
    report(w, "rescaled-first", w->c);
}

static void
linear(struct world *w)
{
    static float value[BABIES * GIANTS][SLOTS];
    static float *values[BABIES * GIANTS];
    static double bias[SLOTS];
    struct ola_weights_diagonal d[BABIES * GIANTS];
    uint32_t fold[1] = {SLOTS / 2};
    uint64_t state = 77;
    memset(d, 0, sizeof d);
    for (uint32_t k = 0; k < BABIES * GIANTS; k++) {
        d[k] = (struct ola_weights_diagonal){
            .giant = k / BABIES * BABIES, .baby = k % BABIES, .period = SLOTS};
        values[k] = value[k];
        for (uint32_t t = 0; t < SLOTS; t++)
            value[k][t] = (float)random_unit(&state) / 4;
    }
    for (uint32_t t = 0; t < SLOTS; t++)
        bias[t] = random_unit(&state);
    const struct plain_map m = {.head = {.args = 1,
                                         .in_cts = 1,
                                         .out_cts = 1,
                                         .n_diagonals = BABIES * GIANTS,
                                         .n_folds = 1,
                                         .bias_period = SLOTS},
                                .diagonal = d,
                                .value = values,
                                .fold = fold,
                                .bias = bias};
    struct bytes section = map_section(&m);
    const struct ola_map_desc desc = {.level = TOP, .in_scale = w->scale, .out_scale = w->scale};
    ola_map *map;
    check(ola_map_new(w->p, &desc, section.data, section.size, &map), "map");
    check(ola_linear(w->server, map, (const ola_ct *[]){w->a}, (ola_ct *[]){w->c}), "linear");
    map_apply(&m, SLOTS, (double *[]){w->x}, (double *[]){w->want});
    report(w, "linear", w->c);
    ola_map_free(map);
    bytes_free(&section);
}

static void
poly(struct world *w, uint32_t degree, const char *name)
{
    uint32_t length[32];
    float coef[32];
    uint64_t state = degree;
    for (uint32_t k = 0; k <= degree; k++) {
        length[k] = 1;
        coef[k] = (float)random_unit(&state);
    }
    struct bytes section = poly_section(degree, 1, 1, length, coef);
    const struct ola_map_desc desc = {.level = TOP, .in_scale = w->scale, .out_scale = w->scale};
    ola_poly *f;
    check(ola_poly_new(w->p, &desc, section.data, section.size, &f), "poly");
    check(ola_poly_eval(w->server, f, (const ola_ct *[]){w->a}, (ola_ct *[]){w->c}), "eval");
    for (uint32_t t = 0; t < SLOTS; t++) {
        w->want[t] = 0.0;
        for (uint32_t k = 0; k <= degree; k++)
            w->want[t] += (double)coef[k] * cos(k * acos(w->x[t]));
    }
    report(w, name, w->c);
    ola_poly_free(f);
    bytes_free(&section);
}

int
main(void)
{
    static const struct {
        const char *name;
        uint32_t bits, n_p, digit_limbs;
    } set[3] = {{"40-bits-digits-of-2", 40, 2, 2},
                {"30-bits-digits-of-1", 30, 1, 1},
                {"48-bits-tight", 48, 1, 1}};
    static struct world w;
    for (int k = 0; k < 3; k++) {
        make(&w, set[k].name, set[k].bits, set[k].n_p, set[k].digit_limbs);
        simple(&w);
        linear(&w);
        poly(&w, 3, "degree-3");
        poly(&w, 8, "degree-8");
        poly(&w, 15, "degree-15");
        unmake(&w);
    }
    return 0;
}
