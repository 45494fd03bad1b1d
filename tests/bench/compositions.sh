#!/bin/sh
# compositions.sh OLAC DATA - accuracy of examples/networks with MaxPool, attention and a small ConvNeXt, float and with
# polynomials, on all public test images, calibrated on 1,000 training images. DATA holds mnist/ and cifar10/.
set -eu
olac=$1 data=$2
report=$(mktemp)
trap 'rm -f "$report"' EXIT
here=$(cd "$(dirname "$0")/../.." && pwd)
run() {
  network=$1 degree=$2
  shift 2
  "$olac" simulate "$here/examples/networks/$network.onnx" --degree "$degree" "$@" --quiet --json > "$report"
  printf '%s, degree %s: ' "$network" "$degree"
  sed 's/.*"accuracy":{\([^}]*\)}.*"diverged":\([0-9]*\).*/accuracy \1, diverged \2/; s/"//g' "$report"
}
for degree in 3 7; do
  for network in maxpool attention; do
    run "$network" "$degree" --calib "$data/mnist/train-images-idx3-ubyte.gz" \
      --data "$data"/mnist/t10k*images*.gz --labels "$data"/mnist/t10k*labels*.gz
  done
  run convnext "$degree" --mean .4914,.4822,.4465 --std .2470,.2435,.2616 --calib "$data/cifar10/data_batch_1.bin.gz" \
    --data "$data"/cifar10/test*.bin.gz
done
