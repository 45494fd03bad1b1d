/* test_dsl_print.c - any graph prints as a text that reads back to the same graph: every kind of
 * attribute and constant, odd names, all models of the shared data. */
#include "dsl_support.h"

#include "op/op.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <math.h>
#include <string.h>

static struct arena *a;
static struct diag *d;
static struct graph *g;
static uint32_t x;

static void
setup(void)
{
    a = arena_new();
    d = diag_new();
    g = graph_new(a, "made", "made.onnx");
    g->opset = 13;
    memset(g->hash, 0x5a, sizeof g->hash);
    x = graph_input(g, "x", DT_F32, shape_of(4, (int64_t[]){1, 3, 8, 8}));
}

static void
teardown(void)
{
    diag_free(d);
    arena_free(a);
}

TestSuite(dsl_print, .init = setup, .fini = teardown);

static uint32_t
node(const char *name, enum op_id op, uint32_t in, const char *out)
{
    return graph_node(g, name, op, &in, 1, &out, 1, PLACE_NONE);
}

static void
expect_round_trip(void)
{
    if (!g->outputs.len)
        vec_push(a, &g->outputs, g->nodes.at[g->nodes.len - 1].out.at[0]);
    const char *wrong = dsl_round_trip(a, g);
    cr_expect_null(wrong, "%s", wrong);
}

static void
expect_text(const char *part, bool there)
{
    struct str text = {0};
    dsl_print(g, &text, a, NULL, NULL, d);
    cr_expect(!!strstr(str_text(&text), part) == there, "%s %s\n%s", part, there ? "in" : "not in",
              str_text(&text));
    str_free(&text);
}

static float
from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static const uint32_t odd_floats[] = {0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                      0xffc00000, 0x7f800001, 0x00000001, 0x007fffff, 0x7f7fffff,
                                      0x3dcccccd, 0x3f800001, 0x4b800001, 0x501502f9};
#define ODD (sizeof odd_floats / sizeof *odd_floats)

Test(dsl_print, attributes_of_every_kind)
{
    static int64_t ints[] = {0, -1, INT64_MIN, INT64_MAX};
    static const char *strings[] = {"", "a \"b\" \\ c", "line\nline\ttab\r",
                                    "\xC3\xA9\xF0\x9F\x98\x80", "\xff\xfe\x01"};
    float floats[ODD];
    uint32_t n = node("n", OP_relu, x, "y");
    for (uint32_t k = 0; k < ODD; k++) {
        floats[k] = from_bits(odd_floats[k]);
        graph_attr(g, n,
                   (struct attr){.name = arena_printf(a, "f%u", k),
                                 .kind = ATTR_FLOAT,
                                 .count = 1,
                                 .floats = &floats[k]});
    }
    for (uint32_t k = 0; k < 4; k++)
        graph_attr(
            g, n,
            (struct attr){
                .name = arena_printf(a, "i%u", k), .kind = ATTR_INT, .count = 1, .ints = &ints[k]});
    for (uint32_t k = 0; k < 5; k++)
        graph_attr(g, n,
                   (struct attr){.name = arena_printf(a, "s%u", k),
                                 .kind = ATTR_STRING,
                                 .count = 1,
                                 .strings = &strings[k]});
    graph_attr(g, n, (struct attr){.name = "ints", .kind = ATTR_INTS, .count = 4, .ints = ints});
    graph_attr(
        g, n, (struct attr){.name = "floats", .kind = ATTR_FLOATS, .count = ODD, .floats = floats});
    graph_attr(
        g, n,
        (struct attr){.name = "strings", .kind = ATTR_STRINGS, .count = 5, .strings = strings});
    graph_attr(g, n, (struct attr){.name = "no ints", .kind = ATTR_INTS});
    graph_attr(g, n, (struct attr){.name = "from", .kind = ATTR_FLOATS});
    graph_attr(g, n, (struct attr){.name = "no.strings", .kind = ATTR_STRINGS});
    expect_round_trip();
}

Test(dsl_print, tensor_attributes)
{
    uint32_t n = node("n", OP_relu, x, "y");
    struct tensor scalar = tensor_new(a, DT_I64, shape_of(0, NULL));
    struct tensor wide = tensor_new(a, DT_F32, shape_of(2, (int64_t[]){5, 7}));
    struct tensor empty = tensor_new(a, DT_F16, shape_of(2, (int64_t[]){3, 0}));
    *scalar.i = -3;
    for (int k = 0; k < 35; k++)
        wide.f[k] = from_bits(odd_floats[k % (int)ODD]);
    graph_attr(g, n,
               (struct attr){.name = "value", .kind = ATTR_TENSOR, .count = 1, .tensor = scalar});
    graph_attr(g, n,
               (struct attr){.name = "wide", .kind = ATTR_TENSOR, .count = 1, .tensor = wide});
    graph_attr(g, n,
               (struct attr){.name = "empty", .kind = ATTR_TENSOR, .count = 1, .tensor = empty});
    expect_round_trip();
}

Test(dsl_print, constants_of_every_type)
{
    static const int64_t high[] = {
        [DT_I8] = 127,         [DT_I16] = 32767,     [DT_I32] = 2147483647,
        [DT_I64] = INT64_MAX,  [DT_U8] = 255,        [DT_U16] = 65535,
        [DT_U32] = 4294967295, [DT_U64] = INT64_MAX, [DT_BOOL] = 1};
    for (int t = DT_F32; t <= DT_STRING; t++)
        for (int64_t n = 0; n <= 40; n += n == 3 ? 37 : 1) {
            struct tensor c = tensor_new(a, (enum dtype)t, shape_of(1, &n));
            for (int64_t k = 0; k < n && c.f; k++)
                c.f[k] = from_bits(odd_floats[(k + n) % (int64_t)ODD]);
            for (int64_t k = 0; k < n && c.i; k++)
                c.i[k] = k % 2 ? high[t] : 0;
            graph_const(g, arena_printf(a, "c_%s_%d", dtype_name((enum dtype)t), (int)n), c);
        }
    node("n", OP_relu, x, "y");
    expect_round_trip();
}

Test(dsl_print, odd_names)
{
    static const char *const names[] = {"onnx::Conv_123",
                                        "a b",
                                        "/conv/Conv_output_0",
                                        "`",
                                        "\\",
                                        "1",
                                        "_",
                                        "as",
                                        "from",
                                        "nan",
                                        "-inf",
                                        "a..b",
                                        "a.",
                                        ".a",
                                        "A.b",
                                        "a.B",
                                        "input",
                                        "const",
                                        "..",
                                        "../../etc/passwd",
                                        "con\xC3\xA9",
                                        "\xff\x01\x7f",
                                        "x\ny",
                                        "true"};
    struct tensor c = tensor_new(a, DT_F32, shape_of(1, (int64_t[]){9}));
    uint32_t n = sizeof names / sizeof *names, last = x;
    for (uint32_t k = 0; k < n; k++)
        graph_const(g, arena_printf(a, "%s.w", names[k]), c);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t made = node(names[n - 1 - k], OP_relu, last, names[k]);
        last = g->nodes.at[made].out.at[0];
    }
    g->name = "odd \"name\" `of` a/network";
    expect_round_trip();
}

Test(dsl_print, files_of_constants_never_collide)
{
    static const char *const names[] = {"a/b", "a:b", "a_b", "A_B", "a_b-1", "..", "__", ""};
    struct tensor c = tensor_new(a, DT_F32, shape_of(1, (int64_t[]){9}));
    struct dsl_file *files;
    struct str text = {0};
    uint32_t n;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        graph_const(g, names[k], c);
    node("n", OP_relu, x, "y");
    vec_push(a, &g->outputs, g->nodes.at[0].out.at[0]);
    cr_assert(dsl_print(g, &text, a, &files, &n, d));
    cr_assert_eq(n, sizeof names / sizeof *names);
    for (uint32_t k = 0; k < n; k++) {
        cr_expect(!strchr(files[k].name, '/') && *files[k].name != '.', "%s", files[k].name);
        for (uint32_t i = 0; i < k; i++)
            cr_expect(strcasecmp(files[i].name, files[k].name) != 0, "%s", files[k].name);
    }
    str_free(&text);
    expect_round_trip();
}

Test(dsl_print, inputs_and_outputs_left_out)
{
    uint32_t in[] = {x, NONE, x, NONE}, split[] = {x};
    const char *out[] = {"a", "", "b"}, *none[] = {"", "m"}, *nothing[] = {""};
    graph_node(g, "clip", OP_clip, in, 3, (const char *[]){"c"}, 1, PLACE_NONE);
    graph_node(g, "resize", OP_resize, in, 4, (const char *[]){"r"}, 1, PLACE_NONE);
    graph_node(g, "split", OP_split, split, 1, out, 3, PLACE_NONE);
    graph_node(g, "pool", OP_maxpool, split, 1, none, 2, PLACE_NONE);
    graph_node(g, "unused", OP_relu, split, 1, nothing, 1, PLACE_NONE);
    vec_push(a, &g->outputs,
             graph_producer(g, g->nodes.at[2].out.at[2]) ? g->nodes.at[2].out.at[2] : 0);
    vec_push(a, &g->outputs, g->nodes.at[0].out.at[0]);
    vec_push(a, &g->outputs, x);
    expect_round_trip();
}

Test(dsl_print, pins_and_pixels)
{
    static const struct pins pins[] = {{7, 7, 0}, {0, 7, 0}, {3, 0, 0},
                                       {3, 7, 0}, {0, 0, 5}, {2, 2, 24}};
    uint32_t last = x;
    for (uint32_t k = 0; k < 6; k++) {
        uint32_t n = graph_node(g, NULL, OP_mul, (uint32_t[]){last, last}, 2, NULL, 1, PLACE_NONE);
        g->nodes.at[n].pins = pins[k];
        last = g->nodes.at[n].out.at[0];
    }
    g->inputs.at[0].pixels = (struct pixels){true, 255, 3, (double[]){0.485, 0.456, 0.406},
                                             (double[]){0.229, 0.224, 1.0 / 3}};
    expect_round_trip();
    g->inputs.at[0].pixels.mean = (double[]){0, 0, 0};
    expect_round_trip();
    g->inputs.at[0].pixels.std = (double[]){1, 1, 1};
    expect_round_trip();
    g->inputs.at[0].pixels.channels = 1; /* the same for all three, said once */
    expect_round_trip();
}

Test(dsl_print, inputs_with_and_without_a_batch)
{
    graph_input(g, "flat", DT_F32, shape_of(1, (int64_t[]){784}));
    graph_input(g, "one", DT_I64, shape_of(1, (int64_t[]){1}));
    graph_input(g, "scalar", DT_F64, shape_of(0, NULL));
    graph_input(g, "many", DT_F32, shape_of(4, (int64_t[]){4, 3, 2, 2}));
    graph_input(g, "most", DT_F32, shape_of(8, (int64_t[]){1, 1, 1, 1, 2, 2, 1, 1}));
    node("n", OP_relu, x, "y");
    expect_round_trip();
}

Test(dsl_print, short_forms_only_where_they_mean_the_same)
{
    struct tensor w = tensor_new(a, DT_F32, shape_of(4, (int64_t[]){4, 3, 3, 3}));
    uint32_t weight = graph_const(g, "c.weight", w), k = 0;
    static int64_t one = 1, two[] = {1, 1}, size[] = {3, 3}, pad[] = {1, 1, 1, 1};
    const struct attr attrs[] = {
        {.name = "dilations", .kind = ATTR_INTS, .count = 2, .ints = two},
        {.name = "group", .kind = ATTR_INT, .count = 1, .ints = &one},
        {.name = "kernel_shape", .kind = ATTR_INTS, .count = 2, .ints = size},
        {.name = "pads", .kind = ATTR_INTS, .count = 4, .ints = pad},
        {.name = "strides", .kind = ATTR_INTS, .count = 2, .ints = two}};
    uint32_t n = graph_node(g, "c", OP_conv, (uint32_t[]){x, weight}, 2, (const char *[]){"c"}, 1,
                            PLACE_NONE);
    for (k = 0; k < 5; k++)
        graph_attr(g, n, attrs[k]);
    vec_push(a, &g->outputs, g->nodes.at[n].out.at[0]);
    expect_text("output c = conv(x, \"c\", no bias, pad 1)\n", true);
    expect_round_trip();
    struct attr first =
        g->nodes.at[n].attrs.at[0]; /* another order is another list of attributes */
    g->nodes.at[n].attrs.at[0] = g->nodes.at[n].attrs.at[1];
    g->nodes.at[n].attrs.at[1] = first;
    expect_text("Conv(x, c.weight; group 1", true);
    expect_round_trip();
}

Test(dsl_print, constants_made_late_stand_before_their_use)
{
    node("n", OP_relu, x, "y");
    uint32_t late = graph_const(g, "late", tensor_new(a, DT_F32, shape_of(1, (int64_t[]){2})));
    g->nodes.at[0].op = OP_add;
    vec_push(a, &g->nodes.at[0].in, late);
    vec_push(a, &g->outputs, g->nodes.at[0].out.at[0]);
    struct str text = {0}, again = {0};
    dsl_print(g, &text, a, NULL, NULL, d);
    struct graph *h = dsl_read(a, NULL, str_text(&text), d);
    cr_assert(h);
    dsl_print(h, &again, a, NULL, NULL, d);
    cr_expect_str_eq(str_text(&text), str_text(&again));
    str_free(&text);
    str_free(&again);
}

/* Every operator as a bare node: by its short form or its full name, it comes back. */
Test(dsl_print, every_operator)
{
    for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
        const struct op_row *row = op_row((enum op_id)op);
        uint32_t most = row->in_hi == 255 ? row->in_lo + 2 : row->in_hi;
        for (uint32_t n = row->in_lo; n <= most; n++) {
            uint32_t in[] = {x, x, x, x, x};
            graph_node(g, NULL, (enum op_id)op, in, n, NULL, 1, PLACE_NONE);
        }
    }
    expect_round_trip();
}

static void
models_below(const char *dir, uint32_t *seen)
{
    DIR *folder = opendir(dir);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        size_t n = strlen(e->d_name);
        if (n < 6 || strcmp(e->d_name + n - 5, ".onnx") != 0)
            continue;
        struct graph *model = import_model(a, arena_printf(a, "%s/%s", dir, e->d_name), d);
        if (!model)
            continue; /* refused for an operator that olac does not have: test_onnx_models.c */
        const char *wrong = dsl_round_trip(a, model);
        cr_expect_null(wrong, "%s: %.2000s", e->d_name, wrong);
        ++*seen;
    }
    if (folder)
        closedir(folder);
}

Test(dsl_print, all_models_of_the_shared_data)
{
    static const char *const folders[] = {"mnist", "cifar10", "tabular", "parser"};
    uint32_t seen = 0;
    DIR *shared = opendir(OLAC_SHARED_DIR "/data/models");
    if (!shared)
        cr_skip_test("no shared data");
    closedir(shared);
    for (int k = 0; k < 4; k++)
        models_below(arena_printf(a, OLAC_SHARED_DIR "/data/models/%s", folders[k]), &seen);
    cr_expect_geq(seen, 30);
}
