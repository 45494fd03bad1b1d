#!/bin/sh
# errors.sh OLAC NETWORKS - what a user can do wrong with the command line. Each time: exit status 1, the message with its
# place and code, every problem in one go, no crash, and nothing written.
set -u
olac=$1 networks=$2
. "$(dirname "$0")/common.sh"
mkdir "$dir/work" && cd "$dir/work" || exit 2
failed=0

# no TEXT... -- COMMAND...: fails with every TEXT in its messages.
no() {
  wanted=
  while [ "$1" != -- ]; do
    wanted="$wanted$1
"
    shift
  done
  shift
  timeout 60 "$olac" "$@" > "$dir/out" 2> "$dir/err"
  status=$?
  if [ $status != 1 ] || [ -s "$dir/out" ]; then
    echo "FAILED: status $status of olac $*: $(head -c 500 "$dir/out" "$dir/err")"
    failed=$((failed + 1))
  fi
  printf %s "$wanted" > "$dir/wanted"
  while read -r text; do
    grep -qF -- "$text" "$dir/err" || { echo "FAILED: no '$text' from olac $*: $(cat "$dir/err")"; failed=$((failed + 1)); }
  done < "$dir/wanted"
  if grep -vqE '^[^ ].*: (error|warning|note)\[E[0-9]{3}\]: |^[^ ].*: warning\[|^ ' "$dir/err"; then
    echo "FAILED: the form of: $(cat "$dir/err")"
    failed=$((failed + 1))
  fi
}

model=$networks/cryptonets.onnx digits=$networks/digits.npy labels=$networks/labels.npy
head -c 5000 "$model" > "$dir/cut.onnx"
: > "$dir/empty.onnx"
echo hello > "$dir/text.onnx"
head -c 600 "$digits" > "$dir/cut.npy"
printf '3\n1\n4\n' > "$dir/three.txt"
yes 77 | head -300 > "$dir/high.txt"
yes 7 | head -400 > "$dir/many.txt"
printf 'one\n' > "$dir/word.txt"
printf 'network two\ninput a : f32[4]\ninput b : f32[4]\noutput y = a * b\n' > "$dir/two.ola"
printf 'network forked\ninput a : f32[4]\noutput y = a * a\noutput z = a + 1.0\n' > "$dir/forked.ola"
printf 'network wrong\ninput a : f32[4]\nb = a + nothing\noutput y = foo(b)\n' > "$dir/wrong.ola"
printf 'network pool\ninput a : f32[1, 28, 28]\nb = maxpool(a, 2x2, pad 2)\noutput y = ArgMax(flatten(b); axis 1)\n' > "$dir/pool.ola"
printf 'network broken\ninput a : f32[4]\nconst w : f32[4] = [1, 2, nan, 4]\noutput y = a * w\n' > "$dir/broken.ola"
printf 'network deep\ninput x0 : f32[4]\n' > "$dir/deep.ola"
for k in $(seq 60); do printf 'x%d = x%d * x%d\n' "$k" $((k - 1)) $((k - 1)) >> "$dir/deep.ola"; done
echo 'output y = x60' >> "$dir/deep.ola"
printf '{"format": "olac costs 1", "threads": 0.5, "speed": 1}' > "$dir/costs.json"

# The command line.
no 'E610' "no command 'fly'" -- fly
no 'E610' 'wants a model' -- compile
no 'E610' 'wants a model' -- check ''
no 'E610' "'b' is one argument too many" -- check a b
no "'--speed' is no option of olac compile" "'-x' is no option" -- compile m --speed 9 -x
no '--calib: wants a value' -- compile m --calib
no '--calib: wants more' '--count: is given twice' '--input: wants more' -- run m --calib '' --input= --count 1 --count 2
no '--degree: wants a whole' '--agree: wants a positive' '--mean: wants numbers' '--security: is 128' '--fit: is' '--set: wants' \
  '--log-n: wants a whole' -- compile m --degree 0 --agree nan --mean 1,,2 --security 100 --fit x --set y --log-n 1e3
no '--degree: is at most 63' '--agree: is at most 1' '--quiet: takes no value' -- compile m --degree 64 --agree 1.5 --quiet=1
no 'wants --input' -- run m
no "'more': olac bench takes options only" "'--costs=x' is no option" -- bench more --costs=x
no 'E614' '"threads" is not a whole number' '"speed" belongs to no table' '"speedup" is missing' -- \
  check "$model" --costs "$dir/costs.json"
no 'wants --data' -- simulate m
no "no code 'E1'" -- explain E1
no "no code 'E1000'" -- explain E1000
no "no code 'x'" -- explain x
# Files: all that cannot be read at once.
no 'none.onnx: error[E100]' 'none.npy: error[E100]' 'none.txt: error[E100]' 'none.gz: error[E100]' -- \
  run none.onnx --calib none.npy --labels none.txt --input none.gz
no "$dir: error[E101]" -- compile "$dir"
no "$dir: error[E101]" -- compile "$model" --calib "$dir"
# Models.
no 'cut.onnx: error[E150]: the file is cut off at byte 5000' -- compile "$dir/cut.onnx" --calib "$digits"
no 'empty.onnx: error[E105]' -- show "$dir/empty.onnx"
no 'text.onnx:1:6: error[E200]' -- check "$dir/text.onnx"
no "wrong.ola:3:9: error[E203]: there is no value 'nothing'" "wrong.ola:4:12: error[E205]" -- check "$dir/wrong.ola"
no "2 inputs ('a', 'b')" E311 -- check "$dir/two.ola"
no "2 inputs ('a', 'b')" E311 -- compile "$dir/two.ola"
no "2 outputs ('y', 'z')" E311 -- compile "$dir/forked.ola"
no "node 'b': MaxPool" "node 'y': ArgMax" E401 -- compile "$dir/pool.ola" --calib "$digits"
no "node 'b': MaxPool" "node 'y': ArgMax" E401 'labels.npy: error[E254]' -- compile "$dir/pool.ola" --calib "$labels"
no "node 'b': MaxPool" "node 'y': ArgMax" E401 -- check "$dir/pool.ola"
no "E500" "the network needs" "levels" "they go to: x1 1" -- compile "$dir/deep.ola"
no "broken.ola:4:14: error[E312]: node 'y': element 2 of 'w' is NaN" -- check "$dir/broken.ola"
# Data and options that do not go with the model.
no "$model: error[E400]: 2 activations need calibration data" -- compile "$model"
no 'cut.npy: error[E251]' -- compile "$model" --calib "$dir/cut.npy"
no 'labels.npy: error[E254]: the data are 300, but one image' -- compile "$model" --calib "$labels"
no 'digits.npy: error[E256]: 301 images wanted, the file holds 300' -- compile "$model" --calib "$digits" --calib-count 301
no 'digits.npy: error[E256]' -- run "$model" --calib "$digits" --input "$digits" --count 301
no 'three.txt: error[E257]: 3 labels for 5 images' -- run "$model" --calib "$digits" --input "$digits" --count 5 --labels "$dir/three.txt"
no 'many.txt: error[E257]: 400 labels for 5 images of 300' -- run "$model" --calib "$digits" --input "$digits" --count 5 --labels "$dir/many.txt"
no 'high.txt: error[E650]: the label of image 0 is 77' -- run "$model" --calib "$digits" --input "$digits" --labels "$dir/high.txt"
no 'high.txt: error[E650]: the label of image 0 is 77' -- simulate "$model" --calib "$digits" --data "$digits" --labels "$dir/high.txt"
no 'labels.npy: error[E254]: the data are 300, but one image' -- simulate "$model" --calib "$digits" --data "$labels" --stress
no 'word.txt' 'error[E2' -- simulate "$model" --calib "$digits" --data "$digits" --labels "$dir/word.txt"
no 'many.txt: error[E421]: 400 labels for 300 calibration images' -- compile "$model" --calib "$digits" --max-drop 1% --calib-labels "$dir/many.txt"
no 'error[E424]: --degree asks for one degree everywhere' -- simulate "$model" --calib "$digits" --data "$digits" --max-drop 1% --degree 3
no "there is no node 'no'" 'only degree=1 .. 63' E601 -- compile "$model" --calib "$digits" --set no:degree=3 --set /1/Relu:color=4 --set /4/Relu:degree=0
no 'E600' 'have 2 numbers' -- compile "$model" --calib "$digits" --mean 1,2
no 'E600' 'has 2 numbers and --std 3' -- compile "$model" --calib "$digits" --mean 1,2 --std 1,2,3
no 'E600' '--std must be positive' -- compile "$model" --calib "$digits" --std 0
no 'E501' 'must be from 10 to 17' -- compile "$model" --calib "$digits" --log-n 9
no 'E501' 'levels' '/1/Relu 2' -- compile "$model" --calib "$digits" --log-n 12 --degree 3
# Calibrating: what is asked for, and files that are none.
no 'wants --calib' 'wants -o FILE' -- calibrate "$model"
no '--shard: wants K/N' -- calibrate "$model" --calib "$digits" --shard 3/2 -o "$dir/x.cal"
no '--merge: goes with --output only' -- calibrate --merge "$model" --calib "$digits" -o "$dir/x.cal"
no "is one argument too many" -- calibrate "$model" "$model" --calib "$digits" -o "$dir/x.cal"
no 'error[E433]: not a calibration file' -- calibrate --merge "$digits" "$labels" -o "$dir/x.cal"
no 'labels.npy: error[E254]' -- calibrate "$model" --calib "$labels" -o "$dir/x.cal"
"$olac" calibrate "$model" --calib "$digits" -o "$dir/whole.cal" --quiet
"$olac" calibrate "$model" --calib "$digits" --shard 1/2 -o "$dir/one.cal" --quiet
"$olac" calibrate "$model" --calib "$digits" --shard 2/2 -o "$dir/two.cal" --quiet
"$olac" calibrate --merge "$dir/two.cal" "$dir/one.cal" -o "$dir/both.cal" --quiet
cmp "$dir/whole.cal" "$dir/both.cal" || { echo "FAILED: shards do not merge to the whole"; failed=$((failed + 1)); }
"$olac" check "$model" --calib "$dir/whole.cal" > "$dir/out" || { echo "FAILED: check of a calibration file"; failed=$((failed + 1)); }
# Where to write.
no '/dev/null: error[E102]' -- compile "$model" --calib "$digits" -o /dev/null
no '/dev/full: error[E102]: cannot write: No space left' -- simulate "$model" --calib "$digits" --data "$digits" --output /dev/full
no '/dev/full: error[E102]' -- simulate "$model" --data "$digits" --float --output /dev/full
no 'none/x.html: error[E102]' -- compile "$model" --calib "$digits" -o "$dir/reported" --report none/x.html
no 'none/x.html: error[E102]' 'none/x.npy: error[E102]' -- simulate "$model" --calib "$digits" --data "$digits" --report none/x.html --output none/x.npy
no 'none/x.npy: error[E102]' -- simulate "$model" --calib "$digits" --data "$digits" --output none/x.npy
[ -c /dev/full ] || { echo "FAILED: /dev/full was replaced"; failed=$((failed + 1)); }
no "$dir/none: error[E100]: cannot open the folder" -- compile "$model" --calib "$digits" --against "$dir/none"
no 'E550' -- compile "$model" --calib "$digits" --templates "$dir/none"
# A disk that is full (files may have 12 KB, and no signal says so): all of a folder or nothing of it.
status=0
(trap '' XFSZ; ulimit -f 24; exec "$olac" compile "$model" --calib "$digits" -o "$dir/full") > "$dir/out" 2> "$dir/err" || status=$?
if [ $status != 1 ] || ! grep -q 'error\[E102\]' "$dir/err" || [ -n "$(ls -A "$dir/full")" ]; then
  echo "FAILED: full disk: status $status, $(cat "$dir/err"), left: $(ls -A "$dir/full")"
  failed=$((failed + 1))
fi
# What run calls.
no "E611" "cannot start 'no-such-cc'" -- run "$model" --calib "$digits" --input "$digits" --count 1 --cc no-such-cc
no 'false failed with exit status 1' E611 -- run "$model" --calib "$digits" --input "$digits" --count 1 --cc false
TMPDIR=$dir/none
export TMPDIR
no 'E102' 'temporary folder' -- run "$model" --calib "$digits" --input "$digits" --count 1
unset TMPDIR

# With --json the messages are an object, and the exit status the same.
"$olac" compile "$dir/wrong.ola" --json > "$dir/out" 2> "$dir/err" && { echo "FAILED: no error"; failed=1; }
grep -q '^{"errors":\[{"severity":"error","code":"E203"' "$dir/out" || { echo "FAILED: $(cat "$dir/out")"; failed=1; }
# What can be explained: every code that appears above.
for code in 100 101 102 105 150 200 203 205 251 254 256 257 311 312 400 401 500 501 550 600 601 610 611 650; do
  "$olac" explain "E$code" > "$dir/out" || { echo "FAILED: E$code"; failed=1; }
done
# Nothing half-written anywhere.
[ -z "$(ls -A)" ] || { echo "FAILED: left behind: $(ls -A)"; failed=1; }
echo "$failed failures"
[ $failed = 0 ]
