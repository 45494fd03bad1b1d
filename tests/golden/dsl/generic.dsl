network generic opset 9

input x : f32[2, 4, 4]
const w : f32[2, 1, 1, 1] = [1, -0]
const n : f32[2] = [nan, -inf]
const s : string[3]
const flags : bool[2] = [true, false]
const none : i64[0] = []
y = Conv(x, w; strides [1, 1], pads [0, 1, 1, 0], auto_pad "NOTSET", group 2)
z = Clip(y; min -1.0, max 6.5e+10, ints [1], floats [1.0, 2.5], empty strings [], bits nan(0xff800001))
a, b = Split(z; axis 1)
c, _ = Dropout(a; ratio 0.5)
_, _ = MaxPool(c; kernel_shape [2, 2]) as unused
d = Constant(; value f32[2, 2] = [1, 2, 3, 4], `odd attribute` "\"\\\x0a\x09\xff", `from` 1)
e = Resize(x, _, n, _)
output f = concat(c, b, a, b, axis 1) as joined
