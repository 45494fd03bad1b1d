/* progress.c - one line on a terminal: what is being done, how far, how long it will take. */
#include "cli/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds between two drawings, and before the first one of a step. */
#define PATIENCE 0.1

double
seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct progress
progress_new(const struct options *o)
{
    return (struct progress){.shown = !o->quiet && isatty(STDERR_FILENO) == 1,
                             .start = seconds_now()};
}

void
progress_show(void *user, const char *what, uint32_t done, uint32_t all)
{
    struct progress *p = user;
    double now = seconds_now();
    if (!p->shown)
        return;
    if (!p->what || strcmp(p->what, what) != 0) {
        p->what = what;
        p->start = p->last = now;
    }
    if (now - p->last < PATIENCE)
        return;
    p->last = now;
    fprintf(stderr, "\r\033[K%s", what);
    if (all > 1)
        fprintf(stderr, ": %u of %u", done, all);
    if (all > 1 && done && done < all)
        fprintf(stderr, ", %.0f s left", ceil((now - p->start) * (all - done) / done));
    fflush(stderr);
}

void
progress_clear(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
}
