//@include map_extreme.glsl
//@include map_log1p.glsl
// Logarithms are no less than -100.
float map_bce(float p, float target) {
    p += special(0u), target += special(0u); // a driver that sees 0 or 1 drops what it multiplies
    float yes = map_maximum(map_log(p), -100.0), no = map_maximum(map_log1p(-p), -100.0);
    return -(target * yes + (1.0 - target) * no);
}
float map_bce_slope(float p, float target) { return (p - target) / map_maximum(p * (1.0 - p), 1e-12); }
