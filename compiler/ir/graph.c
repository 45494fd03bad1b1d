/* graph.c - building and changing the tensor graph; see graph.h. The verifier is graph_check.c. */
#include "ir/graph.h"

#include <string.h>

struct graph *
graph_new(struct arena *a, const char *name, const char *file)
{
    struct graph *g = ARENA_NEW(a, struct graph);
    g->arena = a;
    g->name = arena_strdup(a, name);
    g->file = file ? arena_strdup(a, file) : NULL;
    g->opset = 17;
    return g;
}

static bool
value_name_taken(const struct graph *g, const char *name)
{
    uint32_t index;
    return map_get(&g->value_names, name, &index);
}

static bool
node_name_taken(const struct graph *g, const char *name)
{
    uint32_t index;
    return map_get(&g->node_names, name, &index);
}

static const char *
unique(struct graph *g, const char *name, const char *otherwise,
       bool (*taken)(const struct graph *, const char *))
{
    if (!name || !*name)
        name = otherwise;
    if (!taken(g, name))
        return arena_strdup(g->arena, name);
    for (uint32_t k = 1;; k++) {
        const char *tried = arena_printf(g->arena, "%s.%u", name, k);
        if (!taken(g, tried))
            return tried;
    }
}

static uint32_t
add_value(struct graph *g, const char *name, const char *otherwise, struct value v)
{
    v.name = unique(g, name, otherwise, value_name_taken);
    map_set(g->arena, &g->value_names, v.name, g->values.len);
    vec_push(g->arena, &g->values, v);
    return g->values.len - 1;
}

uint32_t
graph_input(struct graph *g, const char *name, enum dtype dtype, struct shape shape)
{
    uint32_t v = add_value(
        g, name, "input",
        (struct value){.kind = VALUE_INPUT, .dtype = dtype, .shape = shape, .node = NONE});
    vec_push(g->arena, &g->inputs, (struct input){.value = v});
    return v;
}

uint32_t
graph_const(struct graph *g, const char *name, struct tensor data)
{
    return add_value(g, name, "const",
                     (struct value){.kind = VALUE_CONST,
                                    .dtype = data.dtype,
                                    .shape = data.shape,
                                    .node = NONE,
                                    .data = data});
}

uint32_t
graph_node(struct graph *g, const char *name, enum op_id op, const uint32_t *in, uint32_t n_in,
           const char *const *out, uint32_t n_out, struct place place)
{
    struct node n = {.op = op, .place = place};
    uint32_t index = g->nodes.len;

    n.name = unique(g, name, arena_printf(g->arena, "node_%u", index), node_name_taken);
    n.place.node = n.name;
    map_set(g->arena, &g->node_names, n.name, index);
    for (uint32_t k = 0; k < n_in; k++)
        vec_push(g->arena, &n.in, in[k]);
    for (uint32_t k = 0; k < n_out; k++) {
        const char *wanted = out ? out[k] : NULL;
        if (wanted && !*wanted) {
            vec_push(g->arena, &n.out, NONE);
            continue;
        }
        const char *made = k ? arena_printf(g->arena, "%s_out%u", n.name, k)
                             : arena_printf(g->arena, "%s_out", n.name);
        uint32_t v = add_value(g, wanted, made,
                               (struct value){.kind = VALUE_NODE, .node = index, .output = k});
        vec_push(g->arena, &n.out, v);
    }
    vec_push(g->arena, &g->nodes, n);
    return index;
}

void
graph_attr(struct graph *g, uint32_t node, struct attr attr)
{
    vec_push(g->arena, &g->nodes.at[node].attrs, attr);
}

const struct attr *
graph_find_attr(const struct node *n, const char *name)
{
    for (uint32_t k = 0; k < n->attrs.len; k++)
        if (strcmp(n->attrs.at[k].name, name) == 0)
            return &n->attrs.at[k];
    return NULL;
}

struct value *
graph_value(const struct graph *g, uint32_t value)
{
    return value < g->values.len ? &g->values.at[value] : NULL;
}

struct node *
graph_producer(const struct graph *g, uint32_t value)
{
    const struct value *v = graph_value(g, value);
    return v && v->kind == VALUE_NODE ? &g->nodes.at[v->node] : NULL;
}

uint32_t
graph_uses(const struct graph *g, uint32_t value)
{
    uint32_t uses = 0;
    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; k < g->nodes.at[n].in.len; k++)
            uses += g->nodes.at[n].in.at[k] == value;
    for (uint32_t k = 0; k < g->outputs.len; k++)
        uses += g->outputs.at[k] == value;
    return uses;
}

void
graph_replace(struct graph *g, uint32_t from, uint32_t to)
{
    bool output = false;
    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; k < g->nodes.at[n].in.len; k++)
            if (g->nodes.at[n].in.at[k] == from)
                g->nodes.at[n].in.at[k] = to;
    for (uint32_t k = 0; k < g->outputs.len; k++)
        if (g->outputs.at[k] == from) {
            g->outputs.at[k] = to;
            output = true;
        }
    if (!output)
        return;
    struct value *a = graph_value(g, from), *b = graph_value(g, to);
    const char *name = a->name;
    if (b->kind == VALUE_INPUT)
        return; /* an input keeps its name; the output then goes by the input's */
    a->name = b->name;
    b->name = name;
    map_set(g->arena, &g->value_names, a->name, from);
    map_set(g->arena, &g->value_names, b->name, to);
}

/* Depth-first from a value; order[] receives nodes after all they need. */
struct walk {
    const struct graph *g;
    uint8_t *state; /* of nodes: 0 new, 1 open, 2 done */
    VEC(uint32_t) order, stack;
};

static void
walk_from(struct arena *a, struct walk *w, uint32_t value)
{
    const struct node *n = graph_producer(w->g, value);
    if (!n || w->state[w->g->values.at[value].node])
        return;
    vec_push(a, &w->stack, w->g->values.at[value].node);
    while (w->stack.len) {
        uint32_t top = w->stack.at[w->stack.len - 1];
        if (w->state[top]) { /* all below it were visited */
            w->stack.len--;
            if (w->state[top] == 1) {
                w->state[top] = 2;
                vec_push(a, &w->order, top);
            }
            continue;
        }
        w->state[top] = 1;
        n = &w->g->nodes.at[top];
        for (uint32_t k = n->in.len; k-- > 0;)
            if (n->in.at[k] != NONE && graph_producer(w->g, n->in.at[k]) &&
                !w->state[w->g->values.at[n->in.at[k]].node])
                vec_push(a, &w->stack, w->g->values.at[n->in.at[k]].node);
    }
}

void
graph_tidy(struct graph *g)
{
    struct walk w = {.g = g, .state = arena_alloc(g->arena, g->nodes.len + 1)};
    uint32_t *place = ARENA_ARRAY(g->arena, uint32_t, g->nodes.len + 1);

    /* Mark what is needed, then keep the present order where it is topological already. */
    for (uint32_t k = 0; k < g->outputs.len; k++)
        walk_from(g->arena, &w, g->outputs.at[k]);
    bool sorted = true;
    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; w.state[n] && k < g->nodes.at[n].in.len; k++) {
            uint32_t v = g->nodes.at[n].in.at[k];
            sorted &= v == NONE || !graph_producer(g, v) || g->values.at[v].node < n;
        }
    if (sorted) {
        w.order.len = 0;
        for (uint32_t n = 0; n < g->nodes.len; n++)
            if (w.state[n])
                vec_push(g->arena, &w.order, n);
    }
    struct node *old = g->nodes.at;
    uint32_t n_old = g->nodes.len;
    memset(place, 0xff, (n_old + 1) * sizeof *place);
    g->nodes.at = ARENA_ARRAY(g->arena, struct node, w.order.len + 1);
    g->nodes.len = w.order.len;
    g->nodes.cap = w.order.len + 1;
    g->node_names = (struct map){0};
    for (uint32_t k = 0; k < w.order.len; k++) {
        g->nodes.at[k] = old[w.order.at[k]];
        place[w.order.at[k]] = k;
        map_set(g->arena, &g->node_names, g->nodes.at[k].name, k);
    }
    for (uint32_t v = 0; v < g->values.len; v++)
        if (g->values.at[v].kind == VALUE_NODE)
            g->values.at[v].node =
                g->values.at[v].node < n_old ? place[g->values.at[v].node] : NONE;
}

struct graph *
graph_copy(struct arena *a, const struct graph *g)
{
    struct graph *c = graph_new(a, g->name, g->file);
    c->opset = g->opset;
    memcpy(c->hash, g->hash, sizeof c->hash);
    for (uint32_t v = 0; v < g->values.len; v++) {
        vec_push(a, &c->values, g->values.at[v]);
        map_set(a, &c->value_names, g->values.at[v].name, v);
    }
    for (uint32_t k = 0; k < g->inputs.len; k++)
        vec_push(a, &c->inputs, g->inputs.at[k]);
    for (uint32_t k = 0; k < g->outputs.len; k++)
        vec_push(a, &c->outputs, g->outputs.at[k]);
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *from = &g->nodes.at[k];
        struct node n = *from;
        n.in.at = n.out.at = NULL;
        n.attrs.at = NULL;
        n.in.len = n.in.cap = n.out.len = n.out.cap = n.attrs.len = n.attrs.cap = 0;
        for (uint32_t i = 0; i < from->in.len; i++)
            vec_push(a, &n.in, from->in.at[i]);
        for (uint32_t i = 0; i < from->out.len; i++)
            vec_push(a, &n.out, from->out.at[i]);
        for (uint32_t i = 0; i < from->attrs.len; i++)
            vec_push(a, &n.attrs, from->attrs.at[i]);
        vec_push(a, &c->nodes, n);
        map_set(a, &c->node_names, n.name, k);
    }
    return c;
}

uint32_t
graph_channels(const struct shape *s, int *axis)
{
    if (s->rank == 0) {
        *axis = 0;
        return 1;
    }
    *axis = s->rank >= 2 ? 1 : 0;
    return (uint32_t)s->dim[*axis];
}
