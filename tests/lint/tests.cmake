# Lint: rules of the tree that a compiler does not check. Reading only, a few seconds.
add_test(NAME lint_source COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/source.sh ${PROJECT_SOURCE_DIR})
add_test(NAME lint_headers COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/headers.sh ${CMAKE_C_COMPILER}
  ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR})
if(NOT OLAC_SANITIZE)
  set(archives $<TARGET_FILE:ola> $<TARGET_FILE:ola_client> $<TARGET_FILE:ola_sim>)
  foreach(room base ir op import simplify decompose approximate choose linearize layout lower params schedule emit simulate pipeline cli)
    list(APPEND archives $<TARGET_FILE:olac_${room}>)
  endforeach()
  add_test(NAME lint_globals COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/globals.sh ${archives})
endif()
add_test(NAME lint_format COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/format.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(lint_format PROPERTIES SKIP_RETURN_CODE 77)
set_tests_properties(lint_source lint_headers lint_format PROPERTIES LABELS lint)
