/* sparse.c - sparse sums by integers on slots, and the reduction behind them; no noise of the sums'
 * own: integers are exact. */
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

#define TAG_SPARSE 32u

struct ola_sparse {
    const struct ola_params *params;
    struct ola_sparse_desc desc;
    struct ola_sparse_view view; /* of `section` */
    uint8_t *section;
    size_t size;
};

static ola_status
check_bias(const struct ola_sparse *m)
{
    for (uint32_t r = 0; r < m->view.head.rows; r++) {
        double bias = ola_sparse_view_bias(&m->view, r);
        ola_status s = ola_sim_range(m->params, m->desc.level, m->desc.out_scale, &bias, 1);
        if (s != OLA_OK)
            return s;
    }
    return OLA_OK;
}

ola_status
ola_sparse_new(const ola_params *p, const struct ola_sparse_desc *desc, const void *section,
               size_t size, ola_sparse **out)
{
    struct ola_sparse_view v;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || desc == NULL)
        return OLA_ERR_PARAM;
    if (desc->level >= p->n_q)
        return OLA_ERR_LEVEL;
    ola_status s = ola_sim_scale(p, desc->level, desc->in_scale);
    if (s == OLA_OK)
        s = ola_sim_scale(p, desc->level, desc->out_scale);
    if (s == OLA_OK && !ola_sparse_view_open(&v, section, size))
        s = OLA_ERR_FORMAT;
    if (s != OLA_OK)
        return s;
    struct ola_sparse *m = ola_alloc_zero(sizeof *m);
    if (m == NULL)
        return OLA_ERR_NOMEM;
    *m = (struct ola_sparse){.params = p, .desc = *desc, .section = ola_alloc(size), .size = size};
    s = m->section == NULL ? OLA_ERR_NOMEM : OLA_OK;
    if (s == OLA_OK) {
        memcpy(m->section, section, size);
        s = ola_sparse_view_open(&m->view, m->section, size) ? check_bias(m) : OLA_ERR_FORMAT;
    }
    if (s != OLA_OK) {
        ola_sparse_free(m);
        return s;
    }
    *out = m;
    return OLA_OK;
}

void
ola_sparse_free(ola_sparse *m)
{
    if (m == NULL)
        return;
    ola_release(m->section, m->size);
    ola_release(m, sizeof *m);
}

/* ---- evaluation ---- */

static ola_status
check(const ola_server *s, const ola_sparse *const *maps, uint32_t n, const ola_ct *const *in,
      ola_ct *const *out)
{
    uint32_t parts = in[0] == NULL ? 0 : in[0]->parts;
    for (uint32_t k = 0; k < n; k++) {
        if (maps[k] == NULL || !ola_sim_same(maps[k]->params, s->params))
            return OLA_ERR_PARAM;
        if (k && maps[k - 1]->view.head.rows != maps[k]->view.head.cols)
            return OLA_ERR_PARAM;
        if (k && maps[k - 1]->desc.level != maps[k]->desc.level)
            return OLA_ERR_LEVEL;
        if (k && !ola_sim_close(maps[k - 1]->desc.out_scale, maps[k]->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    for (uint32_t c = 0; c < maps[0]->view.head.cols; c++) {
        ola_status e = ola_sim_operand(s->params, in[c], parts);
        if (e == OLA_OK)
            e = ola_sim_key(s, in[c], in[0]);
        if (e != OLA_OK)
            return e;
        if (in[c]->level != maps[0]->desc.level)
            return OLA_ERR_LEVEL;
        if (!ola_sim_close(in[c]->scale, maps[0]->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    for (uint32_t k = 0; k < n; k++) {
        if (maps[k]->view.head.squared && parts != 2)
            return OLA_ERR_PARAM;
        parts = maps[k]->view.head.squared ? 3 : parts;
    }
    for (uint32_t r = 0; r < maps[n - 1]->view.head.rows; r++) {
        if (ola_sim_output(s->params, out[r]) != OLA_OK)
            return OLA_ERR_PARAM;
        for (uint32_t j = 0; j < r; j++)
            if (out[j] == out[r])
                return OLA_ERR_PARAM;
        for (uint32_t c = 0; c < maps[0]->view.head.cols; c++)
            if (in[c] == out[r])
                return OLA_ERR_PARAM;
    }
    return OLA_OK;
}

/* Row k of a map: to[slots] = its sum, in units of the output's values. x: columns, then the
 * partial sums so far. */
static void
sum_row(const struct ola_sparse *m, uint32_t k, const double *const *x, double *to)
{
    const struct ola_weights_sparse *h = &m->view.head;
    const double scale = h->squared ? m->desc.in_scale * m->desc.in_scale : m->desc.in_scale;
    const double unit = k < h->temps ? 1.0 : scale / m->desc.out_scale;
    const uint32_t slots = m->params->slots;
    double bias = k < h->temps ? 0.0 : ola_sparse_view_bias(&m->view, k - h->temps);
    for (uint32_t t = 0; t < slots; t++)
        to[t] = bias;
    for (uint32_t i = ola_sparse_view_start(&m->view, k);
         i < ola_sparse_view_start(&m->view, k + 1); i++) {
        struct ola_sparse_term term = ola_sparse_view_term(&m->view, i);
        double w = (term.negative ? -unit : unit) * (double)term.weight;
        bool square = h->squared && term.column < h->cols;
        for (uint32_t t = 0; t < slots; t++) {
            double v = x[term.column][t];
            to[t] += w * (square ? v * v : v);
        }
    }
}

/* All rows; r has room for partial sums and results. */
static ola_status
apply(const struct ola_sparse *m, const double *const *in, const struct ola_results *r)
{
    const struct ola_weights_sparse *h = &m->view.head;
    const size_t bytes = ((size_t)h->cols + h->temps) * sizeof(double *);
    const double **x = ola_alloc(bytes);
    ola_status e = OLA_OK;
    if (x == NULL)
        return OLA_ERR_NOMEM;
    memcpy(x, in, h->cols * sizeof *x);
    for (uint32_t k = 0; k < h->temps + h->rows && e == OLA_OK; k++) {
        sum_row(m, k, x, r->v[k]);
        if (k < h->temps)
            x[h->cols + k] = r->v[k];
        else
            e = ola_sim_range(m->params, m->desc.level, m->desc.out_scale, r->v[k],
                              m->params->slots);
    }
    ola_release(x, bytes);
    return e;
}

/* Makes the last `rows` of r the contents of out. */
static void
store(struct ola_results *r, const struct ola_sparse *m, const ola_ct *const *in, uint64_t trace,
      uint32_t parts, ola_ct *const *out)
{
    const uint32_t temps = m->view.head.temps;
    for (uint32_t k = 0; k < m->view.head.rows; k++) {
        ola_sim_set(out[k], in[0]->key_id, r->v[temps + k], parts, m->desc.level, m->desc.out_scale,
                    ola_sim_mix(trace, k));
        r->v[temps + k] = NULL;
    }
}

ola_status
ola_sparse_eval(ola_server *s, const ola_sparse *const *maps, uint32_t n, const ola_ct *const *in,
                ola_ct *const *out)
{
    struct ola_results before = {0}, now = {0};
    if (s == NULL || maps == NULL || n == 0 || in == NULL || out == NULL || maps[0] == NULL)
        return OLA_ERR_PARAM;
    ola_status e = check(s, maps, n, in, out);
    if (e != OLA_OK)
        return e;
    const size_t bytes = maps[0]->view.head.cols * sizeof(double *);
    const double **first = ola_alloc(bytes);
    uint64_t trace = TAG_SPARSE;
    uint32_t parts = in[0]->parts;
    if (first == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t c = 0; c < maps[0]->view.head.cols; c++) {
        first[c] = in[c]->v;
        trace = ola_sim_mix(trace, in[c]->trace);
    }
    for (uint32_t k = 0; k < n && e == OLA_OK; k++) {
        const struct ola_weights_sparse *h = &maps[k]->view.head;
        e = ola_results_new(s->params, h->temps + h->rows, &now);
        if (e == OLA_OK)
            e = apply(maps[k],
                      k ? (const double *const *)(before.v + maps[k - 1]->view.head.temps) : first,
                      &now);
        ola_results_free(&before);
        before = now;
        now = (struct ola_results){0};
        parts = h->squared ? 3 : parts;
    }
    if (e == OLA_OK)
        store(&before, maps[n - 1], in, trace, parts, out);
    ola_results_free(&before);
    ola_release(first, bytes);
    for (uint32_t k = 0; k < n && e == OLA_OK; k++) {
        uint64_t additions, products, q = 0;
        for (uint32_t i = 0; i <= maps[k]->desc.level; i++)
            q = s->params->literal.q[i] > q ? s->params->literal.q[i] : q;
        ola_sparse_view_count(&maps[k]->view, q, &additions, &products);
        s->counts.additions += additions;
        s->counts.scalar_products += products;
        s->counts.products += maps[k]->view.head.squared ? maps[k]->view.head.cols : 0;
    }
    return e;
}

/* ---- reduction ---- */

static ola_status
check_reduce(const ola_server *s, ola_ct *const *out, const ola_ct *const *in, uint32_t n,
             uint32_t level)
{
    for (uint32_t k = 0; k < n; k++) {
        ola_status e = ola_sim_output(s->params, out[k]);
        if (e == OLA_OK)
            e = ola_sim_operand(s->params, in[k], 0);
        if (e == OLA_OK)
            e = ola_sim_key(s, in[k], in[0]);
        if (e != OLA_OK)
            return e;
        if (in[k]->level != in[0]->level || in[k]->level < level)
            return OLA_ERR_LEVEL;
        if (in[k]->parts == 3 && (e = ola_sim_relin_key(s, in[k]->level)) != OLA_OK)
            return e;
    }
    return OLA_OK;
}

ola_status
ola_reduce(ola_server *s, ola_ct *const *out, const ola_ct *const *in, uint32_t n, uint32_t level)
{
    if (s == NULL || out == NULL || in == NULL || n == 0)
        return OLA_ERR_PARAM;
    ola_status e = check_reduce(s, out, in, n, level);
    for (uint32_t k = 0; k < n && e == OLA_OK; k++) {
        const ola_ct *from = in[k];
        if (from->parts == 3) {
            e = ola_relinearise(s, out[k], from);
            from = out[k];
        } else if (from->level == level) {
            e = ola_ct_copy(out[k], from);
        }
        for (; e == OLA_OK && from->level > level; from = out[k])
            e = ola_rescale(s, out[k], from);
        if (e != OLA_OK)
            out[k]->parts = 0; /* nothing, rather than half of it */
    }
    return e;
}
