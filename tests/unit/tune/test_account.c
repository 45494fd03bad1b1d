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

/* Abadi et al., arXiv 1607.00133, sec. 3.2: q = 0.01, sigma = 4, delta = 1e-5, 10,000 steps:
 * 1.26. */
Test(account, the_moments_accountant)
{
    double epsilon = earlier(0.01, 4, 10000, 1e-5);
    cr_expect(fabs(epsilon - 1.26) < 0.01, "%g", epsilon);
    cr_expect(account_epsilon(0.01, 4, 10000, 1e-5) < epsilon);
}

/* The MNIST tutorial of TensorFlow Privacy: batches of 256 of 60,000, delta 1e-5; noise 1.3 for 15
 * epochs: 1.19, 1.1 for 60: 3.01, 0.7 for 45: 7.10. Its orders are not all whole numbers. */
Test(account, published_trainings)
{
    double q = 256 / 60000.0, steps = 60000 / 256.0;
    double first = earlier(q, 1.3, 15 * steps, 1e-5), second = earlier(q, 1.1, 60 * steps, 1e-5),
           third = earlier(q, 0.7, 45 * steps, 1e-5);
    cr_expect(fabs(first - 1.19) < 0.02, "%g", first);
    cr_expect(fabs(second - 3.01) < 0.03, "%g", second);
    cr_expect(fabs(third - 7.10) < 0.15, "%g", third);
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

Test(account, noise_is_the_least_that_keeps_epsilon)
{
    double sigma;
    cr_assert(account_noise(0.01, 1000, 3, 1e-5, &sigma));
    cr_expect(account_epsilon(0.01, sigma, 1000, 1e-5) <= 3);
    cr_expect(account_epsilon(0.01, sigma * 0.999, 1000, 1e-5) > 3);
    cr_expect(!account_noise(0.5, 1e9, 1e-3, 1e-5, &sigma));
}
