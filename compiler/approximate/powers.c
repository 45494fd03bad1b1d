/* powers.c - see powers.h. Coefficients are chosen from the highest down. */
#include "approximate/powers.h"

#include <math.h>
#include <string.h>

#define TERMS    (POWERS_DEGREE_MAX + 1)
#define ROUNDS   100   /* exchanges of a reference; a dozen is usual */
#define SLACK    1e-12 /* no better than that is as good */
#define EXPONENT 200   /* of a coefficient, at most */

struct search {
    const struct powers_problem *p;
    struct powers best;
    double coef[TERMS];
    /* least squares: r c - q, r upper triangular */
    double r[TERMS][TERMS], q[TERMS], scale;
};

/* Value number `index` of the grid, ascending: -2^hi .. -2^lo, 0, 2^lo .. 2^hi. */
static int
count(const struct powers_problem *p)
{
    return 2 * (p->hi - p->lo + 1) + 1;
}

static double
value(const struct powers_problem *p, int index)
{
    int middle = p->hi - p->lo + 1;

    if (index == middle)
        return 0;
    return index < middle ? -ldexp(1, p->hi - index) : ldexp(1, p->lo + index - middle - 1);
}

/* The first value of the grid that is not below x; count() when there is none. */
static int
first_above(const struct powers_problem *p, double x)
{
    int k = 0;

    while (k < count(p) && value(p, k) < x)
        k++;
    return k;
}

/* What is left of y without the terms from `from` up. */
static double
residual(const struct search *s, uint32_t from, uint32_t point)
{
    double sum = 0;

    for (uint32_t k = s->p->degree + 1; k-- > from;)
        sum = sum * s->p->x[point] + s->coef[k];
    for (uint32_t k = 0; k < from; k++)
        sum *= s->p->x[point];
    return s->p->y[point] - sum;
}

static void
keep(struct search *s, double error)
{
    if (!(error < s->best.error * (1 - SLACK)))
        return;
    memcpy(s->best.coef, s->coef, sizeof s->coef);
    s->best.error = error;
}

/* ---- weighted squares
 * ---------------------------------------------------------------------------------------- */

/* Cholesky factor of the Gram matrix of 1, x .. x^degree under the weights; powers of x are
 * taken in units of its largest. */
static bool
triangle(struct search *s)
{
    const struct powers_problem *p = s->p;
    double gram[TERMS][TERMS] = {{0}}, right[TERMS] = {0};
    uint32_t n = p->degree + 1;

    for (uint32_t k = 0; k < p->n; k++) {
        double power[TERMS] = {1}, x = p->x[k] / s->scale;
        for (uint32_t i = 1; i < n; i++)
            power[i] = power[i - 1] * x;
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t j = 0; j < n; j++)
                gram[i][j] += p->weight[k] * power[i] * power[j];
            right[i] += p->weight[k] * power[i] * p->y[k];
        }
    }
    /* Cholesky: gram = r^T r */
    for (uint32_t i = 0; i < n; i++) {
        double d = gram[i][i];
        s->q[i] = right[i];
        for (uint32_t k = 0; k < i; k++) {
            d -= s->r[k][i] * s->r[k][i];
            s->q[i] -= s->r[k][i] * s->q[k];
        }
        if (!(d > 1e-13 * gram[i][i]))
            return false;
        s->r[i][i] = sqrt(d);
        s->q[i] /= s->r[i][i];
        for (uint32_t j = i + 1; j < n; j++) {
            s->r[i][j] = gram[i][j];
            for (uint32_t k = 0; k < i; k++)
                s->r[i][j] -= s->r[k][i] * s->r[k][j];
            s->r[i][j] /= s->r[i][i];
        }
    }
    for (uint32_t i = 0; i < n; i++) /* back to powers of x itself */
        for (uint32_t j = i; j < n; j++)
            s->r[i][j] *= pow(s->scale, j);
    return true;
}

/* The coefficient of x^k and those below; `so_far` is the square error that those above cost,
 * beyond that of the best free polynomial. The error kept is such a square. */
static void
squares(struct search *s, uint32_t k, double so_far)
{
    const struct powers_problem *p = s->p;
    double middle = s->q[k];

    for (uint32_t j = k + 1; j <= p->degree; j++)
        middle -= s->r[k][j] * s->coef[j];
    middle /= s->r[k][k];
    int up = first_above(p, middle), down = up - 1;
    while (up < count(p) || down >= 0) {
        bool above = down < 0 || (up < count(p) && value(p, up) - middle < middle - value(p, down));
        s->coef[k] = value(p, above ? up++ : down--);
        double off = s->r[k][k] * (s->coef[k] - middle), now = so_far + off * off;
        s->best.nodes++;
        if (!(now < s->best.error * (1 - SLACK)))
            return; /* nearer ones came before */
        if (k == 0)
            keep(s, now);
        else
            squares(s, k - 1, now);
    }
}

/* ---- the largest error
 * --------------------------------------------------------------------------------------- */

/* The polynomial with `terms` terms whose errors at the terms + 1 points of ref are equal and of
 * alternate signs: c[0 .. terms - 1], and the error. */
static double
level(const struct search *s, uint32_t terms, const uint32_t *ref, double *c)
{
    double m[TERMS + 1][TERMS + 2];
    uint32_t n = terms + 1;

    for (uint32_t i = 0; i < n; i++) {
        double power = 1, x = s->p->x[ref[i]] / s->scale;
        for (uint32_t j = 0; j < terms; j++, power *= x)
            m[i][j] = power;
        m[i][terms] = i % 2 ? -1 : 1;
        m[i][n] = residual(s, terms, ref[i]);
    }
    for (uint32_t k = 0; k < n; k++) { /* Gauss, with pivots */
        uint32_t at = k;
        for (uint32_t i = k + 1; i < n; i++)
            at = fabs(m[i][k]) > fabs(m[at][k]) ? i : at;
        for (uint32_t j = 0; j <= n; j++) {
            double t = m[k][j];
            m[k][j] = m[at][j];
            m[at][j] = t;
        }
        for (uint32_t i = 0; i < n; i++) {
            double by = i == k ? 0 : m[i][k] / m[k][k];
            for (uint32_t j = k; j <= n && by != 0; j++)
                m[i][j] -= by * m[k][j];
        }
    }
    for (uint32_t j = 0; j < terms; j++)
        c[j] = m[j][n] / m[j][j];
    return m[terms][n] / m[terms][terms];
}

/* Takes point `at`, where the error has the sign of `error`, into the reference, so that signs
 * still alternate; `first` is the sign of the error at ref[0]. */
static void
exchange(uint32_t *ref, uint32_t n, uint32_t at, double error, double first)
{
    uint32_t i = 0;

    while (i < n && ref[i] < at)
        i++;
    /* sign at ref[i]: that of first for even i */
    bool same_below = i > 0 && ((i - 1) % 2 ? -first : first) * error > 0;
    bool same_above = i < n && (i % 2 ? -first : first) * error > 0;
    if (same_above) {
        ref[i] = at;
    } else if (same_below) {
        ref[i - 1] = at;
    } else if (i == 0) {
        memmove(ref + 1, ref, (n - 1) * sizeof *ref);
        ref[0] = at;
    } else {
        memmove(ref, ref + 1, (n - 1) * sizeof *ref);
        ref[n - 1] = at;
    }
}

/* The least largest error that `terms` free terms below those chosen could have, or a bound below
 * it; *lead: the highest of these free coefficients, in powers of x. */
static double
bound(const struct search *s, uint32_t terms, double *lead)
{
    const struct powers_problem *p = s->p;
    uint32_t ref[TERMS + 1];
    double c[TERMS] = {0}, h = 0, best = 0;

    for (uint32_t i = 0; i <= terms; i++)
        ref[i] = (uint32_t)((uint64_t)(p->n - 1) * i / (terms ? terms : 1));
    for (int round = 0; round < ROUNDS; round++) {
        double worst = 0, sign = 0;
        uint32_t at = 0;
        h = terms ? level(s, terms, ref, c) : 0;
        best = fmax(best, fabs(h));
        for (uint32_t k = 0; k < p->n; k++) {
            double sum = 0, x = p->x[k] / s->scale;
            for (uint32_t j = terms; j-- > 0;)
                sum = sum * x + c[j];
            double off = residual(s, terms, k) - sum;
            if (fabs(off) > worst) {
                worst = fabs(off);
                sign = off;
                at = k;
            }
        }
        if (!terms)
            return worst;
        if (worst <= fabs(h) * (1 + 1e-9) + 1e-300)
            break;
        exchange(ref, terms + 1, at, sign, h == 0 ? sign : h);
    }
    *lead = c[terms - 1] / pow(s->scale, terms - 1);
    return best;
}

/* The coefficient of x^k and those below; middle: where the error is least when they are free. */
static void
largest(struct search *s, uint32_t k, double middle)
{
    const struct powers_problem *p = s->p;
    int from = first_above(p, middle);

    for (int side = 0; side < 2; side++)
        for (int i = side ? from - 1 : from; side ? i >= 0 : i < count(p); i += side ? -1 : 1) {
            double lead = 0;
            s->coef[k] = value(p, i);
            s->best.nodes++;
            double least = bound(s, k, &lead);
            if (!(least < s->best.error * (1 - SLACK)))
                break; /* convex: further out is worse */
            if (k == 0)
                keep(s, least);
            else
                largest(s, k - 1, lead);
        }
}

/* The weighted error of the polynomial that was kept. */
static double
distance(struct search *s)
{
    double square = 0;

    memcpy(s->coef, s->best.coef, sizeof s->coef);
    for (uint32_t k = 0; k < s->p->n; k++)
        square += s->p->weight[k] * pow(residual(s, 0, k), 2);
    return sqrt(square);
}

bool
powers_fit(const struct powers_problem *p, struct powers *out)
{
    struct search s = {.p = p, .best = {.error = INFINITY}};
    double lead = 0;

    if (p->degree < 1 || p->degree > POWERS_DEGREE_MAX || p->n < p->degree + 2 || p->hi < p->lo ||
        p->lo < -EXPONENT || p->hi > EXPONENT)
        return false;
    for (uint32_t k = 0; k < p->n; k++)
        if (!isfinite(p->x[k]) || !isfinite(p->y[k]) || (k && !(p->x[k] > p->x[k - 1])) ||
            (p->weight && !(p->weight[k] >= 0)))
            return false;
    s.scale = fmax(fabs(p->x[0]), fabs(p->x[p->n - 1]));
    if (p->weight) {
        if (!triangle(&s))
            return false;
        squares(&s, p->degree, 0);
        s.best.error = distance(&s);
    } else {
        bound(&s, p->degree + 1, &lead);
        largest(&s, p->degree, lead);
    }
    *out = s.best;
    return isfinite(out->error);
}
