/* simulate.c - olac simulate: how good the network will be, before anything is encrypted. */
#include "cli/data.h"

#include "op/answer.h"
#include "op/interpret.h"
#include "simulate/stress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Diverged images that the table names. */
#define STRAYS_SHOWN 10u

/* The deviation that is new on the outputs of each activation, and on those of the network: that of
 * the instruction that bears the activation's name, with what the maps before it brought. */
static double *
node_noise(struct arena *a, const struct compiled *c)
{
    const struct he_program *p = c->program;
    double *noise = ARENA_ARRAY(a, double, c->graph->nodes.len + 1);
    for (uint32_t k = 0; k < p->insts.len; k++) {
        uint32_t n;
        const struct he_inst *i = &p->insts.at[k];
        if (i->node && map_get(&c->graph->node_names, i->node, &n) && i->op == HE_poly)
            noise[n] = i->fresh;
    }
    for (uint32_t k = 0; k < p->outputs.len; k++) {
        const struct node *n = graph_producer(c->graph, c->graph->outputs.at[k]);
        if (n && !n->poly)
            noise[n - c->graph->nodes.at] = p->insts.at[p->outputs.at[k].value].fresh;
    }
    return noise;
}

/* An array of JSON with the numbers of the images. */
static void
json_strays(struct str *s, const struct simulate_run *run)
{
    str_add(s, "[");
    for (uint32_t k = 0; k < run->diverged; k++)
        str_addf(s, "%s%u", k ? "," : "", run->stray[k].image);
    str_add(s, "]");
}

static void
json_layer(struct str *s, const struct simulate_layer *l)
{
    static const char *const parts[] = {NULL, "approximation", "quantisation", "noise"};

    str_add(s, "{\"name\":");
    str_json(s, l->name);
    str_addf(s, ",\"degree\":%u,\"levels\":%u,\"error\":", l->degree, l->levels);
    cli_number(s, l->total);
    str_add(s, ",\"relative\":");
    cli_number(s, l->relative);
    for (int kind = 1; kind < SIMULATE_KINDS; kind++) {
        str_addf(s, ",\"%s\":", parts[kind]);
        cli_number(s, l->error[kind]);
    }
    str_addf(s, ",\"outside\":%u}", l->outside);
}

static void
json_stress(struct str *s, const struct stress_report *r)
{
    for (int k = 0; k <= STRESS_KINDS; k++) {
        const struct stress_kind *i = k < STRESS_KINDS ? &r->kind[k] : &r->all;
        str_add(s, k ? ",{\"kind\":" : "[{\"kind\":");
        str_json(s, i->name);
        str_addf(s, ",\"images\":%u,\"diverged\":%u,\"ran_away\":%u,\"agree\":%u}", i->images,
                 i->diverged, i->ran_away, i->agree);
    }
    str_add(s, "]");
}

static void
print_json(const struct compiled *c, const struct simulate_report *r, double rounded,
           const struct stress_report *stress)
{
    struct str s = {0};

    str_addf(&s, "{\"images\":%u,\"accuracy\":{", r->images);
    for (int k = 0; k < SIMULATE_KINDS; k++) {
        str_addf(&s, "%s\"%s\":", k ? "," : "", simulate_kind_name((enum simulate_kind)k));
        cli_number(&s, r->run[k].outputs ? r->run[k].accuracy : NAN);
    }
    str_addf(&s, "},\"agree\":%u,\"agree_noisy\":%u,\"diverged\":%u,\"diverged_images\":{",
             r->run[SIMULATE_APPROXIMATED].agree, r->run[SIMULATE_NOISY].agree,
             r->run[SIMULATE_APPROXIMATED].diverged);
    for (int k = SIMULATE_APPROXIMATED; k < SIMULATE_KINDS; k++) {
        str_addf(&s, "%s\"%s\":", k > 1 ? "," : "", simulate_kind_name((enum simulate_kind)k));
        json_strays(&s, &r->run[k]);
    }
    str_add(&s, "},\"layers\":[");
    for (uint32_t k = 0; k < r->n_layers; k++) {
        str_add(&s, k ? "," : "");
        json_layer(&s, &r->layers[k]);
    }
    str_add(&s, "],\"departs\":");
    if (r->departs == NONE)
        str_add(&s, "null");
    else
        str_json(&s, r->layers[r->departs].name);
    if (c->quantization.n) {
        str_add(&s, ",\"rounded\":");
        cli_rounded_json(c, rounded, &s);
    }
    if (stress) {
        str_add(&s, ",\"stress\":");
        json_stress(&s, stress);
    }
    str_add(&s, "}\n");
    fputs(str_text(&s), stdout);
    str_free(&s);
}

/* "diverged (noisy): 12 (/Relu), 480 (outputs), ... and 3 more". */
static void
print_strays(const struct simulate_report *r, enum simulate_kind kind)
{
    const struct simulate_run *run = &r->run[kind];

    for (uint32_t k = 0; k < run->diverged && k < STRAYS_SHOWN; k++) {
        uint32_t layer = run->stray[k].layer;
        if (!k)
            printf("diverged (%s):", simulate_kind_name(kind));
        printf("%s %u (%s)", k ? "," : "", run->stray[k].image,
               layer == NONE ? "outputs" : r->layers[layer].name);
    }
    if (run->diverged > STRAYS_SHOWN)
        printf(" and %u more, which --json lists", run->diverged - STRAYS_SHOWN);
    if (run->diverged)
        printf("\n");
}

static void
print_layers(const struct simulate_report *r)
{
    if (r->n_layers)
        printf("%-24s %6s %6s %10s %9s %10s %10s %10s %7s\n", "layer", "degree", "levels", "error",
               "relative", "polynomial", "rounding", "noise", "outside");
    for (uint32_t k = 0; k < r->n_layers; k++) {
        const struct simulate_layer *l = &r->layers[k];
        printf("%-24s %6u %6u %10.3g %9.3g", l->name, l->degree, l->levels, l->total, l->relative);
        for (int kind = 1; kind < SIMULATE_KINDS; kind++)
            if (isfinite(l->error[kind]))
                printf(" %10.3g", l->error[kind]);
            else
                printf(" %10s", "-");
        printf(" %7u\n", l->outside);
    }
    if (r->departs != NONE)
        printf("first layer that departs: %s, by its %s\n", r->layers[r->departs].name,
               r->departs_by == SIMULATE_NOISY       ? "noise"
               : r->departs_by == SIMULATE_QUANTISED ? "rounding"
                                                     : "polynomial");
}

static void
print_table(const struct compiled *c, const struct simulate_report *r, double rounded)
{
    struct str s = {0};

    printf("%u images\n%-13s %9s %9s %9s\n", r->images, "", "accuracy", "agree", "diverged");
    for (int k = 0; k < SIMULATE_KINDS; k++) {
        if (!r->run[k].outputs)
            continue;
        printf("%-13s ", simulate_kind_name((enum simulate_kind)k));
        if (isfinite(r->run[k].accuracy))
            printf("%8.2f%%", 100 * r->run[k].accuracy);
        else
            printf("%9s", "-");
        printf(" %9u %9u\n", r->run[k].agree, r->run[k].diverged);
    }
    for (int k = SIMULATE_APPROXIMATED; k < SIMULATE_KINDS; k++)
        print_strays(r, (enum simulate_kind)k);
    cli_rounded_table(c, rounded, &s);
    fputs(str_text(&s), stdout);
    str_free(&s);
    print_layers(r);
}

static void
print_stress(const struct stress_report *r)
{
    printf("%-24s %6s %9s %9s %9s\n", "stress", "images", "diverged", "ran away", "agree");
    for (int k = 0; k <= STRESS_KINDS; k++) {
        const struct stress_kind *i = k < STRESS_KINDS ? &r->kind[k] : &r->all;
        printf("%-24s %6u %9u %9u %9u\n", i->name, i->images, i->diverged, i->ran_away, i->agree);
    }
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

/* The images, and the network as it is to be simulated; no more than the model as it is read is
 * needed for --float. */
static bool
prepare(struct arena *a, const struct options *o, struct progress *progress, struct compiled *c,
        struct cli_images *in, struct diag *d)
{
    struct compile_options co = options_compile(a, o);
    co.progress = progress_show;
    co.user = progress;
    co.data = o->data;
    bool ok = (o->only_float ? pipeline_float(a, &co, c, d) : pipeline_begin(a, &co, c, d)) &&
              cli_read_images(a, o, o->data, c, in, d) &&
              (o->only_float || (pipeline_simulate(a, &co, c, d) && cli_front_images(a, c, in, d)));
    progress_clear(progress);
    return ok;
}

/* --stress: images in the range of the data. */
static bool
stress(struct arena *a, const struct options *o, const struct simulate_options *so,
       const struct cli_images *in, double largest, struct stress_report *r, struct diag *d)
{
    struct stress_options stress = {.images = o->stress, .seed = so->seed, .largest = largest};

    stress.range = stress_range_of(a, so->approximated, in->x, in->n);
    stress.data = in->x;
    stress.n_data = in->n;
    return !o->stress || simulate_stress(so, &stress, r, d);
}

int
cli_simulate(struct arena *a, const struct options *o, struct diag *d)
{
    struct progress progress = progress_new(o);
    struct compiled c = {0};
    struct cli_images in = {0};
    struct simulate_report r;
    struct stress_report stressed;

    if (!prepare(a, o, &progress, &c, &in, d))
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
    double rounded;
    bool ok = cli_rounded_accuracy(a, &c, &in, &rounded, d) &&
              simulate(a, in.x, in.labels, in.n, &so, &r, d) &&
              stress(a, o, &so, &in, r.largest, &stressed, d);
    struct cli_findings found = {.simulated = &r, .stressed = o->stress ? &stressed : NULL};
    progress_clear(&progress);
    if (!ok || !cli_report(a, o, &c, &found, d) ||
        (o->output &&
         !cli_write_answers(o->output,
                            r.run[c.program ? SIMULATE_NOISY : SIMULATE_APPROXIMATED].outputs, in.n,
                            r.n_outputs, d)))
        return cli_finish(o, d);
    cli_warnings(d);
    if (o->json) {
        print_json(&c, &r, rounded, o->stress ? &stressed : NULL);
    } else if (!o->quiet) {
        print_table(&c, &r, rounded);
        if (o->stress)
            print_stress(&stressed);
    }
    return 0;
}
