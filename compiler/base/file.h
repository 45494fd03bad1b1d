/* file.h - whole files in, whole files out. A file that is written appears by rename or not at
 * all. */
#ifndef OLAC_BASE_FILE_H
#define OLAC_BASE_FILE_H

#include "base/arena.h"
#include "base/diag.h"

/* Reads a whole file into the arena, with a NUL behind it. Plain or gzip (RFC 1952) when gz is
 * allowed. Fails with E_OPEN, E_READ, E_GZIP, E_TOO_LARGE (also for what a .gz unpacks to). */
bool file_read(struct arena *a, const char *path, bool gz, size_t limit, const uint8_t **data,
               size_t *size, struct diag *d);
/* Writes path.tmp-PID, syncs, renames; removes it on failure. A device or a pipe is written in
 * place. Fails with E_WRITE. */
bool file_write(const char *path, const void *data, size_t size, struct diag *d);
/* mkdir -p. Fails with E_WRITE. */
bool file_mkdirs(const char *path, struct diag *d);
/* dir + "/" + name, or name itself when it is absolute or dir is empty. */
const char *file_join(struct arena *a, const char *dir, const char *name);
/* Folder part without the last "/", "." when there is none; last part. */
const char *file_dirname(struct arena *a, const char *path);
const char *file_basename(const char *path);

#endif
