/* xml.h - whether a page is well-formed: tags nest, attributes are quoted and once only, references
 * are known, ids are unique, characters are those of XML. */
#ifndef TEST_REPORT_XML_H
#define TEST_REPORT_XML_H

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { XML_DEEP = 64, XML_IDS = 4096 };

struct xml {
    const char *start, *at;
    const char *open[XML_DEEP]; /* names of the open elements */
    size_t length[XML_DEEP];
    int depth;
    char *id[XML_IDS];
    int ids;
    int elements;
};

#define XML_ASSERT(x, condition, what)                                                             \
    cr_assert(condition, "%s at byte %td: %.80s", what, (x)->at - (x)->start, (x)->at)

static size_t
xml_name(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || (n && strchr("-_:", s[n]) && s[n]))
        n++;
    return n;
}

/* Text or the value of an attribute, up to `end`. */
static void
xml_text(struct xml *x, char end)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

    while (*x->at && *x->at != end) {
        XML_ASSERT(x, *x->at != '<', "a tag where none can be");
        XML_ASSERT(x, (unsigned char)*x->at >= 0x20 || strchr("\t\n\r", *x->at), "a control byte");
        if (*x->at == '&') {
            size_t k = 0;
            while (k < 5 && strncmp(x->at, known[k], strlen(known[k])) != 0)
                k++;
            XML_ASSERT(x, k < 5, "an unknown reference");
        }
        size_t n = str_utf8(x->at, strlen(x->at));
        XML_ASSERT(x, n, "no UTF-8");
        x->at += n;
    }
}

static void
xml_id(struct xml *x, const char *value, size_t n)
{
    char *id = strndup(value, n);
    for (int k = 0; k < x->ids; k++)
        XML_ASSERT(x, strcmp(x->id[k], id) != 0, "an id that is there twice");
    cr_assert(x->ids < XML_IDS);
    x->id[x->ids++] = id;
}

/* name="value", until > or />; true for the latter. */
static bool
xml_attributes(struct xml *x)
{
    const char *seen[32];
    size_t length[32];
    int n = 0;

    for (;;) {
        while (isspace((unsigned char)*x->at))
            x->at++;
        if (*x->at == '>' || strncmp(x->at, "/>", 2) == 0)
            break;
        size_t len = xml_name(x->at);
        XML_ASSERT(x, len && x->at[len] == '=' && x->at[len + 1] == '"', "no attribute");
        for (int k = 0; k < n; k++)
            XML_ASSERT(x, length[k] != len || strncmp(seen[k], x->at, len) != 0,
                       "an attribute that is there twice");
        cr_assert(n < 32);
        seen[n] = x->at;
        length[n++] = len;
        bool id = len == 2 && strncmp(x->at, "id", 2) == 0;
        x->at += len + 2;
        const char *value = x->at;
        xml_text(x, '"');
        XML_ASSERT(x, *x->at == '"', "a value without end");
        if (id)
            xml_id(x, value, (size_t)(x->at - value));
        x->at++;
    }
    bool closed = *x->at == '/';
    x->at += closed ? 2 : 1;
    return closed;
}

static void
xml_tag(struct xml *x)
{
    if (x->at[1] == '/') {
        size_t n = xml_name(x->at + 2);
        XML_ASSERT(x,
                   x->depth && n == x->length[x->depth - 1] &&
                       strncmp(x->open[x->depth - 1], x->at + 2, n) == 0 && x->at[n + 2] == '>',
                   "the end of something that is not open");
        x->depth--;
        x->at += n + 3;
        return;
    }
    size_t n = xml_name(x->at + 1);
    XML_ASSERT(x, n && x->depth < XML_DEEP, "no tag");
    x->open[x->depth] = x->at + 1;
    x->length[x->depth] = n;
    x->at += n + 1;
    x->elements++;
    x->depth += !xml_attributes(x);
}

/* The number of elements. */
static int
xml_check(const char *text)
{
    static struct xml x;
    static const char doctype[] = "<!DOCTYPE html>\n";

    x = (struct xml){.start = text, .at = text};
    XML_ASSERT(&x, strncmp(text, doctype, strlen(doctype)) == 0, "no doctype");
    x.at += strlen(doctype);
    while (*x.at)
        if (*x.at == '<')
            xml_tag(&x);
        else
            xml_text(&x, '<');
    XML_ASSERT(&x, x.depth == 0, "something is not closed");
    for (int k = 0; k < x.ids; k++)
        free(x.id[k]);
    return x.elements;
}

#endif
