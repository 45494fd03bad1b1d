#!/bin/sh
# compare.sh REAL MODEL - both print lines `name deviation`; fails where the model is off by more than a fifth, or where
# the lines differ. Deviations are root mean squares over thousands of slots (good to a few per cent).
set -eu
real=$("$1")
model=$("$2")
printf '%s\n%s\n' "$real" "$model" | awk '
    !($1 in first) { first[$1] = $2; name[++n] = $1; next }
    { second[$1] = $2 }
    END {
        for (k = 1; k <= n; k++) {
            if (!(name[k] in second)) { print "only one has " name[k]; bad = 1; continue }
            ratio = second[name[k]] / first[name[k]]
            verdict = ratio > 0.8 && ratio < 1.25 ? "" : "  <- off"
            if (verdict != "") bad = 1
            printf "%-24s real %.3e  model %.3e  ratio %.3f%s\n", name[k], first[name[k]], second[name[k]], ratio, verdict
        }
        if (n < 10) { print "only " n " lines"; bad = 1 }
        exit bad
    }'
