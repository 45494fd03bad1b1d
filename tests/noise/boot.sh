#!/bin/sh
# boot.sh BENCH_BOOT PLAN_H SET - the error of a bootstrapping of a ready set of parameters, measured over uniform slots, against
# what plan.h's table says of it and against the model (ola_plan_boot_noise), to 0.3 bits.
set -eu
out=$(mktemp)
trap 'rm -f "$out"' EXIT
OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} "$1" "$3" > "$out" || { cat "$out"; echo "FAILED: bench_boot"; exit 1; }
cat "$out"
documented=$(awk -v set="$3" '$1 == "*" && $2 == set && $3 ~ /^2\^1[0-9]$/ {
  for (k = 4; k <= NF; k++) if ($k ~ /^2\^-/) { print substr($k, 3); exit } }' "$2")
# shellcheck disable=SC2046
set -- $(sed -n 's/.*deviation 2^\(-[0-9.]*\),.*from the sine 2^\(-[0-9.]*\) (modelled 2^\(-[0-9.]*\)).*/\1 \2 \3/p' "$out")
[ $# = 3 ] && [ -n "$documented" ] || { echo "FAILED: no figures"; exit 1; }
echo "documented 2^$documented, measured 2^$1; from the sine 2^$2, modelled 2^$3"
awk "BEGIN { exit !($1 < $documented + 0.3 && $1 > $documented - 0.3 && $2 < $3 + 0.3 && $2 > $3 - 0.3) }" ||
  { echo "FAILED: more than 0.3 bits between them"; exit 1; }
