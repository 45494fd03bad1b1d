/* tp.h - the tensor program: a network as inputs, affine maps, polynomials and products of tensors.
 *
 * Node k makes value k. linearize/ builds it from the graph, layout/ says where every element sits
 * in the slots, lower/ turns it into the HE program. Nothing of ONNX is left here. */
#ifndef OLAC_IR_TP_H
#define OLAC_IR_TP_H

#include "ir/graph.h"
#include "ir/he.h"
#include "ir/matrix.h"

enum tp_kind {
    TP_INPUT,
    TP_LINEAR, /* sum of matrix * argument, plus bias */
    TP_POLY,   /* a polynomial on every element; |x| <= 1 */
    TP_MUL     /* product of two tensors, element by element */
};

struct tp_arg {
    uint32_t value;
    struct matrix *m; /* TP_LINEAR; NULL otherwise */
};

/* Where the elements of a [C, H, W] tensor sit on a grid that several resolutions share: channel c,
 * row y, column x at  (c / g2) * plane + (y * gap + (c % g2) / gap) * pitch + x * gap + (c % g2) %
 * gap,  g2 = gap^2 when the gaps hold channels (packed), else 1 (then the offset inside the gap is
 * 0). */
struct tp_grid {
    bool present;
    uint32_t c, h, w;
    uint32_t plane, pitch, gap, rows; /* rows: of the grid, plane >= rows * pitch */
    bool packed;
};

/* The chosen evaluation of a linear node; by layout/. */
struct tp_split {
    uint32_t fold; /* K: results are summed down to this period; 0: no fold */
    /* how an offset is cut into giant and baby step: see tp_split_offset */
    uint32_t plane, baby;
    bool free_of_level; /* all weights equal and every output reads at the same offsets */
    float weight;       /* free_of_level: that weight */
    /* all arguments lie alike and count +1 or -1: ciphertexts are added, no level */
    bool plain_sum;
    /* nothing to compute: the result is the argument under another layout */
    bool alias;
};

struct tp_node {
    enum tp_kind kind;
    const char *name; /* of the graph node(s) it computes */
    struct shape shape;
    uint32_t n; /* elements */
    VEC(struct tp_arg) args;
    double *bias;      /* TP_LINEAR: [n], or NULL */
    struct poly *poly; /* TP_POLY: coefficients; centre 0 and radius 1 are implied */
    uint32_t port;     /* TP_INPUT: index of the graph's input */
    uint32_t uses;     /* readers, outputs included */
    double bound;      /* on |element|, from what images showed; 0: not known */
    /* by layout/ */
    struct he_layout layout;
    struct tp_grid grid;
    struct tp_split split;
};

struct tp {
    struct arena *arena;
    const struct graph *graph;
    VEC(struct tp_node) nodes;
    VEC(uint32_t) outputs; /* nodes, one for each output of the graph */
};

/* Cuts an offset d in [0, modulus) into steps: what is left of the nearest multiple of `plane`,
 * then of the nearest multiple of `baby`, is the baby step, in [-baby/2, baby - baby/2); the rest
 * the giant step, in [0, modulus). */
void tp_split_offset(const struct tp_split *s, uint32_t modulus, uint32_t d, int32_t *baby,
                     uint32_t *giant);
/* x modulo m in [-m/2, m - m/2); |x| + m/2 < 2^31. */
static inline int32_t
tp_centred(int32_t x, uint32_t m)
{
    int32_t half = (int32_t)(m / 2), r = (x + half) % (int32_t)m;
    return (r < 0 ? r + (int32_t)m : r) - half;
}
/* What is left of an offset for the giant step. */
static inline uint32_t
tp_giant(uint32_t d, int32_t baby, uint32_t modulus)
{
    int32_t g = (int32_t)d - baby;
    if (g < 0 || g >= (int32_t)modulus)
        g %= (int32_t)modulus;
    return (uint32_t)(g < 0 ? g + (int32_t)modulus : g);
}
/* A copy that layout may change; matrices, biases and polynomials are shared. */
struct tp *tp_copy(struct arena *a, const struct tp *t);
/* Counts the readers of every node again. */
void tp_count_uses(struct tp *t);
/* Drops nodes that nothing reads. */
void tp_tidy(struct tp *t);
/* Replaces argument k of linear node `to` by that argument's own arguments: M2 (M1 x + b1). False
 * (nothing changed) when the product would be too large. The producer stays: tidy drops it when it
 * was its only reader. */
bool tp_fuse(struct tp *t, uint32_t to, uint32_t k);
/* Levels from an input to an output along the deepest way, layouts ignored: linear and product 1,
 * polynomials their depth; aliases, plain sums and level-free maps (once known) 0. */
uint32_t tp_depth(const struct tp *t);
/* "conv1 1, relu1 3, ...": the nodes of the deepest way with their levels. */
const char *tp_depth_text(struct arena *a, const struct tp *t);
/* A bound from below: no layout needs fewer levels. */
uint32_t tp_depth_least(const struct tp *t);
/* Exact values of every node on cleartext inputs, in double: values[k] has n entries. For tests. */
void tp_eval(const struct tp *t, struct arena *a, const float *const *in, double **values);
bool tp_check(const struct tp *t, struct diag *d);
void tp_print(const struct tp *t, struct str *out);

#endif
