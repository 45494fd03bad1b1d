/* products.c - inside a linear map: the babies of each source from one raised form (hoisting), and
 * their products with the diagonals, summed lazily into the groups. In a late map babies and groups
 * have limbs modulo P too, and P times the values (map.h). */
#include <string.h>

#include "ckks/map.h"
#include "ckks/server.h"

#define BATCH         8u /* rotations switched and divided together */
#define COMPACT_TERMS 8u /* compact plaintexts transformed, then multiplied, together */

/* ---- where things are ---- */

/* Babies and groups have two parts of m->positions limbs. */
static size_t
part_words(const struct ola_map *m)
{
    return (size_t)m->positions * m->params->n;
}

static uint64_t *
baby_part(const struct ola_server *s, const struct ola_map *m, uint32_t slot, uint32_t part)
{
    return s->piece[OLA_BABY] + (2 * (size_t)slot + part) * part_words(m);
}

uint64_t *
ola_group_part(const struct ola_server *s, const struct ola_map *m, uint32_t group, uint32_t part)
{
    return s->piece[OLA_GROUP] + (2 * (size_t)m->group[group].slot + part) * part_words(m);
}

static size_t
coarse_words(const struct ola_map *m)
{
    return (m->desc.level + 1) * (size_t)m->params->n;
}

static uint64_t *
coarse_part(const struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
            uint32_t part)
{
    return s->piece[OLA_COARSE] + (2 * (size_t)source->slot + part) * coarse_words(m);
}

/* The ciphertext that a source's babies are rotations of: limbs of a part. */
static const uint64_t *
source_part(const struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
            const struct ola_ct *const *in, uint32_t part)
{
    if (source->step != 0)
        return coarse_part(s, m, source, part);
    return ola_ct_limb(in[source->input], part, 0);
}

/* Babies of a source are made limb by limb where they are multiplied. */
static bool
made_in_passing(const struct ola_map *m)
{
    return m->late && !m->by_output;
}

/* Of a limb, that a thread works on at a time: all where compact plaintexts are transformed, else
 * few enough that babies made in passing stay in the cache. */
static uint32_t
piece_entries(const struct ola_map *m)
{
    return m->desc.compact ? m->params->n : OLA_CHUNK;
}

static size_t
passing_words(const struct ola_map *m)
{
    return made_in_passing(m) ? 2 * (size_t)m->most_babies * piece_entries(m) : 0;
}

static size_t
work_words(const struct ola_map *m)
{
    return passing_words(m) + (m->desc.compact ? COMPACT_TERMS * (size_t)m->params->n : 0);
}

ola_status
ola_products_reserve(struct ola_server *s, const struct ola_map *m)
{
    const uint32_t most = m->late || m->most_babies == 0 ? 1 : m->most_babies;
    size_t words[OLA_PIECES] = {[OLA_COARSE] = 2 * m->coarse_slots * coarse_words(m),
                                [OLA_BABY] = 2 * m->baby_slots * part_words(m),
                                [OLA_GROUP] = 2 * m->group_slots * part_words(m),
                                [OLA_WORK] = (size_t)s->threads * work_words(m)};
    ola_switch_room(m->params, m->desc.level, 2 * (most < BATCH ? most : BATCH), words);
    return ola_server_room(s, words);
}

/* ---- babies ---- */

/* A source that is a rotation of another ciphertext, the parts of which are `from`; raised: the
 * raised form of that, or of nothing. The source may lie where the other one was. */
static void
rotate_coarse(struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
              const uint64_t *const *from, struct ola_raised *raised)
{
    const uint32_t level = m->desc.level;
    const struct ola_switch *key = ola_keys_rotation(s->keys, source->step, level);
    uint64_t *const to[2] = {coarse_part(s, m, source, 0), coarse_part(s, m, source, 1)};
    if (raised->own == NULL)
        ola_raise_once(s, from[1], level, raised);
    struct ola_switch_job job = {.raised = raised, .key = key, .perm = key->perm, .a0 = from[0]};
    ola_switch_divide(s, &job, 1, &s->params->by_p, level, to);
    *raised = (struct ola_raised){0};
    s->counts.rotations++;
}

static struct ola_switch_job
baby_job(const struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
         const struct ola_ct *const *in, const struct ola_raised *raised, uint32_t baby)
{
    const struct ola_switch *key =
        ola_keys_rotation(s->keys, m->baby[source->first_baby + baby], m->desc.level);
    return (struct ola_switch_job){
        .raised = raised, .key = key, .perm = key->perm, .a0 = source_part(s, m, source, in, 0)};
}

/* All babies of a source into their slots. */
static void
rotate_babies(struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
              const struct ola_ct *const *in, const struct ola_raised *raised)
{
    const uint32_t level = m->desc.level, *babies = m->baby + source->first_baby;
    struct ola_switch_job jobs[BATCH];
    uint64_t *to[2 * BATCH];
    uint32_t count = 0;
    for (uint32_t k = 0; k < source->n_babies; k++) {
        uint64_t *slot[2] = {baby_part(s, m, source->first_slot + k, 0),
                             baby_part(s, m, source->first_slot + k, 1)};
        if (babies[k] != 0) {
            jobs[count] = baby_job(s, m, source, in, raised, k);
            to[m->late ? count : 2 * count] = slot[0];
            if (!m->late)
                to[2 * count + 1] = slot[1];
            count++;
        } else if (m->late) {
            ola_switch_lift(s, source_part(s, m, source, in, 0), source_part(s, m, source, in, 1),
                            level, slot[0], false);
        }
        if (count == BATCH || (count != 0 && k + 1 == source->n_babies)) {
            if (m->late)
                ola_switch_add(s, jobs, count, to, false);
            else
                ola_switch_divide(s, jobs, count, &s->params->by_p, level, to);
            count = 0;
        }
    }
}

/* ---- products ---- */

/* What one thread works on at a time: a chunk of a limb of everything, or a whole limb. */
struct piece {
    uint32_t limb; /* position */
    const struct ola_modulus *q;
    size_t first, end;     /* entries */
    uint64_t *babies;      /* [baby][part] of these entries when they are made in passing */
    uint64_t *transformed; /* room for limbs of compact plaintexts */
};

static void
make_babies(struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
            const struct ola_ct *const *in, const struct ola_raised *raised, struct piece w)
{
    const size_t at = w.limb * (size_t)s->params->n + w.first;
    const struct ola_part these = {w.limb, (uint32_t)w.first, (uint32_t)(w.end - w.first)};
    for (uint32_t k = 0; k < source->n_babies; k++) {
        uint64_t *to[2] = {w.babies + 2 * k * (size_t)these.count,
                           w.babies + (2 * k + 1) * (size_t)these.count};
        if (m->baby[source->first_baby + k] != 0) {
            struct ola_switch_job job = baby_job(s, m, source, in, raised, k);
            ola_switch_part(s, &job, these, to[0], to[1], false, ola_server_temp(s));
            continue;
        }
        for (uint32_t part = 0; part < 2; part++) {
            if (w.limb <= m->desc.level)
                s->backend->scale(to[part], source_part(s, m, source, in, part) + at,
                                  s->params->by_p.product[w.limb], these.count, w.q);
            else
                memset(to[part], 0, these.count * sizeof **to);
        }
    }
}

static const uint64_t *
baby_chunk(const struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
           const struct ola_ct *const *in, uint32_t baby, uint32_t part, struct piece w, size_t at)
{
    const size_t n = m->params->n;
    if (w.babies != NULL) {
        const size_t entries = piece_entries(m);
        return w.babies + (2 * baby + part) * entries + at % entries;
    }
    if (!m->late && m->baby[source->first_baby + baby] == 0)
        return source_part(s, m, source, in, part) + w.limb * n + at;
    return baby_part(s, m, source->first_slot + baby, part) + w.limb * n + at;
}

/* Up to OLA_TERMS terms, none of them 0, and the limbs of their plaintexts. */
struct batch {
    uint32_t count;
    bool wide; /* some plaintext's residues have 8 bytes */
    uint32_t baby[OLA_TERMS];
    struct ola_plain_limb limb[OLA_TERMS];
};

/* to (+)= the products of a batch, one chunk. */
static void
multiply_chunk(struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
               const struct ola_ct *const *in, const struct batch *b, struct piece w, size_t at,
               uint64_t *const *to, bool add)
{
    uint64_t *room = ola_server_temp(s);
    const void *plain[OLA_TERMS], *b0[OLA_TERMS], *b1[OLA_TERMS];
    for (uint32_t k = 0; k < b->count; k++, room += OLA_CHUNK) {
        if (b->wide)
            plain[k] = ola_plain_chunk(m->params, b->limb[k], at, room);
        else
            plain[k] = ola_plain_entries(m->params, b->limb[k], at, room);
        b0[k] = baby_chunk(s, m, source, in, b->baby[k], 0, w, at);
        b1[k] = baby_chunk(s, m, source, in, b->baby[k], 1, w, at);
    }
    const uint32_t how = (add ? OLA_INNER_ADD : 0) | (b->wide ? 0 : OLA_INNER_NARROW_A);
    s->backend->inner(to[0] + at, to[1] + at, plain, b0, b1, b->count, how, NULL, OLA_CHUNK, w.q);
}

static void
multiply_run(struct ola_server *s, const struct ola_map *m, const struct ola_run *run,
             const struct ola_ct *const *in, struct piece w)
{
    const size_t n = m->params->n;
    const uint32_t most = m->desc.compact ? COMPACT_TERMS : OLA_TERMS;
    uint64_t *const to[2] = {ola_group_part(s, m, run->group, 0) + w.limb * n,
                             ola_group_part(s, m, run->group, 1) + w.limb * n};
    bool add = !run->opens;
    for (uint32_t k = run->first, end = k + run->count; k < end;) {
        struct batch b = {0};
        for (; k < end && b.count < most; k++) {
            const struct ola_term *term = &m->term[k];
            if (term->plain.count == 0)
                continue;
            uint64_t *room = m->desc.compact ? w.transformed + b.count * n : NULL;
            b.limb[b.count] = ola_plain_limb(m->params, &term->plain, w.limb, room);
            b.wide |= b.limb[b.count].width == 8;
            b.baby[b.count++] = term->baby;
        }
        if (b.count == 0)
            continue;
        for (size_t at = w.first; at < w.end; at += OLA_CHUNK)
            multiply_chunk(s, m, &m->source[run->source], in, &b, w, at, to, add);
        add = true;
    }
    for (uint32_t part = 0; part < 2 && !add; part++)
        memset(to[part] + w.first, 0, (w.end - w.first) * sizeof **to);
}

/* The same where all values are 1. */
static void
add_run(struct ola_server *s, const struct ola_map *m, const struct ola_run *run,
        const struct ola_ct *const *in, struct piece w)
{
    const struct ola_source *source = &m->source[run->source];
    const size_t count = w.end - w.first;
    for (uint32_t part = 0; part < 2; part++) {
        uint64_t *to =
            ola_group_part(s, m, run->group, part) + w.limb * (size_t)m->params->n + w.first;
        for (uint32_t k = run->first; k < run->first + run->count; k++) {
            const uint64_t *from = baby_chunk(s, m, source, in, m->term[k].baby, part, w, w.first);
            if (run->opens && k == run->first)
                memcpy(to, from, count * sizeof *to);
            else
                s->backend->add(to, to, from, count, w.q);
        }
    }
}

/* Chunk by chunk, so that the babies' stay in the cache; compact plaintexts come whole. */
static void
multiply_runs(struct ola_server *s, const struct ola_map *m, struct ola_span runs,
              const struct ola_source *source, const struct ola_ct *const *in, struct piece w)
{
    const size_t end = w.end, step = m->desc.compact ? end - w.first : OLA_CHUNK;
    for (; w.first < end; w.first += step) {
        w.end = w.first + step;
        for (uint32_t r = runs.first; r < runs.first + runs.count; r++) {
            const struct ola_run *run = &m->run[source == NULL ? r : m->run_order[r]];
            if (m->head.free_of_level)
                add_run(s, m, run, in, w);
            else
                multiply_run(s, m, run, in, w);
        }
    }
}

/* The products of runs, which follow one another in m->run, or in m->run_order when they are all of
 * one source: raised is its raised form then. */
static void
accumulate(struct ola_server *s, const struct ola_map *m, struct ola_span runs,
           const struct ola_source *source, const struct ola_raised *raised,
           const struct ola_ct *const *in)
{
    const struct ola_params *p = s->params;
    const size_t entries = piece_entries(m), pieces = p->n / entries;
#pragma omp parallel for collapse(2) schedule(dynamic) num_threads(s->threads)
    for (uint32_t i = 0; i < m->positions; i++) {
        for (size_t k = 0; k < pieces; k++) {
            uint64_t *work = s->piece[OLA_WORK];
            if (work != NULL)
                work += (size_t)ola_thread() * work_words(m);
            struct piece w = {.limb = i,
                              .q = ola_server_modulus(s, ola_position_chain(p, m->desc.level, i)),
                              .first = k * entries,
                              .end = (k + 1) * entries,
                              .babies = made_in_passing(m) ? work : NULL};
            if (m->desc.compact)
                w.transformed = work + passing_words(m);
            if (made_in_passing(m))
                make_babies(s, m, source, in, raised, w);
            multiply_runs(s, m, runs, source, in, w);
        }
    }
}

static bool
rotates(const struct ola_map *m, const struct ola_source *source)
{
    return source->n_babies > 1 || m->baby[source->first_baby] != 0;
}

/* One source, whose raised form it leaves, or an empty one. */
static void
take_source(struct ola_server *s, const struct ola_map *m, const struct ola_source *source,
            const struct ola_ct *const *in, struct ola_raised *raised)
{
    if (rotates(m, source))
        ola_raise(s, source_part(s, m, source, in, 1), m->desc.level, raised);
    if (!made_in_passing(m))
        rotate_babies(s, m, source, in, raised);
    for (uint32_t b = 0; b < source->n_babies; b++)
        s->counts.rotations += m->baby[source->first_baby + b] != 0;
    if (!m->by_output)
        accumulate(s, m, (struct ola_span){source->first_run, source->n_runs}, source, raised, in);
}

void
ola_products_begin(struct ola_server *s, const struct ola_map *m, const struct ola_ct *const *in)
{
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        const struct ola_span sources = m->input[i];
        const uint64_t *from[2] = {ola_ct_limb(in[i], 0, 0), ola_ct_limb(in[i], 1, 0)};
        struct ola_raised raised = {0};
        for (uint32_t k = sources.first; k < sources.first + sources.count; k++) {
            const struct ola_source *source = &m->source[k];
            if (source->step != 0)
                rotate_coarse(s, m, source, from, &raised);
            take_source(s, m, source, in, &raised);
            for (uint32_t part = 0; part < 2; part++)
                from[part] = source_part(s, m, source, in, part);
        }
    }
}

void
ola_products_group(struct ola_server *s, const struct ola_map *m, struct ola_span runs,
                   const struct ola_ct *const *in)
{
    accumulate(s, m, runs, NULL, NULL, in);
}
