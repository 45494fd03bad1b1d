/* html.h - writing HTML that is also XML: text is escaped, numbers are short. */
#ifndef OLAC_REPORT_HTML_H
#define OLAC_REPORT_HTML_H

#include "base/str.h"

#include <stdint.h>

/* Any bytes as text or the value of an attribute: markup is escaped, what is not UTF-8 or not a
 * character of XML becomes U+FFFD. */
void html_text(struct str *out, const char *text);
/* Three significant digits: "0.0123", in text "1.2 x 10^-5" as HTML would write it. "-" where it is
 * not finite. */
void html_number(struct str *out, double x);
/* The same without markup, for SVG and attributes. */
void html_plain(struct str *out, double x);
/* "31 ms", "2.4 s", "too deep" for INFINITY. No markup. */
void html_seconds(struct str *out, double seconds);
/* "298 MB". */
void html_bytes(struct str *out, uint64_t bytes);
/* A share as "91.50 %". */
void html_percent(struct str *out, double share);
/* <h2> with its anchor, and the beginning of a section; html_end closes it. */
void html_section(struct str *out, const char *id, const char *title, const char *lead);
void html_end(struct str *out);

#endif
