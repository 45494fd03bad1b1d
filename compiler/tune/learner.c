/* learner.c - see learner.h. A step knows its inputs and outputs by the values of the graph;
 * rows of a batch lie one after the other. What a step needs for its way back are its inputs,
 * which are kept. */
#include "tune/learner.h"

#include "base/wide.h"
#include "ir/matrix.h"
#include "tune/poly_step.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

struct learner {
    struct graph *g;
    struct learner_options o;
    VEC(struct step) steps;
    VEC(struct learner_param) params;
    bool *wanted; /* of each value: a parameter stands before it, so its gradient is needed */
    size_t size;
};

struct learner_run {
    const struct learner *net;
    uint32_t most, images;
    float **value, **slope; /* [value of the graph][image][element]; constants: NULL */
    /* of each step that is a convolution: columns of all images, or room for one group of one when
     * all are too many to keep for the way back */
    float **columns;
    /* of each such step: 1 + the element of a group of an image that an entry of its columns is, 0
     * beyond the border; NULL: not listed */
    uint32_t **element;
};

#define KEPT_COLUMNS ((size_t)1 << 22)

/* ---- parameters and steps
 * --------------------------------------------------------------------------------- */

static uint32_t
add_param(struct learner *n, uint32_t node, uint32_t value, enum learner_kind kind, int64_t uses)
{
    const struct value *v = graph_value(n->g, value);
    struct learner_param p = {.node = node,
                              .value = value,
                              .kind = kind,
                              .n = (uint32_t)shape_size(&v->shape),
                              .uses = (double)uses,
                              .data = v->data.f,
                              .first = n->size};

    n->size += p.n;
    vec_push(n->g->arena, &n->params, p);
    return n->params.len - 1;
}

static uint32_t
add_poly(struct learner *n, uint32_t node)
{
    const struct poly *from = n->g->nodes.at[node].poly;
    struct learner_param p = {.node = node,
                              .value = NONE,
                              .kind = LEARN_POLY,
                              .n = from->rows * (from->degree + 1),
                              .first = n->size};

    p.data = ARENA_ARRAY(n->g->arena, float, p.n);
    for (uint32_t k = 0; k < p.n; k++)
        p.data[k] = (float)from->coef[k];
    n->size += p.n;
    vec_push(n->g->arena, &n->params, p);
    return n->params.len - 1;
}

static bool
refused(const struct learner *n, const struct node *node, struct diag *d)
{
    diag_error(d, E_TUNE_FORM, (struct place){.file = n->g->file, .node = node->name},
               "there are no derivatives through %s", op_row(node->op)->onnx);
    diag_hint(d, "train what stands behind it (--head), or replace it");
    return false;
}

static bool
add_step(struct learner *n, uint32_t index, struct diag *d)
{
    struct step s = {.node = index, .weight = NONE, .bias = NONE, .poly = NONE};
    const struct node *node = &n->g->nodes.at[index];
    const struct op_row *row = op_row(node->op);

    if (weighted_read(n->g, index, &s.w)) {
        weighted_own(n->g, &s.w);
        s.kind = s.w.dense ? STEP_DENSE : STEP_CONV;
        s.x[0] = s.w.x;
        s.y = s.w.y;
        s.n_x = 1;
        s.weight = add_param(n, index, s.w.weight, LEARN_WEIGHT, s.w.positions);
        if (s.w.bias != NONE)
            s.bias = add_param(n, index, s.w.bias, LEARN_BIAS, s.w.positions);
        vec_push(n->g->arena, &n->steps, s);
        return true;
    }
    if (row->class == NONLIN) {
        step_activation(n->g, index, &s);
        if (n->o.polys && node->poly) {
            s.kind = STEP_POLY;
            s.poly = add_poly(n, index);
        }
        vec_push(n->g->arena, &n->steps, s);
        return true;
    }
    if (step_eltwise(n->g, index, &s)) {
        vec_push(n->g->arena, &n->steps, s);
        return true;
    }
    bool linear = row->class == LINEAR || row->class == ELTWISE || row->class == PRODUCT;
    for (uint32_t k = 0; k < node->out.len; k++) {
        if (node->out.at[k] == NONE)
            continue;
        struct diag *quiet = diag_new();
        bool ok = linear && step_linear(n->g, index, k, &s, quiet);
        diag_free(quiet);
        if (!ok)
            return refused(n, node, d);
        vec_push(n->g->arena, &n->steps, s);
    }
    return true;
}

/* Values behind a parameter. */
static void
mark_wanted(struct learner *n)
{
    n->wanted = ARENA_ARRAY(n->g->arena, bool, n->g->values.len + 1);
    for (uint32_t k = 0; k < n->steps.len; k++) {
        const struct step *s = &n->steps.at[k];
        bool any = s->poly != NONE || s->bias != NONE || (s->weight != NONE && !n->o.frozen);
        for (uint32_t i = 0; i < s->n_x; i++)
            any = any || n->wanted[s->x[i]];
        n->wanted[s->y] = any;
    }
}

struct learner *
learner_new(struct arena *a, struct graph *g, const struct learner_options *o, struct diag *d)
{
    struct learner *n = ARENA_NEW(a, struct learner);
    bool ok = true;

    n->g = g;
    n->o = o ? *o : (struct learner_options){0};
    for (uint32_t k = 0; k < g->nodes.len; k++)
        ok = add_step(n, k, d) && ok;
    mark_wanted(n);
    return ok ? n : NULL;
}

const struct learner_param *
learner_params(const struct learner *n, uint32_t *count)
{
    *count = n->params.len;
    return n->params.at;
}

size_t
learner_size(const struct learner *n)
{
    return n->size;
}

static int64_t
size_of(const struct learner *n, uint32_t value)
{
    return shape_size(&graph_value(n->g, value)->shape);
}

int64_t
learner_inputs(const struct learner *n)
{
    return size_of(n, n->g->inputs.at[0].value);
}

int64_t
learner_outputs(const struct learner *n)
{
    return size_of(n, n->g->outputs.at[0]);
}

/* ---- runs
 * ------------------------------------------------------------------------------------------- */

/* Columns of one image. */
static size_t
columns_size(const struct step *s)
{
    return (size_t)(s->w.groups * s->w.depth * s->w.positions);
}

static bool
columns_kept(const struct step *s, uint32_t images)
{
    return images * columns_size(s) <= KEPT_COLUMNS;
}

WIDE static void
gather(const float *restrict x, const uint32_t *restrict element, size_t n, float *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = element[i] ? x[element[i] - 1] : 0;
}

/* The columns of an image that counts its elements say where each comes from. NULL: floats cannot
 * count so many. */
static uint32_t *
elements_of(struct arena *a, const struct step *s)
{
    size_t n = (size_t)(s->w.depth * s->w.positions);
    size_t pixels = (size_t)(s->w.conv.in_ch * s->w.conv.area_in);
    if (pixels >= (size_t)1 << 24)
        return NULL;
    struct arena *mine = arena_new();
    float *count = ARENA_ARRAY(mine, float, pixels + 1), *columns = ARENA_ARRAY(mine, float, n + 1);
    uint32_t *element = ARENA_ARRAY(a, uint32_t, n + 1);

    for (size_t i = 0; i < pixels; i++)
        count[i] = (float)(i + 1);
    weighted_columns(&s->w, count, 0, columns);
    for (size_t i = 0; i < n; i++)
        element[i] = (uint32_t)columns[i];
    arena_free(mine);
    return element;
}

/* Those of group g of image k, made unless the way forwards kept them. */
static float *
columns_of(const struct learner_run *r, const struct step *s, uint32_t k, int64_t g, bool forwards)
{
    bool kept = columns_kept(s, r->most);
    float *columns = r->columns[s - r->net->steps.at];

    if (kept)
        columns += k * columns_size(s) + (size_t)(g * s->w.depth * s->w.positions);
    const float *x = r->value[s->x[0]] + k * size_of(r->net, s->x[0]);
    const uint32_t *element = r->element[s - r->net->steps.at];
    if ((forwards || !kept) && element)
        gather(x + g * s->w.conv.in_ch * s->w.conv.area_in, element,
               (size_t)(s->w.depth * s->w.positions), columns);
    else if (forwards || !kept)
        weighted_columns(&s->w, x, g, columns);
    return columns;
}

struct learner_run *
learner_run_new(struct arena *a, const struct learner *n, uint32_t images)
{
    struct learner_run *r = ARENA_NEW(a, struct learner_run);

    *r = (struct learner_run){.net = n, .most = images};
    r->value = ARENA_ARRAY(a, float *, n->g->values.len + 1);
    r->slope = ARENA_ARRAY(a, float *, n->g->values.len + 1);
    r->columns = ARENA_ARRAY(a, float *, n->steps.len + 1);
    r->element = ARENA_ARRAY(a, uint32_t *, n->steps.len + 1);
    for (uint32_t k = 0; k < n->steps.len; k++) {
        const struct step *s = &n->steps.at[k];
        size_t all = (size_t)images * (size_t)size_of(n, s->y);
        if (s->kind == STEP_CONV) {
            r->columns[k] =
                ARENA_ARRAY(a, float,
                            columns_kept(s, images) ? images *columns_size(s)
                                                    : (size_t)(s->w.depth * s->w.positions));
            r->element[k] = elements_of(a, s);
        }
        r->value[s->y] = ARENA_ARRAY(a, float, all + 1);
        if (n->wanted[s->y])
            r->slope[s->y] = ARENA_ARRAY(a, float, all + 1);
    }
    return r;
}

static void
conv_forward(const struct learner_run *r, const struct step *s)
{
    const struct learner *n = r->net;
    const struct weighted *w = &s->w;
    const float *weight = n->params.at[s->weight].data;
    const float *bias = s->bias == NONE ? NULL : n->params.at[s->bias].data;
    int64_t one = w->rows * w->positions;

    for (uint32_t k = 0; k < r->images; k++)
        for (int64_t g = 0; g < w->groups; g++) {
            float *y = r->value[s->y] + (k * w->groups + g) * one;
            const float *columns = columns_of(r, s, k, g, true);
            for (int64_t i = 0; i < w->rows; i++)
                for (int64_t p = 0; p < w->positions; p++)
                    y[i * w->positions + p] = bias ? bias[g * w->rows + i] : 0;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)w->rows, (int)w->positions,
                        (int)w->depth, 1, weight + g * w->rows * w->depth, (int)w->depth, columns,
                        (int)w->positions, 1, y, (int)w->positions);
        }
}

static void
conv_backward(const struct learner_run *r, const struct step *s, float *gradient)
{
    const struct learner *n = r->net;
    const struct weighted *w = &s->w;
    const struct learner_param *p = &n->params.at[s->weight];
    int64_t size_x = size_of(n, s->x[0]), one = w->rows * w->positions;
    float *slope_x = n->wanted[s->x[0]] ? r->slope[s->x[0]] : NULL;

    for (uint32_t k = 0; k < r->images; k++)
        for (int64_t g = 0; g < w->groups; g++) {
            const float *dy = r->slope[s->y] + (k * w->groups + g) * one;
            const int64_t first = g * w->rows * w->depth;
            float *columns = columns_of(r, s, k, g, false);
            if (!n->o.frozen)
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)w->rows, (int)w->depth,
                            (int)w->positions, 1, dy, (int)w->positions, columns, (int)w->positions,
                            1, gradient + p->first + first, (int)w->depth);
            for (int64_t i = 0; s->bias != NONE && i < w->rows; i++) {
                float sum = 0;
                for (int64_t j = 0; j < w->positions; j++)
                    sum += dy[i * w->positions + j];
                gradient[n->params.at[s->bias].first + (size_t)(g * w->rows + i)] += sum;
            }
            if (!slope_x)
                continue;
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)w->depth, (int)w->positions,
                        (int)w->rows, 1, p->data + first, (int)w->depth, dy, (int)w->positions, 0,
                        columns, (int)w->positions);
            conv_scatter(&w->conv, columns,
                         slope_x + k * size_x + g * w->conv.in_ch * w->conv.area_in);
        }
}

/* W as stored: rows x depth, or its transpose. */
static bool
by_rows(const struct weighted *w)
{
    return w->col_step == 1 && (w->row_step == w->depth);
}

static void
dense_forward(const struct learner_run *r, const struct step *s)
{
    const struct learner *n = r->net;
    const struct weighted *w = &s->w;
    const float *bias = s->bias == NONE ? NULL : n->params.at[s->bias].data;
    int64_t all = r->images * w->positions;
    float *y = r->value[s->y];

    for (int64_t k = 0; k < all; k++)
        for (int64_t i = 0; i < w->rows; i++)
            y[k * w->rows + i] = bias ? (float)w->bias_scale * bias[i] : 0;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, by_rows(w) ? CblasTrans : CblasNoTrans, (int)all,
                (int)w->rows, (int)w->depth, (float)w->scale, r->value[s->x[0]], (int)w->depth,
                n->params.at[s->weight].data, (int)(by_rows(w) ? w->depth : w->rows), 1, y,
                (int)w->rows);
}

static void
dense_backward(const struct learner_run *r, const struct step *s, float *gradient)
{
    const struct learner *n = r->net;
    const struct weighted *w = &s->w;
    const struct learner_param *p = &n->params.at[s->weight];
    int all = (int)(r->images * w->positions), rows = (int)w->rows, depth = (int)w->depth;
    const float *dy = r->slope[s->y], *x = r->value[s->x[0]];
    bool straight = by_rows(w);

    if (!n->o.frozen)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, straight ? rows : depth,
                    straight ? depth : rows, all, (float)w->scale, straight ? dy : x,
                    straight ? rows : depth, straight ? x : dy, straight ? depth : rows, 1,
                    gradient + p->first, straight ? depth : rows);
    for (int64_t k = 0; s->bias != NONE && k < all; k++)
        for (int64_t i = 0; i < rows; i++)
            gradient[n->params.at[s->bias].first + (size_t)i] +=
                (float)w->bias_scale * dy[k * rows + i];
    if (n->wanted[s->x[0]])
        cblas_sgemm(CblasRowMajor, CblasNoTrans, straight ? CblasNoTrans : CblasTrans, all, depth,
                    rows, (float)w->scale, dy, rows, p->data, straight ? depth : rows, 1,
                    r->slope[s->x[0]], depth);
}

const float *
learner_forward(struct learner_run *r, const float *x, uint32_t images)
{
    const struct learner *n = r->net;
    uint32_t in = n->g->inputs.at[0].value;
    union {
        const float *in;
        float *out;
    } images_of = {.in = x}; /* inputs are read only */

    r->images = images;
    r->value[in] = images_of.out;
    for (uint32_t k = 0; k < n->steps.len; k++) {
        const struct step *s = &n->steps.at[k];
        if (s->kind == STEP_CONV)
            conv_forward(r, s);
        else if (s->kind == STEP_DENSE)
            dense_forward(r, s);
        else if (s->kind == STEP_POLY)
            poly_step_forward(n->g, s, n->params.at[s->poly].data, r->value, images);
        else
            step_forward(n->g, s, r->value, images);
    }
    return r->value[n->g->outputs.at[0]];
}

void
learner_backward(struct learner_run *r, const float *slope, float *gradient)
{
    learner_backward_held(r, slope, NULL, gradient);
}

void
learner_outside(const struct learner_run *r, double *sum)
{
    const struct learner *n = r->net;

    memset(sum, 0, r->images * sizeof *sum);
    for (uint32_t k = 0; k < n->steps.len; k++)
        if (n->steps.at[k].kind == STEP_POLY)
            poly_step_outside(n->g, &n->steps.at[k], r->value, r->images, sum);
}

void
learner_backward_held(struct learner_run *r, const float *slope, const float *weight,
                      float *gradient)
{
    const struct learner *n = r->net;
    uint32_t out = n->g->outputs.at[0];

    for (uint32_t k = 0; k < n->steps.len; k++) {
        uint32_t y = n->steps.at[k].y;
        if (n->wanted[y])
            memset(r->slope[y], 0, (size_t)(r->images * size_of(n, y)) * sizeof *slope);
    }
    if (!n->wanted[out])
        return;
    memcpy(r->slope[out], slope, (size_t)(r->images * size_of(n, out)) * sizeof *slope);
    for (uint32_t k = n->steps.len; k-- > 0;) {
        const struct step *s = &n->steps.at[k];
        if (!n->wanted[s->y])
            continue;
        if (s->kind == STEP_CONV)
            conv_backward(r, s, gradient);
        else if (s->kind == STEP_DENSE)
            dense_backward(r, s, gradient);
        else if (s->kind == STEP_POLY)
            poly_step_backward(n->g, s, n->params.at[s->poly].data, weight, r->value, r->slope,
                               gradient + n->params.at[s->poly].first, r->images);
        else
            step_backward(n->g, s, r->value, r->slope, r->images);
    }
}

uint64_t
learner_gram(const struct learner_run *r, uint32_t param, double *gram)
{
    const struct learner *n = r->net;
    uint64_t count = 0;

    for (uint32_t k = 0; k < n->steps.len; k++)
        if (n->steps.at[k].kind == STEP_POLY && n->steps.at[k].poly == param)
            count = poly_step_gram(n->g, &n->steps.at[k], r->value, r->images, gram);
    return count;
}
