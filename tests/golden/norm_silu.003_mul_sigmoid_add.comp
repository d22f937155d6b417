#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements:lanes=64,texel=1; fused from
//   %32 reshape : f32[2,6,1,1]  /networks/f/nodes/0
//   %33 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %36 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %37 sub : f32[2,6,4,4]  /networks/f/nodes/0
//   %38 mul : f32[2,6,4,4]  /networks/f/nodes/0
//   %39 broadcast : f32[2,6]  /networks/f/nodes/0
//   %40 reshape : f32[2,6,1,1]  /networks/f/nodes/0
//   %41 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %42 add : f32[2,6,4,4]  /networks/f/nodes/0
//   %43 sigmoid : f32[2,6,4,4]  /networks/f/nodes/1
//   %44 mul : f32[2,6,4,4]  /networks/f/nodes/1
// because %44 follows at the same element
// reads %1 f32[2,6,4,4] x
// reads %35 f32[2,6,1,1]
// reads %31 f32[2,6]
// reads %4 f32[6]
// writes %44 f32[2,6,4,4] y
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[2,6,4,4]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %35 f32[2,6,1,1]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %31 f32[2,6]
layout(set = 0, binding = 3) uniform textureBuffer in3; // %4 f32[6]
layout(set = 0, binding = 4) writeonly buffer Vector4 { vec4 out4[]; }; // %44 f32[2,6,4,4]
// NaN goes through, where drivers may make a number of it.
float map_exp(float x) { return mix(exp(x), x, isnan(x)); }
vec4 map_exp(vec4 x) { return mix(exp(x), x, isnan(x)); }
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 64)
        return;
    vec4 v1 = texelFetch(in0, gid); // %1 feed /programs/p/phases/0
    int i0 = (gid) % 2;
    int i1 = (gid) / 32;
    vec4 v35 = texelFetch(in1, i0 + 2 * i1); // %35 materialise /networks/f/nodes/0
    vec4 v37 = v1 - v35; // %37 sub /networks/f/nodes/0
    vec4 v31 = texelFetch(in2, i0 + 2 * i1); // %31 mul /networks/f/nodes/0
    vec4 v38 = v37 * v31; // %38 mul /networks/f/nodes/0
    vec4 v4 = texelFetch(in3, i0); // %4 unpack /networks/f/nodes/0
    vec4 v42 = v38 + v4; // %42 add /networks/f/nodes/0
    vec4 v43 = 1.0 / (1.0 + map_exp(-(v42))); // %43 sigmoid /networks/f/nodes/1
    vec4 v44 = v42 * v43; // %44 mul /networks/f/nodes/1
    out4[gid] = mix(vec4(0), v44, lessThan(ivec4(4 * i0) + ivec4(0, 1, 2, 3), ivec4(6)));
}
