/* dsl_tree.c - constructors of the tree, and what the scanner asks; see dsl_tree.h. */
#include "import/dsl_tree.h"

#include "import/dsl_words.h"
#include "model.tab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A source line that is longer is not shown below a message. */
#define SHOWN_LINE 300

void
dsl_fatal(const char *message)
{
    fprintf(stderr, "olac: %s\n", message);
    abort();
}

struct place
dsl_place(const struct dsl *p, struct dsl_loc at)
{
    struct place place = {.file = p->file, .line = at.line, .col = at.col};
    size_t from = at.start < p->size ? at.start : p->size, to = from;

    if (diag_errors(p->diag) > DIAG_MAX) /* it will not be shown */
        return place;
    while (from > 0 && p->text[from - 1] != '\n' && to - from <= SHOWN_LINE)
        from--;
    while (to < p->size && p->text[to] != '\n' && to - from <= SHOWN_LINE)
        to++;
    if (to - from > SHOWN_LINE)
        return place;
    char *line = arena_strndup(p->arena, p->text + from, to - from);
    for (size_t k = 0; k < to - from; k++)
        if (((unsigned char)p->text[from + k] < 0x20 && p->text[from + k] != '\t') ||
            p->text[from + k] == 0x7f)
            line[k] = p->text[from + k] == '\r' ? ' ' : '?';
    place.source = line;
    return place;
}

void
dsl_check_text(struct dsl *p)
{
    struct dsl_loc at = {1, 1, 0, 0};
    int bad_line = 0;
    while (at.start < p->size && diag_errors(p->diag) < DIAG_MAX) {
        size_t n = str_utf8(p->text + at.start, p->size - at.start);
        if ((n == 0 || p->text[at.start] == 0) && bad_line != at.line) {
            diag_error(p->diag, E_DSL_CHARACTER, dsl_place(p, at), "%s",
                       n ? "a NUL byte" : "this byte is not UTF-8");
            bad_line = at.line;
        }
        at.col++;
        if (p->text[at.start] == '\n') {
            at.line++;
            at.col = 1;
        }
        at.start += (uint32_t)(n ? n : 1);
        at.col += n > 1 ? (int)n - 1 : 0;
    }
}

/* ---- the scanner's questions --------------------------------------------------------------- */

bool
dsl_at_start(const struct dsl *p)
{
    return p->last == 0 || p->last == NEWLINE || p->last == '{';
}

static bool
word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static size_t
skip_blanks(const struct dsl *p, size_t at)
{
    while (at < p->size && (p->text[at] == ' ' || p->text[at] == '\t' || p->text[at] == '\r'))
        at++;
    return at;
}

/* A name as written, quoted or not; `at` itself when there is none. */
static size_t
skip_name(const struct dsl *p, size_t at)
{
    size_t from = at;
    if (at < p->size && p->text[at] == '`') {
        for (at++; at < p->size && p->text[at] != '`'; at++)
            if (p->text[at] == '\n')
                return from;
        return at < p->size ? at + 1 : from;
    }
    if (at < p->size && p->text[at] >= '0' && p->text[at] <= '9')
        return from;
    while (at < p->size && word_byte(p->text[at]))
        at++;
    return at;
}

static const struct {
    const char *text;
    int token;
} first_words[] = {{"network", NETWORK}, {"origin", ORIGIN}, {"input", INPUT},  {"output", OUTPUT},
                   {"const", CONST},     {"block", BLOCK},   {"return", RETURN}};

static int
find_word(const char *text, size_t n)
{
    for (size_t k = 0; k < sizeof first_words / sizeof *first_words; k++)
        if (strlen(first_words[k].text) == n && memcmp(first_words[k].text, text, n) == 0)
            return first_words[k].token;
    return 0;
}

int
dsl_word(const struct dsl *p, const char *word)
{
    size_t next = skip_blanks(p, p->offset);
    char c = next < p->size ? p->text[next] : 0;
    return dsl_at_start(p) && c != '=' && c != ',' ? find_word(word, strlen(word)) : 0;
}

/* "name =", "a, b =", "word name", "}" or the end: what no line inside brackets can begin with. */
static bool
starts_statement(const struct dsl *p, size_t at)
{
    at = skip_blanks(p, at);
    if (at == p->size || p->text[at] == '}')
        return true;
    size_t end = skip_name(p, at);
    if (end == at)
        return false;
    if (find_word(p->text + at, end - at)) {
        size_t next = skip_blanks(p, end);
        if (next > end && skip_name(p, next) > next)
            return true;
    }
    for (;;) {
        size_t next = skip_blanks(p, end);
        if (next < p->size && p->text[next] == '=')
            return true;
        if (next >= p->size || p->text[next] != ',')
            return false;
        at = skip_blanks(p, next + 1);
        end = skip_name(p, at);
        if (end == at)
            return false;
    }
}

bool
dsl_line_ends(struct dsl *p)
{
    if (p->open && !starts_statement(p, p->offset))
        return false;
    p->open = 0;
    return !dsl_at_start(p);
}

bool
dsl_is_sign(const struct dsl *p, struct dsl_loc at)
{
    if (p->offset < p->size && p->text[p->offset - 1] == 'f' && word_byte(p->text[p->offset]))
        return false; /* -info is no -inf */
    switch (p->last) {
    case NUMBER:
    case DIMS:
    case STRING:
    case ')':
    case ']':
    case '_':
        return false;
    case NAME:
        return at.start > 0 && strchr(" \t", p->text[at.start - 1]);
    default:
        return true;
    }
}

static int
hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The byte of an escape at s[0] (behind the backslash), and how many characters it takes; 0: none.
 */
static int
escape(const char *s, size_t n, char *out)
{
    static const char plain[] = "\\\"`", letters[] = "ntr", bytes[] = "\n\t\r";
    if (n && strchr(plain, *s)) {
        *out = *s;
        return 1;
    }
    if (n && strchr(letters, *s)) {
        *out = bytes[strchr(letters, *s) - letters];
        return 1;
    }
    if (n < 3 || *s != 'x' || hex_value(s[1]) < 0 || hex_value(s[2]) < 0)
        return 0;
    *out = (char)(hex_value(s[1]) * 16 + hex_value(s[2]));
    return *out ? 3 : 0;
}

const char *
dsl_unquote(struct dsl *p, struct dsl_loc at, const char *quoted, size_t n)
{
    char *text = arena_alloc(p->arena, n);
    size_t len = 0;
    for (size_t k = 1; k + 1 < n; k++) {
        if (quoted[k] != '\\') {
            text[len++] = quoted[k];
            continue;
        }
        int used = quoted[k + 1] ? escape(quoted + k + 1, n - k - 2, &text[len]) : 0;
        if (!used) {
            diag_error(p->diag, E_DSL_CHARACTER, dsl_place(p, at),
                       "an escape is one of \\\\ \\\" \\` \\n \\t \\r and \\x01 to \\xff");
            return NULL;
        }
        len++;
        k += (size_t)used;
    }
    return text;
}

/* ---- constructors
 * -------------------------------------------------------------------------------- */

static struct dsl_expr *
new_expr(struct dsl *p, enum dsl_kind kind, struct dsl_loc at, const char *text)
{
    struct dsl_expr *e = ARENA_NEW(p->arena, struct dsl_expr);
    e->kind = kind;
    e->loc = at;
    e->text = text;
    return e;
}

/* One deeper than its part; reported where the limit is crossed. */
static void
deepen(struct dsl *p, struct dsl_expr *e, const struct dsl_expr *part)
{
    if (!part || part->depth < e->depth)
        return;
    e->depth = part->depth + 1;
    if (e->depth == DSL_DEPTH + 1)
        diag_error(p->diag, E_DSL_LIMIT, dsl_place(p, e->loc),
                   "the expression is nested more than %d deep; give a part of it a name",
                   DSL_DEPTH);
}

struct dsl_expr *
dsl_text(struct dsl *p, enum dsl_kind kind, struct dsl_loc at, const char *text)
{
    return new_expr(p, kind, at, text);
}

struct dsl_expr *
dsl_items(struct dsl *p, enum dsl_kind kind, struct dsl_loc at, const char *text,
          struct dsl_list items)
{
    struct dsl_expr *e = new_expr(p, kind, at, text);
    e->items = items;
    for (uint32_t k = 0; k < items.len; k++)
        deepen(p, e, items.at[k]);
    return e;
}

struct dsl_expr *
dsl_binary(struct dsl *p, struct dsl_loc at, char op, struct dsl_expr *a, struct dsl_expr *b)
{
    struct dsl_expr *e = new_expr(p, X_BINARY, at, "");
    e->op = op;
    e->a = a;
    e->b = b;
    deepen(p, e, a);
    deepen(p, e, b);
    return e;
}

struct dsl_expr *
dsl_option(struct dsl *p, struct dsl_loc at, const char *name, struct dsl_expr *value)
{
    struct dsl_expr *e = new_expr(p, X_OPTION, at, name);
    e->a = value;
    return e;
}

struct dsl_expr *
dsl_typed(struct dsl *p, struct dsl_loc at, const char *name, struct dsl_expr *list)
{
    struct dsl_expr *e = new_expr(p, X_TYPED, at, name);
    e->a = list;
    return e;
}

struct dsl_expr *
dsl_tensor(struct dsl *p, struct dsl_loc at, struct dsl_type *type, struct dsl_expr *value)
{
    struct dsl_expr *e = new_expr(p, X_TENSOR, at, "");
    e->type = type;
    e->a = value;
    return e;
}

struct dsl_expr *
dsl_file_value(struct dsl *p, struct dsl_loc at, const char *word, struct dsl_loc name_at,
               const char *name)
{
    if (strcmp(word, "file") != 0)
        diag_error(p->diag, E_DSL_SYNTAX, dsl_place(p, at),
                   "expected a number, a list or: file \"name.npy\"");
    return new_expr(p, X_FILE, name_at, name);
}

struct dsl_expr *
dsl_from(struct dsl *p, struct dsl_loc at, const char *type, struct dsl_expr *divisor)
{
    struct dsl_expr *e = new_expr(p, X_FROM, at, type);
    e->a = divisor;
    return e;
}

struct dsl_expr *
dsl_pin(struct dsl *p, struct dsl_loc at, const char *low, const char *high)
{
    struct dsl_expr *e = new_expr(p, X_PIN, at, "");
    e->a = low ? new_expr(p, X_NUMBER, at, low) : NULL;
    e->b = high ? new_expr(p, X_NUMBER, at, high) : NULL;
    return e;
}

struct dsl_type *
dsl_type(struct dsl *p, struct dsl_loc at, const char *name, struct dsl_expr *dims)
{
    struct dsl_type *t = ARENA_NEW(p->arena, struct dsl_type);
    t->loc = at;
    t->name = name;
    t->dims = dims->items;
    return t;
}

struct dsl_list
dsl_one(struct dsl *p, struct dsl_expr *e)
{
    return dsl_add(p, (struct dsl_list){0}, e);
}

struct dsl_list
dsl_add(struct dsl *p, struct dsl_list list, struct dsl_expr *e)
{
    vec_push(p->arena, &list, e);
    return list;
}

struct dsl_stmt *
dsl_stmt(struct dsl *p, enum dsl_stmt_kind kind, struct dsl_loc at, const char *name,
         struct dsl_list items, struct dsl_expr *value)
{
    struct dsl_stmt *s = ARENA_NEW(p->arena, struct dsl_stmt);
    s->kind = kind;
    s->loc = at;
    s->name = name;
    s->items = items;
    s->value = value;
    return s;
}

struct dsl_stmt *
dsl_typed_stmt(struct dsl *p, enum dsl_stmt_kind kind, struct dsl_loc at, const char *name,
               struct dsl_type *type, struct dsl_list items, struct dsl_expr *value)
{
    struct dsl_stmt *s = dsl_stmt(p, kind, at, name, items, value);
    s->type = type;
    return s;
}

struct dsl_stmt *
dsl_assign(struct dsl *p, struct dsl_loc at, struct dsl_list targets, struct dsl_expr *value,
           struct dsl_list post, bool output)
{
    struct dsl_stmt *s = dsl_stmt(p, S_ASSIGN, at, NULL, targets, value);
    s->post = post;
    s->output = output;
    return s;
}

struct dsl_stmt *
dsl_block(struct dsl *p, struct dsl_loc at, const char *name, struct dsl_list params,
          struct dsl_body body)
{
    struct dsl_stmt *s = dsl_stmt(p, S_BLOCK, at, name, params, NULL);
    s->body = body;
    return s;
}

struct dsl_stmt *
dsl_origin(struct dsl *p, struct dsl_loc at, const char *origin, struct dsl_loc word_at,
           const char *word, const char *text)
{
    if (strcmp(word, "text") != 0)
        diag_error(p->diag, E_DSL_SYNTAX, dsl_place(p, word_at), "expected: text \"hash\"");
    struct dsl_list both = dsl_one(p, dsl_text(p, X_STRING, at, origin));
    return dsl_stmt(p, S_ORIGIN, at, NULL, dsl_add(p, both, dsl_text(p, X_STRING, at, text)), NULL);
}

struct dsl_body
dsl_add_stmt(struct dsl *p, struct dsl_body body, struct dsl_stmt *s)
{
    vec_push(p->arena, &body, s);
    return body;
}

/* ---- errors
 * -------------------------------------------------------------------------------------- */

void
dsl_poison(struct dsl *p, const char *name)
{
    if (name)
        map_set(p->arena, &p->poison, name, 1);
}

void
dsl_poison_all(struct dsl *p, const struct dsl_list *names)
{
    for (uint32_t k = 0; k < names->len; k++)
        dsl_poison(p, names->at[k]->text);
}

void
dsl_poison_stmt(struct dsl *p, const struct dsl_stmt *s)
{
    dsl_poison(p, s->name);
    if (s->kind == S_ASSIGN)
        dsl_poison_all(p, &s->items);
}

void
dsl_syntax_error(struct dsl *p, struct dsl_loc at, const char *const *expected, int n)
{
    struct str text = {0};
    uint32_t len = at.end > at.start ? at.end - at.start : 0;
    if (at.start >= p->size)
        str_add(&text, "the text ends too early");
    else if (p->text[at.start] == '\n' || len == 0)
        str_add(&text, "the line ends too early");
    else
        str_addf(&text, "unexpected %.*s%s", len > 40 ? 40 : (int)len, p->text + at.start,
                 len > 40 ? "..." : "");
    for (int k = 0; k < n; k++)
        str_addf(&text, "%s%s", k == 0 ? ", expected " : k == n - 1 ? " or " : ", ", expected[k]);
    diag_error(p->diag, E_DSL_SYNTAX, dsl_place(p, at), "%s", str_text(&text));
    str_free(&text);
}
