#!/bin/sh
# symbols.sh CLIENT.H LIBOLA.A ARCHIVE... - what the linker sees: libola neither defines nor wants anything that client.h
# declares, so a server can't hold a secret; and every external name of every archive starts with ola_.
set -eu
header=$1
server=$2
shift
bad=0

names=$(sed 's,/\*.*\*/,,' "$header" | grep -o '\<ola_[a-z_]*(' | tr -d '(' | sort -u)
count=$(echo "$names" | wc -l)
[ "$count" -ge 7 ] || { echo "symbols: found only $count functions in $header"; exit 1; }
for name in $names; do
    if nm "$server" 2>/dev/null | awk '{ print $NF }' | grep -qx "$name"; then
        echo "symbols: $server knows $name of $header"
        bad=1
    fi
done
for archive; do
    [ "$(nm -g --defined-only "$archive" 2>/dev/null | grep -c ' [TDBRVWC] ola_')" -gt 0 ] ||
        { echo "symbols: $archive defines nothing"; exit 1; }
    # The address sanitizer adds names of its own; a critical section's lock carries the compiler's prefix.
    foreign=$(nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        grep -v -e '^ola_' -e '^\.gomp_critical_user_ola_' -e '^__odr_asan' -e '^__asan' || true)
    if [ -n "$foreign" ]; then
        echo "symbols: $archive defines names without ola_:" $foreign
        bad=1
    fi
done
exit $bad
