/* dsl_sugar.h - the short spellings of common operators: conv(x, "conv1", stride 2). Each stands
 * for an ONNX node with exactly known attributes in a known order (those that PyTorch's exporter
 * writes), so that the printer can use it where, and only where, it means the same node. */
#ifndef OLAC_IMPORT_DSL_SUGAR_H
#define OLAC_IMPORT_DSL_SUGAR_H

#include "ir/graph.h"

enum sugar_form {
    FORM_PLAIN,     /* attributes are the row's options */
    FORM_CONV,      /* stride, pad, dilation, groups; the kernel's size is the weights' */
    FORM_DEPTHWISE, /* the same with as many groups as output channels */
    FORM_POOL       /* size, stride, pad */
};

/* An attribute of a FORM_PLAIN. */
struct sugar_option {
    const char *name; /* as written, NULL: cannot be written, always `otherwise` */
    const char *attr;
    enum attr_kind kind;
    const char *otherwise; /* default; NULL: must be given */
    int since;             /* there from this opset on */
};

struct sugar {
    const char *name;
    enum op_id op;
    enum sugar_form form;
    const char *weights[4]; /* suffixes of the constants that follow input 0 */
    const char *optional;   /* "bias": the last weight can be left out by `no bias` */
    struct sugar_option options[3];
};

struct attrs {
    struct attr *at;
    uint32_t len, cap;
};

/* Sizes of windows; n dimensions. pad: all beginnings, then all ends, as in ONNX. */
struct spatial {
    uint32_t n;
    int64_t kernel[MAX_RANK], stride[MAX_RANK], dilation[MAX_RANK], pad[2 * MAX_RANK], groups;
};

/* NULL when there is none. */
const struct sugar *sugar_find(const char *name);
/* NULL at the end. */
const struct sugar *sugar_at(uint32_t k);
uint32_t sugar_weights(const struct sugar *u);
/* The attributes of a FORM_CONV, FORM_DEPTHWISE or FORM_POOL. */
struct attrs sugar_spatial(struct arena *a, const struct sugar *u, const struct spatial *s,
                           int opset);
/* An option's default as an attribute. */
struct attr sugar_default(struct arena *a, const struct sugar_option *o);
struct attr attr_int(struct arena *a, const char *name, int64_t v);
struct attr attr_float(struct arena *a, const char *name, float v);
struct attr attr_ints(struct arena *a, const char *name, const int64_t *v, uint32_t n);
/* Same name, kind, values bit for bit. */
bool attr_equal(const struct attr *a, const struct attr *b);

#endif
