/* str.h - a string that grows at its end; for text that is printed, compared or written as a
 * file. */
#ifndef OLAC_BASE_STR_H
#define OLAC_BASE_STR_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

/* Always NUL-terminated once anything was added; text == NULL when empty. Heap; str_free it. */
struct str {
    char *text;
    size_t len, cap;
};

void str_free(struct str *s);
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const char *bytes, size_t n);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* The shortest decimal that reads back as the same double / float ("1", "0.1", "1e-05", "inf"). */
void str_double(struct str *s, double x);
void str_float(struct str *s, float x);
/* Length of the UTF-8 sequence at text, of which n bytes are there; 0 when it is none (RFC 3629: no
 * overlong forms, no surrogates). A NUL byte is a sequence of one. */
size_t str_utf8(const char *text, size_t n);
/* s as a quoted JSON string, control characters escaped; bytes that are not UTF-8 become U+FFFD. */
void str_json(struct str *s, const char *text);
/* "" instead of NULL. */
const char *str_text(const struct str *s);

#endif
