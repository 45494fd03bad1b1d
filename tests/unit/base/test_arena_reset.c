/* test_arena_reset.c - an arena that is filled again and again hands out zeroed memory and does not
 * grow; children go with their parent. */
#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

Test(arena, reset_gives_zeroed_memory_again)
{
    struct arena *a = arena_new();
    for (int round = 0; round < 50; round++) {
        char *small = arena_alloc(a, 1000), *large = arena_alloc(a, (size_t)1 << 21);
        cr_assert_eq(arena_used(a), 1000 + ((size_t)1 << 21));
        for (int k = 0; k < 1000; k++)
            cr_assert_eq(small[k], 0);
        cr_assert_eq(large[0] | large[(1 << 21) - 1], 0);
        memset(small, 0xff, 1000);
        memset(large, 0xff, (size_t)1 << 21);
        arena_reset(a);
        cr_assert_eq(arena_used(a), 0);
    }
    arena_free(a);
}

Test(arena, reset_of_an_empty_arena)
{
    struct arena *a = arena_new();
    arena_reset(a);
    char *p = arena_alloc(a, 10);
    cr_expect_eq(p[9], 0);
    arena_free(a);
}

/* A leak is what the address sanitiser would find. */
Test(arena, children_go_with_their_parent)
{
    struct arena *a = arena_new(), *b = arena_child(a), *c = arena_child(b), *d = arena_child(a);
    char *kept = arena_strdup(a, "kept");

    memset(arena_alloc(b, 1000), 1, 1000);
    memset(arena_alloc(c, (size_t)1 << 21), 1, (size_t)1 << 21);
    memset(arena_alloc(d, 10), 1, 10);
    arena_reset(b); /* takes c with it */
    cr_expect_eq(arena_used(b), 0);
    cr_expect_eq(*(char *)arena_alloc(b, 100), 0);
    cr_expect_str_eq(kept, "kept");
    cr_expect_eq(arena_used(d), 10);
    arena_free(a);
}
