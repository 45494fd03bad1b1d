#!/bin/sh
# deeper.sh OLAC DATA BLOCKS [run's options, as --sim] - a deeper member of ResNet-20's family, one encrypted CIFAR-10 image:
# BLOCKS = 5, 7, 9 residual blocks a stage make 32, 44, 56 layers. There are the trained weights of ResNet-20 only: its
# second and third block of a stage are repeated, each moving the stream by 3 / BLOCKS of what it was trained to, so that
# values stay in bounds. Says how far the encrypted answer is from the polynomials', nothing about accuracy.
# DATA holds cifar10/ and models/cifar10/.
set -eu
olac=$(realpath "$1") data=$(realpath "$2") blocks=$3
shift 3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$olac" show "$data/models/cifar10/resnet20_cifar10.onnx" --dsl -o .
{
  echo "network resnet$((6 * blocks + 2)) opset 13"
  grep -E '^(input|const linear|const `onnx)' resnet20_cifar10.ola
  cat << 'END'
const two : i64[1] = [2]
const zero : i64[1] = [0]
const end : i64[1] = [1000]
const rows : i64[1] = [2]
const columns : i64[1] = [3]
const nil : f32[] = 0
const pad2 : i64[8] = [0, 8, 0, 0, 0, 8, 0, 0]
const pad3 : i64[8] = [0, 16, 0, 0, 0, 16, 0, 0]
END
  awk -v blocks="$blocks" 'function conv(x, k, stride) {
      return sprintf("conv(%s, `onnx::Conv_%d`, `onnx::Conv_%d`, %spad 1)", x, 257 + 3 * k, 258 + 3 * k, stride)
    }
    BEGIN {
      print "x0 = relu(" conv("input", 0, "") ")"
      for (s = 0; s < 3; s++)
        for (b = 0; b < blocks; b++) {
          k = 1 + 6 * s + 2 * (b < 3 ? b : 1 + (b - 1) % 2)
          skip = "x" c + 0
          c++
          print "h" c " = relu(" conv(skip, k, s && !b ? "stride 2, " : "") ")"
          moved = b ? sprintf("(%s) * %.6f", conv("h" c, k + 1, ""), 3 / blocks) : conv("h" c, k + 1, "")
          if (s && !b) {
            print "s" c " = Slice(" skip ", zero, end, rows, two)"
            print "t" c " = Slice(s" c ", zero, end, columns, two)"
            skip = "k" c
            print skip " = Pad(t" c ", pad" s + 1 ", nil; mode \"constant\")"
          }
          print "x" c " = relu(" moved " + " skip ")"
        }
      print "output logits = dense(flatten(avgpool(x" c ", 8x8)), linear.weight, linear.bias)"
    }'
} > deeper.ola
"$olac" calibrate deeper.ola --calib "$data/cifar10/data_batch_1.bin.gz" --calib-count 500 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 \
  -o cal --quiet > /dev/null
"$olac" run deeper.ola --calib cal --degree 7 --input "$data/cifar10/test_0-4999.bin.gz" --count 1 "$@"
