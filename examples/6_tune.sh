#!/bin/sh
# 6_tune.sh OLAC - retraining for encrypted evaluation, on drawn digits in seconds: a sparse network with powers of two as
# weights, and a last layer trained with differential privacy. README.md has the same for all of MNIST.
set -eu
olac=$1
networks=$(cd "$(dirname "$0")/networks" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
digits="--data $networks/digits.npy --labels $networks/labels.npy"

# What the network knows of these digits as it is.
"$olac" simulate "$networks/cryptonets.onnx" --float $digits

# Each ReLU becomes the best quadratic whose coefficients are powers of two; with these in place four of five weights are
# pruned and the others rounded to powers of two, step by step, while what is left learns to make up for it.
"$olac" tune "$networks/cryptonets.onnx" $digits --activation-grid pow2 --degree 2 --prune 0.8 --quantize pow2:5 \
    --epochs 40 --batch 32 -o "$work/sparse.onnx"
"$olac" simulate "$work/sparse.onnx" --float $digits

# The first layers are public; the last one is trained anew so that its weights tell next to nothing of any one digit:
# gradients are clipped to norm 1 and blurred, and the epsilon that this costs is printed.
"$olac" tune "$networks/cryptonets.onnx" $digits --head /4/Relu --dp 8,1e-3,1 --epochs 20 --batch 60 --rate 0.02 \
    -o "$work/private.onnx"
"$olac" simulate "$work/private.onnx" --float $digits

# That epsilon was for all trainings on these digits: it is written down beside the network, and a second one is refused.
if "$olac" tune "$networks/cryptonets.onnx" $digits --head /4/Relu --dp 8,1e-3,1 --epochs 20 --batch 60 --rate 0.02 \
    -o "$work/private.onnx" 2> "$work/refusal"; then
    exit 1
fi
grep E707 "$work/refusal"
cat "$work/private.onnx.privacy"
