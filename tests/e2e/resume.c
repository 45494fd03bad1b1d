/* resume.c - evaluates DIR/input.ct of a generated network to OUT with a checkpoint, and dies in
 * front of a layer: resume WEIGHTS DIR CHECKPOINT LAYER OUT. NET is the network's name, CAPITALS
 * the same in capitals, HEADER its header. */
#include HEADER

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define JOIN(a, b)  a##b
#define NAME(a, b)  JOIN(a, b)
#define CALL(what)  NAME(NET, _##what)
#define COUNT(what) NAME(CAPITALS, _##what)

static void
maybe_die(void *user, uint32_t layer, uint32_t layers, double done, const char *name)
{
    const unsigned long *last = user;
    (void)layers;
    (void)done;
    (void)name;
    if (layer == *last)
        _exit(9);
}

static int
fail(const char *what, ola_status status)
{
    fprintf(stderr, "%s: %s\n", what, ola_status_text(status));
    return 1;
}

int
main(int argc, char **argv)
{
    struct CALL(server) * server;
    struct CALL(session) * session;
    ola_keys *keys;
    ola_ct *in[COUNT(INPUT_CTS)], *out[COUNT(OUTPUT_CTS)];
    char path[4096];
    if (argc != 6)
        return 2;
    unsigned long last = strtoul(argv[4], NULL, 10);
    ola_status s = CALL(server_new)(argv[1], NAME(CAPITALS, _RESIDENT), &server);
    if (s != OLA_OK)
        return fail("server", s);
    snprintf(path, sizeof path, "%s/eval.keys", argv[2]);
    if ((s = ola_keys_load(CALL(server_params)(server), path, &keys)) != OLA_OK ||
        (s = CALL(session_new)(server, keys, &session)) != OLA_OK ||
        (s = CALL(cts_new)(CALL(server_params)(server), in, COUNT(INPUT_CTS))) != OLA_OK ||
        (s = CALL(cts_new)(CALL(server_params)(server), out, COUNT(OUTPUT_CTS))) != OLA_OK)
        return fail("session", s);
    snprintf(path, sizeof path, "%s/input.ct", argv[2]);
    if ((s = ola_cts_load(CALL(server_params)(server), path, in, COUNT(INPUT_CTS))) != OLA_OK)
        return fail(path, s);
    s = CALL(evaluate_resumable)(session, (const ola_ct *const *)in, out, argv[3], maybe_die,
                                 &last);
    if (s != OLA_OK)
        return fail(argv[3], s);
    s = ola_cts_save(CALL(server_params)(server), (const ola_ct *const *)out, COUNT(OUTPUT_CTS),
                     argv[5]);
    if (s != OLA_OK)
        return fail(argv[5], s);
    CALL(cts_free)(in, COUNT(INPUT_CTS));
    CALL(cts_free)(out, COUNT(OUTPUT_CTS));
    CALL(session_free)(session);
    ola_keys_free(keys);
    CALL(server_free)(server);
    return 0;
}
