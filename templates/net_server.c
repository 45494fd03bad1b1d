//%% The server's half. Marks: parameters, parts, layers; conditions parts, vector and one for each
//%% HE instruction, by its name.
/* net_server.c - evaluation of net on encrypted images. Generated; do not edit.
 *
//% provenance
 *
 * Holds no secret: links libola alone. A layer is a function; ciphertexts live in numbered
 * registers, a tensor in consecutive ones. A register is used again as soon as nothing needs what
 * it holds, and keeps its memory from one evaluation to the next. */
#include "net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

//% parameters

//% parts

struct net_server {
    const ola_params *params;
    ola_params *own; /* the same, or NULL: they are somebody else's */
    ola_weights *weights; /* open while streaming */
//% if linear
    ola_map *map[MAPS];
//% end
//% if poly
    ola_poly *poly[POLYS];
//% end
//% if sparse
    ola_sparse *sparse[SPARSES];
//% end
//% if refresh
    ola_boot *refresh[REFRESHES];
//% end
//% if vector
    double *vector[VECTORS];
//% end
};

struct net_session {
    const struct net_server *server;
    ola_server *ola;
    ola_ct *r[REGISTERS];
};

/* One evaluation. The first failure stays in status and turns all that follows into nothing. */
struct run {
    const struct net_session *session;
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
//% if input

static void
input(struct run *run, uint32_t to, uint32_t first, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_ct_copy(run->r[to + i], run->in[first + i]);
}
//% end

static void
output(struct run *run, uint32_t first, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_ct_copy(run->out[first + i], run->r[from + i]);
}
//% if linear

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
open_map(const struct net_server *s, const ola_weights *weights, uint32_t index, ola_map **out)
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
    const struct net_server *s = run->session->server;
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
//% end
//% if poly

/* As many ciphertexts as the layers have, for the same reason as with maps. */
static ola_status
poly_shape(const struct poly *f, const void *section, size_t size)
{
    struct ola_weights_poly head;
    if (size < sizeof head)
        return OLA_ERR_FORMAT;
    memcpy(&head, section, sizeof head);
    return head.cts == f->cts ? OLA_OK : OLA_ERR_FORMAT;
}

static ola_status
open_poly(const struct net_server *s, const ola_weights *weights, uint32_t index, ola_poly **out)
{
    const void *section;
    size_t size;
    ola_status status = ola_weights_find(weights, polys[index].section, &section, &size);
    if (status == OLA_OK)
        status = poly_shape(&polys[index], section, size);
    if (status == OLA_OK)
        status = ola_poly_new(s->params, &polys[index].desc, section, size, out);
    return status;
}

static void
poly(struct run *run, uint32_t index, uint32_t to, uint32_t from)
{
    const struct net_server *s = run->session->server;
    const ola_ct *in[POLY_INPUTS];
    ola_poly *made = NULL;

    if (!ready(run, to, polys[index].cts))
        return;
    for (uint32_t i = 0; i < polys[index].cts; i++)
        in[i] = run->r[from + i];
    if (!s->poly[index])
        run->status = open_poly(s, s->weights, index, &made);
    if (run->status == OLA_OK)
        run->status =
            ola_poly_eval(run->session->ola, made ? made : s->poly[index], in, run->r + to);
    ola_poly_free(made);
}
//% end
//% if sparse

/* As many ciphertexts as the layers have, for the same reason as with maps. */
static ola_status
sparse_shape(const struct sparse *m, const void *section, size_t size)
{
    struct ola_weights_sparse head;
    if (size < sizeof head)
        return OLA_ERR_FORMAT;
    memcpy(&head, section, sizeof head);
    return head.cols == m->cols && head.rows == m->rows ? OLA_OK : OLA_ERR_FORMAT;
}

static ola_status
open_sparse(const struct net_server *s, const ola_weights *weights, uint32_t index,
            ola_sparse **out)
{
    const void *section;
    size_t size;
    ola_status status = ola_weights_find(weights, sparses[index].section, &section, &size);
    if (status == OLA_OK)
        status = sparse_shape(&sparses[index], section, size);
    if (status == OLA_OK)
        status = ola_sparse_new(s->params, &sparses[index].desc, section, size, out);
    return status;
}
//% if held

/* Registers from `first` on, to be read. */
static inline const ola_ct *const *
held(const struct run *run, uint32_t first)
{
    return (const ola_ct *const *)(run->r + first);
}
//% end

/* Maps first .. first + n - 1, one behind the other, in one pass over the ciphertexts. */
static void
sparse(struct run *run, uint32_t first, uint32_t n, uint32_t to, const ola_ct *const *from)
{
    const struct net_server *s = run->session->server;
    const ola_sparse *maps_of_pass[PASS];
    ola_sparse *made[PASS] = {NULL};

    if (!ready(run, to, sparses[first + n - 1].rows))
        return;
    for (uint32_t k = 0; k < n && run->status == OLA_OK; k++) {
        if (!s->sparse[first + k])
            run->status = open_sparse(s, s->weights, first + k, &made[k]);
        maps_of_pass[k] = made[k] ? made[k] : s->sparse[first + k];
    }
    if (run->status == OLA_OK)
        run->status = ola_sparse_eval(run->session->ola, maps_of_pass, n, from, run->r + to);
    for (uint32_t k = 0; k < n; k++)
        ola_sparse_free(made[k]);
}
//% end
//% if reduce

/* Relinearises and rescales down to `level`. */
static void
reduce(struct run *run, uint32_t to, uint32_t from, uint32_t n, uint32_t level)
{
    if (!ready(run, to, n))
        return;
    run->status = ola_reduce(run->session->ola, run->r + to,
                             (const ola_ct *const *)(run->r + from), n, level);
}
//% end
//% if refresh

/* Bootstraps n ciphertexts. */
static void
refresh(struct run *run, uint32_t index, uint32_t to, uint32_t from, uint32_t n)
{
    const ola_boot *boot = run->session->server->refresh[index];
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_bootstrap(run->session->ola, boot, run->r[to + i], run->r[from + i]);
}
//% end
//% if vector

/* A section of doubles, copied. */
static ola_status
open_vector(const ola_weights *weights, uint32_t index, double **out)
{
    const void *section;
    size_t size, want = (size_t)vectors[index].cts * vectors[index].period * sizeof **out;
    ola_status status = ola_weights_find(weights, vectors[index].section, &section, &size);
    if (status != OLA_OK)
        return status;
    if (size != want)
        return OLA_ERR_FORMAT;
    double *v = malloc(want);
    if (!v)
        return OLA_ERR_NOMEM;
    memcpy(v, section, want);
    *out = v;
    return OLA_OK;
}

static void
add_plain(struct run *run, uint32_t index, uint32_t to, uint32_t from)
{
    const double *v = run->session->server->vector[index];
    uint32_t n = vectors[index].cts, period = vectors[index].period;
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_add_plain(run->session->ola, run->r[to + i], run->r[from + i],
                                    v + (size_t)i * period, period);
}
//% end
//% if add

static void
add(struct run *run, uint32_t to, uint32_t a, uint32_t b, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_add(run->session->ola, run->r[to + i], run->r[a + i], run->r[b + i]);
}
//% end
//% if sub

static void
sub(struct run *run, uint32_t to, uint32_t a, uint32_t b, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_sub(run->session->ola, run->r[to + i], run->r[a + i], run->r[b + i]);
}
//% end
//% if mul

static void
mul(struct run *run, uint32_t to, uint32_t a, uint32_t b, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_mul(run->session->ola, run->r[to + i], run->r[a + i], run->r[b + i]);
}
//% end
//% if relin

static void
relinearise(struct run *run, uint32_t to, uint32_t from, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_relinearise(run->session->ola, run->r[to + i], run->r[from + i]);
}
//% end
//% if rescale

static void
rescale(struct run *run, uint32_t to, uint32_t from, uint32_t n)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_rescale(run->session->ola, run->r[to + i], run->r[from + i]);
}
//% end
//% if drop

static void
drop(struct run *run, uint32_t to, uint32_t from, uint32_t n, uint32_t level)
{
    if (!ready(run, to, n))
        return;
    for (uint32_t i = 0; i < n && run->status == OLA_OK; i++)
        run->status = ola_drop(run->session->ola, run->r[to + i], run->r[from + i], level);
}
//% end

/* ---- the layers, in the order of evaluation -------------------------------------------------- */

//% layers

/* ---- the interface of net.h ------------------------------------------------------------------ */

//% if parts
static ola_status
load_weights(struct net_server *s, const ola_weights *weights, enum net_loading loading)
{
    ola_status status = OLA_OK;
//% if vector
    for (uint32_t i = 0; i < VECTORS && status == OLA_OK; i++)
        status = open_vector(weights, i, &s->vector[i]);
//% end
//% if refresh
    for (uint32_t i = 0; i < REFRESHES && status == OLA_OK; i++)
        status = ola_boot_new_to(s->params, refreshes[i].out_level, refreshes[i].period,
                                 refreshes[i].in_scale, refreshes[i].out_scale, &s->refresh[i]);
//% end
    if (loading == NET_STREAMED)
        return status;
//% if linear
    for (uint32_t i = 0; i < MAPS && status == OLA_OK; i++)
        status = open_map(s, weights, i, &s->map[i]);
//% end
//% if poly
    for (uint32_t i = 0; i < POLYS && status == OLA_OK; i++)
        status = open_poly(s, weights, i, &s->poly[i]);
//% end
//% if sparse
    for (uint32_t i = 0; i < SPARSES && status == OLA_OK; i++)
        status = open_sparse(s, weights, i, &s->sparse[i]);
//% end
    return status;
}

//% end
static ola_status
server_open(const ola_params *params, const char *weights, enum net_loading loading,
            struct net_server **out)
{
    struct net_server *s = calloc(1, sizeof *s);
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
//% if parts
    if (status == OLA_OK)
        status = load_weights(s, s->weights, loading);
//% end
    if (status != OLA_OK) {
        net_server_free(s);
        return status;
    }
    if (loading == NET_RESIDENT) {
        ola_weights_close(s->weights);
        s->weights = NULL;
    }
    *out = s;
    return OLA_OK;
}

ola_status
net_server_new(const char *weights, enum net_loading loading, struct net_server **out)
{
    return server_open(NULL, weights, loading, out);
}

ola_status
net_server_beside(const ola_params *params, const char *weights, enum net_loading loading,
                  struct net_server **out)
{
    return params ? server_open(params, weights, loading, out) : OLA_ERR_PARAM;
}

void
net_server_free(struct net_server *s)
{
    if (!s)
        return;
//% if linear
    for (uint32_t i = 0; i < MAPS; i++)
        ola_map_free(s->map[i]);
//% end
//% if poly
    for (uint32_t i = 0; i < POLYS; i++)
        ola_poly_free(s->poly[i]);
//% end
//% if sparse
    for (uint32_t i = 0; i < SPARSES; i++)
        ola_sparse_free(s->sparse[i]);
//% end
//% if refresh
    for (uint32_t i = 0; i < REFRESHES; i++)
        ola_boot_free(s->refresh[i]);
//% end
//% if vector
    for (uint32_t i = 0; i < VECTORS; i++)
        free(s->vector[i]);
//% end
    if (s->weights)
        ola_weights_close(s->weights);
    ola_params_free(s->own);
    free(s);
}

const ola_params *
net_server_params(const struct net_server *s)
{
    return s->params;
}

ola_status
net_session_new(const struct net_server *s, const ola_keys *keys, struct net_session **out)
{
    struct net_session *session = calloc(1, sizeof *session);
    if (!session)
        return OLA_ERR_NOMEM;
    session->server = s;
    ola_status status = ola_server_new(s->params, keys, &session->ola);
//% if linear
    if (status == OLA_OK)
        status = ola_linear_prepare(session->ola, (const ola_map *const *)s->map, MAPS);
//% end
//% if refresh
    if (status == OLA_OK)
        status =
            ola_bootstrap_prepare(session->ola, (const ola_boot *const *)s->refresh, REFRESHES);
//% end
    if (status == OLA_OK)
        *out = session;
    else
        net_session_free(session);
    return status;
}

void
net_session_free(struct net_session *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < REGISTERS; i++)
        ola_ct_free(s->r[i]);
    ola_server_free(s->ola);
    free(s);
}

void
net_session_counts(const struct net_session *s, struct ola_counts *out)
{
    ola_server_counts(s->ola, out);
}

void
net_session_seconds(const struct net_session *s, double out[OLA_KINDS])
{
    ola_server_seconds(s->ola, out);
}

/* Ciphertexts come from outside: level and scale must be those that the first layers expect. */
static ola_status
check_inputs(const ola_ct *const *in)
{
    uint32_t ct = 0;
    for (uint32_t i = 0; i < NET_INPUTS; i++)
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
    return ola_state_save(run->session->server->params, run->in, NET_INPUT_CTS, place, held,
                          REGISTERS, path);
}

/* The layer to go on with: 0 where there is no checkpoint yet. */
static uint32_t
load_checkpoint(struct run *run, const char *path)
{
    uint32_t place = 0;
    if (!ready(run, 0, REGISTERS))
        return 0;
    ola_status status = ola_state_load(run->session->server->params, run->in, NET_INPUT_CTS, &place,
                                       run->r, REGISTERS, path);
    if (status == OLA_ERR_IO && errno == ENOENT)
        return 0;
    run->status = status == OLA_OK && place >= NET_LAYERS ? OLA_ERR_FORMAT : status;
    return place;
}

ola_status
net_evaluate_resumable(struct net_session *s, const ola_ct *const *in, ola_ct *const *out,
                       const char *checkpoint, net_progress progress, void *user)
{
    struct run run = {
        .session = s, .in = in, .out = out, .r = s->r, .status = check_inputs(in)};
    double all = 0, done = 0;
    uint32_t first = checkpoint && run.status == OLA_OK ? load_checkpoint(&run, checkpoint) : 0;

    for (uint32_t i = 0; i < NET_LAYERS; i++) {
        all += layers[i].seconds;
        done += i < first ? layers[i].seconds : 0;
    }
    for (uint32_t i = first; i < NET_LAYERS && run.status == OLA_OK; i++) {
        if (progress)
            progress(user, i, NET_LAYERS, done / all, layers[i].name);
        layers[i].call(&run);
        done += layers[i].seconds;
        if (checkpoint && i + 1 < NET_LAYERS && run.status == OLA_OK)
            run.status = save_checkpoint(&run, i + 1, checkpoint);
    }
    if (progress && run.status == OLA_OK)
        progress(user, NET_LAYERS, NET_LAYERS, 1, "");
    return run.status;
}

ola_status
net_evaluate(struct net_session *s, const ola_ct *const *in, ola_ct *const *out,
             net_progress progress, void *user)
{
    return net_evaluate_resumable(s, in, out, NULL, progress, user);
}
