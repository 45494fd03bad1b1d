/* server.h - the evaluator's state: parameters, keys, and scratch that is grown before an operation
 * starts and then kept, so that nothing fails half-way and nothing is allocated at steady state.
 *
 * Loops run in parallel over limbs, or chunks of limbs, and hand them out as threads come for more:
 * on a machine that does other things too, equal shares would wait for the thread that was put
 * aside. No result depends on which thread made it.
 *
 * The limbs of a vector modulo Q P at a level have positions: q[0 .. level], then p. */
#ifndef OLA_CKKS_SERVER_H
#define OLA_CKKS_SERVER_H

#include "ckks/ckks.h"

#ifdef _OPENMP
#include <omp.h>
static inline int
ola_thread(void)
{
    return omp_get_thread_num();
}
#else
static inline int
ola_thread(void)
{
    return 0;
}
#endif

#define OLA_CHUNK                                                                                  \
    1024u             /* entries of a limb worked on at once: the fewest that the kernels take   \
                         */
#define OLA_TERMS 16u /* plaintext products to one lazy sum */
#define OLA_REGS  32u /* registers of a polynomial's evaluation */

/* Words; grown, never shrunk. */
struct ola_buffer {
    uint64_t *data;
    size_t words;
};

/* What an operation works with, side by side in one block: operations follow one another, so that
 * the block is as large as the largest of them wants and no larger. */
enum ola_piece {
    OLA_COEF,            /* untransformed limbs on their way to another basis */
    OLA_DIGIT_MULTIPLES, /* of a basis, bytes, that a conversion takes off: of each digit */
    OLA_PART_MULTIPLES,  /* and of each polynomial that is divided */
    OLA_RAISED,          /* digits modulo Q P */
    OLA_EXT,             /* results of key switches modulo Q P */
    OLA_REAL,            /* doubles of a vector to be encoded */
    OLA_COARSE,          /* of linear maps, as the next three */
    OLA_BABY,
    OLA_GROUP,
    OLA_WORK, /* a share for each thread */
    OLA_REG,  /* registers of a polynomial's evaluation */
    OLA_PIECES
};

struct ola_server {
    const struct ola_params *params;
    const struct ola_keys *keys;
    const struct ola_backend *backend;
    int threads;
    struct ola_buffer temp;      /* a share for each thread */
    struct ola_buffer scratch;   /* what piece[] points into */
    uint64_t *piece[OLA_PIECES]; /* of the operation under way; NULL: has no words */
    struct ola_server **helper;  /* for each thread one of a single thread (reduce.c), or NULL */
    struct ola_ct held[2];       /* between operations of one that is made of several */
    struct ola_counts counts;
    double seconds[OLA_KINDS];
};

/* Of a clock that only goes forward. */
double ola_seconds(void);
static inline void
ola_server_spent(struct ola_server *s, enum ola_kind kind, double since)
{
    s->seconds[kind] += ola_seconds() - since;
}

/* What a buffer held is lost when it grows, or fails to. */
OLA_MUST_CHECK ola_status ola_buffer_need(struct ola_buffer *b, size_t words);
/* The pieces of an operation, of words[] each, anew: what all of them held is lost. */
OLA_MUST_CHECK ola_status ola_server_room(struct ola_server *s, const size_t words[OLA_PIECES]);
/* Writes to the scratch that there is, so that its pages are mapped. */
void ola_server_touch(struct ola_server *s);
/* One for `threads` threads. */
OLA_MUST_CHECK ola_status ola_server_make(const struct ola_params *p, const struct ola_keys *keys,
                                          int threads, struct ola_server **out);
/* The calling thread's share of temp: three limbs, and at least OLA_TERMS chunks. */
uint64_t *ola_server_temp(const struct ola_server *s);

static inline const struct ola_modulus *
ola_server_modulus(const struct ola_server *s, uint32_t c)
{
    return &s->params->ring->ntt[c].mod;
}
/* Chain index of a position, number of positions. */
static inline uint32_t
ola_position_chain(const struct ola_params *p, uint32_t level, uint32_t position)
{
    return position <= level ? position : p->n_q + position - level - 1;
}
static inline uint32_t
ola_positions(const struct ola_params *p, uint32_t level)
{
    return level + 1 + p->n_p;
}

/* ---- key switching (switch.c) ---- */

/* to = limbs that lie together, prepared for conversion out of a basis, modulo prime c and
 * transformed; multiples: of the kernel of that name. */
void ola_convert_limb(struct ola_server *s, const struct ola_basis *b, const uint64_t *coef,
                      const uint8_t *multiples, uint32_t c, uint64_t *to);

/* Polynomial limbs of q[0 .. level] cut into digits and each raised to all positions. */
struct ola_raised {
    const uint64_t *own;    /* the polynomial: what digit d is at its own positions */
    const uint64_t *others; /* [position][digit][n] */
    const uint64_t *coef;   /* or, in place of others, what they are made of where they are used */
    uint32_t level, digits;
};
/* One product of raised digits with a key: (P a0', P a1') + sum_d digit_d' * key_d, ' being the
 * automorphism of perm. a0, a1: limbs of q[0 .. level], NULL for none. */
struct ola_switch_job {
    const struct ola_raised *raised;
    const struct ola_switch *key;
    const uint32_t *perm;
    const uint64_t *a0, *a1;
};

/* Scratch for raising at `level` and for dividing `parts` polynomials at once: added to words, or
 * all that there is. */
void ola_switch_room(const struct ola_params *p, uint32_t level, uint32_t parts,
                     size_t words[OLA_PIECES]);
OLA_MUST_CHECK ola_status ola_switch_reserve(struct ola_server *s, uint32_t level, uint32_t parts);
void ola_raise(struct ola_server *s, const uint64_t *poly, uint32_t level, struct ola_raised *out);
/* For one job, which uses each position once: the raised digits never leave the cache. */
void ola_raise_once(struct ola_server *s, const uint64_t *poly, uint32_t level,
                    struct ola_raised *out);
/* ext[k] = job k, or +=, for jobs at one level; an ext: two parts of all positions. */
void ola_switch_add(struct ola_server *s, const struct ola_switch_job *jobs, uint32_t count,
                    uint64_t *const *ext, bool accumulate);
/* out[2k], out[2k+1] = round(job k / B), limbs of q[0 .. out_level], for jobs at one level. An out
 * may be a0, a1 or the raised polynomial of its own job when that is the only one. */
void ola_switch_divide(struct ola_server *s, const struct ola_switch_job *jobs, uint32_t count,
                       const struct ola_basis *b, uint32_t out_level, uint64_t *const *out);
/* Entries first .. first + count - 1 of the limb at a position; count: as for kernels. */
struct ola_part {
    uint32_t position, first, count;
};
/* A job on them: count entries of each part of the result, or +=; the whole limb where digits are
 * made on their way. spare: count words. */
void ola_switch_part(struct ola_server *s, const struct ola_switch_job *job, struct ola_part part,
                     uint64_t *sum0, uint64_t *sum1, bool accumulate, uint64_t *spare);
/* ext = (P a0, P a1), or += : what needs no key. */
void ola_switch_lift(struct ola_server *s, const uint64_t *a0, const uint64_t *a1, uint32_t level,
                     uint64_t *ext, bool accumulate);
/* out[k] = round(in[k] / B) for `count` polynomials: in limbs at the positions of `level`, out
 * limbs of q[0 .. out_level]. out[k] == in[k] is allowed. */
void ola_divide(struct ola_server *s, const struct ola_basis *b, uint32_t level,
                const uint64_t *const *in, uint32_t out_level, uint64_t *const *out,
                uint32_t count);

/* ---- ciphertexts (evaluate.c): no checks, nothing fails; room is there ---- */

bool ola_scale_fits(const struct ola_params *p, uint32_t level, double scale);
bool ola_scales_equal(double a, double b);
/* Relinearises (when in has three parts) and divides by the last prime; out may be in, room for 2
 * parts. */
void ola_reduce_ct(struct ola_server *s, struct ola_ct *out, const struct ola_ct *in, bool rescale);
/* out = rotate(in, key's step) (+ out when add); out has in's level. */
void ola_rotate_ct(struct ola_server *s, struct ola_ct *out, const struct ola_ct *in,
                   const struct ola_switch *key);

/* A polynomial of one ciphertext with the same coefficients (coef[0 .. degree], Chebyshev) in all
 * slots, in doubles (poly.c). */
OLA_MUST_CHECK ola_status ola_poly_of(const struct ola_params *p, const struct ola_map_desc *desc,
                                      uint32_t degree, const double *coef, struct ola_poly **out);

/* out += its image under the key's automorphism (linear.c). */
void ola_fold_ct(struct ola_server *s, struct ola_ct *out, const struct ola_switch *key);

/* Product of two ciphertexts with two parts, at `level` (neither is lower), into three parts of
 * out: a * b, or 2 * a * b - constant (residues for each limb) when constant is not NULL. out may
 * be a or b. */
void ola_tensor(struct ola_server *s, struct ola_ct *out, const struct ola_ct *a,
                const struct ola_ct *b, uint32_t level, const uint64_t *constant);

/* v (period entries) times scale as doubles in the piece OLA_REAL, their size; OLA_ERR_RANGE when
 * it does not fit at `level`. */
OLA_MUST_CHECK ola_status ola_server_encode(struct ola_server *s, const double *v, uint32_t period,
                                            uint32_t level, double scale, double *size);

/* OLA_ERR_OTHER_KEY where the server has keys, of another secret key than ct's. */
OLA_MUST_CHECK ola_status ola_server_check_key(const struct ola_server *s, const struct ola_ct *ct);

#endif
