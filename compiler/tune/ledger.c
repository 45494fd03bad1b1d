/* ledger.c - the trainings that were differentially private on the same data before: a text of one
 * line each, so that an epsilon is a budget of the data and not of a command. */
#include "tune/internal.h"

#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "olac privacy ledger 1: share of the data a step takes, noise, steps\n"
/* No ledger is longer, no training has more steps. */
#define LONGEST    ((size_t)1 << 20)
#define MOST_STEPS 1e12

static bool
refused(const struct training *t, uint32_t line)
{
    diag_error(t->d, E_TUNE_LEDGER, PLACE_FILE(t->o.ledger), "line %u is no line of a ledger",
               line);
    return false;
}

/* "q sigma steps\n"; NULL when it is not. */
static const char *
read_line(const char *text, double v[3])
{
    for (int k = 0; k < 3; k++) {
        char *end;
        if (*text < '0' || *text > '9')
            return NULL;
        v[k] = strtod(text, &end);
        if (*end != (k < 2 ? ' ' : '\n'))
            return NULL;
        text = end + 1;
    }
    bool fits = v[0] > 0 && v[0] <= 1 && v[1] > 0 && isfinite(v[1]) && v[2] >= 1;
    return fits && v[2] <= MOST_STEPS ? text : NULL;
}

bool
ledger_read(struct training *t)
{
    struct diag *quiet = diag_new();
    const uint8_t *data;
    size_t size;
    bool ok = true;

    if (!t->o.ledger || !file_read(t->arena, t->o.ledger, false, LONGEST, &data, &size, quiet)) {
        ok = diag_count(quiet) == 0 || diag_at(quiet, 0)->code == E_OPEN || refused(t, 1);
        diag_free(quiet);
        return ok;
    }
    diag_free(quiet);
    const char *at = (const char *)data, *end = at + size;
    if (strlen(at) != size || strncmp(at, HEAD, strlen(HEAD)) != 0)
        return refused(t, 1);
    for (at += strlen(HEAD); at < end;) {
        double v[3];
        at = read_line(at, v);
        if (!at)
            return refused(t, t->trainings + 2);
        account_add(&t->account, v[0], v[1], v[2]);
        t->trainings++;
    }
    t->ledger = (const char *)data;
    return true;
}

bool
ledger_write(const struct training *t, double q, double steps)
{
    struct str s = {0};

    if (!t->o.ledger)
        return true;
    str_addf(&s, "%s%.17g %.17g %.17g\n", t->ledger ? t->ledger : HEAD, q, t->noise, steps);
    bool ok = file_write(t->o.ledger, s.text, s.len, t->d);
    str_free(&s);
    return ok;
}
