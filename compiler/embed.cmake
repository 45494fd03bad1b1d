# cmake -DOUT=FILE.c -DDIR=FOLDER -DNAMES=a,b -DHEADER=room/x.h -DTYPE=row -DTABLE=rows -P embed.cmake: files as
# NUL-terminated C arrays, and `const struct TYPE TABLE[]` with the name and the text of each, as HEADER declares it.
# Bytes, not string literals: those are limited to 4095 characters in C11.
string(REPLACE "," ";" names "${NAMES}")
set(text "/* Made by embed.cmake. */\n#include \"${HEADER}\"\n\n#include <stddef.h>\n")
set(rows "")
set(number 0)
foreach(name ${names})
  file(READ ${DIR}/${name} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)"
    "\\1\n" bytes "${bytes}")
  string(APPEND text "\nstatic const char text_${number}[] = {\n${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", text_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(APPEND text "\nconst struct ${TYPE} ${TABLE}[] = {\n${rows}    {NULL, NULL},\n};\n")
file(WRITE ${OUT}.new "${text}")
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}.new ${OUT})
file(REMOVE ${OUT}.new)
