#version 450
// Reductions: one invocation folds one result, or four neighbouring ones where the innermost axis is kept.
// reduce, schedule fold:lanes=8,texel=1; runner-up tree:lanes=8,texel=1; fused from
//   %2 reduce_max : f32[3]  /programs/p/phases/0/nodes/0
// because it stands alone
// writes %2 f32[3]
// reads %1 f32[3,10] x
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) writeonly buffer Scalar0 { float out0s[]; }; // %2 f32[3]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %1 f32[3,10]
// Numbers that a driver's compiler must not see: what it knows to be infinite, NaN or a zero that divides, it may fold into anything.
// A dispatch is one workgroup deep, which only the driver's runtime knows.
uint unseen_zero() { return gl_NumWorkGroups.z - 1u; }
float special(uint bits) { return uintBitsToFloat(bits ^ unseen_zero()); }
#define NOT_A_NUMBER special(0x7fc00000u)
#define INFINITE special(0x7f800000u)
// NaN goes through, where GLSL's max and min may lose it.
float map_maximum(float x, float y) { return mix(y, x, x > y || isnan(x)); }
float map_minimum(float x, float y) { return mix(y, x, x < y || isnan(x)); }
vec4 map_maximum(vec4 x, vec4 y) { return mix(mix(y, x, greaterThan(x, y)), x, isnan(x)); }
vec4 map_minimum(vec4 x, vec4 y) { return mix(mix(y, x, lessThan(x, y)), x, isnan(x)); }
int map_maximum(int x, int y) { return max(x, y); }
int map_minimum(int x, int y) { return min(x, y); }
ivec4 map_maximum(ivec4 x, ivec4 y) { return max(x, y); }
ivec4 map_minimum(ivec4 x, ivec4 y) { return min(x, y); }
uint map_maximum(uint x, uint y) { return max(x, y); }
uint map_minimum(uint x, uint y) { return min(x, y); }
uvec4 map_maximum(uvec4 x, uvec4 y) { return max(x, y); }
uvec4 map_minimum(uvec4 x, uvec4 y) { return min(x, y); }

// Of values at positions: is x ahead of y, the first of equals, and the first NaN ahead of all?
bool map_is_ahead(float x, int x_position, float y, int y_position) {
    if (isnan(x))
        return !isnan(y) || x_position < y_position;
    return x > y || (x == y && x_position < y_position);
}
bool map_is_ahead(int x, int x_position, int y, int y_position) { return x > y || (x == y && x_position < y_position); }
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 4)
        return;
    if (gid % 4 >= 3) {
        out0s[gid] = 0.0;
        return;
    }
    vec4 a2 = vec4(special(0xff800000u)); // max: %2
    for (int r0 = 0; r0 < 3; r0++) {
        vec4 v1 = texelFetch(in1, 3 * gid + r0); // %1 feed /programs/p/phases/0
        a2 = map_maximum(mix(vec4(special(0xff800000u)), v1, lessThan(ivec4(4 * r0) + ivec4(0, 1, 2, 3), ivec4(10))), a2);
    }
    float v2 = map_maximum(map_maximum(a2.x, a2.y), map_maximum(a2.z, a2.w)); // %2 reduce_max /programs/p/phases/0/nodes/0
    out0s[gid] = v2;
}
