/* account.c - see account.h. */
#include "tune/account.h"

#include <math.h>

#define MOST_NOISE 100.0
#define NEAR       1e-4

double
account_renyi(double q, double sigma, uint32_t alpha)
{
    double log_sum = -INFINITY;

    if (!(sigma > 0))
        return INFINITY;
    if (q >= 1)
        return alpha / (2 * sigma * sigma);
    for (uint32_t k = 0; k <= alpha; k++) {
        double choose = lgamma(alpha + 1.0) - lgamma(k + 1.0) - lgamma(alpha - k + 1.0);
        double term = choose + (alpha - k) * log1p(-q) + (k ? k * log(q) : 0) +
                      ((double)k * k - k) / (2 * sigma * sigma);
        if (!(term < INFINITY))
            return INFINITY;
        double high = fmax(log_sum, term), low = fmin(log_sum, term);
        log_sum = high + log1p(exp(low - high));
    }
    return fmax(0, log_sum) / (alpha - 1);
}

void
account_add(struct account *a, double q, double sigma, double steps)
{
    for (uint32_t alpha = 2; alpha <= ACCOUNT_ORDERS; alpha++)
        a->renyi[alpha] += steps * account_renyi(q, sigma, alpha);
}

double
account_epsilon(const struct account *a, double delta)
{
    double best = INFINITY;

    if (a->renyi[2] == 0)
        return 0;
    for (uint32_t alpha = 2; alpha <= ACCOUNT_ORDERS; alpha++) {
        double order = alpha, epsilon = a->renyi[alpha] + log1p(-1 / order) -
                                        (log(delta) + log(order)) / (order - 1);
        best = fmin(best, fmax(0, epsilon));
    }
    return best;
}

/* The epsilon with so many steps more. */
static double
epsilon_with(const struct account *spent, double q, double sigma, double steps, double delta)
{
    struct account a = *spent;

    account_add(&a, q, sigma, steps);
    return account_epsilon(&a, delta);
}

bool
account_noise(const struct account *spent, double q, double steps, double epsilon, double delta,
              double *sigma)
{
    double low = 0, high = MOST_NOISE;

    if (!(epsilon_with(spent, q, high, steps, delta) <= epsilon))
        return false;
    while (high - low > NEAR * high) {
        double middle = low > 0 ? (low + high) / 2 : high / 2;
        if (epsilon_with(spent, q, middle, steps, delta) <= epsilon)
            high = middle;
        else
            low = middle;
    }
    *sigma = high;
    return true;
}
