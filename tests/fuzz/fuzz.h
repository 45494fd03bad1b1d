/* fuzz.h - what the runtime's fuzz targets share: the parameters of their seeds, and repaired
 * inputs. A mutated file fails its hash; repaired, it is read to the end and its contents are used.
 */
#ifndef OLA_FUZZ_H
#define OLA_FUZZ_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "file/file.h"
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two primes and one more for key switching: the smallest files. */
static inline struct ola_literal
fuzz_literal(void)
{
    struct ola_literal l = toy_literal();
    l.n_q = 2;
    l.n_p = 1;
    l.digit_limbs = 1;
    /* A digit must be below P: the widest of the three primes goes there. */
    uint64_t *widest = l.q[0] > l.p[0] ? &l.q[0] : &l.p[0], t = *widest;
    *widest = l.p[0];
    l.p[0] = t;
    for (uint32_t k = l.n_q; k < OLA_MAX_Q; k++)
        l.q[k] = 0;
    for (uint32_t k = l.n_p; k < OLA_MAX_P; k++)
        l.p[k] = 0;
    return l;
}

/* The shortest chain that bootstraps, in no useful precision: for files of keys that have the two
 * keys of a bootstrapping. */
static inline struct ola_literal
fuzz_boot_literal(void)
{
    struct ola_literal l = {
        .log_n = 10, .n_q = 8, .n_p = 2, .digit_limbs = 2, .insecure_toy = true};
    l.boot = (struct ola_boot_shape){
        .stc = 2, .cts = 2, .degree = 4, .doubles = 0, .k = 1, .out_level = 2};
    if (!ola_plan_primes(l.log_n, 45, l.n_q, NULL, 0, l.q) ||
        !ola_plan_primes(l.log_n, 48, l.n_p, l.q, l.n_q, l.p))
        abort();
    return l;
}

/* Blocks straight from malloc, so that the sanitizer sees their ends. */
static inline void *
fuzz_alloc(size_t size)
{
    return aligned_alloc(64, size);
}

static inline void
fuzz_release(void *p, size_t size)
{
    (void)size;
    free(p);
}

static inline ola_params *
fuzz_params_new(struct ola_literal l)
{
    ola_params *p;
    ola_set_allocator(fuzz_alloc, fuzz_release);
    if (sodium_init() < 0 || ola_params_new(&l, &p) != OLA_OK)
        abort();
    return p;
}

static inline ola_params *
fuzz_params_once(void)
{
    static ola_params *p;
    if (p == NULL)
        p = fuzz_params_new(fuzz_literal());
    return p;
}

/* A copy whose payload size and trailer are right; free it. NULL when there is no room for head and
 * trailer. */
static inline uint8_t *
fuzz_repair(const uint8_t *data, size_t size)
{
    struct ola_file_head head;
    if (size < sizeof head + OLA_FILE_HASH)
        return NULL;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    memcpy(&head, copy, sizeof head);
    head.payload = size - sizeof head - OLA_FILE_HASH;
    memcpy(copy, &head, sizeof head);
    crypto_generichash(copy + size - OLA_FILE_HASH, OLA_FILE_HASH, copy, size - OLA_FILE_HASH, NULL,
                       0);
    return copy;
}

#endif
