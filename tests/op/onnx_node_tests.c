/* onnx_node_tests.c - runs ONNX's own test cases (Debian: libonnx-testdata) through importer,
 * inference and interpreter, and compares with the outputs that come with them. For every affine
 * node on the way the listed matrix, applied to the node's inputs, must give what the interpreter
 * gave; and what a composition is taken apart into must give the same outputs.
 *
 *   onnx_node_tests DATA list            one line a case: name, operator, result
 *   onnx_node_tests DATA table           the table of operators in Markdown
 *   onnx_node_tests DATA check LIST TABLE    compares with the two files; exit 1 when they differ
 *
 * Exit 77 when there is no such data. Cases that use an operator that olac does not know are left
 * out. */
#include "base/file.h"
#include "decompose/decompose.h"
#include "import/import.h"
#include "import/onnx.h"
#include "op/interpret.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RTOL       1e-3 /* as ONNX's own runner */
#define ATOL       1e-5
#define MAX_VALUES 16

/* How the inputs of a model are given: all at run time; all but the first as constants, as a
 * network has shapes and axes; all as constants. */
enum form { FORM_RUN, FORM_CONST, FORM_FOLD, FORMS };

struct result {
    const char *name; /* folder/case */
    const char *op;   /* of its only node, or "several" */
    bool passed;
    enum form form;     /* the first that worked */
    uint32_t matrices;  /* affine nodes whose matrix was checked */
    uint32_t apart;     /* compositions that were taken apart, and gave the same */
    const char *reason; /* of failure */
};

struct runner {
    struct arena *a;
    const char *data;
    VEC(struct result) results;
    uint32_t skipped; /* cases with unknown operators */
};

/* "E351 an attribute is wrong" of the first error. */
static const char *
first_error(struct arena *a, const struct diag *d)
{
    for (uint32_t k = 0; k < diag_count(d); k++) {
        const struct message *m = diag_at(d, k);
        const char *title = "", *text;
        if (m->severity != SEV_ERROR)
            continue;
        diag_explain((int)m->code, &title, &text);
        return arena_printf(a, "E%d %s", (int)m->code, title);
    }
    return "no error was given";
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static bool
read_tensor(struct arena *a, const char *path, struct tensor *out)
{
    struct diag *d = diag_new();
    const uint8_t *data;
    size_t size;
    bool ok = false;

    if (file_read(a, path, false, OLAC_MAX_BYTES, &data, &size, d)) {
        Onnx__TensorProto *t = onnx__tensor_proto__unpack(NULL, size, data);
        struct onnx x = {
            .graph = graph_new(a, "data", path), .scratch = a, .diag = d, .file = path};
        ok = t && onnx_tensor(&x, t, NULL, "data", out);
        if (t)
            onnx__tensor_proto__free_unpacked(t, NULL);
    }
    diag_free(d);
    return ok;
}

/* Reads <folder>/<kind>_0.pb ...; the number of them, or -1 when one is no tensor. */
static int
read_values(struct arena *a, const char *folder, const char *kind, struct tensor *out)
{
    for (int n = 0; n < MAX_VALUES; n++) {
        const char *path = arena_printf(a, "%s/%s_%d.pb", folder, kind, n);
        struct stat st;
        if (stat(path, &st) != 0)
            return n;
        if (!read_tensor(a, path, &out[n]))
            return -1;
    }
    return -1;
}

/* Models of opsets before 7 are declared to be of opset 7: where an operator changed in between
 * (Add took attributes for broadcasting), inference refuses what it does not know. */
static void
raise_opset(struct arena *a, Onnx__ModelProto *m, const uint8_t **data, size_t *size)
{
    bool old = false;

    for (size_t k = 0; k < m->n_opset_import; k++)
        if (m->opset_import[k]->version < 7) {
            m->opset_import[k]->version = 7;
            old = true;
        }
    if (!old)
        return;
    uint8_t *packed = arena_alloc(a, onnx__model_proto__get_packed_size(m));
    *size = onnx__model_proto__pack(m, packed);
    *data = packed;
}

/* The operator of a model's only node, "several", or NULL when one of them is unknown to olac. */
static const char *
operator_of(struct arena *a, const uint8_t **data, size_t *size)
{
    struct diag *d = diag_new();
    Onnx__ModelProto *m = onnx_unpack("model", *data, *size, d);
    const char *op = NULL;

    for (size_t k = 0; m && m->graph && k < m->graph->n_node; k++) {
        const Onnx__NodeProto *n = m->graph->node[k];
        bool standard = !n->domain || !*n->domain;
        if (!standard || op_find(n->op_type) == OP_NONE) {
            op = NULL;
            break;
        }
        op = k == 0 ? arena_strdup(a, n->op_type) : "several";
    }
    if (m) {
        raise_opset(a, m, data, size);
        onnx_free(m);
    }
    diag_free(d);
    return op;
}

/* ---- running ------------------------------------------------------------------------------------
 */

/* Makes graph inputs from `first` on constants, and sets shapes of the others from the data. False
 * when the data have another type than the model says (ONNX stores bfloat16 as integers here). */
static bool
bind(struct graph *g, const struct tensor *inputs, uint32_t first)
{
    for (uint32_t k = 0; k < g->inputs.len; k++) {
        struct value *v = graph_value(g, g->inputs.at[k].value);
        v->shape = inputs[k].shape;
        if (dtype_is_float(v->dtype) != dtype_is_float(inputs[k].dtype))
            return false;
        if (k < first)
            continue;
        v->kind = VALUE_CONST;
        v->data = inputs[k];
        v->data.dtype = v->dtype;
    }
    if (first < g->inputs.len)
        g->inputs.len = first;
    return true;
}

static bool
close_to(double got, double want)
{
    if (isnan(want) || isinf(want))
        return isnan(want) ? isnan(got) : got == want;
    return fabs(got - want) <= ATOL + RTOL * fabs(want);
}

static const char *
compare(struct arena *a, const struct tensor *got, const struct tensor *want)
{
    if (!shape_equal(&got->shape, &want->shape))
        return arena_printf(a, "wrong shape %s, not %s", shape_text(a, &got->shape),
                            shape_text(a, &want->shape));
    if (dtype_is_float(got->dtype) != dtype_is_float(want->dtype))
        return "wrong element type";
    for (int64_t k = 0, n = shape_size(&want->shape); k < n; k++)
        if (want->f ? !close_to((double)got->f[k], (double)want->f[k]) : got->i[k] != want->i[k])
            return "wrong values";
    return NULL;
}

/* All data of a run, by value. */
struct trace {
    struct arena *a;
    const struct graph *g;
    const uint32_t *watch;
    const float **data;
};

static void
see(void *user, uint32_t image, uint32_t index, const float *data)
{
    struct trace *t = user;
    uint32_t v = t->watch[index];
    int64_t n = shape_size(&graph_value(t->g, v)->shape);
    float *copy = ARENA_ARRAY(t->a, float, (size_t)n);

    (void)image;
    if (n > 0)
        memcpy(copy, data, (size_t)n * sizeof *copy);
    t->data[v] = copy;
}

/* A matrix applied to the inputs of a node while it is listed. */
struct product {
    const struct trace *t;
    const struct node *n;
    double *sum, *size; /* size: sum of absolute values, for the tolerance */
    uint32_t outputs, last;
    bool broken; /* an index out of range, or rows out of order */
};

static void
row(struct product *p, uint32_t o, double term)
{
    if (o >= p->outputs || o < p->last) {
        p->broken = true;
        return;
    }
    p->last = o;
    p->sum[o] += term;
    p->size[o] += fabs(term);
}

static void
entry(void *user, uint32_t in, uint32_t o, uint32_t i, double weight)
{
    struct product *p = user;
    uint32_t v = in < p->n->in.len ? p->n->in.at[in] : NONE;

    if (v == NONE || graph_value(p->t->g, v)->kind == VALUE_CONST ||
        i >= shape_size(&graph_value(p->t->g, v)->shape))
        p->broken = true;
    else
        row(p, o, weight * (double)p->t->data[v][i]);
}

static void
bias(void *user, uint32_t o, double value)
{
    row(user, o, value);
}

/* Whether the matrix of output k of node n gives what the interpreter gave. False when the node has
 * no matrix here (its weights come at run time); *wrong names what is wrong. */
static bool
check_matrix(struct graph *g, const struct trace *t, uint32_t node, uint32_t k, const char **wrong)
{
    const struct node *n = &g->nodes.at[node];
    const struct value *out = graph_value(g, n->out.at[k]);
    uint32_t size = (uint32_t)shape_size(&out->shape);
    struct product p = {.t = t,
                        .n = n,
                        .outputs = size,
                        .sum = ARENA_ARRAY(t->a, double, size),
                        .size = ARENA_ARRAY(t->a, double, size)};
    struct linear_sink sink = {&p, entry, bias};
    struct diag *d = diag_new();
    bool ok = op_linear(g, node, k, &sink, d);

    if (!ok && diag_at(d, 0)->code != E_NOT_CONST && diag_at(d, 0)->code != E_NOT_LINEAR)
        *wrong = first_error(t->a, d);
    diag_free(d);
    if (ok && p.broken)
        *wrong = "a matrix with entries out of range or out of order";
    for (uint32_t o = 0; ok && o < size; o++)
        if (!(fabs(p.sum[o] - (double)t->data[n->out.at[k]][o]) <= 1e-5 + 1e-5 * p.size[o]))
            *wrong = "a matrix that differs from the interpreter";
    return ok;
}

static uint32_t
check_matrices(struct graph *g, const struct trace *t, const char **wrong)
{
    uint32_t checked = 0;
    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; k < g->nodes.at[n].out.len; k++) {
            uint32_t v = g->nodes.at[n].out.at[k];
            if (v != NONE && op_row(g->nodes.at[n].op)->op->linear &&
                dtype_is_float(graph_value(g, v)->dtype) && graph_value(g, v)->kind == VALUE_NODE)
                checked += check_matrix(g, t, n, k, wrong);
        }
    return checked;
}

static uint32_t
compositions(const struct graph *g)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < g->nodes.len; k++)
        n += op_row(g->nodes.at[k].op)->class == COMPOSITE;
    return n;
}

/* The outputs of a copy that is taken apart; how many compositions it had, 0 when one of them is
 * left. */
static uint32_t
check_apart(struct arena *a, const struct graph *g, const struct tensor *inputs,
            const struct tensor *want, const char **wrong)
{
    struct graph *c = graph_copy(a, g);
    struct tensor got[MAX_VALUES];
    struct interpret_options o = {.threads = 1};
    uint32_t all = compositions(c);
    struct diag *d = diag_new();

    if (all && !decompose(c, NULL, 0, d))
        *wrong = first_error(a, d);
    else if (all && compositions(c))
        all = 0;
    else if (all && !interpret_one(c, &o, a, inputs, got, d))
        *wrong = first_error(a, d);
    for (uint32_t k = 0; all && !*wrong && k < c->outputs.len; k++)
        *wrong = compare(a, &got[k], &want[k]);
    diag_free(d);
    return all;
}

/* One data set in one form. NULL when all is right, else what is wrong. */
static const char *
run_form(struct runner *r, const char *folder, const uint8_t *model, size_t size, enum form form,
         struct result *result)
{
    struct tensor inputs[MAX_VALUES], want[MAX_VALUES], got[MAX_VALUES];
    int n_in = read_values(r->a, folder, "input", inputs);
    int n_out = read_values(r->a, folder, "output", want);
    struct diag *d = diag_new();
    struct graph *g = import_onnx(r->a, "model.onnx", NULL, model, size, d);
    const char *wrong = NULL;

    if (n_in < 0 || n_out < 0)
        wrong = "its data are no tensors of numbers";
    else if (g && (g->inputs.len > (uint32_t)n_in || g->outputs.len != (uint32_t)n_out))
        wrong = "its data do not go with the model";
    if (g && !wrong) {
        if (!bind(g, inputs, form == FORM_RUN ? UINT32_MAX : form == FORM_CONST ? 1 : 0))
            wrong = "its data do not go with the model";
        else if (!graph_infer(g, d) || !graph_check(g, STAGE_INFERRED, d))
            g = NULL;
    }
    if (g && !wrong) {
        uint32_t *watch = ARENA_ARRAY(r->a, uint32_t, g->values.len);
        struct trace t = {r->a, g, watch, ARENA_ARRAY(r->a, const float *, g->values.len)};
        struct interpret_options o = {
            .threads = 1, .watch = watch, .n_watch = g->values.len, .see = see, .user = &t};
        for (uint32_t v = 0; v < g->values.len; v++)
            watch[v] = v;
        if (!interpret_one(g, &o, r->a, inputs, got, d))
            g = NULL;
        for (int k = 0; g && !wrong && k < n_out; k++)
            wrong = compare(r->a, &got[k], &want[k]);
        if (g && !wrong)
            result->matrices += check_matrices(g, &t, &wrong);
        if (g && !wrong)
            result->apart += check_apart(r->a, g, inputs, want, &wrong);
    }
    if (!g && !wrong)
        wrong = first_error(r->a, d);
    diag_free(d);
    return wrong;
}

/* Passes in the first form that is not refused; matrices are counted over all forms that run. */
static void
run_case(struct runner *r, const char *folder, const char *name)
{
    struct result result = {.name = arena_printf(r->a, "%s/%s", folder, name), .form = FORMS};
    const char *base = arena_printf(r->a, "%s/%s/%s", r->data, folder, name);
    const uint8_t *model;
    size_t size;
    struct diag *d = diag_new();
    bool there = file_read(r->a, arena_printf(r->a, "%s/model.onnx", base), false, OLAC_MAX_BYTES,
                           &model, &size, d);

    diag_free(d);
    result.op = there ? operator_of(r->a, &model, &size) : NULL;
    if (!result.op) {
        r->skipped += there;
        return;
    }
    for (enum form form = FORM_RUN; form < FORMS; form++) {
        const char *wrong =
            run_form(r, arena_printf(r->a, "%s/test_data_set_0", base), model, size, form, &result);
        bool refused = wrong && wrong[0] == 'E';
        if (wrong)
            result.reason = wrong;
        if (!wrong && result.form == FORMS)
            result.form = form;
        if (wrong && !refused) { /* wrong values in any form are a failure of the case */
            result.form = FORMS;
            break;
        }
    }
    result.passed = result.form != FORMS;
    vec_push(r->a, &r->results, result);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
run_folder(struct runner *r, const char *folder)
{
    struct dirent **names;
    int n = scandir(arena_printf(r->a, "%s/%s", r->data, folder), &names, NULL, by_name);

    for (int k = 0; k < n; k++) {
        if (names[k]->d_name[0] != '.')
            run_case(r, folder, names[k]->d_name);
        free(names[k]);
    }
    if (n >= 0)
        free(names);
}

/* ---- what is printed ----------------------------------------------------------------------------
 */

static const char *const form_names[] = {"passes", "passes with constant inputs",
                                         "passes on constants only"};

static void
print_list(const struct runner *r, struct str *out)
{
    for (uint32_t k = 0; k < r->results.len; k++) {
        const struct result *c = &r->results.at[k];
        str_addf(out, "%s\t%s\t%s", c->name, c->op, c->passed ? form_names[c->form] : "fails: ");
        str_add(out, c->passed ? (c->matrices ? ", matrix too" : "") : c->reason);
        str_add(out, c->passed && c->apart ? ", taken apart too" : "");
        str_add(out, "\n");
    }
}

static const char *class_name(enum op_class class)
{
    static const char *const names[] = {
        [LINEAR] = "affine",     [ELTWISE] = "affine or product", [PRODUCT] = "affine or product",
        [NONLIN] = "polynomial", [COMPOSITE] = "composition",     [PLAIN] = "constants"};
    return names[class];
}

static void
print_op(const struct runner *r, const char *op, const char *class, struct str *out)
{
    uint32_t all = 0, passed = 0, matrices = 0, apart = 0;

    for (uint32_t k = 0; k < r->results.len; k++) {
        const struct result *c = &r->results.at[k];
        if (strcmp(c->op, op) != 0)
            continue;
        all++;
        passed += c->passed;
        matrices += c->matrices > 0;
        apart += c->passed && c->apart > 0;
    }
    str_addf(out, "| %s | %s | %u of %u | %u | %u |", op, class, passed, all, matrices, apart);
    for (uint32_t k = 0; k < r->results.len; k++) {
        const struct result *c = &r->results.at[k];
        if (strcmp(c->op, op) == 0 && !c->passed)
            str_addf(out, " %s: %s;", strrchr(c->name, '/') + 1, c->reason);
    }
    str_add(out, " |\n");
}

static void
print_table(const struct runner *r, struct str *out)
{
    uint32_t passed = 0;

    for (uint32_t k = 0; k < r->results.len; k++)
        passed += r->results.at[k].passed;
    str_addf(
        out,
        "# Operators\n\n"
        "Generated by `tests/op/make_table.sh` from ONNX's own test cases (Debian's "
        "libonnx-testdata:\n"
        "node, simple, pytorch-operator, pytorch-converted); a test keeps it up to date.\n\n"
        "%u of %u cases pass. %u further cases use operators that olac does not have.\n\n"
        "*Affine* operators become matrices, *polynomial* ones are approximated, a *composition* "
        "is taken apart\n"
        "into affine, polynomial and product nodes (what cannot be is refused on encrypted data, "
        "never replaced by\n"
        "something else), and operators on *constants* are gone after folding. *Matrix* counts the "
        "cases in which\n"
        "the listed matrix was applied and gave the interpreter's result, *apart* those in which a "
        "composition was\n"
        "taken apart and gave the same outputs. Inputs that decide a shape are given as constants; "
        "models of opsets\n"
        "before 7 are read as opset 7.\n\n"
        "| operator | becomes | cases that pass | matrix | apart | the others "
        "|\n|---|---|---|---|---|---|\n",
        passed, r->results.len, r->skipped);
    for (int id = OP_NONE + 1; id < OP_COUNT; id++)
        print_op(r, op_row((enum op_id)id)->onnx, class_name(op_row((enum op_id)id)->class), out);
    print_op(r, "several", "", out);
}

/* True when the file holds just this text; else says where they part. */
static bool
same(struct arena *a, const char *path, const struct str *text)
{
    struct diag *d = diag_new();
    const uint8_t *data;
    size_t size, at = 0;
    unsigned line = 1;

    if (!file_read(a, path, false, OLAC_MAX_BYTES, &data, &size, d))
        size = 0;
    diag_free(d);
    if (size == text->len && memcmp(data, text->text, size) == 0)
        return true;
    for (; at < size && at < text->len && data[at] == (uint8_t)text->text[at]; at++)
        line += data[at] == '\n';
    while (at > 0 && text->text[at - 1] != '\n')
        at--;
    fprintf(stderr, "%s:%u is not up to date; now it would be:\n%.*s\n", path, line,
            (int)strcspn(text->text + at, "\n"), text->text + at);
    fprintf(stderr, "If that is right, run tests/op/make_table.sh.\n");
    return false;
}

int
main(int argc, char **argv)
{
    static const char *const folders[] = {"node", "simple", "pytorch-operator",
                                          "pytorch-converted"};
    struct runner r = {.a = arena_new()};
    struct str list = {0}, table = {0};
    struct stat st;
    bool ok = true;

    if (argc < 3 || (strcmp(argv[2], "check") == 0 && argc != 5)) {
        fprintf(stderr, "usage: %s DATA list | table | check LIST TABLE\n", argv[0]);
        return 2;
    }
    r.data = argv[1];
    if (stat(r.data, &st) != 0) {
        fprintf(stderr, "skipped: there is no %s\n", r.data);
        return 77;
    }
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++)
        run_folder(&r, folders[k]);
    print_list(&r, &list);
    print_table(&r, &table);
    if (strcmp(argv[2], "check") == 0) {
        ok = same(r.a, argv[3], &list);
        ok = same(r.a, argv[4], &table) && ok;
    }
    if (strcmp(argv[2], "check") != 0)
        fputs(strcmp(argv[2], "table") == 0 ? table.text : list.text, stdout);
    str_free(&list);
    str_free(&table);
    arena_free(r.a);
    return ok ? 0 : 1;
}
