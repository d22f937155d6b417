#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements:lanes=64,texel=1; fused from
//   %3 add : f32[3,70]  /programs/p/phases/0/nodes/0
//   %5 add : f32[3,70]  /programs/p/phases/0/nodes/1
// because %5 is a sibling of the same shape
// reads %2 f32[3,70] t
// reads %1 f32[3,70] b
// reads %4 f32[3,70] s
// writes %3 f32[3,70] s
// writes %5 f32[3,70] t
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %2 f32[3,70]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %1 f32[3,70]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %4 f32[3,70]
layout(set = 0, binding = 3) writeonly buffer Vector3 { vec4 out3[]; }; // %3 f32[3,70]
layout(set = 0, binding = 4) writeonly buffer Vector4 { vec4 out4[]; }; // %5 f32[3,70]
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 54)
        return;
    vec4 v2 = texelFetch(in0, gid); // %2 state /programs/p/phases/0/nodes/0
    vec4 v1 = texelFetch(in1, gid); // %1 feed /programs/p/phases/0
    vec4 v3 = v2 + v1; // %3 add /programs/p/phases/0/nodes/0
    vec4 v4 = texelFetch(in2, gid); // %4 state /programs/p/phases/0/nodes/1
    vec4 v5 = v4 + v1; // %5 add /programs/p/phases/0/nodes/1
    int i0 = (gid) % 18;
    out3[gid] = mix(vec4(0), v3, lessThan(ivec4(4 * i0) + ivec4(0, 1, 2, 3), ivec4(70)));
    out4[gid] = mix(vec4(0), v5, lessThan(ivec4(4 * i0) + ivec4(0, 1, 2, 3), ivec4(70)));
}
