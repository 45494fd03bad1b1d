/* folder.c - the generated files and the folder they belong in: written, or compared. */
#include "emit/room.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
failed(struct diag *d, const char *path, const char *what)
{
    diag_error(d, E_WRITE, PLACE_FILE(path), "%s: %s", what, strerror(errno));
    return false;
}

static bool
write_file(const char *path, const void *data, size_t size, struct diag *d)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return failed(d, path, "cannot write");
    bool ok = fwrite(data, 1, size, file) == size && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (!ok)
        failed(d, path, "cannot write");
    if (fclose(file) != 0 && ok)
        ok = failed(d, path, "cannot write");
    return ok;
}

/* Every file is complete under a temporary name before the first is renamed. */
bool
emit_write(const struct emitted *e, const char *dir, struct diag *d)
{
    struct arena *a = arena_new();
    uint32_t n = e->files.len, made = 0, renamed = 0;
    const char **temporary = ARENA_ARRAY(a, const char *, n + 1);
    bool ok = file_mkdirs(dir, d);

    while (ok && made < n) {
        const struct emitted_file *f = &e->files.at[made];
        temporary[made] =
            file_join(a, dir, arena_printf(a, ".%s.tmp-%ld", f->name, (long)getpid()));
        ok = write_file(temporary[made++], f->data, f->size, d);
    }
    while (ok && renamed < n) {
        const char *path = file_join(a, dir, e->files.at[renamed].name);
        if (rename(temporary[renamed], path) != 0)
            ok = failed(d, path, "cannot rename into place");
        else
            renamed++;
    }
    for (uint32_t i = renamed; i < made; i++)
        unlink(temporary[i]);
    arena_free(a);
    return ok;
}

static bool
is_text(const void *data, size_t size)
{
    return !size || !memchr(data, 0, size);
}

static bool
compare_file(struct arena *a, const struct emitted_file *f, const char *dir, struct str *diff,
             struct diag *d)
{
    const char *path = file_join(a, dir, f->name);
    const uint8_t *old;
    size_t size;
    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        str_addf(diff, "Only in the new output: %s\n", f->name);
        return true;
    }
    if (!file_read(a, path, false, OLAC_MAX_BYTES, &old, &size, d))
        return false;
    if (size == f->size && (!size || memcmp(old, f->data, size) == 0))
        return true;
    if (is_text(old, size) && is_text(f->data, f->size))
        emit_diff(a, f->name, (const char *)old, (const char *)f->data, diff);
    else
        str_addf(diff, "Binary files differ: %s (%zu and %zu bytes)\n", f->name, size, f->size);
    return true;
}

bool
emit_against(struct arena *a, const struct emitted *e, const char *dir, struct str *diff,
             struct diag *d)
{
    bool ok = true;
    for (uint32_t i = 0; i < e->files.len; i++)
        ok &= compare_file(a, &e->files.at[i], dir, diff, d);
    return ok;
}
