/* onnx_make.c - see onnx_make.h. */
#include "onnx_make.h"

#include <string.h>

/* Appends to a repeated field of protobuf-c: a count and an array of pointers. */
static void *
append(struct arena *a, size_t *n, void *array, void *item)
{
    void **at = ARENA_ARRAY(a, void *, *n + 1);
    if (*n)
        memcpy(at, array, *n * sizeof *at);
    at[(*n)++] = item;
    return at;
}

struct maker *
make_new(void)
{
    struct arena *a = arena_new();
    struct maker *m = ARENA_NEW(a, struct maker);
    m->arena = a;
    m->diag = diag_new();
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    m->model.has_ir_version = 1;
    m->model.ir_version = 7;
    m->model.graph = &m->graph;
    m->graph.name = arena_strdup(a, "made");
    make_opset(m, "", 13);
    return m;
}

void
make_free(struct maker *m)
{
    diag_free(m->diag);
    arena_free(m->arena);
}

void
make_opset(struct maker *m, const char *domain, int64_t version)
{
    Onnx__OperatorSetIdProto *s = ARENA_NEW(m->arena, Onnx__OperatorSetIdProto);
    onnx__operator_set_id_proto__init(s);
    s->domain = arena_strdup(m->arena, domain);
    s->has_version = 1;
    s->version = version;
    m->model.opset_import = append(m->arena, &m->model.n_opset_import, m->model.opset_import, s);
}

static char **
names(struct maker *m, const char *list, size_t *n)
{
    char **out = NULL;
    *n = 0;
    while (list && *list) {
        size_t len = strcspn(list, ",");
        out = append(m->arena, n, out, arena_strndup(m->arena, list, len));
        list += len + (list[len] == ',');
    }
    return out;
}

Onnx__NodeProto *
make_node(struct maker *m, const char *op, const char *name, const char *in, const char *out)
{
    Onnx__NodeProto *n = ARENA_NEW(m->arena, Onnx__NodeProto);
    onnx__node_proto__init(n);
    n->op_type = arena_strdup(m->arena, op);
    n->name = name ? arena_strdup(m->arena, name) : NULL;
    n->input = names(m, in, &n->n_input);
    n->output = names(m, out, &n->n_output);
    m->graph.node = append(m->arena, &m->graph.n_node, m->graph.node, n);
    return n;
}

Onnx__TensorProto *
make_tensor(struct maker *m, const char *name, int32_t type, size_t rank, const int64_t *dims)
{
    Onnx__TensorProto *t = ARENA_NEW(m->arena, Onnx__TensorProto);
    onnx__tensor_proto__init(t);
    t->name = name ? arena_strdup(m->arena, name) : NULL;
    t->has_data_type = 1;
    t->data_type = type;
    t->n_dims = rank;
    t->dims = ARENA_ARRAY(m->arena, int64_t, rank);
    if (rank)
        memcpy(t->dims, dims, rank * sizeof *dims);
    return t;
}

Onnx__TensorProto *
make_init(struct maker *m, const char *name, int32_t type, size_t rank, const int64_t *dims)
{
    Onnx__TensorProto *t = make_tensor(m, name, type, rank, dims);
    m->graph.initializer = append(m->arena, &m->graph.n_initializer, m->graph.initializer, t);
    return t;
}

Onnx__ValueInfoProto *
make_input(struct maker *m, const char *name, int32_t type, size_t rank, const int64_t *dims)
{
    Onnx__ValueInfoProto *v = ARENA_NEW(m->arena, Onnx__ValueInfoProto);
    onnx__value_info_proto__init(v);
    v->name = arena_strdup(m->arena, name);
    v->type = ARENA_NEW(m->arena, Onnx__TypeProto);
    onnx__type_proto__init(v->type);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type->tensor_type = ARENA_NEW(m->arena, Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(v->type->tensor_type);
    v->type->tensor_type->has_elem_type = 1;
    v->type->tensor_type->elem_type = type;
    Onnx__TensorShapeProto *s = ARENA_NEW(m->arena, Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(s);
    v->type->tensor_type->shape = s;
    for (size_t k = 0; k < rank; k++) {
        Onnx__TensorShapeProto__Dimension *d =
            ARENA_NEW(m->arena, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(d);
        if (dims[k] < 0) {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            d->dim_param = arena_printf(m->arena, "N%lld", (long long)dims[k]);
        } else {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            d->dim_value = dims[k];
        }
        s->dim = append(m->arena, &s->n_dim, s->dim, d);
    }
    m->graph.input = append(m->arena, &m->graph.n_input, m->graph.input, v);
    return v;
}

void
make_output(struct maker *m, const char *name)
{
    Onnx__ValueInfoProto *v = ARENA_NEW(m->arena, Onnx__ValueInfoProto);
    onnx__value_info_proto__init(v);
    v->name = arena_strdup(m->arena, name);
    m->graph.output = append(m->arena, &m->graph.n_output, m->graph.output, v);
}

Onnx__AttributeProto *
make_attr(struct maker *m, Onnx__NodeProto *n, const char *name,
          Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *a = ARENA_NEW(m->arena, Onnx__AttributeProto);
    onnx__attribute_proto__init(a);
    a->name = arena_strdup(m->arena, name);
    a->has_type = 1;
    a->type = type;
    n->attribute = append(m->arena, &n->n_attribute, n->attribute, a);
    return a;
}

void
make_raw(Onnx__TensorProto *t, const void *bytes, size_t size)
{
    t->has_raw_data = 1;
    t->raw_data.data = (uint8_t *)(uintptr_t)bytes;
    t->raw_data.len = size;
}

void
make_external(struct maker *m, Onnx__TensorProto *t, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *e = ARENA_NEW(m->arena, Onnx__StringStringEntryProto);
    onnx__string_string_entry_proto__init(e);
    e->key = arena_strdup(m->arena, key);
    e->value = arena_strdup(m->arena, value);
    t->external_data = append(m->arena, &t->n_external_data, t->external_data, e);
    t->has_data_location = 1;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

struct maker *
make_small(void)
{
    struct maker *m = make_new();
    float *w = ARENA_ARRAY(m->arena, float, 12);

    for (int k = 0; k < 12; k++)
        w[k] = (float)(k + 1);
    make_input(m, "image", TT(FLOAT), DIMS(-1, 4));
    make_raw(make_init(m, "w", TT(FLOAT), DIMS(3, 4)), w, 48);
    Onnx__TensorProto *b = make_init(m, "b", TT(FLOAT), DIMS(3));
    b->n_float_data = 3;
    b->float_data = w;
    Onnx__NodeProto *gemm = make_node(m, "Gemm", "dense", "image,w,b", "h");
    make_attr(m, gemm, "transB", AT(INT))->i = 1;
    gemm->attribute[0]->has_i = 1;
    make_node(m, "Relu", "", "h", "y");
    make_output(m, "y");
    return m;
}

const uint8_t *
make_pack(struct maker *m, size_t *size)
{
    *size = onnx__model_proto__get_packed_size(&m->model);
    uint8_t *bytes = arena_alloc(m->arena, *size);
    onnx__model_proto__pack(&m->model, bytes);
    return bytes;
}

struct graph *
make_import(struct maker *m, const char *dir)
{
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);
    return import_onnx(m->arena, "made.onnx", dir, bytes, size, m->diag);
}

bool
said(const struct diag *d, enum code code, const char *part)
{
    for (uint32_t k = 0; k < diag_count(d); k++) {
        const struct message *m = diag_at(d, k);
        if (m->code == code &&
            (strstr(m->text, part) || (m->place.node && strstr(m->place.node, part))))
            return true;
    }
    return false;
}

const char *
all_messages(struct arena *a, const struct diag *d)
{
    struct str s = {0};
    diag_print(d, &s);
    const char *text = arena_strdup(a, str_text(&s));
    str_free(&s);
    return text;
}
