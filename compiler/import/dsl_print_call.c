/* dsl_print_call.c - a node as a call: short where dsl_sugar.h means exactly this node, else with
 * all its attributes; see dsl_print.h. */
#include "import/dsl_print.h"

#include "import/dsl_sugar.h"
#include "import/dsl_words.h"
#include "op/op.h"

#include <string.h>

static void
value_name(struct printer *p, uint32_t v)
{
    if (v == NONE)
        str_add(&p->out, "_");
    else
        words_name(&p->out, p->g->values.at[v].name);
}

/* ---- attributes ---------------------------------------------------------------------------- */

static void
element(struct printer *p, const struct attr *at, uint32_t k)
{
    if (at->kind == ATTR_INT || at->kind == ATTR_INTS)
        str_addf(&p->out, "%lld", (long long)at->ints[k]);
    else if (at->kind == ATTR_FLOAT || at->kind == ATTR_FLOATS)
        print_float(&p->out, at->floats[k], true);
    else
        words_string(&p->out, at->strings[k]);
}

static void
attribute(struct printer *p, const struct node *n, const struct attr *at)
{
    static const char *const empty[] = {
        [ATTR_INTS] = "ints ", [ATTR_FLOATS] = "floats ", [ATTR_STRINGS] = "strings "};
    words_name(&p->out, at->name);
    str_add(&p->out, " ");
    if (at->kind == ATTR_TENSOR) {
        print_type(&p->out, at->tensor.dtype, &at->tensor.shape);
        print_data(p, &at->tensor, arena_printf(p->a, "%s.%s", n->name, at->name), NULL);
    } else if (at->kind == ATTR_INT || at->kind == ATTR_FLOAT || at->kind == ATTR_STRING) {
        element(p, at, 0);
    } else {
        str_addf(&p->out, "%s[", at->count ? "" : empty[at->kind]);
        for (uint32_t k = 0; k < at->count; k++) {
            str_add(&p->out, k ? ", " : "");
            element(p, at, k);
        }
        str_add(&p->out, "]");
    }
}

/* ---- short forms --------------------------------------------------------------------------- */

/* "conv1" when the constants are conv1.weight, conv1.bias ...; NULL otherwise. */
static const char *
weights_prefix(struct printer *p, const struct node *n, const struct sugar *u)
{
    const char *prefix = NULL;
    for (uint32_t k = 1; k < n->in.len; k++) {
        const struct value *v = &p->g->values.at[n->in.at[k]];
        size_t len = strlen(v->name), tail = strlen(u->weights[k - 1]);
        if (v->kind != VALUE_CONST || len < tail + 2 || v->name[len - tail - 1] != '.' ||
            strcmp(v->name + len - tail, u->weights[k - 1]) != 0)
            return NULL;
        const char *own = arena_strndup(p->a, v->name, len - tail - 1);
        if (prefix && strcmp(prefix, own) != 0)
            return NULL;
        prefix = own;
    }
    return prefix;
}

static void
inputs(struct printer *p, const struct node *n, const struct sugar *u)
{
    const char *prefix = u->weights[0] ? weights_prefix(p, n, u) : NULL;
    value_name(p, n->in.at[0]);
    if (prefix) {
        str_add(&p->out, ", ");
        words_string(&p->out, prefix);
        if (n->in.len == sugar_weights(u))
            str_addf(&p->out, ", no %s", u->optional);
        return;
    }
    for (uint32_t k = 1; k < n->in.len; k++) {
        str_add(&p->out, ", ");
        value_name(p, n->in.at[k]);
    }
}

static bool
all_are(const int64_t *v, uint32_t n, int64_t what)
{
    for (uint32_t k = 0; k < n; k++)
        if (v[k] != what)
            return false;
    return true;
}

/* 2x1, or 2 when all are alike. */
static void
size_text(struct str *out, const int64_t *v, uint32_t n)
{
    for (uint32_t k = 0; k < (all_are(v, n, v[0]) ? 1 : n); k++)
        str_addf(out, "%s%lld", k ? "x" : "", (long long)v[k]);
}

static void
window(struct printer *p, const char *name, const int64_t *v, uint32_t n, const int64_t *usual)
{
    if (memcmp(v, usual, n * sizeof *v) == 0)
        return;
    str_addf(&p->out, ", %s ", name);
    size_text(&p->out, v, n);
}

static void
padding(struct printer *p, const struct spatial *s)
{
    if (all_are(s->pad, 2 * s->n, 0))
        return;
    str_add(&p->out, ", pad ");
    if (memcmp(s->pad, s->pad + s->n, s->n * sizeof *s->pad) == 0) {
        size_text(&p->out, s->pad, s->n);
        return;
    }
    for (uint32_t k = 0; k < 2 * s->n; k++)
        str_addf(&p->out, "%s%lld", k ? ", " : "[", (long long)s->pad[k]);
    str_add(&p->out, "]");
}

static bool
ints_of(const struct node *n, const char *name, int64_t *out, uint32_t count, int64_t least)
{
    const struct attr *at = graph_find_attr(n, name);
    if (!at || (at->kind != ATTR_INTS && at->kind != ATTR_INT) || at->count != count)
        return false;
    for (uint32_t k = 0; k < count; k++) {
        if (at->ints[k] < least || at->ints[k] > INT32_MAX)
            return false;
        out[k] = at->ints[k];
    }
    return true;
}

static bool
same_attrs(const struct node *n, const struct attrs *made)
{
    if (n->attrs.len != made->len)
        return false;
    for (uint32_t k = 0; k < made->len; k++)
        if (!attr_equal(&n->attrs.at[k], &made->at[k]))
            return false;
    return true;
}

/* Reads a node's window; true when the short form would give the very same attributes. */
static bool
spatial_of(struct printer *p, const struct node *n, const struct sugar *u, struct spatial *s)
{
    const struct attr *kernel = graph_find_attr(n, "kernel_shape");
    *s = (struct spatial){.groups = 1};
    if (!kernel || kernel->kind != ATTR_INTS || kernel->count == 0 || kernel->count > MAX_RANK - 2)
        return false;
    s->n = kernel->count;
    if (!ints_of(n, "kernel_shape", s->kernel, s->n, 1) ||
        !ints_of(n, "strides", s->stride, s->n, 1) || !ints_of(n, "pads", s->pad, 2 * s->n, 0))
        return false;
    if (u->form != FORM_POOL) {
        const struct value *w = &p->g->values.at[n->in.at[1]];
        if (w->kind != VALUE_CONST || w->shape.rank != (int)s->n + 2 ||
            memcmp(w->shape.dim + 2, s->kernel, s->n * sizeof *s->kernel) != 0 ||
            !ints_of(n, "dilations", s->dilation, s->n, 1) ||
            !ints_of(n, "group", &s->groups, 1, 1))
            return false;
        bool depthwise = s->groups > 1 && s->groups == w->shape.dim[0] && w->shape.dim[1] == 1;
        if (depthwise != (u->form == FORM_DEPTHWISE))
            return false;
    }
    struct attrs made = sugar_spatial(p->a, u, s, p->g->opset);
    return same_attrs(n, &made);
}

static bool
spatial_call(struct printer *p, const struct node *n, const struct sugar *u)
{
    static const int64_t ones[MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct spatial s;
    if (!spatial_of(p, n, u, &s))
        return false;
    str_addf(&p->out, "%s(", u->name);
    inputs(p, n, u);
    if (u->form == FORM_POOL) {
        str_add(&p->out, ", ");
        for (uint32_t k = 0; s.n > 1 && k < s.n; k++)
            str_addf(&p->out, "%s%lld", k ? "x" : "", (long long)s.kernel[k]);
        if (s.n == 1)
            str_addf(&p->out, "[%lld]", (long long)s.kernel[0]);
    }
    window(p, "stride", s.stride, s.n, u->form == FORM_POOL ? s.kernel : ones);
    padding(p, &s);
    if (u->form != FORM_POOL)
        window(p, "dilation", s.dilation, s.n, ones);
    if (u->form == FORM_CONV && s.groups != 1)
        str_addf(&p->out, ", groups %lld", (long long)s.groups);
    str_add(&p->out, ")");
    return true;
}

static bool
plain_call(struct printer *p, const struct node *n, const struct sugar *u)
{
    bool usual[3] = {0};
    uint32_t k = 0, there = 0;
    for (; k < 3 && u->options[k].attr; k++) {
        const struct sugar_option *o = &u->options[k];
        if (p->g->opset < o->since)
            continue;
        if (there == n->attrs.len || strcmp(n->attrs.at[there].name, o->attr) != 0 ||
            n->attrs.at[there].kind != o->kind)
            return false;
        if (o->otherwise) {
            struct attr made = sugar_default(p->a, o);
            usual[k] = attr_equal(&made, &n->attrs.at[there]);
        }
        if ((!o->name && !usual[k]) || (o->kind == ATTR_INTS && n->attrs.at[there].count == 0))
            return false;
        there++;
    }
    if (there != n->attrs.len)
        return false;
    str_addf(&p->out, "%s(", u->name);
    inputs(p, n, u);
    there = 0;
    for (k = 0; k < 3 && u->options[k].attr; k++) {
        if (p->g->opset < u->options[k].since)
            continue;
        if (!usual[k]) {
            str_add(&p->out, ", ");
            attribute(p, n, &n->attrs.at[there]);
        }
        there++;
    }
    str_add(&p->out, ")");
    return true;
}

static bool
short_call(struct printer *p, const struct node *n)
{
    for (uint32_t k = 0; k < n->in.len; k++)
        if (n->in.at[k] == NONE)
            return false;
    for (uint32_t k = 0; n->in.len && sugar_at(k); k++) {
        const struct sugar *u = sugar_at(k);
        uint32_t weights = sugar_weights(u), extra = n->in.len - 1;
        if (u->op != n->op || (u->form == FORM_POOL && extra))
            continue;
        if (weights && extra != weights && (!u->optional || extra != weights - 1))
            continue;
        if (u->form == FORM_PLAIN ? plain_call(p, n, u) : spatial_call(p, n, u))
            return true;
    }
    return false;
}

static bool
operation(struct printer *p, const struct node *n)
{
    static const struct {
        enum op_id op;
        const char *sign;
    } rows[] = {
        {OP_add, " + "}, {OP_sub, " - "}, {OP_mul, " * "}, {OP_div, " / "}, {OP_pow, " ^ "}};
    if (n->attrs.len || n->out.len != 1 || n->in.len == 0 || n->in.at[0] == NONE)
        return false;
    if (n->op == OP_neg && n->in.len == 1) {
        str_add(&p->out, "-");
        value_name(p, n->in.at[0]);
        return true;
    }
    for (size_t k = 0; k < sizeof rows / sizeof *rows && n->in.len == 2 && n->in.at[1] != NONE; k++)
        if (rows[k].op == n->op) {
            value_name(p, n->in.at[0]);
            str_add(&p->out, rows[k].sign);
            value_name(p, n->in.at[1]);
            return true;
        }
    return false;
}

void
print_call(struct printer *p, const struct node *n)
{
    if (operation(p, n) || short_call(p, n))
        return;
    str_addf(&p->out, "%s(", op_row(n->op)->onnx);
    for (uint32_t k = 0; k < n->in.len; k++) {
        str_add(&p->out, k ? ", " : "");
        value_name(p, n->in.at[k]);
    }
    for (uint32_t k = 0; k < n->attrs.len; k++) {
        str_add(&p->out, k ? ", " : "; ");
        attribute(p, n, &n->attrs.at[k]);
    }
    str_add(&p->out, ")");
}
