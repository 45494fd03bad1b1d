/* dsl_print.c - a graph as a text of the language, line by line in the order of its values, so that
 * reading the text gives the same values and nodes with the same numbers. */
#include "import/dsl_print.h"

#include "import/data.h"
#include "import/dsl_words.h"
#include "import/import.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define INLINE_INTS   16 /* constants of up to so many integers stand in the text, */
#define INLINE_FLOATS 4  /* and of so many floats; all others in files */
#define FILE_NAME_MAX 120

/* ---- numbers, types, data
 * -------------------------------------------------------------------------- */

void
print_float(struct str *out, float x, bool point)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (isnan(x)) {
        if (bits == 0x7fc00000u)
            str_add(out, "nan");
        else
            str_addf(out, "nan(0x%08x)", bits);
        return;
    }
    size_t from = out->len;
    str_float(out, x);
    if (point && !isinf(x) && !strpbrk(out->text + from, ".e"))
        str_add(out, ".0");
}

void
print_type(struct str *out, enum dtype dtype, const struct shape *shape)
{
    str_addf(out, "%s[", dtype_name(dtype));
    for (int k = 0; k < shape->rank; k++)
        str_addf(out, "%s%lld", k ? ", " : "", (long long)shape->dim[k]);
    str_add(out, "]");
}

/* A file name for a constant: letters, digits and . _ - of its name, made unique without regard to
 * case (some file systems have none). */
static const char *
file_name(struct printer *p, const char *base)
{
    char stem[FILE_NAME_MAX + 1], lower[FILE_NAME_MAX + 1];
    uint32_t used;
    size_t n = 0;
    for (; base[n] && n < FILE_NAME_MAX - 20; n++) {
        char c = base[n];
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || (c == '.' && n > 0);
        stem[n] = kept ? c : '_';
    }
    stem[n] = 0;
    uint32_t k = 0;
    const char *first = arena_strdup(p->a, stem);
    for (map_get(&p->counters, first, &k);; k++) {
        if (k)
            snprintf(stem + n, sizeof stem - n, "-%u", k);
        for (size_t i = 0; i <= strlen(stem); i++)
            lower[i] = (char)(stem[i] >= 'A' && stem[i] <= 'Z' ? stem[i] + 32 : stem[i]);
        if (!map_get(&p->taken, lower, &used))
            break;
    }
    map_set(p->a, &p->taken, arena_strdup(p->a, lower), 1);
    map_set(p->a, &p->counters, first, k + 1);
    return arena_printf(p->a, "%s.npy", stem);
}

void
print_data(struct printer *p, const struct tensor *t, const char *base, const char *short_name)
{
    int64_t size = shape_size(&t->shape);
    bool list = t->shape.rank > 0;

    if (t->dtype == DT_STRING)
        return;
    if (size > (t->f ? INLINE_FLOATS : INLINE_INTS)) {
        const char *file = file_name(p, base);
        vec_push(p->a, &p->files, (struct print_file){file, t});
        if (short_name && strcmp(file, arena_printf(p->a, "%s.npy", short_name)) == 0)
            return;
        str_add(&p->out, " = file ");
        words_string(&p->out, file);
        return;
    }
    str_add(&p->out, list ? " = [" : " = ");
    for (int64_t k = 0; k < size; k++) {
        str_add(&p->out, k ? ", " : "");
        if (t->f)
            print_float(&p->out, t->f[k], false);
        else if (t->dtype == DT_BOOL)
            str_add(&p->out, t->i[k] ? "true" : "false");
        else
            str_addf(&p->out, "%lld", (long long)t->i[k]);
    }
    str_add(&p->out, list ? "]" : "");
}

/* ---- lines
 * ----------------------------------------------------------------------------------------- */

/* All n numbers, so that their count reads back; nothing when all are what is usual. */
static bool
numbers(struct printer *p, const char *word, const double *v, uint32_t n, double usual)
{
    bool needed = false;
    for (uint32_t k = 0; k < n; k++)
        needed |= !(v[k] == usual);
    for (uint32_t k = 0; needed && k < n; k++) {
        str_addf(&p->out, k ? ", " : " %s ", word);
        str_double(&p->out, v[k]);
    }
    return needed;
}

static void
print_pixels(struct printer *p, const struct pixels *px)
{
    str_add(&p->out, " from u8");
    if (px->divisor != 1) {
        str_add(&p->out, " / ");
        str_double(&p->out, px->divisor);
    }
    bool mean = numbers(p, "mean", px->mean, px->channels, 0);
    bool std = numbers(p, "std", px->std, px->channels, 1);
    if (!mean && !std && px->channels > 1) /* their count must be seen somewhere */
        numbers(p, "mean", px->mean, px->channels, -1);
}

static void
print_input(struct printer *p, const struct input *in)
{
    const struct value *v = &p->g->values.at[in->value];
    struct shape s = v->shape;
    bool batch = s.rank > 0 && s.dim[0] == 1;

    if (batch) {
        s.rank--;
        memmove(s.dim, s.dim + 1, (size_t)s.rank * sizeof *s.dim);
    }
    str_add(&p->out, "input ");
    words_name(&p->out, v->name);
    str_add(&p->out, " : ");
    print_type(&p->out, v->dtype, &s);
    if (!batch)
        str_add(&p->out, " unbatched");
    if (in->pixels.present)
        print_pixels(p, &in->pixels);
    str_add(&p->out, "\n");
}

static void
print_const(struct printer *p, const struct value *v)
{
    str_add(&p->out, "const ");
    words_name(&p->out, v->name);
    str_add(&p->out, " : ");
    print_type(&p->out, v->data.dtype, &v->data.shape);
    print_data(p, &v->data, v->name, v->name);
    str_add(&p->out, "\n");
}

static void
print_pins(struct printer *p, const struct pins *pins)
{
    uint32_t low = pins->degree_min, high = pins->degree_max;
    if (low && low == high)
        str_addf(&p->out, "  @degree(%u)", low);
    else if (low && high)
        str_addf(&p->out, "  @degree(%u .. %u)", low, high);
    else if (low)
        str_addf(&p->out, "  @degree(>= %u)", low);
    else if (high)
        str_addf(&p->out, "  @degree(<= %u)", high);
    if (pins->pow2_bits)
        str_addf(&p->out, "  @pow2(%u)", pins->pow2_bits);
}

/* Outputs can be marked where they are made when each is the only output of its node, and they are
 * made in the order in which the network has them. */
static bool
outputs_inline(const struct graph *g)
{
    for (uint32_t k = 0; k < g->outputs.len; k++) {
        const struct value *v = &g->values.at[g->outputs.at[k]];
        if (v->kind != VALUE_NODE || g->nodes.at[v->node].out.len != 1)
            return false;
        if (k && g->values.at[g->outputs.at[k - 1]].node >= v->node)
            return false;
    }
    return true;
}

static void
print_node(struct printer *p, const struct node *n, bool mark)
{
    const struct graph *g = p->g;
    const char *usual = NULL;

    if (mark && n->out.len == 1 && n->out.at[0] != NONE && p->output[n->out.at[0]])
        str_add(&p->out, "output ");
    for (uint32_t k = 0; k < n->out.len; k++) {
        uint32_t v = n->out.at[k];
        str_add(&p->out, k ? ", " : "");
        if (v == NONE) {
            str_add(&p->out, "_");
            continue;
        }
        words_name(&p->out, g->values.at[v].name);
        usual = usual ? usual : words_node(p->a, g->values.at[v].name);
        p->done[v] = true;
    }
    str_add(&p->out, " = ");
    print_call(p, n);
    if (!usual || strcmp(usual, n->name) != 0) {
        str_add(&p->out, " as ");
        words_name(&p->out, n->name);
    }
    print_pins(p, &n->pins);
    str_add(&p->out, "\n");
}

static void
print_source(struct printer *p, uint32_t v)
{
    const struct value *value = &p->g->values.at[v];
    if (p->done[v] || value->kind == VALUE_NODE)
        return;
    p->done[v] = true;
    if (value->kind == VALUE_CONST) {
        print_const(p, value);
        return;
    }
    if (p->input[v] < p->g->inputs.len)
        print_input(p, &p->g->inputs.at[p->input[v]]);
}

/* Nodes up to index `last`; inputs and constants that they read first. */
static uint32_t
print_nodes(struct printer *p, uint32_t from, uint32_t end, bool mark)
{
    for (; from < end; from++) {
        const struct node *n = &p->g->nodes.at[from];
        for (uint32_t k = 0; k < n->in.len; k++)
            if (n->in.at[k] != NONE)
                print_source(p, n->in.at[k]);
        print_node(p, n, mark);
    }
    return from;
}

static void
print_all(struct printer *p)
{
    const struct graph *g = p->g;
    bool mark = outputs_inline(g);
    uint32_t next = 0;

    for (uint32_t v = 0; v < g->values.len; v++) {
        const struct value *value = &g->values.at[v];
        if (value->kind != VALUE_NODE)
            print_source(p, v);
        else if (value->node != NONE && value->node < g->nodes.len && value->node >= next)
            next = print_nodes(p, next, value->node + 1, mark);
    }
    print_nodes(p, next, g->nodes.len, mark);
    for (uint32_t k = 0; !mark && k < g->outputs.len; k++) {
        str_add(&p->out, k ? ", " : "output ");
        words_name(&p->out, g->values.at[g->outputs.at[k]].name);
    }
    str_add(&p->out, mark ? "" : "\n");
}

/* ---- the door ------------------------------------------------------------------------------ */

const char *
print_hex(struct arena *a, const uint8_t hash[32])
{
    char *hex = arena_alloc(a, 65);
    for (int k = 0; k < 32; k++)
        snprintf(hex + 2 * k, 3, "%02x", hash[k]);
    return hex;
}

static struct printer
print_start(const struct graph *g, struct arena *a, struct str *head)
{
    struct printer p = {.g = g, .a = a};
    p.done = ARENA_ARRAY(a, bool, g->values.len + 1);
    p.output = ARENA_ARRAY(a, bool, g->values.len + 1);
    p.input = ARENA_ARRAY(a, uint32_t, g->values.len + 1);
    memset(p.input, 0xff, g->values.len * sizeof *p.input);
    for (uint32_t k = 0; k < g->outputs.len; k++)
        p.output[g->outputs.at[k]] = true;
    for (uint32_t k = 0; k < g->inputs.len; k++)
        p.input[g->inputs.at[k].value] = k;
    str_add(head, "network ");
    words_name(head, g->name);
    str_addf(head, " opset %d\n", g->opset);
    print_all(&p);
    return p;
}

/* Each part goes in with its length before it, so that no two models give the same bytes. */
static void
hash_part(crypto_generichash_state *state, const void *bytes, size_t size)
{
    uint8_t length[8];
    for (int k = 0; k < 8; k++)
        length[k] = (uint8_t)((uint64_t)size >> (8 * k));
    crypto_generichash_update(state, length, sizeof length);
    if (size)
        crypto_generichash_update(state, bytes, size);
}

static void
hash_all(const struct printer *p, const struct str *head, uint8_t hash[32])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    hash_part(&state, str_text(head), head->len);
    hash_part(&state, str_text(&p->out), p->out.len);
    for (uint32_t k = 0; k < p->files.len; k++) {
        struct str bytes = {0};
        npy_format(p->files.at[k].data, &bytes);
        hash_part(&state, p->files.at[k].name, strlen(p->files.at[k].name));
        hash_part(&state, bytes.text, bytes.len);
        str_free(&bytes);
    }
    crypto_generichash_final(&state, hash, 32);
}

void
print_hash(const struct graph *g, uint8_t hash[32])
{
    struct arena *scratch = arena_new();
    struct str head = {0};
    struct printer p = print_start(g, scratch, &head);
    hash_all(&p, &head, hash);
    str_free(&p.out);
    str_free(&head);
    arena_free(scratch);
}

bool
dsl_print(const struct graph *g, struct str *out, struct arena *a, struct dsl_file **files,
          uint32_t *n_files, struct diag *d)
{
    static const uint8_t none[32];
    struct str head = {0};
    struct printer p = print_start(g, a, &head);
    uint8_t own[32];

    (void)d; /* every graph can be printed */
    str_add(out, str_text(&head));
    hash_all(&p, &head, own);
    if (memcmp(g->hash, none, sizeof none) != 0 && memcmp(g->hash, own, sizeof own) != 0)
        str_addf(out, "origin \"%s\" text \"%s\"\n", print_hex(a, g->hash), print_hex(a, own));
    str_add(out, "\n");
    str_add(out, str_text(&p.out));
    str_free(&p.out);
    str_free(&head);
    if (!files)
        return true;
    *files = ARENA_ARRAY(a, struct dsl_file, p.files.len + 1);
    *n_files = p.files.len;
    for (uint32_t k = 0; k < p.files.len; k++) {
        struct str bytes = {0};
        npy_format(p.files.at[k].data, &bytes);
        char *copy = arena_alloc(a, bytes.len + 1);
        memcpy(copy, str_text(&bytes), bytes.len);
        (*files)[k] = (struct dsl_file){p.files.at[k].name, copy, bytes.len};
        str_free(&bytes);
    }
    return true;
}
