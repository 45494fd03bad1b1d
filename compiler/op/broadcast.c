/* broadcast.c - see broadcast.h. */
#include "op/broadcast.h"

bool
walk_start(struct walk *w, const struct shape *out, const struct shape *const *in, uint32_t n)
{
    *w = (struct walk){.n = n, .shape = *out, .len = 1};
    if (shape_size(out) <= 0)
        return false;
    if (out->rank == 0)
        return true;
    w->len = out->dim[out->rank - 1];
    for (uint32_t k = 0; k < n; k++) {
        shape_strides(in[k], out, w->stride[k]);
        w->step[k] = w->stride[k][out->rank - 1];
    }
    return true;
}

bool
walk_next(struct walk *w)
{
    w->row += w->len;
    for (int d = w->shape.rank - 2; d >= 0; d--) {
        for (uint32_t k = 0; k < w->n; k++)
            w->at[k] += w->stride[k][d];
        if (++w->index[d] < w->shape.dim[d])
            return true;
        for (uint32_t k = 0; k < w->n; k++)
            w->at[k] -= w->stride[k][d] * w->shape.dim[d];
        w->index[d] = 0;
    }
    return false;
}
