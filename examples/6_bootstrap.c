/* 6_bootstrap.c - computing on and on: bootstrapping, and how precise it is.
 *
 * Every product takes a level, and when there are none left that was it - but for bootstrapping,
 * which makes of a ciphertext at the bottom one of the same values higher up. Between one and the
 * next there are as many levels as the parameters leave: nine in the set used here, at N = 2^15.
 *
 * The computation is x -> (3 x - x^3) / 2, which takes every number to the next of -1, 0 and 1: a
 * cubic is two levels, so a bootstrap is due after four of them. The last digits of the answers are
 * the bootstraps': compare with the same computation in the clear. */
#include "example.h"

#define COUNT  8 /* numbers, repeated through the slots: a period of 8 */
#define ROUNDS 3 /* of bootstrap and cubics */
#define CUBICS 4 /* to a round */

/* (3 x - x^3) / 2 = 9/8 T_1 - 1/8 T_3, as ola_poly_new reads it (ola/plan.h). */
struct section {
    struct ola_weights_poly head;
    struct {
        uint32_t length;
        float value;
    } coefficient[4];
};
static const struct section cubic = {
    .head = {.degree = 3, .cts = 1, .period = 1},
    .coefficient = {{1, 0.0f}, {1, 1.125f}, {1, 0.0f}, {1, -0.125f}}};

/* The keys: which rotations bootstrapping wants the plan says; the rest comes by itself. */
static ola_keys *
make_keys(const ola_client *client, const struct ola_boot_plan *plan)
{
    uint32_t step[OLA_MAX_BOOT_ROTATIONS], level[OLA_MAX_BOOT_ROTATIONS];
    for (uint32_t k = 0; k < plan->n_rotations; k++) {
        step[k] = plan->rotation[k].step;
        level[k] = plan->rotation[k].level;
    }
    const struct ola_key_plan key_plan = {.relin_level = plan->out_level,
                                          .n_rotations = plan->n_rotations,
                                          .step = step,
                                          .level = level};
    ola_keys *keys;
    TRY(ola_client_keys(client, &key_plan, &keys));
    printf("%u rotation keys, %.0f MB\n", plan->n_rotations, 1e-6 * (double)ola_keys_bytes(keys));
    return keys;
}

/* How far the answers are from the same computation in the clear. */
static double
compare(const ola_client *client, const ola_ct *ct, const double *want, const char *what)
{
    double got[COUNT], worst = 0;
    TRY(ola_decrypt(client, ct, got, COUNT));
    for (int k = 0; k < COUNT; k++)
        worst = fmax(worst, fabs(got[k] - want[k]));
    printf("%-16s level %2u, largest error 2^%.1f\n", what, ola_ct_level(ct), log2(worst));
    return worst;
}

int
main(void)
{
    struct ola_literal literal;
    struct ola_boot_plan plan;
    double in_scale, out_scale, x[COUNT], worst = 0;
    ola_params *params;
    ola_client *client;
    ola_server *server;
    ola_boot *boot;
    ola_poly *poly[CUBICS];
    ola_ct *ct;

    if (!ola_plan_boot_set(0, &literal, &in_scale, &out_scale) ||
        !ola_plan_boot(&literal, COUNT, &plan))
        return fprintf(stderr, "there is no such set\n"), 1;
    TRY(ola_params_new(&literal, &params));
    printf("N = 2^%u, log QP = %.0f, %u-bit secure; %u levels from one bootstrap to the next\n",
           literal.log_n, ola_params_log_qp(params), ola_params_security(params),
           plan.out_level - plan.in_level);
    TRY(ola_client_new(params, &client));
    ola_keys *keys = make_keys(client, &plan);

    /* Prepared once: the bootstrap for vectors of this period, a cubic for each level it is at. */
    TRY(ola_server_new(params, keys, &server));
    TRY(ola_boot_new(params, COUNT, in_scale, out_scale, &boot));
    for (uint32_t k = 0; k < CUBICS; k++) {
        struct ola_map_desc desc = {
            .level = plan.out_level - 2 * k, .in_scale = out_scale, .out_scale = out_scale};
        TRY(ola_poly_new(params, &desc, &cubic, sizeof cubic, &poly[k]));
    }

    for (int k = 0; k < COUNT; k++)
        x[k] = (k - 3.5) / 4;
    TRY(ola_ct_new(params, &ct));
    TRY(ola_encrypt(client, ct, x, COUNT, plan.in_level, in_scale));
    for (int round = 0; round < ROUNDS; round++) {
        TRY(ola_drop(server, ct, ct, plan.in_level)); /* what is above is of no use to it */
        TRY(ola_bootstrap(server, boot, ct, ct));
        worst = fmax(worst, compare(client, ct, x, "bootstrapped"));
        for (int n = 0; n < CUBICS; n++) {
            TRY(ola_poly_eval(server, poly[n], (const ola_ct *const[]){ct}, (ola_ct *const[]){ct}));
            for (int k = 0; k < COUNT; k++)
                x[k] = (3 * x[k] - x[k] * x[k] * x[k]) / 2;
        }
        worst = fmax(worst, compare(client, ct, x, "four cubics on"));
    }

    ola_ct_free(ct);
    for (int k = 0; k < CUBICS; k++)
        ola_poly_free(poly[k]);
    ola_boot_free(boot);
    ola_server_free(server);
    ola_keys_free(keys);
    ola_client_free(client);
    ola_params_free(params);
    return !(worst < 0.02);
}
