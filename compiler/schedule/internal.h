/* internal.h - what the files of schedule/ share. */
#ifndef OLAC_SCHEDULE_INTERNAL_H
#define OLAC_SCHEDULE_INTERNAL_H

#include "ir/he.h"

/* Level that instruction i wants of its arguments when its own value has level `own`. */
uint32_t schedule_wanted(const struct he_program *p, const struct he_inst *i, uint32_t own);
/* A bound on |value| of what instruction k makes, 0 where none is known: 1 where only polynomials
 * read it, which all want their argument in [-1, 1]. */
double schedule_bound(const struct he_program *p, uint32_t k);

/* Whether instruction k chooses the scale of what it makes. */
bool schedule_scalable(const struct he_program *p, uint32_t k);
/* Says where the program is refreshed at the least predicted time, [instruction]; its seconds,
 * below 0 where nothing fits the levels. r: the rotations of each map. */
double schedule_refresh(const struct he_program *p, const struct he_rotations *r, bool *refreshed);
/* Puts a refresh behind these instructions. */
void schedule_insert(struct he_program *p, const bool *refreshed);
/* Ports, after the instructions were numbered anew. */
void schedule_renumber(struct he_program *p, const uint32_t *of);

/* The modelled deviation of the error of every value (noise.c). */
void schedule_noise(struct he_program *p);

/* One more than the highest level at which each step is rotated by, 0: it is not; by all but a map
 * (or NULL). The highest level of a relinearisation, NONE: there is none (schedule.c). */
uint32_t schedule_keys(struct he_program *p, const struct he_map *without, uint32_t *steps);
/* Adds those of instruction k, a map. */
void schedule_map_keys(struct he_program *p, uint32_t k, uint32_t *steps);
/* The keys that the program needs, and what it costs (schedule.c). */
void schedule_price(struct he_program *p);
/* Where the program would take more than MEMORY_WANTED, splits baby steps and keeps diagonals
 * compact (memory.c). */
void schedule_memory(struct he_program *p);

#endif
