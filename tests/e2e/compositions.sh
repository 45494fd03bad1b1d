#!/bin/sh
# compositions.sh OLAC TOOL NETWORKS - what is composed of sums, products and polynomials, encrypted at real parameters:
# a network with a MaxPool, and self-attention with its Softmax. Encrypted answers are those of the simulator and,
# within the polynomials' error, those of the float network.
set -eu
olac=$1 tool=$2 networks=$3
. "$(dirname "$0")/common.sh"
cd "$dir"
data="--calib $networks/digits.npy --input $networks/digits.npy"

# shellcheck disable=SC2086
"$olac" run "$networks/maxpool.onnx" $data --labels "$networks/labels.npy" --count 5 --degree 7 --json --output real.npy > run.json
[ "$("$tool" json run.json agree_with_float)" = 5 ] || fail "maxpool: $(cat run.json)"
holds "$("$tool" json run.json correct) >= 4"
holds "$("$tool" json run.json security_bits) >= 128"
holds "$("$tool" json run.json max_abs_noise) < 1e-2 * $("$tool" json run.json largest_output)"

# Four tokens of four numbers: softmax(x x^T) x.
cat > attention.ola <<'END'
network attention
input image : f32[1, 28, 28] from u8 / 255
x = reshape(avgpool(image, 7x7), [4, 4])
scores = matmul(x, transpose(x, perm [1, 0])) * 8
output y = matmul(softmax(scores), x)
END
"$olac" check attention.ola
# shellcheck disable=SC2086
"$olac" run attention.ola $data --count 2 --degree 7 --json > attention.json
holds "$("$tool" json attention.json security_bits) >= 128"
holds "$("$tool" json attention.json max_abs_error) < 0.02 * $("$tool" json attention.json largest_output)"
