/* manifest.c - NAME_manifest.json: everything that a person or a tool may want to know without
 * reading C. */
#include "emit/room.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static cJSON *
number(double x)
{
    return cJSON_CreateNumber(x);
}

/* Text that is valid UTF-8 whatever the model's names are. */
static cJSON *
text(const struct emitter *e, const char *s)
{
    return cJSON_CreateString(emit_plain(e->a, s ? s : ""));
}

static cJSON *
hex(const uint8_t *bytes, uint32_t n)
{
    struct str s = {0};
    emit_hex(&s, bytes, n);
    cJSON *json = cJSON_CreateString(str_text(&s));
    str_free(&s);
    return json;
}

static cJSON *
shape(const struct shape *s)
{
    cJSON *dims = cJSON_CreateArray();
    for (int i = 0; i < s->rank; i++)
        cJSON_AddItemToArray(dims, number((double)s->dim[i]));
    return dims;
}

static cJSON *
primes(const uint64_t *at, uint32_t n)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < n; i++)
        cJSON_AddItemToArray(list, number((double)at[i])); /* below 2^49: exact */
    return list;
}

static cJSON *
parameters(const struct emitter *e)
{
    const struct he_params *q = &e->p->params;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "log_n", number(q->log_n));
    cJSON_AddItemToObject(json, "slots", number(q->slots));
    cJSON_AddItemToObject(json, "levels", number(q->q.len ? q->q.len - 1 : 0));
    cJSON_AddItemToObject(json, "log_qp", number(q->log_qp));
    cJSON_AddItemToObject(json, "scale", number(q->scale));
    cJSON_AddItemToObject(json, "digit_limbs", number(q->digit_limbs));
    cJSON_AddItemToObject(json, "q", primes(q->q.at, q->q.len));
    cJSON_AddItemToObject(json, "p", primes(q->p.at, q->p.len));
    return json;
}

static cJSON *
keys(const struct emitter *e)
{
    const struct he_program *p = e->p;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_CreateArray();
    cJSON_AddItemToObject(json, "relinearisation_level",
                          p->relin_level == NONE ? cJSON_CreateNull() : number(p->relin_level));
    for (uint32_t i = 0; i < p->rotations.len; i++) {
        cJSON *r = cJSON_CreateObject();
        cJSON_AddItemToObject(r, "step", number(p->rotations.at[i].step));
        cJSON_AddItemToObject(r, "level", number(p->rotations.at[i].level));
        cJSON_AddItemToArray(list, r);
    }
    cJSON_AddItemToObject(json, "rotations", list);
    cJSON_AddItemToObject(json, "bytes", number((double)p->key_bytes));
    return json;
}

static void
add_pixels(cJSON *json, const struct pixels *px)
{
    if (!px->present)
        return;
    cJSON *pixels = cJSON_AddObjectToObject(json, "pixels");
    cJSON_AddItemToObject(pixels, "divisor", number(px->divisor));
    cJSON_AddItemToObject(pixels, "mean", cJSON_CreateDoubleArray(px->mean, (int)px->channels));
    cJSON_AddItemToObject(pixels, "std", cJSON_CreateDoubleArray(px->std, (int)px->channels));
}

/* Where the network is split, and the image that the client's part takes. */
static void
add_split(const struct emitter *e, cJSON *root)
{
    if (!e->o->front)
        return;
    const struct image_port image = emit_image(e, 0);
    cJSON *json = cJSON_AddObjectToObject(root, "split");
    cJSON_AddItemToObject(json, "at", text(e, e->o->split_at));
    cJSON_AddItemToObject(json, "input", text(e, image.name));
    cJSON_AddItemToObject(json, "shape", shape(image.shape));
    add_pixels(json, image.pixels);
}

static cJSON *
port(const struct emitter *e, const struct he_port *at, bool output)
{
    const struct he_layout *l = &e->p->layouts.at[at->layout];
    const struct he_inst *inst = &e->p->insts.at[at->value];
    cJSON *json = cJSON_CreateObject(), *runs = cJSON_CreateArray();
    cJSON_AddItemToObject(json, "name", text(e, at->name));
    cJSON_AddItemToObject(json, "shape", shape(&l->shape));
    cJSON_AddItemToObject(json, "ciphertexts", number(l->cts));
    cJSON_AddItemToObject(json, "period", number(l->period));
    cJSON_AddItemToObject(json, "level", number(inst->level));
    cJSON_AddItemToObject(json, "scale", number(inst->scale));
    for (uint32_t i = 0; i < at->runs.len; i++) {
        const struct he_run *r = &at->runs.at[i];
        const double row[] = {r->elem, r->elem_step, r->slot, r->slot_step, r->count};
        cJSON_AddItemToArray(runs, cJSON_CreateDoubleArray(row, 5));
    }
    cJSON_AddItemToObject(json, "runs", runs); /* elem, elem_step, slot, slot_step, count */
    if (output)
        cJSON_AddItemToObject(json, "range", number(at->range));
    if (!output)
        add_pixels(json, &at->pixels);
    return json;
}

static cJSON *
layer(const struct emitter *e, const struct layer *l)
{
    const struct he_inst *last = &e->p->insts.at[l->result];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "node", text(e, l->name));
    cJSON_AddItemToObject(json, "op", text(e, l->op));
    if (l->degree)
        cJSON_AddItemToObject(json, "degree", number(l->degree));
    cJSON_AddItemToObject(json, "shape", shape(&e->p->layouts.at[last->layout].shape));
    cJSON_AddItemToObject(json, "ciphertexts", number(last->cts));
    cJSON_AddItemToObject(json, "level", number(last->level));
    cJSON_AddItemToObject(json, "scale", number(last->scale));
    cJSON_AddItemToObject(json, "rotations", number(l->rotations));
    cJSON_AddItemToObject(json, "products", number(l->products));
    cJSON_AddItemToObject(json, "plain_products", number(l->plain_products));
    cJSON_AddItemToObject(json, "seconds", number(l->seconds));
    return json;
}

static void
add_lists(const struct emitter *e, cJSON *root)
{
    const struct he_program *p = e->p;
    cJSON *inputs = cJSON_AddArrayToObject(root, "inputs");
    cJSON *outputs = cJSON_AddArrayToObject(root, "outputs");
    cJSON *layers = cJSON_AddArrayToObject(root, "layers");
    for (uint32_t i = 0; i < p->inputs.len; i++)
        cJSON_AddItemToArray(inputs, port(e, &p->inputs.at[i], false));
    for (uint32_t i = 0; i < p->outputs.len; i++)
        cJSON_AddItemToArray(outputs, port(e, &p->outputs.at[i], true));
    for (uint32_t i = 0; i < e->layers.len; i++)
        cJSON_AddItemToArray(layers, layer(e, &e->layers.at[i]));
}

static void
counts(cJSON *json, const struct he_counts *c)
{
    cJSON_AddItemToObject(json, "additions", number((double)c->additions));
    cJSON_AddItemToObject(json, "scalar_products", number((double)c->scalar_products));
    cJSON_AddItemToObject(json, "plain_products", number((double)c->plain_products));
    cJSON_AddItemToObject(json, "products", number((double)c->products));
    cJSON_AddItemToObject(json, "rotations", number((double)c->rotations));
    cJSON_AddItemToObject(json, "relinearisations", number((double)c->relinearisations));
    cJSON_AddItemToObject(json, "rescales", number((double)c->rescales));
}

static cJSON *
predicted(const struct emitter *e)
{
    const struct he_program *p = e->p;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "seconds", number(p->seconds));
    cJSON_AddItemToObject(json, "peak_bytes", number((double)p->peak_bytes));
    counts(json, &p->counts);
    if (p->count_refreshes)
        cJSON_AddItemToObject(json, "bootstraps", number((double)p->count_refreshes));
    return json;
}

/* Operations by node of the graph; of a map of a batch also what its weights would take if none
 * were pruned. */
static cJSON *
operations(const struct emitter *e)
{
    struct he_counts_list nodes = {0};
    cJSON *list = cJSON_CreateArray();
    he_count_nodes(e->p, e->a, &nodes);
    for (uint32_t k = 0; k < nodes.len; k++) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddItemToObject(json, "node", text(e, nodes.at[k].node));
        counts(json, &nodes.at[k].counts);
        if (nodes.at[k].sparse)
            counts(cJSON_AddObjectToObject(json, "dense"), &nodes.at[k].dense);
        cJSON_AddItemToArray(list, json);
    }
    return list;
}

void
emit_manifest(const struct emitter *e, struct str *out)
{
    const struct he_params *q = &e->p->params;
    cJSON *root = cJSON_CreateObject(), *weights = cJSON_CreateObject();
    cJSON_AddItemToObject(root, "olac", text(e, emit_version()));
    cJSON_AddItemToObject(root, "network", text(e, e->p->name));
    cJSON_AddItemToObject(root, "identifier", text(e, e->name));
    cJSON_AddItemToObject(root, "model", hex(e->p->model_hash, sizeof e->p->model_hash));
    cJSON_AddItemToObject(root, "options", text(e, e->o->options));
    cJSON_AddItemToObject(root, "security_bits", number(q->insecure_toy ? 0 : q->security));
    cJSON_AddItemToObject(root, "insecure_toy", cJSON_CreateBool(q->insecure_toy));
    cJSON_AddStringToObject(root, "pack", e->p->batch ? "throughput" : "latency");
    cJSON_AddItemToObject(root, "batch", number(e->p->batch ? e->p->batch : 1));
    add_split(e, root);
    cJSON_AddItemToObject(root, "parameters", parameters(e));
    cJSON_AddItemToObject(root, "keys", keys(e));
    cJSON_AddItemToObject(root, "predicted", predicted(e));
    cJSON_AddItemToObject(root, "operations", operations(e));
    cJSON_AddItemToObject(weights, "bytes", number((double)e->weights_bytes));
    cJSON_AddItemToObject(weights, "hash", hex(e->weights_hash, sizeof e->weights_hash));
    cJSON_AddItemToObject(root, "weights", weights);
    cJSON_AddItemToObject(root, "registers", number(e->registers));
    cJSON_AddItemToObject(root, "selftest_tolerance", number(e->o->tolerance));
    add_lists(e, root);
    char *printed = cJSON_Print(root);
    str_add(out, printed ? printed : "{}");
    str_add(out, "\n");
    cJSON_free(printed);
    cJSON_Delete(root);
}
