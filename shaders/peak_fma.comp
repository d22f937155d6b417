// Measures multiply-adds a second: ACCUMULATORS independent chains of TYPE, written out one by one, since a loop over an array would
// measure the driver's unrolling instead.
#version 450
#ifndef TYPE
#define TYPE vec4
#define ACCUMULATORS 8
#endif
#if ACCUMULATORS == 4
#define EACH(X) X(0) X(1) X(2) X(3)
#elif ACCUMULATORS == 8
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#elif ACCUMULATORS == 16
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#else
#define EACH(X)                                                                                                                            \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)  \
    X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#endif
#define DECLARE(i) TYPE a##i = x + float(i);
#define STEP(i) a##i = a##i * x + x;
#define SUM(i) +a##i

layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std430) buffer Data { TYPE data[]; }; // one for each invocation
layout(push_constant) uniform Push { uint steps; };

void main() {
    TYPE x = data[gl_GlobalInvocationID.x];
    EACH(DECLARE)
    for (uint i = 0u; i < steps; i++) {
        EACH(STEP)
    }
    data[gl_GlobalInvocationID.x] = (TYPE(0.0) EACH(SUM)) * 1e-30; // stays small however often it runs
}
