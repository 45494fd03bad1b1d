#!/bin/sh
# plans.sh OLAC DATA [MODEL [PLAN ...]] - what a choice of polynomials is worth in time: one encrypted CIFAR-10 image under each plan,
# by the same compiler and runtime. A PLAN is options of olac in one word; the first is what others do, 14 levels for every ReLU.
# Calibrated on 1,000 training images; accuracy is of bench_ola and of olac simulate. DATA holds cifar10/ and models/cifar10/.
set -eu
olac=$1 data=$2 model=${3:-$2/models/cifar10/resnet20_cifar10.onnx}
shift 2
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- "--fit minimax" "--degree 15" "--degree 7" "--max-drop 1%"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
pixels="--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
field() { sed -n "s/.*\"$1\":\([-0-9.e+]*\).*/\1/p" "$dir/run.json" | head -n 1; }

# shellcheck disable=SC2086
"$olac" calibrate "$model" --calib "$data/cifar10/data_batch_1.bin.gz" --calib-count 1000 $pixels -o "$dir/cal" --quiet > /dev/null
printf '%-16s %6s %6s %6s %9s %9s %8s %6s\n' plan log_n limbs boots predicted measured noise right
for plan in "$@"; do
  # shellcheck disable=SC2086
  "$olac" run "$model" --calib "$dir/cal" $plan --input "$data/cifar10/test_0-4999.bin.gz" --count 1 --json > "$dir/run.json"
  printf '%-16s %6s %6s %6s %9s %9s %8s %6s\n' "$plan" "$(field log_n)" "$(field levels)" "$(field bootstraps)" \
    "$(field predicted_seconds_an_image)" "$(field seconds_an_image)" "$(field max_abs_noise)" "$(field correct)"
done
