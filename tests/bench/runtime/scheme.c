/* scheme.c - rows of the scheme's operations, and of the parts of a key switch, at the largest
 * modulus that is 128-bit secure for the ring: primes of one size, a special modulus of about a
 * fifth of them, digits of as many limbs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "ckks/map.h"
#include "ckks/server.h"
#include "ola/client.h"

#define DEGREE     7u
#define MOST_STEPS 8u

struct scheme {
    struct ola_literal literal;
    struct shape shape;
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *server[BENCH_THREADS];
    ola_map *map;
    ola_poly *poly;
    ola_ct *a, *b, *c, *product;
    struct ola_raised raised[BENCH_THREADS];
    double *v, scale;
    uint32_t slots, level, babies, giants;
};

static bool
choose(struct ola_literal *l, uint32_t log_n, uint32_t bits)
{
    for (uint32_t limbs = OLA_MAX_Q; limbs >= 4; limbs--) {
        const uint32_t special = (limbs + 4) / 5;
        *l = (struct ola_literal){
            .log_n = log_n, .n_q = limbs - special, .n_p = special, .digit_limbs = special};
        ola_params *p;
        if (special <= OLA_MAX_P && ola_plan_primes(log_n, bits, l->n_q, NULL, 0, l->q) &&
            ola_plan_primes(log_n, bits + 1, special, l->q, l->n_q, l->p) &&
            ola_params_new(l, &p) == OLA_OK) {
            ola_params_free(p);
            return true;
        }
    }
    return false;
}

/* giants x babies diagonals of full length. */
static void
make_map(struct scheme *s)
{
    const uint32_t n = s->giants * s->babies;
    struct ola_weights_map head = {.args = 1, .in_cts = 1, .out_cts = 1, .n_diagonals = n};
    const size_t values = sizeof head + n * sizeof(struct ola_weights_diagonal);
    const size_t size = values + s->slots * sizeof(float); /* one vector for all */
    unsigned char *section = malloc(size);
    bench_must(section == NULL ? OLA_ERR_NOMEM : OLA_OK, "map");
    memcpy(section, &head, sizeof head);
    for (uint32_t k = 0; k < n; k++) {
        const struct ola_weights_diagonal d = {.giant = k / s->babies * s->babies,
                                               .baby = k % s->babies,
                                               .period = s->slots,
                                               .count = s->slots,
                                               .offset = values};
        memcpy(section + sizeof head + k * sizeof d, &d, sizeof d);
    }
    for (uint32_t t = 0; t < s->slots; t++) {
        const float v = (float)cos(0.1 * t);
        memcpy(section + values + t * sizeof v, &v, sizeof v);
    }
    const struct ola_map_desc desc = {s->level, s->scale, s->scale, false, 0};
    bench_must(ola_map_new(s->params, &desc, section, size, &s->map), "map");
    free(section);
}

static void
make_poly(struct scheme *s)
{
    const struct ola_weights_poly head = {.degree = DEGREE, .cts = 1, .period = 1};
    unsigned char section[sizeof head + 8 * (DEGREE + 1)];
    if (s->level < ola_plan_poly_depth(DEGREE))
        return;
    memcpy(section, &head, sizeof head);
    for (uint32_t k = 0; k <= DEGREE; k++) {
        const uint32_t one = 1;
        const float v = 0.1f * (float)(k + 1);
        memcpy(section + sizeof head + 8 * k, &one, 4);
        memcpy(section + sizeof head + 8 * k + 4, &v, 4);
    }
    const struct ola_map_desc desc = {s->level, s->scale, s->scale, false, 0};
    bench_must(ola_poly_new(s->params, &desc, section, sizeof section, &s->poly), "poly");
}

/* Rotations of the map: babies, and from one giant to the next. */
static void
make_keys(struct scheme *s)
{
    uint32_t step[MOST_STEPS], level[MOST_STEPS], n = 0;
    for (uint32_t k = 1; k <= s->babies; k++) {
        level[n] = s->level;
        step[n++] = k;
    }
    const struct ola_key_plan plan = {s->level, n, step, level};
    bench_must(ola_client_keys(s->client, &plan, &s->keys), "keys");
}

static void
scheme_open(struct scheme *s, uint32_t threads)
{
    bench_must(ola_params_new(&s->literal, &s->params), "params");
    bench_must(ola_client_new(s->params, &s->client), "client");
    s->slots = ola_params_slots(s->params);
    s->level = s->literal.n_q - 1;
    s->scale = (double)s->literal.q[1] / 8; /* all q are of a size */
    s->babies = s->literal.log_n == 16 ? 4 : 8;
    s->giants = s->babies / 2;
    s->shape = shape_at(s->params, s->level);
    make_keys(s);
    for (uint32_t t = 0; t < threads; t++) {
        bench_must(ola_server_make(s->params, s->keys, (int)t + 1, &s->server[t]), "server");
        bench_must(ola_switch_reserve(s->server[t], s->level, 2), "server");
    }
    s->v = malloc(s->slots * sizeof *s->v);
    bench_must(s->v == NULL ? OLA_ERR_NOMEM : OLA_OK, "vector");
    for (uint32_t t = 0; t < s->slots; t++)
        s->v[t] = sin(0.3 * t);
    ola_ct **ct[] = {&s->a, &s->b, &s->c, &s->product};
    for (size_t k = 0; k < sizeof ct / sizeof *ct; k++)
        bench_must(ola_ct_new(s->params, ct[k]), "ciphertext");
    bench_must(ola_encrypt(s->client, s->a, s->v, s->slots, s->level, s->scale), "encrypt");
    bench_must(ola_ct_copy(s->b, s->a), "copy");
    bench_must(ola_ct_copy(s->c, s->a), "copy");
    bench_must(ola_mul(s->server[0], s->product, s->a, s->b), "mul");
    make_map(s);
    make_poly(s);
}

static void
scheme_close(struct scheme *s)
{
    ola_map_free(s->map);
    ola_poly_free(s->poly);
    ola_ct_free(s->a);
    ola_ct_free(s->b);
    ola_ct_free(s->c);
    ola_ct_free(s->product);
    for (uint32_t t = 0; t < BENCH_THREADS; t++)
        ola_server_free(s->server[t]);
    ola_keys_free(s->keys);
    ola_client_free(s->client);
    ola_params_free(s->params);
    free(s->v);
    ola_memory_trim(); /* so that the next ring's blocks find room in the pool */
}

/* ---- parts of a key switch ---- */

static void
run_raise(void *context, uint32_t t)
{
    struct scheme *s = context;
    ola_raise(s->server[t], ola_ct_limb(s->a, 1, 0), s->level, &s->raised[t]);
}

static struct ola_switch_job
job_of(struct scheme *s, uint32_t t)
{
    const struct ola_switch *key = ola_keys_rotation(s->keys, 1, s->level);
    return (struct ola_switch_job){
        .raised = &s->raised[t], .key = key, .perm = key->perm, .a0 = ola_ct_limb(s->a, 0, 0)};
}

static void
run_key(void *context, uint32_t t)
{
    struct scheme *s = context;
    struct ola_switch_job job = job_of(s, t);
    job.a0 = NULL;
    ola_switch_add(s->server[t], &job, 1, &s->server[t]->piece[OLA_EXT], false);
}

static void
divide(struct scheme *s, uint32_t t, const struct ola_basis *basis, uint32_t level)
{
    uint64_t *const ext = s->server[t]->piece[OLA_EXT];
    const uint64_t *const in[2] = {ext, ext + ola_positions(s->params, s->level) * s->params->n};
    uint64_t *const out[2] = {ola_ct_limb(s->c, 0, 0), ola_ct_limb(s->c, 1, 0)};
    ola_divide(s->server[t], basis, s->level, in, level, out, 2);
}

static void
run_divide(void *context, uint32_t t)
{
    struct scheme *s = context;
    divide(s, t, &s->params->by_p, s->level);
}

static void
run_divide_rescale(void *context, uint32_t t)
{
    struct scheme *s = context;
    divide(s, t, &s->params->by_pq[s->level], s->level - 1);
}

static void
run_hoisted(void *context, uint32_t t)
{
    struct scheme *s = context;
    const struct ola_switch_job job = job_of(s, t);
    uint64_t *const out[2] = {ola_ct_limb(s->c, 0, 0), ola_ct_limb(s->c, 1, 0)};
    ola_switch_divide(s->server[t], &job, 1, &s->params->by_p, s->level, out);
}

/* ---- operations ---- */

#define OPERATION(name, call)                                                                      \
    static void name(void *context, uint32_t t)                                                    \
    {                                                                                              \
        struct scheme *s = context;                                                                \
        (void)t;                                                                                   \
        bench_must(call, #call);                                                                   \
    }
OPERATION(run_rotate, ola_rotate(s->server[t], s->c, s->a, 1))
OPERATION(run_multiply, ola_mul(s->server[t], s->product, s->a, s->b))
OPERATION(run_rescale, ola_rescale(s->server[t], s->c, s->a))
OPERATION(run_add, ola_add(s->server[t], s->c, s->a, s->b))
OPERATION(run_encode, ola_add_plain(s->server[t], s->c, s->a, s->v, s->slots))
OPERATION(run_linear, ola_linear(s->server[t], s->map, (const ola_ct *[]){s->a}, &s->c))
OPERATION(run_poly, ola_poly_eval(s->server[t], s->poly, (const ola_ct *[]){s->a}, &s->c))
OPERATION(run_encrypt, ola_encrypt(s->client, s->b, s->v, s->slots, s->level, s->scale))
OPERATION(run_decrypt, ola_decrypt(s->client, s->a, s->v, s->slots))

static void
run_product(void *context, uint32_t t)
{
    struct scheme *s = context;
    run_multiply(context, t);
    ola_ct_clear(s->c);
    bench_must(ola_ct_reserve(s->c, 2, s->level), "room");
    ola_reduce_ct(s->server[t], s->c, s->product, true);
}

static void
run_serialise(void *context, uint32_t t)
{
    struct scheme *s = context;
    void *bytes;
    size_t size;
    (void)t;
    bench_must(ola_cts_bytes(s->params, (const ola_ct *[]){s->product}, 1, &bytes, &size),
               "serialise");
    ola_bytes_free(bytes, size);
}

/* ---- the table ---- */

static struct cost
work_only(struct cost c)
{
    return (struct cost){.mults = c.mults};
}

/* A transform of half as many complex numbers, four products a butterfly; limb by limb. */
static struct cost
cost_encode(const struct shape *k, double polynomials)
{
    const struct cost limbs = cost_times(k->limbs * polynomials, work_only(cost_ntt(k->log_n)));
    return cost_add(cost_add(limbs, cost_entries(k->log_n, k->log_n - 1.0, 0)),
                    cost_entries(k->log_n, 0, 4.0 * k->limbs));
}

/* Three parts, packed to the bits of their primes. */
static struct cost
cost_serialise(const struct scheme *s)
{
    struct cost c = cost_entries(s->shape.log_n, 0, 6.0 * s->shape.limbs);
    for (uint32_t i = 0; i < s->shape.limbs; i++)
        c.hashed += 3.0 * s->params->n * ola_plan_wire_bits(s->literal.q[i]) / 8;
    return c;
}

static bool
takes_raised(void (*run)(void *context, uint32_t t))
{
    return run == run_key || run == run_hoisted;
}

static void
rows(struct bench *b, struct scheme *s)
{
    const struct shape *k = &s->shape;
    const uint32_t n = k->log_n;
    const struct operation row[] = {
        {"key switch: raise digits", n, true, cost_raise(k), run_raise},
        {"key switch: inner product with key", n, true, cost_key(k), run_key},
        {"key switch: divide by P", n, true, cost_divide(k, k->special, k->limbs), run_divide},
        {"  by P and a prime", n, true, cost_divide(k, k->special + 1, k->limbs - 1),
         run_divide_rescale},
        {"rotation", n, true, cost_rotation(k), run_rotate},
        {"further hoisted rotation", n, true, cost_hoisted(k), run_hoisted},
        {"product", n, true, cost_entries(n, 16.0 * k->limbs, 7.0 * k->limbs), run_multiply},
        {"product, relinearised and rescaled", n, true, cost_product(k), run_product},
        {"rescale", n, true, cost_divide(k, 1, k->limbs - 1), run_rescale},
        {"add", n, true, cost_entries(n, 0, 6.0 * k->limbs), run_add},
        {"linear map, babies x giants as above", n, true, cost_map(s->map), run_linear},
        {"polynomial of degree 7", n, true, cost_poly(s->params, DEGREE, s->level), run_poly},
        {"encode and add", n, true, cost_encode(k, 1), run_encode},
        {"encrypt", n, false, cost_encode(k, 2), run_encrypt},
        {"decrypt", n, false, cost_encode(k, 1), run_decrypt},
        {"serialise a product", n, false, cost_serialise(s), run_serialise},
    };
    for (size_t r = 0; r < sizeof row / sizeof *row; r++) {
        struct operation op = row[r];
        if (op.run == run_poly && s->poly == NULL)
            continue;
        for (uint32_t t = 0; t < b->threads && takes_raised(op.run); t++)
            run_raise(s, t); /* what was raised, the operations before may have written over */
        bench_row(b, &op, s);
    }
}

void
bench_scheme(struct bench *b, uint32_t log_n, uint32_t bits)
{
    struct scheme s = {0};
    char text[160];
    if (!choose(&s.literal, log_n, bits))
        return;
    scheme_open(&s, b->threads);
    snprintf(text, sizeof text,
             "-- N = 2^%u, %u + %u primes of %u bits, log QP %.0f, digits of %u limbs, %u bits of "
             "security; map %u x %u",
             log_n, s.literal.n_q, s.literal.n_p, bits, ola_params_log_qp(s.params),
             s.literal.digit_limbs, ola_params_security(s.params), s.babies, s.giants);
    bench_note(b, text);
    rows(b, &s);
    scheme_close(&s);
}
