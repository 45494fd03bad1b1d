#!/bin/sh
# headers.sh CC ROOT BUILD - every header compiles alone, as C11: whoever opens a door needs to include nothing before it.
set -eu
cc=$1
root=$2
build=$3
bad=0
for header in $(cd "$root" && find compiler runtime -name '*.h' | LC_ALL=C sort); do
    case $header in
    */avx512ifma.h) continue ;; # needs the flags of its own kernels
    */backend/reals.h) continue ;; # kernels for the vectors that are defined before it
    esac
    printf '#include "%s"\n#include "%s"\nextern int nothing;\nint nothing;\n' "$root/$header" "$root/$header" |
        "$cc" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-function -Werror -fsyntax-only -I "$root/compiler" \
            -I "$root/runtime" -I "$root/runtime/include" -I "$build/compiler" -I "$build/compiler/schema" -x c - ||
        { echo "headers: $header needs something before it"; bad=1; }
done
exit $bad
