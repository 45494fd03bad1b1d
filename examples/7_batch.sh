#!/bin/sh
# 7_batch.sh [OLAC] - many images in one evaluation.
#
# Packed for latency (the default), one image is spread over the slots of a few ciphertexts, and the server rotates
# them. Packed for throughput, every number of an image has a ciphertext of its own and every image a slot: the
# server only adds and squares, and 4,096 images take as long as one. What it costs depends on the weights:
#   * a weight of 0 costs nothing, so pruned networks are cheaper (--prune);
#   * a weight +-2^k is a shift, exact, without a level (--quantize pow2:BITS);
#   * with squares for activations (--degree 2, one polynomial a layer) powers of two stay powers of two.
# The table that `compile` prints counts the operations on ciphertexts, node by node; its last column is what the same
# maps would take with all their weights.
set -eu
cd "$(dirname "$0")/.."
olac=${1:-build/olac}
networks=examples/networks
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

few="--quantize pow2:5 --prune 0.7 --degree 2 --fit layer"
# shellcheck disable=SC2086
"$olac" compile "$networks/cryptonets.onnx" --calib "$networks/digits.npy" $few --pack throughput -o "$dir/code"

# All 300 drawn digits in one evaluation.
# shellcheck disable=SC2086
"$olac" run "$networks/cryptonets.onnx" --calib "$networks/digits.npy" $few --pack throughput \
    --input "$networks/digits.npy" --labels "$networks/labels.npy"
