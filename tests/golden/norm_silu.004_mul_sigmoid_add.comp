#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements; fused from
//   %12 broadcast : f32[2,3]  /networks/f/nodes/0
//   %13 mul : f32[2,3]  /networks/f/nodes/0
//   %14 reshape : f32[2,3,1]  /networks/f/nodes/0
//   %15 broadcast : f32[2,3,2]  /networks/f/nodes/0
//   %39 reshape : f32[2,6,1,1]  /networks/f/nodes/0
//   %40 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %41 reshape : f32[2,6,1,1]  /networks/f/nodes/0 (simplify)
//   %42 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %43 sub : f32[2,6,4,4]  /networks/f/nodes/0
//   %44 mul : f32[2,6,4,4]  /networks/f/nodes/0
//   %45 broadcast : f32[2,6]  /networks/f/nodes/0
//   %46 reshape : f32[2,6,1,1]  /networks/f/nodes/0
//   %47 broadcast : f32[2,6,4,4]  /networks/f/nodes/0
//   %48 add : f32[2,6,4,4]  /networks/f/nodes/0
//   %49 sigmoid : f32[2,6,4,4]  /networks/f/nodes/1
//   %50 mul : f32[2,6,4,4]  /networks/f/nodes/1
// because %50 follows at the same element
// reads %1 f32[2,6,4,4] x
// reads %10 f32[2,3]
// reads %38 f32[2,6]
// reads %4 f32[6]
// writes %50 f32[2,6,4,4] y
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[2,6,4,4]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %10 f32[2,3]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %38 f32[2,6]
layout(set = 0, binding = 3) uniform textureBuffer in3; // %4 f32[6]
layout(set = 0, binding = 4) writeonly buffer Vector4 { vec4 out4[]; }; // %50 f32[2,6,4,4]
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 64)
        return;
    vec4 v1 = texelFetch(in0, gid); // %1 feed /programs/p/phases/0
    int i0 = (gid) % 2;
    int i1 = (gid) / 32;
    vec4 v10 = vec4(texelFetch(in1, (2 * i0 + 4 * i1) >> 2)[(2 * i0 + 4 * i1) & 3], texelFetch(in1, (2 * i0 + 4 * i1) >> 2)[(2 * i0 + 4 * i1) & 3], texelFetch(in1, (2 * i0 + 4 * i1 + 1) >> 2)[(2 * i0 + 4 * i1 + 1) & 3], texelFetch(in1, (2 * i0 + 4 * i1 + 1) >> 2)[(2 * i0 + 4 * i1 + 1) & 3]); // %10 reduce_sum /networks/f/nodes/0
    vec4 v13 = v10 * vec4(0.5); // %13 mul /networks/f/nodes/0
    vec4 v43 = v1 - v13; // %43 sub /networks/f/nodes/0
    vec4 v38 = texelFetch(in2, i0 + 2 * i1); // %38 mul /networks/f/nodes/0
    vec4 v44 = v43 * v38; // %44 mul /networks/f/nodes/0
    vec4 v4 = texelFetch(in3, i0); // %4 unpack /networks/f/nodes/0
    vec4 v48 = v44 + v4; // %48 add /networks/f/nodes/0
    vec4 v49 = 1.0 / (1.0 + exp(-(v48))); // %49 sigmoid /networks/f/nodes/1
    vec4 v50 = v48 * v49; // %50 mul /networks/f/nodes/1
    out4[gid] = mix(vec4(0), v50, lessThan(ivec4(4 * i0) + ivec4(0, 1, 2, 3), ivec4(6)));
}
