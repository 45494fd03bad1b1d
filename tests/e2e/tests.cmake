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
