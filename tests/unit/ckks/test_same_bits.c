/* test_same_bits.c - the same ciphertexts, bit for bit, at any number of threads and with every
 * backend. */
#include "ckks/server.h"
#include "ckks_test.h"
#include "section.h"

#ifdef _OPENMP
#include <omp.h>
#endif

static const struct world_spec toy = {.log_n = 12,
                                      .n_q = 6,
                                      .bits = 31,
                                      .n_p = 2,
                                      .p_bits = 42,
                                      .digit_limbs = 2,
                                      .toy = true,
                                      .n_steps = 6,
                                      .steps = {1, 2, 3, 4, 8, 1024}};

/* One of everything on a server; the result goes to out. */
static void
program(const struct world *w, ola_server *s, const ola_ct *a, const struct section *map_bytes,
        const struct section *poly_bytes, ola_ct *out)
{
    const uint32_t top = w->literal.n_q - 1;
    struct ola_map_desc m = {top, w->scale, w->scale, false, 0},
                        f = {top - 1, w->scale, w->scale, false, 0};
    ola_map *map;
    ola_poly *poly;
    ola_ct *t = empty(w);
    OK(ola_map_new(w->params, &m, map_bytes->bytes, map_bytes->size, &map));
    OK(ola_poly_new(w->params, &f, poly_bytes->bytes, poly_bytes->size, &poly));
    OK(ola_linear(s, map, &a, &t));
    OK(ola_poly_eval(s, poly, (const ola_ct *[]){t}, &out));
    OK(ola_rotate(s, t, out, 1024));
    OK(ola_mul(s, t, t, out));
    OK(ola_relinearise(s, t, t));
    OK(ola_rescale(s, out, t));
    OK(ola_add_plain(s, out, out, (const double[]){0.5, -1}, 2));
    ola_ct_free(t);
    ola_map_free(map);
    ola_poly_free(poly);
}

static struct section
some_map(const struct world *w)
{
    struct ola_weights_map head = {
        .args = 1, .in_cts = 1, .out_cts = 1, .n_diagonals = 8, .n_folds = 1};
    struct diagonal d[8];
    float *v = malloc(8 * w->slots * sizeof *v);
    double *x = malloc(8 * w->slots * sizeof *x);
    const uint32_t folds[] = {1024};
    fill_random(x, 8 * w->slots, 4);
    for (uint32_t t = 0; t < 8 * w->slots; t++)
        v[t] = (float)x[t] / 32;
    for (uint32_t k = 0; k < 8; k++)
        d[k] = (struct diagonal){0, 0, 0, k / 4 * 4, k % 4, w->slots >> k, v + k * w->slots};
    struct section s = map_section(&head, d, folds, NULL);
    free(v);
    free(x);
    return s;
}

Test(same_bits, threads_and_backends)
{
    struct world w;
    world_open(&w, &toy);
    double *x = malloc(w.slots * sizeof *x);
    fill_random(x, w.slots, 1);
    struct section map = some_map(&w);
    const float c[4] = {0.1f, 0.2f, 0.3f, 0.4f};
    const float *coef[4] = {c, c + 1, c + 2, c + 3};
    struct section poly =
        poly_section(&(struct ola_weights_poly){3, 1, 1, 0}, coef, (const uint32_t[]){1, 1, 1, 1});
    ola_ct *a = encrypt(&w, x, w.literal.n_q - 1, w.scale), *first = empty(&w), *out = empty(&w);
    program(&w, w.server, a, &map, &poly, first);
    cr_assert_geq(first->parts, 2u);
    const struct ola_backend *const *list;
    uint32_t n = ola_backends(&list);
    for (uint32_t k = 0; k < n; k++) {
        for (int threads = 1; threads <= 3; threads++) {
            ola_server *s;
#ifdef _OPENMP
            omp_set_num_threads(threads);
#endif
            OK(ola_server_new(w.params, w.keys, &s));
            s->backend = list[k];
            program(&w, s, a, &map, &poly, out);
            cr_assert_eq(out->level, first->level);
            for (uint32_t part = 0; part < 2; part++) {
                size_t bytes = (out->level + 1) * w.params->n * sizeof(uint64_t);
                int same =
                    memcmp(ola_ct_limb(out, part, 0), ola_ct_limb(first, part, 0), bytes) == 0;
                cr_expect(same, "%s, %d threads", list[k]->name, threads);
            }
            ola_server_free(s);
        }
    }
    ola_ct_free(a);
    ola_ct_free(first);
    ola_ct_free(out);
    free(x);
    free(map.bytes);
    free(poly.bytes);
    world_close(&w);
}
