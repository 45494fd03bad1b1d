# ONNX's own test cases against importer and interpreter; skipped where Debian's libonnx-testdata is absent.
set(ONNX_TEST_DATA /usr/share/libonnx-testdata/data CACHE PATH "Test cases of ONNX")
add_executable(onnx_node_tests op/onnx_node_tests.c)
target_include_directories(onnx_node_tests PRIVATE ${PROJECT_SOURCE_DIR}/compiler)
target_compile_definitions(onnx_node_tests PRIVATE _GNU_SOURCE)
target_compile_options(onnx_node_tests PRIVATE -Wall -Wextra -Werror)
target_link_libraries(onnx_node_tests PRIVATE olac_import olac_decompose olac_onnx_schema PkgConfig::SODIUM)
add_test(NAME onnx_node_tests COMMAND onnx_node_tests ${ONNX_TEST_DATA} check
  ${PROJECT_SOURCE_DIR}/tests/op/expected.txt ${PROJECT_SOURCE_DIR}/compiler/op/README.md)
set_tests_properties(onnx_node_tests PROPERTIES SKIP_RETURN_CODE 77)

# Whole networks with given inputs and outputs; skipped where the shared data are absent.
add_executable(reference_networks op/reference_networks.c)
target_include_directories(reference_networks PRIVATE ${PROJECT_SOURCE_DIR}/compiler)
target_compile_definitions(reference_networks PRIVATE _GNU_SOURCE)
target_compile_options(reference_networks PRIVATE -Wall -Wextra -Werror)
target_link_libraries(reference_networks PRIVATE olac_import)
add_test(NAME reference_networks COMMAND reference_networks ${PROJECT_SOURCE_DIR}/../shared/data/models)
set_tests_properties(reference_networks PROPERTIES SKIP_RETURN_CODE 77)
