/* epoch.c - one pass over the data. A batch is shared out to parts, each with a gradient of its
 * own, added up in order: the result does not hang on the number of threads. Random numbers
 * come from a stream of libsodium's that hangs on seed and epoch alone. */
#include "tune/augment.h"
#include "tune/internal.h"

#include "base/wide.h"

#include <cblas.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

/* Parts of a batch at most, and images that are worth a part: a gradient of all weights has to be
 * added for each. */
#define PARTS       8
#define PART_IMAGES 32
/* Images between two looks at which weights are pruned, and the share of its stage in which their
 * number grows. */
#define PRUNE_EVERY 8192
#define PRUNE_RAMP  0.7
/* No step is longer than this norm of the mean gradient would make it: quadratic activations
 * grow. */
#define CLIP 5.0
/* How much of the slope is the teacher's, and the temperature at which it is read. */
#define TAUGHT      0.7
#define TEMPERATURE 3.0
/* Beyond this many times the loss of guessing a training has diverged. */
#define DIVERGED 5.0

struct part {
    struct learner_run *run, *teacher; /* NULL: there is none */
    struct augment *augment;           /* NULL: images are taken as they are */
    float *x, *slope, *gradient;
    double loss, *room;
    uint32_t correct;
};

struct pass {
    struct training *t;
    struct part part[PARTS];
    uint32_t parts;
    uint32_t *order;
    int64_t inputs, outputs;
    double loss;
    uint64_t correct;
};

static uint64_t
next(const uint32_t *words, size_t *at)
{
    uint64_t w = (uint64_t)words[*at] << 32 | words[*at + 1];

    *at += 2;
    return w;
}

/* What random numbers of this epoch hang on: of image n from 0, of the order of the images NONE. */
static void
seed_of(const struct training *t, uint32_t image, uint8_t seed[randombytes_SEEDBYTES])
{
    memset(seed, 0, randombytes_SEEDBYTES);
    memcpy(seed, &t->o.seed, sizeof t->o.seed);
    memcpy(seed + 8, &t->epoch, sizeof t->epoch);
    memcpy(seed + 12, &image, sizeof image);
}

static void
draw_order(struct pass *p, struct arena *a)
{
    const struct training *t = p->t;
    uint8_t seed[randombytes_SEEDBYTES];
    size_t words = 2 * (size_t)t->data->n, at = 0;
    uint32_t *w = ARENA_ARRAY(a, uint32_t, words + 2);

    seed_of(t, NONE, seed);
    randombytes_buf_deterministic(w, words * sizeof *w, seed);
    p->order = ARENA_ARRAY(a, uint32_t, t->data->n);
    for (uint32_t k = 0; k < t->data->n; k++) {
        uint32_t i = (uint32_t)(next(w, &at) % (k + 1));
        p->order[k] = p->order[i];
        p->order[i] = k;
    }
}

double
tune_loss(const float *z, int64_t n, int64_t label, double batch, float *slope, bool *correct)
{
    double sum = 0;
    int64_t best = 0;

    if (n == 1) {
        double x = (double)z[0], p = 1 / (1 + exp(-x));
        slope[0] = (float)((p - (double)label) / batch);
        *correct = (x >= 0) == (label == 1);
        return fmax(x, 0) - x * (double)label + log1p(exp(-fabs(x)));
    }
    for (int64_t i = 1; i < n; i++)
        best = z[i] > z[best] ? i : best;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)z[i] - (double)z[best]);
    for (int64_t i = 0; i < n; i++)
        slope[i] = (float)((exp((double)z[i] - (double)z[best]) / sum - (i == label)) / batch);
    *correct = best == label;
    return log(sum) + (double)z[best] - (double)z[label];
}

/* Probabilities of n classes at a temperature; of one output, that it is 1. */
static void
soften(const float *z, int64_t n, double temperature, double *p)
{
    double most = -INFINITY, sum = 0;

    if (n == 1) {
        p[0] = 1 / (1 + exp(-(double)z[0] / temperature));
        return;
    }
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, (double)z[i]);
    for (int64_t i = 0; i < n; i++)
        sum += p[i] = exp(((double)z[i] - most) / temperature);
    for (int64_t i = 0; i < n; i++)
        p[i] /= sum;
}

/* Mixes what the teacher says to the slope of one image (Hinton, Vinyals, Dean, arXiv
 * 1503.02531). room: 2 n. */
static void
imitate(const float *z, const float *taught, int64_t n, double batch, double *room, float *slope)
{
    soften(z, n, TEMPERATURE, room);
    soften(taught, n, TEMPERATURE, room + n);
    for (int64_t i = 0; i < n; i++)
        slope[i] = (float)((1 - TAUGHT) * (double)slope[i] +
                           TAUGHT * TEMPERATURE * (room[i] - room[n + i]) / batch);
}

/* Images first .. first + n - 1 of the order, to l->x. */
static void
gather(const struct pass *p, struct part *l, uint32_t first, uint32_t n)
{
    const struct training *t = p->t;
    uint8_t seed[randombytes_SEEDBYTES];

    for (uint32_t k = 0; k < n; k++) {
        uint32_t image = p->order[first + k];
        const float *from = t->data->x + image * p->inputs;
        if (!l->augment) {
            memcpy(l->x + k * p->inputs, from, (size_t)p->inputs * sizeof *from);
            continue;
        }
        seed_of(t, image, seed);
        augment_image(l->augment, seed, from, l->x + k * p->inputs);
    }
}

/* Images first .. first + n - 1 of the order through one part. */
static void
work(const struct pass *p, struct part *l, uint32_t first, uint32_t n, uint32_t batch)
{
    const struct training *t = p->t;

    memset(l->gradient, 0, t->size * sizeof *l->gradient);
    l->loss = 0;
    l->correct = 0;
    if (!n)
        return;
    gather(p, l, first, n);
    const float *taught = l->teacher ? learner_forward(l->teacher, l->x, n) : NULL;
    const float *z = learner_forward(l->run, l->x, n);
    for (uint32_t k = 0; k < n; k++) {
        int64_t at = k * p->outputs;
        bool correct;
        l->loss += tune_loss(z + at, p->outputs, t->data->labels[p->order[first + k]], batch,
                             l->slope + at, &correct);
        if (taught)
            imitate(z + at, taught + at, p->outputs, batch, l->room, l->slope + at);
        l->correct += correct;
    }
    learner_backward(l->run, l->slope, l->gradient);
}

/* The gradient of a whole batch, in the first part's. */
static void
batch(struct pass *p, uint32_t first, uint32_t n)
{
    const struct training *t = p->t;

#pragma omp parallel for schedule(static)
    for (uint32_t k = 0; k < p->parts; k++) {
        uint32_t from = (uint32_t)((uint64_t)n * k / p->parts);
        work(p, &p->part[k], first + from, (uint32_t)((uint64_t)n * (k + 1) / p->parts) - from, n);
    }
    for (uint32_t k = 0; k < p->parts; k++) {
        if (k)
            cblas_saxpy((int)t->size, 1, p->part[k].gradient, 1, p->part[0].gradient, 1);
        p->loss += p->part[k].loss;
        p->correct += p->part[k].correct;
    }
}

/* What a step does to n entries: gradients times `scale`, and of those whose entry is past `last`
 * nothing changes. */
struct sweep {
    size_t n;
    const uint8_t *entry;
    uint8_t last;
    float scale, rate, root;
};

WIDE static void
momentum(const struct sweep *s, const float *restrict gradient, float *restrict mean,
         float *restrict w)
{
    const uint8_t *restrict entry = s->entry;

    for (size_t i = 0; i < s->n; i++) {
        float m = 0.9f * mean[i] + s->scale * gradient[i];
        mean[i] = entry[i] <= s->last ? m : mean[i];
        w[i] -= entry[i] <= s->last ? s->rate * m : 0;
    }
}

WIDE static void
adam(const struct sweep *s, const float *restrict gradient, float *restrict mean,
     float *restrict square, float *restrict w)
{
    const uint8_t *restrict entry = s->entry;

    for (size_t i = 0; i < s->n; i++) {
        float g = s->scale * gradient[i];
        float m = 0.9f * mean[i] + 0.1f * g, v = 0.999f * square[i] + 0.001f * g * g;
        mean[i] = entry[i] <= s->last ? m : mean[i];
        square[i] = entry[i] <= s->last ? v : square[i];
        w[i] -= entry[i] <= s->last ? s->rate * m / (sqrtf(v) * s->root + 1e-8f) : 0;
    }
}

/* One step of Adam (Kingma and Ba, arXiv 1412.6980) or of momentum. */
void
tune_step(struct training *t, const float *gradient, double rate, bool regrow)
{
    double norm = (double)cblas_snrm2((int)t->size, gradient, 1);
    double bias1 = 1 - pow(0.9, (double)t->steps + 1), bias2 = 1 - pow(0.999, (double)t->steps + 1);
    struct sweep s = {t->size,
                      t->entry,
                      regrow ? PRUNED : FREE,
                      (float)(norm > CLIP ? CLIP / norm : 1),
                      (float)(t->o.momentum ? rate : rate / bias1),
                      (float)(1 / sqrt(bias2))};

    if (t->o.momentum)
        momentum(&s, gradient, t->mean, t->latent);
    else
        adam(&s, gradient, t->mean, t->square, t->latent);
    t->steps++;
}

/* The share to be pruned, a way `done` in [0, 1] into the stage: fast at first (Zhu and Gupta,
 * arXiv 1710.01878). */
static double
share_at(const struct training *t, double done)
{
    double left = fmax(0, 1 - done / PRUNE_RAMP);

    return t->o.prune * (1 - left * left * left);
}

static void
begin(struct pass *p, const struct tune_stage *stage, struct arena *a)
{
    const struct training *t = p->t;
    const struct shape *shape = &graph_value(t->g, t->g->inputs.at[0].value)->shape;
    uint32_t parts = t->o.batch / PART_IMAGES, most;

    p->parts = parts < 1 ? 1 : parts > PARTS ? PARTS : parts;
    most = (t->o.batch + p->parts - 1) / p->parts;
    p->inputs = learner_inputs(t->net);
    p->outputs = learner_outputs(t->net);
    draw_order(p, a);
    for (uint32_t k = 0; k < p->parts; k++) {
        struct part *l = &p->part[k];
        l->run = learner_run_new(a, t->net, most);
        l->teacher = t->teacher ? learner_run_new(a, t->teacher, most) : NULL;
        l->augment = stage->augment > 0 ? augment_new(a, shape, stage->augment) : NULL;
        l->room = ARENA_ARRAY(a, double, 2 * (size_t)p->outputs);
        l->x = ARENA_ARRAY(a, float, (size_t)(most * p->inputs));
        l->slope = ARENA_ARRAY(a, float, (size_t)(most * p->outputs));
        l->gradient = ARENA_ARRAY(a, float, t->size);
    }
}

static bool
diverged(const struct training *t, double loss, int64_t outputs)
{
    if (isfinite(loss) && loss < DIVERGED * log(outputs > 1 ? (double)outputs : 2))
        return false;
    diag_error(t->d, E_TUNE_DIVERGED, PLACE_FILE(t->g->file),
               "the loss is %.3g in epoch %u, at a rate of %.3g", loss, t->epoch + 1, t->o.rate);
    diag_hint(t->d, "--rate %.1g", t->o.rate / 4);
    return true;
}

bool
tune_epoch(struct training *t, const struct tune_stage *stage, uint32_t at)
{
    struct arena *a = arena_new();
    struct pass p = {.t = t};
    uint32_t n = t->data->n, all = (n + t->o.batch - 1) / t->o.batch;
    uint32_t look = t->o.batch < PRUNE_EVERY ? PRUNE_EVERY / t->o.batch : 1;
    bool ok = true;

    begin(&p, stage, a);
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    for (uint32_t k = 0; ok && k < all; k++) {
        double done = (at + (double)k / all) / stage->epochs;
        double rate = stage->to + (stage->from - stage->to) * (1 + cos(M_PI * done)) / 2;
        uint32_t first = k * t->o.batch, count = n - first < t->o.batch ? n - first : t->o.batch;
        if (stage->kind == PRUNE && k % look == 0) {
            tune_prune(t, share_at(t, done));
            tune_apply(t);
        }
        batch(&p, first, count);
        ok = isfinite(p.loss);
        tune_step(t, p.part[0].gradient, rate, stage->kind == PRUNE);
        tune_apply(t);
        if (t->o.progress)
            t->o.progress(t->o.user, "training", t->epoch * all + k + 1, t->o.epochs * all);
    }
    openblas_set_num_threads(blas_threads);
    t->loss = p.loss / n;
    t->accuracy = (double)p.correct / n;
    ok = !diverged(t, t->loss, p.outputs);
    arena_free(a);
    t->epoch++;
    return ok;
}
