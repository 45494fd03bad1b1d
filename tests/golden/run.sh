#!/bin/sh
# run.sh SHOW DIR - golden pairs. A test is an input x.ola and what is expected of it; the extension of
# that file chooses what is compared:
#   x.dsl  the network printed back; printing that print must give the same once more
#   x.err  the messages, on stderr, with exit status 1
# GOLDEN_UPDATE=1 writes the expected files instead; look at the diff before committing it.
set -u
show=$1
cd "$2" || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
tests=0 failed=0

fail() {
    failed=$((failed + 1))
    echo "FAILED $1: $2"
}

compare() { # expected actual
    if [ "${GOLDEN_UPDATE:-}" ]; then
        cp "$2" "$1"
    else
        diff -u "$1" "$2" || fail "$1" "differs"
    fi
}

for expected in *.dsl *.err; do
    [ -e "$expected" ] || continue
    input=${expected%.*}.ola
    tests=$((tests + 1))
    rm -rf "$tmp/out" && mkdir "$tmp/out"
    "$show" "$input" "$tmp/out" >"$tmp/out/again.ola" 2>"$tmp/messages"
    status=$?
    case $expected in
    *.dsl)
        [ $status -eq 0 ] || { fail "$expected" "exit status $status"; cat "$tmp/messages"; }
        compare "$expected" "$tmp/out/again.ola"
        "$show" "$tmp/out/again.ola" >"$tmp/twice" || fail "$expected" "its print cannot be read"
        cmp "$tmp/out/again.ola" "$tmp/twice" || fail "$expected" "its print prints differently"
        ;;
    *.err)
        [ $status -eq 1 ] || fail "$expected" "exit status $status, not 1"
        [ ! -s "$tmp/out/again.ola" ] || fail "$expected" "something was printed"
        compare "$expected" "$tmp/messages"
        ;;
    esac
done
echo "$tests golden tests, $failed failures"
[ $failed -eq 0 ] && [ $tests -gt 0 ]
