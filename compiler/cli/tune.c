/* tune.c - olac tune: a network trained on, written as ONNX. */
#include "cli/data.h"

#include "base/file.h"
#include "import/import.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void
json(const struct options *o, const struct tune_report *r, double seconds)
{
    struct str s = {0};

    str_add(&s, "{\"output\":");
    str_json(&s, o->output);
    str_addf(&s, ",\"epochs\":%u,\"seconds\":%.3f,\"epsilon\":", r->epochs, seconds);
    cli_number(&s, r->noise > 0 ? r->epsilon : NAN);
    str_add(&s, ",\"noise\":");
    cli_number(&s, r->noise > 0 ? r->noise : NAN);
    str_addf(&s, ",\"trainings_before\":%u,\"loss\":", r->trainings);
    cli_number(&s, r->loss);
    str_add(&s, ",\"accuracy\":");
    cli_number(&s, r->accuracy);
    str_add(&s, ",\"layers\":[");
    for (uint32_t k = 0; k < r->n; k++) {
        const struct tune_layer *l = &r->layers[k];
        str_add(&s, k ? ",{\"name\":" : "{\"name\":");
        str_json(&s, l->name);
        str_addf(&s, ",\"weights\":%u,\"zeros\":%u,\"lo\":%d,\"hi\":%d}", l->weights, l->zeros,
                 l->lo, l->hi);
    }
    str_add(&s, "]}\n");
    fputs(str_text(&s), stdout);
    str_free(&s);
}

static void
table(const struct options *o, const struct tune_report *r, double seconds)
{
    double weights = 0, zeros = 0;

    if (r->noise > 0)
        printf(
            "%s: %u epochs in %.0f s; (epsilon, delta) = (%.4g, %.4g) with %u earlier trainings, "
            "noise %.4g times the clipping norm\n",
            o->output, r->epochs, seconds, r->epsilon, o->dp.v[1], r->trainings, r->noise);
    else
        printf("%s: %u epochs in %.0f s; on the last one loss %.4f, accuracy %.2f %%\n", o->output,
               r->epochs, seconds, r->loss, 100 * r->accuracy);
    printf("%-24s %8s %8s %10s\n", "layer", "weights", "zeros", "powers");
    for (uint32_t k = 0; k < r->n; k++) {
        const struct tune_layer *l = &r->layers[k];
        char powers[32] = "-";
        if (l->lo || l->hi)
            snprintf(powers, sizeof powers, "%d..%d", l->lo, l->hi);
        printf("%-24s %8u %7.1f%% %10s\n", l->name, l->weights, 100.0 * l->zeros / l->weights,
               powers);
        weights += l->weights;
        zeros += l->zeros;
    }
    printf("%-24s %8.0f %7.1f%%\n", "all", weights, 100 * zeros / weights);
}

int
cli_tune(struct arena *a, const struct options *o, struct diag *d)
{
    struct compile_options co = options_compile(a, o);
    struct progress progress = progress_new(o);
    struct compiled c = {0};
    struct cli_images in = {0};
    struct tune_report r;
    struct str s = {0};
    double start = seconds_now();
    const char *checkpoint = arena_printf(a, "%s.checkpoint", o->output);

    co.data = o->data;
    if (!pipeline_float(a, &co, &c, d) || !cli_read_images(a, o, o->data, &c, &in, d))
        return cli_finish(o, d);
    c.graph->inputs.at[0].pixels = c.imported->inputs.at[0].pixels;
    struct tune_data data = {in.x, in.labels, in.n};
    struct tune_options to = {.epochs = o->epochs,
                              .batch = o->batch,
                              .rate = o->rate,
                              .momentum = o->momentum,
                              .seed = o->seed,
                              .prune = o->prune,
                              .terms = co.quantize.terms,
                              .bits = co.quantize.bits,
                              .augment = o->augment,
                              .epsilon = o->dp.n == 3 ? o->dp.v[0] : 0,
                              .delta = o->dp.n == 3 ? o->dp.v[1] : 0,
                              .clip = o->dp.n == 3 ? o->dp.v[2] : 0,
                              .ledger =
                                  o->ledger ? o->ledger : arena_printf(a, "%s.privacy", o->output),
                              .checkpoint = checkpoint,
                              .progress = progress_show,
                              .user = &progress};
    bool ok = pipeline_tune(a, &co, &data, o->head, o->teacher, &to, &c, &r, d);
    progress_clear(&progress);
    ok = ok && onnx_format(c.graph, &s, d) && file_write(o->output, s.text, s.len, d);
    str_free(&s);
    if (!ok)
        return cli_finish(o, d);
    if (!o->dp.n)
        unlink(checkpoint); /* the training is over */
    cli_warnings(d);
    if (o->json)
        json(o, &r, seconds_now() - start);
    else if (!o->quiet)
        table(o, &r, seconds_now() - start);
    return 0;
}
