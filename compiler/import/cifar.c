/* cifar.c - CIFAR-10's binary batches: records of a label byte and three planes of 32 x 32 bytes.
 */
#include "import/data_format.h"

#include <string.h>

#define IMAGE   3072
#define RECORD  CIFAR_RECORD
#define CLASSES 10

bool
cifar_fits(const uint8_t *b, size_t size)
{
    if (size == 0 || size % RECORD)
        return false;
    for (size_t k = 0; k < size; k += RECORD)
        if (b[k] >= CLASSES)
            return false;
    return true;
}

bool
cifar_parse(struct arena *a, const char *file, const uint8_t *b, size_t size, struct data *out,
            struct diag *d)
{
    size_t n = size / RECORD;
    uint8_t *images = arena_array(a, n, IMAGE);
    int64_t *labels = ARENA_ARRAY(a, int64_t, n);

    for (size_t k = 0; k < n; k++) {
        const uint8_t *record = b + k * RECORD;
        if (record[0] >= CLASSES) {
            diag_error(d, E_DATA_FORMAT, PLACE_FILE(file),
                       "not a CIFAR-10 batch: record %zu has the label %d, above 9", k, record[0]);
            return false;
        }
        labels[k] = record[0];
        memcpy(images + k * IMAGE, record + 1, IMAGE);
    }
    out->dtype = DT_U8;
    out->shape = shape_of(4, (const int64_t[]){(int64_t)n, 3, 32, 32});
    out->u8 = images;
    out->labels = labels;
    return true;
}
