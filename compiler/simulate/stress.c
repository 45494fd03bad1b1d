/* stress.c - see stress.h. */
#include "simulate/stress.h"

#include "op/answer.h"
#include "op/interpret.h"
#include "simulate/acts.h"
#include "simulate/noise.h"

#include <math.h>
#include <string.h>

#define BLOCK 256u /* images in work at a time */
/* Wide enough that a tenth of the values is cut off at the ends of the range. */
#define GAUSSIAN_SPREAD 0.3
#define CONTRAST        4.0

/* An image being made: c channels of h rows of w elements. */
struct canvas {
    uint32_t c, h, w;
    const double *low, *high; /* of each channel */
    uint64_t key;             /* of the image: every random number is one of (key, place) */
    const float *data;        /* an image of the data set */
    float *to;
};

/* Share s in [0, 1] of the range of a channel. */
static float
share(const struct canvas *i, uint32_t c, double s)
{
    return (float)(i->low[c] + (i->high[c] - i->low[c]) * s);
}

static double
random_at(const struct canvas *i, uint64_t place)
{
    return noise_uniform(i->key, place);
}

static double
clamp(double x)
{
    return fmin(fmax(x, 0), 1);
}

/* ---- kinds: the share of the range at an element
 * ------------------------------------------------- */

static double
uniform_noise(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    return random_at(i, ((uint64_t)c * i->h + y) * i->w + x);
}

static double
gaussian_noise(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    uint64_t at = 2 * (((uint64_t)c * i->h + y) * i->w + x);
    double r = sqrt(-2 * log(random_at(i, at))), angle = 2 * M_PI * random_at(i, at + 1);

    return clamp(0.5 + GAUSSIAN_SPREAD * r * cos(angle));
}

static double
salt_and_pepper(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    return random_at(i, ((uint64_t)c * i->h + y) * i->w + x) < 0.5 ? 0 : 1;
}

/* The same in all channels; the ends of the range every fourth time each. */
static double
constant(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    double s = random_at(i, 0);

    (void)c, (void)y, (void)x;
    return clamp(2 * s - 0.5);
}

static double
flat_colour(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    (void)y, (void)x;
    return random_at(i, c);
}

/* Each channel at one of its ends. */
static double
saturated(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    (void)y, (void)x;
    return random_at(i, c) < 0.5 ? 0 : 1;
}

/* Squares of 1 to 8 elements, from end to end of the range. */
static double
checkerboard(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    uint32_t side = 1u << (uint32_t)(3.999 * random_at(i, 0));

    (void)c;
    return (x / side + y / side + (random_at(i, 1) < 0.5)) % 2 ? 1 : 0;
}

/* From one end to the other along a random direction. */
static double
gradient(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    double angle = 2 * M_PI * random_at(i, 0);
    double u = i->w > 1 ? (double)x / (i->w - 1) - 0.5 : 0;
    double v = i->h > 1 ? (double)y / (i->h - 1) - 0.5 : 0;

    (void)c;
    return clamp(0.5 + u * cos(angle) + v * sin(angle));
}

static double
of_data(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    double width = i->high[c] - i->low[c];
    float v = i->data[((uint64_t)c * i->h + y) * i->w + x];

    return width > 0 ? ((double)v - i->low[c]) / width : 0;
}

static double
negative(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    return clamp(1 - of_data(i, c, y, x));
}

static double
high_contrast(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x)
{
    return clamp(0.5 + CONTRAST * (of_data(i, c, y, x) - 0.5));
}

static const struct {
    const char *name;
    double (*at)(const struct canvas *i, uint32_t c, uint32_t y, uint32_t x);
} kinds[STRESS_KINDS] = {
    {"uniform noise", uniform_noise},     {"Gaussian noise", gaussian_noise},
    {"salt and pepper", salt_and_pepper}, {"constant", constant},
    {"flat colour", flat_colour},         {"saturated", saturated},
    {"checkerboard", checkerboard},       {"gradient", gradient},
    {"negative of an image", negative},   {"high contrast", high_contrast},
};

/* ---- range and images
 * ------------------------------------------------------------------------------- */

/* Channels and the elements of one. */
static uint32_t
channels_of(const struct shape *s, uint32_t *h, uint32_t *w)
{
    bool image = s->rank == 4;

    *h = image ? (uint32_t)s->dim[2] : 1;
    *w = image ? (uint32_t)s->dim[3] : 1;
    return image ? (uint32_t)s->dim[1] : (uint32_t)shape_size(s);
}

struct stress_range
stress_range_of(struct arena *a, const struct graph *g, const float *data, uint32_t n)
{
    const struct pixels *p = &g->inputs.at[0].pixels;
    uint32_t h, w;
    struct stress_range r = {
        .channels = channels_of(&graph_value(g, g->inputs.at[0].value)->shape, &h, &w)};
    size_t inner = (size_t)h * w;

    r.low = ARENA_ARRAY(a, double, r.channels + 1);
    r.high = ARENA_ARRAY(a, double, r.channels + 1);
    for (uint32_t c = 0; c < r.channels; c++) {
        uint32_t own = p->channels == r.channels ? c : 0;
        r.low[c] = p->present ? -p->mean[own] / p->std[own] : INFINITY;
        r.high[c] = p->present ? (255 / p->divisor - p->mean[own]) / p->std[own] : -INFINITY;
        for (size_t k = 0; !p->present && k < n * inner; k++) {
            double v = (double)data[(k / inner * r.channels + c) * inner + k % inner];
            r.low[c] = fmin(r.low[c], v);
            r.high[c] = fmax(r.high[c], v);
        }
    }
    return r;
}

void
stress_image(const struct graph *g, const struct stress_options *s, uint32_t image, float *to)
{
    const struct shape *shape = &graph_value(g, g->inputs.at[0].value)->shape;
    struct canvas i = {.low = s->range.low, .high = s->range.high, .to = to};
    size_t size = (size_t)shape_size(shape), e = 0;

    i.c = channels_of(shape, &i.h, &i.w);
    i.key = noise_key(s->seed, image);
    i.data = s->data + size * (image / STRESS_KINDS % s->n_data);
    for (uint32_t c = 0; c < i.c; c++)
        for (uint32_t y = 0; y < i.h; y++)
            for (uint32_t x = 0; x < i.w; x++)
                to[e++] = share(&i, c, kinds[image % STRESS_KINDS].at(&i, c, y, x));
}

/* ---- counting
 * --------------------------------------------------------------------------------------- */

struct seen {
    struct acts acts;
    bool outside[BLOCK];
};

static void
see(void *user, uint32_t image, uint32_t watched, const float *data)
{
    struct seen *s = user;

    if (!s->outside[image])
        s->outside[image] = acts_leaves_range(&s->acts, watched, data);
}

static void
count(struct stress_kind *k, bool outside, bool away, bool agree)
{
    k->images++;
    k->diverged += outside || away;
    k->ran_away += away;
    k->agree += agree;
}

/* Images [base, base + n). */
static bool
stress_block(const struct simulate_options *o, const struct stress_options *s, struct seen *seen,
             uint32_t base, uint32_t n, struct stress_report *r, struct diag *d)
{
    struct graph *g = o->approximated;
    size_t in = (size_t)shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    size_t out = (size_t)shape_size(&graph_value(g, g->outputs.at[0])->shape);
    struct arena *a = arena_new();
    float *images = ARENA_ARRAY(a, float, n *in + 1);
    float *exact = ARENA_ARRAY(a, float, n *out + 1), *ours = ARENA_ARRAY(a, float, n *out + 1);
    struct interpret_options clean = {.threads = o->threads};
    struct interpret_options poly = {.poly = true,
                                     .threads = o->threads,
                                     .user = seen,
                                     .see = see,
                                     .watch = seen->acts.watch + seen->acts.n,
                                     .n_watch = seen->acts.n};

    for (uint32_t k = 0; k < n; k++)
        stress_image(g, s, base + k, images + k * in);
    memset(seen->outside, 0, sizeof seen->outside);
    bool ok = interpret_many(g, &clean, images, n, exact, d) &&
              interpret_many(g, &poly, images, n, ours, d);
    struct answer_rule rule = answer_rule(exact, n, (int64_t)out);
    rule.largest = s->largest;
    for (uint32_t k = 0; ok && k < n; k++) {
        bool away = acts_runs_away(ours + k * out, (int64_t)out, s->largest);
        bool agree = answer_agrees(&rule, exact + k * out, ours + k * out);
        count(&r->kind[(base + k) % STRESS_KINDS], seen->outside[k], away, agree);
        count(&r->all, seen->outside[k], away, agree);
    }
    arena_free(a);
    return ok;
}

bool
simulate_stress(const struct simulate_options *o, const struct stress_options *s,
                struct stress_report *r, struct diag *d)
{
    struct arena *a = arena_new();
    struct seen *seen = ARENA_NEW(a, struct seen);
    bool ok = true;

    *r = (struct stress_report){.all.name = "all"};
    for (uint32_t k = 0; k < STRESS_KINDS; k++)
        r->kind[k].name = kinds[k].name;
    seen->acts = acts_find(a, o->approximated);
    for (uint32_t base = 0; ok && base < s->images; base += BLOCK) {
        uint32_t n = s->images - base < BLOCK ? s->images - base : BLOCK;
        ok = stress_block(o, s, seen, base, n, r, d);
        if (o->progress)
            o->progress(o->user, "stressing", base + n, s->images);
    }
    arena_free(a);
    return ok;
}
