/* reduce.c - many ciphertexts relinearised and rescaled at once: small rings have too few limbs to
 * share out, so each thread takes whole ciphertexts, with a server of its own to work in. */
#include "ckks/server.h"

static ola_status
make_helpers(struct ola_server *s)
{
    const size_t bytes = (size_t)s->threads * sizeof *s->helper;
    ola_status status = OLA_OK;
    if (s->helper != NULL)
        return OLA_OK;
    s->helper = ola_alloc_zero(bytes);
    if (s->helper == NULL)
        return OLA_ERR_NOMEM;
    for (int k = 0; k < s->threads && status == OLA_OK; k++)
        status = ola_server_make(s->params, s->keys, 1, &s->helper[k]);
    for (int k = 0; k < s->threads && status != OLA_OK; k++)
        ola_server_free(s->helper[k]);
    if (status != OLA_OK) {
        ola_release(s->helper, bytes);
        s->helper = NULL;
    }
    return status;
}

static ola_status
check(const struct ola_server *s, ola_ct *const *out, const ola_ct *const *in, uint32_t n,
      uint32_t level)
{
    if (s == NULL || out == NULL || in == NULL || n == 0)
        return OLA_ERR_PARAM;
    for (uint32_t k = 0; k < n; k++) {
        if (out[k] == NULL || in[k] == NULL || in[k]->parts == 0 ||
            !ola_params_equal(s->params, out[k]->params) ||
            !ola_params_equal(s->params, in[k]->params))
            return OLA_ERR_PARAM;
        if (!ola_ct_same_key(in[k], in[0]))
            return OLA_ERR_OTHER_KEY;
        if (in[k]->level != in[0]->level || in[k]->level < level)
            return OLA_ERR_LEVEL;
        if (in[k]->parts == 3 &&
            (s->keys == NULL || !s->keys->has_relin || s->keys->relin.level < in[k]->level))
            return OLA_ERR_KEY;
    }
    return ola_server_check_key(s, in[0]);
}

/* Room in the helpers and in out. */
static ola_status
reserve(struct ola_server *s, ola_ct *const *out, const ola_ct *const *in, uint32_t n,
        uint32_t level)
{
    const uint32_t top = in[0]->level;
    ola_status status = make_helpers(s);
    for (int k = 0; k < s->threads && status == OLA_OK; k++)
        status = ola_switch_reserve(s->helper[k], top, 2);
    for (uint32_t k = 0; k < n && status == OLA_OK; k++)
        if (out[k] != in[k])
            status = ola_ct_reserve(out[k], 2, top > level ? top - 1 : top);
    for (uint32_t k = 0; k < n && status != OLA_OK; k++)
        if (out[k] != in[k])
            ola_ct_clear(out[k]);
    return status;
}

static void
reduce_one(struct ola_server *s, struct ola_ct *out, const struct ola_ct *in, uint32_t level)
{
    if (in->level == level && in->parts == 3)
        ola_reduce_ct(s, out, in, false);
    for (; in->level > level; in = out)
        ola_reduce_ct(s, out, in, true);
    out->seeded = false;
}

ola_status
ola_reduce(ola_server *s, ola_ct *const *out, const ola_ct *const *in, uint32_t n, uint32_t level)
{
    ola_status status = check(s, out, in, n, level);
    const uint32_t top = status == OLA_OK ? in[0]->level : 0;
    if (status == OLA_OK)
        status = reserve(s, out, in, n, level);
    for (uint32_t k = 0; k < n && status == OLA_OK; k++)
        if (top == level && in[k]->parts == 2)
            status = ola_ct_copy(out[k], in[k]); /* there is room: cannot fail */
    if (status != OLA_OK)
        return status;
    const double start = ola_seconds();
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (uint32_t k = 0; k < n; k++)
        if (top > level || in[k]->parts == 3)
            reduce_one(s->helper[ola_thread()], out[k], in[k], level);
    for (int k = 0; k < s->threads; k++) {
        s->counts.relinearisations += s->helper[k]->counts.relinearisations;
        s->counts.rescales += s->helper[k]->counts.rescales;
        s->helper[k]->counts = (struct ola_counts){0};
    }
    ola_server_spent(s, OLA_KIND_REDUCE, start);
    return OLA_OK;
}
