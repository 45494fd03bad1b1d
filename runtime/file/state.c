/* state.c - a stopped evaluation: how far it was, what it began with, and the ciphertexts that it
 * held; once for both libraries, on the files of ciphertexts.
 *
 * Payload: place, n (u32), the hash of what it began with (the trailer of those ciphertexts' file),
 * n bytes (1: holds something), then a file of those that do, as it would be on its own. */
#include "file/file.h"

#include "ring/ring.h"

#include <string.h>

#define HEAD (4 + 4 + OLA_FILE_HASH)

static ola_status
hash_of(const ola_params *p, const ola_ct *const *in, uint32_t n, uint8_t hash[OLA_FILE_HASH])
{
    void *bytes;
    size_t size;
    ola_status s = ola_cts_bytes(p, in, n, &bytes, &size);
    if (s != OLA_OK)
        return s;
    memcpy(hash, (uint8_t *)bytes + size - OLA_FILE_HASH, OLA_FILE_HASH);
    ola_bytes_free(bytes, size);
    return OLA_OK;
}

/* The handles among ct that hold something, in order; their number. */
static uint32_t
gather(const ola_ct *const *ct, uint32_t n, const ola_ct **full)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < n; k++)
        if (ct[k] != NULL && ola_ct_scale(ct[k]) > 0)
            full[count++] = ct[k];
    return count;
}

static ola_status
write_state(const ola_params *p, const uint8_t hash[OLA_FILE_HASH], uint32_t place,
            const ola_ct *const *ct, uint32_t n, const ola_ct *const *full, uint32_t n_full,
            const char *path)
{
    void *bytes;
    size_t size;
    struct ola_writer *w;
    ola_status s = ola_cts_bytes(p, full, n_full, &bytes, &size);
    if (s != OLA_OK)
        return s;
    s = ola_writer_open(path, 0600, ola_file_magic(), OLA_FILE_STATE, ola_params_literal(p),
                        ((const struct ola_file_head *)bytes)->key_id, HEAD + n + size, &w);
    if (s == OLA_OK) {
        ola_writer_u32(w, place);
        ola_writer_u32(w, n);
        ola_writer_put(w, hash, OLA_FILE_HASH);
        for (uint32_t k = 0; k < n; k++) {
            uint8_t holds = ct[k] != NULL && ola_ct_scale(ct[k]) > 0;
            ola_writer_put(w, &holds, 1);
        }
        ola_writer_put(w, bytes, size);
        s = ola_writer_close(w, NULL, NULL);
    }
    ola_bytes_free(bytes, size);
    return s;
}

ola_status
ola_state_save(const ola_params *p, const ola_ct *const *in, uint32_t n_in, uint32_t place,
               const ola_ct *const *ct, uint32_t n, const char *path)
{
    uint8_t hash[OLA_FILE_HASH];
    if (p == NULL || in == NULL || ct == NULL || path == NULL || n == 0)
        return OLA_ERR_PARAM;
    ola_status s = hash_of(p, in, n_in, hash);
    if (s != OLA_OK)
        return s;
    const ola_ct **full = ola_alloc_zero(n * sizeof *full);
    if (full == NULL)
        return OLA_ERR_NOMEM;
    s = write_state(p, hash, place, ct, n, full, gather(ct, n, full), path);
    ola_release(full, n * sizeof *full);
    return s;
}

/* What a file says: which handles hold something, and the file of them. */
struct found {
    uint32_t place;
    uint8_t *holds; /* [n] */
    uint8_t *bytes;
    size_t size;
};

static void
read_state(struct ola_reader *r, const uint8_t hash[OLA_FILE_HASH], uint32_t n, struct found *f)
{
    uint8_t began[OLA_FILE_HASH];
    f->place = ola_reader_u32(r);
    if (ola_reader_u32(r) != n)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    ola_reader_get(r, began, sizeof began);
    ola_reader_get(r, f->holds, n);
    if (ola_reader_status(r) != OLA_OK)
        return;
    if (memcmp(began, hash, sizeof began) != 0) {
        ola_reader_fail(r, OLA_ERR_OTHER_RUN);
        return;
    }
    f->size = (size_t)ola_reader_left(r); /* of a regular file: bounded by what is there */
    f->bytes = ola_alloc(f->size);
    if (f->bytes == NULL)
        ola_reader_fail(r, OLA_ERR_NOMEM);
    else
        ola_reader_get(r, f->bytes, f->size);
}

static ola_status
parse_state(const ola_params *p, const struct found *f, ola_ct *const *ct, uint32_t n)
{
    ola_ct **full = ola_alloc_zero(n * sizeof *full);
    uint32_t count = 0;
    if (full == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t k = 0; k < n; k++)
        if (f->holds[k])
            full[count++] = ct[k];
    ola_status s = count == 0 ? OLA_ERR_FORMAT : ola_cts_parse(p, f->bytes, f->size, full, count);
    ola_release(full, n * sizeof *full);
    return s;
}

ola_status
ola_state_load(const ola_params *p, const ola_ct *const *in, uint32_t n_in, uint32_t *place,
               ola_ct *const *ct, uint32_t n, const char *path)
{
    uint8_t hash[OLA_FILE_HASH];
    struct found f = {0};
    struct ola_reader *r;
    if (p == NULL || in == NULL || place == NULL || ct == NULL || path == NULL || n == 0)
        return OLA_ERR_PARAM;
    ola_status s = hash_of(p, in, n_in, hash);
    if (s == OLA_OK)
        s = ola_reader_open(path, NULL, 0, ola_file_magic(), OLA_FILE_STATE, ola_params_literal(p),
                            &r);
    if (s != OLA_OK)
        return s;
    f.holds = ola_alloc_zero(n);
    if (f.holds == NULL)
        ola_reader_fail(r, OLA_ERR_NOMEM);
    else
        read_state(r, hash, n, &f);
    s = ola_reader_close(r);
    if (s == OLA_OK)
        s = parse_state(p, &f, ct, n);
    if (s == OLA_OK)
        *place = f.place;
    ola_release(f.bytes, f.size);
    ola_release(f.holds, n);
    return s;
}
