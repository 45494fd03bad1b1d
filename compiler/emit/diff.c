/* diff.c - a unified diff of two texts by Myers' algorithm in linear space (E. Myers, "An O(ND)
 * Difference Algorithm and Its Variations", Algorithmica 1, 1986, section 4b). */
#include "emit/room.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXT 3

struct line {
    const char *text;
    size_t length; /* with the newline, if there is one */
};

struct lines {
    struct line *at;
    long n;
    bool *changed;
};

struct diff {
    struct lines a, b;
    long *forward, *backward; /* furthest x on each diagonal, from its middle */
};

static struct lines
split(struct arena *arena, const char *text)
{
    struct lines l = {0};
    for (const char *s = text; *s; l.n++) {
        size_t n = strcspn(s, "\n");
        s += n + (s[n] == '\n');
    }
    l.at = ARENA_ARRAY(arena, struct line, (size_t)l.n + 1);
    l.changed = ARENA_ARRAY(arena, bool, (size_t)l.n + 1);
    const char *s = text;
    for (long i = 0; i < l.n; i++) {
        size_t n = strcspn(s, "\n");
        n += s[n] == '\n';
        l.at[i] = (struct line){s, n};
        s += n;
    }
    return l;
}

static bool
equal(const struct diff *d, long x, long y)
{
    const struct line *a = &d->a.at[x], *b = &d->b.at[y];
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* A box of the edit graph: lines x0 .. x1 - 1 of a, y0 .. y1 - 1 of b. */
struct box {
    long x0, x1, y0, y1;
};

/* A point (x, y) that a shortest edit script of the box passes; the box has lines on both sides,
 * its first lines differ and so do its last. */
static void
middle(const struct diff *d, struct box box, long *x_out, long *y_out)
{
    long n = box.x1 - box.x0, m = box.y1 - box.y0, delta = n - m;
    long *f = d->forward, *b = d->backward;
    f[1] = 0;
    b[1] = 0;
    for (long depth = 0;; depth++) {
        for (long k = -depth; k <= depth; k += 2) {
            long x = k == -depth || (k != depth && f[k - 1] < f[k + 1]) ? f[k + 1] : f[k - 1] + 1;
            long y = x - k;
            while (x < n && y < m && x >= 0 && y >= 0 && equal(d, box.x0 + x, box.y0 + y))
                x++, y++;
            f[k] = x;
            long other = delta - k;
            if (delta % 2 != 0 && other > -depth && other < depth && x + b[other] >= n && x <= n &&
                y >= 0 && y <= m) {
                *x_out = box.x0 + x;
                *y_out = box.y0 + y;
                return;
            }
        }
        for (long k = -depth; k <= depth; k += 2) {
            long x = k == -depth || (k != depth && b[k - 1] < b[k + 1]) ? b[k + 1] : b[k - 1] + 1;
            long y = x - k;
            while (x < n && y < m && x >= 0 && y >= 0 && equal(d, box.x1 - 1 - x, box.y1 - 1 - y))
                x++, y++;
            b[k] = x;
            long other = delta - k;
            if (delta % 2 == 0 && other >= -depth && other <= depth && x + f[other] >= n &&
                x <= n && y >= 0 && y <= m) {
                *x_out = box.x1 - x;
                *y_out = box.y1 - y;
                return;
            }
        }
    }
}

static void
mark(struct diff *d, struct box box)
{
    while (box.x0 < box.x1 && box.y0 < box.y1 && equal(d, box.x0, box.y0))
        box.x0++, box.y0++;
    while (box.x0 < box.x1 && box.y0 < box.y1 && equal(d, box.x1 - 1, box.y1 - 1))
        box.x1--, box.y1--;
    if (box.x0 == box.x1 || box.y0 == box.y1) {
        for (long x = box.x0; x < box.x1; x++)
            d->a.changed[x] = true;
        for (long y = box.y0; y < box.y1; y++)
            d->b.changed[y] = true;
        return;
    }
    long x = 0, y = 0;
    middle(d, box, &x, &y);
    mark(d, (struct box){box.x0, x, box.y0, y});
    mark(d, (struct box){x, box.x1, y, box.y1});
}

/* ---- printing -------------------------------------------------------------------------------- */

static void
print_line(const struct line *l, char sign, struct str *out)
{
    str_addn(out, &sign, 1);
    str_addn(out, l->text, l->length);
    if (!l->length || l->text[l->length - 1] != '\n')
        str_add(out, "\n\\ No newline at end of file\n");
}

/* Both sides walked together from (x, y), equal lines in step; one hunk. The new place in *x and
 * *y. */
static void
print_hunk(const struct diff *d, long *x, long *y, struct str *out)
{
    long back = *x < CONTEXT ? *x : CONTEXT;
    long x0 = *x - back, y0 = *y - back, x1 = *x, y1 = *y, same = 0;
    back = *y < back ? *y : back;
    struct str body = {0};
    for (long i = x0; i < *x; i++)
        print_line(&d->a.at[i], ' ', &body);
    while ((x1 < d->a.n || y1 < d->b.n) && same <= 2 * CONTEXT) {
        bool gone = x1 < d->a.n && d->a.changed[x1], come = y1 < d->b.n && d->b.changed[y1];
        same = gone || come ? 0 : same + 1;
        if (!gone && come)
            y1++;
        else if (gone)
            x1++;
        else
            x1++, y1++;
    }
    long drop = same > CONTEXT ? same - CONTEXT : 0;
    x1 -= drop;
    y1 -= drop;
    for (long i = *x, j = *y; i < x1 || j < y1;) {
        if (i < x1 && d->a.changed[i])
            print_line(&d->a.at[i++], '-', &body);
        else if (j < y1 && d->b.changed[j])
            print_line(&d->b.at[j++], '+', &body);
        else
            print_line(&d->a.at[i++], ' ', &body), j++;
    }
    str_addf(out, "@@ -%ld,%ld +%ld,%ld @@\n", x1 > x0 ? x0 + 1 : x0, x1 - x0,
             y1 > y0 ? y0 + 1 : y0, y1 - y0);
    str_addn(out, str_text(&body), body.len);
    str_free(&body);
    *x = x1;
    *y = y1;
}

void
emit_diff(struct arena *a, const char *name, const char *old, const char *new, struct str *out)
{
    struct diff d = {.a = split(a, old), .b = split(a, new)};
    long most = d.a.n + d.b.n + 2;
    d.forward = ARENA_ARRAY(a, long, (size_t)(2 * most + 1)) + most;
    d.backward = ARENA_ARRAY(a, long, (size_t)(2 * most + 1)) + most;
    if (strcmp(old, new) == 0)
        return;
    mark(&d, (struct box){0, d.a.n, 0, d.b.n});
    str_addf(out, "--- a/%s\n+++ b/%s\n", name, name);
    for (long x = 0, y = 0; x < d.a.n || y < d.b.n;) {
        bool gone = x < d.a.n && d.a.changed[x], come = y < d.b.n && d.b.changed[y];
        if (gone || come)
            print_hunk(&d, &x, &y, out);
        else
            x++, y++;
    }
}
