#!/bin/sh
# run.sh [DIR] - the kernels of 64-bit Arm against the portable ones: the tests of tests/unit/backend,
# built by a cross compiler and run by an emulator (or as they are, on such a machine), in DIR. They
# need neither libsodium nor Criterion. Exit status 77: a tool is missing (Debian: gcc-aarch64-linux-gnu
# libc6-dev-arm64-cross qemu-user).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${1:-$(mktemp -d)}
mkdir -p "$dir"
case $(uname -m) in
aarch64 | arm64)
    cc=${CC:-cc} emulator= ;;
*)
    cc=aarch64-linux-gnu-gcc emulator=qemu-aarch64
    command -v $cc >/dev/null && command -v $emulator >/dev/null || { echo "no $cc or no $emulator"; exit 77; } ;;
esac
cd "$root"
flags="-std=c11 -O2 -Wall -Wextra -Werror -ffp-contract=off -static -D_GNU_SOURCE -DOLA_HAVE_NEON"
# Small rings only: an emulator takes its time.
$cc $flags -DOLA_EMULATED -Itests/arm -Iruntime -Iruntime/include -Itests/unit/backend -o "$dir/unit_backend_arm" \
    tests/arm/main.c tests/unit/backend/*.c runtime/backend/*.c runtime/ring/ring.c runtime/ring/modulus.c \
    runtime/ring/memory.c runtime/plan/*.c -lm -lpthread
$emulator "$dir/unit_backend_arm" >"$dir/unit_backend_arm.log" 2>&1 || {
    grep -v '^ok' "$dir/unit_backend_arm.log"
    exit 1
}
tail -1 "$dir/unit_backend_arm.log"
