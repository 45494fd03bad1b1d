#!/bin/sh
# 4_four_processes.sh [OLAC] - a compiled network used as it would be in a product: the owner of the data and the
# server are processes that share nothing but files.
#
#   owner    keygen    makes  secret.key (stays here), params and eval.keys (go to the server)
#   owner    encrypt   makes  input.ct
#   server   eval      reads  input.ct and eval.keys, makes output.ct
#   owner    decrypt   reads  output.ct and secret.key
#
# The program that olac generates has all four. What a real server would run is the other one, ..._eval: it is
# linked without the half of libola that knows secret keys.
set -eu
cd "$(dirname "$0")/.."
olac=${1:-build/olac}
networks=$(pwd)/examples/networks
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
libraries=$(cd "$(dirname "$olac")" && pwd)
[ -e "$libraries/libola.a" ] || libraries=$(cd "$libraries/../lib" && pwd)
include=$libraries/include
[ -e "$include" ] || include=$libraries/../include

# A network and some images like those that it will see, for the polynomials that replace its activations.
"$olac" compile "$networks/cryptonets.onnx" --calib "$networks/digits.npy" -o "$dir/code"
cd "$dir/code"

# Any C compiler builds it; CMakeLists.txt would do as well (example 5). The owner's program, then the server's.
cc -O2 -I"$include" -o cryptonets cryptonets_main.c cryptonets_trip.c cryptonets_npy.c cryptonets_client.c \
    cryptonets_server.c "$libraries/libola_client.a" "$libraries/libola.a" -lsodium -lm -fopenmp
cc -O2 -I"$include" -o cryptonets_eval cryptonets_eval.c cryptonets_server.c "$libraries/libola.a" -lsodium -lm -fopenmp

mkdir "$dir/owner" "$dir/server"
./cryptonets keygen --dir "$dir/owner"
./cryptonets encrypt --dir "$dir/owner" --input "$networks/digits.npy"
cp "$dir/owner/eval.keys" "$dir/owner/input.ct" "$dir/server"
ls -l "$dir/server"

# The server: weights, keys and ciphertext in, ciphertext out. There is no secret key in its folder.
./cryptonets_eval cryptonets_weights.bin "$dir/server/eval.keys" "$dir/server/input.ct" "$dir/server/output.ct"

cp "$dir/server/output.ct" "$dir/owner"
./cryptonets decrypt --dir "$dir/owner" --output "$dir/answer.npy"

# Ten numbers behind the header of .npy: the first digit is a nought, so the first is the largest.
od -A n -t f4 -w4 -j 128 "$dir/answer.npy" | awk '
    { printf "%d: %9.4f\n", NR - 1, $1 }
    NR == 1 || $1 > most { most = $1; class = NR - 1 }
    END { print "it is a " class; exit class != 0 || NR != 10 }'
