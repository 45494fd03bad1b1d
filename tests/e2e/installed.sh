#!/bin/sh
# installed.sh BUILD CMAKE SOURCE - `cmake --install`, and from the prefix alone: olac run, its templates, man page and
# completions, and example 5, a CMake project with two generated networks in one process.
set -eu
build=$1 cmake=$2 source=$3
. "$(dirname "$0")/common.sh"
networks=$source/examples/networks

"$cmake" --install "$build" --prefix "$dir/first" > "$dir/install.log" || { cat "$dir/install.log"; exit 1; }
mv "$dir/first" "$dir/prefix" # an installed tree may be moved
prefix=$dir/prefix
for file in bin/olac lib/libola.a lib/libola_client.a lib/libola_sim.a include/ola/ola.h include/ola/client.h \
  share/man/man1/olac.1 share/bash-completion/completions/olac share/zsh/site-functions/_olac \
  share/fish/vendor_completions.d/olac.fish share/olac/templates/net_server.c lib/pkgconfig/ola.pc \
  lib/cmake/ola/olaConfig.cmake; do
  [ -s "$prefix/$file" ] || fail "no $file"
done
for command in compile check show simulate run explain; do
  for file in share/man/man1/olac.1 share/bash-completion/completions/olac share/fish/vendor_completions.d/olac.fish; do
    grep -q "$command" "$prefix/$file" || fail "no $command in $file"
  done
done
bash -c ". '$prefix/share/bash-completion/completions/olac'; COMP_WORDS=(olac compile --ag); COMP_CWORD=2; _olac
  [ \"\${COMPREPLY[*]}\" = '--agree --against' ]" || fail "completion"

cd "$dir"
"$prefix/bin/olac" run "$source/tests/golden/network/golden.ola" --input "$source/tests/e2e/sixteen.npy" --json > run.json
grep -q '"agree_with_float":2' run.json || fail "$(cat run.json)"
"$prefix/bin/olac" compile "$source/tests/golden/network/golden.ola" --against "$source/tests/golden/network/golden" \
  --templates "$prefix/share/olac/templates"

"$cmake" -S "$source/examples/5_embed" -B embed -DOLAC="$prefix/bin/olac" -DCMAKE_PREFIX_PATH="$prefix" > cmake.log 2>&1 ||
  { cat cmake.log; exit 1; }
"$cmake" --build embed > build.log 2>&1 || { cat build.log; exit 1; }
embed/embed "$networks/digits.npy" embed/cryptonets_code/cryptonets_weights.bin embed/ink_code/ink_weights.bin
echo "installed: good"
