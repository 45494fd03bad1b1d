/* dsl_words.c - see dsl_words.h. */
#include "import/dsl_words.h"

#include <stdbool.h>
#include <string.h>

static bool
letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* NAME of model.l, and no word that is always special. */
static bool
plain_name(const char *name)
{
    static const char *const special[] = {"_", "as", "from", "inf", "nan", "true", "false"};
    for (size_t k = 0; k < sizeof special / sizeof *special; k++)
        if (strcmp(name, special[k]) == 0)
            return false;
    if (!letter(*name))
        return false;
    for (const char *c = name; *c; c++) {
        bool digit = *c >= '0' && *c <= '9';
        if (!letter(*c) && !digit && *c != '.')
            return false;
        if (*c == '.' && (c[1] == '.' || c[1] == 0))
            return false;
    }
    return true;
}

static void
quoted(struct str *out, char quote, const char *text)
{
    size_t left = strlen(text);
    str_addn(out, &quote, 1);
    while (left) {
        size_t n = str_utf8(text, left);
        if (*text == quote || *text == '\\')
            str_addf(out, "\\%c", *text);
        else if (n == 0 || (unsigned char)*text < 0x20 || *text == 0x7f)
            str_addf(out, "\\x%02x", (unsigned)(unsigned char)*text);
        else
            str_addn(out, text, n);
        text += n ? n : 1;
        left -= n ? n : 1;
    }
    str_addn(out, &quote, 1);
}

void
words_name(struct str *out, const char *name)
{
    if (plain_name(name))
        str_add(out, name);
    else
        quoted(out, '`', name);
}

void
words_string(struct str *out, const char *text)
{
    quoted(out, '"', text);
}

const char *
words_node(struct arena *a, const char *output)
{
    static const char tail[] = "_output_0";
    size_t n = strlen(output), t = sizeof tail - 1;
    return n > t && strcmp(output + n - t, tail) == 0 ? arena_strndup(a, output, n - t) : output;
}

/* Letters to add, drop, change or swap to get from one word to the other, both of at most 63 bytes.
 */
static uint32_t
distance(const char *a, size_t n, const char *b, size_t m)
{
    uint32_t rows[3][64]; /* of the last two letters of a, and of the present one */
    for (uint32_t k = 0; k <= m; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= n; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (uint32_t)i;
        for (size_t k = 1; k <= m; k++) {
            uint32_t change = above[k - 1] + (a[i - 1] != b[k - 1]);
            uint32_t least = (above[k] < row[k - 1] ? above[k] : row[k - 1]) + 1;
            row[k] = change < least ? change : least;
            bool swapped = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
            if (swapped && two_above[k - 2] + 1 < row[k])
                row[k] = two_above[k - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

void
words_nearest(const char *word, const char *candidate, const char **best, uint32_t *score)
{
    size_t n = strlen(word), m = strlen(candidate);
    if (n > 63 || m > 63 || n == 0 || m == 0)
        return;
    uint32_t d = distance(word, n, candidate, m);
    if (d <= (n + m) / 6 + 1 && d < (n > m ? n : m) && d < *score) {
        *best = candidate;
        *score = d;
    }
}
