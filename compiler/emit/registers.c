/* registers.c - which registers hold a value, by its first and last use. A register is one
 * ciphertext; a value takes as many in a row as it has ciphertexts. An instruction that works
 * ciphertext by ciphertext takes the registers of an argument over when that dies there. What lies
 * within a pass over sparse maps has none, nor have inputs that only such a pass reads. */
#include "emit/room.h"

static bool
may_overwrite(enum he_op op)
{
    switch (op) {
    case HE_add:
    case HE_sub:
    case HE_mul:
    case HE_relin:
    case HE_rescale:
    case HE_reduce:
    case HE_drop:
    case HE_add_plain:
        return true;
    default:
        return false;
    }
}

struct registers {
    struct arena *a;
    VEC(bool) busy;
};

static uint32_t
take(struct registers *r, uint32_t n)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < r->busy.len && i - first < n; i++)
        if (r->busy.at[i])
            first = i + 1;
    while (r->busy.len < first + n)
        vec_push(r->a, &r->busy, false);
    for (uint32_t i = first; i < first + n; i++)
        r->busy.at[i] = true;
    return first;
}

static void
give_back(struct registers *r, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++)
        r->busy.at[i] = false;
}

/* The argument whose registers instruction k takes over, or NONE. */
static uint32_t
overwritten(const struct emitter *e, uint32_t k)
{
    const struct he_inst *inst = &e->p->insts.at[k];
    for (uint32_t i = 0; i < inst->args.len && may_overwrite(inst->op); i++) {
        uint32_t arg = inst->args.at[i];
        if (e->last_use[arg] == k && e->p->insts.at[arg].cts == inst->cts)
            return arg;
    }
    return NONE;
}

/* By instruction: it needs no registers. */
static bool *
find_free(const struct emitter *e)
{
    const struct he_program *p = e->p;
    bool *free = ARENA_ARRAY(e->a, bool, p->insts.len + 1);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        const struct he_inst *inst = &p->insts.at[k];
        free[k] = inst->op == HE_output || inst->op == HE_input || emit_pass_end(e, k) != k;
        for (uint32_t i = 0; i < inst->args.len; i++)
            free[inst->args.at[i]] &= inst->op == HE_sparse;
    }
    return free;
}

/* Gives back the registers of what the first map of a pass that ends at k reads. */
static void
end_argument(const struct emitter *e, struct registers *r, uint32_t arg, uint32_t k,
             const bool *free)
{
    if (e->last_use[arg] == k && !free[arg])
        give_back(r, e->reg[arg], e->p->insts.at[arg].cts);
}

void
emit_registers(struct emitter *e)
{
    uint32_t n = e->p->insts.len;
    struct registers r = {.a = e->a};
    e->last_use = ARENA_ARRAY(e->a, uint32_t, n);
    e->reg = ARENA_ARRAY(e->a, uint32_t, n);
    e->in_place = ARENA_ARRAY(e->a, bool, n);
    for (uint32_t k = 0; k < n; k++) {
        const struct he_inst *inst = &e->p->insts.at[k];
        e->last_use[k] = k;
        for (uint32_t i = 0; i < inst->args.len; i++)
            e->last_use[inst->args.at[i]] = emit_pass_end(e, k);
    }
    const bool *free = find_free(e);
    for (uint32_t k = 0; k < n; k++) {
        const struct he_inst *inst = &e->p->insts.at[k];
        uint32_t over = overwritten(e, k);
        e->in_place[k] = over != NONE;
        e->reg[k] = free[k] ? NONE : over != NONE ? e->reg[over] : take(&r, inst->cts);
        for (uint32_t i = 0; i < inst->args.len; i++) {
            uint32_t arg = inst->args.at[i];
            if (e->last_use[arg] == k && arg != over && !free[arg])
                give_back(&r, e->reg[arg], e->p->insts.at[arg].cts);
        }
        for (uint32_t j = k; j-- > 0 && emit_pass_end(e, j) == k;)
            end_argument(e, &r, e->p->insts.at[j].args.at[0], k, free);
        if (e->last_use[k] == k && !free[k])
            give_back(&r, e->reg[k], inst->cts);
    }
    e->registers = r.busy.len ? r.busy.len : 1;
}
