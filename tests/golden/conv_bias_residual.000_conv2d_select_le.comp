#version 450
// Contractions by register tiles: one workgroup computes one tile, each lane several rows and vec4s of columns of it.
// contract, schedule strip:lanes=8,texel=1,pixels=6,columns=2; runner-up strip:lanes=8,texel=1,pixels=6,columns=1; fused from
//   %5 conv2d : f32[2,8,6,6]  /networks/f/nodes/0
//   %6 reshape : f32[1,8,1,1]  /networks/f/nodes/0
//   %7 broadcast : f32[2,8,6,6]  /networks/f/nodes/0
//   %8 add : f32[2,8,6,6]  /networks/f/nodes/0
//   %9 add : f32[2,8,6,6]  /networks/f/nodes/1
//   %11 broadcast : f32[2,8,6,6]  /networks/f/nodes/2
//   %12 le : bool[2,8,6,6]  /networks/f/nodes/2
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
const int WORKGROUPS = 2;
const int LANES = 8;
const int PIXELS = 6;
const int ROW_COUNT = 72;
const int PLANE_X = 6;
const int PLANE_Y = 6;
const int PAD_X = 1;
const int TAPS_Y = 3;
const int PAD_Y = 1;
const int X_IMAGE = 72;
const int X_ROW = 12;
const int X_HEIGHT = 6;
const int X_COLUMN = 2;
const int X_WIDTH = 6;
const int W_TAP_Y = 48;
const int CHANNEL_STEPS = 2;
const int W_CHANNEL = 2;
const int W_TAP_X = 16;
const int OUT_IMAGE = 72;
const int OUT_ROW = 12;
const int OUT_COLUMN = 2;
void main() {
    int lane_id = int(gl_LocalInvocationID.x);
    int group = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    if (group >= WORKGROUPS)
        return;
    const int columns = 0; // first vec4 of output channels
    int strips = group * LANES + lane_id;
    int rows = strips * PIXELS; // first pixel of the strip
    int row0 = min(rows, ROW_COUNT - PIXELS);
    int x0 = row0 % PLANE_X, y0 = row0 / PLANE_X % PLANE_Y, n0 = row0 / (PLANE_X * PLANE_Y);
    int base = x0 - PAD_X;
    int x1 = x0 + 1, y1 = y0, n1 = n0;
    int x2 = x0 + 2, y2 = y0, n2 = n0;
    int x3 = x0 + 3, y3 = y0, n3 = n0;
    int x4 = x0 + 4, y4 = y0, n4 = n0;
    int x5 = x0 + 5, y5 = y0, n5 = n0;
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
    {
        for (int ky = 0; ky < TAPS_Y; ky++) {
            int iy0 = y0 + ky - PAD_Y;
            int line = n0 * X_IMAGE + iy0 * X_ROW;
            bool meets = uint(iy0) < X_HEIGHT;
            bool inside0 = all(bvec2(meets, uint(base) < X_WIDTH));
            int at0 = mix(0, line + base * X_COLUMN, inside0);
            bool inside1 = all(bvec2(meets, uint(base + 1) < X_WIDTH));
            int at1 = mix(0, line + (base + 1) * X_COLUMN, inside1);
            bool inside2 = all(bvec2(meets, uint(base + 2) < X_WIDTH));
            int at2 = mix(0, line + (base + 2) * X_COLUMN, inside2);
            bool inside3 = all(bvec2(meets, uint(base + 3) < X_WIDTH));
            int at3 = mix(0, line + (base + 3) * X_COLUMN, inside3);
            bool inside4 = all(bvec2(meets, uint(base + 4) < X_WIDTH));
            int at4 = mix(0, line + (base + 4) * X_COLUMN, inside4);
            bool inside5 = all(bvec2(meets, uint(base + 5) < X_WIDTH));
            int at5 = mix(0, line + (base + 5) * X_COLUMN, inside5);
            bool inside6 = all(bvec2(meets, uint(base + 6) < X_WIDTH));
            int at6 = mix(0, line + (base + 6) * X_COLUMN, inside6);
            bool inside7 = all(bvec2(meets, uint(base + 7) < X_WIDTH));
            int at7 = mix(0, line + (base + 7) * X_COLUMN, inside7);
            int weight = ky * W_TAP_Y;
            for (int k = 0; k < CHANNEL_STEPS; k++) {
                vec4 b0 = mix(vec4(0.0), texelFetch(in0, at0), bvec4(inside0));
                vec4 b1 = mix(vec4(0.0), texelFetch(in0, at1), bvec4(inside1));
                vec4 b2 = mix(vec4(0.0), texelFetch(in0, at2), bvec4(inside2));
                vec4 b3 = mix(vec4(0.0), texelFetch(in0, at3), bvec4(inside3));
                vec4 b4 = mix(vec4(0.0), texelFetch(in0, at4), bvec4(inside4));
                vec4 b5 = mix(vec4(0.0), texelFetch(in0, at5), bvec4(inside5));
                vec4 b6 = mix(vec4(0.0), texelFetch(in0, at6), bvec4(inside6));
                vec4 b7 = mix(vec4(0.0), texelFetch(in0, at7), bvec4(inside7));
                vec4 w0, w1, w2, w3;
                w0 = texelFetch(in1, weight);
                w1 = texelFetch(in1, weight + W_CHANNEL);
                w2 = texelFetch(in1, weight + 2 * W_CHANNEL);
                w3 = texelFetch(in1, weight + 3 * W_CHANNEL);
                a0_0 += b0.x * w0; a0_0 += b0.y * w1; a0_0 += b0.z * w2; a0_0 += b0.w * w3;
                a1_0 += b1.x * w0; a1_0 += b1.y * w1; a1_0 += b1.z * w2; a1_0 += b1.w * w3;
                a2_0 += b2.x * w0; a2_0 += b2.y * w1; a2_0 += b2.z * w2; a2_0 += b2.w * w3;
                a3_0 += b3.x * w0; a3_0 += b3.y * w1; a3_0 += b3.z * w2; a3_0 += b3.w * w3;
                a4_0 += b4.x * w0; a4_0 += b4.y * w1; a4_0 += b4.z * w2; a4_0 += b4.w * w3;
                a5_0 += b5.x * w0; a5_0 += b5.y * w1; a5_0 += b5.z * w2; a5_0 += b5.w * w3;
                w0 = texelFetch(in1, weight + 1);
                w1 = texelFetch(in1, weight + (W_CHANNEL + 1));
                w2 = texelFetch(in1, weight + (2 * W_CHANNEL + 1));
                w3 = texelFetch(in1, weight + (3 * W_CHANNEL + 1));
                a0_1 += b0.x * w0; a0_1 += b0.y * w1; a0_1 += b0.z * w2; a0_1 += b0.w * w3;
                a1_1 += b1.x * w0; a1_1 += b1.y * w1; a1_1 += b1.z * w2; a1_1 += b1.w * w3;
                a2_1 += b2.x * w0; a2_1 += b2.y * w1; a2_1 += b2.z * w2; a2_1 += b2.w * w3;
                a3_1 += b3.x * w0; a3_1 += b3.y * w1; a3_1 += b3.z * w2; a3_1 += b3.w * w3;
                a4_1 += b4.x * w0; a4_1 += b4.y * w1; a4_1 += b4.z * w2; a4_1 += b4.w * w3;
                a5_1 += b5.x * w0; a5_1 += b5.y * w1; a5_1 += b5.z * w2; a5_1 += b5.w * w3;
                w0 = texelFetch(in1, weight + W_TAP_X);
                w1 = texelFetch(in1, weight + (W_TAP_X + W_CHANNEL));
                w2 = texelFetch(in1, weight + (W_TAP_X + 2 * W_CHANNEL));
                w3 = texelFetch(in1, weight + (W_TAP_X + 3 * W_CHANNEL));
                a0_0 += b1.x * w0; a0_0 += b1.y * w1; a0_0 += b1.z * w2; a0_0 += b1.w * w3;
                a1_0 += b2.x * w0; a1_0 += b2.y * w1; a1_0 += b2.z * w2; a1_0 += b2.w * w3;
                a2_0 += b3.x * w0; a2_0 += b3.y * w1; a2_0 += b3.z * w2; a2_0 += b3.w * w3;
                a3_0 += b4.x * w0; a3_0 += b4.y * w1; a3_0 += b4.z * w2; a3_0 += b4.w * w3;
                a4_0 += b5.x * w0; a4_0 += b5.y * w1; a4_0 += b5.z * w2; a4_0 += b5.w * w3;
                a5_0 += b6.x * w0; a5_0 += b6.y * w1; a5_0 += b6.z * w2; a5_0 += b6.w * w3;
                w0 = texelFetch(in1, weight + (W_TAP_X + 1));
                w1 = texelFetch(in1, weight + (W_TAP_X + W_CHANNEL + 1));
                w2 = texelFetch(in1, weight + (W_TAP_X + 2 * W_CHANNEL + 1));
                w3 = texelFetch(in1, weight + (W_TAP_X + 3 * W_CHANNEL + 1));
                a0_1 += b1.x * w0; a0_1 += b1.y * w1; a0_1 += b1.z * w2; a0_1 += b1.w * w3;
                a1_1 += b2.x * w0; a1_1 += b2.y * w1; a1_1 += b2.z * w2; a1_1 += b2.w * w3;
                a2_1 += b3.x * w0; a2_1 += b3.y * w1; a2_1 += b3.z * w2; a2_1 += b3.w * w3;
                a3_1 += b4.x * w0; a3_1 += b4.y * w1; a3_1 += b4.z * w2; a3_1 += b4.w * w3;
                a4_1 += b5.x * w0; a4_1 += b5.y * w1; a4_1 += b5.z * w2; a4_1 += b5.w * w3;
                a5_1 += b6.x * w0; a5_1 += b6.y * w1; a5_1 += b6.z * w2; a5_1 += b6.w * w3;
                w0 = texelFetch(in1, weight + 2 * W_TAP_X);
                w1 = texelFetch(in1, weight + (2 * W_TAP_X + W_CHANNEL));
                w2 = texelFetch(in1, weight + (2 * W_TAP_X + 2 * W_CHANNEL));
                w3 = texelFetch(in1, weight + (2 * W_TAP_X + 3 * W_CHANNEL));
                a0_0 += b2.x * w0; a0_0 += b2.y * w1; a0_0 += b2.z * w2; a0_0 += b2.w * w3;
                a1_0 += b3.x * w0; a1_0 += b3.y * w1; a1_0 += b3.z * w2; a1_0 += b3.w * w3;
                a2_0 += b4.x * w0; a2_0 += b4.y * w1; a2_0 += b4.z * w2; a2_0 += b4.w * w3;
                a3_0 += b5.x * w0; a3_0 += b5.y * w1; a3_0 += b5.z * w2; a3_0 += b5.w * w3;
                a4_0 += b6.x * w0; a4_0 += b6.y * w1; a4_0 += b6.z * w2; a4_0 += b6.w * w3;
                a5_0 += b7.x * w0; a5_0 += b7.y * w1; a5_0 += b7.z * w2; a5_0 += b7.w * w3;
                w0 = texelFetch(in1, weight + (2 * W_TAP_X + 1));
                w1 = texelFetch(in1, weight + (2 * W_TAP_X + W_CHANNEL + 1));
                w2 = texelFetch(in1, weight + (2 * W_TAP_X + 2 * W_CHANNEL + 1));
                w3 = texelFetch(in1, weight + (2 * W_TAP_X + 3 * W_CHANNEL + 1));
                a0_1 += b2.x * w0; a0_1 += b2.y * w1; a0_1 += b2.z * w2; a0_1 += b2.w * w3;
                a1_1 += b3.x * w0; a1_1 += b3.y * w1; a1_1 += b3.z * w2; a1_1 += b3.w * w3;
                a2_1 += b4.x * w0; a2_1 += b4.y * w1; a2_1 += b4.z * w2; a2_1 += b4.w * w3;
                a3_1 += b5.x * w0; a3_1 += b5.y * w1; a3_1 += b5.z * w2; a3_1 += b5.w * w3;
                a4_1 += b6.x * w0; a4_1 += b6.y * w1; a4_1 += b6.z * w2; a4_1 += b6.w * w3;
                a5_1 += b7.x * w0; a5_1 += b7.y * w1; a5_1 += b7.z * w2; a5_1 += b7.w * w3;
                at0++;
                at1++;
                at2++;
                at3++;
                at4++;
                at5++;
                at6++;
                at7++;
                weight += 4 * W_CHANNEL;
            }
        }
    }
    if (rows < ROW_COUNT) {
        vec4 v4 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8 = a0_0 + v4; // %8 add /networks/f/nodes/0
        vec4 v1 = texelFetch(in0, columns + OUT_IMAGE * n0 + OUT_ROW * y0 + OUT_COLUMN * x0); // %1 feed /programs/p/phases/0
        vec4 v9 = v8 + v1; // %9 add /networks/f/nodes/1
        bvec4 v12 = bvec4(v9.x <= 0.0, v9.y <= 0.0, v9.z <= 0.0, v9.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13 = mix(v9, vec4(0.0), v12); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n0 + OUT_ROW * y0 + OUT_COLUMN * x0] = v13;
        vec4 v4_1 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_1 = a0_1 + v4_1; // %8 add /networks/f/nodes/0
        vec4 v1_1 = texelFetch(in0, columns + OUT_IMAGE * n0 + OUT_ROW * y0 + OUT_COLUMN * x0 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_1 = v8_1 + v1_1; // %9 add /networks/f/nodes/1
        bvec4 v12_1 = bvec4(v9_1.x <= 0.0, v9_1.y <= 0.0, v9_1.z <= 0.0, v9_1.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_1 = mix(v9_1, vec4(0.0), v12_1); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n0 + OUT_ROW * y0 + OUT_COLUMN * x0 + 1] = v13_1;
    }
    if (rows + 1 < ROW_COUNT) {
        vec4 v4_2 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_2 = a1_0 + v4_2; // %8 add /networks/f/nodes/0
        vec4 v1_2 = texelFetch(in0, columns + OUT_IMAGE * n1 + OUT_ROW * y1 + OUT_COLUMN * x1); // %1 feed /programs/p/phases/0
        vec4 v9_2 = v8_2 + v1_2; // %9 add /networks/f/nodes/1
        bvec4 v12_2 = bvec4(v9_2.x <= 0.0, v9_2.y <= 0.0, v9_2.z <= 0.0, v9_2.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_2 = mix(v9_2, vec4(0.0), v12_2); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n1 + OUT_ROW * y1 + OUT_COLUMN * x1] = v13_2;
        vec4 v4_3 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_3 = a1_1 + v4_3; // %8 add /networks/f/nodes/0
        vec4 v1_3 = texelFetch(in0, columns + OUT_IMAGE * n1 + OUT_ROW * y1 + OUT_COLUMN * x1 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_3 = v8_3 + v1_3; // %9 add /networks/f/nodes/1
        bvec4 v12_3 = bvec4(v9_3.x <= 0.0, v9_3.y <= 0.0, v9_3.z <= 0.0, v9_3.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_3 = mix(v9_3, vec4(0.0), v12_3); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n1 + OUT_ROW * y1 + OUT_COLUMN * x1 + 1] = v13_3;
    }
    if (rows + 2 < ROW_COUNT) {
        vec4 v4_4 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_4 = a2_0 + v4_4; // %8 add /networks/f/nodes/0
        vec4 v1_4 = texelFetch(in0, columns + OUT_IMAGE * n2 + OUT_ROW * y2 + OUT_COLUMN * x2); // %1 feed /programs/p/phases/0
        vec4 v9_4 = v8_4 + v1_4; // %9 add /networks/f/nodes/1
        bvec4 v12_4 = bvec4(v9_4.x <= 0.0, v9_4.y <= 0.0, v9_4.z <= 0.0, v9_4.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_4 = mix(v9_4, vec4(0.0), v12_4); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n2 + OUT_ROW * y2 + OUT_COLUMN * x2] = v13_4;
        vec4 v4_5 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_5 = a2_1 + v4_5; // %8 add /networks/f/nodes/0
        vec4 v1_5 = texelFetch(in0, columns + OUT_IMAGE * n2 + OUT_ROW * y2 + OUT_COLUMN * x2 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_5 = v8_5 + v1_5; // %9 add /networks/f/nodes/1
        bvec4 v12_5 = bvec4(v9_5.x <= 0.0, v9_5.y <= 0.0, v9_5.z <= 0.0, v9_5.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_5 = mix(v9_5, vec4(0.0), v12_5); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n2 + OUT_ROW * y2 + OUT_COLUMN * x2 + 1] = v13_5;
    }
    if (rows + 3 < ROW_COUNT) {
        vec4 v4_6 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_6 = a3_0 + v4_6; // %8 add /networks/f/nodes/0
        vec4 v1_6 = texelFetch(in0, columns + OUT_IMAGE * n3 + OUT_ROW * y3 + OUT_COLUMN * x3); // %1 feed /programs/p/phases/0
        vec4 v9_6 = v8_6 + v1_6; // %9 add /networks/f/nodes/1
        bvec4 v12_6 = bvec4(v9_6.x <= 0.0, v9_6.y <= 0.0, v9_6.z <= 0.0, v9_6.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_6 = mix(v9_6, vec4(0.0), v12_6); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n3 + OUT_ROW * y3 + OUT_COLUMN * x3] = v13_6;
        vec4 v4_7 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_7 = a3_1 + v4_7; // %8 add /networks/f/nodes/0
        vec4 v1_7 = texelFetch(in0, columns + OUT_IMAGE * n3 + OUT_ROW * y3 + OUT_COLUMN * x3 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_7 = v8_7 + v1_7; // %9 add /networks/f/nodes/1
        bvec4 v12_7 = bvec4(v9_7.x <= 0.0, v9_7.y <= 0.0, v9_7.z <= 0.0, v9_7.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_7 = mix(v9_7, vec4(0.0), v12_7); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n3 + OUT_ROW * y3 + OUT_COLUMN * x3 + 1] = v13_7;
    }
    if (rows + 4 < ROW_COUNT) {
        vec4 v4_8 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_8 = a4_0 + v4_8; // %8 add /networks/f/nodes/0
        vec4 v1_8 = texelFetch(in0, columns + OUT_IMAGE * n4 + OUT_ROW * y4 + OUT_COLUMN * x4); // %1 feed /programs/p/phases/0
        vec4 v9_8 = v8_8 + v1_8; // %9 add /networks/f/nodes/1
        bvec4 v12_8 = bvec4(v9_8.x <= 0.0, v9_8.y <= 0.0, v9_8.z <= 0.0, v9_8.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_8 = mix(v9_8, vec4(0.0), v12_8); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n4 + OUT_ROW * y4 + OUT_COLUMN * x4] = v13_8;
        vec4 v4_9 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_9 = a4_1 + v4_9; // %8 add /networks/f/nodes/0
        vec4 v1_9 = texelFetch(in0, columns + OUT_IMAGE * n4 + OUT_ROW * y4 + OUT_COLUMN * x4 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_9 = v8_9 + v1_9; // %9 add /networks/f/nodes/1
        bvec4 v12_9 = bvec4(v9_9.x <= 0.0, v9_9.y <= 0.0, v9_9.z <= 0.0, v9_9.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_9 = mix(v9_9, vec4(0.0), v12_9); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n4 + OUT_ROW * y4 + OUT_COLUMN * x4 + 1] = v13_9;
    }
    if (rows + 5 < ROW_COUNT) {
        vec4 v4_10 = texelFetch(in2, columns); // %4 unpack /networks/f/nodes/0
        vec4 v8_10 = a5_0 + v4_10; // %8 add /networks/f/nodes/0
        vec4 v1_10 = texelFetch(in0, columns + OUT_IMAGE * n5 + OUT_ROW * y5 + OUT_COLUMN * x5); // %1 feed /programs/p/phases/0
        vec4 v9_10 = v8_10 + v1_10; // %9 add /networks/f/nodes/1
        bvec4 v12_10 = bvec4(v9_10.x <= 0.0, v9_10.y <= 0.0, v9_10.z <= 0.0, v9_10.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_10 = mix(v9_10, vec4(0.0), v12_10); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n5 + OUT_ROW * y5 + OUT_COLUMN * x5] = v13_10;
        vec4 v4_11 = texelFetch(in2, columns + 1); // %4 unpack /networks/f/nodes/0
        vec4 v8_11 = a5_1 + v4_11; // %8 add /networks/f/nodes/0
        vec4 v1_11 = texelFetch(in0, columns + OUT_IMAGE * n5 + OUT_ROW * y5 + OUT_COLUMN * x5 + 1); // %1 feed /programs/p/phases/0
        vec4 v9_11 = v8_11 + v1_11; // %9 add /networks/f/nodes/1
        bvec4 v12_11 = bvec4(v9_11.x <= 0.0, v9_11.y <= 0.0, v9_11.z <= 0.0, v9_11.w <= 0.0); // %12 le /networks/f/nodes/2
        vec4 v13_11 = mix(v9_11, vec4(0.0), v12_11); // %13 select /networks/f/nodes/2
        out3[columns + OUT_IMAGE * n5 + OUT_ROW * y5 + OUT_COLUMN * x5 + 1] = v13_11;
    }
}
