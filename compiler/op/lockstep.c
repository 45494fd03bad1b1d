/* lockstep.c - see lockstep.h. A stretch of nodes is a graph of its own: what is kept are its
 * inputs, what must be kept next its outputs. */
#include "op/lockstep.h"

#include <cblas.h>
#include <string.h>

/* A value of all images. */
struct kept {
    struct arena *arena; /* NULL: not kept, or the images themselves */
    const float *data;
};

struct lockstep {
    struct arena *arena;
    struct graph *g, *clean; /* ours, and the clean one */
    uint32_t n, at;          /* images; nodes computed so far */
    uint32_t *last; /* of each value: the last node that reads it, NONE for an output, 0 unread */
    struct kept *kept[2]; /* [clean][value] */
};

static uint32_t *
last_readers(struct arena *a, const struct graph *g)
{
    uint32_t *last = ARENA_ARRAY(a, uint32_t, g->values.len + 1);

    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; k < g->nodes.at[n].in.len; k++)
            if (g->nodes.at[n].in.at[k] != NONE)
                last[g->nodes.at[n].in.at[k]] = n;
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

    return made && last[value] >= at && (last[value] > 0 || at == 0);
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
lockstep_free(struct lockstep *s)
{
    for (uint32_t v = 0; v < s->g->values.len; v++)
        for (int which = 0; which < 2; which++)
            arena_free(s->kept[which][v].arena);
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

/* A kept row as a tensor of the value's type. */
static struct tensor
tensor_of(struct arena *a, const struct value *v, const float *row)
{
    struct tensor t = tensor_new(a, v->dtype, v->shape);

    for (int64_t k = 0; k < shape_size(&v->shape); k++)
        if (t.f)
            t.f[k] = row[k];
        else
            t.i[k] = (int64_t)row[k];
    return t;
}

static bool
stretch_image(struct lockstep *s, struct graph *c, bool clean, uint32_t image, float *const *to,
              struct diag *d)
{
    struct interpret_options o = {.poly = !clean, .threads = 1};
    struct arena *a = arena_new();
    struct tensor *in = ARENA_ARRAY(a, struct tensor, c->inputs.len + 1);
    struct tensor *out = ARENA_ARRAY(a, struct tensor, c->outputs.len + 1);

    for (uint32_t k = 0; k < c->inputs.len; k++) {
        const struct value *v = graph_value(c, c->inputs.at[k].value);
        size_t first = (size_t)image * (size_t)shape_size(&v->shape);
        in[k] = tensor_of(a, v, s->kept[clean][c->inputs.at[k].value].data + first);
    }
    bool ok = interpret_one(c, &o, a, in, out, d);
    for (uint32_t k = 0; ok && k < c->outputs.len; k++) {
        int64_t n = shape_size(&out[k].shape);
        for (int64_t i = 0; i < n; i++)
            to[k][(int64_t)image * n + i] = out[k].f ? out[k].f[i] : (float)out[k].i[i];
    }
    arena_free(a);
    return ok;
}

/* All images through the stretch; results become kept values. */
static bool
run_stretch(struct lockstep *s, struct graph *c, bool clean, struct diag *d)
{
    struct arena *a = arena_new();
    float **to = ARENA_ARRAY(a, float *, c->outputs.len + 1);
    uint32_t failed = s->n;

    for (uint32_t k = 0; k < c->outputs.len; k++) {
        struct kept *kept = &s->kept[clean][c->outputs.at[k]];
        size_t n = (size_t)shape_size(&graph_value(c, c->outputs.at[k])->shape);
        kept->arena = arena_new();
        kept->data = to[k] = ARENA_ARRAY(kept->arena, float, n * s->n);
    }
    /* one product a thread, so that sums are added in one order */
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
#pragma omp parallel for schedule(dynamic)
    for (uint32_t image = 0; image < s->n; image++) {
        struct diag *quiet = diag_new();
        if (!stretch_image(s, c, clean, image, to, quiet)) {
#pragma omp critical(olac_lockstep)
            failed = image < failed ? image : failed;
        }
        diag_free(quiet);
    }
    if (failed < s->n)
        stretch_image(s, c, clean, failed, to, d);
    openblas_set_num_threads(blas_threads);
    arena_free(a);
    return failed == s->n;
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
            arena_free(kept->arena);
            *kept = (struct kept){0};
        }
    s->at = stop;
    return ok;
}
