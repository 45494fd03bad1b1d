/* run.c - what running the compiled network on encrypted images measured, beside what was
 * predicted. */
#include "report/html.h"
#include "report/parts.h"

#include <math.h>

static void
row_begin(struct str *out, const char *what)
{
    str_addf(out, "<tr><td>%s</td><td>", what);
}

static void
seconds(struct str *out, const char *what, double predicted, double measured)
{
    row_begin(out, what);
    html_seconds(out, predicted);
    str_add(out, "</td><td>");
    html_seconds(out, measured);
    str_add(out, "</td></tr>\n");
}

static void
bytes(struct str *out, const char *what, uint64_t predicted, uint64_t measured)
{
    row_begin(out, what);
    html_bytes(out, predicted);
    str_add(out, "</td><td>");
    html_bytes(out, measured);
    str_add(out, "</td></tr>\n");
}

static void
answers(const struct report_run *i, struct str *out)
{
    str_addf(out,
             "<div class=\"card\"><h3>Answers</h3>\n<dl><dt>Images</dt><dd>%u, encrypted</dd>\n",
             i->images);
    str_addf(out, "<dt>Same answer as float</dt><dd>%u</dd>\n", i->agree);
    if (i->labels)
        str_addf(out, "<dt>Correct</dt><dd>%u</dd>\n", i->correct);
    str_add(out, "<dt>Noise of an output</dt><dd>at most ");
    html_number(out, i->noise);
    str_add(out, ", where outputs reach ");
    html_number(out, i->largest);
    str_add(out, "</dd></dl></div>\n");
}

void
part_run(const struct report *r, struct str *out)
{
    const struct report_run *i = r->run;

    if (!i || !r->program)
        return;
    html_section(out, "run", "Encrypted run",
                 "The compiled network on this machine, from keys to answers. Predictions are for "
                 "the reference machine.");
    str_add(out, "<div class=\"pair loose\"><div class=\"card\"><h3>Measured</h3>\n<table>\n<tr>"
                 "<th></th><th>predicted</th><th>measured</th></tr>\n");
    seconds(out, "evaluation of an image", r->program->seconds, i->evaluate);
    seconds(out, "encryption", NAN, i->encrypt);
    seconds(out, "decryption", NAN, i->decrypt);
    seconds(out, "keys", NAN, i->keygen);
    bytes(out, "memory at the peak", r->program->peak_bytes, i->peak_bytes);
    bytes(out, "size of the keys", r->program->key_bytes, i->key_bytes);
    str_add(out, "</table></div>\n");
    answers(i, out);
    str_add(out, "</div>\n");
    html_end(out);
}
