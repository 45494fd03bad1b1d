/* test_tensor.c - shapes and their arithmetic against loops over indices. */
#include "made.h"

Test(tensor, sizes)
{
    const int64_t most = (int64_t)(OLAC_MAX_BYTES / 8);
    static const struct {
        int rank;
        int64_t dim[4], size;
    } rows[] = {
        {0, {0}, 1},
        {1, {7}, 7},
        {4, {2, 3, 4, 5}, 120},
        {2, {0, 5}, 0},
        {2, {-1, 5}, -1},
        {2, {0, -1}, -1},
        {4, {0, 1 << 20, 1 << 20, 1 << 20}, -1}, /* empty, but its strides would not fit */
        {3, {1 << 10, 1 << 10, 1 << 9}, 1 << 29},
        {3, {1 << 10, 1 << 10, 1 << 10}, -1},
        {2, {INT64_MAX, INT64_MAX}, -1},
        {4, {INT64_MAX, 0, INT64_MAX, 2}, -1},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct shape s = shape_of(rows[k].rank, rows[k].dim);
        cr_expect_eq(shape_size(&s), rows[k].size, "row %zu: %lld", k, (long long)shape_size(&s));
    }
    struct shape largest = MADE_SHAPE(most), larger = MADE_SHAPE(most + 1);
    cr_expect_eq(shape_size(&largest), most);
    cr_expect_eq(shape_size(&larger), -1);
}

Test(tensor, types_have_names)
{
    for (int t = DT_F32; t <= DT_STRING; t++)
        cr_expect_eq(dtype_from_name(dtype_name((enum dtype)t)), (enum dtype)t);
    cr_expect_eq(dtype_from_name("f31"), DT_NONE);
    cr_expect_eq(dtype_from_name("none"), DT_NONE);
    cr_expect(dtype_is_float(DT_BF16) && !dtype_is_float(DT_BOOL) && !dtype_is_float(DT_I64));
}

Test(tensor, text)
{
    struct arena *a = arena_new();
    struct shape s = MADE_SHAPE(1, 28, 28);
    cr_expect_str_eq(shape_text(a, &s), "1x28x28");
    cr_expect_str_eq(shape_text(a, &(struct shape){0}), "scalar");
    arena_free(a);
}

/* Every index of the result reads the element that numpy's rule names. */
Test(tensor, broadcasts_like_numpy)
{
    struct made m = made_new(1);
    uint32_t fits = 0, refused = 0;
    for (int trial = 0; trial < 2000; trial++) {
        struct shape a = {.rank = (int)made_below(&m, 5)}, b = {.rank = (int)made_below(&m, 5)},
                     out;
        for (int k = 0; k < a.rank; k++)
            a.dim[k] = 1 + made_below(&m, 3);
        for (int k = 0; k < b.rank; k++)
            b.dim[k] = made_below(&m, 3) ? 1 : 1 + made_below(&m, 3);
        int rank = a.rank > b.rank ? a.rank : b.rank;
        bool good = true;
        int64_t want[8];
        for (int k = 1; k <= rank; k++) { /* from the last dimension on */
            int64_t x = k <= a.rank ? a.dim[a.rank - k] : 1,
                    y = k <= b.rank ? b.dim[b.rank - k] : 1;
            good &= x == y || x == 1 || y == 1;
            want[rank - k] = x > y ? x : y;
        }
        cr_assert_eq(shape_broadcast(&a, &b, &out), good);
        fits += good;
        refused += !good;
        if (!good)
            continue;
        cr_assert(shape_equal(&out, &(struct shape){.rank = 0}) || out.rank == rank);
        for (int k = 0; k < rank; k++)
            cr_assert_eq(out.dim[k], want[k]);
        int64_t stride[MAX_RANK], size = shape_size(&out);
        shape_strides(&a, &out, stride);
        for (int64_t i = 0; i < size; i++) {
            int64_t rest = i, got = 0, naive = 0, step = 1;
            for (int k = 1; k <= rank; k++) {
                int64_t index = rest % out.dim[rank - k];
                rest /= out.dim[rank - k];
                got += index * stride[rank - k];
                if (k <= a.rank) {
                    naive += (a.dim[a.rank - k] == 1 ? 0 : index) * step;
                    step *= a.dim[a.rank - k];
                }
            }
            cr_assert_eq(got, naive);
        }
    }
    cr_expect(fits > 100 && refused > 100);
    made_free(&m);
}

Test(tensor, new_is_zero)
{
    struct arena *a = arena_new();
    struct tensor f = tensor_new(a, DT_F16, MADE_SHAPE(2, 3)),
                  i = tensor_new(a, DT_BOOL, MADE_SHAPE(4));
    cr_expect(f.f && !f.i && f.f[5] == 0);
    cr_expect(i.i && !i.f && i.i[3] == 0);
    struct tensor empty = tensor_new(a, DT_F32, MADE_SHAPE(0, 3));
    cr_expect(!empty.f && !empty.i);
    arena_free(a);
}
