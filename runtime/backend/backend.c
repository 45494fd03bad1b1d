/* backend.c - the one place where kernels are chosen: once, by what the CPU can do or by
 * OLA_BACKEND. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend/kernels.h"
#include "ola/ola.h"

#define MAX_BACKENDS 3

static struct {
    pthread_once_t once;
    struct ola_backend resolved[MAX_BACKENDS]; /* no entry is NULL */
    const struct ola_backend *list[MAX_BACKENDS];
    uint32_t count;
    const struct ola_backend *chosen;
} choice = {.once = PTHREAD_ONCE_INIT};

/* b with portable entries where it has none. */
static void
offer(const struct ola_backend *b)
{
    const struct ola_backend *p = &ola_backend_portable;
    struct ola_backend *r = &choice.resolved[choice.count];
    *r = *b;
#define FILL(entry) (r->entry = r->entry ? r->entry : p->entry)
    FILL(ntt_forward);
    FILL(ntt_inverse);
    FILL(ntt_inverse_scaled);
    FILL(add);
    FILL(sub);
    FILL(negate);
    FILL(mul);
    FILL(mul_add);
    FILL(mul_add_narrow);
    FILL(scale);
    FILL(scale_add);
    FILL(reduce);
    FILL(sub_scale);
    FILL(permute);
    FILL(inner);
    FILL(multiples);
    FILL(convert);
    FILL(repeat);
    FILL(from_signed);
    FILL(sum_shifted);
    FILL(sum_weighted);
#undef FILL
    choice.list[choice.count++] = r;
}

/* Worst to best; the best is taken unless OLA_BACKEND names another of them. */
static void
choose(void)
{
    offer(&ola_backend_portable);
#ifdef OLA_HAVE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        offer(&ola_backend_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma"))
        offer(&ola_backend_avx512ifma);
#endif
#ifdef OLA_HAVE_NEON
    offer(&ola_backend_neon);
#endif
    choice.chosen = choice.list[choice.count - 1];
    const char *wanted = getenv("OLA_BACKEND");
    for (uint32_t i = 0; wanted && i < choice.count; i++)
        if (strcmp(wanted, choice.list[i]->name) == 0)
            choice.chosen = choice.list[i];
}

const struct ola_backend *
ola_backend(void)
{
    pthread_once(&choice.once, choose);
    return choice.chosen;
}

uint32_t
ola_backends(const struct ola_backend *const **list)
{
    pthread_once(&choice.once, choose);
    *list = choice.list;
    return choice.count;
}

const char *
ola_backend_name(void)
{
    return ola_backend()->name;
}
