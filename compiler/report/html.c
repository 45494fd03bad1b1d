/* html.c - see html.h. */
#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of XML 1.0: no control characters but tab and line ends, no U+FFFE, U+FFFF. */
static bool
is_character(const char *text, size_t n)
{
    if (n == 1)
        return (unsigned char)*text >= 0x20 || strchr("\t\n\r", *text);
    return n != 3 || (memcmp(text, "\xef\xbf\xbe", 3) != 0 && memcmp(text, "\xef\xbf\xbf", 3) != 0);
}

static const char *
entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void
html_text(struct str *out, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        size_t n = str_utf8(text, left);
        if (!n || !is_character(text, n)) {
            str_add(out, "\xef\xbf\xbd");
            n = n ? n : 1;
        } else if (n == 1 && entity(*text)) {
            str_add(out, entity(*text));
        } else {
            str_addn(out, text, n);
        }
        text += n;
        left -= n;
    }
}

void
html_plain(struct str *out, double x)
{
    if (!isfinite(x))
        str_add(out, "\xe2\x80\x93");
    else
        str_addf(out, "%.3g", x);
}

void
html_number(struct str *out, double x)
{
    char text[32];
    int exponent;

    if (!isfinite(x)) {
        html_plain(out, x);
        return;
    }
    snprintf(text, sizeof text, "%.3g", x);
    char *e = strchr(text, 'e');
    if (!e || sscanf(e + 1, "%d", &exponent) != 1) {
        str_add(out, text);
        return;
    }
    *e = 0;
    str_addf(out,
             "%s\xc2\xa0\xc3\x97\xc2\xa0"
             "10<sup>%d</sup>",
             text, exponent);
}

void
html_seconds(struct str *out, double seconds)
{
    if (isnan(seconds))
        str_add(out, "\xe2\x80\x93");
    else if (isinf(seconds))
        str_add(out, "too deep");
    else if (seconds == 0)
        str_add(out, "0\xc2\xa0s");
    else if (seconds < 0.9995e-3)
        str_addf(out, "%.3g\xc2\xa0\xc2\xb5s", 1e6 * seconds);
    else if (seconds < 0.9995)
        str_addf(out, "%.3g\xc2\xa0ms", 1e3 * seconds);
    else if (seconds < 999.5)
        str_addf(out, "%.3g\xc2\xa0s", seconds);
    else
        str_addf(out, "%.0f\xc2\xa0s", seconds);
}

void
html_bytes(struct str *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double x = (double)bytes;
    int unit = 0;

    for (; x >= 999.5 && unit < 4; unit++)
        x /= 1000;
    str_addf(out, "%.3g\xc2\xa0%s", x, units[unit]);
}

void
html_percent(struct str *out, double share)
{
    if (isfinite(share))
        str_addf(out, "%.2f\xc2\xa0%%", 100 * share);
    else
        str_add(out, "\xe2\x80\x93");
}

void
html_section(struct str *out, const char *id, const char *title, const char *lead)
{
    str_addf(out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
    if (lead)
        str_addf(out, "<p class=\"lead\">%s</p>\n", lead);
}

void
html_end(struct str *out)
{
    str_add(out, "</section>\n");
}
