/* main.c - bench_runtime: what every operation of the runtime takes, and how near it comes to what
 * the machine can do (bench.h). Takes about a minute.
 *
 * Usage: bench_runtime [--json] [--log-n FIRST[-LAST]] [--threads 1|2] [--bits B] [--only TEXT] */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static int
usage(void)
{
    fprintf(stderr, "usage: bench_runtime [--json] [--log-n FIRST[-LAST]] [--threads 1|2] "
                    "[--bits B] [--only TEXT]\n");
    return 2;
}

int
main(int argc, char **argv)
{
    struct bench b = {.threads = BENCH_THREADS};
    uint32_t first = 13, last = 16, bits = 48;
    for (int k = 1; k < argc; k++) {
        const char *value = k + 1 < argc ? argv[k + 1] : "";
        if (strcmp(argv[k], "--json") == 0) {
            b.json = true;
            continue;
        }
        if (strcmp(argv[k], "--log-n") == 0) {
            char *rest;
            first = last = (uint32_t)strtoul(value, &rest, 10);
            if (*rest == '-')
                last = (uint32_t)strtoul(rest + 1, NULL, 10);
        } else if (strcmp(argv[k], "--threads") == 0) {
            b.threads = (uint32_t)strtoul(value, NULL, 10);
        } else if (strcmp(argv[k], "--bits") == 0) {
            bits = (uint32_t)strtoul(value, NULL, 10);
        } else if (strcmp(argv[k], "--only") == 0) {
            b.only = value;
        } else {
            return usage();
        }
        k++;
    }
    if (first < 12 || last > 16 || last < first || b.threads < 1 || b.threads > BENCH_THREADS ||
        bits < 25 || bits > 48)
        return usage();
    bench_begin(&b);
    for (uint32_t log_n = first; log_n <= last; log_n++) {
        bench_kernels(&b, log_n);
        bench_scheme(&b, log_n, bits);
        if (log_n == 15)
            bench_bootstrap(&b);
    }
    bench_end(&b);
    return 0;
}
