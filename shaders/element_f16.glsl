// f16 in storage: vec4s as two uints, which any device reads; the first of two is in the lower half.
vec4 load_f16(uvec2 halves) { return vec4(unpackHalf2x16(halves.x), unpackHalf2x16(halves.y)); }

uvec2 store_f16(vec4 x) { return uvec2(packHalf2x16(x.xy), packHalf2x16(x.zw)); }
