// Measures bytes a second, read and written: EACH vec4s of each stream for each invocation, read as TEXELS or from storage buffers. STREAMS
// 0: only written; 1: copied; 2: added; 3: summed up, which writes one vec4 for all that an invocation reads.
#version 450
#ifndef EACH
#define EACH 8
#define STREAMS 2
#endif
layout(local_size_x = 64) in;
#ifdef TEXELS
layout(set = 0, binding = 0) uniform textureBuffer a;
layout(set = 0, binding = 1) uniform textureBuffer b;
#define LOAD(x, i) texelFetch(x, int(i))
#else
layout(set = 0, binding = 0, std430) readonly buffer A { vec4 a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { vec4 b[]; };
#define LOAD(x, i) x[i]
#endif
layout(set = 0, binding = 2, std430) writeonly buffer Target { vec4 target[]; };

void main() {
    uint first = gl_WorkGroupID.x * (64u * EACH) + gl_LocalInvocationID.x;
    vec4 sum = vec4(0.0);
    for (uint i = 0u; i < EACH; i++) {
        uint k = first + 64u * i;
#if STREAMS == 0
        target[k] = vec4(1.0);
#elif STREAMS == 1
        target[k] = LOAD(a, k);
#elif STREAMS == 2
        target[k] = LOAD(a, k) + LOAD(b, k);
#else
        sum += LOAD(a, k);
#endif
    }
#if STREAMS == 3
    target[gl_GlobalInvocationID.x] = sum;
#endif
}
