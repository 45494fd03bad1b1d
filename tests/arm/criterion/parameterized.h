/* parameterized.h - tests that are run for each of an array of values (criterion.h). */
#ifndef ARM_PARAMETERIZED_H
#define ARM_PARAMETERIZED_H

#include "criterion.h"

#define cr_make_param_array(type, array, count)                                                    \
    ((struct criterion_test_params){sizeof(type), array, count})
#define ParameterizedTestParameters(s, n) static struct criterion_test_params s##_##n##_params(void)
#define ParameterizedTest(param, s, n)                                                             \
    static void s##_##n(param);                                                                    \
    static void s##_##n##_run(const void *value)                                                   \
    {                                                                                              \
        s##_##n(value);                                                                            \
    }                                                                                              \
    __attribute__((constructor)) static void s##_##n##_add(void)                                   \
    {                                                                                              \
        static struct test t = {#s, #n, s##_##n##_run, s##_##n##_params, NULL};                    \
        test_add(&t);                                                                              \
    }                                                                                              \
    static void s##_##n(param)

#endif
