#!/bin/sh
# generated.sh FIXTURE COMPILER LIBRARY BUILD INCLUDE: compiles the generated code of the hand-made networks with
# every warning on, links it with libola_sim (LIBRARY sim) or libola (ola), and runs it: four processes, the
# server alone, the whole trip, the self-test; then everything that must be refused.
set -eu
fixture=$1 compiler=$2 library=$3 build=$4 include=$5
command -v "$compiler" > /dev/null || { echo "skipped: no $compiler"; exit 77; }
source=$(cd "$(dirname "$0")" && pwd)
. "$(dirname "$0")/common.sh"
flags="-std=c11 -O1 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wmissing-prototypes -Wstrict-prototypes -Wvla -Werror -I$include"
system="-lsodium -lm"
case $(cat "$build/CMakeCache.txt") in *"OpenMP_C_FLAGS:STRING=-fopenmp"*) system="$system -fopenmp" ;; esac
if [ "$library" = sim ]; then
  server="$build/libola_sim.a" client=$server
else
  server="$build/libola.a" client="$build/libola_client.a $build/libola.a"
fi

# must_fail TEXT COMMAND...: exit status 1 and TEXT in the message, and nothing like a crash.
must_fail() {
  want=$1; shift
  status=0
  "$@" > "$dir/out" 2> "$dir/err" || status=$?
  [ "$status" = 1 ] || fail "status $status, not 1: $*: $(cat "$dir/err")"
  grep -q -- "$want" "$dir/err" || fail "no '$want' from $*: $(cat "$dir/err")"
}

flip() { # file offset: other bits there
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  # shellcheck disable=SC2059
  printf "\\$(printf %o $((byte ^ 85)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2> /dev/null
}

compile() { # network name
  (
    cd "$dir/$1"
    for part in client server eval main npy trip; do
      # shellcheck disable=SC2086
      "$compiler" $flags -c "$2_$part.c" -o "$part.o"
    done
    echo "#include \"$2.h\"" > alone.c
    # shellcheck disable=SC2086
    "$compiler" $flags -fsyntax-only alone.c
    # shellcheck disable=SC2086
    "$compiler" -o "$2" main.o npy.o trip.o client.o server.o $client $system
    # shellcheck disable=SC2086
    "$compiler" -o "$2_eval" eval.o server.o $server $system
    # No line is longer than 100 columns.
    ! grep -n '.\{101,\}' ./*.c ./*.h || fail "long lines"
    # Nothing of the server's knows a secret: neither what it wants nor, linked with libola, what it holds.
    ! nm -u server.o eval.o | grep -E 'ola_(client|encrypt|decrypt)' || fail "a server that wants a secret"
    if [ "$library" = ola ]; then
      ! nm "$2_eval" | grep -E 'ola_(client|encrypt|decrypt)' || fail "a server that holds a secret"
    fi
  )
}

# differ A B LIMIT: the two .npy of floats have one form and differ by at most LIMIT.
cat > "$dir/differ.c" <<'END'
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    FILE *a = fopen(argv[1], "rb"), *b = fopen(argv[2], "rb");
    char ha[128], hb[128];
    float x, y;
    double worst = 0;
    long n = 0;
    if (argc != 4 || !a || !b || fread(ha, 1, 128, a) != 128 || fread(hb, 1, 128, b) != 128)
        return 2;
    if (memcmp(ha, hb, 128) != 0)
        return fprintf(stderr, "headers differ: %.118s / %.118s\n", ha + 10, hb + 10), 1;
    while (fread(&x, 4, 1, a) == 1) {
        if (fread(&y, 4, 1, b) != 1)
            return 2;
        n++;
        if (!(fabs((double)x - (double)y) <= worst))
            worst = fabs((double)x - (double)y);
    }
    if (!(worst <= atof(argv[3])) || n == 0)
        return fprintf(stderr, "%ld numbers differ by up to %g\n", n, worst), 1;
    return 0;
}
END
"$compiler" -o "$dir/differ" "$dir/differ.c" -lm

toy="INSECURE TOY parameters: not for real data"
network() { # fixture's name, C name
  mkdir "$dir/$1"
  "$fixture" "$1" "$dir/$1"
  compile "$1" "$2"
  cd "$dir/$1"
  "./$2" selftest
  "./$2" run --input images.npy --output run.npy --json run.json
  "$dir/differ" answers.npy run.npy 1e-3
  grep -q '"images": 3' run.json || fail "no images in run.json"
  "./$2" run --input images.npy --output streamed.npy --stream
  "$dir/differ" answers.npy streamed.npy 1e-3
  # Four processes.
  "./$2" keygen --dir keys
  [ "$(stat -c %a keys/secret.key)" = 600 ] || fail "others may read the secret key"
  "./$2" encrypt --dir keys --input images.npy --count 3
  mv keys/secret.key . # the server does not have it
  "./$2" eval --dir keys --count 3 2> err
  [ "$(cat err)" = "$2: $toy" ] || fail "not silent in a pipe, but for the warning"
  mv secret.key keys/
  "./$2" decrypt --dir keys --count 3 --output four.npy
  "$dir/differ" answers.npy four.npy 1e-3
  cp keys/output.ct first.ct
  "./$2_eval" "$2_weights.bin" keys/eval.keys keys/input.ct keys/output.ct 2> err
  [ "$(cat err)" = "${2}_eval: $toy" ] || fail "the server alone does not warn"
  cmp first.ct keys/output.ct || fail "the server alone answers otherwise"
  cd "$dir"
}

# Killed in front of each layer and resumed, an evaluation ends as one that nobody stopped.
resume() { # fixture's name, C name
  cd "$dir/$1"
  capitals=$(echo "$2" | tr '[:lower:]' '[:upper:]')
  # shellcheck disable=SC2086
  "$compiler" $flags -I. -DNET="$2" -DCAPITALS="$capitals" -DHEADER="\"$2.h\"" -o resume "$source/resume.c" \
    server.o $server $system
  layers=$(sed -n "s/^#define ${capitals}_LAYERS *\([0-9]*\)u.*/\1/p" "$2.h")
  for layer in $(seq 1 $((layers - 1))); do
    rm -f checkpoint resumed.ct
    status=0
    ./resume "$2_weights.bin" keys checkpoint "$layer" resumed.ct || status=$?
    if [ "$status" != 9 ] || [ ! -s checkpoint ]; then fail "not stopped at layer $layer: $status"; fi
    ./resume "$2_weights.bin" keys checkpoint "$layers$layers" resumed.ct
    cmp first.ct resumed.ct || fail "another answer after layer $layer"
  done
  # Of other ciphertexts, damaged, not to be written: an error, and what was there stays.
  cp checkpoint kept
  cp keys/input.1.ct keys/input.ct
  must_fail "of an evaluation of other ciphertexts" "./$2" eval --dir keys --checkpoint checkpoint
  cmp checkpoint kept || fail "the checkpoint of another run is lost"
  flip checkpoint 150
  must_fail "checkpoint:" "./$2" eval --dir keys --checkpoint checkpoint
  mkdir taken
  must_fail "taken" "./$2" eval --dir keys --checkpoint taken
  must_fail "no/where" "./$2" eval --dir keys --checkpoint no/where
  rm checkpoint
  "./$2" eval --dir keys --checkpoint checkpoint 2> /dev/null
  [ ! -e checkpoint ] || fail "the checkpoint of a finished run stays"
  cd "$dir"
}

network dense dense
network wide network_2_wide_net
network sums network_net
resume wide network_2_wide_net

# Bytes of pixels are the numbers that the model makes of them.
cd "$dir/dense"
./dense run --input pixels.npy --output a.npy
./dense run --input same.npy --output b.npy
"$dir/differ" a.npy b.npy 1e-3
must_fail "uint8" "$dir/wide/network_2_wide_net" run --input pixels.npy

# Each command of a toy says that it is one; of another network none does.
for command in keygen encrypt eval decrypt run selftest; do
  ./dense "$command" --dir no/where --weights none --input none 2> err && fail "$command of nothing"
  [ "$(head -n 1 err)" = "dense: $toy" ] || fail "$command does not warn: $(cat err)"
done
mkdir serious
cp dense_main.c dense_program.h serious
sed 's/^#define DENSE_SECURITY .*0u/#define DENSE_SECURITY 128u/' dense.h > serious/dense.h
# shellcheck disable=SC2086
"$compiler" -std=c11 "-I$include" -o serious/dense serious/dense_main.c npy.o trip.o client.o server.o \
  $client $system
serious/dense selftest --weights dense_weights.bin --selftest dense_selftest.bin 2> err
[ ! -s err ] || fail "a warning about no toy: $(cat err)"

# What must be refused.
must_fail "usage" ./dense
must_fail "usage" ./dense fly
must_fail "no such option" ./dense run --speed 9
must_fail "wants a value" ./dense run --input
must_fail "number of images" ./dense run --count 0x3
must_fail "input FILE.npy is missing" ./dense run
must_fail "nowhere.npy: No such file" ./dense run --input nowhere.npy
must_fail "holds 3 images" ./dense run --input images.npy --count 4
must_fail "takes rows of 16" ./dense run --input ../wide/images.npy
must_fail "not a .npy file" ./dense run --input dense.h
must_fail "is there already" ./dense keygen --dir keys
must_fail "none: No such file" ./dense eval --dir keys --weights none
must_fail "network_2_wide_net_weights.bin" ./dense eval --dir keys --weights ../wide/network_2_wide_net_weights.bin
must_fail "params" ./dense eval --dir ../wide/keys
must_fail "eval.keys" ./dense_eval dense_weights.bin ../wide/keys/eval.keys keys/input.ct out.ct
must_fail "input.ct" ./dense_eval dense_weights.bin keys/eval.keys ../wide/keys/input.ct out.ct
must_fail "not the self-test" ./dense selftest --selftest ../wide/network_2_wide_net_selftest.bin
cp -r keys other
./dense keygen --dir other --force
cmp -s keys/secret.key other/secret.key && fail "two secret keys are equal"
# Files of another client of this network are refused by name, each in its process.
./dense encrypt --dir other --input images.npy
for file in eval.keys input.ct; do
  rm -rf mixed
  cp -r keys mixed
  rm -f mixed/output*.ct
  cp "other/$file" mixed
  must_fail "mixed/input.ct: of another secret key than eval.keys" ./dense eval --dir mixed
  must_fail "mixed/input.ct: of another secret key than mixed/eval.keys" \
    ./dense_eval dense_weights.bin mixed/eval.keys mixed/input.ct mixed/output.ct
  [ ! -e mixed/output.ct ] || fail "an answer under two keys"
done
./dense eval --dir other
cp other/output.ct mixed
must_fail "mixed/output.ct: of another secret key than secret.key" ./dense decrypt --dir mixed
./dense decrypt --dir other --output one.npy
# Evaluation keys that cannot be written cost nobody an older secret key.
rm -rf other
cp -r keys other
rm other/eval.keys
mkdir other/eval.keys
must_fail "eval.keys" ./dense keygen --dir other --force
cmp keys/secret.key other/secret.key || fail "a secret key is lost"

# The temporary file of an output is a new one: a link in its place is not followed. A pipe is no
# file to replace.
echo mine > victim
for count in 1 16; do
  status=0
  # shellcheck disable=SC2016
  sh -c 'for k in $(seq 0 $(($1 - 1))); do ln -s victim "link.npy.tmp-$$-$k"; done
    exec ./dense run --input images.npy --output link.npy' sh "$count" 2> err || status=$?
  [ "$(cat victim)" = mine ] || fail "a link was followed"
  if [ "$count" = 1 ]; then
    [ "$status" = 0 ] && "$dir/differ" answers.npy link.npy 1e-3 || fail "one link stops an output"
    rm link.npy
  else
    [ "$status" = 1 ] && [ ! -e link.npy ] || fail "an output in spite of the links"
    grep -q "link.npy: cannot write: File exists" err || fail "no reason: $(cat err)"
  fi
  rm -f link.npy.tmp-*
done
mkfifo pipe.npy
cat pipe.npy > piped.npy &
./dense run --input images.npy --output pipe.npy
wait
[ -p pipe.npy ] || fail "the pipe is gone"
"$dir/differ" answers.npy piped.npy 1e-3

# Damaged files: an error with the file's name.
printf '\223NUMPY\1\0\377\377{' > cut.npy
must_fail "cut.npy" ./dense run --input cut.npy
head -c 200 images.npy > cut.npy
must_fail "cut.npy: the file is cut off" ./dense run --input cut.npy
sed 's/(3, 16)/(99999999999, 99999999999)/' images.npy > cut.npy
must_fail "cut.npy" ./dense run --input cut.npy
sed "s/'<f4'/'<f8'/" images.npy > cut.npy
must_fail "neither float32 nor uint8" ./dense run --input cut.npy
sed "s/False/True /" images.npy > cut.npy
must_fail "Fortran" ./dense run --input cut.npy
head -c 100 dense_selftest.bin > cut.bin
must_fail "cut.bin" ./dense selftest --selftest cut.bin
head -c 1000 dense_weights.bin > cut.bin
must_fail "cut.bin" ./dense selftest --weights cut.bin
for file in params eval.keys input.ct; do
  rm -rf cut
  cp -r keys cut
  head -c 100 "keys/$file" > "cut/$file"
  must_fail "$file" ./dense eval --dir cut
  size=$(wc -c < "keys/$file")
  for at in 0 5 9 20 45 80 $((size / 2)) $((size - 1)); do
    cp "keys/$file" "cut/$file"
    flip "cut/$file" "$at"
    must_fail "$file" ./dense eval --dir cut
  done
  rm "cut/$file"
  must_fail "$file: No such file" ./dense eval --dir cut
done
size=$(wc -c < dense_weights.bin)
for at in 0 4 8 16 30 70 90 200 $((size / 2)) $((size - 1)); do
  cp dense_weights.bin cut.bin
  flip cut.bin "$at"
  must_fail "cut.bin" ./dense_eval cut.bin keys/eval.keys keys/input.ct out.ct
done
# Files that are whole, their hashes right, but do not fit the code.
raw_hash() { # of stdin
  for byte in $(b2sum -l 256 | cut -c 1-64 | sed 's/../& /g'); do
    printf %b "\\0$(printf %o "0x$byte")"
  done
}
if command -v b2sum > /dev/null; then
  # Weights of another shape: a map that takes, or gives, a thousand ciphertexts.
  section=$(od -An -tu8 -j $((88 + 64)) -N 8 dense_weights.bin | tr -d ' ')
  for field in 0 4 8; do # args, in_cts, out_cts
    cp dense_weights.bin cut.bin
    printf '\350\3' | dd of=cut.bin bs=1 seek=$((section + field)) conv=notrunc 2> /dev/null
    printf '\0\0' | dd of=cut.bin bs=1 seek=$((section + 20)) conv=notrunc 2> /dev/null # no bias
    tail -c +89 cut.bin | raw_hash | dd of=cut.bin bs=1 seek=56 conv=notrunc 2> /dev/null
    must_fail "cut.bin: not a file of this kind" ./dense selftest --weights cut.bin
    must_fail "not a file of this kind" ./dense selftest --weights cut.bin --stream
  done
  # An answer at another scale, or at another level.
  rm -rf cut
  cp -r keys cut
  size=$(wc -c < keys/output.ct) scale=120
  [ "$library" = ola ] || scale=116
  head -c $((size - 32)) keys/output.ct > body
  flip body $((scale + 5))
  { cat body; raw_hash < body; } > cut/output.ct
  must_fail "scales differ" ./dense decrypt --dir cut
  cp keys/input.ct cut/output.ct
  must_fail "levels differ" ./dense decrypt --dir cut
fi
[ ! -e out.ct ] || fail "an answer after an error"
# A self-test that does not hold.
cp dense_selftest.bin wrong.bin
printf '\0\0\100\100' | dd of=wrong.bin bs=1 seek=$((64 + 3 * 16 * 4)) conv=notrunc 2> /dev/null
must_fail "more than the 0.001 allowed" ./dense selftest --selftest wrong.bin
cp dense_selftest.bin wrong.bin
printf '\0\0\0\0' | dd of=wrong.bin bs=1 seek=40 conv=notrunc 2> /dev/null
must_fail "wrong.bin: no images" ./dense selftest --selftest wrong.bin
# Out of memory at any one place: that status, and nothing is lost.
# shellcheck disable=SC2086
"$compiler" -O1 "-I$include" -I. -o nomem "$source/nomem.c" client.o server.o \
  -Wl,--wrap=malloc,--wrap=calloc,--wrap=free $client $system
./nomem
# What held an image or an answer is wiped before it is freed.
# shellcheck disable=SC2086
"$compiler" -O2 "-I$include" -I. -o wiped "$source/wiped.c" client.o server.o \
  -Wl,--wrap=malloc,--wrap=free $client $system
./wiped
if command -v g++ > /dev/null; then
  echo '#include "dense.h"' > header.cc
  g++ -Wall -Wextra -Wpedantic -Werror "-I$include" -fsyntax-only header.cc
fi
echo "generated code: $compiler, $library: good"
