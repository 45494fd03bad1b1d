/* map.c - see map.h. */
#include "base/map.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof((struct map *)0)->secret == crypto_shorthash_KEYBYTES, "a key of SipHash");

/* SipHash under a random key: nobody can choose the names of a model so that they collide. */
static uint32_t
hash(const struct map *m, const char *key)
{
    uint8_t h[crypto_shorthash_BYTES];
    uint32_t low;
    crypto_shorthash(h, (const unsigned char *)key, strlen(key), m->secret);
    memcpy(&low, h, sizeof low);
    return low;
}

static struct map_slot *
find(const struct map *m, const char *key)
{
    uint32_t i = hash(m, key) & (m->cap - 1);
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
        if (!old.cap)
            randombytes_buf(m->secret, sizeof m->secret);
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
