/* data_number.h - elements of arrays as files hold them: any width, either byte order. */
#ifndef OLAC_IMPORT_DATA_NUMBER_H
#define OLAC_IMPORT_DATA_NUMBER_H

#include "ir/tensor.h"

/* Elements of a shape; -1 when they are too many (see shape_size), and also for an empty shape
 * whose other dimensions alone would be: nobody needs one, and strides of it overflow. */
int64_t number_count(const struct shape *s);
/* Bytes of one element in a file; 0 for DT_NONE and DT_STRING. */
size_t number_width(enum dtype t);
/* IEEE binary16 and bfloat16 to float; exact. */
float number_from_half(uint16_t h);
float number_from_bfloat(uint16_t h);
/* Decodes n elements of out->dtype from n * number_width() bytes into out->f or out->i, which hold
 * n. Booleans become 0 or 1. False, with *at set, for an unsigned integer above 2^63 - 1. */
bool number_load(struct tensor *out, size_t n, const uint8_t *raw, bool big_endian, size_t *at);

#endif
