#version 450
// Reductions: one invocation folds one result, or four neighbouring ones where the innermost axis is kept.
// reduce, schedule fold:lanes=8,texel=1; fused from
//   %5 reduce_sum : f32[5]  /programs/p/phases/0/nodes/0
//   %10 moments : f32[2,2,3]  /programs/p/phases/0/nodes/2
//   %11 slice : f32[1,2,3]  /programs/p/phases/0/nodes/2
//   %12 reshape : f32[2,3]  /programs/p/phases/0/nodes/2
//   %14 broadcast : f32[2,3]  /programs/p/phases/0/nodes/2
//   %15 mul : f32[2,3]  /programs/p/phases/0/nodes/2
//   %16 argmax : i32[5]  /programs/p/phases/0/nodes/3
//   %17 reduce_sum : f32  /programs/p/phases/0/nodes/4
// because %10 is small too, and of the same wave; %15 follows at the same element; %16 is small too, and of the same wave; %17 is small too, and of the same wave
// writes %5 f32[5] rows
// reads %1 f32[5,7] a
// reads %3 f32[2,3,4,6] c
// writes %15 f32[2,3] variance
// writes %16 i32[5] place
// writes %17 f32 total
// reads %4 f32[9] d
#extension GL_EXT_control_flow_attributes : require
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) writeonly buffer Scalar0 { float out0s[]; }; // %5 f32[5]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %1 f32[5,7]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %3 f32[2,3,4,6]
layout(set = 0, binding = 3) writeonly buffer Vector3 { vec4 out3[]; }; // %15 f32[2,3]
layout(set = 0, binding = 4) writeonly buffer Scalar4 { int out4s[]; }; // %16 i32[5]
layout(set = 0, binding = 5) writeonly buffer Scalar5 { float out5s[]; }; // %17 f32
layout(set = 0, binding = 6) uniform textureBuffer in6; // %4 f32[9]
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
// Numbers that a driver's compiler must not see: what it knows to be infinite, NaN or a zero that divides, it may fold into anything.
// A dispatch is one workgroup deep, which only the driver's runtime knows.
uint unseen_zero() { return gl_NumWorkGroups.z - 1u; }
float special(uint bits) { return uintBitsToFloat(bits ^ unseen_zero()); }
#define NOT_A_NUMBER special(0x7fc00000u)
#define INFINITE special(0x7f800000u)
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    // loops of one turn or none: software drivers run both sides of a branch
    for (bool here = gid < 8; here; here = false) {
        if (gid % 8 >= 5) {
            out0s[gid] = 0.0;
            return;
        }
        vec4 a5 = vec4(0); // sum: %5
        for (int r0 = 0; r0 < 2; r0++) {
            vec4 v1 = texelFetch(in1, 2 * gid + r0); // %1 feed /programs/p/phases/0
            a5 += mix(vec4(0), v1, lessThan(ivec4(4 * r0) + ivec4(0, 1, 2, 3), ivec4(7)));
        }
        float v5 = (a5.x + a5.y) + (a5.z + a5.w); // %5 reduce_sum /programs/p/phases/0/nodes/0
        out0s[gid] = v5;
    }
    for (bool here = gid >= 8 && gid < 10; here; here = false) {
        int result1 = gid - 8;
        vec4 v3 = texelFetch(in2, 24 * result1); // %3 feed /programs/p/phases/0
        vec4 c10 = v3; // first element: %10
        c10 = mix(c10, vec4(0.0), isinf(c10));
        vec4 a10 = vec4(0.0), b10 = vec4(0.0); // mean difference from it, and the sum of squares of scaled ones
        [[dont_unroll]] for (int pass2 = 0; pass2 < 2; pass2++) {
            [[dont_unroll]] for (int r3 = 0; r3 < 4; r3++) {
                for (int r4 = 0; r4 < 6; r4++) {
                    vec4 v3_1 = texelFetch(in2, 24 * result1 + 6 * r3 + r4); // %3 feed /programs/p/phases/0
                    vec4 difference5 = v3_1 - c10;
                    a10 += difference5 * 0.041666668;
                    difference5 *= 0.125;
                    b10 += difference5 * difference5;
                }
            }
            if (pass2 == 1 || !(any(greaterThan(abs(a10), 0.8164966 * sqrt(b10)))))
                break;
            // the first element was far off: again from the mean
            c10 += mix(a10, vec4(0.0), isinf(a10));
            a10 = vec4(0.0); b10 = vec4(0.0);
        }
        vec4 apart6 = a10, squares7 = b10;
        vec4 v10 = c10 + apart6; // %10 moments /programs/p/phases/0/nodes/2
        vec4 v10_1 = map_maximum(mix(squares7 * 2.6666667 - apart6 * apart6, squares7 - abs(apart6), isinf(squares7)), vec4(0.0)); // %10 moments /programs/p/phases/0/nodes/2
        vec4 v15 = v10_1 * vec4(1.0434783); // %15 mul /programs/p/phases/0/nodes/2
        out3[result1] = mix(vec4(0), v15, lessThan(ivec4(0) + ivec4(0, 1, 2, 3), ivec4(3)));
    }
    for (bool here = gid >= 16 && gid < 24; here; here = false) {
        int result8 = gid - 16;
        if (result8 % 8 >= 5) {
            out4s[result8] = 0;
            return;
        }
        vec4 a16 = vec4(special(0xff800000u)); // largest: %16
        ivec4 b16 = ivec4(0); // its position
        for (int r9 = 0; r9 < 2; r9++) {
            vec4 v1_1 = texelFetch(in1, 2 * result8 + r9); // %1 feed /programs/p/phases/0
            bvec4 better10 = mix(greaterThan(mix(vec4(special(0xff800000u)), v1_1, lessThan(ivec4(4 * r9) + ivec4(0, 1, 2, 3), ivec4(7))), a16), not(isnan(a16)), isnan(mix(vec4(special(0xff800000u)), v1_1, lessThan(ivec4(4 * r9) + ivec4(0, 1, 2, 3), ivec4(7)))));
            b16 = mix(b16, ivec4(4 * r9) + ivec4(0, 1, 2, 3), better10);
            a16 = mix(a16, mix(vec4(special(0xff800000u)), v1_1, lessThan(ivec4(4 * r9) + ivec4(0, 1, 2, 3), ivec4(7))), better10);
        }
        float best11 = map_maximum(map_maximum(a16.x, a16.y), map_maximum(a16.z, a16.w));
        int v16 = min(min((a16.x == best11 || isnan(a16.x) ? b16.x : 2147483647), (a16.y == best11 || isnan(a16.y) ? b16.y : 2147483647)), min((a16.z == best11 || isnan(a16.z) ? b16.z : 2147483647), (a16.w == best11 || isnan(a16.w) ? b16.w : 2147483647))); // %16 argmax /programs/p/phases/0/nodes/3
        out4s[result8] = v16;
    }
    for (bool here = gid >= 24 && gid < 28; here; here = false) {
        int result12 = gid - 24;
        if (result12 % 4 >= 1) {
            out5s[result12] = 0.0;
            return;
        }
        vec4 a17 = vec4(0); // sum: %17
        for (int r13 = 0; r13 < 3; r13++) {
            vec4 v4 = texelFetch(in6, r13); // %4 feed /programs/p/phases/0
            a17 += mix(vec4(0), v4, lessThan(ivec4(4 * r13) + ivec4(0, 1, 2, 3), ivec4(9)));
        }
        float v17 = (a17.x + a17.y) + (a17.z + a17.w); // %17 reduce_sum /programs/p/phases/0/nodes/4
        out5s[result12] = v17;
    }
}
