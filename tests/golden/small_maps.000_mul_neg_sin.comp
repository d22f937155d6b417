#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements:lanes=64,texel=1; fused from
//   %4 exp : f32[5]  /programs/p/phases/0/nodes/0
//   %5 sin : f32[3,70]  /programs/p/phases/0/nodes/1
//   %6 neg : f32[300]  /programs/p/phases/0/nodes/2
//   %7 mul : f32[3,70]  /programs/p/phases/0/nodes/3
// because %5 is small too, and of the same wave; %7 is a sibling of the same shape; %6 is small too, and of the same wave
// reads %1 f32[5] a
// writes %4 f32[5] x
// reads %2 f32[3,70] b
// writes %5 f32[3,70] y
// writes %7 f32[3,70] again
// reads %3 f32[300] c
// writes %6 f32[300] z
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[5]
layout(set = 0, binding = 1) writeonly buffer Vector1 { vec4 out1[]; }; // %4 f32[5]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %2 f32[3,70]
layout(set = 0, binding = 3) writeonly buffer Vector3 { vec4 out3[]; }; // %5 f32[3,70]
layout(set = 0, binding = 4) writeonly buffer Vector4 { vec4 out4[]; }; // %7 f32[3,70]
layout(set = 0, binding = 5) uniform textureBuffer in5; // %3 f32[300]
layout(set = 0, binding = 6) writeonly buffer Vector6 { vec4 out6[]; }; // %6 f32[300]
// NaN goes through, where drivers may make a number of it.
float map_exp(float x) { return mix(exp(x), x, isnan(x)); }
vec4 map_exp(vec4 x) { return mix(exp(x), x, isnan(x)); }
// Numbers that a driver's compiler must not see: what it knows to be infinite, NaN or a zero that divides, it may fold into anything.
// A dispatch is one workgroup deep, which only the driver's runtime knows.
uint unseen_zero() { return gl_NumWorkGroups.z - 1u; }
float special(uint bits) { return uintBitsToFloat(bits ^ unseen_zero()); }
#define NOT_A_NUMBER special(0x7fc00000u)
#define INFINITE special(0x7f800000u)
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
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    // loops of one turn or none: software drivers run both sides of a branch
    for (bool here = gid < 2; here; here = false) {
        vec4 v1 = texelFetch(in0, gid); // %1 feed /programs/p/phases/0
        vec4 v4 = map_exp(v1); // %4 exp /programs/p/phases/0/nodes/0
        out1[gid] = mix(vec4(0), v4, lessThan(ivec4(4 * gid) + ivec4(0, 1, 2, 3), ivec4(5)));
    }
    for (bool here = gid >= 64 && gid < 118; here; here = false) {
        int vector0 = gid - 64;
        vec4 v2 = texelFetch(in2, vector0); // %2 feed /programs/p/phases/0
        vec4 v5 = vec4(map_turn(v2.x, 0), map_turn(v2.y, 0), map_turn(v2.z, 0), map_turn(v2.w, 0)); // %5 sin /programs/p/phases/0/nodes/1
        vec4 v7 = v2 * v2; // %7 mul /programs/p/phases/0/nodes/3
        int i1 = (vector0) % 18;
        out3[vector0] = mix(vec4(0), v5, lessThan(ivec4(4 * i1) + ivec4(0, 1, 2, 3), ivec4(70)));
        out4[vector0] = mix(vec4(0), v7, lessThan(ivec4(4 * i1) + ivec4(0, 1, 2, 3), ivec4(70)));
    }
    for (bool here = gid >= 128 && gid < 203; here; here = false) {
        int vector2 = gid - 128;
        vec4 v3 = texelFetch(in5, vector2); // %3 feed /programs/p/phases/0
        vec4 v6 = -(v3); // %6 neg /programs/p/phases/0/nodes/2
        out6[vector2] = v6;
    }
}
