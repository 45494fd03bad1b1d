/* account.h - what a differentially private training costs: Renyi accounting of the subsampled
 * Gaussian mechanism. Pure numbers. */
#ifndef OLAC_TUNE_ACCOUNT_H
#define OLAC_TUNE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Renyi divergence of whole order alpha >= 2 of one step that takes each example with probability q
 * and adds noise of deviation sigma times the clipping norm: log(sum_k C(alpha, k) (1 -
 * q)^(alpha - k) q^k exp((k^2 - k) / (2 sigma^2))) / (alpha - 1) (Mironov, Talwar, Zhang, arXiv
 * 1908.10530, sec. 3.3). */
double account_renyi(double q, double sigma, uint32_t alpha);
/* The epsilon that so many steps satisfy at this delta, the best over orders 2 .. 512:
 * conversion of Canonne, Kamath, Steinke (arXiv 2004.00010, prop. 12). INFINITY for sigma <= 0. */
double account_epsilon(double q, double sigma, double steps, double delta);
/* The least noise, to a share of 1e-4, that keeps epsilon; false when even 100 does not. */
bool account_noise(double q, double steps, double epsilon, double delta, double *sigma);

#endif
