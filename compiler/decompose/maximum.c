/* maximum.c - the largest of several values, in pairs: max(a, b) = b + relu(a - b), and min(a, b) =
 * b - relu(b - a).
 *
 * A window is a run of taps along each of its axes, and the maximum over it is taken axis by axis.
 * Along an axis all runs of one length come from two runs of half that length, which may overlap:
 * so there is one relu for each doubling, whatever the number of taps, at the resolution of the
 * input. Padding is never the largest: runs are cut at the edges of the input. */
#include "decompose/build.h"
#include "op/window.h"

/* A maximum so far: base + over, base - over for a minimum (over NONE: base). Not added up before
 * it is read, so that each reader's map takes the sum in, at no level of its own. */
struct largest {
    uint32_t base, over;
};

/* Taps start, start + dilation, ... along an axis. */
struct run {
    int64_t start, len;
};

/* The runs at one stage, and the two of the stage before of which each is made. */
struct runs {
    uint32_t n;
    struct run *run;
    int64_t *first, *second;
};

static uint32_t
value_of(struct rewrite *r, const struct largest *m)
{
    bool least = r->at.op == OP_min;

    return m->over == NONE ? m->base
                           : build_binary(r, least ? OP_sub : OP_add, "largest", m->base, m->over);
}

static struct largest
larger(struct rewrite *r, uint32_t a, uint32_t b, uint32_t base)
{
    bool least = r->at.op == OP_min;
    uint32_t ahead = build_binary(r, OP_sub, "ahead", least ? b : a, least ? a : b);

    return (struct largest){base, build_unary(r, OP_relu, "relu", ahead)};
}

/* ---- along an axis --------------------------------------------------------------------------- */

/* Position of a run in the stage's sorted list. */
static int64_t
position(const struct runs *s, struct run run)
{
    for (uint32_t k = 0; k < s->n; k++)
        if (s->run[k].start == run.start && s->run[k].len == run.len)
            return k;
    return 0;
}

/* Adds a run where the list, sorted by start and length, wants it; none twice. */
static void
insert(struct runs *s, struct run run)
{
    uint32_t at = s->n;

    for (uint32_t k = 0; k < s->n; k++)
        if (s->run[k].start == run.start && s->run[k].len == run.len)
            return;
    while (at > 0 && (s->run[at - 1].start > run.start ||
                      (s->run[at - 1].start == run.start && s->run[at - 1].len > run.len))) {
        s->run[at] = s->run[at - 1];
        at--;
    }
    s->run[at] = run;
    s->n++;
}

/* The runs of at most `half` taps of which one is made; the same twice where it is as short itself.
 */
static void
halves(struct run run, int64_t half, int64_t dilation, struct run out[2])
{
    int64_t len = run.len < half ? run.len : half;

    out[0] = (struct run){run.start, len};
    out[1] = (struct run){run.start + (run.len - len) * dilation, len};
}

static struct runs
runs_before(struct arena *a, struct runs *s, int64_t half, int64_t dilation)
{
    struct runs before = {.run = ARENA_ARRAY(a, struct run, 2 * (size_t)s->n + 1)};
    struct run part[2];

    s->first = ARENA_ARRAY(a, int64_t, s->n + 1);
    s->second = ARENA_ARRAY(a, int64_t, s->n + 1);
    for (uint32_t k = 0; k < s->n; k++) {
        halves(s->run[k], half, dilation, part);
        insert(&before, part[0]);
        insert(&before, part[1]);
    }
    for (uint32_t k = 0; k < s->n; k++) {
        halves(s->run[k], half, dilation, part);
        /* runs of one tap are the elements of the axis themselves */
        s->first[k] = half == 1 ? part[0].start : position(&before, part[0]);
        s->second[k] = half == 1 ? part[1].start : position(&before, part[1]);
    }
    return before;
}

/* The maximum of each run of an axis. */
static void
along(struct rewrite *r, struct largest *m, int axis, struct runs final, int64_t dilation)
{
    struct arena *scratch = arena_new();
    struct runs stages[64];
    uint32_t n = 0;
    int64_t len = 1;

    for (uint32_t k = 0; k < final.n; k++)
        len = final.run[k].len > len ? final.run[k].len : len;
    stages[n++] = final;
    for (int64_t half = len; half > 1; n++) {
        half = (half + 1) / 2;
        stages[n] = runs_before(scratch, &stages[n - 1], half, dilation);
    }
    while (n-- > 1) { /* the last one is the axis itself */
        const struct runs *s = &stages[n - 1];
        uint32_t a = build_gather(r, "first", value_of(r, m), axis, s->first, s->n);
        uint32_t b = build_gather(r, "second", value_of(r, m), axis, s->second, s->n);
        uint32_t base = build_gather(r, "second", value_of(r, m), axis, s->second, s->n);
        *m = larger(r, a, b, base);
    }
    if (len == 1) { /* windows of one tap: a choice of elements */
        int64_t *index = ARENA_ARRAY(scratch, int64_t, final.n + 1);
        for (uint32_t k = 0; k < final.n; k++)
            index[k] = final.run[k].start;
        m->base = build_gather(r, "tap", value_of(r, m), axis, index, final.n);
        m->over = NONE;
    }
    arena_free(scratch);
}

/* The maximum over a whole axis, which stays as a dimension of 1. */
static void
along_all(struct rewrite *r, struct largest *m, int axis, int64_t len)
{
    struct run all = {0, len};

    along(r, m, axis, (struct runs){.n = 1, .run = &all}, 1);
}

/* ---- windows ------------------------------------------------------------------ */

/* The runs of a window's dimension, one an output, without the taps that fall on padding. False
 * when no tap is left. */
static bool
window_runs(struct arena *a, const struct window *w, int d, struct runs *s)
{
    int64_t step = w->dilation[d];

    *s = (struct runs){.run = ARENA_ARRAY(a, struct run, (size_t)w->out[d] + 1)};
    for (int64_t at = 0; at < w->out[d]; at++) {
        int64_t start = at * w->stride[d] - w->pad[d], last = w->in[d] - 1 - start;
        int64_t lo = start < 0 ? (-start + step - 1) / step : 0;
        int64_t hi = last < 0 ? -1 : last / step;
        hi = hi >= w->kernel[d] ? w->kernel[d] - 1 : hi;
        if (hi < lo)
            return false;
        s->run[s->n++] = (struct run){start + lo * step, hi - lo + 1};
    }
    return true;
}

uint32_t
rewrite_maxpool(struct rewrite *r)
{
    struct arena *scratch = arena_new();
    struct diag *quiet = diag_new(); /* the window was read without an error before */
    struct op_ctx c = {r->g, &r->at, quiet, scratch};
    const struct shape *x = rewrite_shape(r, rewrite_in(r, 0));
    const int64_t *kernel = window_kernel(&c, x);
    struct largest m = {rewrite_in(r, 0), NONE};
    struct window w;
    struct runs windows[MAX_RANK];
    bool ok = kernel && window_read(&c, x, kernel, &w) && !rewrite_more_wanted(r);

    for (int d = 0; ok && d < w.dims; d++)
        ok = window_runs(scratch, &w, d, &windows[d]);
    for (int d = ok ? w.dims : 0; d-- > 0;)
        along(r, &m, d + 2, windows[d], w.dilation[d]);
    diag_free(quiet);
    arena_free(scratch);
    return ok ? value_of(r, &m) : NONE;
}

uint32_t
rewrite_globalmaxpool(struct rewrite *r)
{
    struct largest m = {rewrite_in(r, 0), NONE};
    struct shape x = *rewrite_shape(r, m.base);

    for (int d = x.rank; d-- > 2;)
        along_all(r, &m, d, x.dim[d]);
    return value_of(r, &m);
}

uint32_t
rewrite_reducemax(struct rewrite *r)
{
    struct largest m = {rewrite_in(r, 0), NONE};
    struct shape x = *rewrite_shape(r, m.base), out = *rewrite_shape(r, r->at.out.at[0]);
    const struct attr *axes = graph_find_attr(&r->at, "axes");

    for (int d = x.rank; d-- > 0;) {
        bool reduced = !axes || !axes->count;
        for (uint32_t k = 0; axes && k < axes->count; k++)
            reduced = reduced || axes->ints[k] == d || axes->ints[k] + x.rank == d;
        if (reduced)
            along_all(r, &m, d, x.dim[d]);
    }
    return build_reshape(r, "shape", value_of(r, &m), &out);
}

/* ---- several tensors
 * --------------------------------------------------------------------------- */

uint32_t
rewrite_max(struct rewrite *r)
{
    struct arena *scratch = arena_new();
    uint32_t n = r->at.in.len;
    struct largest *m = ARENA_ARRAY(scratch, struct largest, n + 1);

    for (uint32_t k = 0; k < n; k++)
        m[k] = (struct largest){r->at.in.at[k], NONE};
    for (; n > 1; n = (n + 1) / 2) /* neighbours, an odd one is left for the next round */
        for (uint32_t k = 0; 2 * k < n; k++)
            m[k] = 2 * k + 1 < n ? larger(r, value_of(r, &m[2 * k]), value_of(r, &m[2 * k + 1]),
                                          value_of(r, &m[2 * k + 1]))
                                 : m[2 * k];
    uint32_t made = value_of(r, &m[0]);
    arena_free(scratch);
    return made;
}
