# Style and script of the report, built into the compiler. Sets REPORT_GENERATED.
set(REPORT_GENERATED ${CMAKE_CURRENT_BINARY_DIR}/report_assets.c)
set(report_dir ${CMAKE_CURRENT_SOURCE_DIR}/report)
add_custom_command(OUTPUT ${REPORT_GENERATED}
  COMMAND ${CMAKE_COMMAND} -DOUT=${REPORT_GENERATED} -DDIR=${report_dir} -DNAMES=page.css,page.js
    -DHEADER=report/assets.h -DTYPE=report_asset -DTABLE=report_assets
    -P ${CMAKE_CURRENT_SOURCE_DIR}/embed.cmake
  DEPENDS ${report_dir}/page.css ${report_dir}/page.js ${CMAKE_CURRENT_SOURCE_DIR}/embed.cmake VERBATIM)
