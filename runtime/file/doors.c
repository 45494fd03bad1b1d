/* doors.c - public functions that both libraries have in common: those that write and read, to and
 * from a path or memory, and what the literal alone says of parameters. */
#include "file/file.h"

#include <string.h>

uint32_t
ola_params_slots(const ola_params *p)
{
    return (uint32_t)1 << (ola_params_literal(p)->log_n - 1);
}

void
ola_params_fingerprint(const ola_params *p, uint8_t out[32])
{
    ola_file_fingerprint(ola_params_literal(p), out);
}

bool
ola_params_of(const ola_params *p, const struct ola_literal *literal)
{
    uint8_t mine[32], other[32];
    ola_file_fingerprint(ola_params_literal(p), mine);
    ola_file_fingerprint(literal, other);
    return memcmp(mine, other, sizeof mine) == 0;
}

ola_status
ola_params_save(const ola_params *p, const char *path)
{
    if (p == NULL || path == NULL)
        return OLA_ERR_PARAM;
    return ola_file_write_params(path, ola_file_magic(), ola_params_literal(p));
}

static ola_status
params_read(const char *path, const void *data, size_t size, ola_params **out)
{
    struct ola_literal l;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    ola_status s = ola_file_read_params(path, data, size, ola_file_magic(), &l);
    return s == OLA_OK ? ola_params_new(&l, out) : s;
}

ola_status
ola_params_load(const char *path, ola_params **out)
{
    return params_read(path, NULL, 0, out);
}

ola_status
ola_params_parse(const void *data, size_t size, ola_params **out)
{
    return params_read(NULL, data, size, out);
}

ola_status
ola_keys_load(const ola_params *p, const char *path, ola_keys **out)
{
    return ola_file_keys_read(p, path, NULL, 0, out);
}

ola_status
ola_keys_parse(const ola_params *p, const void *data, size_t size, ola_keys **out)
{
    return ola_file_keys_read(p, NULL, data, size, out);
}

ola_status
ola_cts_save(const ola_params *p, const ola_ct *const *ct, uint32_t n, const char *path)
{
    return path == NULL ? OLA_ERR_PARAM : ola_file_cts_write(p, ct, n, path, NULL, NULL);
}

ola_status
ola_cts_bytes(const ola_params *p, const ola_ct *const *ct, uint32_t n, void **out, size_t *size)
{
    if (out == NULL || size == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    *size = 0;
    return ola_file_cts_write(p, ct, n, NULL, out, size);
}

ola_status
ola_cts_load(const ola_params *p, const char *path, ola_ct *const *ct, uint32_t n)
{
    return ola_file_cts_read(p, path, NULL, 0, ct, n);
}

ola_status
ola_cts_parse(const ola_params *p, const void *data, size_t size, ola_ct *const *ct, uint32_t n)
{
    return ola_file_cts_read(p, NULL, data, size, ct, n);
}
