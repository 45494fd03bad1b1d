/* memory.c - all memory of the library: through one pair of functions, counted, and kept in a pool
 * by size so that pages are used again (a freshly mapped page costs about ten times the arithmetic
 * done on it).
 *
 * Only blocks of the default allocator from 4 KiB up are pooled; their sizes are rounded up to
 * one of eight steps to the octave, so a block wastes at most an eighth. The state is the
 * process's, behind one lock. */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ring/ring.h"

#define GRAIN      64u            /* alignment and granularity of every block */
#define POOL_MIN   ((size_t)4096) /* smallest pooled block, 2^POOL_SHIFT */
#define POOL_SHIFT 12u
#define POOL_STEPS 8u                    /* size classes to an octave */
#define POOL_BINS  (POOL_STEPS * 24u)    /* up to 2^36 bytes */
#define BLOCK_MAX  (UINT64_C(1) << 36)   /* larger requests are refused: nothing here comes near */
#define POOL_LIMIT ((uint64_t)128 << 20) /* bytes kept in the pool at most */
#define HUGE_PAGE  ((size_t)2 << 20)

/* A pooled block holds the link to the next one of its class in its first bytes. */
struct block {
    struct block *next;
};

static struct {
    pthread_mutex_t lock;
    void *(*alloc)(size_t size);
    void (*release)(void *p, size_t size);
    uint64_t now, peak, pooled;
    struct block *bin[POOL_BINS];
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *
system_alloc(size_t size)
{
    if (size < HUGE_PAGE)
        return aligned_alloc(GRAIN, size);
    void *p = aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
    if (p) /* advice only: failing costs time, not sense */
        madvise(p, size & ~(HUGE_PAGE - 1), MADV_HUGEPAGE);
    return p;
}

/* The size that a request really takes, and its bin; POOL_BINS when it is not pooled. 0: too
 * large. */
static size_t
block_size(size_t size, uint32_t *bin)
{
    *bin = POOL_BINS;
    if (size >= BLOCK_MAX)
        return 0;
    size = size ? (size + GRAIN - 1) & ~(size_t)(GRAIN - 1) : GRAIN;
    if (size < POOL_MIN || memory.alloc)
        return size;
    uint32_t octave = 63u - (uint32_t)__builtin_clzll(size);
    size_t step = ((size_t)1 << octave) / POOL_STEPS;
    size = (size + step - 1) / step * step;
    octave = 63u - (uint32_t)__builtin_clzll(size);
    step = ((size_t)1 << octave) / POOL_STEPS;
    uint32_t index = (octave - POOL_SHIFT) * POOL_STEPS + (uint32_t)(size / step - POOL_STEPS);
    if (index < POOL_BINS)
        *bin = index;
    return size;
}

static size_t
bin_size(uint32_t bin)
{
    size_t octave = (size_t)1 << (POOL_SHIFT + bin / POOL_STEPS);
    return octave + octave / POOL_STEPS * (bin % POOL_STEPS);
}

/* Empties the pool; under the lock. */
static void
trim_locked(void)
{
    for (uint32_t bin = 0; bin < POOL_BINS; bin++) {
        while (memory.bin[bin]) {
            struct block *b = memory.bin[bin];
            memory.bin[bin] = b->next;
            memory.now -= bin_size(bin);
            memory.pooled -= bin_size(bin);
            free(b);
        }
    }
}

/* A pooled block, or NULL. */
static void *
take(size_t size, uint32_t bin)
{
    struct block *b = NULL;
    if (bin == POOL_BINS)
        return NULL;
    pthread_mutex_lock(&memory.lock);
    b = memory.bin[bin];
    if (b) {
        memory.bin[bin] = b->next;
        memory.pooled -= size;
    }
    pthread_mutex_unlock(&memory.lock);
    return b;
}

/* Counts a new block; what lies in the pool goes first where the library would hold more than ever
 * before: it did not fit, and would lie there beside the new one. */
static void
count(size_t size)
{
    pthread_mutex_lock(&memory.lock);
    memory.now += size;
    if (memory.now > memory.peak)
        trim_locked();
    if (memory.now > memory.peak)
        memory.peak = memory.now;
    pthread_mutex_unlock(&memory.lock);
}

void *
ola_alloc(size_t size)
{
    uint32_t bin;
    size = block_size(size, &bin);
    if (size == 0)
        return NULL;
    void *p = take(size, bin);
    if (p)
        return p;
    p = memory.alloc ? memory.alloc(size) : system_alloc(size);
    if (!p && !memory.alloc) { /* what lies in the pool may be what is missing */
        ola_memory_trim();
        p = system_alloc(size);
    }
    if (p)
        count(size);
    return p;
}

void *
ola_alloc_zero(size_t size)
{
    void *p = ola_alloc(size);
    if (p)
        memset(p, 0, size);
    return p;
}

void
ola_release(void *p, size_t size)
{
    uint32_t bin;
    if (!p)
        return;
    size = block_size(size, &bin);
    pthread_mutex_lock(&memory.lock);
    bool keep = bin < POOL_BINS && memory.pooled + size <= POOL_LIMIT;
    if (keep) {
        struct block *b = p;
        b->next = memory.bin[bin];
        memory.bin[bin] = b;
        memory.pooled += size;
    } else {
        memory.now -= size;
    }
    pthread_mutex_unlock(&memory.lock);
    if (keep)
        return;
    if (memory.release)
        memory.release(p, size);
    else
        free(p);
}

void
ola_wipe(void *p, size_t size)
{
    sodium_memzero(p, size);
}

void
ola_memory_trim(void)
{
    pthread_mutex_lock(&memory.lock);
    trim_locked();
    pthread_mutex_unlock(&memory.lock);
}

void
ola_set_allocator(void *(*alloc)(size_t size), void (*release)(void *p, size_t size))
{
    pthread_mutex_lock(&memory.lock);
    trim_locked();
    memory.alloc = alloc;
    memory.release = alloc ? release : NULL;
    pthread_mutex_unlock(&memory.lock);
}

void
ola_memory(uint64_t *now, uint64_t *peak)
{
    pthread_mutex_lock(&memory.lock);
    *now = memory.now;
    *peak = memory.peak;
    pthread_mutex_unlock(&memory.lock);
}
