/* run.c - olac run: the whole trip on one machine, through the generated program as a user would
 * build it. */
#include "cli/build.h"
#include "cli/data.h"

#include "base/file.h"
#include "op/answer.h"
#include "op/interpret.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trip {
    struct compiled c;
    const char *dir; /* of generated code and program */
    const char *program, *json, *in, *out;
    struct cli_images in_clear;
    float *exact, *approximated;
    const float *encrypted;
    int64_t outputs;
    double seconds_cc;
    cJSON *measured; /* what the program wrote */
};

/* The answers in the clear: of the float network, and of the polynomials. */
static bool
interpret(struct arena *a, struct trip *t, struct diag *d)
{
    struct interpret_options exact = {0}, poly = {.poly = true};
    const struct graph *g = t->c.graph;
    t->outputs = shape_size(&graph_value(g, g->outputs.at[0])->shape);
    t->exact = ARENA_ARRAY(a, float, (size_t)(t->in_clear.n * t->outputs));
    t->approximated = ARENA_ARRAY(a, float, (size_t)(t->in_clear.n * t->outputs));
    return interpret_many(t->c.imported, &exact, t->in_clear.x, t->in_clear.n, t->exact, d) &&
           interpret_many(t->c.graph, &poly, t->in_clear.x, t->in_clear.n, t->approximated, d);
}

static bool
write_input(struct trip *t, struct diag *d)
{
    const struct graph *g = t->c.front ? t->c.front : t->c.graph;
    int64_t size = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    return cli_write_answers(t->in, t->in_clear.plain, t->in_clear.n, size, d);
}

static bool
build(struct arena *a, const struct options *o, struct trip *t, struct diag *d)
{
    struct runtime r;
    double start = seconds_now();
    t->program = file_join(a, t->dir, "program");
    t->json = file_join(a, t->dir, "run.json");
    t->in = file_join(a, t->dir, "input.npy");
    t->out = file_join(a, t->dir, "output.npy");
    bool ok = build_find_runtime(a, &r, d) && emit_write(&t->c.files, t->dir, d) &&
              build_program(a, &r, o->cc, o->sim, t->dir, &t->c.files, t->program, d);
    t->seconds_cc = seconds_now() - start;
    return ok;
}

static bool
evaluate(struct arena *a, struct trip *t, struct diag *d)
{
    char *argv[] = {arena_strdup(a, t->program),
                    "run",
                    "--input",
                    arena_strdup(a, t->in),
                    "--output",
                    arena_strdup(a, t->out),
                    "--json",
                    arena_strdup(a, t->json),
                    "--count",
                    arena_printf(a, "%u", t->in_clear.n),
                    NULL};
    const uint8_t *bytes;
    size_t size;
    struct tensor out;
    /* Threads that wait give the core away soon: it costs nothing on a quiet machine, and much is
     * won on a busy one. A setting of the user's stays. */
    setenv("GOMP_SPINCOUNT", "1000", 0);
    int rc = build_spawn(argv, d);
    if (rc > 0)
        diag_error(d, E_PROGRAM, PLACE_NONE, "the compiled program ended with exit status %d", rc);
    if (rc != 0 || !file_read(a, t->json, false, OLAC_MAX_BYTES, &bytes, &size, d))
        return false;
    t->measured = cJSON_ParseWithLength((const char *)bytes, size);
    if (!t->measured || !file_read(a, t->out, false, OLAC_MAX_BYTES, &bytes, &size, d) ||
        !npy_parse(a, t->out, bytes, size, &out, d))
        return false;
    if (!out.f || shape_size(&out.shape) != t->in_clear.n * t->outputs) {
        diag_error(d, E_PROGRAM, PLACE_FILE(t->out),
                   "the answers have another shape than the network's output");
        return false;
    }
    t->encrypted = out.f;
    return true;
}

/* ---- what came out
 * -------------------------------------------------------------------------------- */

struct tally {
    uint32_t correct, agree, agree_approximated, approximated_agree;
    uint32_t as_simulated; /* the answer of the network of polynomials, in the clear */
    double error, noise, largest;
};

static struct tally
count(const struct trip *t)
{
    struct tally r = {0};
    struct answer_rule rule = answer_rule(t->exact, t->in_clear.n, t->outputs);
    for (uint32_t k = 0; k < t->in_clear.n; k++) {
        size_t at = (size_t)k * (size_t)t->outputs;
        bool same = answer_agrees(&rule, t->exact + at, t->approximated + at);
        r.correct +=
            t->in_clear.labels && answer_class(&rule, t->encrypted + at) == t->in_clear.labels[k];
        r.agree += answer_agrees(&rule, t->exact + at, t->encrypted + at);
        r.approximated_agree += same;
        r.as_simulated += answer_agrees(&rule, t->approximated + at, t->encrypted + at);
        r.agree_approximated += same && answer_agrees(&rule, t->exact + at, t->encrypted + at);
        for (int64_t i = 0; i < t->outputs; i++) {
            double e = (double)t->encrypted[at + (size_t)i];
            r.error = fmax(r.error, fabs(e - (double)t->exact[at + (size_t)i]));
            r.noise = fmax(r.noise, fabs(e - (double)t->approximated[at + (size_t)i]));
            r.largest = fmax(r.largest, fabs((double)t->exact[at + (size_t)i]));
        }
    }
    return r;
}

static double
field(const cJSON *object, const char *group, const char *name)
{
    const cJSON *from = group ? cJSON_GetObjectItemCaseSensitive(object, group) : object;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

/* Evaluations that the images took. */
static uint32_t
evaluations(const struct trip *t)
{
    uint32_t batch = t->c.program->batch ? t->c.program->batch : 1;
    return t->in_clear.n ? (t->in_clear.n - 1) / batch + 1 : 0;
}

/* What the program counted, of one evaluation. */
static void
counted_json(const struct trip *t, struct str *s)
{
    static const char *const kinds[] = {"additions", "scalar_products", "plain_products",
                                        "products",  "rotations",       "relinearisations",
                                        "rescales"};
    uint32_t n = evaluations(t);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        str_addf(s, "%s\"%s\":%.0f", k ? "," : "", kinds[k],
                 n ? field(t->measured, "counts", kinds[k]) / n : 0);
}

/* What each layer took in one evaluation, by kind of operation, beside the prediction. */
static void
layers_json(const struct trip *t, struct str *s)
{
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(t->measured, "layers"), *layer, *v;
    double n = evaluations(t);
    cJSON_ArrayForEach(layer, layers)
    {
        str_add(s, layer == layers->child ? "{" : ",{");
        cJSON_ArrayForEach(v, layer)
        {
            bool share = strcmp(v->string, "predicted") == 0;
            str_add(s, v == layer->child ? "" : ",");
            str_json(s, v->string);
            str_add(s, ":");
            if (cJSON_IsString(v))
                str_json(s, v->valuestring);
            else
                str_addf(s, "%.6f",
                         share ? v->valuedouble * t->c.program->seconds : v->valuedouble / n);
        }
        str_add(s, "}");
    }
}

static void
print_json(const struct trip *t, const struct tally *r)
{
    static const char *const steps[] = {"keygen", "load", "encrypt", "evaluate", "decrypt"};
    const struct he_program *p = t->c.program;
    struct answer_rule rule = answer_rule(t->exact, t->in_clear.n, t->outputs);
    struct str s = {0};

    str_addf(&s, "{\"images\":%u,\"correct\":", t->in_clear.n);
    if (t->in_clear.labels)
        str_addf(&s, "%u", r->correct);
    else
        str_add(&s, "null");
    str_addf(&s,
             ",\"agree_with_float\":%u,\"approximated_agree\":%u,\"agree_where_approximated\":%u"
             ",\"agree_with_polynomials\":%u",
             r->agree, r->approximated_agree, r->agree_approximated, r->as_simulated);
    str_add(&s, ",\"max_abs_error\":");
    cli_number(&s, r->error);
    str_add(&s, ",\"max_abs_noise\":");
    cli_number(&s, r->noise);
    str_add(&s, ",\"largest_output\":");
    cli_number(&s, r->largest);
    str_add(&s, ",\"predictions\":[");
    for (uint32_t k = 0; k < t->in_clear.n; k++)
        str_addf(&s, "%s%lld", k ? "," : "",
                 (long long)answer_class(&rule, t->encrypted + (size_t)k * (size_t)t->outputs));
    str_addf(&s, "],\"seconds\":{\"compile\":%.6f,\"cc\":%.6f", t->c.seconds, t->seconds_cc);
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
        str_addf(&s, ",\"%s\":%.6f", steps[k], field(t->measured, "seconds", steps[k]));
    str_addf(&s, "},\"seconds_an_image\":%.6f,\"predicted_seconds_an_image\":%.6f",
             field(t->measured, "seconds", "evaluate") / (t->in_clear.n ? t->in_clear.n : 1),
             p->seconds / (p->batch ? p->batch : 1));
    str_addf(&s, ",\"peak_bytes\":%.0f,\"predicted_peak_bytes\":%llu",
             field(t->measured, NULL, "peak_bytes"), (unsigned long long)p->peak_bytes);
    str_addf(&s, ",\"security_bits\":%u,\"log_n\":%u,\"log_qp\":%.2f,\"levels\":%u,\"degree\":%u",
             p->params.security, p->params.log_n, p->params.log_qp, p->params.q.len - 1,
             t->c.approximation.degree);
    str_addf(&s, ",\"rotations\":%llu,\"products\":%llu,\"key_bytes\":%.0f,\"bootstraps\":%llu",
             (unsigned long long)p->counts.rotations, (unsigned long long)p->counts.products,
             field(t->measured, NULL, "key_bytes"), (unsigned long long)p->count_refreshes);
    str_addf(&s, ",\"batch\":%u,\"evaluations\":%u,\"images_a_second\":%.1f,\"operations\":",
             p->batch ? p->batch : 1, evaluations(t),
             t->in_clear.n / field(t->measured, "seconds", "evaluate"));
    cli_operations_json(p->arena, p, &s);
    str_add(&s, ",\"counted\":{");
    counted_json(t, &s);
    str_add(&s, "},\"layers\":[");
    layers_json(t, &s);
    str_add(&s, "]}\n");
    fputs(str_text(&s), stdout);
    str_free(&s);
}

static void
print_table(const struct trip *t, const struct tally *r)
{
    struct answer_rule rule = answer_rule(t->exact, t->in_clear.n, t->outputs);
    printf("%6s  %s%6s  %9s  %s\n", "image", t->in_clear.labels ? " label  " : "", "float",
           "encrypted", "largest difference");
    for (uint32_t k = 0; k < t->in_clear.n && k < 20; k++) {
        size_t at = (size_t)k * (size_t)t->outputs;
        double most = 0;
        for (int64_t i = 0; i < t->outputs; i++)
            most = fmax(most, fabs((double)t->encrypted[at + (size_t)i] -
                                   (double)t->exact[at + (size_t)i]));
        printf("%6u  ", k);
        if (t->in_clear.labels)
            printf("%6lld  ", (long long)t->in_clear.labels[k]);
        if (rule.n == 1 && !rule.probability)
            printf("%6.3g  %9.3g  %.3g\n", (double)t->exact[at], (double)t->encrypted[at], most);
        else
            printf("%6lld  %9lld  %.3g\n", (long long)answer_class(&rule, t->exact + at),
                   (long long)answer_class(&rule, t->encrypted + at), most);
    }
    if (t->in_clear.n > 20)
        printf("... and %u more\n", t->in_clear.n - 20);
    if (t->in_clear.labels)
        printf("correct: %u of %u; ", r->correct, t->in_clear.n);
    printf("same answer as float: %u of %u; CKKS noise at most %.2g of an output of %.3g\n",
           r->agree, t->in_clear.n, r->noise, r->largest);
    const struct he_program *p = t->c.program;
    printf("N = 2^%u, log QP = %.0f, %s, %u levels, activations of degree %u\n", p->params.log_n,
           p->params.log_qp, cli_security(p), p->params.q.len - 1, t->c.approximation.degree);
    printf("seconds: compile %.2f, cc %.2f, keygen %.2f, load %.2f, encrypt %.3f, evaluate %.3f, "
           "decrypt %.3f "
           "(%.3f an image, predicted %.3f); peak %.0f MB (predicted %.0f)\n",
           t->c.seconds, t->seconds_cc, field(t->measured, "seconds", "keygen"),
           field(t->measured, "seconds", "load"), field(t->measured, "seconds", "encrypt"),
           field(t->measured, "seconds", "evaluate"), field(t->measured, "seconds", "decrypt"),
           field(t->measured, "seconds", "evaluate") / (t->in_clear.n ? t->in_clear.n : 1),
           p->seconds / (p->batch ? p->batch : 1), field(t->measured, NULL, "peak_bytes") / 1e6,
           (double)p->peak_bytes / 1e6);
}

static bool
write_report(struct arena *a, const struct options *o, const struct trip *t, const struct tally *r,
             struct diag *d)
{
    double images = t->in_clear.n ? t->in_clear.n : 1;
    struct report_run run = {.images = t->in_clear.n,
                             .agree = r->agree,
                             .correct = r->correct,
                             .labels = t->in_clear.labels != NULL,
                             .keygen = field(t->measured, "seconds", "keygen"),
                             .encrypt = field(t->measured, "seconds", "encrypt") / images,
                             .evaluate = field(t->measured, "seconds", "evaluate") / images,
                             .decrypt = field(t->measured, "seconds", "decrypt") / images,
                             .noise = r->noise,
                             .largest = r->largest,
                             .peak_bytes = (uint64_t)field(t->measured, NULL, "peak_bytes"),
                             .key_bytes = (uint64_t)field(t->measured, NULL, "key_bytes")};

    return cli_report(a, o, &t->c, &(struct cli_findings){.run = &run}, d);
}

/* ---- the command
 * --------------------------------------------------------------------------------------- */

int
cli_run(struct arena *a, const struct options *o, struct diag *d)
{
    struct compile_options co = options_compile(a, o);
    struct progress progress = progress_new(o);
    struct trip t = {0};

    co.progress = progress_show;
    co.user = &progress;
    co.data = o->input;
    bool ok = pipeline_begin(a, &co, &t.c, d) &&
              cli_read_images(a, o, o->input, &t.c, &t.in_clear, d) &&
              pipeline_compile(a, &co, &t.c, d) && cli_front_images(a, &t.c, &t.in_clear, d) &&
              interpret(a, &t, d);
    progress_clear(&progress);
    if (ok)
        t.dir = build_folder(a, o->keep, d);
    ok = ok && t.dir && build(a, o, &t, d) && write_input(&t, d) && evaluate(a, &t, d) &&
         (!o->output || cli_write_answers(o->output, t.encrypted, t.in_clear.n, t.outputs, d));
    if (t.dir && !o->keep)
        build_remove_folder(t.dir);
    struct tally r = ok ? count(&t) : (struct tally){0};
    ok = ok && write_report(a, o, &t, &r, d);
    if (ok) {
        cli_warnings(d);
        if (o->json)
            print_json(&t, &r);
        else if (!o->quiet)
            print_table(&t, &r);
    }
    cJSON_Delete(t.measured);
    return ok ? 0 : cli_finish(o, d);
}
