/* he_price.c - what an HE program costs: operations, seconds, bytes. Pure counting over the
 * program.
 *
 * Unit prices are those of the portable cost table: measured by tests/bench on one core at N = 2^14
 * and scaled by N (element work) or N log N (transforms); two threads share the work at 90 %. */
#include "ir/he.h"

#include "ola/plan.h"

/* Seconds at N = 2^14 for one limb. */
#define TRANSFORM 12e-6
#define MULTIPLY  2e-6
#define INNER     2.5e-6 /* one digit of a key switch, both components */
#define PARALLEL  (2 * 0.9)
/* Bytes of a switching key that memory gives in a second, to all cores together: keys are read once
 * a rotation and are larger than any cache. */
#define MEMORY 12e9

static double
elements(const struct he_params *p)
{
    return (double)((uint64_t)1 << p->log_n) / 16384;
}

static double
transform(const struct he_params *p)
{
    return TRANSFORM * elements(p) * p->log_n / 14;
}

static double
digits_at(const struct he_params *p, uint32_t level)
{
    return (level + p->digit_limbs) / p->digit_limbs;
}

/* One polynomial into its digits over all limbs. */
static double
decompose(const struct he_params *p, uint32_t level)
{
    double limbs = level + 1, all = limbs + p->p.len, digits = digits_at(p, level);
    return (limbs + digits * all - limbs) * transform(p) +
           digits * p->digit_limbs * (all - p->digit_limbs) * MULTIPLY * elements(p);
}

/* Inner product with the key and division by P. */
static double
switch_down(const struct he_params *p, uint32_t level)
{
    double limbs = level + 1, all = limbs + p->p.len;
    return digits_at(p, level) * all * INNER * elements(p) + 2 * all * transform(p) +
           2 * limbs * (p->p.len + 1) * MULTIPLY * elements(p);
}

/* Reading a switching key: residues of rescaling primes have 4 bytes, those of special primes 8. */
static double
read_key(const struct he_params *p, uint32_t level)
{
    double bytes = 2 * digits_at(p, level) * ((level + 1) * 4.0 + p->p.len * 8.0);
    return bytes * (double)((uint64_t)1 << p->log_n) / MEMORY;
}

double
he_price_rotation(const struct he_params *p, uint32_t level, bool hoisted)
{
    return (switch_down(p, level) + (hoisted ? 0 : decompose(p, level))) / PARALLEL +
           read_key(p, level);
}

static double
price_rescale(const struct he_params *p, uint32_t level)
{
    return 2 * ((level + 1) * transform(p) + level * MULTIPLY * elements(p)) / PARALLEL;
}

static double
price_product(const struct he_params *p, uint32_t level)
{
    return 4 * (level + 1) * MULTIPLY * elements(p) / PARALLEL +
           he_price_rotation(p, level, false) + price_rescale(p, level);
}

static double
price_map(struct he_program *p, const struct he_map *m)
{
    struct arena *a = arena_new();
    uint32_t slots = p->params.slots;
    bool *baby = ARENA_ARRAY(a, bool, (size_t)m->args * m->in_cts * slots);
    bool *input = ARENA_ARRAY(a, bool, (size_t)m->args * m->in_cts + 1);
    double seconds = 0, one = 2 * (m->level + 1) * MULTIPLY * elements(&p->params) / PARALLEL;
    uint32_t below = m->free_of_level ? m->level : m->level - 1;

    for (uint32_t k = 0; k < m->diagonals.len; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        size_t in = (size_t)d->arg * m->in_cts + d->in_ct;
        seconds += one;
        p->count_plain_products += !m->free_of_level;
        if (d->baby && !baby[in * slots + d->baby]) {
            baby[in * slots + d->baby] = true;
            seconds += he_price_rotation(&p->params, m->level, true);
            p->count_rotations++;
            if (!input[in])
                seconds += decompose(&p->params, m->level) / PARALLEL;
            input[in] = true;
        }
        const struct he_diagonal *last = k ? d - 1 : NULL;
        if (d->giant && (!last || last->out_ct != d->out_ct || last->giant != d->giant)) {
            seconds += he_price_rotation(&p->params, m->level, false);
            p->count_rotations++;
        }
    }
    seconds += m->out_cts * (m->free_of_level ? 0 : price_rescale(&p->params, m->level));
    seconds += (double)m->out_cts * m->folds.len * he_price_rotation(&p->params, below, false);
    p->count_rotations += (uint64_t)m->out_cts * m->folds.len;
    arena_free(a);
    return seconds;
}

static double
price_poly(struct he_program *p, const struct he_poly *f)
{
    struct ola_poly_plan plan;
    double seconds = 0;
    if (!ola_plan_poly(f->degree, f->level, f->in_scale, f->out_scale, p->params.q.at, &plan))
        return 0;
    for (uint32_t k = 0; k < plan.n_steps; k++) {
        bool leaf = plan.step[k].kind == OLA_STEP_LEAF;
        seconds += leaf
                       ? 2 * (plan.step[k].level + 2) * MULTIPLY * elements(&p->params) / PARALLEL +
                             price_rescale(&p->params, plan.step[k].level + 1)
                       : price_product(&p->params, plan.step[k].level + 1);
        p->count_products += leaf ? 0 : f->cts;
        p->count_plain_products += leaf ? f->cts : 0;
    }
    return seconds * f->cts;
}

/* Bytes of one residue vector of prime k of the chain where it is only read. */
static uint64_t
limb_bytes(const struct he_params *p, uint32_t k)
{
    uint64_t q = k < p->q.len ? p->q.at[k] : p->p.at[k - p->q.len];
    return ((uint64_t)1 << p->log_n) * (q >> OLA_NARROW_BITS ? 8 : 4);
}

static struct ola_literal
literal_of(const struct he_params *p)
{
    struct ola_literal l = {
        .log_n = p->log_n, .n_q = p->q.len, .n_p = p->p.len, .digit_limbs = p->digit_limbs};
    memcpy(l.q, p->q.at, p->q.len * sizeof *l.q);
    memcpy(l.p, p->p.at, p->p.len * sizeof *l.p);
    return l;
}

static uint64_t
plain_bytes(const struct he_program *p)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < p->maps.len; k++) {
        const struct he_map *m = &p->maps.at[k];
        for (uint32_t d = 0; !m->free_of_level && d < m->diagonals.len; d++)
            for (uint32_t l = 0; l <= m->level; l++)
                sum += limb_bytes(&p->params, l) * m->diagonals.at[d].period / p->params.slots;
    }
    for (uint32_t k = 0; k < p->polys.len; k++) {
        const struct he_poly *f = &p->polys.at[k];
        for (uint32_t l = 0; f->period > 1 && l <= f->level; l++)
            sum +=
                limb_bytes(&p->params, l) * f->cts * (f->degree + 1) * f->period / p->params.slots;
    }
    return sum;
}

void
he_price(struct he_program *p)
{
    struct ola_literal l = literal_of(&p->params);
    uint64_t widest = 0, ct = 2 * (uint64_t)p->params.q.len * 8 << p->params.log_n;

    p->count_rotations = p->count_products = p->count_plain_products = 0;
    p->seconds = 0;
    for (uint32_t k = 0; k < p->insts.len; k++) {
        struct he_inst *i = &p->insts.at[k];
        i->seconds = 0;
        if (i->op == HE_linear)
            i->seconds = price_map(p, &p->maps.at[i->data]);
        else if (i->op == HE_poly)
            i->seconds = price_poly(p, &p->polys.at[i->data]);
        else if (i->op == HE_mul) {
            i->seconds = i->cts * price_product(&p->params, i->level);
            p->count_products += i->cts;
        }
        p->seconds += i->seconds;
        widest = i->cts > widest ? i->cts : widest;
    }
    p->key_bytes = p->relin_level == NONE ? 0 : ola_plan_key_bytes(&l, p->relin_level);
    for (uint32_t k = 0; k < p->rotations.len; k++)
        p->key_bytes += ola_plan_key_bytes(&l, p->rotations.at[k].level);
    /* Keys, encoded weights, and about 24 ciphertexts of scratch and values. */
    p->peak_bytes = p->key_bytes + plain_bytes(p) + ct * (23 + widest);
}
