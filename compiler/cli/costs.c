/* costs.c - tables of what the runtime takes on a machine: read with distrust, printed beside the
 * shipped one. */
#include "cli/costs.h"

#include "base/file.h"

#include <cjson/cJSON.h>
#include <string.h>

#define FORMAT     "olac costs 1"
#define MOST_BYTES 65536
#define MOST_TEXT  200
#define N_ROWS     (sizeof rows / sizeof *rows)

enum kind { MARK, NAME, COUNT, COST };

/* Every key of the file, each wanted once; numbers from lo to hi, printed as multiples of unit. */
static const struct row {
    const char *key;
    enum kind kind;
    size_t field;
    double lo, hi, unit;
    const char *label, *unit_name;
} rows[] = {
#define FIELD(f) offsetof(struct cost_table, f)
    {"format", MARK, 0, 0, 0, 0, NULL, NULL},
    {"machine", NAME, FIELD(machine), 0, 0, 0, NULL, NULL},
    {"backend", NAME, FIELD(backend), 0, 0, 0, NULL, NULL},
    {"threads", COUNT, FIELD(threads), 1, 4096, 1, NULL, NULL},
    {"transform_seconds", COST, FIELD(costs.transform), 1e-9, 1, 1e-6, "transform of a limb", "us"},
    {"multiply_seconds", COST, FIELD(costs.multiply), 1e-9, 1, 1e-6, "product of a limb", "us"},
    {"inner_seconds", COST, FIELD(costs.inner), 1e-9, 1, 1e-6, "key digit of a limb", "us"},
    {"speedup", COST, FIELD(costs.speedup), 0.1, 4096, 1, "speedup of all threads", "x"},
    {"memory_bytes_a_second", COST, FIELD(costs.memory), 1e6, 1e15, 1e9, "bytes through memory",
     "GB/s"},
#undef FIELD
};

static bool
printable(const char *text)
{
    size_t n = strlen(text);
    for (size_t k = 0; k < n; k++)
        if (text[k] < ' ' || text[k] > '~')
            return false;
    return n > 0 && n <= MOST_TEXT;
}

/* One value to its field; false after an error. */
static bool
take(struct arena *a, const char *file, const struct row *r, const cJSON *v, struct cost_table *out,
     struct diag *d)
{
    char *field = (char *)out + r->field;
    const char *text = cJSON_IsString(v) ? v->valuestring : NULL;
    double x = cJSON_IsNumber(v) ? v->valuedouble : -1;
    bool in_range = x >= r->lo && x <= r->hi;
    bool ok = r->kind == MARK    ? text && strcmp(text, FORMAT) == 0
              : r->kind == NAME  ? text && printable(text)
              : r->kind == COUNT ? in_range && x == (double)(uint32_t)x
                                 : in_range;
    if (ok && r->kind == NAME)
        *(const char **)(void *)field = arena_strdup(a, text);
    else if (ok && r->kind == COUNT)
        *(uint32_t *)(void *)field = (uint32_t)x;
    else if (ok && r->kind == COST)
        *(double *)(void *)field = x;
    else if (!ok && r->kind == MARK)
        diag_error(d, E_COSTS, PLACE_FILE(file), "\"%s\" is not \"%s\"", r->key, FORMAT);
    else if (!ok && r->kind == NAME)
        diag_error(d, E_COSTS, PLACE_FILE(file),
                   "\"%s\" is not a text of 1 to %d printable letters", r->key, MOST_TEXT);
    else if (!ok)
        diag_error(d, E_COSTS, PLACE_FILE(file), "\"%s\" is not a %snumber from %g to %g", r->key,
                   r->kind == COUNT ? "whole " : "", r->lo, r->hi);
    return ok;
}

static bool
take_all(struct arena *a, const char *file, const cJSON *root, struct cost_table *out,
         struct diag *d)
{
    bool ok = true, seen[N_ROWS] = {false};
    const cJSON *v;

    cJSON_ArrayForEach(v, root)
    {
        size_t k = 0;
        while (k < N_ROWS && strcmp(rows[k].key, v->string) != 0)
            k++;
        bool known = k < N_ROWS && !seen[k];
        if (known)
            seen[k] = true;
        else
            diag_error(d, E_COSTS, PLACE_FILE(file), "\"%.40s\" %s", v->string,
                       k < N_ROWS ? "stands twice" : "belongs to no table of costs");
        ok = (known && take(a, file, &rows[k], v, out, d)) && ok;
    }
    for (size_t k = 0; k < N_ROWS; k++)
        if (!seen[k]) {
            diag_error(d, E_COSTS, PLACE_FILE(file), "\"%s\" is missing", rows[k].key);
            ok = false;
        }
    return ok;
}

bool
costs_parse(struct arena *a, const char *file, const void *text, size_t size,
            struct cost_table *out, struct diag *d)
{
    const char *copy = arena_strndup(a, text, size), *end;
    bool whole = strlen(copy) == size;
    cJSON *root = whole ? cJSON_ParseWithOpts(copy, &end, true) : NULL;
    struct cost_table t = {0};
    bool ok = cJSON_IsObject(root);

    if (ok)
        ok = take_all(a, file, root, &t, d);
    else
        diag_error(d, E_COSTS, PLACE_FILE(file), "not an object of JSON");
    if (!ok)
        diag_hint(d, "olac bench -o FILE writes such a table");
    cJSON_Delete(root);
    if (ok)
        *out = t;
    return ok;
}

bool
costs_read(struct arena *a, const char *path, struct cost_table *out, struct diag *d)
{
    const uint8_t *bytes;
    size_t size;
    return file_read(a, path, false, MOST_BYTES, &bytes, &size, d) &&
           costs_parse(a, path, bytes, size, out, d);
}

const char *
costs_name(struct arena *a, const struct cost_table *t)
{
    struct str s = {0};
    str_addf(&s, "%s, %s, threads %u:", t->machine, t->backend, t->threads);
    for (size_t k = 0; k < N_ROWS; k++)
        if (rows[k].kind == COST) {
            str_add(&s, " ");
            str_double(&s, *(const double *)(const void *)((const char *)t + rows[k].field));
        }
    const char *name = arena_strdup(a, str_text(&s));
    str_free(&s);
    return name;
}

void
costs_print(const struct cost_table *t, struct str *out)
{
    const struct cost_table shipped = {.costs = he_costs_shipped};

    str_addf(out, "%s, %s, threads: %u\n%-24s %9s %9s\n", t->machine, t->backend, t->threads, "",
             "here", "shipped");
    for (size_t k = 0; k < N_ROWS; k++) {
        const struct row *r = &rows[k];
        if (r->kind == COST)
            str_addf(out, "%-24s %9.2f %9.2f %s\n", r->label,
                     *(const double *)(const void *)((const char *)t + r->field) / r->unit,
                     *(const double *)(const void *)((const char *)&shipped + r->field) / r->unit,
                     r->unit_name);
    }
}
