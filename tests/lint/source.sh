#!/bin/sh
# source.sh ROOT - what a reader of the tree relies on, checked by reading it: who includes whom, head comments, sizes,
# who may end the process, tables in order, no path of one machine.
set -eu
cd "$1"
bad=$(mktemp)
trap 'rm -f "$bad"' EXIT

sources() {
    find "$@" \( -name '*.c' -o -name '*.h' -o -name '*.def' -o -name '*.l' -o -name '*.y' \) -type f | LC_ALL=C sort
}
all=$(sources compiler runtime templates grammar tests)
[ "$(echo "$all" | wc -l)" -gt 300 ] || echo "lint: found hardly any source files" >>"$bad"

# ---- who includes whom -------------------------------------------------------------------------------
# compiler:  base <- ir <- op <- passes <- pipeline <- cli <- main; no pass includes another pass's header; of
#            the runtime only ola/plan.h (cli also ola/ola.h, for the version).
# runtime:   plan <- backend <- ring <- file <- ckks <- boot, io, client; sim stands on plan, file and ring's memory
#            alone. Only client, sim and the public headers themselves know ola/client.h: a server holds no secrets.
sources compiler runtime | xargs grep -n '^[[:space:]]*#[[:space:]]*include "' | awk -F: '
BEGIN {
    below["base"] = "base"
    below["ir"] = "base ir"
    below["op"] = "base ir op"
    n = split("import simplify decompose calibrate approximate choose quantize linearize layout lower batch params schedule emit tune simulate report", pass, " ")
    for (i = 1; i <= n; i++) {
        below[pass[i]] = "base ir op " pass[i]
        every = every " " pass[i]
    }
    below["pipeline"] = "base ir op pipeline" every
    below["cli"] = "cli " below["pipeline"]
    below["main.c"] = "cli"
    run["include"] = ""
    run["plan"] = "plan"
    run["backend"] = "plan backend"
    run["ring"] = "plan backend ring"
    run["file"] = "plan ring file"
    run["ckks"] = "plan backend ring file ckks"
    run["boot"] = "plan backend ring ckks boot"
    run["io"] = "plan backend ring file ckks io"
    run["client"] = "plan backend ring file ckks client"
    run["sim"] = "plan file ring sim"
}
function allowed(list, name) { return index(" " list " ", " " name " ") > 0 }
{
    split($1, from, "/")
    what = $3
    sub(/.*include "/, "", what)
    sub(/".*/, "", what)
    room = what
    slash = sub(/\/.*/, "", room)
    if (!slash) # a generated header of the same room
        ok = what ~ /^(model\.tab|model\.lex|onnx\.pb-c|templates)\.h$/
    else if (from[1] == "compiler" && room == "ola")
        ok = what == "ola/plan.h" || (what == "ola/ola.h" && from[2] == "cli")
    else if (from[1] == "compiler")
        ok = (from[2] in below) && allowed(below[from[2]], room)
    else if (room == "ola")
        ok = what != "ola/client.h" && what != "ola/sim.h" || from[2] ~ /^(client|sim|include)$/
    else
        ok = (from[2] in run) && allowed(run[from[2]], room)
    if (!ok)
        print $1 ":" $2 ": " from[2] " must not include \"" what "\""
}' >>"$bad"
# Generated code knows the public headers and itself.
sources templates | xargs grep -n '^[[:space:]]*#[[:space:]]*include "' |
    grep -v -e '"ola/[a-z]*\.h"' -e '"net[a-z_]*\.h"' >>"$bad" || true

# ---- head comments and sizes -----------------------------------------------------------------------------
# "/* name.c - what it is for" in the first lines; at most 600 lines a file, 60 a function.
for file in $all; do
    awk -v name="$(basename "$file")" -v file="$file" '
        FNR <= 3 && index($0, "/* " name " - ") == 1 { head = 1 }
        /^\{/ { start = FNR }
        /^\}/ { if (start && FNR - start - 1 > 60) print file ":" start ": a function of " FNR - start - 1 " lines"; start = 0 }
        END {
            if (!head && name != "TEMPLATE.c") print file ":1: does not begin with /* " name " - what it is for"
            if (FNR > 600) print file ": " FNR " lines"
        }' "$file"
done >>"$bad"

# At most 100 columns; the public headers and tables are set by hand, generated code is held to it by its own tests.
for file in $all; do
    case $file in
    runtime/include/* | *.def | grammar/* | tests/golden/network/*) ;;
    *) awk -v file="$file" 'length($0) > 100 { print file ":" FNR ": " length($0) " columns" }' "$file" ;;
    esac
done >>"$bad"

# ---- who may end the process --------------------------------------------------------------------------------
# Out of memory in the compiler (arena, str, and the scanner's and parser's own allocations through dsl_tree); main
# ends by returning. Templates and runtime never do.
sources compiler runtime templates | xargs grep -nE '\b(exit|_exit|_Exit|quick_exit|abort)[[:space:]]*\(' |
    grep -v -e '^compiler/base/arena\.c:' -e '^compiler/base/str\.c:' -e '^compiler/import/dsl_tree\.c:' \
        -e '^compiler/cli/build\.c:.*_exit' >>"$bad" || true

# ---- tables ---------------------------------------------------------------------------------------------------
sed -n 's/^OP("[A-Za-z]*", *\([a-z_0-9]*\),.*/\1/p' compiler/ir/ops.def | while read -r symbol; do
    [ -f "compiler/op/$symbol.c" ] || echo "compiler/ir/ops.def: $symbol has no file compiler/op/$symbol.c"
done >>"$bad"
[ "$(grep -c '^OP(' compiler/ir/ops.def)" -gt 70 ] || echo "compiler/ir/ops.def: hardly any rows" >>"$bad"
awk -F'[(,]' '/^CODE\(/ {
    if ($2 + 0 <= last) print FILENAME ":" FNR ": code " $2 + 0 " does not follow " last
    name = $3; gsub(/ /, "", name)
    if (seen[name]++) print FILENAME ":" FNR ": " name " stands twice"
    last = $2 + 0; rows++
} END { if (rows < 50) print FILENAME ": hardly any rows" }' compiler/base/codes.def >>"$bad"

# ---- words --------------------------------------------------------------------------------------------------
# Folders of somebody's machine; notes to oneself.
find CMakeLists.txt ./*.md compiler runtime templates grammar tests examples -type f \
    ! -name '*.onnx' ! -name '*.npy' ! -path tests/lint/source.sh -print0 |
    xargs -0 grep -nIE '(/home|/root|/Users|/work)/|\b(TODO|FIXME|XXX|HACK)\b' >>"$bad" || true

if [ -s "$bad" ]; then
    cat "$bad"
    exit 1
fi
