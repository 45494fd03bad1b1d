/* onnx_external.c - data of tensors in files beside the model. Such a file must lie in the model's
 * folder, is read once, and can't be made into much more memory than it has bytes. */
#include "import/onnx.h"

#include "base/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How often the bytes of one file may be used: tensors do share weights, but not without end. */
#define MAX_SHARED 4

struct entry {
    const char *location;
    uint64_t offset, length;
    bool has_length;
};

static bool
fail(struct onnx *x, const char *node, const char *what, const char *why)
{
    diag_error(x->diag, E_ONNX_EXTERNAL, onnx_at(x, node), "%s: %s", what, why);
    return false;
}

/* Digits only, below 2^63. */
static bool
decimal(const char *s, uint64_t *v)
{
    *v = 0;
    if (!s || !*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || *v > (INT64_MAX - 9) / 10)
            return false;
        *v = *v * 10 + (uint64_t)(*s - '0');
    }
    return true;
}

static bool
read_entries(struct onnx *x, const Onnx__TensorProto *t, const char *node, const char *what,
             struct entry *e)
{
    for (size_t k = 0; k < t->n_external_data; k++) {
        const char *key = t->external_data[k]->key, *value = t->external_data[k]->value;
        if (!key || !value)
            return fail(x, node, what, "an entry of its external data has no key or no value");
        if (strcmp(key, "location") == 0)
            e->location = value;
        else if (strcmp(key, "offset") == 0 && !decimal(value, &e->offset))
            return fail(x, node, what, "the offset of its external data is not a number");
        else if (strcmp(key, "length") == 0 && !decimal(value, &e->length))
            return fail(x, node, what, "the length of its external data is not a number");
        e->has_length |= strcmp(key, "length") == 0;
    }
    return e->location ? true : fail(x, node, what, "its external data name no file");
}

/* True when one part of the path is "..". */
static bool
climbs(const char *path)
{
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.')
            return true;
        path += n + (path[n] == '/');
    }
    return false;
}

/* The real path of the file, which must be a regular file below the real folder of the model. */
static const char *
find(struct onnx *x, const char *node, const char *what, const char *location)
{
    const char *why = NULL;
    struct stat st;

    if (!x->dir)
        why = "the model has no folder";
    else if (*location == '/' || !*location || climbs(location))
        why = "the path is not inside the model's folder";
    if (why) {
        diag_error(x->diag, E_ONNX_EXTERNAL, onnx_at(x, node), "%s: external data in '%s': %s",
                   what, location, why);
        return NULL;
    }
    char *dir = realpath(*x->dir ? x->dir : ".", NULL);
    char *path = realpath(file_join(x->scratch, x->dir, location), NULL);
    size_t n = dir ? strlen(dir) : 0;
    const char *found = NULL;
    if (!dir || !path || stat(path, &st) != 0)
        why = "there is no such file";
    else if (strncmp(dir, path, n) != 0 || (n > 1 && path[n] != '/'))
        why = "a symbolic link leads out of the model's folder";
    else if (!S_ISREG(st.st_mode))
        why = "that is not a regular file";
    else
        found = arena_strdup(x->scratch, path);
    if (why)
        diag_error(x->diag, E_ONNX_EXTERNAL, onnx_at(x, node), "%s: external data in '%s': %s",
                   what, location, why);
    free(dir);
    free(path);
    return found;
}

static struct onnx_external *
load(struct onnx *x, const char *path)
{
    struct onnx_external e = {0};
    uint32_t at;

    if (map_get(&x->external_of, path, &at))
        return x->externals.at[at].data ? &x->externals.at[at] : NULL;
    bool ok = file_read(x->scratch, path, false, OLAC_MAX_BYTES, &e.data, &e.size, x->diag);
    map_set(x->scratch, &x->external_of, path, x->externals.len);
    vec_push(x->scratch, &x->externals, e);
    return ok ? &x->externals.at[x->externals.len - 1] : NULL;
}

const uint8_t *
onnx_external_bytes(struct onnx *x, const Onnx__TensorProto *t, const char *node, const char *what,
                    size_t need)
{
    struct entry e = {0};

    if (!read_entries(x, t, node, what, &e))
        return NULL;
    const char *path = find(x, node, what, e.location);
    struct onnx_external *file = path ? load(x, path) : NULL;
    if (!file)
        return NULL;
    if (e.has_length && e.length != need) {
        diag_error(x->diag, E_ONNX_EXTERNAL, onnx_at(x, node),
                   "%s: its external data are said to have %" PRIu64
                   " bytes, but its shape needs %zu",
                   what, e.length, need);
        return NULL;
    }
    if (e.offset > file->size || file->size - e.offset < need) {
        diag_error(x->diag, E_ONNX_EXTERNAL, onnx_at(x, node),
                   "%s: needs bytes %" PRIu64 " to %" PRIu64 " of '%s', which has %zu", what,
                   e.offset, e.offset + need, e.location, file->size);
        return NULL;
    }
    if (need > file->size * MAX_SHARED - file->taken) {
        diag_error(x->diag, E_ONNX_EXTERNAL, onnx_at(x, node),
                   "%s: more than %d times the bytes of '%s' are used", what, MAX_SHARED,
                   e.location);
        return NULL;
    }
    file->taken += need;
    crypto_generichash_update(&x->hash, file->data + e.offset, need);
    return file->data + e.offset;
}
