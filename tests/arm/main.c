/* main.c - runs the tests that criterion.h collected: each in a process of its own, a line each. */
#include <sys/wait.h>
#include <unistd.h>

#include "criterion/criterion.h"

static struct test *tests;

void
test_add(struct test *t)
{
    t->next = tests;
    tests = t;
}

static bool
passes(const struct test *t, const void *param)
{
    int status = 1;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        t->run(param);
        fflush(stdout);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int
main(void)
{
    unsigned failed = 0, run = 0;
    for (const struct test *t = tests; t != NULL; t = t->next) {
        const struct criterion_test_params p =
            t->params != NULL ? t->params() : (struct criterion_test_params){0, NULL, 1};
        for (size_t k = 0; k < p.count; k++) {
            const bool ok = passes(t, (const char *)p.at + k * p.size);
            printf("%s %s/%s %zu\n", ok ? "ok    " : "FAILED", t->suite, t->name, k);
            failed += !ok;
            run++;
        }
    }
    printf("%u tests, %u failed\n", run, failed);
    return failed != 0 || run < 10;
}
