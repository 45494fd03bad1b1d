/* import.c - the door of the room: which front end a file is for is seen from its content. */
#include "import/import.h"

#include "base/file.h"
#include "base/str.h"

#include <string.h>

/* protobuf itself ends here; larger models keep their weights in external data. */
#define MODEL_MAX ((size_t)2 << 30)

/* Text has no control characters but white space. Every ONNX file has some: its first field is the
 * number 8. */
static bool
is_text(const uint8_t *s, size_t size)
{
    for (size_t k = 0; k < size;) {
        size_t n = str_utf8((const char *)s + k, size - k);
        if (n == 0 || s[k] == 0x7f || (s[k] < 0x20 && !strchr("\t\n\f\r", s[k])) || s[k] == 0)
            return false;
        k += n;
    }
    return true;
}

static bool
begins(const uint8_t *data, size_t size, const char *with)
{
    size_t n = strlen(with);
    return size >= n && memcmp(data, with, n) == 0;
}

/* Files that are something else, and often come in place of a model. */
static bool
is_other(const uint8_t *data, size_t size, const char *path, struct diag *d)
{
    const char *what = NULL, *hint = NULL;

    if (begins(data, size, "version https://git-lfs")) {
        what = "a Git LFS pointer, not the model itself";
        hint = "fetch the file with: git lfs pull";
    } else if (begins(data, size, "\x1f\x8b") || begins(data, size, "PK\x03\x04") ||
               begins(data, size, "\x28\xb5\x2f\xfd") ||
               begins(data, size,
                      "\xfd"
                      "7zXZ")) {
        what = "an archive, not a model (or a PyTorch checkpoint)";
        hint = "unpack it, or export the network with torch.onnx.export";
    } else if (begins(data, size, "\x80\x02") || begins(data, size, "\x80\x04")) {
        what = "a Python pickle, not a model";
        hint = "export the network with torch.onnx.export";
    } else if (begins(data, size, "\x89HDF")) {
        what = "an HDF5 file, not a model";
        hint = "convert the network with tf2onnx";
    }
    if (!what)
        return false;
    diag_error(d, E_FORMAT, PLACE_FILE(path), "this is %s", what);
    diag_hint(d, "%s", hint);
    return true;
}

struct graph *
import_model(struct arena *a, const char *path, struct diag *d)
{
    struct arena *scratch = arena_new();
    const uint8_t *data;
    size_t size;
    struct graph *g = NULL;

    if (file_read(scratch, path, false, MODEL_MAX, &data, &size, d)) {
        const char *dir = file_dirname(scratch, path);
        if (size == 0)
            diag_error(d, E_EMPTY, PLACE_FILE(path), "the file is empty");
        else if (is_other(data, size, path, d))
            g = NULL;
        else if (is_text(data, size))
            g = import_dsl(a, path, dir, (const char *)data, size, d);
        else
            g = import_onnx(a, path, dir, data, size, d);
    }
    arena_free(scratch);
    return g;
}
