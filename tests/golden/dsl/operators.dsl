network operators opset 17

input x : f32[2, 4, 4]
input y : f32[4] unbatched
const c.weight : f32[2, 2, 1, 1] = [1, 0, 0.5, -1]
const c.bias : f32[2] = [0.1, -0]
const odd : i64[2] = [1, -1]
const `a name/with:all` : f32[] = 1e-05
a = conv(x, "c", stride 2, pad [0, 1, 1, 0])
b.relu = relu(a)
const b.const : f32[] = 2
b.mul = a * b.const
b.add = b.relu + b.mul
b.neg = -a
b = b.add - b.neg  @degree(<= 7)
c = avgpool(b, 2x2, stride 1)
d = Clip(c, _, `a name/with:all`; note "text \"quoted\" \\ \x01", empty ints [], scale [0.5, 1.0])
e, f = Split(d; axis 1, t f32[2, 1] = [1, 2], words ["a", "b"], big -9223372036854775808) as `a node`
g.concat = concat(e, f, axis 1)
g, _ = Dropout(g.concat)
const h.const : i64[2] = [1, -1]
h = reshape(g, h.const)
i = Constant(; value i64[] = 3)
output j = matmul(h, y)
