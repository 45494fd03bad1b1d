/* dsl_support.c - see dsl_support.h. */
#include "dsl_support.h"

#include "base/file.h"
#include "import/data.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
dsl_folder(struct arena *a)
{
    char *dir = arena_strdup(a, "/tmp/olac-dsl-XXXXXX");
    return mkdtemp(dir);
}

void
dsl_folder_remove(const char *dir)
{
    char path[600];
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

void
dsl_weights(struct arena *a, const char *dir, const char *name, int rank, const int64_t *dim)
{
    struct tensor t = tensor_new(a, DT_F32, shape_of(rank, dim));
    struct str bytes = {0};
    struct diag *d = diag_new();
    for (int64_t k = 0; k < shape_size(&t.shape); k++)
        t.f[k] = 0.25f * (float)(k + 1);
    npy_format(&t, &bytes);
    file_write(file_join(a, dir, name), bytes.text, bytes.len, d);
    diag_free(d);
    str_free(&bytes);
}

struct graph *
dsl_read(struct arena *a, const char *dir, const char *text, struct diag *d)
{
    return import_dsl(a, "model.ola", dir, text, strlen(text), d);
}

/* ---- comparison
 * ---------------------------------------------------------------------------------- */

static bool
bits_equal(const void *x, const void *y, size_t size)
{
    return size == 0 || (x && y && memcmp(x, y, size) == 0);
}

static bool
tensors_equal(const struct tensor *x, const struct tensor *y)
{
    if (x->dtype != y->dtype || !shape_equal(&x->shape, &y->shape))
        return false;
    size_t n = (size_t)shape_size(&x->shape);
    if (x->dtype == DT_STRING)
        return true;
    return dtype_is_float(x->dtype) ? bits_equal(x->f, y->f, n * sizeof *x->f)
                                    : bits_equal(x->i, y->i, n * sizeof *x->i);
}

static bool
attrs_equal(const struct attr *x, const struct attr *y)
{
    if (strcmp(x->name, y->name) != 0 || x->kind != y->kind)
        return false;
    if (x->kind == ATTR_TENSOR)
        return tensors_equal(&x->tensor, &y->tensor);
    if (x->count != y->count)
        return false;
    if (x->kind == ATTR_INT || x->kind == ATTR_INTS)
        return bits_equal(x->ints, y->ints, x->count * sizeof *x->ints);
    if (x->kind == ATTR_FLOAT || x->kind == ATTR_FLOATS)
        return bits_equal(x->floats, y->floats, x->count * sizeof *x->floats);
    for (uint32_t k = 0; k < x->count; k++)
        if (strcmp(x->strings[k], y->strings[k]) != 0)
            return false;
    return true;
}

static bool
pixels_equal(const struct pixels *x, const struct pixels *y)
{
    if (x->present != y->present)
        return false;
    return !x->present || (x->divisor == y->divisor && x->channels == y->channels &&
                           bits_equal(x->mean, y->mean, x->channels * sizeof *x->mean) &&
                           bits_equal(x->std, y->std, x->channels * sizeof *x->std));
}

static const char *
values_difference(struct arena *a, const struct graph *x, const struct graph *y)
{
    if (x->values.len != y->values.len)
        return arena_printf(a, "%u values, then %u", x->values.len, y->values.len);
    for (uint32_t k = 0; k < x->values.len; k++) {
        const struct value *v = &x->values.at[k], *w = &y->values.at[k];
        if (strcmp(v->name, w->name) != 0)
            return arena_printf(a, "value %u: '%s', then '%s'", k, v->name, w->name);
        if (v->kind != w->kind || v->node != w->node || v->output != w->output ||
            (v->kind != VALUE_NODE && (v->dtype != w->dtype || !shape_equal(&v->shape, &w->shape))))
            return arena_printf(a, "value '%s': kind, node, type or shape", v->name);
        if (v->kind == VALUE_CONST && !tensors_equal(&v->data, &w->data))
            return arena_printf(a, "value '%s': data", v->name);
    }
    return NULL;
}

static const char *
node_difference(struct arena *a, const struct node *n, const struct node *m)
{
    if (strcmp(n->name, m->name) != 0)
        return arena_printf(a, "node '%s', then '%s'", n->name, m->name);
    if (n->op != m->op || n->in.len != m->in.len || n->out.len != m->out.len ||
        !bits_equal(n->in.at, m->in.at, n->in.len * sizeof *n->in.at) ||
        !bits_equal(n->out.at, m->out.at, n->out.len * sizeof *n->out.at))
        return arena_printf(a, "node '%s': op, inputs or outputs", n->name);
    if (memcmp(&n->pins, &m->pins, sizeof n->pins) != 0)
        return arena_printf(a, "node '%s': pins", n->name);
    if (n->attrs.len != m->attrs.len)
        return arena_printf(a, "node '%s': %u attributes, then %u", n->name, n->attrs.len,
                            m->attrs.len);
    for (uint32_t k = 0; k < n->attrs.len; k++)
        if (!attrs_equal(&n->attrs.at[k], &m->attrs.at[k]))
            return arena_printf(a, "node '%s': attribute '%s'", n->name, n->attrs.at[k].name);
    return NULL;
}

const char *
dsl_difference(struct arena *a, const struct graph *x, const struct graph *y)
{
    const char *different = values_difference(a, x, y);
    if (different)
        return different;
    if (strcmp(x->name, y->name) != 0 || x->opset != y->opset)
        return "name or opset";
    if (memcmp(x->hash, y->hash, sizeof x->hash) != 0)
        return "hash";
    if (x->inputs.len != y->inputs.len || x->outputs.len != y->outputs.len ||
        !bits_equal(x->outputs.at, y->outputs.at, x->outputs.len * sizeof *x->outputs.at))
        return "inputs or outputs";
    for (uint32_t k = 0; k < x->inputs.len; k++)
        if (x->inputs.at[k].value != y->inputs.at[k].value ||
            !pixels_equal(&x->inputs.at[k].pixels, &y->inputs.at[k].pixels))
            return "an input or its pixels";
    if (x->nodes.len != y->nodes.len)
        return "number of nodes";
    for (uint32_t k = 0; !different && k < x->nodes.len; k++)
        different = node_difference(a, &x->nodes.at[k], &y->nodes.at[k]);
    return different;
}

const char *
dsl_round_trip(struct arena *a, const struct graph *g)
{
    struct diag *d = diag_new();
    struct str text = {0}, again = {0}, messages = {0};
    struct dsl_file *files;
    uint32_t n;
    const char *dir = dsl_folder(a), *wrong = NULL;

    dsl_print(g, &text, a, &files, &n, d);
    for (uint32_t k = 0; k < n; k++)
        file_write(file_join(a, dir, files[k].name), files[k].data, files[k].size, d);
    struct graph *h = dsl_read(a, dir, str_text(&text), d);
    if (!h) {
        diag_print(d, &messages);
        wrong = arena_printf(a, "%s%s", str_text(&messages), str_text(&text));
    } else {
        wrong = dsl_difference(a, g, h);
        dsl_print(h, &again, a, NULL, NULL, d);
        if (!wrong && strcmp(str_text(&text), str_text(&again)) != 0)
            wrong = "the second print differs";
        if (wrong)
            wrong = arena_printf(a, "%s\n%s", wrong, str_text(&text));
    }
    dsl_folder_remove(dir);
    str_free(&text);
    str_free(&again);
    str_free(&messages);
    diag_free(d);
    return wrong;
}
