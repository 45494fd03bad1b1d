/* he.h - the HE program: what the generated C will do, instruction by instruction.
 *
 * Flat SSA: instruction k makes value k. A value is a tensor as a bundle of `cts` ciphertexts under
 * a layout; every instruction works on all ciphertexts of the bundle. After schedule/ every value
 * has its level (limbs - 1) and its scale, every map and polynomial its own. heops.def has a row
 * for each instruction; the verifier, the text form and the emitter read it. */
#ifndef OLAC_IR_HE_H
#define OLAC_IR_HE_H

#include "ir/graph.h"
#include "ir/matrix.h"
#include "ola/plan.h"

enum he_op {
    HE_NONE,
#define HE(symbol, runtime, args_lo, args_hi, data, level, scale) HE_##symbol,
#include "ir/heops.def"
#undef HE
    HE_COUNT
};

/* A run of tensor elements in slots: element elem + k * elem_step sits in slot slot + k *
 * slot_step, k < count. Slots count through the bundle: ciphertext slot / slots, slot slot %
 * slots. */
struct he_run {
    uint32_t elem, elem_step, slot, slot_step, count;
};

/* Where the elements of a tensor are. With a period below the slot count the whole first period is
 * repeated through the ciphertext. Slots that hold no element are unspecified but bounded. */
struct he_layout {
    struct shape shape;
    uint32_t cts; /* ciphertexts of the bundle */
    /* power of two, at most the slot count; equal to it when cts > 1; 1 in a batch */
    uint32_t period;
    uint32_t *slot; /* for each element of the tensor, in [0, cts * period) */
    uint32_t n;     /* elements */
};

/* One generalised diagonal: of input ciphertext in_ct to output ciphertext out_ct,
 *   out[t] += value[t mod period] * in[(t + giant + baby) mod slots]
 * value is given as it is multiplied in, before the giant rotation: the runtime computes
 *   out += rotate( value' . rotate(in, baby), giant ),   value'[t] = value[t - giant]
 * `value` here is value' (already shifted). rotate(v, r)[t] = v[t + r], indices mod slots. */
struct he_diagonal {
    uint32_t arg; /* which argument of the instruction */
    uint32_t in_ct, out_ct;
    uint32_t giant, baby; /* in [0, slots) */
    uint32_t period;      /* length of value: power of two dividing the slot count */
    float *value;
};

/* A linear map between bundles: diagonals (sorted by out_ct, giant, arg, in_ct, baby), then the sum
 * is rescaled, then folded: for each f: out += rotate(out, f); then bias is added (period-long
 * vectors, one an output ciphertext; NULL: none). free_of_level: all values of all diagonals are 1:
 * rotations and sums only, no product, no rescale; `value` is NULL then. The output's scale says
 * the constant factor (value = slot / scale). */
struct he_map {
    const char *name;
    uint32_t args, in_cts, out_cts; /* in_cts: of one argument, all the same */
    VEC(struct he_diagonal) diagonals;
    VEC(uint32_t) folds; /* rotations, ascending powers of two times something */
    double **bias;       /* [out_ct][bias_period] */
    uint32_t bias_period;
    bool free_of_level;
    /* bound on sum |weight| of a row, root mean square, for the noise model */
    double gain;
    double largest; /* |weight| */
    /* where the weights come from: a node of the tensor program, one argument or (NONE) all */
    uint32_t node, part;
    /* by schedule */
    uint32_t level; /* of the input */
    double in_scale, out_scale;
    bool compact;    /* diagonals are kept as coefficients (ola.h) */
    uint32_t coarse; /* what baby steps are split by, 0: not */
};

/* A polynomial on every slot: sum_k coef[k] * T_k(x), |x| <= 1 in every slot that holds an element
 * (normalisation has been folded elsewhere). coef[ct][k]: a vector of `period`, or of 1 when equal
 * in all slots. degree >= 1; its depth is ceil(log2(degree + 1)). */
struct he_poly {
    const char *name;
    uint32_t degree, cts, period;
    float ***coef; /* [ct][k][period] */
    uint32_t level;
    double in_scale, out_scale;
};

/* A term of a sparse sum: an integer times a ciphertext of the argument, or (columns from `cols`
 * on) times a partial sum. */
struct he_term {
    uint32_t column;
    int64_t weight;
};

/* A linear map of a batch: every element is a ciphertext, the matrix is the program,
 *   out[r] = unit * sum weight * x[column] + bias[r],   x[c] = in[c] or its square.
 * The first `temps` rows are partial sums that later rows read. Before batch/ has chosen integers
 * (start NULL) the weights are those of m. */
struct he_sparse {
    const char *name;
    const char *squares; /* the activation whose squares are read, for reports; NULL: none */
    uint32_t cols, rows, temps;
    const struct matrix *m;
    double *bias; /* [rows], or NULL */
    double gain;  /* root of the largest sum of squared weights of a row, for the noise model */
    /* by batch/ */
    uint32_t *start; /* [temps + rows + 1] */
    VEC(struct he_term) terms;
    bool shifts; /* every weight is +- 2^k */
    double unit;
    uint32_t level;
    double in_scale, out_scale;
};

/* A bootstrapping: from level boot.stc of the parameters to a level up to boot.out_level. */
struct he_refresh {
    uint32_t period, out_level;
    double in_scale, out_scale;
};

struct he_inst {
    enum he_op op;
    VEC(uint32_t) args; /* values (instruction indices) */
    uint32_t data;      /* index of input, output, map, polynomial; NONE */
    double *vector;     /* add_plain: [cts][period], else NULL */
    uint32_t cts;
    uint32_t layout;  /* index into layouts */
    const char *node; /* name of the graph node that it computes, for comments */
    /* by batch/: components, 2 or 3; bound on |value|; primes that a reduction divides by; a sparse
     * sum that only the next instruction reads, evaluated with it in one pass */
    uint32_t parts;
    double bound;
    uint32_t down;
    bool passed;
    /* by schedule */
    uint32_t level;
    double scale;
    /* modelled deviation of the CKKS error in a slot, in units of the value */
    double noise;
    /* of it what is new since the polynomials before it: as if their results were exact */
    double fresh;
    double seconds; /* predicted by the cost table; 0: not known */
};

struct he_port {
    const char *name; /* of the graph's input or output */
    uint32_t value;   /* the instruction */
    uint32_t layout;
    VEC(struct he_run) runs;  /* the layout's first period, as runs */
    struct pixels pixels;     /* inputs */
    VEC(struct he_run) spare; /* outputs: slots that are 0 in every right answer; elem is unused */
    double range;             /* outputs: bound on |value| that the modulus leaves room for */
};

/* What the runtime takes on a machine (he_price.c): seconds of one core for one limb at N = 2^14,
 * from which all other sizes follow. */
struct he_costs {
    double transform; /* number-theoretic transform */
    double multiply;  /* element by element */
    double inner;     /* one digit of a key switch with its key, both components */
    double speedup;   /* of all threads together over one */
    double memory;    /* bytes that pass through memory in a second, of all threads together */
};
/* The table that olac ships with. */
extern const struct he_costs he_costs_shipped;

struct he_params {
    uint32_t log_n, slots;
    VEC(uint64_t) q;      /* q[0] the last one left */
    VEC(uint64_t) p;      /* key switching */
    uint32_t digit_limbs; /* most limbs of q in one digit */
    /* Digits of a key switch at a level (he_digits_fill); all 0: of digit_limbs limbs each. */
    uint8_t digits[OLA_MAX_Q];
    double scale;               /* the default scale, 2^k */
    struct ola_boot_shape boot; /* all 0: none */
    double log_qp;
    uint32_t security; /* 128, 192, 256, or 0 with insecure_toy */
    bool insecure_toy;
    const struct he_costs *costs; /* what to price with; NULL: he_costs_shipped */
    /* While a bootstrapping to a lower level is priced: the limbs that it leaves out of q. */
    uint32_t gap_at, gap;
};

struct he_rotation {
    uint32_t step;  /* left by, in [1, slots) */
    uint32_t level; /* the highest level at which it is used */
};

/* Operations on ciphertexts (HOPs), as struct ola_counts of ola/ola.h defines them. */
struct he_counts {
    uint64_t additions, scalar_products, plain_products, products, rotations, relinearisations,
        rescales;
};

struct tp;

struct he_program {
    struct arena *arena;
    const char *name;
    uint8_t model_hash[32];
    const struct tp *tp; /* what it was lowered from, for weights that are not there yet; or NULL */
    VEC(struct he_inst) insts;
    VEC(struct he_layout) layouts;
    VEC(struct he_map) maps;
    VEC(struct he_poly) polys;
    VEC(struct he_sparse) sparse;
    uint32_t batch; /* images of an evaluation, one in each slot; 0: a single one, over the slots */
    VEC(struct he_refresh) refreshes; /* the kinds of them; by schedule */
    VEC(struct he_port) inputs, outputs;
    struct he_params params;
    VEC(struct he_rotation) rotations; /* ascending steps */
    uint32_t relin_level;              /* NONE: no relinearisation key */
    double ram; /* bytes that an evaluation may take; 0: as schedule/ sees fit */
    /* by schedule: what evaluating one image takes, from the cost table */
    double seconds;
    uint64_t peak_bytes, key_bytes;
    struct he_counts counts;
    uint64_t count_refreshes;
};

/* A baby step as the two rotations that a map makes of it, either of them 0. */
struct he_baby {
    uint32_t coarse, fine;
};
struct he_baby he_map_baby(const struct he_map *m, uint32_t step);
/* The coarse rotations of a map: of each input (arg * in_cts + in_ct) ascending, each made of the
 * one before it, which is `from` (0: the input itself). The result is how many. */
struct he_coarse {
    uint32_t input, step, from;
};
uint32_t he_map_coarse(struct arena *a, const struct he_map *m, struct he_coarse **list);
/* The rotation between the giant step of diagonal k and the one before it of the same output, or 0
 * when there is none before: 0 when both are the same. */
uint32_t he_map_giant(const struct he_map *m, uint32_t k);
/* Which slots of output ciphertext `ct` are 0 whatever the map reads: zero[slots]. */
void he_map_zeros(const struct he_map *m, uint32_t ct, uint32_t slots, bool *zero);
/* Rotations of an evaluation: of each input by each coarse step, of each of these by each fine one,
 * of each output by each step between its giants and by each fold; and the ciphertexts raised for
 * the first two. */
struct he_rotations {
    uint32_t coarse, fine, giants, folds, raised;
    uint32_t rotated; /* outputs whose sum is rotated behind its last group */
    uint32_t runs; /* groups of one output and giant step, as often as there are inputs rotated by
                         a coarse step that go into them */
};
struct he_rotations he_map_rotations(const struct he_map *m);
uint32_t he_rotations_sum(const struct he_rotations *r);

/* Of one instruction; without the squares that a sparse map reads, which are their activation's. */
struct he_counts he_count(const struct he_program *p, uint32_t inst);
struct he_counts he_count_all(const struct he_program *p);
/* By node of the graph, in the order of evaluation; sparse: a map of a batch, which with all its
 * weights, none of them pruned, would take `dense`. */
struct he_node_counts {
    const char *node;
    struct he_counts counts, dense;
    bool sparse;
};
struct he_counts_list {
    struct he_node_counts *at;
    uint32_t len, cap;
};
void he_count_nodes(const struct he_program *p, struct arena *a, struct he_counts_list *list);

/* Prices by the parameters' costs, in seconds: one rotation, and one more that shares its
 * decomposition, at a level. */
double he_price_rotation(const struct he_params *p, uint32_t level, bool hoisted);
/* Seconds of instruction k when its arguments are at `level`, rotations those of each map; 0 for
 * what is not worth counting. */
double he_price_inst(const struct he_program *p, const struct he_rotations *rotations, uint32_t k,
                     uint32_t level);
/* Seconds of a bootstrapping to out_level of one ciphertext whose slots have this period. */
double he_price_refresh(const struct he_params *p, uint32_t period, uint32_t out_level);
/* Seconds of instruction k of a scheduled program. */
double he_price_scheduled(const struct he_program *p, uint32_t k);

/* How an evaluation shares out among cores: `times` times, one after the other, `units` equal
 * pieces side by side that take `work` seconds of one core together. */
struct he_phase {
    double work, times;
    uint32_t units;
};
struct he_phases {
    struct he_phase *at;
    uint32_t len, cap;
};
/* Adds instruction k's phases; the bytes that it moves through memory. */
double he_price_phases(const struct he_program *p, struct arena *a, uint32_t k,
                       struct he_phases *list);
/* Seconds of phases in their order on so many cores, memory left aside; 0: on any number. */
double he_phases_seconds(const struct he_phases *list, uint32_t cores);
/* Of a scheduled program, as the runtime evaluates it: instruction by instruction. path: seconds of
 * the longest chain of instructions that wait for one another, on any number of cores; bytes that
 * an evaluation moves through memory, and what the machine of the costs moves in a second. */
#define HE_CORES 7 /* 1, 2, 4 .. 64 */
struct he_scaling {
    struct {
        uint32_t cores;
        double seconds; /* memory left aside */
    } at[HE_CORES];
    double path, bytes, memory;
};
void he_price_cores(const struct he_program *p, struct he_scaling *out);

/* Bytes of a map's diagonals as the runtime keeps them. */
uint64_t he_map_bytes(const struct he_params *p, const struct he_map *m);
/* Fills seconds, peak_bytes, key_bytes and counts of a scheduled program. */
void he_price(struct he_program *p);

/* The parameters as the runtime takes them, without the model's hash. */
struct ola_literal he_literal(const struct he_params *p);
/* Digits of a key switch at a level; fill: once the primes stand, where digits differ in width. */
uint32_t he_digits(const struct he_params *p, uint32_t level);
void he_digits_fill(struct he_params *p);

/* Stages: HE_LOWERED (no levels), HE_SCHEDULED (levels, scales, keys). E_GRAPH on each broken
 * rule. */
enum he_stage { HE_LOWERED, HE_SCHEDULED };
/* A copy that schedule may change; diagonals, coefficients and layouts are shared. */
struct he_program *he_copy(const struct he_program *p);
bool he_check(const struct he_program *p, enum he_stage stage, struct diag *d);
/* The text form, one instruction a line; deterministic. */
void he_print(const struct he_program *p, struct str *out);
/* Exact evaluation on cleartext slots: in[k] the elements of input k, out[k] those of output k. */
bool he_eval(const struct he_program *p, const float *const *in, float *const *out, struct diag *d);

#endif
