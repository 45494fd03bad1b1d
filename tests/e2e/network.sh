#!/bin/sh
# network.sh OLAC TOOL NETWORKS - a trained network, encrypted, at real parameters: `olac run` on drawn digits, the
# fields of its report, its noise, its answers; the same over the simulator; then the program it built, as four
# processes; and keys of another model.
set -eu
olac=$1 tool=$2 networks=$3
. "$(dirname "$0")/common.sh"
cd "$dir"
data="--calib $networks/digits.npy"
few="--input $networks/digits.npy --labels $networks/labels.npy --count 5"

# shellcheck disable=SC2086
"$olac" run "$networks/cryptonets.onnx" $data $few --json --output encrypted.npy --keep kept > run.json
"$tool" json run.json seconds.compile seconds.cc seconds.keygen seconds.encrypt seconds.evaluate seconds.decrypt \
  peak_bytes log_n log_qp levels rotations key_bytes > numbers
while read -r x; do holds "$x > 0"; done < numbers
[ "$("$tool" json run.json images agree_with_float bootstraps predictions | tr '\n' ' ')" = "5 5 0 5 " ] || fail "run.json"
holds "$("$tool" json run.json correct) >= 4"
holds "$("$tool" json run.json security_bits) >= 128"
holds "$("$tool" json run.json max_abs_noise) < 1e-3 * $("$tool" json run.json largest_output)"
holds "$("$tool" json run.json max_abs_error) >= $("$tool" json run.json max_abs_noise) / 1000"
[ "$(for k in 0 1 2 3 4; do "$tool" json run.json predictions.$k; done)" = "$("$tool" argmax encrypted.npy)" ] ||
  fail "the predictions are not what is largest in --output"

same_counts run.json

# In the clear: the float network, and the simulator's report.
"$olac" simulate "$networks/cryptonets.onnx" --data "$networks/digits.npy" --count 5 --float --output float.npy
[ "$("$tool" argmax float.npy)" = "$("$tool" argmax encrypted.npy)" ] || fail "answers differ from float"
# shellcheck disable=SC2086
"$olac" simulate "$networks/cryptonets.onnx" $data --data "$networks/digits.npy" --labels "$networks/labels.npy" --json \
  --output noisy.npy --stress 50 > simulate.json
for kind in float approximated quantised noisy; do holds "$("$tool" json simulate.json accuracy.$kind) > 0.95"; done
[ "$("$tool" json simulate.json images diverged layers layers.0.name | tr '\n' ' ')" = "300 0 2 /1/Relu " ] || fail "simulate.json"
holds "$("$tool" json simulate.json agree) >= 290"
"$tool" json simulate.json layers.0.degree layers.0.levels layers.0.error layers.0.approximation layers.0.quantisation layers.0.noise > /dev/null
[ "$("$tool" json simulate.json stress.0.images stress.10.images diverged_images.noisy | tr '\n' ' ')" = "5 50 0 " ] || fail "simulate.json: stress"
[ "$("$tool" argmax noisy.npy | head -5)" = "$("$tool" argmax encrypted.npy)" ] || fail "answers differ from the simulation"

# The report: one page that fetches nothing, the same again.
# shellcheck disable=SC2086
for page in one.html two.html; do "$olac" compile "$networks/cryptonets.onnx" $data --calib-count 50 --quiet -o reported --report $page; done
cmp one.html two.html || fail "two reports of the same compile differ"
head -1 one.html | grep -q '^<!DOCTYPE html>' || fail "one.html begins otherwise"
[ "$(grep -c '<article' one.html)" = 2 ] || fail "one.html has not a card for each activation"
if grep -qE 'src=|<link|@import|url\(["h]' one.html; then fail "one.html fetches something"; fi
# The same C over libola_sim. What differs is the encryption alone.
# shellcheck disable=SC2086
"$olac" run "$networks/cryptonets.onnx" $data $few --sim --json --output sim.npy --keep simulated > sim.json
[ "$("$tool" json sim.json agree_with_float)" = 5 ] || fail "simulator"
"$tool" differ encrypted.npy sim.npy "$("$tool" json run.json largest_output | awk '{ print $1 / 1000 }')" || fail "noise"

(
  cd simulated
  ./program selftest
  ./program keygen --dir keys
  ./program encrypt --dir keys --input "$networks/digits.npy"
  ./program eval --dir keys
  ./program decrypt --dir keys --output one.npy
  [ "$("$tool" argmax one.npy)" = "$("$tool" argmax ../sim.npy | head -1)" ] || fail "simulated processes answer otherwise"
)
# What the simulator wrote is nothing to libola, and the other way round.
(cd kept && ./program keygen --dir real)
for pair in "kept ../simulated/keys" "simulated ../kept/real"; do
  # shellcheck disable=SC2086
  set -- $pair
  (cd "$1" && ! ./program eval --dir "$2" 2> err && grep -q params err) || fail "$1 takes files of the other library"
done

# LeNet-5, whose maps span many rotations, over the simulator.
# shellcheck disable=SC2086
"$olac" run "$networks/lenet5.onnx" $data $few --sim --json > lenet.json
for kind in additions plain_products products rotations relinearisations rescales; do
  [ "$("$tool" json lenet.json operations.all.$kind)" = "$("$tool" json lenet.json counted.$kind)" ] || fail "LeNet-5: $kind"
done
[ "$("$tool" json lenet.json images agree_with_float | tr '\n' ' ')" = "5 5 " ] || fail "LeNet-5"

# Four processes, with the program that run has built.
cd kept
./program selftest
./program keygen --dir keys
./program encrypt --dir keys --input "$networks/digits.npy" --count 2
mv keys/secret.key .
./program eval --dir keys --count 2
mv secret.key keys
./program decrypt --dir keys --count 2 --output four.npy
[ "$("$tool" argmax four.npy)" = "$("$tool" argmax ../encrypted.npy | head -2)" ] || fail "four processes answer otherwise"

# Another model, with parameters of its own or the very same: its keys, ciphertexts and weights are refused by name.
# shellcheck disable=SC2086
"$olac" compile "$networks/cryptonets.onnx" $data -o ../same --quiet
# shellcheck disable=SC2086
[ "$("$olac" compile "$networks/cryptonets.onnx" $data --against ../same)" = "../same: identical" ] || fail "not reproducible"
printf 'network other\ninput x : f32[1, 28, 28] from u8 / 255\noutput y = flatten(avgpool(x, 14x14))\n' > ../other.ola
"$olac" run ../other.ola --input "$networks/digits.npy" --count 1 --keep ../other --quiet > /dev/null
../other/program keygen --dir ../other/keys
../other/program encrypt --dir ../other/keys --input "$networks/digits.npy"
refused() { # file's name, command
  name=$1; shift
  status=0
  "$@" > out 2> err || status=$?
  [ $status = 1 ] || fail "status $status: $*"
  grep -q "$name" err || fail "no '$name' in: $(cat err)"
}
# An image ten thousand times too bright leaves the range of every activation: no answer, in place of a wrong one.
bright() { head -c 640 /dev/zero | sed 's/\x00/\x00@\x1cF/g' | head -c 512; } # 128 floats of 1e4
{
  printf '\223NUMPY\001\000\166\000'
  printf "%-117s\n" "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }"
  for k in 1 2 3 4 5 6; do bright; done
  bright | head -c 64
} > bright.npy
refused "the answer is spoilt" ./program run --input bright.npy
refused params ./program eval --dir ../other/keys
cp ../other/keys/eval.keys keys/
refused eval.keys ./program eval --dir keys
./program keygen --dir keys --force
cp ../other/keys/input.ct keys/input.ct
refused input.ct ./program eval --dir keys --count 1
refused other_weights.bin ./program selftest --weights ../other/other_weights.bin
refused secret.key ./program decrypt --dir ../other/keys
echo "a network, encrypted: good"
