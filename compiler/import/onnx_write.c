/* onnx_write.c - a graph as an ONNX model, through protobuf-c. Reading it gives the graph again. */
#include "import/import.h"

#include "op/op.h"

#include <onnx.pb-c.h>
#include <string.h>

/* IR version 7 goes with all opsets that are read. */
#define IR_VERSION 7

static char *
text(struct arena *a, const char *s)
{
    return arena_strdup(a, s);
}

static Onnx__TensorProto *
tensor(struct arena *a, const struct tensor *t, const char *name)
{
    Onnx__TensorProto *p = ARENA_NEW(a, Onnx__TensorProto);
    size_t n = (size_t)shape_size(&t->shape);

    onnx__tensor_proto__init(p);
    p->name = text(a, name);
    p->n_dims = (size_t)t->shape.rank;
    p->dims = ARENA_ARRAY(a, int64_t, p->n_dims + 1);
    memcpy(p->dims, t->shape.dim, p->n_dims * sizeof *p->dims);
    p->has_data_type = p->has_raw_data = 1;
    /* reals are floats and everything else whole numbers of 64 bits here, whatever the file said */
    bool real = dtype_is_float(t->dtype);
    size_t width = real ? sizeof *t->f : t->dtype == DT_BOOL ? 1 : sizeof *t->i;
    p->data_type = real                  ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
                   : t->dtype == DT_BOOL ? ONNX__TENSOR_PROTO__DATA_TYPE__BOOL
                                         : ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    p->raw_data.len = n * width;
    p->raw_data.data = ARENA_ARRAY(a, uint8_t, n * width + 1);
    for (size_t k = 0; k < n; k++)
        if (width == 1)
            p->raw_data.data[k] = t->i[k] != 0;
        else
            memcpy(p->raw_data.data + k * width, real ? (void *)&t->f[k] : (void *)&t->i[k], width);
    return p;
}

static void
strings(struct arena *a, Onnx__AttributeProto *p, const struct attr *attr)
{
    p->n_strings = attr->count;
    p->strings = ARENA_ARRAY(a, ProtobufCBinaryData, attr->count + 1u);
    for (uint32_t k = 0; k < attr->count; k++)
        p->strings[k] =
            (ProtobufCBinaryData){strlen(attr->strings[k]), (uint8_t *)text(a, attr->strings[k])};
}

static Onnx__AttributeProto *
attribute(struct arena *a, const struct attr *attr)
{
    Onnx__AttributeProto *p = ARENA_NEW(a, Onnx__AttributeProto);

    onnx__attribute_proto__init(p);
    p->name = text(a, attr->name);
    p->has_type = 1;
    switch (attr->kind) {
    case ATTR_INT:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        p->has_i = 1;
        p->i = attr->ints[0];
        break;
    case ATTR_FLOAT:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        p->has_f = 1;
        p->f = attr->floats[0];
        break;
    case ATTR_STRING:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        p->has_s = 1;
        p->s =
            (ProtobufCBinaryData){strlen(attr->strings[0]), (uint8_t *)text(a, attr->strings[0])};
        break;
    case ATTR_INTS:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        p->n_ints = attr->count;
        p->ints = attr->ints;
        break;
    case ATTR_FLOATS:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
        p->n_floats = attr->count;
        p->floats = attr->floats;
        break;
    case ATTR_STRINGS:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
        strings(a, p, attr);
        break;
    case ATTR_TENSOR:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
        p->t = tensor(a, &attr->tensor, "");
        break;
    }
    return p;
}

static char **
names(struct arena *a, const struct graph *g, const uint32_t *values, uint32_t n)
{
    char **out = ARENA_ARRAY(a, char *, n + 1);

    for (uint32_t k = 0; k < n; k++)
        out[k] = text(a, values[k] == NONE ? "" : graph_value(g, values[k])->name);
    return out;
}

static Onnx__NodeProto *
node(struct arena *a, const struct graph *g, const struct node *n)
{
    Onnx__NodeProto *p = ARENA_NEW(a, Onnx__NodeProto);

    onnx__node_proto__init(p);
    p->name = text(a, n->name);
    p->op_type = text(a, op_row(n->op)->onnx);
    p->n_input = n->in.len;
    p->input = names(a, g, n->in.at, n->in.len);
    p->n_output = n->out.len;
    p->output = names(a, g, n->out.at, n->out.len);
    p->n_attribute = n->attrs.len;
    p->attribute = ARENA_ARRAY(a, Onnx__AttributeProto *, n->attrs.len + 1u);
    for (uint32_t k = 0; k < n->attrs.len; k++)
        p->attribute[k] = attribute(a, &n->attrs.at[k]);
    return p;
}

static Onnx__ValueInfoProto *
port(struct arena *a, const struct value *v)
{
    Onnx__ValueInfoProto *p = ARENA_NEW(a, Onnx__ValueInfoProto);
    Onnx__TypeProto *type = ARENA_NEW(a, Onnx__TypeProto);
    Onnx__TypeProto__Tensor *t = ARENA_NEW(a, Onnx__TypeProto__Tensor);
    Onnx__TensorShapeProto *shape = ARENA_NEW(a, Onnx__TensorShapeProto);

    onnx__value_info_proto__init(p);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(t);
    onnx__tensor_shape_proto__init(shape);
    p->name = text(a, v->name);
    p->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = t;
    t->has_elem_type = 1;
    t->elem_type = dtype_is_float(v->dtype) ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
                                            : ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    t->shape = shape;
    shape->n_dim = (size_t)v->shape.rank;
    shape->dim = ARENA_ARRAY(a, Onnx__TensorShapeProto__Dimension *, shape->n_dim + 1);
    for (size_t k = 0; k < shape->n_dim; k++) {
        shape->dim[k] = ARENA_NEW(a, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(shape->dim[k]);
        shape->dim[k]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        shape->dim[k]->dim_value = v->shape.dim[k];
    }
    return p;
}

static bool
writable(const struct graph *g, struct diag *d)
{
    bool ok = true;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        if (n->op != OP_gelu && n->op != OP_silu && n->op != OP_mish)
            continue;
        diag_error(d, E_TUNE_WRITE, (struct place){.file = g->file, .node = n->name},
                   "%s is no operator of ONNX at opset %d", op_row(n->op)->onnx, g->opset);
        ok = false;
    }
    return ok;
}

static Onnx__GraphProto *
graph(struct arena *a, const struct graph *g)
{
    Onnx__GraphProto *p = ARENA_NEW(a, Onnx__GraphProto);

    onnx__graph_proto__init(p);
    p->name = text(a, g->name);
    p->node = ARENA_ARRAY(a, Onnx__NodeProto *, g->nodes.len + 1u);
    for (uint32_t k = 0; k < g->nodes.len; k++)
        p->node[p->n_node++] = node(a, g, &g->nodes.at[k]);
    p->initializer = ARENA_ARRAY(a, Onnx__TensorProto *, g->values.len + 1u);
    for (uint32_t k = 0; k < g->values.len; k++)
        if (g->values.at[k].kind == VALUE_CONST && graph_uses(g, k))
            p->initializer[p->n_initializer++] =
                tensor(a, &g->values.at[k].data, g->values.at[k].name);
    p->input = ARENA_ARRAY(a, Onnx__ValueInfoProto *, g->inputs.len + 1u);
    for (uint32_t k = 0; k < g->inputs.len; k++)
        p->input[p->n_input++] = port(a, graph_value(g, g->inputs.at[k].value));
    p->output = ARENA_ARRAY(a, Onnx__ValueInfoProto *, g->outputs.len + 1u);
    for (uint32_t k = 0; k < g->outputs.len; k++)
        p->output[p->n_output++] = port(a, graph_value(g, g->outputs.at[k]));
    return p;
}

bool
onnx_format(const struct graph *g, struct str *out, struct diag *d)
{
    struct arena *a = arena_new();
    Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};

    if (!writable(g, d)) {
        arena_free(a);
        return false;
    }
    opset.domain = text(a, "");
    opset.has_version = 1;
    opset.version = g->opset;
    m.has_ir_version = 1;
    m.ir_version = IR_VERSION;
    m.producer_name = text(a, "olac");
    m.n_opset_import = 1;
    m.opset_import = opsets;
    m.graph = graph(a, g);
    size_t size = onnx__model_proto__get_packed_size(&m);
    uint8_t *bytes = ARENA_ARRAY(a, uint8_t, size + 1);
    onnx__model_proto__pack(&m, bytes);
    str_addn(out, (const char *)bytes, size);
    arena_free(a);
    return true;
}
