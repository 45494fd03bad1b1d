/* front.c - the part of a network that the client computes in the clear: tables of its linear maps,
 * and a line of C for each of its steps.
 *
 * Values lie one behind the other in one array of doubles. A row of a map is a list of weights and
 * a list of taps: which of the weights, and an offset from the row's first argument. Equal lists
 * are kept once, a row whose weights are some of a longer row's uses that one's, and rows that
 * differ in the first argument alone are one run. So a convolution takes its kernel, a run a line
 * of pixels, and taps for each part of its border. */
#include "emit/room.h"

#include "ir/tp.h"

#include <math.h>
#include <string.h>

/* Numbers in the tables, at most: some 100 MB of C. */
#define MOST ((uint32_t)1 << 23)

struct list_at {
    uint32_t at, n;
};

/* Lists of 32-bit words, each kept once. */
struct lists {
    VEC(uint32_t) word;
    VEC(struct list_at) list;
    uint32_t *slot; /* open addressing: list + 1, 0 free; a power of two, at most half full */
    uint32_t slots;
};

/* `rows` rows of one map: the r-th reads from value first + r step on. tap: of its words, two for
 * each of `count` taps. */
struct run {
    uint32_t rows, first, count, tap, weight;
    int64_t step;
    double bias;
};

struct tables {
    struct arena *a;
    struct lists taps, weights;
    VEC(struct run) runs;
    uint32_t *place; /* by node: its first value */
    uint32_t size;
};

/* How an activation of the graph is written in C; %s are the attributes, in order. */
static const struct activation {
    enum op_id op;
    const char *text;
    struct {
        const char *name;
        double otherwise;
    } attr[2];
} activations[] = {
    {OP_relu, "x < 0 ? 0 : x", {{0}}},
    {OP_leakyrelu, "x < 0 ? %s * x : x", {{"alpha", 0.01}}},
    {OP_sigmoid, "1 / (1 + exp(-x))", {{0}}},
    {OP_tanh, "tanh(x)", {{0}}},
    {OP_gelu, "0.5 * x * (1 + erf(x / 1.41421356237309504880))", {{0}}},
    {OP_silu, "x / (1 + exp(-x))", {{0}}},
    {OP_hardsigmoid, "fmin(1, fmax(0, %s * x + %s))", {{"alpha", 0.2}, {"beta", 0.5}}},
    {OP_hardswish, "x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6", {{0}}},
    {OP_softplus, "(x > 0 ? x : 0) + log1p(exp(-fabs(x)))", {{0}}},
    {OP_softsign, "x / (1 + fabs(x))", {{0}}},
    {OP_elu, "x < 0 ? %s * expm1(x) : x", {{"alpha", 1}}},
    {OP_selu,
     "%s * (x > 0 ? x : %s * expm1(x))",
     {{"gamma", 1.05070102214813232421875}, {"alpha", 1.67326319217681884765625}}},
    {OP_celu, "x < 0 ? %s * expm1(x / %s) : x", {{"alpha", 1}, {"alpha", 1}}},
    {OP_sign, "(x > 0) - (x < 0)", {{0}}},
    {OP_mish, "x * tanh((x > 0 ? x : 0) + log1p(exp(-fabs(x))))", {{0}}},
    {OP_thresholdedrelu, "x > %s ? x : 0", {{"alpha", 1}}},
    {OP_erf, "erf(x)", {{0}}},
    {OP_exp, "exp(x)", {{0}}},
    {OP_log, "log(x)", {{0}}},
    {OP_sqrt, "sqrt(x)", {{0}}},
    {OP_reciprocal, "1 / x", {{0}}},
    {OP_rsqrt, "1 / sqrt(x)", {{0}}},
    {OP_abs, "fabs(x)", {{0}}},
    {OP_sin, "sin(x)", {{0}}},
    {OP_cos, "cos(x)", {{0}}},
    {OP_clip, NULL, {{0}}}, /* its bounds may be inputs */
    {OP_prelu, NULL, {{0}}},
};

/* Gelu with approximate = "tanh". */
static const struct activation gelu_by_tanh = {
    OP_gelu, "0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)))", {{0}}};

/* The graph's node that a polynomial stands for; NULL: none. */
static const struct node *
node_of(const struct tp *t, const struct tp_node *n)
{
    uint32_t at;
    return map_get(&t->graph->node_names, n->name, &at) ? &t->graph->nodes.at[at] : NULL;
}

static const struct activation *
activation_of(const struct node *n)
{
    const struct attr *form = n ? graph_find_attr(n, "approximate") : NULL;
    if (form && form->kind == ATTR_STRING && strcmp(form->strings[0], "none") != 0)
        return &gelu_by_tanh;
    for (size_t k = 0; n && k < sizeof activations / sizeof *activations; k++)
        if (activations[k].op == n->op)
            return &activations[k];
    return NULL;
}

static void
clip(const struct tp *t, const struct node *n, struct str *out)
{
    static const char *const names[] = {"min", "max"};

    str_add(out, "x");
    for (uint32_t k = 0; k < 2; k++) {
        const struct attr *attr = graph_find_attr(n, names[k]);
        double bound = k ? HUGE_VAL : -HUGE_VAL;
        if (n->in.len > k + 1 && n->in.at[k + 1] != NONE) {
            const struct tensor *c = &graph_value(t->graph, n->in.at[k + 1])->data;
            bound = c->f ? (double)c->f[0] : (double)c->i[0];
        } else if (attr && attr->kind == ATTR_FLOAT)
            bound = (double)attr->floats[0];
        if (isinf(bound))
            continue;
        struct str wrapped = {0};
        str_addf(&wrapped, "%s(%s, ", k ? "fmin" : "fmax", str_text(out));
        str_double(&wrapped, bound);
        str_add(&wrapped, ")");
        str_free(out);
        *out = wrapped;
    }
}

/* The slopes of a PRelu, one or one a channel. */
static const struct tensor *
slopes_of(const struct tp *t, const struct node *n)
{
    return &graph_value(t->graph, n->in.at[1])->data;
}

/* Their table, for node k, where there are several. */
static void
slopes(const struct tp *t, const struct node *n, uint32_t k, struct str *out)
{
    const struct tensor *s = slopes_of(t, n);
    int64_t count = shape_size(&s->shape);

    if (count == 1)
        return;
    str_addf(out, "    static const double slope_%u[] = {", k);
    for (int64_t i = 0; i < count; i++) {
        str_add(out, i % 8 ? " " : "\n        ");
        str_double(out, (double)s->f[i]);
        str_add(out, ",");
    }
    str_add(out, "\n    };\n");
}

static void
prelu(const struct tp *t, const struct node *n, uint32_t k, struct str *out)
{
    const struct tensor *s = slopes_of(t, n);
    const struct shape *shape = &graph_value(t->graph, n->in.at[0])->shape;
    int axis;
    uint32_t channels = graph_channels(shape, &axis);
    int64_t inner = 1;

    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    str_add(out, "x < 0 ? ");
    if (shape_size(&s->shape) == 1)
        str_double(out, (double)s->f[0]);
    else
        str_addf(out, "slope_%u[i / %lld %% %u]", k, (long long)inner, channels);
    str_add(out, " * x : x");
}

/* That of TP node k, from x, for element i. */
static void
expression(const struct tp *t, uint32_t node, struct str *out)
{
    const struct node *n = node_of(t, &t->nodes.at[node]);
    const struct activation *f = activation_of(n);
    uint32_t k = 0;

    if (!f->text) {
        if (n->op == OP_prelu)
            prelu(t, n, node, out);
        else
            clip(t, n, out);
        return;
    }
    for (const char *s = f->text; *s; s++) {
        if (*s != '%') {
            str_addn(out, s, 1);
            continue;
        }
        const struct attr *attr = graph_find_attr(n, f->attr[k].name);
        str_add(out, "(");
        str_double(out, attr && attr->kind == ATTR_FLOAT ? (double)attr->floats[0]
                                                         : f->attr[k].otherwise);
        str_add(out, ")");
        k++;
        s++;
    }
}

/* ---- the tables ------------------------------------------------------------------------------ */

static uint32_t
hash_of(const uint32_t *word, uint32_t n)
{
    uint32_t h = 2166136261u; /* FNV-1a, a word at a time */
    for (uint32_t k = 0; k < n; k++)
        h = (h ^ word[k]) * 16777619u;
    return h ^ h >> 15;
}

static void
grow(struct arena *a, struct lists *l)
{
    uint32_t slots = l->slots ? 2 * l->slots : 1024;
    uint32_t *slot = ARENA_ARRAY(a, uint32_t, slots);

    for (uint32_t k = 0; k < l->list.len; k++) {
        uint32_t h = hash_of(l->word.at + l->list.at[k].at, l->list.at[k].n) & (slots - 1);
        while (slot[h])
            h = (h + 1) & (slots - 1);
        slot[h] = k + 1;
    }
    l->slot = slot;
    l->slots = slots;
}

/* Where the list stands, after it was added if it is new. */
static uint32_t
keep(struct arena *a, struct lists *l, const uint32_t *word, uint32_t n)
{
    if (2 * l->list.len >= l->slots)
        grow(a, l);
    uint32_t h = hash_of(word, n) & (l->slots - 1);
    for (; l->slot[h]; h = (h + 1) & (l->slots - 1)) {
        const struct list_at *at = &l->list.at[l->slot[h] - 1];
        if (at->n == n && (!n || memcmp(l->word.at + at->at, word, n * sizeof *word) == 0))
            return at->at;
    }
    struct list_at made = {l->word.len, n};
    for (uint32_t k = 0; k < n; k++)
        vec_push(a, &l->word, word[k]);
    vec_push(a, &l->list, made);
    l->slot[h] = l->list.len;
    return made.at;
}

/* A row behind the others, in the last run where it fits. begin: the map's first run. */
static void
add_row(struct tables *t, uint32_t begin, const struct run *row)
{
    struct run *last = t->runs.len > begin ? &t->runs.at[t->runs.len - 1] : NULL;
    int64_t step = last ? (int64_t)row->first - last->first : 0;

    bool same = last && last->count == row->count && last->tap == row->tap &&
                last->weight == row->weight && !(last->bias < row->bias) &&
                !(last->bias > row->bias);
    if (same && last->rows == 1)
        last->step = step;
    if (same && step == last->rows * last->step)
        last->rows++;
    else
        vec_push(t->a, &t->runs, *row);
}

/* The values that one row reads, and its weights. */
struct row {
    VEC(uint32_t) from, weight; /* values; bits of floats */
};

static void
read_row(const struct tables *t, struct arena *scratch, const struct tp_arg *arg, uint32_t r,
         struct row *row)
{
    const struct matrix *m = arg->m;

    row->from.len = row->weight.len = 0;
    for (uint32_t e = m->start[r]; e < m->start[r + 1]; e++) {
        uint32_t bits;
        memcpy(&bits, &m->val[e], sizeof bits);
        vec_push(scratch, &row->from, t->place[arg->value] + m->col[e]);
        vec_push(scratch, &row->weight, bits);
    }
}

/* Whether the row's weights are some of base's, in order; which ones, to the first words of the
 * taps. */
static bool
picks(const struct row *row, const struct row *base, uint32_t *taps)
{
    uint32_t at = 0;

    for (uint32_t k = 0; k < row->weight.len; k++, at++) {
        while (at < base->weight.len && base->weight.at[at] != row->weight.at[k])
            at++;
        if (at == base->weight.len)
            return false;
        taps[2 * k] = at;
    }
    return true;
}

static void
keep_row(struct tables *t, const struct row *row, const struct row *base, uint32_t begin,
         double bias)
{
    struct arena *scratch = arena_new();
    uint32_t count = row->weight.len, *taps = ARENA_ARRAY(scratch, uint32_t, 2 * (size_t)count + 1);
    struct run run = {
        .rows = 1, .bias = bias, .count = count, .first = count ? row->from.at[0] : 0};

    if (!picks(row, base, taps)) {
        base = row;
        picks(row, row, taps);
    }
    for (uint32_t k = 0; k < count; k++)
        taps[2 * k + 1] = row->from.at[k] - run.first; /* modulo 2^32: may be negative */
    run.tap = keep(t->a, &t->taps, taps, 2 * count);
    run.weight = keep(t->a, &t->weights, base->weight.at, base->weight.len);
    add_row(t, begin, &run);
    arena_free(scratch);
}

static uint32_t
longest_row(const struct matrix *m, uint32_t first, uint32_t n)
{
    uint32_t best = first;

    for (uint32_t r = first; r < first + n && r < m->rows; r++)
        best = m->start[r + 1] - m->start[r] > m->start[best + 1] - m->start[best] ? r : best;
    return best;
}

static bool
small_enough(const struct tables *t)
{
    return t->weights.word.len + t->taps.word.len < MOST;
}

/* What a node takes of its argument k; the rows of a channel share the weights of its longest.
 * False when the tables are too large. */
static bool
add_map(struct tables *t, const struct tp_node *n, uint32_t k)
{
    struct arena *scratch = arena_new();
    struct row row = {{0}, {0}}, base = {{0}, {0}};
    const struct tp_arg *arg = &n->args.at[k];
    uint32_t begin = t->runs.len, inner = 1;
    int axis;

    graph_channels(&n->shape, &axis);
    for (int d = axis + 1; d < n->shape.rank; d++)
        inner *= (uint32_t)n->shape.dim[d];
    for (uint32_t r = 0; r < n->n && small_enough(t); r++) {
        if (r % inner == 0)
            read_row(t, scratch, arg, longest_row(arg->m, r, inner), &base);
        read_row(t, scratch, arg, r, &row);
        keep_row(t, &row, &base, begin, k == 0 && n->bias ? n->bias[r] : 0);
    }
    arena_free(scratch);
    return small_enough(t);
}

/* The places of all values; false when there are too many. */
static bool
places(struct tables *t, const struct tp *front)
{
    uint64_t size = 0;

    t->place = ARENA_ARRAY(t->a, uint32_t, front->nodes.len + 1);
    for (uint32_t k = 0; k < front->nodes.len && size < INT32_MAX; k++) {
        t->place[k] = (uint32_t)size;
        size += front->nodes.at[k].n;
    }
    t->size = (uint32_t)size;
    return size < INT32_MAX;
}

bool
emit_front_check(struct arena *a, const struct tp *front, struct diag *d)
{
    struct tables t = {.a = a};
    bool ok = places(&t, front);

    for (uint32_t k = 0; k < front->nodes.len && ok; k++)
        for (uint32_t i = 0; i < front->nodes.at[k].args.len && ok; i++)
            ok = front->nodes.at[k].kind != TP_LINEAR || add_map(&t, &front->nodes.at[k], i);
    if (!ok)
        diag_error(d, E_SPLIT, PLACE_FILE(front->graph->file),
                   "the part in front has more weights than the client's C can hold");
    for (uint32_t k = 0; k < front->nodes.len; k++) {
        const struct tp_node *n = &front->nodes.at[k];
        const struct node *node = n->kind == TP_POLY ? node_of(front, n) : NULL;
        if (n->kind != TP_POLY || activation_of(node))
            continue;
        diag_error(d, E_SPLIT, (struct place){.file = front->graph->file, .node = n->name},
                   "%s cannot be computed in the client", node ? op_name(node->op) : "this");
        ok = false;
    }
    return ok;
}

/* ---- as text --------------------------------------------------------------------------------- */

static void
words(struct str *out, const char *type, const char *name, const struct lists *l, bool real)
{
    str_addf(out, "static const %s %s[] = {", type, name);
    for (uint32_t k = 0; k < l->word.len; k++) {
        float x;
        memcpy(&x, &l->word.at[k], sizeof x);
        str_add(out, k % 8 ? " " : "\n    ");
        if (real)
            str_double(out, (double)x);
        else
            str_addf(out, "%lld",
                     l->word.at[k] < 0x80000000u ? (long long)l->word.at[k]
                                                 : (long long)l->word.at[k] - 0x100000000);
        str_add(out, ",");
    }
    str_add(out, l->word.len ? "\n};\n\n" : "0};\n\n");
}

static void
run_rows(struct str *out, const struct tables *t)
{
    str_add(out, "static const struct run runs[] = {\n");
    for (uint32_t k = 0; k < t->runs.len; k++) {
        const struct run *r = &t->runs.at[k];
        str_addf(out, "    {%u, %u, %lld, %u, %u, %u, ", r->rows, r->first, (long long)r->step,
                 r->count, r->tap / 2, r->weight);
        str_double(out, r->bias);
        str_add(out, "},\n");
    }
    str_add(out, t->runs.len ? "};\n" : "    {0, 0, 0, 0, 0, 0, 0},\n};\n");
}

/* One line of C for a node of the front; its rows to the tables. */
static void
step(struct emitter *e, struct tables *t, uint32_t k, struct str *out)
{
    const struct tp *front = e->o->front;
    const struct tp_node *n = &front->nodes.at[k];
    uint32_t from = n->args.len ? t->place[n->args.at[0].value] : 0, begin = t->runs.len;

    if (n->kind == TP_INPUT)
        return;
    str_addf(out, "    /* %s, %s */\n", emit_plain(e->a, n->name), emit_shape(e->a, &n->shape));
    if (n->kind == TP_LINEAR) {
        for (uint32_t i = 0; i < n->args.len; i++, begin = t->runs.len) {
            add_map(t, n, i);
            str_addf(out, "    sums(v, v + %u, runs + %u, %u, %s);\n", t->place[k], begin,
                     t->runs.len - begin, i ? "true" : "false");
        }
        return;
    }
    const struct node *node = n->kind == TP_POLY ? node_of(front, n) : NULL;
    if (node && node->op == OP_prelu)
        slopes(front, node, k, out);
    str_addf(out, "    for (uint32_t i = 0; i < %u; i++)", n->n);
    if (n->kind == TP_MUL) {
        str_addf(out, "\n        v[%u + i] = v[%u + i] * v[%u + i];\n", t->place[k], from,
                 t->place[n->args.at[1].value]);
        return;
    }
    struct str f = {0};
    expression(front, k, &f);
    str_addf(out, " {\n        const double x = v[%u + i];\n        v[%u + i] = %s;\n    }\n", from,
             t->place[k], str_text(&f));
    str_free(&f);
}

void
emit_front(struct emitter *e, bool tables, struct str *out)
{
    const struct tp *front = e->o->front;
    struct tables t = {.a = e->a};
    struct str steps = {0};

    places(&t, front);
    for (uint32_t k = 0; k < front->nodes.len; k++)
        step(e, &t, k, &steps);
    if (tables) {
        words(out, "float", "weights", &t.weights, true);
        words(out, "int32_t", "taps", &t.taps, false);
        run_rows(out, &t);
    } else
        str_addf(out, "double *\n%s_front(double *v)\n{\n%s    return v + %u;\n}\n", e->name,
                 str_text(&steps), t.place[front->outputs.at[0]]);
    str_free(&steps);
}

uint32_t
emit_front_size(const struct emitter *e)
{
    struct tables t = {.a = e->a};
    places(&t, e->o->front);
    return t.size;
}
