//@include map_log2.glsl
// 2^(y log2 |x|) with a logarithm of twice a float's digits: y may be large where x is near 1. Corners as in C's pow.
float map_pow(float x, float y) {
    bool is_whole = floor(y) == y, is_odd = is_whole && abs(y) < 16777216.0 && fract(0.5 * y) != 0.0;
    float size = abs(x), sign = is_odd && (floatBitsToUint(x) >> 31) != 0u ? -1.0 : 1.0;
    if (y == 0.0 || x == 1.0)
        return 1.0;
    if (isnan(x) || isnan(y))
        return NOT_A_NUMBER;
    if (isinf(y))
        return size == 1.0 ? 1.0 : (size > 1.0) == (y > 0.0) ? INFINITE : 0.0;
    if (size == 0.0 || isinf(size))
        return sign * ((size == 0.0) == (y > 0.0) ? 0.0 : INFINITE);
    if (x < 0.0 && !is_whole)
        return NOT_A_NUMBER;
    if (y == 1.0 || size == 1.0)
        return y == 1.0 ? x : sign;
    vec2 parts = map_log2_parts(size);
    float estimate = y * parts.x;
    if (abs(estimate) > 300.0)
        return sign * (estimate > 0.0 ? INFINITE : 0.0);
    vec2 exponent = map_two_product(y, parts.x);
    exponent.y += y * parts.y;
    float whole = floor(exponent.x + 0.5);
    precise float rest = exponent.x - whole; // exactly
    rest += exponent.y;
    // 2^rest for |rest| up to 1/2, by Taylor's series of e^(rest ln 2)
    float t = rest * 0.693147181;
    float power = 1.0 + t * (1.0 + t * (0.5 + t * (1.0 / 6.0 + t * (1.0 / 24.0 + t * (1.0 / 120.0 + t * (1.0 / 720.0 + t / 5040.0))))));
    // two factors, as one would leave the range before the result does
    int first = int(clamp(whole, -250.0, 250.0)) / 2, second = int(clamp(whole, -250.0, 250.0)) - first;
    return sign * power * uintBitsToFloat(uint(first + 127) << 23) * uintBitsToFloat(uint(second + 127) << 23);
}
