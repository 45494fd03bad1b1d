#!/bin/sh
# quickstart.sh [COUNT] - from a fresh clone to an encrypted answer: installs what is missing, builds olac, compiles a
# network of this repository and classifies drawn digits under encryption at 128-bit security.
set -eu
cd "$(dirname "$0")/.."
count=${1:-5}
networks=examples/networks

sh tests/install.sh
echo "building olac into build/ ..."
log=$(mktemp)
if ! { cmake -B build && cmake --build build -j "$(nproc)"; } > "$log" 2>&1; then
    cat "$log"
    exit 1
fi
rm "$log"

# The digits, a character for each 2 x 2 pixels, five in a row; digits.npy is a header of 128 bytes and then the pixels.
echo "$count drawn digits:"
od -A n -v -t u1 -w28 -j 128 -N $((count * 784)) "$networks/digits.npy" | awk '
    { for (i = 1; i <= 28; i++) row[NR - 1, i - 1] = $i }
    END {
        images = NR / 28
        for (first = 0; first < images; first += 5)
            for (y = 0; y < 28; y += 2) {
                line = ""
                for (k = first; k < first + 5 && k < images; k++) {
                    for (x = 0; x < 28; x += 2) {
                        v = row[28 * k + y, x] + row[28 * k + y, x + 1] + row[28 * k + y + 1, x] + row[28 * k + y + 1, x + 1]
                        line = line substr(" .:-=+*#%@", 1 + int(v * 9.999 / 1021), 1)
                    }
                    line = line "  "
                }
                print line
            }
    }'

# The whole trip on this machine: compile, cc, keys, encrypt, evaluate, decrypt. "label" is what was drawn, "float" the
# answer of the network in the clear, "encrypted" what came back from the ciphertexts.
build/olac run "$networks/cryptonets.onnx" --calib "$networks/digits.npy" --input "$networks/digits.npy" \
    --labels "$networks/labels.npy" --count "$count"
