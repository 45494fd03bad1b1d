# Faults: allocations that fail, files that are short, damaged or can't be written; and what the libraries' symbols say.
# fault.c is linked once with libola and once with libola_sim.
foreach(kind ola sim)
  if(kind STREQUAL ola)
    set(libraries ola_client ola)
  else()
    set(libraries ola_sim)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fault/*.c)
  add_executable(fault_${kind} ${sources})
  target_include_directories(fault_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/runtime ${PROJECT_SOURCE_DIR}/tests/unit)
  target_compile_options(fault_${kind} PRIVATE -Wall -Wextra -Werror)
  target_compile_definitions(fault_${kind} PRIVATE _GNU_SOURCE OLAC_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(fault_${kind} PRIVATE ${libraries} PkgConfig::CRITERION m)
  add_test(NAME fault_${kind} COMMAND fault_${kind} --jobs 2)
  # One thread, so that the n-th allocation is always the same one.
  set_tests_properties(fault_${kind} PROPERTIES ENVIRONMENT OMP_NUM_THREADS=1)
endforeach()

add_test(NAME symbols COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fault/symbols.sh
  ${PROJECT_SOURCE_DIR}/runtime/include/ola/client.h $<TARGET_FILE:ola> $<TARGET_FILE:ola_client> $<TARGET_FILE:ola_sim>)
add_test(NAME headers COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fault/headers.sh ${CMAKE_C_COMPILER}
  ${PROJECT_SOURCE_DIR}/runtime/include)
