/* interpret.c - the float interpreter; see interpret.h.
 *
 * A plan says which node's results can go after which node; every image then runs on its own, each
 * node's results in an arena of their own, which is filled again once they are dead. One thread
 * computes one image, and BLAS one product, so that sums are always added in the same order. */
#include "op/interpret.h"
#include "base/wide.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

struct plan {
    const struct graph *g;
    const struct interpret_options *o;
    uint32_t
        *last; /* for each node: the last node that reads a result of it; itself when none does */
    /* dead.at[first_dead[n] .. first_dead[n + 1] - 1]: nodes whose results go after node n. */
    uint32_t *first_dead, *dead;
};

/* One thread's state. */
struct run {
    const struct plan *plan;
    struct tensor *values;  /* of the graph; data of what lives now */
    struct arena **results; /* of each node, NULL when released */
    struct arena **spare;   /* released, to be filled again */
    uint32_t n_spare;
    struct diag *diag;
    uint32_t image;
};

static void
plan_release(struct arena *a, struct plan *p)
{
    const struct graph *g = p->g;
    uint32_t n_nodes = g->nodes.len, filled = 0;

    p->last = ARENA_ARRAY(a, uint32_t, n_nodes + 1);
    for (uint32_t n = 0; n < n_nodes; n++) {
        p->last[n] = n;
        for (uint32_t k = 0; k < g->nodes.at[n].in.len; k++)
            if (graph_producer(g, g->nodes.at[n].in.at[k]))
                p->last[graph_value(g, g->nodes.at[n].in.at[k])->node] = n;
    }
    for (uint32_t k = 0; k < g->outputs.len; k++)
        if (graph_producer(g, g->outputs.at[k]))
            p->last[graph_value(g, g->outputs.at[k])->node] = n_nodes;
    p->first_dead = ARENA_ARRAY(a, uint32_t, n_nodes + 2);
    p->dead = ARENA_ARRAY(a, uint32_t, n_nodes + 1);
    for (uint32_t n = 0; n < n_nodes; n++)
        p->first_dead[p->last[n] + 1]++;
    for (uint32_t n = 0; n <= n_nodes; n++)
        p->first_dead[n + 1] += p->first_dead[n];
    uint32_t *at = ARENA_ARRAY(a, uint32_t, n_nodes + 2);
    memcpy(at, p->first_dead, (n_nodes + 2) * sizeof *at);
    for (uint32_t n = 0; n < n_nodes; n++, filled++)
        p->dead[at[p->last[n]]++] = n;
}

static struct run
run_new(struct arena *a, const struct plan *p, struct diag *d)
{
    const struct graph *g = p->g;
    struct run r = {.plan = p, .diag = d};

    r.values = ARENA_ARRAY(a, struct tensor, g->values.len + 1);
    r.results = ARENA_ARRAY(a, struct arena *, g->nodes.len + 1);
    r.spare = ARENA_ARRAY(a, struct arena *, g->nodes.len + 1);
    for (uint32_t v = 0; v < g->values.len; v++)
        if (g->values.at[v].kind == VALUE_CONST)
            r.values[v] = p->o->poly || !g->values.at[v].trained.f ? g->values.at[v].data
                                                                   : g->values.at[v].trained;
    return r;
}

/* Polynomials over a row of values that have one set of coefficients: the recurrence of poly_eval,
 * LANES at a time, each lane in the same order of operations. */
enum { LANES = 16 };

WIDE static void
clenshaw(const struct poly *p, uint32_t row, const float *x, float *y, int64_t n)
{
    const double *coef = p->coef + (size_t)row * (p->degree + 1);
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES) {
        double u[LANES], b1[LANES] = {0}, b2[LANES] = {0};
        for (int l = 0; l < LANES; l++)
            u[l] = ((double)x[k + l] - p->center[row]) / p->radius[row];
        for (uint32_t d = p->degree; d > 0; d--)
            for (int l = 0; l < LANES; l++) {
                double b0 = coef[d] + 2 * u[l] * b1[l] - b2[l];
                b2[l] = b1[l];
                b1[l] = b0;
            }
        for (int l = 0; l < LANES; l++)
            y[k + l] = (float)(coef[0] + u[l] * b1[l] - b2[l]);
    }
    for (; k < n; k++)
        y[k] = (float)poly_eval(p, row, (double)x[k]);
}

static bool
eval_poly(struct op_ctx *c, const struct tensor *x, struct tensor *out)
{
    const struct poly *p = c->node->poly;
    int64_t n = shape_size(&x->shape), inner = 1;
    int axis;
    uint32_t channels = graph_channels(&x->shape, &axis), row = 0;

    for (int k = axis + 1; k < x->shape.rank; k++)
        inner *= x->shape.dim[k];
    *out = tensor_new(c->arena, x->dtype, x->shape);
    if (p->rows == 1) {
        clenshaw(p, 0, x->f, out->f, n);
        return true;
    }
    for (int64_t start = 0; start < n; start += inner) {
        clenshaw(p, row, x->f + start, out->f + start, inner);
        row = row + 1 == channels ? 0 : row + 1;
    }
    return true;
}

static void
show(const struct run *r, uint32_t value)
{
    const struct interpret_options *o = r->plan->o;
    const struct tensor *t = &r->values[value];

    for (uint32_t w = 0; o->see && w < o->n_watch; w++) {
        if (o->watch[w] != value)
            continue;
        if (dtype_is_float(t->dtype)) {
            o->see(o->user, r->image, w, t->f);
            continue;
        }
        struct arena *a = arena_new();
        int64_t n = shape_size(&t->shape);
        float *f = ARENA_ARRAY(a, float, (size_t)n);
        for (int64_t k = 0; k < n; k++)
            f[k] = (float)t->i[k];
        o->see(o->user, r->image, w, f);
        arena_free(a);
    }
}

static bool
eval_node(struct run *r, uint32_t index)
{
    static const struct tensor absent;
    const struct graph *g = r->plan->g;
    const struct interpret_options *o = r->plan->o;
    const struct node *n = &g->nodes.at[index];
    const struct op_row *row = op_row(n->op);
    struct arena *a = r->results[index] = r->n_spare ? r->spare[--r->n_spare] : arena_new();
    /* An op reads the graph and does not change it, once shapes are inferred. */
    struct op_ctx c = {(struct graph *)(uintptr_t)g, n, r->diag, a};
    const struct tensor **in = ARENA_ARRAY(a, const struct tensor *, n->in.len + row->in_hi + 1);
    struct tensor *out = ARENA_ARRAY(a, struct tensor, n->out.len);

    for (uint32_t k = 0; k < n->in.len + row->in_hi; k++)
        in[k] = k < n->in.len && n->in.at[k] != NONE ? &r->values[n->in.at[k]] : &absent;
    bool ok = o->poly && n->poly ? eval_poly(&c, in[0], out) : row->op->eval(&c, in, out);
    for (uint32_t k = 0; ok && k < n->out.len; k++) {
        uint32_t v = n->out.at[k];
        if (v == NONE || g->values.at[v].kind == VALUE_CONST)
            continue;
        if (o->after && out[k].f)
            o->after(o->user, r->image, index, k, out[k].f, shape_size(&out[k].shape));
        r->values[v] = out[k];
        show(r, v);
    }
    return ok;
}

static void
release(struct run *r, uint32_t node)
{
    if (!r->results[node])
        return;
    arena_reset(r->results[node]);
    r->spare[r->n_spare++] = r->results[node];
    r->results[node] = NULL;
}

/* All nodes on the inputs that stand in r->values; results of outputs stay until run_clear. */
static bool
run_image(struct run *r)
{
    const struct graph *g = r->plan->g;
    bool ok = true;

    for (uint32_t v = 0; r->plan->o->n_watch && v < g->values.len; v++)
        if (g->values.at[v].kind != VALUE_NODE && r->values[v].dtype != DT_NONE)
            show(r, v);
    for (uint32_t n = 0; ok && n < g->nodes.len; n++) {
        ok = eval_node(r, n);
        for (uint32_t k = r->plan->first_dead[n]; ok && k < r->plan->first_dead[n + 1]; k++)
            release(r, r->plan->dead[k]);
    }
    return ok;
}

/* Ready for another image. */
static void
run_clear(struct run *r)
{
    for (uint32_t n = 0; n < r->plan->g->nodes.len; n++)
        release(r, n);
}

static void
run_end(struct run *r)
{
    run_clear(r);
    while (r->n_spare)
        arena_free(r->spare[--r->n_spare]);
}

static struct tensor
copy(struct arena *a, const struct tensor *t)
{
    struct tensor c = tensor_new(a, t->dtype, t->shape);
    size_t n = (size_t)shape_size(&t->shape);
    if (c.f)
        memcpy(c.f, t->f, n * sizeof *c.f);
    if (c.i)
        memcpy(c.i, t->i, n * sizeof *c.i);
    return c;
}

static bool
inputs_fit(const struct graph *g, struct arena *a, const struct tensor *inputs, struct diag *d)
{
    bool ok = true;
    for (uint32_t k = 0; k < g->inputs.len; k++) {
        const struct value *v = graph_value(g, g->inputs.at[k].value);
        if (shape_equal(&v->shape, &inputs[k].shape) &&
            dtype_is_float(v->dtype) == dtype_is_float(inputs[k].dtype))
            continue;
        diag_error(d, E_INPUT_DATA, PLACE_FILE(g->file),
                   "input '%s' is %s %s, but the data are %s %s", v->name, dtype_name(v->dtype),
                   shape_text(a, &v->shape), dtype_name(inputs[k].dtype),
                   shape_text(a, &inputs[k].shape));
        ok = false;
    }
    return ok;
}

bool
interpret_one(struct graph *g, const struct interpret_options *o, struct arena *a,
              const struct tensor *inputs, struct tensor *outputs, struct diag *d)
{
    struct arena *scratch = arena_new();
    struct plan plan = {.g = g, .o = o};
    bool ok = inputs_fit(g, scratch, inputs, d);

    if (ok) {
        int blas_threads = openblas_get_num_threads();
        openblas_set_num_threads(1);
        plan_release(scratch, &plan);
        struct run r = run_new(scratch, &plan, d);
        for (uint32_t k = 0; k < g->inputs.len; k++)
            r.values[g->inputs.at[k].value] = inputs[k];
        ok = run_image(&r);
        for (uint32_t k = 0; ok && k < g->outputs.len; k++)
            outputs[k] = copy(a, &r.values[g->outputs.at[k]]);
        run_end(&r);
        openblas_set_num_threads(blas_threads);
    }
    arena_free(scratch);
    return ok;
}

/* ---- many images ------------------------------------------------------------------------------
 */

struct batch {
    struct plan plan;
    const float *const *in; /* rows of each graph input */
    float *const *out;      /* of each graph output; NULL: not wanted */
    uint32_t images;
    uint32_t failed; /* the first image that failed, or images */
    uint32_t done;
};

static int64_t
size_of(const struct graph *g, uint32_t value)
{
    return shape_size(&graph_value(g, value)->shape);
}

/* The row of an input as a tensor. Floats stay where they are: operators only read. */
static void
take_row(const struct batch *b, struct run *r, uint32_t input, struct tensor *t, uint32_t image)
{
    const struct graph *g = b->plan.g;
    uint32_t v = g->inputs.at[input].value;
    int64_t n = size_of(g, v);
    const float *row = b->in[input] + image * n;

    if (t->i)
        for (int64_t k = 0; k < n; k++)
            t->i[k] = (int64_t)llrintf(row[k]);
    else
        t->f = (float *)(uintptr_t)row;
    r->values[v] = *t;
}

/* Image k of the batch; messages of a failure go to d. */
static bool
batch_image(const struct batch *b, struct run *r, struct tensor *input, uint32_t image,
            struct diag *d)
{
    const struct graph *g = b->plan.g;

    r->image = image;
    r->diag = d;
    for (uint32_t k = 0; k < g->inputs.len; k++)
        take_row(b, r, k, &input[k], image);
    bool ok = run_image(r);
    for (uint32_t k = 0; ok && k < g->outputs.len; k++) {
        const struct tensor *out = &r->values[g->outputs.at[k]];
        int64_t n = size_of(g, g->outputs.at[k]);
        float *to = b->out[k] ? b->out[k] + image * n : NULL;
        if (to && out->f)
            memcpy(to, out->f, (size_t)n * sizeof *to);
        for (int64_t e = 0; to && !out->f && e < n; e++)
            to[e] = (float)out->i[e];
    }
    run_clear(r);
    return ok;
}

static struct tensor *
input_tensors(struct arena *a, const struct graph *g)
{
    struct tensor *input = ARENA_ARRAY(a, struct tensor, g->inputs.len + 1);

    for (uint32_t k = 0; k < g->inputs.len; k++) {
        const struct value *v = graph_value(g, g->inputs.at[k].value);
        input[k] = dtype_is_float(v->dtype) ? (struct tensor){.dtype = v->dtype, .shape = v->shape}
                                            : tensor_new(a, v->dtype, v->shape);
    }
    return input;
}

/* One thread's share: images as they come. */
static void
batch_share(struct batch *b)
{
    const struct interpret_options *o = b->plan.o;
    struct arena *a = arena_new();
    struct diag *quiet = diag_new();
    struct run r = run_new(a, &b->plan, quiet);
    struct tensor *input = input_tensors(a, b->plan.g);

#pragma omp for schedule(dynamic)
    for (uint32_t k = 0; k < b->images; k++) {
        uint32_t failed;
#pragma omp atomic read
        failed = b->failed;
        if (k > failed)
            continue;
        bool ok = batch_image(b, &r, input, k, quiet);
#pragma omp critical(olac_interpret)
        {
            if (!ok && k < b->failed) {
#pragma omp atomic write
                b->failed = k;
            }
            b->done++;
            if (o->progress)
                o->progress(o->user, b->done, b->images);
        }
    }
    run_end(&r);
    diag_free(quiet);
    arena_free(a);
}

#ifdef _OPENMP
static int
threads_of(const struct interpret_options *o)
{
    return o->threads > 0 ? o->threads : omp_get_max_threads();
}
#endif

bool
interpret_rows(struct graph *g, const struct interpret_options *o, const float *const *in,
               uint32_t images, float *const *out, struct diag *d)
{
    struct arena *a = arena_new();
    struct batch b = {
        .plan = {.g = g, .o = o}, .in = in, .out = out, .images = images, .failed = images};
    int blas_threads = openblas_get_num_threads();

    openblas_set_num_threads(1);
    plan_release(a, &b.plan);
#pragma omp parallel num_threads(threads_of(o))
    batch_share(&b);
    if (b.failed <
        images) { /* once more, for the message: the same one with any number of threads */
        struct run r = run_new(a, &b.plan, d);
        batch_image(&b, &r, input_tensors(a, g), b.failed, d);
        run_end(&r);
    }
    openblas_set_num_threads(blas_threads);
    arena_free(a);
    return b.failed == images;
}

bool
interpret_many(struct graph *g, const struct interpret_options *o, const float *in, uint32_t images,
               float *out, struct diag *d)
{
    struct arena *a = arena_new();
    float **to = ARENA_ARRAY(a, float *, g->outputs.len + 1);
    bool ok = g->inputs.len == 1;

    to[0] = out;
    if (!ok)
        diag_error(d, E_INPUT_DATA, PLACE_FILE(g->file), "the network has %u inputs, not one",
                   g->inputs.len);
    ok = ok && interpret_rows(g, o, &in, images, to, d);
    arena_free(a);
    return ok;
}
