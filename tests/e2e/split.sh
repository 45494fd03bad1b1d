#!/bin/sh
# split.sh OLAC TOOL NETWORKS - a network whose first part the client computes in the clear: every activation as C, over
# the simulator; LeNet-5 encrypted from its first dense layer on, with fewer levels and the answers of the float network;
# the server knows nothing of the part in front; nodes that do not separate the network.
set -eu
olac=$1 tool=$2 networks=$3
. "$(dirname "$0")/common.sh"
cd "$dir"

# All but the last map in the clear, against the float interpreter on the whole network.
cat > front.ola << 'END'
network fronts
input image : f32[1, 28, 28] from u8 / 255
const K : f32[2, 1, 3, 3] = [0.5, -0.25, 0, 0, 1, 0, 0.125, 0, -0.5, 0, 0, 0.25, -1, 0, 0, 0.5, 0.5, -0.125]
const S : f32[2, 1, 1] = [0.25, -0.5]
const T : f32[1] = [0.75]
p = avgpool(image, 4x4)
c = conv(p, K, pad 1)
s1 = Relu(c) + LeakyRelu(c; alpha 0.3) + Sigmoid(c) + Tanh(c) + Gelu(c) + HardSigmoid(c; alpha 0.3) + HardSwish(c)
s2 = Softplus(c) + Softsign(c) + Elu(c; alpha 0.7) + Mish(c) + ThresholdedRelu(c; alpha 0.1) + Erf(c) + Exp(c) + Abs(c)
s3 = Sin(c) * Cos(c) + Clip(c, -0.2, 0.3) + Sqrt(Exp(c)) + Log(Exp(c) + 1.0) + Reciprocal(Exp(c)) + c * Sigmoid(c)
s4 = Selu(c) + Celu(c; alpha 0.4) + Gelu(c; approximate "tanh") + prelu(c, S) + prelu(c, T)
m = maxpool(s1 + s2 - s3 * c + s4, 2x2)
output y = flatten(m) * 0.5 + 0.25
END
few="--calib $networks/digits.npy --input $networks/digits.npy --count 5"
"$olac" simulate front.ola --data "$networks/digits.npy" --count 5 --float --output float.npy > log
for pack in latency throughput; do
  # shellcheck disable=SC2086
  "$olac" run front.ola $few --split-at y.mul --pack $pack --sim --json --output front.npy --keep kept > front.json
  holds "$("$tool" json front.json largest_output) > 1"
  "$tool" differ front.npy float.npy 1e-4 || fail "$pack: the front computes otherwise"
  [ "$("$tool" json front.json products)" = 0 ] || fail "$pack: products of ciphertexts"
  clean kept
  kept/program selftest
  kept/program run --input "$networks/digits.npy" --count 5 --output pixels.npy # bytes
  "$tool" differ pixels.npy float.npy 1e-4 || fail "$pack: the front of pixels computes otherwise"
  rm -rf kept
done

# Encrypted from the first dense layer on.
model="$networks/lenet5.onnx --calib $networks/digits.npy --degree 3"
# shellcheck disable=SC2086
"$olac" compile $model --quiet -o whole
# shellcheck disable=SC2086
"$olac" run $model --split-at /7/Gemm --input "$networks/digits.npy" --count 3 --json --output part.npy --keep part > part.json
"$olac" simulate "$networks/lenet5.onnx" --data "$networks/digits.npy" --count 3 --float --output float.npy > log
[ "$("$tool" argmax part.npy)" = "$("$tool" argmax float.npy)" ] || fail "answers differ from float"
[ "$("$tool" json part.json images agree_with_float | tr '\n' ' ')" = "3 3 " ] || fail "part.json"
holds "$("$tool" json part.json security_bits) >= 128"
holds "$("$tool" json part.json max_abs_noise) < 1e-3 * $("$tool" json part.json largest_output)"
holds "$("$tool" json part.json levels) < $("$tool" json whole/lenet5_manifest.json parameters.levels)"
[ "$("$tool" json part/lenet5_manifest.json split.at)" = /7/Gemm ] || fail "the manifest does not say where"
grep -q "split at /7/Gemm" part/lenet5_client.c || fail "the provenance does not say where"
grep -q "INPUT_SIZE *784u" part/lenet5.h || fail "the image is another"
[ ! -e whole/lenet5_front.c ] || fail "a front where there is none"
if grep -q "front\|Conv" part/lenet5_server.c; then fail "the server knows of the front"; fi
clean part
(
  cd part
  ./program selftest
  ./program keygen --dir keys
  ./program encrypt --dir keys --input "$networks/digits.npy" --count 3
  mv keys/secret.key .
  ./program eval --dir keys --count 3
  mv secret.key keys
  ./program decrypt --dir keys --count 3 --output four.npy
)
"$tool" differ part/four.npy part.npy 0.01 || fail "four processes"
# shellcheck disable=SC2086
"$olac" simulate $model --split-at /7/Gemm --data "$networks/digits.npy" --count 3 --json > simulate.json
[ "$("$tool" json simulate.json images agree | tr '\n' ' ')" = "3 3 " ] || fail "simulate.json"
# shellcheck disable=SC2086
"$olac" check $model --split-at /7/Gemm --quiet || fail "check"

# Nodes that do not do.
printf 'network block\ninput a : f32[4]\nb = Relu(a * 2.0)\nc = Relu(b * 0.5)\noutput y = b + c\n' > block.ola
refused() { # text, model, node
  status=0
  "$olac" check "$2" --split-at "$3" > /dev/null 2> err || status=$?
  [ $status = 1 ] && grep -q "E708" err && grep -q "$1" err || fail "$3: $(cat err)"
}
refused "no such node" block.ola nowhere
refused "nothing stands before" block.ola b.mul
refused "also reads" block.ola c
refused "split-at c.mul, or --head b" block.ola c
refused "more than one tensor" block.ola y
status=0
"$olac" check block.ola --split-at c.mul --set b:degree=3 > /dev/null 2> err || status=$?
[ $status = 1 ] && grep -q "before the split\|E708" err || fail "a pin in the clear: $(cat err)"
echo "split: good"
