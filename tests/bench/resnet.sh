#!/bin/sh
# resnet.sh OLAC DATA [COUNT [MODEL [DEGREE]]] - a deep network on encrypted CIFAR-10 images, as README's table has it:
# calibrated on 2,000 training images, simulated on all test images, COUNT (20) of them evaluated encrypted; then where
# their time went, by kind of operation and by layer.
# DATA holds cifar10/ and models/cifar10/; MODEL is ResNet-20's file there, DEGREE 7.
set -eu
olac=$1 data=$2 count=${3:-20} model=${4:-$2/models/cifar10/resnet20_cifar10.onnx} degree=${5:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
pixels="--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
test=$data/cifar10/test_0-4999.bin.gz
field() { sed -n "s/.*\"$1\":\([-0-9.e+]*\).*/\1/p" "$2" | head -n 1; }
now() { date +%s.%N; }

start=$(now)
# shellcheck disable=SC2086
"$olac" calibrate "$model" --calib "$data/cifar10/data_batch_1.bin.gz" --calib-count 2000 $pixels -o "$dir/cal" --quiet > /dev/null
calibrated=$(now)
"$olac" simulate "$model" --calib "$dir/cal" --degree "$degree" --data "$test" --json > "$dir/simulate.json"
simulated=$(now)
"$olac" run "$model" --calib "$dir/cal" --degree "$degree" --input "$test" --count "$count" --json > "$dir/run.json"
awk "BEGIN { printf \"calibrate %.1f s, simulate %.1f s\\n\", $calibrated - $start, $simulated - $calibrated }"
tr ',' '\n' < "$dir/simulate.json" | grep -E '"(images|accuracy|float|approximated|quantised|noisy|agree|diverged)"' | tr '\n' ' '
echo
for key in images correct agree_with_float agree_with_polynomials max_abs_noise largest_output seconds_an_image predicted_seconds_an_image peak_bytes \
  predicted_peak_bytes key_bytes log_n log_qp security_bits levels bootstraps rotations compile keygen; do
  printf '%s %s\n' "$key" "$(field "$key" "$dir/run.json")"
done
python3 "$(dirname "$0")/where.py" "$(basename "$model" .onnx)=$dir/run.json"
