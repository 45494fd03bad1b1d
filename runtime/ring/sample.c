/* sample.c - random limbs and small polynomials from an XChaCha20 stream of a seed. Secret
 * distributions are sampled in constant time: no branch and no address depends on what is drawn. */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "backend/arith.h"
#include "ring/ring.h"

#define CHUNK 512u /* words drawn at once; a multiple of the cipher's block of 8 words */

/* What the nonce says beside the stream number, so that one seed serves all three. */
enum kind { UNIFORM = 1, TERNARY, GAUSS, SPARSE };

struct stream {
    uint64_t word[CHUNK];
    uint64_t block; /* of 64 bytes, the next to be drawn */
    const uint8_t *seed;
    uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES];
};

static void
store64(uint8_t *out, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (8 * i));
}

static void
stream_open(struct stream *s, const uint8_t seed[32], enum kind kind, uint64_t number)
{
    /* Picks the CPU's cipher. Where that fails the stream is the same, only slower. */
    const int ready = sodium_init();
    (void)ready;
    memset(s, 0, sizeof *s);
    s->seed = seed;
    store64(s->nonce, number);
    store64(s->nonce + 8, (uint64_t)kind);
}

/* The next CHUNK words, little endian on every machine. */
static void
stream_next(struct stream *s)
{
    uint8_t *bytes = (uint8_t *)s->word;
    memset(bytes, 0, sizeof s->word);
    crypto_stream_xchacha20_xor_ic(bytes, bytes, sizeof s->word, s->nonce, s->block, s->seed);
    s->block += sizeof s->word / 64;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (size_t i = 0; i < CHUNK; i++)
        s->word[i] = __builtin_bswap64(s->word[i]);
#endif
}

ola_status
ola_random_seed(uint8_t seed[32])
{
    if (sodium_init() < 0)
        return OLA_ERR_RANDOM;
    randombytes_buf(seed, 32);
    return OLA_OK;
}

/* Words below the largest multiple of q in 2^64 are taken modulo q: fewer than q / 2^64 < 2^-15
 * are thrown away. Rejection is in the open: a uniform limb is public. */
void
ola_sample_uniform(uint64_t *limb, size_t n, const struct ola_modulus *m, const uint8_t seed[32],
                   uint64_t stream)
{
    struct stream s;
    uint64_t reciprocal = UINT64_MAX / m->q; /* = floor(2^64 / q), q is odd */
    uint64_t bound = reciprocal * m->q;
    stream_open(&s, seed, UNIFORM, stream);
    for (size_t done = 0; done < n;) {
        stream_next(&s);
        for (size_t i = 0; i < CHUNK && done < n; i++) {
            uint64_t word = s.word[i];
            if (word >= bound)
                continue;
            uint64_t quotient = (uint64_t)((ola_u128)word * reciprocal >> 64);
            limb[done++] = ola_csub(word - quotient * m->q, m->q);
        }
    }
    ola_wipe(&s, sizeof s);
}

/* floor(3 * word / 2^64) - 1: each value within 2^-64 of a third. */
void
ola_sample_ternary(int8_t *v, size_t n, const uint8_t seed[32], uint64_t stream)
{
    struct stream s;
    stream_open(&s, seed, TERNARY, stream);
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        stream_next(&s);
        for (size_t i = 0; i < count; i++)
            v[start + i] = (int8_t)((int)((ola_u128)s.word[i] * 3 >> 64) - 1);
    }
    ola_wipe(&s, sizeof s);
}

/* 1 when a == b, else 0. */
static uint64_t
equal(uint64_t a, uint64_t b)
{
    const uint64_t d = a ^ b;
    return 1 ^ ((d | (0 - d)) >> 63);
}

/* Places are drawn one by one; one that is taken already is drawn again, which tells nothing about
 * where they are. Each place is then written by a pass over all entries. */
void
ola_sample_sparse(int8_t *v, size_t n, uint32_t weight, const uint8_t seed[32], uint64_t stream)
{
    struct stream s;
    uint64_t place[OLA_MAX_WEIGHT];
    size_t at = CHUNK;
    assert(weight <= OLA_MAX_WEIGHT && weight <= n);
    stream_open(&s, seed, SPARSE, stream);
    memset(v, 0, n);
    for (uint32_t k = 0; k < weight;) {
        uint64_t taken = 0;
        if (at == CHUNK) {
            stream_next(&s);
            at = 0;
        }
        const uint64_t word = s.word[at++];
        place[k] = word & (n - 1);
        for (uint32_t j = 0; j < k; j++)
            taken |= equal(place[j], place[k]);
        if (taken)
            continue;
        const int sign = 1 - 2 * (int)(word >> 63);
        for (size_t i = 0; i < n; i++)
            v[i] = (int8_t)(v[i] + sign * (int)equal(place[k], i));
        k++;
    }
    ola_wipe(place, sizeof place);
    ola_wipe(&s, sizeof s);
}

/* gauss_table[k] = round(2^63 * erf((k + 1/2) / (sigma * sqrt(2))) / erf((19 + 1/2) / (sigma *
 * sqrt(2)))), sigma = 3.19: the probability that a rounded Gaussian, cut at 6 sigma = 19.14, is
 * at most k in size. */
#define GAUSS_TAIL 19
static const uint64_t gauss_table[GAUSS_TAIL] = {
    0x0ff141e3023416d3, 0x2e4f850f76b8d9a7, 0x488c5acec8fd6db4, 0x5d1ca569fc3e4ccc,
    0x6bbb5699bdd65b9c, 0x75291bf8371e7ecc, 0x7aad3cf138611a6a, 0x7d9aa4d4ab7c76be,
    0x7f0368341f79807d, 0x7fa0f21e3a554470, 0x7fdf5971c6494be3, 0x7ff5c5a33f74a4e1,
    0x7ffd148ddcc40605, 0x7fff3db0052c58c3, 0x7fffd206471c7fcf, 0x7ffff61ba7b56e58,
    0x7ffffe11d76ecb8b, 0x7fffffa9c1e61511, 0x7ffffff3ceaa7020};

/* 63 bits of a word against every row of the table give the size, the last one gives the sign. */
void
ola_sample_gauss(int8_t *v, size_t n, const uint8_t seed[32], uint64_t stream)
{
    struct stream s;
    stream_open(&s, seed, GAUSS, stream);
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        stream_next(&s);
        for (size_t i = 0; i < count; i++) {
            uint64_t draw = s.word[i] >> 1, sign = s.word[i] & 1, size = 0;
            for (int k = 0; k < GAUSS_TAIL; k++)
                size += (gauss_table[k] - 1 - draw) >> 63; /* 1 when draw >= gauss_table[k] */
            v[start + i] = (int8_t)((int)size * (1 - 2 * (int)sign));
        }
    }
    ola_wipe(&s, sizeof s);
}

void
ola_ring_from_int8(uint64_t *limb, const int8_t *v, size_t n, const struct ola_modulus *m)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t wide = (uint64_t)(int64_t)v[i];
        limb[i] = wide + (m->q & (0 - (wide >> 63)));
    }
}
