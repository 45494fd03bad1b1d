/* binary.c - the files of numbers: weights (format in ola/plan.h) and self-test. Little endian. */
#include "emit/room.h"

#include "ola/plan.h"

#include <sodium.h>
#include <string.h>

#define SECTION_NAME (sizeof((struct ola_weights_section *)0)->name)

static void
put_u32(struct str *out, uint32_t x)
{
    char b[4];
    for (int i = 0; i < 4; i++)
        b[i] = (char)(x >> (8 * i) & 0xff);
    str_addn(out, b, sizeof b);
}

static void
put_u64(struct str *out, uint64_t x)
{
    put_u32(out, (uint32_t)x);
    put_u32(out, (uint32_t)(x >> 32));
}

static void
put_f32(struct str *out, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_u32(out, bits);
}

static void
put_f64(struct str *out, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_u64(out, bits);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* "map:conv1"; with ".<index>" behind it where that is cut or taken. */
static const char *
section_name(struct emitter *e, struct map *taken, const char *kind, const char *name,
             uint32_t index)
{
    const char *plain = emit_plain(e->a, name ? name : "");
    const char *full = arena_printf(e->a, "%s:%s", kind, plain);
    uint32_t known;
    if (strlen(full) >= SECTION_NAME || map_get(taken, full, &known))
        full = arena_printf(e->a, "%s:%.40s.%u", kind, plain, index);
    while (map_get(taken, full, &known))
        full = arena_printf(e->a, "%.*s_", (int)SECTION_NAME - 2, full);
    map_set(e->a, taken, full, index);
    return full;
}

void
emit_sections(struct emitter *e)
{
    const struct he_program *p = e->p;
    struct map taken = {0};
    e->map_name = ARENA_ARRAY(e->a, const char *, p->maps.len + 1);
    e->poly_name = ARENA_ARRAY(e->a, const char *, p->polys.len + 1);
    for (uint32_t i = 0; i < p->maps.len; i++)
        e->map_name[i] = section_name(e, &taken, "map", p->maps.at[i].name, i);
    for (uint32_t i = 0; i < p->polys.len; i++)
        e->poly_name[i] = section_name(e, &taken, "poly", p->polys.at[i].name, i);
    e->sparse_name = ARENA_ARRAY(e->a, const char *, p->sparse.len + 1);
    for (uint32_t i = 0; i < p->sparse.len; i++)
        e->sparse_name[i] = section_name(e, &taken, "sparse", p->sparse.at[i].name, i);
    for (uint32_t k = 0; k < p->insts.len; k++)
        if (p->insts.at[k].op == HE_add_plain)
            vec_push(e->a, &e->vectors, k);
}

/* ---- sections -------------------------------------------------------------------------------- */

static bool
same_bits(float x, float y)
{
    return memcmp(&x, &y, sizeof x) == 0;
}

static uint32_t
count_runs(const float *v, uint32_t n)
{
    uint32_t runs = n != 0;
    for (uint32_t i = 1; i < n; i++)
        runs += !same_bits(v[i], v[i - 1]);
    return runs;
}

/* The values in the smaller encoding; *encoding and *count as the table of diagonals wants them. */
static void
put_values(struct str *out, const float *v, uint32_t n, uint32_t *encoding, uint32_t *count)
{
    uint32_t runs = count_runs(v, n);
    *encoding = runs < n / 2;
    *count = *encoding ? runs : n;
    for (uint32_t i = 0; i < n;) {
        uint32_t length = 1;
        while (*encoding && i + length < n && same_bits(v[i + length], v[i]))
            length++;
        if (*encoding)
            put_u32(out, length);
        put_f32(out, v[i]);
        i += length;
    }
}

/* Values that some diagonal has already: by content, so that equal ones are stored once. */
struct stored {
    uint64_t hash;
    uint64_t offset;
    uint32_t encoding, count, next; /* next: 1 + index in the same bucket */
};

struct store {
    struct arena *a;
    VEC(struct stored) all;
    uint32_t *bucket, buckets; /* power of two */
    uint64_t bytes, named;     /* stored so far; named by diagonals so far */
};

static uint64_t
hash_bytes(const char *p, size_t n)
{
    unsigned char h[crypto_generichash_BYTES_MIN];
    uint64_t x;
    crypto_generichash(h, sizeof h, (const unsigned char *)p, n, NULL, 0);
    memcpy(&x, h, sizeof x);
    return x;
}

/* The stored values equal to those at out->text + start, which are then taken off again; or they
 * stay and are entered. A reader accepts values named by 64 diagonals on average: stay below. */
static struct stored
share(struct store *s, struct str *out, size_t start, uint32_t encoding, uint32_t count)
{
    size_t n = out->len - start;
    uint64_t hash = hash_bytes(out->text + start, n);
    uint32_t *head = &s->bucket[hash & (s->buckets - 1)];
    s->named += n;
    for (uint32_t i = *head; i && s->named < 32 * s->bytes; i = s->all.at[i - 1].next) {
        const struct stored *old = &s->all.at[i - 1];
        if (old->hash == hash && old->encoding == encoding && old->count == count &&
            memcmp(out->text + old->offset, out->text + start, n) == 0) {
            out->len = start;
            return *old;
        }
    }
    struct stored fresh = {hash, start, encoding, count, *head};
    vec_push(s->a, &s->all, fresh);
    *head = s->all.len;
    s->bytes += n;
    return fresh;
}

static void
put_entry(struct str *out, const struct he_diagonal *g, uint32_t period, const struct stored *v)
{
    const uint32_t words[] = {g->arg,  g->in_ct, g->out_ct,   g->giant,
                              g->baby, period,   v->encoding, v->count};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        put_u32(out, words[i]);
    put_u64(out, v->offset);
}

/* The table of diagonals is written behind its place: values first into `values`, then both. */
static void
put_map(struct emitter *e, const struct he_map *m, struct str *out)
{
    uint32_t n = m->diagonals.len, bias = m->bias ? m->bias_period : 0;
    uint64_t front = sizeof(struct ola_weights_map) +
                     (uint64_t)n * sizeof(struct ola_weights_diagonal) +
                     4 * (uint64_t)m->folds.len + 8 * (uint64_t)m->out_cts * bias;
    const uint32_t head[] = {m->args,      m->in_cts, m->out_cts,       n,
                             m->folds.len, bias,      m->free_of_level, 0};
    struct str values = {0};
    struct store s = {.a = e->a, .buckets = 1};
    while (s.buckets < n)
        s.buckets *= 2;
    s.bucket = ARENA_ARRAY(e->a, uint32_t, s.buckets);
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        put_u32(out, head[i]);
    for (uint32_t i = 0; i < n; i++) {
        const struct he_diagonal *g = &m->diagonals.at[i];
        struct stored v = {0};
        uint32_t period = g->value ? g->period : 1;
        if (!m->free_of_level) {
            size_t start = values.len;
            put_values(&values, g->value, g->period, &v.encoding, &v.count);
            v = share(&s, &values, start, v.encoding, v.count);
            v.offset += front;
        }
        put_entry(out, g, period, &v);
    }
    for (uint32_t i = 0; i < m->folds.len; i++)
        put_u32(out, m->folds.at[i]);
    for (uint32_t c = 0; c < m->out_cts && bias; c++)
        for (uint32_t t = 0; t < bias; t++)
            put_f64(out, m->bias[c][t]);
    str_addn(out, str_text(&values), values.len);
    str_free(&values);
}

static bool
all_equal(const float *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (!same_bits(v[i], v[0]))
            return false;
    return true;
}

static void
put_poly(const struct he_poly *f, struct str *out)
{
    put_u32(out, f->degree);
    put_u32(out, f->cts);
    put_u32(out, f->period);
    put_u32(out, 0);
    for (uint32_t c = 0; c < f->cts; c++)
        for (uint32_t k = 0; k <= f->degree; k++) {
            const float *v = f->coef[c][k];
            uint32_t n = all_equal(v, f->period) ? 1 : f->period;
            put_u32(out, n);
            for (uint32_t t = 0; t < n; t++)
                put_f32(out, v[t]);
        }
}

static void
put_vector(const struct emitter *e, uint32_t k, struct str *out)
{
    const struct he_inst *inst = &e->p->insts.at[k];
    size_t n = (size_t)inst->cts * e->p->layouts.at[inst->layout].period;
    for (size_t i = 0; i < n; i++)
        put_f64(out, inst->vector[i]);
}

/* ---- the files ------------------------------------------------------------------------------- */

/* 2^k as its exponent, the sign above it. */
static char
shift_code(int64_t weight)
{
    uint32_t code = weight < 0 ? OLA_SPARSE_NEGATIVE : 0;
    uint64_t size = weight < 0 ? 0 - (uint64_t)weight : (uint64_t)weight;
    return (char)(code + (uint32_t)__builtin_ctzll(size));
}

static void
put_sparse(const struct he_sparse *s, struct str *out)
{
    const uint32_t head[] = {s->cols,
                             s->rows,
                             s->temps,
                             s->terms.len,
                             s->shifts ? OLA_SPARSE_SHIFTS : OLA_SPARSE_INTEGERS,
                             s->squares != NULL,
                             s->bias != NULL,
                             0};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        put_u32(out, head[i]);
    for (uint32_t k = 0; k <= s->temps + s->rows; k++)
        put_u32(out, s->start[k]);
    for (uint32_t t = 0; t < s->terms.len; t++)
        put_u32(out, s->terms.at[t].column);
    for (uint32_t t = 0; t < s->terms.len; t++) {
        char code = s->shifts ? shift_code(s->terms.at[t].weight) : 0;
        if (s->shifts)
            str_addn(out, &code, 1);
        else
            put_u64(out, (uint64_t)s->terms.at[t].weight);
    }
    for (uint32_t t = s->terms.len; t % 4 && s->shifts; t++)
        str_addn(out, "", 1);
    for (uint32_t r = 0; r < s->rows && s->bias; r++)
        put_f64(out, s->bias[r]);
}

static void
align(struct str *out)
{
    static const char zero[8] = {0};
    str_addn(out, zero, (8 - out->len % 8) % 8);
}

/* One section: payload into `body`, its row into `table`. `front`: bytes before the body. */
static void
put_section(struct str *table, struct str *body, size_t start, uint64_t front, const char *name)
{
    char text[SECTION_NAME] = {0};
    size_t size = body->len - start;
    strncpy(text, name, sizeof text - 1);
    str_addn(table, text, sizeof text);
    put_u64(table, front + start);
    put_u64(table, size);
    align(body);
}

void
emit_weights(struct emitter *e, struct str *out)
{
    const struct he_program *p = e->p;
    uint32_t sections = p->maps.len + p->polys.len + p->sparse.len + e->vectors.len;
    uint64_t front =
        sizeof(struct ola_weights_header) + (uint64_t)sections * sizeof(struct ola_weights_section);
    struct str table = {0}, body = {0};

    for (uint32_t i = 0; i < p->maps.len; i++) {
        size_t start = body.len;
        put_map(e, &p->maps.at[i], &body);
        put_section(&table, &body, start, front, e->map_name[i]);
    }
    for (uint32_t i = 0; i < p->polys.len; i++) {
        size_t start = body.len;
        put_poly(&p->polys.at[i], &body);
        put_section(&table, &body, start, front, e->poly_name[i]);
    }
    for (uint32_t i = 0; i < p->sparse.len; i++) {
        size_t start = body.len;
        put_sparse(&p->sparse.at[i], &body);
        put_section(&table, &body, start, front, e->sparse_name[i]);
    }
    for (uint32_t i = 0; i < e->vectors.len; i++) {
        size_t start = body.len;
        put_vector(e, e->vectors.at[i], &body);
        put_section(&table, &body, start, front, emit_vector_name(e, i));
    }
    str_addn(&table, str_text(&body), body.len);
    str_free(&body);
    crypto_generichash(e->weights_hash, sizeof e->weights_hash,
                       (const unsigned char *)str_text(&table), table.len, NULL, 0);
    e->weights_bytes = sizeof(struct ola_weights_header) + table.len;
    put_u32(out, OLA_WEIGHTS_MAGIC);
    put_u32(out, OLA_WEIGHTS_VERSION);
    put_u32(out, sections);
    put_u32(out, 0);
    put_u64(out, e->weights_bytes);
    str_addn(out, (const char *)p->model_hash, sizeof p->model_hash);
    str_addn(out, (const char *)e->weights_hash, sizeof e->weights_hash);
    str_addn(out, str_text(&table), table.len);
    str_free(&table);
}

void
emit_selftest(const struct emitter *e, struct str *out)
{
    const struct emit_options *o = e->o;
    str_add(out, "OLAT");
    put_u32(out, 1);
    str_addn(out, (const char *)e->p->model_hash, sizeof e->p->model_hash);
    put_u32(out, o->n_reference);
    put_u32(out, e->input_size);
    put_u32(out, e->output_size);
    put_u32(out, 0);
    put_f64(out, o->tolerance);
    for (size_t i = 0; i < (size_t)o->n_reference * e->input_size; i++)
        put_f32(out, o->reference_in[i]);
    for (size_t i = 0; i < (size_t)o->n_reference * e->output_size; i++)
        put_f32(out, o->reference_out[i]);
}
