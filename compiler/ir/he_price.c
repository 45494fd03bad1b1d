/* he_price.c - what an HE program costs: operations, seconds, bytes. Pure counting over the
 * program.
 *
 * Everything follows from the few costs of struct he_costs, scaled by N (element work) or N log N
 * (transforms); threads share the work by their measured speedup. */
#include "ir/he.h"

#include "ola/plan.h"

/* Measured by tests/bench on two cores of a CPU with AVX-512 IFMA, 90 % of twice one. Keys are read
 * once a rotation and are larger than any cache. */
const struct he_costs he_costs_shipped = {
    .transform = 12e-6, .multiply = 2e-6, .inner = 2.5e-6, .speedup = 2 * 0.9, .memory = 12e9};

static const struct he_costs *
costs(const struct he_params *p)
{
    return p->costs ? p->costs : &he_costs_shipped;
}

static double
elements(const struct he_params *p)
{
    return (double)((uint64_t)1 << p->log_n) / 16384;
}

static double
multiply(const struct he_params *p)
{
    return costs(p)->multiply * elements(p);
}

static double
transform(const struct he_params *p)
{
    return costs(p)->transform * elements(p) * p->log_n / 14;
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
           digits * p->digit_limbs * (all - p->digit_limbs) * multiply(p);
}

/* Inner product with the key. */
static double
with_key(const struct he_params *p, uint32_t level)
{
    return digits_at(p, level) * (level + 1 + p->p.len) * costs(p)->inner * elements(p);
}

/* Two polynomials divided by P. */
static double
divide(const struct he_params *p, uint32_t level)
{
    double limbs = level + 1, all = limbs + p->p.len;
    return 2 * all * transform(p) + 2 * limbs * (p->p.len + 1) * multiply(p);
}

/* Reading a switching key: residues of rescaling primes have 4 bytes, those of special primes 8. */
static double
read_key(const struct he_params *p, uint32_t level)
{
    double bytes = 2 * digits_at(p, level) * ((level + 1) * 4.0 + p->p.len * 8.0);
    return bytes * (double)((uint64_t)1 << p->log_n) / costs(p)->memory;
}

double
he_price_rotation(const struct he_params *p, uint32_t level, bool hoisted)
{
    double own = hoisted ? 0 : decompose(p, level);
    return (own + with_key(p, level) + divide(p, level)) / costs(p)->speedup + read_key(p, level);
}

static double
price_rescale(const struct he_params *p, uint32_t level)
{
    return 2 * ((level + 1) * transform(p) + level * multiply(p)) / costs(p)->speedup;
}

static double
price_product(const struct he_params *p, uint32_t level)
{
    return 4 * (level + 1) * multiply(p) / costs(p)->speedup + he_price_rotation(p, level, false) +
           price_rescale(p, level);
}

/* What a linear map takes follows from this: its rotations, the form that it is evaluated and kept
 * in, and how many entries of a limb its diagonals have in all. */
struct work {
    struct he_rotations r;
    uint32_t diagonals, outputs;
    double entries;
    bool late, compact, free_of_level;
};

static struct work
work_of(const struct he_params *p, const struct he_map *m, const struct he_rotations *r,
        uint32_t level)
{
    const struct ola_literal l = {.n_p = p->p.len};
    struct work w = {.r = *r,
                     .diagonals = m->diagonals.len,
                     .outputs = m->out_cts,
                     .late = ola_plan_map_late(&l, level, r->fine, r->rotated, m->diagonals.len),
                     .compact = m->compact,
                     .free_of_level = m->free_of_level};
    for (uint32_t k = 0; k < m->diagonals.len && !m->free_of_level; k++)
        w.entries += 2.0 * m->diagonals.at[k].period;
    return w;
}

/* A factor of a bootstrapping's transforms. */
static struct work
work_of_factor(const struct ola_literal *l, const struct ola_boot_factor *f)
{
    bool early;
    struct work w = {.r = {.fine = f->babies - 1,
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

/* Bytes of the diagonals: of compact ones their coefficients, else all limbs. */
static double
work_bytes(const struct he_params *p, const struct work *w, uint32_t level)
{
    double width = w->late ? 8.0 * p->p.len : 0;
    for (uint32_t l = 0; l <= level; l++)
        width += ola_plan_limb_width(p->q.at[l]);
    return w->entries * (w->compact ? 4 : width);
}

/* Bytes that go to memory and come back while a map is evaluated, for its results are larger than
 * a cache: babies, but for a late map's; groups, once for each run. A write counts twice. */
static double
work_traffic(const struct he_params *p, const struct work *w, uint32_t level)
{
    double limbs = level + 1 + (w->late ? p->p.len : 0);
    double part = 2 * limbs * sizeof(uint64_t) * (double)((uint64_t)1 << p->log_n);
    return 3 * part * ((w->late ? 0 : w->r.fine) + w->r.runs);
}

/* Transforms that a compact diagonal's limb is worth: it is reduced first. */
#define COMPACT 2

/* At input level `level`. */
static double
work_seconds(const struct he_params *q, const struct work *w, uint32_t level)
{
    uint32_t below = w->free_of_level ? level : level - 1;
    double limbs = level + 1 + (w->late ? q->p.len : 0), elsewhere, seconds;
    double whole = w->entries / (2.0 * q->slots); /* diagonals as long as a limb */
    double work = w->diagonals * 2 * limbs * multiply(q);

    work += (w->diagonals - whole) * limbs * multiply(q); /* repeated to the length of a limb */
    work += w->compact ? whole * limbs * COMPACT * transform(q) : 0;
    work += w->r.raised * decompose(q, level) + w->r.fine * with_key(q, level);
    work += (w->late ? w->outputs : w->r.fine) * divide(q, level);
    elsewhere = work_bytes(q, w, level) + work_traffic(q, w, level);
    seconds = work / costs(q)->speedup + elsewhere / costs(q)->memory;
    seconds += w->r.fine * read_key(q, level);
    seconds += w->r.coarse * he_price_rotation(q, level, true);
    seconds += w->r.giants * he_price_rotation(q, level, false);
    seconds += w->late || w->free_of_level ? 0 : w->outputs * price_rescale(q, level);
    return seconds + w->r.folds * he_price_rotation(q, below, false);
}

static double
map_seconds(const struct he_params *q, const struct he_map *m, const struct he_rotations *r,
            uint32_t level)
{
    struct work w = work_of(q, m, r, level);
    return work_seconds(q, &w, level);
}

static double
price_map(const struct he_program *p, const struct he_map *m)
{
    struct he_rotations r = he_map_rotations(m);
    return map_seconds(&p->params, m, &r, m->level);
}

/* From level `level`. */
static double
poly_seconds(const struct he_params *q, const struct he_poly *f, uint32_t level)
{
    struct ola_poly_plan plan;
    double seconds = 0;
    if (!ola_plan_poly(f->degree, level, q->scale, q->scale, q->q.at, &plan))
        return 0;
    for (uint32_t k = 0; k < plan.n_steps; k++) {
        bool leaf = plan.step[k].kind == OLA_STEP_LEAF;
        seconds += leaf ? 2 * (plan.step[k].level + 2) * multiply(q) / costs(q)->speedup +
                              price_rescale(q, plan.step[k].level + 1)
                        : price_product(q, plan.step[k].level + 1);
    }
    return seconds * f->cts;
}

/* The transforms, EvalMod's products, ModRaise, the sum over the copies and the conjugate. */
double
he_price_refresh(const struct he_params *p, uint32_t period)
{
    struct ola_literal l = he_literal(p);
    struct ola_boot_plan plan;
    double seconds;
    if (!ola_plan_boot(&l, period, &plan))
        return 0;
    seconds = he_price_rotation(p, plan.top, false) +
              plan.n_folds * he_price_rotation(p, plan.fold_level, false) +
              he_price_rotation(p, plan.eval_level, false);
    for (uint32_t f = 0; f < p->boot.stc + p->boot.cts; f++) {
        const struct ola_boot_factor *factor =
            f < p->boot.stc ? &plan.stc[f] : &plan.cts[f - p->boot.stc];
        struct work w = work_of_factor(&l, factor);
        seconds += work_seconds(p, &w, factor->level);
    }
    for (uint32_t k = 0; k <= plan.top; k++)
        seconds += plan.relinearisations[k] * price_product(p, k);
    return seconds;
}

double
he_price_inst(const struct he_program *p, const struct he_rotations *rotations, uint32_t k,
              uint32_t level)
{
    const struct he_inst *i = &p->insts.at[k];
    switch (i->op) {
    case HE_linear:
        return map_seconds(&p->params, &p->maps.at[i->data], &rotations[i->data], level);
    case HE_poly:
        return poly_seconds(&p->params, &p->polys.at[i->data], level);
    case HE_mul:
        return i->cts * price_product(&p->params, level);
    default:
        return 0;
    }
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

uint64_t
he_map_bytes(const struct he_params *p, const struct he_map *m)
{
    struct he_rotations r = he_map_rotations(m);
    struct work w = work_of(p, m, &r, m->level);
    return (uint64_t)work_bytes(p, &w, m->level);
}

/* One limb of one component: a term that is shifted, or multiplied by an integer, as shares of an
 * element-wise product; measured by tests/bench. */
#define SHIFTED  0.35
#define WEIGHTED 0.6

static double
price_sparse(const struct he_program *p, const struct he_inst *i)
{
    const struct he_sparse *s = &p->sparse.at[i->data];
    double limbs = i->level + 1, seconds;
    seconds = i->parts * limbs * s->terms.len * (s->shifts ? SHIFTED : WEIGHTED);
    seconds += s->squares ? 4 * limbs * s->cols : 0;
    return seconds * multiply(&p->params) / costs(&p->params)->speedup;
}

static double
price_reduce(const struct he_program *p, const struct he_inst *i)
{
    const struct he_inst *x = &p->insts.at[i->args.at[0]];
    double seconds = x->parts == 3 ? he_price_rotation(&p->params, x->level, false) : 0;
    for (uint32_t l = x->level; l > i->level; l--)
        seconds += price_rescale(&p->params, l);
    return seconds * i->cts;
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

/* The diagonals of each kind of bootstrapping. */
static uint64_t
boot_bytes(const struct he_program *p)
{
    struct ola_literal l = he_literal(&p->params);
    struct ola_boot_plan plan;
    double sum = 0;
    for (uint32_t k = 0; k < p->refreshes.len; k++) {
        if (!ola_plan_boot(&l, p->refreshes.at[k].period, &plan))
            continue;
        for (uint32_t f = 0; f < l.boot.stc + l.boot.cts; f++) {
            const struct ola_boot_factor *factor =
                f < l.boot.stc ? &plan.stc[f] : &plan.cts[f - l.boot.stc];
            struct work w = work_of_factor(&l, factor);
            sum += work_bytes(&p->params, &w, factor->level);
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
    return (((uint64_t)digits_at(p, level) + 2) * all + (limbs > divided ? limbs : divided))
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
        i->seconds = 0;
        if (i->op == HE_linear)
            i->seconds = price_map(p, &p->maps.at[i->data]);
        else if (i->op == HE_poly)
            i->seconds =
                poly_seconds(&p->params, &p->polys.at[i->data], p->polys.at[i->data].level);
        else if (i->op == HE_mul)
            i->seconds = i->cts * price_product(&p->params, i->level);
        else if (i->op == HE_sparse)
            i->seconds = price_sparse(p, i);
        else if (i->op == HE_reduce)
            i->seconds = price_reduce(p, i);
        else if (i->op == HE_refresh) {
            i->seconds = i->cts * he_price_refresh(&p->params, p->refreshes.at[i->data].period);
            p->count_refreshes += i->cts;
        }
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
    uint64_t tables = 4 * ((uint64_t)p->params.q.len + p->params.p.len) << p->params.log_n;
    uint64_t evaluates = sizeof(uint64_t) * (most + 2 * ct), loads = file_bytes(p);
    p->peak_bytes = p->key_bytes + plain_bytes(p) + boot_bytes(p) + sizeof(uint64_t) * tables +
                    (evaluates > loads ? evaluates : loads);
}
