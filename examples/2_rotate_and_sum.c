/* 2_rotate_and_sum.c - the building block of every linear layer: an inner product of encrypted data
 * with weights that the server knows.
 *
 * Slots cannot be read one by one, but a ciphertext can be rotated: out[t] = in[t + step]. The sum
 * of eight neighbours takes three rotations, by 4, 2 and 1, as a sum of halves of halves. Each step
 * of a rotation needs an evaluation key of its own, so a program says which ones it wants (the
 * compiler keeps that list short).
 *
 * A whole matrix is the same idea, diagonal by diagonal: out += diagonal_r * rotate(in, r).
 * ola_linear does that with rotations shared between diagonals; ola/plan.h describes the table that
 * it reads, and the compiler writes such a table for every convolution, dense layer and pool. Here
 * is one with two diagonals, by hand. */
#include "example.h"

#define N 8

/* y[t] = 0.5 * x[t] + 0.25 * x[t + 1]: a section as ola/plan.h has it. */
struct two_diagonals {
    struct ola_weights_map head;
    struct ola_weights_diagonal diagonal[2];
    float value[2];
};

static struct two_diagonals
smoothing(void)
{
    struct two_diagonals s = {.head = {.args = 1, .in_cts = 1, .out_cts = 1, .n_diagonals = 2},
                              .value = {0.5f, 0.25f}};
    for (uint32_t k = 0; k < 2; k++) /* a period of 1: the same factor in every slot */
        s.diagonal[k] = (struct ola_weights_diagonal){
            .baby = k,
            .period = 1,
            .count = 1,
            .offset = offsetof(struct two_diagonals, value) + k * sizeof(float)};
    return s;
}

int
main(void)
{
    ola_params *params = example_params(2);
    static const uint32_t step[] = {1, 2, 4}, level[] = {2, 2, 2};
    struct ola_key_plan plan = {
        .relin_level = UINT32_MAX, .n_rotations = 3, .step = step, .level = level};
    const double x[N] = {1, 2, 3, 4, 5, 6, 7, 8}, weight[N] = {.5, -1, .25, 2, 0, 1, -.5, .125};
    double weighted[N], decrypted[N], want = 0;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_ct *ct, *turned, *smooth;
    int wrong = 0;

    TRY(ola_client_new(params, &client));
    TRY(ola_client_keys(client, &plan, &keys));
    TRY(ola_server_new(params, keys, &server));
    TRY(ola_ct_new(params, &ct));
    TRY(ola_ct_new(params, &turned));
    TRY(ola_ct_new(params, &smooth));

    /* The inner product. The client weighs the entries before it encrypts, so that this example is
     * about the sum; ola_linear below multiplies by the server's numbers. */
    for (int k = 0; k < N; k++) {
        weighted[k] = x[k] * weight[k];
        want += weighted[k];
    }
    TRY(ola_encrypt(client, ct, weighted, N, 2, SCALE));
    for (int k = 2; k >= 0; k--) {
        TRY(ola_rotate(server, turned, ct, step[k]));
        TRY(ola_add(server, ct, ct, turned));
    }
    TRY(ola_decrypt(client, ct, decrypted, N));
    printf("inner product: %.6f, encrypted: %.6f\n", want, decrypted[0]);
    wrong |= fabs(decrypted[0] - want) > 1e-4;

    /* A rotation without its key is an error, not another result. */
    if (ola_rotate(server, turned, ct, 3) != OLA_ERR_KEY)
        return fprintf(stderr, "a rotation without a key\n"), 1;

    /* The linear map: encoded for a level and two scales, it goes from level 2 to level 1. */
    struct two_diagonals section = smoothing();
    struct ola_map_desc desc = {.level = 2, .in_scale = SCALE, .out_scale = SCALE};
    ola_map *map;
    TRY(ola_map_new(params, &desc, &section, sizeof section, &map));
    TRY(ola_encrypt(client, ct, x, N, 2, SCALE));
    TRY(ola_linear(server, map, (const ola_ct *const[]){ct}, (ola_ct *const[]){smooth}));
    TRY(ola_decrypt(client, smooth, decrypted, N));
    printf("smoothed:");
    for (int k = 0; k < N; k++) {
        printf(" %.4f", decrypted[k]);
        wrong |= fabs(decrypted[k] - (.5 * x[k] + .25 * x[(k + 1) % N])) > 1e-4;
    }
    printf("\n");

    ola_map_free(map);
    ola_ct_free(ct);
    ola_ct_free(turned);
    ola_ct_free(smooth);
    ola_server_free(server);
    ola_keys_free(keys);
    ola_client_free(client);
    ola_params_free(params);
    return wrong;
}
