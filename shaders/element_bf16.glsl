// bf16 in storage: vec4s as two uints; the first of two is in the lower half. Rounded to the nearest, ties to even.
vec4 load_bf16(uvec2 halves) {
    uvec4 words = uvec4(halves.x << 16, halves.x & 0xFFFF0000u, halves.y << 16, halves.y & 0xFFFF0000u);
    return uintBitsToFloat(words);
}

uvec2 store_bf16(vec4 x) {
    uvec4 words = floatBitsToUint(x), magnitudes = words & 0x7FFFFFFFu;
    uvec4 rounded = (words + 0x7FFFu + (words >> 16 & 1u)) >> 16, quiet = words >> 16 | 0x40u;
    uvec4 halves = mix(rounded, quiet, greaterThan(magnitudes, uvec4(0x7F800000u)));
    return uvec2(halves.x | halves.y << 16, halves.z | halves.w << 16);
}
