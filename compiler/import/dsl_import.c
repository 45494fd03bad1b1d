/* dsl_import.c - a text of the language becomes a graph, statement by statement; the hash of a
 * model that was written by hand, or changed since it was printed. */
#include "import/dsl_build.h"
#include "import/dsl_print.h"
#include "import/import.h"
#include "op/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEGREE 1000 /* of a pin; far above what any parameters hold */
#define MAX_BITS   24   /* of a pin; what a float's significand holds */

/* ---- before building: names, blocks -------------------------------------------------------- */

static void
reserve(struct build *b, const char *name, struct dsl_loc at)
{
    uint32_t line;
    if (!*name) {
        build_error(b, E_DSL_NAME, at, "a value needs a name");
        return;
    }
    if (map_get(&b->reserved, name, &line))
        build_error(b, E_DSL_DUPLICATE, at, "'%.80s' is made in line %u already", name, line);
    else
        map_set(b->arena, &b->reserved, name, (uint32_t)at.line);
}

static void
check_block(struct build *b, const struct dsl_stmt *block)
{
    for (uint32_t k = 0; k < block->body.len; k++) {
        const struct dsl_stmt *st = block->body.at[k];
        bool last = k + 1 == block->body.len;
        if (st->kind == S_RETURN && !last)
            build_error(b, E_DSL_BLOCK, st->loc, "nothing may follow 'return'");
        else if (st->kind != S_RETURN && (st->kind != S_ASSIGN || st->output))
            build_error(b, E_DSL_BLOCK, st->loc, "a block holds only assignments and a 'return'");
    }
    if (!block->body.len || block->body.at[block->body.len - 1]->kind != S_RETURN)
        build_error(b, E_DSL_BLOCK, block->loc, "block '%.80s' does not end with 'return'",
                    block->name);
    if (block->items.len > DSL_MAX_PARAMS)
        build_error(b, E_DSL_LIMIT, block->loc, "more than %d parameters", DSL_MAX_PARAMS);
    for (uint32_t k = 0; k < block->items.len && k < DSL_MAX_PARAMS; k++)
        for (uint32_t i = 0; i < k; i++)
            if (strcmp(block->items.at[i]->text, block->items.at[k]->text) == 0)
                build_error(b, E_DSL_DUPLICATE, block->items.at[k]->loc,
                            "two parameters are named '%.80s'", block->items.at[k]->text);
}

/* Reserves the names of all statements, so that names made up never collide with them. */
static void
collect_names(struct build *b)
{
    for (uint32_t k = 0; k < b->p->body.len; k++) {
        const struct dsl_stmt *st = b->p->body.at[k];
        if (st->kind == S_INPUT || st->kind == S_CONST)
            reserve(b, st->name, st->loc);
        for (uint32_t i = 0; st->kind == S_ASSIGN && i < st->items.len; i++)
            if (st->items.at[i]->kind == X_NAME)
                reserve(b, st->items.at[i]->text, st->items.at[i]->loc);
    }
}

static void
define_block(struct build *b, struct dsl_stmt *st)
{
    uint32_t at, errors = diag_errors(b->diag);
    check_block(b, st);
    if (map_get(&b->blocks, st->name, &at)) {
        build_error(b, E_DSL_DUPLICATE, st->loc, "there is a block '%.80s' already", st->name);
        return;
    }
    if (diag_errors(b->diag) != errors) {
        dsl_poison(b->p, st->name); /* its uses are not to blame */
        return;
    }
    map_set(b->arena, &b->blocks, st->name, b->block_list.len);
    vec_push(b->arena, &b->block_list, st);
}

/* ---- network, origin, input, const
 * --------------------------------------------------------------- */

static struct thing
thing_of(const struct dsl_expr *e)
{
    return (struct thing){
        .kind = e->kind == X_NUMBER ? T_NUMBER : T_NONE, .loc = e->loc, .text = e->text};
}

static void
network(struct build *b, const struct dsl_stmt *st)
{
    int64_t opset;
    if (b->named)
        build_error(b, E_DSL_NETWORK, st->loc, "'network' stands once, on the first line");
    b->named = true;
    b->graph->name = arena_strdup(b->arena, st->name);
    for (uint32_t k = 0; k < st->items.len; k++) {
        const struct dsl_expr *o = st->items.at[k];
        if (strcmp(o->text, "opset") != 0)
            build_error(b, E_DSL_OPTION, o->loc, "'network' has only the option 'opset'");
        else if (literal_int(b, thing_of(o->a), &opset)) {
            if (opset < 7 || opset > 17)
                build_error(b, E_DSL_NETWORK, o->a->loc, "opset is 7 to 17");
            else
                b->graph->opset = (int)opset;
        }
    }
}

static void
origin(struct build *b, const struct dsl_stmt *st)
{
    if (b->origin)
        build_error(b, E_DSL_NETWORK, st->loc, "'origin' stands once");
    for (uint32_t k = 0; k < 2; k++) {
        const char *hex = st->items.at[k]->text;
        if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
            build_error(b, E_DSL_NETWORK, st->items.at[k]->loc, "a hash is 64 hexadecimal digits");
    }
    b->origin = st->items.at[0]->text;
    b->origin_text = st->items.at[1]->text;
    b->origin_at = st->loc;
}

/* mean or std: one number for each channel, or one for all of them. */
static bool
channel_numbers(struct build *b, const struct dsl_expr *o, uint32_t most, struct pixels *px,
                double *out, bool positive)
{
    bool ok = true;
    if (!o->a || (o->a->items.len != 1 && o->a->items.len != most))
        return build_error(b, E_DSL_PIXELS, o->loc,
                           "%s takes 1 or %u numbers, one for each channel", o->text, most);
    if (o->a->items.len > px->channels)
        px->channels = o->a->items.len;
    for (uint32_t k = 0; k < most && ok; k++) {
        const struct dsl_expr *e = o->a->items.at[o->a->items.len == 1 ? 0 : k];
        ok = literal_double(b, thing_of(e), &out[k]);
        if (ok && (!isfinite(out[k]) || (positive && out[k] <= 0)))
            ok = build_error(b, E_DSL_PIXELS, e->loc,
                             positive ? "std must be above 0" : "not finite");
    }
    return ok;
}

static void
pixels_from(struct build *b, const struct dsl_expr *o, struct pixels *px)
{
    if (strcmp(o->text, "u8") != 0)
        build_error(b, E_DSL_PIXELS, o->loc, "pixels are u8");
    px->present = true;
    px->divisor = 1;
    if (o->a && literal_double(b, thing_of(o->a), &px->divisor) &&
        !(isfinite(px->divisor) && px->divisor > 0))
        build_error(b, E_DSL_PIXELS, o->a->loc, "the divisor must be above 0");
}

static void
input_clauses(struct build *b, const struct dsl_stmt *st, const struct shape *shape,
              struct pixels *px)
{
    const char *seen[3] = {0};
    uint32_t most = shape->rank == 4 && shape->dim[1] > 0 && shape->dim[1] <= 4096
                        ? (uint32_t)shape->dim[1]
                        : 1;
    px->channels = 1; /* as many as were written */
    px->mean = ARENA_ARRAY(b->arena, double, most);
    px->std = ARENA_ARRAY(b->arena, double, most);
    for (uint32_t k = 0; k < most; k++)
        px->std[k] = 1;
    for (uint32_t k = 0; k < st->items.len; k++) {
        const struct dsl_expr *o = st->items.at[k];
        bool mean = o->kind == X_OPTION && strcmp(o->text, "mean") == 0;
        bool std = o->kind == X_OPTION && strcmp(o->text, "std") == 0;
        uint32_t which = mean ? 1 : std ? 2 : 0;
        if (o->kind == X_OPTION && strcmp(o->text, "unbatched") == 0 && !o->a)
            continue;
        if (o->kind == X_OPTION && !which) {
            build_error(b, E_DSL_OPTION, o->loc, "'%.40s' is none of: from, mean, std, unbatched",
                        o->text);
            continue;
        }
        if (seen[which])
            build_error(b, E_DSL_OPTION, o->loc, "this is given twice");
        seen[which] = "";
        if (!which)
            pixels_from(b, o, px);
        else
            channel_numbers(b, o, most, px, mean ? px->mean : px->std, std);
    }
    if (!seen[0] && (seen[1] || seen[2]))
        build_error(b, E_DSL_PIXELS, st->loc, "mean and std need: from u8 / 255");
    if (!seen[0])
        *px = (struct pixels){0};
}

static void
input(struct build *b, const struct dsl_stmt *st)
{
    struct shape shape;
    struct pixels px = {0};
    enum dtype dtype;
    bool batch = true;

    if (!literal_shape(b, st->type, &dtype, &shape)) {
        build_bind(b, &b->top, st->name, (struct thing){.kind = T_BAD});
        return;
    }
    for (uint32_t k = 0; k < st->items.len; k++)
        if (st->items.at[k]->kind == X_OPTION && strcmp(st->items.at[k]->text, "unbatched") == 0)
            batch = false;
    if (batch && shape.rank == MAX_RANK)
        build_error(b, E_DSL_SHAPE, st->type->loc,
                    "with its batch dimension the input has more than %d", MAX_RANK);
    else if (batch) {
        memmove(shape.dim + 1, shape.dim, (size_t)shape.rank * sizeof *shape.dim);
        shape.dim[0] = 1;
        shape.rank++;
    }
    input_clauses(b, st, &shape, &px);
    uint32_t v = graph_input(b->graph, st->name, dtype, shape);
    b->graph->inputs.at[b->graph->inputs.len - 1].pixels = px;
    build_bind(b, &b->top, st->name, (struct thing){.kind = T_VALUE, .value = v});
}

static void
constant(struct build *b, const struct dsl_stmt *st)
{
    struct thing t = {.kind = T_BAD};
    struct tensor data;
    uint32_t at;

    b->top.current = st->name;
    if (map_get(&b->graph->value_names, st->name, &at))
        build_error(b, E_DSL_DUPLICATE, st->loc, "'%.80s' was read already, by a layer above",
                    st->name);
    else if (literal_tensor(b, &b->top, st->type, st->value, st->name, st->loc, &data))
        t = (struct thing){.kind = T_VALUE, .value = graph_const(b->graph, st->name, data)};
    build_bind(b, &b->top, st->name, t);
}

/* ---- assignments
 * --------------------------------------------------------------------------------- */

const char *
build_as(const struct dsl_stmt *st)
{
    for (uint32_t k = 0; k < st->post.len; k++)
        if (st->post.at[k]->kind == X_AS)
            return st->post.at[k]->text;
    return NULL;
}

static bool
pin_number(struct build *b, const struct dsl_expr *e, int64_t most, uint32_t *out)
{
    int64_t v = 0;
    if (!e)
        return true;
    if (!literal_int(b, thing_of(e), &v))
        return false;
    if (v < 1 || v > most)
        return build_error(b, E_DSL_PIN, e->loc, "the number must be 1 to %lld", (long long)most);
    *out = (uint32_t)v;
    return true;
}

static void
pin(struct build *b, const struct dsl_expr *e, struct node *n)
{
    enum op_class class = op_row(n->op)->class;
    if (strcmp(e->text, "degree") == 0) {
        if (class == LINEAR)
            build_error(b, E_DSL_PIN, e->loc, "%s is linear: it has no degree",
                        op_row(n->op)->onnx);
        if (n->pins.degree_min || n->pins.degree_max)
            build_error(b, E_DSL_PIN, e->loc, "the degree is pinned twice");
        if (pin_number(b, e->a, MAX_DEGREE, &n->pins.degree_min) &&
            pin_number(b, e->b, MAX_DEGREE, &n->pins.degree_max) && n->pins.degree_max &&
            n->pins.degree_min > n->pins.degree_max)
            build_error(b, E_DSL_PIN, e->loc, "no degree is in this range");
    } else if (strcmp(e->text, "pow2") == 0) {
        if (class == NONLIN)
            build_error(b, E_DSL_PIN, e->loc, "%s has no weights", op_row(n->op)->onnx);
        if (n->pins.pow2_bits)
            build_error(b, E_DSL_PIN, e->loc, "pow2 is pinned twice");
        if (!e->a || !e->b || strcmp(e->a->text, e->b->text) != 0)
            build_error(b, E_DSL_PIN, e->loc, "pow2 takes a number of bits: @pow2(5)");
        else
            pin_number(b, e->a, MAX_BITS, &n->pins.pow2_bits);
    } else {
        build_error(b, E_DSL_PIN, e->loc, "there is no annotation '@%.40s'", e->text);
        diag_hint(b->diag, "@degree(7), @degree(<= 7), @degree(3 .. 7), @pow2(5)");
    }
}

void
build_post(struct build *b, const struct dsl_stmt *st, uint32_t before, struct thing result)
{
    const struct graph *g = b->graph;
    uint32_t n = g->nodes.len, as = 0;

    if (result.kind == T_BAD || !st->post.len)
        return;
    if (result.kind == T_VALUE && graph_producer(g, result.value))
        n = g->values.at[result.value].node;
    else if (result.kind == T_NONE)
        n = g->nodes.len - 1;
    if (n < before || n >= g->nodes.len) {
        build_error(b, E_DSL_PIN, st->post.at[0]->loc,
                    "there is no operator on this line to say this of");
        return;
    }
    for (uint32_t k = 0; k < st->post.len; k++) {
        if (st->post.at[k]->kind == X_PIN)
            pin(b, st->post.at[k], &g->nodes.at[n]);
        else if (as++)
            build_error(b, E_DSL_OPTION, st->post.at[k]->loc, "the node is named twice");
    }
}

/* output y = x, for an x that is there already: the output is a value of its own. */
static struct thing
output_of(struct build *b, const struct dsl_stmt *st, uint32_t before, const struct want *want,
          struct thing t)
{
    uint32_t in;
    bool made = t.kind == T_VALUE && graph_producer(b->graph, t.value) &&
                b->graph->values.at[t.value].node >= before;
    if (!st->output || t.kind == T_BAD || t.kind == T_NONE || made)
        return t;
    if (!build_value(b, &b->top, t, &in) || !build_node(b, OP_identity, &in, 1, want, st->loc, &t))
        t.kind = T_BAD;
    return t;
}

static void
assign(struct build *b, const struct dsl_stmt *st)
{
    uint32_t n = st->items.len, before = b->graph->nodes.len;
    const char **out = ARENA_ARRAY(b->arena, const char *, n);
    struct thing *results = ARENA_ARRAY(b->arena, struct thing, n);
    struct want want = {.out = out, .n = n, .node = build_as(st)};

    b->top.current = NULL;
    for (uint32_t k = 0; k < n; k++) {
        out[k] = st->items.at[k]->text;
        if (*out[k] && !b->top.current)
            b->top.current = out[k];
        if (st->output && !*out[k])
            build_error(b, E_DSL_NAME, st->items.at[k]->loc, "an output needs a name");
    }
    if (!b->top.current)
        b->top.current = want.node ? want.node : "unused";
    if (n == 1)
        results[0] = output_of(b, st, before, &want, build_eval(b, &b->top, st->value, &want));
    else if (st->value->kind == X_CALL)
        build_call(b, &b->top, st->value, &want, results);
    else
        build_error(b, E_DSL_ARITY, st->value->loc, "only a call has several results");
    build_post(b, st, before, results[0]);
    for (uint32_t k = 0; k < n; k++) {
        if (st->items.at[k]->kind == X_NAME)
            build_bind(b, &b->top, out[k], results[k]);
        if (st->output && results[k].kind == T_VALUE)
            vec_push(b->arena, &b->graph->outputs, results[k].value);
    }
}

static void
outputs(struct build *b, const struct dsl_stmt *st)
{
    for (uint32_t k = 0; k < st->items.len; k++) {
        const struct dsl_expr *e = st->items.at[k];
        struct thing t = build_eval(b, &b->top, e, NULL);
        if (t.kind == T_VALUE)
            vec_push(b->arena, &b->graph->outputs, t.value);
        else if (t.kind != T_BAD)
            build_error(b, E_DSL_KIND, e->loc, "an output is a value");
    }
}

static void
statement(struct build *b, struct dsl_stmt *st, bool first)
{
    b->output |= st->kind == S_OUTPUT || st->output;
    if (first && st->kind != S_NETWORK)
        build_error(b, E_DSL_NETWORK, st->loc, "the text begins with: network NAME");
    switch (st->kind) {
    case S_NETWORK:
        network(b, st);
        break;
    case S_ORIGIN:
        origin(b, st);
        break;
    case S_INPUT:
        input(b, st);
        break;
    case S_OUTPUT:
        outputs(b, st);
        break;
    case S_ASSIGN:
        assign(b, st);
        break;
    case S_CONST:
        constant(b, st);
        break;
    case S_BLOCK:
        define_block(b, st);
        break;
    case S_RETURN:
        build_error(b, E_DSL_BLOCK, st->loc, "'return' stands only in a block");
        break;
    }
}

/* ---- the door ------------------------------------------------------------------------------ */

/* The hash of an origin stays as long as the text still is what was printed for it. */
static void
set_hash(struct build *b)
{
    uint8_t own[32];
    print_hash(b->graph, own);
    memcpy(b->graph->hash, own, sizeof own);
    if (!b->origin || strcmp(b->origin_text, print_hex(b->arena, own)) != 0)
        return;
    for (int k = 0; k < 32; k++) {
        char byte[3] = {b->origin[2 * k], b->origin[2 * k + 1], 0};
        b->graph->hash[k] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

struct graph *
import_dsl(struct arena *a, const char *file, const char *dir, const char *text, size_t size,
           struct diag *d)
{
    struct dsl p = {.arena = a, .diag = d, .text = text, .size = size, .line = 1, .col = 1};
    struct build b = {
        .p = &p, .arena = a, .diag = d, .dir = dir, .steps = DSL_MAX_STEPS + (int64_t)size};

    b.top.blocks = UINT32_MAX;
    p.file = file ? arena_strdup(a, file) : NULL;
    if (size > DSL_MAX_TEXT) {
        diag_error(d, E_TOO_LARGE, PLACE_FILE(file), "a text is at most %zu bytes", DSL_MAX_TEXT);
        return NULL;
    }
    p.errors_before = diag_errors(d);
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        p.offset = 3;
    dsl_check_text(&p);
    dsl_parse(&p);
    bool readable = diag_errors(d) == p.errors_before;
    b.graph = graph_new(a, "", file);
    collect_names(&b);
    for (uint32_t k = 0; k < p.body.len && !b.stopped; k++)
        statement(&b, p.body.at[k], k == 0 && readable);
    if (readable && p.body.len == 0)
        diag_error(d, E_DSL_NETWORK, PLACE_FILE(file),
                   "the text is empty; it begins with: network NAME");
    else if (readable && !b.stopped && !b.output) {
        diag_error(d, E_DSL_NETWORK, PLACE_FILE(file), "the network has no output");
        diag_hint(d, "write 'output' before the assignment that makes it");
    }
    if (diag_errors(d) != p.errors_before)
        return NULL;
    set_hash(&b);
    return b.graph;
}
