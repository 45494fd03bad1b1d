/* split.c - a network cut in two at a node: what it makes is all that the part behind sees. */
#include "pipeline/internal.h"

#include "decompose/decompose.h"
#include "linearize/linearize.h"
#include "op/interpret.h"

#include <string.h>

static bool
refused(const struct graph *g, const char *node, struct diag *d, const char *why)
{
    diag_error(d, E_SPLIT, (struct place){.file = g->file, .node = node}, "%s", why);
    return false;
}

/* Whether all that stands behind node n reads, of what depends on the input, is what n makes. */
static bool
separates(const struct graph *g, uint32_t n)
{
    uint32_t value = g->nodes.at[n].out.at[0];
    bool read = false;

    for (uint32_t k = 0; k < g->nodes.len; k++)
        for (uint32_t i = 0; i < g->nodes.at[k].in.len; i++) {
            uint32_t v = g->nodes.at[k].in.at[i];
            const struct node *from = v == NONE ? NULL : graph_producer(g, v);
            if (k <= n || v == NONE || !op_encrypted(g, v))
                continue;
            read = read || v == value;
            if (v != value && (!from || from <= &g->nodes.at[n]))
                return false;
        }
    return read && op_encrypted(g, value);
}

/* Names the nearest node before `at` that separates the network, and what reads it. */
static void
hint_nearest(const struct graph *g, uint32_t at, struct diag *d)
{
    for (uint32_t n = at; n-- > 0;) {
        if (!separates(g, n))
            continue;
        for (uint32_t k = n + 1; k < g->nodes.len; k++)
            for (uint32_t i = 0; i < g->nodes.at[k].in.len; i++)
                if (g->nodes.at[k].in.at[i] == g->nodes.at[n].out.at[0]) {
                    diag_hint(d, "the nearest place before it: --split-at %s, or --head %s",
                              g->nodes.at[k].name, g->nodes.at[n].name);
                    return;
                }
    }
}

bool
pipeline_split(struct arena *a, const struct graph *g, const char *node, struct graph **front,
               struct graph **back, struct diag *d)
{
    uint32_t at;

    if (!map_get(&g->node_names, node, &at)) {
        refused(g, node, d, "there is no such node to split at");
        diag_hint(d, "olac show lists the nodes");
        return false;
    }
    uint32_t value = g->nodes.at[at].out.at[0];
    if (!op_encrypted(g, value))
        return refused(g, node, d, "it is a constant");
    *front = graph_copy(a, g);
    (*front)->outputs.len = 0;
    vec_push(a, &(*front)->outputs, value);
    graph_tidy(*front);
    struct graph *b = *back = graph_copy(a, g);
    for (uint32_t k = 0; k < b->outputs.len; k++)
        if (b->outputs.at[k] == value)
            return refused(g, node, d, "nothing stands behind it");
    b->values.at[value].kind = VALUE_INPUT;
    b->values.at[value].node = NONE;
    b->inputs.len = 0;
    vec_push(a, &b->inputs, (struct input){.value = value});
    graph_tidy(b);
    bool reached = false;
    for (uint32_t n = 0; n < b->nodes.len; n++)
        for (uint32_t k = 0; k < b->nodes.at[n].in.len; k++) {
            uint32_t v = b->nodes.at[n].in.at[k];
            if (v == NONE || b->values.at[v].kind != VALUE_INPUT)
                continue;
            reached = reached || v == value;
            if (v != value) {
                refused(g, node, d, "the part behind it also reads what stands before it");
                hint_nearest(g, at, d);
                return false;
            }
        }
    return reached || refused(g, node, d, "no output needs it");
}

/* Nothing that was pinned is computed exactly instead. */
static bool
pins_behind(const struct compile_options *o, const struct graph *front, struct diag *d)
{
    bool ok = true;

    for (uint32_t k = 0; k < o->n_pins; k++)
        for (uint32_t n = 0; n < front->nodes.len; n++)
            if (strcmp(front->nodes.at[n].name, o->pins[k].node) == 0) {
                diag_error(d, E_PIN, (struct place){.file = front->file, .node = o->pins[k].node},
                           "stands before the split: it is computed exactly, without a degree");
                ok = false;
            }
    return ok;
}

/* The node that makes all that `at` takes of the image; NULL after E_SPLIT. */
static const struct node *
node_before(const struct graph *g, const char *at, struct diag *d)
{
    uint32_t n, value = NONE;

    if (!map_get(&g->node_names, at, &n)) {
        refused(g, at, d, "there is no such node to split at");
        diag_hint(d, "olac show lists the nodes");
        return NULL;
    }
    for (uint32_t k = 0; k < g->nodes.at[n].in.len; k++) {
        uint32_t v = g->nodes.at[n].in.at[k];
        if (v == NONE || !op_encrypted(g, v) || v == value)
            continue;
        if (value != NONE)
            return refused(g, at, d, "it takes more than one tensor"), NULL;
        value = v;
    }
    const struct node *before = value == NONE ? NULL : graph_producer(g, value);
    if (!before)
        return refused(g, at, d, "nothing stands before it"), NULL;
    if (before->out.at[0] != value)
        return refused(g, at, d, "what stands before it makes more than one tensor"), NULL;
    return before;
}

bool
pipeline_front_program(struct arena *a, const struct compiled *c, const struct tp **out,
                       struct diag *d)
{
    *out = NULL;
    if (!c->front)
        return true;
    struct graph *g = graph_copy(a, c->front);
    for (uint32_t n = 0; n < g->nodes.len; n++)
        g->nodes.at[n].pins = (struct pins){0};
    pipeline_assume(a, g, 3, 1);
    struct tp *front = linearize(a, g, d);
    *out = front;
    return front && emit_front_check(a, front, d);
}

bool
pipeline_split_at(struct arena *a, const struct compile_options *o, struct compiled *out,
                  struct diag *d)
{
    struct interpret_options exact = {0};
    struct graph *front, *back;
    const struct tp *program;

    if (!o->split_at)
        return true;
    const struct node *before = node_before(out->graph, o->split_at, d);
    if (!before || !pipeline_split(a, out->graph, before->name, &front, &back, d) ||
        !pins_behind(o, front, d) || !decompose(front, out->calib_images, out->n_calib, d))
        return false;
    out->front = front;
    if (!pipeline_front_program(a, out, &program, d))
        return false;
    out->graph = back;
    out->imported = graph_copy(a, back);
    if (!out->n_calib)
        return true;
    size_t size = (size_t)shape_size(&graph_value(front, front->outputs.at[0])->shape);
    if (size * out->n_calib > OLAC_MAX_BYTES / sizeof(float))
        return refused(out->graph, o->split_at, d, "it takes too many numbers of too many images");
    out->calib_plain = out->calib_images;
    out->calib_images = ARENA_ARRAY(a, float, size * out->n_calib + 1);
    return interpret_many(front, &exact, out->calib_plain, out->n_calib, out->calib_images, d);
}
