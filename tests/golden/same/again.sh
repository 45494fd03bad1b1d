#!/bin/sh
# again.sh OLAC MODEL [compile option...] - what is compiled from the print of a model is, byte for byte, what is
# compiled from the model. A model that is not there (shared data) is skipped.
set -eu
olac=$1 model=$2
shift 2
[ -e "$model" ] || { echo "no $model: skipped"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$olac" show --dsl "$model" -o "$tmp/print"
"$olac" compile "$model" -o "$tmp/from_model" --quiet "$@"
"$olac" compile "$tmp"/print/*.ola -o "$tmp/from_print" --quiet "$@"
diff -r "$tmp/from_model" "$tmp/from_print"
[ "$(ls "$tmp/from_model" | wc -l)" -ge 5 ]
