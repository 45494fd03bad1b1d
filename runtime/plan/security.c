/* security.c - how large a modulus a ring degree carries, and what a level costs in keys. */
#include "ola/plan.h"

/* Max log2(QP) for a uniform ternary secret, classical attacks: Bossuat et al., "Security
 * Guidelines for Implementing Homomorphic Encryption", ePrint 2024/463, table 4.2. Rows: log_n from
 * OLA_MIN_LOG_N. */
static const double max_log_qp[OLA_MAX_LOG_N - OLA_MIN_LOG_N + 1][3] = {
    /* 128   192   256 */
    /* clang-format off */
    {26, 0, 0},
    {53, 36, 27},
    {106, 73, 56},
    {214, 147, 114},
    {430, 297, 230},
    {868, 597, 462},
    {1747, 1199, 929},
    {3523, 2411, 1866},
    /* clang-format on */
};

double
ola_plan_max_log_qp(uint32_t log_n, uint32_t bits)
{
    if (log_n < OLA_MIN_LOG_N || log_n > OLA_MAX_LOG_N || bits % 64 != 0 || bits < 128 ||
        bits > 256)
        return 0.0;
    return max_log_qp[log_n - OLA_MIN_LOG_N][bits / 64 - 2];
}

uint32_t
ola_plan_security(uint32_t log_n, double log_qp)
{
    for (uint32_t bits = 256; bits >= 128; bits -= 64) {
        if (log_qp <= ola_plan_max_log_qp(log_n, bits))
            return bits;
    }
    return 0;
}

/* Products of doubles are the same everywhere, so that all sides cut alike. */
uint32_t
ola_plan_digit_end(const struct ola_literal *p, uint32_t first)
{
    double special = 1.0, digit = (double)p->q[first];
    uint32_t end = first + 1;
    for (uint32_t k = 0; k < p->n_p; k++)
        special *= (double)p->p[k];
    for (; end < p->n_q && end - first < p->digit_limbs; end++) {
        digit *= (double)p->q[end];
        if (digit >= special)
            break;
    }
    return end;
}

uint32_t
ola_plan_digits(const struct ola_literal *p, uint32_t level)
{
    uint32_t digits = 0;
    for (uint32_t first = 0; first <= level; first = ola_plan_digit_end(p, first))
        digits++;
    return digits;
}

uint32_t
ola_plan_limb_width(uint64_t q)
{
    return q >> OLA_NARROW_BITS == 0 ? 4 : 8;
}

uint32_t
ola_plan_wire_bits(uint64_t q)
{
    uint32_t bits = 0;
    for (; q != 0; q >>= 1)
        bits++;
    return bits;
}

static uint64_t
sum_of(const struct ola_literal *p, uint32_t level, uint32_t (*of)(uint64_t))
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k <= level; k++)
        sum += of(p->q[k]);
    for (uint32_t k = 0; k < p->n_p; k++)
        sum += of(p->p[k]);
    return sum;
}

uint64_t
ola_plan_key_bytes(const struct ola_literal *p, uint32_t level)
{
    return (sum_of(p, level, ola_plan_limb_width) * 2 * ola_plan_digits(p, level)) << p->log_n;
}

uint64_t
ola_plan_key_wire_bytes(const struct ola_literal *p, uint32_t level)
{
    return (sum_of(p, level, ola_plan_wire_bits) * ola_plan_digits(p, level)) << (p->log_n - 3);
}

uint32_t
ola_plan_galois(uint32_t log_n, uint32_t step)
{
    uint32_t mask = (2u << log_n) - 1, result = 1, power = 5;
    for (; step != 0; step >>= 1) {
        if (step & 1)
            result = result * power & mask;
        power = power * power & mask;
    }
    return result;
}
