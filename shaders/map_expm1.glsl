//@include map_exp.glsl
// Taylor's series near 0.
float map_expm1(float x) {
    if (!(abs(x) <= 0.5))
        return map_exp(x) - 1.0;
    if (x == 0.0)
        return x;
    return x + x * x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0
        + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x / 40320.0))))));
}
