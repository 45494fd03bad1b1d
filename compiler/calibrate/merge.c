/* merge.c - two calibrations as one. */
#include "calibrate/calibrate.h"
#include "calibrate/sample.h"

#include <string.h>

static bool
same_pixels(const struct pixels *p, const struct pixels *q)
{
    if (p->present != q->present)
        return false;
    if (!p->present)
        return true;
    bool same = p->divisor == q->divisor && p->channels == q->channels;
    for (uint32_t k = 0; same && k < p->channels; k++)
        same = p->mean[k] == q->mean[k] && p->std[k] == q->std[k];
    return same;
}

static bool
same_layers(const struct calibration *to, const struct calibration *from)
{
    bool same = to->n == from->n;

    for (uint32_t k = 0; same && k < to->n; k++)
        same = to->layers[k].node == from->layers[k].node &&
               to->layers[k].channels == from->layers[k].channels &&
               strcmp(to->layers[k].name, from->layers[k].name) == 0;
    return same;
}

/* What is different in kind; NULL: nothing. */
static const char *
difference(const struct calibration *to, const struct calibration *from)
{
    if (memcmp(to->model, from->model, sizeof to->model) != 0 || !same_layers(to, from))
        return "it is of another model";
    if (to->dtype != from->dtype || !shape_equal(&to->shape, &from->shape))
        return "its images have another format";
    if (!same_pixels(&to->pixels, &from->pixels))
        return "it was made with another --mean or --std";
    if (to->most != from->most)
        return "it was made with another --sample";
    if (to->labels != from->labels)
        return to->labels ? "it has no labels, others have" : "it has labels, others have none";
    return NULL;
}

/* Every histogram holds so few values that both together stay within what can be counted. */
static bool
countable(const struct calibration *to, const struct calibration *from)
{
    for (uint32_t k = 0; k < to->n; k++)
        for (uint32_t i = 0; i < to->layers[k].channels; i++)
            if (histogram_count(&to->layers[k].channel[i]) +
                    histogram_count(&from->layers[k].channel[i]) >
                HISTOGRAM_MOST)
                return false;
    return true;
}

/* Impacts of the first images, or of none: a file has them or has not. */
static void
count_weighed(struct calibration *c)
{
    uint32_t most = c->n_sample < CALIBRATION_WEIGHED ? c->n_sample : CALIBRATION_WEIGHED;

    c->weighed = 0;
    while (c->weighed < most && c->sample[c->weighed].impact)
        c->weighed++;
    if (c->weighed < most)
        c->weighed = 0;
    for (uint32_t k = c->weighed; k < c->n_sample; k++)
        c->sample[k].impact = NULL;
}

bool
calibration_merge(struct calibration *to, const struct calibration *from, const char *file,
                  struct diag *d)
{
    const char *why = difference(to, from);

    if (!why && !countable(to, from))
        why = "together they have more values than can be counted";
    if (why) {
        diag_error(d, E_CALIB_MERGE, PLACE_FILE(file), "cannot be merged with the others: %s", why);
        return false;
    }
    for (uint32_t k = 0; k < to->n; k++)
        for (uint32_t i = 0; i < to->layers[k].channels; i++)
            histogram_merge(to->arena, &to->layers[k].channel[i], &from->layers[k].channel[i]);
    for (uint32_t k = 0; k < from->n_sample; k++)
        sample_offer(to, &from->sample[k]);
    to->images += from->images;
    count_weighed(to);
    return true;
}
