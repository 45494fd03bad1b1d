/* show.c - for golden tests: reads one network in the language and prints it back, or prints what
 * is wrong with it to stderr and exits with 1. show FILE [DIR]: the weights of the print go to DIR.
 */
#include "base/file.h"
#include "import/import.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct str text = {0}, messages = {0};
    struct dsl_file *files = NULL;
    uint32_t n = 0;
    struct graph *g = argc > 1 ? import_model(a, argv[1], d) : NULL;

    if (g && dsl_print(g, &text, a, &files, &n, d))
        fputs(str_text(&text), stdout);
    for (uint32_t k = 0; g && argc > 2 && k < n; k++)
        file_write(file_join(a, argv[2], files[k].name), files[k].data, files[k].size, d);
    diag_print(d, &messages);
    fputs(str_text(&messages), stderr);
    int status = g && !diag_errors(d) ? 0 : 1;
    str_free(&text);
    str_free(&messages);
    diag_free(d);
    arena_free(a);
    return status;
}
