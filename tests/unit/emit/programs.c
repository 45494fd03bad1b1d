/* programs.c - see programs.h. */
#include "programs.h"

#include "ola/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOG_N 10
#define SLOTS 512
#define SCALE 0x1p30

static double
made_up(uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 12345;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return (double)(x % 20001) / 10000 - 1;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static struct he_program *
new_program(struct arena *a, const char *name, uint32_t levels)
{
    struct he_program *p = ARENA_NEW(a, struct he_program);
    uint64_t primes[OLA_MAX_Q];
    p->arena = a;
    p->name = name;
    for (uint32_t i = 0; i < 32; i++)
        p->model_hash[i] = (uint8_t)(i * 7 + strlen(name));
    p->params =
        (struct he_params){.log_n = LOG_N, .slots = SLOTS, .scale = SCALE, .digit_limbs = 1};
    p->params.insecure_toy = true;
    if (!ola_plan_primes(LOG_N, 45, 1, NULL, 0, primes) ||
        !ola_plan_primes(LOG_N, 30, levels, primes, 1, primes + 1) ||
        !ola_plan_primes(LOG_N, 47, 1, primes, levels + 1, primes + levels + 1))
        abort();
    for (uint32_t i = 0; i <= levels; i++)
        vec_push(a, &p->params.q, primes[i]);
    vec_push(a, &p->params.p, primes[levels + 1]);
    for (uint32_t i = 0; i <= levels + 1; i++)
        p->params.log_qp += log2((double)primes[i]);
    p->relin_level = NONE;
    p->seconds = 0.25;
    p->key_bytes = 4096;
    return p;
}

static uint32_t
new_layout(struct he_program *p, uint32_t n, uint32_t cts, uint32_t period, int rank,
           const int64_t *dim)
{
    struct he_layout l = {shape_of(rank, dim), cts, period, ARENA_ARRAY(p->arena, uint32_t, n), n};
    for (uint32_t i = 0; i < n; i++)
        l.slot[i] = i;
    vec_push(p->arena, &p->layouts, l);
    return p->layouts.len - 1;
}

static uint32_t
push(struct he_program *p, enum he_op op, uint32_t a, uint32_t b, uint32_t layout, uint32_t level,
     double scale, const char *node)
{
    struct he_inst inst = {
        .op = op, .layout = layout, .level = level, .scale = scale, .node = node};
    inst.cts = p->layouts.at[layout].cts;
    if (a != NONE)
        vec_push(p->arena, &inst.args, a);
    if (b != NONE)
        vec_push(p->arena, &inst.args, b);
    vec_push(p->arena, &p->insts, inst);
    return p->insts.len - 1;
}

static struct he_port
new_port(struct he_program *p, const char *name, uint32_t value)
{
    const struct he_layout *l = &p->layouts.at[p->insts.at[value].layout];
    struct he_port port = {.name = name, .value = value, .layout = p->insts.at[value].layout};
    vec_push(p->arena, &port.runs, (struct he_run){0, 1, 0, 1, l->n / 2});
    vec_push(p->arena, &port.runs, (struct he_run){l->n / 2, 1, l->n / 2, 1, l->n - l->n / 2});
    port.range = 16;
    return port;
}

static uint32_t
new_input(struct he_program *p, const char *name, uint32_t layout, uint32_t level)
{
    uint32_t k = push(p, HE_input, NONE, NONE, layout, level, SCALE, name);
    p->insts.at[k].data = p->inputs.len;
    vec_push(p->arena, &p->inputs, new_port(p, name, k));
    return k;
}

static void
new_output(struct he_program *p, const char *name, uint32_t value)
{
    const struct he_inst v = p->insts.at[value];
    uint32_t k = push(p, HE_output, value, NONE, v.layout, v.level, v.scale, name);
    p->insts.at[k].data = p->outputs.len;
    vec_push(p->arena, &p->outputs, new_port(p, name, k));
}

static void
need_rotation(struct he_program *p, uint32_t step, uint32_t level)
{
    uint32_t i = 0;
    if (!step)
        return;
    while (i < p->rotations.len && p->rotations.at[i].step < step)
        i++;
    if (i < p->rotations.len && p->rotations.at[i].step == step) {
        if (p->rotations.at[i].level < level)
            p->rotations.at[i].level = level;
        return;
    }
    vec_push(p->arena, &p->rotations, (struct he_rotation){0, 0});
    memmove(p->rotations.at + i + 1, p->rotations.at + i,
            (p->rotations.len - 1 - i) * sizeof *p->rotations.at);
    p->rotations.at[i] = (struct he_rotation){step, level};
}

/* Appends the map and its instruction; its keys are noted. */
static uint32_t
push_map(struct he_program *p, struct he_map m, uint32_t arg, uint32_t layout, const char *node)
{
    uint32_t level = p->insts.at[arg].level, out = level - !m.free_of_level;
    m.args = 1;
    m.in_cts = p->insts.at[arg].cts;
    m.out_cts = p->layouts.at[layout].cts;
    m.level = level;
    m.in_scale = p->insts.at[arg].scale;
    m.out_scale = m.free_of_level ? m.in_scale : SCALE;
    for (uint32_t i = 0; i < m.diagonals.len; i++) {
        need_rotation(p, m.diagonals.at[i].giant, level);
        need_rotation(p, m.diagonals.at[i].baby, level);
    }
    for (uint32_t i = 0; i < m.folds.len; i++)
        need_rotation(p, m.folds.at[i], out);
    vec_push(p->arena, &p->maps, m);
    uint32_t k = push(p, HE_linear, arg, NONE, layout, out, m.out_scale, node);
    p->insts.at[k].data = p->maps.len - 1;
    return k;
}

/* ---- dense ----------------------------------------------------------------------------------- */

#define DENSE_IN  16
#define DENSE_OUT 10
#define PERIOD    32

/* Small whole multiples of 1/64. */
const float dense_weights[DENSE_OUT * DENSE_IN] = {
#define ROW(a)                                                                                     \
    a / 64.f, (a - 3) / 64.f, 0, 1 / 64.f, -a / 64.f, 0, 0, 2 / 64.f, (5 - a) / 64.f, 0, a / 32.f, \
        -1 / 64.f, 3 / 64.f, 0, -(a + 1) / 64.f, 1 / 32.f
    ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(-1), ROW(-2), ROW(-3), ROW(-4), ROW(5)};

double
dense_bias(uint32_t j)
{
    return (double)j / 32 - 0.125;
}

/* Chebyshev coefficient k of output j. */
static float
dense_coef(uint32_t j, uint32_t k)
{
    return (float)((int)(j % 3) - 1 + (int)k) / 8;
}

double
dense_poly(uint32_t j, double x)
{
    const double t[4] = {1, x, 2 * x * x - 1, 4 * x * x * x - 3 * x};
    double y = 0;
    for (uint32_t k = 0; k < 4; k++)
        y += (double)dense_coef(j, k) * t[k];
    return y;
}

static struct he_map
dense_map(struct arena *a)
{
    struct he_map m = {.name = "fc1", .bias_period = PERIOD, .gain = 1};
    for (uint32_t giant = 0; giant < PERIOD; giant += 4)
        for (uint32_t baby = 0; baby < 4; baby++) {
            struct he_diagonal g = {.giant = giant, .baby = baby, .period = PERIOD};
            g.value = ARENA_ARRAY(a, float, PERIOD);
            for (uint32_t t = 0; t < PERIOD; t++) {
                uint32_t row = (t - giant) % PERIOD, column = (t + baby) % PERIOD;
                if (row < DENSE_OUT && column < DENSE_IN)
                    g.value[t] = dense_weights[row * DENSE_IN + column];
            }
            vec_push(a, &m.diagonals, g);
        }
    m.bias = ARENA_ARRAY(a, double *, 1);
    m.bias[0] = ARENA_ARRAY(a, double, PERIOD);
    for (uint32_t j = 0; j < DENSE_OUT; j++)
        m.bias[0][j] = dense_bias(j);
    return m;
}

static void
dense_pixels(struct he_program *p)
{
    struct pixels *px = &p->inputs.at[0].pixels;
    *px = (struct pixels){true, 255, 1, ARENA_ARRAY(p->arena, double, 1),
                          ARENA_ARRAY(p->arena, double, 1)};
    px->mean[0] = 0.5;
    px->std[0] = 0.25;
}

struct test_program
program_dense(struct arena *a)
{
    struct he_program *p = new_program(a, "dense", 4);
    const int64_t in_dim[] = {1, 1, 4, 4}, out_dim[] = {1, DENSE_OUT};
    uint32_t in = new_layout(p, DENSE_IN, 1, PERIOD, 4, in_dim);
    uint32_t out = new_layout(p, DENSE_OUT, 1, PERIOD, 2, out_dim);
    uint32_t image = new_input(p, "image", in, 4);
    dense_pixels(p);
    uint32_t fc = push_map(p, dense_map(a), image, out, "fc1");
    struct he_poly f = {.name = "act", .degree = 3, .cts = 1, .period = PERIOD, .level = 3};
    f.in_scale = f.out_scale = SCALE;
    f.coef = ARENA_ARRAY(a, float **, 1);
    f.coef[0] = ARENA_ARRAY(a, float *, 4);
    for (uint32_t k = 0; k < 4; k++) {
        f.coef[0][k] = ARENA_ARRAY(a, float, PERIOD);
        for (uint32_t t = 0; t < PERIOD; t++)
            f.coef[0][k][t] = t < DENSE_OUT ? dense_coef(t, k) : 0;
    }
    vec_push(a, &p->polys, f);
    uint32_t act = push(p, HE_poly, fc, NONE, out, 1, SCALE, "act");
    uint32_t skip = push(p, HE_drop, fc, NONE, out, 1, SCALE, "sum");
    uint32_t sum = push(p, HE_add, act, skip, out, 1, SCALE, "sum");
    new_output(p, "logits", sum);
    p->relin_level = 3;
    return (struct test_program){p, DENSE_IN, DENSE_OUT};
}

/* ---- wide ------------------------------------------------------------------------------------ */

#define WIDE_IN  1200
#define WIDE_OUT 800

static struct he_map
wide_map(struct arena *a, bool sums)
{
    struct he_map m = {
        .name =
            sums ? "a name that is far too long for a section of the weights file, by much" : "mix",
        .gain = 1,
        .free_of_level = sums};
    for (uint32_t out = 0; out < 2; out++)
        for (uint32_t giant = 0; giant <= 7; giant += 7)
            for (uint32_t in = 0; in < 3; in++)
                for (uint32_t baby = 0; baby < 2; baby++) {
                    struct he_diagonal g = {0, in, out, giant, baby, in == 1 ? 64 : SLOTS, NULL};
                    if (sums && (in == 1 || giant))
                        continue;
                    for (uint32_t t = 0; !sums && t < g.period; t++) {
                        if (!t)
                            g.value = ARENA_ARRAY(a, float, g.period);
                        g.value[t] = (float)made_up(in == 2 ? t / 200 + out : t + 1000 * baby) / 8;
                    }
                    vec_push(a, &m.diagonals, g);
                }
    if (sums)
        return m;
    vec_push(a, &m.folds, 3u);
    vec_push(a, &m.folds, 6u);
    m.bias_period = 16;
    m.bias = ARENA_ARRAY(a, double *, 2);
    for (uint32_t c = 0; c < 2; c++) {
        m.bias[c] = ARENA_ARRAY(a, double, 16);
        for (uint32_t t = 0; t < 16; t++)
            m.bias[c][t] = made_up(500 + 16 * c + t);
    }
    return m;
}

struct test_program
program_wide(struct arena *a)
{
    struct he_program *p = new_program(a, "2-wide net", 4);
    const int64_t in_dim[] = {1, 3, 20, 20}, out_dim[] = {2, 400};
    uint32_t in = new_layout(p, WIDE_IN, 3, SLOTS, 4, in_dim);
    uint32_t out = new_layout(p, WIDE_OUT, 2, SLOTS, 2, out_dim);
    uint32_t left = new_input(p, "left", in, 4), right = new_input(p, "right", in, 4);
    double lost = p->insts.at[right].scale = (double)p->params.q.at[4]; /* by the product again */
    uint32_t product = push(p, HE_mul, left, right, in, 4, SCALE * lost, "product");
    product = push(p, HE_relin, product, NONE, in, 4, SCALE * lost, "product");
    product = push(p, HE_rescale, product, NONE, in, 3, SCALE, "product");
    uint32_t mix = push_map(p, wide_map(a, false), product, out, "mix");
    uint32_t same = push_map(p, wide_map(a, true), product, out, "sums");
    uint32_t low = push(p, HE_drop, same, NONE, out, 2, p->insts.at[same].scale, "difference");
    uint32_t difference = push(p, HE_sub, mix, low, out, 2, SCALE, "difference");
    uint32_t added = push(p, HE_add_plain, difference, NONE, out, 2, SCALE, "offset");
    p->insts.at[added].vector = ARENA_ARRAY(a, double, 2 * SLOTS);
    for (uint32_t t = 0; t < 2 * SLOTS; t++)
        p->insts.at[added].vector[t] = made_up(7777 + t);
    new_output(p, "answer", added);
    new_output(p, "mixed", mix);
    p->relin_level = 4;
    return (struct test_program){p, 2 * WIDE_IN, 2 * WIDE_OUT};
}

/* ---- sums ------------------------------------------------------------------------------------ */

struct test_program
program_sums(struct arena *a)
{
    static const char node[] = "evil */ /* \"name\" \\ %s ?"
                               "?/ \x1b[31m\n#error net_x NET";
    struct he_program *p = new_program(a, "net", 1);
    const int64_t dim[] = {1, 8};
    uint32_t layout = new_layout(p, 8, 1, 8, 2, dim);
    uint32_t x = new_input(p, node, layout, 1), sum = x;
    for (uint32_t i = 0; i < 100; i++)
        sum = push(p, i % 2 ? HE_add : HE_sub, sum, i % 7 ? x : sum, layout, 1, SCALE, node);
    new_output(p, "y", sum);
    return (struct test_program){p, 8, 8};
}

/* ---- images ---------------------------------------------------------------------------------- */

void
test_images(struct arena *a, const struct test_program *t, uint32_t n, float **in, float **out)
{
    const struct he_program *p = t->p;
    struct diag *d = diag_new();
    const float *ports_in[4];
    float *ports_out[4];
    *in = ARENA_ARRAY(a, float, n * t->in_size);
    *out = ARENA_ARRAY(a, float, n * t->out_size);
    for (uint32_t i = 0; i < n * t->in_size; i++)
        (*in)[i] = (float)made_up(31 * i + 5);
    for (uint32_t k = 0; k < n; k++) {
        const float *x = *in + k * t->in_size;
        float *y = *out + k * t->out_size;
        for (uint32_t i = 0; i < p->inputs.len; i++) {
            ports_in[i] = x;
            x += p->layouts.at[p->inputs.at[i].layout].n;
        }
        for (uint32_t i = 0; i < p->outputs.len; i++) {
            ports_out[i] = y;
            y += p->layouts.at[p->outputs.at[i].layout].n;
        }
        if (!he_eval(p, ports_in, ports_out, d))
            abort();
    }
    diag_free(d);
}
