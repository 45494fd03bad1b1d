/* wrap.c - lines of generated C within 100 columns: code is broken at a blank and goes on below the
 * innermost open bracket, comments are filled, rulers cut. A line that is one long string stays as
 * it is. */
#include "emit/room.h"

#include <string.h>

#define COLUMNS     100
#define MAX_OPEN    16
#define MAX_ALIGNED 64 /* brackets further right are not aligned to */

/* The last blank outside of strings at which text may be broken so that `room` columns are enough;
 * of code rather one behind a comma, when that is in the second half. 0: nowhere. */
static size_t
break_at(const char *text, size_t length, size_t room, size_t from, bool code)
{
    bool in_string = false;
    size_t best = 0, comma = 0;
    for (size_t i = 0; i <= room && i < length; i++) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\'))
            in_string = !in_string;
        if (text[i] == ' ' && !in_string && i > from)
            best = i;
        if (code && best == i && i && text[i - 1] == ',' && i > room / 2)
            comma = i;
    }
    return comma ? comma : best;
}

/* ---- code ------------------------------------------------------------------------------------ */

struct brackets {
    size_t column[MAX_OPEN]; /* behind each open one */
    size_t n;
};

static void
count_brackets(struct brackets *b, const char *text, size_t length, size_t column)
{
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\'))
            in_string = !in_string;
        if (in_string)
            continue;
        if (strchr("([{", text[i]) && b->n < MAX_OPEN)
            b->column[b->n++] = column + i + 1;
        else if (strchr(")]}", text[i]) && b->n)
            b->n--;
    }
}

static void
wrap_code(const char *line, size_t length, struct str *out)
{
    size_t indent = strspn(line, " "), lead = 0, from = indent;
    struct brackets open = {.n = 0};
    for (;;) {
        size_t at =
            lead + length > COLUMNS ? break_at(line, length, COLUMNS - lead, from, true) : 0;
        size_t n = at ? at : length;
        str_addf(out, "%*s%.*s\n", (int)lead, "", (int)n, line);
        if (!at)
            return;
        count_brackets(&open, line, n, lead);
        size_t column = open.n ? open.column[open.n - 1] : indent + 4;
        lead = column <= MAX_ALIGNED ? column : indent + 8;
        line += at + 1;
        length -= at + 1;
        from = 0;
    }
}

/* ---- comments -------------------------------------------------------------------------------- */

/* One comment line in pieces; all but the last are written. The last stays in `rest`, without
 * prefix. */
static void
fill_comment(const char *line, size_t length, struct str *out, struct str *rest)
{
    size_t indent = strspn(line, " ");
    bool opens = line[indent] == '/';
    size_t lead = indent + (opens ? 3 : 2), from = lead;
    struct str text = {0};
    str_addn(&text, line, length);
    const char *at = text.text;
    for (;;) {
        size_t left = strlen(at), room = from ? COLUMNS : COLUMNS - lead;
        size_t n = left > room ? break_at(at, left, room, from, false) : 0;
        if (!n)
            break;
        str_addf(out, "%*s%s%.*s\n", from ? 0 : (int)indent, "",
                 from    ? ""
                 : opens ? " * "
                         : "* ",
                 (int)n, at);
        at += n + 1;
        from = 0;
    }
    str_add(rest, at);
    str_free(&text);
}

/* Where the text of a comment's further line " * text" begins, when it can be joined to the line
 * before. */
static const char *
comment_text(const char *line, size_t length, size_t indent)
{
    if (length < indent + 4 || strspn(line, " ") != indent ||
        strncmp(line + indent, "* ", 2) != 0 || line[indent + 2] == ' ')
        return NULL;
    return line + indent + 2;
}

/* Wraps a comment line and, while words are left over, the lines behind it; the next line. */
static const char *
wrap_comment(const char *line, size_t length, struct str *out)
{
    size_t indent = strspn(line, " ");
    size_t star = line[indent] == '/' ? indent + 1 : indent;
    struct str current = {0};
    str_addn(&current, line, length);
    for (;;) {
        struct str rest = {0};
        fill_comment(current.text, current.len, out, &rest);
        str_free(&current);
        line += length + (line[length] == '\n');
        length = strcspn(line, "\n");
        const char *more = comment_text(line, length, star);
        bool closed = rest.len >= 2 && strcmp(rest.text + rest.len - 2, "*/") == 0;
        str_addf(&current, "%*s* %s", (int)star, "", rest.text);
        str_free(&rest);
        if (closed || !more) {
            str_addf(out, "%s\n", current.text);
            str_free(&current);
            return line;
        }
        str_addf(&current, " %.*s", (int)(length - (size_t)(more - line)), more);
        if (current.len <= COLUMNS) {
            str_addf(out, "%s\n", current.text);
            str_free(&current);
            return line + length + (line[length] == '\n');
        }
    }
}

static void
cut_ruler(const char *line, size_t length, struct str *out)
{
    while (length > COLUMNS && line[length - 5] == '-')
        length--;
    str_addf(out, "%.*s- */\n", (int)(length - 4), line);
}

void
emit_wrap(const char *text, struct str *out)
{
    while (*text) {
        size_t length = strcspn(text, "\n"), indent = strspn(text, " ");
        const char *word = text + indent, *next = text + length + (text[length] == '\n');
        if (length <= COLUMNS || *text == '#')
            str_addf(out, "%.*s\n", (int)length, text);
        else if (strncmp(word, "/* ----", 7) == 0)
            cut_ruler(text, length, out);
        else if (strncmp(word, "/* ", 3) == 0 || strncmp(word, "* ", 2) == 0)
            next = wrap_comment(text, length, out);
        else
            wrap_code(text, length, out);
        text = next;
    }
}
