/* test_file.c - files that are there, aren't, are too large, or are gzip; and writing by rename. */
#include "base/file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct bench {
    struct arena *a;
    struct diag *d;
    char *dir;
};

static struct bench
bench_new(void)
{
    struct bench b = {arena_new(), diag_new(), NULL};
    const char *base = getenv("TMPDIR");
    b.dir = arena_printf(b.a, "%s/olac-file-XXXXXX", base ? base : P_tmpdir);
    cr_assert(mkdtemp(b.dir));
    return b;
}

static const char *
in(struct bench *b, const char *name)
{
    return file_join(b->a, b->dir, name);
}

/* Removes the folder; it must hold nothing but these files. */
static void
bench_free(struct bench *b, const char *file)
{
    if (file)
        cr_expect_eq(unlink(in(b, file)), 0);
    cr_expect_eq(rmdir(b->dir), 0, "something was left behind");
    diag_free(b->d);
    arena_free(b->a);
}

static enum code
last(const struct bench *b)
{
    cr_assert_gt(diag_count(b->d), 0);
    return diag_at(b->d, diag_count(b->d) - 1)->code;
}

Test(file, write_and_read)
{
    struct bench b = bench_new();
    const uint8_t *data;
    size_t size;
    cr_assert(file_write(in(&b, "x"), "one", 3, b.d));
    cr_assert(file_write(in(&b, "x"), "other", 5, b.d));
    cr_assert(file_read(b.a, in(&b, "x"), false, 5, &data, &size, b.d));
    cr_expect_eq(size, 5);
    cr_expect_str_eq((const char *)data, "other");
    cr_assert(file_write(in(&b, "x"), NULL, 0, b.d));
    cr_assert(file_read(b.a, in(&b, "x"), true, 5, &data, &size, b.d));
    cr_expect_eq(size, 0);
    cr_expect_eq(data[0], 0);
    cr_expect_eq(diag_count(b.d), 0);
    bench_free(&b, "x");
}

Test(file, cannot)
{
    struct bench b = bench_new();
    const uint8_t *data;
    size_t size;
    cr_expect(!file_read(b.a, in(&b, "none"), false, 5, &data, &size, b.d));
    cr_expect_eq(last(&b), E_OPEN);
    cr_expect(!file_read(b.a, b.dir, false, 5, &data, &size, b.d));
    cr_expect_eq(last(&b), E_READ);
    cr_expect(!file_write(in(&b, "no/folder"), "x", 1, b.d));
    cr_expect_eq(last(&b), E_WRITE);
    /* A folder stands where the file should go: the rename fails and nothing is left behind. */
    cr_assert_eq(mkdir(in(&b, "taken"), 0777), 0);
    cr_expect(!file_write(in(&b, "taken"), "x", 1, b.d));
    cr_expect_eq(last(&b), E_WRITE);
    cr_assert_eq(rmdir(in(&b, "taken")), 0);
    bench_free(&b, NULL);
}

Test(file, too_large)
{
    struct bench b = bench_new();
    const uint8_t *data;
    size_t size;
    cr_assert(file_write(in(&b, "x"), "123456", 6, b.d));
    cr_expect(file_read(b.a, in(&b, "x"), false, 6, &data, &size, b.d));
    cr_expect(!file_read(b.a, in(&b, "x"), false, 5, &data, &size, b.d));
    cr_expect_eq(last(&b), E_TOO_LARGE);
    /* A file without an end: not a regular one, which doesn't say its size. */
    cr_expect(!file_read(b.a, "/dev/zero", false, 1 << 20, &data, &size, b.d));
    cr_expect_eq(last(&b), E_TOO_LARGE);
    bench_free(&b, "x");
}

/* Writes a gzip file of n bytes 'a'. */
static void
write_gz(struct bench *b, const char *name, size_t n)
{
    char *text = arena_alloc(b->a, n);
    memset(text, 'a', n);
    gzFile f = gzopen(in(b, name), "ab"); /* appends a member */
    cr_assert_eq(gzwrite(f, text, (unsigned)n), (int)n);
    cr_assert_eq(gzclose(f), Z_OK);
}

Test(file, gzip)
{
    struct bench b = bench_new();
    const uint8_t *data, *packed;
    size_t size, n;
    write_gz(&b, "x", 100000);
    cr_assert(file_read(b.a, in(&b, "x"), true, 100000, &data, &size, b.d));
    cr_expect_eq(size, 100000);
    cr_expect(data[0] == 'a' && data[99999] == 'a' && data[100000] == 0);
    cr_assert(file_read(b.a, in(&b, "x"), false, 100000, &packed, &n, b.d));
    cr_expect_lt(n, 1000, "not unpacked where gzip isn't wanted");
    cr_expect(!file_read(b.a, in(&b, "x"), true, 99999, &data, &size, b.d));
    cr_expect_eq(last(&b), E_TOO_LARGE);

    write_gz(&b, "x", 7); /* a second member */
    cr_assert(file_read(b.a, in(&b, "x"), true, 200000, &data, &size, b.d));
    cr_expect_eq(size, 100007);
    bench_free(&b, "x");
}

Test(file, damaged_gzip)
{
    struct bench b = bench_new();
    const uint8_t *data, *good;
    size_t size, n;
    write_gz(&b, "x", 500);
    cr_assert(file_read(b.a, in(&b, "x"), false, 1000, &good, &n, b.d));
    for (size_t cut = 2; cut < n; cut++) {
        cr_assert(file_write(in(&b, "x"), good, cut, b.d));
        cr_assert(!file_read(b.a, in(&b, "x"), true, 1000, &data, &size, b.d), "%zu bytes", cut);
        cr_expect_eq(last(&b), E_GZIP, "%zu bytes", cut);
    }
    uint8_t *bad = arena_alloc(b.a, n + 4);
    memcpy(bad, good, n);
    bad[n - 5] ^= 1; /* the checksum */
    cr_assert(file_write(in(&b, "x"), bad, n, b.d));
    cr_assert(!file_read(b.a, in(&b, "x"), true, 1000, &data, &size, b.d));
    cr_expect_eq(last(&b), E_GZIP);
    memcpy(bad, good, n);
    memcpy(bad + n, "tail", 4);
    cr_assert(file_write(in(&b, "x"), bad, n + 4, b.d));
    cr_assert(!file_read(b.a, in(&b, "x"), true, 1000, &data, &size, b.d));
    cr_expect_eq(last(&b), E_GZIP);
    bench_free(&b, "x");
}

Test(file, folders)
{
    struct bench b = bench_new();
    struct stat st;
    cr_assert(file_mkdirs(in(&b, "a/b//c/"), b.d));
    cr_assert(file_mkdirs(in(&b, "a/b/c"), b.d));
    cr_assert(stat(in(&b, "a/b/c"), &st) == 0 && S_ISDIR(st.st_mode));
    cr_assert(file_write(in(&b, "a/x"), "", 0, b.d));
    cr_expect(!file_mkdirs(in(&b, "a/x"), b.d));
    cr_expect_eq(last(&b), E_WRITE);
    cr_expect(!file_mkdirs(in(&b, "a/x/y"), b.d));
    cr_expect(file_mkdirs("/", b.d));
    unlink(in(&b, "a/x"));
    rmdir(in(&b, "a/b/c"));
    rmdir(in(&b, "a/b"));
    rmdir(in(&b, "a"));
    bench_free(&b, NULL);
}

Test(file, names)
{
    struct arena *a = arena_new();
    cr_expect_str_eq(file_join(a, "dir", "x"), "dir/x");
    cr_expect_str_eq(file_join(a, "dir/", "x"), "dir/x");
    cr_expect_str_eq(file_join(a, "", "x"), "x");
    cr_expect_str_eq(file_join(a, "dir", "/x"), "/x");
    cr_expect_str_eq(file_dirname(a, "a/b/c"), "a/b");
    cr_expect_str_eq(file_dirname(a, "c"), ".");
    cr_expect_str_eq(file_dirname(a, "/c"), "/");
    cr_expect_str_eq(file_basename("a/b/c"), "c");
    cr_expect_str_eq(file_basename("c"), "c");
    arena_free(a);
}
