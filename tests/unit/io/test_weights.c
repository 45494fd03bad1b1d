/* test_weights.c - the weights file and its two kinds of sections: what is read, and everything
 * that is refused. */
#include <criterion/criterion.h>
#include <sodium.h>

#include "file/file.h"
#include "plan/weights_parse.h"
#include "support.h"

#define SLOTS 64u

/* ---- sections -------------------------------------------------------------------------------- */

struct map_case {
    struct ola_weights_diagonal d[3];
    float value[3][8];
    float *values[3];
    uint32_t fold[2];
    double bias[8];
    struct plain_map m;
};

static void
map_case_make(struct map_case *c)
{
    *c = (struct map_case){
        .d = {{.period = 8},
              {.giant = 4, .baby = 3, .arg = 1, .period = 8, .encoding = 1},
              {.out_ct = 1, .period = 1}},
        .value = {{1, 2, 3, 4, 5, 6, 7, 8}, {0.5f, 0.5f, 0.5f, -1, -1, -1, -1, 2}, {0.25f}},
        .fold = {1, 32},
        .bias = {1, 2, 3, 4, 5, 6, 7, 8}};
    for (int k = 0; k < 3; k++)
        c->values[k] = c->value[k];
    c->m = (struct plain_map){.head = {.args = 2,
                                       .in_cts = 1,
                                       .out_cts = 2,
                                       .n_diagonals = 3,
                                       .n_folds = 2,
                                       .bias_period = 4},
                              .diagonal = c->d,
                              .value = c->values,
                              .fold = c->fold,
                              .bias = c->bias};
}

Test(weights, maps_are_read_as_written)
{
    struct map_case c;
    struct ola_map_view v;
    double got[8];
    map_case_make(&c);
    struct bytes b = map_section(&c.m);
    for (size_t shift = 0; shift < 8; shift++) { /* no alignment is wanted */
        uint8_t *moved = malloc(b.size + shift);
        memcpy(moved + shift, b.data, b.size);
        cr_assert(ola_map_view_open(&v, moved + shift, b.size, SLOTS));
        for (uint32_t k = 0; k < 3; k++) {
            struct ola_weights_diagonal d = ola_map_view_diagonal(&v, k);
            cr_expect(d.giant == c.d[k].giant && d.baby == c.d[k].baby && d.arg == c.d[k].arg &&
                      d.out_ct == c.d[k].out_ct && d.period == c.d[k].period);
            ola_map_view_values(&v, &d, got);
            for (uint32_t t = 0; t < d.period; t++)
                cr_expect_eq(got[t], (double)c.value[k][t]);
        }
        cr_expect_eq(ola_map_view_diagonal(&v, 1).count, 3, "runs");
        cr_expect_eq(ola_map_view_fold(&v, 1), 32);
        ola_map_view_bias(&v, 1, got);
        cr_expect_arr_eq(got, c.bias + 4, 4 * sizeof(double));
        free(moved);
    }
    for (size_t size = 0; size < b.size; size++)
        cr_expect_not(ola_map_view_open(&v, b.data, size, SLOTS), "%zu of %zu bytes", size, b.size);
    cr_expect_not(ola_map_view_open(&v, b.data, b.size, 16), "a fold of 32 in 16 slots");
    bytes_free(&b);
}

/* The section with one u32 replaced must be refused. */
static void
refuse(const struct bytes *good, size_t at, uint32_t value, const char *what)
{
    struct ola_map_view v;
    struct bytes b = {0};
    bytes_add(&b, good->data, good->size);
    memcpy(b.data + at, &value, 4);
    cr_expect_not(ola_map_view_open(&v, b.data, b.size, SLOTS), "%s: %u at %zu", what, value, at);
    bytes_free(&b);
}

Test(weights, maps_that_are_refused)
{
    struct map_case c;
    struct ola_map_view v;
    map_case_make(&c);
    struct bytes b = map_section(&c.m);
    const size_t d0 = 32, d1 = d0 + 40, d2 = d1 + 40, folds = d2 + 40;
    cr_assert(ola_map_view_open(&v, b.data, b.size, SLOTS));
    static const uint32_t huge[3] = {0x7fffffff, 0x80000000, 0xffffffff};
    for (int k = 0; k < 3; k++) {
        for (size_t at = 0; at < 32; at += 4)
            refuse(&b, at, huge[k], "head");
        for (size_t at = d0; at < d0 + 36; at += 4)
            refuse(&b, at, huge[k], "diagonal"); /* arg .. count, low half of the offset */
        refuse(&b, folds, huge[k], "fold");
    }
    refuse(&b, 0, 0, "no arguments");
    refuse(&b, 4, 0, "no inputs");
    refuse(&b, 8, 0, "no outputs");
    refuse(&b, 20, 3, "bias period of 3");
    refuse(&b, 20, 128, "bias period above the slots");
    refuse(&b, 24, 2, "free_of_level 2");
    refuse(&b, 24, 1, "free_of_level with values");
    refuse(&b, 28, 1, "reserved");
    refuse(&b, d0, 2, "an argument too many");
    refuse(&b, d0 + 12, SLOTS, "giant");
    refuse(&b, d0 + 16, SLOTS, "baby");
    refuse(&b, d0 + 20, 4, "count of another period");
    refuse(&b, d0 + 24, 2, "encoding 2");
    refuse(&b, d0 + 32, 0, "values in the head");
    refuse(&b, d0 + 36, 1, "offset of 4 GB");
    refuse(&b, d1 + 28, 2, "runs that end early");
    refuse(&b, d1 + 28, 0, "no runs");
    refuse(&b, d1 + 8, 0xffff, "an output too many");
    refuse(&b, d2 + 8, 0, "out of order");
    refuse(&b, folds, 0, "fold by nothing");
    refuse(&b, folds, SLOTS, "fold by all");
    const uint64_t offset = ola_map_view_diagonal(&v, 1).offset;
    refuse(&b, offset, 0, "an empty run");
    refuse(&b, offset, 4, "runs that go too far");
    refuse(&b, offset, 0xfffffffc, "runs whose sum wraps");
    refuse(&b, offset + 4, 0x7f800000, "a value that is infinite");
    refuse(&b, offset + 4, 0x7fc00000, "a value that is none");
    refuse(&b, folds + 8 + 4, 0x7ff00000, "a bias that is infinite");
    bytes_free(&b);
}

/* Checking must not take longer than the bytes are worth: a thousand diagonals on one vector are
 * fine, but not a quadratic amount. */
Test(weights, sharing_is_bounded)
{
    enum { N = 3000, PERIOD = 65536 };
    struct ola_weights_map h = {.args = 1, .in_cts = 1, .out_cts = 1};
    struct ola_map_view v;
    static float value[PERIOD];
    for (uint32_t n = 1000; n <= N; n += 2000) {
        struct bytes b = {0};
        h.n_diagonals = n;
        bytes_add(&b, &h, sizeof h);
        for (uint32_t k = 0; k < n; k++) {
            struct ola_weights_diagonal d = {
                .baby = k, .period = PERIOD, .count = PERIOD, .offset = sizeof h + n * sizeof d};
            bytes_add(&b, &d, sizeof d);
        }
        bytes_add(&b, value, sizeof value);
        cr_expect_eq(ola_map_view_open(&v, b.data, b.size, PERIOD), n == 1000);
        bytes_free(&b);
    }
}

Test(weights, polynomials)
{
    const uint32_t length[6] = {1, 8, 1, 8, 1, 1};
    float coef[20];
    struct ola_poly_view v;
    double got[3 * 8];
    for (int k = 0; k < 20; k++)
        coef[k] = (float)k;
    struct bytes b = poly_section(2, 2, 8, length, coef);
    cr_assert(ola_poly_view_open(&v, b.data, b.size, SLOTS));
    cr_expect_eq(v.period, 8);
    ola_poly_view_coefs(&v, 0, got);
    for (int t = 0; t < 8; t++)
        cr_expect(got[t] == 0.0 && got[8 + t] == 1.0 + t && got[16 + t] == 9.0);
    ola_poly_view_coefs(&v, 1, got);
    for (int t = 0; t < 8; t++)
        cr_expect(got[t] == 10.0 + t && got[8 + t] == 18.0 && got[16 + t] == 19.0);
    for (size_t size = 0; size < b.size; size++)
        cr_expect_not(ola_poly_view_open(&v, b.data, size, SLOTS));
    bytes_add(&b, &coef[0], 4);
    cr_expect_not(ola_poly_view_open(&v, b.data, b.size, SLOTS), "something follows");
    b.size -= 4;
    static const struct {
        size_t at;
        uint32_t value;
    } bad[] = {{0, 0}, {0, 64},  {0, 3},  {4, 0},  {4, 3},  {4, 0xffffffff},  {8, 0},
               {8, 3}, {8, 128}, {12, 1}, {16, 0}, {16, 2}, {16, 0xffffffff}, {20, 0x7f800000}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        struct bytes c = {0};
        bytes_add(&c, b.data, b.size);
        memcpy(c.data + bad[k].at, &bad[k].value, 4);
        cr_expect_not(ola_poly_view_open(&v, c.data, c.size, SLOTS), "%u at %zu", bad[k].value,
                      bad[k].at);
        bytes_free(&c);
    }
    const uint32_t ones[2] = {1, 1};
    struct bytes one = poly_section(1, 1, 8, ones, coef);
    cr_assert(ola_poly_view_open(&v, one.data, one.size, SLOTS));
    cr_expect_eq(v.period, 1, "all coefficients are single numbers");
    bytes_free(&one);
    bytes_free(&b);
}

/* ---- the file -------------------------------------------------------------------------------- */

static const uint8_t MODEL[32] = {9, 8, 7};

/* Two sections of 16 and 5 bytes. */
static struct bytes
weights_file(void)
{
    struct ola_weights_header h = {
        .magic = OLA_WEIGHTS_MAGIC, .version = OLA_WEIGHTS_VERSION, .sections = 2};
    const struct ola_weights_section s[2] = {{.name = "map:a", .offset = 248, .size = 16},
                                             {.name = "poly:b", .offset = 264, .size = 5}};
    struct bytes b = {0};
    memcpy(h.model, MODEL, 32);
    h.size = 269;
    bytes_add(&b, &h, sizeof h);
    bytes_add(&b, s, sizeof s);
    bytes_add(&b, "0123456789abcdefhello", 21);
    return b;
}

static ola_status
open_signed(struct bytes *b, ola_weights **w)
{
    crypto_generichash(b->data + 56, 32, b->data + 88, b->size - 88, NULL, 0);
    return ola_weights_parse(b->data, b->size, MODEL, w);
}

Test(weights, file)
{
    struct bytes b = weights_file();
    ola_weights *w;
    const void *section;
    size_t size;
    cr_assert_geq(sodium_init(), 0);
    cr_assert_eq(open_signed(&b, &w), OLA_OK);
    cr_assert_eq(ola_weights_find(w, "map:a", &section, &size), OLA_OK);
    cr_expect(size == 16 && memcmp(section, "0123456789abcdef", 16) == 0 &&
              (uintptr_t)section % 8 == 0);
    cr_assert_eq(ola_weights_find(w, "poly:b", &section, &size), OLA_OK);
    cr_expect(size == 5 && memcmp(section, "hello", 5) == 0);
    cr_expect_eq(ola_weights_find(w, "poly:", &section, &size), OLA_ERR_FORMAT);
    cr_expect(section == NULL && size == 0);
    cr_expect_eq(ola_weights_find(w, NULL, &section, &size), OLA_ERR_PARAM);
    ola_weights_close(w);
    ola_weights_close(NULL);
    b.data[100] ^= 1;
    cr_expect_eq(ola_weights_parse(b.data, b.size, MODEL, &w), OLA_ERR_FORMAT, "hash");
    cr_expect_null(w);
    bytes_free(&b);
}

Test(weights, files_that_are_refused)
{
    static const struct {
        size_t at;
        uint32_t value;
        ola_status want;
    } bad[] = {
        {0, 7, OLA_ERR_FORMAT},
        {4, 2, OLA_ERR_VERSION},
        {8, 3, OLA_ERR_FORMAT},
        {8, 0xffffffff, OLA_ERR_FORMAT},
        {12, 1, OLA_ERR_FORMAT},
        {16, 268, OLA_ERR_FORMAT},
        {20, 1, OLA_ERR_FORMAT},
        {24, 0, OLA_ERR_MODEL},
        {88, 0, OLA_ERR_FORMAT},                    /* no name */
        {88 + 64, 240, OLA_ERR_FORMAT},             /* in the table */
        {88 + 64, 249, OLA_ERR_FORMAT},             /* not aligned */
        {88 + 68, 0xffffffff, OLA_ERR_FORMAT},      /* far outside */
        {88 + 72, 24, OLA_ERR_FORMAT},              /* into the next one */
        {88 + 80 + 72, 6, OLA_ERR_FORMAT},          /* behind the end */
        {88 + 80 + 76, 0xffffffff, OLA_ERR_FORMAT}, /* a size that wraps */
        {88 + 80 + 64, 248, OLA_ERR_FORMAT},        /* on the first one */
    };
    cr_assert_geq(sodium_init(), 0);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        struct bytes b = weights_file();
        ola_weights *w;
        memcpy(b.data + bad[k].at, &bad[k].value, 4);
        ola_status s = open_signed(&b, &w);
        cr_expect_eq(s, bad[k].want, "%u at %zu: %s", bad[k].value, bad[k].at, ola_status_text(s));
        cr_expect_null(w);
        bytes_free(&b);
    }
    struct bytes b = weights_file();
    ola_weights *w;
    memset(b.data + 88, 'x', 64); /* a name without end */
    cr_expect_eq(open_signed(&b, &w), OLA_ERR_FORMAT);
    bytes_free(&b);
    cr_expect_eq(ola_weights_open(NULL, MODEL, &w), OLA_ERR_PARAM);
    cr_expect_eq(ola_weights_open("/no/such", NULL, &w), OLA_ERR_PARAM);
    cr_expect_eq(ola_weights_open("/no/such", MODEL, &w), OLA_ERR_IO);
}

/* ---- sparse sections ------------------------------------------------------------------------- */

static const uint32_t sparse_start[] = {0, 2, 3, 5};
static const uint32_t sparse_column[] = {0, 2, 3, 3, 1};
static const double sparse_weight[] = {1, -4, 1024, 2, -1};
static const double sparse_bias[] = {0.5, -3};

static struct bytes
sparse_case(uint32_t kind)
{
    struct plain_sparse m = {.head = {.cols = 3, .rows = 2, .temps = 1, .kind = kind},
                             .start = sparse_start,
                             .column = sparse_column,
                             .weight = sparse_weight,
                             .bias = sparse_bias};
    return sparse_section(&m);
}

Test(weights, sparse_sections_are_read_as_written)
{
    for (uint32_t kind = 0; kind < 2; kind++) {
        struct ola_sparse_view v;
        struct bytes b = sparse_case(kind);
        uint64_t additions, products;
        cr_assert(ola_sparse_view_open(&v, b.data, b.size));
        for (uint32_t k = 0; k < 4; k++)
            cr_expect_eq(ola_sparse_view_start(&v, k), sparse_start[k]);
        for (uint32_t t = 0; t < 5; t++) {
            struct ola_sparse_term term = ola_sparse_view_term(&v, t);
            cr_expect_eq(term.column, sparse_column[t]);
            cr_expect_eq((term.negative ? -1.0 : 1.0) * (double)term.weight, sparse_weight[t]);
        }
        cr_expect_eq(ola_sparse_view_bias(&v, 1), -3);
        ola_sparse_view_count(&v, 1 << 30, &additions, &products);
        cr_expect_eq(additions, 1 + 0 + 1 + 2);
        cr_expect_eq(products, 3);
        bytes_free(&b);
    }
}

/* A row of shifts is multiplied once for each of its powers of two; each term is where the row is
 * too wide to be summed lazily. */
Test(weights, products_of_sparse_rows)
{
    static const uint32_t start[] = {0, 6, 7}, column[] = {0, 1, 2, 3, 4, 5, 0};
    static const double weight[] = {4, -4, 4, 1, -16, 1, 2};
    struct plain_sparse m = {.head = {.cols = 6, .rows = 2, .kind = OLA_SPARSE_SHIFTS},
                             .start = start,
                             .column = column,
                             .weight = weight};
    struct ola_sparse_view v;
    struct bytes b = sparse_section(&m);
    uint64_t additions, products;
    cr_assert(ola_sparse_view_open(&v, b.data, b.size));
    ola_sparse_view_count(&v, UINT64_C(1) << 40, &additions, &products);
    cr_expect_eq(additions, 5);
    cr_expect_eq(products, 2 + 1);
    ola_sparse_view_count(&v, UINT64_C(1) << 58, &additions, &products);
    cr_expect_eq(products, 4 + 1);
    bytes_free(&b);
}

/* Every word of the front set to what it must not be; and every length. */
Test(weights, sparse_sections_that_are_refused)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *what;
    } wrong[] = {{0, 0, "no columns"},
                 {0, 65537, "too many columns"},
                 {4, 0, "no rows"},
                 {4, 3, "another number of rows"},
                 {8, 2, "more partial sums"},
                 {12, 4, "fewer terms"},
                 {12, UINT32_MAX, "too many"},
                 {16, 2, "no such kind"},
                 {20, 2, "squared"},
                 {24, 2, "bias"},
                 {28, 1, "reserved"},
                 {32, 1, "a first term left out"},
                 {36, 4, "rows that overlap"},
                 {44, 4, "terms behind the last row"},
                 {48, 3, "a partial sum of itself"},
                 {56, 4, "a column that there is not"}};
    struct ola_sparse_view v;
    for (uint32_t kind = 0; kind < 2; kind++) {
        struct bytes b = sparse_case(kind);
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
            uint32_t kept;
            memcpy(&kept, b.data + wrong[k].at, 4);
            memcpy(b.data + wrong[k].at, &wrong[k].value, 4);
            cr_expect_not(ola_sparse_view_open(&v, b.data, b.size), "%s", wrong[k].what);
            memcpy(b.data + wrong[k].at, &kept, 4);
        }
        cr_assert(ola_sparse_view_open(&v, b.data, b.size));
        for (size_t size = 0; size < b.size; size++)
            cr_expect_not(ola_sparse_view_open(&v, b.data, size));
        double nan = NAN;
        memcpy(b.data + b.size - 8, &nan, 8);
        cr_expect_not(ola_sparse_view_open(&v, b.data, b.size), "a bias that is no number");
        bytes_free(&b);
    }
    struct bytes b = sparse_case(0);
    b.data[68] = 63;
    cr_expect_not(ola_sparse_view_open(&v, b.data, b.size), "a shift too wide");
    b.data[68] = 0;
    b.data[73] = 1;
    cr_expect_not(ola_sparse_view_open(&v, b.data, b.size), "padding that is not 0");
    bytes_free(&b);
    b = sparse_case(1);
    memset(b.data + 68, 0, 8);
    cr_expect_not(ola_sparse_view_open(&v, b.data, b.size), "a weight of 0");
    bytes_free(&b);
}
