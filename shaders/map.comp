#version 450
// Maps: one invocation computes one vec4 of each stored value of one shape and layout; values of another shape have workgroups of their own.
//@header
//@workgroup
layout(local_size_x = 64) in; //@default
//@declarations
layout(set = 0, binding = 0) readonly buffer In { vec4 in0[]; };   //@default
layout(set = 0, binding = 1) writeonly buffer Out { vec4 out1[]; }; //@default
//@functions
void main() {
    int gid = int((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
    //@body
    out1[gid] = 2.0 * in0[gid]; //@default
}
