/* he_price.c - what an HE program costs in memory, and all its prices together. Pure counting over
 * the program; seconds are he_time.c's. */
#include "ir/he_work.h"

#include "ola/plan.h"

bool
he_work_short(const struct he_params *p, uint32_t out_level, uint64_t q[OLA_MAX_Q],
              struct he_params *out, struct ola_literal *left)
{
    struct ola_literal whole = he_literal(p);
    *out = *p;
    if (!ola_plan_boot_short(&whole, out_level, left))
        return false;
    memcpy(q, left->q, sizeof left->q);
    out->q.at = q;
    out->q.len = left->n_q;
    out->boot = left->boot;
    out->gap_at = out_level + 1;
    out->gap = whole.n_q - left->n_q;
    for (uint32_t l = 0, n = 0, last = 0; l < left->n_q; l++) {
        uint32_t own = l < out->gap_at ? l : l + out->gap, digit = he_digits(p, own);
        n += digit != last;
        last = digit;
        out->digits[l] = (uint8_t)n;
    }
    return true;
}

struct he_work
he_work_of(const struct he_params *p, const struct he_map *m, const struct he_rotations *r,
           uint32_t level)
{
    const struct ola_literal l = {.n_p = p->p.len};
    struct he_work w = {.r = *r,
                        .diagonals = m->diagonals.len,
                        .outputs = m->out_cts,
                        .late = ola_plan_map_late(&l, level, r->fine, r->rotated, m->diagonals.len),
                        .compact = m->compact,
                        .free_of_level = m->free_of_level};
    for (uint32_t k = 0; k < m->diagonals.len && !m->free_of_level; k++)
        w.entries += 2.0 * m->diagonals.at[k].period;
    return w;
}

struct he_work
he_work_of_factor(const struct ola_literal *l, const struct ola_boot_factor *f)
{
    bool early;
    struct he_work w = {.r = {.fine = f->babies - 1,
                              .giants = f->giants - 1,
                              .raised = 1,
                              .rotated = 1,
                              .runs = f->giants},
                        .diagonals = f->diagonals,
                        .outputs = 1,
                        .entries = 2.0 * f->diagonals * f->period};
    ola_plan_boot_form(l, f, &early, &w.compact);
    w.late = !early && ola_plan_map_late(l, f->level, w.r.fine, 1, f->diagonals);
    return w;
}

double
he_work_bytes(const struct he_params *p, const struct he_work *w, uint32_t level)
{
    double width = w->late ? 8.0 * p->p.len : 0;
    for (uint32_t l = 0; l <= level; l++)
        width += ola_plan_limb_width(p->q.at[l]);
    return w->entries * (w->compact ? 4 : width);
}

/* Bytes of one residue vector of prime k of the chain where it is only read. */
static uint64_t
limb_bytes(const struct he_params *p, uint32_t k)
{
    uint64_t q = k < p->q.len ? p->q.at[k] : p->p.at[k - p->q.len];
    return ((uint64_t)1 << p->log_n) * (q >> OLA_NARROW_BITS ? 8 : 4);
}

struct ola_literal
he_literal(const struct he_params *p)
{
    struct ola_literal l = {.log_n = p->log_n,
                            .n_q = p->q.len,
                            .n_p = p->p.len,
                            .digit_limbs = p->digit_limbs,
                            .insecure_toy = p->insecure_toy,
                            .boot = p->boot};
    memcpy(l.q, p->q.at, p->q.len * sizeof *l.q);
    memcpy(l.p, p->p.at, p->p.len * sizeof *l.p);
    return l;
}

uint32_t
he_digits(const struct he_params *p, uint32_t level)
{
    return p->digits[0] ? p->digits[level] : level / p->digit_limbs + 1;
}

void
he_digits_fill(struct he_params *p)
{
    struct ola_literal l = he_literal(p);
    for (uint32_t k = 0, end = 0, n = 0; k < l.n_q; k++) {
        if (k == end) {
            n++;
            end = ola_plan_digit_end(&l, k);
        }
        p->digits[k] = (uint8_t)n;
    }
}

uint64_t
he_map_bytes(const struct he_params *p, const struct he_map *m)
{
    struct he_rotations r = he_map_rotations(m);
    struct he_work w = he_work_of(p, m, &r, m->level);
    return (uint64_t)he_work_bytes(p, &w, m->level);
}

static uint64_t
plain_bytes(const struct he_program *p)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < p->maps.len; k++)
        sum += he_map_bytes(&p->params, &p->maps.at[k]);
    for (uint32_t k = 0; k < p->polys.len; k++) {
        const struct he_poly *f = &p->polys.at[k];
        for (uint32_t l = 0; f->period > 1 && l <= f->level; l++)
            sum +=
                limb_bytes(&p->params, l) * f->cts * (f->degree + 1) * f->period / p->params.slots;
    }
    return sum;
}

static uint64_t
table_words(const struct he_params *p)
{
    return 4 * ((uint64_t)p->q.len + p->p.len) << p->log_n;
}

/* Each kind of bootstrapping: its diagonals. */
static uint64_t
boot_bytes(const struct he_program *p)
{
    struct he_params inner;
    struct ola_literal left;
    struct ola_boot_plan plan;
    uint64_t q[OLA_MAX_Q];
    double sum = 0;
    for (uint32_t k = 0; k < p->refreshes.len; k++) {
        const struct he_refresh *r = &p->refreshes.at[k];
        if (!he_work_short(&p->params, r->out_level, q, &inner, &left) ||
            !ola_plan_boot(&left, r->period, &plan))
            continue;
        for (uint32_t f = 0; f < left.boot.stc + left.boot.cts; f++) {
            const struct ola_boot_factor *factor =
                f < left.boot.stc ? &plan.stc[f] : &plan.cts[f - left.boot.stc];
            struct he_work w = he_work_of_factor(&left, factor);
            sum += he_work_bytes(&inner, &w, factor->level);
        }
    }
    return (uint64_t)sum;
}

/* The weights file, which is there until all of it is encoded: diagonals as floats. */
static uint64_t
file_bytes(const struct he_program *p)
{
    uint64_t entries = 0;
    for (uint32_t k = 0; k < p->maps.len; k++) {
        const struct he_map *m = &p->maps.at[k];
        for (uint32_t d = 0; d < m->diagonals.len && !m->free_of_level; d++)
            entries += m->diagonals.at[d].period;
    }
    return sizeof(float) * entries;
}

/* Words of scratch, as the runtime's server.h has them: digits, results and untransformed limbs of
 * a key switch at a level. */
static uint64_t
switch_scratch(const struct he_params *p, uint32_t level)
{
    uint64_t limbs = level + 1, all = limbs + p->p.len, divided = 2 * ((uint64_t)p->p.len + 1);
    return (((uint64_t)he_digits(p, level) + 2) * all + (limbs > divided ? limbs : divided))
           << p->log_n;
}

/* A rotated input, and either all babies and a group or all groups, whichever are fewer: at most
 * those with their limbs modulo P. */
static uint64_t
map_scratch(const struct he_params *p, const struct he_map *m)
{
    struct he_rotations r = he_map_rotations(m);
    uint64_t limbs = m->level + 1, groups = 0;
    uint32_t babies = r.fine + r.coarse + 1;
    for (uint32_t k = 0; k < m->diagonals.len; k++) {
        const struct he_diagonal *d = &m->diagonals.at[k];
        groups += k == 0 || d[-1].out_ct != d->out_ct || d[-1].giant != d->giant;
    }
    uint64_t kept = groups < babies ? groups : babies;
    return ((2 * kept * (limbs + p->p.len) + (r.coarse ? 2 * limbs : 0)) << p->log_n) +
           switch_scratch(p, m->level);
}

static uint64_t
poly_scratch(const struct he_params *p, const struct he_poly *f)
{
    struct ola_poly_plan plan;
    if (!ola_plan_poly(f->degree, f->level, f->in_scale, f->out_scale, p->q.at, &plan))
        return 0;
    return ((3 * (uint64_t)plan.n_regs * (f->level + 1)) << p->log_n) + switch_scratch(p, f->level);
}

/* Words of the ciphertexts that an instruction reads and writes, and of its scratch. */
static uint64_t
inst_words(const struct he_program *p, const struct he_inst *i)
{
    uint64_t cts = i->cts, scratch = 0;
    uint32_t level = i->level;
    for (uint32_t k = 0; k < i->args.len; k++) {
        const struct he_inst *from = &p->insts.at[i->args.at[k]];
        cts += from->cts;
        level = from->level > level ? from->level : level;
    }
    if (i->op == HE_linear)
        scratch = map_scratch(&p->params, &p->maps.at[i->data]);
    else if (i->op == HE_poly)
        scratch = poly_scratch(&p->params, &p->polys.at[i->data]);
    else if (i->op == HE_relin)
        scratch = switch_scratch(&p->params, level);
    else if (i->op == HE_refresh) /* and four ciphertexts at the top */
        scratch = switch_scratch(&p->params, p->params.q.len - 1) +
                  ((8 * (uint64_t)p->params.q.len) << p->params.log_n);
    return ((2 * cts * (level + 1)) << p->params.log_n) + scratch;
}

void
he_price(struct he_program *p)
{
    struct ola_literal l = he_literal(&p->params);
    uint64_t most = 0, ct = 2 * (uint64_t)p->params.q.len << p->params.log_n;

    p->counts = he_count_all(p);
    p->count_refreshes = 0;
    p->seconds = 0;
    for (uint32_t k = 0; k < p->insts.len; k++) {
        struct he_inst *i = &p->insts.at[k];
        i->seconds = he_price_scheduled(p, k);
        p->count_refreshes += i->op == HE_refresh ? i->cts : 0;
        p->seconds += i->seconds;
        uint64_t words = inst_words(p, i);
        most = words > most ? words : most;
    }
    p->key_bytes = p->relin_level == NONE ? 0 : ola_plan_key_bytes(&l, p->relin_level);
    p->key_bytes += ola_plan_boot_key_bytes(&l);
    for (uint32_t k = 0; k < p->rotations.len; k++)
        p->key_bytes += ola_plan_key_bytes(&l, p->rotations.at[k].level);
    /* Keys, encoded weights, four tables of a word an entry for every prime; and what an
     * instruction wants at most, with the client's ciphertexts, or before that the weights file. */
    uint64_t evaluates = sizeof(uint64_t) * (most + 2 * ct), loads = file_bytes(p);
    p->peak_bytes = p->key_bytes + plain_bytes(p) + boot_bytes(p) +
                    sizeof(uint64_t) * table_words(&p->params) +
                    (evaluates > loads ? evaluates : loads);
}
