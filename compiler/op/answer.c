/* answer.c - see answer.h. */
#include "op/answer.h"

#include <math.h>

struct answer_rule
answer_rule(const float *outputs, uint32_t images, int64_t n)
{
    struct answer_rule r = {.n = n, .probability = n == 1, .largest = 1e-30};

    for (int64_t k = 0; k < (int64_t)images * n; k++) {
        double v = (double)outputs[k];
        if (isfinite(v) && fabs(v) > r.largest)
            r.largest = fabs(v);
        if (!(v >= 0 && v <= 1))
            r.probability = false;
    }
    return r;
}

int64_t
answer_class(const struct answer_rule *r, const float *output)
{
    int64_t best = 0;

    for (int64_t k = 0; k < r->n; k++) {
        if (!isfinite(output[k]))
            return -1;
        if (output[k] > output[best])
            best = k;
    }
    if (r->n == 1)
        return r->probability ? output[0] >= 0.5F : -1;
    return r->n ? best : -1;
}

bool
answer_agrees(const struct answer_rule *r, const float *a, const float *b)
{
    if (r->n == 1 && !r->probability)
        return isfinite(b[0]) && fabs((double)a[0] - (double)b[0]) <= ANSWER_NEAR * r->largest;
    int64_t class = answer_class(r, b);
    return class >= 0 && class == answer_class(r, a);
}
