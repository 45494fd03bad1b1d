#!/bin/sh
# against.sh OLAC DIR - what olac generates from DIR/golden.ola is, byte for byte, what DIR/golden holds; a changed, a missing
# and an unknown file are each seen. GOLDEN_UPDATE=1 writes the folder instead; look at the diff before committing it.
set -eu
olac=$1
cd "$2"
if [ "${GOLDEN_UPDATE:-}" ]; then
    "$olac" compile golden.ola -o golden
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$olac" compile golden.ola --against golden || fail "golden.ola gives other code than the folder golden holds"

differs() { # text that the diff must have
    status=0
    "$olac" compile golden.ola --against "$tmp/golden" > "$tmp/diff" 2> "$tmp/err" || status=$?
    [ $status = 1 ] || fail "exit status $status"
    grep -q -- "$1" "$tmp/diff" || { cat "$tmp/diff" "$tmp/err"; fail "no '$1' in the diff"; }
}
cp -r golden "$tmp/golden"
sed 's/#include "golden.h"/#include "gilded.h"/' golden/golden_server.c > "$tmp/golden/golden_server.c"
differs '^-#include "gilded.h"'
differs '^+#include "golden.h"'
cp golden/golden_server.c "$tmp/golden"
printf x >> "$tmp/golden/golden_weights.bin"
differs golden_weights.bin
cp golden/golden_weights.bin "$tmp/golden"
rm "$tmp/golden/golden_manifest.json"
differs golden_manifest.json
cp golden/golden_manifest.json "$tmp/golden"
"$olac" compile golden.ola --against "$tmp/golden" --quiet || fail "the copy differs"
# Another option is another header at least.
if "$olac" compile golden.ola --precision 12 --against golden > "$tmp/diff"; then fail "--precision changes nothing"; fi
grep -q '^+.*precision 12' "$tmp/diff" || fail "the option is not in the diff"
