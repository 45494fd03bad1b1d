/* dsl_sugar.c - see dsl_sugar.h. The table is the list in grammar/README.md. */
#include "import/dsl_sugar.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define F(name, otherwise) {name, name, ATTR_FLOAT, otherwise, 0}
#define I(name, otherwise) {name, name, ATTR_INT, otherwise, 0}

static const struct sugar rows[] = {
    {"conv", OP_conv, FORM_CONV, {"weight", "bias"}, "bias", {{0}}},
    {"depthwise", OP_conv, FORM_DEPTHWISE, {"weight", "bias"}, "bias", {{0}}},
    {"dense", OP_gemm, FORM_PLAIN, {"weight", "bias"}, "bias",
     {{NULL, "alpha", ATTR_FLOAT, "1", 0}, {NULL, "beta", ATTR_FLOAT, "1", 0},
      {NULL, "transB", ATTR_INT, "1", 0}}},
    {"batchnorm", OP_batchnorm, FORM_PLAIN, {"weight", "bias", "running_mean", "running_var"}, NULL,
     {F("epsilon", "1e-5"), F("momentum", "0.9"), {NULL, "training_mode", ATTR_INT, "0", 14}}},
    {"layernorm", OP_layernorm, FORM_PLAIN, {"weight", "bias"}, NULL,
     {I("axis", "-1"), F("epsilon", "1e-5")}},
    {"prelu", OP_prelu, FORM_PLAIN, {"weight"}, NULL, {{0}}},
    {"avgpool", OP_averagepool, FORM_POOL, {0}, NULL, {{0}}},
    {"maxpool", OP_maxpool, FORM_POOL, {0}, NULL, {{0}}},
    {"globalavgpool", OP_globalaveragepool, FORM_PLAIN, {0}, NULL, {{0}}},
    {"globalmaxpool", OP_globalmaxpool, FORM_PLAIN, {0}, NULL, {{0}}},
    {"flatten", OP_flatten, FORM_PLAIN, {0}, NULL, {I("axis", "1")}},
    {"concat", OP_concat, FORM_PLAIN, {0}, NULL, {I("axis", NULL)}},
    {"transpose", OP_transpose, FORM_PLAIN, {0}, NULL, {{"perm", "perm", ATTR_INTS, NULL, 0}}},
    {"reshape", OP_reshape, FORM_PLAIN, {0}, NULL, {{0}}},
    {"matmul", OP_matmul, FORM_PLAIN, {0}, NULL, {{0}}},
    {"relu", OP_relu, FORM_PLAIN, {0}, NULL, {{0}}},
    {"leakyrelu", OP_leakyrelu, FORM_PLAIN, {0}, NULL, {F("alpha", "0.01")}},
    {"elu", OP_elu, FORM_PLAIN, {0}, NULL, {F("alpha", "1")}},
    {"celu", OP_celu, FORM_PLAIN, {0}, NULL, {F("alpha", "1")}},
    {"selu", OP_selu, FORM_PLAIN, {0}, NULL, {{0}}},
    {"thresholdedrelu", OP_thresholdedrelu, FORM_PLAIN, {0}, NULL, {F("alpha", "1")}},
    {"sigmoid", OP_sigmoid, FORM_PLAIN, {0}, NULL, {{0}}},
    {"hardsigmoid", OP_hardsigmoid, FORM_PLAIN, {0}, NULL, {F("alpha", "0.2"), F("beta", "0.5")}},
    {"tanh", OP_tanh, FORM_PLAIN, {0}, NULL, {{0}}},
    {"gelu", OP_gelu, FORM_PLAIN, {0}, NULL, {{0}}},
    {"silu", OP_silu, FORM_PLAIN, {0}, NULL, {{0}}},
    {"hardswish", OP_hardswish, FORM_PLAIN, {0}, NULL, {{0}}},
    {"softplus", OP_softplus, FORM_PLAIN, {0}, NULL, {{0}}},
    {"softsign", OP_softsign, FORM_PLAIN, {0}, NULL, {{0}}},
    {"mish", OP_mish, FORM_PLAIN, {0}, NULL, {{0}}},
    {"clip", OP_clip, FORM_PLAIN, {0}, NULL, {{0}}},
    {"erf", OP_erf, FORM_PLAIN, {0}, NULL, {{0}}},
    {"exp", OP_exp, FORM_PLAIN, {0}, NULL, {{0}}},
    {"log", OP_log, FORM_PLAIN, {0}, NULL, {{0}}},
    {"sqrt", OP_sqrt, FORM_PLAIN, {0}, NULL, {{0}}},
    {"reciprocal", OP_reciprocal, FORM_PLAIN, {0}, NULL, {{0}}},
    {"rsqrt", OP_rsqrt, FORM_PLAIN, {0}, NULL, {{0}}},
    {"abs", OP_abs, FORM_PLAIN, {0}, NULL, {{0}}},
    {"sign", OP_sign, FORM_PLAIN, {0}, NULL, {{0}}},
    {"sin", OP_sin, FORM_PLAIN, {0}, NULL, {{0}}},
    {"cos", OP_cos, FORM_PLAIN, {0}, NULL, {{0}}},
    {"max", OP_max, FORM_PLAIN, {0}, NULL, {{0}}},
    {"min", OP_min, FORM_PLAIN, {0}, NULL, {{0}}},
    {"softmax", OP_softmax, FORM_PLAIN, {0}, NULL, {I("axis", "-1")}},
    {"logsoftmax", OP_logsoftmax, FORM_PLAIN, {0}, NULL, {I("axis", "-1")}},
};

/* clang-format on */
#undef F
#undef I

const struct sugar *
sugar_at(uint32_t k)
{
    return k < sizeof rows / sizeof *rows ? &rows[k] : NULL;
}

const struct sugar *
sugar_find(const char *name)
{
    for (uint32_t k = 0; sugar_at(k); k++)
        if (strcmp(rows[k].name, name) == 0)
            return &rows[k];
    return NULL;
}

uint32_t
sugar_weights(const struct sugar *u)
{
    uint32_t n = 0;
    while (n < 4 && u->weights[n])
        n++;
    return n;
}

struct attr
attr_ints(struct arena *a, const char *name, const int64_t *v, uint32_t n)
{
    struct attr at = {.name = name, .kind = ATTR_INTS, .count = n};
    at.ints = ARENA_ARRAY(a, int64_t, n + 1);
    if (n)
        memcpy(at.ints, v, n * sizeof *v);
    return at;
}

struct attr
attr_int(struct arena *a, const char *name, int64_t v)
{
    struct attr at = attr_ints(a, name, &v, 1);
    at.kind = ATTR_INT;
    return at;
}

struct attr
attr_float(struct arena *a, const char *name, float v)
{
    struct attr at = {.name = name, .kind = ATTR_FLOAT, .count = 1, .floats = ARENA_NEW(a, float)};
    *at.floats = v;
    return at;
}

struct attr
sugar_default(struct arena *a, const struct sugar_option *o)
{
    return o->kind == ATTR_FLOAT ? attr_float(a, o->attr, strtof(o->otherwise, NULL))
                                 : attr_int(a, o->attr, strtoll(o->otherwise, NULL, 10));
}

struct attrs
sugar_spatial(struct arena *a, const struct sugar *u, const struct spatial *s, int opset)
{
    struct attrs out = {0};
    if (u->form == FORM_POOL) {
        if (opset >= 10)
            vec_push(a, &out, attr_int(a, "ceil_mode", 0));
    } else {
        vec_push(a, &out, attr_ints(a, "dilations", s->dilation, s->n));
        vec_push(a, &out, attr_int(a, "group", s->groups));
    }
    vec_push(a, &out, attr_ints(a, "kernel_shape", s->kernel, s->n));
    vec_push(a, &out, attr_ints(a, "pads", s->pad, 2 * s->n));
    vec_push(a, &out, attr_ints(a, "strides", s->stride, s->n));
    return out;
}

static bool
tensor_equal(const struct tensor *a, const struct tensor *b)
{
    int64_t n = shape_size(&a->shape);
    if (a->dtype != b->dtype || !shape_equal(&a->shape, &b->shape) || !a->f != !b->f ||
        !a->i != !b->i)
        return false;
    return (!a->f || n <= 0 || memcmp(a->f, b->f, (size_t)n * sizeof *a->f) == 0) &&
           (!a->i || n <= 0 || memcmp(a->i, b->i, (size_t)n * sizeof *a->i) == 0);
}

bool
attr_equal(const struct attr *a, const struct attr *b)
{
    if (strcmp(a->name, b->name) != 0 || a->kind != b->kind || a->count != b->count)
        return false;
    switch (a->kind) {
    case ATTR_INT:
    case ATTR_INTS:
        return a->count == 0 || memcmp(a->ints, b->ints, a->count * sizeof *a->ints) == 0;
    case ATTR_FLOAT:
    case ATTR_FLOATS:
        return a->count == 0 || memcmp(a->floats, b->floats, a->count * sizeof *a->floats) == 0;
    case ATTR_STRING:
    case ATTR_STRINGS:
        for (uint32_t k = 0; k < a->count; k++)
            if (strcmp(a->strings[k], b->strings[k]) != 0)
                return false;
        return true;
    case ATTR_TENSOR:
        return tensor_equal(&a->tensor, &b->tensor);
    }
    return false;
}
