/* parameters.c - the ring, the primes and the security that they leave, and where memory goes. */
#include "report/html.h"
#include "report/parts.h"
#include "report/plot.h"

#include "ola/plan.h"

#include <math.h>

#define WIDTH 426.0

/* The primes as a bar of bits, against the most that the security table allows. */
static void
modulus(const struct he_params *p, struct str *out)
{
    double most =
        fmax(ola_plan_max_log_qp(p->log_n, p->insecure_toy ? 128 : p->security), p->log_qp);
    double at = 0;

    plot_svg(out, "plot", 440, 96, "Primes of the modulus against the security table");
    str_addf(out, "<rect class=\"room\" x=\"4\" y=\"30\" width=\"%.2f\" height=\"30\" rx=\"3\"/>\n",
             WIDTH);
    for (uint32_t k = 0; k < p->q.len + p->p.len; k++) {
        bool special = k >= p->q.len;
        uint64_t prime = special ? p->p.at[k - p->q.len] : p->q.at[k];
        double bits = log2((double)prime), width = WIDTH * bits / most;
        str_addf(
            out,
            "<rect class=\"%s\" x=\"%.2f\" y=\"30\" width=\"%.2f\" height=\"30\"><title>%s %llu, "
            "%.1f bits</title></rect>\n",
            special ? "special" : "q", 4 + at + 0.5, fmax(width - 1, 0.5),
            special ? "special prime" : "prime", (unsigned long long)prime, bits);
        at += width;
    }
    str_addf(out,
             "<text class=\"strong\" x=\"4\" y=\"20\">log<tspan dy=\"3\" font-size=\"8\">2</tspan>"
             "<tspan dy=\"-3\"> QP = %.0f bits</tspan></text>\n",
             p->log_qp);
    str_addf(out, "<text class=\"end\" x=\"%.2f\" y=\"20\">%s%.0f bits</text>\n", 4 + WIDTH,
             p->insecure_toy ? "128-bit security allows " : "table allows ",
             ola_plan_max_log_qp(p->log_n, p->insecure_toy ? 128 : p->security));
    str_addf(
        out,
        "<text class=\"tick\" x=\"4\" y=\"78\">%u primes for the ciphertexts, %u special ones for "
        "key switching</text>\n</svg>\n",
        p->q.len, p->p.len);
}

static void
facts(const struct he_program *p, struct str *out)
{
    const struct he_params *q = &p->params;

    str_addf(out, "<dl><dt>Ring</dt><dd>X<sup>N</sup> + 1, N = 2<sup>%u</sup>, %u slots</dd>\n",
             q->log_n, q->slots);
    if (q->insecure_toy)
        str_add(out, "<dt>Security</dt><dd class=\"worse\">none: insecure toy parameters</dd>\n");
    else
        str_addf(out,
                 "<dt>Security</dt><dd>%u bit against classical attacks, uniform ternary secret "
                 "(Bossuat et al., ePrint 2024/463)</dd>\n",
                 q->security);
    str_addf(
        out,
        "<dt>Scale</dt><dd>2<sup>%.0f</sup></dd>\n<dt>Key switching</dt><dd>digits of up to %u "
        "prime%s</dd>\n",
        log2(q->scale), q->digit_limbs, q->digit_limbs == 1 ? "" : "s");
    str_add(out, "</dl>\n");
}

static void
operations(const struct he_program *p, struct str *out)
{
    str_add(out, "<dl>\n");
    str_addf(out, "<dt>Keys</dt><dd>%u rotations%s</dd>\n", p->rotations.len,
             p->relin_level == NONE ? "" : ", relinearisation");
    str_addf(out, "<dt>Operations</dt><dd>%llu rotations, %llu products, ",
             (unsigned long long)p->counts.rotations, (unsigned long long)p->counts.products);
    str_addf(out, "%llu products by plaintexts and %llu by numbers, %llu additions</dd>\n",
             (unsigned long long)p->counts.plain_products,
             (unsigned long long)p->counts.scalar_products,
             (unsigned long long)p->counts.additions);
    for (uint32_t k = 0; k < p->outputs.len; k++) {
        double noise = p->insts.at[p->outputs.at[k].value].noise;
        str_add(out, "<dt>Noise of an output</dt><dd>");
        if (noise < p->outputs.at[k].range)
            html_number(out, noise);
        else
            str_add(out, "no useful bound in so deep a network (olac simulate models it)");
        str_add(out, ", where outputs may reach ");
        html_number(out, p->outputs.at[k].range);
        str_add(out, "</dd>\n");
    }
    str_add(out, "</dl>\n");
}

static void
memory(const struct report *r, struct str *out)
{
    uint64_t peak = r->program->peak_bytes, keys = r->program->key_bytes, weights = r->weight_bytes;
    uint64_t known = keys + weights, rest = peak > known ? peak - known : 0;
    const struct {
        const char *name, *class;
        uint64_t bytes;
    } rows[] = {{"keys", "p-0", keys},
                {"encoded weights", "p-1", weights},
                {"ciphertexts and tables", "p-2", rest}};

    plot_svg(out, "plot", 440, 140, "Predicted memory by use");
    str_add(out, "<text class=\"strong\" x=\"4\" y=\"20\">");
    html_bytes(out, peak);
    str_add(out, " at the peak</text>\n");
    for (int k = 0; k < 3; k++) {
        double share = peak ? (double)rows[k].bytes / (double)peak : 0, y = 34 + 30 * k;
        str_addf(
            out,
            "<rect class=\"room\" x=\"154\" y=\"%.0f\" width=\"210\" height=\"18\" rx=\"3\"/>\n",
            y);
        str_addf(
            out,
            "<rect class=\"%s\" x=\"154\" y=\"%.0f\" width=\"%.2f\" height=\"18\" rx=\"3\"/>\n",
            rows[k].class, y, fmax(210 * fmin(share, 1), 1));
        str_addf(out, "<text x=\"4\" y=\"%.0f\">%s</text>\n<text x=\"374\" y=\"%.0f\">", y + 13,
                 rows[k].name, y + 13);
        html_bytes(out, rows[k].bytes);
        str_add(out, "</text>\n");
    }
    str_add(out, "</svg>\n");
}

void
part_parameters(const struct report *r, struct str *out)
{
    if (!r->program)
        return;
    html_section(out, "parameters", "Parameters",
                 "Security is a condition, not an option: the modulus stays below what the table "
                 "allows for this ring, checked when compiling and again when running.");
    str_add(out, "<div class=\"pair\"><div class=\"card\"><h3>Modulus</h3>\n");
    modulus(&r->program->params, out);
    facts(r->program, out);
    str_add(out, "</div>\n<div class=\"card\"><h3>Memory</h3>\n");
    memory(r, out);
    operations(r->program, out);
    str_add(out, "</div></div>\n");
    html_end(out);
}
