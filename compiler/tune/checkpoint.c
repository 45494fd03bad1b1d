/* checkpoint.c - a training that was stopped goes on as if it had not been. The file holds what the
 * next epoch hangs on, and a hash of what must be the same: the network, the teacher, the data,
 * the options. */
#include "tune/internal.h"

#include "base/file.h"

#include <sodium.h>
#include <string.h>

#define MAGIC "olactun4"
#define HASH  TUNE_HASH

/* Network, teacher, data and options, as far as they change the result. */
static void
identity(struct training *t)
{
    crypto_generichash_state s;
    double numbers[] = {t->o.epochs, t->o.batch, t->o.rate,    t->o.momentum,  t->o.prune,
                        t->o.terms,  t->o.bits,  t->o.augment, (double)t->size};
    size_t images = (size_t)t->data->n * (size_t)learner_inputs(t->net);

    static const uint8_t none[sizeof t->g->hash];
    const uint8_t *teacher = t->o.teacher ? t->o.teacher->hash : none;

    crypto_generichash_init(&s, NULL, 0, sizeof t->identity);
    crypto_generichash_update(&s, t->g->hash, sizeof t->g->hash);
    crypto_generichash_update(&s, teacher, sizeof none);
    crypto_generichash_update(&s, (const uint8_t *)&t->o.seed, sizeof t->o.seed);
    crypto_generichash_update(&s, (const uint8_t *)numbers, sizeof numbers);
    for (uint32_t k = 0; k < t->g->nodes.len; k++) {
        const struct poly *p = t->g->nodes.at[k].poly;
        size_t n = p ? (size_t)p->rows * (p->degree + 1) : 0;
        if (p)
            crypto_generichash_update(&s, (const uint8_t *)p->coef, n * sizeof *p->coef);
    }
    crypto_generichash_update(&s, (const uint8_t *)t->data->x, images * sizeof *t->data->x);
    crypto_generichash_update(&s, (const uint8_t *)t->data->labels,
                              t->data->n * sizeof *t->data->labels);
    crypto_generichash_final(&s, t->identity, sizeof t->identity);
}

/* The parts of the file behind magic and identity, in order. */
static uint32_t
parts(struct training *t, void *part[8], size_t size[8])
{
    uint32_t n = 0;

#define PART(at, bytes) (part[n] = (at), size[n++] = (bytes))
    PART(&t->epoch, sizeof t->epoch);
    PART(&t->steps, sizeof t->steps);
    PART(t->latent, t->size * sizeof *t->latent);
    PART(t->mean, t->size * sizeof *t->mean);
    PART(t->square, t->size * sizeof *t->square);
    PART(t->entry, t->size * sizeof *t->entry);
    PART(t->grid, t->n_params * sizeof *t->grid);
#undef PART
    return n;
}

static bool
refused(const struct training *t, const char *why)
{
    diag_error(t->d, E_TUNE_CHECKPOINT, PLACE_FILE(t->o.checkpoint), "%s", why);
    diag_hint(t->d, "remove it to begin anew");
    return false;
}

bool
tune_load(struct training *t)
{
    struct arena *a = arena_new();
    struct diag *quiet = diag_new();
    const uint8_t *data;
    uint8_t sum[HASH];
    void *part[8];
    size_t size, sizes[8], at = sizeof MAGIC - 1 + HASH, all = at + HASH;
    uint32_t n = parts(t, part, sizes);
    bool ok = true;

    for (uint32_t k = 0; k < n; k++)
        all += sizes[k];
    if (t->o.checkpoint)
        identity(t);
    if (!t->o.checkpoint || !file_read(a, t->o.checkpoint, false, all + 1, &data, &size, quiet)) {
        bool none = diag_count(quiet) == 0 || diag_at(quiet, 0)->code == E_OPEN;
        ok = none || refused(t, "it cannot be read, or is of another size than this training's");
    } else {
        crypto_generichash(sum, HASH, data, size < HASH ? 0 : size - HASH, NULL, 0);
        if (size != all || memcmp(data, MAGIC, sizeof MAGIC - 1) != 0)
            ok = refused(t, "it is no checkpoint of this training");
        else if (memcmp(data + size - HASH, sum, HASH) != 0)
            ok = refused(t, "it is damaged");
        else if (memcmp(data + sizeof MAGIC - 1, t->identity, HASH) != 0)
            ok = refused(t, "it is of another model, another teacher, other data or other options");
        for (uint32_t k = 0; ok && k < n; at += sizes[k++])
            memcpy(part[k], data + at, sizes[k]);
    }
    diag_free(quiet);
    arena_free(a);
    return ok;
}

bool
tune_save(const struct training *t)
{
    struct training copy = *t; /* parts() hands out places to write to */
    struct str s = {0};
    uint8_t hash[HASH];
    void *part[8];
    size_t sizes[8];
    uint32_t n = parts(&copy, part, sizes);

    if (!t->o.checkpoint)
        return true;
    str_addn(&s, MAGIC, sizeof MAGIC - 1);
    str_addn(&s, (const char *)t->identity, HASH);
    for (uint32_t k = 0; k < n; k++)
        str_addn(&s, part[k], sizes[k]);
    crypto_generichash(hash, HASH, (const uint8_t *)s.text, s.len, NULL, 0);
    str_addn(&s, (const char *)hash, HASH);
    bool ok = file_write(t->o.checkpoint, s.text, s.len, t->d);
    str_free(&s);
    return ok;
}
