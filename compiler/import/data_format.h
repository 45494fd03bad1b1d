/* data_format.h - the readers of single formats; private to import/. */
#ifndef OLAC_IMPORT_DATA_FORMAT_H
#define OLAC_IMPORT_DATA_FORMAT_H

#include "import/data.h"

/* Whether the first bytes are those of the format; says nothing about the rest. */
bool npy_begins(const uint8_t *bytes, size_t size);
bool idx_begins(const uint8_t *bytes, size_t size);
/* Whether header and size agree. */
bool idx_fits(const uint8_t *bytes, size_t size);
bool cifar_fits(const uint8_t *bytes, size_t size);

/* What the header of an .npy file says; offset is where the elements begin. */
struct npy_header {
    enum dtype dtype;
    bool big_endian, fortran;
    struct shape shape;
    size_t offset;
};

/* Bytes of the header of an .npy file, from its first 12; 0 when it is longer than any can be. */
size_t npy_lead(const uint8_t *bytes);
/* Reads the header, of which `size` bytes are there; does not ask how long the file is. */
bool npy_header_alone(const char *file, const uint8_t *bytes, size_t size, struct npy_header *h,
                      struct diag *d);
/* Reads the header and checks that size is what it announces. */
bool npy_header(struct arena *a, const char *file, const uint8_t *bytes, size_t size,
                struct npy_header *h, struct diag *d);

/* Shape and type of an idx file, of which the header is there, and the bytes of the header. */
size_t idx_header(const uint8_t *bytes, enum dtype *type, struct shape *s);
/* Samples of an idx file; those of bytes stay where they are. */
bool idx_parse(struct arena *a, const char *file, const uint8_t *bytes, size_t size,
               struct data *out, struct diag *d);

#define CIFAR_RECORD 3073
/* CIFAR-10 records: [n, 3, 32, 32] and the labels. */
bool cifar_parse(struct arena *a, const char *file, const uint8_t *bytes, size_t size,
                 struct data *out, struct diag *d);

#endif
