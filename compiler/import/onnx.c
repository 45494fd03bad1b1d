/* onnx.c - from an ONNX model to a graph: names, nodes, edges, order.
 *
 * Everything is looked at before anything is built, so that a user sees all problems of a model at
 * once; what is wrong is still declared, so that one problem isn't reported again where it is used.
 */
#include "import/import.h"

#include "base/file.h"
#include "import/onnx.h"
#include "op/op.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OPSET_LO 7
#define OPSET_HI 17

/* What a name of a value stands for. */
struct source {
    enum value_kind kind;
    uint32_t index; /* into inputs, constants or nodes */
    bool read;
};

struct named_const {
    const char *name;
    struct tensor data;
};

struct named_input {
    const char *name;
    enum dtype dtype;
    struct shape shape;
};

struct onnx_node {
    const Onnx__NodeProto *p;
    const char *name; /* unique */
    enum op_id op;
    struct attr *attrs;
    uint32_t n_in, n_out; /* without the empty names at the end */
    bool is_constant;
};

struct build {
    struct onnx *x;
    const Onnx__GraphProto *p;
    VEC(struct source) sources;
    VEC(struct named_const) constants;
    VEC(struct named_input) inputs;
    struct onnx_node *nodes;
    struct map source_of; /* name of a value -> index into sources */
    struct map functions; /* names of the model's functions */
};

/* A name for the generated code to begin with: of the file, without folder and .onnx. */
static const char *
model_name(struct arena *a, const char *file, const Onnx__GraphProto *p)
{
    const char *base = file ? file_basename(file) : "";
    size_t n = strlen(base);

    if (n > 5 && strcmp(base + n - 5, ".onnx") == 0)
        n -= 5;
    if (n)
        return arena_strndup(a, base, n);
    return p->name && *p->name ? arena_strdup(a, p->name) : "model";
}

static bool
is_default(const char *domain)
{
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static void
read_opset(struct onnx *x, const Onnx__ModelProto *m)
{
    bool found = false;

    for (size_t k = 0; k < m->n_opset_import; k++) {
        const Onnx__OperatorSetIdProto *s = m->opset_import[k];
        if (!is_default(s->domain))
            continue;
        if (s->version < OPSET_LO || s->version > OPSET_HI) {
            diag_error(x->diag, E_ONNX_OPSET, PLACE_FILE(x->file),
                       "version %" PRId64 " of ONNX's operator set is not supported, only %d to %d",
                       s->version, OPSET_LO, OPSET_HI);
            diag_hint(x->diag,
                      "export the model with opset %d, or convert it with "
                      "onnx.version_converter.convert_version(model, %d)",
                      s->version < OPSET_LO ? 13 : OPSET_HI, s->version < OPSET_LO ? 13 : OPSET_HI);
        } else {
            x->graph->opset = (int)s->version;
        }
        found = true;
    }
    if (!found)
        diag_error(x->diag, E_ONNX_OPSET, PLACE_FILE(x->file),
                   "the model does not say which version of ONNX's operator set it uses");
}

/* Makes a name known. False, after an error, when it is taken. */
static bool
declare(struct build *b, const char *name, enum value_kind kind, uint32_t index, const char *node)
{
    struct arena *a = b->x->scratch;
    uint32_t at;

    if (map_get(&b->source_of, name, &at)) {
        diag_error(b->x->diag, E_ONNX_NAME, onnx_at(b->x, node),
                   "the name '%s' is given to two values: names have to be unique", name);
        return false;
    }
    map_set(a, &b->source_of, name, b->sources.len);
    vec_push(a, &b->sources, (struct source){.kind = kind, .index = index});
    return true;
}

static void
read_initializers(struct build *b)
{
    struct onnx *x = b->x;

    for (size_t k = 0; k < b->p->n_initializer; k++) {
        const Onnx__TensorProto *t = b->p->initializer[k];
        struct named_const c = {.name = t->name};
        if (!t->name || !*t->name) {
            diag_error(x->diag, E_ONNX_NAME, PLACE_FILE(x->file), "initializer %zu has no name", k);
            continue;
        }
        if (!declare(b, c.name, VALUE_CONST, b->constants.len, NULL))
            continue;
        onnx_tensor(x, t, NULL, arena_printf(x->scratch, "initializer '%s'", c.name), &c.data);
        vec_push(x->scratch, &b->constants, c);
    }
    for (size_t k = 0; k < b->p->n_sparse_initializer; k++) {
        const Onnx__TensorProto *t = b->p->sparse_initializer[k]->values;
        const char *name = t && t->name ? t->name : "";
        diag_error(x->diag, E_ONNX_TYPE, PLACE_FILE(x->file),
                   "initializer '%s': a sparse tensor cannot be compiled", name);
        diag_hint(x->diag, "export the weights as dense tensors");
        if (*name && declare(b, name, VALUE_CONST, b->constants.len, NULL))
            vec_push(x->scratch, &b->constants, (struct named_const){.name = name});
    }
}

static void
read_inputs(struct build *b)
{
    struct onnx *x = b->x;
    struct map seen = {0};
    uint32_t at;

    for (size_t k = 0; k < b->p->n_input; k++) {
        const Onnx__ValueInfoProto *v = b->p->input[k];
        struct named_input in = {.name = v->name};
        if (!v->name || !*v->name) {
            diag_error(x->diag, E_ONNX_NAME, PLACE_FILE(x->file), "input %zu has no name", k);
            continue;
        }
        bool twice = map_get(&seen, v->name, &at);
        map_set(x->scratch, &seen, v->name, (uint32_t)k);
        if (!twice && map_get(&b->source_of, v->name, &at))
            continue; /* an initializer that is listed as an input, too, as IR versions below 4 want
                       */
        if (!declare(b, v->name, VALUE_INPUT, b->inputs.len, NULL))
            continue;
        onnx_input(x, v, &in.dtype, &in.shape);
        vec_push(x->scratch, &b->inputs, in);
    }
}

/* Names without a name behind them that isn't empty. */
static uint32_t
trimmed(char *const *names, size_t n)
{
    while (n && !*names[n - 1])
        n--;
    return (uint32_t)n;
}

/* A name for every node, its own where it has one and it is the first of that name. */
static void
name_nodes(struct build *b)
{
    struct onnx *x = b->x;
    struct map taken = {0}, next = {0};

    for (size_t k = 0; k < b->p->n_node; k++)
        if (b->p->node[k]->name && *b->p->node[k]->name)
            map_set(x->scratch, &taken, b->p->node[k]->name, UINT32_MAX);
    for (size_t k = 0; k < b->p->n_node; k++) {
        const Onnx__NodeProto *p = b->p->node[k];
        const char *own = p->name && *p->name ? p->name : NULL, *name = own;
        const char *op = p->op_type && *p->op_type ? p->op_type : "node";
        uint32_t at, suffix = 1;
        if (!own)
            name = own = arena_printf(x->scratch, "%s_%zu", op, k);
        bool renamed = map_get(&taken, name, &at) && (at != UINT32_MAX || name != p->name);
        if (renamed && map_get(&next, own, &suffix))
            suffix++;
        for (; renamed; suffix++) {
            name = arena_printf(x->scratch, "%s.%u", own, suffix);
            if (!map_get(&taken, name, &at))
                break;
        }
        if (renamed) {
            map_set(x->scratch, &next, own, suffix);
            if (own == p->name)
                diag_warning(x->diag, W_ONNX_NAME, onnx_at(x, name),
                             "two nodes are named '%s'; the later one is '%s' here", own, name);
        }
        map_set(x->scratch, &taken, name, (uint32_t)k);
        b->nodes[k].name = name;
    }
}

static const char *
function_key(struct arena *a, const char *domain, const char *name)
{
    return arena_printf(a, "%s\n%s", is_default(domain) ? "" : domain, name ? name : "");
}

static void
read_functions(struct build *b, const Onnx__ModelProto *m)
{
    for (size_t k = 0; k < m->n_functions; k++) {
        const Onnx__FunctionProto *f = m->functions[k];
        map_set(b->x->scratch, &b->functions, function_key(b->x->scratch, f->domain, f->name), 0);
    }
}

/* If, Loop, Scan and whatever else holds a graph. */
static bool
has_subgraph(const Onnx__NodeProto *p)
{
    for (size_t k = 0; k < p->n_attribute; k++)
        if (p->attribute[k]->g || p->attribute[k]->n_graphs)
            return true;
    return false;
}

/* The operator and attributes of a node that is no Constant. */
static void
read_op(struct build *b, struct onnx_node *n)
{
    struct onnx *x = b->x;
    uint32_t at;

    if (map_get(&b->functions, function_key(x->scratch, n->p->domain, n->p->op_type), &at)) {
        diag_error(x->diag, E_ONNX_FUNCTION, onnx_at(x, n->name),
                   "'%s' is a function of the model, which is not inlined", n->p->op_type);
        diag_hint(x->diag, "inline it: onnx.inliner.inline_local_functions(model)");
    } else if (has_subgraph(n->p)) {
        diag_error(
            x->diag, E_ONNX_SUBGRAPH, onnx_at(x, n->name),
            "operator '%s' holds a graph of its own (control flow), which cannot be compiled",
            n->p->op_type);
        diag_hint(x->diag, "export the model with the branch fixed and loops unrolled");
    } else {
        n->op = onnx_op(x, n->p, n->name);
        onnx_attrs(x, n->p, n->name, &n->attrs);
    }
}

static void
read_node(struct build *b, uint32_t index)
{
    struct onnx *x = b->x;
    struct onnx_node *n = &b->nodes[index];
    const char *op = n->p->op_type;

    n->n_in = trimmed(n->p->input, n->p->n_input);
    n->n_out = trimmed(n->p->output, n->p->n_output);
    if (!op || !*op)
        diag_error(x->diag, E_ONNX_NAME, onnx_at(x, n->name), "the node names no operator");
    else if (!n->n_out)
        diag_error(x->diag, E_ONNX_ARITY, onnx_at(x, n->name), "operator '%s': it has no output",
                   op);
    n->is_constant = op && is_default(n->p->domain) && strcmp(op, "Constant") == 0;
    if (n->is_constant && (n->n_in || n->n_out > 1))
        diag_error(x->diag, E_ONNX_ARITY, onnx_at(x, n->name),
                   "operator 'Constant' has %u inputs and %u outputs, it takes 0 and 1", n->n_in,
                   n->n_out);
    if (op && *op && !n->is_constant)
        read_op(b, n);
    if (n->is_constant && n->n_out && *n->p->output[0]) {
        struct named_const c = {.name = n->p->output[0]};
        onnx_constant(x, n->p, n->name, &c.data);
        if (declare(b, c.name, VALUE_CONST, b->constants.len, n->name))
            vec_push(x->scratch, &b->constants, c);
        return;
    }
    for (uint32_t k = 0; k < n->n_out; k++)
        if (*n->p->output[k])
            declare(b, n->p->output[k], VALUE_NODE, index, n->name);
}

/* The source of a name that is read; NULL after an error. */
static struct source *
resolve(struct build *b, const char *name, const char *node, const char *reader)
{
    uint32_t at;

    if (map_get(&b->source_of, name, &at)) {
        b->sources.at[at].read = true;
        return &b->sources.at[at];
    }
    diag_error(b->x->diag, E_ONNX_DANGLING, onnx_at(b->x, node),
               "%s reads '%s', which is no input, no initializer and no output of a node", reader,
               name);
    return NULL;
}

static void
bad_arity(struct build *b, const struct onnx_node *n, const char *what, uint32_t have, uint32_t lo,
          uint32_t hi)
{
    if (lo == hi)
        diag_error(b->x->diag, E_ONNX_ARITY, onnx_at(b->x, n->name),
                   "operator '%s' has %u %s, it takes %u", n->p->op_type, have, what, lo);
    else if (hi == 255)
        diag_error(b->x->diag, E_ONNX_ARITY, onnx_at(b->x, n->name),
                   "operator '%s' has %u %s, it takes at least %u", n->p->op_type, have, what, lo);
    else
        diag_error(b->x->diag, E_ONNX_ARITY, onnx_at(b->x, n->name),
                   "operator '%s' has %u %s, it takes %u to %u", n->p->op_type, have, what, lo, hi);
}

/* Numbers of inputs and outputs; outputs beyond what olac computes may be there if nobody reads
 * them. */
static void
check_arity(struct build *b, struct onnx_node *n)
{
    const struct op_row *row = op_row(n->op);
    uint32_t at, had = n->n_out;

    if (n->n_in < row->in_lo || (row->in_hi != 255 && n->n_in > row->in_hi))
        bad_arity(b, n, "inputs", n->n_in, row->in_lo, row->in_hi);
    for (uint32_t k = 0; k < n->n_in; k++)
        if (!*n->p->input[k] && (k < row->in_lo || row->traits & VARIADIC))
            diag_error(b->x->diag, E_ONNX_ARITY, onnx_at(b->x, n->name),
                       "operator '%s' leaves out input %u, which it needs", n->p->op_type, k);
    while (row->out_hi != 255 && n->n_out > row->out_hi) {
        const char *extra = n->p->output[n->n_out - 1];
        if (*extra && map_get(&b->source_of, extra, &at) && b->sources.at[at].read) {
            bad_arity(b, n, "outputs", n->n_out, 1, row->out_hi);
            break;
        }
        n->n_out--;
    }
    n->n_out = trimmed(n->p->output, n->n_out);
    if (had && !n->n_out)
        diag_error(b->x->diag, E_ONNX_ARITY, onnx_at(b->x, n->name),
                   "operator '%s': none of its outputs that can be computed is wanted",
                   n->p->op_type);
}

/* Every name that is read, and from it which nodes each node needs (see onnx_order). */
static void
read_edges(struct build *b, uint32_t *first, uint32_t **needs)
{
    struct onnx *x = b->x;
    VEC(uint32_t) edges = {0};

    for (uint32_t n = 0; n < b->p->n_node; n++) {
        struct onnx_node *node = &b->nodes[n];
        const char *reader =
            arena_printf(x->scratch, "operator '%s'", node->p->op_type ? node->p->op_type : "");
        for (uint32_t k = 0; k < node->n_in; k++) {
            const char *name = node->p->input[k];
            struct source *s = *name ? resolve(b, name, node->name, reader) : NULL;
            if (s && s->kind == VALUE_NODE)
                vec_push(x->scratch, &edges, s->index);
        }
        first[n + 1] = edges.len;
    }
    *needs = edges.at;
}

static void
check_outputs(struct build *b)
{
    struct onnx *x = b->x;
    struct map seen = {0};
    uint32_t at;

    if (!b->p->n_output)
        diag_error(x->diag, E_ONNX_OUTPUT, PLACE_FILE(x->file), "the graph has no output");
    for (size_t k = 0; k < b->p->n_output; k++) {
        const char *name = b->p->output[k]->name;
        if (!name || !*name) {
            diag_error(x->diag, E_ONNX_NAME, PLACE_FILE(x->file), "output %zu has no name", k);
            continue;
        }
        if (map_get(&seen, name, &at))
            diag_error(x->diag, E_ONNX_NAME, PLACE_FILE(x->file), "'%s' is listed as output twice",
                       name);
        map_set(x->scratch, &seen, name, (uint32_t)k);
        resolve(b, name, NULL, arena_printf(x->scratch, "output %zu of the graph", k));
    }
}

static void
report_circle(struct build *b, const uint32_t *circle, uint32_t n)
{
    struct str text = {0};
    for (uint32_t k = n; k-- > 0;) { /* in the direction of the data */
        if (k + 9 > n || k < 1)
            str_addf(&text, "'%s' -> ", b->nodes[circle[k]].name);
        else if (k == 1)
            str_add(&text, "... -> ");
    }
    diag_error(b->x->diag, E_ONNX_CYCLE, onnx_at(b->x, b->nodes[circle[n - 1]].name),
               "%u node%s depend on each other in a circle: %s'%s'", n, n == 1 ? "" : "s",
               str_text(&text), b->nodes[circle[n - 1]].name);
    str_free(&text);
}

static void
build_node(struct build *b, const struct onnx_node *n)
{
    struct graph *g = b->x->graph;
    uint32_t *in = ARENA_ARRAY(b->x->scratch, uint32_t, (size_t)n->n_in + 1);
    struct place at = {.file = g->file};

    for (uint32_t k = 0; k < n->n_in; k++)
        if (!*n->p->input[k] || !map_get(&g->value_names, n->p->input[k], &in[k]))
            in[k] = NONE;
    uint32_t made =
        graph_node(g, n->name, n->op, in, n->n_in, (const char *const *)n->p->output, n->n_out, at);
    for (size_t k = 0; k < n->p->n_attribute; k++)
        graph_attr(g, made, n->attrs[k]);
}

static void
build_graph(struct build *b, const uint32_t *order)
{
    struct graph *g = b->x->graph;
    uint32_t v;

    for (uint32_t k = 0; k < b->inputs.len; k++)
        graph_input(g, b->inputs.at[k].name, b->inputs.at[k].dtype, b->inputs.at[k].shape);
    for (uint32_t k = 0; k < b->constants.len; k++)
        graph_const(g, b->constants.at[k].name, b->constants.at[k].data);
    for (uint32_t k = 0; k < b->p->n_node; k++)
        if (!b->nodes[order[k]].is_constant)
            build_node(b, &b->nodes[order[k]]);
    for (size_t k = 0; k < b->p->n_output; k++)
        if (map_get(&g->value_names, b->p->output[k]->name, &v))
            vec_push(g->arena, &g->outputs, v);
}

/* All checks, then the graph; false after any error. */
static bool
import_graph(struct onnx *x, const Onnx__ModelProto *m)
{
    struct build b = {.x = x, .p = m->graph};
    uint32_t nodes = (uint32_t)m->graph->n_node, n_circle = 0, *needs = NULL;
    uint32_t *first = ARENA_ARRAY(x->scratch, uint32_t, (size_t)nodes + 2);
    uint32_t *order = ARENA_ARRAY(x->scratch, uint32_t, (size_t)nodes + 1);
    uint32_t *circle = ARENA_ARRAY(x->scratch, uint32_t, (size_t)nodes + 1);
    uint32_t before = diag_errors(x->diag);

    b.nodes = ARENA_ARRAY(x->scratch, struct onnx_node, (size_t)nodes + 1);
    for (uint32_t n = 0; n < nodes; n++)
        b.nodes[n].p = m->graph->node[n];
    read_opset(x, m);
    read_functions(&b, m);
    read_initializers(&b);
    read_inputs(&b);
    name_nodes(&b);
    for (uint32_t n = 0; n < nodes; n++)
        read_node(&b, n);
    read_edges(&b, first, &needs);
    check_outputs(&b);
    for (uint32_t n = 0; n < nodes; n++)
        if (b.nodes[n].op != OP_NONE)
            check_arity(&b, &b.nodes[n]);
    if (!onnx_order(x->scratch, nodes, first, needs, order, circle, &n_circle))
        report_circle(&b, circle, n_circle);
    if (diag_errors(x->diag) != before)
        return false;
    build_graph(&b, order);
    return true;
}

struct graph *
import_onnx(struct arena *a, const char *file, const char *dir, const uint8_t *data, size_t size,
            struct diag *d)
{
    struct onnx x = {.diag = d, .file = file, .dir = dir};
    Onnx__ModelProto *m = onnx_unpack(file, data, size, d);
    bool ok = false;

    if (!m)
        return NULL;
    x.scratch = arena_new();
    crypto_generichash_init(&x.hash, NULL, 0, sizeof x.graph->hash);
    crypto_generichash_update(&x.hash, data, size);
    if (m->graph) {
        x.graph = graph_new(a, model_name(x.scratch, file, m->graph), file);
        ok = import_graph(&x, m);
        crypto_generichash_final(&x.hash, x.graph->hash, sizeof x.graph->hash);
    } else {
        diag_error(d, E_ONNX_TRUNCATED, PLACE_FILE(file),
                   "there is no graph in the file: it is cut off, or not an ONNX model");
    }
    arena_free(x.scratch);
    onnx_free(m);
    return ok ? x.graph : NULL;
}
