/* params.c - parameter files: the literal's bytes in the container. */
#include "file/file.h"
#include "plan/literal.h"

ola_status
ola_file_write_params(const char *path, uint32_t magic, const struct ola_literal *l)
{
    uint8_t bytes[OLA_LITERAL_MAX_BYTES];
    size_t size = ola_literal_write(l, bytes);
    struct ola_writer *w;
    ola_status s = ola_writer_open(path, 0666, magic, OLA_FILE_PARAMS, l, NULL, size, &w);
    if (s != OLA_OK)
        return s;
    ola_writer_put(w, bytes, size);
    return ola_writer_close(w, NULL, NULL);
}

ola_status
ola_file_read_params(const char *path, const void *data, size_t size, uint32_t magic,
                     struct ola_literal *l)
{
    struct ola_reader *r;
    ola_status s = ola_reader_open(path, data, size, magic, OLA_FILE_PARAMS, NULL, &r);
    if (s != OLA_OK)
        return s;
    uint8_t bytes[OLA_LITERAL_MAX_BYTES];
    size_t left = ola_reader_left(r) <= sizeof bytes ? (size_t)ola_reader_left(r) : 0;
    ola_reader_get(r, bytes, left);
    if (ola_literal_read(l, bytes, left))
        ola_reader_match(r, l);
    else
        ola_reader_fail(r, OLA_ERR_FORMAT);
    return ola_reader_close(r);
}
