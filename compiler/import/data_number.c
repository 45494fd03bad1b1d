/* data_number.c - decoding of numbers from bytes, independent of the machine's own byte order. */
#include "import/data_number.h"

#include <string.h>

int64_t
number_count(const struct shape *s)
{
    struct shape full = *s;
    for (int k = 0; k < full.rank; k++)
        if (full.dim[k] == 0)
            full.dim[k] = 1;
    return shape_size(&full) < 0 ? -1 : shape_size(s);
}

size_t
number_width(enum dtype t)
{
    switch (t) {
    case DT_I8:
    case DT_U8:
    case DT_BOOL:
        return 1;
    case DT_F16:
    case DT_BF16:
    case DT_I16:
    case DT_U16:
        return 2;
    case DT_F32:
    case DT_I32:
    case DT_U32:
        return 4;
    case DT_F64:
    case DT_I64:
    case DT_U64:
        return 8;
    case DT_NONE:
    case DT_STRING:
        break;
    }
    return 0;
}

static float
float_of_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

float
number_from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff;

    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) { /* zero and subnormals: fraction * 2^-24 */
        float f = (float)fraction * 0x1p-24f;
        return sign ? -f : f;
    }
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

float
number_from_bfloat(uint16_t h)
{
    return float_of_bits((uint32_t)h << 16);
}

static uint64_t
load(const uint8_t *p, size_t width, bool big)
{
    uint64_t v = 0;
    for (size_t k = 0; k < width; k++)
        v |= (uint64_t)p[big ? width - 1 - k : k] << 8 * k;
    return v;
}

static float
load_float(enum dtype t, uint64_t bits)
{
    double d;
    switch (t) {
    case DT_F16:
        return number_from_half((uint16_t)bits);
    case DT_BF16:
        return number_from_bfloat((uint16_t)bits);
    case DT_F32:
        return float_of_bits((uint32_t)bits);
    default:
        memcpy(&d, &bits, sizeof d);
        return (float)d;
    }
}

static int64_t
load_integer(enum dtype t, uint64_t bits)
{
    switch (t) {
    case DT_I8:
        return (int8_t)bits;
    case DT_I16:
        return (int16_t)bits;
    case DT_I32:
        return (int32_t)bits;
    case DT_BOOL:
        return bits != 0;
    default:
        return (int64_t)bits;
    }
}

bool
number_load(struct tensor *out, size_t n, const uint8_t *raw, bool big_endian, size_t *at)
{
    enum dtype t = out->dtype;
    size_t width = number_width(t);

    if (t == DT_F32 && !big_endian) { /* the common case, in a loop that vectorises */
        for (size_t k = 0; k < n; k++)
            out->f[k] = float_of_bits((uint32_t)load(raw + 4 * k, 4, false));
        return true;
    }
    for (size_t k = 0; k < n; k++) {
        uint64_t bits = load(raw + width * k, width, big_endian);
        if (t == DT_U64 && bits > INT64_MAX) {
            *at = k;
            return false;
        }
        if (dtype_is_float(t))
            out->f[k] = load_float(t, bits);
        else
            out->i[k] = load_integer(t, bits);
    }
    return true;
}
