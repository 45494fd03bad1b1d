/* common.c - names and literals of the generated text. */
#include "emit/room.h"

#include <ctype.h>
#include <string.h>

#define MAX_IDENTIFIER 40

const char *
emit_version(void)
{
    return OLAC_VERSION;
}

/* Names that would clash: targets of CMake, and everything of the runtime's. */
static bool
is_taken(const char *name)
{
    static const char *const taken[] = {"all",  "clean",   "help",          "install",    "net",
                                        "test", "package", "rebuild_cache", "edit_cache", "depend"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return true;
    return strncmp(name, "ola", 3) == 0 || strncmp(name, "OLA", 3) == 0;
}

const char *
emit_identifier(struct arena *a, const char *name)
{
    char text[MAX_IDENTIFIER + 1];
    size_t n = 0;
    for (const char *s = name ? name : ""; *s && n < MAX_IDENTIFIER; s++) {
        bool good = isalnum((unsigned char)*s) && (unsigned char)*s < 0x80;
        if (good)
            text[n++] = *s;
        else if (n && text[n - 1] != '_')
            text[n++] = '_';
    }
    while (n && text[n - 1] == '_')
        n--;
    text[n] = 0;
    if (!n)
        return "network";
    if (isdigit((unsigned char)text[0]) || is_taken(text))
        return arena_printf(a, "network_%s", text);
    return arena_strdup(a, text);
}

const char *
emit_plain(struct arena *a, const char *text)
{
    size_t n = strlen(text), to = 0;
    char *out = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        char before = to ? out[to - 1] : 0;
        if (c < 0x20 || c > 0x7e || c == '\\' || (c == '?' && before == '?'))
            c = '_';
        if ((before == '*' && c == '/') || (before == '/' && c == '*'))
            out[to++] = ' ';
        out[to++] = c;
    }
    return out;
}

void
emit_string(struct str *out, const char *text)
{
    str_add(out, "\"");
    for (const char *s = text; *s; s++) {
        if (*s == '"' || *s == '\\')
            str_addf(out, "\\%c", *s);
        else if (*s == '?' || *s < 0x20 || *s > 0x7e)
            str_addf(out, "\\%03o", (unsigned)(unsigned char)*s);
        else
            str_addn(out, s, 1);
    }
    str_add(out, "\"");
}

void
emit_hex(struct str *out, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        str_addf(out, "%02x", bytes[i]);
}

void
emit_scale(struct str *out, double x)
{
    str_addf(out, "%a", x);
}

const char *
emit_shape(struct arena *a, const struct shape *s)
{
    struct shape one = *s;
    if ((s->rank == 2 || s->rank == 4) && s->dim[0] == 1) {
        one.rank--;
        memmove(one.dim, one.dim + 1, (size_t)one.rank * sizeof one.dim[0]);
    }
    return shape_text(a, &one);
}

const char *
emit_vector_name(const struct emitter *e, uint32_t k)
{
    return arena_printf(e->a, "vector:%u", k);
}

uint32_t
emit_pass_end(const struct emitter *e, uint32_t k)
{
    while (e->p->insts.at[k].op == HE_sparse && e->p->insts.at[k].passed)
        k++;
    return k;
}

struct image_port
emit_image(const struct emitter *e, uint32_t i)
{
    const struct he_port *port = &e->p->inputs.at[i];
    const struct he_layout *l = &e->p->layouts.at[port->layout];

    if (!e->o->front)
        return (struct image_port){port->name, &l->shape, &port->pixels, l->n};
    const struct graph *g = e->o->front->graph;
    const struct value *v = graph_value(g, g->inputs.at[0].value);
    return (struct image_port){v->name, &v->shape, &g->inputs.at[0].pixels,
                               (uint32_t)shape_size(&v->shape)};
}
