/* account.c - see account.h. */
#include "tune/account.h"

#include <math.h>

#define ORDERS     512
#define MOST_NOISE 100.0
#define NEAR       1e-4

double
account_renyi(double q, double sigma, uint32_t alpha)
{
    double log_sum = -INFINITY;

    if (q >= 1)
        return alpha / (2 * sigma * sigma);
    for (uint32_t k = 0; k <= alpha; k++) {
        double choose = lgamma(alpha + 1.0) - lgamma(k + 1.0) - lgamma(alpha - k + 1.0);
        double term = choose + (alpha - k) * log1p(-q) + (k ? k * log(q) : 0) +
                      ((double)k * k - k) / (2 * sigma * sigma);
        double high = fmax(log_sum, term), low = fmin(log_sum, term);
        log_sum = high + log1p(exp(low - high));
    }
    return fmax(0, log_sum) / (alpha - 1);
}

double
account_epsilon(double q, double sigma, double steps, double delta)
{
    double best = INFINITY;

    if (!(sigma > 0))
        return INFINITY;
    for (uint32_t alpha = 2; alpha <= ORDERS; alpha++) {
        double a = alpha, epsilon = steps * account_renyi(q, sigma, alpha) + log1p(-1 / a) -
                                    (log(delta) + log(a)) / (a - 1);
        best = fmin(best, fmax(0, epsilon));
    }
    return best;
}

bool
account_noise(double q, double steps, double epsilon, double delta, double *sigma)
{
    double low = 0, high = MOST_NOISE;

    if (!(account_epsilon(q, high, steps, delta) <= epsilon))
        return false;
    while (high - low > NEAR * high) {
        double middle = low > 0 ? (low + high) / 2 : high / 2;
        if (account_epsilon(q, middle, steps, delta) <= epsilon)
            high = middle;
        else
            low = middle;
    }
    *sigma = high;
    return true;
}
