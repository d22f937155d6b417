//@include map_special.glsl
// Vulkan promises sine and cosine to 2^-11 only. Quarter turns come off in three exact pieces (Cody and Waite), good to |x| of some 10^4;
// then Cephes' sinf and cosf polynomials.
float map_turn(float x, int shift) {
    if (isinf(x) || isnan(x))
        return NOT_A_NUMBER;
    if (abs(x) > 16384.0)
        return clamp(shift == 0 ? sin(x) : cos(x), -1.0, 1.0);
    if (abs(x) < 1e-4 && shift == 0)
        return x;
    float turns = floor(x * 0.63661977 + 0.5);
    precise float r = ((x - turns * 1.5703125) - turns * 4.8375129699707031e-4) - turns * 7.54978995489188e-8;
    float z = r * r;
    float sine = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
    float cosine = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
    int quarter = (int(turns) + shift) & 3;
    float turned = (quarter & 1) == 0 ? sine : cosine;
    return quarter > 1 ? -turned : turned;
}
