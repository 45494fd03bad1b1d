/* test_memory.c - a bootstrap that has run once allocates nothing when it runs again. */
#include "boot_test.h"

static long calls;

static void *
counting_alloc(size_t size)
{
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return aligned_alloc(64, size);
}

static void
counting_release(void *p, size_t size)
{
    (void)size;
    free(p);
}

Test(memory, bootstrapping_again_allocates_nothing)
{
    struct world w;
    ola_set_allocator(counting_alloc, counting_release);
    world_open(&w, toy_of(10, 2, 2), 64, 0x1p37, 0x1p37, UINT32_MAX);
    OK(ola_encrypt(w.client, w.a, w.x, 64, w.plan.in_level, 0x1p37));
    const long before = calls;
    OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
    cr_expect_gt(calls, before);
    calls = 0;
    OK(ola_bootstrap(w.server, w.boot, w.b, w.a));
    cr_expect_eq(calls, 0);
    world_close(&w);
}
