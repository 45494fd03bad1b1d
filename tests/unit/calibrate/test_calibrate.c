/* test_calibrate.c - histograms against what the interpreter shows, and parts that merge to the
 * whole. */
#include "calibrate/made.h"

static bool
equal(const struct calibration *p, const struct calibration *q)
{
    bool same = p->images == q->images && p->n_sample == q->n_sample && p->n == q->n;

    for (uint32_t k = 0; same && k < p->n_sample; k++)
        same = memcmp(p->sample[k].key, q->sample[k].key, CALIBRATION_KEY) == 0 &&
               p->sample[k].label == q->sample[k].label &&
               memcmp(p->sample[k].row, q->sample[k].row, 32 * sizeof(float)) == 0;
    for (uint32_t k = 0; same && k < p->n; k++)
        for (uint32_t c = 0; same && c < p->layers[k].channels; c++) {
            struct histogram *x = &p->layers[k].channel[c], *y = &q->layers[k].channel[c];
            same = x->lo == y->lo && x->hi == y->hi && x->zeros == y->zeros && x->n == y->n &&
                   histogram_mean(x) == histogram_mean(y) &&
                   histogram_deviation(x) == histogram_deviation(y);
        }
    return same;
}

Test(calibrate, counts_what_activations_are_fed)
{
    struct net t = made();
    struct calibration *c = part(&t, 0, 1);

    cr_assert_eq(c->n, 2);
    cr_assert_eq(c->channels, 4);
    cr_assert_str_eq(c->layers[1].name, "tanh");
    for (uint32_t channel = 0; channel < 2; channel++) {
        struct histogram h[2] = {0};
        for (uint32_t k = 0; k < t.n; k++)
            for (int e = 0; e < 16; e++) {
                float x = t.images[k * 32 + channel * 16 + (uint32_t)e], y = x > 0 ? x : 0;
                cr_assert(histogram_add(t.a, &h[0], &x, 1) && histogram_add(t.a, &h[1], &y, 1));
            }
        for (int layer = 0; layer < 2; layer++) {
            const struct histogram *seen = &c->layers[layer].channel[channel];
            cr_assert_eq(histogram_count(seen), t.n * 16);
            cr_assert(seen->lo == h[layer].lo && seen->hi == h[layer].hi);
            cr_assert_eq(seen->zeros, h[layer].zeros);
            cr_assert_eq(histogram_mean(seen), histogram_mean(&h[layer]));
        }
    }
    net_free(&t);
}

Test(calibrate, parts_merge_to_the_whole_in_any_order)
{
    static const uint32_t orders[][3] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
    struct net t = made();
    const struct calibration *whole = part(&t, 0, 1);

    cr_assert_eq(whole->n_sample, SAMPLE);
    for (int k = 0; k < 3; k++) {
        struct calibration *c = part(&t, orders[k][0], 3);
        cr_assert(calibration_merge(c, part(&t, orders[k][1], 3), "b", t.d), "%s", net_errors(&t));
        cr_assert_not(equal(c, whole));
        cr_assert(calibration_merge(c, part(&t, orders[k][2], 3), "c", t.d), "%s", net_errors(&t));
        cr_assert(equal(c, whole));
    }
    net_free(&t);
}

Test(calibrate, an_image_is_in_the_sample_once)
{
    struct net t = made();

    for (int k = 1; k < IMAGES; k++)
        memcpy(t.images + k * 32, t.images, 32 * sizeof *t.images);
    const struct calibration *c = part(&t, 0, 1);
    cr_assert_eq(c->n_sample, 3); /* of three labels */
    cr_assert_eq(c->images, IMAGES);
    cr_assert_eq(histogram_count(&c->layers[0].channel[0]), IMAGES * 16);
    net_free(&t);
}

Test(calibrate, what_is_not_finite_is_named)
{
    struct net t = made();
    struct calibration *c = empty(&t);
    struct calibration_chunk chunk = {1, t.images, NULL, t.images};

    t.images[20] = INFINITY;
    cr_assert_not(calibration_add(c, t.g, &chunk, t.d));
    cr_assert_eq(diag_at(t.d, 0)->code, E_APPROX_VALUES);
    cr_assert_str_eq(diag_at(t.d, 0)->place.node, "relu");
    net_free(&t);
}

Test(calibrate, other_kinds_do_not_merge)
{
    for (int what = 0; what < 6; what++) {
        struct net t = made();
        struct calibration *c = part(&t, 0, 2), *other = part(&t, 1, 2);
        switch (what) {
        case 0:
            other->model[3] ^= 1;
            break;
        case 1:
            other->dtype = DT_U8;
            break;
        case 2:
            other->shape = shape_of(1, (int64_t[]){32});
            break;
        case 3:
            other->pixels.present = true;
            break;
        case 4:
            other->most++;
            break;
        case 5:
            other->labels = false;
            break;
        }
        cr_assert_not(calibration_merge(c, other, "other", t.d), "change %d", what);
        cr_assert_eq(diag_at(t.d, 0)->code, E_CALIB_MERGE);
        net_free(&t);
    }
}
