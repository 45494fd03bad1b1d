/* str.c - see str.h. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
str_free(struct str *s)
{
    free(s->text);
    *s = (struct str){0};
}

static void
reserve(struct str *s, size_t more)
{
    if (s->cap - s->len > more)
        return;
    size_t cap = s->cap ? s->cap * 2 : 256;
    while (cap - s->len <= more)
        cap *= 2;
    s->text = realloc(s->text, cap);
    if (!s->text) {
        fputs("olac: out of memory\n", stderr);
        abort();
    }
    s->cap = cap;
}

void
str_addn(struct str *s, const char *bytes, size_t n)
{
    reserve(s, n);
    memcpy(s->text + s->len, bytes, n);
    s->len += n;
    s->text[s->len] = 0;
}

void
str_add(struct str *s, const char *text)
{
    str_addn(s, text, strlen(text));
}

void
str_vaddf(struct str *s, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n > 0) {
        reserve(s, (size_t)n);
        vsnprintf(s->text + s->len, (size_t)n + 1, fmt, again);
        s->len += (size_t)n;
    }
    va_end(again);
}

void
str_addf(struct str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(s, fmt, ap);
    va_end(ap);
}

void
str_double(struct str *s, double x)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    str_add(s, text);
}

void
str_float(struct str *s, float x)
{
    char text[40];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x)
            break;
    }
    str_add(s, text);
}

size_t
str_utf8(const char *text, size_t n)
{
    /* The first byte's range, the second's, the length: RFC 3629, section 4. */
    static const struct {
        unsigned char lo, hi, lo2, hi2, len;
    } rows[] = {{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
                {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
                {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
                {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    const unsigned char *p = (const unsigned char *)text;
    if (n == 0 || p[0] < 0x80)
        return n ? 1 : 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (p[0] < rows[i].lo || p[0] > rows[i].hi)
            continue;
        if (rows[i].len > n || p[1] < rows[i].lo2 || p[1] > rows[i].hi2)
            return 0;
        for (size_t k = 2; k < rows[i].len; k++)
            if ((p[k] & 0xC0) != 0x80)
                return 0;
        return rows[i].len;
    }
    return 0;
}

void
str_json(struct str *s, const char *text)
{
    str_add(s, "\"");
    for (size_t left = strlen(text); left;) {
        size_t n = str_utf8(text, left), step = n ? n : 1;
        if (*text == '"' || *text == '\\')
            str_addf(s, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            str_addf(s, "\\u%04x", (unsigned)(unsigned char)*text);
        else if (n)
            str_addn(s, text, n);
        else
            str_add(s, "\xEF\xBF\xBD");
        text += step;
        left -= step;
    }
    str_add(s, "\"");
}

const char *
str_text(const struct str *s)
{
    return s->text ? s->text : "";
}
