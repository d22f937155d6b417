// Measures bytes a second, read and written: one vec4 for each invocation, read as TEXELS or from a storage buffer.
#version 450
layout(local_size_x = 64) in;
#ifdef TEXELS
layout(set = 0, binding = 0) uniform textureBuffer source;
#define LOAD(i) texelFetch(source, int(i))
#else
layout(set = 0, binding = 0, std430) readonly buffer Source { vec4 source[]; };
#define LOAD(i) source[i]
#endif
layout(set = 0, binding = 1, std430) writeonly buffer Target { vec4 target[]; };

void main() { target[gl_GlobalInvocationID.x] = LOAD(gl_GlobalInvocationID.x); }
