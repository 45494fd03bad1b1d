/* reader.c - the reading end of the container: every byte hostile, hashed on its way, from a file
 * or memory. */
#include "file/file.h"
#include "ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "read as memory holds it");

#define BUFFER 65536u

struct ola_reader {
    ola_status status;
    int error; /* errno of the first failure */
    int fd;    /* -1: memory */
    const uint8_t *memory;
    size_t memory_left;
    uint64_t left; /* of the payload */
    struct ola_file_head head;
    crypto_generichash_state hash;
    size_t at, end; /* of the buffer */
    uint8_t buffer[BUFFER];
};

void
ola_reader_fail(struct ola_reader *r, ola_status s)
{
    if (r->status == OLA_OK && s != OLA_OK) {
        r->status = s;
        r->error = errno;
    }
}

ola_status
ola_reader_status(const struct ola_reader *r)
{
    return r->status;
}

void
ola_reader_key_id(const struct ola_reader *r, uint8_t out[OLA_KEY_ID])
{
    memcpy(out, r->head.key_id, OLA_KEY_ID);
}

uint64_t
ola_reader_left(const struct ola_reader *r)
{
    return r->left;
}

/* Fills the empty buffer; false at the end of the file or on an error. */
static bool
refill(struct ola_reader *r)
{
    ssize_t n;
    if (r->fd < 0) {
        n = (ssize_t)(r->memory_left < BUFFER ? r->memory_left : BUFFER);
        if (n > 0)
            memcpy(r->buffer, r->memory, (size_t)n);
        r->memory += n;
        r->memory_left -= (size_t)n;
    } else {
        do
            n = read(r->fd, r->buffer, BUFFER);
        while (n < 0 && errno == EINTR);
        if (n < 0)
            ola_reader_fail(r, OLA_ERR_IO);
    }
    r->at = 0;
    r->end = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static void
get_raw(struct ola_reader *r, void *out, size_t size)
{
    uint8_t *p = out;
    while (size > 0 && r->status == OLA_OK) {
        if (r->at == r->end && !refill(r)) {
            ola_reader_fail(r, OLA_ERR_FORMAT);
            break;
        }
        size_t n = r->end - r->at < size ? r->end - r->at : size;
        memcpy(p, r->buffer + r->at, n);
        r->at += n;
        p += n;
        size -= n;
    }
}

static void
reader_free(struct ola_reader *r)
{
    int error = r->error;
    if (r->fd >= 0)
        close(r->fd);
    ola_wipe(r, sizeof *r);
    ola_release(r, sizeof *r);
    errno = error;
}

int
ola_file_open(const char *path, uint64_t *size)
{
    struct stat st;
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer must not hang */
    if (fd < 0)
        return -1;
    int error = fstat(fd, &st) != 0   ? errno
                : S_ISREG(st.st_mode) ? 0
                : S_ISDIR(st.st_mode) ? EISDIR
                                      : ESPIPE;
    if (error != 0) {
        close(fd);
        errno = error;
        return -1;
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

/* Whether the head tells the truth. */
static void
check_size(struct ola_reader *r, uint64_t size)
{
    const uint64_t around = sizeof r->head + OLA_FILE_HASH;
    if (size < around || r->head.payload != size - around)
        ola_reader_fail(r, OLA_ERR_FORMAT);
}

static void
check_head(struct ola_reader *r, uint32_t magic, enum ola_file_kind kind)
{
    const struct ola_file_head *h = &r->head;
    if (h->magic != magic)
        ola_reader_fail(r, h->magic == OLA_FILE_REAL || h->magic == OLA_FILE_SIM ? OLA_ERR_SIM
                                                                                 : OLA_ERR_FORMAT);
    else if (h->version != OLA_FILE_VERSION)
        ola_reader_fail(r, OLA_ERR_VERSION);
    else if (h->kind != (uint32_t)kind || (h->flags & ~OLA_FILE_TOY) != 0 ||
             sodium_is_zero(h->key_id, sizeof h->key_id) != (kind == OLA_FILE_PARAMS))
        ola_reader_fail(r, OLA_ERR_FORMAT);
}

void
ola_reader_match(struct ola_reader *r, const struct ola_literal *l)
{
    uint8_t fingerprint[32];
    ola_file_fingerprint(l, fingerprint);
    if ((r->head.flags & OLA_FILE_TOY) != (l->insecure_toy ? OLA_FILE_TOY : 0))
        ola_reader_fail(r, OLA_ERR_TOY);
    else if (memcmp(r->head.model, l->model, 32) != 0)
        ola_reader_fail(r, OLA_ERR_MODEL);
    else if (memcmp(r->head.fingerprint, fingerprint, 32) != 0)
        ola_reader_fail(r, OLA_ERR_FINGERPRINT);
}

ola_status
ola_reader_open(const char *path, const void *data, size_t size, uint32_t magic,
                enum ola_file_kind kind, const struct ola_literal *l, struct ola_reader **out)
{
    *out = NULL;
    if (path == NULL && data == NULL)
        return OLA_ERR_PARAM;
    if (sodium_init() < 0)
        return OLA_ERR_RANDOM;
    struct ola_reader *r = ola_alloc_zero(sizeof *r);
    if (r == NULL)
        return OLA_ERR_NOMEM;
    r->fd = -1;
    r->memory = data;
    r->memory_left = size;
    uint64_t total = size;
    if (path != NULL) {
        r->fd = ola_file_open(path, &total);
        if (r->fd < 0)
            ola_reader_fail(r, OLA_ERR_IO);
    }
    get_raw(r, &r->head, sizeof r->head);
    if (r->status == OLA_OK)
        check_head(r, magic, kind);
    if (r->status == OLA_OK)
        check_size(r, total);
    if (r->status == OLA_OK && l != NULL)
        ola_reader_match(r, l);
    if (r->status != OLA_OK) {
        ola_status s = r->status;
        reader_free(r);
        return s;
    }
    r->left = r->head.payload;
    crypto_generichash_init(&r->hash, NULL, 0, OLA_FILE_HASH);
    crypto_generichash_update(&r->hash, (const uint8_t *)&r->head, sizeof r->head);
    *out = r;
    return OLA_OK;
}

void
ola_reader_get(struct ola_reader *r, void *out, size_t size)
{
    if (size > r->left)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    if (r->status == OLA_OK) {
        r->left -= size;
        get_raw(r, out, size);
    }
    if (r->status == OLA_OK)
        crypto_generichash_update(&r->hash, out, size);
    else
        memset(out, 0, size);
}

uint32_t
ola_reader_u32(struct ola_reader *r)
{
    uint32_t v;
    ola_reader_get(r, &v, sizeof v);
    return v;
}

uint64_t
ola_reader_u64(struct ola_reader *r)
{
    uint64_t v;
    ola_reader_get(r, &v, sizeof v);
    return v;
}

double
ola_reader_double(struct ola_reader *r)
{
    double v;
    ola_reader_get(r, &v, sizeof v);
    return v;
}

void
ola_reader_residues(struct ola_reader *r, uint64_t *v, size_t n, uint32_t bits, uint64_t q)
{
    uint8_t packed[(OLA_FILE_RUN + 1) * sizeof(uint64_t)] = {0}; /* read eight bytes at a time */
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint64_t above = 0;
    for (size_t k = 0; k < n; k += OLA_FILE_RUN) {
        const size_t run = n - k < OLA_FILE_RUN ? n - k : OLA_FILE_RUN;
        ola_reader_get(r, packed, run * bits / 8);
        for (size_t i = 0; i < run; i++) {
            uint64_t word;
            memcpy(&word, packed + i * bits / 8, sizeof word);
            v[k + i] = word >> (i * bits % 8) & mask;
            above |= v[k + i] >= q;
        }
    }
    ola_wipe(packed, sizeof packed); /* may be a secret's */
    if (above)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    if (r->status != OLA_OK)
        memset(v, 0, n * sizeof *v);
}

ola_status
ola_reader_close(struct ola_reader *r)
{
    uint8_t want[OLA_FILE_HASH], is[OLA_FILE_HASH];
    if (r->left != 0)
        ola_reader_fail(r, OLA_ERR_FORMAT);
    crypto_generichash_final(&r->hash, want, sizeof want);
    get_raw(r, is, sizeof is);
    if (r->status == OLA_OK &&
        (sodium_memcmp(want, is, sizeof is) != 0 || r->at != r->end || refill(r)))
        ola_reader_fail(r, OLA_ERR_FORMAT);
    ola_status s = r->status;
    reader_free(r);
    return s;
}
