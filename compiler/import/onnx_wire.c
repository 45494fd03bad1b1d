/* onnx_wire.c - from untrusted bytes to protobuf-c messages.
 *
 * The bytes are walked once along the schema before protobuf-c sees them. That finds where a file
 * is cut off, and refuses what protobuf-c itself doesn't bound: nesting (its unpacking is
 * recursive), and a single message given many times (merging them takes quadratic time). */
#include "import/onnx.h"

#include <inttypes.h>
#include <stdlib.h>

/* Messages within messages; a model without control flow has at most 12. As in other readers. */
#define MAX_DEPTH 100
/* What unpacking may allocate for each byte of the file, and beside that. */
#define MEMORY_FACTOR 64
#define MEMORY_BASE   ((size_t)1 << 20)

struct walk {
    const uint8_t *data;
    size_t size;
    const char *file;
    struct diag *diag;
};

static bool
truncated(const struct walk *w, size_t at, const char *message, const char *field, uint64_t missing)
{
    diag_error(w->diag, E_ONNX_TRUNCATED, PLACE_FILE(w->file),
               "the file is cut off at byte %zu, in %s.%s that began at byte %zu: at least %" PRIu64
               " bytes are missing",
               w->size, message, field, at, missing);
    return false;
}

static bool
damaged(const struct walk *w, size_t at, const char *message, const char *why)
{
    diag_error(w->diag, E_ONNX_DAMAGED, PLACE_FILE(w->file),
               "not a valid ONNX model: byte %zu, in %s: %s", at, message, why);
    return false;
}

/* Something runs over the end of the message m: of the file, or of a message within it. */
static bool
overrun(const struct walk *w, size_t at, const ProtobufCMessageDescriptor *m, const char *field,
        uint64_t missing)
{
    if (m == &onnx__model_proto__descriptor)
        return truncated(w, at, m->short_name, field, missing);
    return damaged(w, at, m->short_name, "a field is longer than what holds it");
}

/* A base-128 integer of at most 10 bytes. */
static bool
varint(const struct walk *w, size_t *at, size_t end, const ProtobufCMessageDescriptor *m,
       uint64_t *v)
{
    size_t start = *at;
    *v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (*at == end)
            return overrun(w, start, m, "(number)", 1);
        uint8_t byte = w->data[(*at)++];
        if (shift < 64)
            *v |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128))
            return true;
    }
    return damaged(w, start, m->short_name, "a number of more than 10 bytes");
}

/* Whether a field of this type may come with this wire type. */
static bool
wire_fits(const ProtobufCFieldDescriptor *f, unsigned wire)
{
    bool packed = f->label == PROTOBUF_C_LABEL_REPEATED && wire == 2;
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return wire == 2;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return wire == 5 || packed;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return wire == 1 || packed;
    default:
        return wire == 0 || packed;
    }
}

/* A field's tag, checked against the schema; *f is NULL for a field of a later schema. */
static bool
walk_tag(const struct walk *w, size_t *at, size_t end, const ProtobufCMessageDescriptor *m,
         const ProtobufCFieldDescriptor **f, unsigned *wire, uint64_t *seen)
{
    size_t start = *at;
    uint64_t tag;

    if (!varint(w, at, end, m, &tag))
        return false;
    *wire = tag & 7;
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return damaged(w, start, m->short_name, "a field with an impossible number");
    if (*wire == 3 || *wire == 4 || *wire > 5)
        return damaged(w, start, m->short_name, "a field of an impossible kind");
    *f = protobuf_c_message_descriptor_get_field(m, (unsigned)(tag >> 3));
    if (!*f)
        return true;
    if (!wire_fits(*f, *wire))
        return damaged(w, start, m->short_name, "a field of the wrong kind");
    size_t bit = (size_t)(*f - m->fields);
    if ((*f)->type == PROTOBUF_C_TYPE_MESSAGE && (*f)->label != PROTOBUF_C_LABEL_REPEATED) {
        if (bit < 64 && *seen >> bit & 1)
            return damaged(w, start, m->short_name, "a field that is given twice");
        *seen |= bit < 64 ? (uint64_t)1 << bit : 0;
    }
    return true;
}

static bool
walk_message(const struct walk *w, size_t at, size_t end, const ProtobufCMessageDescriptor *m,
             unsigned depth)
{
    uint64_t seen = 0, length;

    if (depth > MAX_DEPTH)
        return damaged(w, at, m->short_name, "messages are nested more than 100 deep");
    while (at < end) {
        const ProtobufCFieldDescriptor *f;
        size_t start = at;
        unsigned wire;
        if (!walk_tag(w, &at, end, m, &f, &wire, &seen))
            return false;
        if (wire == 0) {
            if (!varint(w, &at, end, m, &length))
                return false;
            continue;
        }
        length = wire == 1 ? 8 : 4;
        if (wire == 2 && !varint(w, &at, end, m, &length))
            return false;
        if (length > end - at)
            return overrun(w, start, m, f ? f->name : "(unknown)", length - (end - at));
        if (f && f->type == PROTOBUF_C_TYPE_MESSAGE &&
            !walk_message(w, at, at + length, f->descriptor, depth + 1))
            return false;
        at += length;
    }
    return true;
}

/* Allocation that stops when the file has had its share. */
struct budget {
    size_t left;
    bool exceeded;
};

static void *
budget_alloc(void *user, size_t size)
{
    struct budget *b = user;
    if (size > b->left) {
        b->exceeded = true;
        return NULL;
    }
    b->left -= size;
    return malloc(size ? size : 1);
}

static void
budget_free(void *user, void *p)
{
    (void)user;
    free(p);
}

Onnx__ModelProto *
onnx_unpack(const char *file, const uint8_t *data, size_t size, struct diag *d)
{
    struct walk w = {data, size, file, d};
    struct budget b = {.left = size + OLAC_MAX_BYTES};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &b};

    if (size == 0) {
        diag_error(d, E_EMPTY, PLACE_FILE(file), "the file is empty");
        return NULL;
    }
    if (!walk_message(&w, 0, size, &onnx__model_proto__descriptor, 1))
        return NULL;
    if (size < OLAC_MAX_BYTES / MEMORY_FACTOR)
        b.left = MEMORY_BASE + size * MEMORY_FACTOR;
    Onnx__ModelProto *m = onnx__model_proto__unpack(&allocator, size, data);
    if (!m && b.exceeded)
        diag_error(d, E_TOO_LARGE, PLACE_FILE(file),
                   "the file of %zu bytes unpacks to more than %d times its size", size,
                   MEMORY_FACTOR);
    else if (!m)
        diag_error(d, E_ONNX_DAMAGED, PLACE_FILE(file),
                   "not a valid ONNX model: its messages cannot be unpacked");
    return m;
}

void
onnx_free(Onnx__ModelProto *m)
{
    struct budget b = {0};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &b};
    if (m)
        onnx__model_proto__free_unpacked(m, &allocator);
}
