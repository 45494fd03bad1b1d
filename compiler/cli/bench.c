/* bench.c - olac bench: what the runtime takes on this machine, as a table for --costs. */
#include "cli/build.h"
#include "cli/costs.h"
#include "cli/options.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Builds the measuring program in `dir`, runs it and reads its table. */
static bool
measure(struct arena *a, const struct options *o, const char *dir, struct cost_table *t,
        const uint8_t **bytes, size_t *size, struct diag *d)
{
    struct emitted files = {0};
    struct runtime r;
    const char *program = file_join(a, dir, "program"), *table = file_join(a, dir, "costs.json");
    char *argv[] = {arena_strdup(a, program), arena_strdup(a, table), NULL};

    for (const struct costs_source *s = costs_sources; s->name; s++)
        vec_push(a, &files.files, (struct emitted_file){s->name, s->text, strlen(s->text)});
    if (!build_find_runtime(a, &r, d) || !emit_write(&files, dir, d) ||
        !build_program(a, &r, o->cc, false, dir, &files, program, d))
        return false;
    setenv("GOMP_SPINCOUNT", "1000", 0); /* as olac run */
    int rc = build_spawn(argv, d);
    if (rc > 0)
        diag_error(d, E_PROGRAM, PLACE_NONE, "the measuring program ended with exit status %d", rc);
    return rc == 0 && file_read(a, table, false, OLAC_MAX_BYTES, bytes, size, d) &&
           costs_parse(a, table, *bytes, *size, t, d);
}

static void
print(const struct cost_table *t, const uint8_t *bytes, bool json)
{
    struct str s = {0};
    if (json)
        str_add(&s, (const char *)bytes);
    else
        costs_print(t, &s);
    fputs(str_text(&s), stdout);
    str_free(&s);
}

int
cli_bench(struct arena *a, const struct options *o, struct diag *d)
{
    struct cost_table t = {0};
    const uint8_t *bytes = NULL;
    size_t size = 0;
    const char *dir = build_folder(a, NULL, d);
    bool ok = dir && measure(a, o, dir, &t, &bytes, &size, d) &&
              (!o->output || file_write(o->output, bytes, size, d));

    if (dir)
        build_remove_folder(dir);
    if (!ok)
        return cli_finish(o, d);
    if (t.costs.speedup < 0.6 * t.threads)
        diag_warning(
            d, E_COSTS, PLACE_NONE,
            "%u threads are only %.2f times as fast as one: measure again when the machine "
            "has nothing else to do, or with the OMP_NUM_THREADS that will be used",
            t.threads, t.costs.speedup);
    cli_warnings(d);
    if (o->json || !o->quiet)
        print(&t, bytes, o->json);
    return 0;
}
