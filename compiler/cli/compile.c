/* compile.c - olac compile: a folder of C, or the comparison with one. */
#include "cli/data.h"

#include "base/file.h"
#include "ir/he.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

/* How an evaluation shares out among cores. */
static void
cores_json(const struct he_program *p, struct str *s)
{
    struct he_scaling c;
    he_price_cores(p, &c);
    str_addf(s, ",\"critical_path_seconds\":%.5f,\"bytes_moved\":%.0f,\"cores\":[", c.path,
             c.bytes);
    for (uint32_t k = 0; k < HE_CORES; k++)
        str_addf(s, "%s{\"cores\":%u,\"seconds\":%.5f,\"speedup\":%.2f,\"bytes_a_second\":%.3g}",
                 k ? "," : "", c.at[k].cores, c.at[k].seconds, c.at[0].seconds / c.at[k].seconds,
                 c.bytes / c.at[k].seconds);
    str_add(s, "]");
}

static void
cores_table(const struct he_program *p)
{
    struct he_scaling c;
    he_price_cores(p, &c);
    printf("faster than one core, if memory keeps pace:");
    for (uint32_t k = 2; k < HE_CORES; k++)
        printf("%s %.1f times on %u", k == 2 ? "" : ",", c.at[0].seconds / c.at[k].seconds,
               c.at[k].cores);
    printf("; %.1f GB pass through memory, at %.0f GB/s %.2f s\n", c.bytes / 1e9, c.memory / 1e9,
           c.bytes / c.memory);
}

static void
summary_json(const struct compiled *c, const char *dir)
{
    const struct he_program *p = c->program;
    struct str s = {0};
    str_add(&s, "{\"output\":");
    str_json(&s, dir);
    str_addf(&s, ",\"seconds\":%.6f,\"degree\":%u,\"agree\":%.6f", c->seconds,
             c->approximation.degree, c->approximation.agree);
    if (c->chosen.judged) {
        str_add(&s, ",\"chosen\":");
        cli_chosen_json(c, &s);
    }
    if (c->quantization.n) {
        str_add(&s, ",\"rounded\":");
        cli_rounded_json(c, NAN, &s);
    }
    str_addf(&s, ",\"security_bits\":%u,\"log_n\":%u,\"log_qp\":%.2f,\"levels\":%u",
             p->params.security, p->params.log_n, p->params.log_qp, p->params.q.len - 1);
    str_addf(&s,
             ",\"rotations\":%llu,\"products\":%llu,\"key_bytes\":%llu,\"predicted_seconds\":%.4f,"
             "\"predicted_bytes\":%llu,\"batch\":%u,\"operations\":",
             (unsigned long long)p->counts.rotations, (unsigned long long)p->counts.products,
             (unsigned long long)p->key_bytes, p->seconds, (unsigned long long)p->peak_bytes,
             p->batch ? p->batch : 1);
    cli_operations_json(p->arena, p, &s);
    cores_json(p, &s);
    str_add(&s, "}\n");
    fputs(str_text(&s), stdout);
    str_free(&s);
}

static void
summary(const struct compiled *c, const char *dir)
{
    const struct he_program *p = c->program;
    printf("%s: %s, N = 2^%u, log QP = %.0f, %s, %u levels\n", dir, p->name, p->params.log_n,
           p->params.log_qp, cli_security(p), p->params.q.len - 1);
    if (c->chosen.judged) {
        struct str s = {0};
        cli_chosen_table(c, &s);
        fputs(str_text(&s), stdout);
        str_free(&s);
    } else if (c->approximation.degree)
        printf("activations: degree %u, same answer as float on %.2f %% of %u calibration images\n",
               c->approximation.degree, 100 * c->approximation.agree, c->n_calib);
    if (c->polished.before > 0)
        printf(
            "polished: outputs %.3g from the float network's, %.3g before, on images held back%s\n",
            c->polished.after, c->polished.before, c->polished.kept ? "" : "; not kept");
    printf("an evaluation: ");
    if (p->count_refreshes)
        printf("%llu bootstrapping%s, ", (unsigned long long)p->count_refreshes,
               p->count_refreshes == 1 ? "" : "s");
    printf("%llu rotations, %llu products, about %.2g s %s, %.0f MB (keys %.0f MB)\n",
           (unsigned long long)p->counts.rotations, (unsigned long long)p->counts.products,
           p->seconds, p->params.costs ? "by --costs" : "on two cores", (double)p->peak_bytes / 1e6,
           (double)p->key_bytes / 1e6);
    cores_table(p);
    if (p->batch) {
        struct str s = {0};
        cli_operations_table(p->arena, p, &s);
        fputs(str_text(&s), stdout);
        str_free(&s);
        printf("%u images in an evaluation, about %.0f a second\n", p->batch,
               p->batch / p->seconds);
    }
    printf("compiled in %.2f s\n", c->seconds);
}

static int
against(struct arena *a, const struct options *o, const struct compiled *c, struct diag *d)
{
    struct str diff = {0};
    struct stat st;
    if (stat(o->against, &st) != 0 || !S_ISDIR(st.st_mode)) {
        diag_error(d, E_OPEN, PLACE_FILE(o->against), "cannot open the folder");
        return cli_finish(o, d);
    }
    if (!emit_against(a, &c->files, o->against, &diff, d)) {
        str_free(&diff);
        return cli_finish(o, d);
    }
    int status = diff.len != 0;
    fputs(str_text(&diff), stdout);
    if (!status && !o->quiet && !o->json)
        printf("%s: identical\n", o->against);
    str_free(&diff);
    return status;
}

int
cli_compile(struct arena *a, const struct options *o, struct diag *d)
{
    struct compile_options co = options_compile(a, o);
    struct progress progress = progress_new(o);
    struct compiled c = {0};
    struct str dump = {0};

    co.progress = progress_show;
    co.user = &progress;
    co.dump_out = &dump;
    bool ok = pipeline_compile(a, &co, &c, d);
    progress_clear(&progress);
    fputs(str_text(&dump), stdout);
    str_free(&dump);
    if (!ok || !cli_report(a, o, &c, &(struct cli_findings){0}, d))
        return cli_finish(o, d);
    if (o->against)
        return against(a, o, &c, d);
    const char *dir = o->output ? o->output : c.graph->name;
    if (!emit_write(&c.files, dir, d))
        return cli_finish(o, d);
    cli_warnings(d);
    if (o->json)
        summary_json(&c, dir);
    else if (!o->quiet)
        summary(&c, dir);
    return 0;
}
