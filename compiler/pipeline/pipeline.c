/* pipeline.c - the whole compile as plain calls, in order; each STEP is followed by the
 * verifier. */
#include "pipeline/pipeline.h"

#include "decompose/decompose.h"
#include "linearize/linearize.h"
#include "lower/lower.h"
#include "op/op.h"
#include "pipeline/internal.h"
#include "simplify/simplify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of the copies that polishing looks at besides the images (augment.h). */
#define AUGMENT 0.5
/* Of the largest output: the modelled noise of a deep network is a bound far above what comes. */
#define MOST_TOLERANCE 0.05

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool
pipeline_pixels(struct arena *a, const struct compile_options *o, struct graph *g, bool bytes,
                struct diag *d)
{
    struct pixels *p = &g->inputs.at[0].pixels;
    uint32_t n = o->n_mean ? o->n_mean : o->n_std;
    if (o->n_mean && o->n_std && o->n_mean != o->n_std) {
        diag_error(d, E_PIXELS, PLACE_FILE(o->model), "--mean has %u numbers and --std %u",
                   o->n_mean, o->n_std);
        return false;
    }
    if (!n && (p->present || !bytes))
        return true;
    *p = (struct pixels){.present = true, .divisor = 255, .channels = n ? n : 1};
    p->mean = ARENA_ARRAY(a, double, p->channels);
    p->std = ARENA_ARRAY(a, double, p->channels);
    for (uint32_t c = 0; c < p->channels; c++) {
        p->mean[c] = o->n_mean ? o->mean[c] : 0;
        p->std[c] = o->n_std ? o->std[c] : 1;
        if (!(p->std[c] > 0) || !isfinite(p->mean[c]) || !isfinite(p->std[c])) {
            diag_error(d, E_PIXELS, PLACE_FILE(o->model),
                       "--std must be positive and --mean finite");
            return false;
        }
    }
    const struct shape *s = &graph_value(g, g->inputs.at[0].value)->shape;
    if (p->channels > 1 && (s->rank != 4 || s->dim[1] != p->channels)) {
        diag_error(d, E_PIXELS, PLACE_FILE(o->model),
                   "--mean and --std have %u numbers, but the input is %s", p->channels,
                   shape_text(a, s));
        return false;
    }
    return true;
}

/* --set NODE:degree=7 */
static bool
set_pins(const struct compile_options *o, struct graph *g, struct diag *d)
{
    bool ok = true;
    for (uint32_t k = 0; k < o->n_pins; k++) {
        uint32_t n;
        char *end;
        unsigned long degree = strtoul(o->pins[k].value, &end, 10);
        if (!map_get(&g->node_names, o->pins[k].node, &n)) {
            diag_error(d, E_PIN, PLACE_FILE(o->model), "--set: there is no node '%s'",
                       o->pins[k].node);
            diag_hint(d, "olac show lists the nodes");
            ok = false;
        } else if (strcmp(o->pins[k].key, "degree") != 0 || *end || degree < 1 || degree > 63) {
            diag_error(d, E_PIN, PLACE_FILE(o->model),
                       "--set %s:%s=%s: only degree=1 .. 63 can be set", o->pins[k].node,
                       o->pins[k].key, o->pins[k].value);
            ok = false;
        } else {
            g->nodes.at[n].pins.degree_min = g->nodes.at[n].pins.degree_max = (uint32_t)degree;
        }
    }
    return ok;
}

bool
pipeline_import(struct arena *a, const struct compile_options *o, struct compiled *out,
                struct diag *d)
{
    struct graph *g = import_model(a, o->model, d);
    if (!g || !graph_check(g, STAGE_IMPORTED, d) || !graph_infer(g, d) ||
        !graph_check(g, STAGE_INFERRED, d))
        return false;
    if (!g->inputs.len) {
        diag_error(d, E_GRAPH_INPUT, PLACE_FILE(o->model), "the network has no input");
        return false;
    }
    bool finite = op_finite(g, d);
    if (!set_pins(o, g, d) || !finite)
        return false;
    pipeline_dump_graph(o, "import", g);
    out->imported = g;
    out->graph = graph_copy(a, g);
    return true;
}

/* What is encrypted is one tensor, and one is decrypted. */
static bool
one_port(const struct graph *g, struct diag *d)
{
    if (g->inputs.len > 1) {
        diag_error(d, E_GRAPH_PORTS, PLACE_FILE(g->file),
                   "the network has %u inputs ('%s', '%s'%s), not one", g->inputs.len,
                   graph_value(g, g->inputs.at[0].value)->name,
                   graph_value(g, g->inputs.at[1].value)->name, g->inputs.len > 2 ? ", ..." : "");
        diag_hint(d, "join them into one input, and take it apart with Slice or Split");
    }
    if (g->outputs.len > 1) {
        diag_error(d, E_GRAPH_PORTS, PLACE_FILE(g->file),
                   "the network has %u outputs ('%s', '%s'%s), not one", g->outputs.len,
                   graph_value(g, g->outputs.at[0])->name, graph_value(g, g->outputs.at[1])->name,
                   g->outputs.len > 2 ? ", ..." : "");
        diag_hint(
            d,
            "leave out those that the answer does not need, or join them with Flatten and Concat");
    }
    return g->inputs.len == 1 && g->outputs.len == 1;
}

static bool
load_calibration(struct arena *a, const struct compile_options *o, struct compiled *out,
                 struct diag *d)
{
    uint32_t most = o->calib_count ? o->calib_count : 1000;
    const char *seen = o->calib ? o->calib : o->data;
    if (o->calib && calibration_is(o->calib)) {
        if (!pipeline_calibration_read(a, o, out, d))
            return false;
        most = o->calib_count ? o->calib_count : UINT32_MAX;
    } else {
        if (seen && !data_read(a, seen, &out->calib, d))
            return false;
        bool bytes = seen && out->calib.dtype == DT_U8;
        if (!pipeline_pixels(a, o, out->graph, bytes, d) ||
            !pipeline_pixels(a, o, out->imported, bytes, d))
            return false;
    }
    if (!o->calib)
        return true;
    if (out->calib.shape.rank && out->calib.shape.dim[0] < most && !o->calib_count)
        most = (uint32_t)out->calib.shape.dim[0];
    return data_images(a, &out->calib, out->graph, &out->graph->inputs.at[0], most,
                       &out->calib_images, &out->n_calib, d);
}

bool
pipeline_float(struct arena *a, const struct compile_options *o, struct compiled *out,
               struct diag *d)
{
    return pipeline_import(a, o, out, d) && one_port(out->graph, d) &&
           load_calibration(a, o, out, d);
}

/* --quantize, --prune and @pow2. */
static bool
quantize_weights(const struct compile_options *o, struct compiled *out, struct diag *d)
{
    struct quantize_options qo = o->quantize;

    if (!qo.terms && !(qo.prune > 0) && !quantize_pinned(out->graph))
        return true;
    qo.progress = o->progress;
    qo.user = o->user;
    if (!quantize(out->graph, out->calib_images, out->n_calib, &qo, &out->quantization, d))
        return false;
    pipeline_dump_graph(o, "quantize", out->graph);
    return true;
}

bool
pipeline_front(struct arena *a, const struct compile_options *o, struct compiled *out,
               struct diag *d)
{
    if (!pipeline_import(a, o, out, d) || !one_port(out->graph, d))
        return false;
    if (!simplify(out->graph, d) || !graph_check(out->graph, STAGE_SIMPLIFIED, d))
        return false;
    pipeline_dump_graph(o, "simplify", out->graph);
    return true;
}

bool
pipeline_polish(const struct compile_options *o, const struct approximate_options *ao,
                struct graph *g, const float *images, uint32_t n, struct approximate_report *report,
                struct polish_report *r, struct diag *d)
{
    struct polish_options po = {.steps = o->polish,
                                .augment = AUGMENT,
                                .keep_biases = ao->keep_weights,
                                .guard = ao->guard,
                                .n_guard = ao->n_guard,
                                .progress = ao->progress,
                                .user = ao->user};

    return polish(g, images, n, &po, r, d) &&
           (!r->kept || approximate_compare(g, images, n, report, d));
}

/* --fit minimax. There are no histograms: these are of one polynomial an activation. */
static bool
composed(const struct compile_options *o, struct compiled *out,
         const struct approximate_options *ao, struct diag *d)
{
    if (!approximate_minimax(out->graph, out->calib_images, out->n_calib, ao, &out->approximation,
                             d) ||
        !graph_check(out->graph, STAGE_APPROXIMATED, d))
        return false;
    out->calibration = NULL;
    pipeline_dump_graph(o, "approximate", out->graph);
    return true;
}

static void
warn_drowned(const struct compile_options *o, const struct compiled *c, struct diag *d)
{
    const struct approximate_report *r = &c->approximation;
    if (!r->drowned)
        return;
    diag_warning(d, W_CALIB_NARROW,
                 (struct place){.file = o->model, .node = c->graph->nodes.at[r->drowned_node].name},
                 "its input varies little more than the noise of an encrypted evaluation%s",
                 r->drowned > 1 ? ", as that of others behind it" : "");
    diag_hint(d, "such a layer says little: the answer behind it may be lost; compare with olac "
                 "simulate, or train the layer to use its range");
}

bool
pipeline_begin(struct arena *a, const struct compile_options *o, struct compiled *out,
               struct diag *d)
{
    double start = now();

    if (!pipeline_front(a, o, out, d))
        return false;
    if (!load_calibration(a, o, out, d)) {
        if (decompose(out->graph, NULL, 0, d))
            approximate_check(out->graph, &o->approximate, d); /* for what else is wrong */
        return false;
    }
    if ((o->max_drop > 0 || o->max_latency > 0) && !pipeline_choosable(a, o, out, d))
        return false;
    out->begun = true;
    out->seconds = now() - start;
    return true;
}

bool
pipeline_middle(struct arena *a, const struct compile_options *o, struct compiled *out,
                struct diag *d)
{
    struct approximate_options ao = o->approximate;
    ao.progress = o->progress;
    ao.user = o->user;

    if (!out->begun && !pipeline_begin(a, o, out, d))
        return false;
    if (!pipeline_split_at(a, o, out, d) || !quantize_weights(o, out, d))
        return false;
    if (!decompose(out->graph, out->calib_images, out->n_calib, d) ||
        !graph_check(out->graph, STAGE_SIMPLIFIED, d))
        return false;
    pipeline_dump_graph(o, "decompose", out->graph);
    if (!approximate_check(out->graph, &ao, d))
        return false;
    if (ao.minimax)
        return composed(o, out, &ao, d);
    if (!pipeline_calibrate(a, o, out, d))
        return false;
    pipeline_guard(a, out, &ao);
    /* weights that were rounded stay on their grid */
    ao.keep_weights = ao.keep_weights || out->quantization.n > 0;
    bool ola = o->max_drop > 0 || o->max_latency > 0;
    if (!(ola ? pipeline_choose(a, o, &ao, out, d)
              : approximate(out->graph, out->calib_images, out->n_calib, &ao, &out->approximation,
                            d)) ||
        !graph_check(out->graph, STAGE_APPROXIMATED, d))
        return false;
    if (o->polish && !ola &&
        !pipeline_polish(o, &ao, out->graph, out->calib_images, out->n_calib, &out->approximation,
                         &out->polished, d))
        return false;
    if (out->polished.unjudged)
        diag_warning(d, W_APPROX_POLISH, PLACE_FILE(o->model),
                     "not polished: too few calibration images to judge it by");
    warn_drowned(o, out, d);
    pipeline_dump_graph(o, "approximate", out->graph);
    return true;
}

const char *
pipeline_options_text(struct arena *a, const struct compile_options *o, const struct compiled *c)
{
    struct str s = {0};
    if (o->approximate.minimax)
        str_add(&s, "minimax compositions {15, 15, 27}");
    else if (c->chosen.judged)
        str_add(&s, "degrees chosen layer by layer");
    else
        str_addf(&s, "degree %u%s", c->approximation.degree,
                 o->approximate.degree ? "" : " (chosen)");
    if (o->max_drop > 0) {
        str_add(&s, ", drop at most ");
        str_double(&s, o->max_drop);
    }
    if (o->max_latency > 0) {
        str_add(&s, ", seconds at most ");
        str_double(&s, o->max_latency);
    }
    if (o->quantize.terms)
        str_addf(&s, ", weights of %s of two in %u bits",
                 o->quantize.terms == 2 ? "two powers" : "a power", o->quantize.bits);
    if (o->quantize.prune > 0) {
        str_add(&s, ", pruned ");
        str_double(&s, o->quantize.prune);
    }
    if (o->approximate.grid)
        str_addf(&s, ", coefficients of powers of two%s",
                 o->approximate.grid == FIT_POWERS_MAX ? " (largest error)" : "");
    if (o->approximate.per_layer)
        str_add(&s, ", one fit a layer");
    if (o->approximate.keep_weights)
        str_add(&s, ", weights as trained");
    if (c->polished.kept)
        str_addf(&s, ", polished in %u steps", o->polish);
    for (uint32_t k = 0; k < o->n_pins; k++)
        str_addf(&s, ", %s:%s=%s", o->pins[k].node, o->pins[k].key, o->pins[k].value);
    str_addf(&s, ", %u calibration images", c->n_calib);
    if (o->split_at)
        str_addf(&s, ", split at %s", o->split_at);
    if (o->log_n)
        str_addf(&s, ", log N %u", o->log_n);
    if (o->precision_bits > 0) {
        str_add(&s, ", precision ");
        str_double(&s, o->precision_bits);
    }
    if (o->costs_name)
        str_addf(&s, ", costs of %s", o->costs_name);
    if (o->throughput)
        str_add(&s, ", packed for throughput");
    if (o->insecure_toy)
        str_add(&s, ", INSECURE TOY");
    const char *text = arena_strdup(a, str_text(&s));
    str_free(&s);
    return text;
}

/* From the approximated graph to out->program. */
static bool
make_program(struct arena *a, const struct compile_options *o, struct compiled *out,
             struct reference *r, struct diag *d)
{
    struct tp *t = linearize(a, out->graph, d);
    if (!t || !pipeline_reference(a, out, r, d))
        return false;
    pipeline_dump_tp(o, "linearize", t);
    pipeline_bounds(t, r->in, r->n);
    r->output_max = fmax(r->output_max, out->approximation.output_max);
    out->program = pipeline_candidates(a, o, t, pipeline_output_range(r->output_max), d);
    return out->program != NULL;
}

bool
pipeline_simulate(struct arena *a, const struct compile_options *o, struct compiled *out,
                  struct diag *d)
{
    struct reference r;
    struct diag *own = diag_new();
    bool ok = pipeline_middle(a, o, out, d);

    if (ok && !make_program(a, o, out, &r, own))
        for (uint32_t k = 0; k < diag_count(own); k++) {
            const struct message *m = diag_at(own, k);
            bool deep = m->code == E_TOO_DEEP || m->code == E_INSECURE;
            if (deep)
                diag_warning(d, m->code, m->place,
                             "simulated without weights as encoded and without noise: %s", m->text);
            else if (m->severity == SEV_ERROR)
                diag_error(d, m->code, m->place, "%s", m->text);
            ok = ok && (deep || m->severity != SEV_ERROR);
        }
    if (ok && o->report)
        out->report = pipeline_report(a, o, out);
    for (uint32_t k = 0; ok && out->report && k < diag_count(own); k++)
        if (diag_at(own, k)->code == E_TOO_DEEP || diag_at(own, k)->code == E_INSECURE)
            out->report->why_none = arena_strdup(a, diag_at(own, k)->text);
    diag_free(own);
    return ok;
}

bool
pipeline_compile(struct arena *a, const struct compile_options *o, struct compiled *out,
                 struct diag *d)
{
    double start;
    struct reference r;
    const struct tp *front;

    if (!out->begun && !pipeline_begin(a, o, out, d))
        return false;
    start = now() - out->seconds;
    if (!pipeline_middle(a, o, out, d) || !make_program(a, o, out, &r, d) ||
        !pipeline_front_program(a, out, &front, d))
        return false;
    if (out->chosen.judged)
        out->chosen.plan.seconds = out->program->seconds;
    if (out->program->tp)
        lower_weights(out->program);
    const struct he_port *port = &out->program->outputs.at[0];
    if (out->program->refreshes.len && !port->spare.len)
        diag_warning(
            d, W_NO_SPARE, (struct place){.node = port->name},
            "no slot of the output is left that must be 0: an answer that an image far out "
            "of range spoils would not be noticed");
    struct emit_options eo = {
        .templates = o->templates,
        .options = pipeline_options_text(a, o, out),
        .reference_in = r.images,
        .reference_out = r.out,
        .n_reference = r.n,
        .graph = out->graph,
        .front = front,
        .split_at = o->split_at,
        .tolerance = fmax(fmin(20 * out->program->insts.at[port->value].noise,
                               MOST_TOLERANCE * fmax(1, r.output_max)),
                          1e-3 * fmax(1e-3, r.output_max)),
    };
    bool ok = emit(a, out->program, &eo, &out->files, d);
    if (ok && o->report)
        out->report = pipeline_report(a, o, out);
    out->seconds = now() - start;
    return ok;
}

void
pipeline_assume(struct arena *a, struct graph *g, uint32_t degree, double radius)
{
    for (uint32_t n = 0; n < g->nodes.len; n++) {
        struct node *node = &g->nodes.at[n];
        if (op_row(node->op)->class != NONLIN || node->poly)
            continue;
        uint32_t own = node->pins.degree_max ? node->pins.degree_max : degree;
        node->poly = ARENA_NEW(a, struct poly);
        *node->poly = (struct poly){.degree = own,
                                    .rows = 1,
                                    .coef = ARENA_ARRAY(a, double, own + 1),
                                    .center = ARENA_ARRAY(a, double, 1),
                                    .radius = ARENA_ARRAY(a, double, 1)};
        node->poly->radius[0] = radius;
        node->poly->coef[own] = 1;
    }
}

bool
pipeline_check(struct arena *a, const struct compile_options *o, struct compiled *out,
               struct diag *d)
{
    uint32_t degree = o->approximate.degree ? o->approximate.degree : 3;

    if (!pipeline_import(a, o, out, d))
        return false;
    bool ok = one_port(out->graph, d);
    if (!simplify(out->graph, d) || (ok && !load_calibration(a, o, out, d)) ||
        !pipeline_split_at(a, o, out, d) || !decompose(out->graph, NULL, 0, d) ||
        !approximate_check(out->graph, &o->approximate, d) || !ok)
        return false;
    /* a radius that takes a map, as a fitted one does */
    pipeline_assume(a, out->graph, degree, 2);
    struct tp *t = linearize(a, out->graph, d);
    if (!t)
        return false;
    out->approximation.degree = degree;
    out->program = pipeline_candidates(a, o, t, 64, d);
    return out->program != NULL;
}
