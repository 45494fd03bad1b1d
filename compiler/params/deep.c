/* deep.c - parameters for programs that are bootstrapped: the chain in its parts, each with primes
 * of its own size (ola/plan.h). */
#include "params/params.h"

#include "ola/plan.h"

#include <math.h>

/* The shape: two factors down, three up, a cosine of degree 30 over twelve periods with two double
 * angles: it fails in 2^-40 of all bootstrappings (ola/plan.h). */
#define STC_LEVELS    2
#define EVAL_DEGREE   30
#define EVAL_DOUBLES  2
#define EVAL_INTEGERS 12
/* Bits of the last prime above the scale: what a sine differs from its argument by,
 * (2 pi / 2^8)^2 / 6 = 1e-4 of the largest value. */
#define RATIO_BITS 8
/* What is done at the bottom needs no more bits than these below the scale. */
#define STC_BELOW 3
/* Bits above the scale of the primes of EvalMod, from its end up, and of CoeffsToSlots: a search
 * for the least modelled error (ola_plan_boot_noise) with so many in all: 2^-13 of the largest
 * value at a scale of 28 bits. What is rounded early in EvalMod is amplified most. */
static const uint32_t eval_above[] = {6, 12, 11, 10, 13, 16, 10}, cts_above[] = {4, 2, 6};
#define CTS_LEVELS    (sizeof cts_above / sizeof *cts_above)
#define SPECIAL_SLACK 0.5
#define MOST_LIMBS    8 /* of a digit */

struct chain {
    uint64_t all[OLA_MAX_Q + OLA_MAX_P];
    uint32_t n;
};

/* `count` more primes of `bits`, or of as many as a prime can have. */
static bool
more(struct chain *c, uint32_t log_n, uint32_t bits, uint32_t count)
{
    if (bits > OLA_PRIME_BITS)
        bits = OLA_PRIME_BITS;
    if (c->n + count > OLA_MAX_Q ||
        (count && !ola_plan_primes(log_n, bits, count, c->all, c->n, c->all + c->n)))
        return false;
    c->n += count;
    return true;
}

static double
log2_product(const uint64_t *at, uint32_t n)
{
    double sum = 0;
    for (uint32_t k = 0; k < n; k++)
        sum += log2((double)at[k]);
    return sum;
}

/* The least product of special primes, in bits, by which the chain is cut into `digits` at most
 * (ola_plan_digit_end). */
static double
digit_bits(const struct chain *c, uint32_t digits)
{
    double most = 0, wanted = 0;
    for (uint32_t k = 0; k < c->n; k++)
        wanted = fmax(wanted, log2((double)c->all[k]));
    for (uint32_t cut = UINT32_MAX; cut > digits; wanted = cut > digits ? most : wanted) {
        double own = 0;
        cut = 1;
        most = INFINITY; /* the least that would change anything */
        for (uint32_t k = 0, n = 0; k < c->n; k++) {
            double bits = log2((double)c->all[k]);
            if (n == MOST_LIMBS || own + bits > wanted) {
                most = n == MOST_LIMBS ? most : fmin(most, own + bits);
                own = n = 0;
                cut++;
            }
            own += bits;
            n++;
        }
        if (isinf(most))
            break;
    }
    return wanted;
}

/* Special primes for that many digits. */
static bool
special(struct chain *c, uint32_t log_n, uint32_t digits, uint32_t *count)
{
    double wanted = digit_bits(c, digits) + SPECIAL_SLACK;
    *count = (uint32_t)ceil(wanted / (OLA_PRIME_BITS - 1));
    uint32_t bits = (uint32_t)ceil(wanted / *count);
    return *count <= OLA_MAX_P && ola_plan_primes(log_n, bits, *count, c->all, c->n, c->all + c->n);
}

bool
params_deep(struct arena *a, const struct params_deep_request *r, struct he_params *out)
{
    struct chain c = {0};
    uint32_t n_p, scale = r->scale_bits;
    bool fits = r->out_level > STC_LEVELS && scale + RATIO_BITS <= OLA_PRIME_BITS &&
                more(&c, r->log_n, scale + RATIO_BITS, 1) &&
                more(&c, r->log_n, scale - STC_BELOW, STC_LEVELS) &&
                more(&c, r->log_n, scale, r->out_level - STC_LEVELS);

    for (size_t k = 0; k < sizeof eval_above / sizeof *eval_above; k++)
        fits = fits && more(&c, r->log_n, scale + eval_above[k], 1);
    for (size_t k = 0; k < CTS_LEVELS; k++)
        fits = fits && more(&c, r->log_n, scale + cts_above[k], 1);
    if (!fits || !special(&c, r->log_n, r->digits, &n_p))
        return false;
    *out = (struct he_params){.log_n = r->log_n,
                              .slots = (uint32_t)1 << (r->log_n - 1),
                              .digit_limbs = MOST_LIMBS,
                              .scale = ldexp(1, (int)scale),
                              .boot = {.stc = STC_LEVELS,
                                       .cts = CTS_LEVELS,
                                       .degree = EVAL_DEGREE,
                                       .doubles = EVAL_DOUBLES,
                                       .k = EVAL_INTEGERS,
                                       .out_level = r->out_level},
                              .log_qp = log2_product(c.all, c.n + n_p),
                              .insecure_toy = r->insecure_toy,
                              .costs = r->costs};
    for (uint32_t k = 0; k < c.n; k++)
        vec_push(a, &out->q, c.all[k]);
    for (uint32_t k = 0; k < n_p; k++)
        vec_push(a, &out->p, c.all[c.n + k]);
    he_digits_fill(out);
    out->security = ola_plan_security(r->log_n, out->log_qp);
    return r->insecure_toy || out->log_qp <= ola_plan_max_log_qp(r->log_n, r->security);
}
