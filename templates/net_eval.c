//%% The server alone, as a program. Mark: provenance.
/* net_eval.c - evaluates encrypted images; cannot decrypt any. Generated; do not edit.
 *
//% provenance
 */
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int
fail(const char *path, ola_status status)
{
    const char *why = status == OLA_ERR_IO && errno ? strerror(errno) : ola_status_text(status);
    fprintf(stderr, "net_eval: %s: %s [%s]\n", path, why, ola_status_name(status));
    return 1;
}

static int
answer(struct net_session *session, const ola_params *params, const char *keys_path,
       const char *in_path, const char *out_path)
{
    ola_ct *in[NET_INPUT_CTS], *out[NET_OUTPUT_CTS];
    ola_status status = net_cts_new(params, in, NET_INPUT_CTS);
    if (status != OLA_OK)
        return fail(in_path, status);
    int failed = 1;
    status = net_cts_new(params, out, NET_OUTPUT_CTS);
    if (status != OLA_OK) {
        fail(out_path, status);
    } else {
        if ((status = ola_cts_load(params, in_path, in, NET_INPUT_CTS)) != OLA_OK)
            fail(in_path, status);
        else if ((status = net_evaluate(session, (const ola_ct *const *)in, out, NULL, NULL)) ==
                 OLA_ERR_OTHER_KEY)
            fprintf(stderr, "net_eval: %s: %s than %s [%s]\n", in_path, ola_status_text(status),
                    keys_path, ola_status_name(status));
        else if (status != OLA_OK)
            fail(in_path, status);
        else if ((status = ola_cts_save(params, (const ola_ct *const *)out, NET_OUTPUT_CTS,
                                        out_path)) != OLA_OK)
            fail(out_path, status);
        else
            failed = 0;
        net_cts_free(out, NET_OUTPUT_CTS);
    }
    net_cts_free(in, NET_INPUT_CTS);
    return failed;
}

int
main(int argc, char **argv)
{
    struct net_server *server = NULL;
    struct net_session *session = NULL;
    ola_keys *keys = NULL;
    int failed = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: net_eval WEIGHTS KEYS INPUT OUTPUT\n"
                        "evaluates the encrypted image INPUT with the evaluation keys KEYS\n");
        return 1;
    }
    if (NET_SECURITY == 0)
        fprintf(stderr, "net_eval: INSECURE TOY parameters: not for real data\n");
    ola_status status = net_server_new(argv[1], NET_RESIDENT, &server);
    if (status != OLA_OK)
        fail(argv[1], status);
    else if ((status = ola_keys_load(net_server_params(server), argv[2], &keys)) != OLA_OK)
        fail(argv[2], status);
    else if ((status = net_session_new(server, keys, &session)) != OLA_OK)
        fail(argv[2], status);
    else
        failed = answer(session, net_server_params(server), argv[2], argv[3],
                        argv[4]);
    net_session_free(session);
    ola_keys_free(keys);
    net_server_free(server);
    return failed;
}
