# Golden pairs: golden/<folder>/x.ola and what is expected of it; see golden/run.sh.
add_executable(golden_show golden/show.c)
target_link_libraries(golden_show PRIVATE olac_import olac_options)
add_test(NAME golden_dsl COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/golden/run.sh $<TARGET_FILE:golden_show>
  ${CMAKE_CURRENT_SOURCE_DIR}/golden/dsl)
