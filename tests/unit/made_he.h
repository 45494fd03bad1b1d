/* made_he.h - for tests: HE programs put together by hand. */
#ifndef TEST_MADE_HE_H
#define TEST_MADE_HE_H

#include "made.h"

/* A new instruction named n. */
MADE_OK static uint32_t
made_inst(struct he_program *p, enum he_op op, uint32_t layout, uint32_t data, uint32_t n,
          const uint32_t *args)
{
    struct he_inst i = {
        .op = op, .layout = layout, .cts = p->layouts.at[layout].cts, .data = data, .node = "n"};
    for (uint32_t k = 0; k < n; k++)
        vec_push(p->arena, &i.args, args[k]);
    vec_push(p->arena, &p->insts, i);
    return p->insts.len - 1;
}

/* Element k in slot k. */
MADE_OK static uint32_t
made_layout(struct he_program *p, uint32_t n, uint32_t cts, uint32_t period)
{
    struct he_layout l = {MADE_SHAPE(1, n), cts, period, ARENA_ARRAY(p->arena, uint32_t, n), n};
    for (uint32_t k = 0; k < n; k++)
        l.slot[k] = k;
    vec_push(p->arena, &p->layouts, l);
    return p->layouts.len - 1;
}

/* One more diagonal, of random values. */
MADE_OK static void
made_diagonal(struct made *m, struct he_map *map, uint32_t in_ct, uint32_t out_ct, uint32_t giant,
              uint32_t baby, uint32_t period)
{
    struct he_diagonal g = {
        0, in_ct, out_ct, giant, baby, period, ARENA_ARRAY(m->a, float, period)};
    for (uint32_t t = 0; t < period; t++)
        g.value[t] = (float)made_number(m);
    vec_push(m->a, &map->diagonals, g);
}

#endif
