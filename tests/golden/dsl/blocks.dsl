network blocks opset 11

input x : f32[2, 4, 4] from u8 / 255 mean 0.5, 0.5 std 0.25, 0.5
const a.c.weight : f32[2, 2, 1, 1] = [1, 0, 0, 1]
const b.c.weight : f32[2, 2, 1, 1] = [0, 1, 1, 0]
y.c = conv(x, "a.c", no bias)
y.r = leakyrelu(y.c, alpha 0.5)  @degree(3 .. 5)
const y.const : f32[] = 0
const y.const.1 : f32[] = 6
y = clip(y.r, y.const, y.const.1)
z.c = conv(y, "b.c", no bias, stride 2)
z.r = leakyrelu(z.c, alpha 0.25)  @degree(3 .. 5)
const z.const : f32[] = 0
const z.const.1 : f32[] = 6
z = clip(z.r, z.const, z.const.1)
w.twice.p = avgpool(z, 1x1)
w.twice.y.avgpool = avgpool(w.twice.p, 1x1)
const w.twice.y.const : f32[] = 1
w.twice = w.twice.y.avgpool + w.twice.y.const
output logits = Identity(w.twice)
v.c = conv(w.twice, "a.c", no bias)
v.r = leakyrelu(v.c, alpha 0.001)  @degree(3 .. 5)
const v.const : f32[] = 0
const v.const.1 : f32[] = 6
output v = clip(v.r, v.const, v.const.1)
