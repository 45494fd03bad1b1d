/* status.c - what a status means, in words; one text for libola and the simulator. */
#include "ola/ola.h"

const char *
ola_status_text(ola_status s)
{
    switch (s) {
    case OLA_OK:
        return "no error";
    case OLA_ERR_NOMEM:
        return "out of memory";
    case OLA_ERR_PARAM:
        return "an argument is out of its range";
    case OLA_ERR_INSECURE:
        return "the modulus is too large for the ring: below 128 bits of security";
    case OLA_ERR_PRIME:
        return "not a prime = 1 mod 2N below 2^49, or given twice";
    case OLA_ERR_LEVEL:
        return "levels differ, or none is left";
    case OLA_ERR_SCALE:
        return "scales differ, or the scale does not fit the modulus left";
    case OLA_ERR_KEY:
        return "no key for this rotation or product at this level";
    case OLA_ERR_FORMAT:
        return "not a file of this kind, damaged, or truncated";
    case OLA_ERR_VERSION:
        return "a file of another version of libola";
    case OLA_ERR_FINGERPRINT:
        return "made with other parameters";
    case OLA_ERR_MODEL:
        return "made for another model";
    case OLA_ERR_IO:
        return "the system could not read or write";
    case OLA_ERR_RANDOM:
        return "no randomness from the operating system";
    case OLA_ERR_RANGE:
        return "a value is too large for scale and modulus, or not finite";
    case OLA_ERR_TOY:
        return "a toy (insecure) object where a secure one is wanted, or the reverse";
    case OLA_ERR_SIM:
        return "a simulator's file where a real one is wanted, or the reverse";
    case OLA_ERR_OTHER_KEY:
        return "of another secret key";
    case OLA_ERR_OTHER_RUN:
        return "of an evaluation of other ciphertexts";
    case OLA_ERR_SPOILT:
        return "the answer is spoilt: an activation left its range, or keys, weights and "
               "ciphertexts do not belong together";
    }
    return "an unknown status";
}

const char *
ola_kind_name(enum ola_kind kind)
{
    static const char *const name[OLA_KINDS] = {
        [OLA_KIND_MAP] = "linear maps",   [OLA_KIND_POLY] = "polynomials",
        [OLA_KIND_PRODUCT] = "products",  [OLA_KIND_SPARSE] = "sparse sums",
        [OLA_KIND_REDUCE] = "reductions", [OLA_KIND_DOWN] = "SlotsToCoeffs",
        [OLA_KIND_RAISE] = "ModRaise",    [OLA_KIND_UP] = "CoeffsToSlots",
        [OLA_KIND_EVAL] = "EvalMod",
    };
    return (unsigned)kind < OLA_KINDS ? name[kind] : "an unknown kind";
}
