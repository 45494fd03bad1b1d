/* boot_impl.h - the struct behind ola_boot, and what its files share; the method: ola/plan.h. */
#ifndef OLA_BOOT_IMPL_H
#define OLA_BOOT_IMPL_H

#include "ckks/map.h"
#include "ckks/server.h"

struct ola_boot {
    const struct ola_params *params; /* of what comes in and goes out */
    const struct ola_params *inner;  /* of all steps: the same, or */
    struct ola_params *own;          /* without the limbs that are not raised to; or NULL */
    struct ola_boot_plan plan;
    struct ola_boot_scales scales;
    double in_scale, out_scale;
    struct ola_map *stc[OLA_MAX_BOOT_FACTORS], *cts[OLA_MAX_BOOT_FACTORS];
    struct ola_poly *cosine;
};

/* ---- factors.c: the factors of the transforms as linear maps ---- */

struct ola_boot_direction {
    bool inverse; /* CoeffsToSlots: each stage halves, so that it undoes the other direction's */
    double gain;  /* multiplies all values */
    double in_scale, out_scale;
};
OLA_MUST_CHECK ola_status ola_boot_factor_map(const struct ola_params *p,
                                              const struct ola_boot_factor *f,
                                              const struct ola_boot_direction *direction,
                                              struct ola_map **out);

/* ---- boot.c: the steps ---- */

/* The two ciphertexts that steps take turns with; what a step works on, and leaves, is `now`. */
struct ola_boot_turns {
    struct ola_ct *now, *next;
};
/* in may be t->now. */
OLA_MUST_CHECK ola_status ola_boot_slots_to_coeffs(struct ola_server *s, const struct ola_boot *b,
                                                   const struct ola_ct *in,
                                                   struct ola_boot_turns *t);
OLA_MUST_CHECK ola_status ola_boot_raise_modulus(struct ola_server *s, const struct ola_boot *b,
                                                 struct ola_boot_turns *t);
OLA_MUST_CHECK ola_status ola_boot_coeffs_to_slots(struct ola_server *s, const struct ola_boot *b,
                                                   struct ola_boot_turns *t);

/* ---- raise.c: from q[0] to all primes; ciphertexts of two parts, keys are there ---- */

/* A ciphertext of level 0, in place: switched to the sparse secret. */
OLA_MUST_CHECK ola_status ola_boot_to_sparse(struct ola_server *s, struct ola_ct *ct);
/* out = in, of level 0 and under the sparse secret, taken modulo all of Q, under the dense one. */
OLA_MUST_CHECK ola_status ola_boot_raise(struct ola_server *s, struct ola_ct *out,
                                         const struct ola_ct *in);

/* ---- evalmod.c ---- */

/* The polynomial in u of EvalMod, from x's level less one. */
OLA_MUST_CHECK ola_status ola_boot_cosine_new(const struct ola_params *p,
                                              const struct ola_boot_scales *scales,
                                              struct ola_poly **out);
/* x, in place, to sin(2 pi x) at scale scales.sine. */
OLA_MUST_CHECK ola_status ola_boot_eval_mod(struct ola_server *s, const struct ola_boot *b,
                                            struct ola_ct *ct);

#endif
