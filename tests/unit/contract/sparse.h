/* sparse.h - contract.h's tests of sparse sums by integers and of the reduction behind them. */
#include "contract/contract.h"

/* Two columns, two partial sums (the second reads the first), three results, one of them empty. */
static const uint32_t shift_start[] = {0, 2, 4, 6, 6, 9};
static const uint32_t shift_column[] = {0, 1, 2, 1, 3, 0, 2, 3, 1};
static const double shift_weight[] = {1, -4, 2, 1, 8, -1, -2, 1, 32};
static const double shift_bias[] = {0.25, -1.5, 0};

static struct plain_sparse
shift_case(void)
{
    return (struct plain_sparse){.head = {.cols = 2, .rows = 3, .temps = 2},
                                 .start = shift_start,
                                 .column = shift_column,
                                 .weight = shift_weight,
                                 .bias = shift_bias};
}

/* Of the three results before: two results by integers, of the squares. */
static const uint32_t square_start[] = {0, 3, 5};
static const uint32_t square_column[] = {0, 1, 2, 2, 0};
static const double square_weight[] = {3, -1000, 17, -5, 1};
static const double square_bias[] = {0.5, 2};

static struct plain_sparse
square_case(void)
{
    return (struct plain_sparse){
        .head = {.cols = 3, .rows = 2, .kind = OLA_SPARSE_INTEGERS, .squared = 1},
        .start = square_start,
        .column = square_column,
        .weight = square_weight,
        .bias = square_bias};
}

struct sparse_bench {
    struct bench t;
    struct bytes section[2];
    struct ola_sparse_desc desc[2];
    ola_sparse *map[2];
    ola_ct *mid[3], *out[2];
    double v[5][SLOTS], *between[3], *want[2];
};

/* The units of the weights: 2^-6, then 2^-10. */
static void
sparse_make(struct sparse_bench *b)
{
    bench_make(&b->t);
    struct plain_sparse first = shift_case(), second = square_case();
    double *in[2] = {b->t.x, b->t.y};
    b->desc[0] = (struct ola_sparse_desc){5, TOY_SCALE, TOY_SCALE * 64};
    b->desc[1] = (struct ola_sparse_desc){5, TOY_SCALE * 64, TOY_SCALE * TOY_SCALE * 0x1p22};
    b->section[0] = sparse_section(&first);
    b->section[1] = sparse_section(&second);
    for (int k = 0; k < 2; k++) {
        OK(ola_sparse_new(b->t.p, &b->desc[k], b->section[k].data, b->section[k].size, &b->map[k]));
        OK(ola_ct_new(b->t.p, &b->out[k]));
        b->want[k] = b->v[3 + k];
    }
    for (int k = 0; k < 3; k++) {
        OK(ola_ct_new(b->t.p, &b->mid[k]));
        b->between[k] = b->v[k];
    }
    sparse_apply(&first, SLOTS, 0x1p-6, in, b->between);
    sparse_apply(&second, SLOTS, 0x1p-10, b->between, b->want);
}

static void
sparse_free(struct sparse_bench *b)
{
    for (int k = 0; k < 2; k++) {
        bytes_free(&b->section[k]);
        ola_sparse_free(b->map[k]);
        ola_ct_free(b->out[k]);
    }
    for (int k = 0; k < 3; k++)
        ola_ct_free(b->mid[k]);
    bench_free(&b->t);
}

Test(contract, sparse_shifts)
{
    static struct sparse_bench b;
    struct ola_counts n;
    sparse_make(&b);
    OK(ola_sparse_eval(b.t.server, (const ola_sparse *[]){b.map[0]}, 1,
                       (const ola_ct *[]){b.t.a, b.t.b}, b.mid));
    for (int k = 0; k < 3; k++) {
        expect_slots(&b.t, b.mid[k], b.between[k], "result");
        cr_expect_eq(ola_ct_level(b.mid[k]), 5);
        cr_expect_eq(ola_ct_scale(b.mid[k]), TOY_SCALE * 64);
    }
    ola_server_counts(b.t.server, &n);
    cr_expect_eq(n.additions, 1 + 1 + 1 + 2 + 1, "one less than terms a row, and a bias: not %lu",
                 (unsigned long)n.additions);
    cr_expect_eq(n.scalar_products, 5, "weights other than 1 and -1: not %lu",
                 (unsigned long)n.scalar_products);
    cr_expect_eq(n.plain_products + n.rescales + n.rotations + n.products, 0);
    sparse_free(&b);
}

Test(contract, sparse_chain_and_reduce)
{
    static struct sparse_bench b;
    struct ola_counts n;
    sparse_make(&b);
    OK(ola_sparse_eval(b.t.server, (const ola_sparse *const *)b.map, 2,
                       (const ola_ct *[]){b.t.a, b.t.b}, b.out));
    FAILS(OLA_ERR_PARAM, ola_decrypt(b.t.client, b.out[0], b.t.z, SLOTS));
    OK(ola_reduce(b.t.server, b.out, (const ola_ct *const *)b.out, 2, 4));
    for (int k = 0; k < 2; k++) {
        expect_slots(&b.t, b.out[k], b.want[k], "result");
        cr_expect_eq(ola_ct_level(b.out[k]), 4);
    }
    ola_server_counts(b.t.server, &n);
    cr_expect_eq(n.relinearisations, 2);
    cr_expect_eq(n.rescales, 2);
    cr_expect_eq(n.products, 3);

    /* The same map by map, from three components, and into other ciphertexts. */
    OK(ola_sparse_eval(b.t.server, (const ola_sparse *const *)b.map, 1,
                       (const ola_ct *[]){b.t.a, b.t.b}, b.mid));
    OK(ola_sparse_eval(b.t.server, (const ola_sparse *const *)b.map + 1, 1,
                       (const ola_ct *const *)b.mid, b.out));
    OK(ola_reduce(b.t.server, b.mid, (const ola_ct *const *)b.out, 2, 5));
    expect_slots(&b.t, b.mid[0], b.want[0], "relinearised only");
    cr_expect_eq(ola_ct_level(b.mid[0]), 5);
    OK(ola_reduce(b.t.server, b.out, (const ola_ct *const *)b.mid, 2, 5));
    expect_slots(&b.t, b.out[1], b.want[1], "nothing to do");
    sparse_free(&b);
}

/* Sums of weights that no 64 bits hold: by residues. Three components pass through. */
Test(contract, sparse_wide_shifts)
{
    static struct sparse_bench b;
    sparse_make(&b);
    const uint32_t start[] = {0, 2}, column[] = {0, 1};
    const double weight[] = {0x1p40, -0x1p39};
    struct plain_sparse wide = {
        .head = {.cols = 2, .rows = 1}, .start = start, .column = column, .weight = weight};
    struct bytes section = sparse_section(&wide);
    struct ola_sparse_desc desc = {5, TOY_SCALE * TOY_SCALE, TOY_SCALE * TOY_SCALE * 0x1p40};
    ola_sparse *m;
    OK(ola_sparse_new(b.t.p, &desc, section.data, section.size, &m));
    OK(ola_mul(b.t.server, b.mid[0], b.t.a, b.t.a));
    OK(ola_mul(b.t.server, b.mid[1], b.t.a, b.t.b));
    OK(ola_sparse_eval(b.t.server, (const ola_sparse *[]){m}, 1, (const ola_ct *const *)b.mid,
                       b.out));
    OK(ola_reduce(b.t.server, b.out, (const ola_ct *const *)b.out, 1, 3));
    for (uint32_t k = 0; k < SLOTS; k++)
        b.t.z[k] = b.t.x[k] * b.t.x[k] - 0.5 * b.t.x[k] * b.t.y[k];
    expect_slots(&b.t, b.out[0], b.t.z, "wide");
    ola_sparse_free(m);
    bytes_free(&section);
    sparse_free(&b);
}

Test(contract, sparse_refuses)
{
    static struct sparse_bench b;
    ola_sparse *m = NULL;
    struct ola_sparse_desc bad = {6, TOY_SCALE, TOY_SCALE};
    sparse_make(&b);
    const ola_ct *in[3] = {b.t.a, b.t.b, b.t.a};
    const ola_sparse *both[2] = {b.map[0], b.map[1]}, *turned[2] = {b.map[1], b.map[0]};
    FAILS(OLA_ERR_LEVEL, ola_sparse_new(b.t.p, &bad, b.section[0].data, b.section[0].size, &m));
    bad = (struct ola_sparse_desc){5, -1, TOY_SCALE};
    FAILS(OLA_ERR_SCALE, ola_sparse_new(b.t.p, &bad, b.section[0].data, b.section[0].size, &m));
    bad = (struct ola_sparse_desc){0, 0x1p40, 0x1p47};
    FAILS(OLA_ERR_RANGE, ola_sparse_new(b.t.p, &bad, b.section[1].data, b.section[1].size, &m));
    FAILS(OLA_ERR_FORMAT,
          ola_sparse_new(b.t.p, &b.desc[0], b.section[0].data, b.section[0].size - 1, &m));
    cr_expect_null(m);
    FAILS(OLA_ERR_SCALE, ola_sparse_eval(b.t.server, turned, 2, in, b.out));
    turned[1] = turned[0];
    FAILS(OLA_ERR_PARAM, ola_sparse_eval(b.t.server, turned, 2, in, b.out));
    FAILS(OLA_ERR_SCALE, ola_sparse_eval(b.t.server, turned, 1, in, b.out));
    FAILS(OLA_ERR_PARAM, ola_sparse_eval(b.t.server, both, 0, in, b.out));
    FAILS(OLA_ERR_PARAM,
          ola_sparse_eval(b.t.server, both, 1, in, (ola_ct *[]){b.t.a, b.mid[0], b.mid[1]}));
    FAILS(OLA_ERR_PARAM,
          ola_sparse_eval(b.t.server, both, 1, in, (ola_ct *[]){b.mid[0], b.mid[1], b.mid[0]}));
    OK(ola_mul(b.t.server, b.mid[0], b.t.a, b.t.b));
    in[1] = b.mid[0];
    FAILS(OLA_ERR_PARAM, ola_sparse_eval(b.t.server, both, 1, in, b.out));
    FAILS(OLA_ERR_LEVEL, ola_reduce(b.t.server, b.out, in, 1, 6));
    FAILS(OLA_ERR_PARAM, ola_reduce(b.t.server, b.out, in, 0, 4));
    OK(ola_drop(b.t.server, b.mid[1], b.t.b, 4));
    in[1] = b.mid[1];
    FAILS(OLA_ERR_LEVEL, ola_sparse_eval(b.t.server, both, 1, in, b.mid));
    FAILS(OLA_ERR_LEVEL, ola_reduce(b.t.server, b.out, in, 2, 4));
    sparse_free(&b);
}
