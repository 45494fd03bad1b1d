# cmake -DOUT=FILE.c -DDIR=templates -DNAMES=a,b -P embed.cmake: the templates as NUL-terminated C arrays.
# Bytes, not string literals: those are limited to 4095 characters in C11.
string(REPLACE "," ";" names "${NAMES}")
set(text "/* Made from templates/ by embed.cmake. */\n#include \"emit/template.h\"\n\n#include <stddef.h>\n")
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
string(APPEND text "\nconst struct template_builtin template_builtins[] = {\n${rows}    {NULL, NULL},\n};\n")
file(WRITE ${OUT}.new "${text}")
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}.new ${OUT})
file(REMOVE ${OUT}.new)
