/* test_emit.c - the generated folder as a whole: the same bytes each time, weights that read
 * back, a manifest that says what the program is, functions of bounded size, registers that
 * don't collide. */
#include "emit/room.h"
#include "programs.h"

#include "plan/weights_parse.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGES 2

static struct emitted
emitted(struct arena *a, const struct test_program *t)
{
    struct diag *d = diag_new();
    struct emitted out;
    float *in, *answers;
    test_images(a, t, IMAGES, &in, &answers);
    struct emit_options o = {.reference_in = in, .reference_out = answers, .n_reference = IMAGES};
    o.tolerance = 0.125;
    cr_assert(he_check(t->p, HE_SCHEDULED, d));
    cr_assert(emit(a, t->p, &o, &out, d));
    cr_expect_eq(diag_count(d), 0);
    diag_free(d);
    return out;
}

static const struct emitted_file *
file(const struct emitted *e, const char *end)
{
    for (uint32_t i = 0; i < e->files.len; i++) {
        size_t n = strlen(e->files.at[i].name), m = strlen(end);
        if (n >= m && strcmp(e->files.at[i].name + n - m, end) == 0)
            return &e->files.at[i];
    }
    cr_assert(false, "no %s", end);
    return NULL;
}

static struct test_program (*const programs[])(struct arena *) = {program_dense, program_wide,
                                                                  program_sums};

Test(emit, same_bytes_each_time)
{
    for (size_t k = 0; k < 3; k++) {
        struct arena *a = arena_new(), *b = arena_new();
        (void)arena_alloc(b, 12345); /* other addresses */
        struct test_program x = programs[k](a), y = programs[k](b);
        struct emitted e = emitted(a, &x), f = emitted(b, &y);
        cr_assert_eq(e.files.len, 12);
        cr_assert_eq(f.files.len, 12);
        for (uint32_t i = 0; i < e.files.len; i++) {
            cr_expect_str_eq(e.files.at[i].name, f.files.at[i].name);
            cr_assert_eq(e.files.at[i].size, f.files.at[i].size);
            cr_expect_eq(memcmp(e.files.at[i].data, f.files.at[i].data, e.files.at[i].size), 0);
        }
        arena_free(a);
        arena_free(b);
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

struct section {
    char name[65];
    const uint8_t *at;
    size_t size;
};

static struct section
section(const struct emitted_file *f, uint32_t index)
{
    struct ola_weights_section row;
    const uint8_t *bytes = f->data;
    struct section s = {.name = ""};
    memcpy(&row, bytes + sizeof(struct ola_weights_header) + index * sizeof row, sizeof row);
    memcpy(s.name, row.name, sizeof row.name);
    cr_assert(row.offset % 8 == 0 && row.offset + row.size <= f->size);
    s.at = bytes + row.offset;
    s.size = row.size;
    return s;
}

static void
expect_map(const struct he_map *m, const struct section *s, uint32_t slots)
{
    struct ola_map_view v;
    double *values = malloc(slots * sizeof *values);
    cr_assert(ola_map_view_open(&v, s->at, s->size, slots));
    cr_assert_eq(v.head.n_diagonals, m->diagonals.len);
    cr_expect(v.head.in_cts == m->in_cts && v.head.out_cts == m->out_cts && v.head.args == m->args);
    cr_expect_eq(v.head.free_of_level, m->free_of_level);
    cr_assert_eq(v.head.n_folds, m->folds.len);
    for (uint32_t i = 0; i < m->diagonals.len; i++) {
        const struct he_diagonal *g = &m->diagonals.at[i];
        struct ola_weights_diagonal r = ola_map_view_diagonal(&v, i);
        cr_expect(r.arg == g->arg && r.in_ct == g->in_ct && r.out_ct == g->out_ct);
        cr_expect(r.giant == g->giant && r.baby == g->baby);
        if (m->free_of_level)
            continue;
        cr_assert_eq(r.period, g->period);
        ola_map_view_values(&v, &r, values);
        for (uint32_t t = 0; t < g->period; t++)
            cr_assert_eq(values[t], (double)g->value[t]);
    }
    for (uint32_t i = 0; i < m->folds.len; i++)
        cr_expect_eq(ola_map_view_fold(&v, i), m->folds.at[i]);
    for (uint32_t c = 0; m->bias && c < m->out_cts; c++) {
        ola_map_view_bias(&v, c, values);
        for (uint32_t t = 0; t < m->bias_period; t++)
            cr_expect_eq(values[t], m->bias[c][t]);
    }
    free(values);
}

static void
expect_poly(const struct he_poly *f, const struct section *s, uint32_t slots)
{
    struct ola_poly_view v;
    double *values = malloc((f->degree + 1) * slots * sizeof *values);
    cr_assert(ola_poly_view_open(&v, s->at, s->size, slots));
    cr_expect(v.head.degree == f->degree && v.head.cts == f->cts);
    for (uint32_t c = 0; c < f->cts; c++) {
        ola_poly_view_coefs(&v, c, values);
        for (uint32_t k = 0; k <= f->degree; k++)
            for (uint32_t t = 0; t < f->period; t++)
                cr_expect_eq(values[k * v.period + t % v.period], (double)f->coef[c][k][t]);
    }
    free(values);
}

Test(emit, weights_read_back)
{
    for (size_t k = 0; k < 3; k++) {
        struct arena *a = arena_new();
        struct test_program t = programs[k](a);
        struct emitted e = emitted(a, &t);
        const struct emitted_file *f = file(&e, "_weights.bin");
        struct ola_weights_header h;
        uint8_t hash[32];
        memcpy(&h, f->data, sizeof h);
        cr_expect(h.magic == OLA_WEIGHTS_MAGIC && h.version == OLA_WEIGHTS_VERSION &&
                  h.reserved == 0);
        cr_expect_eq(h.size, f->size);
        cr_expect_eq(memcmp(h.model, t.p->model_hash, 32), 0);
        crypto_generichash(hash, 32, (const uint8_t *)f->data + sizeof h, f->size - sizeof h, NULL,
                           0);
        cr_expect_eq(memcmp(h.hash, hash, 32), 0);
        uint32_t n = t.p->maps.len + t.p->polys.len + (k == 1);
        cr_assert_eq(h.sections, n);
        for (uint32_t i = 0; i < n; i++) {
            struct section s = section(f, i);
            for (uint32_t j = 0; j < i; j++)
                cr_expect_str_neq(section(f, j).name, s.name);
            if (i < t.p->maps.len)
                expect_map(&t.p->maps.at[i], &s, t.p->params.slots);
            else if (i < t.p->maps.len + t.p->polys.len)
                expect_poly(&t.p->polys.at[i - t.p->maps.len], &s, t.p->params.slots);
            else
                cr_expect_eq(s.size, 2 * 512 * sizeof(double));
        }
        arena_free(a);
    }
}

Test(emit, equal_diagonals_are_stored_once_and_runs_are_short)
{
    struct arena *a = arena_new();
    struct test_program t = program_wide(a);
    struct emitted e = emitted(a, &t);
    struct section s = section(file(&e, "_weights.bin"), 0);
    struct ola_map_view v;
    cr_assert(ola_map_view_open(&v, s.at, s.size, 512));
    uint32_t runs = 0, shared = 0;
    for (uint32_t i = 0; i < v.head.n_diagonals; i++) {
        struct ola_weights_diagonal r = ola_map_view_diagonal(&v, i);
        runs += r.encoding == 1;
        cr_expect(r.encoding == 0 || r.count == 3, "t / 200 takes three values");
        for (uint32_t j = 0; j < i; j++)
            if (ola_map_view_diagonal(&v, j).offset == r.offset) {
                shared++;
                break;
            }
    }
    cr_expect_eq(runs, 8); /* in_ct 2 */
    cr_expect_eq(shared,
                 18); /* 2 babies x in_ct 0 and 1, and 2 outputs of in_ct 2, are all there is */
    arena_free(a);
}

/* ---- code ------------------------------------------------------------------------------------ */

Test(emit, functions_are_bounded)
{
    struct arena *a = arena_new();
    struct test_program t = program_sums(a);
    struct emitted e = emitted(a, &t);
    const char *s = strstr(file(&e, "_server.c")->data, "layer_0(struct run *run)");
    uint32_t functions = 0;
    for (; s; s = strstr(s + 1, "(struct run *run)\n{")) {
        const char *end = strstr(s, "\n}");
        uint32_t lines = 0;
        cr_assert(end);
        for (const char *l = s; l < end; l++)
            lines += *l == '\n';
        cr_expect_leq(lines, 60);
        functions++;
    }
    cr_expect_geq(functions, 3);
    arena_free(a);
}

/* Runs the program on registers that hold the number of the value last written. */
Test(emit, registers_do_not_collide)
{
    for (size_t k = 0; k < 3; k++) {
        struct arena *a = arena_new();
        struct test_program t = programs[k](a);
        struct emit_options o = {.tolerance = 0};
        struct emitter e = {.a = a, .p = t.p, .o = &o};
        emit_registers(&e);
        uint32_t *holds = ARENA_ARRAY(a, uint32_t, e.registers);
        memset(holds, 0xff, e.registers * sizeof *holds);
        for (uint32_t i = 0; i < t.p->insts.len; i++) {
            const struct he_inst *inst = &t.p->insts.at[i];
            for (uint32_t j = 0; j < inst->args.len; j++)
                for (uint32_t c = 0; c < t.p->insts.at[inst->args.at[j]].cts; c++)
                    cr_assert_eq(holds[e.reg[inst->args.at[j]] + c], inst->args.at[j]);
            for (uint32_t c = 0; c < inst->cts && inst->op != HE_output; c++) {
                cr_assert_lt(e.reg[i] + c, e.registers);
                for (uint32_t j = 0; j < inst->args.len && !e.in_place[i]; j++)
                    cr_assert_neq(holds[e.reg[i] + c], inst->args.at[j],
                                  "written over while it is read");
                holds[e.reg[i] + c] = i;
            }
        }
        cr_expect_leq(e.registers, 8);
        arena_free(a);
    }
}

Test(emit, what_a_layer_says)
{
    struct arena *a = arena_new();
    struct test_program t = program_dense(a);
    struct emitted e = emitted(a, &t);
    const char *s = file(&e, "_server.c")->data;
    cr_expect(strstr(s, "/* fc1: linear 1x4x4 -> 10, level 4 -> 3, 32 diagonals, 10 rotations */"));
    cr_expect(strstr(s, "/* act: poly 10 -> 10, level 3 -> 1, degree 3, 2 products */"));
    cr_expect(strstr(s, "/* sum: add 10 -> 10, level 1 -> 1 */"));
    cr_expect(strstr(s, "security  NONE: an insecure toy"));
    cr_expect_null(strstr(s, "/tmp/"));
    arena_free(a);
}

/* A name of the graph becomes the operator's. */
Test(emit, operators_of_the_graph)
{
    struct arena *a = arena_new();
    struct test_program t = program_dense(a);
    struct graph *g = graph_new(a, "dense", "dense.onnx");
    struct diag *d = diag_new();
    int64_t dim[] = {1, 10};
    uint32_t x = graph_input(g, "x", DT_F32, shape_of(2, dim));
    graph_node(g, "act", OP_relu, &x, 1, NULL, 1, PLACE_NONE);
    struct emit_options o = {.graph = g};
    struct emitted e;
    cr_assert(emit(a, t.p, &o, &e, d));
    cr_expect(strstr(file(&e, "_server.c")->data, "/* act: Relu 10 -> 10, level 3 -> 1, degree 3"));
    diag_free(d);
    arena_free(a);
}

Test(emit, manifest)
{
    struct arena *a = arena_new();
    struct test_program t = program_dense(a);
    struct emitted e = emitted(a, &t);
    cJSON *root = cJSON_Parse(file(&e, "_manifest.json")->data);
    cr_assert(root);
    cJSON *layers = cJSON_GetObjectItem(root, "layers"), *keys = cJSON_GetObjectItem(root, "keys");
    cr_assert_eq(cJSON_GetArraySize(layers), 3);
    cJSON *fc = cJSON_GetArrayItem(layers, 0), *act = cJSON_GetArrayItem(layers, 1);
    cr_expect_str_eq(cJSON_GetObjectItem(fc, "node")->valuestring, "fc1");
    cr_expect_eq(cJSON_GetObjectItem(fc, "rotations")->valueint, 10);
    cr_expect_eq(cJSON_GetObjectItem(act, "degree")->valueint, 3);
    cr_expect_eq(cJSON_GetObjectItem(act, "level")->valueint, 1);
    cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(keys, "rotations")),
                 (int)t.p->rotations.len);
    cJSON *q = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "parameters"), "q");
    for (uint32_t i = 0; i < t.p->params.q.len; i++)
        cr_expect_eq((uint64_t)cJSON_GetArrayItem(q, (int)i)->valuedouble, t.p->params.q.at[i]);
    cr_expect_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "weights"), "bytes")->valuedouble,
                 (double)file(&e, "_weights.bin")->size);
    cr_expect_eq(cJSON_GetObjectItem(root, "security_bits")->valueint, 0);
    cr_expect(cJSON_IsTrue(cJSON_GetObjectItem(root, "insecure_toy")));
    cJSON_Delete(root);
    arena_free(a);
}

/* he_eval of the dense network against the formula: the fixture is what it says it is. */
Test(emit, fixture_is_a_dense_layer)
{
    struct arena *a = arena_new();
    struct test_program t = program_dense(a);
    float *in, *out;
    test_images(a, &t, IMAGES, &in, &out);
    for (uint32_t k = 0; k < IMAGES; k++)
        for (uint32_t j = 0; j < 10; j++) {
            double y = dense_bias(j);
            for (uint32_t i = 0; i < 16; i++)
                y += (double)dense_weights[16 * j + i] * (double)in[16 * k + i];
            cr_expect_float_eq((double)out[10 * k + j], y + dense_poly(j, y), 1e-6);
        }
    arena_free(a);
}

/* ---- the folder ------------------------------------------------------------------------------ */

static int
shell(const char *format, const char *dir)
{
    char command[512];
    snprintf(command, sizeof command, format, dir, dir, dir);
    return system(command);
}

Test(emit, write_and_against)
{
    char dir[] = "/tmp/olac-emit-XXXXXX";
    cr_assert(mkdtemp(dir));
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct str diff = {0};
    struct test_program t = program_dense(a);
    struct emitted e = emitted(a, &t);
    const char *out = arena_printf(a, "%s/new/folder", dir);

    cr_expect(emit_against(a, &e, out, &diff, d), "a missing folder is a difference");
    cr_expect(strstr(str_text(&diff), "Only in the new output: dense.h\n"));
    str_free(&diff);
    cr_assert(emit_write(&e, out, d));
    cr_expect(emit_against(a, &e, out, &diff, d));
    cr_expect_str_eq(str_text(&diff), "");
    cr_expect_eq(shell("test $(ls -A %s/new/folder | wc -l) = 12", dir), 0,
                 "nothing but the files");
    cr_expect_eq(shell("sed -i 's/stdint/stdlib/' %s/new/folder/dense.h", dir), 0);
    cr_expect_eq(shell("printf x >> %s/new/folder/dense_weights.bin", dir), 0);
    cr_expect(emit_against(a, &e, out, &diff, d));
    cr_expect(strstr(str_text(&diff), "--- a/dense.h\n+++ b/dense.h\n@@ "));
    cr_expect(strstr(str_text(&diff), "\n-#include <stdlib.h>\n+#include <stdint.h>\n"));
    cr_expect(strstr(str_text(&diff), "Binary files differ: dense_weights.bin"));
    cr_expect_null(strstr(str_text(&diff), "dense_server.c"));
    cr_expect_eq(diag_count(d), 0);
    str_free(&diff);
    cr_expect(emit_write(&e, out, d), "over an older one");
    cr_expect(emit_against(a, &e, out, &diff, d));
    cr_expect_str_eq(str_text(&diff), "");
    cr_expect_eq(shell("rm -r %s", dir), 0);
    diag_free(d);
    arena_free(a);
}

Test(emit, failed_writes_leave_nothing)
{
    char dir[] = "/tmp/olac-emit-XXXXXX";
    cr_assert(mkdtemp(dir));
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct str diff = {0};
    struct test_program t = program_dense(a);
    struct emitted e = emitted(a, &t);

    /* The first name is taken by a folder with something in it. */
    cr_expect_eq(shell("mkdir -p %s/dense.h/x", dir), 0);
    cr_expect_not(emit_write(&e, dir, d));
    cr_expect_eq(diag_at(d, 0)->code, E_WRITE);
    cr_expect_eq(shell("test $(ls -A %s | wc -l) = 1", dir), 0, "only the folder is there");
    cr_expect_not(emit_against(a, &e, dir, &diff, d), "a folder can't be compared");
    str_free(&diff);
    cr_expect_eq(shell("touch %s/plain", dir), 0);
    cr_expect_not(emit_write(&e, arena_printf(a, "%s/plain/sub", dir), d));
    cr_expect_eq(shell("rm -r %s", dir), 0);
    diag_free(d);
    arena_free(a);
}

Test(emit, templates_of_the_user)
{
    char dir[] = "/tmp/olac-emit-XXXXXX";
    cr_assert(mkdtemp(dir));
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct test_program t = program_dense(a);
    struct emit_options o = {.templates = dir};
    struct emitted e;
    cr_expect_eq(shell("printf '/* mine, net */\\n//%%%% provenance\\n' > %s/net_eval.c", dir), 0);
    cr_expect(emit(a, t.p, &o, &e, d));
    cr_expect(strncmp(file(&e, "_eval.c")->data, "/* mine, dense */\n * made by", 28) == 0);
    cr_expect_eq(shell("printf '//%%%% provenance\\n//%%%% provenence\\n' > %s/net_server.c", dir),
                 0);
    cr_expect_not(emit(a, t.p, &o, &e, d));
    cr_assert_eq(diag_count(d), 4); /* the unknown mark; parameters, parts and layers are missing */
    cr_expect_eq(diag_at(d, 0)->code, E_TEMPLATE_MARK);
    cr_expect_eq(diag_at(d, 0)->place.line, 2);
    cr_expect_eq(diag_at(d, 1)->code, E_TEMPLATE_MISSING);
    cr_expect_eq(shell("rm -r %s", dir), 0);
    diag_free(d);
    arena_free(a);
}
