/* files.c - the files of the simulator: the container of the real ones with another magic and
 * payloads of its own.
 *
 *   params   the literal's bytes
 *   keys     relin_level, n, then n times (step, level), u32 each
 *   cts      n, then n times (parts, level: u32; scale: f64; trace: u64; slots: f64 each)
 *   client   32 bytes */
#include "file/file.h"
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

#define CT_HEAD 24u

uint32_t
ola_file_magic(void)
{
    return OLA_FILE_SIM;
}

/* ---- keys ------------------------------------------------------------------------------------ */

ola_status
ola_keys_save(const ola_keys *k, const char *path)
{
    if (k == NULL || path == NULL)
        return OLA_ERR_PARAM;
    struct ola_writer *w;
    ola_status s = ola_writer_open(path, 0666, OLA_FILE_SIM, OLA_FILE_KEYS, &k->params->literal,
                                   k->key_id, 8 + (uint64_t)k->n_rotations * 8, &w);
    if (s != OLA_OK)
        return s;
    ola_writer_u32(w, k->relin_level);
    ola_writer_u32(w, k->n_rotations);
    for (uint32_t r = 0; r < k->n_rotations; r++) {
        ola_writer_u32(w, k->step[r]);
        ola_writer_u32(w, k->level[r]);
    }
    return ola_writer_close(w, NULL, NULL);
}

/* The payload; *out only when it is good. */
static void
keys_payload(const struct ola_params *p, struct ola_reader *r, ola_keys **out)
{
    uint8_t key_id[OLA_KEY_ID];
    ola_reader_key_id(r, key_id);
    struct ola_key_plan plan = {.relin_level = ola_reader_u32(r)};
    plan.n_rotations = ola_reader_u32(r);
    if (plan.n_rotations >= p->slots || ola_reader_left(r) != (uint64_t)plan.n_rotations * 8) {
        ola_reader_fail(r, OLA_ERR_FORMAT);
        return;
    }
    size_t bytes = (size_t)plan.n_rotations * 8;
    uint32_t *list = ola_alloc(bytes);
    if (list == NULL) {
        ola_reader_fail(r, OLA_ERR_NOMEM);
        return;
    }
    for (uint32_t k = 0; k < plan.n_rotations; k++) {
        list[k] = ola_reader_u32(r);
        list[plan.n_rotations + k] = ola_reader_u32(r);
    }
    plan.step = list;
    plan.level = list + plan.n_rotations;
    if (!ola_sim_plan_good(p, &plan))
        ola_reader_fail(r, OLA_ERR_FORMAT);
    if (ola_reader_status(r) == OLA_OK)
        ola_reader_fail(r, ola_sim_keys_new(p, &plan, key_id, out));
    ola_release(list, bytes);
}

ola_status
ola_file_keys_read(const ola_params *p, const char *path, const void *data, size_t size,
                   ola_keys **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL)
        return OLA_ERR_PARAM;
    struct ola_reader *r;
    ola_status s = ola_reader_open(path, data, size, OLA_FILE_SIM, OLA_FILE_KEYS, &p->literal, &r);
    if (s != OLA_OK)
        return s;
    keys_payload(p, r, out);
    s = ola_reader_close(r);
    if (s != OLA_OK) {
        ola_keys_free(*out);
        *out = NULL;
    }
    return s;
}

/* ---- ciphertexts ----------------------------------------------------------------------------- */

ola_status
ola_file_cts_write(const ola_params *p, const ola_ct *const *ct, uint32_t n, const char *path,
                   void **bytes, size_t *size)
{
    if (p == NULL || ct == NULL || n == 0)
        return OLA_ERR_PARAM;
    for (uint32_t k = 0; k < n; k++) {
        ola_status s = ola_sim_operand(p, ct[k], 0);
        if (s == OLA_OK && memcmp(ct[k]->key_id, ct[0]->key_id, OLA_KEY_ID) != 0)
            s = OLA_ERR_OTHER_KEY;
        if (s != OLA_OK)
            return s;
    }
    uint64_t payload = 4 + (uint64_t)n * (CT_HEAD + (uint64_t)p->slots * sizeof(double));
    struct ola_writer *w;
    ola_status s = ola_writer_open(path, 0666, OLA_FILE_SIM, OLA_FILE_CTS, &p->literal,
                                   ct[0]->key_id, payload, &w);
    if (s != OLA_OK)
        return s;
    ola_writer_u32(w, n);
    for (uint32_t k = 0; k < n; k++) {
        ola_writer_u32(w, ct[k]->parts);
        ola_writer_u32(w, ct[k]->level);
        ola_writer_double(w, ct[k]->scale);
        ola_writer_u64(w, ct[k]->trace);
        ola_writer_put(w, ct[k]->v, p->slots * sizeof(double));
    }
    return ola_writer_close(w, bytes, size);
}

/* One ciphertext into `fresh`. */
static void
ct_payload(const struct ola_params *p, struct ola_reader *r, struct ola_ct *fresh)
{
    uint32_t parts = ola_reader_u32(r), level = ola_reader_u32(r);
    double scale = ola_reader_double(r);
    uint64_t trace = ola_reader_u64(r);
    if (ola_reader_status(r) != OLA_OK)
        return;
    if ((parts != 2 && parts != 3) || level >= p->n_q || ola_sim_scale(p, level, scale) != OLA_OK) {
        ola_reader_fail(r, OLA_ERR_FORMAT);
        return;
    }
    double *v = ola_sim_vector(p->slots);
    if (v == NULL) {
        ola_reader_fail(r, OLA_ERR_NOMEM);
        return;
    }
    ola_reader_get(r, v, p->slots * sizeof *v);
    if (ola_sim_range(p, level, scale, v, p->slots) != OLA_OK)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    uint8_t key_id[OLA_KEY_ID];
    ola_reader_key_id(r, key_id);
    ola_sim_set(fresh, key_id, v, parts, level, scale, trace);
}

ola_status
ola_file_cts_read(const ola_params *p, const char *path, const void *data, size_t size,
                  ola_ct *const *ct, uint32_t n)
{
    if (p == NULL || ct == NULL || n == 0)
        return OLA_ERR_PARAM;
    for (uint32_t k = 0; k < n; k++) {
        ola_status s = ola_sim_output(p, ct[k]);
        if (s != OLA_OK)
            return s;
    }
    struct ola_reader *r;
    ola_status s = ola_reader_open(path, data, size, OLA_FILE_SIM, OLA_FILE_CTS, &p->literal, &r);
    if (s != OLA_OK)
        return s;
    size_t bytes = n * sizeof(struct ola_ct);
    struct ola_ct *fresh = ola_alloc_zero(bytes);
    if (fresh == NULL)
        ola_reader_fail(r, OLA_ERR_NOMEM);
    if (ola_reader_u32(r) != n)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    for (uint32_t k = 0; k < n && ola_reader_status(r) == OLA_OK; k++) {
        fresh[k].params = ct[k]->params;
        ct_payload(p, r, &fresh[k]);
    }
    s = ola_reader_close(r);
    for (uint32_t k = 0; fresh != NULL && k < n; k++) {
        if (s == OLA_OK)
            ola_sim_set(ct[k], fresh[k].key_id, fresh[k].v, fresh[k].parts, fresh[k].level,
                        fresh[k].scale, fresh[k].trace);
        else
            ola_sim_vector_free(fresh[k].v, p->slots);
    }
    ola_release(fresh, bytes);
    return s;
}

/* ---- the client ------------------------------------------------------------------------------ */

ola_status
ola_client_save(const ola_client *c, const char *path)
{
    if (c == NULL || path == NULL)
        return OLA_ERR_PARAM;
    struct ola_writer *w;
    ola_status s = ola_writer_open(path, 0600, OLA_FILE_SIM, OLA_FILE_CLIENT, &c->params->literal,
                                   c->key_id, sizeof c->secret, &w);
    if (s != OLA_OK)
        return s;
    ola_writer_put(w, c->secret, sizeof c->secret);
    return ola_writer_close(w, NULL, NULL);
}

ola_status
ola_client_load(const ola_params *p, const char *path, ola_client **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || path == NULL)
        return OLA_ERR_PARAM;
    struct ola_reader *r;
    ola_status s = ola_reader_open(path, NULL, 0, OLA_FILE_SIM, OLA_FILE_CLIENT, &p->literal, &r);
    if (s != OLA_OK)
        return s;
    ola_client *c = ola_alloc_zero(sizeof *c);
    if (c == NULL) {
        ola_reader_fail(r, OLA_ERR_NOMEM);
        return ola_reader_close(r);
    }
    c->params = p;
    ola_reader_key_id(r, c->key_id);
    ola_reader_get(r, c->secret, sizeof c->secret);
    s = ola_reader_close(r);
    if (s != OLA_OK) {
        ola_client_free(c);
        return s;
    }
    *out = c;
    return OLA_OK;
}
