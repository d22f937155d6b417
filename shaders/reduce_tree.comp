#version 450
// Reductions of many elements to few: one workgroup folds a result (or four neighbouring ones), its lanes combine in shared memory.
//@header
//@workgroup
layout(local_size_x = 8) in; //@default
//@declarations
layout(set = 0, binding = 0) readonly buffer In { vec4 in0[]; };   //@default
layout(set = 0, binding = 1) writeonly buffer Out { vec4 out1[]; }; //@default
//@functions
void main() {
    int lane_id = int(gl_LocalInvocationID.x);
    int gid = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    //@body
    vec4 sum = vec4(0.0);                               //@default
    for (int i = 0; i < 16; i++) sum += in0[gid * 16 + i]; //@default
    out1[gid] = sum;                                    //@default
}
