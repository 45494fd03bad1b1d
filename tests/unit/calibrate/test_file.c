/* test_file.c - calibration files: what is written is read, parts merge to the bytes of the whole,
 * and no byte is believed. */
#include "calibrate/made.h"

#include <sodium.h>

#define TRAILER 32

static struct str
bytes_of(const struct calibration *c)
{
    struct str s = {0};

    calibration_format(c, &s);
    return s;
}

static struct calibration *
parse(struct net *t, const struct str *s)
{
    return calibration_parse(t->a, "made.cal", (const uint8_t *)s->text, s->len, t->d);
}

/* Impacts made up from the key: the same wherever the image stands. */
static void
weigh(struct net *t, struct calibration *c)
{
    c->weighed = c->n_sample;
    for (uint32_t k = 0; k < c->n_sample; k++) {
        c->sample[k].impact = ARENA_ARRAY(t->a, float, c->channels);
        for (uint64_t i = 0; i < c->channels; i++)
            c->sample[k].impact[i] = (float)c->sample[k].key[i] / 3;
    }
}

static struct calibration *
weighed_part(struct net *t, uint32_t first, uint32_t step)
{
    static double mean[2] = {0.5, 0.25}, std[2] = {2, 4};
    struct calibration *c = part(t, first, step);

    weigh(t, c);
    c->pixels = (struct pixels){true, 255, 2, mean, std};
    return c;
}

Test(calibration_file, comes_back_as_it_was)
{
    struct net t = made();
    struct calibration *c = weighed_part(&t, 0, 1);
    struct str s = bytes_of(c);
    const struct calibration *back = parse(&t, &s);

    cr_assert(back, "%s", net_errors(&t));
    struct str again = bytes_of(back);
    cr_assert(s.len == again.len && memcmp(s.text, again.text, s.len) == 0);
    cr_assert_eq(back->n_sample, SAMPLE);
    cr_assert_eq(back->images, IMAGES);
    cr_assert_eq(back->sample[3].label, c->sample[3].label);
    cr_assert_eq(memcmp(back->sample[3].row, c->sample[3].row, 32 * sizeof(float)), 0);
    cr_assert_eq(back->pixels.std[1], 4);
    cr_assert(calibration_fits(back, t.g, "made.cal", t.d));
    str_free(&s);
    str_free(&again);
    net_free(&t);
}

Test(calibration_file, parts_that_were_read_merge_to_the_bytes_of_the_whole)
{
    static const uint32_t orders[][3] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
    struct net t = made();
    struct str whole = bytes_of(weighed_part(&t, 0, 1));

    for (int k = 0; k < 3; k++) {
        struct calibration *to = NULL;
        for (int i = 0; i < 3; i++) {
            struct str s = bytes_of(weighed_part(&t, orders[k][i], 3));
            struct calibration *c = parse(&t, &s);
            cr_assert(c, "%s", net_errors(&t));
            cr_assert(!to || calibration_merge(to, c, "part", t.d), "%s", net_errors(&t));
            to = to ? to : c;
            str_free(&s);
        }
        struct str s = bytes_of(to);
        cr_assert(s.len == whole.len && memcmp(s.text, whole.text, s.len) == 0, "order %d", k);
        str_free(&s);
    }
    str_free(&whole);
    net_free(&t);
}

Test(calibration_file, of_another_model)
{
    struct net t = made();
    struct calibration *c = part(&t, 0, 1);

    c->model[0] ^= 1;
    cr_assert_not(calibration_fits(c, t.g, "made.cal", t.d));
    cr_assert_eq(diag_at(t.d, 0)->code, E_CALIB_MODEL);
    net_free(&t);
}

Test(calibration_file, cut_anywhere_or_changed_anywhere)
{
    struct net t = made();
    struct str s = bytes_of(weighed_part(&t, 0, 1));

    for (size_t k = 0; k < s.len; k += k < 400 ? 1 : 37) {
        struct diag *d = diag_new();
        const uint8_t *bytes = (const uint8_t *)s.text;
        cr_assert_not(calibration_parse(t.a, "cut", bytes, k, d), "cut at %zu", k);
        cr_assert_eq(diag_at(d, 0)->code, E_CALIB_FILE);
        s.text[k] ^= 4;
        cr_assert_not(calibration_parse(t.a, "changed", bytes, s.len, d), "changed at %zu", k);
        s.text[k] ^= 4;
        diag_free(d);
    }
    str_free(&s);
    net_free(&t);
}

/* Changed, with a checksum that fits: refused, or still a calibration that is written as it was
 * read. */
Test(calibration_file, forged)
{
    struct net t = made();
    struct str s = bytes_of(weighed_part(&t, 0, 1));
    uint8_t *bytes = (uint8_t *)s.text;
    uint32_t refused = 0, taken = 0;

    for (size_t k = 12; k < s.len - TRAILER; k += k < 2000 ? 1 : 11)
        for (int bit = 0; bit < 8; bit += 3) {
            struct arena *a = arena_new();
            struct diag *d = diag_new();
            bytes[k] ^= (uint8_t)(1 << bit);
            crypto_generichash(bytes + s.len - TRAILER, TRAILER, bytes, s.len - TRAILER, NULL, 0);
            const struct calibration *c = calibration_parse(a, "forged", bytes, s.len, d);
            if (c) {
                struct str again = bytes_of(c);
                cr_assert(again.len == s.len && memcmp(again.text, s.text, s.len) == 0,
                          "byte %zu, bit %d", k, bit);
                str_free(&again);
                taken++;
            } else {
                cr_assert_eq(diag_errors(d), 1);
                refused++;
            }
            bytes[k] ^= (uint8_t)(1 << bit);
            diag_free(d);
            arena_free(a);
        }
    cr_assert(refused > 1000 && taken > 100, "%u refused, %u taken", refused, taken);
    str_free(&s);
    net_free(&t);
}
