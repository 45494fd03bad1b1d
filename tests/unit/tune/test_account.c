/* test_account.c - the accountant against published values and closed forms. */
#include "tune/account.h"

#include <criterion/criterion.h>
#include <math.h>

/* The conversion of the earlier papers: epsilon = rdp + log(1 / delta) / (alpha - 1). */
static double
earlier(double q, double sigma, double steps, double delta)
{
    double best = INFINITY;
    for (uint32_t a = 2; a <= 256; a++)
        best = fmin(best, steps * account_renyi(q, sigma, a) - log(delta) / (a - 1));
    return best;
}

static double
epsilon_of(double q, double sigma, double steps, double delta)
{
    struct account a = {{0}};
    account_add(&a, q, sigma, steps);
    return account_epsilon(&a, delta);
}

/* Abadi et al., arXiv 1607.00133, end of sec. 3.1: L = 0.01 N, sigma = 4, delta = 1e-5, 10,000
 * steps: 1.26. */
Test(account, the_moments_accountant)
{
    double epsilon = earlier(0.01, 4, 10000, 1e-5);
    cr_expect(fabs(epsilon - 1.26) < 0.01, "%g", epsilon);
    cr_expect(epsilon_of(0.01, 4, 10000, 1e-5) < epsilon);
}

/* MNIST in batches of 256 of 60,000 at delta 1e-5. Bu, Dong, Long, Su, "Deep learning with Gaussian
 * differential privacy" (Harvard Data Science Review 2.3, 2020), fig. 4: noise 1.3 for 20 epochs
 * 1.34, 0.7 for 70 epochs 8.68, by the moments accountant. TensorFlow Privacy, tutorials/README.md:
 * noise 1.12 for 60 epochs 2.92, 0.6 for 30 epochs 9.74, 1.2 for 10 epochs 1.20. Their orders are
 * not all whole numbers, so theirs are a little less where the best order is low. */
Test(account, published_trainings)
{
    static const struct {
        double sigma, epochs, epsilon;
    } published[] = {
        {1.3, 20, 1.34}, {0.7, 70, 8.68}, {1.12, 60, 2.92}, {0.6, 30, 9.74}, {1.2, 10, 1.20}};
    for (size_t k = 0; k < sizeof published / sizeof *published; k++) {
        double steps = published[k].epochs * 60000 / 256;
        double epsilon = earlier(256 / 60000.0, published[k].sigma, steps, 1e-5);
        cr_expect(epsilon > published[k].epsilon - 0.01 && epsilon < 1.04 * published[k].epsilon,
                  "%g %g", epsilon, published[k].epsilon);
        cr_expect(epsilon_of(256 / 60000.0, published[k].sigma, steps, 1e-5) < epsilon);
    }
}

/* Without sampling it is the Gaussian mechanism: alpha / (2 sigma^2). */
Test(account, everything_taken_is_the_gaussian_mechanism)
{
    for (uint32_t a = 2; a < 60; a += 7) {
        cr_expect(fabs(account_renyi(1, 2, a) - a / 8.0) < 1e-12);
        cr_expect(fabs(account_renyi(1 - 1e-12, 2, a) - a / 8.0) < 1e-6);
    }
}

/* Order 2 in closed form: log(1 + q^2 (exp(1 / sigma^2) - 1)). */
Test(account, order_two_in_closed_form)
{
    for (double q = 0.001; q < 1; q *= 3)
        for (double sigma = 0.5; sigma < 8; sigma *= 2) {
            double want = log1p(q * q * expm1(1 / (sigma * sigma)));
            cr_expect(fabs(account_renyi(q, sigma, 2) - want) < 1e-9 * (1 + want));
        }
}

/* No noise to speak of hides nothing: what is no number is no zero. */
Test(account, noise_beyond_a_double_costs_everything)
{
    static const double sigmas[] = {0, 1e-320, 1e-200, 1e-160, 1e-154, 1e-150};
    for (size_t k = 0; k < sizeof sigmas / sizeof *sigmas; k++) {
        struct account a = {{0}};
        double sigma;
        for (uint32_t alpha = 2; alpha <= ACCOUNT_ORDERS; alpha += 17)
            cr_expect(account_renyi(0.1, sigmas[k], alpha) > 1e290, "%g", sigmas[k]);
        account_add(&a, 0.1, sigmas[k], 10);
        cr_expect(account_epsilon(&a, 1e-5) > 1e290, "%g", sigmas[k]);
        cr_expect(!account_noise(&a, 0.01, 10, 100, 1e-5, &sigma));
    }
    cr_expect(account_renyi(NAN, 1, 2) > 1e290);
}

Test(account, noise_is_the_least_that_keeps_epsilon)
{
    struct account none = {{0}};
    double sigma;
    cr_assert(account_noise(&none, 0.01, 1000, 3, 1e-5, &sigma));
    cr_expect(epsilon_of(0.01, sigma, 1000, 1e-5) <= 3);
    cr_expect(epsilon_of(0.01, sigma * 0.999, 1000, 1e-5) > 3);
    cr_expect(!account_noise(&none, 0.5, 1e9, 1e-3, 1e-5, &sigma));
}

/* Two halves are the whole; what other trainings spent leaves room for more noise only. */
Test(account, trainings_add_up)
{
    struct account a = {{0}};
    double alone, after;
    cr_expect(account_epsilon(&a, 1e-5) == 0);
    account_add(&a, 0.01, 1.5, 400);
    cr_assert(account_noise(&(struct account){{0}}, 0.02, 300, 2, 1e-5, &alone));
    cr_assert(account_noise(&a, 0.02, 300, 2, 1e-5, &after));
    cr_expect(after > 1.01 * alone, "%g %g", after, alone);
    account_add(&a, 0.01, 1.5, 600);
    cr_expect(fabs(account_epsilon(&a, 1e-5) - epsilon_of(0.01, 1.5, 1000, 1e-5)) < 1e-9);
    cr_expect(!account_noise(&a, 0.02, 300, account_epsilon(&a, 1e-5), 1e-5, &after));
}
