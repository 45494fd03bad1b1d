/* vec.h - growable arrays in an arena: VEC(struct node) nodes; vec_push(a, &nodes, n);
 * nodes.at[i]. */
#ifndef OLAC_BASE_VEC_H
#define OLAC_BASE_VEC_H

#include "base/arena.h"

#include <string.h>

/* at[0 .. len-1] are valid; a zeroed VEC is empty. */
#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *at;                                                                                     \
        uint32_t len, cap;                                                                         \
    }

#define vec_reserve(arena, v, n)                                                                   \
    do {                                                                                           \
        if ((v)->cap < (n)) {                                                                      \
            uint32_t vec_cap_ = (v)->cap ? (v)->cap : 8;                                           \
            while (vec_cap_ < (n))                                                                 \
                vec_cap_ *= 2;                                                                     \
            void *vec_new_ = arena_array((arena), vec_cap_, sizeof *(v)->at);                      \
            if ((v)->len)                                                                          \
                memcpy(vec_new_, (v)->at, (v)->len * sizeof *(v)->at);                             \
            (v)->at = vec_new_;                                                                    \
            (v)->cap = vec_cap_;                                                                   \
        }                                                                                          \
    } while (0)

/* The value is evaluated before the array may move. */
#define vec_push(arena, v, ...)                                                                    \
    do {                                                                                           \
        __typeof__(*(v)->at) vec_value_ = __VA_ARGS__;                                             \
        vec_reserve(arena, v, (v)->len + 1);                                                       \
        (v)->at[(v)->len++] = vec_value_;                                                          \
    } while (0)

#endif
