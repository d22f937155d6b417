//@include map_special.glsl
// What does not fit is saturated, and NaN is 0; GLSL says nothing about either. A driver must not see that an integer is always 0 where that
// becomes a number that divides.
float map_to_float(float x) { return x; }
float map_to_float(int x) { return float(x ^ int(unseen_zero())); }
float map_to_float(uint x) { return float(x ^ unseen_zero()); }
float map_to_float(bool x) { return float(uint(x) ^ unseen_zero()); }
int map_to_int(float x) {
    if (x >= 2147483648.0)
        return 2147483647;
    return x <= -2147483648.0 ? -2147483647 - 1 : isnan(x) ? 0 : int(x);
}
uint map_to_uint(float x) {
    if (x >= 4294967296.0)
        return 0xffffffffu;
    return x > 0.0 ? uint(x) : 0u;
}
int map_to_int(int x) { return x; }
int map_to_int(uint x) { return int(min(x, 0x7fffffffu)); }
int map_to_int(bool x) { return int(x); }
uint map_to_uint(int x) { return uint(max(x, 0)); }
uint map_to_uint(uint x) { return x; }
uint map_to_uint(bool x) { return uint(x); }
