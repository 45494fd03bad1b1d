/* test_memory.c - the pool: alignment, reuse, counting, balance, the user's pair and its
 * failures. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ring/ring.h"

static uint64_t
held(void)
{
    uint64_t now, peak;
    ola_memory(&now, &peak);
    cr_assert(now <= peak);
    return now;
}

Test(memory, blocks_are_aligned_apart_and_given_back)
{
    static const size_t sizes[] = {
        0, 1, 64, 65, 4095, 4096, 4097, 100000, 1 << 20, (2 << 20) + 1, 5 << 20};
    enum { KINDS = sizeof sizes / sizeof *sizes };
    unsigned char *p[3][KINDS];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < KINDS; i++) {
            p[round][i] = ola_alloc(sizes[i]);
            cr_assert_not_null(p[round][i]);
            cr_assert_eq((uintptr_t)p[round][i] % 64, 0u);
            memset(p[round][i], (int)(16 * (unsigned)round + i), sizes[i]);
        }
    }
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < KINDS; i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                cr_assert_eq(p[round][i][k], 16 * (unsigned)round + i);
            ola_release(p[round][i], sizes[i]);
        }
    }
    ola_release(NULL, 100);
    ola_memory_trim();
    cr_assert_eq(held(), 0u);
}

Test(memory, sizes_of_a_class_share_blocks)
{
    for (size_t size = 4096; size < (64u << 20); size = size * 9 / 8 + 40) {
        void *p = ola_alloc(size);
        cr_assert_not_null(p);
        uint64_t now = held();
        cr_assert(now >= size && now <= size + size / 8 + 64, "%zu takes %llu", size,
                  (unsigned long long)now);
        ola_release(p, size);
        cr_assert_eq(held(), now, "a released block stays pooled");
        void *again = ola_alloc(size);
        cr_assert_eq(again, p, "and is handed out again");
        cr_assert_eq(held(), now);
        ola_release(again, size);
        ola_memory_trim();
        cr_assert_eq(held(), 0u);
    }
}

Test(memory, pool_is_bounded)
{
    enum { BLOCKS = 40 };
    const size_t size = 8u << 20;
    void *p[BLOCKS];
    for (int i = 0; i < BLOCKS; i++)
        cr_assert_not_null(p[i] = ola_alloc(size)); /* never touched: costs address space only */
    cr_assert_eq(held(), BLOCKS * size);
    for (int i = 0; i < BLOCKS; i++)
        ola_release(p[i], size);
    cr_assert(held() <= 128u << 20);
    ola_memory_trim();
    cr_assert_eq(held(), 0u);
}

Test(memory, zeroed_even_when_reused)
{
    unsigned char *p = ola_alloc(10000);
    memset(p, 255, 10000);
    ola_release(p, 10000);
    p = ola_alloc_zero(10000);
    for (size_t i = 0; i < 10000; i++)
        cr_assert_eq(p[i], 0);
    ola_release(p, 10000);
    ola_memory_trim();
}

Test(memory, impossible_sizes_are_refused)
{
    cr_assert_null(ola_alloc(SIZE_MAX));
    cr_assert_null(ola_alloc(SIZE_MAX / 2));
    cr_assert_null(ola_alloc_zero((size_t)1 << 36));
    cr_assert_eq(held(), 0u);
}

static struct {
    uint64_t blocks, bytes, calls, fail_at;
} hook;

static void *
hook_alloc(size_t size)
{
    cr_assert_eq(size % 64, 0u);
    if (++hook.calls == hook.fail_at)
        return NULL;
    hook.blocks++;
    hook.bytes += size;
    return aligned_alloc(64, size);
}

static void
hook_release(void *p, size_t size)
{
    hook.blocks--;
    hook.bytes -= size;
    free(p);
}

Test(memory, hook_sees_every_call)
{
    ola_release(ola_alloc(1 << 20), 1 << 20); /* leaves a block in the pool */
    ola_set_allocator(hook_alloc, hook_release);
    cr_assert_eq(held(), 0u, "the pool is emptied");
    for (int i = 1; i <= 3; i++) {
        void *p = ola_alloc(100000);
        cr_assert_eq(hook.calls, (uint64_t)i);
        cr_assert_eq(hook.bytes, held());
        ola_release(p, 100000);
        cr_assert_eq(hook.blocks, 0u);
        cr_assert_eq(hook.bytes, 0u);
    }
    ola_set_allocator(NULL, NULL);
    cr_assert_eq(held(), 0u);
}

/* Every allocation of ola_ring_new fails once; nothing leaks, and the last try works. */
Test(memory, ring_survives_the_failing_of_each_allocation)
{
    uint64_t q[3];
    struct ola_ring *ring;
    cr_assert(ola_plan_primes(10, 40, 3, NULL, 0, q));
    ola_set_allocator(hook_alloc, hook_release);
    ola_status s = OLA_ERR_NOMEM;
    uint64_t tries = 0;
    while (s) {
        hook.calls = 0;
        hook.fail_at = ++tries;
        s = ola_ring_new(10, q, 2, q + 2, 1, &ring);
        cr_assert(s == OLA_OK || s == OLA_ERR_NOMEM);
        cr_assert((s == OLA_OK) == (ring != NULL));
        if (s)
            cr_assert_eq(hook.blocks, 0u, "%llu blocks leak when allocation %llu fails",
                         (unsigned long long)hook.blocks, (unsigned long long)tries);
    }
    cr_assert_eq(tries, hook.calls + 1);
    ola_ring_free(ring);
    cr_assert_eq(hook.blocks, 0u);
    cr_assert_eq(held(), 0u);
}

static void *
churn(void *argument)
{
    uint64_t state = *(const uint64_t *)argument;
    unsigned char *p[16] = {NULL};
    size_t size[16] = {0};
    for (int i = 0; i < 20000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t slot = state >> 60;
        if (p[slot] && p[slot][0] != (unsigned char)slot)
            return (void *)1;
        ola_release(p[slot], size[slot]);
        size[slot] = 1 + (state >> 20) % 50000;
        p[slot] = ola_alloc(size[slot]);
        if (!p[slot])
            return (void *)1;
        memset(p[slot], (int)slot, size[slot] < 64 ? size[slot] : 64);
    }
    for (int i = 0; i < 16; i++)
        ola_release(p[i], size[i]);
    return NULL;
}

Test(memory, threads_share_the_pool)
{
    pthread_t thread[4];
    uint64_t seed[4] = {1, 2, 3, 4};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, churn, &seed[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        cr_assert_null(wrong);
    }
    ola_memory_trim();
    cr_assert_eq(held(), 0u);
}
