/* internal.h - what the files of tune/ share. */
#ifndef OLAC_TUNE_INTERNAL_H
#define OLAC_TUNE_INTERNAL_H

#include "ir/pow2.h"
#include "tune/account.h"
#include "tune/learner.h"
#include "tune/tune.h"

enum entry { FREE, PRUNED, FIXED };

enum stage_kind { LEARN, PRUNE, SETTLE, ROUND };

/* So many epochs of one kind. */
struct tune_stage {
    enum stage_kind kind;
    uint32_t epochs;
    double from, to; /* of the rate, by a cosine */
    double share;    /* ROUND: of the weights that are fixed from its start on */
    double augment;
};

#define STAGES    8
#define TUNE_HASH 32

/* A training on its way. All entries of all parameters lie in one row, as in gradients. */
struct training {
    struct arena *arena;
    struct graph *g;
    struct learner *net, *teacher; /* teacher NULL: none */
    const struct learner_param *params;
    uint32_t n_params;
    size_t size;
    const struct tune_data *data;
    struct tune_options o; /* without zeros that mean something else */
    struct diag *d;
    struct tune_stage stage[STAGES];
    uint32_t n_stages;
    uint32_t epoch; /* done */
    uint64_t steps; /* done */
    /* what the optimiser changes; what the network computes with is this, pruned and rounded */
    float *latent;
    float *mean, *square;   /* moments of the gradients */
    uint8_t *entry;         /* enum entry */
    struct pow2_grid *grid; /* of each parameter; terms 0: none yet */
    double loss, accuracy, spent, noise;
    struct account account; /* of private trainings, this one and those before it on the data */
    uint32_t trainings;     /* before */
    const char *ledger;     /* its text, NULL: there is none */
    /* of what the training is of: network, teacher, data, options; known once tune_load looked */
    uint8_t identity[TUNE_HASH];
};

/* prune.c: the `share` of the weights with the least scores becomes PRUNED, the others FREE. */
void tune_prune(struct training *t, double share);
/* round.c: grids where there are none, then the largest free weights to the nearest value of
 * theirs until `share` of a layer's weights are fixed. */
void tune_round(struct training *t, double share);
/* What the network computes with, from latent weights. */
void tune_apply(struct training *t);
/* checkpoint.c. load: true when there is none, or it was read; E_TUNE_CHECKPOINT. */
bool tune_load(struct training *t);
bool tune_save(const struct training *t);
/* epoch.c: one pass over the data; false after E_TUNE_DIVERGED. `stage` is that of this epoch, its
 * number within it `at`. */
bool tune_epoch(struct training *t, const struct tune_stage *stage, uint32_t at);

/* dL/dz of the mean over `batch` images to slope, the loss as return: cross entropy of the softmax
 * or, of one output, of its logistic function. */
double tune_loss(const float *z, int64_t n, int64_t label, double batch, float *slope,
                 bool *correct);
/* One step of the optimiser; regrow: pruned weights learn too. */
void tune_step(struct training *t, const float *gradient, double rate, bool regrow);
/* private.c: all epochs; E_TUNE_PRIVATE, E_TUNE_DIVERGED, E_TUNE_LEDGER, E_WRITE. */
bool tune_private(struct training *t);
/* ledger.c: what was spent before, to t->account and t->trainings; E_TUNE_LEDGER. */
bool ledger_read(struct training *t);
/* This training, of noise t->noise, behind those that the file holds by now, so none that ended
 * meanwhile is lost: t->account, t->trainings, t->spent; E_TUNE_PRIVATE when all together are
 * past epsilon, E_TUNE_LEDGER, E_WRITE. */
bool ledger_add(struct training *t, double q, double steps);

#endif
