/* fault.h - shared by the fault tests: an allocator that fails on demand and keeps books, and files
 * to damage. */
#ifndef OLA_TEST_FAULT_H
#define OLA_TEST_FAULT_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "support.h"

/* ---- memory.c ---- */
/* Installs the allocator: before any other call of the library. */
void memory_watch(void);
/* The allocation that is to fail, counted from now (0: the next); SIZE_MAX: none. */
void memory_fail_at(size_t n);
bool memory_failed(void); /* since the last memory_fail_at */
/* Blocks that are out now; asserts that every release named the size that was asked for. */
size_t memory_blocks(void);

/* ---- world.c ---- */
/* A whole trip's objects; every field may be NULL. */
struct world {
    ola_params *p;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_ct *a, *b;
    ola_map *map;
    ola_poly *poly;
};
/* Two primes and one for key switching: small files. */
struct ola_literal small_literal(void);
/* Everything made; asserts success. */
void world_make(struct world *w);
void world_free(struct world *w);
/* Weights file with the sections "map:m" and "poly:p" of world's map and polynomial. */
struct bytes world_weights(void);

struct bytes file_read(const char *path);
void file_write(const char *path, const void *data, size_t size);
/* A folder of its own for this process, made; file_remove_folder asserts that nothing is left in
 * it. */
void file_folder(char *out, size_t size, const char *what);
void file_remove_folder(const char *folder);

#endif
