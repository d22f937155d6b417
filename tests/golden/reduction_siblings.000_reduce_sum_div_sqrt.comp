#version 450
// Chains: a workgroup computes one slice of everything, link by link. What it stores for a later link it reads itself, behind a barrier; no other
// workgroup does.
// chain, schedule chain:lanes=8,texel=1; fused from
//   %3 mul : f32[6,40]  /programs/p/phases/0/nodes/0
//   %4 reduce_sum : f32[6]  /programs/p/phases/0/nodes/0
//   %5 mul : f32[6,40]  /programs/p/phases/0/nodes/1
//   %6 reduce_sum : f32[6]  /programs/p/phases/0/nodes/1
//   %7 reduce_max : f32[6]  /programs/p/phases/0/nodes/2
//   %8 sqrt : f32[6]  /programs/p/phases/0/nodes/3
//   %9 div : f32[6]  /programs/p/phases/0/nodes/3
// because 2 kernels follow each other on 1 slice
// writes, then reads %4 f32[6]
// writes, then reads %6 f32[6]
// writes %7 f32[6] top
// reads %1 f32[6,40] x
// reads %2 f32[6,40] y
// writes %9 f32[6] cosine
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) coherent buffer Vector0 { vec4 out0[]; }; // %4 f32[6]
layout(set = 0, binding = 0) coherent buffer Scalar0 { float out0s[]; }; // %4 f32[6]
layout(set = 0, binding = 1) coherent buffer Vector1 { vec4 out1[]; }; // %6 f32[6]
layout(set = 0, binding = 1) coherent buffer Scalar1 { float out1s[]; }; // %6 f32[6]
layout(set = 0, binding = 2) writeonly buffer Scalar2 { float out2s[]; }; // %7 f32[6]
layout(set = 0, binding = 3) uniform textureBuffer in3; // %1 f32[6,40]
layout(set = 0, binding = 4) uniform textureBuffer in4; // %2 f32[6,40]
layout(set = 0, binding = 5) writeonly buffer Vector5 { vec4 out5[]; }; // %9 f32[6]
const int LANES = 8;
// Numbers that a driver's compiler must not see: what it knows to be infinite, NaN or a zero that divides, it may fold into anything.
// A dispatch is one workgroup deep, which only the driver's runtime knows.
uint unseen_zero() { return gl_NumWorkGroups.z - 1u; }
float special(uint bits) { return uintBitsToFloat(bits ^ unseen_zero()); }
#define NOT_A_NUMBER special(0x7fc00000u)
#define INFINITE special(0x7f800000u)
// NaN goes through, where GLSL's max and min may lose it.
float map_maximum(float x, float y) { return mix(y, x, x > y || isnan(x)); }
float map_minimum(float x, float y) { return mix(y, x, x < y || isnan(x)); }
vec4 map_maximum(vec4 x, vec4 y) { return mix(mix(y, x, greaterThan(x, y)), x, isnan(x)); }
vec4 map_minimum(vec4 x, vec4 y) { return mix(mix(y, x, lessThan(x, y)), x, isnan(x)); }
int map_maximum(int x, int y) { return max(x, y); }
int map_minimum(int x, int y) { return min(x, y); }
ivec4 map_maximum(ivec4 x, ivec4 y) { return max(x, y); }
ivec4 map_minimum(ivec4 x, ivec4 y) { return min(x, y); }
uint map_maximum(uint x, uint y) { return max(x, y); }
uint map_minimum(uint x, uint y) { return min(x, y); }
uvec4 map_maximum(uvec4 x, uvec4 y) { return max(x, y); }
uvec4 map_minimum(uvec4 x, uvec4 y) { return min(x, y); }

// Of values at positions: is x ahead of y, the first of equals, and the first NaN ahead of all?
bool map_is_ahead(float x, int x_position, float y, int y_position) {
    if (isnan(x))
        return !isnan(y) || x_position < y_position;
    return x > y || (x == y && x_position < y_position);
}
bool map_is_ahead(int x, int x_position, int y, int y_position) { return x > y || (x == y && x_position < y_position); }
void main() {
    int slice = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    int lane_id = int(gl_LocalInvocationID.x);
    for (int t0 = lane_id; t0 < 8; t0 += LANES) {
        int result1 = t0;
        if (result1 % 8 >= 6) {
            out0s[result1] = 0.0;
            out1s[result1] = 0.0;
            out2s[result1] = 0.0;
            continue;
        }
        vec4 a4 = vec4(0); // sum: %4
        vec4 a6 = vec4(0); // sum: %6
        vec4 a7 = vec4(special(0xff800000u)); // max: %7
        for (int r2 = 0; r2 < 10; r2++) {
            vec4 v1 = texelFetch(in3, 10 * t0 + r2); // %1 feed /programs/p/phases/0
            vec4 v2 = texelFetch(in4, 10 * t0 + r2); // %2 feed /programs/p/phases/0
            vec4 v3 = v1 * v2; // %3 mul /programs/p/phases/0/nodes/0
            a4 += v3;
            vec4 v5 = v1 * v1; // %5 mul /programs/p/phases/0/nodes/1
            a6 += v5;
            a7 = map_maximum(v1, a7);
        }
        float v4 = (a4.x + a4.y) + (a4.z + a4.w); // %4 reduce_sum /programs/p/phases/0/nodes/0
        float v6 = (a6.x + a6.y) + (a6.z + a6.w); // %6 reduce_sum /programs/p/phases/0/nodes/1
        float v7 = map_maximum(map_maximum(a7.x, a7.y), map_maximum(a7.z, a7.w)); // %7 reduce_max /programs/p/phases/0/nodes/2
        out0s[result1] = v4;
        out1s[result1] = v6;
        out2s[result1] = v7;
    }
    memoryBarrierBuffer();
    barrier();
    for (int t3 = lane_id; t3 < 2; t3 += LANES) {
        vec4 v4_1 = out0[t3]; // %4 reduce_sum /programs/p/phases/0/nodes/0
        vec4 v6_1 = out1[t3]; // %6 reduce_sum /programs/p/phases/0/nodes/1
        vec4 v8 = sqrt(v6_1); // %8 sqrt /programs/p/phases/0/nodes/3
        vec4 v9 = v4_1 / v8; // %9 div /programs/p/phases/0/nodes/3
        out5[t3] = mix(vec4(0), v9, lessThan(ivec4(4 * t3) + ivec4(0, 1, 2, 3), ivec4(6)));
    }
}
