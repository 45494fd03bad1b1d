/* arena.h - memory by lifetime: everything of one compile lives in one arena and is freed at once.
 * All memory is zeroed. Running out of memory ends the process (a compiler is short-lived);
 * sizes that come from a file must be checked against OLAC_MAX_BYTES before they get here. */
#ifndef OLAC_BASE_ARENA_H
#define OLAC_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* The largest single object that any reader may ask for on behalf of a file. */
#define OLAC_MAX_BYTES ((size_t)4 << 30)

struct arena;

struct arena *arena_new(void);
/* One that goes with its parent, for what another thread makes: an arena serves one thread at a
 * time. It may be reset before, not freed. */
struct arena *arena_child(struct arena *parent);
void arena_free(struct arena *a);
/* Forgets all that was handed out and keeps some of the memory, for an arena that is filled again
 * and again: pages fresh from the system cost more than what is computed on them. */
void arena_reset(struct arena *a);
/* Zeroed, 64-byte aligned for sizes of 64 bytes and more, 16-byte aligned below. */
void *arena_alloc(struct arena *a, size_t size);
/* Zeroed array; aborts when count * size overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

#define ARENA_NEW(a, T)      ((T *)arena_alloc((a), sizeof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_array((a), (n), sizeof(T)))

#endif
