/* params.c - a small search: scale bits from the largest that keeps limbs narrow downwards, digits
 * of every width; the cheapest secure set wins, the more precise of equals. */
#include "params/params.h"

#include "ola/plan.h"

#include <math.h>

/* Most bits of a rescaling prime: limbs below 2^32 are half as large in keys and weights. */
#define MAX_SCALE_BITS 31
/* Room above the scale at the last level beyond the output range: sign, and noise and intermediate
 * sums of a last polynomial. */
#define HEAD_BITS 3
/* What one more bit of scale is worth, as a share of the time: precision that nobody asked for is
 * taken where it costs next to nothing. */
#define BIT_WORTH 0.04
/* The smallest prime that exists in number for ring degree 2^log_n. */
#define SPARE_PRIME_BITS 7

/* sqrt(N) * sqrt(h / 12), h = 2 N / 3. */
double
params_rounding_bits(uint32_t log_n)
{
    double n = (double)((uint64_t)1 << log_n);
    return log2(sqrt(n) * sqrt(n / 18));
}

struct candidate {
    uint32_t scale_bits, first_bits, digit_limbs, special, special_bits;
    double price;
};

/* The candidate's primes; false when there are too few near its sizes. */
static bool
find_primes(const struct params_request *r, const struct candidate *s, struct arena *a,
            struct he_params *out)
{
    uint64_t q[OLA_MAX_Q], p[OLA_MAX_P], all[OLA_MAX_Q + OLA_MAX_P];
    uint32_t n = 0;

    if (r->depth + 1 > OLA_MAX_Q || s->special > OLA_MAX_P)
        return false;
    if (!ola_plan_primes(r->log_n, s->first_bits, 1, NULL, 0, q))
        return false;
    all[n++] = q[0];
    if (r->depth && !ola_plan_primes(r->log_n, s->scale_bits, r->depth, all, n, q + 1))
        return false;
    for (uint32_t k = 1; k <= r->depth; k++)
        all[n++] = q[k];
    if (!ola_plan_primes(r->log_n, s->special_bits, s->special, all, n, p))
        return false;
    *out = (struct he_params){.log_n = r->log_n,
                              .slots = (uint32_t)1 << (r->log_n - 1),
                              .digit_limbs = s->digit_limbs,
                              .scale = ldexp(1, (int)s->scale_bits),
                              .insecure_toy = r->insecure_toy,
                              .costs = r->costs};
    for (uint32_t k = 0; k <= r->depth; k++)
        vec_push(a, &out->q, q[k]);
    for (uint32_t k = 0; k < s->special; k++)
        vec_push(a, &out->p, p[k]);
    for (uint32_t k = 0; k < out->q.len; k++)
        out->log_qp += log2((double)out->q.at[k]);
    for (uint32_t k = 0; k < out->p.len; k++)
        out->log_qp += log2((double)out->p.at[k]);
    out->security = ola_plan_security(r->log_n, out->log_qp);
    return true;
}

/* The product of the special primes must exceed that of any digit; a few bits more keep the noise
 * of a key switch below that of one rounding. */
static bool
special_primes(struct candidate *s, uint32_t slack)
{
    uint32_t bits = s->first_bits + (s->digit_limbs - 1) * s->scale_bits + slack;
    s->special = (bits + OLA_PRIME_BITS - 2) / (OLA_PRIME_BITS - 1);
    s->special_bits = (bits + s->special - 1) / s->special;
    return s->special <= OLA_MAX_P;
}

static double
price(const struct params_request *r, const struct candidate *s)
{
    struct he_params p = {.log_n = r->log_n, .digit_limbs = s->digit_limbs, .costs = r->costs};
    double sum = 0;
    p.p.len = s->special;
    for (uint32_t l = 0; l <= r->depth; l++)
        sum += r->switches[l] * he_price_rotation(&p, l, false);
    return sum;
}

/* The best set with `room` bits for the outputs; *best is its price, less what its precision is
 * worth. */
static bool
search(const struct params_request *r, uint32_t least, uint32_t room, double limit, struct arena *a,
       struct he_params *out)
{
    struct he_params found = {0};
    double best = -1;

    for (uint32_t bits = MAX_SCALE_BITS; bits >= least; bits--)
        for (uint32_t limbs = 1; limbs <= r->depth + 1 && limbs <= OLA_MAX_P; limbs++)
            for (uint32_t slack = 4; slack >= 2; slack -= 2) {
                struct candidate s = {.scale_bits = bits, .digit_limbs = limbs};
                s.first_bits = bits + HEAD_BITS + room;
                if (s.first_bits > OLA_PRIME_BITS || !special_primes(&s, slack))
                    continue;
                double total = s.first_bits + (double)r->depth * bits + s.special * s.special_bits;
                if (!r->insecure_toy && total > limit + 0.5)
                    continue;
                s.price = price(r, &s) * (1 - BIT_WORTH * (bits - least));
                if (best >= 0 && s.price >= best * 0.999)
                    continue;
                if (!find_primes(r, &s, a, &found) || (!r->insecure_toy && found.log_qp > limit))
                    continue;
                best = s.price;
                *out = found;
                break;
            }
    return best >= 0;
}

/* Bits by which the smallest modulus for the depth exceeds the limit. Near small powers of two
 * there are few primes, so that the least scale may not have enough of them. */
static double
missing_bits(const struct params_request *r, uint32_t least, uint32_t room, double limit)
{
    struct arena *scratch = arena_new();
    uint32_t excess = r->depth + 1 > OLA_MAX_Q ? r->depth + 1 - OLA_MAX_Q : 1;
    double missing = (double)excess * MAX_SCALE_BITS; /* no chain of primes is that long */

    for (uint32_t bits = least; bits <= MAX_SCALE_BITS; bits++) {
        struct candidate s = {
            .scale_bits = bits, .digit_limbs = 1, .first_bits = bits + HEAD_BITS + room};
        struct he_params p;
        if (s.first_bits > OLA_PRIME_BITS || !special_primes(&s, 2) ||
            !find_primes(r, &s, scratch, &p))
            continue;
        missing = p.log_qp - limit;
        break;
    }
    arena_free(scratch);
    return missing;
}

uint32_t
params_least_scale(uint32_t log_n, double precision_bits)
{
    uint32_t least = (uint32_t)ceil(params_rounding_bits(log_n) + precision_bits);
    return least < log_n + SPARE_PRIME_BITS ? log_n + SPARE_PRIME_BITS : least;
}

/* ---- chains ---------------------------------------------------------------------------------- */

/* Primes of the sizes wanted; false when there are too few. */
static bool
find_chain(const struct params_chain *r, const struct candidate *s, struct arena *a,
           struct he_params *out)
{
    uint64_t all[OLA_MAX_Q + OLA_MAX_P], p[OLA_MAX_P];
    if (s->special > OLA_MAX_P || s->special_bits > OLA_PRIME_BITS)
        return false;
    *out = (struct he_params){.log_n = r->log_n,
                              .slots = (uint32_t)1 << (r->log_n - 1),
                              .digit_limbs = s->digit_limbs,
                              .insecure_toy = r->insecure_toy,
                              .costs = r->costs};
    for (uint32_t k = 0; k < r->n; k++) {
        if (!ola_plan_primes(r->log_n, r->bits[k], 1, all, k, &all[k]))
            return false;
        vec_push(a, &out->q, all[k]);
        out->log_qp += log2((double)all[k]);
    }
    if (!ola_plan_primes(r->log_n, s->special_bits, s->special, all, r->n, p))
        return false;
    for (uint32_t k = 0; k < s->special; k++) {
        vec_push(a, &out->p, p[k]);
        out->log_qp += log2((double)p[k]);
    }
    out->security = ola_plan_security(r->log_n, out->log_qp);
    return true;
}

/* Special primes above the largest digit. */
static struct candidate
chain_candidate(const struct params_chain *r, uint32_t digit_limbs)
{
    struct candidate s = {.digit_limbs = digit_limbs};
    uint32_t most = 0;
    for (uint32_t k = 0; k < r->n; k += digit_limbs) {
        uint32_t bits = 2;
        for (uint32_t i = k; i < r->n && i < k + digit_limbs; i++)
            bits += r->bits[i];
        most = bits > most ? bits : most;
    }
    s.special = (most + OLA_PRIME_BITS - 2) / (OLA_PRIME_BITS - 1);
    s.special_bits = (most + s.special - 1) / s.special;
    if (s.special_bits < r->log_n + SPARE_PRIME_BITS)
        s.special_bits = r->log_n + SPARE_PRIME_BITS;
    struct he_params p = {.log_n = r->log_n, .digit_limbs = digit_limbs, .costs = r->costs};
    p.p.len = s.special;
    for (uint32_t l = 0; l < r->n; l++)
        s.price += r->switches[l] * he_price_rotation(&p, l, false);
    return s;
}

bool
params_chain(struct arena *a, const struct params_chain *r, struct he_params *out, double *missing)
{
    double limit = ola_plan_max_log_qp(r->log_n, r->security), best = -1;
    bool found = false;
    *missing = INFINITY;
    for (uint32_t limbs = 1; limbs <= r->n && limbs <= OLA_MAX_P; limbs++) {
        struct candidate s = chain_candidate(r, limbs);
        struct he_params p;
        if ((found && s.price >= best * 0.999) || !find_chain(r, &s, a, &p))
            continue;
        *missing = fmin(*missing, p.log_qp - limit);
        if (!r->insecure_toy && p.log_qp > limit)
            continue;
        found = true;
        best = s.price;
        *out = p;
    }
    return found;
}

bool
params_choose(struct arena *a, const struct params_request *r, struct he_params *out,
              double *missing)
{
    double limit = ola_plan_max_log_qp(r->log_n, r->security);
    uint32_t least = params_least_scale(r->log_n, r->precision_bits);
    uint32_t wanted = (uint32_t)ceil(r->output_bits), room = r->output_fixed ? wanted : 0;
    *missing = 0;
    /* Outputs that can be scaled down give up bits where the modulus is short. */
    for (uint32_t given = wanted;; given--) {
        if (search(r, least, given, limit, a, out))
            return true;
        if (!given || r->output_fixed)
            break;
    }
    *missing = missing_bits(r, least, room, limit);
    return false;
}
