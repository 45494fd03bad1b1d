/* 3_polynomial.c - an activation on encrypted numbers.
 *
 * Additions and products are all there is, so a sigmoid becomes a polynomial that follows it where
 * the inputs are. Polynomials are given in the Chebyshev basis on [-1, 1], which stays accurate at
 * high degrees; inputs from [-4, 4] are divided by 4 first (the compiler puts that factor into the
 * layer before). A degree d takes ceil(log2(d + 1)) levels: seven is the best that fits into three.
 *
 * The interpolation at Chebyshev's nodes below is exact there and nearly the best in between. The
 * compiler fits to the distribution of the calibration data instead. */
#include "example.h"

#define DEGREE 7
#define RANGE  4.0
#define PI     3.14159265358979323846
#define COUNT  8

static double
sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* sum c[k] T_k(t) through DEGREE + 1 points of sigmoid(RANGE * t). */
static void
interpolate(float c[DEGREE + 1])
{
    for (int k = 0; k <= DEGREE; k++) {
        double sum = 0;
        for (int i = 0; i <= DEGREE; i++) {
            double angle = PI * (i + 0.5) / (DEGREE + 1);
            sum += sigmoid(RANGE * cos(angle)) * cos(k * angle);
        }
        c[k] = (float)(sum * (k ? 2.0 : 1.0) / (DEGREE + 1));
    }
}

/* The table that ola_poly_new reads (ola/plan.h): one value a coefficient, the same in every slot.
 */
struct section {
    struct ola_weights_poly head;
    struct {
        uint32_t length;
        float value;
    } coefficient[DEGREE + 1];
};

int
main(void)
{
    uint32_t depth = ola_plan_poly_depth(DEGREE);
    ola_params *params = example_params(depth);
    struct ola_key_plan plan = {.relin_level = depth};
    struct section section = {.head = {.degree = DEGREE, .cts = 1, .period = 1}};
    struct ola_map_desc desc = {.level = depth, .in_scale = SCALE, .out_scale = SCALE};
    float c[DEGREE + 1];
    double x[COUNT], y[COUNT], worst = 0;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_poly *poly;
    ola_ct *ct, *answer;

    interpolate(c);
    for (int k = 0; k <= DEGREE; k++) {
        section.coefficient[k].length = 1;
        section.coefficient[k].value = c[k];
    }
    TRY(ola_client_new(params, &client));
    TRY(ola_client_keys(client, &plan, &keys));
    TRY(ola_server_new(params, keys, &server));
    TRY(ola_poly_new(params, &desc, &section, sizeof section, &poly));
    TRY(ola_ct_new(params, &ct));
    TRY(ola_ct_new(params, &answer));

    for (int k = 0; k < COUNT; k++)
        x[k] = (k - 3.5) / 3.5; /* in [-1, 1], standing for [-4, 4] */
    TRY(ola_encrypt(client, ct, x, COUNT, depth, SCALE));
    TRY(ola_poly_eval(server, poly, (const ola_ct *const[]){ct}, (ola_ct *const[]){answer}));
    TRY(ola_decrypt(client, answer, y, COUNT));
    printf("levels: %u before, %u after\n%8s %10s %10s\n", depth, ola_ct_level(answer), "x",
           "sigmoid", "encrypted");
    for (int k = 0; k < COUNT; k++) {
        printf("%8.3f %10.6f %10.6f\n", RANGE * x[k], sigmoid(RANGE * x[k]), y[k]);
        worst = fmax(worst, fabs(y[k] - sigmoid(RANGE * x[k])));
    }
    printf("largest difference %.2g: that of the polynomial, not of the encryption\n", worst);

    ola_ct_free(ct);
    ola_ct_free(answer);
    ola_poly_free(poly);
    ola_server_free(server);
    ola_keys_free(keys);
    ola_client_free(client);
    ola_params_free(params);
    return !(worst < 5e-3);
}
