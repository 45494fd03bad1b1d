/* internal.h - what the files of schedule/ share. */
#ifndef OLAC_SCHEDULE_INTERNAL_H
#define OLAC_SCHEDULE_INTERNAL_H

#include "ir/he.h"

/* The modelled deviation of the error of every value (noise.c). */
void schedule_noise(struct he_program *p);

#endif
