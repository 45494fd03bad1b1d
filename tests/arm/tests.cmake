# Kernels of another architecture, under an emulator; skipped where the tools are missing.
add_test(NAME unit_backend_arm COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/arm/run.sh ${CMAKE_BINARY_DIR}/arm)
set_tests_properties(unit_backend_arm PROPERTIES LABELS unit SKIP_RETURN_CODE 77)
