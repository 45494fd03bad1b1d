/* lockstep.c - see lockstep.h. A stretch of nodes is a graph of its own: what is kept are its
 * inputs, what must be kept next its outputs. */
#include "op/lockstep.h"

#include <math.h>
#include <string.h>

/* A value of all images. */
struct kept {
    struct arena *arena; /* NULL: not kept, or the images themselves */
    const float *data;
    size_t room; /* floats that fit */
};

struct lockstep {
    struct arena *arena;
    struct graph *g, *clean; /* ours, and the clean one */
    uint32_t n, at;          /* images; nodes computed so far */
    uint32_t
        *last; /* of each value: 1 + the last node that reads it, NONE for an output, 0 unread */
    struct kept *kept[2]; /* [clean][value] */
    /* not needed now, to be filled again: fresh pages cost more than what is computed on them */
    VEC(struct kept) spare;
};

static uint32_t *
last_readers(struct arena *a, const struct graph *g)
{
    uint32_t *last = ARENA_ARRAY(a, uint32_t, g->values.len + 1);

    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; k < g->nodes.at[n].in.len; k++)
            if (g->nodes.at[n].in.at[k] != NONE)
                last[g->nodes.at[n].in.at[k]] = n + 1;
    for (uint32_t k = 0; k < g->outputs.len; k++)
        last[g->outputs.at[k]] = NONE;
    return last;
}

/* Computed before node `at`, read by it or later. */
static bool
live(const struct graph *g, const uint32_t *last, uint32_t value, uint32_t at)
{
    const struct value *v = graph_value(g, value);
    bool made = v->kind == VALUE_INPUT || (v->kind == VALUE_NODE && v->node < at);

    return made && last[value] > at;
}

uint32_t
lockstep_images(const struct graph *g, const uint32_t *stop, uint32_t n_stop, uint32_t n)
{
    struct arena *scratch = arena_new();
    uint32_t *last = last_readers(scratch, g);
    double peak = 1, before = 0;

    for (uint32_t s = 0; s <= n_stop; s++) {
        double now = 0;
        for (uint32_t v = 0; v < g->values.len; v++)
            if (live(g, last, v, s < n_stop ? stop[s] : g->nodes.len))
                now += 2.0 * sizeof(float) * (double)shape_size(&graph_value(g, v)->shape);
        peak = before + now > peak ? before + now : peak;
        before = now;
    }
    arena_free(scratch);
    double fit = LOCKSTEP_BYTES / peak;
    return fit < 1 ? 1 : fit < n ? (uint32_t)fit : n;
}

struct lockstep *
lockstep_new(struct graph *clean, struct graph *g, const float *images, uint32_t n)
{
    struct arena *a = arena_new();
    struct lockstep *s = ARENA_NEW(a, struct lockstep);

    *s = (struct lockstep){.arena = a, .g = g, .clean = clean, .n = n, .last = last_readers(a, g)};
    for (int which = 0; which < 2; which++) {
        s->kept[which] = ARENA_ARRAY(a, struct kept, g->values.len + 1);
        s->kept[which][g->inputs.at[0].value].data = images;
    }
    return s;
}

const float *
lockstep_value(const struct lockstep *s, uint32_t value, bool clean)
{
    return s->kept[clean][value].data;
}

void
lockstep_disturb_rows(float *rows, size_t size, uint32_t seen, uint32_t first, uint32_t n,
                      double share)
{
    double most = 1;

    for (size_t k = 0; k < seen * size; k++)
        most = fmax(most, fabs((double)rows[k]));
    for (size_t k = first * size; k < n * size; k++) {
        /* the top bit of a multiplicative hash (Knuth, TAOCP 3, 6.4) */
        bool up = (uint32_t)k * UINT32_C(2654435769) >> 31;
        rows[k] += (float)(up ? share * most : -share * most);
    }
}

void
lockstep_disturb(struct lockstep *s, uint32_t value, uint32_t seen, uint32_t first, double share)
{
    float *rows = (float *)(uintptr_t)s->kept[false][value].data;

    if (rows)
        lockstep_disturb_rows(rows, (size_t)shape_size(&graph_value(s->g, value)->shape), seen,
                              first, s->n, share);
}

void
lockstep_free(struct lockstep *s)
{
    for (uint32_t v = 0; v < s->g->values.len; v++)
        for (int which = 0; which < 2; which++)
            arena_free(s->kept[which][v].arena);
    for (uint32_t k = 0; k < s->spare.len; k++)
        arena_free(s->spare.at[k].arena);
    arena_free(s->arena);
}

/* The nodes [s->at, stop) as a graph: inputs what is kept, outputs what is live at `stop` and new.
 */
static struct graph *
stretch(const struct lockstep *s, uint32_t stop, bool clean, struct arena *a)
{
    struct graph *c = graph_copy(a, clean ? s->clean : s->g);

    c->inputs.len = c->outputs.len = 0;
    for (uint32_t v = 0; v < c->values.len; v++) {
        if (s->kept[0][v].data) {
            c->values.at[v].kind = VALUE_INPUT;
            c->values.at[v].node = NONE;
            vec_push(a, &c->inputs, (struct input){.value = v});
        } else if (live(s->g, s->last, v, stop)) {
            vec_push(a, &c->outputs, v);
        }
    }
    graph_tidy(c);
    return c;
}

/* Room for n floats: the smallest spare one that they fit in, else a new one. */
static float *
take(struct lockstep *s, struct kept *to, size_t n)
{
    uint32_t best = NONE;

    for (uint32_t k = 0; k < s->spare.len; k++)
        if (s->spare.at[k].room >= n &&
            (best == NONE || s->spare.at[k].room < s->spare.at[best].room))
            best = k;
    if (best == NONE) {
        struct arena *a = arena_new();
        float *room = ARENA_ARRAY(a, float, n);
        *to = (struct kept){a, room, n};
        return room;
    }
    *to = s->spare.at[best];
    s->spare.at[best] = s->spare.at[--s->spare.len];
    return (float *)(uintptr_t)to->data;
}

static void
give_back(struct lockstep *s, struct kept *kept)
{
    if (kept->arena)
        vec_push(s->arena, &s->spare, *kept);
    *kept = (struct kept){0};
}

/* All images through the stretch; results become kept values. */
static bool
run_stretch(struct lockstep *s, struct graph *c, bool clean, struct diag *d)
{
    struct interpret_options o = {.poly = !clean};
    struct arena *a = arena_new();
    const float **from = ARENA_ARRAY(a, const float *, c->inputs.len + 1);
    float **to = ARENA_ARRAY(a, float *, c->outputs.len + 1);

    for (uint32_t k = 0; k < c->inputs.len; k++)
        from[k] = s->kept[clean][c->inputs.at[k].value].data;
    for (uint32_t k = 0; k < c->outputs.len; k++) {
        size_t n = (size_t)shape_size(&graph_value(c, c->outputs.at[k])->shape);
        to[k] = take(s, &s->kept[clean][c->outputs.at[k]], n * s->n);
    }
    bool ok = interpret_rows(c, &o, from, s->n, to, d);
    arena_free(a);
    return ok;
}

bool
lockstep_advance(struct lockstep *s, uint32_t stop, struct diag *d)
{
    struct arena *a = arena_new();
    struct graph *ours = stretch(s, stop, false, a), *clean = ours;
    bool ok = true;

    if (s->clean != s->g)
        clean = stretch(s, stop, true, a);
    if (ours->outputs.len)
        ok = run_stretch(s, clean, true, d) && run_stretch(s, ours, false, d);
    arena_free(a);
    for (uint32_t v = 0; v < s->g->values.len; v++)
        for (int which = 0; which < 2; which++) {
            struct kept *kept = &s->kept[which][v];
            if (!kept->data || live(s->g, s->last, v, stop))
                continue;
            give_back(s, kept);
        }
    s->at = stop;
    return ok;
}

bool
lockstep_rest(const struct lockstep *s, float *out, struct diag *d)
{
    struct interpret_options o = {.poly = true};
    struct arena *a = arena_new();
    uint32_t v = s->g->outputs.at[0];
    struct graph *c = stretch(s, s->g->nodes.len, false, a);
    const float **from = ARENA_ARRAY(a, const float *, c->inputs.len + 1);
    float **to = ARENA_ARRAY(a, float *, c->outputs.len + 1);
    bool ok = true;

    for (uint32_t k = 0; k < c->inputs.len; k++)
        from[k] = s->kept[true][c->inputs.at[k].value].data;
    for (uint32_t k = 0; k < c->outputs.len; k++)
        to[k] = c->outputs.at[k] == v ? out : NULL;
    if (s->kept[true][v].data)
        memcpy(out, s->kept[true][v].data,
               s->n * (size_t)shape_size(&graph_value(s->g, v)->shape) * sizeof *out);
    else
        ok = interpret_rows(c, &o, from, s->n, to, d);
    arena_free(a);
    return ok;
}
