#!/bin/sh
# batch.sh OLAC TOOL NETWORKS - packed for throughput, over the simulator and encrypted: many images in one evaluation
# answer as the latency layout does, and as the four processes do; the generated C is clean under both compilers.
set -eu
olac=$1 tool=$2 networks=$3
. "$(dirname "$0")/common.sh"
cd "$dir"

# A convolution and a dense layer with weights that are powers of two, squares between them.
cat > powers.ola << 'END'
network powers
input image : f32[1, 28, 28] from u8 / 255
const K : f32[2, 1, 3, 3] = [0.5, -0.25, 0, 0, 1, 0, 0.125, 0, -0.5, 0, 0, 0.25, -1, 0, 0, 0.5, 0.5, -0.125]
END
awk 'BEGIN { printf "const W : f32[18, 3] = [";
  for (k = 0; k < 54; k++) printf "%s%g", k ? ", " : "", k % 3 ? (k % 5 - 2) * 0.25 : 0; print "]" }' >> powers.ola
cat >> powers.ola << 'END'
p = avgpool(image, 4x4)
c = conv(p, K, stride 2)
a = c * c * 0.125 + c * 0.5 + 0.25
output y = matmul(flatten(a), W)
END

# The same with a cubic between them, and sums of two powers for weights.
sed -e 's/^a = .*/a = c * c * c * 0.0625 + c * c * 0.125 + c * 0.5 + 0.25/' -e 's/0.125, 0, -0.5/0.375, 0, -0.75/' powers.ola > cubic.ola

few="--input $networks/digits.npy --count 7"
for model in powers.ola cubic.ola "$networks/cryptonets.onnx --calib $networks/digits.npy --degree 2"; do
  # shellcheck disable=SC2086
  "$olac" run $model $few --json --output one.npy > one.json
  # shellcheck disable=SC2086
  "$olac" run $model $few --pack throughput --json --output batch.npy --keep kept > batch.json
  # shellcheck disable=SC2086
  "$olac" run $model $few --pack throughput --sim --json --output sim.npy > sim.json
  for run in one batch sim; do same_counts $run.json; done
  most=$("$tool" json one.json largest_output)
  holds "$most > 0"
  "$tool" differ one.npy batch.npy "$(echo "$most" | awk '{ print $1 / 100 }')" || fail "layouts answer otherwise"
  "$tool" differ sim.npy batch.npy "$(echo "$most" | awk '{ print $1 / 1000 }')" || fail "noise"
  holds "$("$tool" json batch.json security_bits) >= 128"
  [ "$("$tool" json batch.json rotations)" = 0 ] || fail "rotations in a batch"
  (
    cd kept
    clean .
    ./program selftest
    ./program keygen --dir keys
    ./program encrypt --dir keys --input "$networks/digits.npy" --count 7
    mv keys/secret.key .
    ./program eval --dir keys --count 7
    mv secret.key keys
    ./program decrypt --dir keys --count 7 --output four.npy
    ./program run --input "$networks/digits.npy" --count 7 --stream --output stream.npy
  )
  for other in four stream; do
    "$tool" differ "kept/$other.npy" batch.npy "$(echo "$most" | awk '{ print $1 / 1000 }')" || fail "$other"
  done
  rm -rf kept
done

# More images than slots: two evaluations.
{
  head -c 128 "$networks/digits.npy" | sed 's/(300, /(600, /'
  tail -c +129 "$networks/digits.npy"
  tail -c +129 "$networks/digits.npy"
} > twice.npy
"$olac" run powers.ola --input twice.npy --pack throughput --log-n 10 --insecure-toy --sim --quiet --output batch.npy
"$olac" run powers.ola --input twice.npy --sim --quiet --output one.npy
"$tool" differ batch.npy one.npy 0.001 || fail "two evaluations"

status=0
"$olac" compile powers.ola --pack sideways 2> err || status=$?
[ $status = 1 ] && grep -q "throughput" err || fail "a layout that there is not"

# The simulator rounds the weights of a batch to its integers.
"$olac" simulate "$networks/cryptonets.onnx" --calib "$networks/digits.npy" --degree 2 --pack throughput --data "$networks/digits.npy" \
  --count 7 --json > simulate.json
holds "$(sed -n 's/.*"quantisation":\([-0-9.e]*\).*/\1/p' simulate.json) > 1e-6"

echo "batches: good"
