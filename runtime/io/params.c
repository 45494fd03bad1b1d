/* params.c - parameters to and from files. */
#include "ckks/ckks.h"
#include "file/file.h"

ola_status
ola_params_save(const ola_params *p, const char *path)
{
    if (p == NULL || path == NULL)
        return OLA_ERR_PARAM;
    return ola_file_write_params(path, OLA_FILE_REAL, &p->literal);
}

static ola_status
params_read(const char *path, const void *data, size_t size, ola_params **out)
{
    struct ola_literal l;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    ola_status s = ola_file_read_params(path, data, size, OLA_FILE_REAL, &l);
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
