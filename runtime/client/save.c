/* save.c - the secret key's file: two bits a coefficient, readable by its owner alone. */
#include "client/client_internal.h"
#include "file/file.h"

#define SECRET_BITS 2 /* a coefficient plus one: 0, 1 or 2 */

ola_status
ola_client_save(const ola_client *c, const char *path)
{
    struct ola_writer *w;
    if (c == NULL || path == NULL)
        return OLA_ERR_PARAM;
    const uint32_t n = c->params->n;
    uint64_t *shifted = ola_alloc(n * sizeof *shifted);
    if (shifted == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t k = 0; k < n; k++)
        shifted[k] = (uint64_t)(c->secret[k] + 1);
    ola_status s = ola_writer_open(path, 0600, OLA_FILE_REAL, OLA_FILE_CLIENT, &c->params->literal,
                                   c->key_id, (uint64_t)n * SECRET_BITS / 8, &w);
    if (s == OLA_OK) {
        ola_writer_residues(w, shifted, n, SECRET_BITS);
        s = ola_writer_close(w, NULL, NULL);
    }
    ola_wipe(shifted, n * sizeof *shifted);
    ola_release(shifted, n * sizeof *shifted);
    return s;
}

static ola_status
read_secret(const struct ola_params *p, struct ola_reader *r, uint64_t *shifted, int8_t *secret,
            struct ola_client **out)
{
    uint8_t key_id[OLA_KEY_ID];
    ola_reader_key_id(r, key_id);
    ola_reader_residues(r, shifted, p->n, SECRET_BITS, 3);
    ola_status s = ola_reader_close(r);
    if (s != OLA_OK)
        return s;
    for (uint32_t k = 0; k < p->n; k++)
        secret[k] = (int8_t)((int)shifted[k] - 1);
    return ola_client_from_secret(p, secret, key_id, out);
}

ola_status
ola_client_load(const ola_params *p, const char *path, ola_client **out)
{
    struct ola_reader *r;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || path == NULL)
        return OLA_ERR_PARAM;
    ola_status s = ola_reader_open(path, NULL, 0, OLA_FILE_REAL, OLA_FILE_CLIENT, &p->literal, &r);
    if (s != OLA_OK)
        return s;
    const size_t bytes = p->n * (sizeof(uint64_t) + 1);
    uint64_t *room = ola_alloc(bytes);
    if (room == NULL) {
        ola_reader_fail(r, OLA_ERR_NOMEM);
        return ola_reader_close(r);
    }
    s = read_secret(p, r, room, (int8_t *)(room + p->n), out);
    ola_wipe(room, bytes);
    ola_release(room, bytes);
    return s;
}
