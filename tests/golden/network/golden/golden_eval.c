/* golden_eval.c - evaluates encrypted images; cannot decrypt any. Generated; do not edit.
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

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int
fail(const char *path, ola_status status)
{
    const char *why = status == OLA_ERR_IO && errno ? strerror(errno) : ola_status_text(status);
    fprintf(stderr, "golden_eval: %s: %s [%s]\n", path, why, ola_status_name(status));
    return 1;
}

static int
answer(struct golden_session *session, const ola_params *params, const char *keys_path,
       const char *in_path, const char *out_path)
{
    ola_ct *in[GOLDEN_INPUT_CTS], *out[GOLDEN_OUTPUT_CTS];
    ola_status status = golden_cts_new(params, in, GOLDEN_INPUT_CTS);
    if (status != OLA_OK)
        return fail(in_path, status);
    int failed = 1;
    status = golden_cts_new(params, out, GOLDEN_OUTPUT_CTS);
    if (status != OLA_OK) {
        fail(out_path, status);
    } else {
        if ((status = ola_cts_load(params, in_path, in, GOLDEN_INPUT_CTS)) != OLA_OK)
            fail(in_path, status);
        else if ((status = golden_evaluate(session, (const ola_ct *const *)in, out, NULL, NULL)) ==
                 OLA_ERR_OTHER_KEY)
            fprintf(stderr, "golden_eval: %s: %s than %s [%s]\n", in_path, ola_status_text(status),
                    keys_path, ola_status_name(status));
        else if (status != OLA_OK)
            fail(in_path, status);
        else if ((status = ola_cts_save(params, (const ola_ct *const *)out, GOLDEN_OUTPUT_CTS,
                                        out_path)) != OLA_OK)
            fail(out_path, status);
        else
            failed = 0;
        golden_cts_free(out, GOLDEN_OUTPUT_CTS);
    }
    golden_cts_free(in, GOLDEN_INPUT_CTS);
    return failed;
}

int
main(int argc, char **argv)
{
    struct golden_server *server = NULL;
    struct golden_session *session = NULL;
    ola_keys *keys = NULL;
    int failed = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: golden_eval WEIGHTS KEYS INPUT OUTPUT\n"
                        "evaluates the encrypted image INPUT with the evaluation keys KEYS\n");
        return 1;
    }
    if (GOLDEN_SECURITY == 0)
        fprintf(stderr, "golden_eval: INSECURE TOY parameters: not for real data\n");
    ola_status status = golden_server_new(argv[1], GOLDEN_RESIDENT, &server);
    if (status != OLA_OK)
        fail(argv[1], status);
    else if ((status = ola_keys_load(golden_server_params(server), argv[2], &keys)) != OLA_OK)
        fail(argv[2], status);
    else if ((status = golden_session_new(server, keys, &session)) != OLA_OK)
        fail(argv[2], status);
    else
        failed = answer(session, golden_server_params(server), argv[2], argv[3],
                        argv[4]);
    golden_session_free(session);
    ola_keys_free(keys);
    golden_server_free(server);
    return failed;
}
