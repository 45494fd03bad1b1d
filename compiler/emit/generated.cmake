# The files of templates/ as C arrays, built into the compiler. Sets EMIT_GENERATED.
set(EMIT_TEMPLATES net.h net_client.c net_front.c net_server.c net_eval.c net_program.h net_main.c net_npy.c
  net_trip.c CMakeLists.txt)
set(EMIT_GENERATED ${CMAKE_CURRENT_BINARY_DIR}/emit_templates.c)
string(REPLACE ";" "," emit_names "${EMIT_TEMPLATES}")
list(TRANSFORM EMIT_TEMPLATES PREPEND ${PROJECT_SOURCE_DIR}/templates/ OUTPUT_VARIABLE emit_depends)
add_custom_command(OUTPUT ${EMIT_GENERATED}
  COMMAND ${CMAKE_COMMAND} -DOUT=${EMIT_GENERATED} -DDIR=${PROJECT_SOURCE_DIR}/templates
    -DNAMES=${emit_names} -DHEADER=emit/template.h -DTYPE=template_builtin -DTABLE=template_builtins
    -P ${CMAKE_CURRENT_SOURCE_DIR}/embed.cmake
  DEPENDS ${emit_depends} ${CMAKE_CURRENT_SOURCE_DIR}/embed.cmake VERBATIM)
set_source_files_properties(emit/common.c PROPERTIES
  COMPILE_DEFINITIONS OLAC_VERSION="${PROJECT_VERSION}")
install(FILES ${emit_depends} ${PROJECT_SOURCE_DIR}/templates/README.md DESTINATION share/olac/templates)
