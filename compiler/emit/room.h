/* room.h - what the files of emit/ share: the program with everything that the text needs to know
 * about it, worked out once. Inside emit/. */
#ifndef OLAC_EMIT_ROOM_H
#define OLAC_EMIT_ROOM_H

#include "emit/emit.h"

/* Instructions in a row that compute one node; one C function. */
struct layer {
    uint32_t first, count; /* instructions */
    uint32_t result;       /* the one that makes what the node computes */
    const char *name;      /* of the node, fit for a comment and a string */
    const char *title; /* "c1: Conv 1x28x28 -> 6x28x28, level 9 -> 8, 25 diagonals, 9 rotations" */
    const char *op;    /* of the node in the graph; of the instruction where there is none */
    uint32_t rotations, products, plain_products, degree;
    double seconds;
};

struct emitter {
    struct arena *a;
    const struct he_program *p;
    const struct emit_options *o;
    struct diag *d;
    const char *name, *capitals; /* C identifiers */
    /* of the sections of the weights file */
    const char **map_name, **poly_name, **sparse_name;
    VEC(uint32_t) vectors; /* instructions with an added vector */
    VEC(struct layer) layers;
    /* by instruction: its first register; NONE for outputs, for what never leaves a pass over
     * sparse maps, and for inputs that only sparse maps read, where they are */
    uint32_t *reg;
    uint32_t *last_use; /* by instruction: the last one that reads it, or itself */
    bool *in_place;     /* by instruction: it takes the registers of an argument over */
    uint32_t registers;
    uint32_t input_size, input_cts, output_size, output_cts; /* all ports together */
    uint64_t weights_bytes;
    uint8_t weights_hash[32];
};

/* common.c */
const char *emit_version(void);
/* Printable ASCII that can stand in a comment. */
const char *emit_plain(struct arena *a, const char *text);
/* `text` as a C string literal. */
void emit_string(struct str *out, const char *text);
void emit_hex(struct str *out, const uint8_t *bytes, uint32_t n);
/* A double for C: shortest decimal that reads back the same; scales as hexadecimal floats. */
void emit_scale(struct str *out, double x);
/* The shape without a leading dimension of one image. */
const char *emit_shape(struct arena *a, const struct shape *s);
/* The name of the vector section of an instruction. */
const char *emit_vector_name(const struct emitter *e, uint32_t k);

/* wrap.c: breaks lines of C that are longer than 100 columns, since names differ in length. */
void emit_wrap(const char *text, struct str *out);
/* The instruction that ends the pass over sparse maps that k is in; k when it is in none. */
uint32_t emit_pass_end(const struct emitter *e, uint32_t k);
/* registers.c: last_use, in_place, reg, registers */
void emit_registers(struct emitter *e);
/* layers.c: layers */
void emit_layers(struct emitter *e);
/* marks.c, code.c: what stands for marks and conditions of the templates; data is the emitter */
bool emit_mark(void *data, const char *word, struct str *out);
bool emit_condition(void *data, const char *word, bool *holds);
void emit_code(struct emitter *e, struct str *out);
/* binary.c: map_name, poly_name, sparse_name; the weights (weights_bytes, weights_hash) and the
 * self-test */
void emit_sections(struct emitter *e);
void emit_weights(struct emitter *e, struct str *out);
void emit_selftest(const struct emitter *e, struct str *out);
/* front.c: the tables, or the steps, of the part in the clear; the numbers that it works on */
void emit_front(struct emitter *e, bool tables, struct str *out);
uint32_t emit_front_size(const struct emitter *e);
/* The image's tensor i, which is the front's where there is one. */
struct image_port {
    const char *name;
    const struct shape *shape;
    const struct pixels *pixels;
    uint32_t n;
};
struct image_port emit_image(const struct emitter *e, uint32_t i);
/* manifest.c */
void emit_manifest(const struct emitter *e, struct str *out);
/* diff.c: unified diff with three lines of context; nothing when equal. */
void emit_diff(struct arena *a, const char *name, const char *old, const char *new,
               struct str *out);

#endif
