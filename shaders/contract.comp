#version 450
// Contractions by register tiles: one workgroup computes one tile, each lane several rows and vec4s of columns of it.
//@header
//@workgroup
layout(local_size_x = 8) in; //@default
//@declarations
layout(set = 0, binding = 0) uniform textureBuffer in0;             //@default
layout(set = 0, binding = 1) uniform textureBuffer in1;             //@default
layout(set = 0, binding = 2) writeonly buffer Out { vec4 out2[]; }; //@default
//@functions
void main() {
    int lane_id = int(gl_LocalInvocationID.x);
    int group = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    //@body
    vec4 sum = vec4(0.0);                                                                                     //@default
    for (int k = 0; k < 16; k++) sum += texelFetch(in0, (group * 8 + lane_id) * 16 + k).x * texelFetch(in1, k); //@default
    out2[group * 8 + lane_id] = sum;                                                                          //@default
}
