//@include map_special.glsl
// Vulkan promises a logarithm near 1 to 2^-21 only, and none of 0, denormals or infinities. x = 2^exponent (1 + fraction), with 1 + fraction
// from sqrt(1/2) to sqrt(2); denormals are scaled up first where the device has them.
float map_log_parts(float x, out float exponent) {
    float shift = 127.0;
    if (x < 1.17549435e-38) {
        x *= 8388608.0;
        shift = 150.0;
    }
    uint bits = floatBitsToUint(x);
    exponent = float(bits >> 23) - shift;
    float fraction = uintBitsToFloat((bits & 0x007fffffu) | 0x3f800000u) - 1.0;
    if (fraction > 0.41421354) {
        fraction = (fraction - 1.0) * 0.5; // (1 + fraction) / 2 - 1, exactly
        exponent += 1.0;
    }
    return fraction;
}

// The logarithm of what is no positive number, or infinite; true where x is such.
bool map_log_is_special(float x, out float result) {
    result = x == 0.0 ? -INFINITE : x > 0.0 ? x : NOT_A_NUMBER;
    return !(x > 0.0) || isinf(x);
}

// fdlibm's logf polynomial in fraction / (2 + fraction).
float map_log(float x) {
    float special_result, e;
    if (map_log_is_special(x, special_result))
        return special_result;
    float f = map_log_parts(x, e);
    float s = f / (2.0 + f);
    float z = s * s;
    float w = z * z;
    float r = z * (0.66666662693 + w * 0.28498786688) + w * (0.40000972152 + w * 0.24279078841);
    float half_square = 0.5 * f * f;
    return (s * (half_square + r) + e * 9.0580006145e-06) - half_square + f + e * 6.9313812256e-01;
}
