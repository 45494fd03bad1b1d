/* build.h - the generated code into a program, for olac run and olac bench. */
#ifndef OLAC_CLI_BUILD_H
#define OLAC_CLI_BUILD_H

#include "emit/emit.h"

struct runtime {
    const char *lib, *include;
};

/* Beside the program olac: its build folder, or the prefix where it is installed. E_RUNTIME. */
bool build_find_runtime(struct arena *a, struct runtime *out, struct diag *d);
/* Compiles the .c files of `files`, written to `dir`, to `program`. E_CC. */
bool build_program(struct arena *a, const struct runtime *r, const char *cc, bool sim,
                   const char *dir, const struct emitted *files, const char *program,
                   struct diag *d);
/* Runs a program to its end; its exit status, 128 + signal, or -1 when it could not be started
 * (E_CC). */
int build_spawn(char *const argv[], struct diag *d);
/* A folder to build in: `keep`, made where it is missing, or (NULL) a new one. NULL: E_WRITE. */
const char *build_folder(struct arena *a, const char *keep, struct diag *d);
/* With the files in it. */
void build_remove_folder(const char *dir);

#endif
