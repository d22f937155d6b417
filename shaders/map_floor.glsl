//@include map_special.glsl
// Python's // and %. Integers go by magnitude, since GLSL says nothing about negative operands of / and %; by 0 they give 0.
float map_power_of_two(int exponent) { return uintBitsToFloat(uint(exponent + 127) << 23); }

// x - y trunc(x / y), exactly: a binary digit of the quotient after the other comes off, and every difference is exact.
float map_rest(float x, float y) {
    float a = abs(x), b = abs(y);
    if (isnan(x) || isnan(y) || isinf(x) || b < 1.17549435e-38)
        return NOT_A_NUMBER;
    if (isinf(y))
        return x;
    for (int turns = 0; turns < 300 && a >= b; turns++) {
        int difference = int(floatBitsToUint(a) >> 23) - int(floatBitsToUint(b) >> 23);
        float part = b * map_power_of_two(difference / 2) * map_power_of_two(difference - difference / 2);
        a -= part > a ? 0.5 * part : part;
    }
    return (floatBitsToUint(x) >> 31) != 0u ? -a : a;
}

float map_floor_mod(float x, float y) {
    float rest = map_rest(x, y);
    return rest != 0.0 && (rest < 0.0) != (y < 0.0) ? rest + y : rest;
}
float map_floor_div(float x, float y) {
    if (abs(y) < 1.17549435e-38)
        return floor(x / y);
    float rest = map_rest(x, y), quotient = (x - rest) / y;
    if (rest != 0.0 && (rest < 0.0) != (y < 0.0))
        quotient -= 1.0;
    if (quotient == 0.0)
        return uintBitsToFloat((floatBitsToUint(x) ^ floatBitsToUint(y)) & 0x80000000u);
    float whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

uint map_floor_div(uint x, uint y) { return y == 0u ? 0u : x / y; }
uint map_floor_mod(uint x, uint y) { return y == 0u ? 0u : x % y; }

int map_floor_div(int x, int y) {
    uint a = uint(abs(x)), b = uint(abs(y));
    if (b == 0u)
        return 0;
    uint quotient = a / b;
    if ((x < 0) == (y < 0))
        return int(quotient);
    return -int(quotient + (quotient * b != a ? 1u : 0u));
}
int map_floor_mod(int x, int y) {
    uint a = uint(abs(x)), b = uint(abs(y));
    if (b == 0u)
        return 0;
    int rest = int(a % b);
    rest = x < 0 ? -rest : rest;
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}
