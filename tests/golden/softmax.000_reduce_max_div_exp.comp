#version 450
// Chains: a workgroup computes one slice of everything, link by link. What it stores for a later link it reads itself, behind a barrier; no other
// workgroup does.
// chain, schedule chain:lanes=8,texel=1; fused from
//   %2 reduce_max : f32[3]  /programs/p/phases/0/nodes/0
//   %3 reshape : f32[3,1]  /programs/p/phases/0/nodes/0
//   %4 broadcast : f32[3,10]  /programs/p/phases/0/nodes/0
//   %5 sub : f32[3,10]  /programs/p/phases/0/nodes/0
//   %6 exp : f32[3,10]  /programs/p/phases/0/nodes/0
//   %7 reduce_sum : f32[3]  /programs/p/phases/0/nodes/0
//   %8 reshape : f32[3,1]  /programs/p/phases/0/nodes/0
//   %9 broadcast : f32[3,10]  /programs/p/phases/0/nodes/0
//   %10 div : f32[3,10]  /programs/p/phases/0/nodes/0
// because 3 kernels follow each other on 1 slice
// writes, then reads %2 f32[3]
// reads %1 f32[3,10] x
// writes, then reads %7 f32[3]
// writes %10 f32[3,10] y
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) coherent buffer Scalar0 { float out0s[]; }; // %2 f32[3]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %1 f32[3,10]
layout(set = 0, binding = 2) coherent buffer Scalar2 { float out2s[]; }; // %7 f32[3]
layout(set = 0, binding = 3) writeonly buffer Vector3 { vec4 out3[]; }; // %10 f32[3,10]
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
// NaN goes through, where drivers may make a number of it.
float map_exp(float x) { return mix(exp(x), x, isnan(x)); }
vec4 map_exp(vec4 x) { return mix(exp(x), x, isnan(x)); }
void main() {
    int slice = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    int lane_id = int(gl_LocalInvocationID.x);
    for (int t0 = lane_id; t0 < 4; t0 += LANES) {
        int result1 = t0;
        if (result1 % 4 >= 3) {
            out0s[result1] = 0.0;
            continue;
        }
        vec4 a2 = vec4(special(0xff800000u)); // max: %2
        for (int r2 = 0; r2 < 3; r2++) {
            vec4 v1 = texelFetch(in1, 3 * t0 + r2); // %1 feed /programs/p/phases/0
            a2 = map_maximum(mix(vec4(special(0xff800000u)), v1, lessThan(ivec4(4 * r2) + ivec4(0, 1, 2, 3), ivec4(10))), a2);
        }
        float v2 = map_maximum(map_maximum(a2.x, a2.y), map_maximum(a2.z, a2.w)); // %2 reduce_max /programs/p/phases/0/nodes/0
        out0s[result1] = v2;
    }
    memoryBarrierBuffer();
    barrier();
    for (int t3 = lane_id; t3 < 4; t3 += LANES) {
        int result4 = t3;
        if (result4 % 4 >= 3) {
            out2s[result4] = 0.0;
            continue;
        }
        vec4 a7 = vec4(0); // sum: %7
        for (int r5 = 0; r5 < 3; r5++) {
            vec4 v1_1 = texelFetch(in1, 3 * t3 + r5); // %1 feed /programs/p/phases/0
            float v2_1 = out0s[t3]; // %2 reduce_max /programs/p/phases/0/nodes/0
            vec4 v5 = v1_1 - vec4(v2_1); // %5 sub /programs/p/phases/0/nodes/0
            vec4 v6 = map_exp(v5); // %6 exp /programs/p/phases/0/nodes/0
            a7 += mix(vec4(0), v6, lessThan(ivec4(4 * r5) + ivec4(0, 1, 2, 3), ivec4(10)));
        }
        float v7 = (a7.x + a7.y) + (a7.z + a7.w); // %7 reduce_sum /programs/p/phases/0/nodes/0
        out2s[result4] = v7;
    }
    memoryBarrierBuffer();
    barrier();
    for (int t6 = lane_id; t6 < 9; t6 += LANES) {
        vec4 v1_2 = texelFetch(in1, t6); // %1 feed /programs/p/phases/0
        int i7 = (t6) / 3;
        float v2_2 = out0s[i7]; // %2 reduce_max /programs/p/phases/0/nodes/0
        vec4 v5_1 = v1_2 - vec4(v2_2); // %5 sub /programs/p/phases/0/nodes/0
        vec4 v6_1 = map_exp(v5_1); // %6 exp /programs/p/phases/0/nodes/0
        float v7_1 = out2s[i7]; // %7 reduce_sum /programs/p/phases/0/nodes/0
        vec4 v10 = v6_1 / vec4(v7_1); // %10 div /programs/p/phases/0/nodes/0
        int i8 = (t6) % 3;
        out3[t6] = mix(vec4(0), v10, lessThan(ivec4(4 * i8) + ivec4(0, 1, 2, 3), ivec4(10)));
    }
}
