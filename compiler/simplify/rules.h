/* rules.h - the rewrites of simplify/. Each goes over the whole graph once and returns how often it
 * applied; none changes what the network computes. New nodes may stand out of order and new values
 * may lack a shape until the door calls graph_tidy and graph_infer. */
#ifndef OLAC_SIMPLIFY_RULES_H
#define OLAC_SIMPLIFY_RULES_H

#include "op/op.h"

/* moves.c */
uint32_t rule_nops(struct graph *g);  /* Identity, Dropout */
uint32_t rule_moves(struct graph *g); /* moves that move nothing, alone or two in a row */
/* batchnorm.c */
uint32_t rule_batchnorm(struct graph *g); /* into the linear map before it */
/* spelling.c */
uint32_t
rule_spelling(struct graph *g); /* GELU, SiLU, HardSwish, Mish, Softplus of several nodes */
/* rows.c */
uint32_t rule_rows(struct graph *g); /* LayerNormalization, Softmax of several nodes */
/* split.c */
uint32_t rule_limits(struct graph *g); /* Max, Min with one number: Clip */
uint32_t
rule_prelu(struct graph *g); /* a slope that is not one number a channel: Relu and products */

/* Readers of `from` read `to`. False, and nothing done, where an output would lose its name: `from`
 * is an output and `to` an input of the network or an output as well. */
bool rule_bypass(struct graph *g, uint32_t from, uint32_t to);
/* Makes a node another one, in place: op, its inputs, no attributes; name, output and pins stay. */
void rule_become(struct graph *g, struct node *n, enum op_id op, const uint32_t *in, uint32_t n_in);
/* A new constant, named after `like` (a value or NONE). */
uint32_t rule_const(struct graph *g, uint32_t like, struct tensor data);
/* The one number that a constant of floats holds (all elements are equal). */
bool rule_number(const struct graph *g, uint32_t value, double *number);
bool rule_is_output(const struct graph *g, uint32_t value);

#endif
