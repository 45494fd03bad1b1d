#!/bin/sh
# globals.sh ARCHIVE... - no variable that lives longer than a call: nothing in a data or bss section of the
# compiler and the runtime but what is named here.
set -eu
bad=0
for archive; do
    # Allowed: the lock of a critical section (OpenMP), Bison's empty location, and of the runtime its one choice of a
    # backend (backend.c: choice) and its hooks and counts of memory (memory.c: memory).
    case $(basename "$archive") in
    libola.a | libola_client.a | libola_sim.a) own='-e ^choice$ -e ^memory$' ;;
    *) own='' ;;
    esac
    # shellcheck disable=SC2086
    found=$(nm -f sysv "$archive" 2>/dev/null | tr -d ' ' |
        awk -F'|' '$7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)$/ || $7 ~ /^\.(data|bss|tdata|tbss)\.[^r]/ { print $1 }' |
        grep -v -e '^\.gomp_critical_user_' -e '^yyloc_default' $own || true)
    if [ -n "$found" ]; then
        echo "globals: $archive holds variables:" $found
        bad=1
    fi
done
exit $bad
