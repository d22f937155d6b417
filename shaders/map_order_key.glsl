// The bits of a positive float are in its order already; both zeros are 0.
int map_order_key(float x) {
    int bits = floatBitsToInt(x), size = bits & 0x7fffffff;
    return size > 0x7f800000 ? 0x7fffffff : bits < 0 ? -size : size;
}
