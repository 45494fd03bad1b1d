/* memory.c - the allocator of the fault tests. */
#include "fault.h"

#include <pthread.h>
#include <stdint.h>

#define MOST_BLOCKS 4096

static struct {
    pthread_mutex_t lock;
    struct {
        void *p;
        size_t size;
    } block[MOST_BLOCKS];
    size_t blocks, countdown;
    bool failed;
} books = {.lock = PTHREAD_MUTEX_INITIALIZER, .countdown = SIZE_MAX};

static void *
watched_alloc(size_t size)
{
    void *p = NULL;
    pthread_mutex_lock(&books.lock);
    if (books.countdown == 0)
        books.failed = true; /* this one; those after it succeed */
    else
        p = aligned_alloc(64, size);
    if (books.countdown != SIZE_MAX)
        books.countdown = books.countdown == 0 ? SIZE_MAX : books.countdown - 1;
    if (p != NULL) {
        cr_assert_lt(books.blocks, MOST_BLOCKS);
        memset(p, 0xa5, size); /* not zeroed, whatever malloc gives */
        books.block[books.blocks].p = p;
        books.block[books.blocks++].size = size;
    }
    pthread_mutex_unlock(&books.lock);
    return p;
}

static void
watched_release(void *p, size_t size)
{
    pthread_mutex_lock(&books.lock);
    size_t k = 0;
    while (k < books.blocks && books.block[k].p != p)
        k++;
    cr_assert_lt(k, books.blocks, "released what was not allocated");
    cr_assert_eq(books.block[k].size, size, "allocated with %zu bytes, released with %zu",
                 books.block[k].size, size);
    books.block[k] = books.block[--books.blocks];
    pthread_mutex_unlock(&books.lock);
    free(p);
}

void
memory_watch(void)
{
    ola_set_allocator(watched_alloc, watched_release);
}

void
memory_fail_at(size_t n)
{
    books.countdown = n;
    books.failed = false;
}

bool
memory_failed(void)
{
    return books.failed;
}

size_t
memory_blocks(void)
{
    return books.blocks;
}
