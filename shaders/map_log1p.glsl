//@include map_log.glsl
// 2 artanh(x / (2 + x)) near 0, and two terms of its series at 0.
float map_log1p(float x) {
    if (!(x >= -0.5 && x <= 1.0))
        return map_log(1.0 + x);
    if (abs(x) < 1e-4)
        return x - 0.5 * x * x;
    float t = x / (2.0 + x), s = t * t;
    return 2.0 * t * (1.0 + s * (1.0 / 3.0 + s * (0.2 + s * (1.0 / 7.0 + s * (1.0 / 9.0
        + s * (1.0 / 11.0 + s * (1.0 / 13.0 + s / 15.0)))))));
}
