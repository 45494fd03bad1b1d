/* interpolate.c - see interpolate.h. Coordinates follow the ONNX specification of Resize. */
#include "op/interpolate.h"

#include "op/window.h"

#include <math.h>

/* For each output position of one axis, n input positions with weights. */
struct taps {
    int n;
    int64_t *from;
    double *weight;
    bool *outside; /* of the crop */
};

/* Where output position x of the axis lies in the input. */
static double
coordinate(const struct interpolate *p, int k, int rank, int64_t x, int64_t in, int64_t out)
{
    float at = (float)x, scale = p->scale[k], start = p->crop[k], end = p->crop[rank + k];

    switch (p->place) {
    case COORD_ASYMMETRIC:
        return (double)(at / scale);
    case COORD_HALF_PIXEL:
        return (double)((at + 0.5f) / scale - 0.5f);
    case COORD_PYTORCH_HALF_PIXEL:
        return out > 1 ? (double)((at + 0.5f) / scale - 0.5f) : 0;
    case COORD_ALIGN_CORNERS:
        return out > 1 ? (double)(at * (float)(in - 1) / (float)(out - 1)) : 0;
    case COORD_TF_NEAREST:
        return (double)((at + 0.5f) / scale);
    case COORD_CROP:
        break;
    }
    if (out > 1)
        return (double)(start * (float)(in - 1) +
                        at * (end - start) * (float)(in - 1) / (float)(out - 1));
    return 0.5 * (double)((start + end) * (float)(in - 1));
}

static int64_t
nearest(enum interpolate_round round, double x)
{
    switch (round) {
    case ROUND_PREFER_FLOOR:
        return (int64_t)ceil(x - 0.5);
    case ROUND_PREFER_CEIL:
        return (int64_t)floor(x + 0.5);
    case ROUND_FLOOR:
        return (int64_t)floor(x);
    case ROUND_CEIL:
        break;
    }
    return (int64_t)ceil(x);
}

/* The cubic convolution kernel of Keys (IEEE ASSP-29, 1981) at distance d >= 0. */
static double
keys(double a, double d)
{
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static int64_t
clamp(int64_t at, int64_t len)
{
    return at < 0 ? 0 : at >= len ? len - 1 : at;
}

/* Weights of output position o at coordinate x. */
static void
weigh(const struct interpolate *p, struct taps *t, int64_t o, double x, int64_t in)
{
    int64_t base = (int64_t)floor(x), *from = t->from + o * t->n;
    double r = x - floor(x), *weight = t->weight + o * t->n, sum = 0;

    if (p->mode == MODE_NEAREST) {
        from[0] = clamp(nearest(p->round, x), in);
        weight[0] = 1;
        return;
    }
    for (int k = 0; k < t->n; k++) {
        int64_t at = base + k - (t->n == 4 ? 1 : 0);
        double distance = fabs(r + (double)(base - at));
        weight[k] = t->n == 4 ? keys(p->cubic, distance) : 1 - distance;
        if (p->exclude_outside && (at < 0 || at >= in))
            weight[k] = 0;
        sum += weight[k];
        from[k] = clamp(at, in);
    }
    for (int k = 0; p->exclude_outside && sum != 0 && k < t->n; k++)
        weight[k] /= sum;
}

static struct taps
axis_taps(struct arena *a, const struct interpolate *p, int k, const struct shape *in,
          const struct shape *out)
{
    int64_t len = out->dim[k];
    bool still =
        p->place != COORD_CROP && in->dim[k] == len && fabs((double)p->scale[k] - 1) < 1e-6;
    struct taps t = {.n = still || p->mode == MODE_NEAREST ? 1 : p->mode == MODE_LINEAR ? 2 : 4};

    t.from = ARENA_ARRAY(a, int64_t, (size_t)(len * t.n));
    t.weight = ARENA_ARRAY(a, double, (size_t)(len * t.n));
    t.outside = ARENA_ARRAY(a, bool, (size_t)len);
    for (int64_t o = 0; o < len; o++) {
        if (still) {
            t.from[o] = o;
            t.weight[o] = 1;
            continue;
        }
        double x = coordinate(p, k, in->rank, o, in->dim[k], len);
        t.outside[o] = p->place == COORD_CROP && (x < 0 || x > (double)(in->dim[k] - 1));
        if (!t.outside[o])
            weigh(p, &t, o, x, in->dim[k]);
    }
    return t;
}

/* Calls entry for each input element of each output in order, or fill where it is outside. */
struct visitor {
    void *user;
    void (*entry)(void *user, int64_t o, int64_t i, double weight);
    void (*fill)(void *user, int64_t o, double value);
};

static void
visit(struct arena *a, const struct interpolate *p, const struct shape *in, const struct shape *out,
      const struct visitor *v)
{
    struct taps t[MAX_RANK];
    int64_t index[MAX_RANK] = {0}, count[MAX_RANK] = {0}, n = shape_size(out);

    for (int k = 0; n && k < in->rank; k++) {
        t[k] = axis_taps(a, p, k, in, out);
        count[k] = t[k].n;
    }
    for (int64_t o = 0; o < n; o++) {
        int64_t tap[MAX_RANK] = {0};
        bool outside = false;
        for (int k = 0; k < in->rank; k++)
            outside |= t[k].outside[index[k]];
        if (outside)
            v->fill(v->user, o, p->extrapolation);
        else
            do {
                int64_t i = 0;
                double weight = 1;
                for (int k = 0; k < in->rank; k++) {
                    int64_t at = index[k] * t[k].n + tap[k];
                    i = i * in->dim[k] + t[k].from[at];
                    weight *= t[k].weight[at];
                }
                if (weight != 0)
                    v->entry(v->user, o, i, weight);
            } while (odometer(tap, count, in->rank));
        odometer(index, out->dim, in->rank);
    }
}

/* The sum of the output element at hand. */
struct eval {
    const struct tensor *x;
    struct tensor *y;
    int64_t at;
    double sum;
};

static void
eval_move_to(struct eval *e, int64_t o)
{
    if (o == e->at)
        return;
    if (e->y->f)
        e->y->f[e->at] = (float)e->sum;
    else
        e->y->i[e->at] = op_wrap(e->y->dtype, (int64_t)e->sum);
    e->at = o;
    e->sum = 0;
}

static void
eval_entry(void *user, int64_t o, int64_t i, double weight)
{
    struct eval *e = user;
    eval_move_to(e, o);
    e->sum += weight * (e->x->f ? (double)e->x->f[i] : (double)e->x->i[i]);
}

static void
eval_fill(void *user, int64_t o, double value)
{
    struct eval *e = user;
    eval_move_to(e, o);
    e->sum = value;
}

bool
interpolate_eval(struct op_ctx *c, const struct interpolate *p, const struct tensor *x,
                 struct tensor *out)
{
    const struct shape *shape = &op_out(c, 0)->shape;
    struct eval e = {.x = x, .y = out};
    struct visitor v = {&e, eval_entry, eval_fill};

    *out = tensor_new(c->arena, x->dtype, *shape);
    if (shape_size(shape) == 0)
        return true;
    visit(c->arena, p, &x->shape, shape, &v);
    eval_move_to(&e, shape_size(shape));
    return true;
}

static void
linear_entry(void *user, int64_t o, int64_t i, double weight)
{
    const struct linear_sink *sink = user;
    sink->entry(sink->user, 0, (uint32_t)o, (uint32_t)i, weight);
}

static void
linear_fill(void *user, int64_t o, double value)
{
    const struct linear_sink *sink = user;
    if (value != 0)
        sink->bias(sink->user, (uint32_t)o, value);
}

bool
interpolate_linear(struct op_ctx *c, const struct interpolate *p, const struct linear_sink *sink)
{
    struct linear_sink copy = *sink;
    struct visitor v = {&copy, linear_entry, linear_fill};

    visit(c->arena, p, &op_in(c, 0)->shape, &op_out(c, 0)->shape, &v);
    return true;
}

bool
interpolate_scales(struct op_ctx *c, struct interpolate *p, const float *scales, uint32_t n,
                   struct shape *out)
{
    const struct shape *x = &op_in(c, 0)->shape;

    if (n != (uint32_t)x->rank)
        return op_error(c, E_SHAPE, "has %u scales for an input of %s", n, shape_text(c->arena, x));
    *out = *x;
    for (int k = 0; k < x->rank; k++) {
        if (!(scales[k] > 0) || scales[k] > 1e6f)
            return op_error(c, E_ATTRIBUTE, "the scale of axis %d is %g", k, (double)scales[k]);
        p->scale[k] = scales[k];
        float len = (float)x->dim[k] * scales[k];
        bool crop = p->place == COORD_CROP;
        if (crop)
            len *= p->crop[x->rank + k] - p->crop[k];
        if (!(len >= 0) || len > (float)INTERPOLATE_MAX)
            return op_error(c, E_TENSOR_SIZE, "axis %d would have the size %g", k, (double)len);
        out->dim[k] = (int64_t)floorf(len);
        if (p->place == COORD_ALIGN_CORNERS && scales[k] != 1 && (float)out->dim[k] != len)
            return op_error(
                c, E_OP_FORM,
                "with align_corners, scale %g of axis %d of %s must give a whole "
                "size (frameworks and the ONNX reference differ here); give 'sizes' instead",
                (double)scales[k], k, shape_text(c->arena, x));
    }
    return true;
}
