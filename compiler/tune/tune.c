/* tune.c - the door: checks, the stages of a training, its end. */
#include "tune/internal.h"

#include <math.h>
#include <string.h>

#define EPOCHS        20
#define BATCH         128
#define RATE          0.001
#define MOMENTUM_RATE 0.02

/* Stages with their shares of all epochs, for pruning and rounding wanted (bit 0, bit 1). Rounding
 * learns from images that are nearer to what they are. */
static const struct plan {
    enum stage_kind kind;
    unsigned wanted; /* left out unless one of these is */
    double epochs, from, to, share, augment;
} plans[] = {
    {LEARN, 0, 0.10, 1.0, 0.5, 0, 1},       {PRUNE, 1, 0.40, 0.8, 0.4, 0, 1},
    {SETTLE, 1, 0.20, 0.4, 0.02, 0, 1},     {ROUND, 2, 0.10, 0.2, 0.02, 0.5, 0.5},
    {ROUND, 2, 0.08, 0.2, 0.02, 0.75, 0.5}, {ROUND, 2, 0.08, 0.2, 0.01, 0.9, 0.5},
    {ROUND, 2, 0.04, 0.1, 0.01, 1, 0.5},
};

static bool
set_stages(struct training *t)
{
    unsigned wanted = (t->o.prune > 0) | (unsigned)(t->o.terms > 0) << 1;
    uint32_t used = 0;
    double all = 0, sum = 0;

    for (size_t k = 0; k < sizeof plans / sizeof *plans; k++)
        if (!plans[k].wanted || plans[k].wanted & wanted) {
            all += plans[k].epochs;
            t->n_stages++;
        }
    if (t->o.epochs < t->n_stages) {
        diag_error(t->d, E_TUNE_OPTION, PLACE_FILE(t->g->file),
                   "%u epochs are too few for %u stages", t->o.epochs, t->n_stages);
        diag_hint(t->d, "--epochs %u", 2 * t->n_stages);
        return false;
    }
    t->n_stages = 0;
    for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
        const struct plan *p = &plans[k];
        if (p->wanted && !(p->wanted & wanted))
            continue;
        sum += p->epochs;
        /* each at least one, and enough left for those to come */
        double end = round(sum / all * t->o.epochs);
        uint32_t epochs = end > used + 1 ? (uint32_t)end - used : 1;
        t->stage[t->n_stages++] =
            (struct tune_stage){p->kind,           epochs,   p->from * t->o.rate,
                                p->to * t->o.rate, p->share, p->augment * t->o.augment};
        used += epochs;
    }
    for (uint32_t k = t->n_stages; used > t->o.epochs; k = k ? k - 1 : t->n_stages)
        if (k < t->n_stages && t->stage[k].epochs > 1) {
            t->stage[k].epochs--;
            used--;
        }
    if (!wanted)
        t->stage[0].to = 0.01 * t->o.rate;
    return true;
}

static bool
labels_fit(const struct training *t)
{
    int64_t outputs = learner_outputs(t->net), classes = outputs > 1 ? outputs : 2;
    struct place at = PLACE_FILE(t->g->file);

    if (!t->data->labels || !t->data->n) {
        diag_error(t->d, E_TUNE_LABELS, at, "there are no labels to train by");
        diag_hint(t->d, "give them with --labels");
        return false;
    }
    for (uint32_t k = 0; k < t->data->n; k++)
        if (t->data->labels[k] < 0 || t->data->labels[k] >= classes) {
            diag_error(t->d, E_TUNE_LABELS, at, "label %u is %lld; the network has %lld classes", k,
                       (long long)t->data->labels[k], (long long)classes);
            return false;
        }
    return true;
}

static bool
options_fit(const struct training *t)
{
    struct place at = PLACE_FILE(t->g->file);
    const struct shape *s = &graph_value(t->g, t->g->inputs.at[0].value)->shape;
    double weights = 0, outputs = 0;

    for (uint32_t k = 0; k < t->n_params; k++) {
        weights += t->params[k].kind == LEARN_BIAS ? 0 : t->params[k].n;
        outputs += t->params[k].kind == LEARN_BIAS
                       ? 0
                       : (double)graph_value(t->g, t->params[k].value)->shape.dim[0];
    }
    if (!(weights > 0))
        diag_error(t->d, E_TUNE_OPTION, at, "the network has no weights to train");
    if (t->o.prune > 0 && floor((1 - t->o.prune) * weights) < outputs)
        diag_error(t->d, E_TUNE_PRUNE, at,
                   "pruning %.4g %% leaves %.0f of %.0f weights: fewer than outputs of all layers",
                   100 * t->o.prune, floor((1 - t->o.prune) * weights), weights);
    if (t->o.terms && (t->o.bits < POW2_BITS_MIN || t->o.bits > POW2_BITS_MAX))
        diag_error(t->d, E_QUANT_BITS, at, "a grid of powers of two has %d to %d bits, not %u",
                   POW2_BITS_MIN, POW2_BITS_MAX, t->o.bits);
    if (t->o.epsilon > 0 && (t->o.prune > 0 || t->o.terms || t->o.augment > 0))
        diag_error(t->d, E_TUNE_OPTION, at,
                   "--dp does not go with --prune, --quantize and --augment");
    if (t->o.augment > 0 && (s->rank != 4 || s->dim[0] != 1))
        diag_error(t->d, E_TUNE_OPTION, at, "--augment is for images [1, C, H, W]");
    return diag_errors(t->d) == 0;
}

/* Makes the teacher's learner. */
static bool
teacher_fits(struct training *t)
{
    struct graph *g = t->o.teacher;

    if (!g)
        return true;
    t->teacher = learner_new(t->arena, g, NULL, t->d);
    if (!t->teacher)
        return false;
    if (learner_inputs(t->teacher) == learner_inputs(t->net) &&
        learner_outputs(t->teacher) == learner_outputs(t->net))
        return true;
    diag_error(t->d, E_TUNE_OPTION, PLACE_FILE(g->file),
               "the teacher has %lld inputs and %lld outputs, the network %lld and %lld",
               (long long)learner_inputs(t->teacher), (long long)learner_outputs(t->teacher),
               (long long)learner_inputs(t->net), (long long)learner_outputs(t->net));
    return false;
}

static void
allocate(struct training *t)
{
    t->latent = ARENA_ARRAY(t->arena, float, t->size + 1);
    t->mean = ARENA_ARRAY(t->arena, float, t->size + 1);
    t->square = ARENA_ARRAY(t->arena, float, t->size + 1);
    t->entry = ARENA_ARRAY(t->arena, uint8_t, t->size + 1);
    t->grid = ARENA_ARRAY(t->arena, struct pow2_grid, t->n_params + 1);
    for (uint32_t k = 0; k < t->n_params; k++)
        memcpy(t->latent + t->params[k].first, t->params[k].data,
               t->params[k].n * sizeof *t->latent);
}

/* What a stage begins with. */
static void
enter(struct training *t, const struct tune_stage *s)
{
    if (s->kind == SETTLE)
        for (size_t i = 0; i < t->size; i++)
            if (t->entry[i] == PRUNED)
                t->latent[i] = t->mean[i] = t->square[i] = 0;
    if (s->kind == ROUND)
        tune_round(t, s->share);
}

static bool
train(struct training *t)
{
    uint32_t first = 0;
    bool ok = true;

    for (uint32_t k = 0; ok && k < t->n_stages; k++) {
        const struct tune_stage *s = &t->stage[k];
        for (uint32_t at = 0; ok && at < s->epochs; at++) {
            if (first + at < t->epoch)
                continue; /* done before the training was stopped */
            if (at == 0)
                enter(t, s);
            tune_apply(t);
            ok = tune_epoch(t, s, at) && tune_save(t);
        }
        first += s->epochs;
    }
    tune_apply(t);
    return ok;
}

static void
report(const struct training *t, struct tune_report *r)
{
    r->epochs = t->epoch;
    r->epsilon = t->spent;
    r->noise = t->noise;
    r->trainings = t->trainings;
    r->loss = t->loss;
    r->accuracy = t->accuracy;
    r->layers = ARENA_ARRAY(t->g->arena, struct tune_layer, t->n_params + 1);
    for (uint32_t k = 0; k < t->n_params; k++) {
        const struct learner_param *p = &t->params[k];
        struct tune_layer *l = &r->layers[r->n];
        if (p->kind == LEARN_BIAS)
            continue;
        *l = (struct tune_layer){t->g->nodes.at[p->node].name, p->n, 0, t->grid[k].lo,
                                 t->grid[k].hi};
        for (uint32_t i = 0; i < p->n; i++)
            l->zeros += p->data[i] == 0;
        r->n++;
    }
}

bool
tune(struct graph *g, const struct tune_data *data, const struct tune_options *o,
     struct tune_report *r, struct diag *d)
{
    struct training t = {.arena = arena_new(), .g = g, .data = data, .o = *o, .d = d};

    *r = (struct tune_report){0};
    t.o.epochs = o->epochs ? o->epochs : EPOCHS;
    t.o.batch = o->batch ? o->batch : BATCH;
    t.o.rate = o->rate > 0 ? o->rate : o->momentum ? MOMENTUM_RATE : RATE;
    t.net = learner_new(t.arena, g, NULL, d);
    bool ok = t.net != NULL;
    if (ok) {
        t.params = learner_params(t.net, &t.n_params);
        t.size = learner_size(t.net);
        ok = teacher_fits(&t) && labels_fit(&t) && options_fit(&t) && set_stages(&t);
    }
    if (ok) {
        allocate(&t);
        ok = o->epsilon > 0 ? tune_private(&t) : tune_load(&t) && train(&t);
    }
    if (ok)
        report(&t, r);
    arena_free(t.arena);
    return ok;
}
