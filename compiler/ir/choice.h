/* choice.h - what each activation could be: the candidates with their errors, made by
 * approximate/, weighed by the impacts and chosen from by choose/. */
#ifndef OLAC_IR_CHOICE_H
#define OLAC_IR_CHOICE_H

#include "ir/graph.h"

/* Candidates of one activation. */
#define CHOICE_MOST 8

struct choice_option {
    uint32_t degree; /* asked for */
    uint32_t levels; /* that it uses up; 0 where a line will do: that becomes part of a map */
    /* [channels]: mean square error over what calibration feeds the channel; of a FACTOR
     * (ops.def) that of its share of the value */
    double *error;
    struct poly *poly; /* on what the float network feeds it */
    /* what the answers lose by it alone, everything else exact; by choose_measure */
    double measured;
};

struct choice_layer {
    uint32_t node;     /* of the graph */
    uint32_t channels; /* as graph_channels says */
    uint32_t n;        /* candidates, degrees and levels ascending */
    struct choice_option option[CHOICE_MOST];
    bool measured; /* all of them */
    /* [channels]: E_data[(dL/da)^2], of a FACTOR E_data[(a dL/da)^2], summed over the channel's
     * elements a, the activation's outputs in the float network; L is the loss. By choose/. */
    double *impact;
};

struct choice {
    uint32_t n;
    struct choice_layer *layers; /* in the order of the graph */
};

#endif
