network `inputs of all/kinds` opset 17

input image : f32[3, 32, 32] from u8 / 255 mean 0.485, 0.456, 0.406 std 0.229, 0.224, 0.225
input grey : f32[1, 8, 8] from u8
input table : i64[8]
input raw : f16[4, 10] unbatched
input scalar : f64[] unbatched
input one : bool[]
input `odd ` : f32[2]
network_ = relu(image) as network
output `1` = -`odd ` as node_1
const `é\x01.const` : f32[] = 1
output `é\x01` = table + `é\x01.const`
