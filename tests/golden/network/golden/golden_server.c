/* golden_server.c - evaluation of golden on encrypted images. Generated; do not edit.
 *
 * made by   olac 0.1.0
 * network   golden
 * model     BLAKE2b-256 766d56875ce3ca2c12ee4eac3648bb81a0116a93d2125ab3aaa61f8c1ac6dab9
 * options   degree 0 (chosen), 0 calibration images
 * security  128 bits (classical)
 * ring      log N = 13, log QP = 202.0, 3 levels
 * keys      5 rotations, relinearisation, 4653056 bytes
 *
 * Holds no secret: links libola alone. A layer is a function; ciphertexts live in numbered
 * registers, a tensor in consecutive ones. A register is used again as soon as nothing needs what
 * it holds, and keeps its memory from one evaluation to the next. */
#include "golden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct ola_literal parameters = {
    .log_n = 13,
    .n_q = 4,
    .n_p = 2,
    .q = {0x2000088001, 0x80014001, 0x7ffe0001, 0x800a4001},
    .p = {0x100008c001, 0xffffc4001},
    .digit_limbs = 2,
    .insecure_toy = false,
    .model = {0x76, 0x6d, 0x56, 0x87, 0x5c, 0xe3, 0xca, 0x2c, 0x12, 0xee, 0x4e, 0xac, 0x36, 0x48,
              0xbb, 0x81, 0xa0, 0x11, 0x6a, 0x93, 0xd2, 0x12, 0x5a, 0xb3, 0xaa, 0xa6, 0x1f, 0x8c,
              0x1a, 0xc6, 0xda, 0xb9},
};

#define REGISTERS 2 /* ciphertexts alive at one time, at most */

#define MAPS 2
#define MAP_INPUTS 1 /* ciphertexts that go into one, at most */

/* Linear maps: section of the weights; level, scales of input and output, how it is kept;
 * ciphertexts. */
static const struct map {
    const char *section;
    struct ola_map_desc desc;
    uint32_t args, in_cts, out_cts;
} maps[MAPS] = {
    {"map:0_a", {3, 0x1p+31, 0x1.fffbfffdfffcp+30, false, 0}, 1, 1, 1},
    {"map:1_logits", {1, 0x1p+31, 0x1p+31, false, 0}, 1, 1, 1},
};

/* The ciphertexts that clients send. */
static const struct {
    uint32_t cts, level;
    double scale;
} inputs[GOLDEN_INPUTS] = {
    {1, 3, 0x1p+31},
};

struct golden_server {
    const ola_params *params;
    ola_params *own; /* the same, or NULL: they are somebody else's */
    ola_weights *weights; /* open while streaming */
    ola_map *map[MAPS];
};

struct golden_session {
    const struct golden_server *server;
    ola_server *ola;
    ola_ct *r[REGISTERS];
};

/* One evaluation. The first failure stays in status and turns all that follows into nothing. */
struct run {
    const struct golden_session *session;
    const ola_ct *const *in;
    ola_ct *const *out;
    ola_ct **r;
    ola_status status;
};

/* Makes registers first .. first + n - 1 hold handles. */
static bool
ready(struct run *run, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n && run->status == OLA_OK; i++)
        if (!run->r[i])
            run->status = ola_ct_new(run->session->server->params, &run->r[i]);
    return run->status == OLA_OK;
}

static void
input(struct run *run, uint32_t to, uint32_t first, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_ct_copy(run->r[to + i], run->in[first + i]);
}

static void
output(struct run *run, uint32_t first, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_ct_copy(run->out[first + i], run->r[from + i]);
}

/* A section that takes or gives other ciphertexts than the layers have would be read past the end
 * of their registers. */
static ola_status
map_shape(const struct map *m, const void *section, size_t size)
{
    struct ola_weights_map head;
    if (size < sizeof head)
        return OLA_ERR_FORMAT;
    memcpy(&head, section, sizeof head);
    return head.args == m->args && head.in_cts == m->in_cts && head.out_cts == m->out_cts
               ? OLA_OK
               : OLA_ERR_FORMAT;
}

static ola_status
open_map(const struct golden_server *s, const ola_weights *weights, uint32_t index, ola_map **out)
{
    const void *section;
    size_t size;
    ola_status status = ola_weights_find(weights, maps[index].section, &section, &size);
    if (status == OLA_OK)
        status = map_shape(&maps[index], section, size);
    if (status == OLA_OK)
        status = ola_map_new(s->params, &maps[index].desc, section, size, out);
    return status;
}

/* from: the first register of each argument. */
static void
linear(struct run *run, uint32_t index, uint32_t to, const uint32_t *from)
{
    const struct golden_server *s = run->session->server;
    const struct map *m = &maps[index];
    const ola_ct *in[MAP_INPUTS];
    ola_map *made = NULL;

    if (!ready(run, to, m->out_cts))
        return;
    for (uint32_t a = 0; a < m->args; a++)
        for (uint32_t i = 0; i < m->in_cts; i++)
            in[a * m->in_cts + i] = run->r[from[a] + i];
    if (!s->map[index])
        run->status = open_map(s, s->weights, index, &made);
    if (run->status == OLA_OK)
        run->status = ola_linear(run->session->ola, made ? made : s->map[index], in, run->r + to);
    ola_map_free(made);
}

static void
mul(struct run *run, uint32_t to, uint32_t a, uint32_t b, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_mul(run->session->ola, run->r[to + i], run->r[a + i], run->r[b + i]);
}

static void
relinearise(struct run *run, uint32_t to, uint32_t from, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_relinearise(run->session->ola, run->r[to + i], run->r[from + i]);
}

static void
rescale(struct run *run, uint32_t to, uint32_t from, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_rescale(run->session->ola, run->r[to + i], run->r[from + i]);
}

/* ---- the layers, in the order of evaluation -------------------------------------------------- */

/* a: Conv 1x4x4 -> 1x3x3, level 3 -> 2, 4 diagonals, 2 rotations */
static void
layer_0(struct run *run)
{
    input(run, 0, 0, 1);
    linear(run, 0, 1, (const uint32_t[]){0});
}

/* b: Mul 1x3x3 -> 1x3x3, level 2 -> 1, 1 product */
static void
layer_1(struct run *run)
{
    mul(run, 1, 1, 1, 1);
    relinearise(run, 1, 1, 1);
    rescale(run, 1, 1, 1);
}

/* logits: Gemm 1x3x3 -> 2, level 1 -> 0, 2 diagonals, 4 rotations */
static void
layer_2(struct run *run)
{
    linear(run, 1, 0, (const uint32_t[]){1});
    output(run, 0, 0, 1);
}

/* Registers that later layers read, layer after layer. */
static const struct span {
    uint32_t first, n;
} live[] = {
    {1, 1},
    {1, 1},
    {0, 0},
};

static const struct layer {
    const char *name;
    void (*call)(struct run *run);
    double seconds; /* predicted; all 1 where nothing is known */
    uint32_t live, live_end; /* entries of live */
} layers[GOLDEN_LAYERS] = {
    {"a", layer_0, 0.00046, 0, 1},
    {"b", layer_1, 0.000145, 1, 2},
    {"logits", layer_2, 0.000266, 2, 2},
};

/* ---- the interface of golden.h --------------------------------------------------------------- */

static ola_status
load_weights(struct golden_server *s, const ola_weights *weights, enum golden_loading loading)
{
    ola_status status = OLA_OK;
    if (loading == GOLDEN_STREAMED)
        return status;
    for (uint32_t i = 0; i < MAPS && status == OLA_OK; i++)
        status = open_map(s, weights, i, &s->map[i]);
    return status;
}

static ola_status
server_open(const ola_params *params, const char *weights, enum golden_loading loading,
            struct golden_server **out)
{
    struct golden_server *s = calloc(1, sizeof *s);
    if (!s)
        return OLA_ERR_NOMEM;
    ola_status status = OLA_OK;
    if (!params)
        status = ola_params_new(&parameters, &s->own);
    else if (!ola_params_of(params, &parameters))
        status = OLA_ERR_FINGERPRINT;
    s->params = params ? params : s->own;
    if (status == OLA_OK)
        status = ola_weights_open(weights, parameters.model, &s->weights);
    if (status == OLA_OK)
        status = load_weights(s, s->weights, loading);
    if (status != OLA_OK) {
        golden_server_free(s);
        return status;
    }
    if (loading == GOLDEN_RESIDENT) {
        ola_weights_close(s->weights);
        s->weights = NULL;
    }
    *out = s;
    return OLA_OK;
}

ola_status
golden_server_new(const char *weights, enum golden_loading loading, struct golden_server **out)
{
    return server_open(NULL, weights, loading, out);
}

ola_status
golden_server_beside(const ola_params *params, const char *weights, enum golden_loading loading,
                  struct golden_server **out)
{
    return params ? server_open(params, weights, loading, out) : OLA_ERR_PARAM;
}

void
golden_server_free(struct golden_server *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < MAPS; i++)
        ola_map_free(s->map[i]);
    if (s->weights)
        ola_weights_close(s->weights);
    ola_params_free(s->own);
    free(s);
}

const ola_params *
golden_server_params(const struct golden_server *s)
{
    return s->params;
}

ola_status
golden_session_new(const struct golden_server *s, const ola_keys *keys, struct golden_session **out)
{
    struct golden_session *session = calloc(1, sizeof *session);
    if (!session)
        return OLA_ERR_NOMEM;
    session->server = s;
    ola_status status = ola_server_new(s->params, keys, &session->ola);
    if (status == OLA_OK)
        status = ola_linear_prepare(session->ola, (const ola_map *const *)s->map, MAPS);
    if (status == OLA_OK)
        *out = session;
    else
        golden_session_free(session);
    return status;
}

void
golden_session_free(struct golden_session *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < REGISTERS; i++)
        ola_ct_free(s->r[i]);
    ola_server_free(s->ola);
    free(s);
}

void
golden_session_counts(const struct golden_session *s, struct ola_counts *out)
{
    ola_server_counts(s->ola, out);
}

void
golden_session_seconds(const struct golden_session *s, double out[OLA_KINDS])
{
    ola_server_seconds(s->ola, out);
}

/* Ciphertexts come from outside: level and scale must be those that the first layers expect. */
static ola_status
check_inputs(const ola_ct *const *in)
{
    uint32_t ct = 0;
    for (uint32_t i = 0; i < GOLDEN_INPUTS; i++)
        for (uint32_t k = 0; k < inputs[i].cts; k++, ct++) {
            double ratio = ola_ct_scale(in[ct]) / inputs[i].scale;
            if (ola_ct_level(in[ct]) != inputs[i].level)
                return OLA_ERR_LEVEL;
            if (!(ratio > 1 - 1e-9 && ratio < 1 + 1e-9))
                return OLA_ERR_SCALE;
        }
    return OLA_OK;
}

/* What an evaluation goes on with at layer `place`: the registers that it and later ones read. */
static ola_status
save_checkpoint(const struct run *run, uint32_t place, const char *path)
{
    const ola_ct *held[REGISTERS] = {NULL};
    for (uint32_t k = layers[place - 1].live; k < layers[place - 1].live_end; k++)
        for (uint32_t i = live[k].first; i < live[k].first + live[k].n; i++)
            held[i] = run->r[i];
    return ola_state_save(run->session->server->params, run->in, GOLDEN_INPUT_CTS, place, held,
                          REGISTERS, path);
}

/* The layer to go on with: 0 where there is no checkpoint yet. */
static uint32_t
load_checkpoint(struct run *run, const char *path)
{
    uint32_t place = 0;
    if (!ready(run, 0, REGISTERS))
        return 0;
    ola_status status = ola_state_load(run->session->server->params, run->in, GOLDEN_INPUT_CTS,
                                       &place,
                                       run->r, REGISTERS, path);
    if (status == OLA_ERR_IO && errno == ENOENT)
        return 0;
    run->status = status == OLA_OK && place >= GOLDEN_LAYERS ? OLA_ERR_FORMAT : status;
    return place;
}

ola_status
golden_evaluate_resumable(struct golden_session *s, const ola_ct *const *in, ola_ct *const *out,
                       const char *checkpoint, golden_progress progress, void *user)
{
    struct run run = {
        .session = s, .in = in, .out = out, .r = s->r, .status = check_inputs(in)};
    double all = 0, done = 0;
    uint32_t first = checkpoint && run.status == OLA_OK ? load_checkpoint(&run, checkpoint) : 0;

    for (uint32_t i = 0; i < GOLDEN_LAYERS; i++) {
        all += layers[i].seconds;
        done += i < first ? layers[i].seconds : 0;
    }
    for (uint32_t i = first; i < GOLDEN_LAYERS && run.status == OLA_OK; i++) {
        if (progress)
            progress(user, i, GOLDEN_LAYERS, done / all, layers[i].name);
        layers[i].call(&run);
        done += layers[i].seconds;
        if (checkpoint && i + 1 < GOLDEN_LAYERS && run.status == OLA_OK)
            run.status = save_checkpoint(&run, i + 1, checkpoint);
    }
    if (progress && run.status == OLA_OK)
        progress(user, GOLDEN_LAYERS, GOLDEN_LAYERS, 1, "");
    return run.status;
}

ola_status
golden_evaluate(struct golden_session *s, const ola_ct *const *in, ola_ct *const *out,
             golden_progress progress, void *user)
{
    return golden_evaluate_resumable(s, in, out, NULL, progress, user);
}
