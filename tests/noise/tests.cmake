# The noise model of libola_sim against the noise of libola: measure.c is linked with each, compare.sh holds the two
# outputs together.
foreach(kind ola sim)
  if(kind STREQUAL ola)
    set(libraries ola_client ola)
  else()
    set(libraries ola_sim)
  endif()
  add_executable(noise_${kind} ${CMAKE_CURRENT_SOURCE_DIR}/noise/measure.c)
  target_include_directories(noise_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit)
  target_compile_options(noise_${kind} PRIVATE -Wall -Wextra -Werror)
  target_link_libraries(noise_${kind} PRIVATE ${libraries} m)
endforeach()
target_compile_definitions(noise_sim PRIVATE NOISE_SIM)
add_test(NAME noise_model COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/noise/compare.sh $<TARGET_FILE:noise_ola>
  $<TARGET_FILE:noise_sim>)
# Bootstrapping at N = 2^16: 5 GB of memory.
add_test(NAME noise_boot_2_16 COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/noise/boot.sh $<TARGET_FILE:bench_boot>
  ${PROJECT_SOURCE_DIR}/runtime/include/ola/plan.h 3)
set_tests_properties(noise_boot_2_16 PROPERTIES LABELS slow)
if(OLAC_SANITIZE)
  set_tests_properties(noise_boot_2_16 PROPERTIES DISABLED TRUE)
endif()
