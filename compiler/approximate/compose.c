/* compose.c - every ReLU by the sign, relu(x) = x (1 + sign(x)) / 2, the sign a composition of
 * minimax polynomials (minimax.h). In the graph an activation becomes two Sign nodes, a HardSigmoid
 * that makes 0, 1/2, 1 of -1, 0, 1, and three products (to [-1, 1], with x, and back): ReLU but for
 * rounding in the float network, so that every pass behind reads it as it reads any other. */
#include "approximate/approximate.h"
#include "approximate/minimax.h"
#include "approximate/refuse.h"
#include "op/answer.h"
#include "op/interpret.h"

#include <math.h>

#define WIDEN  1.2 /* as approximate.h says */
#define STAGES 3

static const uint32_t degrees[STAGES] = {15, 15, 27};

struct ranges {
    uint32_t n;      /* activations */
    uint32_t *value; /* what they are fed */
    uint32_t *node;
    int64_t *size;
    double *most; /* images x activations: largest |element| */
};

static bool
possible(const struct graph *g, struct diag *d)
{
    uint32_t before = diag_errors(d);

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        struct place at = {.file = g->file, .node = n->name};
        if (op_row(n->op)->class != NONLIN)
            continue;
        if (n->op != OP_relu)
            diag_error(d, E_APPROX_FIT, at, "minimax compositions are for Relu, and this is %s",
                       op_row(n->op)->onnx);
        else if (n->pins.degree_min || n->pins.degree_max)
            diag_error(d, E_APPROX_FIT, at,
                       "a degree is pinned, and a minimax composition has its own");
    }
    return diag_errors(d) == before;
}

static void
see(void *user, uint32_t image, uint32_t watched, const float *x)
{
    struct ranges *r = user;
    double *most = &r->most[(size_t)image * r->n + watched];

    for (int64_t e = 0; e < r->size[watched]; e++)
        *most = fmax(*most, fabs((double)x[e]));
}

/* What the float network feeds every activation, at most; the first image's row of `most`. */
static bool
find_ranges(struct graph *g, const float *images, uint32_t n, struct arena *a, struct ranges *r,
            struct diag *d)
{
    struct interpret_options io = {.see = see, .user = r};

    r->value = ARENA_ARRAY(a, uint32_t, g->nodes.len + 1);
    r->node = ARENA_ARRAY(a, uint32_t, g->nodes.len + 1);
    r->size = ARENA_ARRAY(a, int64_t, g->nodes.len + 1);
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        if (op_row(g->nodes.at[k].op)->class != NONLIN)
            continue;
        r->value[r->n] = g->nodes.at[k].in.at[0];
        r->size[r->n] = shape_size(&graph_value(g, r->value[r->n])->shape);
        r->node[r->n++] = k;
    }
    if (r->n && !n) {
        diag_error(d, E_APPROX_DATA, PLACE_FILE(g->file),
                   "%u activations need calibration data, and there are none", r->n);
        diag_hint(d, "give some hundred typical inputs with --calib");
        return false;
    }
    int64_t out = shape_size(&graph_value(g, g->outputs.at[0])->shape);
    r->most = ARENA_ARRAY(a, double, (size_t)n * r->n + 1);
    io.watch = r->value;
    io.n_watch = r->n;
    if (r->n && !interpret_many(g, &io, images, n, ARENA_ARRAY(a, float, (size_t)(n * out) + 1), d))
        return false;
    for (size_t k = r->n; k < (size_t)n * r->n; k++)
        r->most[k % r->n] = fmax(r->most[k % r->n], r->most[k]);
    return true;
}

/* Stage k, what it makes brought to [-1, 1] for the next one; the last makes (1 + sign) / 2. */
static struct poly *
stage_poly(struct arena *a, const struct minimax *m, uint32_t k)
{
    const struct minimax_stage *s = &m->stage[k];
    struct poly *p = ARENA_NEW(a, struct poly);
    bool last = k + 1 == m->n;
    double scale = last ? 0.5 : 1 / m->stage[k + 1].end;

    *p = (struct poly){.degree = 2 * s->terms - 1,
                       .rows = 1,
                       .coef = ARENA_ARRAY(a, double, 2 * s->terms),
                       .center = ARENA_ARRAY(a, double, 1),
                       .radius = ARENA_ARRAY(a, double, 1),
                       .error = s->error};
    p->radius[0] = 1;
    for (uint32_t i = 0; i < s->terms; i++)
        p->coef[2 * i + 1] = scale * s->coef[i];
    if (last)
        p->coef[0] = 0.5;
    return p;
}

/* The value of a new node beside `at`. */
static uint32_t
beside(struct graph *g, const struct node *at, enum op_id op, const char *what, uint32_t x,
       uint32_t y)
{
    uint32_t in[] = {x, y};
    uint32_t made = graph_node(g, arena_printf(g->arena, "%s.%s", at->name, what), op, in,
                               y == NONE ? 1 : 2, NULL, 1, at->place);
    return g->nodes.at[made].out.at[0];
}

static uint32_t
number(struct graph *g, const struct node *at, double v)
{
    struct tensor t = tensor_new(g->arena, DT_F32, shape_of(0, NULL));

    t.f[0] = (float)v;
    return graph_const(g, at->name, t);
}

static void
expand(struct graph *g, uint32_t node, double bound, const struct minimax *m)
{
    static const char *const names[STAGES] = {"sign1", "sign2", "step"};
    struct node at = g->nodes.at[node];
    uint32_t x = beside(g, &at, OP_mul, "scaled", at.in.at[0], number(g, &at, 1 / bound)), s = x;

    for (uint32_t k = 0; k < STAGES; k++) {
        s = beside(g, &at, k + 1 < STAGES ? OP_sign : OP_hardsigmoid, names[k], s, NONE);
        g->nodes.at[g->nodes.len - 1].poly = stage_poly(g->arena, m, k);
    }
    float *half = ARENA_NEW(g->arena, float);
    *half = 0.5f;
    graph_attr(g, g->nodes.len - 1,
               (struct attr){.name = "alpha", .kind = ATTR_FLOAT, .count = 1, .floats = half});
    uint32_t product = beside(g, &at, OP_mul, "product", x, s);
    graph_replace(g, at.out.at[0],
                  beside(g, &at, OP_mul, "unscaled", product, number(g, &at, bound)));
}

bool
approximate_compare(struct graph *g, const float *images, uint32_t n, struct approximate_report *r,
                    struct diag *d)
{
    struct arena *a = arena_new();
    struct interpret_options clean = {0}, poly = {.poly = true};
    int64_t size = shape_size(&graph_value(g, g->outputs.at[0])->shape);
    float *exact = ARENA_ARRAY(a, float, (size_t)(n * size) + 1);
    float *ours = ARENA_ARRAY(a, float, (size_t)(n * size) + 1);
    uint32_t same = 0;
    bool ok = interpret_many(g, &clean, images, n, exact, d) &&
              interpret_many(g, &poly, images, n, ours, d);

    struct answer_rule rule = answer_rule(exact, n, size);
    r->output_max = 0;
    for (uint32_t k = 0; ok && k < n; k++)
        same += answer_agrees(&rule, exact + k * size, ours + k * size);
    for (int64_t k = 0; ok && k < n * size; k++)
        r->output_max = fmax(r->output_max, fabs((double)ours[k]));
    r->agree = n ? (double)same / n : 1;
    arena_free(a);
    return ok;
}

bool
approximate_minimax(struct graph *g, const float *images, uint32_t n_images,
                    const struct approximate_options *o, struct approximate_report *r,
                    struct diag *d)
{
    struct arena *a = arena_new();
    struct ranges s = {0};
    struct minimax m;
    double widen = o->widen > 0 ? o->widen : WIDEN;
    bool ok =
        refuse(g, o->set_degree, d) && possible(g, d) && find_ranges(g, images, n_images, a, &s, d);

    *r = (struct approximate_report){.agree = 1, .images = n_images};
    if (ok && s.n && !minimax_make(&m, degrees, STAGES, 0)) {
        diag_error(d, E_APPROX_FIT, PLACE_FILE(g->file),
                   "the exchange of the minimax polynomials does not settle");
        ok = false;
    }
    for (uint32_t k = 0; ok && k < s.n; k++)
        expand(g, s.node[k], widen * fmax(s.most[k], 1e-30), &m);
    graph_tidy(g);
    ok = ok && graph_infer(g, d) && (!s.n || approximate_compare(g, images, n_images, r, d));
    arena_free(a);
    return ok;
}
