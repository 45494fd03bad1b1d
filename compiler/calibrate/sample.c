/* sample.c - see sample.h. */
#include "calibrate/sample.h"

#include <sodium.h>
#include <string.h>

size_t
sample_row_bytes(const struct calibration *c)
{
    size_t width = c->dtype == DT_U8 ? 1 : c->dtype == DT_F32 ? 4 : 8;

    return width * (size_t)shape_size(&c->shape);
}

void
sample_key(const struct calibration *c, const void *row, int64_t label,
           uint8_t key[CALIBRATION_KEY])
{
    crypto_generichash_state state;
    uint8_t lead[9] = {(uint8_t)c->dtype};

    for (int k = 0; k < 8; k++)
        lead[1 + k] = (uint8_t)((uint64_t)label >> 8 * k);
    crypto_generichash_init(&state, NULL, 0, CALIBRATION_KEY);
    crypto_generichash_update(&state, lead, sizeof lead);
    crypto_generichash_update(&state, row, sample_row_bytes(c));
    crypto_generichash_final(&state, key, CALIBRATION_KEY);
}

/* The first place whose key is not below. */
static uint32_t
place_of(const struct calibration *c, const uint8_t *key)
{
    uint32_t lo = 0, hi = c->n_sample;

    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (memcmp(c->sample[middle].key, key, CALIBRATION_KEY) < 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

void
sample_offer(struct calibration *c, const struct calibration_image *image)
{
    uint32_t at = place_of(c, image->key);
    void *row;

    if (at == c->most ||
        (at < c->n_sample && memcmp(c->sample[at].key, image->key, CALIBRATION_KEY) == 0))
        return;
    if (c->n_sample == c->most)
        row = c->sample[--c->n_sample].row;
    else
        row = arena_alloc(c->arena, sample_row_bytes(c));
    memmove(&c->sample[at + 1], &c->sample[at], (c->n_sample - at) * sizeof *c->sample);
    c->n_sample++;
    c->sample[at] = *image;
    c->sample[at].row = row;
    memcpy(row, image->row, sample_row_bytes(c));
}
