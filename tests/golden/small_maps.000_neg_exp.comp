#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements:lanes=64,texel=1; fused from
//   %4 exp : f32[5]  /programs/p/phases/0/nodes/0
//   %6 neg : f32[300]  /programs/p/phases/0/nodes/2
// because %6 is small too, and of the same wave
// reads %1 f32[5] a
// writes %4 f32[5] x
// reads %3 f32[300] c
// writes %6 f32[300] z
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[5]
layout(set = 0, binding = 1) writeonly buffer Vector1 { vec4 out1[]; }; // %4 f32[5]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %3 f32[300]
layout(set = 0, binding = 3) writeonly buffer Vector3 { vec4 out3[]; }; // %6 f32[300]
// NaN goes through, where drivers may make a number of it.
float map_exp(float x) { return mix(exp(x), x, isnan(x)); }
vec4 map_exp(vec4 x) { return mix(exp(x), x, isnan(x)); }
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    // loops of one turn or none: software drivers run both sides of a branch
    for (bool here = gid < 2; here; here = false) {
        vec4 v1 = texelFetch(in0, gid); // %1 feed /programs/p/phases/0
        vec4 v4 = map_exp(v1); // %4 exp /programs/p/phases/0/nodes/0
        out1[gid] = mix(vec4(0), v4, lessThan(ivec4(4 * gid) + ivec4(0, 1, 2, 3), ivec4(5)));
    }
    for (bool here = gid >= 64 && gid < 139; here; here = false) {
        int vector0 = gid - 64;
        vec4 v3 = texelFetch(in2, vector0); // %3 feed /programs/p/phases/0
        vec4 v6 = -(v3); // %6 neg /programs/p/phases/0/nodes/2
        out3[vector0] = v6;
    }
}
