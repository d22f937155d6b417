//@include map_special.glsl
// Vulkan promises 4096 units in the last place only. The argument is brought below tan(pi / 8), where Cephes' atanf polynomial holds.
float map_atan(float x) {
    float size = abs(x), angle = 0.0;
    if (size < 1e-4)
        return x;
    if (size > 2.4142136) {
        angle = 1.57079633;
        size = -1.0 / size;
    } else if (size > 0.41421356) {
        angle = 0.785398163;
        size = (size - 1.0) / (size + 1.0);
    }
    float z = size * size;
    angle += (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * size + size;
    return x < 0.0 ? -angle : angle;
}

// The signs are read from the bits: those of zeros choose the quadrant, too.
float map_atan2(float y, float x) {
    if (isnan(x) || isnan(y))
        return NOT_A_NUMBER;
    float far = abs(x), up = abs(y), angle;
    if (far == up) // both may be 0 or infinite
        angle = far == 0.0 ? 0.0 : 0.785398163;
    else
        angle = up < far ? map_atan(up / far) : 1.57079633 - map_atan(far / up);
    if (floatBitsToInt(x) < 0)
        angle = 3.14159265 - angle;
    return floatBitsToInt(y) < 0 ? -angle : angle;
}
