/* server.c - the evaluator: every operation on slots, after the checks of the real one. */
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

/* What an operation did, for the traces. */
enum {
    TAG_ADD = 1,
    TAG_SUB,
    TAG_ADD_PLAIN,
    TAG_MUL,
    TAG_RELIN,
    TAG_RESCALE,
    TAG_RELABEL,
    TAG_ROTATE
};

ola_status
ola_server_new(const ola_params *p, const ola_keys *keys, ola_server **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || (keys != NULL && !ola_sim_same(p, keys->params)))
        return OLA_ERR_PARAM;
    ola_server *s = ola_alloc_zero(sizeof *s);
    if (s == NULL)
        return OLA_ERR_NOMEM;
    s->params = p;
    s->keys = keys;
    *out = s;
    return OLA_OK;
}

void
ola_server_free(ola_server *s)
{
    ola_release(s, sizeof *s);
}

void
ola_server_counts(const ola_server *s, struct ola_counts *out)
{
    *out = s->counts;
}

/* There is nothing to prepare. */
ola_status
ola_linear_prepare(ola_server *s, const ola_map *const *maps, uint32_t n)
{
    return s == NULL || (maps == NULL && n != 0) ? OLA_ERR_PARAM : OLA_OK;
}

ola_status
ola_bootstrap_prepare(ola_server *s, const ola_boot *const *boots, uint32_t n)
{
    return s == NULL || (boots == NULL && n != 0) ? OLA_ERR_PARAM : OLA_OK;
}

void
ola_server_seconds(const ola_server *s, double out[OLA_KINDS])
{
    (void)s; /* takes no time worth speaking of */
    memset(out, 0, OLA_KINDS * sizeof *out);
}

/* The checks of an operation on one or two ciphertexts (b may be NULL). */
static ola_status
check(const struct ola_server *s, const struct ola_ct *out, const struct ola_ct *a,
      const struct ola_ct *b, uint32_t parts)
{
    if (s == NULL)
        return OLA_ERR_PARAM;
    ola_status e = ola_sim_output(s->params, out);
    if (e == OLA_OK)
        e = ola_sim_operand(s->params, a, parts);
    if (e == OLA_OK && b != NULL)
        e = ola_sim_operand(s->params, b, parts);
    if (e == OLA_OK)
        e = ola_sim_key(s, a, b);
    if (e == OLA_OK && b != NULL && a->level != b->level)
        e = OLA_ERR_LEVEL;
    return e;
}

/* The end of every operation: v, disturbed by `variance`, becomes out's contents if it is in range;
 * `of`: an operand. */
static ola_status
finish(struct ola_ct *out, const struct ola_ct *of, double *v, uint32_t parts, uint32_t level,
       double scale, double variance, uint64_t trace)
{
    const struct ola_params *p = out->params;
    ola_status e = ola_sim_scale(p, level, scale);
    if (e == OLA_OK) {
        ola_sim_disturb(p, v, variance, trace);
        e = ola_sim_range(p, level, scale, v, p->slots);
    }
    if (e == OLA_OK)
        ola_sim_set(out, of->key_id, v, parts, level, scale, trace);
    else
        ola_sim_vector_free(v, p->slots);
    return e;
}

static ola_status
add(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b, double sign)
{
    if (b == NULL)
        return OLA_ERR_PARAM;
    ola_status e = check(s, out, a, b, 0);
    if (e != OLA_OK)
        return e;
    if (!ola_sim_close(a->scale, b->scale))
        return OLA_ERR_SCALE;
    double *v = ola_sim_vector(s->params->slots);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t t = 0; t < s->params->slots; t++)
        v[t] = a->v[t] + sign * b->v[t];
    uint64_t trace = ola_sim_mix(ola_sim_mix(a->trace, b->trace), sign > 0.0 ? TAG_ADD : TAG_SUB);
    uint32_t parts = a->parts > b->parts ? a->parts : b->parts;
    e = finish(out, a, v, parts, a->level, a->scale, 0.0, trace);
    if (e == OLA_OK)
        s->counts.additions++;
    return e;
}

ola_status
ola_add(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b)
{
    return add(s, out, a, b, 1.0);
}

ola_status
ola_sub(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b)
{
    return add(s, out, a, b, -1.0);
}

ola_status
ola_add_plain(ola_server *s, ola_ct *out, const ola_ct *a, const double *v, uint32_t period)
{
    ola_status e = check(s, out, a, NULL, 2);
    if (e != OLA_OK)
        return e;
    if (v == NULL || !ola_sim_period(s->params, period))
        return OLA_ERR_PARAM;
    e = ola_sim_range(s->params, a->level, a->scale, v, period);
    if (e != OLA_OK)
        return e;
    double *w = ola_sim_vector(s->params->slots);
    if (w == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t t = 0; t < s->params->slots; t++)
        w[t] = a->v[t] + v[t % period];
    uint64_t trace = ola_sim_mix(ola_sim_mix(a->trace, ola_sim_hash(v, period)), TAG_ADD_PLAIN);
    e = finish(out, a, w, 2, a->level, a->scale, ola_sim_encoding(period, a->scale), trace);
    if (e == OLA_OK)
        s->counts.additions++;
    return e;
}

ola_status
ola_mul(ola_server *s, ola_ct *out, const ola_ct *a, const ola_ct *b)
{
    if (b == NULL)
        return OLA_ERR_PARAM;
    ola_status e = check(s, out, a, b, 2);
    if (e != OLA_OK)
        return e;
    double *v = ola_sim_vector(s->params->slots);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t t = 0; t < s->params->slots; t++)
        v[t] = a->v[t] * b->v[t];
    uint64_t trace = ola_sim_mix(ola_sim_mix(a->trace, b->trace), TAG_MUL);
    e = finish(out, a, v, 3, a->level, a->scale * b->scale, 0.0, trace);
    if (e == OLA_OK)
        s->counts.products++;
    return e;
}

/* A copy of a's slots, taken `step` to the left. */
static double *
rotated(const struct ola_ct *a, uint32_t step)
{
    uint32_t slots = a->params->slots;
    double *v = ola_sim_vector(slots);
    if (v != NULL) {
        memcpy(v, a->v + step, (slots - step) * sizeof *v);
        memcpy(v + (slots - step), a->v, step * sizeof *v);
    }
    return v;
}

ola_status
ola_relinearise(ola_server *s, ola_ct *out, const ola_ct *a)
{
    ola_status e = check(s, out, a, NULL, 3);
    if (e == OLA_OK)
        e = ola_sim_relin_key(s, a->level);
    if (e != OLA_OK)
        return e;
    double *v = rotated(a, 0);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    double variance = ola_sim_slot(s->params, ola_sim_switching(s->params, a->level), a->scale);
    e = finish(out, a, v, 2, a->level, a->scale, variance, ola_sim_mix(a->trace, TAG_RELIN));
    if (e == OLA_OK)
        s->counts.relinearisations++;
    return e;
}

ola_status
ola_rescale(ola_server *s, ola_ct *out, const ola_ct *a)
{
    ola_status e = check(s, out, a, NULL, 0);
    if (e == OLA_OK && a->level == 0)
        e = OLA_ERR_LEVEL;
    if (e != OLA_OK)
        return e;
    double *v = rotated(a, 0);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    double scale = a->scale / (double)s->params->literal.q[a->level];
    double variance = ola_sim_slot(s->params, ola_sim_rounding(s->params, a->parts), scale);
    e = finish(out, a, v, a->parts, a->level - 1, scale, variance,
               ola_sim_mix(a->trace, TAG_RESCALE));
    if (e == OLA_OK)
        s->counts.rescales++;
    return e;
}

ola_status
ola_drop(ola_server *s, ola_ct *out, const ola_ct *a, uint32_t level)
{
    ola_status e = check(s, out, a, NULL, 0);
    if (e == OLA_OK && level > a->level)
        e = OLA_ERR_LEVEL;
    if (e != OLA_OK)
        return e;
    double *v = rotated(a, 0);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    return finish(out, a, v, a->parts, level, a->scale, 0.0, a->trace);
}

ola_status
ola_relabel(ola_server *s, ola_ct *out, const ola_ct *a, double factor)
{
    ola_status e = check(s, out, a, NULL, 2);
    if (e != OLA_OK)
        return e;
    if (!isfinite(factor) || factor <= 0.0)
        return OLA_ERR_PARAM;
    double *v = rotated(a, 0);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t t = 0; t < s->params->slots; t++)
        v[t] *= factor;
    uint64_t trace = ola_sim_mix(ola_sim_mix(a->trace, ola_sim_hash(&factor, 1)), TAG_RELABEL);
    return finish(out, a, v, 2, a->level, a->scale / factor, 0.0, trace);
}

ola_status
ola_rotate(ola_server *s, ola_ct *out, const ola_ct *a, uint32_t step)
{
    ola_status e = check(s, out, a, NULL, 2);
    if (e == OLA_OK && step >= s->params->slots)
        e = OLA_ERR_PARAM;
    if (e == OLA_OK)
        e = ola_sim_rotation_key(s, step, a->level);
    if (e != OLA_OK)
        return e;
    double *v = rotated(a, step);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    double variance = ola_sim_slot(s->params, ola_sim_switching(s->params, a->level), a->scale);
    if (step == 0)
        return finish(out, a, v, 2, a->level, a->scale, 0.0, a->trace);
    e = finish(out, a, v, 2, a->level, a->scale, variance,
               ola_sim_mix(ola_sim_mix(a->trace, step), TAG_ROTATE));
    if (e == OLA_OK)
        s->counts.rotations++;
    return e;
}
