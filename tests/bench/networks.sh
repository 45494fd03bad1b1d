#!/bin/sh
# networks.sh OLAC DATA [IMAGES] - what an encrypted image costs, as the table of README: for each network compile,
# build, keys, encrypt, evaluate, decrypt through `olac run`, in a process of its own.
#   OLAC    the compiler, built
#   DATA    a folder with mnist/ (train and t10k files); networks of examples/ and DATA/models
#   IMAGES  test images a network (default 200)
# Run it on a machine that does nothing else. OMP_NUM_THREADS sets the threads.
set -eu
olac=$1 data=$2 images=${3:-200}
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

field() { # field FILE NAME: the first number called NAME
    tr ',{}' '\n\n\n' <"$1" | sed -n "s/.*\"$2\": *\([-0-9.e+]*\).*/\1/p" | head -n 1
}

printf '%-22s %6s %4s %6s %8s %8s %9s %9s %8s %8s %7s %9s\n' network degree logN levels compile keygen evaluate \
    'per image' agree noise 'peak MB' security
run() {
    name=$1 model=$2
    shift 2
    "$olac" run "$model" --calib "$data/mnist/train-images-idx3-ubyte.gz" \
        --input "$data/mnist/t10k-0-4999-images-idx3-ubyte.gz" \
        --labels "$data/mnist/t10k-0-4999-labels-idx1-ubyte.gz" --count "$images" --quiet --json "$@" \
        >"$work/run.json"
    r=$work/run.json
    awk -v name="$name" -v degree="$(field "$r" degree)" -v logn="$(field "$r" log_n)" -v levels="$(field "$r" levels)" \
        -v compile="$(field "$r" compile)" -v keygen="$(field "$r" keygen)" -v evaluate="$(field "$r" evaluate)" \
        -v each="$(field "$r" seconds_an_image)" -v agree="$(field "$r" agree_where_approximated)" \
        -v of="$(field "$r" approximated_agree)" -v noise="$(field "$r" max_abs_noise)" \
        -v largest="$(field "$r" largest_output)" -v peak="$(field "$r" peak_bytes)" \
        -v security="$(field "$r" security_bits)" 'BEGIN {
        printf "%-22s %6d %4d %6d %7.2fs %7.2fs %8.2fs %8.3fs %4d/%-4d %.1e %7.0f %5d bit\n", name, degree, logn, levels,
            compile, keygen, evaluate, each, agree, of, noise / largest, peak / 1e6, security }'
}

run 'CryptoNets (examples)' "$here/examples/networks/cryptonets.onnx"
run 'LeNet-5 (examples)' "$here/examples/networks/lenet5.onnx"
for model in cryptonets_relu mlp_784_128_64_10; do
    [ ! -f "$data/models/mnist/$model.onnx" ] || run "$model" "$data/models/mnist/$model.onnx"
done
