//%% The client's half. Marks: parameters, key_plan, ports, pixels; conditions pixels, batch, front.
/* net_client.c - keys, encryption and decryption for net. Generated; do not edit.
 *
//% provenance
 */
#include "net.h"
#include "ola/client.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

//% parameters

//% key_plan

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

//% ports

struct net_client {
    ola_params *params;
    ola_client *key;
};

static ola_status
client_open(const char *path, struct net_client **out)
{
    struct net_client *c = calloc(1, sizeof *c);
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
        net_client_free(c);
    return status;
}

ola_status
net_client_new(struct net_client **out)
{
    return client_open(NULL, out);
}

ola_status
net_client_load(const char *path, struct net_client **out)
{
    return client_open(path, out);
}

ola_status
net_client_save(const struct net_client *c, const char *path)
{
    return ola_client_save(c->key, path);
}

void
net_client_free(struct net_client *c)
{
    if (!c)
        return;
    ola_client_free(c->key);
    ola_params_free(c->params);
    free(c);
}

const ola_params *
net_client_params(const struct net_client *c)
{
    return c->params;
}

ola_status
net_client_keys(const struct net_client *c, ola_keys **out)
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
//% if pixels

//% pixels
//% end
//% if batch

/* Images one behind the other, as numbers or as pixels. */
struct images {
    uint32_t n;
    const float *number;
    const uint8_t *pixel; /* NULL: numbers */
};

/* Element `elem` of an input whose first is number `first` of an image. */
static double
element(const struct images *in, uint32_t image, uint32_t input, uint32_t first, uint32_t elem)
{
    const size_t at = (size_t)image * NET_INPUT_SIZE + first + elem;
//% if pixels
    if (in->pixel) {
        const struct pixels *p = &pixels[input];
        uint32_t channel = elem / p->plane % p->channels;
        return (in->pixel[at] / p->divisor - p->mean[channel]) / p->std[channel];
    }
//% else
    (void)input;
//% end
    return (double)in->number[at];
}

/* Slots for n images: a power of two. */
static uint32_t
slots_for(uint32_t n)
{
    uint32_t slots = 1;
    while (slots < n)
        slots *= 2;
    return slots;
}

//% if front
/* What the part in the clear makes of the images; NULL: no memory. */
static double *
made_of(const struct images *in)
{
    double *v = malloc(NET_FRONT_SIZE * sizeof *v);
    double *made = v ? malloc((size_t)in->n * NET_FRONT_MADE * sizeof *made) : NULL;
    for (uint32_t k = 0; made && k < in->n; k++) {
        for (uint32_t e = 0; e < NET_INPUT_SIZE; e++)
            v[e] = element(in, k, 0, 0, e);
        memcpy(made + (size_t)k * NET_FRONT_MADE, net_front(v), NET_FRONT_MADE * sizeof *made);
    }
    free_wiped(v, NET_FRONT_SIZE * sizeof *v);
    return made;
}

//% end
/* A ciphertext for each element, an image in each slot; images repeat through the slots left. */
static ola_status
encrypt_images(const struct net_client *c, const struct images *in, ola_ct *const *ct)
{
    if (in->n < 1 || in->n > NET_BATCH)
        return OLA_ERR_PARAM;
    const uint32_t slots = slots_for(in->n);
    double *v = calloc(slots, sizeof *v);
    uint32_t first = 0;
//% if front
    double *made = made_of(in);
    ola_status status = v && made ? OLA_OK : OLA_ERR_NOMEM;
//% else
    ola_status status = v ? OLA_OK : OLA_ERR_NOMEM;
//% end
    for (uint32_t i = 0; i < NET_INPUTS && status == OLA_OK; i++) {
        const struct port *port = &inputs[i];
        for (uint32_t e = 0; e < port->size && status == OLA_OK; e++) {
            for (uint32_t k = 0; k < in->n; k++)
//% if front
                v[k] = made[(size_t)k * NET_FRONT_MADE + first + e];
//% else
                v[k] = element(in, k, i, first, e);
//% end
            status = ola_encrypt(c->key, ct[first + e], v, slots, port->level, port->scale);
        }
        first += port->size;
    }
    free_wiped(v, slots * sizeof *v);
//% if front
    free_wiped(made, (size_t)in->n * NET_FRONT_MADE * sizeof *made);
//% end
    return status;
}

ola_status
net_encrypt(const struct net_client *c, const float *images, uint32_t n, ola_ct *const *ct)
{
    return encrypt_images(c, &(struct images){.n = n, .number = images}, ct);
}
//% if pixels

ola_status
net_encrypt_pixels(const struct net_client *c, const uint8_t *images, uint32_t n,
                   ola_ct *const *ct)
{
    return encrypt_images(c, &(struct images){.n = n, .pixel = images}, ct);
}
//% end
//% else

static ola_status
encrypt_port(const struct net_client *c, const struct port *port, const double *image,
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
//% if front
encrypt_made(const struct net_client *c, const double *image, ola_ct *const *ct)
//% else
encrypt_image(const struct net_client *c, const double *image, ola_ct *const *ct)
//% end
{
    ola_status status = OLA_OK;
    for (uint32_t i = 0; i < NET_INPUTS && status == OLA_OK; i++) {
        status = encrypt_port(c, &inputs[i], image, ct);
        image += inputs[i].size;
        ct += inputs[i].cts;
    }
    return status;
}
//% if front

/* What is encrypted is not the image, but what the part in the clear makes of it. */
static ola_status
encrypt_image(const struct net_client *c, const double *image, ola_ct *const *ct)
{
    double *v = malloc(NET_FRONT_SIZE * sizeof *v);
    if (!v)
        return OLA_ERR_NOMEM;
    memcpy(v, image, NET_INPUT_SIZE * sizeof *v);
    ola_status status = encrypt_made(c, net_front(v), ct);
    free_wiped(v, NET_FRONT_SIZE * sizeof *v);
    return status;
}
//% end

ola_status
net_encrypt(const struct net_client *c, const float *image, ola_ct *const *ct)
{
    double *number = malloc(NET_INPUT_SIZE * sizeof *number);
    if (!number)
        return OLA_ERR_NOMEM;
    for (uint32_t e = 0; e < NET_INPUT_SIZE; e++)
        number[e] = (double)image[e];
    ola_status status = encrypt_image(c, number, ct);
    free_wiped(number, NET_INPUT_SIZE * sizeof *number);
    return status;
}
//% if pixels

ola_status
net_encrypt_pixels(const struct net_client *c, const uint8_t *image, ola_ct *const *ct)
{
    double *number = malloc(NET_INPUT_SIZE * sizeof *number);
    if (!number)
        return OLA_ERR_NOMEM;
    uint32_t e = 0;
    for (uint32_t i = 0; i < NET_INPUTS; i++) {
        const struct pixels *p = &pixels[i];
//% if front
        for (uint32_t k = 0; k < NET_INPUT_SIZE; k++, e++) {
//% else
        for (uint32_t k = 0; k < inputs[i].size; k++, e++) {
//% end
            uint32_t channel = k / p->plane % p->channels;
            number[e] = (image[e] / p->divisor - p->mean[channel]) / p->std[channel];
        }
    }
    ola_status status = encrypt_image(c, number, ct);
    free_wiped(number, NET_INPUT_SIZE * sizeof *number);
    return status;
}
//% end
//% end

/* Ciphertexts come from outside: level and scale must be those that the last layers leave. */
static ola_status
check_output(const struct port *port, const ola_ct *ct)
{
    double ratio = ola_ct_scale(ct) / port->scale;
    if (ola_ct_level(ct) != port->level)
        return OLA_ERR_LEVEL;
    return ratio > 1 - 1e-6 && ratio < 1 + 1e-6 ? OLA_OK : OLA_ERR_SCALE;
}

//% if batch
/* sigma: noise to add; below 0: none. */
static ola_status
decrypt_images(const struct net_client *c, const ola_ct *const *ct, uint32_t n, float *out,
               double sigma)
{
    double *v = n >= 1 && n <= NET_BATCH ? calloc(n, sizeof *v) : NULL;
    float *answers = v ? calloc(n, NET_OUTPUT_SIZE * sizeof *answers) : NULL;
    uint32_t first = 0;
    ola_status status = n < 1 || n > NET_BATCH ? OLA_ERR_PARAM : answers ? OLA_OK : OLA_ERR_NOMEM;
    for (uint32_t i = 0; i < NET_OUTPUTS && status == OLA_OK; i++) {
        const struct port *port = &outputs[i];
        for (uint32_t e = first; e < first + port->size && status == OLA_OK; e++) {
            status = check_output(port, ct[e]);
            if (status == OLA_OK && sigma < 0)
                status = ola_decrypt(c->key, ct[e], v, n);
            else if (status == OLA_OK)
                status = ola_decrypt_shared(c->key, ct[e], v, n, sigma);
            for (uint32_t k = 0; k < n && status == OLA_OK; k++)
                answers[(size_t)k * NET_OUTPUT_SIZE + e] = (float)v[k];
        }
        first += port->size;
    }
    if (status == OLA_OK)
        memcpy(out, answers, (size_t)n * NET_OUTPUT_SIZE * sizeof *answers);
    free_wiped(answers, (size_t)n * NET_OUTPUT_SIZE * sizeof *answers);
    free_wiped(v, n * sizeof *v);
    return status;
}

ola_status
net_decrypt(const struct net_client *c, const ola_ct *const *ct, uint32_t n, float *out)
{
    return decrypt_images(c, ct, n, out, -1);
}

ola_status
net_decrypt_shared(const struct net_client *c, const ola_ct *const *ct, uint32_t n, float *out,
                   double sigma)
{
    return sigma > 0 ? decrypt_images(c, ct, n, out, sigma) : OLA_ERR_PARAM;
}
//% else
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
decrypt_port(const struct net_client *c, const struct port *port, const ola_ct *const *ct,
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
decrypt_answer(const struct net_client *c, const ola_ct *const *ct, float *out, double sigma)
{
    float *answer = malloc(NET_OUTPUT_SIZE * sizeof *answer), *to = answer;
    ola_status status = answer ? OLA_OK : OLA_ERR_NOMEM;
    for (uint32_t i = 0; i < NET_OUTPUTS && status == OLA_OK; i++) {
        status = decrypt_port(c, &outputs[i], ct, to, sigma);
        to += outputs[i].size;
        ct += outputs[i].cts;
    }
    if (status == OLA_OK)
        memcpy(out, answer, NET_OUTPUT_SIZE * sizeof *answer);
    free_wiped(answer, NET_OUTPUT_SIZE * sizeof *answer);
    return status;
}

ola_status
net_decrypt(const struct net_client *c, const ola_ct *const *ct, float *out)
{
    return decrypt_answer(c, ct, out, -1);
}

ola_status
net_decrypt_shared(const struct net_client *c, const ola_ct *const *ct, float *out, double sigma)
{
    return sigma > 0 ? decrypt_answer(c, ct, out, sigma) : OLA_ERR_PARAM;
}
//% end
