#!/bin/sh
# Writes tests/op/expected.txt and the table of operators from a run of the ONNX test cases.
# Usage: tests/op/make_table.sh BUILD_DIR (configured with -DOLAC_TESTS=ON)
set -eu
build=${1:?usage: tests/op/make_table.sh BUILD_DIR}
data=${ONNX_TEST_DATA:-/usr/share/libonnx-testdata/data}
root=$(cd "$(dirname "$0")/../.." && pwd)
cmake --build "$build" --target onnx_node_tests
"$build/tests/onnx_node_tests" "$data" list > "$root/tests/op/expected.txt"
"$build/tests/onnx_node_tests" "$data" table > "$root/compiler/op/README.md"
