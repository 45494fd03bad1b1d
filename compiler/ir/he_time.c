/* he_time.c - the seconds of an HE program, and how they share out among cores.
 *
 * Everything follows from the few costs of struct he_costs, scaled by N (element work) or N log N
 * (transforms). An instruction is a row of phases, each of equal pieces that the runtime computes
 * side by side (limbs, digits of them, chunks) and a barrier behind. On the machine of the costs
 * threads share the work by their measured speedup, and memory gives its bytes to all of them
 * together. */
#include "ir/he_work.h"

/* Measured by tests/bench on two cores of a CPU with AVX-512 IFMA, 90 % of twice one. Keys are read
 * once a rotation and are larger than any cache. */
const struct he_costs he_costs_shipped = {
    .transform = 12e-6, .multiply = 2e-6, .inner = 2.5e-6, .speedup = 2 * 0.9, .memory = 32e9};

#define CHUNK    1024 /* entries of a limb that are a piece of their own in products */
#define TOGETHER 8    /* rotations that are switched side by side */
/* Transforms that a compact diagonal's limb is worth: it is reduced first. */
#define COMPACT 2

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
inner(const struct he_params *p)
{
    return costs(p)->inner * elements(p);
}

/* What is to be paid for: seconds of one core, bytes of memory; and the phases where they are
 * wanted. */
struct bill {
    const struct he_params *p;
    double work, bytes;
    struct arena *a;
    struct he_phases *phases; /* NULL: sums only */
};

/* `times` phases, one after the other, of `units` pieces that take `work` together. */
static void
spend(struct bill *b, double units, double work, double times)
{
    if (!(work > 0) || !(times > 0))
        return;
    b->work += work * times;
    if (b->phases)
        vec_push(b->a, b->phases,
                 (struct he_phase){work, times, (uint32_t)(units > 1 ? units : 1)});
}

static double
seconds_of(const struct bill *b)
{
    return b->work / costs(b->p)->speedup + b->bytes / costs(b->p)->memory;
}

/* ---- operations ------------------------------------------------------------------------------ */

/* One polynomial into its digits over all limbs. */
static void
decompose(struct bill *b, uint32_t level, double times)
{
    const struct he_params *p = b->p;
    double limbs = level + 1, all = limbs + p->p.len, digits = he_digits(p, level);
    spend(b, limbs, limbs * transform(p), times);
    spend(b, all,
          digits * all * transform(p) + limbs * (all - limbs / digits) * multiply(p) -
              limbs * transform(p),
          times);
}

/* Reading a switching key; primes of the chain that are not known yet are taken as narrow. */
static void
read_keys(struct bill *b, uint32_t level, double count)
{
    const struct he_params *p = b->p;
    double width = p->p.len * 8.0;
    for (uint32_t l = 0; l <= level; l++)
        width += l < p->q.len ? ola_plan_limb_width(p->q.at[l]) : 4;
    b->bytes += count * 2 * he_digits(p, level) * width * (double)((uint64_t)1 << p->log_n);
}

/* Products with the keys of `count` rotations, and division by P; `together` of them at once. */
static void
switch_down(struct bill *b, uint32_t level, double count, double together)
{
    const struct he_params *p = b->p;
    double limbs = level + 1, special = p->p.len;
    double limb = he_digits(p, level) * inner(p) + 2 * transform(p), times = count / together;
    if (count <= 0)
        return;
    spend(b, special * together, special * limb * together, times);
    spend(b, limbs * together, limbs * (limb + 2 * (special + 1) * multiply(p)) * together, times);
    read_keys(b, level, count);
}

static void
rotate(struct bill *b, uint32_t level, double times)
{
    decompose(b, level, times);
    switch_down(b, level, times, 1);
}

/* A giant step: the sum's second part alone is divided by P on the way. */
static void
giant(struct bill *b, uint32_t level, double times)
{
    const struct he_params *p = b->p;
    double limbs = level + 1, special = p->p.len;
    double limb = he_digits(p, level) * inner(p) + transform(p);
    decompose(b, level, times);
    spend(b, special, special * limb, times);
    spend(b, limbs, limbs * (limb + (special + 1) * multiply(p)), times);
    read_keys(b, level, times);
}

static void
rescale(struct bill *b, uint32_t level, double times)
{
    spend(b, 2, 2 * transform(b->p), times);
    spend(b, 2.0 * level, 2 * level * (transform(b->p) + multiply(b->p)), times);
}

static void
product(struct bill *b, uint32_t level, double times)
{
    spend(b, level + 1, 4 * (level + 1) * multiply(b->p), times);
    rotate(b, level, times);
    rescale(b, level, times);
}

double
he_price_rotation(const struct he_params *p, uint32_t level, bool hoisted)
{
    struct bill b = {.p = p};
    if (hoisted)
        switch_down(&b, level, 1, 1);
    else
        rotate(&b, level, 1);
    return seconds_of(&b);
}

/* ---- linear maps ----------------------------------------------------------------------------- */

/* Bytes that go to memory and come back while a map is evaluated, for its results are larger than
 * a cache: babies, but for a late map's; groups, once for each run. A write counts twice. */
static double
traffic(const struct he_params *p, const struct he_work *w, uint32_t level)
{
    double limbs = level + 1 + (w->late ? p->p.len : 0);
    double part = 2 * limbs * sizeof(uint64_t) * (double)((uint64_t)1 << p->log_n);
    return 3 * part * ((w->late ? 0 : w->r.fine) + w->r.runs);
}

/* The products with the diagonals: of those shorter than a limb after repeating them. */
static double
diagonals(const struct he_params *p, const struct he_work *w, double limbs)
{
    double whole = w->entries / (2.0 * p->slots); /* in units of a limb's length */
    double work = (2.0 * w->diagonals + w->diagonals - whole) * limbs * multiply(p);
    return work + (w->compact ? whole * limbs * COMPACT * transform(p) : 0);
}

/* Sums in place of products where all values are 1 cost as much: memory decides. */
static void
linear(struct bill *b, const struct he_work *w, uint32_t level)
{
    const struct he_params *p = b->p;
    uint32_t below = w->free_of_level ? level : level - 1;
    double limbs = level + 1 + (w->late ? p->p.len : 0), chunks = (1u << p->log_n) / CHUNK;
    double fine = w->r.fine, work = diagonals(p, w, limbs);

    decompose(b, level, w->r.raised);
    if (w->late) { /* babies are made where they are multiplied, limb by limb */
        spend(b, limbs, work + fine * he_digits(p, level) * limbs * inner(p), 1);
        read_keys(b, level, fine);
        for (uint32_t k = 0; k < w->outputs; k++) {
            double special = p->p.len, own = level + 1;
            spend(b, 2 * special, 2 * special * transform(p), 1);
            spend(b, 2 * own, 2 * own * (transform(p) + (special + 1) * multiply(p)), 1);
        }
    } else {
        switch_down(b, level, fine, fine < TOGETHER ? fine : TOGETHER);
        spend(b, w->compact ? limbs : limbs * chunks, work, 1);
        rescale(b, level, w->free_of_level ? 0 : w->outputs);
    }
    b->bytes += he_work_bytes(p, w, level) + traffic(p, w, level);
    switch_down(b, level, w->r.coarse, 1);
    giant(b, level, w->r.giants);
    rotate(b, below, w->r.folds);
}

/* ---- instructions ---------------------------------------------------------------------------- */

/* From level `level`. */
static void
polynomial(struct bill *b, const struct he_poly *f, uint32_t level)
{
    const struct he_params *q = b->p;
    struct ola_poly_plan plan;
    if (!ola_plan_poly(f->degree, level, q->scale, q->scale, q->q.at, &plan))
        return;
    for (uint32_t k = 0; k < plan.n_steps; k++) {
        uint32_t above = plan.step[k].level + 1;
        if (plan.step[k].kind != OLA_STEP_LEAF) {
            product(b, above, f->cts);
            continue;
        }
        spend(b, above + 1, 2 * (above + 1) * multiply(q), f->cts);
        rescale(b, above, f->cts);
    }
}

/* Coefficients of EvalMod's polynomial: scalars times powers, from x's level less one. */
static void
leaves(struct bill *b, const struct ola_literal *l, uint32_t level)
{
    struct ola_poly_plan plan;
    if (!ola_plan_poly(l->boot.degree / 2, level, 1, 1, l->q, &plan))
        return;
    for (uint32_t k = 0; k < plan.n_steps; k++) {
        uint32_t above = plan.step[k].level + 1;
        if (plan.step[k].kind != OLA_STEP_LEAF)
            continue;
        spend(b, above + 1, 2 * (above + 1) * multiply(b->p), 1);
        rescale(b, above, ola_plan_poly_deferred(&plan, k) ? 0 : 1);
    }
}

/* The transforms, EvalMod's products, ModRaise, the sum over the copies and the conjugate. */
static void
steps(struct bill *b, const struct ola_literal *l, const struct ola_boot_plan *plan)
{
    rotate(b, plan->top, 1);
    rotate(b, plan->fold_level, plan->n_folds);
    rotate(b, plan->eval_level, 1);
    for (uint32_t f = 0; f < l->boot.stc + l->boot.cts; f++) {
        const struct ola_boot_factor *factor =
            f < l->boot.stc ? &plan->stc[f] : &plan->cts[f - l->boot.stc];
        struct he_work w = he_work_of_factor(l, factor);
        linear(b, &w, factor->level);
    }
    for (uint32_t k = 0; k <= plan->top; k++)
        product(b, k, plan->relinearisations[k]);
    leaves(b, l, plan->eval_level - 1);
}

static void
refresh(struct bill *b, uint32_t period, uint32_t out_level, uint32_t times)
{
    const struct he_params *whole = b->p;
    struct he_params inner;
    struct ola_literal left;
    struct ola_boot_plan plan;
    uint64_t q[OLA_MAX_Q];
    if (!he_work_short(whole, out_level, q, &inner, &left) || !ola_plan_boot(&left, period, &plan))
        return;
    b->p = &inner;
    for (uint32_t t = 0; t < times; t++)
        steps(b, &left, &plan);
    b->p = whole;
}

double
he_price_refresh(const struct he_params *p, uint32_t period, uint32_t out_level)
{
    struct bill b = {.p = p};
    refresh(&b, period, out_level, 1);
    return seconds_of(&b);
}

/* One limb of one component: a term that is shifted, or multiplied by an integer, as shares of an
 * element-wise product; measured by tests/bench. */
#define SHIFTED  0.35
#define WEIGHTED 0.6

static void
sparse(struct bill *b, const struct he_sparse *s, uint32_t parts, uint32_t level)
{
    double limbs = level + 1, chunks = (1u << b->p->log_n) / CHUNK, work;
    work = parts * limbs * s->terms.len * (s->shifts ? SHIFTED : WEIGHTED);
    work += s->squares ? 4 * limbs * s->cols : 0;
    spend(b, limbs * chunks, work * multiply(b->p), 1);
}

/* A ciphertext is a piece here. */
static void
reduce(struct bill *b, const struct he_inst *x, const struct he_inst *i)
{
    struct bill one = {.p = b->p};
    if (x->parts == 3)
        rotate(&one, x->level, 1);
    for (uint32_t l = x->level; l > i->level; l--)
        rescale(&one, l, 1);
    spend(b, i->cts, one.work * i->cts, 1);
    b->bytes += one.bytes * i->cts;
}

/* Instruction k with its arguments at `level`, rotations r of its map. */
static void
instruction(struct bill *b, const struct he_program *p, const struct he_rotations *r, uint32_t k,
            uint32_t level)
{
    const struct he_inst *i = &p->insts.at[k];
    struct he_work w;
    switch (i->op) {
    case HE_linear:
        w = he_work_of(&p->params, &p->maps.at[i->data], r, level);
        linear(b, &w, level);
        break;
    case HE_poly:
        polynomial(b, &p->polys.at[i->data], level);
        break;
    case HE_mul:
        product(b, level, i->cts);
        break;
    case HE_sparse:
        sparse(b, &p->sparse.at[i->data], i->parts, i->level);
        break;
    case HE_reduce:
        reduce(b, &p->insts.at[i->args.at[0]], i);
        break;
    case HE_refresh:
        refresh(b, p->refreshes.at[i->data].period, i->level, i->cts);
        break;
    default:
        break;
    }
}

double
he_price_inst(const struct he_program *p, const struct he_rotations *rotations, uint32_t k,
              uint32_t level)
{
    const struct he_inst *i = &p->insts.at[k];
    struct bill b = {.p = &p->params};
    instruction(&b, p, i->op == HE_linear ? &rotations[i->data] : NULL, k, level);
    return seconds_of(&b);
}

/* The level of what an instruction of a scheduled program reads. */
static uint32_t
level_read(const struct he_program *p, uint32_t k)
{
    const struct he_inst *i = &p->insts.at[k];
    if (i->op == HE_linear)
        return p->maps.at[i->data].level;
    return i->op == HE_poly ? p->polys.at[i->data].level : i->level;
}

static void
scheduled(struct bill *b, const struct he_program *p, uint32_t k)
{
    const struct he_inst *i = &p->insts.at[k];
    struct he_rotations r = {0};
    if (i->op == HE_linear)
        r = he_map_rotations(&p->maps.at[i->data]);
    instruction(b, p, &r, k, level_read(p, k));
}

double
he_price_scheduled(const struct he_program *p, uint32_t k)
{
    struct bill b = {.p = &p->params};
    scheduled(&b, p, k);
    return seconds_of(&b);
}

/* ---- cores ----------------------------------------------------------------------------------- */

double
he_phases_seconds(const struct he_phases *list, uint32_t cores)
{
    double seconds = 0;
    for (uint32_t k = 0; k < list->len; k++) {
        const struct he_phase *f = &list->at[k];
        uint32_t rounds = cores == 0 ? 1 : (f->units + cores - 1) / cores;
        seconds += f->times * f->work / f->units * rounds;
    }
    return seconds;
}

double
he_price_phases(const struct he_program *p, struct arena *a, uint32_t k, struct he_phases *list)
{
    struct bill b = {.p = &p->params, .a = a, .phases = list};
    scheduled(&b, p, k);
    return b.bytes;
}

void
he_price_cores(const struct he_program *p, struct he_scaling *out)
{
    static const uint32_t cores[HE_CORES] = {1, 2, 4, 8, 16, 32, 64};
    struct arena *a = arena_new();
    double *path = ARENA_ARRAY(a, double, p->insts.len + 1);

    *out = (struct he_scaling){.memory = costs(&p->params)->memory};
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        struct he_phases list = {0};
        out->bytes += he_price_phases(p, a, k, &list);
        for (uint32_t c = 0; c < HE_CORES; c++) {
            out->at[c].cores = cores[c];
            out->at[c].seconds += he_phases_seconds(&list, cores[c]);
        }
        for (uint32_t x = 0; x < i->args.len; x++)
            path[k] = path[k] > path[i->args.at[x]] ? path[k] : path[i->args.at[x]];
        path[k] += he_phases_seconds(&list, 0);
        out->path = path[k] > out->path ? path[k] : out->path;
    }
    arena_free(a);
}
