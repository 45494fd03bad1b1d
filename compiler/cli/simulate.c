/* simulate.c - olac simulate: how good the network will be, before anything is encrypted. */
#include "cli/data.h"

#include "op/answer.h"
#include "op/interpret.h"
#include "simulate/simulate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The modelled deviation of each graph node's outputs: that of the instruction that bears its name.
 * A map before an activation computes its normalised input; there the noise is in units of the
 * radius. */
static double *
node_noise(struct arena *a, const struct compiled *c)
{
    const struct he_program *p = c->program;
    double *noise = ARENA_ARRAY(a, double, c->graph->nodes.len + 1);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        uint32_t n;
        const struct he_inst *i = &p->insts.at[k];
        if (i->node && map_get(&c->graph->node_names, i->node, &n) && i->op == HE_poly)
            noise[n] = i->noise;
    }
    for (uint32_t k = 0; k < p->outputs.len; k++) {
        const struct node *n = graph_producer(c->graph, c->graph->outputs.at[k]);
        if (n)
            noise[n - c->graph->nodes.at] = p->insts.at[p->outputs.at[k].value].noise;
    }
    return noise;
}

static void
print_json(const struct simulate_report *r)
{
    static const char *const kinds[] = {"float", "approximated", "quantised", "noisy"};
    struct str s = {0};
    str_addf(&s, "{\"images\":%u,\"accuracy\":{", r->images);
    for (int k = 0; k < SIMULATE_KINDS; k++) {
        str_addf(&s, "%s\"%s\":", k ? "," : "", kinds[k]);
        cli_number(&s, r->run[k].outputs ? r->run[k].accuracy : NAN);
    }
    str_addf(&s, "},\"agree\":%u,\"agree_noisy\":%u,\"diverged\":%u,\"layers\":[",
             r->run[SIMULATE_APPROXIMATED].agree, r->run[SIMULATE_NOISY].agree,
             r->run[SIMULATE_APPROXIMATED].diverged);
    for (uint32_t k = 0; k < r->n_layers; k++) {
        str_add(&s, k ? ",{\"name\":" : "{\"name\":");
        str_json(&s, r->layers[k].name);
        str_addf(&s, ",\"degree\":%u,\"levels\":%u,\"error\":", r->layers[k].degree,
                 r->layers[k].levels);
        cli_number(&s, r->layers[k].error);
        str_add(&s, ",\"relative\":");
        cli_number(&s, r->layers[k].relative);
        str_add(&s, "}");
    }
    str_add(&s, "],\"departs\":");
    if (r->departs == NONE)
        str_add(&s, "null");
    else
        str_json(&s, r->layers[r->departs].name);
    str_add(&s, "}\n");
    fputs(str_text(&s), stdout);
    str_free(&s);
}

static void
print_table(const struct simulate_report *r)
{
    static const char *const kinds[] = {"float", "approximated", "quantised", "noisy"};
    printf("%u images\n%-13s %9s %9s %9s\n", r->images, "", "accuracy", "agree", "diverged");
    for (int k = 0; k < SIMULATE_KINDS; k++) {
        if (!r->run[k].outputs)
            continue;
        printf("%-13s ", kinds[k]);
        if (isfinite(r->run[k].accuracy))
            printf("%8.2f%%", 100 * r->run[k].accuracy);
        else
            printf("%9s", "-");
        printf(" %9u %9u\n", r->run[k].agree, r->run[k].diverged);
    }
    if (r->n_layers)
        printf("%-24s %6s %6s %10s %10s\n", "layer", "degree", "levels", "error", "relative");
    for (uint32_t k = 0; k < r->n_layers; k++)
        printf("%-24s %6u %6u %10.3g %10.3g\n", r->layers[k].name, r->layers[k].degree,
               r->layers[k].levels, r->layers[k].error, r->layers[k].relative);
    if (r->departs != NONE)
        printf("first layer that departs: %s\n", r->layers[r->departs].name);
}

/* --float: the network as it was trained, nothing else. */
static int
only_float(struct arena *a, const struct options *o, struct compiled *c,
           const struct cli_images *in, struct diag *d)
{
    int64_t size = shape_size(&graph_value(c->imported, c->imported->outputs.at[0])->shape);
    float *out = ARENA_ARRAY(a, float, (size_t)(in->n * size));
    struct interpret_options io = {0};
    uint32_t correct = 0;
    if (!interpret_many(c->imported, &io, in->x, in->n, out, d) ||
        (o->output && !cli_write_answers(o->output, out, in->n, size, d)))
        return cli_finish(o, d);
    struct answer_rule rule = answer_rule(out, in->n, size);
    for (uint32_t k = 0; in->labels && k < in->n; k++)
        correct += answer_class(&rule, out + (int64_t)k * size) == in->labels[k];
    double accuracy = in->labels ? (double)correct / in->n : NAN;
    struct str s = {0};
    if (o->json) {
        str_addf(&s, "{\"images\":%u,\"accuracy\":{\"float\":", in->n);
        cli_number(&s, accuracy);
        str_add(&s, "}}\n");
    } else if (in->labels && !o->quiet) {
        str_addf(&s, "%u images, float: %.2f%%\n", in->n, 100 * accuracy);
    }
    fputs(str_text(&s), stdout);
    str_free(&s);
    return 0;
}

/* The model as it is read, with what makes numbers of the pixels; no more is needed for --float. */
static bool
prepare(struct arena *a, const struct options *o, struct progress *progress, struct compiled *c,
        struct diag *d)
{
    struct compile_options co = options_compile(o);
    co.progress = progress_show;
    co.user = progress;
    co.data = o->data;
    bool ok = o->only_float ? pipeline_float(a, &co, c, d) : pipeline_simulate(a, &co, c, d);
    progress_clear(progress);
    return ok;
}

int
cli_simulate(struct arena *a, const struct options *o, struct diag *d)
{
    struct progress progress = progress_new(o);
    struct compiled c = {0};
    struct cli_images in = {0};
    struct simulate_report r;

    if (!prepare(a, o, &progress, &c, d) || !cli_read_images(a, o, o->data, c.imported, &in, d))
        return cli_finish(o, d);
    if (o->only_float)
        return only_float(a, o, &c, &in, d);
    struct simulate_options so = {.exact = c.imported,
                                  .approximated = c.graph,
                                  .quantised = c.program ? cli_encoded(a, &c) : NULL,
                                  .noise = c.program ? node_noise(a, &c) : NULL,
                                  .seed = o->seed ? o->seed : 1,
                                  .progress = progress_show,
                                  .user = &progress};
    bool ok = simulate(a, in.x, in.labels, in.n, &so, &r, d);
    progress_clear(&progress);
    if (!ok || (o->output &&
                !cli_write_answers(
                    o->output, r.run[c.program ? SIMULATE_NOISY : SIMULATE_APPROXIMATED].outputs,
                    in.n, r.n_outputs, d)))
        return cli_finish(o, d);
    cli_warnings(d);
    if (o->json)
        print_json(&r);
    else if (!o->quiet)
        print_table(&r);
    return 0;
}
