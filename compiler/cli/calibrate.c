/* calibrate.c - olac calibrate: a data set, or parts calibrated apart, to a calibration file. */
#include "cli/options.h"

#include "base/file.h"

#include <stdio.h>

static void
summary(const struct options *o, const struct calibration *c, double seconds, size_t bytes)
{
    struct str s = {0};

    if (o->json) {
        str_add(&s, "{\"output\":");
        str_json(&s, o->output);
        str_addf(&s,
                 ",\"images\":%llu,\"labels\":%s,\"activations\":%u,\"channels\":%llu,"
                 "\"sample\":%u,\"impacts\":%u,\"bytes\":%zu,\"seconds\":%.3f}\n",
                 (unsigned long long)c->images, c->labels ? "true" : "false", c->n,
                 (unsigned long long)c->channels, c->n_sample, c->weighed, bytes, seconds);
    } else if (!o->quiet) {
        str_addf(&s,
                 "%s: %llu image%s%s, %u activations with %llu channels, a sample of %u, %.1f MB, "
                 "%.1f s\n",
                 o->output, (unsigned long long)c->images, c->images == 1 ? "" : "s",
                 c->labels ? " with labels" : "", c->n, (unsigned long long)c->channels,
                 c->n_sample, (double)bytes / 1e6, seconds);
    }
    fputs(str_text(&s), stdout);
    str_free(&s);
}

int
cli_calibrate(struct arena *a, const struct options *o, struct diag *d)
{
    struct compile_options co = options_compile(a, o);
    struct progress progress = progress_new(o);
    struct compiled out = {0};
    double start = seconds_now();
    struct str s = {0};

    co.progress = progress_show;
    co.user = &progress;
    if (o->merge)
        out.calibration = pipeline_merge(a, o->operands.at, o->operands.len, d);
    bool ok = o->merge ? out.calibration != NULL : pipeline_calibration(a, &co, &out, d);
    progress_clear(&progress);
    if (ok) {
        calibration_format(out.calibration, &s);
        ok = file_write(o->output, s.text, s.len, d);
    }
    size_t bytes = s.len;
    str_free(&s);
    if (!ok)
        return cli_finish(o, d);
    cli_warnings(d);
    summary(o, out.calibration, seconds_now() - start, bytes);
    return 0;
}
