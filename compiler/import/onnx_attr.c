/* onnx_attr.c - attributes of nodes, and Constant nodes, which are nothing but an attribute. */
#include "import/onnx.h"

#include <string.h>

/* The attribute at hand. */
struct reader {
    struct onnx *x;
    const Onnx__AttributeProto *a;
    const char *node;
};

static bool
fail(const struct reader *r, enum code code, const char *why)
{
    diag_error(r->x->diag, code, onnx_at(r->x, r->node), "attribute '%s': %s", r->a->name, why);
    return false;
}

/* The type an attribute says it has; the first models did not say and have to be looked at. */
static Onnx__AttributeProto__AttributeType
type_of(const Onnx__AttributeProto *a)
{
    if (a->has_type && a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
        return a->type;
    if (a->has_f)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    if (a->has_i)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    if (a->has_s)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    if (a->t)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    if (a->g)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
    if (a->n_floats)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
    if (a->n_ints)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    if (a->n_strings)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED;
}

/* Whether a field holds something that the type does not speak of. */
static bool
contradicts(const Onnx__AttributeProto *a, Onnx__AttributeProto__AttributeType type)
{
    return (a->f != 0 && type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT) ||
           (a->i != 0 && type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT) ||
           (a->s.len && type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING) ||
           (a->t && type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR) ||
           (a->n_floats && type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS) ||
           (a->n_ints && type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS) ||
           (a->n_strings && type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
}

static void
set_ints(struct arena *a, struct attr *out, enum attr_kind kind, const int64_t *v, size_t n)
{
    out->kind = kind;
    out->count = (uint32_t)n;
    out->ints = ARENA_ARRAY(a, int64_t, n);
    if (n)
        memcpy(out->ints, v, n * sizeof *v);
}

static void
set_floats(struct arena *a, struct attr *out, enum attr_kind kind, const float *v, size_t n)
{
    out->kind = kind;
    out->count = (uint32_t)n;
    out->floats = ARENA_ARRAY(a, float, n);
    if (n)
        memcpy(out->floats, v, n * sizeof *v);
}

static bool
set_strings(const struct reader *r, struct attr *out, enum attr_kind kind,
            const ProtobufCBinaryData *v, size_t n)
{
    struct arena *a = r->x->graph->arena;
    out->kind = kind;
    out->count = (uint32_t)n;
    out->strings = ARENA_ARRAY(a, const char *, n);
    for (size_t k = 0; k < n; k++) {
        if (v[k].len && memchr(v[k].data, 0, v[k].len))
            return fail(r, E_ONNX_ATTRIBUTE, "a string with a zero byte in it");
        out->strings[k] = v[k].len ? arena_strndup(a, (const char *)v[k].data, v[k].len) : "";
    }
    return true;
}

static bool
set_tensor(const struct reader *r, struct attr *out)
{
    if (!r->a->t)
        return fail(r, E_ONNX_ATTRIBUTE, "it has no value");
    out->kind = ATTR_TENSOR;
    out->count = 1;
    const char *what = arena_printf(r->x->scratch, "attribute '%s'", r->a->name);
    return onnx_tensor(r->x, r->a->t, r->node, what, &out->tensor);
}

static bool
read_value(const struct reader *r, struct attr *out)
{
    const Onnx__AttributeProto *a = r->a;
    struct arena *arena = r->x->graph->arena;

    switch (type_of(a)) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
        set_ints(arena, out, ATTR_INT, &a->i, 1);
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        set_ints(arena, out, ATTR_INTS, a->ints, a->n_ints);
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        set_floats(arena, out, ATTR_FLOAT, &a->f, 1);
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
        set_floats(arena, out, ATTR_FLOATS, a->floats, a->n_floats);
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        return set_strings(r, out, ATTR_STRING, &a->s, 1);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
        return set_strings(r, out, ATTR_STRINGS, a->strings, a->n_strings);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
        return set_tensor(r, out);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS:
        return fail(r, E_ONNX_SUBGRAPH, "a graph within the graph cannot be compiled");
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS:
        return fail(r, E_ONNX_TYPE, "a sparse tensor cannot be compiled");
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED:
        return fail(r, E_ONNX_ATTRIBUTE, "it has no type and no value");
    default:
        return fail(r, E_ONNX_ATTRIBUTE, "its type is one that no supported operator takes");
    }
}

bool
onnx_attrs(struct onnx *x, const Onnx__NodeProto *n, const char *node, struct attr **out)
{
    struct map names = {0};
    bool ok = true;
    uint32_t at;

    *out = ARENA_ARRAY(x->scratch, struct attr, n->n_attribute);
    for (size_t k = 0; k < n->n_attribute; k++) {
        struct reader r = {x, n->attribute[k], node};
        struct attr *a = &(*out)[k];
        if (!r.a->name || !*r.a->name) {
            diag_error(x->diag, E_ONNX_ATTRIBUTE, onnx_at(x, node), "an attribute has no name");
            ok = false;
            continue;
        }
        a->name = arena_strdup(x->graph->arena, r.a->name);
        if (map_get(&names, a->name, &at))
            ok = fail(&r, E_ONNX_ATTRIBUTE, "it is given twice");
        map_set(x->scratch, &names, a->name, (uint32_t)k);
        if (r.a->ref_attr_name && *r.a->ref_attr_name)
            ok = fail(&r, E_ONNX_ATTRIBUTE, "it refers to an attribute of a function");
        else if (contradicts(r.a, type_of(r.a)))
            ok = fail(&r, E_ONNX_ATTRIBUTE, "it has a value of another type than it says");
        else if (!read_value(&r, a))
            ok = false;
    }
    return ok;
}

bool
onnx_constant(struct onnx *x, const Onnx__NodeProto *n, const char *node, struct tensor *out)
{
    struct arena *arena = x->graph->arena;
    struct attr *attrs;

    if (!onnx_attrs(x, n, node, &attrs))
        return false;
    if (n->n_attribute != 1) {
        diag_error(x->diag, E_ONNX_ATTRIBUTE, onnx_at(x, node),
                   "a Constant has exactly one attribute, its value; this one has %zu",
                   n->n_attribute);
        return false;
    }
    const struct attr *a = &attrs[0];
    struct shape shape = {.rank = a->kind == ATTR_INTS || a->kind == ATTR_FLOATS};
    shape.dim[0] = a->count;
    if (a->kind == ATTR_TENSOR) {
        *out = a->tensor;
        return true;
    }
    if (a->kind == ATTR_STRING || a->kind == ATTR_STRINGS) {
        diag_error(x->diag, E_ONNX_TYPE, onnx_at(x, node),
                   "a Constant of strings cannot be compiled");
        return false;
    }
    *out = tensor_new(arena, a->ints ? DT_I64 : DT_F32, shape);
    if (a->ints && a->count)
        memcpy(out->i, a->ints, a->count * sizeof *out->i);
    else if (a->count)
        memcpy(out->f, a->floats, a->count * sizeof *out->f);
    return true;
}
