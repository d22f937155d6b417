// By its bits: what a comparison finds, a driver may take for granted.
bool map_is_nan(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }
