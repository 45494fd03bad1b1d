/* code.c - the layers as C: one function each, a line for each instruction, and the table of them
 * all. */
#include "emit/room.h"

#include <string.h>

/* Index of the vector section of instruction k. */
static uint32_t
vector_index(const struct emitter *e, uint32_t k)
{
    uint32_t i = 0;
    while (e->vectors.at[i] != k)
        i++;
    return i;
}

/* First ciphertext of port `index` among those of all ports. */
static uint32_t
port_offset(const struct he_program *p, bool output, uint32_t index)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < index; i++)
        first += p->layouts.at[output ? p->outputs.at[i].layout : p->inputs.at[i].layout].cts;
    return first;
}

static void
linear_line(const struct emitter *e, uint32_t k, struct str *out)
{
    const struct he_inst *inst = &e->p->insts.at[k];
    str_addf(out, "    linear(run, %u, %u, (const uint32_t[]){", inst->data, e->reg[k]);
    for (uint32_t i = 0; i < inst->args.len; i++)
        str_addf(out, "%s%u", i ? ", " : "", e->reg[inst->args.at[i]]);
    str_add(out, "});\n");
}

/* One line for a whole pass, where its last map stands. */
static void
sparse_line(const struct emitter *e, uint32_t k, struct str *out)
{
    const struct he_program *p = e->p;
    uint32_t first = k;
    if (emit_pass_end(e, k) != k)
        return;
    while (first > 0 && emit_pass_end(e, first - 1) == k)
        first--;
    uint32_t from = p->insts.at[first].args.at[0];
    str_addf(out, "    sparse(run, %u, %u, %u, ", p->insts.at[first].data, k - first + 1,
             e->reg[k]);
    if (e->reg[from] == NONE)
        str_addf(out, "run->in + %u);\n", port_offset(p, false, p->insts.at[from].data));
    else
        str_addf(out, "held(run, %u));\n", e->reg[from]);
}

static void
call_line(const struct emitter *e, uint32_t k, struct str *out)
{
    const struct he_inst *inst = &e->p->insts.at[k];
    uint32_t to = e->reg[k], n = inst->cts;
    uint32_t a = inst->args.len ? e->reg[inst->args.at[0]] : 0;
    uint32_t b = inst->args.len > 1 ? e->reg[inst->args.at[1]] : 0;

    switch (inst->op) {
    case HE_input:
        if (to != NONE)
            str_addf(out, "    input(run, %u, %u, %u);\n", to, port_offset(e->p, false, inst->data),
                     n);
        break;
    case HE_linear:
        linear_line(e, k, out);
        break;
    case HE_poly:
        str_addf(out, "    poly(run, %u, %u, %u);\n", inst->data, to, a);
        break;
    case HE_sparse:
        sparse_line(e, k, out);
        break;
    case HE_reduce:
        str_addf(out, "    reduce(run, %u, %u, %u, %u);\n", to, a, n, inst->level);
        break;
    case HE_add:
        str_addf(out, "    add(run, %u, %u, %u, %u);\n", to, a, b, n);
        break;
    case HE_sub:
        str_addf(out, "    sub(run, %u, %u, %u, %u);\n", to, a, b, n);
        break;
    case HE_mul:
        str_addf(out, "    mul(run, %u, %u, %u, %u);\n", to, a, b, n);
        break;
    case HE_relin:
        str_addf(out, "    relinearise(run, %u, %u, %u);\n", to, a, n);
        break;
    case HE_rescale:
        str_addf(out, "    rescale(run, %u, %u, %u);\n", to, a, n);
        break;
    case HE_drop:
        str_addf(out, "    drop(run, %u, %u, %u, %u);\n", to, a, n, inst->level);
        break;
    case HE_refresh:
        str_addf(out, "    refresh(run, %u, %u, %u, %u);\n", inst->data, to, a, n);
        break;
    case HE_add_plain:
        str_addf(out, "    add_plain(run, %u, %u, %u);\n", vector_index(e, k), to, a);
        break;
    case HE_output:
        str_addf(out, "    output(run, %u, %u, %u);\n", port_offset(e->p, true, inst->data), a, n);
        break;
    case HE_NONE:
    case HE_COUNT:
        break;
    }
}

/* The registers that hold, in front of instruction `end`, what it and later ones read, as runs of
 * them; their number. */
static uint32_t
live_runs(const struct emitter *e, uint32_t end, struct str *out)
{
    bool *live = ARENA_ARRAY(e->a, bool, e->registers + 1);
    uint32_t runs = 0;
    for (uint32_t k = 0; k < end; k++)
        for (uint32_t i = 0;
             e->reg[k] != NONE && e->last_use[k] >= end && i < e->p->insts.at[k].cts; i++)
            live[e->reg[k] + i] = true;
    for (uint32_t first = 0, n; first < e->registers; first += n) {
        for (n = 1; live[first] && live[first + n]; n++)
            ;
        if (live[first] && ++runs)
            str_addf(out, "    {%u, %u},\n", first, n);
    }
    return runs;
}

/* What each layer leaves to later ones: a table of all, and where each layer's part ends. */
static uint32_t *
emit_live(struct emitter *e, struct str *out)
{
    uint32_t *end = ARENA_ARRAY(e->a, uint32_t, e->layers.len + 1), all = 0;
    str_add(out, "/* Registers that later layers read, layer after layer. */\n"
                 "static const struct span {\n"
                 "    uint32_t first, n;\n"
                 "} live[] = {\n");
    for (uint32_t i = 0; i + 1 < e->layers.len; i++) {
        const struct layer *l = &e->layers.at[i];
        all += live_runs(e, l->first + l->count, out);
        end[i] = all;
    }
    end[e->layers.len - 1] = all;
    str_add(out, "    {0, 0},\n};\n\n");
    return end;
}

void
emit_code(struct emitter *e, struct str *out)
{
    for (uint32_t i = 0; i < e->layers.len; i++) {
        const struct layer *l = &e->layers.at[i];
        str_addf(out, "/* %s */\nstatic void\nlayer_%u(struct run *run)\n{\n", l->title, i);
        for (uint32_t k = l->first; k < l->first + l->count; k++)
            call_line(e, k, out);
        str_add(out, "}\n\n");
    }
    const uint32_t *live = emit_live(e, out);
    str_addf(out,
             "static const struct layer {\n"
             "    const char *name;\n"
             "    void (*call)(struct run *run);\n"
             "    double seconds; /* predicted; all 1 where nothing is known */\n"
             "    uint32_t live, live_end; /* entries of live */\n"
             "} layers[%s_LAYERS] = {\n",
             e->capitals);
    double all = 0;
    for (uint32_t i = 0; i < e->layers.len; i++)
        all += e->layers.at[i].seconds;
    for (uint32_t i = 0; i < e->layers.len; i++) {
        str_add(out, "    {");
        emit_string(out, e->layers.at[i].name);
        str_addf(out, ", layer_%u, %.3g, %u, %u},\n", i, all > 0 ? e->layers.at[i].seconds : 1,
                 i ? live[i - 1] : 0, live[i]);
    }
    str_add(out, "};\n");
}
