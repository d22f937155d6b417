#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements:lanes=64,texel=1; fused from
//   %33 reshape : f32[2,6,1,1]  /networks/f/nodes/0
//   %34 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %37 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %38 sub : f32[2,6,4,4]  /networks/f/nodes/0
//   %39 mul : f32[2,6,4,4]  /networks/f/nodes/0
//   %40 broadcast : f32[2,6]  /networks/f/nodes/0
//   %41 reshape : f32[2,6,1,1]  /networks/f/nodes/0
//   %42 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %43 add : f32[2,6,4,4]  /networks/f/nodes/0
//   %44 sigmoid : f32[2,6,4,4]  /networks/f/nodes/1
//   %45 mul : f32[2,6,4,4]  /networks/f/nodes/1
// because it stands alone
// reads %1 f32[2,6,4,4] x
// reads %36 f32[2,6,1,1]
// reads %32 f32[2,6]
// reads %4 f32[6]
// writes %45 f32[2,6,4,4] y
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[2,6,4,4]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %36 f32[2,6,1,1]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %32 f32[2,6]
layout(set = 0, binding = 3) uniform textureBuffer in3; // %4 f32[6]
layout(set = 0, binding = 4) writeonly buffer Vector4 { vec4 out4[]; }; // %45 f32[2,6,4,4]
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
    vec4 v36 = texelFetch(in1, i0 + 2 * i1); // %36 materialise /networks/f/nodes/0
    vec4 v38 = v1 - v36; // %38 sub /networks/f/nodes/0
    vec4 v32 = texelFetch(in2, i0 + 2 * i1); // %32 mul /networks/f/nodes/0
    vec4 v39 = v38 * v32; // %39 mul /networks/f/nodes/0
    vec4 v4 = texelFetch(in3, i0); // %4 unpack /networks/f/nodes/0
    vec4 v43 = v39 + v4; // %43 add /networks/f/nodes/0
    vec4 v44 = 1.0 / (1.0 + map_exp(-(v43))); // %44 sigmoid /networks/f/nodes/1
    vec4 v45 = v43 * v44; // %45 mul /networks/f/nodes/1
    out4[gid] = mix(vec4(0), v45, lessThan(ivec4(4 * i0) + ivec4(0, 1, 2, 3), ivec4(6)));
}
