#!/bin/sh
# 9_deep.sh [OLAC [MODEL TRAIN TEST]] - a network that is too deep for levels alone.
#
# ResNet-20 has 19 activations. At degree 7 they and the maps between them take 78 levels, where a ring of 2^15 has 11:
# olac puts bootstrappings where they cost least, together with the choice of the primes. `compile` says how many, what
# an evaluation will take, and how much memory; nothing else changes. MODEL is any ONNX file of such a network, TRAIN and
# TEST are CIFAR-10 batches; without them a small network of sixteen activations is run on drawn digits.
set -eu
cd "$(dirname "$0")/.."
olac=${1:-build/olac}
networks=examples/networks
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if [ $# -ge 4 ]; then
  # One pass over the training images, kept in a file that compile takes in place of them.
  "$olac" calibrate "$2" --calib "$3" --calib-count 2000 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 -o "$dir/cal"
  # What it will cost in accuracy, before anything is encrypted.
  "$olac" simulate "$2" --calib "$dir/cal" --degree 7 --data "$4" --count 500
  # One image, encrypted.
  "$olac" run "$2" --calib "$dir/cal" --degree 7 --input "$4" --count 1
  exit 0
fi
{
  echo 'network deep'
  echo 'input x : f32[1, 28, 28] from u8 / 255'
  echo 't0 = flatten(avgpool(x, 7x7))'
  for k in $(seq 1 16); do echo "t$k = gelu(t$((k - 1)) + 1) - 0.8413"; done
  echo 'output y = t16'
} > "$dir/deep.ola"
"$olac" run "$dir/deep.ola" --calib "$networks/digits.npy" --degree 7 --input "$networks/digits.npy" --count 1
