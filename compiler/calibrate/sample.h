/* sample.h - the images with the least keys. */
#ifndef OLAC_CALIBRATE_SAMPLE_H
#define OLAC_CALIBRATE_SAMPLE_H

#include "calibrate/calibrate.h"

/* Bytes of a stored image. */
size_t sample_row_bytes(const struct calibration *c);
/* BLAKE2b of label and elements. */
void sample_key(const struct calibration *c, const void *row, int64_t label,
                uint8_t key[CALIBRATION_KEY]);
/* Takes the image into the sample when its key is among the least and not there yet; the row is
 * copied. */
void sample_offer(struct calibration *c, const struct calibration_image *image);

#endif
