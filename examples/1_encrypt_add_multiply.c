/* 1_encrypt_add_multiply.c - a first tour of libola: encrypt two vectors, add and multiply them
 * without seeing them, decrypt.
 *
 * There are two sides. The *client* owns the secret key: it makes keys, encrypts and decrypts
 * (ola/client.h, libola_client). The *server* computes on what it is sent with evaluation keys that
 * cannot decrypt (ola/ola.h, libola). Here both live in one program; example 4 has them in
 * processes of their own.
 *
 * A ciphertext holds N/2 real numbers, its slots, and an operation acts on all of them at once. It
 * has
 *  - a scale: slots hold value * scale, so that whole numbers can stand for reals;
 *  - a level: how often it can still be rescaled. A product of two ciphertexts has the product of
 * their scales; rescaling divides by a prime near the scale, and takes one level. */
#include "example.h"

int
main(void)
{
    ola_params *params = example_params(2);

    /* The client makes a secret key, and from it the one evaluation key that a product needs:
     * relinearisation, usable up to level 2. It can be published. */
    struct ola_key_plan plan = {.relin_level = 2};
    ola_client *client;
    ola_keys *keys;
    TRY(ola_client_new(params, &client));
    TRY(ola_client_keys(client, &plan, &keys));

    /* Four numbers, repeated through all slots: the vectors have a period of 4. */
    const double x[4] = {1.5, -2.0, 0.25, 3.0}, y[4] = {2.0, 0.5, -4.0, 1.0};
    ola_ct *a, *b, *sum, *product;
    TRY(ola_ct_new(params, &a));
    TRY(ola_ct_new(params, &b));
    TRY(ola_ct_new(params, &sum));
    TRY(ola_ct_new(params, &product));
    TRY(ola_encrypt(client, a, x, 4, 2, SCALE));
    TRY(ola_encrypt(client, b, y, 4, 2, SCALE));

    /* The server. Levels and scales of both operands must agree, or there is an error instead of a
     * wrong number. */
    ola_server *server;
    TRY(ola_server_new(params, keys, &server));
    TRY(ola_add(server, sum, a, b));
    TRY(ola_mul(server, product, a, b));
    TRY(ola_relinearise(server, product, product));
    TRY(ola_rescale(server, product, product));
    printf("sum: level %u; product: level %u\n", ola_ct_level(sum), ola_ct_level(product));

    /* What does not fit is refused: the product lost a level, so it cannot be added to the sum as
     * it is ... */
    if (ola_add(server, sum, sum, product) != OLA_ERR_LEVEL)
        return fprintf(stderr, "levels were mixed\n"), 1;

    /* The client again. CKKS is approximate: some 25 bits behind the point are right here. */
    double s[4], p[4];
    int wrong = 0;
    TRY(ola_decrypt(client, sum, s, 4));
    TRY(ola_decrypt(client, product, p, 4));
    for (int k = 0; k < 4; k++) {
        printf("%5.2f + %5.2f = %9.6f    %5.2f * %5.2f = %9.6f\n", x[k], y[k], s[k], x[k], y[k],
               p[k]);
        wrong |= fabs(s[k] - (x[k] + y[k])) > 1e-5 || fabs(p[k] - x[k] * y[k]) > 1e-5;
    }

    ola_server_free(server);
    ola_ct_free(a);
    ola_ct_free(b);
    ola_ct_free(sum);
    ola_ct_free(product);
    ola_keys_free(keys);
    ola_client_free(client);
    ola_params_free(params);
    return wrong;
}
