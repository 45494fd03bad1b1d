/* rounded.c - what --quantize and --prune did to the weights, layer by layer. */
#include "cli/data.h"

#include "op/answer.h"
#include "op/interpret.h"

#include <math.h>
#include <stdio.h>

void
cli_rounded_json(const struct compiled *c, double accuracy, struct str *s)
{
    const struct quantize_report *r = &c->quantization;

    str_add(s, "{\"accuracy\":");
    cli_number(s, accuracy);
    str_addf(s, ",\"images\":%u,\"layers\":[", r->images);
    for (uint32_t k = 0; k < r->n; k++) {
        const struct quantize_layer *l = &r->layers[k];
        str_add(s, k ? ",{\"name\":" : "{\"name\":");
        str_json(s, l->name);
        str_addf(s, ",\"terms\":%u,\"bits\":%u,\"lo\":%d,\"hi\":%d,\"weights\":%u,\"zeros\":%u",
                 l->terms, l->terms ? l->bits : 0, l->lo, l->hi, l->weights, l->zeros);
        str_add(s, ",\"error\":");
        cli_number(s, l->error);
        str_add(s, ",\"nearest\":");
        cli_number(s, l->nearest);
        str_add(s, "}");
    }
    str_add(s, "]}");
}

void
cli_rounded_table(const struct compiled *c, double accuracy, struct str *s)
{
    const struct quantize_report *r = &c->quantization;
    double weights = 0, zeros = 0;

    if (!r->n)
        return;
    if (isfinite(accuracy))
        str_addf(s, "rounded weights, nothing else: %.2f%%\n", 100 * accuracy);
    str_addf(s, "%-24s %8s %8s %10s %10s %10s\n", "rounded layer", "weights", "zeros", "powers",
             "error", "nearest");
    for (uint32_t k = 0; k < r->n; k++) {
        const struct quantize_layer *l = &r->layers[k];
        char powers[32] = "-";
        if (l->terms)
            snprintf(powers, sizeof powers, "%s%d..%d", l->terms == 2 ? "2x " : "", l->lo, l->hi);
        str_addf(s, "%-24s %8u %7.1f%% %10s %10.3g %10.3g\n", l->name, l->weights,
                 100.0 * l->zeros / l->weights, powers, l->error, l->nearest);
        weights += l->weights;
        zeros += l->zeros;
    }
    str_addf(s, "%-24s %8.0f %7.1f%%\n", "all", weights, 100 * zeros / weights);
}

bool
cli_rounded_accuracy(struct arena *a, const struct compiled *c, const struct cli_images *in,
                     double *accuracy, struct diag *d)
{
    int64_t size = shape_size(&graph_value(c->graph, c->graph->outputs.at[0])->shape);
    float *out = ARENA_ARRAY(a, float, (size_t)(in->n * size) + 1);
    struct interpret_options io = {0};
    uint32_t correct = 0;

    *accuracy = NAN;
    if (!c->quantization.n || !in->labels)
        return true;
    if (!interpret_many(c->graph, &io, in->x, in->n, out, d))
        return false;
    struct answer_rule rule = answer_rule(out, in->n, size);
    for (uint32_t k = 0; k < in->n; k++)
        correct += answer_class(&rule, out + (int64_t)k * size) == in->labels[k];
    *accuracy = (double)correct / in->n;
    return true;
}
