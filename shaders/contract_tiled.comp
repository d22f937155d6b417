#version 450
#extension GL_EXT_control_flow_attributes : require
// Contractions by tiles in shared memory: a workgroup stages slices of both operands there; each lane has several rows x vec4s of columns.
//@header
//@workgroup
layout(local_size_x = 64) in; //@default
//@declarations
layout(set = 0, binding = 0) readonly buffer X { vec4 in0[]; };     //@default
layout(set = 0, binding = 1) readonly buffer W { vec4 in1[]; };     //@default
layout(set = 0, binding = 2) writeonly buffer Out { vec4 out2[]; }; //@default

// The tile.
const int LANES = 64; //@constant of a workgroup
const int ROWS = 4; //@constant of a lane, DOWN apart, so that lanes read neighbouring ones
const int COLUMNS = 1; //@constant vec4s of columns of a lane, ACROSS apart
const int ACROSS = 8; //@constant lanes beside each other along columns
const int DEPTH = 16; //@constant channels that are staged at once
const int DOWN = LANES / ACROSS, TILE_ROWS = DOWN * ROWS, TILE_COLUMNS = ACROSS * COLUMNS, STAGED = DEPTH / 4;
// What a lane stages: several vec4s of a row, BESIDE apart, and in each of its columns those DOWN apart.
const int BESIDE = LANES / TILE_ROWS, TURNS_X = (STAGED + BESIDE - 1) / BESIDE, TURNS_W = (DEPTH + DOWN - 1) / DOWN;

// The workgroups. Rows are pixels of planes; those of a matrix are planes of one pixel. A transposed convolution (the gradient of one's input) with a
// stride has workgroups for each remainder of y and x by the stride, since the pixels of one remainder meet the same taps.
const int WORKGROUPS = 3; //@constant
const int COLUMN_BLOCKS = 1; //@constant
const int ROW_BLOCKS = 3; //@constant
const int PARITIES_Y = 1; //@constant
const int PARITIES_X = 1; //@constant
const int BATCH = 1; //@constant matrices, each by itself
const int ROW_COUNT = 72; //@constant of one remainder
const int PLANE_Y = 6; //@constant likewise
const int PLANE_X = 6; //@constant
const int HEIGHT = 6; //@constant of all remainders
const int WIDTH = 6; //@constant
const int COLUMN_VECTORS = 2; //@constant vec4s of output channels
const int CHANNELS = 8; //@constant that are summed over
const int CHANNEL_VECTORS = (CHANNELS + 3) / 4;

// Which pixels of x meet which taps.
const int TRANSPOSED = 0; //@constant 1: it is a transposed convolution
const int TAPS_Y = 3; //@constant
const int TAPS_X = 3; //@constant
const int TAP_STEP_Y = 1; //@constant every tap, or those of one remainder
const int TAP_STEP_X = 1; //@constant
const int STRIDE_Y = 1; //@constant
const int STRIDE_X = 1; //@constant
const int DILATION_Y = 1; //@constant
const int DILATION_X = 1; //@constant
const int PAD_Y = 1; //@constant
const int PAD_X = 1; //@constant
const int X_HEIGHT = 6; //@constant
const int X_WIDTH = 6; //@constant

// Where operands lie, in vec4s.
const int X_IMAGE = 72; //@constant
const int X_ROW = 12; //@constant
const int X_COLUMN = 2; //@constant
const int X_BATCH = 0; //@constant
const int X_GROUP = 0; //@constant
const int W_TAP_Y = 48; //@constant
const int W_TAP_X = 16; //@constant
const int W_CHANNEL = 2; //@constant
const int W_BATCH = 0; //@constant
const int W_GROUP = 0; //@constant

// What need not be asked, since tiles cut nothing there.
const bool IS_WHOLE_X = CHANNEL_VECTORS % STAGED == 0, IS_WHOLE_W = CHANNELS % DEPTH == 0, HAS_WHOLE_COLUMNS = COLUMN_VECTORS % TILE_COLUMNS == 0;
const bool HAS_WHOLE_ROWS = ROW_COUNT % TILE_ROWS == 0;

shared vec4 tile_x[STAGED * TILE_ROWS], tile_w[DEPTH * TILE_COLUMNS];
//@functions

// Image, y and x of a row.
ivec3 pixel_of(int row, int parity_y, int parity_x) {
    return ivec3(row / (PLANE_X * PLANE_Y), row / PLANE_X % PLANE_Y * PARITIES_Y + parity_y, row % PLANE_X * PARITIES_X + parity_x);
}

// Where a pixel meets a tap along one axis of x; outside of x, or -1: nowhere.
int meet(int pixel, int tap, int stride, int dilation, int pad) {
    if (TRANSPOSED == 0)
        return pixel * stride + tap * dilation - pad;
    int spread = pixel + pad - tap * dilation;
    return mix(-1, spread / stride, all(bvec2(spread >= 0, spread % stride == 0)));
}

void main() {
    int lane_id = int(gl_LocalInvocationID.x);
    int group = int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    if (group >= WORKGROUPS)
        return; // the whole workgroup: no barrier is missed
    int part = group;
    int first_column = part % COLUMN_BLOCKS * TILE_COLUMNS; part /= COLUMN_BLOCKS; // in vec4s
    int first_row = part % ROW_BLOCKS * TILE_ROWS; part /= ROW_BLOCKS;
    int parity_x = part % PARITIES_X; part /= PARITIES_X;
    int parity_y = part % PARITIES_Y; part /= PARITIES_Y;
    int matrix = part % BATCH, channel_group = part / BATCH;

    int across = lane_id % ACROSS, down = lane_id / ACROSS;
    int staged_row = min(first_row + lane_id % TILE_ROWS, ROW_COUNT - 1);
    ivec3 staged = pixel_of(staged_row, parity_y, parity_x);
    vec4 sums[ROWS * COLUMNS];
    [[unroll]] for (int i = 0; i < ROWS * COLUMNS; i++)
        sums[i] = vec4(0.0);

    for (int ky = (parity_y + PAD_Y) % TAP_STEP_Y; ky < TAPS_Y; ky += TAP_STEP_Y) {
        for (int kx = (parity_x + PAD_X) % TAP_STEP_X; kx < TAPS_X; kx += TAP_STEP_X) {
            int iy = meet(staged.y, ky, STRIDE_Y, DILATION_Y, PAD_Y), ix = meet(staged.z, kx, STRIDE_X, DILATION_X, PAD_X);
            bool inside = all(bvec2(uint(iy) < X_HEIGHT, uint(ix) < X_WIDTH));
            int pixel = staged.x * X_IMAGE + iy * X_ROW + ix * X_COLUMN + matrix * X_BATCH + channel_group * X_GROUP;
            int weight = ky * W_TAP_Y + kx * W_TAP_X + matrix * W_BATCH + channel_group * W_GROUP;
            for (int k = 0; k < CHANNEL_VECTORS; k += STAGED) {
                [[unroll]] for (int turn = 0; turn < TURNS_X; turn++) {
                    int s = lane_id / TILE_ROWS + turn * BESIDE;
                    vec4 x = vec4(0.0);
                    int at = pixel + k + s;
                    if (inside && (IS_WHOLE_X || k + s < CHANNEL_VECTORS)) {
                        //@load_x
                        x = in0[at]; //@default
                    }
                    if (TURNS_X * BESIDE == STAGED || s < STAGED)
                        tile_x[s * TILE_ROWS + lane_id % TILE_ROWS] = x;
                }
                [[unroll]] for (int turn = 0; turn < TURNS_W; turn++) {
                    int s = down + turn * DOWN;
                    [[unroll]] for (int v = 0; v < COLUMNS; v++) {
                        int columns = first_column + v * ACROSS + across;
                        vec4 w = vec4(0.0);
                        if ((IS_WHOLE_W || 4 * k + s < CHANNELS) && (HAS_WHOLE_COLUMNS || columns < COLUMN_VECTORS)) {
                            int at = weight + (4 * k + s) * W_CHANNEL + columns;
                            //@load_w
                            w = in1[at]; //@default
                        }
                        if (TURNS_W * DOWN == DEPTH || s < DEPTH)
                            tile_w[s * TILE_COLUMNS + v * ACROSS + across] = w;
                    }
                }
                barrier();
                for (int s = 0; s < STAGED; s++) {
                    vec4 w[4 * COLUMNS];
                    [[unroll]] for (int i = 0; i < 4; i++)
                        [[unroll]] for (int v = 0; v < COLUMNS; v++)
                            w[i * COLUMNS + v] = tile_w[(4 * s + i) * TILE_COLUMNS + v * ACROSS + across];
                    [[unroll]] for (int p = 0; p < ROWS; p++) {
                        vec4 x = tile_x[s * TILE_ROWS + p * DOWN + down];
                        [[unroll]] for (int i = 0; i < 4; i++)
                            [[unroll]] for (int v = 0; v < COLUMNS; v++)
                                sums[p * COLUMNS + v] += x[i] * w[i * COLUMNS + v];
                    }
                }
                barrier();
            }
        }
    }

    [[unroll]] for (int p = 0; p < ROWS; p++) {
        int row = first_row + p * DOWN + down;
        ivec3 own = pixel_of(row, parity_y, parity_x);
        int n = own.x, y = own.y, x = own.z;
        bool is_cut = (PLANE_Y * PARITIES_Y > HEIGHT && y >= HEIGHT) || (PLANE_X * PARITIES_X > WIDTH && x >= WIDTH); // of a larger remainder
        [[unroll]] for (int v = 0; v < COLUMNS; v++) {
            int columns = first_column + v * ACROSS + across;
            vec4 sum = sums[p * COLUMNS + v];
            if ((HAS_WHOLE_ROWS || row < ROW_COUNT) && (HAS_WHOLE_COLUMNS || columns < COLUMN_VECTORS) && !is_cut) {
                //@epilogue
                out2[row * COLUMN_VECTORS + columns] = sum; //@default
            }
        }
    }
}
