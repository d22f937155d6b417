#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
// map, schedule elements:lanes=64,texel=1; fused from
//   %3 concat : f32[2,9,4,4]  /programs/p/phases/0/nodes/0
//   %4 slice : f32[2,5,2,4]  /programs/p/phases/0/nodes/1 (simplify)
//   %5 tanh : f32[2,5,2,4]  /programs/p/phases/0/nodes/1
//   %6 slice : f32[2,5,2,4]  /programs/p/phases/0/nodes/1 (simplify)
//   %7 add : f32[2,5,2,4]  /programs/p/phases/0/nodes/1
// because it stands alone
// reads %1 f32[2,3,4,4] a
// reads %2 f32[2,6,4,4] b
// writes %7 f32[2,5,2,4] y
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[2,3,4,4]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %2 f32[2,6,4,4]
layout(set = 0, binding = 2) writeonly buffer Vector2 { vec4 out2[]; }; // %7 f32[2,5,2,4]
// NaN goes through, where drivers may make a number of it.
float map_exp(float x) { return mix(exp(x), x, isnan(x)); }
vec4 map_exp(vec4 x) { return mix(exp(x), x, isnan(x)); }
// Accurate near 0 (a continued fraction) and without overflow.
float map_tanh(float x) {
    float s = x * x;
    if (abs(x) < 0.5)
        return x * (945.0 + s * (105.0 + s)) / (945.0 + s * (420.0 + 15.0 * s));
    float size = 1.0 - 2.0 / (map_exp(2.0 * abs(x)) + 1.0);
    return x < 0.0 ? -size : size;
}
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    if (gid >= 32)
        return;
    int i0 = (gid) % 2;
    int i1 = clamp(4 * i0 + 2, 0, 2);
    int i2 = (gid) / 2;
    int i3 = (i2) % 4;
    int i4 = (gid) / 8;
    int i5 = (i4) % 2;
    int i6 = (gid) / 16;
    float v1 = texelFetch(in0, (4 * i3 + 32 * i5 + 64 * i6 + i1) >> 2)[(4 * i3 + 32 * i5 + 64 * i6 + i1) & 3]; // %1 feed /programs/p/phases/0
    int i7 = clamp(4 * i0 - 1, 0, 5);
    float v2 = texelFetch(in1, (8 * i3 + 64 * i5 + 128 * i6 + i7) >> 2)[(8 * i3 + 64 * i5 + 128 * i6 + i7) & 3]; // %2 feed /programs/p/phases/0
    float v3 = 4 * i0 + 2 >= 3 ? v2 : v1; // %3 concat /programs/p/phases/0/nodes/0
    int i8 = (gid) % 8;
    float v2_1 = texelFetch(in1, (64 * i5 + 128 * i6 + 4 * i8) >> 2)[(64 * i5 + 128 * i6 + 4 * i8) & 3]; // %2 feed /programs/p/phases/0
    float v2_2 = texelFetch(in1, (64 * i5 + 128 * i6 + 4 * i8 + 1) >> 2)[(64 * i5 + 128 * i6 + 4 * i8 + 1) & 3]; // %2 feed /programs/p/phases/0
    int i9 = clamp(4 * i0 + 2, 0, 5);
    float v2_3 = texelFetch(in1, (8 * i3 + 64 * i5 + 128 * i6 + i9) >> 2)[(8 * i3 + 64 * i5 + 128 * i6 + i9) & 3]; // %2 feed /programs/p/phases/0
    vec4 v3_1 = vec4(v3, v2_1, v2_2, v2_3); // %3 concat /programs/p/phases/0/nodes/0
    vec4 v5 = vec4(map_tanh(v3_1.x), map_tanh(v3_1.y), map_tanh(v3_1.z), map_tanh(v3_1.w)); // %5 tanh /programs/p/phases/0/nodes/1
    int i10 = clamp(64 * i5 + 128 * i6 + 4 * i8 + 36, 0, 255);
    vec4 v2_4 = vec4(texelFetch(in1, (64 * i5 + 128 * i6 + 4 * i8 + 33) >> 2)[(64 * i5 + 128 * i6 + 4 * i8 + 33) & 3], texelFetch(in1, (64 * i5 + 128 * i6 + 4 * i8 + 34) >> 2)[(64 * i5 + 128 * i6 + 4 * i8 + 34) & 3], texelFetch(in1, (64 * i5 + 128 * i6 + 4 * i8 + 35) >> 2)[(64 * i5 + 128 * i6 + 4 * i8 + 35) & 3], texelFetch(in1, (i10) >> 2)[(i10) & 3]); // %2 feed /programs/p/phases/0
    vec4 v7 = v5 + v2_4; // %7 add /programs/p/phases/0/nodes/1
    out2[gid] = mix(vec4(0), v7, lessThan(ivec4(4 * i0) + ivec4(0, 1, 2, 3), ivec4(5)));
}
