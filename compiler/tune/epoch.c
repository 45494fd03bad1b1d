/* epoch.c - one pass over the data. A batch is shared out to LANES parts, each with a gradient
 * of its own, added up in order: the result does not hang on the number of threads. Random numbers
 * come from a stream of libsodium's that hangs on seed and epoch alone. */
#include "tune/internal.h"

#include <cblas.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

#define LANES 4
/* Steps between two looks at which weights are pruned, and the share of its stage in which their
 * number grows. */
#define PRUNE_EVERY 32
#define PRUNE_RAMP  0.7
/* No step is longer than this norm of the mean gradient would make it: quadratic activations
 * grow. */
#define CLIP 5.0
/* Beyond this many times the loss of guessing a training has diverged. */
#define DIVERGED 5.0

struct part {
    struct learner_run *run;
    float *x, *slope, *gradient;
    double loss;
    uint32_t correct;
};

struct pass {
    struct training *t;
    struct part part[LANES];
    uint32_t *order;
    float *random; /* six numbers in [-1, 1) for each image */
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

/* Order of the images, and how each is changed. */
static void
draw(struct pass *p, struct arena *a)
{
    const struct training *t = p->t;
    unsigned char key[randombytes_SEEDBYTES] = {0};
    size_t words = (size_t)t->data->n * (t->o.augment > 0 ? 8u : 2u), at = 0;
    uint32_t *w = ARENA_ARRAY(a, uint32_t, words + 2);

    memcpy(key, &t->o.seed, sizeof t->o.seed);
    memcpy(key + 8, &t->epoch, sizeof t->epoch);
    randombytes_buf_deterministic(w, words * sizeof *w, key);
    p->order = ARENA_ARRAY(a, uint32_t, t->data->n);
    for (uint32_t k = 0; k < t->data->n; k++) {
        uint32_t i = (uint32_t)(next(w, &at) % (k + 1));
        p->order[k] = p->order[i];
        p->order[i] = k;
    }
    p->random = ARENA_ARRAY(a, float, 6 * (size_t)t->data->n + 1);
    for (size_t k = 0; t->o.augment > 0 && k < 6 * (size_t)t->data->n; k++)
        p->random[k] = (float)((double)w[at++] * 0x1p-31 - 1);
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

/* Images first .. first + n - 1 of the order through one part. */
static void
work(const struct pass *p, struct part *l, uint32_t first, uint32_t n, uint32_t batch)
{
    const struct training *t = p->t;
    const struct shape *s = &graph_value(t->g, t->g->inputs.at[0].value)->shape;

    memset(l->gradient, 0, t->size * sizeof *l->gradient);
    l->loss = 0;
    l->correct = 0;
    if (!n)
        return;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t image = p->order[first + k];
        const float *from = t->data->x + image * p->inputs;
        if (t->o.augment > 0)
            tune_augment(s, t->o.augment, p->random + 6 * (size_t)image, from,
                         l->x + k * p->inputs);
        else
            memcpy(l->x + k * p->inputs, from, (size_t)p->inputs * sizeof *from);
    }
    const float *z = learner_forward(l->run, l->x, n);
    for (uint32_t k = 0; k < n; k++) {
        bool correct;
        l->loss += tune_loss(z + k * p->outputs, p->outputs, t->data->labels[p->order[first + k]],
                             batch, l->slope + k * p->outputs, &correct);
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
    for (uint32_t k = 0; k < LANES; k++) {
        uint32_t from = (uint32_t)((uint64_t)n * k / LANES);
        work(p, &p->part[k], first + from, (uint32_t)((uint64_t)n * (k + 1) / LANES) - from, n);
    }
    for (uint32_t k = 0; k < LANES; k++) {
        if (k)
            cblas_saxpy((int)t->size, 1, p->part[k].gradient, 1, p->part[0].gradient, 1);
        p->loss += p->part[k].loss;
        p->correct += p->part[k].correct;
    }
}

/* One step of Adam (Kingma and Ba, arXiv 1412.6980) or of momentum. */
void
tune_step(struct training *t, const float *gradient, double rate, bool regrow)
{
    double norm = (double)cblas_snrm2((int)t->size, gradient, 1);
    double scale = norm > CLIP ? CLIP / norm : 1;
    double bias1 = 1 - pow(0.9, (double)t->steps + 1), bias2 = 1 - pow(0.999, (double)t->steps + 1);
    float by = (float)(rate / bias1), root = (float)(1 / sqrt(bias2));

    for (size_t i = 0; i < t->size; i++) {
        float g = (float)scale * gradient[i];
        if (t->entry[i] == FIXED || (t->entry[i] == PRUNED && !regrow))
            continue;
        if (t->o.momentum) {
            t->mean[i] = 0.9f * t->mean[i] + g;
            t->latent[i] -= (float)rate * t->mean[i];
            continue;
        }
        t->mean[i] = 0.9f * t->mean[i] + 0.1f * g;
        t->square[i] = 0.999f * t->square[i] + 0.001f * g * g;
        t->latent[i] -= by * t->mean[i] / (sqrtf(t->square[i]) * root + 1e-8f);
    }
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
begin(struct pass *p, struct arena *a)
{
    const struct training *t = p->t;
    uint32_t most = (t->o.batch + LANES - 1) / LANES;

    p->inputs = learner_inputs(t->net);
    p->outputs = learner_outputs(t->net);
    draw(p, a);
    for (int k = 0; k < LANES; k++) {
        struct part *l = &p->part[k];
        l->run = learner_run_new(a, t->net, most);
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
    bool ok = true;

    begin(&p, a);
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    for (uint32_t k = 0; ok && k < all; k++) {
        double done = (at + (double)k / all) / stage->epochs;
        double rate = stage->to + (stage->from - stage->to) * (1 + cos(M_PI * done)) / 2;
        uint32_t first = k * t->o.batch, count = n - first < t->o.batch ? n - first : t->o.batch;
        if (stage->kind == PRUNE && k % PRUNE_EVERY == 0) {
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
