/* emit.c - see emit.h: the list of generated files, and what is worked out first. */
#include "emit/room.h"

#include "emit/template.h"

#include <ctype.h>
#include <string.h>

/* Generated files that have a template; %s is the network's name. */
static const struct {
    const char *template, *file;
    const char *required; /* marks */
} texts[] = {
    {"net.h", "%s.h", "provenance constants"},
    {"net_client.c", "%s_client.c", "provenance parameters key_plan ports"},
    {"net_front.c", "%s_front.c", "provenance front_tables front_steps"},
    {"net_server.c", "%s_server.c", "provenance parameters parts layers"},
    {"net_eval.c", "%s_eval.c", "provenance"},
    {"net_program.h", "%s_program.h", "provenance"},
    {"net_main.c", "%s_main.c", "provenance"},
    {"net_npy.c", "%s_npy.c", "provenance"},
    {"net_trip.c", "%s_trip.c", "provenance"},
    {"CMakeLists.txt", "CMakeLists.txt", "provenance_cmake"},
};

static void
add_file(struct emitter *e, struct emitted *out, const char *name, struct str *text)
{
    void *copy = arena_alloc(e->a, text->len + 1);
    if (text->len)
        memcpy(copy, text->text, text->len);
    vec_push(e->a, &out->files, (struct emitted_file){name, copy, text->len});
    str_free(text);
}

static const char *
file_for(const struct emitter *e, const char *pattern)
{
    const char *mark = strstr(pattern, "%s");
    return mark ? arena_printf(e->a, "%s%s", e->name, mark + 2) : pattern;
}

static bool
add_texts(struct emitter *e, struct emitted *out)
{
    const char *folder = e->o->templates;
    const struct template_words words = {e, emit_mark, emit_condition, e->name, e->capitals};
    bool ok = !folder || template_check_folder(folder, e->d);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text, *place;
        if (!e->o->front && strcmp(texts[i].template, "net_front.c") == 0)
            continue;
        struct str filled = {0}, wrapped = {0};
        bool good = template_text(e->a, folder, texts[i].template, &text, &place, e->d) &&
                    template_fill(text, place, texts[i].required, &words, &filled, e->d);
        if (good && strcmp(texts[i].template, "CMakeLists.txt") != 0)
            emit_wrap(str_text(&filled), &wrapped);
        else if (good)
            str_add(&wrapped, str_text(&filled));
        str_free(&filled);
        add_file(e, out, file_for(e, texts[i].file), &wrapped);
        ok &= good;
    }
    return ok;
}

static const char *
upper(struct arena *a, const char *name)
{
    char *text = arena_strdup(a, name);
    for (char *s = text; *s; s++)
        *s = (char)toupper((unsigned char)*s);
    return text;
}

static void
count_ports(struct emitter *e)
{
    const struct he_program *p = e->p;
    for (uint32_t i = 0; i < p->inputs.len; i++) {
        e->input_size += emit_image(e, i).n;
        e->input_cts += p->layouts.at[p->inputs.at[i].layout].cts;
    }
    for (uint32_t i = 0; i < p->outputs.len; i++) {
        e->output_size += p->layouts.at[p->outputs.at[i].layout].n;
        e->output_cts += p->layouts.at[p->outputs.at[i].layout].cts;
    }
}

bool
emit(struct arena *a, const struct he_program *p, const struct emit_options *o, struct emitted *out,
     struct diag *d)
{
    struct emitter e = {.a = a, .p = p, .o = o, .d = d};
    struct str weights = {0}, manifest = {0}, selftest = {0};
    *out = (struct emitted){0};
    e.name = emit_identifier(a, p->name);
    e.capitals = upper(a, e.name);
    count_ports(&e);
    emit_sections(&e);
    emit_registers(&e);
    emit_layers(&e);
    emit_weights(&e, &weights);
    bool ok = add_texts(&e, out);
    emit_manifest(&e, &manifest);
    emit_selftest(&e, &selftest);
    add_file(&e, out, file_for(&e, "%s_weights.bin"), &weights);
    add_file(&e, out, file_for(&e, "%s_manifest.json"), &manifest);
    add_file(&e, out, file_for(&e, "%s_selftest.bin"), &selftest);
    return ok;
}
