/* sparse_eval.c - sparse maps one behind the other, a block of OLA_BLOCK entries of one limb at a
 * time: everything here works entry by entry of transformed limbs, so that a block runs through all
 * maps before the next is begun, and what lies between them stays in the cache. */
#include "ckks/sparse.h"

#include <string.h>

/* A run of maps. */
struct pass {
    struct ola_server *s;
    const struct ola_sparse *const *maps;
    uint32_t n;
    uint32_t parts; /* of the inputs */
    const struct ola_ct *const *in;
    struct ola_ct *const *out;
    size_t pointers, temps, words; /* of a thread's work: columns, partial sums, all of it */
};

/* ---- checks ---- */

static ola_status
check_maps(const struct pass *w)
{
    for (uint32_t k = 0; k < w->n; k++) {
        const struct ola_sparse *m = w->maps[k];
        if (m == NULL || !ola_params_equal(m->params, w->s->params))
            return OLA_ERR_PARAM;
        if (k == 0)
            continue;
        const struct ola_sparse *before = w->maps[k - 1];
        if (before->head.rows != m->head.cols)
            return OLA_ERR_PARAM;
        if (before->desc.level != m->desc.level)
            return OLA_ERR_LEVEL;
        if (!ola_scales_equal(before->desc.out_scale, m->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    return OLA_OK;
}

static ola_status
check_in(const struct pass *w)
{
    const struct ola_sparse *m = w->maps[0];
    for (uint32_t c = 0; c < m->head.cols; c++) {
        const struct ola_ct *a = w->in[c];
        if (a == NULL || a->parts == 0 || a->parts != w->in[0]->parts ||
            !ola_params_equal(a->params, w->s->params))
            return OLA_ERR_PARAM;
        if (!ola_ct_same_key(a, w->in[0]))
            return OLA_ERR_OTHER_KEY;
        if (a->level != m->desc.level)
            return OLA_ERR_LEVEL;
        if (!ola_scales_equal(a->scale, m->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    return ola_server_check_key(w->s, w->in[0]);
}

/* Squares are of two components, and of none that a square before them left with three. */
static ola_status
check_parts(const struct pass *w)
{
    uint32_t parts = w->in[0]->parts;
    for (uint32_t k = 0; k < w->n; k++) {
        if (w->maps[k]->head.squared && parts != 2)
            return OLA_ERR_PARAM;
        parts = w->maps[k]->head.squared ? 3 : parts;
    }
    return OLA_OK;
}

static ola_status
check_out(const struct pass *w)
{
    const uint32_t rows = w->maps[w->n - 1]->head.rows, cols = w->maps[0]->head.cols;
    for (uint32_t r = 0; r < rows; r++) {
        if (w->out[r] == NULL || !ola_params_equal(w->out[r]->params, w->s->params))
            return OLA_ERR_PARAM;
        for (uint32_t j = 0; j < r; j++) {
            if (w->out[j] == w->out[r])
                return OLA_ERR_PARAM;
        }
        for (uint32_t c = 0; c < cols; c++) {
            if (w->in[c] == w->out[r])
                return OLA_ERR_PARAM;
        }
    }
    return OLA_OK;
}

static ola_status
check(const struct pass *w)
{
    ola_status status = check_maps(w);
    if (status == OLA_OK)
        status = check_in(w);
    if (status == OLA_OK)
        status = check_parts(w);
    return status == OLA_OK ? check_out(w) : status;
}

/* ---- room ---- */

/* Blocks of what map k reads are kept: squares, and results of the map before. */
static size_t
kept_words(const struct pass *w, uint32_t k)
{
    const struct ola_weights_sparse *h = &w->maps[k]->head;
    return k > 0 || h->squared ? 3 * (size_t)h->cols * OLA_BLOCK : 0;
}

static ola_status
reserve(struct pass *w)
{
    for (uint32_t k = 0; k < w->n; k++) {
        const struct ola_weights_sparse *h = &w->maps[k]->head;
        const size_t columns = (size_t)h->cols + h->temps;
        w->pointers = columns > w->pointers ? columns : w->pointers;
        w->temps = h->temps > w->temps ? h->temps : w->temps;
        w->words += kept_words(w, k);
    }
    w->pointers = (w->pointers + 7) / 8 * 8; /* blocks behind them stay aligned */
    w->words += w->pointers + w->temps * OLA_BLOCK;
    const size_t pieces[OLA_PIECES] = {[OLA_WORK] = w->words * (size_t)w->s->threads};
    ola_status status = ola_server_room(w->s, pieces);
    const struct ola_sparse *last = w->maps[w->n - 1];
    for (uint32_t r = 0; r < last->head.rows && status == OLA_OK; r++)
        status = ola_ct_reserve(w->out[r], w->parts, last->desc.level);
    for (uint32_t r = 0; r < last->head.rows && status != OLA_OK; r++)
        ola_ct_clear(w->out[r]);
    return status;
}

/* ---- a block ---- */

struct block {
    uint32_t limb;
    size_t at;          /* the first entry */
    const uint64_t **x; /* columns of the component at hand */
    uint64_t *temp;     /* partial sums */
};

/* (x0, x1) to (x0^2, 2 x0 x1, x1^2); to[0] and to[1] may be where x0 and x1 are. */
static void
square(const struct pass *w, const struct block *b, const uint64_t *x0, const uint64_t *x1,
       uint64_t *const to[3])
{
    const struct ola_backend *k = w->s->backend;
    const struct ola_modulus *q = ola_server_modulus(w->s, b->limb);
    k->mul(to[2], x1, x1, OLA_BLOCK, q);
    k->mul(to[1], x0, x1, OLA_BLOCK, q);
    k->add(to[1], to[1], to[1], OLA_BLOCK, q);
    k->mul(to[0], x0, x0, OLA_BLOCK, q);
}

/* The squares of what map k reads, into `kept`; there already of the map before. */
static void
square_all(const struct pass *w, const struct block *b, uint32_t k, uint64_t *kept)
{
    const size_t cols = w->maps[k]->head.cols;
    for (size_t c = 0; c < cols; c++) {
        uint64_t *const to[3] = {kept + c * OLA_BLOCK, kept + (cols + c) * OLA_BLOCK,
                                 kept + (2 * cols + c) * OLA_BLOCK};
        if (k == 0)
            square(w, b, ola_ct_limb(w->in[c], 0, b->limb) + b->at,
                   ola_ct_limb(w->in[c], 1, b->limb) + b->at, to);
        else
            square(w, b, to[0], to[1], to);
    }
}

static void
sum_row(const struct pass *w, const struct block *b, const struct ola_sparse *m, uint32_t row,
        uint64_t constant, uint64_t *to)
{
    const struct ola_sparse_node *node = &m->node[row];
    const struct ola_modulus *q = ola_server_modulus(w->s, b->limb);
    const uint32_t *index = m->index + node->first_term;
    if (node->shifted)
        w->s->backend->sum_shifted(to, b->x, index, m->step + node->first_step, node->steps,
                                   node->norm * q->q + constant, q);
    else
        w->s->backend->sum_weighted(to, b->x, index,
                                    m->weight + (size_t)b->limb * m->head.terms + node->first_term,
                                    node->terms, constant, q);
}

/* Map k on one component; next: where its results are kept, NULL: in out. */
static void
sum_part(const struct pass *w, const struct block *b, uint32_t k, uint32_t part,
         const uint64_t *kept, uint64_t *next)
{
    const struct ola_sparse *m = w->maps[k];
    const uint32_t cols = m->head.cols, temps = m->head.temps, rows = m->head.rows;
    for (uint32_t c = 0; c < cols; c++)
        b->x[c] = kept != NULL ? kept + ((size_t)part * cols + c) * OLA_BLOCK
                               : ola_ct_limb(w->in[c], part, b->limb) + b->at;
    for (uint32_t t = 0; t < temps; t++) {
        b->x[cols + t] = b->temp + (size_t)t * OLA_BLOCK;
        sum_row(w, b, m, t, 0, b->temp + (size_t)t * OLA_BLOCK);
    }
    for (uint32_t r = 0; r < rows; r++) {
        uint64_t constant = part == 0 ? m->constant[(size_t)b->limb * rows + r] : 0;
        uint64_t *to = next != NULL ? next + ((size_t)part * rows + r) * OLA_BLOCK
                                    : ola_ct_limb(w->out[r], part, b->limb) + b->at;
        sum_row(w, b, m, temps + r, constant, to);
    }
}

static void
evaluate(const struct pass *w, uint32_t limb, size_t at)
{
    uint64_t *work = w->s->piece[OLA_WORK] + (size_t)ola_thread() * w->words;
    uint64_t *kept = work + w->pointers + w->temps * OLA_BLOCK;
    const struct block b = {limb, at, (const uint64_t **)(void *)work, work + w->pointers};
    uint32_t parts = w->in[0]->parts;
    for (uint32_t k = 0; k < w->n; k++) {
        uint64_t *own = kept_words(w, k) ? kept : NULL;
        kept += kept_words(w, k);
        if (w->maps[k]->head.squared) {
            square_all(w, &b, k, own);
            parts = 3;
        }
        for (uint32_t part = 0; part < parts; part++)
            sum_part(w, &b, k, part, own, k + 1 < w->n ? kept : NULL);
    }
}

/* Blocks of a page are handed out together. */
#define TOGETHER 8

ola_status
ola_sparse_eval(ola_server *s, const ola_sparse *const *maps, uint32_t n, const ola_ct *const *in,
                ola_ct *const *out)
{
    struct pass w = {.s = s, .maps = maps, .n = n, .in = in, .out = out};
    if (s == NULL || maps == NULL || n == 0 || in == NULL || out == NULL)
        return OLA_ERR_PARAM;
    ola_status status = check(&w);
    if (status != OLA_OK)
        return status;
    w.parts = in[0]->parts;
    for (uint32_t k = 0; k < n; k++)
        w.parts = maps[k]->head.squared ? 3 : w.parts;
    status = reserve(&w);
    if (status != OLA_OK)
        return status;
    const struct ola_sparse *last = maps[n - 1];
    const size_t blocks = s->params->n / OLA_BLOCK;
    const double start = ola_seconds();
#pragma omp parallel for collapse(2) schedule(dynamic, TOGETHER) num_threads(s->threads)
    for (uint32_t i = 0; i <= last->desc.level; i++) {
        for (size_t k = 0; k < blocks; k++)
            evaluate(&w, i, k * OLA_BLOCK);
    }
    for (uint32_t r = 0; r < last->head.rows; r++) {
        ola_ct_take_key(out[r], in[0]);
        out[r]->scale = last->desc.out_scale;
    }
    for (uint32_t k = 0; k < n; k++) {
        s->counts.additions += maps[k]->additions;
        s->counts.scalar_products += maps[k]->products;
        s->counts.products += maps[k]->head.squared ? maps[k]->head.cols : 0;
    }
    ola_server_spent(s, OLA_KIND_SPARSE, start);
    return OLA_OK;
}
