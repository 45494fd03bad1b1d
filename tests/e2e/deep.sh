#!/bin/sh
# deep.sh OLAC TOOL NETWORKS - a network too deep for levels alone, encrypted at real parameters: it is bootstrapped,
# its answers are those of the network, an evaluation that is killed goes on to the same answer, bit for bit, and what an
# image far outside of all that was calibrated leads to is an error at the client, not an answer.
set -eu
olac=$1 tool=$2 networks=$3
. "$(dirname "$0")/common.sh"
cd "$dir"

{ # sixteen activations, each near the identity: values keep their size, and every one counts in the answer; ten of the
  # sixteen values are the answer, so that slots are left that must be 0
  echo 'network deep'
  echo 'input x : f32[1, 28, 28] from u8 / 255'
  echo "const w : f32[10, 16] = [$(awk 'BEGIN { for (k = 0; k < 160; k++) printf "%s%d", k ? ", " : "", int(k / 16) == k % 16 }')]"
  echo 't0 = flatten(avgpool(x, 7x7))'
  for k in $(seq 1 16); do echo "t$k = gelu(t$((k - 1)) + 1) - 0.8413"; done
  echo 'output y = dense(t16, w)'
} > deep.ola
data="--calib $networks/digits.npy --degree 7"
# shellcheck disable=SC2086
"$olac" run deep.ola $data --input "$networks/digits.npy" --count 1 --json --output encrypted.npy --keep kept > run.json
holds "$("$tool" json run.json bootstraps) >= 4"
holds "$("$tool" json run.json security_bits) >= 128"
holds "$("$tool" json run.json log_qp) <= 868"
holds "$("$tool" json run.json max_abs_noise) < 0.02 * $("$tool" json run.json largest_output)"
holds "$("$tool" json run.json max_abs_error) < 0.05"
# shellcheck disable=SC2086
"$olac" run deep.ola $data --input "$networks/digits.npy" --count 1 --json --sim --output sim.npy > sim.json
"$tool" differ encrypted.npy sim.npy 0.05 || fail "the simulator answers otherwise"
# shellcheck disable=SC2086
if "$olac" compile deep.ola $data --max-ram 500M -o lean 2> err; then fail "500 MB are enough"; fi
grep -q 'E504' err || fail "no E504: $(cat err)"
sed 's/^output y.*/output y = t16/' deep.ola > full.ola
# shellcheck disable=SC2086
"$olac" compile full.ola $data -o full > /dev/null 2> err
grep -q "E505.*node 'y'" err || fail "no word of an output without a slot to spare: $(cat err)"

cd kept
./program keygen --dir keys
./program encrypt --dir keys --input "$networks/digits.npy"
./program eval --dir keys
mv keys/output.ct first.ct
./program eval --dir keys --checkpoint checkpoint &
pid=$!
while [ ! -s checkpoint ] && kill -0 $pid 2> /dev/null; do sleep 0.05; done
kill -9 $pid 2> /dev/null || fail "finished before it could be killed"
wait $pid 2> /dev/null || true
[ -s checkpoint ] || fail "no checkpoint"
[ ! -e keys/output.ct ] || fail "an answer of an evaluation that was killed"
./program eval --dir keys --checkpoint checkpoint
cmp first.ct keys/output.ct || fail "another answer after a kill"
[ ! -e checkpoint ] || fail "the checkpoint stays"
./program decrypt --dir keys

# A hundred times brighter: bootstrapping takes away what it can't hold, and the server can't see it; the client does.
"$tool" scale "$networks/digits.npy" 0.392157 bright.npy
./program encrypt --dir keys --input bright.npy
./program eval --dir keys
rm keys/output.npy
status=0
./program decrypt --dir keys 2> err || status=$?
[ $status = 1 ] || fail "exit status $status for a spoilt answer"
grep -q 'the answer is spoilt: an activation left its range.*\[OLA_ERR_SPOILT\]' err || fail "no word of it: $(cat err)"
[ ! -e keys/output.npy ] || fail "a spoilt answer is written"
status=0
./program run --input bright.npy --count 1 --output bright-answer.npy 2> err || status=$?
[ $status = 1 ] && grep -q OLA_ERR_SPOILT err || fail "run: exit status $status, $(cat err)"
[ ! -e bright-answer.npy ] || fail "run writes a spoilt answer"
echo "a bootstrapped network: good"
