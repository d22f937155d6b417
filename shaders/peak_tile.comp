// Measures multiply-adds a second as tiles of contractions make them: a step multiplies four channels of some rows by the weights of columns, all
// of which it loads as texels. Each lane has 8 rows and 2 vec4s of columns or, BROADCAST, one vec4 of columns and 16 rows, which lanes fetch for
// each other.
#version 450
#ifdef BROADCAST
#extension GL_KHR_shader_subgroup_ballot : require
#endif
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) uniform textureBuffer rows;
layout(set = 0, binding = 1) uniform textureBuffer weights;
layout(set = 0, binding = 2, std430) writeonly buffer Target { vec4 target[]; }; // one for each invocation
layout(push_constant) uniform Push { uint steps; };

#define DECLARE(sum) vec4 sum = vec4(0.0);
#define FETCH(i) vec4 x##i = texelFetch(rows, at + 64 * i);
#define WEIGHTS(q) vec4 w0_##q = texelFetch(weights, weight + 4 * q), w1_##q = texelFetch(weights, weight + 4 * q + 1), \
                        w2_##q = texelFetch(weights, weight + 4 * q + 2), w3_##q = texelFetch(weights, weight + 4 * q + 3);
#define ADD(sum, row, q) sum += row.x * w0_##q; sum += row.y * w1_##q; sum += row.z * w2_##q; sum += row.w * w3_##q;
#define SUMS(X) X(a0) X(a1) X(a2) X(a3) X(a4) X(a5) X(a6) X(a7) X(b0) X(b1) X(b2) X(b3) X(b4) X(b5) X(b6) X(b7)
#define GIVE(sum, i, lane) { vec4 given = subgroupBroadcast(x##i, lane); ADD(sum, given, 0) }
#define PLUS(sum) +sum

void main() {
    int at = int(gl_LocalInvocationID.x), weight = int(gl_WorkGroupID.x % 8u);
    SUMS(DECLARE)
    for (uint i = 0u; i < steps; i++) {
        at = (at + 1) % 64;
        weight = (weight + 8) % 512;
#ifdef BROADCAST
        FETCH(0) FETCH(1)
        WEIGHTS(0)
        GIVE(a0, 0, 0) GIVE(a1, 0, 1) GIVE(a2, 0, 2) GIVE(a3, 0, 3) GIVE(a4, 0, 0) GIVE(a5, 0, 1) GIVE(a6, 0, 2) GIVE(a7, 0, 3)
        GIVE(b0, 1, 0) GIVE(b1, 1, 1) GIVE(b2, 1, 2) GIVE(b3, 1, 3) GIVE(b4, 1, 0) GIVE(b5, 1, 1) GIVE(b6, 1, 2) GIVE(b7, 1, 3)
#else
        FETCH(0) FETCH(1) FETCH(2) FETCH(3) FETCH(4) FETCH(5) FETCH(6) FETCH(7)
        WEIGHTS(0)
        ADD(a0, x0, 0) ADD(a1, x1, 0) ADD(a2, x2, 0) ADD(a3, x3, 0) ADD(a4, x4, 0) ADD(a5, x5, 0) ADD(a6, x6, 0) ADD(a7, x7, 0)
        WEIGHTS(1)
        ADD(b0, x0, 1) ADD(b1, x1, 1) ADD(b2, x2, 1) ADD(b3, x3, 1) ADD(b4, x4, 1) ADD(b5, x5, 1) ADD(b6, x6, 1) ADD(b7, x7, 1)
#endif
    }
    target[gl_GlobalInvocationID.x] = (vec4(0.0) SUMS(PLUS)) * 1e-30; // stays small however often it runs
}
