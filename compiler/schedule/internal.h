/* internal.h - what the files of schedule/ share. */
#ifndef OLAC_SCHEDULE_INTERNAL_H
#define OLAC_SCHEDULE_INTERNAL_H

#include "ir/he.h"

/* The modelled deviation of the error of every value (noise.c). */
void schedule_noise(struct he_program *p);

/* The keys that the program needs, and what it costs (schedule.c). */
void schedule_price(struct he_program *p);
/* Where the program would take more than MEMORY_WANTED, splits baby steps and keeps diagonals
 * compact (memory.c). */
void schedule_memory(struct he_program *p);

#endif
