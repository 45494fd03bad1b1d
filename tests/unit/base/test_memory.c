/* test_memory.c - arena, vector and map. */
#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(arena, zeroed_and_aligned)
{
    struct arena *a = arena_new();
    size_t total = 0;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *p = arena_alloc(a, size);
        cr_assert_eq((uintptr_t)p % (size >= 64 ? 64 : 16), 0, "%zu bytes", size);
        for (size_t k = 0; k < size; k++)
            cr_assert_eq(p[k], 0);
        memset(p, 0xff, size);
        total += size;
    }
    unsigned char *large = arena_alloc(a, (size_t)3 << 20);
    cr_expect(large[0] == 0 && large[((size_t)3 << 20) - 1] == 0);
    memset(large, 1, (size_t)3 << 20);
    unsigned char *after = arena_alloc(a, 100);
    cr_expect_eq(after[99], 0);
    cr_expect_eq(arena_used(a), total + ((size_t)3 << 20) + 100);
    arena_free(a);
    arena_free(NULL);
}

Test(arena, strings)
{
    struct arena *a = arena_new();
    char long_text[5000];
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = 0;
    cr_expect_str_eq(arena_strdup(a, "abc"), "abc");
    cr_expect_str_eq(arena_strndup(a, "abc", 2), "ab");
    cr_expect_str_eq(arena_printf(a, "%d-%s", 7, "y"), "7-y");
    cr_expect_str_eq(arena_printf(a, "%s", long_text), long_text);
    arena_free(a);
}

/* A size that does not exist ends the process; it must not wrap around. */
Test(arena, overflow, .signal = SIGABRT)
{
    struct arena *a = arena_new();
    arena_array(a, SIZE_MAX / 4, 8);
}

Test(vec, grows)
{
    struct arena *a = arena_new();
    VEC(int) v = {0};
    for (int k = 0; k < 10000; k++)
        vec_push(a, &v, k);
    cr_assert_eq(v.len, 10000);
    for (int k = 0; k < 10000; k++)
        cr_assert_eq(v.at[k], k);
    vec_push(a, &v, v.at[v.len - 1]); /* read before the array moves */
    cr_expect_eq(v.at[10000], 9999);
    arena_free(a);
}

Test(map, many_names)
{
    struct arena *a = arena_new();
    struct map m = {0};
    uint32_t v = 77;
    cr_expect(!map_get(&m, "x", &v));
    cr_expect_eq(v, 77);
    for (uint32_t k = 0; k < 5000; k++)
        map_set(a, &m, arena_printf(a, "name%u", k), k);
    for (uint32_t k = 0; k < 5000; k++) {
        cr_assert(map_get(&m, arena_printf(a, "name%u", k), &v));
        cr_assert_eq(v, k);
    }
    cr_expect(!map_get(&m, "name5000", &v));
    map_set(a, &m, "name7", 1);
    cr_expect(map_get(&m, "name7", &v) && v == 1);
    cr_expect_eq(m.len, 5000);
    arena_free(a);
}
