/* template.c - see template.h. */
#include "emit/template.h"

#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_TEMPLATE_BYTES ((size_t)1 << 20)
#define MAX_NESTING        8

static const char *
builtin(const char *name)
{
    for (const struct template_builtin *b = template_builtins; b->name; b++)
        if (strcmp(b->name, name) == 0)
            return b->text;
    return NULL;
}

bool
template_text(struct arena *a, const char *folder, const char *name, const char **text,
              const char **place, struct diag *d)
{
    *text = builtin(name);
    *place = name;
    if (!folder)
        return *text != NULL;
    const char *path = file_join(a, folder, name);
    if (access(path, F_OK) != 0)
        return *text != NULL;
    const uint8_t *data;
    size_t size;
    *place = path;
    if (!file_read(a, path, false, MAX_TEMPLATE_BYTES, &data, &size, d))
        return false;
    if (memchr(data, 0, size)) {
        diag_error(d, E_TEMPLATE, PLACE_FILE(path), "a template is text, and this has a zero byte");
        return false;
    }
    *text = (const char *)data;
    return true;
}

bool
template_check_folder(const char *folder, struct diag *d)
{
    DIR *dir = opendir(folder);
    bool ok = true;
    if (!dir) {
        diag_error(d, E_TEMPLATE, PLACE_FILE(folder), "cannot open the folder of templates: %s",
                   strerror(errno));
        return false;
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, "README.md") == 0 || builtin(e->d_name))
            continue;
        struct str path = {0};
        str_addf(&path, "%s/%s", folder, e->d_name);
        diag_error(d, E_TEMPLATE_NAME, PLACE_FILE(str_text(&path)), "no template has this name");
        str_free(&path);
        ok = false;
    }
    closedir(dir);
    return ok;
}

static bool
is_word(int c)
{
    return isalnum(c) || c == '_';
}

void
template_rename(const char *text, size_t length, const char *name, const char *capitals,
                struct str *out)
{
    for (size_t i = 0; i < length;) {
        size_t start = i;
        while (i < length && is_word((unsigned char)text[i]))
            i++;
        size_t n = i - start;
        bool whole = n == 3 || (n > 3 && text[start + 3] == '_');
        if (whole && memcmp(text + start, "net", 3) == 0)
            str_add(out, name);
        else if (whole && memcmp(text + start, "NET", 3) == 0)
            str_add(out, capitals);
        else
            whole = false;
        str_addn(out, text + start + (whole ? 3 : 0), n - (whole ? 3 : 0));
        if (i < length)
            str_addn(out, text + i++, 1);
    }
}

/* ---- filling in ------------------------------------------------------------------------------ */

struct block {
    bool shown, in_else;
    int line;
};

struct fill {
    const char *place, *required;
    const struct template_words *words;
    struct str *out;
    struct diag *d;
    int line;
    struct block open[MAX_NESTING];
    int depth;
    struct str seen; /* marks met, with a blank around each */
};

static void
wrong(struct fill *f, enum code code, const char *what, const char *word)
{
    diag_error(f->d, code, (struct place){.file = f->place, .line = f->line}, "%s%s%s", what,
               *word ? " " : "", word);
}

static bool
shown(const struct fill *f)
{
    for (int i = 0; i < f->depth; i++)
        if (!f->open[i].shown)
            return false;
    return true;
}

static void
open_block(struct fill *f, const char *word)
{
    bool holds = false;
    if (!f->words->condition(f->words->data, word, &holds))
        wrong(f, E_TEMPLATE_MARK, "there is no condition", *word ? word : "without a name");
    if (f->depth == MAX_NESTING)
        wrong(f, E_TEMPLATE_BLOCK, "conditions are nested too deeply", "");
    else
        f->open[f->depth++] = (struct block){holds, false, f->line};
}

static void
turn_block(struct fill *f)
{
    struct block *b = f->depth ? &f->open[f->depth - 1] : NULL;
    if (!b || b->in_else) {
        wrong(f, E_TEMPLATE_BLOCK, "else without an if", "");
        return;
    }
    b->shown = !b->shown;
    b->in_else = true;
}

static void
marked_line(struct fill *f, const char *word, const char *argument)
{
    if (strcmp(word, "if") == 0) {
        open_block(f, argument);
    } else if (strcmp(word, "else") == 0) {
        turn_block(f);
    } else if (strcmp(word, "end") == 0) {
        if (f->depth)
            f->depth--;
        else
            wrong(f, E_TEMPLATE_BLOCK, "end without an if", "");
    } else if (*argument) {
        wrong(f, E_TEMPLATE_MARK, "unexpected text behind a mark:", argument);
    } else {
        str_addf(&f->seen, " %s ", word);
        if (!f->words->mark(f->words->data, word, shown(f) ? f->out : NULL))
            wrong(f, E_TEMPLATE_MARK, "there is no mark", *word ? word : "without a name");
    }
}

/* Takes "//% word argument" or "#% ..." apart. Longer words than 63 characters are cut. */
static bool
parse_mark(const char *line, size_t length, char word[64], char argument[64])
{
    const char *s = line, *end = line + length;
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    if (end - s >= 3 && memcmp(s, "//%", 3) == 0)
        s += 3;
    else if (end - s >= 2 && memcmp(s, "#%", 2) == 0)
        s += 2;
    else
        return false;
    char *to[2] = {word, argument};
    for (int k = 0; k < 2; k++) {
        size_t n = 0;
        while (s < end && isspace((unsigned char)*s))
            s++;
        while (s < end && !isspace((unsigned char)*s) && n < 63)
            to[k][n++] = *s++;
        to[k][n] = 0;
    }
    return true;
}

static void
check_complete(struct fill *f)
{
    char word[64];
    int n = 0;
    for (int i = 0; i < f->depth; i++) {
        f->line = f->open[i].line;
        wrong(f, E_TEMPLATE_BLOCK, "if without an end", "");
    }
    f->line = 0;
    for (const char *s = f->required; sscanf(s, "%63s%n", word, &n) == 1; s += n) {
        struct str want = {0};
        str_addf(&want, " %s ", word);
        if (!strstr(str_text(&f->seen), want.text))
            wrong(f, E_TEMPLATE_MISSING, "the template lacks the mark", word);
        str_free(&want);
    }
}

bool
template_fill(const char *text, const char *place, const char *required,
              const struct template_words *words, struct str *out, struct diag *d)
{
    struct fill f = {.place = place, .required = required, .words = words, .out = out, .d = d};
    uint32_t before = diag_errors(d);
    char word[64], argument[64];

    while (*text) {
        size_t length = strcspn(text, "\n");
        f.line++;
        if (!parse_mark(text, length, word, argument)) {
            if (shown(&f)) {
                template_rename(text, length, words->name, words->capitals, out);
                str_add(out, "\n");
            }
        } else if (word[0] != '%') {
            marked_line(&f, word, argument);
        }
        text += length + (text[length] == '\n');
    }
    check_complete(&f);
    str_free(&f.seen);
    return diag_errors(d) == before;
}
