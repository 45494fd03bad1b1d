/* weights.c - see weights.h. Outputs that share a weight make a channel; a weight that two channels
 * share, or two places of one output, ends it. */
#include "approximate/weights.h"
#include "op/conv.h"

#include <math.h>
#include <string.h>

/* Entries of a matrix that are looked at; a float tells so many numbers apart, too. */
#define MOST_ENTRIES ((uint32_t)1 << 23)

struct entry {
    uint32_t o, i, weight;
};

struct reading {
    struct arena *arena;
    uint32_t n_weights, n_bias, n_out;
    VEC(struct entry) entries;
    uint32_t *bias_of; /* [output]: NONE */
    bool ok;
};

/* ---- the matrix, its entries numbers of weights ------------------------------------ */

static void
on_entry(void *user, uint32_t in, uint32_t o, uint32_t i, double weight)
{
    struct reading *r = user;

    r->ok = r->ok && in == 0 && o < r->n_out && weight >= 1 && weight <= r->n_weights &&
            weight == floor(weight) && r->entries.len < MOST_ENTRIES;
    if (r->ok)
        vec_push(r->arena, &r->entries, (struct entry){o, i, (uint32_t)weight - 1});
}

static void
on_bias(void *user, uint32_t o, double value)
{
    struct reading *r = user;

    r->ok = r->ok && o < r->n_out && value >= 1 && value <= r->n_bias && value == floor(value) &&
            r->bias_of[o] == NONE;
    if (r->ok)
        r->bias_of[o] = (uint32_t)value - 1;
}

/* The constant's elements become 1, 2, 3 ... */
static uint32_t
number(struct arena *a, struct graph *g, uint32_t value)
{
    struct value *v = graph_value(g, value);
    uint32_t n = (uint32_t)shape_size(&v->shape);

    v->data = tensor_new(a, v->dtype, v->shape);
    for (uint32_t k = 0; k < n; k++)
        v->data.f[k] = (float)(k + 1);
    return n;
}

static bool
read_matrix(const struct graph *g, uint32_t node, struct reading *r)
{
    struct graph *c = graph_copy(r->arena, g);
    const struct node *n = &c->nodes.at[node];
    struct linear_sink sink = {r, on_entry, on_bias};
    struct diag *quiet = diag_new();

    r->n_weights = number(r->arena, c, n->in.at[1]);
    r->n_bias = n->in.len > 2 && n->in.at[2] != NONE ? number(r->arena, c, n->in.at[2]) : 0;
    r->n_out = (uint32_t)shape_size(&graph_value(c, n->out.at[0])->shape);
    r->bias_of = ARENA_ARRAY(r->arena, uint32_t, r->n_out + 1);
    for (uint32_t o = 0; o < r->n_out; o++)
        r->bias_of[o] = NONE;
    r->ok = true;
    r->ok = op_linear(c, node, 0, &sink, quiet) && r->ok && r->entries.len > 0;
    diag_free(quiet);
    return r->ok;
}

/* ---- channels ------------------------------------------------------------------ */

struct channels {
    uint32_t n, taps, positions;
    uint32_t *owner; /* [weight]: its channel */
    uint32_t *tap;   /* [weight]: its place among the channel's */
    uint32_t *first; /* [row + 1]: of its entries; a row is an output that has any */
    uint32_t *of;    /* [row]: its channel */
    uint32_t rows;
};

/* Cuts the entries, which come in ascending order of outputs, into rows. */
static void
cut_rows(const struct reading *r, struct channels *c)
{
    c->first = ARENA_ARRAY(r->arena, uint32_t, r->n_out + 2);
    c->of = ARENA_ARRAY(r->arena, uint32_t, r->n_out + 1);
    for (uint32_t e = 0; e < r->entries.len; e++)
        if (e == 0 || r->entries.at[e].o != r->entries.at[e - 1].o)
            c->first[c->rows++] = e;
    c->first[c->rows] = r->entries.len;
}

static bool
own(const struct reading *r, struct channels *c)
{
    c->owner = ARENA_ARRAY(r->arena, uint32_t, r->n_weights + 1);
    for (uint32_t w = 0; w < r->n_weights; w++)
        c->owner[w] = NONE;
    for (uint32_t row = 0; row < c->rows; row++) {
        uint32_t channel = NONE;
        for (uint32_t e = c->first[row]; e < c->first[row + 1]; e++) {
            uint32_t owner = c->owner[r->entries.at[e].weight];
            if (owner != NONE && channel != NONE && owner != channel)
                return false;
            channel = owner != NONE ? owner : channel;
        }
        channel = channel == NONE ? c->n++ : channel;
        for (uint32_t e = c->first[row]; e < c->first[row + 1]; e++)
            c->owner[r->entries.at[e].weight] = channel;
        c->of[row] = channel;
    }
    return true;
}

/* Every channel must have as many weights, and as many outputs, as every other. */
static bool
count(const struct reading *r, struct channels *c)
{
    uint32_t *weights = ARENA_ARRAY(r->arena, uint32_t, c->n + 1);
    uint32_t *rows = ARENA_ARRAY(r->arena, uint32_t, c->n + 1);

    c->tap = ARENA_ARRAY(r->arena, uint32_t, r->n_weights + 1);
    for (uint32_t w = 0; w < r->n_weights; w++)
        if (c->owner[w] != NONE)
            c->tap[w] = weights[c->owner[w]]++;
    for (uint32_t row = 0; row < c->rows; row++)
        rows[c->of[row]]++;
    for (uint32_t k = 1; k < c->n; k++)
        if (weights[k] != weights[0] || rows[k] != rows[0])
            return false;
    c->taps = weights[0];
    c->positions = rows[0];
    return true;
}

/* The rows of each channel, ascending: [channel][position]. */
static uint32_t *
rows_by_channel(const struct reading *r, const struct channels *c)
{
    uint32_t *rows = ARENA_ARRAY(r->arena, uint32_t, c->rows + 1);
    uint32_t *next = ARENA_ARRAY(r->arena, uint32_t, c->n + 1);

    for (uint32_t row = 0; row < c->rows; row++)
        rows[c->of[row] * c->positions + next[c->of[row]]++] = row;
    return rows;
}

/* from[position][tap] of one channel; false when a weight comes twice in an output. */
static bool
table(const struct reading *r, const struct channels *c, const uint32_t *rows, uint32_t *from)
{
    for (size_t k = 0; k < (size_t)c->positions * c->taps; k++)
        from[k] = NONE;
    for (uint32_t p = 0; p < c->positions; p++)
        for (uint32_t e = c->first[rows[p]]; e < c->first[rows[p] + 1]; e++) {
            uint32_t *at = &from[(size_t)p * c->taps + c->tap[r->entries.at[e].weight]];
            if (*at != NONE)
                return false;
            *at = r->entries.at[e].i;
        }
    return true;
}

static struct weight_group *
group_new(struct arena *a, const struct channels *c, bool bias, uint32_t most)
{
    struct weight_group *g = ARENA_NEW(a, struct weight_group);

    g->weight = ARENA_ARRAY(a, uint32_t, (size_t)most * c->taps + 1);
    g->bias = bias ? ARENA_ARRAY(a, uint32_t, most + 1) : NULL;
    g->out = ARENA_ARRAY(a, uint32_t, (size_t)most * c->positions + 1);
    return g;
}

/* Channel k joins the group. */
static bool
join(const struct reading *r, const struct channels *c, const uint32_t *rows, uint32_t k,
     struct weight_group *g)
{
    uint32_t at = g->channels++;

    for (uint32_t p = 0; p < c->positions; p++) {
        uint32_t o = r->entries.at[c->first[rows[p]]].o;
        g->out[(size_t)at * c->positions + p] = o;
        if (!g->bias)
            continue;
        if (r->bias_of[o] == NONE || (p && r->bias_of[o] != g->bias[at]))
            return false;
        g->bias[at] = r->bias_of[o];
    }
    for (uint32_t w = 0; w < r->n_weights; w++)
        if (c->owner[w] == k)
            g->weight[(size_t)at * c->taps + c->tap[w]] = w;
    return true;
}

/* Of each channel: what it reads is what the one before it reads. False when a table fails. */
static bool
compare_tables(const struct reading *r, const struct channels *c, const uint32_t *rows, bool *same)
{
    size_t size = (size_t)c->positions * c->taps;
    uint32_t *last = ARENA_ARRAY(r->arena, uint32_t, size + 1);
    uint32_t *from = ARENA_ARRAY(r->arena, uint32_t, size + 1);

    for (uint32_t k = 0; k < c->n; k++) {
        if (!table(r, c, rows + (size_t)k * c->positions, from))
            return false;
        same[k] = k > 0 && memcmp(last, from, size * sizeof *from) == 0;
        uint32_t *swap = last;
        last = from;
        from = swap;
    }
    return true;
}

static bool
make_groups(struct arena *a, const struct reading *r, const struct channels *c, struct weights *out)
{
    const uint32_t *rows = rows_by_channel(r, c);
    bool *same = ARENA_ARRAY(r->arena, bool, c->n + 1);
    VEC(struct weight_group) groups = {0};

    if (!compare_tables(r, c, rows, same))
        return false;
    for (uint32_t k = 0, end; k < c->n; k = end) {
        for (end = k + 1; end < c->n && same[end];)
            end++;
        vec_push(a, &groups, *group_new(a, c, r->n_bias > 0, end - k));
        struct weight_group *g = &groups.at[groups.len - 1];
        g->from = ARENA_ARRAY(a, uint32_t, (size_t)c->positions * c->taps + 1);
        table(r, c, rows + (size_t)k * c->positions, g->from);
        for (uint32_t i = k; i < end; i++)
            if (!join(r, c, rows + (size_t)i * c->positions, i, g))
                return false;
    }
    *out = (struct weights){c->taps, c->positions, groups.len, groups.at};
    return true;
}

/* ---- convolutions ------------------------------------------------------------------ */

/* from[position][tap] of a group whose first input channel is `first`; false when a tap, or an
 * output, meets nothing. */
static bool
conv_table(const struct conv *v, int64_t first, bool *met, uint32_t *from)
{
    int64_t at[MAX_RANK] = {0}, depth = v->in_ch * v->taps;
    bool all = true;

    memset(met, 0, (size_t)depth * sizeof *met);
    do {
        int64_t tap[MAX_RANK] = {0}, t = 0;
        bool any = false;
        do {
            int64_t offset = window_offset(&v->w, at, tap);
            for (int64_t channel = 0; channel < v->in_ch; channel++) {
                int64_t to = (first + channel) * v->area_in + offset;
                from[channel * v->taps + t] = offset < 0 ? NONE : (uint32_t)to;
                met[channel * v->taps + t] |= offset >= 0;
            }
            any |= offset >= 0;
            t++;
        } while (odometer(tap, v->w.kernel, v->w.dims));
        all = all && any;
        from += depth;
    } while (odometer(at, v->w.out, v->w.dims));
    for (int64_t t = 0; t < depth; t++)
        all = all && met[t];
    return all;
}

static struct weight_group
conv_group(struct arena *a, const struct conv *v, int64_t group, bool bias)
{
    uint32_t depth = (uint32_t)(v->in_ch * v->taps), first = (uint32_t)(group * v->out_ch);
    uint32_t positions = (uint32_t)v->area_out, channels = (uint32_t)v->out_ch;
    struct weight_group g = {.channels = channels};

    g.weight = ARENA_ARRAY(a, uint32_t, (size_t)channels * depth + 1);
    g.bias = bias ? ARENA_ARRAY(a, uint32_t, channels + 1) : NULL;
    g.out = ARENA_ARRAY(a, uint32_t, (size_t)channels * positions + 1);
    g.from = ARENA_ARRAY(a, uint32_t, (size_t)positions * depth + 1);
    for (uint32_t k = 0; k < channels * depth; k++)
        g.weight[k] = first * depth + k;
    for (uint32_t k = 0; bias && k < channels; k++)
        g.bias[k] = first + k;
    for (uint32_t k = 0; k < channels * positions; k++)
        g.out[k] = first * positions + k;
    return g;
}

/* A convolution says by itself what its matrix would: every channel of a group has the same table.
 * Reading that from the matrix takes longer than fitting the weights. False where only the matrix
 * tells. */
static bool
read_conv(struct arena *a, const struct graph *g, uint32_t node, struct weights *out)
{
    const struct node *n = &g->nodes.at[node];
    bool bias = n->in.len > 2 && n->in.at[2] != NONE, ok = n->op == OP_conv;
    struct arena *scratch = arena_new();
    struct diag *quiet = diag_new();
    struct op_ctx c = {(struct graph *)(uintptr_t)g, n, quiet, scratch};
    struct conv v;

    ok = ok && conv_read(&c, &op_in(&c, 0)->shape, &op_in(&c, 1)->shape, &v) && v.batch == 1 &&
         (double)(v.area_out * v.groups * v.out_ch) * (double)(v.in_ch * v.taps) <= MOST_ENTRIES;
    if (ok) {
        bool *met = ARENA_ARRAY(scratch, bool, (size_t)(v.in_ch * v.taps));
        *out =
            (struct weights){(uint32_t)(v.in_ch * v.taps), (uint32_t)v.area_out, (uint32_t)v.groups,
                             ARENA_ARRAY(a, struct weight_group, (size_t)v.groups)};
        for (int64_t k = 0; ok && k < v.groups; k++) {
            out->group[k] = conv_group(a, &v, k, bias);
            ok = conv_table(&v, k * v.in_ch, met, out->group[k].from);
        }
    }
    diag_free(quiet);
    arena_free(scratch);
    return ok;
}

/* ---- the door ------------------------------------------------------------------ */

static bool
own_constant(const struct graph *g, uint32_t value)
{
    const struct value *v = graph_value(g, value);

    return v->kind == VALUE_CONST && v->data.f && graph_uses(g, value) == 1 &&
           shape_size(&v->shape) <= MOST_ENTRIES;
}

bool
weights_possible(const struct graph *g, uint32_t node)
{
    const struct node *n = &g->nodes.at[node];

    return (op_row(n->op)->class == LINEAR || op_row(n->op)->class == PRODUCT) && n->in.len >= 2 &&
           n->in.len <= 3 && n->out.len == 1 && n->pins.pow2_bits == 0 && n->in.at[0] != NONE &&
           op_encrypted(g, n->in.at[0]) && n->in.at[1] != NONE && own_constant(g, n->in.at[1]) &&
           (n->in.len < 3 || n->in.at[2] == NONE || own_constant(g, n->in.at[2])) &&
           shape_size(&graph_value(g, n->out.at[0])->shape) <= MOST_ENTRIES;
}

bool
weights_read(struct arena *a, const struct graph *g, uint32_t node, struct weights *out)
{
    if (!weights_possible(g, node))
        return false;
    if (read_conv(a, g, node, out))
        return true;
    struct reading r = {.arena = arena_new()};
    struct channels c = {0};
    bool ok = read_matrix(g, node, &r);
    if (ok) {
        cut_rows(&r, &c);
        ok = own(&r, &c) && count(&r, &c) && make_groups(a, &r, &c, out);
    }
    arena_free(r.arena);
    return ok;
}
