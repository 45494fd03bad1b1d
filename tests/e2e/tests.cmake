# End to end. Each test is a script that gets what it needs as arguments and works in its own folder.
add_executable(emit_fixture ${CMAKE_CURRENT_SOURCE_DIR}/e2e/emit_fixture.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/emit/programs.c)
target_include_directories(emit_fixture PRIVATE ${PROJECT_SOURCE_DIR}/compiler)
target_link_libraries(emit_fixture PRIVATE olac_emit olac_options m)

# The generated code of hand-made networks, with each compiler, on the simulator and on the runtime.
foreach(library sim ola)
  foreach(compiler gcc clang)
    add_test(NAME e2e_generated_${library}_${compiler}
      COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/generated.sh $<TARGET_FILE:emit_fixture> ${compiler}
        ${library} ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR}/runtime/include)
    set_tests_properties(e2e_generated_${library}_${compiler} PROPERTIES SKIP_RETURN_CODE 77)
  endforeach()
endforeach()
# The generated CMakeLists.txt, once in a project that has libola and once with an installed libola.
add_test(NAME e2e_cmake COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/cmake.sh $<TARGET_FILE:emit_fixture>
  ${CMAKE_BINARY_DIR} ${CMAKE_COMMAND})

# The compiler as a user has it: a network on encrypted images, what is wrong, what is installed, the examples.
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson) # once more: imported targets are seen in their folder
add_executable(e2e_tool ${CMAKE_CURRENT_SOURCE_DIR}/e2e/tool.c)
target_compile_options(e2e_tool PRIVATE -Wall -Wextra -Werror)
target_compile_definitions(e2e_tool PRIVATE _GNU_SOURCE)
target_link_libraries(e2e_tool PRIVATE PkgConfig::CJSON m)
set(networks ${PROJECT_SOURCE_DIR}/examples/networks)
add_test(NAME e2e_network COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/network.sh $<TARGET_FILE:olac>
  $<TARGET_FILE:e2e_tool> ${networks})
add_test(NAME e2e_batch COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/batch.sh $<TARGET_FILE:olac>
  $<TARGET_FILE:e2e_tool> ${networks})
add_test(NAME e2e_bench COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/bench.sh $<TARGET_FILE:olac> ${networks})
add_test(NAME e2e_split COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/split.sh $<TARGET_FILE:olac>
  $<TARGET_FILE:e2e_tool> ${networks})
add_test(NAME e2e_compositions COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/compositions.sh $<TARGET_FILE:olac>
  $<TARGET_FILE:e2e_tool> ${networks})
add_test(NAME e2e_deep COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/deep.sh $<TARGET_FILE:olac>
  $<TARGET_FILE:e2e_tool> ${networks})
add_test(NAME e2e_errors COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/errors.sh $<TARGET_FILE:olac> ${networks})
add_test(NAME e2e_installed COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/e2e/installed.sh ${CMAKE_BINARY_DIR}
  ${CMAKE_COMMAND} ${PROJECT_SOURCE_DIR})
foreach(example 1_encrypt_add_multiply 2_rotate_and_sum 3_polynomial 6_bootstrap)
  add_executable(example_${example} ${PROJECT_SOURCE_DIR}/examples/${example}.c)
  target_compile_options(example_${example} PRIVATE -Wall -Wextra -Werror)
  target_link_libraries(example_${example} PRIVATE ola_client m)
  add_test(NAME example_${example} COMMAND example_${example})
endforeach()
add_test(NAME example_7_batch COMMAND sh ${PROJECT_SOURCE_DIR}/examples/7_batch.sh $<TARGET_FILE:olac>)
add_test(NAME example_8_split COMMAND sh ${PROJECT_SOURCE_DIR}/examples/8_split.sh $<TARGET_FILE:olac>)
add_test(NAME example_4_four_processes COMMAND sh ${PROJECT_SOURCE_DIR}/examples/4_four_processes.sh $<TARGET_FILE:olac>)
add_test(NAME example_6_tune COMMAND sh ${PROJECT_SOURCE_DIR}/examples/6_tune.sh $<TARGET_FILE:olac>)

# What is linked outside of this build has no sanitizer's library.
if(OLAC_SANITIZE)
  foreach(test e2e_cmake e2e_deep e2e_network e2e_batch e2e_split e2e_compositions e2e_installed example_4_four_processes example_7_batch example_8_split e2e_generated_sim_gcc e2e_generated_sim_clang
      e2e_generated_ola_gcc e2e_generated_ola_clang)
    if(TEST ${test})
      set_tests_properties(${test} PROPERTIES DISABLED TRUE)
    endif()
  endforeach()
endif()
