# The program that olac bench builds, built into the compiler. Sets CLI_GENERATED.
set(CLI_GENERATED ${CMAKE_CURRENT_BINARY_DIR}/cli_sources.c)
set(cli_measure ${CMAKE_CURRENT_SOURCE_DIR}/cli/measure)
add_custom_command(OUTPUT ${CLI_GENERATED}
  COMMAND ${CMAKE_COMMAND} -DOUT=${CLI_GENERATED} -DDIR=${cli_measure} -DNAMES=costs.c
    -DHEADER=cli/costs.h -DTYPE=costs_source -DTABLE=costs_sources
    -P ${CMAKE_CURRENT_SOURCE_DIR}/embed.cmake
  DEPENDS ${cli_measure}/costs.c ${CMAKE_CURRENT_SOURCE_DIR}/embed.cmake VERBATIM)
