//@include map_exp.glsl
// Polynomials fitted to erf(x) / x over x^2 (relative error 1.4e-9) and to erfc(x) e^(x^2) over 1 / (1 + x / 2) (2.3e-9).
float map_erf(float x) {
    float s = x * x;
    if (s < 1.0)
        return x * (1.128379166 + s * (-0.3761262690 + s * (0.1128359746 + s * (-0.02685432879
            + s * (0.005189311939 + s * (-8.018854957e-4 + s * 7.882496988e-5))))));
    float a = abs(x) > 4.0 ? 4.0 : abs(x), t = 1.0 / (1.0 + 0.5 * a);
    float tail = -1.524780513e-4 + t * (0.2848873639 + t * (0.2598478003 + t * (0.3472332015
        + t * (-0.1023907405 + t * (0.5616955840 + t * (-0.4700750161 + t * 0.1190052480))))));
    float size = 1.0 - tail * map_exp(-a * a);
    return x < 0.0 ? -size : size;
}
