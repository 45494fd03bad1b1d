/* golden_client.c - keys, encryption and decryption for golden. Generated; do not edit.
 *
 * made by   olac 0.1.0
 * network   golden
 * model     BLAKE2b-256 766d56875ce3ca2c12ee4eac3648bb81a0116a93d2125ab3aaa61f8c1ac6dab9
 * options   degree 0 (chosen), 0 calibration images
 * security  128 bits (classical)
 * ring      log N = 13, log QP = 202.0, 3 levels
 * keys      5 rotations, relinearisation, 4653056 bytes
 */
#include "golden.h"
#include "ola/client.h"

#include <math.h>
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

/* Rotations to the left by these steps ... */
static const uint32_t rotation_step[] = {1, 2, 4, 8, 4095};

/* ... up to these levels. */
static const uint32_t rotation_level[] = {3, 0, 3, 0, 1};

static const struct ola_key_plan key_plan = {
    .relin_level = 2,
    .n_rotations = 5,
    .step = rotation_step,
    .level = rotation_level,
};

/* Elements elem, elem + elem_step ... of a tensor are in slots slot, slot + slot_step ... */
struct elements {
    uint32_t elem, elem_step, slot, slot_step, count;
};

/* An input or output: where its elements are, and the level and scale of its ciphertexts. */
struct port {
    uint32_t size, cts, period, level;
    double scale;
    uint32_t n_elements;
    const struct elements *elements;
    uint32_t n_spare; /* slots that are 0 but for noise, below `limit`, in a good answer */
    const struct elements *spare;
    double limit;
};

/* input image, 1x4x4 */
static const struct elements input_0[] = {
    {0, 1, 0, 1, 16},
};

static const struct port inputs[GOLDEN_INPUTS] = {
    {16, 1, 16, 3, 0x1p+31, 1, input_0, 0, NULL, 0},
};

/* output logits, 2 */
static const struct elements output_0[] = {
    {0, 1, 0, 1, 2},
};

static const struct port outputs[GOLDEN_OUTPUTS] = {
    {2, 1, 2, 0, 0x1p+31, 1, output_0, 0, NULL, 0},
};

struct golden_client {
    ola_params *params;
    ola_client *key;
};

static ola_status
client_open(const char *path, struct golden_client **out)
{
    struct golden_client *c = calloc(1, sizeof *c);
    if (!c)
        return OLA_ERR_NOMEM;
    ola_status status = ola_params_new(&parameters, &c->params);
    if (status == OLA_OK && path)
        status = ola_client_load(c->params, path, &c->key);
    else if (status == OLA_OK)
        status = ola_client_new(c->params, &c->key);
    if (status == OLA_OK)
        *out = c;
    else
        golden_client_free(c);
    return status;
}

ola_status
golden_client_new(struct golden_client **out)
{
    return client_open(NULL, out);
}

ola_status
golden_client_load(const char *path, struct golden_client **out)
{
    return client_open(path, out);
}

ola_status
golden_client_save(const struct golden_client *c, const char *path)
{
    return ola_client_save(c->key, path);
}

void
golden_client_free(struct golden_client *c)
{
    if (!c)
        return;
    ola_client_free(c->key);
    ola_params_free(c->params);
    free(c);
}

const ola_params *
golden_client_params(const struct golden_client *c)
{
    return c->params;
}

ola_status
golden_client_keys(const struct golden_client *c, ola_keys **out)
{
    return ola_client_keys(c->key, &key_plan, out);
}

/* Images and answers are nobody else's: what held them is overwritten before it is given back. The
 * compiler may not leave out writes to volatile bytes. p may be NULL. */
static void
free_wiped(void *p, size_t size)
{
    volatile unsigned char *byte = p;
    for (size_t i = 0; p && i < size; i++)
        byte[i] = 0;
    free(p);
}

static const double mean_0[] = {0.5};
static const double std_0[] = {0.25};

/* A pixel v of channel c, plane pixels to a channel: (v / divisor - mean[c]) / std[c]. */
static const struct pixels {
    uint32_t plane, channels;
    double divisor;
    const double *mean, *std;
} pixels[GOLDEN_INPUTS] = {
    {16, 1, 255, mean_0, std_0},
};

static ola_status
encrypt_port(const struct golden_client *c, const struct port *port, const double *image,
             ola_ct *const *ct)
{
    const size_t count = (size_t)port->cts * port->period;
    double *slots = calloc(count, sizeof *slots);
    if (!slots)
        return OLA_ERR_NOMEM;
    for (uint32_t e = 0; e < port->n_elements; e++) {
        const struct elements *run = &port->elements[e];
        for (uint32_t k = 0; k < run->count; k++)
            slots[run->slot + k * run->slot_step] = image[run->elem + k * run->elem_step];
    }
    ola_status status = OLA_OK;
    for (uint32_t i = 0; i < port->cts && status == OLA_OK; i++)
        status = ola_encrypt(c->key, ct[i], slots + (size_t)i * port->period, port->period,
                             port->level, port->scale);
    free_wiped(slots, count * sizeof *slots);
    return status;
}

static ola_status
encrypt_image(const struct golden_client *c, const double *image, ola_ct *const *ct)
{
    ola_status status = OLA_OK;
    for (uint32_t i = 0; i < GOLDEN_INPUTS && status == OLA_OK; i++) {
        status = encrypt_port(c, &inputs[i], image, ct);
        image += inputs[i].size;
        ct += inputs[i].cts;
    }
    return status;
}

ola_status
golden_encrypt(const struct golden_client *c, const float *image, ola_ct *const *ct)
{
    double *number = malloc(GOLDEN_INPUT_SIZE * sizeof *number);
    if (!number)
        return OLA_ERR_NOMEM;
    for (uint32_t e = 0; e < GOLDEN_INPUT_SIZE; e++)
        number[e] = (double)image[e];
    ola_status status = encrypt_image(c, number, ct);
    free_wiped(number, GOLDEN_INPUT_SIZE * sizeof *number);
    return status;
}

ola_status
golden_encrypt_pixels(const struct golden_client *c, const uint8_t *image, ola_ct *const *ct)
{
    double *number = malloc(GOLDEN_INPUT_SIZE * sizeof *number);
    if (!number)
        return OLA_ERR_NOMEM;
    uint32_t e = 0;
    for (uint32_t i = 0; i < GOLDEN_INPUTS; i++) {
        const struct pixels *p = &pixels[i];
        for (uint32_t k = 0; k < inputs[i].size; k++, e++) {
            uint32_t channel = k / p->plane % p->channels;
            number[e] = (image[e] / p->divisor - p->mean[channel]) / p->std[channel];
        }
    }
    ola_status status = encrypt_image(c, number, ct);
    free_wiped(number, GOLDEN_INPUT_SIZE * sizeof *number);
    return status;
}

/* Ciphertexts come from outside: level and scale must be those that the last layers leave. */
static ola_status
check_output(const struct port *port, const ola_ct *ct)
{
    double ratio = ola_ct_scale(ct) / port->scale;
    if (ola_ct_level(ct) != port->level)
        return OLA_ERR_LEVEL;
    return ratio > 1 - 1e-6 && ratio < 1 + 1e-6 ? OLA_OK : OLA_ERR_SCALE;
}

/* An activation far outside of what calibration saw, or keys, weights or ciphertexts that do not
 * belong together, fill all slots, and so the spare ones. sigma: of the noise that was added. */
static ola_status
check_spare(const struct port *port, const double *slots, double sigma)
{
    double limit = port->limit + (sigma > 0 ? 10 * sigma : 0);
    for (uint32_t e = 0; e < port->n_spare; e++)
        for (uint32_t k = 0; k < port->spare[e].count; k++)
            if (!(fabs(slots[port->spare[e].slot + k]) <= limit))
                return OLA_ERR_SPOILT;
    return OLA_OK;
}

/* sigma: noise to add; below 0: none. */
static ola_status
decrypt_port(const struct golden_client *c, const struct port *port, const ola_ct *const *ct,
             float *out, double sigma)
{
    const size_t count = (size_t)port->cts * port->period;
    double *slots = calloc(count, sizeof *slots);
    if (!slots)
        return OLA_ERR_NOMEM;
    ola_status status = OLA_OK;
    for (uint32_t i = 0; i < port->cts && status == OLA_OK; i++) {
        double *v = slots + (size_t)i * port->period;
        status = check_output(port, ct[i]);
        if (status == OLA_OK && sigma < 0)
            status = ola_decrypt(c->key, ct[i], v, port->period);
        else if (status == OLA_OK)
            status = ola_decrypt_shared(c->key, ct[i], v, port->period, sigma);
    }
    if (status == OLA_OK)
        status = check_spare(port, slots, sigma);
    for (uint32_t e = 0; e < port->n_elements && status == OLA_OK; e++) {
        const struct elements *run = &port->elements[e];
        for (uint32_t k = 0; k < run->count; k++)
            out[run->elem + k * run->elem_step] = (float)slots[run->slot + k * run->slot_step];
    }
    free_wiped(slots, count * sizeof *slots);
    return status;
}

static ola_status
decrypt_answer(const struct golden_client *c, const ola_ct *const *ct, float *out, double sigma)
{
    float *answer = malloc(GOLDEN_OUTPUT_SIZE * sizeof *answer), *to = answer;
    ola_status status = answer ? OLA_OK : OLA_ERR_NOMEM;
    for (uint32_t i = 0; i < GOLDEN_OUTPUTS && status == OLA_OK; i++) {
        status = decrypt_port(c, &outputs[i], ct, to, sigma);
        to += outputs[i].size;
        ct += outputs[i].cts;
    }
    if (status == OLA_OK)
        memcpy(out, answer, GOLDEN_OUTPUT_SIZE * sizeof *answer);
    free_wiped(answer, GOLDEN_OUTPUT_SIZE * sizeof *answer);
    return status;
}

ola_status
golden_decrypt(const struct golden_client *c, const ola_ct *const *ct, float *out)
{
    return decrypt_answer(c, ct, out, -1);
}

ola_status
golden_decrypt_shared(const struct golden_client *c, const ola_ct *const *ct, float *out,
                      double sigma)
{
    return sigma > 0 ? decrypt_answer(c, ct, out, sigma) : OLA_ERR_PARAM;
}
