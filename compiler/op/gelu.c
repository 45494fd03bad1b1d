/* gelu.c - Gelu: x Phi(x), Phi the normal distribution; approximate = "tanh" is its usual
 * stand-in 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), as ONNX defines both. */
#include "op/op.h"

#include <math.h>
#include <string.h>

static const double ROOT_2 = 1.41421356237309504880;         /* sqrt(2) */
static const double ROOT_2_OVER_PI = 0.79788456080286535588; /* sqrt(2 / pi) */
static const double CUBIC = 0.044715;

static bool
by_tanh(const struct op_ctx *c)
{
    return strcmp(op_string(c, "approximate", "none"), "tanh") == 0;
}

static bool
infer(struct op_ctx *c)
{
    const char *form = op_string(c, "approximate", "none");

    if (strcmp(form, "none") != 0 && strcmp(form, "tanh") != 0)
        return op_error(c, E_ATTRIBUTE, "approximate = \"%s\": neither none nor tanh", form);
    return op_infer_same(c);
}

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    if (by_tanh(c))
        return 0.5 * x * (1 + tanh(ROOT_2_OVER_PI * (x + CUBIC * x * x * x)));
    return 0.5 * x * (1 + erf(x / ROOT_2));
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    if (by_tanh(c)) {
        double t = tanh(ROOT_2_OVER_PI * (x + CUBIC * x * x * x));
        double inner = ROOT_2_OVER_PI * (1 + 3 * CUBIC * x * x);
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner;
    }
    return 0.5 * (1 + erf(x / ROOT_2)) + x * exp(-x * x / 2) * ROOT_2_OVER_PI / 2;
}

const struct op op_gelu = {
    .attrs = "approximate", .infer = infer, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
