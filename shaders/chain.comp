#version 450
// Chains: a workgroup computes one slice of everything, link by link. What it stores for a later link it reads itself, behind a barrier; no other
// workgroup does.
//@header
//@workgroup
layout(local_size_x = 8) in; //@default
//@declarations
layout(set = 0, binding = 0) readonly buffer In { vec4 in0[]; };   //@default
layout(set = 0, binding = 1) coherent buffer Mid { vec4 out1[]; }; //@default
layout(set = 0, binding = 2) writeonly buffer Out { vec4 out2[]; }; //@default
const int LANES = 8;                                               //@constant
//@functions
void main() {
    int slice = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    int lane_id = int(gl_LocalInvocationID.x);
    //@body
    for (int t = lane_id; t < 16; t += LANES)                                      //@default
        out1[16 * slice + t] = 2.0 * in0[16 * slice + t];                          //@default
    memoryBarrierBuffer();                                                         //@default
    barrier();                                                                     //@default
    for (int t = lane_id; t < 16; t += LANES)                                      //@default
        out2[16 * slice + t] = sqrt(out1[16 * slice + 15 - t]);                    //@default
}
