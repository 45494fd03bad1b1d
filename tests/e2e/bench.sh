#!/bin/sh
# bench.sh OLAC NETWORKS - olac bench measures this machine; what it writes prices a compile and is named in its code.
set -eu
olac=$1 networks=$2
. "$(dirname "$0")/common.sh"
cd "$dir"

# seconds JSON: the predicted ones
seconds() { sed -n 's/.*"predicted_seconds":\([0-9.e+-]*\).*/\1/p' "$1"; }
compile() { # FILE OPTION...
  file=$1
  shift
  "$olac" compile "$networks/cryptonets.onnx" --calib "$networks/digits.npy" --degree 2 -o code --json "$@" > "$file"
}

"$olac" bench -o costs.json > text 2> warnings || fail "$(cat warnings)"
grep -q '"format": "olac costs 1"' costs.json || fail "$(cat costs.json)"
[ "$(wc -l < text)" = 7 ] || fail "$(cat text)"
[ "$(ls)" = "costs.json
text
warnings" ] || fail "left behind: $(ls)"

compile measured.json --costs costs.json
grep -q 'costs of ' code/cryptonets_server.c || fail "the code does not name its costs"
sed -e 's/"transform_seconds": .*/"transform_seconds": 0.01,/' costs.json > slow.json
compile slow_compile.json --costs slow.json
[ -n "$(seconds measured.json)" ] || fail "no prediction in $(cat measured.json)"
awk "BEGIN { exit !($(seconds slow_compile.json) > 10 * $(seconds measured.json)) }" ||
  fail "slow transforms change nothing: $(seconds slow_compile.json), $(seconds measured.json)"
compile shipped.json
grep -q 'costs of ' code/cryptonets_server.c && fail "the shipped costs are not named"
echo "bench: good"
