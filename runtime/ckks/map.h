/* map.h - a linear map, encoded.
 *
 * A term is one diagonal. Terms with the same output ciphertext and giant step form a group: their
 * products are summed before the giant rotation. Within a group, the terms of one input ciphertext
 * form a run.
 *
 * A late map leaves its baby rotations modulo Q P and divides by P only the groups (double
 * hoisting: Bossuat et al., ePrint 2020/1203, section 4): worth it where there are many more babies
 * than groups.
 *
 * Scratch has slots for babies and groups. Either the babies of one input are there at a time and
 * all groups (input by input), or all babies and the groups of one output: whatever takes less. */
#ifndef OLA_CKKS_MAP_H
#define OLA_CKKS_MAP_H

#include "ckks/plain.h"
#include "plan/weights_parse.h"

struct ola_term {
    uint32_t baby; /* index into the input's babies */
    struct ola_plain plain;
};
struct ola_run {
    uint32_t group, input; /* input: arg * in_cts + in_ct */
    uint32_t first, count; /* terms */
    bool opens;            /* the group's first run, inputs ascending */
};
struct ola_group {
    uint32_t out_ct, giant;
    uint32_t slot;
};
/* Where an input ciphertext's babies and runs are. */
struct ola_input {
    uint32_t first_baby, n_babies;
    uint32_t first_slot;        /* of its babies */
    uint32_t first_run, n_runs; /* in run_order */
};

struct ola_map {
    const struct ola_params *params;
    struct ola_map_desc desc;
    struct ola_weights_map head;
    bool late;
    uint32_t positions; /* limbs of babies and groups */
    bool by_output;
    uint32_t baby_slots, group_slots;
    uint32_t n_inputs, n_runs, n_groups, n_babies;
    struct ola_term *term;   /* [head.n_diagonals] */
    struct ola_run *run;     /* [n_runs], by group, then input */
    struct ola_group *group; /* [n_groups], by output ciphertext, then giant */
    struct ola_input *input; /* [n_inputs] */
    uint32_t *run_order;     /* [n_runs]: runs by input */
    uint32_t *baby;          /* [n_babies]: steps */
    uint32_t fold[OLA_VIEW_FOLDS];
    struct ola_plain *bias; /* [out_cts], or NULL */
};

#endif
