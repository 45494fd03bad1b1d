/* build.c - see build.h. */
#include "decompose/build.h"

uint32_t
build(struct rewrite *r, enum op_id op, const char *what, const uint32_t *in, uint32_t n_in)
{
    const char *name = arena_printf(r->g->arena, "%s.%s", r->at.name, what);
    uint32_t made = graph_node(r->g, name, op, in, n_in, NULL, 1, r->at.place);

    if (op_row(op)->class == NONLIN)
        r->g->nodes.at[made].pins = r->at.pins;
    return r->g->nodes.at[made].out.at[0];
}

uint32_t
build_unary(struct rewrite *r, enum op_id op, const char *what, uint32_t x)
{
    return build(r, op, what, &x, 1);
}

uint32_t
build_binary(struct rewrite *r, enum op_id op, const char *what, uint32_t x, uint32_t y)
{
    return build(r, op, what, (uint32_t[]){x, y}, 2);
}

static void
add_attr(struct rewrite *r, const char *name, enum attr_kind kind, uint32_t n, const int64_t *v)
{
    int64_t *copy = ARENA_ARRAY(r->g->arena, int64_t, n + 1);

    for (uint32_t k = 0; k < n; k++)
        copy[k] = v[k];
    graph_attr(r->g, r->g->nodes.len - 1,
               (struct attr){.name = name, .kind = kind, .count = n, .ints = copy});
}

uint32_t
build_mean(struct rewrite *r, const char *what, uint32_t x, const bool axis[MAX_RANK])
{
    int64_t axes[MAX_RANK];
    uint32_t n = 0;

    for (int k = 0; k < MAX_RANK; k++)
        if (axis[k])
            axes[n++] = k;
    uint32_t made = build_unary(r, OP_reducemean, what, x);
    add_attr(r, "axes", ATTR_INTS, n, axes);
    return made;
}

uint32_t
build_gather(struct rewrite *r, const char *what, uint32_t x, int axis, const int64_t *index,
             int64_t n)
{
    uint32_t made = build_binary(r, OP_gather, what, x, build_ints(r, index, n));

    add_attr(r, "axis", ATTR_INT, 1, &(int64_t){axis});
    return made;
}

uint32_t
build_expand(struct rewrite *r, const char *what, uint32_t x, const struct shape *to)
{
    return build_binary(r, OP_expand, what, x, build_ints(r, to->dim, to->rank));
}

uint32_t
build_reshape(struct rewrite *r, const char *what, uint32_t x, const struct shape *to)
{
    return build_binary(r, OP_reshape, what, x, build_ints(r, to->dim, to->rank));
}

uint32_t
build_number(struct rewrite *r, double v)
{
    struct tensor t = tensor_new(r->g->arena, DT_F32, shape_of(0, NULL));

    t.f[0] = (float)v;
    return graph_const(r->g, r->at.name, t);
}

uint32_t
build_ints(struct rewrite *r, const int64_t *v, int64_t n)
{
    struct tensor t = tensor_new(r->g->arena, DT_I64, shape_of(1, &n));

    for (int64_t k = 0; k < n; k++)
        t.i[k] = v[k];
    return graph_const(r->g, r->at.name, t);
}

uint32_t
rewrite_in(const struct rewrite *r, uint32_t k)
{
    return k < r->at.in.len ? r->at.in.at[k] : NONE;
}

const struct shape *
rewrite_shape(const struct rewrite *r, uint32_t value)
{
    return &graph_value(r->g, value)->shape;
}

bool
rewrite_more_wanted(const struct rewrite *r)
{
    for (uint32_t k = 1; k < r->at.out.len; k++)
        if (r->at.out.at[k] != NONE && graph_uses(r->g, r->at.out.at[k]))
            return true;
    return false;
}
