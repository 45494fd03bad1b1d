/* map.c - see map.h. */
#include "base/map.h"

#include <string.h>

/* FNV-1a, 64 bit (Fowler, Noll, Vo; the published offset basis and prime). */
static uint64_t
hash(const char *key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    return h;
}

static struct map_slot *
find(const struct map *m, const char *key)
{
    uint32_t i = (uint32_t)hash(key) & (m->cap - 1);
    while (m->slots[i].key && strcmp(m->slots[i].key, key) != 0)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

bool
map_get(const struct map *m, const char *key, uint32_t *value)
{
    if (!m->len)
        return false;
    const struct map_slot *s = find(m, key);
    if (!s->key)
        return false;
    *value = s->value;
    return true;
}

void
map_set(struct arena *a, struct map *m, const char *key, uint32_t value)
{
    if (2 * (m->len + 1) > m->cap) {
        struct map old = *m;
        m->cap = old.cap ? 2 * old.cap : 16;
        m->slots = ARENA_ARRAY(a, struct map_slot, m->cap);
        for (uint32_t i = 0; i < old.cap; i++)
            if (old.slots[i].key)
                *find(m, old.slots[i].key) = old.slots[i];
    }
    struct map_slot *s = find(m, key);
    m->len += !s->key;
    *s = (struct map_slot){key, value};
}
