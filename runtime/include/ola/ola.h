/* ola.h - libola: RNS-CKKS for compiled networks. What a server needs, and what both sides share.
 * The client's half (secret keys, encryption, decryption) is ola/client.h in a library of its own:
 * a server that links only libola has no code that could hold a secret.
 *
 * Conventions
 *  - Every function that can fail returns a status that must be checked. On failure every output is
 *    unchanged or zeroed, never half-written. ola_status_text says what a status means.
 *  - Handles are opaque. X_new makes one in *out, X_free takes NULL too. Handles that are only read may
 *    be shared by threads; a ciphertext that is written belongs to one thread.
 *  - A ciphertext has a level (its limbs minus one) and a scale; slot = value * scale. Functions that
 *    combine ciphertexts want equal levels and (to 1e-9, relative) equal scales: OLA_ERR_LEVEL, OLA_ERR_SCALE.
 *  - A secret key has an id: 16 random bytes, public, in its evaluation keys and in all that is encrypted
 *    under it or computed from that. Where ids differ: OLA_ERR_OTHER_KEY. They tell keys apart that
 *    were mixed up, not those that somebody forged.
 *  - `slots` is N/2; vectors are real. Vectors shorter than the slots have a period: a power of two.
 *  - Outputs may be the same handle as an input unless said otherwise.
 *  - Same input, same bytes, at any number of threads (OMP_NUM_THREADS).
 *  - libola_sim has this very interface on cleartext slots; it checks levels, scales and keys alike. */
#ifndef OLA_OLA_H
#define OLA_OLA_H

#include "ola/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OLA_VERSION "0.1.0"
#define OLA_KEY_ID 16 /* bytes of a secret key's id */
#define OLA_MUST_CHECK __attribute__((warn_unused_result))

typedef enum ola_status {
    OLA_OK = 0,
    OLA_ERR_NOMEM = -1,
    OLA_ERR_PARAM = -2,       /* an argument out of its range */
    OLA_ERR_INSECURE = -3,    /* log2(QP) above the 128-bit table and insecure_toy not set */
    OLA_ERR_PRIME = -4,       /* not a prime = 1 mod 2N below 2^49, or given twice */
    OLA_ERR_LEVEL = -5,       /* levels differ, or none is left */
    OLA_ERR_SCALE = -6,       /* scales differ, or the scale does not fit the modulus left */
    OLA_ERR_KEY = -7,         /* no key for this rotation or product at this level */
    OLA_ERR_FORMAT = -8,      /* not a file of this kind, damaged, or truncated */
    OLA_ERR_VERSION = -9,     /* a file of another version of libola */
    OLA_ERR_FINGERPRINT = -10, /* of other parameters */
    OLA_ERR_MODEL = -11,      /* of another model */
    OLA_ERR_IO = -12,         /* the system could not read or write; errno says why */
    OLA_ERR_RANDOM = -13,     /* no randomness */
    OLA_ERR_RANGE = -14,      /* a value too large for scale and modulus, or not finite */
    OLA_ERR_TOY = -15,        /* a toy object where a secure one is wanted, or the reverse */
    OLA_ERR_SIM = -16,        /* a file of libola_sim where one of libola is wanted, or the reverse */
    OLA_ERR_OTHER_KEY = -17,  /* ciphertext and keys, or two ciphertexts, of different secret keys */
    OLA_ERR_OTHER_RUN = -18,  /* a state of the evaluation of other ciphertexts */
    OLA_ERR_SPOILT = -19      /* slots that must be 0 are not: a value left its range on the way */
} ola_status;

/* What a status means, in words; and its name here, "OLA_ERR_KEY". */
const char *ola_status_text(ola_status s);
const char *ola_status_name(ola_status s);
/* "portable", "avx512ifma" ... : the kernels in use; chosen once by the CPU, or by OLA_BACKEND. */
const char *ola_backend_name(void);

/* All memory of the library but a client's secret key (ola/client.h) comes through this pair (NULL:
 * aligned_alloc/free). Set it before any other call; size is a multiple of 64, the result 64-byte
 * aligned or NULL. */
void ola_set_allocator(void *(*alloc)(size_t size), void (*release)(void *p, size_t size));
/* Bytes held now and at most so far through it. */
void ola_memory(uint64_t *now, uint64_t *peak);

typedef struct ola_params ola_params; /* immutable; outlives everything made with it */
typedef struct ola_ct ola_ct;         /* ciphertext */
typedef struct ola_keys ola_keys;     /* evaluation keys: relinearisation and rotations */
typedef struct ola_map ola_map;       /* a linear map, encoded for one level */
typedef struct ola_poly ola_poly;     /* a polynomial, encoded for one level */
typedef struct ola_boot ola_boot;     /* bootstrapping of vectors of one period, prepared */
typedef struct ola_server ola_server; /* evaluator: parameters, keys, scratch; one thread at a time */

/* ---- parameters ------------------------------------------------------------------------------ */
OLA_MUST_CHECK ola_status ola_params_new(const struct ola_literal *literal, ola_params **out);
void ola_params_free(ola_params *p);
const struct ola_literal *ola_params_literal(const ola_params *p);
uint32_t ola_params_slots(const ola_params *p);
uint32_t ola_params_security(const ola_params *p); /* 0 for a toy */
double ola_params_log_qp(const ola_params *p);
/* BLAKE2b-256 over the literal: two objects fit together when these are equal. */
void ola_params_fingerprint(const ola_params *p, uint8_t out[32]);
bool ola_params_of(const ola_params *p, const struct ola_literal *literal); /* made of the same one */

/* ---- ciphertexts ----------------------------------------------------------------------------- */
OLA_MUST_CHECK ola_status ola_ct_new(const ola_params *p, ola_ct **out); /* holds nothing yet */
void ola_ct_free(ola_ct *ct);
uint32_t ola_ct_level(const ola_ct *ct);
double ola_ct_scale(const ola_ct *ct);
OLA_MUST_CHECK ola_status ola_ct_copy(ola_ct *out, const ola_ct *in);

/* ---- the server ------------------------------------------------------------------------------ */
/* keys may be NULL where nothing needs them; parameters and keys outlive the server. */
OLA_MUST_CHECK ola_status ola_server_new(const ola_params *p, const ola_keys *keys, ola_server **out);
void ola_server_free(ola_server *s);

OLA_MUST_CHECK ola_status ola_add(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b);
OLA_MUST_CHECK ola_status ola_sub(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b);
/* out = a + v, v of `period` entries (power of two dividing the slots). */
OLA_MUST_CHECK ola_status ola_add_plain(ola_server *s, ola_ct *out, const ola_ct *a, const double *v,
                                        uint32_t period);
/* Three components until relinearised; scale a.scale * b.scale, same level. Only relinearise, rescale, drop, add
 * and sub take such a ciphertext. */
OLA_MUST_CHECK ola_status ola_mul(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b);
OLA_MUST_CHECK ola_status ola_relinearise(ola_server *s, ola_ct *out, const ola_ct *a);
/* Divides by the last prime: level - 1, scale / q[level]. */
OLA_MUST_CHECK ola_status ola_rescale(ola_server *s, ola_ct *out, const ola_ct *a);
/* To a lower level (or the same), scale unchanged. */
OLA_MUST_CHECK ola_status ola_drop(ola_server *s, ola_ct *out, const ola_ct *a, uint32_t level);
/* Values times `factor` by changing the scale alone: scale / factor. factor > 0. */
OLA_MUST_CHECK ola_status ola_relabel(ola_server *s, ola_ct *out, const ola_ct *a, double factor);
/* out[t] = a[t + step mod slots], 0 <= step < slots. */
OLA_MUST_CHECK ola_status ola_rotate(ola_server *s, ola_ct *out, const ola_ct *a, uint32_t step);

/* Linear map: out[j] = rescale( sum_g rotate( sum_b d . rotate(in, b), g ) ), then folds, then bias; see
 * ola/plan.h for the section's layout. `in` is [args][in_cts] in order, out is [out_cts], handles of
 * their own. Inputs at `level` and in_scale; outputs at level - 1 and out_scale, or
 * (free_of_level) at level and in_scale. How many ciphertexts there are the section says, not the caller: who
 * has it from a file compares its head with what he holds before he evaluates (of polynomials too).
 * Giant steps g1 < g2 < ... of one output are taken one after the other, from the last down: the sum
 * so far is rotated by the difference to the step before (the first one's to 0). A baby step b is
 * taken at once (coarse 0), or as rotate(rotate(in, b - b mod coarse), b mod coarse), where the coarse
 * rotations c1 < c2 < ... of one input are made one of the other, by the differences: far fewer keys for
 * a few more key switches. Needs keys at `level` for all these differences and rotations but those by
 * 0, and for every fold at the output's level.
 * compact: the diagonals are kept as their coefficients and transformed at each evaluation: less
 * memory by a factor of up to twice the number of primes, for more time. The result is the same bit
 * for bit. ola_poly_new takes no notice of compact and coarse. */
struct ola_map_desc {
    uint32_t level;
    double in_scale, out_scale;
    bool compact;
    uint32_t coarse; /* 0, or below the slots */
};
OLA_MUST_CHECK ola_status ola_map_new(const ola_params *p, const struct ola_map_desc *desc,
                                      const void *section, size_t size, ola_map **out);
void ola_map_free(ola_map *m);
OLA_MUST_CHECK ola_status ola_linear(ola_server *s, const ola_map *m, const ola_ct *const *in,
                                     ola_ct *const *out);

/* Takes the memory that these maps are evaluated in (NULL: none) now, and not when the first of them is: a freshly
 * mapped page costs more than what is computed on it. ola_bootstrap_prepare does the same. */
OLA_MUST_CHECK ola_status ola_linear_prepare(ola_server *s, const ola_map *const *maps, uint32_t n);

/* Polynomial: from (level, in_scale) to (level - depth, out_scale), by the steps of ola_plan_poly. |x| <= 1.
 * in and out are [cts]; out[k] may be in[k], but no other input. */
OLA_MUST_CHECK ola_status ola_poly_new(const ola_params *p, const struct ola_map_desc *desc,
                                       const void *section, size_t size, ola_poly **out);
void ola_poly_free(ola_poly *f);
OLA_MUST_CHECK ola_status ola_poly_eval(ola_server *s, const ola_poly *f, const ola_ct *const *in,
                                        ola_ct *const *out);

/* Sparse sums of ciphertexts by integer weights (ola/plan.h), slot by slot: the linear map of a batch that
 * has an element of the tensor in each ciphertext and an image in each slot. No transform, no encoding, no
 * rescaling: out[r] = sum_c weight * in[c] (or of in[c]^2), then bias. Weights that are +- 2^k cost a shift, and
 * sums are reduced once. The level stays; out_scale is what the caller knows the integers to make of it:
 * value = sum / out_scale. Inputs have two components, or three where nothing is squared; squares make
 * three.
 * ola_sparse_eval evaluates n maps one behind the other, block by block of entries, so that what lies between
 * them never leaves the cache; the head of the first section says how many ciphertexts in takes, that of the
 * last how many out has. No out may be an in. */
typedef struct ola_sparse ola_sparse;
struct ola_sparse_desc {
    uint32_t level;
    double in_scale, out_scale;
};
OLA_MUST_CHECK ola_status ola_sparse_new(const ola_params *p, const struct ola_sparse_desc *desc,
                                         const void *section, size_t size, ola_sparse **out);
void ola_sparse_free(ola_sparse *m);
OLA_MUST_CHECK ola_status ola_sparse_eval(ola_server *s, const ola_sparse *const *maps, uint32_t n,
                                          const ola_ct *const *in, ola_ct *const *out);
/* n ciphertexts of one level, each relinearised (where it has three components), then rescaled down to
 * `level`, shared out among the threads. out[k] may be in[k], but no other input. */
OLA_MUST_CHECK ola_status ola_reduce(ola_server *s, ola_ct *const *out, const ola_ct *const *in, uint32_t n,
                                     uint32_t level);

/* Bootstrapping (ola/plan.h): from (boot.stc, in_scale) to (boot.out_level, out_scale), values unchanged but for
 * the sine's error (ola/plan.h) and noise (ola_plan_boot_noise). `in` holds real slots that repeat with `period`
 * (where they differ, their mean comes back), |value| <= 1: up to q[0] / in_scale / 4 nothing wraps, but the sine
 * bends; beyond, the result is garbage (which libola_sim tells: OLA_ERR_RANGE). Wants the rotation keys of
 * ola_plan_boot (OLA_ERR_KEY); all others are in the keys of every literal with a boot shape. One ola_boot may be
 * shared by servers. OLA_ERR_PARAM: no such shape in the literal, or no period; OLA_ERR_SCALE: ratio below 4, or a
 * scale that does not fit. out may be in. */
OLA_MUST_CHECK ola_status ola_boot_new(const ola_params *p, uint32_t period, double in_scale, double out_scale,
                                       ola_boot **out);
/* The same to a level from boot.stc to boot.out_level: limbs that are not wanted are not raised to, so that every
 * step takes less time. The keys are the same. OLA_ERR_LEVEL: another level. */
OLA_MUST_CHECK ola_status ola_boot_new_to(const ola_params *p, uint32_t out_level, uint32_t period, double in_scale,
                                          double out_scale, ola_boot **out);
void ola_boot_free(ola_boot *b);
OLA_MUST_CHECK ola_status ola_bootstrap(ola_server *s, const ola_boot *b, ola_ct *out, const ola_ct *in);
OLA_MUST_CHECK ola_status ola_bootstrap_prepare(ola_server *s, const ola_boot *const *boots, uint32_t n);

/* What the server has done since it was made: operations on ciphertexts. additions: of constants too (a bias,
 * the constant of each part of a polynomial), and one less than the diagonals of each output of a map.
 * scalar_products: by a weight of a sparse sum other than 1 and -1. */
struct ola_counts {
    uint64_t rotations, relinearisations, products, plain_products, rescales, additions, scalar_products;
    uint64_t bootstraps; /* what they are made of is not counted above */
};
void ola_server_counts(const ola_server *s, struct ola_counts *out);
/* Seconds that the server has spent since it was made, by kind of operation; additions, drops and copies are not
 * counted. What a bootstrapping is made of is counted by its steps. libola_sim: 0. */
enum ola_kind {
    OLA_KIND_MAP,    /* ola_linear */
    OLA_KIND_POLY,   /* ola_poly_eval */
    OLA_KIND_PRODUCT, /* ola_mul, ola_relinearise, ola_rescale, ola_rotate */
    OLA_KIND_SPARSE, /* ola_sparse_eval */
    OLA_KIND_REDUCE, /* ola_reduce */
    OLA_KIND_DOWN,   /* SlotsToCoeffs */
    OLA_KIND_RAISE,  /* ModRaise */
    OLA_KIND_UP,     /* CoeffsToSlots */
    OLA_KIND_EVAL,   /* EvalMod */
    OLA_KINDS
};
const char *ola_kind_name(enum ola_kind kind); /* "linear maps", ... */
void ola_server_seconds(const ola_server *s, double out[OLA_KINDS]);

/* ---- files ----------------------------------------------------------------------------------- */
/* Magic, version, kind, fingerprint, model hash, toy mark, id of the secret key, payload, BLAKE2b-256 of all before it.
 * Writers write to a temporary name and rename. Readers treat every byte as hostile: sizes are bounded by the
 * parameters before anything is allocated, residues are checked to be below their prime. */
OLA_MUST_CHECK ola_status ola_params_save(const ola_params *p, const char *path);
OLA_MUST_CHECK ola_status ola_params_load(const char *path, ola_params **out);
OLA_MUST_CHECK ola_status ola_keys_save(const ola_keys *k, const char *path);
OLA_MUST_CHECK ola_status ola_keys_load(const ola_params *p, const char *path, ola_keys **out);
void ola_keys_free(ola_keys *k);
uint64_t ola_keys_bytes(const ola_keys *k); /* in memory */
/* n ciphertexts of one secret key in one file; load wants exactly n handles. Fresh ones are seed-compressed. */
OLA_MUST_CHECK ola_status ola_cts_save(const ola_params *p, const ola_ct *const *ct, uint32_t n,
                                       const char *path);
OLA_MUST_CHECK ola_status ola_cts_load(const ola_params *p, const char *path, ola_ct *const *ct,
                                       uint32_t n);
/* The same on memory, for embedders and fuzzers. *out is malloc'ed through the library's allocator:
 * give it back with ola_bytes_free. */
OLA_MUST_CHECK ola_status ola_keys_parse(const ola_params *p, const void *data, size_t size, ola_keys **out);
OLA_MUST_CHECK ola_status ola_cts_parse(const ola_params *p, const void *data, size_t size,
                                        ola_ct *const *ct, uint32_t n);
OLA_MUST_CHECK ola_status ola_params_parse(const void *data, size_t size, ola_params **out);
OLA_MUST_CHECK ola_status ola_cts_bytes(const ola_params *p, const ola_ct *const *ct, uint32_t n, void **out,
                                        size_t *size);
void ola_bytes_free(void *bytes, size_t size);

/* A stopped evaluation, to go on from after a restart: `place` says how far it was, `in` what it began with,
 * ct[0 .. n-1] what it held then (NULL, or handles that hold nothing, where it held nothing; one at least
 * must). Written to a temporary name and renamed: what `path` held before stays until the new one is whole.
 * Load wants the same `in` (OLA_ERR_OTHER_RUN) and n handles; those that held nothing are left as they are.
 * The file is as confidential as the ciphertexts: mode 0600. */
OLA_MUST_CHECK ola_status ola_state_save(const ola_params *p, const ola_ct *const *in, uint32_t n_in,
                                         uint32_t place, const ola_ct *const *ct, uint32_t n,
                                         const char *path);
OLA_MUST_CHECK ola_status ola_state_load(const ola_params *p, const ola_ct *const *in, uint32_t n_in,
                                         uint32_t *place, ola_ct *const *ct, uint32_t n,
                                         const char *path);

/* The weights file of a compiled network (ola/plan.h): opened, hash and model checked; sections
 * by name ("map:conv1"). */
typedef struct ola_weights ola_weights;
OLA_MUST_CHECK ola_status ola_weights_open(const char *path, const uint8_t model[32], ola_weights **out);
OLA_MUST_CHECK ola_status ola_weights_find(const ola_weights *w, const char *name, const void **section,
                                           size_t *size);
void ola_weights_close(ola_weights *w);

#ifdef __cplusplus
}
#endif
#endif
