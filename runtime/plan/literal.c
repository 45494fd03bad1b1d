/* literal.c - checks and bytes of a parameter literal. */
#include "plan/literal.h"

#include <math.h>
#include <string.h>

/* In halves of a product by one limb: what a division by P costs a limb; and a product by a limb
 * modulo P, whose diagonal has eight bytes an entry, twice those of most primes, from memory. */
#define DIVISION  12
#define LATE_LIMB 5

#define FIXED_BYTES (5 * 4 + 32 + 6 * 4)

static uint64_t
prime_at(const struct ola_literal *l, uint32_t k)
{
    return k < l->n_q ? l->q[k] : l->p[k - l->n_q];
}

static bool
primes_good(const struct ola_literal *l)
{
    for (uint32_t k = 0; k < l->n_q + l->n_p; k++) {
        uint64_t q = prime_at(l, k);
        if (q >> OLA_PRIME_BITS != 0 || q % ((uint64_t)2 << l->log_n) != 1 || !ola_plan_is_prime(q))
            return false;
        for (uint32_t j = 0; j < k; j++) {
            if (prime_at(l, j) == q)
                return false;
        }
    }
    return true;
}

static double
log2_product(const uint64_t *q, uint32_t n)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < n; k++)
        sum += log2((double)q[k]);
    return sum;
}

/* The ephemeral secret of a bootstrap (h = 32) is used modulo q[0] p[0] only. */
_Static_assert(2 * OLA_PRIME_BITS <= OLA_BOOT_MAX_BITS, "any two primes are few enough");
static bool
sparse_secret_safe(const struct ola_literal *l)
{
    return !ola_plan_has_boot(l) || l->log_n >= 15;
}

ola_status
ola_literal_check(const struct ola_literal *l, double *log_qp, uint32_t *security)
{
    if (l->log_n < OLA_MIN_LOG_N || l->log_n > OLA_MAX_LOG_N || l->n_q == 0 || l->n_q > OLA_MAX_Q ||
        l->n_p == 0 || l->n_p > OLA_MAX_P || l->digit_limbs == 0 || l->digit_limbs > l->n_q ||
        l->digit_limbs > OLA_MAX_P)
        return OLA_ERR_PARAM;
    if (!primes_good(l))
        return OLA_ERR_PRIME;
    if (!ola_plan_boot_good(l))
        return OLA_ERR_PARAM;
    double log_p = log2_product(l->p, l->n_p);
    for (uint32_t k = 0; k < l->n_q; k++) {
        if (log2((double)l->q[k]) >= log_p)
            return OLA_ERR_PARAM;
    }
    *log_qp = log2_product(l->q, l->n_q) + log_p;
    *security =
        l->insecure_toy || !sparse_secret_safe(l) ? 0 : ola_plan_security(l->log_n, *log_qp);
    return *security == 0 && !l->insecure_toy ? OLA_ERR_INSECURE : OLA_OK;
}

size_t
ola_literal_write(const struct ola_literal *l, uint8_t out[OLA_LITERAL_MAX_BYTES])
{
    const uint32_t head[5] = {l->log_n, l->n_q, l->n_p, l->digit_limbs, l->insecure_toy};
    const struct ola_boot_shape *b = &l->boot;
    const uint32_t boot[6] = {b->stc, b->cts, b->degree, b->doubles, b->k, b->out_level};
    size_t q_bytes = (size_t)l->n_q * 8, p_bytes = (size_t)l->n_p * 8;
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, l->model, 32);
    memcpy(out + sizeof head + 32, boot, sizeof boot);
    memcpy(out + FIXED_BYTES, l->q, q_bytes);
    memcpy(out + FIXED_BYTES + q_bytes, l->p, p_bytes);
    return FIXED_BYTES + q_bytes + p_bytes;
}

bool
ola_literal_read(struct ola_literal *l, const uint8_t *bytes, size_t size)
{
    uint32_t head[5], boot[6];
    if (size < FIXED_BYTES)
        return false;
    memcpy(head, bytes, sizeof head);
    memcpy(boot, bytes + sizeof head + 32, sizeof boot);
    if (head[1] > OLA_MAX_Q || head[2] > OLA_MAX_P || head[4] > 1 ||
        size != FIXED_BYTES + ((size_t)head[1] + head[2]) * 8)
        return false;
    *l = (struct ola_literal){.log_n = head[0],
                              .n_q = head[1],
                              .n_p = head[2],
                              .digit_limbs = head[3],
                              .insecure_toy = head[4] == 1,
                              .boot = {boot[0], boot[1], boot[2], boot[3], boot[4], boot[5]}};
    memcpy(l->model, bytes + sizeof head, 32);
    memcpy(l->q, bytes + FIXED_BYTES, (size_t)l->n_q * 8);
    memcpy(l->p, bytes + FIXED_BYTES + (size_t)l->n_q * 8, (size_t)l->n_p * 8);
    return true;
}

bool
ola_plan_map_late(const struct ola_literal *p, uint32_t level, uint32_t babies, uint32_t rotated,
                  uint32_t diagonals)
{
    uint64_t positions = (uint64_t)level + 1 + p->n_p;
    return babies > rotated &&
           (babies - rotated) * positions * DIVISION > (uint64_t)diagonals * p->n_p * LATE_LIMB;
}
