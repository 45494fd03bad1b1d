/* account.h - what differentially private trainings cost: Renyi accounting of the subsampled
 * Gaussian mechanism. Pure numbers. */
#ifndef OLAC_TUNE_ACCOUNT_H
#define OLAC_TUNE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Orders 2 .. ACCOUNT_ORDERS are kept. */
#define ACCOUNT_ORDERS 512

/* What has been spent so far: the Renyi divergences of all steps of all trainings add up, order by
 * order. Zero: nothing. */
struct account {
    double renyi[ACCOUNT_ORDERS + 1];
};

/* Renyi divergence of whole order alpha >= 2 of one step that takes each example with probability q
 * and adds noise of deviation sigma times the clipping norm: log(sum_k C(alpha, k) (1 -
 * q)^(alpha - k) q^k exp((k^2 - k) / (2 sigma^2))) / (alpha - 1) (Mironov, Talwar, Zhang, arXiv
 * 1908.10530, sec. 3.3). INFINITY for sigma <= 0 and where a term is beyond a double. */
double account_renyi(double q, double sigma, uint32_t alpha);
/* So many steps more. */
void account_add(struct account *a, double q, double sigma, double steps);
/* The epsilon that what is spent satisfies at this delta, the best over the orders: conversion of
 * Canonne, Kamath, Steinke (arXiv 2004.00010, prop. 12). 0 when nothing is spent. */
double account_epsilon(const struct account *a, double delta);
/* The least noise, to a share of 1e-4, with which so many steps more keep epsilon; false when even
 * 100 does not. */
bool account_noise(const struct account *spent, double q, double steps, double epsilon,
                   double delta, double *sigma);

#endif
