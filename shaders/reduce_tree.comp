#version 450
// Reductions of many elements to few: one workgroup folds a result (or four neighbouring ones), its lanes combine in shared memory.
//@header
//@workgroup
layout(local_size_x = 8) in; //@default
//@declarations
layout(set = 0, binding = 0) readonly buffer In { vec4 in0[]; };    //@default
layout(set = 0, binding = 1) writeonly buffer Out { vec4 out1[]; }; //@default

const int LANES = 8; //@constant of a workgroup, a power of two
const int RESULTS = 4; //@constant that are stored; of a kept innermost axis fours of them
const int ELEMENTS = 100; //@constant vec4s that are folded into one

shared vec4 tree_vec4[LANES]; //@default
//@functions
void main() {
    int lane_id = int(gl_LocalInvocationID.x);
    int gid = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    if (gid >= RESULTS)
        return; // the whole workgroup: no barrier is missed
    //@start
    vec4 sum = vec4(0.0); //@default
    for (int r = lane_id; r < ELEMENTS; r += LANES) {
        //@step
        sum += in0[gid * ELEMENTS + r]; //@default
    }
    //@combine
    tree_vec4[lane_id] = sum;                                           //@default
    barrier();                                                          //@default
    for (int half_count = LANES / 2; half_count > 0; half_count /= 2) { //@default
        if (lane_id < half_count)                                       //@default
            tree_vec4[lane_id] += tree_vec4[lane_id + half_count];      //@default
        barrier();                                                      //@default
    }                                                                   //@default
    sum = tree_vec4[0];                                                 //@default
    //@again
    //@finish
    if (lane_id > 0)
        return;
    //@store
    out1[gid] = sum; //@default
}
