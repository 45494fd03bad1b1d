#!/bin/sh
# install.sh - what olac needs to build (and with "tests" to test) on Debian 12, installed where it is missing.
set -eu
need="gcc cmake make pkg-config flex bison libprotobuf-c-dev protobuf-c-compiler libonnx-dev libopenblas-dev
liblapacke-dev libsodium-dev libcjson-dev zlib1g-dev"
[ "${1:-}" = tests ] && need="$need libcriterion-dev libonnx-testdata clang libclang-rt-14-dev ninja-build"
missing=
for package in $need; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
