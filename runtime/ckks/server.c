/* server.c - making and freeing the evaluator, and its scratch. */
#include "ckks/server.h"

#include "ckks/encoder.h"

/* Three limbs, or the operands and the results of a lazy sum. */
static size_t
temp_words(const struct ola_params *p)
{
    const size_t limbs = 3 * (size_t)p->n, chunks = (OLA_TERMS + 2) * OLA_CHUNK;
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
    uint64_t *data = ola_alloc(words * sizeof *data);
    if (data == NULL)
        return OLA_ERR_NOMEM;
    ola_release(b->data, b->words * sizeof *b->data);
    b->data = data;
    b->words = words;
    return OLA_OK;
}

static void
buffer_free(struct ola_buffer *b)
{
    ola_release(b->data, b->words * sizeof *b->data);
}

ola_status
ola_server_new(const ola_params *p, const ola_keys *keys, ola_server **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || (keys != NULL && !ola_params_equal(p, keys->params)))
        return OLA_ERR_PARAM;
    struct ola_server *s = ola_alloc_zero(sizeof *s);
    if (s == NULL)
        return OLA_ERR_NOMEM;
    s->params = p;
    s->keys = keys;
    s->backend = ola_backend();
    s->threads = 1;
#ifdef _OPENMP
    s->threads = omp_get_max_threads();
#endif
    for (uint32_t k = 0; k < OLA_REGS; k++)
        s->reg[k].params = p;
    ola_status status = ola_buffer_need(&s->temp, temp_words(p) * (size_t)s->threads);
    if (status != OLA_OK) {
        ola_server_free(s);
        return status;
    }
    *out = s;
    return OLA_OK;
}

void
ola_server_free(ola_server *s)
{
    if (s == NULL)
        return;
    for (uint32_t k = 0; k < OLA_REGS; k++)
        ola_release(s->reg[k].data, s->reg[k].bytes);
    buffer_free(&s->temp);
    buffer_free(&s->coef);
    buffer_free(&s->raised);
    buffer_free(&s->ext);
    buffer_free(&s->real);
    buffer_free(&s->baby);
    buffer_free(&s->group);
    ola_release(s, sizeof *s);
}

void
ola_server_counts(const ola_server *s, struct ola_counts *out)
{
    *out = s->counts;
}

ola_status
ola_server_encode(struct ola_server *s, const double *v, uint32_t period, uint32_t level,
                  double scale, double *size)
{
    ola_status status = ola_buffer_need(&s->real, 2 * (size_t)period);
    if (status != OLA_OK)
        return status;
    double *coef = (double *)s->real.data;
    ola_encode(s->params->encoder, v, period, scale, coef);
    *size = ola_encoded_size(coef, 2 * period);
    return ola_encoded_fits(s->params, level, *size) ? OLA_OK : OLA_ERR_RANGE;
}
