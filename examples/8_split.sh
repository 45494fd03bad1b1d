#!/bin/sh
# 8_split.sh [OLAC] - transfer learning: a public feature extractor at the client, a private head on the server.
#
# The first layers of most networks are no secret: everybody downloads the same ones. What is worth protecting is the
# head that was trained on them, and the images. So the client computes the first layers itself, in the clear, as
# ordinary C (NAME_front.c: tables and loops, no library but libm), encrypts what they make of the image, and the
# server evaluates the head alone. Fewer levels, a smaller ring, a faster answer; the activations in the clear are exact.
# Whoever has the client's code has the weights of its part: split where the public part ends.
# `olac tune --head` trains such a head, with --dp in a way that protects the images it was trained on.
set -eu
cd "$(dirname "$0")/.."
olac=${1:-build/olac}
networks=examples/networks
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# `olac show` names the nodes; the one named is the first that is encrypted.
"$olac" show "$networks/lenet5.onnx"
few="--calib $networks/digits.npy --degree 3"
# shellcheck disable=SC2086
"$olac" compile "$networks/lenet5.onnx" $few --split-at /7/Gemm -o "$dir/code"
grep -n "_front(" "$dir/code/lenet5.h"

# The whole of it encrypted, and the head alone: the same images, the same answers.
# shellcheck disable=SC2086
"$olac" run "$networks/lenet5.onnx" $few --input "$networks/digits.npy" --labels "$networks/labels.npy" --count 2
# shellcheck disable=SC2086
"$olac" run "$networks/lenet5.onnx" $few --input "$networks/digits.npy" --labels "$networks/labels.npy" --count 2 \
    --split-at /7/Gemm
