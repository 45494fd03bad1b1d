#!/bin/sh
# cmake.sh FIXTURE BUILD CMAKE: installs the runtime, and builds generated networks with it as a product would: two
# networks in one project and one process, by add_subdirectory and find_package; one by pkg-config alone.
set -eu
fixture=$1 build=$2 cmake=$3
. "$(dirname "$0")/common.sh"
cd "$dir"

"$cmake" --install "$build/runtime" --prefix "$dir/first" > install.log || { cat install.log; exit 1; }
mv first prefix # an installed tree may be moved
mkdir -p product/dense product/sums
"$fixture" dense product/dense
"$fixture" sums product/sums

cat > product/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.18)
project(product LANGUAGES C)
find_package(ola 0.1 REQUIRED)
add_subdirectory(dense)
add_subdirectory(sums)
add_executable(both both.c)
target_link_libraries(both PRIVATE dense_client dense_server network_net_client network_net_server)
END
cat > product/both.c <<'END'
/* Two networks in one process: the answer of one decides what the other is asked. */
#include "dense.h"
#include "network_net.h"

#include <math.h>
#include <stdio.h>

#define TRY(x) do { if ((x) != OLA_OK) { printf("line %d\n", __LINE__); return 1; } } while (0)
#define CONST(ct) ((const ola_ct *const *)(ct))

static void count(void *user, uint32_t layer, uint32_t layers, double done, const char *name)
{
    uint32_t *calls = user;
    if (name[0] == 0 && layer == layers && done == 1)
        *calls += 100;
    ++*calls;
}

int main(int argc, char **argv)
{
    struct dense_client *a;
    struct dense_server *as;
    struct dense_session *ax;
    struct network_net_client *b;
    struct network_net_server *bs;
    struct network_net_session *bx;
    ola_keys *ak, *bk;
    ola_ct *ain[DENSE_INPUT_CTS], *aout[DENSE_OUTPUT_CTS], *bin[1], *bout[1];
    float image[DENSE_INPUT_SIZE] = {0}, answer[DENSE_OUTPUT_SIZE], y[NETWORK_NET_OUTPUT_SIZE];
    uint32_t calls = 0;
    if (argc != 3)
        return 2;
    TRY(dense_client_new(&a));
    TRY(network_net_client_new(&b));
    TRY(dense_client_keys(a, &ak));
    TRY(network_net_client_keys(b, &bk));
    TRY(dense_server_beside(dense_client_params(a), argv[1], DENSE_RESIDENT, &as));
    TRY(network_net_server_new(argv[2], NETWORK_NET_STREAMED, &bs));
    TRY(dense_session_new(as, ak, &ax));
    TRY(network_net_session_new(bs, bk, &bx));
    TRY(dense_cts_new(dense_server_params(as), ain, DENSE_INPUT_CTS));
    TRY(dense_cts_new(dense_server_params(as), aout, DENSE_OUTPUT_CTS));
    TRY(network_net_cts_new(network_net_server_params(bs), bin, 1));
    TRY(network_net_cts_new(network_net_server_params(bs), bout, 1));
    TRY(dense_encrypt(a, image, ain));
    TRY(dense_evaluate(ax, CONST(ain), aout, count, &calls));
    TRY(dense_decrypt(a, CONST(aout), answer));
    TRY(network_net_encrypt(b, answer, bin));
    TRY(network_net_evaluate(bx, CONST(bin), bout, NULL, NULL));
    TRY(network_net_decrypt_shared(b, CONST(bout), y, 1e-6));
    /* Of another network: refused, by every function that could take it. */
    if (network_net_session_new(bs, ak, &bx) == OLA_OK || dense_evaluate(ax, CONST(bin), aout, NULL, NULL) == OLA_OK ||
        dense_decrypt(a, CONST(bout), answer) == OLA_OK || dense_decrypt(a, CONST(ain), answer) == OLA_OK ||
        dense_server_new(argv[2], DENSE_RESIDENT, &as) != OLA_ERR_MODEL ||
        dense_server_beside(network_net_client_params(b), argv[1], DENSE_RESIDENT, &as) != OLA_ERR_FINGERPRINT)
        return puts("a stranger was let in"), 1;
    dense_cts_free(ain, DENSE_INPUT_CTS);
    dense_cts_free(aout, DENSE_OUTPUT_CTS);
    network_net_cts_free(bin, 1);
    network_net_cts_free(bout, 1);
    dense_session_free(ax);
    network_net_session_free(bx);
    dense_server_free(as);
    network_net_server_free(bs);
    ola_keys_free(ak);
    ola_keys_free(bk);
    dense_client_free(a);
    network_net_client_free(b);
    return calls == DENSE_LAYERS + 101 && isfinite(y[0]) ? 0 : 1;
}
END

for sim in ON OFF; do
  "$cmake" -S product -B "b-$sim" -DCMAKE_PREFIX_PATH="$dir/prefix" -DDENSE_SIM=$sim -DNETWORK_NET_SIM=$sim \
    -DCMAKE_C_FLAGS=-Werror > cmake.log 2>&1 || { cat cmake.log; exit 1; }
  "$cmake" --build "b-$sim" > build.log 2>&1 || { cat build.log; exit 1; }
  "b-$sim/dense/dense" selftest
  (cd / && "$dir/b-$sim/sums/network_net" selftest)
  "b-$sim/both" product/dense/dense_weights.bin product/sums/network_net_weights.bin || fail "both, simulator $sim"
done

PKG_CONFIG_PATH=$(dirname "$(find "$dir/prefix" -name ola.pc)")
export PKG_CONFIG_PATH
cd product/dense
# shellcheck disable=SC2046
cc -o by_hand dense_main.c dense_npy.c dense_trip.c dense_client.c dense_server.c $(pkg-config --cflags --libs ola_client)
./by_hand selftest
# shellcheck disable=SC2046
cc -o alone dense_eval.c dense_server.c $(pkg-config --cflags --libs ola)
grep -rl "$dir" ./*.c ./*.h ./*.json ./*.txt && fail "a path of this machine"
echo "package: good"
