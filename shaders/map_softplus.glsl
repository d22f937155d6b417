//@include map_exp.glsl
//@include map_log1p.glsl
// Without overflow; the logarithm is of a number from 1 to 2.
float map_softplus(float x) {
    return (x > 0.0 || isnan(x) ? x : 0.0) + map_log1p(map_exp(-abs(x)));
}
