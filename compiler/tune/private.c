/* private.c - training that protects its data (Abadi et al., arXiv 1607.00133, algorithm 1):
 * each step takes every example with the same probability, clips its gradient to a norm and adds
 * Gaussian noise. What is taken and the noise come from the system's generator, so that no two
 * trainings are alike. */
#include "tune/internal.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

/* With less than this share of epsilon left nothing is learned any more: it is spent. */
#define LEAST_LEFT 0.01

/* Uniform in (0, 1). */
static double
uniform(void)
{
    uint64_t bits;

    randombytes_buf(&bits, sizeof bits);
    return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

/* Weights as before any training, so that what other trainings saw is forgotten: uniform, of the
 * variance that keeps that of the values (Glorot and Bengio, 2010); biases 0. */
static void
forget(struct training *t)
{
    for (uint32_t k = 0; k < t->n_params; k++) {
        const struct learner_param *p = &t->params[k];
        const struct shape *s = &graph_value(t->g, p->value)->shape;
        double fan = 0;
        for (int d = 0; d < s->rank && d < 2; d++)
            fan += (double)p->n / (double)s->dim[1 - d];
        for (uint32_t i = 0; i < p->n; i++)
            t->latent[p->first + i] =
                p->kind == LEARN_BIAS ? 0 : (float)(sqrt(6 / fmax(fan, 1)) * (2 * uniform() - 1));
    }
}

/* Adds the clipped gradient of one example to sum. */
static void
example(const struct training *t, struct learner_run *run, uint32_t image, float *slope,
        float *gradient, double *sum)
{
    int64_t inputs = learner_inputs(t->net), outputs = learner_outputs(t->net);
    bool correct;

    memset(gradient, 0, t->size * sizeof *gradient);
    const float *z = learner_forward(run, t->data->x + image * inputs, 1);
    double square = 0;

    tune_loss(z, outputs, t->data->labels[image], 1, slope, &correct);
    learner_backward(run, slope, gradient);
    for (size_t i = 0; i < t->size; i++)
        square += (double)gradient[i] * (double)gradient[i];
    double by = fmin(1, t->o.clip / fmax(sqrt(square), 1e-30));
    for (size_t i = 0; i < t->size; i++)
        sum[i] += by * (double)gradient[i];
}

/* sum becomes the noisy mean gradient. */
static void
add_noise(const struct training *t, double sigma, double expected, const double *sum,
          float *gradient)
{
    for (size_t i = 0; i < t->size; i++) {
        double normal = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
        gradient[i] = (float)((sum[i] + sigma * t->o.clip * normal) / expected);
    }
}

/* Noise that keeps this training, and those of the ledger before it, within epsilon. */
static bool
noise_for(struct training *t, double q, double steps)
{
    double before = account_epsilon(&t->account, t->o.delta);
    struct place at = PLACE_FILE(t->trainings ? t->o.ledger : t->g->file);
    bool spent = before > (1 - LEAST_LEFT) * t->o.epsilon;

    if (!spent && account_noise(&t->account, q, steps, t->o.epsilon, t->o.delta, &t->noise))
        return true;
    if (spent)
        diag_error(t->d, E_TUNE_PRIVATE, at,
                   "epsilon %.4g at delta %.4g is spent: %u earlier trainings on these data "
                   "took %.4g",
                   t->o.epsilon, t->o.delta, t->trainings, before);
    else
        diag_error(t->d, E_TUNE_PRIVATE, at,
                   "%.4g of epsilon %.4g at delta %.4g are left; they are spent before the last "
                   "of %.0f steps",
                   t->o.epsilon - before, t->o.epsilon, t->o.delta, steps);
    diag_hint(t->d, t->trainings ? "a larger epsilon, which is for all trainings together"
                                 : "fewer --epochs, a smaller --batch, or a larger epsilon");
    return false;
}

bool
tune_private(struct training *t)
{
    uint32_t n = t->data->n, per_epoch = (n + t->o.batch - 1) / t->o.batch;
    uint32_t steps = t->o.epochs * per_epoch;
    double q = fmin(1, (double)t->o.batch / n);
    struct learner_run *run = learner_run_new(t->arena, t->net, 1);
    float *slope = ARENA_ARRAY(t->arena, float, (size_t)learner_outputs(t->net));
    float *gradient = ARENA_ARRAY(t->arena, float, t->size);
    double *sum = ARENA_ARRAY(t->arena, double, t->size);

    if (!ledger_read(t) || !noise_for(t, q, steps))
        return false;
    forget(t);
    tune_apply(t);
    for (uint32_t k = 0; k < steps; k++) {
        memset(sum, 0, t->size * sizeof *sum);
        for (uint32_t image = 0; image < n; image++)
            if (uniform() < q)
                example(t, run, image, slope, gradient, sum);
        if (!isfinite(sum[0])) {
            diag_error(t->d, E_TUNE_DIVERGED, PLACE_FILE(t->g->file), "gradients are not finite");
            return false;
        }
        add_noise(t, t->noise, q * n, sum, gradient);
        tune_step(t, gradient, t->o.rate * (1 - 0.9 * k / steps), false);
        tune_apply(t);
        if (t->o.progress)
            t->o.progress(t->o.user, "private training", k + 1, steps);
    }
    t->epoch = t->o.epochs;
    t->loss = t->accuracy = NAN;
    return ledger_add(t, q, steps);
}
