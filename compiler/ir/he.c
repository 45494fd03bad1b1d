/* he.c - the HE program: verifier, text form and exact evaluation on cleartext slots; see he.h. */
#include "ir/he.h"

#include "ola/plan.h"

#include <math.h>
#include <string.h>

enum he_data { DATA_NONE, INPUT, MAP, POLY, SPARSE, REFRESH, OUTPUT, VECTOR };
enum he_level { SAME, DROP, DEPTH, RAISE, GIVEN };
enum he_scale { EQUAL, PRODUCT, DIVQ, SCALE_GIVEN };

/* The tables' own words for the columns; GIVEN stands in two of them. */
#define HE_DATA(x)       HE_DATA_##x
#define HE_DATA_INPUT    INPUT
#define HE_DATA_MAP      MAP
#define HE_DATA_POLY     POLY
#define HE_DATA_SPARSE   SPARSE
#define HE_DATA_REFRESH  REFRESH
#define HE_DATA_OUTPUT   OUTPUT
#define HE_DATA_VECTOR   VECTOR
#define HE_DATA_NOTHING  DATA_NONE
#define HE_SCALE(x)      HE_SCALE_##x
#define HE_SCALE_EQUAL   EQUAL
#define HE_SCALE_PRODUCT PRODUCT
#define HE_SCALE_DIVQ    DIVQ
#define HE_SCALE_GIVEN   SCALE_GIVEN

static const struct {
    const char *name;
    uint32_t lo, hi;
    enum he_data data;
    enum he_level level;
    enum he_scale scale;
} rows[HE_COUNT] = {
#define HE(symbol, runtime, lo, hi, data, level, scale)                                            \
    [HE_##symbol] = {#symbol, lo, hi, HE_DATA(data), level, HE_SCALE(scale)},
#include "ir/heops.def"
#undef HE
};

struct check {
    const struct he_program *p;
    struct diag *d;
};

static void
broken(struct check *c, uint32_t inst, const char *rule)
{
    diag_error(c->d, E_GRAPH, (struct place){.node = c->p->insts.at[inst].node},
               "the HE program is not consistent at %%%u: %s", inst, rule);
}

static void
check_sparse(struct check *c, uint32_t k)
{
    const struct he_inst *i = &c->p->insts.at[k];
    const struct he_sparse *s = &c->p->sparse.at[i->data];
    if (s->rows != i->cts || s->cols != c->p->insts.at[i->args.at[0]].cts || !s->m ||
        s->m->rows != s->rows || s->m->cols != s->cols) {
        broken(c, k, "the sparse map has another form");
        return;
    }
    for (uint32_t r = 0; s->start && r < s->temps + s->rows; r++)
        for (uint32_t t = s->start[r]; t < s->start[r + 1]; t++)
            if (!s->terms.at[t].weight ||
                s->terms.at[t].column >= s->cols + (r < s->temps ? r : s->temps))
                broken(c, k, "a term is outside of the sparse map");
}

static void
check_data(struct check *c, uint32_t k)
{
    const struct he_inst *i = &c->p->insts.at[k];
    uint32_t limit = UINT32_MAX;
    switch (rows[i->op].data) {
    case INPUT:
        limit = c->p->inputs.len;
        break;
    case OUTPUT:
        limit = c->p->outputs.len;
        break;
    case MAP:
        limit = c->p->maps.len;
        break;
    case POLY:
        limit = c->p->polys.len;
        break;
    case SPARSE:
        limit = c->p->sparse.len;
        break;
    case REFRESH:
        limit = c->p->refreshes.len;
        break;
    default:
        break;
    }
    if (limit != UINT32_MAX && i->data >= limit)
        broken(c, k, "its data do not exist");
    else if (rows[i->op].data == MAP) {
        const struct he_map *m = &c->p->maps.at[i->data];
        if (m->args != i->args.len || m->out_cts != i->cts)
            broken(c, k, "the map has another form");
        for (uint32_t j = 0; j < i->args.len; j++)
            if (c->p->insts.at[i->args.at[j]].cts != m->in_cts)
                broken(c, k, "an argument has another number of ciphertexts than the map reads");
        for (uint32_t j = 0; j < m->diagonals.len; j++)
            if (m->diagonals.at[j].arg >= m->args || m->diagonals.at[j].in_ct >= m->in_cts ||
                m->diagonals.at[j].out_ct >= m->out_cts)
                broken(c, k, "a diagonal is outside of the map");
    }
    if (rows[i->op].data == SPARSE && i->data < limit)
        check_sparse(c, k);
    if (rows[i->op].data == VECTOR && !i->vector)
        broken(c, k, "the vector is missing");
}

/* A map of sums alone leaves other sums in the slots between elements (any[], by instruction). Maps
 * choose what they read; a polynomial would throw them out of the modulus, a bootstrapping spread
 * them over every slot. */
static void
check_slots(struct check *c, uint32_t k, bool *any)
{
    const struct he_inst *i = &c->p->insts.at[k];
    bool reads = false;
    for (uint32_t a = 0; a < i->args.len; a++)
        reads |= any[i->args.at[a]];
    if (i->op == HE_linear)
        any[k] = c->p->maps.at[i->data].free_of_level;
    else if (i->op != HE_poly && i->op != HE_mul && i->op != HE_refresh)
        any[k] = reads;
    else if (reads)
        broken(c, k, "it reads slots between elements that hold anything");
}

static void
check_levels(struct check *c, uint32_t k)
{
    const struct he_inst *i = &c->p->insts.at[k];
    uint32_t down = 0;
    if (i->level >= c->p->params.q.len)
        broken(c, k, "the level is above the chain");
    if (!(i->scale > 0) || !isfinite(i->scale))
        broken(c, k, "the scale is not positive");
    if (!i->args.len)
        return;
    const struct he_inst *x = &c->p->insts.at[i->args.at[0]];
    for (uint32_t a = 1; a < i->args.len; a++)
        if (c->p->insts.at[i->args.at[a]].level != x->level)
            broken(c, k, "the arguments' levels differ");
    if (rows[i->op].level == DROP && !(i->op == HE_linear && c->p->maps.at[i->data].free_of_level))
        down = 1;
    if (rows[i->op].level == DEPTH)
        down = ola_plan_poly_depth(c->p->polys.at[i->data].degree);
    if (rows[i->op].level == RAISE) {
        const struct ola_boot_shape *b = &c->p->params.boot;
        if (!b->out_level || x->level != b->stc || i->level < b->stc || i->level > b->out_level)
            broken(c, k, "the level is wrong");
    } else if (rows[i->op].level == GIVEN ? i->level > x->level : i->level + down != x->level)
        broken(c, k, "the level is wrong");
    double want = i->scale;
    if (rows[i->op].scale == EQUAL)
        want = x->scale;
    else if (rows[i->op].scale == PRODUCT)
        want = x->scale * c->p->insts.at[i->args.at[1]].scale;
    else if (rows[i->op].scale == DIVQ)
        want = x->scale;
    for (uint32_t l = x->level; rows[i->op].scale == DIVQ && l > i->level; l--)
        want /= (double)c->p->params.q.at[l];
    if (fabs(want / i->scale - 1) > 1e-9)
        broken(c, k, "the scale is wrong");
    for (uint32_t a = 1; a < i->args.len && rows[i->op].scale != PRODUCT; a++)
        if (fabs(c->p->insts.at[i->args.at[a]].scale / x->scale - 1) > 1e-9)
            broken(c, k, "the arguments' scales differ");
}

bool
he_check(const struct he_program *p, enum he_stage stage, struct diag *d)
{
    struct check c = {p, d};
    uint32_t before = diag_errors(d);
    struct arena *scratch = arena_new();
    bool *any = ARENA_ARRAY(scratch, bool, p->insts.len + 1);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        bool ordered = true;
        if (i->op == HE_NONE || i->op >= HE_COUNT) {
            broken(&c, k, "no instruction");
            continue;
        }
        if (i->args.len < rows[i->op].lo || i->args.len > rows[i->op].hi)
            broken(&c, k, "the number of arguments is wrong");
        for (uint32_t a = 0; a < i->args.len; a++)
            ordered &= i->args.at[a] < k;
        if (!ordered)
            broken(&c, k, "an argument is made later");
        if (i->layout >= p->layouts.len || p->layouts.at[i->layout].cts != i->cts)
            broken(&c, k, "the layout does not fit");
        if (diag_errors(d) != before)
            continue;
        check_data(&c, k);
        if (diag_errors(d) == before)
            check_slots(&c, k, any);
        if (stage >= HE_SCHEDULED)
            check_levels(&c, k);
    }
    arena_free(scratch);
    return diag_errors(d) == before;
}

/* A vector's items, copied. */
#define COPY_ITEMS(arena, v)                                                                       \
    do {                                                                                           \
        void *items_ = arena_array((arena), (v)->len + 1, sizeof *(v)->at);                        \
        if ((v)->len)                                                                              \
            memcpy(items_, (v)->at, (v)->len * sizeof *(v)->at);                                   \
        (v)->at = items_;                                                                          \
        (v)->cap = (v)->len + 1;                                                                   \
    } while (0)

struct he_program *
he_copy(const struct he_program *p)
{
    struct he_program *copy = ARENA_NEW(p->arena, struct he_program);
    *copy = *p;
    COPY_ITEMS(p->arena, &copy->insts);
    for (uint32_t k = 0; k < copy->insts.len; k++)
        COPY_ITEMS(p->arena, &copy->insts.at[k].args);
    COPY_ITEMS(p->arena, &copy->maps);
    COPY_ITEMS(p->arena, &copy->polys);
    COPY_ITEMS(p->arena, &copy->refreshes);
    COPY_ITEMS(p->arena, &copy->inputs);
    COPY_ITEMS(p->arena, &copy->outputs);
    COPY_ITEMS(p->arena, &copy->rotations);
    return copy;
}

static void
print_map(const struct he_map *m, struct str *out)
{
    str_addf(out, " map \"%s\" %u diagonals", m->name, m->diagonals.len);
    if (m->free_of_level)
        str_add(out, ", sums only");
    if (m->bias)
        str_add(out, ", bias");
    for (uint32_t f = 0; f < m->folds.len; f++)
        str_addf(out, "%s%u", f ? " " : ", folds ", m->folds.at[f]);
}

static void
print_sparse(const struct he_sparse *s, struct str *out)
{
    str_addf(out, " sparse \"%s\" %ux%u%s", s->name, s->rows, s->cols,
             s->squares ? " of squares" : "");
    if (!s->start)
        str_addf(out, ", %u weights", s->m->start[s->m->rows]);
    else
        str_addf(out, ", %u terms, %s, unit %.6g", s->terms.len, s->shifts ? "shifts" : "integers",
                 s->unit);
    if (s->temps)
        str_addf(out, ", %u partial sums", s->temps);
    if (s->bias)
        str_add(out, ", bias");
}

void
he_print(const struct he_program *p, struct str *out)
{
    str_addf(out, "program %s, N = 2^%u, %u q, %u p, log QP = %.1f\n", p->name, p->params.log_n,
             p->params.q.len, p->params.p.len, p->params.log_qp);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *i = &p->insts.at[k];
        str_addf(out, "%%%-3u = %-9s", k, rows[i->op].name);
        for (uint32_t a = 0; a < i->args.len; a++)
            str_addf(out, " %%%u", i->args.at[a]);
        if (rows[i->op].data == INPUT)
            str_addf(out, " \"%s\"", p->inputs.at[i->data].name);
        if (rows[i->op].data == OUTPUT)
            str_addf(out, " \"%s\"", p->outputs.at[i->data].name);
        if (rows[i->op].data == MAP)
            print_map(&p->maps.at[i->data], out);
        if (rows[i->op].data == SPARSE)
            print_sparse(&p->sparse.at[i->data], out);
        if (rows[i->op].data == POLY)
            str_addf(out, " poly \"%s\" degree %u", p->polys.at[i->data].name,
                     p->polys.at[i->data].degree);
        str_addf(out, " : %u ct, level %u, scale 2^%.4f  # %s\n", i->cts, i->level,
                 i->scale > 0 ? log2(i->scale) : 0.0, i->node ? i->node : "-");
    }
}

/* ---- exact evaluation ------------------------------------------------------------------------ */

struct eval {
    const struct he_program *p;
    struct arena *arena;
    uint32_t slots;
    double **value; /* [inst]: cts * slots */
};

static void
eval_map(struct eval *e, const struct he_inst *i, double *out)
{
    const struct he_map *m = &e->p->maps.at[i->data];
    uint32_t mask = e->slots - 1;
    double *before = ARENA_ARRAY(e->arena, double, e->slots);

    for (uint32_t k = 0; k < m->diagonals.len; k++) {
        const struct he_diagonal *g = &m->diagonals.at[k];
        const double *in = e->value[i->args.at[g->arg]] + (size_t)g->in_ct * e->slots;
        double *to = out + (size_t)g->out_ct * e->slots;
        for (uint32_t t = 0; t < e->slots; t++) {
            uint32_t u = (t + g->giant) & mask;
            double w = g->value ? (double)g->value[u & (g->period - 1)] : 1.0;
            to[t] += w * in[(u + g->baby) & mask];
        }
    }
    for (uint32_t c = 0; c < m->out_cts; c++) {
        double *to = out + (size_t)c * e->slots;
        for (uint32_t f = 0; f < m->folds.len; f++) {
            memcpy(before, to, e->slots * sizeof *to);
            for (uint32_t t = 0; t < e->slots; t++)
                to[t] += before[(t + m->folds.at[f]) & mask];
        }
        for (uint32_t t = 0; m->bias && t < e->slots; t++)
            to[t] += m->bias[c][t & (m->bias_period - 1)];
    }
}

static void
eval_sparse(struct eval *e, const struct he_inst *i, double *out)
{
    const struct he_sparse *s = &e->p->sparse.at[i->data];
    const double *in = e->value[i->args.at[0]];
    double *x = ARENA_ARRAY(e->arena, double, s->cols + s->temps + 1);
    for (uint32_t c = 0; c < s->cols; c++)
        x[c] = s->squares ? in[c] * in[c] : in[c];
    for (uint32_t r = 0; s->bias && r < s->rows; r++)
        out[r] = s->bias[r];
    if (!s->start) {
        matrix_apply(s->m, x, out);
        return;
    }
    for (uint32_t k = 0; k < s->temps + s->rows; k++) {
        double sum = 0;
        for (uint32_t t = s->start[k]; t < s->start[k + 1]; t++)
            sum += (double)s->terms.at[t].weight * x[s->terms.at[t].column];
        if (k < s->temps)
            x[s->cols + k] = sum;
        else
            out[k - s->temps] += s->unit * sum;
    }
}

static void
eval_poly(struct eval *e, const struct he_inst *i, double *out)
{
    const struct he_poly *f = &e->p->polys.at[i->data];
    const double *in = e->value[i->args.at[0]];
    for (uint32_t c = 0; c < f->cts; c++)
        for (uint32_t t = 0; t < e->slots; t++) {
            double x = in[(size_t)c * e->slots + t], b1 = 0, b2 = 0;
            for (uint32_t k = f->degree + 1; k-- > 0;) {
                const float *v = f->coef[c][k];
                double coef = (double)(f->period > 1 ? v[t & (f->period - 1)] : v[0]);
                double b0 = coef + (k ? 2 * x : x) * b1 - b2;
                b2 = b1;
                b1 = b0;
            }
            out[(size_t)c * e->slots + t] = b1;
        }
}

static void
eval_input(struct eval *e, const struct he_inst *i, const float *const *in, double *out)
{
    const struct he_layout *l = &e->p->layouts.at[i->layout];
    uint32_t copies = e->slots / l->period;
    for (uint32_t n = 0; n < l->n; n++)
        for (uint32_t c = 0; c < copies; c++)
            out[l->slot[n] + (size_t)c * l->period] = (double)in[i->data][n];
}

static void
eval_inst(struct eval *e, uint32_t k, const float *const *in, float *const *result)
{
    const struct he_inst *i = &e->p->insts.at[k];
    size_t n = (size_t)i->cts * e->slots;
    double *out = e->value[k] = ARENA_ARRAY(e->arena, double, n);
    const double *a = i->args.len ? e->value[i->args.at[0]] : NULL;
    const double *b = i->args.len > 1 ? e->value[i->args.at[1]] : NULL;
    const struct he_layout *l = &e->p->layouts.at[i->layout];

    switch (i->op) {
    case HE_input:
        eval_input(e, i, in, out);
        break;
    case HE_linear:
        eval_map(e, i, out);
        break;
    case HE_poly:
        eval_poly(e, i, out);
        break;
    case HE_sparse:
        eval_sparse(e, i, out);
        break;
    case HE_output:
        for (uint32_t m = 0; m < l->n; m++)
            result[i->data][m] = (float)a[l->slot[m]];
        break;
    default:
        for (size_t t = 0; t < n; t++)
            out[t] = i->op == HE_add   ? a[t] + b[t]
                     : i->op == HE_sub ? a[t] - b[t]
                     : i->op == HE_mul ? a[t] * b[t]
                     : i->op == HE_add_plain
                         ? a[t] + i->vector[t / e->slots * l->period + t % l->period]
                         : a[t]; /* relin, rescale, reduce, drop, refresh */
    }
}

bool
he_eval(const struct he_program *p, const float *const *in, float *const *out, struct diag *d)
{
    /* All slots of a batch do the same: one of them is computed. */
    struct eval e = {p, arena_new(), p->batch ? 1 : p->params.slots, NULL};
    bool ok = e.slots != 0 && (e.slots & (e.slots - 1)) == 0;
    if (!ok)
        diag_error(d, E_GRAPH, PLACE_NONE, "the HE program has no slots");
    e.value = ARENA_ARRAY(e.arena, double *, p->insts.len + 1);
    for (uint32_t k = 0; ok && k < p->insts.len; k++)
        eval_inst(&e, k, in, out);
    arena_free(e.arena);
    return ok;
}
