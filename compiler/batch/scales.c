/* scales.c - how far reductions go down, the primes that this takes, and the scales that come of
 * it. One walk does all three: with no primes yet, every reduction lands on the wanted scale. */
#include "batch/internal.h"

#include "ola/plan.h"

#include <math.h>

/* Bits of a rescaling prime at most: sums of many shifted residues stay below 2^61. */
#define MOST_BITS 47.0
/* Primes of fewer bits than log N and this are too few. */
#define SPARE_PRIME_BITS 7
/* What primes are off from a power of two, or so: nothing that comes through one of them has the
 * scale of what does not. */
#define ODD (1 + 0x1p-9)
/* Room above a value's bound: sign, and noise. */
#define HEAD_BITS 2

struct walk {
    struct he_program *p;
    double scale;        /* wanted of what is multiplied next */
    double slack;        /* bits that may be left above it */
    bool decides;        /* how far reductions go down */
    const double *prime; /* by level; NULL: not known yet */
    bool *only_out;      /* by instruction: outputs read it and nothing else */
};

/* A fresh ciphertext's noise, sigma sqrt(N) with sigma 3.19, is so much smaller than that of a
 * rounding, sqrt(N) sqrt(N / 18): inputs need less scale. */
static double
input_scale(const struct walk *w)
{
    double ring = exp2(w->p->params.log_n);
    return exp2(floor(log2(w->scale * 3.19 / sqrt(ring / 18))));
}

static double
least_bits(const struct he_program *p)
{
    return p->params.log_n + SPARE_PRIME_BITS;
}

static struct walk
walk_new(struct he_program *p, double scale_bits)
{
    struct walk w = {.p = p,
                     .scale = exp2(scale_bits),
                     .only_out = ARENA_ARRAY(p->arena, bool, p->insts.len + 1)};
    for (uint32_t k = 0; k < p->insts.len; k++)
        w.only_out[k] = true;
    for (uint32_t k = 0; k < p->insts.len; k++)
        for (uint32_t i = 0; i < p->insts.at[k].args.len; i++)
            w.only_out[p->insts.at[k].args.at[i]] &= p->insts.at[k].op == HE_output;
    return w;
}

static void
reduce(const struct walk *w, uint32_t k)
{
    struct he_inst *i = &w->p->insts.at[k];
    const struct he_inst *x = &w->p->insts.at[i->args.at[0]];
    i->scale = x->scale;
    if (w->prime) {
        for (uint32_t l = x->level; l > i->level; l--)
            i->scale /= w->prime[l];
        return;
    }
    double bits = log2(x->scale / w->scale);
    if (w->decides) {
        bool none = bits < least_bits(w->p) || w->only_out[k];
        i->down = none ? 0 : (uint32_t)ceil(fmax(bits - w->slack, 1) / MOST_BITS);
    }
    if (i->down)
        i->scale = fmax(w->scale, x->scale / exp2(i->down * MOST_BITS)) * ODD;
}

/* What a map makes of its argument's scale when it can choose. */
static double
natural_scale(const struct he_inst *x, const struct he_sparse *s)
{
    return (s->squares ? x->scale * x->scale : x->scale) / batch_unit_of(s->m).unit;
}

/* Whether all maps whose sum k is have good integers at a scale. */
static bool
precise(const struct he_program *p, uint32_t k, double scale)
{
    const struct he_inst *i = &p->insts.at[k];
    bool good = true;
    for (uint32_t a = 0; i->op == HE_add && a < i->args.len; a++)
        good &= precise(p, i->args.at[a], scale);
    if (i->op != HE_sparse)
        return good;
    const struct he_sparse *s = &p->sparse.at[i->data];
    double in = p->insts.at[i->args.at[0]].scale;
    return batch_precise(s->m, (s->squares ? in * in : in) / scale);
}

/* The maps whose sum k is take its scale. */
static void
agree(struct he_program *p, uint32_t k, double scale)
{
    struct he_inst *i = &p->insts.at[k];
    if (i->op != HE_sparse && i->op != HE_add)
        return;
    i->scale = scale;
    for (uint32_t a = 0; i->op == HE_add && a < i->args.len; a++)
        agree(p, i->args.at[a], scale);
}

/* The least scale for a sum of maps: arguments that came through different primes have weights that
 * are no small integers for each other. */
static double
sum_scale(const struct he_program *p, uint32_t k)
{
    const struct he_inst *i = &p->insts.at[k];
    double scale = fmax(p->insts.at[i->args.at[0]].scale, p->insts.at[i->args.at[1]].scale);
    for (int bits = 0; bits <= BATCH_WEIGHT_BITS && !precise(p, k, scale); bits++)
        scale *= 2;
    return scale;
}

static void
walk(const struct walk *w)
{
    struct he_program *p = w->p;
    for (uint32_t k = 0; k < p->insts.len; k++) {
        struct he_inst *i = &p->insts.at[k];
        const struct he_inst *x = i->args.len ? &p->insts.at[i->args.at[0]] : NULL;
        i->scale = x ? x->scale : input_scale(w);
        if (i->op == HE_sparse)
            i->scale = natural_scale(x, &p->sparse.at[i->data]);
        else if (i->op == HE_poly)
            i->scale = w->scale;
        else if (i->op == HE_mul)
            i->scale = x->scale * p->insts.at[i->args.at[1]].scale;
        else if (i->op == HE_add)
            agree(p, k, sum_scale(p, k));
        else if (i->op == HE_reduce)
            reduce(w, k);
    }
}

void
batch_depths(struct he_program *p, double scale_bits, double slack)
{
    struct walk w = walk_new(p, scale_bits);
    w.slack = slack;
    w.decides = true;
    walk(&w);
}

/* ---- primes ---------------------------------------------------------------------------------- */

/* Instruction k would have the primes between its argument's level and its own so large. */
static void
want_bits(const struct walk *w, uint32_t k, double *bits)
{
    const struct he_inst *i = &w->p->insts.at[k];
    if (i->op != HE_reduce && i->op != HE_poly)
        return;
    const struct he_inst *x = &w->p->insts.at[i->args.at[0]];
    uint32_t down = x->level - i->level;
    double want = i->op == HE_poly ? log2(x->scale) : log2(x->scale / w->scale) / down;
    want = fmin(fmax(want, least_bits(w->p)), MOST_BITS);
    for (uint32_t l = x->level; l > i->level; l--)
        bits[l] = bits[l] > 0 ? fmin(bits[l], want) : want;
}

/* Bits that the primes at the bottom need together, so that every value fits. */
static double
bottom_bits(const struct he_program *p, const double *bits, double output_range)
{
    double most = least_bits(p);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        double bound = i->op == HE_output
                           ? fmin(i->bound > 0 ? i->bound : output_range, output_range)
                           : i->bound;
        double need = log2(i->scale) + log2(fmax(1, bound)) + HEAD_BITS;
        for (uint32_t l = 1; l <= i->level; l++)
            need -= bits[l];
        most = fmax(most, need);
    }
    return most;
}

/* Outputs are bounded by what was seen of them, whatever their maps could make. */
static void
bound_outputs(struct he_program *p, const struct walk *w, double output_range)
{
    for (uint32_t k = 0; k < p->insts.len; k++)
        if (w->only_out[k] || p->insts.at[k].op == HE_output)
            p->insts.at[k].bound = output_range;
    for (uint32_t k = p->insts.len; k-- > 0;) {
        const struct he_inst *i = &p->insts.at[k];
        if ((i->op == HE_reduce || i->op == HE_drop) && w->only_out[k])
            p->insts.at[i->args.at[0]].bound = output_range;
    }
}

/* Bits of the primes above the bottom, [depth + 1]: wished, made the same where paths differ,
 * wished again of the scales that this makes. */
static double *
upper_bits(struct he_program *p, struct walk *w, uint32_t depth)
{
    double *bits = ARENA_ARRAY(p->arena, double, depth + 1);
    double *prime = ARENA_ARRAY(p->arena, double, depth + 1);
    for (int round = 0; round < 3; round++) {
        memset(bits, 0, (depth + 1) * sizeof *bits);
        for (uint32_t k = 0; k < p->insts.len; k++)
            want_bits(w, k, bits);
        for (uint32_t l = 1; l <= depth; l++) {
            bits[l] = nearbyint(bits[l] > 0 ? bits[l] : log2(w->scale));
            prime[l] = exp2(bits[l]) * ODD;
        }
        w->prime = prime;
        walk(w);
    }
    return bits;
}

static void
count_switches(const struct he_program *p, double *switches)
{
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        const struct he_inst *x = i->args.len ? &p->insts.at[i->args.at[0]] : NULL;
        if (i->op == HE_reduce && x->parts == 3)
            switches[x->level] += i->cts;
        for (uint32_t l = i->level; i->op == HE_poly && l < x->level; l++)
            switches[l + 1] += i->cts;
    }
}

bool
batch_chain(struct he_program *p, double scale_bits, double output_range, struct batch_chain *out)
{
    struct walk w = walk_new(p, scale_bits);
    uint32_t depth = 0;
    bound_outputs(p, &w, output_range);
    for (uint32_t k = 0; k < p->insts.len; k++)
        depth = p->insts.at[k].level > depth ? p->insts.at[k].level : depth;
    walk(&w); /* on the wanted scales */
    double *bits = upper_bits(p, &w, depth), bottom = bottom_bits(p, bits, output_range);
    uint32_t primes = (uint32_t)ceil(bottom / OLA_PRIME_BITS);
    out->n = primes + depth;
    if (out->n > OLA_MAX_Q)
        return false;
    out->bits = ARENA_ARRAY(p->arena, uint32_t, out->n);
    out->switches = ARENA_ARRAY(p->arena, double, out->n);
    for (uint32_t l = 0; l < out->n; l++)
        out->bits[l] = (uint32_t)(l < primes ? ceil(bottom / primes) : bits[l - primes + 1]);
    for (uint32_t k = 0; k < p->insts.len; k++)
        p->insts.at[k].level += primes - 1;
    count_switches(p, out->switches);
    return true;
}

/* ---- with parameters ------------------------------------------------------------------------- */

static uint64_t
largest_prime(const struct he_program *p, uint32_t level)
{
    uint64_t q = 0;
    for (uint32_t l = 0; l <= level; l++)
        q = p->params.q.at[l] > q ? p->params.q.at[l] : q;
    return q;
}

static void
finish_map(struct he_program *p, const struct he_inst *i)
{
    const struct he_inst *x = &p->insts.at[i->args.at[0]];
    struct he_sparse *s = &p->sparse.at[i->data];
    s->level = i->level;
    s->in_scale = x->scale;
    s->out_scale = i->scale;
    s->unit = (s->squares ? x->scale * x->scale : x->scale) / i->scale;
    batch_integers(p->arena, s);
    if (s->shifts)
        batch_share(p->arena, s);
    else
        batch_two_shifts(p->arena, s, largest_prime(p, i->level));
}

void
batch_scales(struct he_program *p, double scale_bits, double output_range)
{
    struct walk w = walk_new(p, scale_bits);
    double *prime = ARENA_ARRAY(p->arena, double, p->params.q.len + 1), log_q = 0;
    for (uint32_t l = 0; l < p->params.q.len; l++)
        prime[l] = (double)p->params.q.at[l];
    p->params.scale = w.scale;
    w.prime = prime;
    walk(&w);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        struct he_inst *i = &p->insts.at[k];
        const struct he_inst *x = i->args.len ? &p->insts.at[i->args.at[0]] : NULL;
        if (i->op == HE_sparse)
            finish_map(p, i);
        if (i->op == HE_reduce && i->level == x->level && x->parts == 2)
            i->op = HE_drop; /* nothing to reduce */
        if (i->op != HE_poly)
            continue;
        struct he_poly *f = &p->polys.at[i->data];
        f->level = x->level;
        f->in_scale = x->scale;
        f->out_scale = i->scale;
    }
    for (uint32_t k = 0; k < p->outputs.len; k++) {
        const struct he_inst *i = &p->insts.at[p->outputs.at[k].value];
        log_q = 0;
        for (uint32_t l = 0; l <= i->level; l++)
            log_q += log2(prime[l]);
        p->outputs.at[k].range = fmax(output_range, exp2(log_q - 1) / i->scale);
    }
}
