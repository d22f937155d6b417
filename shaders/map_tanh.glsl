//@include map_exp.glsl
// Accurate near 0 (a continued fraction) and without overflow.
float map_tanh(float x) {
    float s = x * x;
    if (abs(x) < 0.5)
        return x * (945.0 + s * (105.0 + s)) / (945.0 + s * (420.0 + 15.0 * s));
    float size = 1.0 - 2.0 / (map_exp(2.0 * abs(x)) + 1.0);
    return x < 0.0 ? -size : size;
}
