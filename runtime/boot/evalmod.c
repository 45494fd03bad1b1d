/* evalmod.c - the sine that takes multiples of q[0] away: a cosine as a polynomial, then double
 * angles (Han and Ki, ePrint 2019/688; the polynomial: plan/boot_cosine.c). */
#include <math.h>
#include <string.h>

#include "boot/boot_impl.h"
#include "ckks/encoder.h"

ola_status
ola_boot_cosine_new(const struct ola_params *p, const struct ola_boot_scales *scales,
                    struct ola_poly **out)
{
    const struct ola_boot_shape *b = &p->literal.boot;
    const struct ola_map_desc desc = {
        .level = p->n_q - 2 - b->cts, .in_scale = scales->u, .out_scale = scales->cosine};
    double coef[OLA_MAX_DEGREE / 2 + 1];
    (void)ola_plan_boot_cosine(b, scales->ratio, coef); /* its error is in the model */
    return ola_poly_of(p, &desc, b->degree / 2, coef, out);
}

/* ct = 2 ct^2 - 1, one level down, by name at `scale` there. */
static ola_status
double_angle(struct ola_server *s, struct ola_ct *ct, double scale)
{
    const struct ola_params *p = s->params;
    const uint32_t level = ct->level;
    const double product = scale * (double)p->literal.q[level];
    uint64_t one[OLA_MAX_Q];
    ola_status status = ola_switch_reserve(s, level, 2);
    if (status == OLA_OK)
        status = ola_ct_reserve(ct, 3, level);
    if (status != OLA_OK)
        return status;
    for (uint32_t i = 0; i <= level; i++)
        one[i] = ola_encoded_scalar(p, i, product);
    ola_tensor(s, ct, ct, ct, level, one);
    ola_reduce_ct(s, ct, ct, true);
    ct->scale = scale;
    return OLA_OK;
}

/* ct += value in all slots. */
static void
add_constant(struct ola_server *s, struct ola_ct *ct, double value)
{
    const struct ola_params *p = s->params;
    for (uint32_t i = 0; i <= ct->level; i++) {
        const uint64_t q = p->literal.q[i], add = ola_encoded_scalar(p, i, value * ct->scale);
        uint64_t *a = ola_ct_limb(ct, 0, i);
        for (uint32_t j = 0; j < p->n; j++) {
            const uint64_t sum = a[j] + add;
            a[j] = sum >= q ? sum - q : sum;
        }
    }
}

ola_status
ola_boot_eval_mod(struct ola_server *s, const struct ola_boot *b, struct ola_ct *ct)
{
    const struct ola_boot_shape *shape = &s->params->literal.boot;
    add_constant(s, ct, -0.25 / (shape->k + 0.5));
    ola_status status = double_angle(s, ct, b->scales.u);
    const ola_ct *const in[1] = {ct};
    ola_ct *const out[1] = {ct};
    if (status == OLA_OK)
        status = ola_poly_eval(s, b->cosine, in, out);
    while (status == OLA_OK && ct->level > shape->out_level) {
        const double q = (double)s->params->literal.q[ct->level];
        status = double_angle(s, ct, ct->scale * ct->scale / q);
    }
    return status;
}
