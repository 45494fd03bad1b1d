/* marks.c - what stands in the generated files for each mark and condition of the templates. */
#include "emit/room.h"

#include <string.h>

static bool
uses(const struct he_program *p, enum he_op op)
{
    for (uint32_t k = 0; k < p->insts.len; k++)
        if (p->insts.at[k].op == op)
            return true;
    return false;
}

/* Columns of a value; what is longer goes on below it. */
#define VALUE_COLUMNS 84

static void
provenance_line(struct str *out, const char *key, const char *value)
{
    while (strlen(value) > VALUE_COLUMNS) {
        size_t n = VALUE_COLUMNS;
        while (n && value[n] != ' ')
            n--;
        if (!n)
            break;
        str_addf(out, "%-9s %.*s\n", key, (int)n, value);
        key = "";
        value += n + 1;
    }
    str_addf(out, "%-9s %s\n", key, value);
}

/* The lines of the provenance header, without a comment's frame. */
static void
provenance(const struct emitter *e, struct str *out)
{
    const struct he_program *p = e->p;
    const struct he_params *q = &p->params;
    const char *options = e->o->options && *e->o->options ? e->o->options : "none";
    struct str hash = {0};
    emit_hex(&hash, p->model_hash, sizeof p->model_hash);
    provenance_line(out, "made by", arena_printf(e->a, "olac %s", emit_version()));
    provenance_line(out, "network", emit_plain(e->a, p->name ? p->name : ""));
    provenance_line(out, "model", arena_printf(e->a, "BLAKE2b-256 %s", str_text(&hash)));
    provenance_line(out, "options", emit_plain(e->a, options));
    str_free(&hash);
    if (q->insecure_toy)
        provenance_line(out, "security", "NONE: an insecure toy, for experiments only");
    else
        provenance_line(out, "security", arena_printf(e->a, "%u bits (classical)", q->security));
    provenance_line(out, "ring",
                    arena_printf(e->a, "log N = %u, log QP = %.1f, %u levels", q->log_n, q->log_qp,
                                 q->q.len ? q->q.len - 1 : 0));
    provenance_line(out, "keys",
                    arena_printf(e->a, "%u rotations%s, %llu bytes", p->rotations.len,
                                 p->relin_level == NONE ? "" : ", relinearisation",
                                 (unsigned long long)p->key_bytes));
}

/* The provenance as lines of a C or CMake comment. */
static void
mark_provenance(struct emitter *e, struct str *out, const char *lead)
{
    struct str lines = {0};
    provenance(e, &lines);
    for (const char *s = str_text(&lines); *s;) {
        size_t n = strcspn(s, "\n");
        str_addf(out, "%s%.*s\n", lead, (int)n, s);
        s += n + (s[n] == '\n');
    }
    str_free(&lines);
}

static void
mark_constants(struct emitter *e, struct str *out)
{
    const struct he_params *q = &e->p->params;
    const struct {
        const char *name;
        uint32_t value;
        const char *what;
    } rows[] = {
        {"INPUTS", e->p->inputs.len, "tensors of an image, one behind the other"},
        {"INPUT_SIZE", e->input_size, "numbers of an image"},
        {"BATCH", e->p->batch ? e->p->batch : 1, "images of an evaluation, at most"},
        {"INPUT_CTS", e->input_cts, "ciphertexts of an evaluation's images"},
        {"OUTPUTS", e->p->outputs.len, "tensors of an answer"},
        {"OUTPUT_SIZE", e->output_size, "numbers of an answer"},
        {"OUTPUT_CTS", e->output_cts, "ciphertexts of its answers"},
        {"LAYERS", e->layers.len, "steps of an evaluation"},
        {"LOG_N", q->log_n, "ring degree"},
        {"SLOTS", q->slots, "numbers in a ciphertext"},
        {"LEVELS", q->q.len ? q->q.len - 1 : 0, "of a fresh chain of primes"},
        {"SECURITY", q->insecure_toy ? 0 : q->security, "bits; 0: an insecure toy"},
        {"MEGABYTES", (uint32_t)(e->p->peak_bytes / 1000000) + 1, "memory of an evaluation"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        str_addf(out, "#define %s_%-12s %6uu /* %s */\n", e->capitals, rows[i].name, rows[i].value,
                 rows[i].what);
    if (!e->o->front)
        return;
    str_addf(out, "#define %s_%-12s %6uu /* numbers that the part in the clear works on */\n",
             e->capitals, "FRONT_SIZE", emit_front_size(e));
    str_addf(out, "#define %s_%-12s %6uu /* numbers that it makes, which are encrypted */\n",
             e->capitals, "FRONT_MADE", e->p->layouts.at[e->p->inputs.at[0].layout].n);
}

static void
primes(struct str *out, const char *field, const uint64_t *at, uint32_t n)
{
    str_addf(out, "    .%s = {", field);
    for (uint32_t i = 0; i < n; i++)
        str_addf(out, "%s0x%llx", i ? ", " : "", (unsigned long long)at[i]);
    str_add(out, "},\n");
}

static void
mark_parameters(struct emitter *e, struct str *out)
{
    const struct he_params *q = &e->p->params;
    str_addf(out,
             "static const struct ola_literal parameters = {\n    .log_n = %u,\n    .n_q = %u,\n"
             "    .n_p = %u,\n",
             q->log_n, q->q.len, q->p.len);
    primes(out, "q", q->q.at, q->q.len);
    if (q->p.len)
        primes(out, "p", q->p.at, q->p.len);
    str_addf(out, "    .digit_limbs = %u,\n    .insecure_toy = %s,\n    .model = {", q->digit_limbs,
             q->insecure_toy ? "true" : "false");
    for (uint32_t i = 0; i < sizeof e->p->model_hash; i++)
        str_addf(out, "%s0x%02x", i ? ", " : "", e->p->model_hash[i]);
    str_add(out, "},\n");
    if (q->boot.out_level)
        str_addf(
            out,
            "    .boot = {.stc = %u, .cts = %u, .degree = %u, .doubles = %u, .k = %u, .out_level "
            "= %u},\n",
            q->boot.stc, q->boot.cts, q->boot.degree, q->boot.doubles, q->boot.k,
            q->boot.out_level);
    str_add(out, "};\n");
}

static void
mark_key_plan(struct emitter *e, struct str *out)
{
    const struct he_program *p = e->p;
    uint32_t n = p->rotations.len;
    for (uint32_t column = 0; column < 2 && n; column++) {
        str_addf(out, "%s\nstatic const uint32_t rotation_%s[] = {",
                 column ? "/* ... up to these levels. */"
                        : "/* Rotations to the left by these steps ... */",
                 column ? "level" : "step");
        for (uint32_t i = 0; i < n; i++)
            str_addf(out, "%s%u", i ? ", " : "",
                     column ? p->rotations.at[i].level : p->rotations.at[i].step);
        str_add(out, "};\n\n");
    }
    str_add(out, "static const struct ola_key_plan key_plan = {\n    .relin_level = ");
    if (p->relin_level == NONE)
        str_add(out, "UINT32_MAX, /* no products */\n");
    else
        str_addf(out, "%u,\n", p->relin_level);
    str_addf(out, "    .n_rotations = %u,\n    .step = %s,\n    .level = %s,\n};\n", n,
             n ? "rotation_step" : "NULL", n ? "rotation_level" : "NULL");
}

static void
spare_rows(const struct he_port *port, uint32_t i, struct str *out)
{
    if (!port->spare.len)
        return;
    str_addf(out, "static const struct elements spare_%u[] = {\n", i);
    for (uint32_t r = 0; r < port->spare.len; r++)
        str_addf(out, "    {0, 0, %u, 1, %u},\n", port->spare.at[r].slot, port->spare.at[r].count);
    str_add(out, "};\n\n");
}

static void
port_rows(struct emitter *e, struct str *out, bool output)
{
    const char *what = output ? "output" : "input";
    uint32_t n = output ? e->p->outputs.len : e->p->inputs.len;
    const struct he_port *ports = output ? e->p->outputs.at : e->p->inputs.at;
    for (uint32_t i = 0; i < n; i++) {
        const struct he_port *port = &ports[i];
        str_addf(out, "/* %s %s, %s */\nstatic const struct elements %s_%u[] = {\n", what,
                 emit_plain(e->a, port->name),
                 emit_shape(e->a, &e->p->layouts.at[port->layout].shape), what, i);
        for (uint32_t r = 0; r < port->runs.len; r++) {
            const struct he_run *run = &port->runs.at[r];
            str_addf(out, "    {%u, %u, %u, %u, %u},\n", run->elem, run->elem_step, run->slot,
                     run->slot_step, run->count);
        }
        str_add(out, "};\n\n");
        spare_rows(port, i, out);
    }
    str_addf(out, "static const struct port %ss[%s_%s] = {\n", what, e->capitals,
             output ? "OUTPUTS" : "INPUTS");
    for (uint32_t i = 0; i < n; i++) {
        const struct he_layout *l = &e->p->layouts.at[ports[i].layout];
        const struct he_inst *inst = &e->p->insts.at[ports[i].value];
        str_addf(out, "    {%u, %u, %u, %u, ", l->n, l->cts, l->period, inst->level);
        emit_scale(out, inst->scale);
        str_addf(out, ", %u, %s_%u", ports[i].runs.len, what, i);
        if (ports[i].spare.len) {
            str_addf(out, ", %u, spare_%u, ", ports[i].spare.len, i);
            str_double(out, e->o->tolerance);
            str_add(out, "},\n");
        } else
            str_add(out, ", 0, NULL, 0},\n");
    }
    str_add(out, "};\n");
}

static void
mark_ports(struct emitter *e, struct str *out)
{
    port_rows(e, out, false);
    str_add(out, "\n");
    port_rows(e, out, true);
}

static void
doubles(struct str *out, const char *name, uint32_t index, const double *at, uint32_t n)
{
    str_addf(out, "static const double %s_%u[] = {", name, index);
    for (uint32_t i = 0; i < n; i++) {
        str_add(out, i ? ", " : "");
        str_double(out, at[i]);
    }
    str_add(out, "};\n");
}

static void
mark_pixels(struct emitter *e, struct str *out)
{
    uint32_t n = e->p->inputs.len;
    for (uint32_t i = 0; i < n; i++) {
        const struct pixels *px = emit_image(e, i).pixels;
        doubles(out, "mean", i, px->mean, px->channels);
        doubles(out, "std", i, px->std, px->channels);
    }
    str_addf(out,
             "\n/* A pixel v of channel c, plane pixels to a channel: (v / divisor - mean[c]) / "
             "std[c]. */\n"
             "static const struct pixels {\n    uint32_t plane, channels;\n    double divisor;\n"
             "    const double *mean, *std;\n} pixels[%s_INPUTS] = {\n",
             e->capitals);
    for (uint32_t i = 0; i < n; i++) {
        const struct image_port image = emit_image(e, i);
        const struct pixels *px = image.pixels;
        uint32_t plane = image.n;
        if (px->channels > 1 && image.shape->rank == 4)
            plane = (uint32_t)(image.shape->dim[2] * image.shape->dim[3]);
        str_addf(out, "    {%u, %u, ", plane, px->channels);
        str_double(out, px->divisor);
        str_addf(out, ", mean_%u, std_%u},\n", i, i);
    }
    str_add(out, "};\n");
}

static void
desc(struct str *out, uint32_t level, double in_scale, double out_scale, bool compact,
     uint32_t coarse)
{
    str_addf(out, ", {%u, ", level);
    emit_scale(out, in_scale);
    str_add(out, ", ");
    emit_scale(out, out_scale);
    str_addf(out, ", %s, %u}", compact ? "true" : "false", coarse);
}

static void
map_rows(struct emitter *e, struct str *out)
{
    const struct he_program *p = e->p;
    uint32_t most = 1;
    for (uint32_t i = 0; i < p->maps.len; i++)
        if (p->maps.at[i].args * p->maps.at[i].in_cts > most)
            most = p->maps.at[i].args * p->maps.at[i].in_cts;
    str_addf(
        out,
        "\n#define MAPS %u\n#define MAP_INPUTS %u /* ciphertexts that go into one, at most */\n\n"
        "/* Linear maps: section of the weights; level, scales of input and output, how it is "
        "kept; ciphertexts. "
        "*/\n"
        "static const struct map {\n    const char *section;\n    struct ola_map_desc desc;\n"
        "    uint32_t args, in_cts, out_cts;\n} maps[MAPS] = {\n",
        p->maps.len, most);
    for (uint32_t i = 0; i < p->maps.len; i++) {
        const struct he_map *m = &p->maps.at[i];
        str_add(out, "    {");
        emit_string(out, e->map_name[i]);
        desc(out, m->level, m->in_scale, m->out_scale, m->compact, m->coarse);
        str_addf(out, ", %u, %u, %u},\n", m->args, m->in_cts, m->out_cts);
    }
    str_add(out, "};\n");
}

static void
poly_rows(struct emitter *e, struct str *out)
{
    const struct he_program *p = e->p;
    uint32_t most = 1;
    for (uint32_t i = 0; i < p->polys.len; i++)
        if (p->polys.at[i].cts > most)
            most = p->polys.at[i].cts;
    str_addf(
        out,
        "\n#define POLYS %u\n#define POLY_INPUTS %u /* ciphertexts that go into one, at most */\n\n"
        "/* Polynomials: section of the weights; level, scales of input and output, how it is "
        "kept; ciphertexts. "
        "*/\n"
        "static const struct poly {\n    const char *section;\n    struct ola_map_desc desc;\n"
        "    uint32_t cts;\n} polys[POLYS] = {\n",
        p->polys.len, most);
    for (uint32_t i = 0; i < p->polys.len; i++) {
        const struct he_poly *f = &p->polys.at[i];
        str_add(out, "    {");
        emit_string(out, e->poly_name[i]);
        desc(out, f->level, f->in_scale, f->out_scale, false, 0);
        str_addf(out, ", %u},\n", f->cts);
    }
    str_add(out, "};\n");
}

static uint32_t
longest_pass(const struct emitter *e)
{
    uint32_t most = 1;
    for (uint32_t k = 0; k < e->p->insts.len; k++)
        if (emit_pass_end(e, k) - k + 1 > most)
            most = emit_pass_end(e, k) - k + 1;
    return most;
}

static void
sparse_rows(struct emitter *e, struct str *out)
{
    const struct he_program *p = e->p;
    str_addf(out,
             "\n#define SPARSES %u\n#define PASS %u /* sparse maps evaluated in one pass, at most "
             "*/\n\n"
             "/* Sparse maps: section of the weights; level, scales of input and output; "
             "ciphertexts in and out. */\n"
             "static const struct sparse {\n    const char *section;\n"
             "    struct ola_sparse_desc desc;\n    uint32_t cols, rows;\n"
             "} sparses[SPARSES] = {\n",
             p->sparse.len, longest_pass(e));
    for (uint32_t i = 0; i < p->sparse.len; i++) {
        const struct he_sparse *s = &p->sparse.at[i];
        str_add(out, "    {");
        emit_string(out, e->sparse_name[i]);
        str_addf(out, ", {%u, ", s->level);
        emit_scale(out, s->in_scale);
        str_add(out, ", ");
        emit_scale(out, s->out_scale);
        str_addf(out, "}, %u, %u},\n", s->cols, s->rows);
    }
    str_add(out, "};\n");
}

static void
refresh_rows(struct emitter *e, struct str *out)
{
    const struct he_program *p = e->p;
    str_addf(out,
             "\n#define REFRESHES %u\n\n/* Bootstrappings: period of the slots, level of the "
             "output, scales of input and output. */\n"
             "static const struct refresh {\n    uint32_t period, out_level;\n    double in_scale, "
             "out_scale;\n"
             "} refreshes[REFRESHES] = {\n",
             p->refreshes.len);
    for (uint32_t i = 0; i < p->refreshes.len; i++) {
        const struct he_refresh *r = &p->refreshes.at[i];
        str_addf(out, "    {%u, %u, ", r->period, r->out_level);
        emit_scale(out, r->in_scale);
        str_add(out, ", ");
        emit_scale(out, r->out_scale);
        str_add(out, "},\n");
    }
    str_add(out, "};\n");
}

static void
vector_rows(struct emitter *e, struct str *out)
{
    str_addf(out,
             "\n#define VECTORS %u\n\n/* Added vectors: section of the weights, ciphertexts, "
             "period. */\n"
             "static const struct {\n    const char *section;\n    uint32_t cts, period;\n"
             "} vectors[VECTORS] = {\n",
             e->vectors.len);
    for (uint32_t i = 0; i < e->vectors.len; i++) {
        const struct he_inst *inst = &e->p->insts.at[e->vectors.at[i]];
        str_add(out, "    {");
        emit_string(out, emit_vector_name(e, i));
        str_addf(out, ", %u, %u},\n", inst->cts, e->p->layouts.at[inst->layout].period);
    }
    str_add(out, "};\n");
}

static void
mark_parts(struct emitter *e, struct str *out)
{
    str_addf(out, "#define REGISTERS %u /* ciphertexts alive at one time, at most */\n",
             e->registers);
    if (uses(e->p, HE_linear))
        map_rows(e, out);
    if (uses(e->p, HE_poly))
        poly_rows(e, out);
    if (uses(e->p, HE_sparse))
        sparse_rows(e, out);
    if (uses(e->p, HE_refresh))
        refresh_rows(e, out);
    if (e->vectors.len)
        vector_rows(e, out);
    str_addf(out,
             "\n/* The ciphertexts that clients send. */\nstatic const struct {\n    uint32_t cts, "
             "level;\n"
             "    double scale;\n} inputs[%s_INPUTS] = {\n",
             e->capitals);
    for (uint32_t i = 0; i < e->p->inputs.len; i++) {
        const struct he_inst *inst = &e->p->insts.at[e->p->inputs.at[i].value];
        str_addf(out, "    {%u, %u, ", inst->cts, inst->level);
        emit_scale(out, inst->scale);
        str_add(out, "},\n");
    }
    str_add(out, "};\n");
}

static void
mark_comment(struct emitter *e, struct str *out)
{
    mark_provenance(e, out, " * ");
}

static void
mark_hash_comment(struct emitter *e, struct str *out)
{
    mark_provenance(e, out, "# ");
}

static void
mark_front_tables(struct emitter *e, struct str *out)
{
    emit_front(e, true, out);
}

static void
mark_front_steps(struct emitter *e, struct str *out)
{
    emit_front(e, false, out);
}

bool
emit_mark(void *data, const char *word, struct str *out)
{
    static const struct {
        const char *word;
        void (*write)(struct emitter *e, struct str *out);
    } marks[] = {{"provenance", mark_comment},
                 {"provenance_cmake", mark_hash_comment},
                 {"constants", mark_constants},
                 {"parameters", mark_parameters},
                 {"key_plan", mark_key_plan},
                 {"ports", mark_ports},
                 {"pixels", mark_pixels},
                 {"parts", mark_parts},
                 {"layers", emit_code},
                 {"front_tables", mark_front_tables},
                 {"front_steps", mark_front_steps}};
    struct emitter *e = data;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(marks[i].word, word) == 0) {
            struct str text = {0};
            if (out) {
                marks[i].write(e, &text);
                str_add(out, str_text(&text));
            }
            str_free(&text);
            return true;
        }
    return false;
}

/* Whether some input is copied into registers. */
static bool
copies_input(const struct emitter *e)
{
    for (uint32_t k = 0; k < e->p->insts.len; k++)
        if (e->p->insts.at[k].op == HE_input && e->reg[k] != NONE)
            return true;
    return false;
}

/* Whether some sparse map reads registers, not what the client sent. */
static bool
reads_registers(const struct emitter *e)
{
    for (uint32_t k = 0; k < e->p->insts.len; k++) {
        const struct he_inst *inst = &e->p->insts.at[k];
        if (inst->op == HE_sparse && e->reg[inst->args.at[0]] != NONE)
            return true;
    }
    return false;
}

bool
emit_condition(void *data, const char *word, bool *holds)
{
    static const char *const names[HE_COUNT] = {
#define HE(symbol, runtime, lo, hi, data, level, scale) [HE_##symbol] = #symbol,
#include "ir/heops.def"
#undef HE
    };
    const struct emitter *e = data;
    const struct he_program *p = e->p;
    if (strcmp(word, "pixels") == 0) {
        *holds = p->inputs.len > 0;
        for (uint32_t i = 0; i < p->inputs.len; i++)
            *holds &= emit_image(e, i).pixels->present;
        return true;
    }
    if (strcmp(word, "held") == 0) {
        *holds = reads_registers(e);
        return true;
    }
    if (strcmp(word, "front") == 0) {
        *holds = e->o->front != NULL;
        return true;
    }
    if (strcmp(word, "vector") == 0) {
        *holds = e->vectors.len > 0;
        return true;
    }
    if (strcmp(word, "parts") == 0) {
        *holds = uses(p, HE_linear) || uses(p, HE_poly) || uses(p, HE_sparse) ||
                 uses(p, HE_refresh) || e->vectors.len;
        return true;
    }
    if (strcmp(word, "batch") == 0) {
        *holds = p->batch != 0;
        return true;
    }
    if (strcmp(word, "input") == 0) {
        *holds = copies_input(e);
        return true;
    }
    for (enum he_op op = HE_NONE + 1; op < HE_COUNT; op++)
        if (strcmp(word, names[op]) == 0) {
            *holds = uses(p, op);
            return true;
        }
    return false;
}
