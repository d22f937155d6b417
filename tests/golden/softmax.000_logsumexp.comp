#version 450
// Reductions: one invocation folds one result, or four neighbouring ones where the innermost axis is kept.
// reduce, schedule fold; fused from
//   %2 logsumexp : f32[3]  /programs/p/phases/0/nodes/0
// because it stands alone
// writes %2 f32[3]
// reads %1 f32[3,10] x
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) writeonly buffer Scalar0 { float out0s[]; }; // %2 f32[3]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %1 f32[3,10]
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 4)
        return;
    if (gid % 4 >= 3) {
        out0s[gid] = 0.0;
        return;
    }
    vec4 a2 = vec4(uintBitsToFloat(0xff800000u)); // largest: %2
    vec4 b2 = vec4(0.0); // sum of exponentials
    for (int r0 = 0; r0 < 3; r0++) {
        vec4 v1 = texelFetch(in1, 3 * gid + r0); // %1 feed /programs/p/phases/0
        a2 = max(a2, mix(vec4(uintBitsToFloat(0xff800000u)), v1, lessThan(ivec4(4 * r0) + ivec4(0, 1, 2, 3), ivec4(10))));
    }
    a2 = vec4(max(max(a2.x, a2.y), max(a2.z, a2.w)));
    a2 = mix(a2, vec4(0.0), isinf(a2)); // inf - inf is no number
    for (int r1 = 0; r1 < 3; r1++) {
        vec4 v1_1 = texelFetch(in1, 3 * gid + r1); // %1 feed /programs/p/phases/0
        b2 += exp(mix(vec4(uintBitsToFloat(0xff800000u)), v1_1, lessThan(ivec4(4 * r1) + ivec4(0, 1, 2, 3), ivec4(10))) - a2);
    }
    float v2 = a2.x + log((b2.x + b2.y) + (b2.z + b2.w)); // %2 logsumexp /programs/p/phases/0/nodes/0
    out0s[gid] = v2;
}
