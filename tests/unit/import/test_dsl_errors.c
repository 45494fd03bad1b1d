/* test_dsl_errors.c - every error of the language has its code and its place, several are reported
 * at once, and no short text makes the reader slow, deep or large. */
#include "dsl_support.h"

#include "base/file.h"
#include "import/data.h"

#include <criterion/criterion.h>

#include <string.h>

#define HEAD "network n\ninput x : f32[4]\n"

static struct arena *a;
static struct diag *d;
static const char *dir;

static void
setup(void)
{
    a = arena_new();
    d = diag_new();
    dir = dsl_folder(a);
}

static void
teardown(void)
{
    dsl_folder_remove(dir);
    diag_free(d);
    arena_free(a);
}

TestSuite(dsl_errors, .init = setup, .fini = teardown, .timeout = 60);

struct wrong {
    const char *text;
    enum code code;
    int line, col;
};

static void
expect_first(const struct wrong *w)
{
    struct diag *own = diag_new();
    struct str messages = {0};
    struct graph *g = dsl_read(a, dir, w->text, own);
    diag_print(own, &messages);
    cr_expect_null(g, "%s", w->text);
    if (diag_count(own)) {
        const struct message *m = diag_at(own, 0);
        cr_expect(m->code == w->code && m->place.line == w->line && m->place.col == w->col,
                  "E%d at %d:%d expected for\n%s\nhere is\n%s", w->code, w->line, w->col, w->text,
                  str_text(&messages));
    } else {
        cr_expect(false, "no message for %s", w->text);
    }
    str_free(&messages);
    diag_free(own);
}

static void
expect_all(const struct wrong *w, size_t n)
{
    for (size_t k = 0; k < n; k++)
        expect_first(&w[k]);
}

#define EXPECT_ALL(rows) expect_all(rows, sizeof rows / sizeof *rows)

Test(dsl_errors, of_the_grammar)
{
    static const struct wrong rows[] = {
        {HEAD "a = relu(x\n", E_DSL_SYNTAX, 3, 11},
        {HEAD "a = relu(x\nb = relu(a)\n", E_DSL_SYNTAX, 3, 11},
        {HEAD "a = (x + )\n", E_DSL_SYNTAX, 3, 10},
        {HEAD "a relu(x)\n", E_DSL_SYNTAX, 3, 3},
        {HEAD "output y = relu(x) @degree 7\n", E_DSL_SYNTAX, 3, 28},
        {HEAD "const c : f32[1] = data \"x\"\n", E_DSL_SYNTAX, 3, 20},
        {HEAD "block b(x) {\na = relu(x)\n", E_DSL_SYNTAX, 5, 1},
        {HEAD "a = relu(x) ? 2\n", E_DSL_CHARACTER, 3, 13},
        {HEAD "a = relu(`x)\n", E_DSL_CHARACTER, 3, 10},
        {HEAD "a = f(x, \"abc)\n", E_DSL_CHARACTER, 3, 10},
        {HEAD "a = f(x, \"\\q\")\n", E_DSL_CHARACTER, 3, 10},
        {HEAD "a = f(x, \"\\x00\")\n", E_DSL_CHARACTER, 3, 10},
        {HEAD "# \xC3\x28\n", E_DSL_CHARACTER, 3, 3},
        {HEAD "a = 12ab\n", E_DSL_NUMBER, 3, 5},
        {"input x : f32[4]\noutput y = relu(x)\n", E_DSL_NETWORK, 1, 7},
        {"network n opset 6\n", E_DSL_NETWORK, 1, 17},
        {"network n opset 18\n", E_DSL_NETWORK, 1, 17},
        {"network n version 1\n", E_DSL_OPTION, 1, 11},
        {HEAD "network m\n", E_DSL_NETWORK, 3, 9},
        {HEAD "origin \"12\" text \"34\"\n", E_DSL_NETWORK, 3, 1},
        {HEAD, E_DSL_NETWORK, 0, 0},
        {"", E_DSL_NETWORK, 0, 0},
    };
    EXPECT_ALL(rows);
}

Test(dsl_errors, of_names)
{
    static const struct wrong rows[] = {
        {HEAD "output y = relu(z)\n", E_DSL_NAME, 3, 17},
        {HEAD "y = relu(z)\noutput z = relu(x)\n", E_DSL_ORDER, 3, 10},
        {HEAD "output y = relu(y)\n", E_DSL_ORDER, 3, 17},
        {HEAD "x = relu(x)\n", E_DSL_DUPLICATE, 3, 1},
        {HEAD "y, y = Split(x)\n", E_DSL_DUPLICATE, 3, 4},
        {HEAD "y = relu(x) as n\nz = relu(y) as n\n", E_DSL_DUPLICATE, 4, 5},
        {HEAD "y = relu(x) as n as m\n", E_DSL_OPTION, 3, 18},
        {HEAD "output _ = relu(x)\n", E_DSL_NAME, 3, 8},
        {HEAD "`` = relu(x)\n", E_DSL_NAME, 3, 1},
        {HEAD "y = rellu(x)\n", E_DSL_FUNCTION, 3, 5},
        {HEAD "y = b(x)\nblock b(x) {\nreturn x\n}\n", E_DSL_FUNCTION, 3, 5},
        {HEAD "block b(x) {\nreturn b(x)\n}\ny = b(x)\n", E_DSL_BLOCK, 4, 8},
        {HEAD "block b(y) {\nz = relu(x)\nreturn z\n}\nw = b(x)\n", E_DSL_NAME, 4, 10},
        {HEAD "block b(y) {\ny = relu(y)\nreturn y\n}\nw = b(x)\n", E_DSL_DUPLICATE, 4, 1},
        {HEAD "block b(y, y) {\nreturn y\n}\n", E_DSL_DUPLICATE, 3, 12},
        {HEAD "block b(y) { return y }\nblock b(y) { return y }\n", E_DSL_DUPLICATE, 4, 7},
        {HEAD "block b(y) {\nz = relu(y)\n}\n", E_DSL_BLOCK, 3, 7},
        {HEAD "block b(y) {\nreturn y\nz = relu(y)\n}\n", E_DSL_BLOCK, 4, 1},
        {HEAD "block b(y) {\noutput z = relu(y)\nreturn y\n}\n", E_DSL_BLOCK, 4, 8},
        {HEAD "block b(y) {\nz = relu(y) as n\nreturn z\n}\nw = b(x)\n", E_DSL_BLOCK, 4, 1},
        {HEAD "return x\n", E_DSL_BLOCK, 3, 1},
    };
    EXPECT_ALL(rows);
}

Test(dsl_errors, of_calls)
{
    static const struct wrong rows[] = {
        {HEAD "y = relu()\n", E_DSL_ARITY, 3, 5},
        {HEAD "y = relu(x, x)\n", E_DSL_ARITY, 3, 5},
        {HEAD "y, z = relu(x)\n", E_DSL_ARITY, 3, 8},
        {HEAD "y, z = x + x\n", E_DSL_ARITY, 3, 10},
        {HEAD "y = Conv(x)\n", E_DSL_ARITY, 3, 5},
        {HEAD "y = conv(x)\n", E_DSL_ARITY, 3, 5},
        {HEAD "y = avgpool(x)\n", E_DSL_ARITY, 3, 5},
        {HEAD "block b(y) { return y }\nz = b()\n", E_DSL_ARITY, 4, 5},
        {HEAD "block b(y) { return y }\nz = b(x, x)\n", E_DSL_ARITY, 4, 10},
        {HEAD "block b(y) { return y }\nz = b(x, k 2)\n", E_DSL_OPTION, 4, 10},
        {HEAD "block b(y) { return y }\nz = b(x, y 2)\n", E_DSL_OPTION, 4, 10},
        {HEAD "y = relu(x, alpha 1)\n", E_DSL_OPTION, 3, 13},
        {HEAD "y = concat(x, x)\n", E_DSL_OPTION, 3, 5},
        {HEAD "y = Relu(x; a 1, a 2)\n", E_DSL_OPTION, 3, 18},
        {HEAD "y = softmax(x, axis 1.5)\n", E_DSL_KIND, 3, 21},
        {HEAD "y = softmax(x, axis 9223372036854775808)\n", E_DSL_NUMBER, 3, 21},
        {HEAD "y = elu(x, alpha 1e39)\n", E_DSL_NUMBER, 3, 18},
        {HEAD "y = relu(\"x\")\n", E_DSL_KIND, 3, 10},
        {HEAD "y = relu(2x2)\n", E_DSL_KIND, 3, 10},
        {HEAD "y = 1 + 2\n", E_DSL_KIND, 3, 7},
        {HEAD "y = Relu(x; a [])\n", E_DSL_KIND, 3, 15},
        {HEAD "y = Relu(x; a [1, \"b\"])\n", E_DSL_KIND, 3, 19},
        {HEAD "y = Relu(x; a numbers [1])\n", E_DSL_KIND, 3, 23},
        {HEAD "y = avgpool(x, 0x2)\n", E_DSL_NUMBER, 3, 16},
        {HEAD "y = avgpool(x, 2x2, stride 1x1x1)\n", E_DSL_SHAPE, 3, 28},
        {HEAD "y = avgpool(x, 2x2, pad [1, 2, 3])\n", E_DSL_SHAPE, 3, 25},
        {HEAD "y = avgpool(x, 2x2, pad -1)\n", E_DSL_NUMBER, 3, 25},
        {HEAD "y = conv(x, x)\n", E_DSL_SHAPE, 3, 5},
        {HEAD "y = relu(x) @degree(0)\n", E_DSL_PIN, 3, 21},
        {HEAD "y = relu(x) @degree(9 .. 3)\n", E_DSL_PIN, 3, 13},
        {HEAD "y = relu(x) @pow2(5)\n", E_DSL_PIN, 3, 13},
        {HEAD "y = flatten(x) @degree(5)\n", E_DSL_PIN, 3, 16},
        {HEAD "y = x * x @pow2(<= 5)\n", E_DSL_PIN, 3, 11},
        {HEAD "y = x @degree(5)\n", E_DSL_PIN, 3, 7},
        {HEAD "y = relu(x) @speed(5)\n", E_DSL_PIN, 3, 13},
    };
    EXPECT_ALL(rows);
}

Test(dsl_errors, of_types_and_constants)
{
    static const struct wrong rows[] = {
        {"network n\ninput x : float[4]\n", E_DSL_SHAPE, 2, 11},
        {"network n\ninput x : f32[-4]\n", E_DSL_SHAPE, 2, 15},
        {"network n\ninput x : f32[1, 1, 1, 1, 1, 1, 1, 1]\n", E_DSL_SHAPE, 2, 11},
        {"network n\ninput x : f32[1, 1, 1, 1, 1, 1, 1, 1, 1]\n", E_DSL_SHAPE, 2, 11},
        {"network n\ninput x : f32[1000000, 1000000]\n", E_DSL_LIMIT, 2, 11},
        {"network n\ninput x : f32[99999999999999999999]\n", E_DSL_NUMBER, 2, 15},
        {"network n\ninput x : f32[4] from i8\n", E_DSL_PIXELS, 2, 18},
        {"network n\ninput x : f32[4] from u8 / 0\n", E_DSL_PIXELS, 2, 28},
        {"network n\ninput x : f32[4] mean 1\n", E_DSL_PIXELS, 2, 7},
        {"network n\ninput x : f32[3, 2, 2] from u8 mean 1, 2\n", E_DSL_PIXELS, 2, 32},
        {"network n\ninput x : f32[4] from u8 std 0\n", E_DSL_PIXELS, 2, 30},
        {"network n\ninput x : f32[4] from u8 mean inf\n", E_DSL_PIXELS, 2, 31},
        {"network n\ninput x : f32[4] colour\n", E_DSL_OPTION, 2, 18},
        {HEAD "const c : f32[2] = [1]\n", E_DSL_SHAPE, 3, 20},
        {HEAD "const c : f32[2] = 1\n", E_DSL_SHAPE, 3, 20},
        {HEAD "const c = [1]\n", E_DSL_SHAPE, 3, 7},
        {HEAD "const c : i8[2] = [1, 128]\n", E_DSL_NUMBER, 3, 19},
        {HEAD "const c : u8[1] = [-1]\n", E_DSL_NUMBER, 3, 19},
        {HEAD "const c : u64[1] = [-1]\n", E_DSL_NUMBER, 3, 20},
        {HEAD "const c : bool[1] = [2]\n", E_DSL_NUMBER, 3, 21},
        {HEAD "const c : i64[1] = [0.5]\n", E_DSL_KIND, 3, 21},
        {HEAD "const c : f32[1] = [true]\n", E_DSL_KIND, 3, 21},
        {HEAD "const c : string[1] = [\"a\"]\n", E_DSL_KIND, 3, 23},
        {HEAD "const c : f32[1] = file \"c.npy\"\n", E_DSL_WEIGHTS, 3, 25},
        {HEAD "const c : f32[1]\n", E_DSL_WEIGHTS, 3, 7},
        {HEAD "const c : f32[1] = file \"/etc/passwd\"\n", E_DSL_PATH, 3, 25},
        {HEAD "const c : f32[1] = file \"../c.npy\"\n", E_DSL_PATH, 3, 25},
        {HEAD "const c : f32[1] = file \"a/../../c.npy\"\n", E_DSL_PATH, 3, 25},
        {HEAD "const c : f32[1] = file \"a\\\\..\\\\c.npy\"\n", E_DSL_PATH, 3, 25},
        {HEAD "const c : f32[1] = file \"\"\n", E_DSL_PATH, 3, 25},
        {HEAD "y = dense(x, \"../../fc\")\n", E_DSL_PATH, 3, 14},
        {HEAD "y = dense(x, \"fc\", no weight)\n", E_DSL_OPTION, 3, 20},
    };
    EXPECT_ALL(rows);
}

Test(dsl_errors, weight_files_that_do_not_fit)
{
    static const struct wrong rows[] = {
        {HEAD "const w : f32[3]\n", E_DSL_WEIGHTS, 3, 7},
        {HEAD "const w : i64[2]\n", E_DSL_WEIGHTS, 3, 7},
        {HEAD "const cut : f32[2]\n", E_DSL_WEIGHTS, 3, 7},
        {HEAD "const i : i8[1]\n", E_DSL_NUMBER, 3, 7},
        {HEAD "y = conv(x, \"c\", no bias)\n", E_DSL_SHAPE, 3, 5},
    };
    struct tensor t = tensor_new(a, DT_I64, shape_of(1, (int64_t[]){1}));
    struct str bytes = {0};
    dsl_weights(a, dir, "w.npy", 1, (int64_t[]){2});
    dsl_weights(a, dir, "c.weight.npy", 2, (int64_t[]){2, 2});
    *t.i = 1000;
    npy_format(&t, &bytes);
    file_write(file_join(a, dir, "i.npy"), bytes.text, bytes.len, d);
    file_write(file_join(a, dir, "cut.npy"), bytes.text, bytes.len - 1, d);
    str_free(&bytes);
    EXPECT_ALL(rows);
}

Test(dsl_errors, all_are_reported_and_none_twice)
{
    cr_expect_null(dsl_read(a, dir,
                            "network n\ninput x : f32[4]\n"
                            "a = relu(x\n"          /* 1 */
                            "b, c = relu(a, 2 3)\n" /* 2; a is not blamed again */
                            "e = tanh(b) + c\n"
                            "f = tahn(e)\n" /* 3 */
                            "g = relu(f)\n"
                            "h = relu(nothing)\n" /* 4 */
                            "output i = g + h\n",
                            d));
    cr_expect_eq(diag_errors(d), 4);
}

static char *
repeated(const char *head, const char *part, size_t n, const char *tail)
{
    struct str s = {0};
    str_add(&s, head);
    for (size_t k = 0; k < n; k++)
        str_add(&s, part);
    str_add(&s, tail);
    char *copy = arena_strdup(a, str_text(&s));
    str_free(&s);
    return copy;
}

Test(dsl_errors, nesting_is_limited)
{
    const struct wrong rows[] = {
        {repeated(HEAD "y = ", "(", 100000, "x\n"), E_DSL_LIMIT, 3, 205},
        {repeated(HEAD "y = x", " + x", 100000, "\n"), E_DSL_LIMIT, 3, 807},
        {repeated(HEAD "y = ", "-", 100000, "x\n"), E_DSL_LIMIT, 3, 9999},
        {repeated(HEAD "y = x", " ^ x", 100000, "\n"), E_DSL_LIMIT, 3, 9999},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct diag *own = diag_new();
        cr_expect_null(dsl_read(a, dir, rows[k].text, own));
        cr_expect_eq(diag_at(own, 0)->code, E_DSL_LIMIT);
        diag_free(own);
    }
}

static char *
doubling_blocks(const char *body, int n)
{
    struct str s = {0};
    str_add(&s, HEAD "block b0(x, s) {\nreturn relu(x)\n}\n");
    for (int k = 1; k < n; k++) {
        str_addf(&s, "block b%d(x, s) {\n", k);
        str_addf(&s, body, k - 1, k - 1);
        str_add(&s, "}\n");
    }
    str_addf(&s, "output y = b%d(x, \"s\")\n", n - 1);
    char *copy = arena_strdup(a, str_text(&s));
    str_free(&s);
    return copy;
}

Test(dsl_errors, blocks_that_unfold_without_end)
{
    static const char *const bodies[] = {"return b%d(b%d(x, s), s)\n",
                                         "y = b%d(x, s)\nz = b%d(x, s)\nreturn x\n",
                                         "return b%d(x, s + s) #%d\n"};
    static const int counts[] = {60, 60, 60};
    for (int k = 0; k < 3; k++) {
        struct diag *own = diag_new();
        cr_expect_null(dsl_read(a, dir, doubling_blocks(bodies[k], counts[k]), own));
        cr_assert_eq(diag_count(own), 1);
        cr_expect_eq(diag_at(own, 0)->code, E_DSL_LIMIT);
        diag_free(own);
    }
    cr_expect_null(dsl_read(a, dir, doubling_blocks("return b%d(x, s) #%d\n", 5000), d));
    cr_expect_eq(diag_at(d, 0)->code, E_DSL_LIMIT);
}

Test(dsl_errors, a_text_cut_anywhere)
{
    static const char text[] =
        "network n opset 13\ninput x : f32[1, 4] from u8 / 255 mean 0.5 std 2\n"
        "const c : f32[2] = [1, -2e3]\nblock b(y, z) {\n  t = relu(y)\n  return t + z\n}\n"
        "p, q = Split(x; axis 1, s \"a\\\"b\", t f32[] = 3) as `n`  # c\n"
        "output r = b(p, q) * c  @degree(<= 7)\n";
    for (size_t n = 0; n < sizeof text; n++) {
        struct diag *own = diag_new();
        struct arena *scratch = arena_new();
        struct graph *g = import_dsl(scratch, "m", NULL, text, n, own);
        cr_expect(!g == (diag_errors(own) > 0), "cut at %zu", n);
        arena_free(scratch);
        diag_free(own);
    }
}
