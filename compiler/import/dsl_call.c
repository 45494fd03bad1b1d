/* dsl_call.c - calls of the language: an ONNX operator by its own name with any attributes, a short
 * spelling of dsl_sugar.h, or a block; see dsl_build.h. */
#include "import/dsl_build.h"
#include "import/dsl_sugar.h"
#include "import/dsl_words.h"
#include "op/op.h"

#include <string.h>

/* An option of a call: its value, or the tree where it is a typed list or a tensor. */
struct given {
    const char *name;
    struct dsl_loc loc;
    const struct dsl_expr *tree;
    struct thing value;
};

/* One call being made. */
struct call {
    struct build *b;
    struct scope *s;
    const struct dsl_expr *x;
    const struct want *want;
    VEC(struct thing) args;
    VEC(struct given) options;
    VEC(uint32_t) in;
    struct attrs attrs;
    bool ok;
};

static void
fail(struct call *c, bool ok)
{
    c->ok = c->ok && ok;
}

/* ---- arguments ----------------------------------------------------------------------------- */

static void
read_option(struct call *c, const struct dsl_expr *e)
{
    struct given g = {.name = e->text, .loc = e->loc, .tree = e->a};
    if (c->options.len == DSL_MAX_OPTIONS) {
        if (c->ok)
            build_error(c->b, E_DSL_LIMIT, e->loc, "more than %d options", DSL_MAX_OPTIONS);
        c->ok = false;
        return;
    }
    for (uint32_t k = 0; k < c->options.len; k++)
        if (strcmp(c->options.at[k].name, e->text) == 0)
            fail(c, build_error(c->b, E_DSL_OPTION, e->loc, "'%.80s' is given twice", e->text));
    if (e->a->kind == X_TYPED || e->a->kind == X_TENSOR)
        g.value = (struct thing){.kind = T_NONE, .loc = e->a->loc};
    else if (e->a->kind == X_NAME && strcmp(e->text, "no") == 0)
        g.value = (struct thing){.kind = T_TEXT, .loc = e->a->loc, .text = e->a->text};
    else
        g.value = build_eval(c->b, c->s, e->a, NULL);
    fail(c, g.value.kind != T_BAD);
    vec_push(c->b->arena, &c->options, g);
}

static void
read_arguments(struct call *c)
{
    for (uint32_t k = 0; k < c->x->items.len; k++) {
        const struct dsl_expr *e = c->x->items.at[k];
        if (e->kind == X_OPTION) {
            read_option(c, e);
            continue;
        }
        struct thing t = build_eval(c->b, c->s, e, NULL);
        fail(c, t.kind != T_BAD);
        vec_push(c->b->arena, &c->args, t);
    }
}

static struct given *
option(struct call *c, const char *name)
{
    for (uint32_t k = 0; k < c->options.len; k++)
        if (strcmp(c->options.at[k].name, name) == 0)
            return &c->options.at[k];
    return NULL;
}

/* Options that are none of the known (NULL-terminated) ones. */
static void
check_options(struct call *c, const char *const *known)
{
    for (uint32_t k = 0; k < c->options.len; k++) {
        const char *name = c->options.at[k].name, *best = NULL;
        uint32_t score = UINT32_MAX;
        bool found = false;
        for (uint32_t i = 0; known[i]; i++) {
            found |= strcmp(known[i], name) == 0;
            words_nearest(name, known[i], &best, &score);
        }
        if (found)
            continue;
        fail(c, build_error(c->b, E_DSL_OPTION, c->options.at[k].loc, "%s has no option '%.80s'",
                            c->x->text, name));
        if (best)
            diag_hint(c->b->diag, "did you mean '%s'?", best);
    }
}

static void
push_input(struct call *c, struct thing t)
{
    uint32_t v = NONE;
    if (t.kind != T_NONE)
        fail(c, build_value(c->b, c->s, t, &v));
    vec_push(c->b->arena, &c->in, v);
}

static bool
arity(struct call *c, enum op_id op)
{
    const struct op_row *row = op_row(op);
    uint32_t n = c->in.len, hi = row->in_hi;
    if (n < row->in_lo || (hi < 255 && n > hi)) {
        if (row->in_lo == hi)
            return build_error(c->b, E_DSL_ARITY, c->x->loc, "%s takes %u input%s, not %u",
                               c->x->text, hi, hi == 1 ? "" : "s", n);
        return build_error(c->b, E_DSL_ARITY, c->x->loc, "%s takes %u to %u inputs, not %u",
                           c->x->text, row->in_lo, hi, n);
    }
    if (row->out_hi < 255 && c->want->n > row->out_hi)
        return build_error(c->b, E_DSL_ARITY, c->x->loc, "%s makes %u output%s, not %u", c->x->text,
                           row->out_hi, row->out_hi == 1 ? "" : "s at most", c->want->n);
    return true;
}

static void
finish(struct call *c, enum op_id op, struct thing *results)
{
    if (!c->ok || !arity(c, op) ||
        !build_node(c->b, op, c->in.at, c->in.len, c->want, c->x->loc, results))
        return;
    for (uint32_t k = 0; k < c->attrs.len; k++)
        graph_attr(c->b->graph, c->b->graph->nodes.len - 1, c->attrs.at[k]);
}

/* ---- the generic form ---------------------------------------------------------------------- */

static bool
list_attr(struct call *c, struct thing list, const char *kind, struct attr *at)
{
    struct build *b = c->b;
    bool floats = kind && strcmp(kind, "floats") == 0, ok = true;
    bool strings = kind ? strcmp(kind, "strings") == 0 : list.n && list.items[0].kind == T_TEXT;

    if (kind && !floats && !strings && strcmp(kind, "ints") != 0)
        return build_error(b, E_DSL_KIND, list.loc, "'%.40s' is none of: ints, floats, strings",
                           kind);
    if (!kind && list.n == 0)
        return build_error(b, E_DSL_KIND, list.loc,
                           "an empty list is written: ints [], floats [] or strings []");
    for (uint32_t k = 0; !kind && !strings && k < list.n; k++)
        floats |= list.items[k].kind == T_NUMBER && !literal_is_int(list.items[k].text);
    at->kind = strings ? ATTR_STRINGS : floats ? ATTR_FLOATS : ATTR_INTS;
    at->count = list.n;
    at->strings = strings ? ARENA_ARRAY(b->arena, const char *, list.n + 1) : NULL;
    at->floats = floats ? ARENA_ARRAY(b->arena, float, list.n + 1) : NULL;
    at->ints = strings || floats ? NULL : ARENA_ARRAY(b->arena, int64_t, list.n + 1);
    for (uint32_t k = 0; k < list.n && ok; k++) {
        struct thing t = list.items[k];
        if (strings && t.kind != T_TEXT)
            return build_error(b, E_DSL_KIND, t.loc, "expected a string");
        if (strings)
            at->strings[k] = t.text;
        else
            ok = floats ? literal_float(b, t, &at->floats[k]) : literal_int(b, t, &at->ints[k]);
    }
    return ok;
}

static bool
scalar_attr(struct call *c, struct thing t, struct attr *at)
{
    struct build *b = c->b;
    at->count = 1;
    if (t.kind == T_TEXT) {
        at->kind = ATTR_STRING;
        at->strings = ARENA_ARRAY(b->arena, const char *, 1);
        at->strings[0] = t.text;
        return true;
    }
    if (t.kind != T_NUMBER)
        return t.kind == T_BAD || build_error(b, E_DSL_KIND, t.loc, "this cannot be an attribute");
    bool whole = literal_is_int(t.text);
    at->kind = whole ? ATTR_INT : ATTR_FLOAT;
    at->ints = whole ? ARENA_NEW(b->arena, int64_t) : NULL;
    at->floats = whole ? NULL : ARENA_NEW(b->arena, float);
    return whole ? literal_int(b, t, at->ints) : literal_float(b, t, at->floats);
}

static bool
any_attr(struct call *c, const struct given *g, struct attr *at)
{
    struct build *b = c->b;
    *at = (struct attr){.name = g->name};
    if (g->tree->kind == X_TYPED) {
        struct thing list = build_eval(b, c->s, g->tree->a, NULL);
        return list.kind == T_LIST && list_attr(c, list, g->tree->text, at);
    }
    if (g->tree->kind == X_TENSOR) {
        at->kind = ATTR_TENSOR;
        at->count = 1;
        return literal_tensor(b, c->s, g->tree->type, g->tree->a, g->name, g->tree->loc,
                              &at->tensor);
    }
    if (g->value.kind == T_LIST)
        return list_attr(c, g->value, NULL, at);
    if (g->value.kind == T_DIMS) {
        int64_t dims[MAX_RANK];
        uint32_t n;
        bool ok = literal_ints(b, g->value, dims, MAX_RANK, &n);
        *at = attr_ints(b->arena, g->name, dims, ok ? n : 0);
        return ok;
    }
    return scalar_attr(c, g->value, at);
}

static void
generic(struct call *c, enum op_id op, struct thing *results)
{
    for (uint32_t k = 0; k < c->args.len; k++)
        if (c->args.at[k].kind != T_BAD)
            push_input(c, c->args.at[k]);
    for (uint32_t k = 0; k < c->options.len; k++) {
        struct attr at;
        if (c->options.at[k].value.kind == T_BAD)
            continue;
        bool ok = any_attr(c, &c->options.at[k], &at);
        fail(c, ok);
        if (ok)
            vec_push(c->b->arena, &c->attrs, at);
    }
    finish(c, op, results);
}

/* ---- short spellings ----------------------------------------------------------------------- */

/* The constant prefix.suffix: one that is there, else the file prefix.suffix.npy. */
static bool
weight(struct call *c, struct thing prefix, const char *suffix, uint32_t *value)
{
    struct build *b = c->b;
    const char *name = arena_printf(b->arena, "%s.%s", prefix.text, suffix);
    uint32_t line;
    struct tensor data;

    if (map_get(&b->graph->value_names, name, value))
        return b->graph->values.at[*value].kind == VALUE_CONST ||
               build_error(b, E_DSL_KIND, prefix.loc, "'%s' is no constant", name);
    if (map_get(&b->reserved, name, &line))
        return build_error(b, E_DSL_ORDER, prefix.loc, "'%s' is made only in line %u", name, line);
    if (!literal_file(b, prefix.loc, arena_printf(b->arena, "%s.npy", name), DT_NONE, NULL, &data))
        return false;
    *value = graph_const(b->graph, name, data);
    build_bind(b, &b->top, name,
               (struct thing){.kind = T_VALUE, .loc = prefix.loc, .value = *value});
    return true;
}

/* "conv1" or the constants themselves behind input 0. */
static void
read_weights(struct call *c, const struct sugar *u)
{
    uint32_t n = sugar_weights(u);
    struct given *no = u->optional ? option(c, "no") : NULL;

    if (no && (no->value.kind != T_TEXT || strcmp(no->value.text, u->optional) != 0))
        fail(c, build_error(c->b, E_DSL_OPTION, no->loc, "only: no %s", u->optional));
    if (c->args.len == 2 && c->args.at[1].kind == T_TEXT) {
        struct thing prefix = c->args.at[1];
        for (uint32_t k = 0; k < n - (no ? 1 : 0); k++) {
            uint32_t v = NONE;
            bool ok = weight(c, prefix, u->weights[k], &v);
            if (!ok && u->optional && k == n - 1)
                diag_hint(c->b->diag, "write 'no %s' when the layer has none", u->optional);
            fail(c, ok);
            vec_push(c->b->arena, &c->in, v);
        }
        return;
    }
    uint32_t most = n + 1, least = u->optional ? n : n + 1;
    if (c->args.len < least || c->args.len > most)
        fail(c, build_error(c->b, E_DSL_ARITY, c->x->loc,
                            "%s takes its input and \"the name of its weights\", or %u constants",
                            u->name, n));
    for (uint32_t k = 1; k < c->args.len; k++)
        if (c->args.at[k].kind != T_BAD)
            push_input(c, c->args.at[k]);
}

/* stride 2, stride 2x1, stride [2, 1] into n numbers; each stays as it is when not given. */
static void
window_option(struct call *c, const char *name, int64_t least, int64_t *out, uint32_t n)
{
    struct given *g = option(c, name);
    int64_t v[MAX_RANK];
    uint32_t count;
    if (!g || g->value.kind == T_BAD)
        return;
    if (!literal_ints(c->b, g->value, v, MAX_RANK, &count)) {
        c->ok = false;
        return;
    }
    if (count && count != n) {
        fail(c, build_error(c->b, E_DSL_SHAPE, g->value.loc, "%s has %u numbers for %u dimensions",
                            name, count, n));
        return;
    }
    for (uint32_t k = 0; k < n; k++) {
        out[k] = v[count ? k : 0];
        if (out[k] < least || out[k] > INT32_MAX)
            fail(c, build_error(c->b, E_DSL_NUMBER, g->value.loc, "%s is out of range", name));
    }
}

/* pad 2, pad 2x1 (both sides alike), pad [top, left, bottom, right] */
static void
pad_option(struct call *c, struct spatial *s)
{
    struct given *g = option(c, "pad");
    int64_t v[2 * MAX_RANK];
    uint32_t count;
    if (!g || g->value.kind == T_BAD)
        return;
    if (!literal_ints(c->b, g->value, v, 2 * MAX_RANK, &count)) {
        c->ok = false;
        return;
    }
    if (count && count != s->n && count != 2 * s->n)
        fail(c, build_error(c->b, E_DSL_SHAPE, g->value.loc, "pad has %u numbers for %u dimensions",
                            count, s->n));
    for (uint32_t k = 0; c->ok && k < 2 * s->n; k++) {
        s->pad[k] = v[count == 0 ? 0 : count == s->n ? k % s->n : k];
        if (s->pad[k] < 0 || s->pad[k] > INT32_MAX)
            fail(c, build_error(c->b, E_DSL_NUMBER, g->value.loc, "pad is out of range"));
    }
}

/* The window of a convolution is the shape of its weights. */
static void
conv_window(struct call *c, const struct sugar *u, struct spatial *s)
{
    const struct value *w = c->in.len > 1 ? graph_value(c->b->graph, c->in.at[1]) : NULL;
    s->n = 2;
    if (w && (w->kind != VALUE_CONST || w->shape.rank < 3))
        fail(c, build_error(c->b, E_DSL_SHAPE, c->x->loc,
                            "%s needs constant weights [out, in, size...]; Conv(...) takes any",
                            u->name));
    else if (w) {
        s->n = (uint32_t)w->shape.rank - 2;
        memcpy(s->kernel, w->shape.dim + 2, s->n * sizeof *s->kernel);
        if (u->form == FORM_DEPTHWISE)
            s->groups = w->shape.dim[0];
    }
    if (u->form == FORM_CONV)
        window_option(c, "groups", 1, &s->groups, 1);
    window_option(c, "dilation", 1, s->dilation, s->n);
    window_option(c, "stride", 1, s->stride, s->n);
    pad_option(c, s);
}

/* avgpool(x, 2), avgpool(x, 3x2, stride 2): the stride is the size unless given. */
static void
pool_window(struct call *c, const struct sugar *u, struct spatial *s)
{
    s->n = 2;
    if (c->args.len != 2)
        fail(c, build_error(c->b, E_DSL_ARITY, c->x->loc,
                            "%s takes its input and a size: %s(x, 2x2)", u->name, u->name));
    else if (!literal_ints(c->b, c->args.at[1], s->kernel, MAX_RANK, &s->n))
        c->ok = false;
    else if (s->n == 0) {
        s->n = 2;
        s->kernel[1] = s->kernel[0];
    }
    for (uint32_t k = 0; c->ok && k < s->n; k++)
        if (s->kernel[k] < 1 || s->kernel[k] > INT32_MAX)
            fail(c, build_error(c->b, E_DSL_NUMBER, c->args.at[1].loc, "the size is out of range"));
    memcpy(s->stride, s->kernel, sizeof s->stride);
    window_option(c, "stride", 1, s->stride, s->n);
    pad_option(c, s);
}

static void
plain_option(struct call *c, const struct sugar_option *o)
{
    struct given *g = o->name ? option(c, o->name) : NULL;
    struct build *b = c->b;
    struct attr at = {.name = o->attr, .kind = o->kind, .count = 1};

    if (c->b->graph->opset < o->since)
        return;
    if (!g && !o->otherwise) {
        fail(c, build_error(b, E_DSL_OPTION, c->x->loc, "%s needs its option '%s'", c->x->text,
                            o->name));
        return;
    }
    if (!g)
        at = sugar_default(b->arena, o);
    else if (o->kind == ATTR_INTS)
        fail(c, g->value.kind == T_LIST
                    ? list_attr(c, g->value, "ints", &at)
                    : build_error(b, E_DSL_KIND, g->value.loc, "expected a list"));
    else if (o->kind == ATTR_FLOAT)
        fail(c, literal_float(b, g->value, at.floats = ARENA_NEW(b->arena, float)));
    else
        fail(c, literal_int(b, g->value, at.ints = ARENA_NEW(b->arena, int64_t)));
    vec_push(b->arena, &c->attrs, at);
}

/* All options that a short form has. */
static void
known_options(struct call *c, const struct sugar *u)
{
    static const char *const conv[] = {"stride", "pad", "dilation", "groups", "no", NULL};
    static const char *const depthwise[] = {"stride", "pad", "dilation", "no", NULL};
    static const char *const pool[] = {"stride", "pad", NULL};
    const char *plain[5] = {u->optional ? "no" : NULL};
    uint32_t n = u->optional ? 1 : 0;

    for (uint32_t k = 0; k < 3 && u->options[k].attr; k++)
        if (u->options[k].name)
            plain[n++] = u->options[k].name;
    check_options(c, u->form == FORM_CONV        ? conv
                     : u->form == FORM_DEPTHWISE ? depthwise
                     : u->form == FORM_POOL      ? pool
                                                 : plain);
}

static void
sugared(struct call *c, const struct sugar *u, struct thing *results)
{
    struct spatial s = {.groups = 1};

    known_options(c, u);
    if (c->args.len == 0 || c->args.at[0].kind == T_NONE)
        fail(c, build_error(c->b, E_DSL_ARITY, c->x->loc, "%s needs an input", u->name));
    else if (c->args.at[0].kind != T_BAD)
        push_input(c, c->args.at[0]);
    if (u->weights[0] && c->args.len)
        read_weights(c, u);
    for (uint32_t k = 1; u->form == FORM_PLAIN && !u->weights[0] && k < c->args.len; k++)
        if (c->args.at[k].kind != T_BAD)
            push_input(c, c->args.at[k]);
    for (uint32_t k = 0; u->form == FORM_PLAIN && k < 3 && u->options[k].attr; k++)
        plain_option(c, &u->options[k]);
    for (int k = 0; k < MAX_RANK; k++)
        s.stride[k] = s.dilation[k] = 1;
    if (c->ok && u->form == FORM_POOL)
        pool_window(c, u, &s);
    else if (c->ok && u->form != FORM_PLAIN)
        conv_window(c, u, &s);
    if (c->ok && u->form != FORM_PLAIN)
        c->attrs = sugar_spatial(c->b->arena, u, &s, c->b->graph->opset);
    finish(c, u->op, results);
}

/* ---- the door ------------------------------------------------------------------------------ */

static void
unknown_function(struct call *c)
{
    const char *name = c->x->text, *best = NULL;
    uint32_t score = UINT32_MAX, at;

    if (map_get(&c->b->p->poison, name, &at))
        return;
    build_error(c->b, E_DSL_FUNCTION, c->x->loc, "there is no operator or block '%.80s'", name);
    for (uint32_t k = 0; build_hints(c->b) && k < c->b->block_list.len; k++)
        words_nearest(name, c->b->block_list.at[k]->name, &best, &score);
    for (uint32_t k = 0; sugar_at(k); k++)
        words_nearest(name, sugar_at(k)->name, &best, &score);
    for (uint32_t k = OP_NONE + 1; k < OP_COUNT; k++)
        words_nearest(name, op_row((enum op_id)k)->onnx, &best, &score);
    if (best)
        diag_hint(c->b->diag, "did you mean '%s'?", best);
}

void
build_call(struct build *b, struct scope *s, const struct dsl_expr *x, const struct want *want,
           struct thing *results)
{
    struct call c = {.b = b, .s = s, .x = x, .want = want, .ok = true};
    uint32_t block;

    for (uint32_t k = 0; k < want->n; k++)
        results[k] = (struct thing){.kind = T_BAD, .loc = x->loc};
    if (map_get(&b->blocks, x->text, &block)) {
        if (block >= s->blocks)
            build_error(b, E_DSL_BLOCK, x->loc, "a block can use only the blocks above it");
        else if (want->n == 1)
            results[0] = build_inline(b, s, x, block, want);
        else
            build_error(b, E_DSL_ARITY, x->loc, "a block has one result");
        return;
    }
    read_arguments(&c);
    const struct sugar *u = sugar_find(x->text);
    enum op_id op = u ? u->op : op_find(x->text);
    if (u)
        sugared(&c, u, results);
    else if (op != OP_NONE)
        generic(&c, op, results);
    else
        unknown_function(&c);
}
