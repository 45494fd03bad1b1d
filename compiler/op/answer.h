/* answer.h - when two networks are said to give the same answer; one rule for choosing degrees, for
 * simulating and for running. */
#ifndef OLAC_OP_ANSWER_H
#define OLAC_OP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

/* Of a single output that is not a probability: as near as this times the largest. */
#define ANSWER_NEAR 0.05

/* What one answer is, judged by all float answers of a data set. */
struct answer_rule {
    int64_t n;        /* outputs of an image */
    bool probability; /* n == 1 and every float answer in [0, 1]: the class is output >= 0.5 */
    double largest;   /* largest finite |float output|, at least 1e-30 */
};

/* outputs: images x n, of the float network. */
struct answer_rule answer_rule(const float *outputs, uint32_t images, int64_t n);
/* n > 1: the index of the largest output (the first of equals); a probability: 0 or 1; -1 when an
 * output is not finite, or when the network does not classify. */
int64_t answer_class(const struct answer_rule *r, const float *output);
/* Same class; of a single output that is no probability: within ANSWER_NEAR * largest. Never true
 * when an output of b is not finite. */
bool answer_agrees(const struct answer_rule *r, const float *a, const float *b);

#endif
