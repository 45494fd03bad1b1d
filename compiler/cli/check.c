/* check.c - olac check: everything that would stop a compile, data or none; and olac explain. */
#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
cli_check(struct arena *a, const struct options *o, struct diag *d)
{
    struct compile_options co = options_compile(a, o);
    struct compiled c = {0};
    struct str dump = {0};

    co.dump_out = &dump;
    bool ok = pipeline_check(a, &co, &c, d);
    fputs(str_text(&dump), stdout);
    str_free(&dump);
    if (o->json) {
        struct str s = {0};
        str_addf(&s, "{\"ok\":%s,\"errors\":", ok ? "true" : "false");
        diag_json(d, &s);
        if (ok)
            str_addf(&s, ",\"log_n\":%u,\"levels\":%u,\"assumed_degree\":%u",
                     c.program->params.log_n, c.program->params.q.len - 1, c.approximation.degree);
        str_add(&s, "}\n");
        fputs(str_text(&s), stdout);
        str_free(&s);
        return !ok;
    }
    cli_warnings(d);
    if (ok && !o->quiet)
        printf("%s: compiles; with degree %u everywhere: N = 2^%u, %u levels\n", o->operand,
               c.approximation.degree, c.program->params.log_n, c.program->params.q.len - 1);
    return !ok;
}

int
cli_explain(struct arena *a, const struct options *o, struct diag *d)
{
    const char *digits = o->operand, *title, *text;
    (void)a;
    if (*digits == 'E' || *digits == 'e')
        digits++;
    char *end;
    long code = strtol(digits, &end, 10);
    if (!isdigit((unsigned char)*digits) || *end || code > 999 ||
        !diag_explain((int)code, &title, &text)) {
        diag_error(d, E_USAGE, PLACE_NONE, "there is no code '%s'", o->operand);
        return cli_finish(o, d);
    }
    if (o->json) {
        struct str s = {0};
        str_addf(&s, "{\"code\":\"E%03ld\",\"title\":", code);
        str_json(&s, title);
        str_add(&s, ",\"text\":");
        str_json(&s, text);
        str_add(&s, "}\n");
        fputs(str_text(&s), stdout);
        str_free(&s);
    } else {
        printf("E%03ld: %s\n\n%s\n", code, title, text);
    }
    return 0;
}
