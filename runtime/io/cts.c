/* cts.c - ciphertexts to and from files and memory.
 *
 * Payload: n (u32), then for each: parts, level, seeded (u32), scale (f64); seeded (fresh) ones:
 * the seed and part 0, others all parts; every limb packed to the bits of its prime. */
#include "ckks/ckks.h"
#include "ckks/server.h"
#include "file/file.h"

#include <math.h>
#include <string.h>

#define CT_HEAD 20u

static uint64_t
limbs_wire_bytes(const struct ola_params *p, uint32_t level)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i <= level; i++)
        bits += ola_plan_wire_bits(p->literal.q[i]);
    return bits * p->n / 8;
}

static uint64_t
body_wire_bytes(const struct ola_params *p, uint32_t parts, uint32_t level, bool seeded)
{
    return seeded ? 32 + limbs_wire_bytes(p, level) : parts * limbs_wire_bytes(p, level);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void
write_ct(struct ola_writer *w, const struct ola_ct *ct)
{
    const struct ola_params *p = ct->params;
    ola_writer_u32(w, ct->parts);
    ola_writer_u32(w, ct->level);
    ola_writer_u32(w, ct->seeded);
    ola_writer_double(w, ct->scale);
    if (ct->seeded)
        ola_writer_put(w, ct->seed, sizeof ct->seed);
    for (uint32_t part = 0; part < (ct->seeded ? 1 : ct->parts); part++) {
        for (uint32_t i = 0; i <= ct->level; i++)
            ola_writer_residues(w, ola_ct_limb(ct, part, i), p->n,
                                ola_plan_wire_bits(p->literal.q[i]));
    }
}

ola_status
ola_file_cts_write(const ola_params *p, const ola_ct *const *ct, uint32_t n, const char *path,
                   void **bytes, size_t *size)
{
    if (p == NULL || ct == NULL || n == 0)
        return OLA_ERR_PARAM;
    uint64_t payload = 4;
    for (uint32_t k = 0; k < n; k++) {
        if (ct[k] == NULL || ct[k]->parts == 0 || !ola_params_equal(p, ct[k]->params))
            return OLA_ERR_PARAM;
        if (!ola_ct_same_key(ct[k], ct[0]))
            return OLA_ERR_OTHER_KEY;
        payload += CT_HEAD + body_wire_bytes(p, ct[k]->parts, ct[k]->level, ct[k]->seeded);
    }
    struct ola_writer *w;
    ola_status s = ola_writer_open(path, 0666, OLA_FILE_REAL, OLA_FILE_CTS, &p->literal,
                                   ct[0]->key_id, payload, &w);
    if (s != OLA_OK)
        return s;
    ola_writer_u32(w, n);
    for (uint32_t k = 0; k < n; k++)
        write_ct(w, ct[k]);
    return ola_writer_close(w, bytes, size);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void
read_ct(struct ola_reader *r, const struct ola_params *p, struct ola_ct *fresh)
{
    uint32_t parts = ola_reader_u32(r), level = ola_reader_u32(r), seeded = ola_reader_u32(r);
    double scale = ola_reader_double(r);
    if (ola_reader_status(r) != OLA_OK)
        return;
    if ((parts != 2 && parts != 3) || seeded > 1 || (seeded && parts != 2) || level >= p->n_q ||
        !ola_scale_fits(p, level, scale) ||
        ola_reader_left(r) < body_wire_bytes(p, parts, level, seeded == 1)) {
        ola_reader_fail(r, OLA_ERR_FORMAT);
        return;
    }
    ola_status s = ola_ct_reserve(fresh, parts, level);
    if (s != OLA_OK) {
        ola_reader_fail(r, s);
        return;
    }
    fresh->scale = scale;
    fresh->seeded = seeded == 1;
    if (fresh->seeded)
        ola_reader_get(r, fresh->seed, sizeof fresh->seed);
    for (uint32_t part = 0; part < (fresh->seeded ? 1 : parts); part++) {
        for (uint32_t i = 0; i <= level; i++)
            ola_reader_residues(r, ola_ct_limb(fresh, part, i), p->n,
                                ola_plan_wire_bits(p->literal.q[i]), p->literal.q[i]);
    }
}

/* The handles take what was read; the readers' handles take what they held, to be freed. */
static void
swap_contents(struct ola_ct *a, struct ola_ct *b)
{
    struct ola_ct t = *a;
    *a = *b;
    *b = t;
    b->params = a->params;
    a->params = t.params;
}

ola_status
ola_file_cts_read(const ola_params *p, const char *path, const void *data, size_t size,
                  ola_ct *const *ct, uint32_t n)
{
    if (p == NULL || ct == NULL || n == 0)
        return OLA_ERR_PARAM;
    for (uint32_t k = 0; k < n; k++) {
        if (ct[k] == NULL || !ola_params_equal(p, ct[k]->params))
            return OLA_ERR_PARAM;
    }
    struct ola_reader *r;
    ola_status s = ola_reader_open(path, data, size, OLA_FILE_REAL, OLA_FILE_CTS, &p->literal, &r);
    if (s != OLA_OK)
        return s;
    size_t bytes = n * sizeof(struct ola_ct);
    struct ola_ct *fresh = ola_alloc_zero(bytes);
    if (fresh == NULL)
        ola_reader_fail(r, OLA_ERR_NOMEM);
    if (ola_reader_u32(r) != n)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    for (uint32_t k = 0; k < n && ola_reader_status(r) == OLA_OK; k++) {
        fresh[k].params = p;
        ola_reader_key_id(r, fresh[k].key_id);
        read_ct(r, p, &fresh[k]);
    }
    s = ola_reader_close(r);
    for (uint32_t k = 0; fresh != NULL && k < n; k++) {
        if (s == OLA_OK && fresh[k].seeded)
            ola_ct_expand(&fresh[k]);
        if (s == OLA_OK)
            swap_contents(ct[k], &fresh[k]);
        ola_release(fresh[k].data, fresh[k].bytes);
    }
    ola_release(fresh, bytes);
    return s;
}
