/* server.c - making and freeing the evaluator, and its scratch. */
#define _POSIX_C_SOURCE 200809L
#include "ckks/server.h"

#include <time.h>

#include "ckks/encoder.h"

/* Three limbs, or the operands of a lazy sum. */
static size_t
temp_words(const struct ola_params *p)
{
    const size_t limbs = 3 * (size_t)p->n, chunks = OLA_TERMS * OLA_CHUNK;
    return limbs > chunks ? limbs : chunks;
}

uint64_t *
ola_server_temp(const struct ola_server *s)
{
    return s->temp.data + (size_t)ola_thread() * temp_words(s->params);
}

ola_status
ola_server_check_key(const struct ola_server *s, const struct ola_ct *ct)
{
    if (s->keys != NULL && memcmp(s->keys->key_id, ct->key_id, sizeof ct->key_id) != 0)
        return OLA_ERR_OTHER_KEY;
    return OLA_OK;
}

ola_status
ola_buffer_need(struct ola_buffer *b, size_t words)
{
    if (words <= b->words)
        return OLA_OK;
    if (b->words != 0) { /* pooled, it would lie there for good */
        ola_release(b->data, b->words * sizeof *b->data);
        *b = (struct ola_buffer){0};
        ola_memory_trim();
    }
    b->data = ola_alloc(words * sizeof *b->data);
    if (b->data == NULL)
        return OLA_ERR_NOMEM;
    b->words = words;
    return OLA_OK;
}

ola_status
ola_server_room(struct ola_server *s, const size_t words[OLA_PIECES])
{
    static const size_t line = 8; /* words */
    size_t all = 0;
    for (uint32_t k = 0; k < OLA_PIECES; k++)
        all += (words[k] + line - 1) / line * line;
    memset(s->piece, 0, sizeof s->piece);
    ola_status status = ola_buffer_need(&s->scratch, all);
    uint64_t *next = s->scratch.data;
    for (uint32_t k = 0; status == OLA_OK && k < OLA_PIECES; k++) {
        s->piece[k] = words[k] == 0 ? NULL : next;
        next += (words[k] + line - 1) / line * line;
    }
    return status;
}

static void
buffer_free(struct ola_buffer *b)
{
    ola_release(b->data, b->words * sizeof *b->data);
}

ola_status
ola_server_make(const struct ola_params *p, const struct ola_keys *keys, int threads,
                struct ola_server **out)
{
    struct ola_server *s = ola_alloc_zero(sizeof *s);
    if (s == NULL)
        return OLA_ERR_NOMEM;
    s->params = p;
    s->keys = keys;
    for (uint32_t k = 0; k < sizeof s->held / sizeof *s->held; k++)
        s->held[k].params = p;
    s->backend = ola_backend();
    s->threads = threads;
    ola_status status = ola_buffer_need(&s->temp, temp_words(p) * (size_t)s->threads);
    if (status != OLA_OK) {
        ola_server_free(s);
        return status;
    }
    *out = s;
    return OLA_OK;
}

ola_status
ola_server_new(const ola_params *p, const ola_keys *keys, ola_server **out)
{
    int threads = 1;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || (keys != NULL && !ola_params_equal(p, keys->params)))
        return OLA_ERR_PARAM;
#ifdef _OPENMP
    threads = omp_get_max_threads();
#endif
    return ola_server_make(p, keys, threads, out);
}

void
ola_server_free(ola_server *s)
{
    if (s == NULL)
        return;
    for (int k = 0; s->helper != NULL && k < s->threads; k++)
        ola_server_free(s->helper[k]);
    ola_release(s->helper, (size_t)s->threads * sizeof *s->helper);
    for (uint32_t k = 0; k < sizeof s->held / sizeof *s->held; k++)
        ola_release(s->held[k].data, s->held[k].bytes);
    buffer_free(&s->temp);
    buffer_free(&s->scratch);
    ola_release(s, sizeof *s);
}

void
ola_server_counts(const ola_server *s, struct ola_counts *out)
{
    *out = s->counts;
}

void
ola_server_touch(struct ola_server *s)
{
    if (s->scratch.words != 0)
        memset(s->scratch.data, 0, s->scratch.words * sizeof *s->scratch.data);
}

double
ola_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void
ola_server_seconds(const ola_server *s, double out[OLA_KINDS])
{
    memcpy(out, s->seconds, sizeof s->seconds);
}

ola_status
ola_server_encode(struct ola_server *s, const double *v, uint32_t period, uint32_t level,
                  double scale, double *size)
{
    const size_t words[OLA_PIECES] = {[OLA_REAL] = 2 * (size_t)period};
    ola_status status = ola_server_room(s, words);
    if (status != OLA_OK)
        return status;
    double *coef = (double *)s->piece[OLA_REAL];
    ola_encode(s->params->encoder, v, period, scale, coef);
    *size = ola_encoded_size(coef, 2 * period);
    return ola_encoded_fits(s->params, level, *size) ? OLA_OK : OLA_ERR_RANGE;
}
