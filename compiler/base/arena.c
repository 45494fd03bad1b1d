/* arena.c - chunked bump allocator; see arena.h. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)1 << 20)

struct chunk {
    struct chunk *next;
    size_t used, size;
    char *data;
};

struct arena {
    struct chunk *head;
    size_t total;
    struct arena *children, *sibling; /* that go with it; the next one of the parent's */
};

static void *
must(void *p)
{
    if (!p) {
        fputs("olac: out of memory\n", stderr);
        abort();
    }
    return p;
}

struct arena *
arena_new(void)
{
    return must(calloc(1, sizeof(struct arena)));
}

struct arena *
arena_child(struct arena *parent)
{
    struct arena *a = arena_new();
    a->sibling = parent->children;
    parent->children = a;
    return a;
}

static void
free_children(struct arena *a)
{
    for (struct arena *c = a->children, *next; c; c = next) {
        next = c->sibling;
        arena_free(c);
    }
    a->children = NULL;
}

void
arena_free(struct arena *a)
{
    if (!a)
        return;
    free_children(a);
    for (struct chunk *c = a->head, *next; c; c = next) {
        next = c->next;
        free(c->data);
        free(c);
    }
    free(a);
}

void
arena_reset(struct arena *a)
{
    struct chunk *keep = NULL;
    free_children(a);
    for (struct chunk *c = a->head, *next; c; c = next) {
        next = c->next;
        if (!keep && c->size == CHUNK) {
            keep = c;
            continue;
        }
        free(c->data);
        free(c);
    }
    if (keep)
        *keep = (struct chunk){.size = CHUNK, .data = keep->data};
    a->head = keep;
    a->total = 0;
}

static struct chunk *
add_chunk(struct arena *a, size_t size)
{
    struct chunk *c = must(calloc(1, sizeof *c));
    c->size = (size + 63) & ~(size_t)63;
    c->data = must(aligned_alloc(64, c->size));
    c->next = a->head;
    a->head = c;
    return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    size_t align = size >= 64 ? 64 : 16;
    struct chunk *c = a->head;
    size_t at = c ? (c->used + align - 1) & ~(align - 1) : 0;

    if (size > SIZE_MAX / 2)
        must(NULL);
    if (!c || at > c->size || c->size - at < size) {
        if (size > CHUNK / 4) { /* a chunk of its own, behind the open one */
            struct chunk *open = a->head, *own = add_chunk(a, size ? size : 1);
            own->used = own->size;
            if (open) {
                a->head = open;
                own->next = open->next;
                open->next = own;
            }
            a->total += size;
            return memset(own->data, 0, size);
        }
        c = add_chunk(a, CHUNK);
        at = 0;
    }
    c->used = at + size;
    a->total += size;
    return memset(c->data + at, 0, size);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size)
        must(NULL);
    return arena_alloc(a, count * size);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = arena_alloc(a, (size_t)(n > 0 ? n : 0) + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

size_t
arena_used(const struct arena *a)
{
    return a->total;
}
