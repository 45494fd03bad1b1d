/* bench_choose.c - bench_choose MODEL CALIB COUNT DROP [M,M,M S,S,S]: what the choice of degrees
 * layer by layer gives against one degree everywhere, at a drop of DROP (a share); and how long a
 * chain of 1,000 activations takes. Networks too deep for a ring are chosen by levels. */
#include "choose/allot.h"
#include "pipeline/pipeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
chain(void)
{
    enum { N = 1000 };
    static struct allot_item items[N];
    static struct allot_option options[N][4];
    static uint32_t before[N], choice[N];

    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t o = 0; o < 4; o++)
            options[i][o] = (struct allot_option){2 + o, (1 + i * 7919 % 101) / pow(4, o)};
        before[i] = i - 1;
        items[i] = (struct allot_item){4, options[i], i > 0, &before[i]};
    }
    double start = now();
    for (uint32_t budget = 2500; budget <= 4500; budget += 1000) {
        allot(items, N, budget, choice);
        printf("chain of 1000, budget %u: %.3f s\n", budget, now() - start);
        start = now();
    }
}

static void
row(const char *what, const struct chosen_plan *p)
{
    printf("%-8s %3u: %4u levels, %4u along the deepest way, drop %6.2f %%, cost %.3g, %.3g s\n",
           what, p->uniform, p->levels, p->deepest, 100 * p->drop, p->cost, p->seconds);
}

static uint32_t
numbers(char *text, double *v)
{
    uint32_t n = 0;
    while (n < 3 && text) {
        v[n++] = strtod(text, &text);
        text = *text == ',' ? text + 1 : NULL;
    }
    return n;
}

static void
progress(void *user, const char *what, uint32_t done, uint32_t all)
{
    double *start = user;
    if (done == all)
        fprintf(stderr, "%7.1f s %s\n", now() - *start, what);
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct compiled c = {0};
    double mean[3], std[3], start = now();
    struct compile_options o = {.mean = mean, .std = std, .progress = progress, .user = &start};

    if (argc < 5) {
        chain();
        return 0;
    }
    o.model = argv[1];
    o.calib = argv[2];
    o.calib_count = (uint32_t)atoi(argv[3]);
    o.max_drop = atof(argv[4]);
    o.n_mean = argc > 6 ? numbers(argv[5], mean) : 0;
    o.n_std = argc > 6 ? numbers(argv[6], std) : 0;
    bool ok = pipeline_middle(a, &o, &c, d);
    struct str s = {0};
    diag_print(d, &s);
    fputs(str_text(&s), stderr);
    printf("%.1f s, judged on %u images by %s\n", now() - start, c.chosen.judged,
           c.chosen.labels ? "labels" : "agreement");
    for (int k = 0; k < CHOSEN_UNIFORM && c.chosen.judged; k++)
        row("uniform", &c.chosen.uniform[k]);
    if (c.chosen.judged)
        row("chosen", &c.chosen.plan);
    for (uint32_t k = 0; ok && c.chosen.judged && k < c.graph->nodes.len; k++)
        if (c.chosen.plan.degree[k])
            printf("%s %u\n", c.graph->nodes.at[k].name, c.graph->nodes.at[k].poly->degree);
    str_free(&s);
    diag_free(d);
    arena_free(a);
    return !ok;
}
