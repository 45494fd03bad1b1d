/* status.c - what a status means, for libola and the simulator alike. */
#include "ola/ola.h"

const char *
ola_status_text(ola_status s)
{
    switch (s) {
    case OLA_OK:
        return "success";
    case OLA_ERR_NOMEM:
        return "out of memory";
    case OLA_ERR_PARAM:
        return "an argument is out of its range";
    case OLA_ERR_INSECURE:
        return "the modulus is too large for the ring: less than 128-bit security";
    case OLA_ERR_PRIME:
        return "not a prime = 1 mod 2N below 2^49, or the same prime twice";
    case OLA_ERR_LEVEL:
        return "levels differ, or no level is left";
    case OLA_ERR_SCALE:
        return "scales differ, or the scale does not fit the modulus";
    case OLA_ERR_KEY:
        return "no key for this rotation or product at this level";
    case OLA_ERR_FORMAT:
        return "not a file of this kind, or damaged or truncated";
    case OLA_ERR_VERSION:
        return "the file was written by another version of libola";
    case OLA_ERR_FINGERPRINT:
        return "the file belongs to other parameters";
    case OLA_ERR_MODEL:
        return "the file belongs to another model";
    case OLA_ERR_IO:
        return "the file could not be read or written";
    case OLA_ERR_RANDOM:
        return "the system gave no randomness";
    case OLA_ERR_RANGE:
        return "a value is not finite, or too large for scale and modulus";
    case OLA_ERR_TOY:
        return "a toy object where a secure one is wanted, or the reverse";
    case OLA_ERR_SIM:
        return "of the simulator where real encryption is wanted, or the reverse";
    }
    return "unknown status";
}
