/* test_onnx_door.c - import_model: which front end takes a file, and files that are something else.
 */
#include "onnx_make.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *
temporary(struct arena *a, const void *bytes, size_t size, struct diag *d)
{
    const char *base = getenv("TMPDIR");
    char *path = arena_printf(a, "%s/olac-door-XXXXXX", base ? base : P_tmpdir);
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert(file_write(path, bytes, size, d));
    return path;
}

Test(onnx_door, a_model_by_its_content)
{
    struct maker *m = make_small();
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);
    const char *path = temporary(m->arena, bytes, size, m->diag);
    struct graph *g = import_model(m->arena, path, m->diag);
    cr_assert(g, "%s", all_messages(m->arena, m->diag));
    cr_expect_eq(g->nodes.len, 2);
    cr_expect_str_eq(g->file, path);
    cr_expect_str_eq(g->name, file_basename(path));
    unlink(path);
    make_free(m);
}

static void
refused(const void *bytes, size_t size, enum code code, const char *part)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    const char *path = temporary(a, bytes, size, d);
    cr_expect(!import_model(a, path, d));
    cr_expect(said(d, code, part), "wanted '%s', got: %s", part, all_messages(a, d));
    unlink(path);
    diag_free(d);
    arena_free(a);
}

Test(onnx_door, other_files)
{
    static const char lfs[] = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n";
    refused("", 0, E_EMPTY, "empty");
    refused(lfs, strlen(lfs), E_FORMAT, "Git LFS");
    refused("PK\x03\x04xxxx", 8, E_FORMAT, "archive");
    refused("\x1f\x8b\x08\0", 4, E_FORMAT, "archive");
    refused("\x80\x02}q", 4, E_FORMAT, "pickle");
    refused("\x89HDF\r\n", 6, E_FORMAT, "HDF5");
    refused("\x08\x07", 2, E_ONNX_TRUNCATED, "no graph");
}

Test(onnx_door, no_file)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    cr_expect(!import_model(a, "/nonexistent/model.onnx", d));
    cr_expect(said(d, E_OPEN, "No such file"));
    cr_expect(!import_model(a, "/", d));
    cr_expect(said(d, E_READ, "directory"));
    diag_free(d);
    arena_free(a);
}
