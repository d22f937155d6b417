// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011). The same numbers as runtime/base/random.h: words, uniforms and integers
// bit for bit, normals to a few ULP. Logarithm and cosine are written out, since Vulkan promises neither accurate near u = 1 and v = 1/4.

uvec4 philox(uvec4 counter, uvec2 key) {
    for (int round = 0; round < 10; round++) {
        uint high0, low0, high1, low1;
        umulExtended(0xD2511F53u, counter.x, high0, low0);
        umulExtended(0xCD9E8D57u, counter.z, high1, low1);
        counter = uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += uvec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

// [0, 1)
float uniform_of(uvec4 words) {
    return float(words.x >> 8) * (1.0 / 16777216.0);
}

// 0 ... below - 1
uint below_of(uvec4 words, uint below) {
    uint high, low;
    umulExtended(words.x, below, high, low);
    return high;
}

// ln(n / 2^24) for n in 1 ... 2^24: m 2^e with m in [sqrt(1/2), sqrt(2)), then fdlibm's logf polynomial in (m - 1) / (m + 1).
float log_of_fraction(uint n) {
    int top = findMSB(n);
    int exponent = top - 24;
    float f = uintBitsToFloat(0x3F800000u | ((n << (24 - top)) & 0x00FFFFFFu) >> 1) - 1.0;
    if (f > 0.41421354) {
        f = (f - 1.0) * 0.5; // (1 + f) / 2 - 1, exactly
        exponent++;
    }
    float s = f / (2.0 + f);
    float z = s * s;
    float w = z * z;
    float r = z * (0.66666662693 + w * 0.28498786688) + w * (0.40000972152 + w * 0.24279078841);
    float half_square = 0.5 * f * f;
    float e = float(exponent);
    return (s * (half_square + r) + e * 9.0580006145e-06) - half_square + f + e * 6.9313812256e-01;
}

// cos(2 pi n / 2^24): the nearest quarter turn comes off exactly, then Cephes' sinf and cosf polynomials.
float cos_of_turn(uint n) {
    uint quarter = (n + 0x200000u) >> 22;
    float x = float(int(n) - int(quarter << 22)) * (6.2831853072 / 16777216.0);
    float z = x * x;
    float sine = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * x + x;
    float cosine = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
    float turned = (quarter & 1u) == 0u ? cosine : sine;
    return quarter == 1u || quarter == 2u ? -turned : turned;
}

// Box-Muller
float normal_of(uvec4 words) {
    return sqrt(max(-2.0 * log_of_fraction((words.x >> 8) + 1u), 0.0)) * cos_of_turn(words.y >> 8);
}
