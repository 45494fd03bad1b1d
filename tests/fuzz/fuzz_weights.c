/* fuzz_weights.c - the weights file and its sections: opened as they are and with the hash made
 * right; what is accepted is encoded. The input itself is tried as a section too. */
#include "fuzz.h"

static void
try_section(ola_params *p, const void *section, size_t size)
{
    const struct ola_map_desc desc = {.level = 1, .in_scale = 0x1p30, .out_scale = 0x1p30};
    ola_map *map;
    const struct ola_sparse_desc exact = {.level = 1, .in_scale = 0x1p30, .out_scale = 0x1p30};
    ola_poly *poly;
    ola_sparse *sparse;
    if (ola_map_new(p, &desc, section, size, &map) == OLA_OK)
        ola_map_free(map);
    else if (map != NULL)
        abort();
    if (ola_poly_new(p, &desc, section, size, &poly) == OLA_OK)
        ola_poly_free(poly);
    else if (poly != NULL)
        abort();
    if (ola_sparse_new(p, &exact, section, size, &sparse) == OLA_OK)
        ola_sparse_free(sparse);
    else if (sparse != NULL)
        abort();
}

static void
try_file(ola_params *p, const uint8_t *data, size_t size)
{
    static const char *const name[] = {"map:m", "poly:p", "map:runs", "sparse:s", "nothing"};
    struct ola_weights_header h;
    ola_weights *w;
    if (size < sizeof h)
        return;
    memcpy(&h, data, sizeof h);
    if (ola_weights_parse(data, size, h.model, &w) != OLA_OK)
        return;
    for (int k = 0; k < 5; k++) {
        const void *section;
        size_t length;
        if (ola_weights_find(w, name[k], &section, &length) == OLA_OK)
            try_section(p, section, length);
    }
    ola_weights_close(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ola_params *p = fuzz_params_once();
    try_section(p, data, size);
    try_file(p, data, size);
    struct ola_weights_header h;
    if (size < sizeof h)
        return 0;
    uint8_t *good = malloc(size);
    if (good == NULL)
        abort();
    memcpy(good, data, size);
    memcpy(&h, good, sizeof h);
    h.magic = OLA_WEIGHTS_MAGIC;
    h.version = OLA_WEIGHTS_VERSION;
    h.size = size;
    crypto_generichash(h.hash, sizeof h.hash, good + sizeof h, size - sizeof h, NULL, 0);
    memcpy(good, &h, sizeof h);
    try_file(p, good, size);
    free(good);
    return 0;
}
