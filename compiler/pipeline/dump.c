/* dump.c - --dump=PASS prints a program's text form after that pass. */
#include "pipeline/internal.h"

#include <string.h>

static bool
wanted(const struct compile_options *o, const char *pass)
{
    return o->dump && o->dump_out && strcmp(o->dump, pass) == 0;
}

void
pipeline_dump_graph(const struct compile_options *o, const char *pass, const struct graph *g)
{
    if (wanted(o, pass))
        graph_print(g, o->dump_out);
}

void
pipeline_dump_tp(const struct compile_options *o, const char *pass, const struct tp *t)
{
    if (wanted(o, pass))
        tp_print(t, o->dump_out);
}

void
pipeline_dump_he(const struct compile_options *o, const char *pass, const struct he_program *p)
{
    if (wanted(o, pass))
        he_print(p, o->dump_out);
}
