/* weights.c - the weights file of a compiled network: read once, checked, and searched by name. */
#include "file/file.h"
#include "ring/ring.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct ola_weights_header) == 88, "no padding");
_Static_assert(sizeof(struct ola_weights_section) == 80, "no padding");

struct ola_weights {
    uint8_t *bytes; /* the whole file */
    size_t size;
    uint32_t sections;
};

static struct ola_weights_section
section_at(const ola_weights *w, uint32_t k)
{
    struct ola_weights_section s;
    memcpy(&s, w->bytes + sizeof(struct ola_weights_header) + (size_t)k * sizeof s, sizeof s);
    return s;
}

/* What can be said from the header alone, before anything is allocated. */
static ola_status
check_header(const struct ola_weights_header *h, uint64_t size, const uint8_t model[32])
{
    if (h->magic != OLA_WEIGHTS_MAGIC)
        return OLA_ERR_FORMAT;
    if (h->version != OLA_WEIGHTS_VERSION)
        return OLA_ERR_VERSION;
    if (h->reserved != 0 || h->size != size ||
        h->sections > (size - sizeof *h) / sizeof(struct ola_weights_section))
        return OLA_ERR_FORMAT;
    return memcmp(h->model, model, 32) == 0 ? OLA_OK : OLA_ERR_MODEL;
}

/* Hash; sections inside the file behind the table, in order of their offsets and apart, names sane.
 */
static bool
check_body(const ola_weights *w, const struct ola_weights_header *h)
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, w->bytes + sizeof *h, w->size - sizeof *h, NULL, 0);
    if (memcmp(hash, h->hash, sizeof hash) != 0)
        return false;
    uint64_t end = sizeof *h + (uint64_t)h->sections * sizeof(struct ola_weights_section);
    for (uint32_t k = 0; k < h->sections; k++) {
        struct ola_weights_section s = section_at(w, k);
        if (s.name[0] == '\0' || memchr(s.name, '\0', sizeof s.name) == NULL || s.offset % 8 != 0 ||
            s.offset < end || s.offset > w->size || s.size > w->size - s.offset)
            return false;
        end = s.offset + s.size;
    }
    return true;
}

static ola_status
weights_new(size_t size, ola_weights **out)
{
    ola_weights *w = ola_alloc_zero(sizeof *w);
    if (w == NULL)
        return OLA_ERR_NOMEM;
    w->size = size;
    w->bytes = ola_alloc(size);
    if (w->bytes == NULL) {
        ola_release(w, sizeof *w);
        return OLA_ERR_NOMEM;
    }
    *out = w;
    return OLA_OK;
}

static ola_status
weights_finish(ola_weights *w, const struct ola_weights_header *h, ola_weights **out)
{
    /* The header again: the file may have changed under the reader. */
    if (memcmp(w->bytes, h, sizeof *h) != 0 || !check_body(w, h)) {
        ola_weights_close(w);
        return OLA_ERR_FORMAT;
    }
    w->sections = h->sections;
    *out = w;
    return OLA_OK;
}

ola_status
ola_weights_parse(const void *data, size_t size, const uint8_t model[32], ola_weights **out)
{
    struct ola_weights_header h;
    ola_weights *w = NULL;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (data == NULL || model == NULL)
        return OLA_ERR_PARAM;
    if (size < sizeof h)
        return OLA_ERR_FORMAT;
    memcpy(&h, data, sizeof h);
    ola_status s = check_header(&h, size, model);
    if (s == OLA_OK)
        s = weights_new(size, &w);
    if (s != OLA_OK)
        return s;
    memcpy(w->bytes, data, size);
    return weights_finish(w, &h, out);
}

/* Exactly `size` bytes. */
static ola_status
read_all(int fd, void *out, size_t size)
{
    uint8_t *p = out;
    while (size > 0) {
        ssize_t n = read(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? OLA_ERR_IO : OLA_ERR_FORMAT;
        p += n;
        size -= (size_t)n;
    }
    return OLA_OK;
}

static ola_status
read_fd(int fd, uint64_t file_size, const uint8_t model[32], ola_weights **out)
{
    struct ola_weights_header h;
    ola_weights *w = NULL;
    if (file_size < sizeof h)
        return OLA_ERR_FORMAT;
    size_t size = (size_t)file_size;
    ola_status s = read_all(fd, &h, sizeof h);
    if (s == OLA_OK)
        s = check_header(&h, size, model);
    if (s == OLA_OK)
        s = weights_new(size, &w);
    if (s != OLA_OK)
        return s;
    memcpy(w->bytes, &h, sizeof h);
    s = read_all(fd, w->bytes + sizeof h, size - sizeof h);
    if (s != OLA_OK) {
        ola_weights_close(w);
        return s;
    }
    return weights_finish(w, &h, out);
}

ola_status
ola_weights_open(const char *path, const uint8_t model[32], ola_weights **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (path == NULL || model == NULL)
        return OLA_ERR_PARAM;
    uint64_t size;
    int fd = ola_file_open(path, &size);
    if (fd < 0)
        return OLA_ERR_IO;
    ola_status s = read_fd(fd, size, model, out);
    int error = errno;
    close(fd);
    errno = error;
    return s;
}

ola_status
ola_weights_find(const ola_weights *w, const char *name, const void **section, size_t *size)
{
    if (section == NULL || size == NULL)
        return OLA_ERR_PARAM;
    *section = NULL;
    *size = 0;
    if (w == NULL || name == NULL)
        return OLA_ERR_PARAM;
    for (uint32_t k = 0; k < w->sections; k++) {
        struct ola_weights_section s = section_at(w, k);
        if (strcmp(s.name, name) == 0) {
            *section = w->bytes + s.offset;
            *size = (size_t)s.size;
            return OLA_OK;
        }
    }
    return OLA_ERR_FORMAT;
}

void
ola_weights_close(ola_weights *w)
{
    if (w == NULL)
        return;
    ola_release(w->bytes, w->size);
    ola_release(w, sizeof *w);
}
