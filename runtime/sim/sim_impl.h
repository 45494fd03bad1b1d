/* sim_impl.h - the structs behind the handles of libola_sim, and what its files share.
 *
 * A ciphertext is its slots in double precision with the level, the scale and the number of
 * components that the real one would have; an evaluation key is the statement that it exists. Every
 * rule that the real runtime checks is checked here, and one that it can't: |value| * scale < Q /
 * 2, else OLA_ERR_RANGE. */
#ifndef OLA_SIM_IMPL_H
#define OLA_SIM_IMPL_H

#include "ola/client.h"
#include "ola/sim.h"
#include "plan/literal.h"
#include "plan/weights_parse.h"
#include "ring/ring.h"

struct ola_params {
    struct ola_literal literal;
    uint32_t n, slots, n_q;
    uint32_t security;
    double log_qp;
    double log_q[OLA_MAX_Q]; /* log2(q[0] * ... * q[level]) */
    uint64_t noise;          /* the seed; 0: no noise */
};

struct ola_ct {
    const struct ola_params *params;
    uint32_t parts; /* 0: holds nothing; 2; 3 until relinearised */
    uint32_t level;
    double scale;
    uint8_t key_id[OLA_KEY_ID]; /* of the secret key */
    uint64_t trace; /* stands for all that was done to get here: the noise model draws by it */
    double *v;      /* [slots] */
};

struct ola_keys {
    const struct ola_params *params;
    uint8_t key_id[OLA_KEY_ID];
    uint32_t relin_level; /* UINT32_MAX: none */
    uint32_t n_rotations;
    uint32_t *step, *level; /* step ascending */
    uint64_t bytes; /* of the real keys: the switching keys and an index of N for each rotation */
};

struct ola_client {
    const struct ola_params *params;
    uint8_t key_id[OLA_KEY_ID];
    uint8_t secret[32]; /* only there to be kept and read back */
};

struct ola_server {
    const struct ola_params *params;
    const struct ola_keys *keys; /* may be NULL */
    struct ola_counts counts;
};

/* ---- checks.c -------------------------------------------------------------------------------- */
bool ola_sim_same(const struct ola_params *a, const struct ola_params *b); /* by fingerprint */
bool ola_sim_close(double a, double b);                                    /* relative 1e-9 */
/* ct belongs to p and has `parts` components (0: 2 or 3). */
ola_status ola_sim_operand(const struct ola_params *p, const struct ola_ct *ct, uint32_t parts);
/* OLA_ERR_OTHER_KEY where the server has keys of another secret key than ct's, or b (may be NULL)
 * is of another. */
ola_status ola_sim_key(const struct ola_server *s, const struct ola_ct *ct, const struct ola_ct *b);
ola_status ola_sim_output(const struct ola_params *p, const struct ola_ct *ct);
/* Finite, positive, below Q_level / 2. */
ola_status ola_sim_scale(const struct ola_params *p, uint32_t level, double scale);
/* Every value finite, |value| * scale below Q_level / 2. */
ola_status ola_sim_range(const struct ola_params *p, uint32_t level, double scale, const double *v,
                         size_t n);
ola_status ola_sim_relin_key(const struct ola_server *s, uint32_t level);
ola_status ola_sim_rotation_key(const struct ola_server *s, uint32_t step,
                                uint32_t level); /* 0: none wanted */
bool ola_sim_period(const struct ola_params *p, uint32_t period);

/* ---- keys.c ---------------------------------------------------------------------------------- */
bool ola_sim_plan_good(const struct ola_params *p, const struct ola_key_plan *plan);
/* A plan that is good. */
ola_status ola_sim_keys_new(const struct ola_params *p, const struct ola_key_plan *plan,
                            const uint8_t key_id[OLA_KEY_ID], ola_keys **out);

/* ---- vectors --------------------------------------------------------------------------------- */
double *ola_sim_vector(size_t n); /* not zeroed; NULL when there is none */
void ola_sim_vector_free(double *v, size_t n);
/* Takes v (its old vector is freed) and the rest as the new contents. */
void ola_sim_set(struct ola_ct *ct, const uint8_t key_id[OLA_KEY_ID], double *v, uint32_t parts,
                 uint32_t level, double scale, uint64_t trace);

/* The outputs of an operation on several ciphertexts, kept apart until all are good. */
struct ola_results {
    const struct ola_params *params;
    uint32_t n;
    double **v; /* [n][slots] */
    uint64_t *trace;
    size_t bytes;
};
ola_status ola_results_new(const struct ola_params *p, uint32_t n, struct ola_results *r);
/* They become out's contents; frees the rest. */
void ola_results_store(struct ola_results *r, const uint8_t key_id[OLA_KEY_ID], ola_ct *const *out,
                       uint32_t level, double scale);
void ola_results_free(struct ola_results *r);

/* ---- noise.c --------------------------------------------------------------------------------- */
uint64_t ola_sim_mix(uint64_t a, uint64_t b); /* a hash of both */
uint64_t ola_sim_hash(const double *v, size_t n);
/* Variances of one coefficient of the noise polynomial. */
double ola_sim_fresh(void);
double ola_sim_rounding(const struct ola_params *p, uint32_t parts);
double ola_sim_switching(const struct ola_params *p, uint32_t level);
/* Variance of a slot's real part, in units of the values: of noise with `coefficient` variance at
 * `scale`, and of encoding a vector of this period at `scale`. */
double ola_sim_slot(const struct ola_params *p, double coefficient, double scale);
double ola_sim_encoding(uint32_t period, double scale);
/* v[t] += Gaussian of this variance; nothing when the model is off. */
void ola_sim_disturb(const struct ola_params *p, double *v, double variance, uint64_t trace);
void ola_sim_disturb_each(const struct ola_params *p, double *v, const double *variance,
                          uint64_t trace);
/* The Gaussians themselves, unit variance. */
void ola_sim_gauss(double *out, size_t n, uint64_t seed);

#endif
