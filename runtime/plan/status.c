/* status.c - what a status means, in words; one text for libola and the simulator. */
#include "ola/ola.h"

static const struct {
    const char *name, *text;
} status[] = {
    [-OLA_OK] = {"OLA_OK", "no error"},
    [-OLA_ERR_NOMEM] = {"OLA_ERR_NOMEM", "out of memory"},
    [-OLA_ERR_PARAM] = {"OLA_ERR_PARAM", "an argument is out of its range"},
    [-OLA_ERR_INSECURE] = {"OLA_ERR_INSECURE",
                           "the modulus is too large for the ring: below 128 bits of security"},
    [-OLA_ERR_PRIME] = {"OLA_ERR_PRIME", "not a prime = 1 mod 2N below 2^49, or given twice"},
    [-OLA_ERR_LEVEL] = {"OLA_ERR_LEVEL", "levels differ, or none is left"},
    [-OLA_ERR_SCALE] = {"OLA_ERR_SCALE",
                        "scales differ, or the scale does not fit the modulus left"},
    [-OLA_ERR_KEY] = {"OLA_ERR_KEY", "no key for this rotation or product at this level"},
    [-OLA_ERR_FORMAT] = {"OLA_ERR_FORMAT", "not a file of this kind, damaged, or truncated"},
    [-OLA_ERR_VERSION] = {"OLA_ERR_VERSION", "a file of another version of libola"},
    [-OLA_ERR_FINGERPRINT] = {"OLA_ERR_FINGERPRINT", "made with other parameters"},
    [-OLA_ERR_MODEL] = {"OLA_ERR_MODEL", "made for another model"},
    [-OLA_ERR_IO] = {"OLA_ERR_IO", "the system could not read or write"},
    [-OLA_ERR_RANDOM] = {"OLA_ERR_RANDOM", "no randomness from the operating system"},
    [-OLA_ERR_RANGE] = {"OLA_ERR_RANGE",
                        "a value is too large for scale and modulus, or not finite"},
    [-OLA_ERR_TOY] = {"OLA_ERR_TOY",
                      "a toy (insecure) object where a secure one is wanted, or the reverse"},
    [-OLA_ERR_SIM] = {"OLA_ERR_SIM",
                      "a simulator's file where a real one is wanted, or the reverse"},
    [-OLA_ERR_OTHER_KEY] = {"OLA_ERR_OTHER_KEY", "of another secret key"},
    [-OLA_ERR_OTHER_RUN] = {"OLA_ERR_OTHER_RUN", "of an evaluation of other ciphertexts"},
    [-OLA_ERR_SPOILT] = {"OLA_ERR_SPOILT",
                         "the answer is spoilt: an activation left its range, or keys, weights and "
                         "ciphertexts do not belong together"},
};
#define STATUSES (sizeof status / sizeof *status)

static bool
known(ola_status s)
{
    return s <= 0 && s > -(int)STATUSES && status[-s].name;
}

const char *
ola_status_name(ola_status s)
{
    return known(s) ? status[-s].name : "OLA_ERR_UNKNOWN";
}

const char *
ola_status_text(ola_status s)
{
    return known(s) ? status[-s].text : "an unknown status";
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
