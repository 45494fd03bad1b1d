/* test_onnx_wire.c - damaged and hostile bytes: cut off, flipped, nested, repeated, swollen. */
#include "onnx_make.h"

#include <criterion/criterion.h>
#include <string.h>

static struct graph *
import(struct arena *a, const uint8_t *bytes, size_t size, struct diag *d)
{
    return import_onnx(a, "bytes.onnx", NULL, bytes, size, d);
}

static void
refused(const void *bytes, size_t size, enum code code, const char *part)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    cr_expect(!import(a, bytes, size, d));
    cr_expect(said(d, code, part), "wanted E%d with '%s', got: %s", (int)code, part,
              all_messages(a, d));
    diag_free(d);
    arena_free(a);
}

/* Every prefix is an error that says so; none of them is another model. */
Test(onnx_wire, every_prefix)
{
    struct maker *m = make_small();
    size_t size, cut = 0;
    const uint8_t *bytes = make_pack(m, &size);

    for (size_t n = 0; n < size; n++) {
        struct arena *a = arena_new();
        struct diag *d = diag_new();
        uint8_t *exact = arena_alloc(a, n);
        memcpy(exact, bytes, n);
        cr_assert(!import(a, exact, n, d), "a prefix of %zu bytes was taken", n);
        cr_assert_geq(diag_errors(d), 1);
        if (n == 0)
            cr_expect(said(d, E_EMPTY, "empty"));
        cut += said(d, E_ONNX_TRUNCATED, "");
        diag_free(d);
        arena_free(a);
    }
    cr_expect_geq(cut, size - 4, "%zu of %zu prefixes are called cut off", cut, size);
    make_free(m);
}

/* A changed file gives an error, or a graph that the verifier takes. */
static void
survives(const uint8_t *bytes, size_t size)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    uint8_t *exact = arena_alloc(a, size);
    memcpy(exact, bytes, size);
    struct graph *g = import(a, exact, size, d);
    if (g)
        cr_assert(graph_check(g, STAGE_IMPORTED, d), "%s", all_messages(a, d));
    else
        cr_assert_geq(diag_errors(d), 1);
    diag_free(d);
    arena_free(a);
}

Test(onnx_wire, every_flipped_bit)
{
    struct maker *m = make_small();
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);
    uint8_t *changed = arena_alloc(m->arena, size);

    for (size_t bit = 0; bit < 8 * size; bit++) {
        memcpy(changed, bytes, size);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        survives(changed, size);
    }
    make_free(m);
}

Test(onnx_wire, many_changed_bytes)
{
    struct maker *m = make_small();
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);
    uint8_t *changed = arena_alloc(m->arena, size);
    uint64_t state = 1;

    for (int round = 0; round < 3000; round++) {
        memcpy(changed, bytes, size);
        for (int k = 0; k < 1 + round % 5; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            changed[(state >> 33) % size] = (uint8_t)(state >> 24);
        }
        survives(changed, size);
    }
    make_free(m);
}

Test(onnx_wire, not_onnx_at_all)
{
    refused("\x89PNG\r\n\x1a\n", 8, E_ONNX_TRUNCATED, "");
    refused("\0\0\0\0", 4, E_ONNX_DAMAGED, "impossible number");
    refused("\x0b", 1, E_ONNX_DAMAGED, "impossible kind");
    refused("\x0a\x01x", 3, E_ONNX_DAMAGED, "wrong kind"); /* ir_version as text */
    refused("\x3a\x02\x0a\x05", 4, E_ONNX_DAMAGED,
            "longer than what holds it"); /* graph { node: 5 } */
    refused("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, E_ONNX_DAMAGED, "10 bytes");
    refused("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, E_ONNX_TRUNCATED, "ModelProto.graph");
    refused("\x08\x07\x3a\0\x3a\0", 6, E_ONNX_DAMAGED, "given twice");
    refused("\x08\x07", 2, E_ONNX_TRUNCATED, "no graph");
}

/* A field of a later schema does no harm. */
Test(onnx_wire, unknown_fields)
{
    struct maker *m = make_small();
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);
    uint8_t *more = arena_alloc(m->arena, size + 5);
    memcpy(more, bytes, size);
    memcpy(more + size, "\xd2\x0f\x02hi", 5); /* field 250 */
    cr_expect(import(m->arena, more, size + 5, m->diag), "%s", all_messages(m->arena, m->diag));
    make_free(m);
}

/* Wraps bytes in a field; returns the new size. Works backwards from the end of a buffer. */
static size_t
wrap(uint8_t *end, size_t size, uint8_t tag)
{
    uint8_t head[11] = {tag};
    size_t n = 1, v = size;
    do {
        head[n++] = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
        v >>= 7;
    } while (v);
    memcpy(end - size - n, head, n);
    return size + n;
}

/* Graphs in attributes of nodes of graphs ..., a hundred thousand deep: no recursion may follow. */
Test(onnx_wire, deep_nesting)
{
    struct arena *a = arena_new();
    size_t room = (size_t)4 << 20, size = 0;
    uint8_t *buffer = arena_alloc(a, room), *end = buffer + room;

    for (int k = 0; k < 100000; k++) {
        size = wrap(end, size, 6 << 3 | 2); /* AttributeProto.g */
        size = wrap(end, size, 5 << 3 | 2); /* NodeProto.attribute */
        size = wrap(end, size, 1 << 3 | 2); /* GraphProto.node */
    }
    size = wrap(end, size, 7 << 3 | 2); /* ModelProto.graph */
    refused(end - size, size, E_ONNX_DAMAGED, "nested more than 100 deep");
    arena_free(a);
}

/* Messages of no bytes cost memory all the same; a file may not ask for more than its share. */
Test(onnx_wire, swollen_messages)
{
    struct arena *a = arena_new();
    size_t n = 1 << 20, room = 2 * n + 16, size = 2 * n;
    uint8_t *buffer = arena_alloc(a, room), *end = buffer + room;

    for (size_t k = 0; k < n; k++)
        end[-(ptrdiff_t)size + (ptrdiff_t)(2 * k)] = 1 << 3 | 2; /* an empty node */
    size = wrap(end, size, 7 << 3 | 2);
    refused(end - size, size, E_TOO_LARGE, "times its size");
    arena_free(a);
}
