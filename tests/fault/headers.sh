#!/bin/sh
# headers.sh CC INCLUDE - every public header compiles alone and twice, as C11 and (where there is a compiler) as C++.
set -eu
cc=$1
include=$2
for header in "$include"/ola/*.h; do
    name=ola/$(basename "$header")
    printf '#include "%s"\n#include "%s"\nextern int nothing;\nint nothing;\n' "$name" "$name" |
        "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$include" -x c -
    if command -v c++ >/dev/null; then
        printf '#include "%s"\n' "$name" |
            c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I "$include" -x c++ -
    fi
done
