/* op_support.c - see op_support.h. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <math.h>

struct bench *
bench_new(int opset)
{
    struct arena *a = arena_new();
    struct bench *b = ARENA_NEW(a, struct bench);
    b->a = a;
    b->d = diag_new();
    b->g = graph_new(a, "test", "test.onnx");
    b->g->opset = opset;
    b->state = 0x9e3779b97f4a7c15u;
    return b;
}

void
bench_free(struct bench *b)
{
    diag_free(b->d);
    arena_free(b->a);
}

static uint64_t
next(struct bench *b)
{
    b->state = b->state * 6364136223846793005u + 1442695040888963407u;
    return b->state >> 33;
}

int64_t
bench_int(struct bench *b, int64_t low, int64_t high)
{
    return low + (int64_t)(next(b) % (uint64_t)(high - low + 1));
}

static struct tensor
random_floats(struct bench *b, struct shape shape)
{
    struct tensor t = tensor_new(b->a, DT_F32, shape);
    for (int64_t k = 0, n = shape_size(&shape); k < n; k++)
        t.f[k] = (float)((double)next(b) * 0x1p-30 - 1);
    return t;
}

uint32_t
bench_input(struct bench *b, struct shape shape)
{
    b->in[b->g->inputs.len] = random_floats(b, shape);
    return graph_input(b->g, "x", DT_F32, shape);
}

uint32_t
bench_weights(struct bench *b, struct shape shape)
{
    return graph_const(b->g, "w", random_floats(b, shape));
}

uint32_t
bench_floats(struct bench *b, struct shape shape, const float *v)
{
    struct tensor t = tensor_new(b->a, DT_F32, shape);
    for (int64_t k = 0, n = shape_size(&shape); k < n; k++)
        t.f[k] = v[k];
    return graph_const(b->g, "v", t);
}

uint32_t
bench_ints(struct bench *b, uint32_t n, const int64_t *v)
{
    struct tensor t = tensor_new(b->a, DT_I64, SHAPE(n));
    for (uint32_t k = 0; k < n; k++)
        t.i[k] = v[k];
    return graph_const(b->g, "i", t);
}

uint32_t
bench_node(struct bench *b, enum op_id op, uint32_t n, const uint32_t *in)
{
    uint32_t node = graph_node(b->g, NULL, op, in, n, NULL, 1, PLACE_NONE);
    uint32_t out = b->g->nodes.at[node].out.at[0];
    b->g->outputs.len = 0;
    vec_push(b->a, &b->g->outputs, out);
    return out;
}

static void
add_attr(struct bench *b, struct attr attr)
{
    graph_attr(b->g, b->g->nodes.len - 1, attr);
}

void
bench_attr_ints(struct bench *b, const char *name, uint32_t n, const int64_t *v)
{
    struct attr attr = {
        .name = name, .kind = ATTR_INTS, .count = n, .ints = ARENA_ARRAY(b->a, int64_t, n)};
    for (uint32_t k = 0; k < n; k++)
        attr.ints[k] = v[k];
    add_attr(b, attr);
}

void
bench_attr_int(struct bench *b, const char *name, int64_t v)
{
    bench_attr_ints(b, name, 1, &v);
    struct node *n = &b->g->nodes.at[b->g->nodes.len - 1];
    n->attrs.at[n->attrs.len - 1].kind = ATTR_INT;
}

void
bench_attr_float(struct bench *b, const char *name, float v)
{
    struct attr attr = {
        .name = name, .kind = ATTR_FLOAT, .count = 1, .floats = ARENA_NEW(b->a, float)};
    attr.floats[0] = v;
    add_attr(b, attr);
}

void
bench_attr_text(struct bench *b, const char *name, const char *v)
{
    struct attr attr = {
        .name = name, .kind = ATTR_STRING, .count = 1, .strings = ARENA_NEW(b->a, const char *)};
    attr.strings[0] = v;
    add_attr(b, attr);
}

const char *
bench_errors(struct bench *b)
{
    struct str text = {0};
    diag_print(b->d, &text);
    const char *copy = arena_strdup(b->a, str_text(&text));
    str_free(&text);
    return copy;
}

void
bench_run(struct bench *b)
{
    struct interpret_options o = {.threads = 1};
    bool ok = graph_infer(b->g, b->d) && graph_check(b->g, STAGE_INFERRED, b->d);
    cr_assert(ok, "%s", bench_errors(b));
    ok = interpret_one(b->g, &o, b->a, b->in, b->out, b->d);
    cr_assert(ok, "%s", bench_errors(b));
    for (uint32_t k = 0; k < b->g->outputs.len; k++) {
        const struct value *v = graph_value(b->g, b->g->outputs.at[k]);
        cr_assert(shape_equal(&v->shape, &b->out[k].shape), "inferred and computed shapes differ");
    }
}

void
bench_refuse(struct bench *b, enum code code)
{
    bool ok = graph_infer(b->g, b->d);
    cr_assert(!ok, "was not refused");
    cr_assert(diag_errors(b->d) > 0);
    cr_expect_eq(diag_at(b->d, 0)->code, code, "%s", bench_errors(b));
    cr_expect(diag_at(b->d, 0)->place.node != NULL, "%s", bench_errors(b));
}

struct product {
    const struct bench *b;
    const struct node *node;
    double *sum;
    uint32_t n, last;
};

static void
add(struct product *p, uint32_t o, double term)
{
    cr_assert(o < p->n, "row %u of %u", o, p->n);
    cr_assert(o >= p->last, "row %u behind row %u", o, p->last);
    p->last = o;
    p->sum[o] += term;
}

static void
entry(void *user, uint32_t in, uint32_t o, uint32_t i, double weight)
{
    struct product *p = user;
    uint32_t v = p->node->in.at[in];
    cr_assert(graph_value(p->b->g, v)->kind == VALUE_INPUT);
    for (uint32_t k = 0; k < p->b->g->inputs.len; k++)
        if (p->b->g->inputs.at[k].value == v) {
            cr_assert(i < shape_size(&p->b->in[k].shape), "column %u is outside of input %u", i,
                      in);
            add(p, o, weight * (double)p->b->in[k].f[i]);
        }
}

static void
bias(void *user, uint32_t o, double value)
{
    add(user, o, value);
}

uint32_t
bench_matrices(struct bench *b)
{
    uint32_t checked = 0;
    for (uint32_t k = 0; k < b->g->outputs.len; k++) {
        const struct value *v = graph_value(b->g, b->g->outputs.at[k]);
        uint32_t n = (uint32_t)shape_size(&v->shape);
        if (v->kind != VALUE_NODE)
            continue;
        struct product p = {b, &b->g->nodes.at[v->node], ARENA_ARRAY(b->a, double, n), n, 0};
        struct linear_sink sink = {&p, entry, bias};
        bool ok = op_linear(b->g, v->node, v->output, &sink, b->d);
        cr_assert(ok, "%s", bench_errors(b));
        for (uint32_t o = 0; o < n; o++)
            cr_assert(fabs(p.sum[o] - (double)b->out[k].f[o]) < 1e-4, "row %u: %g, not %g", o,
                      p.sum[o], (double)b->out[k].f[o]);
        checked++;
    }
    return checked;
}

void
bench_expect(struct bench *b, struct shape shape, const double *want)
{
    cr_assert(shape_equal(&b->out[0].shape, &shape), "shape %s, not %s",
              shape_text(b->a, &b->out[0].shape), shape_text(b->a, &shape));
    for (int64_t k = 0, n = shape_size(&shape); k < n; k++)
        cr_assert(fabs((double)b->out[0].f[k] - want[k]) < 1e-4, "element %ld: %g, not %g", (long)k,
                  (double)b->out[0].f[k], want[k]);
}
