/* dump.c - --dump=PASS prints a program's text form after that pass, --stop-after=PASS ends there. */
#include "pipeline/internal.h"

#include <string.h>

static bool
wanted(const char *given, const char *pass)
{
    return given && strcmp(given, pass) == 0;
}

bool
pipeline_dump_graph(const struct compile_options *o, const char *pass, const struct graph *g)
{
    if (wanted(o->dump, pass) && o->dump_out)
        graph_print(g, o->dump_out);
    return wanted(o->stop_after, pass);
}

bool
pipeline_dump_tp(const struct compile_options *o, const char *pass, const struct tp *t)
{
    if (wanted(o->dump, pass) && o->dump_out)
        tp_print(t, o->dump_out);
    return wanted(o->stop_after, pass);
}

bool
pipeline_dump_he(const struct compile_options *o, const char *pass, const struct he_program *p)
{
    if (wanted(o->dump, pass) && o->dump_out)
        he_print(p, o->dump_out);
    return wanted(o->stop_after, pass);
}
