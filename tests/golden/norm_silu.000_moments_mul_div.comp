#version 450
// Chains: a workgroup computes one slice of everything, link by link. What it stores for a later link it reads itself, behind a barrier; no other
// workgroup does.
// chain, schedule chain:lanes=8,texel=1; fused from
//   %5 moments : f32[2,2,6]  /networks/f/nodes/0
//   %6 slice : f32[1,2,6]  /networks/f/nodes/0
//   %7 slice : f32[1,2,6]  /networks/f/nodes/0
//   %8 reshape : f32[2,3,2]  /networks/f/nodes/0 (simplify)
//   %9 reshape : f32[2,3,2]  /networks/f/nodes/0 (simplify)
//   %10 moments : f32[2,2,3]  /networks/f/nodes/0
//   %12 slice : f32[1,2,3]  /networks/f/nodes/0
//   %13 reshape : f32[2,3]  /networks/f/nodes/0
//   %15 broadcast : f32[2,3,2]  /networks/f/nodes/0
//   %16 mul : f32[2,3,2]  /networks/f/nodes/0
//   %17 reduce_sum : f32[2,3]  /networks/f/nodes/0
//   %18 add : f32[2,3]  /networks/f/nodes/0
//   %20 broadcast : f32[2,3]  /networks/f/nodes/0
//   %21 add : f32[2,3]  /networks/f/nodes/0
//   %22 sqrt : f32[2,3]  /networks/f/nodes/0
//   %24 broadcast : f32[2,3]  /networks/f/nodes/0
//   %25 div : f32[2,3]  /networks/f/nodes/0
//   %28 reshape : f32[2,3,1]  /networks/f/nodes/0
//   %29 broadcast : f32[2,3,2]  /networks/f/nodes/0
//   %30 reshape : f32[2,6]  /networks/f/nodes/0
//   %31 broadcast : f32[2,6]  /networks/f/nodes/0
//   %32 mul : f32[2,6]  /networks/f/nodes/0
// because 3 kernels follow each other on 2 slices of their own
// reads %1 f32[2,6,4,4] x
// writes, then reads %5 f32[2,2,6]
// writes, then reads %10 f32[2,2,3]
// writes, then reads %17 f32[2,3]
// reads %3 f32[6]
// writes %32 f32[2,6]
#extension GL_EXT_control_flow_attributes : require
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[2,6,4,4]
layout(set = 0, binding = 1) coherent buffer Vector1 { vec4 out1[]; }; // %5 f32[2,2,6]
layout(set = 0, binding = 1) coherent buffer Scalar1 { float out1s[]; }; // %5 f32[2,2,6]
layout(set = 0, binding = 2) coherent buffer Scalar2 { float out2s[]; }; // %10 f32[2,2,3]
layout(set = 0, binding = 3) coherent buffer Scalar3 { float out3s[]; }; // %17 f32[2,3]
layout(set = 0, binding = 4) uniform textureBuffer in4; // %3 f32[6]
layout(set = 0, binding = 5) writeonly buffer Vector5 { vec4 out5[]; }; // %32 f32[2,6]
const int LANES = 8;
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
    for (int t0 = lane_id; t0 < 2; t0 += LANES) {
        vec4 v1 = texelFetch(in0, 32 * slice + t0); // %1 feed /programs/p/phases/0
        vec4 c5 = v1; // first element: %5
        c5 = mix(c5, vec4(0.0), isinf(c5));
        vec4 a5 = vec4(0.0), b5 = vec4(0.0); // mean difference from it, and the sum of squares of scaled ones
        [[dont_unroll]] for (int pass1 = 0; pass1 < 2; pass1++) {
            for (int r2 = 0; r2 < 4; r2++) {
                for (int r3 = 0; r3 < 4; r3++) {
                    vec4 v1_1 = texelFetch(in0, 32 * slice + t0 + 8 * r2 + 2 * r3); // %1 feed /programs/p/phases/0
                    vec4 difference4 = v1_1 - c5;
                    a5 += difference4 * 0.0625;
                    difference4 *= 0.25;
                    b5 += difference4 * difference4;
                }
            }
            if (pass1 == 1 || !(any(greaterThan(abs(a5), 0.5 * sqrt(b5)))))
                break;
            // the first element was far off: again from the mean
            c5 += mix(a5, vec4(0.0), isinf(a5));
            a5 = vec4(0.0); b5 = vec4(0.0);
        }
        vec4 apart5 = a5, squares6 = b5;
        vec4 v5 = c5 + apart5; // %5 moments /networks/f/nodes/0
        vec4 v5_1 = map_maximum(mix(squares6 * 1.0 - apart5 * apart5, squares6 - abs(apart5), isinf(squares6)), vec4(0.0)); // %5 moments /networks/f/nodes/0
        out1[2 * slice + t0] = mix(vec4(0), v5, lessThan(ivec4(4 * t0) + ivec4(0, 1, 2, 3), ivec4(6)));
        out1[2 * slice + t0 + 4] = mix(vec4(0), v5_1, lessThan(ivec4(4 * t0) + ivec4(0, 1, 2, 3), ivec4(6)));
    }
    memoryBarrierBuffer();
    barrier();
    for (int t7 = lane_id; t7 < 4; t7 += LANES) {
        int result8 = 4 * slice + t7;
        if (result8 % 4 >= 3) {
            out2s[result8] = 0.0;
            out2s[result8 + 8] = 0.0;
            out3s[result8] = 0.0;
            continue;
        }
        float v5_2 = out1s[8 * slice + 2 * t7]; // %5 moments /networks/f/nodes/0
        vec4 c10 = vec4(v5_2); // first element: %10
        c10 = mix(c10, vec4(0.0), isinf(c10));
        vec4 a10 = vec4(0.0), b10 = vec4(0.0); // mean difference from it, and the sum of squares of scaled ones
        vec4 a17 = vec4(0); // sum: %17
        vec4 v5_3 = vec4(out1s[8 * slice + 2 * t7], out1s[8 * slice + 2 * t7 + 1], out1s[8 * slice + 2 * t7 + 2], out1s[8 * slice + 2 * t7 + 3]); // %5 moments /networks/f/nodes/0
        vec4 difference9 = mix(vec4(0.0), v5_3 - c10, lessThan(ivec4(0) + ivec4(0, 1, 2, 3), ivec4(2)));
        a10 += difference9 * 0.5;
        difference9 *= 0.5;
        b10 += difference9 * difference9;
        int i10 = clamp(8 * slice + 2 * t7 + 18, 0, 31);
        int i11 = clamp(8 * slice + 2 * t7 + 19, 0, 31);
        vec4 v5_4 = vec4(out1s[8 * slice + 2 * t7 + 16], out1s[8 * slice + 2 * t7 + 17], out1s[i10], out1s[i11]); // %5 moments /networks/f/nodes/0
        vec4 v16 = v5_4 * vec4(0.5); // %16 mul /networks/f/nodes/0
        a17 += mix(vec4(0), v16, lessThan(ivec4(0) + ivec4(0, 1, 2, 3), ivec4(2)));
        float whole_a10 = (a10.x + a10.y) + (a10.z + a10.w), whole_b10 = (b10.x + b10.y) + (b10.z + b10.w);
        if (abs(whole_a10) > 0.70710677 * sqrt(whole_b10)) { // the first element was far off: again from the mean
            c10 += isinf(whole_a10) ? 0.0 : whole_a10;
            a10 = vec4(0.0); b10 = vec4(0.0);
            vec4 v5_5 = vec4(out1s[8 * slice + 2 * t7], out1s[8 * slice + 2 * t7 + 1], out1s[8 * slice + 2 * t7 + 2], out1s[8 * slice + 2 * t7 + 3]); // %5 moments /networks/f/nodes/0
            vec4 difference12 = mix(vec4(0.0), v5_5 - c10, lessThan(ivec4(0) + ivec4(0, 1, 2, 3), ivec4(2)));
            a10 += difference12 * 0.5;
            difference12 *= 0.5;
            b10 += difference12 * difference12;
        }
        float apart13 = (a10.x + a10.y) + (a10.z + a10.w), squares14 = (b10.x + b10.y) + (b10.z + b10.w);
        float v10 = c10.x + apart13; // %10 moments /networks/f/nodes/0
        float v10_1 = map_maximum(mix(squares14 * 2.0 - apart13 * apart13, squares14 - abs(apart13), isinf(squares14)), float(0.0)); // %10 moments /networks/f/nodes/0
        float v17 = (a17.x + a17.y) + (a17.z + a17.w); // %17 reduce_sum /networks/f/nodes/0
        out2s[result8] = v10;
        out2s[result8 + 8] = v10_1;
        out3s[result8] = v17;
    }
    memoryBarrierBuffer();
    barrier();
    for (int t15 = lane_id; t15 < 2; t15 += LANES) {
        float same16 = out3s[4 * slice + 2 * t15];
        float same17 = out3s[4 * slice + 2 * t15 + 1];
        vec4 v17_1 = vec4(same16, same16, same17, same17); // %17 reduce_sum /networks/f/nodes/0
        float same18 = out2s[4 * slice + 2 * t15 + 8];
        float same19 = out2s[4 * slice + 2 * t15 + 9];
        vec4 v10_2 = vec4(same18, same18, same19, same19); // %10 moments /networks/f/nodes/0
        vec4 v18 = v17_1 + v10_2; // %18 add /networks/f/nodes/0
        vec4 v21 = v18 + vec4(1e-05); // %21 add /networks/f/nodes/0
        vec4 v22 = sqrt(v21); // %22 sqrt /networks/f/nodes/0
        vec4 v25 = vec4(1.0) / v22; // %25 div /networks/f/nodes/0
        vec4 v3 = texelFetch(in4, t15); // %3 unpack /networks/f/nodes/0
        vec4 v32 = v25 * v3; // %32 mul /networks/f/nodes/0
        out5[2 * slice + t15] = mix(vec4(0), v32, lessThan(ivec4(4 * t15) + ivec4(0, 1, 2, 3), ivec4(6)));
    }
}
