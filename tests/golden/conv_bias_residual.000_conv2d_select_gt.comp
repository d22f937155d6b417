#version 450
// Contractions by register tiles: one workgroup computes one tile, each lane several rows and vec4s of columns of it.
// contract, schedule rows_8x2; fused from
//   %5 conv2d : f32[2,8,6,6]  /networks/f/nodes/0
//   %6 reshape : f32[1,8,1,1]  /networks/f/nodes/0
//   %7 broadcast : f32[2,8,6,6]  /networks/f/nodes/0
//   %8 add : f32[2,8,6,6]  /networks/f/nodes/0
//   %9 add : f32[2,8,6,6]  /networks/f/nodes/1
//   %11 broadcast : f32[2,8,6,6]  /networks/f/nodes/2
//   %12 gt : bool[2,8,6,6]  /networks/f/nodes/2
//   %13 select : f32[2,8,6,6]  /networks/f/nodes/2
// because %13 follows at the same element
// reads %1 f32[2,8,6,6] x
// reads %3 f32[8,8,3,3]
// reads %4 f32[8]
// writes %13 f32[2,8,6,6] y
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) uniform textureBuffer in0; // %1 f32[2,8,6,6]
layout(set = 0, binding = 1) uniform textureBuffer in1; // %3 f32[8,8,3,3]
layout(set = 0, binding = 2) uniform textureBuffer in2; // %4 f32[8]
layout(set = 0, binding = 3) writeonly buffer Vector3 { vec4 out3[]; }; // %13 f32[2,8,6,6]
void main() {
    int lane_id = int(gl_LocalInvocationID.x);
    int group = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    if (group >= 2)
        return;
    int part = group;
    int columns = part % 1 * 2; part /= 1; // first vec4 of output channels
    int rows = part % 2 * 64 + lane_id; part /= 2;
    int row0 = min(rows + 0, 71);
    int x0 = row0 % 6, y0 = row0 / 6 % 6, n0 = row0 / 36;
    int row1 = min(rows + 8, 71);
    int x1 = row1 % 6, y1 = row1 / 6 % 6, n1 = row1 / 36;
    int row2 = min(rows + 16, 71);
    int x2 = row2 % 6, y2 = row2 / 6 % 6, n2 = row2 / 36;
    int row3 = min(rows + 24, 71);
    int x3 = row3 % 6, y3 = row3 / 6 % 6, n3 = row3 / 36;
    int row4 = min(rows + 32, 71);
    int x4 = row4 % 6, y4 = row4 / 6 % 6, n4 = row4 / 36;
    int row5 = min(rows + 40, 71);
    int x5 = row5 % 6, y5 = row5 / 6 % 6, n5 = row5 / 36;
    int row6 = min(rows + 48, 71);
    int x6 = row6 % 6, y6 = row6 / 6 % 6, n6 = row6 / 36;
    int row7 = min(rows + 56, 71);
    int x7 = row7 % 6, y7 = row7 / 6 % 6, n7 = row7 / 36;
    vec4 a0_0 = vec4(0.0);
    vec4 a0_1 = vec4(0.0);
    vec4 a1_0 = vec4(0.0);
    vec4 a1_1 = vec4(0.0);
    vec4 a2_0 = vec4(0.0);
    vec4 a2_1 = vec4(0.0);
    vec4 a3_0 = vec4(0.0);
    vec4 a3_1 = vec4(0.0);
    vec4 a4_0 = vec4(0.0);
    vec4 a4_1 = vec4(0.0);
    vec4 a5_0 = vec4(0.0);
    vec4 a5_1 = vec4(0.0);
    vec4 a6_0 = vec4(0.0);
    vec4 a6_1 = vec4(0.0);
    vec4 a7_0 = vec4(0.0);
    vec4 a7_1 = vec4(0.0);
    {
        for (int ky = 0; ky < 3; ky++) {
            for (int kx = 0; kx < 3; kx++) {
                int iy0 = y0 + ky - 1;
                int ix0 = x0 + kx - 1;
                bool inside0 = uint(iy0) < 6u && uint(ix0) < 6u;
                int at0 = inside0 ? n0 * 72 + iy0 * 12 + ix0 * 2 : 0;
                int iy1 = y1 + ky - 1;
                int ix1 = x1 + kx - 1;
                bool inside1 = uint(iy1) < 6u && uint(ix1) < 6u;
                int at1 = inside1 ? n1 * 72 + iy1 * 12 + ix1 * 2 : 0;
                int iy2 = y2 + ky - 1;
                int ix2 = x2 + kx - 1;
                bool inside2 = uint(iy2) < 6u && uint(ix2) < 6u;
                int at2 = inside2 ? n2 * 72 + iy2 * 12 + ix2 * 2 : 0;
                int iy3 = y3 + ky - 1;
                int ix3 = x3 + kx - 1;
                bool inside3 = uint(iy3) < 6u && uint(ix3) < 6u;
                int at3 = inside3 ? n3 * 72 + iy3 * 12 + ix3 * 2 : 0;
                int iy4 = y4 + ky - 1;
                int ix4 = x4 + kx - 1;
                bool inside4 = uint(iy4) < 6u && uint(ix4) < 6u;
                int at4 = inside4 ? n4 * 72 + iy4 * 12 + ix4 * 2 : 0;
                int iy5 = y5 + ky - 1;
                int ix5 = x5 + kx - 1;
                bool inside5 = uint(iy5) < 6u && uint(ix5) < 6u;
                int at5 = inside5 ? n5 * 72 + iy5 * 12 + ix5 * 2 : 0;
                int iy6 = y6 + ky - 1;
                int ix6 = x6 + kx - 1;
                bool inside6 = uint(iy6) < 6u && uint(ix6) < 6u;
                int at6 = inside6 ? n6 * 72 + iy6 * 12 + ix6 * 2 : 0;
                int iy7 = y7 + ky - 1;
                int ix7 = x7 + kx - 1;
                bool inside7 = uint(iy7) < 6u && uint(ix7) < 6u;
                int at7 = inside7 ? n7 * 72 + iy7 * 12 + ix7 * 2 : 0;
                int weight = ky * 48 + kx * 16 + columns;
                for (int k = 0; k < 2; k++) {
                    vec4 b0 = inside0 ? texelFetch(in0, at0) : vec4(0.0);
                    vec4 b1 = inside1 ? texelFetch(in0, at1) : vec4(0.0);
                    vec4 b2 = inside2 ? texelFetch(in0, at2) : vec4(0.0);
                    vec4 b3 = inside3 ? texelFetch(in0, at3) : vec4(0.0);
                    vec4 b4 = inside4 ? texelFetch(in0, at4) : vec4(0.0);
                    vec4 b5 = inside5 ? texelFetch(in0, at5) : vec4(0.0);
                    vec4 b6 = inside6 ? texelFetch(in0, at6) : vec4(0.0);
                    vec4 b7 = inside7 ? texelFetch(in0, at7) : vec4(0.0);
                    vec4 w;
                    w = texelFetch(in1, weight + 0); a0_0 += b0.x * w; a1_0 += b1.x * w; a2_0 += b2.x * w; a3_0 += b3.x * w; a4_0 += b4.x * w; a5_0 += b5.x * w; a6_0 += b6.x * w; a7_0 += b7.x * w;
                    w = texelFetch(in1, weight + 1); a0_1 += b0.x * w; a1_1 += b1.x * w; a2_1 += b2.x * w; a3_1 += b3.x * w; a4_1 += b4.x * w; a5_1 += b5.x * w; a6_1 += b6.x * w; a7_1 += b7.x * w;
                    w = texelFetch(in1, weight + 2); a0_0 += b0.y * w; a1_0 += b1.y * w; a2_0 += b2.y * w; a3_0 += b3.y * w; a4_0 += b4.y * w; a5_0 += b5.y * w; a6_0 += b6.y * w; a7_0 += b7.y * w;
                    w = texelFetch(in1, weight + 3); a0_1 += b0.y * w; a1_1 += b1.y * w; a2_1 += b2.y * w; a3_1 += b3.y * w; a4_1 += b4.y * w; a5_1 += b5.y * w; a6_1 += b6.y * w; a7_1 += b7.y * w;
                    w = texelFetch(in1, weight + 4); a0_0 += b0.z * w; a1_0 += b1.z * w; a2_0 += b2.z * w; a3_0 += b3.z * w; a4_0 += b4.z * w; a5_0 += b5.z * w; a6_0 += b6.z * w; a7_0 += b7.z * w;
                    w = texelFetch(in1, weight + 5); a0_1 += b0.z * w; a1_1 += b1.z * w; a2_1 += b2.z * w; a3_1 += b3.z * w; a4_1 += b4.z * w; a5_1 += b5.z * w; a6_1 += b6.z * w; a7_1 += b7.z * w;
                    w = texelFetch(in1, weight + 6); a0_0 += b0.w * w; a1_0 += b1.w * w; a2_0 += b2.w * w; a3_0 += b3.w * w; a4_0 += b4.w * w; a5_0 += b5.w * w; a6_0 += b6.w * w; a7_0 += b7.w * w;
                    w = texelFetch(in1, weight + 7); a0_1 += b0.w * w; a1_1 += b1.w * w; a2_1 += b2.w * w; a3_1 += b3.w * w; a4_1 += b4.w * w; a5_1 += b5.w * w; a6_1 += b6.w * w; a7_1 += b7.w * w;
                    at0++;
                    at1++;
                    at2++;
                    at3++;
                    at4++;
                    at5++;
                    at6++;
                    at7++;
                    weight += 8;
                }
            }
        }
    }
    if (rows + 0 < 72) {
        vec4 v4 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8 = a0_0 + v4; // %8 add /networks/f/nodes/0
        vec4 v1 = texelFetch(in0, columns + 72 * n0 + 12 * y0 + 2 * x0); // %1 feed /programs/p/phases/0
        vec4 v9 = v8 + v1; // %9 add /networks/f/nodes/1
        bvec4 v12 = bvec4(v9.x > 0.0, v9.y > 0.0, v9.z > 0.0, v9.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13 = mix(vec4(0.0), v9, v12); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n0 + 12 * y0 + 2 * x0] = v13;
        vec4 v4_1 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_1 = a0_1 + v4_1; // %8 add /networks/f/nodes/0
        vec4 v1_1 = texelFetch(in0, columns + 72 * n0 + 12 * y0 + 2 * x0 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_1 = v8_1 + v1_1; // %9 add /networks/f/nodes/1
        bvec4 v12_1 = bvec4(v9_1.x > 0.0, v9_1.y > 0.0, v9_1.z > 0.0, v9_1.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_1 = mix(vec4(0.0), v9_1, v12_1); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n0 + 12 * y0 + 2 * x0 + 1] = v13_1;
    }
    if (rows + 8 < 72) {
        vec4 v4_2 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_2 = a1_0 + v4_2; // %8 add /networks/f/nodes/0
        vec4 v1_2 = texelFetch(in0, columns + 72 * n1 + 12 * y1 + 2 * x1); // %1 feed /programs/p/phases/0
        vec4 v9_2 = v8_2 + v1_2; // %9 add /networks/f/nodes/1
        bvec4 v12_2 = bvec4(v9_2.x > 0.0, v9_2.y > 0.0, v9_2.z > 0.0, v9_2.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_2 = mix(vec4(0.0), v9_2, v12_2); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n1 + 12 * y1 + 2 * x1] = v13_2;
        vec4 v4_3 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_3 = a1_1 + v4_3; // %8 add /networks/f/nodes/0
        vec4 v1_3 = texelFetch(in0, columns + 72 * n1 + 12 * y1 + 2 * x1 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_3 = v8_3 + v1_3; // %9 add /networks/f/nodes/1
        bvec4 v12_3 = bvec4(v9_3.x > 0.0, v9_3.y > 0.0, v9_3.z > 0.0, v9_3.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_3 = mix(vec4(0.0), v9_3, v12_3); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n1 + 12 * y1 + 2 * x1 + 1] = v13_3;
    }
    if (rows + 16 < 72) {
        vec4 v4_4 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_4 = a2_0 + v4_4; // %8 add /networks/f/nodes/0
        vec4 v1_4 = texelFetch(in0, columns + 72 * n2 + 12 * y2 + 2 * x2); // %1 feed /programs/p/phases/0
        vec4 v9_4 = v8_4 + v1_4; // %9 add /networks/f/nodes/1
        bvec4 v12_4 = bvec4(v9_4.x > 0.0, v9_4.y > 0.0, v9_4.z > 0.0, v9_4.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_4 = mix(vec4(0.0), v9_4, v12_4); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n2 + 12 * y2 + 2 * x2] = v13_4;
        vec4 v4_5 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_5 = a2_1 + v4_5; // %8 add /networks/f/nodes/0
        vec4 v1_5 = texelFetch(in0, columns + 72 * n2 + 12 * y2 + 2 * x2 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_5 = v8_5 + v1_5; // %9 add /networks/f/nodes/1
        bvec4 v12_5 = bvec4(v9_5.x > 0.0, v9_5.y > 0.0, v9_5.z > 0.0, v9_5.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_5 = mix(vec4(0.0), v9_5, v12_5); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n2 + 12 * y2 + 2 * x2 + 1] = v13_5;
    }
    if (rows + 24 < 72) {
        vec4 v4_6 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_6 = a3_0 + v4_6; // %8 add /networks/f/nodes/0
        vec4 v1_6 = texelFetch(in0, columns + 72 * n3 + 12 * y3 + 2 * x3); // %1 feed /programs/p/phases/0
        vec4 v9_6 = v8_6 + v1_6; // %9 add /networks/f/nodes/1
        bvec4 v12_6 = bvec4(v9_6.x > 0.0, v9_6.y > 0.0, v9_6.z > 0.0, v9_6.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_6 = mix(vec4(0.0), v9_6, v12_6); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n3 + 12 * y3 + 2 * x3] = v13_6;
        vec4 v4_7 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_7 = a3_1 + v4_7; // %8 add /networks/f/nodes/0
        vec4 v1_7 = texelFetch(in0, columns + 72 * n3 + 12 * y3 + 2 * x3 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_7 = v8_7 + v1_7; // %9 add /networks/f/nodes/1
        bvec4 v12_7 = bvec4(v9_7.x > 0.0, v9_7.y > 0.0, v9_7.z > 0.0, v9_7.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_7 = mix(vec4(0.0), v9_7, v12_7); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n3 + 12 * y3 + 2 * x3 + 1] = v13_7;
    }
    if (rows + 32 < 72) {
        vec4 v4_8 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_8 = a4_0 + v4_8; // %8 add /networks/f/nodes/0
        vec4 v1_8 = texelFetch(in0, columns + 72 * n4 + 12 * y4 + 2 * x4); // %1 feed /programs/p/phases/0
        vec4 v9_8 = v8_8 + v1_8; // %9 add /networks/f/nodes/1
        bvec4 v12_8 = bvec4(v9_8.x > 0.0, v9_8.y > 0.0, v9_8.z > 0.0, v9_8.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_8 = mix(vec4(0.0), v9_8, v12_8); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n4 + 12 * y4 + 2 * x4] = v13_8;
        vec4 v4_9 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_9 = a4_1 + v4_9; // %8 add /networks/f/nodes/0
        vec4 v1_9 = texelFetch(in0, columns + 72 * n4 + 12 * y4 + 2 * x4 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_9 = v8_9 + v1_9; // %9 add /networks/f/nodes/1
        bvec4 v12_9 = bvec4(v9_9.x > 0.0, v9_9.y > 0.0, v9_9.z > 0.0, v9_9.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_9 = mix(vec4(0.0), v9_9, v12_9); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n4 + 12 * y4 + 2 * x4 + 1] = v13_9;
    }
    if (rows + 40 < 72) {
        vec4 v4_10 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_10 = a5_0 + v4_10; // %8 add /networks/f/nodes/0
        vec4 v1_10 = texelFetch(in0, columns + 72 * n5 + 12 * y5 + 2 * x5); // %1 feed /programs/p/phases/0
        vec4 v9_10 = v8_10 + v1_10; // %9 add /networks/f/nodes/1
        bvec4 v12_10 = bvec4(v9_10.x > 0.0, v9_10.y > 0.0, v9_10.z > 0.0, v9_10.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_10 = mix(vec4(0.0), v9_10, v12_10); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n5 + 12 * y5 + 2 * x5] = v13_10;
        vec4 v4_11 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_11 = a5_1 + v4_11; // %8 add /networks/f/nodes/0
        vec4 v1_11 = texelFetch(in0, columns + 72 * n5 + 12 * y5 + 2 * x5 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_11 = v8_11 + v1_11; // %9 add /networks/f/nodes/1
        bvec4 v12_11 = bvec4(v9_11.x > 0.0, v9_11.y > 0.0, v9_11.z > 0.0, v9_11.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_11 = mix(vec4(0.0), v9_11, v12_11); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n5 + 12 * y5 + 2 * x5 + 1] = v13_11;
    }
    if (rows + 48 < 72) {
        vec4 v4_12 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_12 = a6_0 + v4_12; // %8 add /networks/f/nodes/0
        vec4 v1_12 = texelFetch(in0, columns + 72 * n6 + 12 * y6 + 2 * x6); // %1 feed /programs/p/phases/0
        vec4 v9_12 = v8_12 + v1_12; // %9 add /networks/f/nodes/1
        bvec4 v12_12 = bvec4(v9_12.x > 0.0, v9_12.y > 0.0, v9_12.z > 0.0, v9_12.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_12 = mix(vec4(0.0), v9_12, v12_12); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n6 + 12 * y6 + 2 * x6] = v13_12;
        vec4 v4_13 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_13 = a6_1 + v4_13; // %8 add /networks/f/nodes/0
        vec4 v1_13 = texelFetch(in0, columns + 72 * n6 + 12 * y6 + 2 * x6 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_13 = v8_13 + v1_13; // %9 add /networks/f/nodes/1
        bvec4 v12_13 = bvec4(v9_13.x > 0.0, v9_13.y > 0.0, v9_13.z > 0.0, v9_13.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_13 = mix(vec4(0.0), v9_13, v12_13); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n6 + 12 * y6 + 2 * x6 + 1] = v13_13;
    }
    if (rows + 56 < 72) {
        vec4 v4_14 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_14 = a7_0 + v4_14; // %8 add /networks/f/nodes/0
        vec4 v1_14 = texelFetch(in0, columns + 72 * n7 + 12 * y7 + 2 * x7); // %1 feed /programs/p/phases/0
        vec4 v9_14 = v8_14 + v1_14; // %9 add /networks/f/nodes/1
        bvec4 v12_14 = bvec4(v9_14.x > 0.0, v9_14.y > 0.0, v9_14.z > 0.0, v9_14.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_14 = mix(vec4(0.0), v9_14, v12_14); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n7 + 12 * y7 + 2 * x7] = v13_14;
        vec4 v4_15 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_15 = a7_1 + v4_15; // %8 add /networks/f/nodes/0
        vec4 v1_15 = texelFetch(in0, columns + 72 * n7 + 12 * y7 + 2 * x7 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_15 = v8_15 + v1_15; // %9 add /networks/f/nodes/1
        bvec4 v12_15 = bvec4(v9_15.x > 0.0, v9_15.y > 0.0, v9_15.z > 0.0, v9_15.w > 0.0); // %12 gt /networks/f/nodes/2
        vec4 v13_15 = mix(vec4(0.0), v9_15, v12_15); // %13 select /networks/f/nodes/2
        out3[columns + 72 * n7 + 12 * y7 + 2 * x7 + 1] = v13_15;
    }
}
