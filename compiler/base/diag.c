/* diag.c - see diag.h. */
#include "base/diag.h"

#include "base/vec.h"

#include <stdlib.h>

struct diag {
    struct arena *arena;
    VEC(struct message) messages;
    uint32_t errors, dropped;
};

static const struct {
    int id;
    const char *title, *text;
} codes[] = {
#define CODE(id, name, title, text) {id, title, text},
#include "base/codes.def"
#undef CODE
};

struct diag *
diag_new(void)
{
    struct arena *a = arena_new();
    struct diag *d = ARENA_NEW(a, struct diag);
    d->arena = a;
    return d;
}

void
diag_free(struct diag *d)
{
    if (d)
        arena_free(d->arena);
}

static const char *
keep(struct diag *d, const char *s)
{
    return s ? arena_strdup(d->arena, s) : NULL;
}

static void
add(struct diag *d, enum severity sev, enum code code, struct place at, const char *fmt, va_list ap)
{
    if (sev == SEV_ERROR)
        d->errors++;
    if (d->messages.len >= DIAG_MAX) {
        d->dropped++;
        return;
    }
    struct str text = {0};
    str_vaddf(&text, fmt, ap);
    struct place p = {keep(d, at.file), at.line, at.col, keep(d, at.node), keep(d, at.source)};
    vec_push(d->arena, &d->messages,
             (struct message){sev, code, p, arena_strdup(d->arena, str_text(&text)), NULL});
    str_free(&text);
}

void
diag_error(struct diag *d, enum code code, struct place at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, SEV_ERROR, code, at, fmt, ap);
    va_end(ap);
}

void
diag_warning(struct diag *d, enum code code, struct place at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, SEV_WARNING, code, at, fmt, ap);
    va_end(ap);
}

void
diag_hint(struct diag *d, const char *fmt, ...)
{
    if (!d->messages.len || d->dropped)
        return;
    struct str text = {0};
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(&text, fmt, ap);
    va_end(ap);
    d->messages.at[d->messages.len - 1].hint = arena_strdup(d->arena, str_text(&text));
    str_free(&text);
}

uint32_t
diag_errors(const struct diag *d)
{
    return d->errors;
}

uint32_t
diag_count(const struct diag *d)
{
    return d->messages.len;
}

const struct message *
diag_at(const struct diag *d, uint32_t i)
{
    return &d->messages.at[i];
}

static const char *const severity_name[] = {"note", "warning", "error"};

static void
print_one(const struct message *m, struct str *out)
{
    const struct place *p = &m->place;
    str_add(out, p->file ? p->file : "olac");
    if (p->line > 0)
        str_addf(out, ":%d", p->line);
    if (p->line > 0 && p->col > 0)
        str_addf(out, ":%d", p->col);
    str_addf(out, ": %s[E%03d]: ", severity_name[m->severity], (int)m->code);
    if (p->node)
        str_addf(out, "node '%s': ", p->node);
    str_addf(out, "%s\n", m->text);
    if (p->source && p->col > 0) {
        str_addf(out, "    %s\n    ", p->source);
        for (int i = 1; i < p->col && p->source[i - 1]; i++)
            str_add(out, p->source[i - 1] == '\t' ? "\t" : " ");
        str_add(out, "^\n");
    }
    if (m->hint)
        str_addf(out, "    hint: %s\n", m->hint);
}

void
diag_print(const struct diag *d, struct str *out)
{
    for (uint32_t i = 0; i < d->messages.len; i++)
        print_one(&d->messages.at[i], out);
    if (d->dropped)
        str_addf(out, "olac: note: %u more messages are not shown\n", d->dropped);
}

static void
json_field(struct str *out, const char *key, const char *value)
{
    str_addf(out, ",\"%s\":", key);
    if (value)
        str_json(out, value);
    else
        str_add(out, "null");
}

void
diag_json(const struct diag *d, struct str *out)
{
    str_add(out, "[");
    for (uint32_t i = 0; i < d->messages.len; i++) {
        const struct message *m = &d->messages.at[i];
        str_addf(out, "%s{\"severity\":\"%s\",\"code\":\"E%03d\"", i ? "," : "",
                 severity_name[m->severity], (int)m->code);
        json_field(out, "file", m->place.file);
        str_addf(out, ",\"line\":%d,\"col\":%d", m->place.line, m->place.col);
        json_field(out, "node", m->place.node);
        json_field(out, "message", m->text);
        json_field(out, "hint", m->hint);
        str_add(out, "}");
    }
    str_add(out, "]");
}

bool
diag_explain(int code, const char **title, const char **text)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].id == code) {
            *title = codes[i].title;
            *text = codes[i].text;
            return true;
        }
    return false;
}
