/* criterion.h - as much of Criterion as the tests of the kernels use, for machines that have no
 * Criterion: each test a process of its own, as there. */
#ifndef ARM_CRITERION_H
#define ARM_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct criterion_test_params {
    size_t size;
    const void *at;
    size_t count;
};

struct test {
    const char *suite, *name;
    void (*run)(const void *param);
    struct criterion_test_params (*params)(void); /* NULL: run once */
    struct test *next;
};

void test_add(struct test *t); /* main.c */

#define Test(s, n, ...)                                                                            \
    static void s##_##n(void);                                                                     \
    static void s##_##n##_run(const void *unused)                                                  \
    {                                                                                              \
        (void)unused;                                                                              \
        s##_##n();                                                                                 \
    }                                                                                              \
    __attribute__((constructor)) static void s##_##n##_add(void)                                   \
    {                                                                                              \
        static struct test t = {#s, #n, s##_##n##_run, NULL, NULL};                                \
        test_add(&t);                                                                              \
    }                                                                                              \
    static void s##_##n(void)

/* The message of an assertion is optional. */
#define cr_assert(condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s", __FILE__, __LINE__, #condition);                                   \
            printf(" " __VA_ARGS__);                                                               \
            printf("\n");                                                                          \
            fflush(stdout);                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
#define cr_assert_fail(...)          cr_assert(false, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)      cr_assert((a) == (b), __VA_ARGS__)
#define cr_assert_neq(a, b, ...)     cr_assert((a) != (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...)     cr_assert((a) >= (b), __VA_ARGS__)
#define cr_assert_not_null(a, ...)   cr_assert((a) != NULL, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)  cr_assert(strcmp(a, b) == 0, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) cr_assert(strcmp(a, b) != 0, __VA_ARGS__)

#endif
