/* keys.c - evaluation keys to and from files, key by key as a stream: memory holds them once.
 *
 * Payload: relin_level (UINT32_MAX: none), n, then n times (step, level), u32 each; then the
 * switching keys, relinearisation first, then bootstrapping's (where the parameters have it), then
 * rotations: the seed, and for every limb (q[0 .. level], then p) and
 * digit half b, packed. Half a is expanded from the seed when the whole file has proved sound. */
#include "ckks/ckks.h"
#include "file/file.h"

#include <string.h>

static uint64_t
key_wire_bytes(const struct ola_params *p, uint32_t level)
{
    return 32 + ola_plan_key_wire_bytes(&p->literal, level);
}

/* Of bootstrapping's keys together. */
static uint64_t
boot_wire_bytes(const struct ola_params *p)
{
    if (!ola_plan_has_boot(&p->literal))
        return 0;
    return OLA_BOOT_SWITCHES * 32 + ola_plan_boot_key_wire_bytes(&p->literal);
}

static uint64_t
prime(const struct ola_params *p, uint32_t c)
{
    return ola_params_modulus(p, c)->q;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void
write_key(struct ola_writer *w, const struct ola_params *p, const struct ola_switch *key,
          uint64_t *limb)
{
    ola_writer_put(w, key->seed, sizeof key->seed);
    for (uint32_t c = 0; c < p->chain; c++) {
        for (uint32_t d = 0; d < key->digits && ola_switch_has(p, key, c); d++) {
            ola_limb_load(limb, ola_switch_limb(p, key, c, d, 0), p->n, p->width[c]);
            ola_writer_residues(w, limb, p->n, ola_plan_wire_bits(prime(p, c)));
        }
    }
}

ola_status
ola_keys_save(const ola_keys *k, const char *path)
{
    if (k == NULL || path == NULL)
        return OLA_ERR_PARAM;
    const struct ola_params *p = k->params;
    uint64_t payload = 8 + (uint64_t)k->n_rotations * 8 + boot_wire_bytes(p);
    if (k->has_relin)
        payload += key_wire_bytes(p, k->relin.level);
    for (uint32_t r = 0; r < k->n_rotations; r++)
        payload += key_wire_bytes(p, k->rotation[r].level);
    uint64_t *limb = ola_alloc(p->n * sizeof *limb);
    if (limb == NULL)
        return OLA_ERR_NOMEM;
    struct ola_writer *w;
    ola_status s = ola_writer_open(path, 0666, OLA_FILE_REAL, OLA_FILE_KEYS, &p->literal, k->key_id,
                                   payload, &w);
    if (s == OLA_OK) {
        ola_writer_u32(w, k->has_relin ? k->relin.level : UINT32_MAX);
        ola_writer_u32(w, k->n_rotations);
        for (uint32_t r = 0; r < k->n_rotations; r++) {
            ola_writer_u32(w, k->step[r]);
            ola_writer_u32(w, k->rotation[r].level);
        }
        for (uint32_t i = 0; i < ola_keys_count(k); i++)
            write_key(w, p, ola_keys_at(k, i), limb);
        s = ola_writer_close(w, NULL, NULL);
    }
    ola_release(limb, p->n * sizeof *limb);
    return s;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void
read_key(struct ola_reader *r, const struct ola_params *p, struct ola_switch *key, uint64_t *limb)
{
    ola_reader_get(r, key->seed, sizeof key->seed);
    for (uint32_t c = 0; c < p->chain; c++) {
        for (uint32_t d = 0; d < key->digits && ola_switch_has(p, key, c); d++) {
            if (ola_reader_status(r) != OLA_OK)
                return;
            ola_reader_residues(r, limb, p->n, ola_plan_wire_bits(prime(p, c)), prime(p, c));
            ola_limb_store(ola_switch_limb(p, key, c, d, 0), limb, p->n, p->width[c]);
        }
    }
}

/* The rest of the payload must be exactly the keys of the table; only then room is made for them.
 */
static ola_status
make_room(const struct ola_params *p, const struct ola_reader *r, uint32_t relin_level, uint32_t n,
          const uint32_t *step, struct ola_keys **out)
{
    const uint32_t *level = step + n;
    uint64_t want = boot_wire_bytes(p);
    if (relin_level != UINT32_MAX && relin_level >= p->n_q)
        return OLA_ERR_FORMAT;
    if (relin_level != UINT32_MAX)
        want += key_wire_bytes(p, relin_level);
    for (uint32_t k = 0; k < n; k++) {
        if (level[k] >= p->n_q)
            return OLA_ERR_FORMAT;
        want += key_wire_bytes(p, level[k]);
    }
    if (want != ola_reader_left(r))
        return OLA_ERR_FORMAT;
    ola_status s = ola_keys_new(p, relin_level, n, step, level, out);
    return s == OLA_ERR_PARAM ? OLA_ERR_FORMAT : s;
}

static void
read_table(struct ola_reader *r, const struct ola_params *p, struct ola_keys **out)
{
    uint32_t relin_level = ola_reader_u32(r), n = ola_reader_u32(r);
    if (n >= p->slots || ola_reader_left(r) / 8 < n)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    if (ola_reader_status(r) != OLA_OK)
        return;
    size_t bytes = (size_t)n * 2 * sizeof(uint32_t);
    uint32_t *table = ola_alloc(bytes);
    if (table == NULL) {
        ola_reader_fail(r, OLA_ERR_NOMEM);
        return;
    }
    for (uint32_t k = 0; k < n; k++) {
        table[k] = ola_reader_u32(r);
        table[n + k] = ola_reader_u32(r);
    }
    if (ola_reader_status(r) == OLA_OK)
        ola_reader_fail(r, make_room(p, r, relin_level, n, table, out));
    ola_release(table, bytes);
}

static void
read_payload(struct ola_reader *r, const struct ola_params *p, struct ola_keys **out)
{
    read_table(r, p, out);
    if (ola_reader_status(r) != OLA_OK)
        return;
    uint64_t *limb = ola_alloc(p->n * sizeof *limb);
    if (limb == NULL) {
        ola_reader_fail(r, OLA_ERR_NOMEM);
        return;
    }
    for (uint32_t k = 0; k < ola_keys_count(*out); k++)
        read_key(r, p, ola_keys_at(*out, k), limb);
    ola_release(limb, p->n * sizeof *limb);
}

static ola_status
expand(const struct ola_params *p, struct ola_keys *k)
{
    const uint32_t count = ola_keys_count(k);
    ola_status all = OLA_OK;
#pragma omp parallel for schedule(dynamic)
    for (uint32_t r = 0; r < count; r++) {
        ola_status s = ola_switch_expand(p, ola_keys_at(k, r));
        if (s != OLA_OK) {
#pragma omp critical(ola_keys_status)
            all = s;
        }
    }
    return all;
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
    ola_keys *k = NULL;
    ola_status s = ola_reader_open(path, data, size, OLA_FILE_REAL, OLA_FILE_KEYS, &p->literal, &r);
    if (s != OLA_OK)
        return s;
    read_payload(r, p, &k);
    if (k != NULL)
        ola_reader_key_id(r, k->key_id);
    s = ola_reader_close(r);
    if (s == OLA_OK)
        s = expand(p, k);
    if (s != OLA_OK) {
        ola_keys_free(k);
        return s;
    }
    *out = k;
    return OLA_OK;
}
