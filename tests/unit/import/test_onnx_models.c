/* test_onnx_models.c - models of other people's exporters, where the shared data are there: the
 * number of nodes of each operator is what the notes beside the models say. */
#include "onnx_make.h"

#include "base/file.h"
#include "op/op.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#define MODELS OLAC_SHARED_DIR "/data/models/"

struct want {
    const char *file;
    int opset;
    const char *ops; /* "Conv:2 Relu:3"; Constant nodes are constants here */
};

static const struct want wants[] = {
    {"cifar10/ace_resnet20_cifar10_pre.onnx", 10,
     "Conv:21 Relu:19 Add:9 GlobalAveragePool:1 Reshape:1 Gemm:1"},
    {"cifar10/fhempcnn_resnet20_cifar10.onnx", 13,
     "Conv:19 Relu:19 Add:9 Slice:4 Pad:3 AveragePool:1 Flatten:1 Gemm:1"},
    {"cifar10/resnet20_cifar10.onnx", 13,
     "Conv:19 Relu:19 Add:9 Slice:4 Pad:3 AveragePool:1 Flatten:1 Gemm:1"},
    {"mnist/cryptonets_relu.onnx", 13, "Conv:1 Relu:2 Flatten:1 Gemm:2"},
    {"mnist/kanav99_lenet.onnx", 10, "Conv:2 Relu:3 MaxPool:2 Flatten:1 Gemm:2"},
    {"mnist/lenet5_maxpool.onnx", 13, "Conv:2 Relu:4 MaxPool:2 Flatten:1 Gemm:3"},
    {"mnist/mlp_784_128_64_10.onnx", 13, "Flatten:1 Gemm:3 Relu:2"},
    {"mnist/mnist_8.onnx", 8, "Reshape:2 Conv:2 Add:3 Relu:2 MaxPool:2 MatMul:1"},
    {"mnist/onnx2c_atmega_mnist_simplified.onnx", 9, "Conv:2 Relu:1 Reshape:1 Gemm:1"},
    {"mnist/onnx2c_mnist_pytorch.onnx", 9, "MatMul:3 BatchNormalization:2"},
    {"tabular/banknote_mlp_sigmoid.onnx", 13, "Gemm:3 Sigmoid:2"},
    {"tabular/pima_mlp_tanh_sigmoid.onnx", 13, "Gemm:3 Tanh:2 Sigmoid:1"},
};

static void
need_models(void)
{
    if (access(MODELS, R_OK) != 0)
        cr_skip_test("skipped: the shared models are not at " MODELS);
}

/* Counts of operators, in the order of `ops`; the sum of what `ops` does not name is appended. */
static const char *
counted(struct arena *a, const struct graph *g, const char *ops)
{
    struct str s = {0};
    uint32_t named = 0;
    for (const char *p = ops; *p; p += strcspn(p, " "), p += *p == ' ') {
        const char *name = arena_strndup(a, p, strcspn(p, ":"));
        uint32_t n = 0;
        for (uint32_t k = 0; k < g->nodes.len; k++)
            n += strcmp(op_row(g->nodes.at[k].op)->onnx, name) == 0;
        str_addf(&s, "%s%s:%u", s.len ? " " : "", name, n);
        named += n;
    }
    if (named != g->nodes.len)
        str_addf(&s, " and %u others", g->nodes.len - named);
    const char *text = arena_strdup(a, str_text(&s));
    str_free(&s);
    return text;
}

Test(onnx_models, operators_are_as_noted)
{
    need_models();
    for (size_t k = 0; k < sizeof wants / sizeof *wants; k++) {
        struct arena *a = arena_new();
        struct diag *d = diag_new();
        const char *path = arena_printf(a, MODELS "%s", wants[k].file);
        struct graph *g = import_model(a, path, d);
        cr_expect(g, "%s", all_messages(a, d));
        if (g) {
            cr_expect_eq(g->opset, wants[k].opset);
            cr_expect_str_eq(counted(a, g, wants[k].ops), wants[k].ops, "%s", wants[k].file);
            cr_expect_eq(g->inputs.len, 1);
            cr_expect_eq(g->outputs.len, 1);
        }
        diag_free(d);
        arena_free(a);
    }
}

/* Every model is read, or every reason against it is one of these. */
static void
read_folder(const char *name)
{
    struct arena *a = arena_new();
    DIR *dir = opendir(arena_printf(a, MODELS "%s", name));
    uint32_t models = 0;

    cr_assert(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        size_t n = strlen(e->d_name);
        if (n < 5 || strcmp(e->d_name + n - 5, ".onnx") != 0)
            continue;
        struct diag *d = diag_new();
        struct graph *g = import_model(a, arena_printf(a, MODELS "%s/%s", name, e->d_name), d);
        if (g)
            cr_expect(graph_check(g, STAGE_IMPORTED, d), "%s", all_messages(a, d));
        for (uint32_t k = 0; !g && k < diag_count(d); k++) {
            const struct message *m = diag_at(d, k);
            bool known = m->code == E_ONNX_OPSET
                             ? strstr(m->text, "version 6") != NULL
                             : m->code == E_ONNX_OP &&
                                   (strstr(m->text, "'LRN'") || strstr(m->text, "qonnx.custom_op"));
            cr_expect(known || m->severity == SEV_WARNING, "%s", m->text);
        }
        models++;
        diag_free(d);
    }
    cr_expect_gt(models, 0);
    closedir(dir);
    arena_free(a);
}

Test(onnx_models, all_are_read)
{
    need_models();
    read_folder("cifar10");
    read_folder("mnist");
    read_folder("tabular");
    read_folder("parser");
}

/* A real file that was cut off in a download, at many places. */
Test(onnx_models, cut_off)
{
    need_models();
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    const uint8_t *bytes;
    size_t size;

    cr_assert(file_read(a, MODELS "mnist/mnist_8.onnx", false, 1 << 20, &bytes, &size, d));
    for (size_t n = 1; n < size; n += 1 + size / 500) {
        struct diag *each = diag_new();
        cr_assert(!import_onnx(a, "cut.onnx", NULL, bytes, n, each), "%zu of %zu bytes", n, size);
        cr_assert_geq(diag_errors(each), 1);
        diag_free(each);
    }
    diag_free(d);
    arena_free(a);
}
