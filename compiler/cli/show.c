/* show.c - olac show: the model as a table, or in the language with its weights beside. */
#include "cli/options.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

/* The file of a network: its name, without what could lead out of the folder or hide the file. */
static const char *
file_of(struct arena *a, const char *name)
{
    char *file = arena_printf(a, "%s.ola", *name ? name : "network");
    for (char *c = file; *c; c++) {
        bool plain =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!plain && *c != '_' && *c != '-' && (*c != '.' || c == file))
            *c = '_';
    }
    return strlen(file) < 200 ? file : "network.ola";
}

static int
show_dsl(struct arena *a, const struct options *o, const struct compiled *c, struct diag *d)
{
    struct dsl_file *files = NULL;
    uint32_t n = 0;
    struct str text = {0};
    bool ok = dsl_print(c->imported, &text, a, &files, &n, d);

    if (ok && o->output) {
        ok = file_mkdirs(o->output, d);
        for (uint32_t k = 0; ok && k < n; k++)
            ok =
                file_write(file_join(a, o->output, files[k].name), files[k].data, files[k].size, d);
        ok = ok && file_write(file_join(a, o->output, file_of(a, c->imported->name)),
                              str_text(&text), text.len, d);
    } else if (ok) {
        fputs(str_text(&text), stdout);
    }
    str_free(&text);
    return cli_finish(o, d);
}

static void
show_json(const struct graph *g)
{
    struct str s = {0};
    str_add(&s, "{\"name\":");
    str_json(&s, g->name);
    str_addf(&s, ",\"opset\":%d,\"nodes\":[", g->opset);
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        const struct value *v = n->out.at[0] == NONE ? NULL : graph_value(g, n->out.at[0]);
        str_add(&s, k ? ",{\"name\":" : "{\"name\":");
        str_json(&s, n->name);
        str_add(&s, ",\"op\":");
        str_json(&s, op_name(n->op));
        str_add(&s, ",\"shape\":[");
        for (int i = 0; v && i < v->shape.rank; i++)
            str_addf(&s, "%s%lld", i ? "," : "", (long long)v->shape.dim[i]);
        str_add(&s, "]}");
    }
    str_add(&s, "]}\n");
    fputs(str_text(&s), stdout);
    str_free(&s);
}

int
cli_show(struct arena *a, const struct options *o, struct diag *d)
{
    struct compile_options co = options_compile(a, o);
    struct compiled c = {0};
    if (!pipeline_import(a, &co, &c, d))
        return cli_finish(o, d);
    if (o->dsl)
        return show_dsl(a, o, &c, d);
    if (o->json) {
        show_json(c.imported);
        return 0;
    }
    struct str s = {0};
    graph_print(c.imported, &s);
    fputs(str_text(&s), stdout);
    str_free(&s);
    cli_warnings(d);
    return 0;
}
