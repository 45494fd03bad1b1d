/* raise.c - from modulo q[0] to modulo all of Q, under a sparse secret on the way (sparse-secret
 * encapsulation: Bossuat, Troncoso-Pastoriza, Hubaux, ePrint 2022/024).
 *
 * The sparse secret is used modulo q[0] p[0] alone. Under it c0 + c1 s, taken over the integers,
 * is m + I q[0] with I as small as the secret is sparse. The way back needs no digits: c1 is below
 * q[0], small beside P. */
#include <string.h>

#include "boot/boot_impl.h"

/* Part of a ciphertext of level 0, untransformed, and the multiples that its centred residues are
 * found with. */
static void
untransform(struct ola_server *s, const struct ola_ct *ct, uint32_t part)
{
    const struct ola_params *p = s->params;
    uint64_t *coef = s->piece[OLA_COEF] + part * (size_t)p->n;
    memcpy(coef, ola_ct_limb(ct, part, 0), p->n * sizeof *coef);
    s->backend->ntt_inverse(coef, &p->ring->ntt[0]);
    s->backend->multiples((uint8_t *)s->piece[OLA_PART_MULTIPLES] + part * (size_t)p->n,
                          (const uint64_t *const[]){coef}, p->up[0].modulus, 1, p->n);
}

/* to = the centred residues of a part, modulo prime c, transformed. */
static void
lift_limb(struct ola_server *s, uint32_t part, uint32_t c, uint64_t *to)
{
    const struct ola_params *p = s->params;
    const uint64_t *coef = s->piece[OLA_COEF] + part * (size_t)p->n;
    if (c != 0) {
        ola_convert_limb(s, &p->up[0], coef,
                         (uint8_t *)s->piece[OLA_PART_MULTIPLES] + part * (size_t)p->n, c, to);
        return;
    }
    memcpy(to, coef, p->n * sizeof *to);
    s->backend->ntt_forward(to, &p->ring->ntt[c]);
}

ola_status
ola_boot_to_sparse(struct ola_server *s, struct ola_ct *ct)
{
    const struct ola_params *p = s->params;
    const size_t n = p->n;
    ola_status status = ola_switch_reserve(s, 0, 2);
    if (status != OLA_OK)
        return status;
    uint64_t *raised = s->piece[OLA_RAISED];
    uint64_t *ext[2] = {s->piece[OLA_EXT], s->piece[OLA_EXT] + 2 * n};
    const uint64_t *from[2] = {ext[0], ext[1]};
    uint64_t *const to[2] = {ola_ct_limb(ct, 0, 0), ola_ct_limb(ct, 1, 0)};
    untransform(s, ct, 1);
    lift_limb(s, 1, p->n_q, raised + n);
    const struct ola_raised r = {.own = to[1], .others = raised, .level = 0, .digits = 1};
    const struct ola_switch_job job = {.raised = &r, .key = &s->keys->boot[OLA_TO_SPARSE]};
    for (uint32_t i = 0; i < 2; i++) {
        const struct ola_part limb = {.position = i, .count = p->n};
        ola_switch_part(s, &job, limb, ext[0] + i * n, ext[1] + i * n, false, ola_server_temp(s));
    }
    s->backend->scale_add(ext[0], to[0], p->by_first_p.product[0], n, ola_server_modulus(s, 0));
    ola_divide(s, &p->by_first_p, 0, from, 0, to, 2);
    return OLA_OK;
}

ola_status
ola_boot_raise(struct ola_server *s, struct ola_ct *out, const struct ola_ct *in)
{
    const struct ola_params *p = s->params;
    const uint32_t top = p->n_q - 1, positions = ola_positions(p, top);
    const size_t n = p->n;
    ola_status status = ola_switch_reserve(s, top, 2);
    if (status == OLA_OK)
        status = ola_ct_reserve(out, 2, top);
    if (status != OLA_OK)
        return status;
    uint64_t *raised = s->piece[OLA_RAISED];
    uint64_t *const to[2] = {ola_ct_limb(out, 0, 0), ola_ct_limb(out, 1, 0)};
    for (uint32_t part = 0; part < 2; part++)
        untransform(s, in, part);
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i < positions; i++) {
        const uint32_t c = ola_position_chain(p, top, i);
        lift_limb(s, 1, c, raised + i * n);
        if (i <= top)
            lift_limb(s, 0, c, to[0] + i * n);
    }
    const struct ola_raised r = {.own = raised, .others = raised, .level = top, .digits = 1};
    const struct ola_switch_job job = {
        .raised = &r, .key = &s->keys->boot[OLA_TO_DENSE], .a0 = to[0]};
    ola_switch_divide(s, &job, 1, &p->by_p, top, to);
    ola_ct_take_key(out, in);
    return OLA_OK;
}
