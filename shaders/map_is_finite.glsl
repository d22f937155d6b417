// By its bits: what a comparison finds, a driver may take for granted.
bool map_is_finite(float x) { return (floatBitsToUint(x) & 0x7f800000u) != 0x7f800000u; }
