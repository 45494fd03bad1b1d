/* grid.c - grids and the slots that they give; see internal.h and tp.h. */
#include "layout/internal.h"

#include <string.h>

static uint32_t
power_of_two(uint64_t n)
{
    uint32_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

void
grid_dims(const struct shape *s, uint32_t *c, uint32_t *h, uint32_t *w)
{
    uint32_t size = (uint32_t)shape_size(s);
    *w = s->rank >= 3 ? (uint32_t)s->dim[s->rank - 1] : 1;
    *h = s->rank >= 4 ? (uint32_t)s->dim[s->rank - 2] : 1;
    *c = size / (*w * *h);
}

struct tp_grid
grid_compact(uint32_t c, uint32_t h, uint32_t w)
{
    return (struct tp_grid){.present = true,
                            .c = c,
                            .h = h,
                            .w = w,
                            .plane = power_of_two((uint64_t)h * w),
                            .pitch = w,
                            .gap = 1,
                            .rows = h};
}

struct tp_grid
grid_regap(const struct tp_grid *base, uint32_t c, uint32_t h, uint32_t w, uint32_t gap,
           bool packed)
{
    struct tp_grid g = *base;
    g.c = c;
    g.h = h;
    g.w = w;
    g.gap = gap;
    g.packed = packed && gap > 1;
    /* A packed gap holds channels behind the last element of a row and of a column too. */
    uint64_t reach = g.packed ? gap : 1;
    g.present = base->present && gap >= 1 && (uint64_t)(h - 1) * gap + reach <= base->rows &&
                (uint64_t)(w - 1) * gap + reach <= base->pitch;
    return g;
}

static uint64_t
slot_of(const struct tp_grid *g, uint32_t c, uint32_t y, uint32_t x)
{
    uint32_t per_plane = g->packed ? g->gap * g->gap : 1, sub = c % per_plane;
    return (uint64_t)(c / per_plane) * g->plane + ((uint64_t)y * g->gap + sub / g->gap) * g->pitch +
           (uint64_t)x * g->gap + sub % g->gap;
}

bool
grid_layout(struct arena *a, const struct tp_grid *g, const struct shape *shape, uint32_t slots,
            struct he_layout *out)
{
    uint32_t n = (uint32_t)shape_size(shape), e = 0;
    uint64_t last = 0;

    *out = (struct he_layout){.shape = *shape, .n = n, .slot = ARENA_ARRAY(a, uint32_t, n)};
    for (uint32_t c = 0; c < g->c; c++)
        for (uint32_t y = 0; y < g->h; y++)
            for (uint32_t x = 0; x < g->w; x++, e++) {
                uint64_t s = slot_of(g, c, y, x);
                if (s / slots >= MAX_CTS)
                    return false;
                out->slot[e] = (uint32_t)s;
                last = s > last ? s : last;
            }
    out->cts = (uint32_t)(last / slots) + 1;
    out->period = out->cts > 1 ? slots : power_of_two(last + 1);
    return true;
}

struct tp_grid
grid_recognise(struct arena *a, const struct he_layout *l, const struct tp_grid *like,
               uint32_t slots)
{
    uint32_t c, h, w;
    grid_dims(&l->shape, &c, &h, &w);
    struct tp_grid tries[2] = {grid_compact(c, h, w), *like};
    tries[1].c = c;
    tries[1].h = h;
    tries[1].w = w;
    for (uint32_t k = 0; k < 2; k++) {
        struct he_layout made;
        if (tries[k].present && grid_layout(a, &tries[k], &l->shape, slots, &made) &&
            memcmp(made.slot, l->slot, l->n * sizeof *l->slot) == 0)
            return tries[k];
    }
    return (struct tp_grid){0};
}
