/* nets.h - for tests of the middle passes: small graphs built by hand, models and images of the
 * shared data where there are any, and what the interpreter makes of them. */
#ifndef TEST_NETS_H
#define TEST_NETS_H

#include "base/file.h"
#include "import/data.h"
#include "import/import.h"
#include "op/interpret.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define UNUSED_OK __attribute__((unused))

struct net {
    struct arena *a;
    struct diag *d;
    struct graph *g;
    uint64_t state;
    float *images; /* n x elements of the input */
    uint32_t n;
};

UNUSED_OK static struct net
net_new(int opset)
{
    struct net t = {.a = arena_new(), .d = diag_new(), .state = 1};
    t.g = graph_new(t.a, "test", "test.onnx");
    t.g->opset = opset;
    return t;
}

UNUSED_OK static void
net_free(struct net *t)
{
    diag_free(t->d);
    arena_free(t->a);
}

UNUSED_OK static const char *
net_errors(struct net *t)
{
    struct str s = {0};
    diag_print(t->d, &s);
    const char *text = arena_strdup(t->a, str_text(&s));
    str_free(&s);
    return text;
}

/* Uniform in [0, 1). */
UNUSED_OK static double
net_random(struct net *t)
{
    t->state = t->state * 6364136223846793005u + 1442695040888963407u;
    return (double)(t->state >> 11) * 0x1p-53;
}

/* About normal: twelve uniform numbers. */
UNUSED_OK static double
net_normal(struct net *t)
{
    double sum = -6;
    for (int k = 0; k < 12; k++)
        sum += net_random(t);
    return sum;
}

#define DIMS(...)                                                                                  \
    shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

UNUSED_OK static uint32_t
net_const(struct net *t, struct shape s, double low, double high)
{
    struct tensor c = tensor_new(t->a, DT_F32, s);
    for (int64_t k = 0; k < shape_size(&s); k++)
        c.f[k] = (float)(low + (high - low) * net_random(t));
    return graph_const(t->g, "c", c);
}

UNUSED_OK static uint32_t
net_number(struct net *t, double v)
{
    struct tensor c = tensor_new(t->a, DT_F32, shape_of(0, NULL));
    c.f[0] = (float)v;
    return graph_const(t->g, "k", c);
}

UNUSED_OK static uint32_t
net_ints(struct net *t, int64_t n, const int64_t *v)
{
    struct tensor c = tensor_new(t->a, DT_I64, shape_of(1, &n));
    for (int64_t k = 0; k < n; k++)
        c.i[k] = v[k];
    return graph_const(t->g, "i", c);
}

/* The value of a new node with one output. */
UNUSED_OK static uint32_t
net_node(struct net *t, enum op_id op, uint32_t n, const uint32_t *in)
{
    uint32_t k = graph_node(t->g, op_row(op)->symbol, op, in, n, NULL, 1, PLACE_NONE);
    return t->g->nodes.at[k].out.at[0];
}
#define OP1(t, op, x)    net_node((t), (op), 1, (uint32_t[]){x})
#define OP2(t, op, x, y) net_node((t), (op), 2, (uint32_t[]){x, y})

/* Attributes of the newest node. */
UNUSED_OK static void
net_attr_int(struct net *t, const char *name, int64_t v)
{
    int64_t *i = ARENA_NEW(t->a, int64_t);
    *i = v;
    graph_attr(t->g, t->g->nodes.len - 1,
               (struct attr){.name = name, .kind = ATTR_INT, .count = 1, .ints = i});
}

UNUSED_OK static void
net_attr_float(struct net *t, const char *name, double v)
{
    float *f = ARENA_NEW(t->a, float);
    *f = (float)v;
    graph_attr(t->g, t->g->nodes.len - 1,
               (struct attr){.name = name, .kind = ATTR_FLOAT, .count = 1, .floats = f});
}

UNUSED_OK static void
net_attr_ints(struct net *t, const char *name, uint32_t n, const int64_t *v)
{
    int64_t *i = ARENA_ARRAY(t->a, int64_t, n);
    memcpy(i, v, n * sizeof *i);
    graph_attr(t->g, t->g->nodes.len - 1,
               (struct attr){.name = name, .kind = ATTR_INTS, .count = n, .ints = i});
}

UNUSED_OK static void
net_output(struct net *t, uint32_t value)
{
    vec_push(t->a, &t->g->outputs, value);
}

/* n images, normal with this deviation. */
UNUSED_OK static void
net_images(struct net *t, uint32_t n, double sd)
{
    int64_t size = shape_size(&graph_value(t->g, t->g->inputs.at[0].value)->shape);
    t->n = n;
    t->images = ARENA_ARRAY(t->a, float, (size_t)n *(size_t)size);
    for (int64_t k = 0; k < n * size; k++)
        t->images[k] = (float)(sd * net_normal(t));
}

/* Output 0 on all images. */
UNUSED_OK static float *
net_run(struct net *t, bool poly)
{
    struct interpret_options o = {.poly = poly};
    int64_t size = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape);
    float *out = ARENA_ARRAY(t->a, float, (size_t)(t->n * size) + 1);
    cr_assert(interpret_many(t->g, &o, t->images, t->n, out, t->d), "%s", net_errors(t));
    return out;
}

UNUSED_OK static uint32_t
net_count(const struct net *t, enum op_id op)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < t->g->nodes.len; k++)
        count += t->g->nodes.at[k].op == op;
    return count;
}

UNUSED_OK static char *
net_shared(struct net *t, const char *file)
{
    return arena_printf(t->a, "%s/data/%s", OLAC_SHARED_DIR, file);
}

/* Skips the test where the shared data are not there. */
UNUSED_OK static void
net_need(struct net *t, const char *file)
{
    if (access(net_shared(t, file), R_OK) != 0)
        cr_skip_test("%s is not here", file);
}

UNUSED_OK static void
net_model(struct net *t, const char *file)
{
    net_need(t, file);
    t->g = import_model(t->a, net_shared(t, file), t->d);
    cr_assert(t->g, "%s", net_errors(t));
    cr_assert(graph_infer(t->g, t->d), "%s", net_errors(t));
}

/* The first n images of a file, pixels v / 255, or (v / 255 - mean) / std; labels where wanted. */
UNUSED_OK static const int64_t *
net_load(struct net *t, const char *file, const char *labels, uint32_t n, const double *mean,
         const double *std)
{
    static double zero[] = {0}, one[] = {1};
    struct input in = t->g->inputs.at[0];
    struct data data;
    const int64_t *label = NULL;
    uint32_t n_labels;

    net_need(t, file);
    in.pixels = (struct pixels){true, 255, mean ? 3 : 1, mean ? (double *)mean : zero,
                                std ? (double *)std : one};
    cr_assert(data_read(t->a, net_shared(t, file), &data, t->d), "%s", net_errors(t));
    cr_assert(data_images(t->a, &data, t->g, &in, n, &t->images, &t->n, t->d), "%s", net_errors(t));
    if (labels)
        cr_assert(data_labels(t->a, net_shared(t, labels), &label, &n_labels, t->d), "%s",
                  net_errors(t));
    return labels ? label : data.labels;
}

#endif
