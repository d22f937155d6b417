#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements:lanes=64,texel=1; fused from
//   %2 reshape : f32[5,1]  /programs/p/phases/0/nodes/0
//   %3 broadcast : f32[5,5]  /programs/p/phases/0/nodes/0
//   %4 broadcast : f32[5,5]  /programs/p/phases/0/nodes/0 (simplify)
//   %5 mul : f32[5,5]  /programs/p/phases/0/nodes/0
// because it stands alone
// reads %1 f32[5] w
// writes %5 f32[5,5] outer
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[5]
layout(set = 0, binding = 1) writeonly buffer Vector1 { vec4 out1[]; }; // %5 f32[5,5]
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 10)
        return;
    int i0 = (gid) / 2;
    float v1 = texelFetch(in0, (i0) >> 2)[(i0) & 3]; // %1 feed /programs/p/phases/0
    int i1 = (gid) % 2;
    vec4 v1_1 = texelFetch(in0, i1); // %1 feed /programs/p/phases/0
    vec4 v5 = vec4(v1) * v1_1; // %5 mul /programs/p/phases/0/nodes/0
    out1[gid] = mix(vec4(0), v5, lessThan(ivec4(4 * i1) + ivec4(0, 1, 2, 3), ivec4(5)));
}
