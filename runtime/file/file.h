/* file.h - the container of every file of libola, written and read as a stream, and the weights
 * file. Shared by io/, client/ and sim/; knows nothing of rings, keys or ciphertexts.
 *
 *   head (104 bytes)  magic, version, kind, flags (bit 0: toy), payload size, fingerprint, model,
 *                     id of the secret key (zero in a file of parameters, never in another)
 *   payload
 *   trailer           BLAKE2b-256 of all before it
 *
 * Both ends keep the first error and then do nothing more: callers put or get in a row and ask
 * once, at the close, which must always be called. Little endian throughout. */
#ifndef OLA_FILE_FILE_H
#define OLA_FILE_FILE_H

#include "ola/ola.h"

#define OLA_FILE_REAL    0x464c4c4fu /* "OLLF": a file of libola */
#define OLA_FILE_SIM     0x534c4c4fu /* "OLLS": of libola_sim */
#define OLA_FILE_VERSION 3u
#define OLA_FILE_TOY     1u /* flag */
#define OLA_FILE_HASH    32u

enum ola_file_kind {
    OLA_FILE_PARAMS = 1,
    OLA_FILE_KEYS,
    OLA_FILE_CTS,
    OLA_FILE_CLIENT,
    OLA_FILE_STATE
};

struct ola_file_head {
    uint32_t magic, version, kind, flags;
    uint64_t payload; /* bytes between head and trailer */
    uint8_t fingerprint[32], model[32], key_id[OLA_KEY_ID];
};

/* BLAKE2b-256 over ola_literal_write's bytes. */
void ola_file_fingerprint(const struct ola_literal *l, uint8_t out[32]);

/* Opens a regular file for reading; -1 and errno otherwise. */
int ola_file_open(const char *path, uint64_t *size);

/* ---- writing --------------------------------------------------------------------------------- */
struct ola_writer;
/* path NULL: to memory. The file gets a temporary name beside `path` and permissions `mode` (less
 * the umask); a device or pipe that is already there is written directly. Exactly `payload` bytes
 * must follow. key_id: NULL for parameters. On failure *out is NULL and there is nothing to
 * close. */
OLA_MUST_CHECK ola_status ola_writer_open(const char *path, unsigned mode, uint32_t magic,
                                          enum ola_file_kind kind, const struct ola_literal *l,
                                          const uint8_t *key_id, uint64_t payload,
                                          struct ola_writer **out);
void ola_writer_put(struct ola_writer *w, const void *data, size_t size);
void ola_writer_u32(struct ola_writer *w, uint32_t v);
void ola_writer_u64(struct ola_writer *w, uint64_t v);
void ola_writer_double(struct ola_writer *w, double v);
/* n residues below 2^bits, bits at most 57, n a multiple of 8, as n * bits / 8 bytes: a
 * little-endian string of bits. */
#define OLA_FILE_RUN 512u /* packed at a time */
void ola_writer_residues(struct ola_writer *w, const uint64_t *v, size_t n, uint32_t bits);
/* The first of the caller's own errors. */
void ola_writer_fail(struct ola_writer *w, ola_status s);
/* Trailer, fsync, rename; after an error nothing of the file is left. Memory writers give their
 * bytes in *bytes (for ola_bytes_free; NULL and 0 after an error), file writers take NULL, NULL.
 * Frees w and wipes what it held. */
OLA_MUST_CHECK ola_status ola_writer_close(struct ola_writer *w, void **bytes, size_t *size);

/* ---- reading --------------------------------------------------------------------------------- */
struct ola_reader;
/* path NULL: from data[0 .. size-1], which must stay until the close. A path must name a regular
 * file (its size is known before anything is allocated), else OLA_ERR_IO. Checks the head:
 * OLA_ERR_FORMAT, OLA_ERR_SIM (the other magic), OLA_ERR_VERSION, and against `l` (NULL: later, by
 * ola_reader_match) OLA_ERR_TOY, OLA_ERR_MODEL, OLA_ERR_FINGERPRINT. On failure *out is NULL and
 * there is nothing to close. */
OLA_MUST_CHECK ola_status ola_reader_open(const char *path, const void *data, size_t size,
                                          uint32_t magic, enum ola_file_kind kind,
                                          const struct ola_literal *l, struct ola_reader **out);
void ola_reader_match(struct ola_reader *r, const struct ola_literal *l);
/* After an error everything that is got is zero. More than is left: OLA_ERR_FORMAT. */
void ola_reader_get(struct ola_reader *r, void *out, size_t size);
uint32_t ola_reader_u32(struct ola_reader *r);
uint64_t ola_reader_u64(struct ola_reader *r);
double ola_reader_double(struct ola_reader *r);
/* As ola_writer_residues; OLA_ERR_FORMAT when one is not below q. */
void ola_reader_residues(struct ola_reader *r, uint64_t *v, size_t n, uint32_t bits, uint64_t q);
void ola_reader_key_id(const struct ola_reader *r, uint8_t out[OLA_KEY_ID]);
uint64_t ola_reader_left(const struct ola_reader *r); /* of the payload */
ola_status ola_reader_status(const struct ola_reader *r);
void ola_reader_fail(struct ola_reader *r, ola_status s);
/* OLA_ERR_FORMAT too when payload is left, the trailer is wrong, or something follows it. What was
 * read may be used only after OLA_OK. Frees r and wipes what it held. */
OLA_MUST_CHECK ola_status ola_reader_close(struct ola_reader *r);

/* ---- parameters ------------------------------------------------------------------------------ */
OLA_MUST_CHECK ola_status ola_file_write_params(const char *path, uint32_t magic,
                                                const struct ola_literal *l);
/* path NULL: from memory. The literal read still wants ola_params_new's checks. */
OLA_MUST_CHECK ola_status ola_file_read_params(const char *path, const void *data, size_t size,
                                               uint32_t magic, struct ola_literal *l);

/* ---- what io/ and sim/ have of their own behind the public functions of doors.c ----------------
 */
uint32_t ola_file_magic(void);
/* path NULL: to memory, as ola_writer_close gives it; else bytes and size are NULL. */
OLA_MUST_CHECK ola_status ola_file_cts_write(const ola_params *p, const ola_ct *const *ct,
                                             uint32_t n, const char *path, void **bytes,
                                             size_t *size);
/* path NULL: from memory. */
OLA_MUST_CHECK ola_status ola_file_cts_read(const ola_params *p, const char *path, const void *data,
                                            size_t size, ola_ct *const *ct, uint32_t n);
OLA_MUST_CHECK ola_status ola_file_keys_read(const ola_params *p, const char *path,
                                             const void *data, size_t size, ola_keys **out);

/* ---- weights --------------------------------------------------------------------------------- */
/* ola_weights_open on bytes, which are copied. */
OLA_MUST_CHECK ola_status ola_weights_parse(const void *data, size_t size, const uint8_t model[32],
                                            ola_weights **out);

#endif
