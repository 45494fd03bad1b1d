/* build.c - the generated code into a program: where libola is, and the C compiler's command. */
#include "cli/build.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool
exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool
build_find_runtime(struct arena *a, struct runtime *out, struct diag *d)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = 0;
        const char *dir = file_dirname(a, self);
        const char *roots[][2] = {{dir, dir},
                                  {file_join(a, dir, "../lib"), file_join(a, dir, "..")}};
        for (int k = 0; k < 2; k++) {
            out->lib = roots[k][0];
            out->include = file_join(a, roots[k][1], "include");
            if (exists(file_join(a, out->lib, "libola.a")) &&
                exists(file_join(a, out->include, "ola/ola.h")))
                return true;
        }
    }
    diag_error(d, E_RUNTIME, PLACE_NONE, "libola.a and ola/ola.h are not beside the program olac");
    diag_hint(d, "run olac from its build folder, or cmake --install it");
    return false;
}

/* Starts a program that can be interrupted, while olac itself cannot: it has to clean up behind the
 * program. */
static int
spawn(char *const argv[], pid_t *pid)
{
    posix_spawnattr_t attributes;
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGQUIT);
    int rc = posix_spawnattr_init(&attributes);
    if (rc != 0)
        return rc;
    posix_spawnattr_setsigdefault(&attributes, &interrupts);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawnp(pid, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

int
build_spawn(char *const argv[], struct diag *d)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    pid_t pid;
    int status = 0;

    fflush(stdout);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    int rc = spawn(argv, &pid);
    while (rc == 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            rc = errno;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    if (rc != 0) {
        diag_error(d, E_CC, PLACE_NONE, "cannot start '%s': %s", argv[0], strerror(rc));
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool
build_program(struct arena *a, const struct runtime *r, const char *cc, bool sim, const char *dir,
              const struct emitted *files, const char *program, struct diag *d)
{
    VEC(char *) argv = {0};
    const char *first[] = {cc ? cc : "cc",
                           "-std=c11",
                           "-O2",
                           "-o",
                           program,
                           arena_printf(a, "-I%s", r->include),
                           arena_printf(a, "-I%s", dir)};
    const char *real[] = {arena_printf(a, "%s/libola_client.a", r->lib),
                          arena_printf(a, "%s/libola.a", r->lib)};
    const char *simulated[] = {arena_printf(a, "%s/libola_sim.a", r->lib)};
    const char *last[] = {"-lsodium", "-lm", "-fopenmp"};

    for (size_t k = 0; k < sizeof first / sizeof *first; k++)
        vec_push(a, &argv, arena_strdup(a, first[k]));
    for (uint32_t k = 0; k < files->files.len; k++) {
        const char *name = files->files.at[k].name;
        size_t n = strlen(name);
        if (n > 2 && strcmp(name + n - 2, ".c") == 0 &&
            !(n > 7 && strcmp(name + n - 7, "_eval.c") == 0))
            vec_push(a, &argv, arena_strdup(a, file_join(a, dir, name)));
    }
    for (size_t k = 0; k < (sim ? 1 : 2); k++)
        vec_push(a, &argv, arena_strdup(a, sim ? simulated[k] : real[k]));
    for (size_t k = 0; k < sizeof last / sizeof *last; k++)
        vec_push(a, &argv, arena_strdup(a, last[k]));
    vec_push(a, &argv, NULL);
    int rc = build_spawn(argv.at, d);
    if (rc > 0)
        diag_error(d, E_CC, PLACE_NONE, "%s failed with exit status %d", argv.at[0], rc);
    return rc == 0;
}

void
build_remove_folder(const char *dir)
{
    DIR *list = opendir(dir);
    if (!list)
        return;
    for (struct dirent *e; (e = readdir(list));)
        unlinkat(dirfd(list), e->d_name, 0);
    closedir(list);
    rmdir(dir);
}

const char *
build_folder(struct arena *a, const char *keep, struct diag *d)
{
    if (keep)
        return file_mkdirs(keep, d) ? keep : NULL;
    const char *base = getenv("TMPDIR");
    char *dir = arena_printf(a, "%s/olac-run-XXXXXX", base && *base ? base : "/tmp");
    if (mkdtemp(dir))
        return dir;
    diag_error(d, E_WRITE, PLACE_FILE(dir), "cannot make a temporary folder");
    return NULL;
}
