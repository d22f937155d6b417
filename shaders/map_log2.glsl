//@include map_log.glsl
// A product as a sum of two floats (Dekker 1971), for |a|, |b| below 2^100; nothing here may be contracted.
vec2 map_two_product(float a, float b) {
    precise float wide_a = 4097.0 * a, wide_b = 4097.0 * b;
    precise float high_a = wide_a - (wide_a - a), high_b = wide_b - (wide_b - b);
    precise float low_a = a - high_a, low_b = b - high_b;
    precise float product = a * b;
    precise float error = ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b;
    return vec2(product, error);
}

// log2 of a positive, finite x as a sum of two floats, good to 2^-30 of it: 2 / ln 2 artanh(s), s = fraction / (2 + fraction).
vec2 map_log2_parts(float x) {
    float e, f = map_log_parts(x, e);
    precise float divisor = 2.0 + f, lost = f - (divisor - 2.0); // divisor + lost is exact
    precise float s = f / divisor;
    vec2 again = map_two_product(s, divisor);
    precise float s_low = (((f - again.x) - again.y) - s * lost) / divisor;
    float z = s * s;
    float series = s * z * (1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z / 11.0))));
    precise float tail = s_low + series;
    vec2 scaled = map_two_product(s, 2.88539004);
    precise float low = scaled.y + s * 3.851926e-8 + tail * 2.88539004;
    precise float sum = e + scaled.x;
    precise float sum_low = (e - sum) + scaled.x;
    if (e == 0.0) {
        sum = scaled.x;
        sum_low = 0.0;
    }
    precise float all_low = sum_low + low;
    precise float high = sum + all_low;
    precise float rest = (sum - high) + all_low;
    return vec2(high, rest);
}

float map_log2(float x) {
    float special_result;
    if (map_log_is_special(x, special_result))
        return special_result;
    return map_log2_parts(x).x;
}
