#!/bin/sh
# run.sh - installs what is missing, builds, runs all tests: the command of README and of CI.
# Environment: BUILD (build folder, default build-tests), CC, OLAC_CMAKE (more options), CTEST (more options of ctest).
set -eu
cd "$(dirname "$0")/.."
sh tests/install.sh tests
build=${BUILD:-build-tests}
# shellcheck disable=SC2086
cmake -B "$build" -G Ninja -DOLAC_TESTS=ON ${OLAC_CMAKE:-} >/dev/null
cmake --build "$build" -j "$(nproc)"
# Tests run side by side: one thread each, but for those that set their own number.
OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# Waiting threads give the core away soon: others need it here.
GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}
export OMP_NUM_THREADS GOMP_SPINCOUNT
# shellcheck disable=SC2086
ctest --test-dir "$build" --output-on-failure -j "$(nproc)" ${CTEST:-}
