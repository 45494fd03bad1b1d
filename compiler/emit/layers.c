/* layers.c - the instructions cut into layers: those in a row that compute one node, at most
 * MAX_INSTRUCTIONS in one function; and what the comment above each says. */
#include "emit/room.h"

#include "ola/plan.h"

#include <string.h>

#define MAX_INSTRUCTIONS 40

static const char *
node_of(const struct emitter *e, uint32_t k)
{
    const char *node = e->p->insts.at[k].node;
    return node && *node ? node : "network";
}

static void
add_linear(struct layer *l, const struct he_map *m, struct str *what)
{
    struct he_rotations r = he_map_rotations(m);
    uint32_t rotations = he_rotations_sum(&r);
    l->rotations += rotations;
    if (!m->free_of_level)
        l->plain_products += m->diagonals.len;
    str_addf(what, ", %u diagonal%s", m->diagonals.len, m->diagonals.len == 1 ? "" : "s");
    str_addf(what, ", %u rotation%s", rotations, rotations == 1 ? "" : "s");
}

static void
add_poly(struct layer *l, const struct he_poly *f, const struct he_program *p, struct str *what)
{
    struct ola_poly_plan plan;
    uint32_t products = 0, plain = 0;
    if (ola_plan_poly(f->degree, f->level, f->in_scale, f->out_scale, p->params.q.at, &plan))
        ola_plan_poly_count(&plan, &products, &plain);
    l->products += products * f->cts;
    l->plain_products += plain * f->cts;
    if (f->degree > l->degree)
        l->degree = f->degree;
    str_addf(what, ", degree %u, %u product%s", f->degree, products * f->cts,
             products * f->cts == 1 ? "" : "s");
}

static void
add_sparse(struct layer *l, const struct he_sparse *s, struct str *what)
{
    l->products += s->squares ? s->cols : 0;
    if (s->squares)
        str_addf(what, ", %u square%s", s->cols, s->cols == 1 ? "" : "s");
    str_addf(what, ", %u sums of %u %s", s->rows, s->terms.len, s->shifts ? "shifts" : "terms");
    if (s->temps)
        str_addf(what, " (%u shared)", s->temps);
}

static void
describe(const struct emitter *e, struct layer *l, struct str *what)
{
    for (uint32_t k = l->first; k < l->first + l->count; k++) {
        const struct he_inst *inst = &e->p->insts.at[k];
        l->seconds += inst->seconds;
        if (inst->op == HE_linear)
            add_linear(l, &e->p->maps.at[inst->data], what);
        if (inst->op == HE_poly)
            add_poly(l, &e->p->polys.at[inst->data], e->p, what);
        if (inst->op == HE_sparse)
            add_sparse(l, &e->p->sparse.at[inst->data], what);
        if (inst->op == HE_mul) {
            l->products += inst->cts;
            str_addf(what, ", %u product%s", inst->cts, inst->cts == 1 ? "" : "s");
        }
    }
}

static const char *
layer_op(const struct emitter *e, const char *node, enum he_op op)
{
    static const char *const names[HE_COUNT] = {
#define HE(symbol, runtime, lo, hi, data, level, scale) [HE_##symbol] = #symbol,
#include "ir/heops.def"
#undef HE
    };
    uint32_t index;
    if (e->o->graph && map_get(&e->o->graph->node_names, node, &index))
        return op_name(e->o->graph->nodes.at[index].op);
    return names[op];
}

/* "conv1 + act1 + fc1": the nodes that instructions first .. end compute in one pass. */
static const char *
pass_name(const struct emitter *e, uint32_t first, uint32_t end)
{
    struct str s = {0};
    for (uint32_t k = first; k <= end; k++) {
        const struct he_inst *inst = &e->p->insts.at[k];
        if (inst->op != HE_sparse)
            continue;
        const char *squares = e->p->sparse.at[inst->data].squares;
        if (squares && s.len)
            str_addf(&s, " + %s", squares);
        if (k == first || strcmp(node_of(e, k), node_of(e, k - 1)) != 0)
            str_addf(&s, "%s%s", s.len ? " + " : "", node_of(e, k));
    }
    const char *name = arena_strdup(e->a, str_text(&s));
    str_free(&s);
    return name;
}

static void
finish(struct emitter *e, uint32_t first, uint32_t count, uint32_t part)
{
    struct layer l = {.first = first, .count = count};
    uint32_t main = first, end = first + count - 1;
    while (main < end && e->p->insts.at[main].op == HE_input)
        main++;
    while (end > main && strcmp(node_of(e, end), node_of(e, emit_pass_end(e, main))) != 0)
        end--;
    const struct he_inst *from = &e->p->insts.at[main], *to = &e->p->insts.at[end];
    const char *node = node_of(e, main);
    l.result = end;
    if (from->args.len)
        from = &e->p->insts.at[from->args.at[0]];
    l.op = layer_op(e, node, e->p->insts.at[main].op);
    if (emit_pass_end(e, main) != main)
        node = pass_name(e, main, end);
    l.name = emit_plain(e->a, part ? arena_printf(e->a, "%s (%u)", node, part + 1) : node);
    struct str what = {0};
    describe(e, &l, &what);
    l.title = arena_printf(e->a, "%s: %s %s -> %s, level %u -> %u%s", l.name, l.op,
                           emit_shape(e->a, &e->p->layouts.at[from->layout].shape),
                           emit_shape(e->a, &e->p->layouts.at[to->layout].shape), from->level,
                           to->level, str_text(&what));
    str_free(&what);
    vec_push(e->a, &e->layers, l);
}

/* Whether instruction k belongs to the layer that begins at `first`: inputs to what follows them;
 * outputs, and what costs nothing (whichever node wants it), to what is before them. */
static bool
same_layer(const struct emitter *e, uint32_t first, uint32_t k)
{
    while (first < k && e->p->insts.at[first].op == HE_input)
        first++;
    enum he_op op = e->p->insts.at[k].op;
    first = emit_pass_end(e, first);
    return first >= k || op == HE_output || op == HE_drop ||
           strcmp(node_of(e, first), node_of(e, k)) == 0;
}

void
emit_layers(struct emitter *e)
{
    uint32_t first = 0, part = 0;
    for (uint32_t k = 1; k <= e->p->insts.len; k++) {
        bool full = k - first == MAX_INSTRUCTIONS;
        bool same = k < e->p->insts.len && same_layer(e, first, k);
        if (same && !full)
            continue;
        finish(e, first, k - first, part);
        part = same ? part + 1 : 0;
        first = k;
    }
}
