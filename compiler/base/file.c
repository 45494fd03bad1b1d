/* file.c - reading, unpacking and writing whole files; see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* A heap buffer that grows up to a limit; moved into an arena when it is complete. */
struct buffer {
    uint8_t *data;
    size_t len, cap, limit;
};

enum grown { GROWN, AT_LIMIT, NO_MEMORY };

/* Makes room for at least one byte more. */
static enum grown
grow(struct buffer *b)
{
    if (b->len < b->cap)
        return GROWN;
    if (b->cap >= b->limit)
        return AT_LIMIT;
    size_t cap = b->cap < 65536 ? 65536 : b->cap * 2;
    if (cap > b->limit || cap < b->cap)
        cap = b->limit;
    uint8_t *data = realloc(b->data, cap);
    if (!data)
        return NO_MEMORY;
    b->data = data;
    b->cap = cap;
    return GROWN;
}

static bool
fail(struct diag *d, enum code code, const char *path, const char *what, const char *why)
{
    diag_error(d, code, PLACE_FILE(path), "%s: %s", what, why);
    return false;
}

static bool
too_large(struct diag *d, const char *path, const char *what, size_t limit)
{
    diag_error(d, E_TOO_LARGE, PLACE_FILE(path), "%s more than %zu bytes, the most that olac takes",
               what, limit);
    return false;
}

/* Everything from a descriptor. A regular file says how large it is; a pipe doesn't. */
static bool
read_all(int fd, const char *path, struct buffer *b, struct diag *d)
{
    struct stat st;
    size_t limit = b->limit;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        if (st.st_size > 0 && (uintmax_t)st.st_size > limit)
            return too_large(d, path, "the file has", limit);
        b->data = malloc((size_t)st.st_size + 1);
        b->cap = b->data ? (size_t)st.st_size + 1 : 0;
    }
    b->limit = limit + 1; /* one byte more, to see that there is more */
    for (;;) {
        switch (grow(b)) {
        case GROWN:
            break;
        case AT_LIMIT:
            return too_large(d, path, "the file has", limit);
        case NO_MEMORY:
            return fail(d, E_TOO_LARGE, path, "cannot hold the file", strerror(ENOMEM));
        }
        size_t room = b->cap - b->len;
        ssize_t n = read(fd, b->data + b->len, room < INT_MAX ? room : INT_MAX);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(d, E_READ, path, "cannot read", strerror(errno));
        if (n == 0)
            break;
        b->len += (size_t)n;
    }
    return b->len <= limit || too_large(d, path, "the file has", limit);
}

/* Feeds z and drains it once; *done after the last member. */
static bool
inflate_step(z_stream *z, const struct buffer *in, struct buffer *out, bool *done, const char *path,
             struct diag *d)
{
    switch (grow(out)) {
    case GROWN:
        break;
    case AT_LIMIT:
        return too_large(d, path, "the file unpacks to", out->limit - 1);
    case NO_MEMORY:
        return fail(d, E_TOO_LARGE, path, "cannot unpack the file", strerror(ENOMEM));
    }
    size_t taken = (size_t)(z->next_in - in->data), left = in->len - taken,
           room = out->cap - out->len;
    z->avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
    z->next_out = out->data + out->len;
    z->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
    int rc = inflate(z, Z_NO_FLUSH);
    out->len = (size_t)(z->next_out - out->data);
    left = in->len - (size_t)(z->next_in - in->data);
    if (rc == Z_STREAM_END) {
        *done = left == 0;
        if (!*done && (left < 2 || z->next_in[0] != 0x1f || z->next_in[1] != 0x8b))
            return fail(d, E_GZIP, path, "damaged gzip file", "there are bytes behind its end");
        return inflateReset(z) == Z_OK ||
               fail(d, E_GZIP, path, "cannot unpack the file", "zlib failed");
    }
    if (rc == Z_MEM_ERROR)
        return fail(d, E_TOO_LARGE, path, "cannot unpack the file", strerror(ENOMEM));
    if (rc != Z_OK && rc != Z_BUF_ERROR)
        return fail(d, E_GZIP, path, "damaged gzip file", z->msg ? z->msg : "bad data");
    if (left == 0 && z->avail_out > 0)
        return fail(d, E_GZIP, path, "damaged gzip file", "it ends early");
    return true;
}

/* One or more gzip members, one behind the other. out->limit bounds the result. */
static bool
gunzip(const struct buffer *in, struct buffer *out, const char *path, struct diag *d)
{
    z_stream z = {.next_in = in->data};
    size_t limit = out->limit;
    bool done = false, ok = true;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return fail(d, E_TOO_LARGE, path, "cannot unpack the file", strerror(ENOMEM));
    out->limit = limit + 1;
    while (ok && !done)
        ok = inflate_step(&z, in, out, &done, path, d);
    inflateEnd(&z);
    return ok && (out->len <= limit || too_large(d, path, "the file unpacks to", limit));
}

bool
file_read(struct arena *a, const char *path, bool gz, size_t limit, const uint8_t **data,
          size_t *size, struct diag *d)
{
    struct buffer in = {.limit = limit < OLAC_MAX_BYTES ? limit : OLAC_MAX_BYTES};
    struct buffer out = {.limit = in.limit};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail(d, E_OPEN, path, "cannot open", strerror(errno));
    bool ok = read_all(fd, path, &in, d);
    close(fd);
    if (ok && gz && in.len >= 2 && in.data[0] == 0x1f && in.data[1] == 0x8b) {
        ok = gunzip(&in, &out, path, d);
        free(in.data);
        in = out;
    }
    if (ok) {
        uint8_t *copy = arena_alloc(a, in.len + 1);
        if (in.len)
            memcpy(copy, in.data, in.len);
        *data = copy;
        *size = in.len;
    }
    free(in.data);
    return ok;
}

static bool
write_all(int fd, const uint8_t *p, size_t size)
{
    while (size) {
        ssize_t n = write(fd, p, size < INT_MAX ? size : INT_MAX);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

/* Makes the new name durable. A file system that can't sync a folder doesn't matter here. */
static void
sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* A device or a pipe is written as it is: a rename would replace it. */
static bool
write_special(const char *path, const void *data, size_t size, struct diag *d)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), why = errno;
    bool ok = fd >= 0 && write_all(fd, data, size);
    if (fd >= 0)
        why = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    return ok || fail(d, E_WRITE, path, "cannot write", strerror(why));
}

bool
file_write(const char *path, const void *data, size_t size, struct diag *d)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return write_special(path, data, size, d);
    struct arena *a = arena_new();
    const char *tmp = arena_printf(a, "%s.tmp-%ld", path, (long)getpid());
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    bool ok = fd >= 0 && write_all(fd, data, size) && fsync(fd) == 0;
    int why = errno;

    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(tmp, path) != 0) {
        ok = false;
        why = errno;
    }
    if (!ok && fd >= 0)
        unlink(tmp);
    if (ok)
        sync_folder(file_dirname(a, path));
    else
        fail(d, E_WRITE, path, "cannot write", strerror(why));
    arena_free(a);
    return ok;
}

bool
file_mkdirs(const char *path, struct diag *d)
{
    struct arena *a = arena_new();
    char *p = arena_strdup(a, path);
    struct stat st;
    bool ok = true;

    for (char *s = p; ok && *s; s++) {
        while (*s == '/')
            s++;
        while (*s && *s != '/')
            s++;
        char end = *s;
        *s = 0;
        if (*p && mkdir(p, 0777) != 0 && errno != EEXIST)
            ok = fail(d, E_WRITE, p, "cannot make the folder", strerror(errno));
        *s = end;
        if (!end)
            break;
    }
    if (ok && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
        ok = fail(d, E_WRITE, path, "cannot make the folder", strerror(ENOTDIR));
    arena_free(a);
    return ok;
}

const char *
file_join(struct arena *a, const char *dir, const char *name)
{
    if (!dir || !*dir || *name == '/')
        return arena_strdup(a, name);
    return arena_printf(a, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}

const char *
file_dirname(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return arena_strdup(a, ".");
    return slash == path ? arena_strdup(a, "/") : arena_strndup(a, path, (size_t)(slash - path));
}

const char *
file_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
