/* map.h - from a name to a number (an index into some array); open hashing in an arena. */
#ifndef OLAC_BASE_MAP_H
#define OLAC_BASE_MAP_H

#include "base/arena.h"

#include <stdbool.h>

struct map_slot {
    const char *key;
    uint32_t value;
};

/* A zeroed map is empty. Names are not copied: they live at least as long as the map. The order of
 * the slots is another in every run: nothing that is printed or written may depend on it. */
struct map {
    struct map_slot *slots;
    uint32_t len, cap;
    uint8_t secret[16]; /* of the hash; made with the first name */
};

/* True and *value when the key is there. */
bool map_get(const struct map *m, const char *key, uint32_t *value);
/* Sets or replaces. */
void map_set(struct arena *a, struct map *m, const char *key, uint32_t value);

#endif
