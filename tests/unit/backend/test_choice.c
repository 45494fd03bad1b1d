/* test_choice.c - which backend is taken, and that its table has no holes. Each test is a process
 * of its own, so that each chooses anew. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

Test(choice, environment_names_a_backend)
{
    cr_assert_eq(setenv("OLA_BACKEND", "portable", 1), 0);
    cr_assert_str_eq(ola_backend()->name, "portable");
    cr_assert_str_eq(ola_backend_name(), "portable");
    cr_assert_eq(setenv("OLA_BACKEND", "avx2", 1), 0);
    cr_assert_str_eq(ola_backend_name(), "portable", "chosen once");
}

Test(choice, unknown_name_means_the_best)
{
    const struct ola_backend *const *list;
    cr_assert_eq(setenv("OLA_BACKEND", "abacus", 1), 0);
    uint32_t count = ola_backends(&list);
    cr_assert_eq(ola_backend(), list[count - 1]);
}

Test(choice, tables_are_complete)
{
    const struct ola_backend *const *list;
    uint32_t count = ola_backends(&list);
    cr_assert_geq(count, 1u);
    cr_assert_str_eq(list[0]->name, "portable");
#ifdef OLA_HAVE_NEON
    cr_assert_eq(count, 2u);
    cr_assert_str_eq(list[1]->name, "neon");
#endif
    for (uint32_t i = 0; i < count; i++) {
        /* A struct of pointers and nothing else: no word of it may be null. */
        uintptr_t words[sizeof *list[i] / sizeof(uintptr_t)];
        memcpy(words, list[i], sizeof words);
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            cr_assert_neq(words[w], (uintptr_t)0, "%s: entry %zu", list[i]->name, w);
        for (uint32_t k = 0; k < i; k++)
            cr_assert_str_neq(list[i]->name, list[k]->name);
    }
}

static void *
first_use(void *unused)
{
    (void)unused;
    return (void *)(uintptr_t)ola_backend();
}

Test(choice, threads_agree)
{
    pthread_t thread[8];
    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, first_use, NULL), 0);
    for (int i = 0; i < 8; i++) {
        void *chosen;
        pthread_join(thread[i], &chosen);
        cr_assert_eq(chosen, (const void *)ola_backend());
    }
}
