/* map.h - a linear map, encoded.
 *
 * A term is one diagonal. Terms with the same output ciphertext and giant step form a group: their
 * products are summed before the giant rotation. A source is an input ciphertext rotated by a
 * coarse step (0, where babies are not split in two: ola.h), from the source before it: its babies
 * are the rotations of it. Within a group, the terms of one source form a run.
 *
 * A late map leaves its baby rotations modulo Q P and divides by P only the groups (double
 * hoisting: Bossuat et al., ePrint 2020/1203, section 4): worth it where there are many more babies
 * than groups.
 *
 * Scratch has slots for babies and groups. Either the babies of one source are there at a time and
 * all groups (source by source), or all babies and one group: whatever takes less. Source by
 * source, a late map makes its babies limb by limb, and each thread has one limb of them. */
#ifndef OLA_CKKS_MAP_H
#define OLA_CKKS_MAP_H

#include "ckks/plain.h"
#include "plan/weights_parse.h"

struct ola_term {
    uint32_t baby; /* index into the source's babies */
    struct ola_plain plain;
};
struct ola_run {
    uint32_t group, source;
    uint32_t first, count; /* terms */
    bool opens;            /* the group's first run, sources ascending */
};
struct ola_group {
    uint32_t out_ct, giant;
    uint32_t step; /* from the giant before, or from 0: what the sum from here on is rotated by */
    uint32_t slot;
};
/* Where a source's babies and runs are. */
struct ola_source {
    uint32_t input;  /* arg * in_cts + in_ct */
    uint32_t coarse; /* its rotation from the input */
    uint32_t step;   /* and from the source before, or the input; 0: is the input */
    uint32_t slot;   /* of the rotated ciphertext, where step is not 0 */
    uint32_t first_baby, n_babies;
    uint32_t first_slot;        /* of its babies */
    uint32_t first_run, n_runs; /* in run_order */
};
struct ola_span {
    uint32_t first, count;
};

struct ola_map {
    const struct ola_params *params;
    struct ola_map_desc desc;
    struct ola_weights_map head;
    bool late;
    uint32_t positions; /* limbs of babies and groups */
    bool by_output;     /* all babies, one group */
    uint32_t coarse_slots, baby_slots, group_slots;
    uint32_t most_babies; /* of one source */
    uint32_t n_inputs, n_sources, n_runs, n_groups, n_babies;
    struct ola_term *term;     /* [head.n_diagonals] */
    struct ola_run *run;       /* [n_runs], by group, then source */
    struct ola_group *group;   /* [n_groups], by output ciphertext, then giant */
    struct ola_source *source; /* [n_sources], by input, then coarse */
    struct ola_span *input;    /* [n_inputs]: its sources */
    uint32_t *run_order;       /* [n_runs]: runs by source */
    uint32_t *baby;            /* [n_babies]: steps, of the source */
    uint32_t fold[OLA_VIEW_FOLDS];
    struct ola_plain *bias; /* [out_cts], or NULL */
};

/* A map from a view, which is good and may go afterwards. */
OLA_MUST_CHECK ola_status ola_map_make(const struct ola_params *p, const struct ola_map_desc *desc,
                                       const struct ola_map_view *v, struct ola_map **out);

/* ---- products (products.c), while a map is evaluated; room is there ---- */

struct ola_server;

/* Part of a group, of m->positions limbs. */
uint64_t *ola_group_part(const struct ola_server *s, const struct ola_map *m, uint32_t group,
                         uint32_t part);
OLA_MUST_CHECK ola_status ola_products_reserve(struct ola_server *s, const struct ola_map *m);
/* All babies of all sources (by_output), or all groups. */
void ola_products_begin(struct ola_server *s, const struct ola_map *m,
                        const struct ola_ct *const *in);
/* by_output: one group, of these runs. */
void ola_products_group(struct ola_server *s, const struct ola_map *m, struct ola_span runs,
                        const struct ola_ct *const *in);

#endif
