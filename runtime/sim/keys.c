/* keys.c - evaluation keys: the list of those that exist. */
#include "sim/sim_impl.h"

#include <string.h>

static size_t
list_bytes(const struct ola_keys *k)
{
    return (size_t)k->n_rotations * 2 * sizeof(uint32_t);
}

bool
ola_sim_plan_good(const struct ola_params *p, const struct ola_key_plan *plan)
{
    if (plan == NULL || (plan->relin_level != UINT32_MAX && plan->relin_level >= p->n_q) ||
        plan->n_rotations >= p->slots ||
        (plan->n_rotations != 0 && (plan->step == NULL || plan->level == NULL)))
        return false;
    for (uint32_t k = 0; k < plan->n_rotations; k++) {
        if (plan->step[k] == 0 || plan->step[k] >= p->slots || plan->level[k] >= p->n_q ||
            (k > 0 && plan->step[k] <= plan->step[k - 1]))
            return false;
    }
    return true;
}

ola_status
ola_sim_keys_new(const struct ola_params *p, const struct ola_key_plan *plan,
                 const uint8_t key_id[OLA_KEY_ID], ola_keys **out)
{
    ola_keys *k = ola_alloc_zero(sizeof *k);
    if (k == NULL)
        return OLA_ERR_NOMEM;
    k->params = p;
    memcpy(k->key_id, key_id, sizeof k->key_id);
    k->relin_level = plan->relin_level;
    k->n_rotations = plan->n_rotations;
    if (k->n_rotations > 0) {
        k->step = ola_alloc(list_bytes(k));
        if (k->step == NULL) {
            ola_release(k, sizeof *k);
            return OLA_ERR_NOMEM;
        }
        k->level = k->step + k->n_rotations;
        memcpy(k->step, plan->step, k->n_rotations * sizeof *k->step);
        memcpy(k->level, plan->level, k->n_rotations * sizeof *k->level);
    }
    if (k->relin_level != UINT32_MAX)
        k->bytes = ola_plan_key_bytes(&p->literal, k->relin_level);
    k->bytes += ola_plan_boot_key_bytes(&p->literal);
    for (uint32_t r = 0; r < k->n_rotations; r++)
        k->bytes += ola_plan_key_bytes(&p->literal, k->level[r]) + p->n * sizeof(uint32_t);
    *out = k;
    return OLA_OK;
}

void
ola_keys_free(ola_keys *k)
{
    if (k == NULL)
        return;
    ola_release(k->step, list_bytes(k));
    ola_release(k, sizeof *k);
}

uint64_t
ola_keys_bytes(const ola_keys *k)
{
    return k->bytes;
}
