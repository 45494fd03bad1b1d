#!/bin/sh
# run.sh SECONDS [target...] - builds the fuzz targets with clang and runs each (or those named) that long.
# FUZZ_SEED (default 1) makes a run repeatable; give another to look elsewhere. BUILD: folder to build in.
# Stops at the first failure; the input that caused it lies in BUILD/failures.
set -eu
seconds=${1:?usage: run.sh SECONDS [target...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build-fuzz}

cmake -S "$here/../.." -B "$build" -DCMAKE_C_COMPILER="${CC:-clang}" -DOLAC_FUZZ=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    >/dev/null
fuzz=$build/tests/fuzz
[ $# -gt 0 ] || set -- $(cat "$fuzz/targets")
cmake --build "$build" --parallel "$(nproc)" --target runtime_seed_files "$@"

mkdir -p "$build/failures"
# The library's block pool would hide the ends of blocks from the address sanitizer: the targets switch it off.
for target in "$@"; do
    mkdir -p "$fuzz/corpus/$target"
    seeds=
    [ ! -d "$here/corpus/$target" ] || seeds=$here/corpus/$target
    dictionary=
    [ ! -f "$here/$target.dict" ] || dictionary=-dict=$here/$target.dict
    echo "== $target"
    # shellcheck disable=SC2086
    "$fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 \
        -seed="${FUZZ_SEED:-1}" -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/failures/$target-" $dictionary \
        "$fuzz/corpus/$target" $seeds
done
