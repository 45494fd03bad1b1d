/* dsl_build.c - names, expressions and blocks: how a tree becomes nodes; see dsl_build.h. The
 * statements are dsl_import.c. */
#include "import/dsl_build.h"

#include "import/dsl_words.h"

#include <string.h>

bool
build_error(struct build *b, enum code code, struct dsl_loc at, const char *fmt, ...)
{
    struct str text = {0};
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(&text, fmt, ap);
    va_end(ap);
    diag_error(b->diag, code, dsl_place(b->p, at), "%s", str_text(&text));
    str_free(&text);
    return false;
}

/* Reports the first limit that is crossed and ends all further building. */
static bool
stop(struct build *b, struct dsl_loc at, const char *what)
{
    if (!b->stopped)
        build_error(b, E_DSL_LIMIT, at, "%s", what);
    b->stopped = true;
    return false;
}

bool
build_hints(const struct build *b)
{
    return diag_errors(b->diag) <= DIAG_MAX;
}

/* ---- names --------------------------------------------------------------------------------- */

const char *
build_unique(struct build *b, const char *base)
{
    const char *name = base;
    uint32_t at, k = 0;
    map_get(&b->counters, base, &k);
    while (map_get(&b->graph->value_names, name, &at) || map_get(&b->reserved, name, &at)) {
        name = arena_printf(b->arena, "%s.%u", base, ++k);
        map_set(b->arena, &b->counters, base, k);
    }
    return name;
}

const char *
build_made_up(struct build *b, const struct scope *s, const char *what)
{
    return build_unique(b, arena_printf(b->arena, "%s.%s", s->current, what));
}

void
build_bind(struct build *b, struct scope *s, const char *name, struct thing t)
{
    map_set(b->arena, &s->names, name, s->things.len);
    vec_push(b->arena, &s->things, t);
}

static struct thing
look_up(struct build *b, struct scope *s, const struct dsl_expr *e)
{
    struct thing bad = {.kind = T_BAD, .loc = e->loc};
    const char *best = NULL;
    uint32_t at, score = UINT32_MAX;

    if (map_get(&s->names, e->text, &at)) {
        struct thing t = s->things.at[at];
        t.loc = e->loc;
        return t;
    }
    if (map_get(&b->p->poison, e->text, &at))
        return bad;
    if (!s->prefix && map_get(&b->reserved, e->text, &at)) {
        build_error(b, E_DSL_ORDER, e->loc, "'%.80s' is made only in line %u", e->text, at);
        return bad;
    }
    build_error(b, E_DSL_NAME, e->loc, "there is no value '%.80s'%s", e->text,
                s->prefix ? " in this block" : "");
    const char **names = ARENA_ARRAY(b->arena, const char *, s->things.len + 1);
    for (uint32_t k = 0; build_hints(b) && k < s->names.cap; k++)
        if (s->names.slots[k].key)
            names[s->names.slots[k].value] = s->names.slots[k].key;
    for (uint32_t k = 0; k < s->things.len; k++)
        if (names[k])
            words_nearest(e->text, names[k], &best, &score);
    if (best)
        diag_hint(b->diag, "did you mean '%s'?", best);
    return bad;
}

/* ---- values -------------------------------------------------------------------------------- */

bool
build_node(struct build *b, enum op_id op, const uint32_t *in, uint32_t n_in,
           const struct want *want, struct dsl_loc at, struct thing *results)
{
    uint32_t taken;
    const char *name = want->node;

    if (b->graph->nodes.len >= DSL_MAX_NODES)
        return stop(b, at, "the network has more nodes than olac accepts");
    for (uint32_t k = 0; !name && k < want->n; k++)
        name = *want->out[k] ? words_node(b->arena, want->out[k]) : NULL;
    if (want->node && map_get(&b->graph->node_names, want->node, &taken))
        return build_error(b, E_DSL_DUPLICATE, at, "there is a node '%.80s' already", want->node);
    uint32_t n = graph_node(b->graph, name, op, in, n_in, want->out, want->n, dsl_place(b->p, at));
    for (uint32_t k = 0; k < want->n; k++) {
        uint32_t v = b->graph->nodes.at[n].out.at[k];
        results[k] = (struct thing){.kind = v == NONE ? T_NONE : T_VALUE, .loc = at, .value = v};
    }
    return true;
}

/* 0.5 or [1, -1] where a value is needed: a scalar f32, or a vector of i64 or f32. */
static bool
constant(struct build *b, struct scope *s, struct thing t, uint32_t *value)
{
    bool list = t.kind == T_LIST, floats = !list, ok = true;
    uint32_t n = list ? t.n : 1;
    for (uint32_t k = 0; list && k < n; k++)
        floats |= t.items[k].kind == T_NUMBER && !literal_is_int(t.items[k].text);
    int64_t dim = n;
    struct tensor data =
        tensor_new(b->arena, floats ? DT_F32 : DT_I64, shape_of(list ? 1 : 0, &dim));
    for (uint32_t k = 0; k < n && ok; k++) {
        struct thing item = list ? t.items[k] : t;
        ok = floats ? literal_float(b, item, &data.f[k]) : literal_int(b, item, &data.i[k]);
    }
    if (ok)
        *value = graph_const(b->graph, build_made_up(b, s, "const"), data);
    return ok;
}

bool
build_value(struct build *b, struct scope *s, struct thing t, uint32_t *value)
{
    switch (t.kind) {
    case T_VALUE:
        *value = t.value;
        return true;
    case T_NUMBER:
    case T_LIST:
        return constant(b, s, t, value);
    case T_BAD:
        return false;
    case T_TEXT:
        build_error(b, E_DSL_KIND, t.loc, "a string where a value is needed");
        diag_hint(b->diag, "odd names are written in `backticks`");
        return false;
    case T_DIMS:
        return build_error(b, E_DSL_KIND, t.loc, "a size where a value is needed");
    case T_NONE:
        return build_error(b, E_DSL_KIND, t.loc, "_ where a value is needed");
    }
    return false;
}

/* ---- expressions --------------------------------------------------------------------------- */

static struct thing
joined(struct build *b, const struct dsl_expr *e, struct thing x, struct thing y)
{
    struct thing t = {.kind = T_TEXT, .loc = e->loc};
    t.text = arena_printf(b->arena, "%s%s", x.text, y.text);
    if (strlen(t.text) > DSL_MAX_NAME) {
        stop(b, e->loc, "a name grows too long");
        t.kind = T_BAD;
    }
    return t;
}

static struct thing
operation(struct build *b, struct scope *s, const struct dsl_expr *e, const struct want *want)
{
    static const struct {
        char op;
        enum op_id id;
        const char *name;
    } rows[] = {{'+', OP_add, "add"}, {'-', OP_sub, "sub"}, {'*', OP_mul, "mul"},
                {'/', OP_div, "div"}, {'^', OP_pow, "pow"}, {'n', OP_neg, "neg"}};
    struct thing result = {.kind = T_BAD, .loc = e->loc};
    struct thing x = build_eval(b, s, e->a, NULL);
    struct thing y = e->b ? build_eval(b, s, e->b, NULL) : x;
    uint32_t in[2] = {NONE, NONE}, k = 0;

    if (x.kind == T_BAD || y.kind == T_BAD)
        return result;
    if (x.kind == T_TEXT && y.kind == T_TEXT && e->op == '+')
        return joined(b, e, x, y);
    if (x.kind != T_VALUE && y.kind != T_VALUE) {
        build_error(b, E_DSL_KIND, e->loc, "only values, and strings with +, can be computed with");
        return result;
    }
    if (!build_value(b, s, x, &in[0]) || (e->b && !build_value(b, s, y, &in[1])))
        return result;
    while (rows[k].op != e->op)
        k++;
    const char *made = want ? NULL : build_made_up(b, s, rows[k].name);
    struct want own = {.out = &made, .n = 1};
    build_node(b, rows[k].id, in, e->b ? 2 : 1, want ? want : &own, e->loc, &result);
    return result;
}

static struct thing
call(struct build *b, struct scope *s, const struct dsl_expr *e, const struct want *want)
{
    struct thing result;
    const char *made = NULL;
    struct want own = {.out = &made, .n = 1};
    if (!want) {
        char lower[40] = "";
        for (size_t k = 0; k + 1 < sizeof lower && e->text[k]; k++)
            lower[k] =
                (char)(e->text[k] >= 'A' && e->text[k] <= 'Z' ? e->text[k] + 32 : e->text[k]);
        made = build_made_up(b, s, lower);
    }
    build_call(b, s, e, want ? want : &own, &result);
    return result;
}

static struct thing
list(struct build *b, struct scope *s, const struct dsl_expr *e)
{
    struct thing t = {.kind = T_LIST, .loc = e->loc, .n = e->items.len};
    struct thing *items = ARENA_ARRAY(b->arena, struct thing, t.n + 1);
    for (uint32_t k = 0; k < t.n; k++) {
        items[k] = build_eval(b, s, e->items.at[k], NULL);
        if (items[k].kind != T_BAD && items[k].kind != T_NUMBER && items[k].kind != T_TEXT)
            build_error(b, E_DSL_KIND, items[k].loc, "a list holds numbers or strings");
        if (items[k].kind != T_NUMBER && items[k].kind != T_TEXT)
            t.kind = T_BAD;
    }
    t.items = items;
    return t;
}

static struct thing
eval_kind(struct build *b, struct scope *s, const struct dsl_expr *e, const struct want *want)
{
    struct thing t = {.kind = T_BAD, .loc = e->loc, .text = e->text};
    switch (e->kind) {
    case X_NAME:
        return look_up(b, s, e);
    case X_STRING:
        t.kind = T_TEXT;
        return t;
    case X_NUMBER:
        t.kind = T_NUMBER;
        return t;
    case X_DIMS:
        t.kind = T_DIMS;
        return t;
    case X_NONE:
        t.kind = T_NONE;
        return t;
    case X_LIST:
        return list(b, s, e);
    case X_CALL:
        return call(b, s, e, want);
    case X_BINARY:
        return operation(b, s, e, want);
    default: /* the grammar puts the others only where they are read without build_eval */
        build_error(b, E_DSL_KIND, e->loc, "no value can stand here");
        return t;
    }
}

struct thing
build_eval(struct build *b, struct scope *s, const struct dsl_expr *e, const struct want *want)
{
    struct thing t = {.kind = T_BAD, .loc = e->loc};
    if (b->stopped)
        return t;
    if (b->steps-- <= 0)
        stop(b, e->loc, "the blocks unfold into more than olac accepts");
    else if (b->depth >= DSL_MAX_DEPTH)
        stop(b, e->loc, "blocks and expressions are nested too deep");
    else {
        b->depth++;
        t = eval_kind(b, s, e, want);
        b->depth--;
    }
    return t;
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* Parameters: by position, then by name as in residual(x, "layer1", stride 2). */
static bool
bind_arguments(struct build *b, struct scope *s, const struct dsl_expr *call,
               const struct dsl_stmt *block, struct scope *inner)
{
    uint32_t n = 0, at;
    bool ok = true;
    for (uint32_t k = 0; k < call->items.len; k++) {
        const struct dsl_expr *e = call->items.at[k];
        const char *name = e->kind == X_OPTION    ? e->text
                           : n < block->items.len ? block->items.at[n]->text
                                                  : NULL;
        struct thing t = {.kind = T_BAD};
        if (e->kind == X_OPTION && (e->a->kind == X_TYPED || e->a->kind == X_TENSOR))
            build_error(b, E_DSL_KIND, e->loc, "a block takes values, numbers, strings and lists");
        else
            t = build_eval(b, s, e->kind == X_OPTION ? e->a : e, NULL);
        ok &= t.kind != T_BAD;
        n += e->kind != X_OPTION;
        bool known = false;
        for (uint32_t i = 0; name && i < block->items.len; i++)
            known |= strcmp(block->items.at[i]->text, name) == 0;
        if (!known)
            ok = e->kind == X_OPTION ? build_error(b, E_DSL_OPTION, e->loc,
                                                   "%s has no parameter '%.80s'", block->name, name)
                                     : build_error(b, E_DSL_ARITY, e->loc, "%s takes %u arguments",
                                                   block->name, block->items.len);
        else if (map_get(&inner->names, name, &at))
            ok = build_error(b, E_DSL_OPTION, e->loc, "'%.80s' is given twice", name);
        else
            build_bind(b, inner, name, t);
    }
    for (uint32_t i = 0; i < block->items.len; i++)
        if (!map_get(&inner->names, block->items.at[i]->text, &at))
            ok = build_error(b, E_DSL_ARITY, call->loc, "%s: its parameter '%.80s' is not given",
                             block->name, block->items.at[i]->text);
    return ok;
}

/* target = value inside a block. */
static void
local(struct build *b, struct scope *s, const struct dsl_stmt *st)
{
    uint32_t n = st->items.len, at;
    const char **out = ARENA_ARRAY(b->arena, const char *, n);
    struct thing *results = ARENA_ARRAY(b->arena, struct thing, n);
    struct want want = {.out = out, .n = n};
    uint32_t before = b->graph->nodes.len;

    s->current = arena_printf(b->arena, "%s.%s", s->prefix, st->items.at[0]->text);
    for (uint32_t k = 0; k < n; k++) {
        const char *name = st->items.at[k]->text;
        out[k] = *name ? build_unique(b, arena_printf(b->arena, "%s.%s", s->prefix, name)) : "";
        if (*name && map_get(&s->names, name, &at))
            build_error(b, E_DSL_DUPLICATE, st->items.at[k]->loc,
                        "there is a '%.80s' in this block already", name);
    }
    if (s->returned && n == 1 && strcmp(st->items.at[0]->text, s->returned) == 0)
        want = *s->want;
    if (n == 1)
        results[0] = build_eval(b, s, st->value, &want);
    else if (st->value->kind == X_CALL)
        build_call(b, s, st->value, &want, results);
    else
        build_error(b, E_DSL_ARITY, st->value->loc, "only a call has several results");
    if (build_as(st))
        build_error(b, E_DSL_BLOCK, st->loc,
                    "nodes of a block are named by what they make: no 'as'");
    build_post(b, st, before, results[0]);
    for (uint32_t k = 0; k < n; k++)
        if (st->items.at[k]->kind == X_NAME)
            build_bind(b, s, st->items.at[k]->text, results[k]);
}

struct thing
build_inline(struct build *b, struct scope *s, const struct dsl_expr *call, uint32_t index,
             const struct want *want)
{
    const struct dsl_stmt *block = b->block_list.at[index];
    const struct dsl_stmt *last = block->body.at[block->body.len - 1];
    struct scope inner = {
        .blocks = index, .prefix = want->out[0], .current = want->out[0], .want = want};
    struct thing t = {.kind = T_BAD, .loc = call->loc};

    if (last->value->kind == X_NAME)
        inner.returned = last->value->text;
    if (b->block_depth >= DSL_MAX_BLOCKS) {
        stop(b, call->loc, "blocks use blocks too deep");
        return t;
    }
    if (!bind_arguments(b, s, call, block, &inner))
        return t;
    b->block_depth++;
    for (uint32_t k = 0; k + 1 < block->body.len && !b->stopped; k++) {
        local(b, &inner, block->body.at[k]);
        b->steps--;
    }
    inner.current = inner.prefix;
    t = build_eval(b, &inner, last->value, want);
    b->block_depth--;
    return t;
}
