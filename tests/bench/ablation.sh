#!/bin/sh
# ablation.sh OLAC DATA [EPOCHS [IMAGES [SHARE]]] - what pruning, powers of two and activations each cost and bring: accuracy,
# homomorphic operations and predicted time of one batch (--pack throughput) for the CryptoNets network retrained on
# MNIST; accuracy of ResNet-20 with its weights rounded and nothing retrained.
# It took 16 minutes on a machine that was busy. It compares choices; what longer trainings reach is more (README).
#   DATA    a folder with mnist/, cifar10/ and models/
#   EPOCHS  of each training (default 10), on IMAGES training images (default 20000)
#   SHARE   test images of CIFAR-10 (default 500)
set -eu
olac=$1 data=$2 epochs=${3:-10} images=${4:-20000} share=${5:-500}
networks=$(cd "$(dirname "$0")/../../examples/networks" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
train="--data $data/mnist/train-images-idx3-ubyte.gz --labels $data/mnist/train-labels-idx1-ubyte.gz"
test="--data $data/mnist/t10k-0-4999-images-idx3-ubyte.gz --labels $data/mnist/t10k-0-4999-labels-idx1-ubyte.gz"

field() { # field FILE NAME: the first number called NAME
    tr ',{}' '\n\n\n' <"$1" | sed -n "s/.*\"$2\": *\([-0-9.e+]*\).*/\1/p" | head -n 1
}

# The sum of the numbers of the first object of FILE called "all".
operations() {
    sed -n 's/.*"all":{\([^}]*\)}.*/\1/p' "$1" | tr ',' '\n' | awk -F: '{ sum += $2 } END { print sum }'
}

printf '%-12s %6s %8s %9s %10s %12s\n' activation prune weights accuracy operations 'seconds'
mnist() { # mnist ACTIVATION PRUNE GRID
    case $1 in
    pow2) how='--activation-grid pow2 --degree 2' ;;
    pow2-cubic) how='--activation-grid pow2 --degree 3' ;;
    esac
    [ "$2" = 0 ] || how="$how --prune $2"
    [ "$3" = float ] || how="$how --quantize $3"
    # shellcheck disable=SC2086
    "$olac" tune "$networks/cryptonets.onnx" $train --count "$images" --epochs "$epochs" --augment 0.6 --rate 0.004 \
        --batch 64 $how --quiet -o "$work/tuned.onnx"
    # shellcheck disable=SC2086
    "$olac" simulate "$work/tuned.onnx" --float $test --json >"$work/accuracy.json"
    "$olac" compile "$work/tuned.onnx" --pack throughput -o "$work/code" --json >"$work/code.json"
    printf '%-12s %6s %8s %8.2f%% %10s %12s\n' "$1" "$2" "$3" \
        "$(field "$work/accuracy.json" float | awk '{ print 100 * $1 }')" "$(operations "$work/code.json")" \
        "$(field "$work/code.json" predicted_seconds)"
}
for prune in 0 0.8 0.9 0.95; do
    for grid in float pow2:3 pow2:5; do
        mnist pow2 $prune $grid
    done
done
for grid in float pow2:5; do
    mnist pow2-cubic 0.9 $grid
done

printf '\n%-10s %6s %9s\n' weights prune accuracy
resnet() { # resnet GRID PRUNE
    how=''
    [ "$1" = float ] || how="--quantize $1"
    [ "$2" = 0 ] || how="$how --prune $2"
    # shellcheck disable=SC2086
    "$olac" simulate "$data/models/cifar10/resnet20_cifar10.onnx" --calib "$data/cifar10/data_batch_1.bin.gz" \
        --calib-count 200 --data "$data/cifar10/test_0-4999.bin.gz" --count "$share" --degree 7 \
        --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 $how --json >"$work/resnet.json" 2>/dev/null
    rounded=$(sed -n 's/.*"rounded":{"accuracy":\([0-9.]*\).*/\1/p' "$work/resnet.json")
    printf '%-10s %6s %8.2f%%\n' "$1" "$2" "$(echo "${rounded:-$(field "$work/resnet.json" float)}" | awk '{ print 100 * $1 }')"
}
for grid in float pow2:4 pow2:5 pow2x2; do
    for prune in 0 0.3; do
        resnet $grid $prune
    done
done
