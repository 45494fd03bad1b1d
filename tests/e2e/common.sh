# common.sh - what every script of this folder begins with, read by `. "$(dirname "$0")/common.sh"`: a folder of its own
# ($dir), removed at the end, and how something that does not hold is said. $olac and $tool: see the script.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-1000}" # threads that wait give the core away: tests run side by side
fail() { echo "FAILED: $*"; exit 1; }
holds() { awk "BEGIN { exit !($1) }" || fail "$1"; }

# clean FOLDER: its C under both compilers without a warning
clean() {
  for cc in gcc clang; do
    command -v $cc > /dev/null || continue
    for file in "$1"/*.c; do
      $cc -std=c11 -O1 -Wall -Wextra -Wpedantic -Werror -I"$(dirname "$olac")/include" -c "$file" -o "$dir/warn.o" || fail "$cc $file"
    done
  done
}

# same_counts RUN.JSON: what was predicted was counted
same_counts() {
  for kind in additions scalar_products plain_products products rotations relinearisations rescales; do
    [ "$("$tool" json "$1" operations.all.$kind)" = "$("$tool" json "$1" counted.$kind)" ] || fail "$1: $kind"
  done
}
