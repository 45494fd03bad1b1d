/* writer.c - the writing end of the container: buffered, hashed, to a temporary file or to memory.
 */
#include "file/file.h"
#include "plan/literal.h"
#include "ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "written as memory holds it");
_Static_assert(sizeof(struct ola_file_head) == 104, "no padding");

#define BUFFER 65536u

struct ola_writer {
    ola_status status;
    int error;  /* errno of the first failure */
    int fd;     /* -1: memory */
    char *path; /* final name, and behind its NUL the temporary one; NULL when written directly */
    size_t path_bytes;
    uint8_t *memory;
    size_t memory_size, memory_used;
    uint64_t left; /* of the payload */
    size_t used;   /* of the buffer */
    crypto_generichash_state hash;
    uint8_t buffer[BUFFER];
};

void
ola_file_fingerprint(const struct ola_literal *l, uint8_t out[32])
{
    uint8_t bytes[OLA_LITERAL_MAX_BYTES];
    size_t size = ola_literal_write(l, bytes);
    crypto_generichash(out, 32, bytes, size, NULL, 0);
}

static const char *
temporary_name(const struct ola_writer *w)
{
    return w->path + strlen(w->path) + 1;
}

void
ola_writer_fail(struct ola_writer *w, ola_status s)
{
    if (w->status == OLA_OK && s != OLA_OK) {
        w->status = s;
        w->error = errno;
    }
}

static void
flush(struct ola_writer *w)
{
    if (w->fd < 0) {
        memcpy(w->memory + w->memory_used, w->buffer, w->used);
        w->memory_used += w->used;
        w->used = 0;
        return;
    }
    for (size_t done = 0; done < w->used && w->status == OLA_OK;) {
        ssize_t n = write(w->fd, w->buffer + done, w->used - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            ola_writer_fail(w, OLA_ERR_IO);
    }
    w->used = 0;
}

static void
put_raw(struct ola_writer *w, const uint8_t *p, size_t size)
{
    while (size > 0 && w->status == OLA_OK) {
        size_t n = BUFFER - w->used < size ? BUFFER - w->used : size;
        memcpy(w->buffer + w->used, p, n);
        w->used += n;
        p += n;
        size -= n;
        if (w->used == BUFFER)
            flush(w);
    }
}

static void
put_hashed(struct ola_writer *w, const void *data, size_t size)
{
    crypto_generichash_update(&w->hash, data, size);
    put_raw(w, data, size);
}

/* A name beside the target that nobody else has. */
static ola_status
open_temporary(struct ola_writer *w, const char *path, unsigned mode)
{
    size_t length = strlen(path);
    w->path_bytes = 2 * length + 32;
    w->path = ola_alloc(w->path_bytes);
    if (w->path == NULL)
        return OLA_ERR_NOMEM;
    memcpy(w->path, path, length + 1);
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t tag;
        randombytes_buf(&tag, sizeof tag);
        snprintf(w->path + length + 1, length + 31, "%s.tmp-%016" PRIx64, path, tag);
        w->fd = open(temporary_name(w), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
        if (w->fd >= 0)
            return OLA_OK;
        if (errno != EEXIST)
            break;
    }
    return OLA_ERR_IO;
}

static ola_status
open_file(struct ola_writer *w, const char *path, unsigned mode)
{
    struct stat st;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
        return open_temporary(w, path, mode);
    w->fd = open(path, O_WRONLY | O_CLOEXEC); /* a folder says EISDIR */
    return w->fd >= 0 ? OLA_OK : OLA_ERR_IO;
}

static ola_status
open_memory(struct ola_writer *w, uint64_t payload)
{
    uint64_t size = sizeof(struct ola_file_head) + payload + OLA_FILE_HASH;
    if (size < payload || size > SIZE_MAX / 2)
        return OLA_ERR_NOMEM;
    w->memory_size = (size_t)size;
    w->memory = ola_alloc(w->memory_size);
    return w->memory != NULL ? OLA_OK : OLA_ERR_NOMEM;
}

/* Gives back all but the finished file or bytes. */
static void
writer_free(struct ola_writer *w)
{
    int error = w->error;
    if (w->fd >= 0)
        close(w->fd);
    if (w->path != NULL)
        ola_release(w->path, w->path_bytes);
    if (w->memory != NULL) {
        ola_wipe(w->memory, w->memory_size);
        ola_release(w->memory, w->memory_size);
    }
    ola_wipe(w, sizeof *w);
    ola_release(w, sizeof *w);
    errno = error;
}

ola_status
ola_writer_open(const char *path, unsigned mode, uint32_t magic, enum ola_file_kind kind,
                const struct ola_literal *l, const uint8_t *key_id, uint64_t payload,
                struct ola_writer **out)
{
    *out = NULL;
    if (sodium_init() < 0)
        return OLA_ERR_RANDOM;
    struct ola_writer *w = ola_alloc_zero(sizeof *w);
    if (w == NULL)
        return OLA_ERR_NOMEM;
    w->fd = -1;
    w->left = payload;
    ola_status s = path != NULL ? open_file(w, path, mode) : open_memory(w, payload);
    if (s != OLA_OK) {
        w->error = errno;
        writer_free(w);
        return s;
    }
    struct ola_file_head head = {.magic = magic,
                                 .version = OLA_FILE_VERSION,
                                 .kind = kind,
                                 .flags = l->insecure_toy ? OLA_FILE_TOY : 0,
                                 .payload = payload};
    ola_file_fingerprint(l, head.fingerprint);
    memcpy(head.model, l->model, 32);
    if (key_id != NULL)
        memcpy(head.key_id, key_id, sizeof head.key_id);
    crypto_generichash_init(&w->hash, NULL, 0, OLA_FILE_HASH);
    put_hashed(w, &head, sizeof head);
    *out = w;
    return OLA_OK;
}

void
ola_writer_put(struct ola_writer *w, const void *data, size_t size)
{
    if (size > w->left)
        ola_writer_fail(w, OLA_ERR_PARAM);
    if (w->status != OLA_OK)
        return;
    w->left -= size;
    put_hashed(w, data, size);
}

void
ola_writer_u32(struct ola_writer *w, uint32_t v)
{
    ola_writer_put(w, &v, sizeof v);
}

void
ola_writer_u64(struct ola_writer *w, uint64_t v)
{
    ola_writer_put(w, &v, sizeof v);
}

void
ola_writer_double(struct ola_writer *w, double v)
{
    ola_writer_put(w, &v, sizeof v);
}

void
ola_writer_residues(struct ola_writer *w, const uint64_t *v, size_t n, uint32_t bits)
{
    uint64_t packed[OLA_FILE_RUN + 1];
    for (size_t k = 0; k < n;) {
        const size_t run = n - k < OLA_FILE_RUN ? n - k : OLA_FILE_RUN;
        uint64_t word = 0;
        uint32_t held = 0; /* bits of word, below 64 */
        size_t used = 0;
        for (size_t end = k + run; k < end; k++) {
            word |= v[k] << held;
            held += bits;
            if (held >= 64) {
                packed[used++] = word;
                held -= 64;
                word = held == 0 ? 0 : v[k] >> (bits - held);
            }
        }
        packed[used] = word;
        ola_writer_put(w, packed, run * bits / 8);
    }
    ola_wipe(packed, sizeof packed); /* may be a secret's */
}

void
ola_bytes_free(void *bytes, size_t size)
{
    ola_release(bytes, size);
}

static void
finish_file(struct ola_writer *w)
{
    bool temporary = w->path != NULL;
    if (w->status == OLA_OK && temporary && fsync(w->fd) != 0)
        ola_writer_fail(w, OLA_ERR_IO);
    int closed = close(w->fd);
    w->fd = -1;
    if (closed != 0)
        ola_writer_fail(w, OLA_ERR_IO);
    if (w->status == OLA_OK && temporary && rename(temporary_name(w), w->path) != 0)
        ola_writer_fail(w, OLA_ERR_IO);
    if (w->status != OLA_OK && temporary)
        (void)unlink(temporary_name(w));
}

ola_status
ola_writer_close(struct ola_writer *w, void **bytes, size_t *size)
{
    if (w->left != 0)
        ola_writer_fail(w, OLA_ERR_PARAM);
    uint8_t hash[OLA_FILE_HASH];
    crypto_generichash_final(&w->hash, hash, sizeof hash);
    put_raw(w, hash, sizeof hash);
    if (w->status == OLA_OK)
        flush(w);
    if (w->fd >= 0)
        finish_file(w);
    if (bytes != NULL) {
        *bytes = w->status == OLA_OK ? w->memory : NULL;
        *size = w->status == OLA_OK ? w->memory_size : 0;
        if (w->status == OLA_OK)
            w->memory = NULL;
    }
    ola_status s = w->status;
    writer_free(w);
    return s;
}
