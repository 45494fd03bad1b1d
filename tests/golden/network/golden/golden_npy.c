/* golden_npy.c - the .npy files of the program golden. Generated; do not edit.
 *
 * made by   olac 0.1.0
 * network   golden
 * model     BLAKE2b-256 766d56875ce3ca2c12ee4eac3648bb81a0116a93d2125ab3aaa61f8c1ac6dab9
 * options   degree 0 (chosen), 0 calibration images
 * security  128 bits (classical)
 * ring      log N = 13, log QP = 202.0, 3 levels
 * keys      5 rotations, relinearisation, 4653056 bytes
 *
 * Every byte of a file is checked before it is used. */
#define _POSIX_C_SOURCE 200809L
#include "golden_program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NPY_MAX_HEADER 65536

/* The text behind key and colon in a .npy header, or NULL. */
static const char *
npy_value(const char *header, const char *key)
{
    const char *s = strstr(header, key);
    if (!s)
        return NULL;
    s += strlen(key);
    while (*s == ' ' || *s == ':')
        s++;
    return s;
}

/* The number of elements of a shape "(2, 3)", its first dimension in *first; 0: no good. */
static uint64_t
npy_shape(const char *s, uint64_t *first)
{
    uint64_t elements = 1;
    int rank = 0;
    if (!s || *s++ != '(')
        return 0;
    while (*s != ')') {
        char *end;
        if (*s < '0' || *s > '9')
            return 0;
        errno = 0;
        unsigned long long dim = strtoull(s, &end, 10);
        if (errno || dim == 0 || dim > UINT32_MAX || elements > UINT64_C(0xFFFFFFFFFF) / dim)
            return 0;
        elements *= dim;
        if (rank++ == 0)
            *first = dim;
        for (s = end; *s == ' ' || *s == ',' || *s == 'L'; s++)
            ;
    }
    return rank ? elements : 0;
}

/* Reads the header, NUL-terminated, into `header`. */
static int
npy_header(struct golden_images *in, char header[NPY_MAX_HEADER + 1])
{
    unsigned char head[12];
    if (fread(head, 1, 10, in->file) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
        return golden_fail(in->path, "not a .npy file");
    size_t size = head[8] | (size_t)head[9] << 8;
    if (head[6] > 1) {
        if (fread(head + 10, 1, 2, in->file) != 2)
            return golden_fail(in->path, "not a .npy file");
        size |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    }
    if (size > NPY_MAX_HEADER || fread(header, 1, size, in->file) != size)
        return golden_fail(in->path, "damaged .npy header");
    header[size] = 0;
    return 0;
}

static int
npy_check(struct golden_images *in, const char *header)
{
    const char *type = npy_value(header, "'descr'"), *order = npy_value(header, "'fortran_order'");
    uint64_t first = 0, elements = npy_shape(npy_value(header, "'shape'"), &first);

    if (!type || !order || !elements)
        return golden_fail(in->path, "damaged .npy header, or no images in it");
    in->bytes = strncmp(type, "'|u1'", 5) == 0;
    if (!in->bytes && strncmp(type, "'<f4'", 5) != 0)
        return golden_fail(in->path, "elements are neither float32 nor uint8");
    if (strncmp(order, "False", 5) != 0)
        return golden_fail(in->path, "in Fortran order; save it in C order");
    uint64_t rows = elements / GOLDEN_INPUT_SIZE;
    if (elements % GOLDEN_INPUT_SIZE || rows > UINT32_MAX || (rows != 1 && rows != first))
        return golden_fail(in->path, "%llu numbers in rows of %llu: the network takes rows of %u",
                        (unsigned long long)elements, (unsigned long long)(elements / first),
                        (unsigned)GOLDEN_INPUT_SIZE);
    in->rows = (uint32_t)rows;
    return 0;
}

void
golden_images_close(struct golden_images *in)
{
    if (in->file)
        fclose(in->file);
    in->file = NULL;
}

int
golden_images_open(const struct golden_options *o, struct golden_images *in)
{
    *in = (struct golden_images){.path = o->input};
    if (!o->input)
        return golden_fail(o->command, "--input FILE.npy is missing");
    in->file = fopen(o->input, "rb");
    if (!in->file)
        return golden_fail(o->input, "%s", strerror(errno));
    char *header = malloc(NPY_MAX_HEADER + 1);
    int failed = header ? npy_header(in, header) : golden_fail(o->input, "out of memory");
    if (!failed)
        failed = npy_check(in, header);
    free(header);
    if (!failed && o->count > in->rows)
        failed = golden_fail(o->input, "holds %u images, not the %u of --count", in->rows,
                             o->count);
    if (!failed) {
        off_t start = ftello(in->file);
        off_t size = (off_t)in->rows * GOLDEN_INPUT_SIZE * (in->bytes ? 1 : 4);
        if (start < 0 || fseeko(in->file, 0, SEEK_END) != 0 || ftello(in->file) < start + size ||
            fseeko(in->file, start, SEEK_SET) != 0)
            failed = golden_fail(o->input, "the file is cut off");
    }
    if (failed)
        golden_images_close(in);
    else if (o->count)
        in->rows = o->count;
    return failed;
}

static ola_status
encrypt_rows(const struct golden_images *in, const struct golden_client *client, const void *rows,
             uint32_t n, ola_ct *const *ct)
{
    if (in->bytes)
        return golden_encrypt_pixels(client, rows, ct);
    (void)n;
    return golden_encrypt(client, rows, ct);
}

int
golden_images_encrypt(struct golden_images *in, const struct golden_client *client, uint32_t n,
                   ola_ct *const *ct)
{
    ola_status status = OLA_ERR_NOMEM;
    size_t size = GOLDEN_INPUT_SIZE * (in->bytes ? sizeof(uint8_t) : sizeof(float));
    void *rows = calloc(n, size);
    if (rows) {
        if (fread(rows, size, n, in->file) != n) {
            free(rows);
            return golden_fail(in->path, "cannot read");
        }
        status = encrypt_rows(in, client, rows, n, ct);
        free(rows);
    }
    return status == OLA_OK ? 0 : golden_fail_status(in->path, status);
}

/* A file that was not there, whatever it is called: what others put in its place, a link above all,
 * is neither followed nor written. NULL and errno otherwise. */
static FILE *
create_new(const char *path, char *name, size_t size)
{
    int fd = -1;
    for (int attempt = 0; fd < 0 && attempt < 16; attempt++) {
        snprintf(name, size, "%s.tmp-%ld-%d", path, (long)getpid(), attempt);
        fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            return NULL;
    }
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && !file) {
        close(fd);
        unlink(name);
    }
    return file;
}

FILE *
golden_create(const char *path, char **temporary)
{
    size_t size = strlen(path) + 48;
    struct stat st;
    *temporary = NULL;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return fopen(path, "wb"); /* a rename would replace the device or the pipe */
    *temporary = malloc(size);
    if (!*temporary)
        return NULL;
    return create_new(path, *temporary, size);
}

int
golden_commit(FILE *file, const char *path, char *temporary)
{
    int failed = 0;
    if (!file || ferror(file) || fflush(file) != 0)
        failed = golden_fail(path, "cannot write: %s", strerror(errno));
    if (file && fclose(file) != 0 && !failed)
        failed = golden_fail(path, "cannot write: %s", strerror(errno));
    if (!failed && temporary && rename(temporary, path) != 0)
        failed = golden_fail(path, "cannot write: %s", strerror(errno));
    if (failed && file && temporary)
        unlink(temporary);
    free(temporary);
    return failed;
}

int
golden_write_answers(const char *path, const float *answers, uint32_t rows)
{
    char *temporary, text[128];
    FILE *file = golden_create(path, &temporary);
    if (file) {
        snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%u, %u), }",
                 rows, (unsigned)GOLDEN_OUTPUT_SIZE);
        fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file); /* 10 + 118 bytes in front of the data */
        fprintf(file, "%-117s\n", text);
        fwrite(answers, sizeof *answers, (size_t)rows * GOLDEN_OUTPUT_SIZE, file);
    }
    return golden_commit(file, path, temporary);
}
