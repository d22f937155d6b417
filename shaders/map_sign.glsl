// 0 for NaN, where GLSL says nothing.
float map_sign(float x) { return float(x > 0.0) - float(x < 0.0); }
vec4 map_sign(vec4 x) { return vec4(greaterThan(x, vec4(0.0))) - vec4(lessThan(x, vec4(0.0))); }
int map_sign(int x) { return sign(x); }
ivec4 map_sign(ivec4 x) { return sign(x); }
