/* ledger.c - the trainings that were differentially private on the same data before: a text of one
 * line each, so that an epsilon is a budget of the data and not of a command. */
#include "tune/internal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* What cannot be read may well hold what was spent: only a name that is not there is no ledger. */
static bool
absent(const char *path)
{
    struct stat st;

    return lstat(path, &st) != 0 && errno == ENOENT;
}

bool
ledger_read(struct training *t)
{
    const uint8_t *data;
    size_t size;

    if (!t->o.ledger || absent(t->o.ledger))
        return true;
    struct diag *quiet = diag_new();
    bool ok = file_read(t->arena, t->o.ledger, false, LONGEST, &data, &size, quiet);
    if (!ok)
        diag_error(t->d, E_TUNE_LEDGER, PLACE_FILE(t->o.ledger), "%s", diag_at(quiet, 0)->text);
    diag_free(quiet);
    if (!ok)
        return false;
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

/* Only one training at a time reads and writes the ledger. The file beside it goes when it is done
 * with, so a lock on one that is gone counts for nothing. -1 after E_WRITE. */
static int
lock(const struct training *t, const char *path)
{
    for (;;) {
        struct stat st;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        bool held = fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0;
        if (held && st.st_nlink > 0)
            return fd;
        int why = errno;
        if (fd >= 0)
            close(fd);
        if (held || (fd >= 0 && why == EINTR))
            continue;
        diag_error(t->d, E_WRITE, PLACE_FILE(path), "cannot lock: %s", strerror(why));
        return -1;
    }
}

/* Nothing may be missing that was there before the training, and all together keep epsilon. */
static bool
still_fits(const struct training *t, uint32_t before)
{
    struct place at = PLACE_FILE(t->o.ledger);

    if (t->trainings < before) {
        diag_error(t->d, E_TUNE_LEDGER, at, "it lost %u trainings while this one ran",
                   before - t->trainings);
        return false;
    }
    if (t->spent <= t->o.epsilon)
        return true;
    diag_error(t->d, E_TUNE_PRIVATE, at,
               "epsilon %.4g at delta %.4g is spent: with this training and %u that ended while it "
               "ran it would be %.4g",
               t->o.epsilon, t->o.delta, t->trainings - before, t->spent);
    diag_hint(t->d, "one private training after the other on the same data");
    return false;
}

static bool
add_line(struct training *t, double q, double steps)
{
    uint32_t before = t->trainings;
    struct str s = {0};

    t->account = (struct account){0};
    t->trainings = 0;
    t->ledger = NULL;
    if (!ledger_read(t))
        return false;
    account_add(&t->account, q, t->noise, steps);
    t->spent = account_epsilon(&t->account, t->o.delta);
    if (!still_fits(t, before))
        return false;
    if (!t->o.ledger)
        return true;
    str_addf(&s, "%s%.17g %.17g %.17g\n", t->ledger ? t->ledger : HEAD, q, t->noise, steps);
    bool ok = file_write(t->o.ledger, s.text, s.len, t->d);
    str_free(&s);
    return ok;
}

bool
ledger_add(struct training *t, double q, double steps)
{
    if (!t->o.ledger)
        return add_line(t, q, steps);
    const char *path = arena_printf(t->arena, "%s.lock", t->o.ledger);
    int fd = lock(t, path);
    if (fd < 0)
        return false;
    bool ok = add_line(t, q, steps);
    unlink(path);
    close(fd);
    return ok;
}
