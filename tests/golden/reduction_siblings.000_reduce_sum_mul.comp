#version 450
// Reductions: one invocation folds one result, or four neighbouring ones where the innermost axis is kept.
// reduce, schedule fold; fused from
//   %3 mul : f32[6,40]  /programs/p/phases/0/nodes/0
//   %4 reduce_sum : f32[6]  /programs/p/phases/0/nodes/0
//   %5 mul : f32[6,40]  /programs/p/phases/0/nodes/1
//   %6 reduce_sum : f32[6]  /programs/p/phases/0/nodes/1
//   %7 reduce_max : f32[6]  /programs/p/phases/0/nodes/2
// because %6 folds the same space and shares loads; %7 folds the same space and shares loads
// writes %4 f32[6]
// writes %6 f32[6]
// writes %7 f32[6] top
// reads %1 f32[6,40] x
// reads %2 f32[6,40] y
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) writeonly buffer Scalar0 { float out0s[]; }; // %4 f32[6]
layout(set = 0, binding = 1) writeonly buffer Scalar1 { float out1s[]; }; // %6 f32[6]
layout(set = 0, binding = 2) writeonly buffer Scalar2 { float out2s[]; }; // %7 f32[6]
layout(set = 0, binding = 3) uniform textureBuffer in3; // %1 f32[6,40]
layout(set = 0, binding = 4) uniform textureBuffer in4; // %2 f32[6,40]
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 8)
        return;
    if (gid % 8 >= 6) {
        out0s[gid] = 0.0;
        out1s[gid] = 0.0;
        out2s[gid] = 0.0;
        return;
    }
    vec4 a4 = vec4(0); // sum: %4
    vec4 a6 = vec4(0); // sum: %6
    vec4 a7 = vec4(uintBitsToFloat(0xff800000u)); // max: %7
    for (int r0 = 0; r0 < 10; r0++) {
        vec4 v1 = texelFetch(in3, 10 * gid + r0); // %1 feed /programs/p/phases/0
        vec4 v2 = texelFetch(in4, 10 * gid + r0); // %2 feed /programs/p/phases/0
        vec4 v3 = v1 * v2; // %3 mul /programs/p/phases/0/nodes/0
        a4 += v3;
        vec4 v5 = v1 * v1; // %5 mul /programs/p/phases/0/nodes/1
        a6 += v5;
        a7 = max(a7, v1);
    }
    float v4 = (a4.x + a4.y) + (a4.z + a4.w); // %4 reduce_sum /programs/p/phases/0/nodes/0
    float v6 = (a6.x + a6.y) + (a6.z + a6.w); // %6 reduce_sum /programs/p/phases/0/nodes/1
    float v7 = max(max(a7.x, a7.y), max(a7.z, a7.w)); // %7 reduce_max /programs/p/phases/0/nodes/2
    out0s[gid] = v4;
    out1s[gid] = v6;
    out2s[gid] = v7;
}
